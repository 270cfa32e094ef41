// What operators, the command line and deadlines did.

import { get } from "./api.js";
import { h, older } from "./page.js";
import { dataOf, moment } from "./words.js";

export async function audit({ place, signal, told }) {
  const list = older((after) => get(`/audit?after=${after}`, signal), entries, told);
  place.append(h("h1", {}, "Audit"), list.place);
  await list.read();
}

const entries = {
  caption: "Audit log",
  headings: ["No.", "When", "Who", "What", "To what", "Why", "After"],
  of: (page) => page.entries,
  row,
};

function row(entry) {
  const [kind, id] = entry.subject.split("/");
  const pages = { session: "sessions", user: "people" };
  const subject = pages[kind] ? h("a", { href: `#/${pages[kind]}/${id}` }, entry.subject) : entry.subject;
  return [String(entry.number), moment(entry.at), entry.actor, entry.act, subject, entry.reason, dataOf(entry.after)];
}
