// How things are said.

const compact = new Intl.NumberFormat("en", { notation: "compact" });
const two = (number) => String(number).padStart(2, "0");

export const count = (number) => compact.format(number);

export function bits(perSecond) {
  if (!perSecond) return "";
  if (perSecond < 1e6) return `${Math.round(perSecond / 1000)} kbit/s`;
  return `${(perSecond / 1e6).toFixed(1)} Mbit/s`;
}

/** `7:05` or `1:02:03`. */
export function clock(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = two(seconds % 60);
  return hours ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

export const moment = (text) => (text ? new Date(text).toLocaleString() : "");

export const time = (text) => new Date(text).toLocaleTimeString();

export const nameOf = (session) => session.title || `Live with ${session.username}`;

export const age = (session) =>
  clock((session.ended_at ? Date.parse(session.ended_at) : Date.now()) - since(session));

export const since = (session) => Date.parse(session.started_at ?? session.created_at);

export const fps = (ingest) => (ingest?.fps ? `${ingest.fps} fps` : "");

export function codec(ingest) {
  const size = ingest?.width ? `${ingest.width}×${ingest.height}` : "";
  return [ingest?.codec, ingest?.profile, size].filter(Boolean).join(" ");
}

const HEALTH = {
  nothing_arrives: "nothing arrives",
  key_frames: "rare key frames",
  frame_rate: "few frames",
  frames_in_error: "damaged frames",
  codec: "odd codec",
};

export function health(session) {
  if (session.status === "reconnecting") return "encoder away";
  if (session.status === "created") return "no picture yet";
  if (!session.ingest) return "not measured";
  return session.ingest.problems.map((one) => HEALTH[one] ?? one).join(", ") || "good";
}

export const isWell = (session) =>
  session.status === "created" || (session.status === "live" && !session.ingest?.problems.length);

export const dataOf = (data) =>
  Object.entries(data)
    .filter(([, value]) => value !== "" && value !== null)
    .map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(" · ");
