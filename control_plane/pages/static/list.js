// What is live, kept up to date in place: a card is moved or changed, never redrawn,
// so that nothing flickers and the keyboard's focus stays.

import { Updates } from "./updates.js";
import { count, hue, initial, titleOf, watching } from "./words.js";

const $ = (id) => document.getElementById(id);
const NEW_PICTURE = 20_000; // milliseconds
const cards = new Map(); // session id -> <li>
let listed = null; // until the first word
let updates = null; // while somebody sees it

function render(news) {
  listed = news;
  const { sessions } = news;
  const now = new Set(sessions.map((session) => session.id));
  for (const [id, card] of cards) if (!now.has(id)) remove(id, card);
  arrange(sessions.map((session) => cards.get(session.id) ?? add(session)));
  for (const session of sessions) fill(cards.get(session.id), session);
  $("empty").hidden = sessions.length > 0;
  put($("count"), summary(sessions));
}

/** Who stands on a card that is moved stays on it. */
function arrange(wanted) {
  const stood = document.activeElement;
  wanted.forEach((card, place) => {
    const there = $("grid").children[place];
    if (there !== card) $("grid").insertBefore(card, there ?? null);
  });
  if (stood !== document.activeElement) stood.focus({ preventScroll: true });
}

function summary(sessions) {
  if (sessions.length === 0) return "";
  const viewers = sessions.reduce((sum, session) => sum + session.viewers, 0);
  const streams = sessions.length === 1 ? "1 stream" : `${count(sessions.length)} streams`;
  return `${streams}, ${watching(viewers)}`;
}

function add(session) {
  const card = $("card").content.firstElementChild.cloneNode(true);
  card.dataset.id = session.id;
  cards.set(session.id, card);
  return card;
}

function remove(id, card) {
  cards.delete(id);
  card.remove();
}

function fill(card, session) {
  const part = (selector) => card.querySelector(selector);
  const away = session.status === "reconnecting";
  const link = part("a");
  link.href = `/watch/${encodeURIComponent(session.channel_name || session.id)}`;
  put(part(".title"), titleOf(session));
  put(part(".by"), session.username);
  put(part(".viewers"), count(session.viewers));
  put(part(".badge"), away ? "Reconnecting" : "Live");
  put(part(".initial"), initial(session.username));
  part(".badge").className = `badge ${session.status}`;
  link.setAttribute(
    "aria-label",
    `${titleOf(session)}, ${session.username}, ${watching(session.viewers)}${away ? ", reconnecting" : ""}`,
  );
  card.style.setProperty("--hue", hue(session.username));
  if (session.thumbnail) preview(part(".cover"), session.thumbnail);
  else cover(part(".cover"), session.cover);
}

function cover(place, address) {
  if (place.dataset.address === address) return;
  place.dataset.address = address;
  place.querySelector("img")?.remove();
  if (/^https?:/u.test(address)) place.append(picture(address));
}

// Everybody asks for the same address at the same time, which suits a cache; the
// picture before stays until the new one is there. One that nobody scrolled to yet is
// not there.
function preview(place, address) {
  const now = `${address}?${Math.floor(Date.now() / NEW_PICTURE)}`;
  const before = [...place.querySelectorAll("img")];
  if (place.dataset.address === now || before.some((one) => !one.complete)) return;
  place.dataset.address = now;
  const next = picture(now);
  next.addEventListener("load", () => before.forEach((one) => one.remove()));
  place.append(next);
}

function picture(address) {
  const image = new Image();
  image.alt = "";
  image.loading = "lazy";
  image.referrerPolicy = "no-referrer";
  image.addEventListener("error", () => image.remove());
  image.src = address;
  return image;
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function follow() {
  let connected = true;
  const following = new Updates("/events", {
    state: render,
    connected(yes) {
      connected = yes;
      setTimeout(() => ($("away").hidden = connected), yes ? 0 : 2000);
    },
  });
  following.start();
  return following;
}

// Browsers open six connections to a host: a list that nobody sees gives its own up,
// and one that was opened in a background tab has none yet.
function look() {
  if (document.hidden) {
    updates?.stop();
    updates = null;
  } else updates ??= follow();
}

setInterval(() => document.hidden || (listed && render(listed)), NEW_PICTURE);
document.addEventListener("visibilitychange", look);
look();
