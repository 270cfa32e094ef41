// What operators, the command line and deadlines did.

import { get } from "./api.js";
import { h, table } from "./page.js";
import { dataOf, moment } from "./words.js";

const HEADINGS = ["No.", "When", "Who", "What", "To what", "Why", "After"];

export async function audit({ place, signal, failed }) {
  const entries = [];
  const list = h("div", {});
  const more = h("button", { type: "button" }, "Older ones");
  let after = "";
  async function read() {
    const page = await get(`/audit?after=${after}`, signal);
    entries.push(...page.entries);
    after = page.next ?? "";
    more.hidden = !page.next;
    list.replaceChildren(table("Audit log", HEADINGS, entries.map((entry) => row(entry))));
  }
  more.addEventListener("click", async () => {
    try {
      await read();
    } catch (error) {
      if (!signal.aborted) failed(error);
    }
  });
  place.append(h("h1", {}, "Audit"), list, h("p", {}, more));
  await read();
}

function row(entry) {
  const [kind, id] = entry.subject.split("/");
  const pages = { session: "sessions", user: "people" };
  const subject = pages[kind] ? h("a", { href: `#/${pages[kind]}/${id}` }, entry.subject) : entry.subject;
  return [String(entry.number), moment(entry.at), entry.actor, entry.act, subject, entry.reason, dataOf(entry.after)];
}
