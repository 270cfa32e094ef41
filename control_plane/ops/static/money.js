// Money: what must read zero, payouts to decide, and what was bought.

import { get } from "./api.js";
import { asking } from "./ask.js";
import { h, older, table } from "./page.js";
import { moment } from "./words.js";

const READ = 15 * 60_000; // ms; a large ledger takes minutes

export async function money({ place, signal, told }) {
  const checks = h("div", { "aria-live": "polite" }, h("p", { className: "muted" }, "Reading the ledger…"));
  const payouts = h("div", {});
  const purchases = older((after) => get(`/purchases?after=${after}`, signal), bought, told);
  async function check(which = "") {
    const { faults, checks: found, read_at: at } = await get(`/ledger/check${which}`, signal, READ);
    const verdict = faults === 0 ? "All read zero" : `${faults} rows break a rule`;
    const help = h("a", { href: "/ops/guide/operations#ledgerbroken", target: "_blank", rel: "noopener" }, "What to do");
    const rows = found.map((one) => [one.name.replaceAll("_", " "), String(one.faults)]);
    checks.replaceChildren(h("p", { className: faults === 0 ? "" : "bad" }, `${verdict}, ${moment(at)}. `, faults > 0 && help), table("Checks", ["Rule", "Rows that break it"], rows));
  }
  async function decide() {
    const { payouts: found, next } = await get("/payouts?state=pending", signal);
    const rest = next ? h("p", { className: "muted" }, "There are more: decide these first.") : "";
    payouts.replaceChildren(table("Payouts", PAYOUT, found.map((one) => payout(one, decide))), rest);
  }
  const again = h("button", { type: "button", onclick: () => check().catch(told) }, "Read it again");
  place.append(
    h("h1", {}, "Money"),
    h("h2", {}, "Payouts to decide"),
    payouts,
    h("h2", {}, "What must read zero"),
    checks,
    h("p", {}, again),
    h("h2", {}, "Purchases"),
    purchases.place,
  );
  await Promise.all([decide(), check("?latest=true"), purchases.read()]);
}

const user = (id) => h("a", { href: `#/people/${id}` }, String(id));

const PAYOUT = ["No.", "User", "Coins", "Owed", "Amount", "To", "Asked", "Approved by", "Act"];

const payout = (one, done) => [
  String(one.id),
  user(one.user_id),
  String(one.coins),
  String(one.owed),
  `${one.amount} ${one.currency}`,
  `${one.method} ${one.destination}`,
  moment(one.created_at),
  one.approved_by,
  h(
    "span",
    { className: "acts" },
    asking("Paid", () => ({ ...paying(one), done })),
    asking("Reject", () => ({ ...rejecting(one), done })),
  ),
];

const note = (label) => ({ label, input: { maxLength: 500 }, says: (value) => ({ note: value }) });

const paying = (one) => ({
  question: `Was payout ${one.id} sent?`,
  consequence: `${one.amount} ${one.currency} to ${one.destination}. Nothing is sent from here: say so once the bank has it. Much money needs a second operator.`,
  yes: "It is paid",
  said: "It is noted.",
  path: `/payouts/${one.id}/pay`,
  fields: [note("The bank's reference")],
});

const rejecting = (one) => ({
  question: `Reject payout ${one.id}?`,
  consequence: `User ${one.user_id} has the ${one.coins} coins back, and may ask again.`,
  yes: "Reject it",
  said: "It is rejected.",
  path: `/payouts/${one.id}/reject`,
  fields: [note("Why not, for the user")],
});

const BOUGHT = ["No.", "User", "Coins", "Price", "Store", "State", "When", "Act"];

const bought = {
  caption: "Purchases",
  headings: BOUGHT,
  of: (page) => page.purchases,
  row: (one, done) => [
    String(one.id),
    user(one.user_id),
    one.coins === left(one) ? String(one.coins) : `${one.coins} (${one.refunded_coins} refunded)`,
    `${one.price} ${one.currency}`,
    [one.store, one.environment].filter(Boolean).join(" "),
    one.status,
    moment(one.created_at),
    one.status === "refunded" ? "" : asking("Refund", () => ({ ...refunding(one), done })),
  ],
};

const left = (one) => one.coins - one.refunded_coins;

const refunding = (one) => ({
  question: `Refund purchase ${one.id}?`,
  consequence: `The ${left(one)} coins are taken from user ${one.user_id}; what is spent of them is owed. The money itself goes back in the store's console.`,
  yes: "Refund it",
  said: "Its coins are taken back.",
  path: `/purchases/${one.id}/refund`,
});
