// One session: its picture, how it went, and what can be done about it.

import { get } from "./api.js";
import { chart } from "./chart.js";
import { again, facts, h, older, put, staying } from "./page.js";
import { picture } from "./picture.js";
import { playing } from "./playing.js";
import { bitrates, losses, viewers } from "./series.js";
import { acts, keys } from "./steering.js";
import { age, bits, codec, count, dataOf, fps, health, moment, nameOf, time } from "./words.js";

const EVERY = 3000; // ms
const UNTOLD = new Set(["live.heartbeat", "gift.sent"]); // which stand elsewhere on the page
const LINES = 500; // of what happened, the newest

export async function session(on) {
  const { place, id, me, signal, failed } = on;
  const view = await frame(on);
  const seen = []; // bitrates
  let told = null;
  let drawn = "";
  await again(
    EVERY,
    async () => {
      told = await get(`/sessions/${id}`, signal);
      if (!place.childElementCount) await open(view, on);
      const said = JSON.stringify([told.session.status, told.session.policy, told.keys]);
      if (said !== drawn) steer(view, () => told, me); // whoever stands on a button stays there
      drawn = said;
      fill(view, told, seen);
      await timeline(view, id, signal);
    },
    { signal, failed },
  );
}

async function frame({ id, signal, told }) {
  const charts = await Promise.all([
    chart("Viewers, the most of each minute", count, signal),
    chart("Bitrate, by the minute", (value) => bits(value) || "0", signal),
    chart("Frames damaged or lost, by the minute", count, signal),
  ]);
  const preview = picture(id);
  const view = {
    title: h("h1", {}),
    preview,
    screen: playing(id, preview.place, signal),
    facts: h("div", {}),
    host: h("a", {}),
    advice: h("ul", { className: "concerns" }),
    acts: h("p", { className: "acts" }),
    keys: h("div", {}),
    made: h("div", { role: "status" }),
    gifts: older((after) => get(`/gifts?session_id=${id}&after=${after}`, signal), GIFTS, told),
    lines: h("ol", { className: "timeline" }),
    read: "", // so far, of what happened
    charts,
  };
  const about = h("div", {}, view.facts, view.advice, view.acts);
  view.parts = [
    h("p", {}, h("a", { href: "#/" }, "← Now")),
    view.title,
    h("div", { className: "session" }, view.screen.place, about),
    h("div", { className: "charts" }, charts.map((one) => one.place)),
    h("h2", {}, "Keys"),
    view.made,
    view.keys,
    h("h2", {}, "What happened"),
    view.lines,
  ];
  return view;
}

async function open(view, { place, me }) {
  place.append(...view.parts);
  if (!me.scopes.includes("money")) return;
  place.append(h("h2", {}, "Gifts"), view.gifts.place);
  await view.gifts.read();
}

function fill(view, told, seen) {
  const one = told.session;
  put(view.title, nameOf(one));
  put(view.host, one.username);
  view.host.href = `#/people/${one.user_id}`;
  const { ingest } = one;
  const said = facts([
    ["State", one.end_reason ? `${one.status}: ${one.end_reason}` : one.status],
    ["Health", one.status === "ended" ? "" : health(one)],
    ["Viewers", `${one.viewers} (at most ${one.peak_viewers}, ${told.attended.unique_viewers} different)`],
    ["Bitrate", bits(ingest?.bitrate)],
    ["Picture", [codec(ingest), fps(ingest)].filter(Boolean).join(", ")],
    ["Lasted", one.started_at ? age(one) : ""],
    ["Began", moment(one.started_at ?? one.created_at)],
    ["Node", one.node],
    ["Path", one.path],
    ["Comes by", one.publisher ?? ""],
    ["Who may watch", one.policy],
    ["Host", view.host],
  ]);
  staying(() => view.facts.replaceChildren(said));
  view.advice.replaceChildren(...(ingest?.advice ?? []).map((words) => h("li", {}, words)));
  view.preview.renew();
  view.screen.steer(one.status);
  if (ingest?.bitrate) seen.push([Date.now() / 1000, ingest.bitrate]);
  [viewers(told), bitrates(told, seen), losses(told)].forEach((points, at) => view.charts[at].set(points));
}

async function timeline(view, id, signal) {
  const after = view.read ? `&after=${encodeURIComponent(view.read)}` : "";
  const page = await get(`/events?subject=session/${id}&limit=1000${after}`, signal);
  view.read = page.next;
  const told = page.events.filter((event) => !UNTOLD.has(event.type)).map((event) => line(event));
  view.lines.append(...told.slice(-LINES));
  while (view.lines.childElementCount > LINES) view.lines.firstChild.remove();
  if (page.more) await timeline(view, id, signal);
}

function line(event) {
  const when = h("time", { dateTime: event.timestamp }, time(event.timestamp));
  return h("li", {}, when, h("b", {}, event.type), ` ${dataOf(event.data)}`);
}

function steer(view, newest, me) {
  const told = newest();
  view.acts.replaceChildren(
    h("a", { href: watchPage(told.session), target: "_blank", rel: "noreferrer" }, "Open the page"),
    ...acts(() => newest().session, me),
  );
  view.keys.replaceChildren(keys(told, me, (made) => shown(view, made)));
}

/** A new key, this once. */
const shown = (view, { channel, key }) =>
  view.made.replaceChildren(h("p", { className: "box" }, `The new key of ${channel}, shown this once: `, h("code", {}, key)));

const GIFTS = {
  caption: "Gifts",
  headings: ["When", "Gift", "Pieces", "Coins", "From"],
  of: (page) => page.gifts,
  row: (one) => [
    moment(one.created_at),
    one.gift,
    String(one.count),
    String(one.coins),
    h("a", { href: `#/people/${one.sender_id}` }, String(one.sender_id)),
  ],
};

function watchPage(one) {
  const at = document.querySelector("meta[name=viewers]").content;
  const base = /^\d+$/u.test(at) ? `http://${location.hostname}:${at}` : at;
  return `${base}/watch/${one.id}`;
}
