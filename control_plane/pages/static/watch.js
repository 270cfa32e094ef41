// One broadcast: what the server says about it, and what the player makes of it.
//
// A state is null (a channel that was never live) or
// {id, channel_name, username, title, status: created|live|reconnecting|ended|expired,
//  started_at, ended_at, viewers, peak_viewers, reconnecting_until, node, sandbox,
//  leaving: {edge: share of its viewers that shall go elsewhere}}.

import { Controls } from "./controls.js";
import { Gifts } from "./gifts.js";
import { Updates } from "./updates.js";
import { Player } from "./player.js";
import { clock, duration, hue, initial, moment, titleOf, watching } from "./words.js";

const RELOAD_EVERY = 30_000; // ms at least

const name = decodeURIComponent(location.pathname.split("/")[2]);
const isChannel = !/^[0-9]+$/u.test(name);
const $ = (id) => document.getElementById(id);
const video = $("video");

let state; // undefined until the first word
let unknown = false;

const player = new Player(video, $("still"), () => render());
const controls = new Controls($("stage"), video, player);
const gifts = new Gifts($("gifts"));
const updates = new Updates(`/watch/${name}/events`, {
  state(next) {
    state = next;
    steer();
    render();
    if (isOver()) updates.stop();
  },
  gift: (one) => gifts.show(one),
  unknown() {
    unknown = true;
    player.rest();
    render();
  },
  connected(yes) {
    setTimeout(() => ($("away").hidden = updates.isConnected || unknown), yes ? 0 : 2000);
    updates.isConnected = yes;
  },
});

/** Nothing will come any more. */
function isOver() {
  return unknown || (!isChannel && ["ended", "expired"].includes(state?.status));
}

function steer() {
  if (state?.status === "live") player.want(state, false);
  else if (state?.status === "reconnecting") player.want(state, true);
  else player.rest();
}

/** [headline, detail, waits] to be laid over the picture; null while it plays. */
function notice() {
  if (unknown) return ["No such stream", "The address may be mistyped, or it is long gone."];
  if (state === undefined) return ["", "", true];
  if (state === null) return offline();
  if (player.phase === "broken") return ["Cannot play", player.sentence];
  const say = {
    created: () => ["Starting soon", "Stay here: it begins by itself."],
    live: () => live(),
    reconnecting: () => reconnecting(),
    ended: () => ended(),
    expired: () => (isChannel ? offline() : ["Never started", "This broadcast did not begin."]),
  };
  return say[state.status]?.() ?? null;
}

function live() {
  if (["playing", "held", "tap"].includes(player.phase)) return null;
  return [player.sentence || "Connecting…", "", true];
}

function reconnecting() {
  if (["playing", "held", "tap"].includes(player.phase)) return null;
  return ["Reconnecting…", `${state.username} lost the connection. The picture comes back by itself.`, true];
}

function offline() {
  return [`${state?.username ?? name} is offline`, "Stay here: it begins by itself."];
}

function ended() {
  const lasted = moment(state.ended_at) - moment(state.started_at);
  const peak = state.peak_viewers > 0 ? `, with up to ${watching(state.peak_viewers)}` : "";
  const facts = lasted >= 0 ? `It lasted ${duration(lasted)}${peak}. ` : "";
  if (!isChannel) return ["This live has ended", facts];
  return [`${state.username} has ended this live`, `${facts}The next one begins here by itself.`];
}

function render() {
  document.body.dataset.status = unknown ? "unknown" : (state?.status ?? "");
  document.body.dataset.phase = player.phase;
  renderNotice(notice());
  renderBadge();
  renderInfo();
  controls.refresh();
  tick();
}

function renderNotice(said) {
  $("notice").hidden = said === null;
  const [headline, detail, waits] = said ?? ["", "", false];
  put("headline", headline);
  put("detail", detail);
  $("spinner").hidden = !waits;
  $("home").hidden = !isOver();
}

const BADGES = { live: "Live", reconnecting: "Reconnecting", created: "Soon", ended: "Ended" };

function renderBadge() {
  const text = BADGES[state?.status];
  $("badge").hidden = !text;
  put("badge", text ?? "");
  $("badge").className = `badge ${state?.status ?? ""}`;
  const shown = ["live", "reconnecting"].includes(state?.status);
  $("viewers").hidden = !shown;
  if (shown) put("viewers", watching(state.viewers));
}

function renderInfo() {
  $("info").hidden = !state;
  $("sandbox").hidden = !(state?.sandbox || player.sandbox);
  if (!state) return;
  document.title = `${titleOf(state)} · Live`;
  put("title", titleOf(state));
  put("by", state.username);
  put("avatar", initial(state.username));
  $("info").style.setProperty("--hue", hue(state.username));
}

/** What moves with time alone. */
function tick() {
  const now = Date.now() + updates.skew;
  const started = moment(state?.started_at ?? "");
  const running = ["live", "reconnecting"].includes(state?.status) && started;
  put("time", running ? `live for ${clock(now - started)}` : "");
  const left = Date.parse(state?.reconnecting_until ?? "") - now;
  $("countdown").hidden = !(state?.status === "reconnecting" && left > 0);
  put("countdown", $("countdown").hidden ? "" : `waiting ${clock(left + 999)}`);
}

function put(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}

video.addEventListener("resize", () => {
  const { videoWidth, videoHeight } = video;
  if (videoWidth) $("main").style.setProperty("--ratio", videoWidth / videoHeight);
});

// A node that is younger than this page is not in its policy yet.
document.addEventListener("securitypolicyviolation", (event) => {
  const last = Number(sessionStorage.getItem("reloaded") ?? 0);
  const ours = ["connect-src", "media-src"].includes(event.effectiveDirective);
  if (!ours || Date.now() - last < RELOAD_EVERY) return;
  sessionStorage.setItem("reloaded", Date.now());
  location.reload();
});

setInterval(tick, 500);
render();
updates.start();
