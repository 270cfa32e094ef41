// For so long and no longer. AbortSignal.timeout and .any are younger than some phones
// that play.

/** What `work(signal)` gives; its signal ends after `milliseconds`, or with `outer`. */
export async function within(milliseconds, work, outer) {
  const limit = new AbortController();
  const end = () => limit.abort();
  const timer = setTimeout(end, milliseconds);
  outer?.addEventListener("abort", end);
  if (outer?.aborted) end();
  try {
    return await work(limit.signal);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener("abort", end);
  }
}
