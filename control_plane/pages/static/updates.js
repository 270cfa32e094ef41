// Follows an event stream. By fetch, because EventSource cannot tell a 404 from an
// outage, gives up for ever after either, and does not notice a line that went dead.

const SILENCE = 40_000; // ms; the server says something every 15 s
const WAITS = [1000, 2000, 4000, 8000]; // ms

export class Updates {
  #url;
  #heard;
  #stop = new AbortController();
  #line = null;
  #lastWord = 0;
  #hurry = () => {};
  #failures = 0;
  #place = ""; // of the last event, from which the next line goes on

  /**
   * `state(value)` for each state, `gift(value)` for each gift, `unknown()` for a
   * 404, which is final, `connected(bool)` as the line comes and goes.
   * Server time minus ours is in `skew` (ms).
   */
  constructor(url, heard) {
    this.#url = url;
    this.#heard = heard;
    this.skew = 0;
  }

  start() {
    const wake = () => document.hidden || this.#wake();
    const { signal } = this.#stop;
    document.addEventListener("visibilitychange", wake, { signal });
    window.addEventListener("online", wake, { signal });
    this.#run();
  }

  stop() {
    this.#stop.abort();
    this.#line?.abort();
    this.#hurry();
  }

  async #run() {
    while (!this.#stop.signal.aborted) {
      const status = await this.#listen();
      if (this.#stop.signal.aborted) return;
      if (status === 404) return this.#heard.unknown?.();
      this.#heard.connected?.(false);
      await this.#pause(WAITS[Math.min(this.#failures++, WAITS.length - 1)]);
    }
  }

  async #listen() {
    this.#line = new AbortController();
    const watchdog = setInterval(() => this.#abortIfDead(SILENCE), 5000);
    this.#lastWord = Date.now();
    try {
      const response = await fetch(this.#url, {
        headers: {
          Accept: "text/event-stream",
          ...(this.#place && { "Last-Event-ID": this.#place }),
        },
        cache: "no-store",
        signal: this.#line.signal,
      });
      if (response.ok) await this.#read(response);
      return response.status;
    } catch {
      return 0;
    } finally {
      clearInterval(watchdog);
    }
  }

  async #read(response) {
    const sent = Date.parse(response.headers.get("Date"));
    if (sent) this.skew = sent + 500 - Date.now();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#lastWord = Date.now();
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      blocks.forEach((block) => this.#take(block));
    }
  }

  #take(block) {
    const { id, event, data } = fields(block);
    if (id) this.#place = id;
    if (data === undefined) return;
    this.#failures = 0;
    this.#heard.connected?.(true);
    if (event) this.#heard[event]?.(JSON.parse(data));
    else this.#heard.state(JSON.parse(data));
  }

  #wake() {
    this.#abortIfDead(20_000);
    this.#hurry();
  }

  #abortIfDead(silence) {
    if (Date.now() - this.#lastWord > silence) this.#line?.abort();
  }

  #pause(milliseconds) {
    const spread = milliseconds * (0.6 + 0.8 * Math.random());
    return new Promise((resolve) => {
      this.#hurry = resolve;
      setTimeout(resolve, spread);
    });
  }
}

function fields(block) {
  const lines = block.split("\n").map((line) => line.split(/: (?<value>.*)/su));
  return Object.fromEntries(lines.map(([name, value]) => [name, value]));
}
