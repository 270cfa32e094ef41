// One session: its picture, how it went, and what can be done about it.

import { get } from "./api.js";
import { ask } from "./ask.js";
import { chart } from "./chart.js";
import { again, facts, h, table } from "./page.js";
import { banned } from "./people.js";
import { picture } from "./picture.js";
import { age, bits, codec, count, dataOf, fps, health, moment, nameOf, since, time } from "./words.js";

const EVERY = 3000; // ms
const MINUTE = 60; // seconds
const UNTOLD = new Set(["live.heartbeat"]);

export async function session(on) {
  const { place, id, me, signal, failed } = on;
  const view = await frame(id, signal);
  const bitrates = [];
  let cursor = "";
  let drawn = "";
  await again(
    EVERY,
    async () => {
      const told = await get(`/sessions/${id}`, signal);
      if (!place.childElementCount) place.append(...view.parts);
      const said = JSON.stringify([told.session.status, told.keys]);
      if (said !== drawn) acts(view, told, me); // whoever stands on a button stays there
      drawn = said;
      fill(view, told, bitrates);
      cursor = await timeline(view, id, { cursor, signal });
    },
    { signal, failed },
  );
}

async function frame(id, signal) {
  const [viewers, bitrate] = await Promise.all([
    chart("Viewers, the most of each minute", count, signal),
    chart("Bitrate, since this page is open", (value) => bits(value) || "0", signal),
  ]);
  const view = {
    title: h("h1", {}),
    preview: picture(id),
    facts: h("div", {}),
    advice: h("ul", { className: "concerns" }),
    acts: h("p", { className: "acts" }),
    keys: h("div", {}),
    lines: h("ol", { className: "timeline" }),
    viewers,
    bitrate,
  };
  const about = h("div", {}, view.facts, view.advice, view.acts);
  view.parts = [
    h("p", {}, h("a", { href: "#/" }, "← Now")),
    view.title,
    h("div", { className: "session" }, view.preview.place, about),
    h("div", { className: "charts" }, viewers.place, bitrate.place),
    h("h2", {}, "What happened"),
    view.lines,
    h("h2", {}, "Keys"),
    view.keys,
  ];
  return view;
}

function fill(view, told, bitrates) {
  const one = told.session;
  view.title.textContent = nameOf(one);
  const { ingest } = one;
  view.facts.replaceChildren(
    facts([
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
      ["Host", h("a", { href: `#/people/${one.user_id}` }, one.username)],
    ]),
  );
  view.advice.replaceChildren(...(ingest?.advice ?? []).map((words) => h("li", {}, words)));
  view.preview.renew();
  view.viewers.set(minutes(told));
  if (ingest?.bitrate) bitrates.push([Date.now() / 1000, ingest.bitrate]);
  view.bitrate.set(bitrates);
}

/** Those in which nobody watched are not told. */
function minutes({ session: one, attended }) {
  const known = new Map(attended.minutes.map((each) => [Date.parse(each.minute) / 1000, each.viewers_max]));
  const end = (one.ended_at ? Date.parse(one.ended_at) : Date.now()) / 1000;
  const found = [];
  for (let at = Math.floor(since(one) / 1000 / MINUTE) * MINUTE; at <= end; at += MINUTE) {
    found.push([at, known.get(at) ?? 0]);
  }
  if (!one.ended_at) found.push([end, one.viewers]);
  return found;
}

async function timeline(view, id, { cursor, signal }) {
  const after = cursor ? `&after=${encodeURIComponent(cursor)}` : "";
  const page = await get(`/events?subject=session/${id}&limit=1000${after}`, signal);
  for (const event of page.events) {
    if (UNTOLD.has(event.type)) continue;
    const when = h("time", { dateTime: event.timestamp }, time(event.timestamp));
    view.lines.append(h("li", {}, when, h("b", {}, event.type), ` ${dataOf(event.data)}`));
  }
  return page.next;
}

function acts(view, { session: one, keys }, me) {
  const open = !["ended", "expired"].includes(one.status);
  const may = me.scopes.includes("moderate");
  view.acts.replaceChildren(
    h("a", { href: watchPage(one), target: "_blank", rel: "noreferrer" }, "Open the player"),
    ...(may && open ? [act("End", ending(one)), act("Kick", kicking(one))] : []),
    ...(may ? [act("Ban the host", banned(one.user_id, one.username))] : []),
    may ? "" : h("span", { className: "muted" }, "Your token has not the scope moderate."),
  );
  const rows = keys.map((key) => [key.key, key.name, key.state, moment(key.last_published_at)]);
  view.keys.replaceChildren(table("Keys", ["Key", "Name", "State", "Last published"], rows));
}

const act = (label, wanted) =>
  h("button", { type: "button", onclick: () => ask(wanted) }, label);

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

function watchPage(one) {
  const at = document.querySelector("meta[name=viewers]").content;
  const base = /^\d+$/u.test(at) ? `http://${location.hostname}:${at}` : at;
  return `${base}/watch/${one.id}`;
}
