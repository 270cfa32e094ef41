// The settings in force; of secrets only whether they are set.

import { get } from "./api.js";
import { h, table } from "./page.js";

export async function settings({ place, signal }) {
  const { settings: found } = await get("/settings", signal);
  const rows = found.map((one) => [h("code", {}, one.name), one.secret ? h("i", {}, one.value) : one.value]);
  place.append(h("h1", {}, "Settings"), table("Settings in force", ["Name", "Value"], rows));
}
