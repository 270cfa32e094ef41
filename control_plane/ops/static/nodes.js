// Nodes: how each is, and whether it takes new sessions.

import { get } from "./api.js";
import { asking } from "./ask.js";
import { again, h, table } from "./page.js";
import { moment } from "./words.js";

const EVERY = 4000; // ms
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
  place.append(h("h1", {}, "Nodes"), list);
  let drawn = "";
  async function look() {
    const found = await get("/nodes", signal);
    const said = JSON.stringify(found);
    if (said === drawn) return;
    drawn = said;
    const rows = found.nodes.map((node) => row(node, me, look));
    list.replaceChildren(table("Nodes", HEADINGS, rows));
  }
  await again(EVERY, look, { signal, failed });
}

function row(node, me, done) {
  const wanted = node.state === "draining" ? [activating(node)] : [draining(node)];
  if (node.role === "origin" && !node.closed) wanted.push(moving(node));
  const acts = wanted.map((one) => asking(one.yes, { ...one, done }));
  const name = node.sandbox ? `${node.name} (sandbox)` : node.name;
  return [
    name,
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
    me.scopes.includes("admin") ? h("span", { className: "acts" }, acts) : "",
  ];
}

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
