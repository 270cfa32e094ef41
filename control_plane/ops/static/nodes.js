// Nodes: how each is, and whether it takes new sessions.

import { get } from "./api.js";
import { asking } from "./ask.js";
import { again, h, put, row, staying, table } from "./page.js";
import { moment } from "./words.js";

const EVERY = 4000; // ms
const MOST = 500; // of them
const HEADINGS = [
  "Node",
  "Role",
  "Region",
  "State",
  "Sessions",
  "Live",
  "Viewers",
  "Reading",
  "Encoders",
  "Readers",
  "Mbit/s",
  "Silent since",
  "Act",
];

export async function nodes({ place, me, signal, failed }) {
  const list = h("div", {});
  const rows = new Map(); // by name
  let drawn = "";
  place.append(h("h1", {}, "Nodes"), list);
  async function look() {
    const { nodes: found } = await get(`/nodes?limit=${MOST}`, signal);
    for (const node of found) {
      if (!rows.has(node.name)) rows.set(node.name, made(me, look));
      rows.get(node.name).fill(node);
    }
    const names = JSON.stringify(found.map((node) => node.name));
    if (names !== drawn) draw(found.map((node) => rows.get(node.name).item));
    drawn = names;
  }
  const draw = (items) => staying(() => list.replaceChildren(table("Nodes", HEADINGS, items)));
  await again(EVERY, look, { signal, failed });
}

/** A row that stays the same while what it says changes. */
function made(me, done) {
  const item = row(HEADINGS, HEADINGS.map(() => ""));
  const acts = h("span", { className: "acts" });
  if (me.scopes.includes("admin")) item.lastChild.append(acts);
  let node = null;
  let offered = "";
  const button = (act) => asking(act(node).yes, () => ({ ...act(node), done }));
  function fill(found) {
    node = found;
    said(node).forEach((text, at) => put(item.children[at], text));
    const offers = offer(node);
    const names = offers.map((act) => act(node).yes).join();
    if (names !== offered) acts.replaceChildren(...offers.map((act) => button(act)));
    offered = names;
  }
  return { item, fill };
}

const offer = (node) => [
  node.state === "draining" ? activating : draining,
  ...(node.role === "origin" && !node.closed ? [moving] : []),
];

const said = (node) => [
  node.sandbox ? `${node.name} (sandbox)` : node.name,
  node.role,
  node.region,
  state(node),
  String(node.sessions),
  String(node.live),
  String(node.viewers),
  String(node.readers),
  free(node.room.publishers, node.capacity.publishers),
  free(node.room.readers, node.capacity.readers),
  free(millions(node.room.bits), millions(node.capacity.bits)),
  moment(node.silent_since),
];

const millions = (bits) => (bits === null ? null : Math.round(bits / 1e6));

const free = (room, most) => (most === null ? "" : `${room} of ${most} free`);

function state(node) {
  if (node.closed) return "closed";
  return node.let_go ? `${node.state}, ${Math.round(100 * node.let_go)} % sent on` : node.state;
}

const path = (node, act) => `/nodes/${encodeURIComponent(node.name)}/${act}`;

const draining = (node) => ({
  question: `Drain ${node.name}?`,
  consequence:
    node.role === "origin"
      ? `No new session goes to ${node.name}. The ${node.sessions} that are open there stay until they end.`
      : `No new viewer goes to ${node.name}. The ${node.readers} who read there are sent to others, a group at a time, as far as those have room.`,
  yes: "Drain",
  said: `${node.name} drains.`,
  path: path(node, "drain"),
});

const moving = (node) => ({
  question: `Move what runs on ${node.name}?`,
  consequence: `The ${node.live} encoders there are cut now and kept out, and ${node.viewers} viewers see a pause. Each of the ${node.sessions} sessions goes on at another origin as soon as its app asks where; one whose app does not ask within its reconnect time ends.`,
  yes: "Move all now",
  said: `${node.name} is closed to encoders.`,
  path: path(node, "drain"),
  body: { now: true },
});

const activating = (node) => ({
  question: `Activate ${node.name}?`,
  consequence: `New sessions go to ${node.name} again.`,
  yes: "Activate",
  said: `${node.name} takes new sessions.`,
  path: path(node, "activate"),
});
