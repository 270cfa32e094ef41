// Who is signed in, and which page is shown.

import { get, Lost, Refused, write } from "./api.js";
import { prepare } from "./ask.js";
import { $, h } from "./page.js";
import { PAGES } from "./pages.js";

const SEEN_EVERY = 60_000; // ms

let me = null;
let leaving = new AbortController();
let seen = Date.now();

/** Says whether asking again makes sense. */
function failed(error) {
  $("away").hidden = !(error instanceof Lost);
  if (error === null || error instanceof Lost) return true;
  if (error instanceof Refused && error.status === 401) {
    signedOut(error.message);
    return false;
  }
  if (error instanceof Refused && [429, 503].includes(error.status)) return true;
  $("main").replaceChildren(h("p", { className: "bad", role: "alert" }, error.message));
  return false;
}

async function show() {
  if (!me || location.hash === "#main") return; // which leads to the content
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const found = PAGES.find(([pattern]) => pattern.test(location.hash));
  if (!found) return location.replace("#/");
  const [pattern, title, page] = found;
  document.title = `${title} · Operators`;
  for (const link of $("nav").children) {
    if (link.getAttribute("href") === (location.hash || "#/")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const place = h("div", {});
  $("main").replaceChildren(place);
  const { id } = pattern.exec(location.hash)?.groups ?? {};
  try {
    await page({ place, id, me, signal, failed });
  } catch (error) {
    if (!signal.aborted) failed(error);
  }
}

function signedIn(found) {
  me = found;
  $("sign-in").hidden = true;
  $("bar").hidden = false;
  $("who").textContent = me.name;
  $("who").title = `May: ${me.scopes.join(", ")}`;
  show();
}

function signedOut(words = "") {
  me = null;
  leaving.abort();
  if ($("dialog").open) $("dialog").close();
  $("main").replaceChildren();
  $("bar").hidden = true;
  $("sign-in").hidden = false;
  $("refusal").textContent = words;
  $("token").focus();
}

async function signIn(event) {
  event.preventDefault();
  $("refusal").textContent = "";
  try {
    const found = await write("POST", "/session", { token: $("token").value });
    $("token").value = "";
    signedIn(found);
  } catch (error) {
    $("refusal").textContent = error.message;
  }
}

async function signOut() {
  try {
    await write("DELETE", "/session");
    signedOut();
  } catch (error) {
    failed(error);
  }
}

/** A sign-in without a person ends: so whoever is there says so. */
async function somebody() {
  if (!me || Date.now() - seen < SEEN_EVERY) return;
  seen = Date.now();
  try {
    await write("PATCH", "/session");
  } catch (error) {
    if (error.status === 401) signedOut(error.message);
  }
}

async function begin() {
  try {
    signedIn(await get("/me"));
  } catch (error) {
    signedOut(error instanceof Lost ? error.message : "");
  }
}

prepare();
$("sign-in").addEventListener("submit", signIn);
$("out").addEventListener("click", signOut);
window.addEventListener("hashchange", () => {
  show();
  $("main").focus({ preventScroll: true });
});
for (const event of ["pointerdown", "keydown"]) window.addEventListener(event, somebody);
await begin();
