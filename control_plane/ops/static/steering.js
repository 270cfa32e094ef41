// What can be done about a session, and about its keys.

import { asking } from "./ask.js";
import { h, table } from "./page.js";
import { banned } from "./people.js";
import { moment, nameOf } from "./words.js";

const POLICIES = [
  ["As the service is set", "default"],
  ["Everybody", "public"],
  ["Everybody, with a token", "token"],
  ["Followers", "followers"],
  ["Who has a ticket", "paid"],
];
const GONE = new Set(["revoked", "superseded", "spent", "closed"]);

const isOpen = (one) => !["ended", "expired"].includes(one.status);

/** `newest()`: the session as it is when one is pressed. */
export function acts(newest, me) {
  if (!me.scopes.includes("moderate")) {
    return [h("span", { className: "muted" }, "Your token has not the scope moderate.")];
  }
  const one = newest();
  const ofOpen = () => [
    asking("End", () => ending(newest())),
    asking("Kick", () => kicking(newest())),
    asking("Who may watch", () => policy(newest())),
    asking("Deny a viewer", () => denying(newest())),
  ];
  return [...(isOpen(one) ? ofOpen() : []), asking("Ban the host", () => banned(one.user_id, one.username))];
}

/** `shown(answer)` tells the new key of one that is rotated. */
export function keys({ session: one, keys: found }, me, shown) {
  const may = me.scopes.includes("keys");
  const rows = found.map((key) => [
    key.key,
    key.name,
    key.state,
    moment(key.last_published_at),
    may && !GONE.has(key.state) ? h("span", { className: "acts" }, onKey(one, key, shown)) : "",
  ]);
  return table("Keys", ["Key", "Name", "State", "Last published", "Act"], rows);
}

function onKey(one, key, shown) {
  const revoke = asking("Revoke", () => revoking(one, key));
  const lasting = key.channel && key.state !== "rotating";
  return lasting ? [asking("Rotate", () => ({ ...rotating(one, key), done: shown })), revoke] : [revoke];
}

const ending = (one) => ({
  question: `End “${nameOf(one)}”?`,
  consequence: `The broadcast of ${one.username} ends for its ${one.viewers} viewers, as if the host had ended it. It cannot go on; the host may begin another.`,
  yes: "End it",
  said: "It is over.",
  path: `/sessions/${one.id}/end`,
});

const kicking = (one) => ({
  question: `Kick “${nameOf(one)}”?`,
  consequence: `The broadcast of ${one.username} ends for its ${one.viewers} viewers, and a channel's encoder is kept out for five minutes.`,
  yes: "Kick it",
  said: "It is kicked.",
  path: `/sessions/${one.id}/kick`,
});

const policy = (one) => ({
  question: `Who may watch “${nameOf(one)}”?`,
  consequence: `Now: ${one.policy}. Whoever watches and may not any more is cut at once.`,
  yes: "Set it",
  said: "It is set.",
  path: `/sessions/${one.id}/policy`,
  fields: [
    { label: "Who may watch", options: POLICIES, chosen: one.policy, says: (value) => ({ policy: value }) },
    {
      label: "Coins for a ticket, where one is needed",
      input: { type: "number", min: 0, value: 0 },
      says: (value) => ({ ticket_price: Number(value) }),
    },
  ],
});

const denying = (one) => ({
  question: `Deny somebody “${nameOf(one)}”?`,
  consequence: "They are cut if they watch, and not let into this broadcast again. What they may elsewhere stays.",
  yes: "Deny",
  said: "They may not watch it any more.",
  path: `/sessions/${one.id}/deny`,
  fields: [
    {
      label: "Id of the account",
      input: { type: "number", min: 1, required: true },
      says: (value) => ({ user_id: Number(value) }),
    },
  ],
});

const revoking = (one, key) => ({
  question: `Revoke ${key.key}?`,
  consequence: `It opens nothing any more. If ${one.username}'s encoder uses it, it is cut now.`,
  yes: "Revoke it",
  said: "It is revoked.",
  path: `/keys/${key.id}/revoke`,
});

const rotating = (one, key) => ({
  question: `Rotate ${key.key}?`,
  consequence: `The channel ${key.channel} gets another key, which is shown this once. ${one.username} has to enter it in the encoder.`,
  yes: "Rotate it",
  said: "It is rotated.",
  path: `/keys/${key.id}/rotate`,
  fields: [
    {
      label: "The old one",
      options: [
        ["opens for another hour", ""],
        ["opens nothing from now on, and cuts who uses it", "1"],
      ],
      says: (value) => ({ at_once: value === "1" }),
    },
  ],
});
