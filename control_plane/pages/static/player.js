// Plays one session and keeps at it. After its publisher stopped or was replaced a
// node answers 401 for good to whoever watched, and hls.js stands still: so each
// failure ends in a new start from a fresh master playlist.

import { admit, Refused } from "./admission.js";
import { CannotPlay, openEngine } from "./engines.js";

const DELAYS = [300, 1000, 1000, 1500, 2000, 3000, 5000]; // ms
const SLOW = 8000; // ms, while the publisher is known to be away
const RUSH = 800; // ms over which all viewers spread when it is back
const PAUSE = 1500; // ms without movement that a viewer notices
const STALLED = 6000; // ms
const FIRST_PICTURE = 15_000; // ms; a node holds the first playlist for 3 s
const EXPIRY_MARGIN = 60; // seconds

const jitter = (milliseconds) => milliseconds * (0.7 + 0.6 * Math.random());

export class Player {
  #video;
  #still;
  #changed;
  #session = null;
  #node = "";
  #ticket = null;
  #engine = null;
  #attempt = 0;
  #failures = 0;
  #timer = 0;
  #slow = false;
  #paused = false; // by the phone, its headphones or full screen
  #moved = { at: 0, position: 0, limit: FIRST_PICTURE };

  /**
   * `changed()` is called when one of these did:
   * `phase` idle, loading, playing, waiting (for the next start), tap (the browser
   * wants a gesture), held (by the viewer), broken (nothing here can play it);
   * `sentence` what the server or we have to say about it; `sandbox`.
   */
  constructor(video, still, changed) {
    this.#video = video;
    this.#still = still;
    this.#changed = changed;
    this.phase = "idle";
    this.sentence = "";
    this.sandbox = false;
    this.silenced = false;
    video.addEventListener("timeupdate", () => this.#onTime());
    // One that reached the end of what there is, or failed, is paused too.
    video.addEventListener("pause", () => (this.#paused = !video.ended && video.error === null));
    video.addEventListener("play", () => (this.#paused = false));
    setInterval(() => this.#watch(), 1000);
  }

  /**
   * The session of a state. `slow`: its publisher is away, so a start is only tried now
   * and then.
   */
  want({ id: session, node, leaving }, slow) {
    const back = this.#slow && !slow;
    const moved = node !== this.#node || this.#isSentOn(leaving);
    this.#slow = slow;
    this.#node = node;
    if (moved) this.#ticket = null;
    if (session !== this.#session) {
      this.#session = session;
      this.#ticket = null;
      if (this.phase !== "held") this.#start();
    } else if (!slow && (moved || (back && !this.#moving()))) {
      this.#failures = 0;
      if (this.phase !== "held") this.#again(RUSH * Math.random());
    }
  }

  /** From an edge that drains: its share of viewers shall go elsewhere. */
  #isSentOn(leaving) {
    return this.#ticket !== null && this.#ticket.lot < leaving?.[this.#ticket.source];
  }

  /** Stops for good; the last picture stays. */
  rest() {
    if (this.#session === null) return;
    this.#session = null;
    this.#close();
    this.#say("idle");
  }

  toggle() {
    if (this.#session === null || this.phase === "broken") return;
    if (this.phase === "held" || this.phase === "tap") return this.#resume();
    if (!this.#video.paused || !this.#engine) return this.#hold();
    this.#engine.toLiveEdge(this.#video);
    this.#run();
  }

  sound(on) {
    this.#video.muted = !on;
    this.silenced = false;
    if (this.phase === "tap") this.#resume();
    this.#changed();
  }

  /** Held: nothing is fetched, and it goes on with what is live then. */
  #hold() {
    this.#close();
    this.#say("held");
  }

  #resume() {
    if (this.phase === "tap" && this.#engine) return this.#run();
    this.#failures = 0;
    this.#start();
  }

  async #start() {
    const attempt = ++this.#attempt;
    clearTimeout(this.#timer);
    if (this.phase !== "waiting") this.#say("loading");
    try {
      const url = await this.#address();
      if (attempt !== this.#attempt) return;
      this.#keepPicture();
      this.#engine?.close();
      this.#engine = null;
      const failed = (why) => attempt === this.#attempt && this.#onFailure(why);
      const engine = await openEngine(this.#video, url, failed);
      if (attempt !== this.#attempt) return engine.close();
      this.#engine = engine;
      this.#moved = { at: Date.now(), position: this.#video.currentTime, limit: FIRST_PICTURE };
      this.#run();
    } catch (error) {
      if (attempt === this.#attempt) this.#onError(error);
    }
  }

  async #address() {
    if (!this.#ticket || this.#ticket.expires_at - EXPIRY_MARGIN < Date.now() / 1000) {
      this.#ticket = await admit(this.#session);
      this.sandbox = this.#ticket.sandbox === true;
    }
    return this.#ticket.playback_url;
  }

  async #run() {
    try {
      await this.#video.play();
    } catch (error) {
      if (error.name !== "NotAllowedError") return;
      if (this.#video.muted) return this.#say("tap");
      this.#video.muted = true;
      this.silenced = true;
      this.#run();
    }
  }

  #onError(error) {
    if (error instanceof CannotPlay) {
      this.sentence = error.message;
      return this.#say("broken");
    }
    if (!(error instanceof Refused)) console.warn("The player could not start:", error);
    this.sentence = error instanceof Refused ? error.message : "";
    this.#onFailure("");
  }

  /** Where there is no answer, or nothing moves though there should, another place may do. */
  #onFailure(why) {
    const delay = DELAYS[Math.min(this.#failures++, DELAYS.length - 1)];
    const often = this.#failures % DELAYS.length === 0;
    const lost = why === "unreachable" && !this.#slow;
    if (why === "denied" || lost || often) this.#ticket = null;
    this.#again(jitter(this.#slow ? SLOW : delay));
  }

  #again(delay) {
    if (this.#isPaused()) return this.#hold();
    this.#close();
    this.#say("waiting");
    this.#timer = setTimeout(() => this.#start(), delay);
  }

  /** It does not begin aloud by itself. */
  #isPaused() {
    return this.phase === "playing" && this.#video.paused && this.#paused;
  }

  #close() {
    ++this.#attempt;
    clearTimeout(this.#timer);
    this.#keepPicture();
    this.#engine?.close();
    this.#engine = null;
  }

  #onTime() {
    const { currentTime } = this.#video;
    if (!this.#engine || currentTime === this.#moved.position) return;
    this.#moved = { at: Date.now(), position: currentTime, limit: STALLED };
    if (this.phase === "playing" || this.#video.readyState < 3) return;
    this.#failures = 0;
    this.sentence = "";
    const uncover = () => (this.#still.hidden = this.#engine !== null);
    if (this.#video.requestVideoFrameCallback) this.#video.requestVideoFrameCallback(uncover);
    else uncover();
    this.#say("playing");
  }

  #moving() {
    return this.#engine !== null && Date.now() - this.#moved.at < 1500;
  }

  #watch() {
    const { at, position, limit } = this.#moved;
    if (!this.#engine || this.phase === "tap" || this.#video.currentTime !== position) return;
    if (this.#isPaused()) return;
    // Browsers begin nothing in a tab that was never looked at.
    if (document.hidden && limit === FIRST_PICTURE) return;
    const still = Date.now() - at;
    if (still > limit) this.#onFailure("unreachable");
    else if (still > PAUSE && this.phase === "playing") this.#say("loading");
  }

  /** Closing an engine blanks the video. */
  #keepPicture() {
    const { videoWidth: width, videoHeight: height, readyState } = this.#video;
    if (!width || readyState < 2) return;
    Object.assign(this.#still, { width, height });
    this.#still.getContext("2d").drawImage(this.#video, 0, 0);
    this.#still.hidden = false;
  }

  #say(phase) {
    this.phase = phase;
    this.#changed();
  }
}
