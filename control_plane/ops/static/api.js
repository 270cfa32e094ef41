// Asking /v1. The cookie says who we are; what writes has a key of its own, so that it
// counts once when the answer was lost and it is sent again.

export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/** Not refused: nobody answered. */
export class Lost extends Error {}

export const get = (path, signal) => ask("GET", path, { signal });

export async function write(method, path, body) {
  const headers = { "Idempotency-Key": random() };
  if (body) headers["Content-Type"] = "application/json";
  const said = { headers, body: body && JSON.stringify(body) };
  try {
    return await ask(method, path, said);
  } catch (error) {
    if (error instanceof Lost) return ask(method, path, said);
    throw error;
  }
}

async function ask(method, path, more) {
  let response;
  try {
    response = await fetch(`/v1${path}`, { method, ...more });
  } catch (error) {
    throw new Lost("The service does not answer.", { cause: error });
  }
  if (response.status === 204) return null;
  const said = await read(response);
  if (!response.ok) throw new Refused(response.status, said?.detail ?? "It failed.");
  return said;
}

async function read(response) {
  try {
    return await response.json();
  } catch (error) {
    if (response.ok) throw new Lost("The answer broke off.", { cause: error });
    return null;
  }
}

/** Where pages are not encrypted there is no crypto.randomUUID. */
function random() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
}
