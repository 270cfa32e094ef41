// Who is signed in, and which page is shown.

import { get, passes, write } from "./api.js";
import { prepare, say } from "./ask.js";
import { $, h, once } from "./page.js";
import { PAGES } from "./pages.js";

const SEEN_EVERY = 60_000; // ms
const ASKED_AGAIN = 3000; // ms

let me = null;
let leaving = new AbortController();
let seen = Date.now();

/** Says whether asking again makes sense; until then what is shown may be old. */
function failed(error) {
  const away = error !== null && passes(error);
  $("away").hidden = !away;
  if (away) $("away").textContent = `${error.message} Trying again…`;
  document.body.classList.toggle("old", away);
  if (error === null || away) return true;
  if (error.status === 401) signedOut(error.message);
  else $("main").replaceChildren(h("p", { className: "bad", role: "alert" }, error.message));
  return false;
}

/** Of what somebody asked for once, and may ask for again. */
function told(error) {
  if (error.status === 401) signedOut(error.message);
  else if (error.name !== "AbortError") say(error.message);
}

async function show() {
  if (!me) return;
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
  const ours = (error) => signal.aborted || failed(error);
  const draw = () => {
    place.replaceChildren();
    return page({ place, id, me, signal, failed: ours, told });
  };
  await once(ASKED_AGAIN, draw, { signal, failed: ours });
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
  failed(null);
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
    told(error);
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

function unknown(error) {
  if (error === null || passes(error)) return failed(error);
  signedOut(error.status === 401 ? "" : error.message);
  return false;
}

/** Who is not signed in is asked to; while nobody can tell, it waits. */
async function begin() {
  const { signal } = new AbortController();
  await once(ASKED_AGAIN, async () => signedIn(await get("/me")), { signal, failed: unknown });
}

/** Its address would be no page's. */
function skip(event) {
  event.preventDefault();
  $("main").focus();
}

prepare((error) => error.name !== "AbortError" && show());
$("sign-in").addEventListener("submit", signIn);
$("out").addEventListener("click", signOut);
$("skip").addEventListener("click", skip);
window.addEventListener("hashchange", () => {
  show();
  $("main").focus({ preventScroll: true });
});
for (const event of ["pointerdown", "keydown"]) window.addEventListener(event, somebody);
await begin();
