// Which pages there are, by what stands behind the #.

import { audit } from "./audit.js";
import { money } from "./money.js";
import { nodes } from "./nodes.js";
import { now } from "./now.js";
import { people, person } from "./people.js";
import { session } from "./session.js";
import { settings } from "./settings.js";
import { webhooks } from "./webhooks.js";

export const PAGES = [
  [/^#?\/?$/u, "Now", now],
  [/^#\/sessions\/(?<id>\d+)$/u, "Session", session],
  [/^#\/nodes$/u, "Nodes", nodes],
  [/^#\/people$/u, "People", people],
  [/^#\/people\/(?<id>\d+)$/u, "Person", person],
  [/^#\/webhooks$/u, "Webhooks", webhooks],
  [/^#\/money$/u, "Money", money],
  [/^#\/audit$/u, "Audit", audit],
  [/^#\/settings$/u, "Settings", settings],
];
