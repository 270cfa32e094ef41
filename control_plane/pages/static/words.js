// How things are said: counts, times, names.

const compact = new Intl.NumberFormat("en", { notation: "compact" });

export const count = (viewers) => compact.format(viewers);

export const watching = (viewers) => `${count(viewers)} watching`;

/** The server's times have no zone; they are UTC. NaN where there is none. */
export const moment = (text) => Date.parse(`${text.replace(" ", "T")}Z`);

const two = (number) => String(number).padStart(2, "0");

/** `7:05` or `1:02:03`. */
export function clock(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function duration(milliseconds) {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 1) return "less than a minute";
  if (minutes < 60) return minutes === 1 ? "a minute" : `${minutes} minutes`;
  const [h, m] = [Math.floor(minutes / 60), minutes % 60];
  return m ? `${h} h ${m} min` : `${h} h`;
}

export const titleOf = (session) => session.title || `Live with ${session.username}`;

export const initial = (name) => ([...name][0] ?? "?").toUpperCase();

/** The same colour for the same name, everywhere and always. */
export function hue(name) {
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 360;
  return sum;
}
