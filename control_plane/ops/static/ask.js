// Asking before something is done: what will happen, and why it should.

import { newKey, write } from "./api.js";
import { $, h } from "./page.js";

let act = null; // what "yes" does, while it is asked
let stale = () => {}; // what is shown could not be read again

/**
 * `question`, `consequence` (what will happen, in words), `yes` (the button); `path`,
 * `method`, `body`; `done(answer)`, `said` (when it is done).
 * `fields`: what may be chosen, each with a `label`, `options` ([[words, value]]) and the
 * one that is `chosen`, or an `input`'s properties; `says(value)`: its part of the body.
 */
function ask(wanted) {
  $("question").textContent = wanted.question;
  $("consequence").textContent = wanted.consequence;
  $("yes").textContent = wanted.yes;
  $("reason").value = "";
  $("trouble").textContent = "";
  const inputs = (wanted.fields ?? []).map((one, at) => field(one, `field-${at}`));
  $("fields").replaceChildren(...inputs.flatMap((one) => [h("label", { htmlFor: one.id }, one.dataset.label), one]));
  const keys = new Map(); // what is sent again counts once
  act = () => carryOut(wanted, inputs, keys);
  $("yes").disabled = false;
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

/** Whoever did not wait for it, and asks something else by now, is told all the same. */
async function carryOut(wanted, inputs, keys) {
  const asked = act;
  const body = { reason: $("reason").value, ...wanted.body };
  inputs.forEach((one, at) => Object.assign(body, wanted.fields[at].says(one.value)));
  const said = JSON.stringify(body);
  if (!keys.has(said)) keys.set(said, newKey());
  $("yes").disabled = true;
  try {
    const answer = await write(wanted.method ?? "POST", wanted.path, body, keys.get(said));
    if (act === asked) $("dialog").close();
    say(wanted.said ?? "Done.");
    wanted.done?.(answer)?.catch(stale);
  } catch (error) {
    if (act === asked) $("trouble").textContent = error.message;
    else say(`${wanted.question} ${error.message}`);
  } finally {
    if (act === asked) $("yes").disabled = false;
  }
}

let timer = 0;

export function say(words) {
  $("said").textContent = words;
  $("said").hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => ($("said").hidden = true), 6000);
}

/** A button that asks what `wanted()` says when it is pressed. */
export const asking = (label, wanted) =>
  h("button", { type: "button", onclick: () => ask(wanted()) }, label);

/** `again`: draws the page anew. */
export function prepare(again) {
  stale = again;
  $("no").addEventListener("click", () => $("dialog").close());
  $("dialog").addEventListener("close", () => {
    if (!$("dialog").open) act = null; // the next one may be asked by then
  });
  $("dialog").addEventListener("submit", (event) => {
    event.preventDefault();
    act?.();
  });
}
