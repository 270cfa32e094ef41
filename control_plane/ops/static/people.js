// Accounts: finding, banning.

import { get } from "./api.js";
import { asking } from "./ask.js";
import { facts, h, older, table } from "./page.js";
import { moment, nameOf } from "./words.js";

const SPANS = [
  ["Until somebody lifts it", 0],
  ["An hour", 1],
  ["A day", 24],
  ["A week", 168],
  ["30 days", 720],
];

export async function people({ place, signal, told }) {
  const words = h("input", { id: "words", type: "search", placeholder: "beginning of a name, id, e-mail, number" });
  const only = h("input", { id: "only", type: "checkbox" });
  const found = older((after) => {
    const asked = new URLSearchParams({ q: words.value.trim(), banned: only.checked, after });
    return get(`/users?${asked}`, signal);
  }, accounts, told);
  const search = () => found.anew().catch(told);
  words.addEventListener("input", () => {
    only.checked = false;
    search();
  });
  only.addEventListener("change", () => {
    words.value = "";
    search();
  });
  const tools = h("p", { className: "tools" }, h("label", { htmlFor: "words" }, "Search"), words);
  tools.append(only, h("label", { htmlFor: "only" }, "Only who is banned"));
  found.place.setAttribute("aria-live", "polite");
  place.append(h("h1", {}, "People"), tools, found.place);
  await found.read();
}

const accounts = {
  caption: "Accounts",
  headings: ["Name", "Called", "State", "Since"],
  of: (page) => page.users,
  row: (one) => [
    h("a", { href: `#/people/${one.id}` }, one.username),
    `${one.first_name} ${one.last_name}`.trim(),
    standing(one),
    moment(one.created_at),
  ],
};

function standing(one) {
  if (one.deleted_at) return "deleted";
  return one.banned_at ? `banned: ${one.ban_reason}` : "";
}

export async function person(on) {
  const { place, id, me, signal } = on;
  const { user, channel, sessions } = await get(`/users/${id}`, signal);
  if (signal.aborted) return;
  const again = () => person(on);
  const wanted = user.banned_at ? unbanned(user) : banned(user.id, user.username);
  const act = asking(user.banned_at ? "Lift the ban" : "Ban", () => ({ ...wanted, done: again }));
  const about = facts([
    ["Id", String(user.id)],
    ["Called", `${user.first_name} ${user.last_name}`.trim()],
    ["Since", moment(user.created_at)],
    ["Banned", user.banned_at ? `${moment(user.banned_at)}: ${user.ban_reason}` : ""],
    ["Deleted", moment(user.deleted_at)],
    ["Channel", channel?.name ?? ""],
  ]);
  const rows = sessions.map((one) => [
    h("a", { href: `#/sessions/${one.id}` }, nameOf(one)),
    one.end_reason ?? one.status,
    moment(one.created_at),
    String(one.peak_viewers),
  ]);
  place.replaceChildren(
    h("p", {}, h("a", { href: "#/people" }, "← People")),
    h("h1", {}, user.username),
    about,
    me.scopes.includes("moderate") ? h("p", { className: "acts" }, act) : "",
    h("h2", {}, "Newest sessions"),
    table("Sessions", ["Session", "State", "Began", "Most viewers"], rows),
  );
}

const until = (hours) => (Number(hours) ? { hours: Number(hours) } : {});

export const banned = (id, name) => ({
  question: `Ban ${name}?`,
  consequence: `${name} is signed out everywhere, what they have live ends at once, and they cannot sign in or broadcast while the ban lasts.`,
  yes: `Ban ${name}`,
  said: `${name} is banned.`,
  fields: [{ label: "For how long", options: SPANS, says: until }],
  path: `/users/${id}/ban`,
});

const unbanned = (user) => ({
  question: `Lift the ban of ${user.username}?`,
  consequence: `${user.username} may sign in and broadcast again at once.`,
  yes: "Lift it",
  said: "The ban is lifted.",
  path: `/users/${user.id}/unban`,
});
