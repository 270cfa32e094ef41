// Asking for the way in: a viewer's token and the address to play from.

import { within } from "./within.js";

const KEPT = "viewer-token";
const PATIENCE = 8000; // ms

/** The server's own sentence, to be shown. */
export class Refused extends Error {}

export async function admit(sessionId) {
  const body = JSON.stringify({ id: sessionId, token: kept() });
  const { code, msg } = await within(PATIENCE, (signal) => ask(body, signal));
  if (code !== 200) throw new Refused(typeof msg === "string" ? msg : "");
  keep(msg.Watch.token);
  return msg.Watch;
}

async function ask(body, signal) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch("/api/watch", { method: "POST", headers, body, signal });
  return response.json();
}

// Sent again at the next visit, so that a reload is not a second viewer.
function kept() {
  try {
    return localStorage.getItem(KEPT) ?? undefined;
  } catch {
    return undefined; // storage is switched off
  }
}

function keep(token) {
  try {
    localStorage.setItem(KEPT, token);
  } catch {
    // Then a reload counts as one more viewer for ten seconds.
  }
}
