// What is live, and what needs somebody first.

import { get } from "./api.js";
import { $, again, arrange, h, put } from "./page.js";
import { picture } from "./picture.js";
import { age, bits, codec, count, fps, health, isWell, nameOf, since } from "./words.js";

const EVERY = 2000; // ms
const SHOWN = 100; // rows; a search finds the others

const CONCERNS = 20; // lines
const FACTS = ["viewers", "bitrate", "frames", "codec", "age", "node", "health"];

const SORTS = {
  attention: ["Attention first", (a, b) => isWell(a) - isWell(b) || b.viewers - a.viewers],
  viewers: ["Most viewers", (a, b) => b.viewers - a.viewers],
  newest: ["Newest", (a, b) => b.id - a.id],
  oldest: ["Oldest", (a, b) => since(a) - since(b)],
  bitrate: ["Highest bitrate", (a, b) => (b.ingest?.bitrate ?? 0) - (a.ingest?.bitrate ?? 0)],
};
const SHOWS = {
  all: ["All", () => true],
  attention: ["Needs attention", (one) => !isWell(one)],
  live: ["Live", (one) => one.status === "live"],
  reconnecting: ["Reconnecting", (one) => one.status === "reconnecting"],
  created: ["No picture yet", (one) => one.status === "created"],
};

export async function now({ place, signal, failed }) {
  const rows = new Map();
  let told = null;
  const draw = () => told && render(told, rows);
  place.append(...frame(draw));
  await again(
    EVERY,
    async () => {
      told = await get("/now", signal);
      draw();
    },
    { signal, failed },
  );
}

function frame(draw) {
  const choose = (id, label, options) =>
    h("label", {}, `${label} `, h("select", { id, onchange: draw }, choices(options)));
  return [
    h("h1", {}, "Now"),
    h("ul", { id: "totals", className: "totals", "aria-label": "Totals" }),
    h("section", { id: "attention", "aria-labelledby": "attention-title" }),
    h(
      "p",
      { className: "tools" },
      h("label", { htmlFor: "search" }, "Search"),
      h("input", { id: "search", type: "search", placeholder: "name, title, node, id", oninput: draw }),
      choose("show", "Show", SHOWS),
      choose("sort", "Sort", SORTS),
    ),
    h("ul", { id: "rows", className: "rows", "aria-label": "Sessions" }),
    h("p", { id: "more", className: "muted" }),
  ];
}

const choices = (options) =>
  Object.entries(options).map(([value, [label]]) => h("option", { value }, label));

function render(told, rows) {
  totals(told.totals);
  attention(told.attention);
  const words = $("search").value.trim().toLowerCase();
  const [, wanted] = SHOWS[$("show").value];
  const [, order] = SORTS[$("sort").value];
  const found = told.sessions.filter((one) => wanted(one) && (!words || has(one, words)));
  const shown = found.toSorted(order).slice(0, SHOWN);
  show(shown, rows);
  const hidden = found.length - shown.length;
  const none = found.length > 0 ? "" : "Nothing is live here.";
  put($("more"), hidden > 0 ? `${hidden} more: search, or show less.` : none);
}

const has = (one, words) =>
  [one.username, one.title, one.node, String(one.id), one.path].some((text) => text.toLowerCase().includes(words));

function totals(of) {
  const said = [
    ["live", count(of.live)],
    [of.viewers === 1 ? "viewer" : "viewers", count(of.viewers)],
    ["reconnecting", count(of.reconnecting)],
    ["open", count(of.sessions)],
    ["coming in", bits(of.bitrate) || "0"],
    [of.nodes === 1 ? "node" : "nodes", count(of.nodes)],
  ];
  const items = said.map(([label, value]) => h("li", {}, h("b", {}, value), ` ${label}`));
  $("totals").replaceChildren(...items);
}

function attention(concerns) {
  const place = $("attention");
  const said = JSON.stringify(concerns);
  if (place.dataset.said === said) return; // whoever stands on a link stays there
  place.dataset.said = said;
  const lines = concerns.slice(0, CONCERNS).map((one) => concern(one));
  const rest = concerns.length - lines.length;
  const title = lines.length > 0 ? "Needs attention" : "Nothing needs attention";
  place.replaceChildren(
    h("h2", { id: "attention-title" }, title),
    h("ul", { className: "concerns" }, lines),
    h("p", { className: "muted" }, rest > 0 ? `And ${rest} more.` : ""),
  );
}

const PLACES = {
  node: () => "#/nodes",
  webhook: () => "#/webhooks",
  session: (one) => `#/sessions/${one.id}`,
};

function concern(one) {
  const href = PLACES[one.about]?.(one);
  const words = href ? h("a", { href }, one.words) : h("span", {}, one.words);
  const help = { href: one.runbook, target: "_blank", rel: "noopener", ariaLabel: `What to do: ${one.words}` };
  return h("li", {}, words, " ", h("a", help, "What to do"));
}

function show(shown, rows) {
  const ids = new Set(shown.map((one) => one.id));
  for (const id of rows.keys()) if (!ids.has(id)) rows.delete(id);
  for (const one of shown) {
    if (!rows.has(one.id)) rows.set(one.id, made(one));
    rows.get(one.id).fill(one);
  }
  arrange($("rows"), shown.map((one) => rows.get(one.id).item));
}

const said = (one) => [
  count(one.viewers),
  bits(one.ingest?.bitrate),
  fps(one.ingest),
  codec(one.ingest),
  age(one),
  one.node,
  health(one),
];

function made(session) {
  const preview = picture(session.id);
  const parts = FACTS.map((label) => h("span", { className: "fact", "data-label": label }));
  const title = h("a", { className: "name", href: `#/sessions/${session.id}` });
  const by = h("span", { className: "muted" });
  const about = h("span", { className: "about" }, title, by);
  const item = h("li", {}, preview.place, about, parts);
  function fill(one) {
    put(title, nameOf(one));
    put(by, `${one.username} · ${one.status}`);
    said(one).forEach((value, at) => put(parts[at], value));
    item.classList.toggle("ill", !isWell(one));
    // The last one stays, also for who comes when the encoder is away.
    if (one.status === "live" || !preview.place.hasChildNodes()) preview.renew();
  }
  return { item, fill };
}
