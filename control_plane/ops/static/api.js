// Asking /v1. The cookie says who we are; what writes has a key of its own, so that it
// counts once when the answer was lost and it is sent again.

import { within } from "./within.js";

const READ = 10_000; // ms for an answer
const WRITTEN = 60_000; // ms; a node that says nothing is waited for

export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/** Not refused: nobody answered. */
export class Lost extends Error {}

/** Whether it may go well a moment later. */
export const passes = (error) =>
  error instanceof Lost || (error instanceof Refused && (error.status === 429 || error.status >= 500));

/** Raises what `fetch` does where `signal` says that nobody waits any more. */
export const get = (path, signal, limit = READ) => ask("GET", path, {}, { signal, limit });

/** `key`: of what was asked for before, if that is asked for again. */
export async function write(method, path, body, key = newKey()) {
  const headers = { "Idempotency-Key": key };
  if (body) headers["Content-Type"] = "application/json";
  const said = { headers, body: body && JSON.stringify(body) };
  try {
    return await ask(method, path, said, { limit: WRITTEN });
  } catch (error) {
    if (error instanceof Lost) return ask(method, path, said, { limit: WRITTEN });
    throw error;
  }
}

async function ask(method, path, said, { signal, limit }) {
  try {
    return await within(limit, (until) => answer(`/v1${path}`, { method, ...said, signal: until }), signal);
  } catch (error) {
    if (error instanceof Refused || signal?.aborted) throw error;
    throw new Lost("The service does not answer.", { cause: error });
  }
}

async function answer(url, request) {
  const response = await fetch(url, request);
  if (response.status === 204) return null;
  if (response.ok) return response.json();
  throw new Refused(response.status, await detail(response));
}

async function detail(response) {
  try {
    return (await response.json()).detail;
  } catch {
    return `The service fails (${response.status}).`; // whoever stands before it says so
  }
}

/** Where pages are not encrypted there is no crypto.randomUUID. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
}
