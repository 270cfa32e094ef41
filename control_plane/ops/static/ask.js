// Asking before something is done: what will happen, and why it should.

import { write } from "./api.js";
import { $, h } from "./page.js";

let act = null; // what "yes" does

/**
 * `question`, `consequence` (what will happen, in words), `yes` (the button),
 * `until`: [[label, hours or 0]] where it may be for a time; `path`, `method`, `body`;
 * `done(answer)`.
 */
export function ask(wanted) {
  const dialog = $("dialog");
  $("question").textContent = wanted.question;
  $("consequence").textContent = wanted.consequence;
  $("yes").textContent = wanted.yes;
  $("reason").value = "";
  $("trouble").textContent = "";
  const spans = wanted.until ?? [];
  $("until").replaceChildren(...spans.map(([label, hours]) => h("option", { value: hours }, label)));
  $("until").hidden = $("until-label").hidden = spans.length === 0;
  act = () => carryOut(wanted);
  dialog.showModal();
  $("reason").focus();
}

async function carryOut(wanted) {
  const body = { reason: $("reason").value, ...wanted.body };
  const hours = Number($("until").value);
  if (hours) body.ends_at = new Date(Date.now() + hours * 3_600_000).toISOString();
  $("yes").disabled = true;
  try {
    const answer = await write(wanted.method ?? "POST", wanted.path, body);
    $("dialog").close();
    say(wanted.said ?? "Done.");
    wanted.done?.(answer);
  } catch (error) {
    $("trouble").textContent = error.message;
  } finally {
    $("yes").disabled = false;
  }
}

let timer = 0;

export function say(words) {
  $("said").textContent = words;
  $("said").hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => ($("said").hidden = true), 6000);
}

export function prepare() {
  $("no").addEventListener("click", () => $("dialog").close());
  $("dialog").addEventListener("submit", (event) => {
    event.preventDefault();
    act?.();
  });
}
