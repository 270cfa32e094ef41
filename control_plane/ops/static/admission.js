// What the player asks before it plays: operators watch whatever is live, as nobody.

import { get } from "./api.js";

export { Refused } from "./api.js";

export const admit = (id) => get(`/sessions/${id}/playback`);
