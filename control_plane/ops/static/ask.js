// Asking before something is done: what will happen, and why it should.

import { write } from "./api.js";
import { $, h } from "./page.js";

let act = null; // what "yes" does

/**
 * `question`, `consequence` (what will happen, in words), `yes` (the button); `path`,
 * `method`, `body`; `done(answer)`, `said` (when it is done).
 * `fields`: what may be chosen, each with a `label`, `options` ([[words, value]]) and the
 * one that is `chosen`, or an `input`'s properties; `says(value)`: its part of the body.
 */
export function ask(wanted) {
  $("question").textContent = wanted.question;
  $("consequence").textContent = wanted.consequence;
  $("yes").textContent = wanted.yes;
  $("reason").value = "";
  $("trouble").textContent = "";
  const inputs = (wanted.fields ?? []).map((one, at) => field(one, `field-${at}`));
  $("fields").replaceChildren(...inputs.flatMap((one) => [h("label", { htmlFor: one.id }, one.dataset.label), one]));
  act = () => carryOut(wanted, inputs);
  $("dialog").showModal();
  $("reason").focus();
}

function field({ label, options, chosen, input }, id) {
  const found = options
    ? h("select", { id }, options.map(([words, value]) => h("option", { value }, words)))
    : h("input", { id, autocomplete: "off", ...input });
  if (chosen) found.value = chosen;
  found.dataset.label = label;
  return found;
}

async function carryOut(wanted, inputs) {
  const body = { reason: $("reason").value, ...wanted.body };
  inputs.forEach((one, at) => Object.assign(body, wanted.fields[at].says(one.value)));
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

/** A button that asks. */
export const asking = (label, wanted) =>
  h("button", { type: "button", onclick: () => ask(wanted) }, label);

export function prepare() {
  $("no").addEventListener("click", () => $("dialog").close());
  $("dialog").addEventListener("submit", (event) => {
    event.preventDefault();
    act?.();
  });
}
