// How a session went, as points over time: [seconds, value].

import { since } from "./words.js";

const MINUTE = 60; // seconds

const seconds = (text) => Date.parse(text) / 1000;

/** Those minutes in which nobody watched are not told. */
export function viewers({ session: one, attended }) {
  const known = new Map(attended.minutes.map((each) => [seconds(each.minute), each.viewers_max]));
  const end = (one.ended_at ? Date.parse(one.ended_at) : Date.now()) / 1000;
  const found = [];
  for (let at = Math.floor(since(one) / 1000 / MINUTE) * MINUTE; at <= end; at += MINUTE) {
    found.push([at, known.get(at) ?? 0]);
  }
  if (!one.ended_at) found.push([end, one.viewers]);
  return found;
}

/** By the minute, then as `seen` since the page is open. */
export function bitrates({ intake }, seen) {
  const from = seen[0]?.[0] ?? Infinity;
  const before = intake.map((one) => [seconds(one.minute), one.bitrate]);
  return [...broken(before.filter(([at]) => at < from)), ...seen];
}

/** Nodes count from when the encoder came, and those before v1.17.0 do not. */
export function losses({ intake }) {
  let before = 0;
  const found = [];
  for (const { minute, frames_in_error: count } of intake) {
    if (count === null) continue;
    found.push([seconds(minute), count >= before ? count - before : count]);
    before = count;
  }
  return broken(found);
}

/** A minute that nobody measured is a gap. */
function broken(points) {
  return points.flatMap(([at, value], index) => {
    const gap = index > 0 && at - points[index - 1][0] > MINUTE;
    return gap ? [[at - MINUTE, null], [at, value]] : [[at, value]];
  });
}
