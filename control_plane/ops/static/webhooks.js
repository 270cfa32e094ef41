// Receivers of events: which fail, and sending again.

import { get } from "./api.js";
import { asking } from "./ask.js";
import { h, table } from "./page.js";
import { moment } from "./words.js";

const HEADINGS = ["When", "Event", "Type", "Answer", "Took", "Act"];

export async function webhooks(on) {
  const { place, signal } = on;
  const { webhooks: found } = await get("/webhooks", signal);
  if (signal.aborted) return;
  const again = () => webhooks(on);
  const boxes = found.map((one) => receiver(one, again, on));
  const none = h("p", { className: "muted" }, "There is none: control-plane webhooks add.");
  place.replaceChildren(h("h1", {}, "Webhooks"), ...(boxes.length > 0 ? boxes : [none]));
}

function receiver(one, done, on) {
  const log = h("div", {});
  const act = (label, wanted) => asking(label, () => ({ ...wanted, done }));
  const show = async () => log.replaceChildren(deliveries(one, await get(`/webhooks/${one.id}/deliveries`, on.signal)));
  return h(
    "section",
    { className: "box" },
    h("h2", {}, one.description || one.url),
    h("p", {}, one.url),
    h("p", { className: one.enabled && !one.failing_since ? "muted" : "bad" }, state(one)),
    h("p", { className: "muted" }, one.types?.length ? one.types.join(", ") : "All types of events"),
    h(
      "p",
      { className: "acts" },
      h("button", { type: "button", onclick: () => show().catch(on.told) }, "Last deliveries"),
      act("Send a test", testing(one)),
      one.enabled ? act("Switch off", switching(one)) : act("Switch on", enabling(one)),
    ),
    log,
  );
}

function state(one) {
  if (!one.enabled) return `Off: ${one.disabled_because}`;
  return one.failing_since ? `Fails since ${moment(one.failing_since)}` : "On";
}

function deliveries(one, { deliveries: found }) {
  const rows = found.map((line) => [
    moment(line.at),
    line.event ?? "",
    line.type,
    [line.status || "", line.error].filter(Boolean).join(" "),
    `${line.milliseconds} ms`,
    line.event ? asking("Resend", () => resending(one, line)) : "",
  ]);
  return table("Deliveries", HEADINGS, rows);
}

const resending = (one, line) => ({
  question: `Send ${line.event} again?`,
  consequence: `${one.url} gets this ${line.type} once more, with the same id.`,
  yes: "Send it",
  said: "It was sent.",
  path: `/webhooks/${one.id}/resend`,
  body: { events: [line.event] },
});

const testing = (one) => ({
  question: "Send a test?",
  consequence: `${one.url} gets one event that means nothing.`,
  yes: "Send it",
  said: "It was sent: see the last deliveries.",
  path: `/webhooks/${one.id}/test`,
});

const switching = (one) => ({
  question: "Switch this receiver off?",
  consequence: `${one.url} gets nothing until it is switched on; it goes on then where it was.`,
  yes: "Switch it off",
  path: `/webhooks/${one.id}/disable`,
});

const enabling = (one) => ({
  question: "Switch this receiver on?",
  consequence: `${one.url} has to answer a challenge, then gets what waited for it.`,
  yes: "Switch it on",
  path: `/webhooks/${one.id}/enable`,
});
