// Play, sound and full screen: by button, key and tap.

const IDLE = 2500; // ms until the controls fade
const SEEN = 0.5; // of their opacity

export class Controls {
  #stage;
  #video;
  #player;
  #idle = 0;
  #unseen = false; // where the finger came down
  #button = (id) => document.getElementById(id);

  constructor(stage, video, player) {
    this.#stage = stage;
    this.#video = video;
    this.#player = player;
    this.#on("play", () => player.toggle());
    this.#on("tap", () => player.toggle());
    this.#on("sound", () => player.sound(true));
    this.#on("mute", () => player.sound(video.muted));
    this.#on("full", () => this.#fullScreen());
    for (const event of ["volumechange", "play", "pause"]) {
      video.addEventListener(event, () => this.refresh());
    }
    document.addEventListener("keydown", (event) => this.#onKey(event));
    stage.addEventListener("pointerdown", (event) => this.#onDown(event));
    stage.addEventListener("click", (event) => this.#onClick(event), true);
    for (const event of ["pointermove", "pointerdown", "focusin"]) {
      stage.addEventListener(event, () => this.#wake());
    }
    stage.addEventListener("dblclick", (event) => {
      if (event.target === video) this.#fullScreen();
    });
    this.refresh();
  }

  refresh() {
    const { phase, silenced } = this.#player;
    const paused = phase === "held" || (phase === "playing" && this.#video.paused);
    const able = !["idle", "broken"].includes(phase);
    this.#stage.classList.toggle("paused", paused);
    this.#stage.classList.toggle("muted", this.#video.muted);
    this.#stage.classList.toggle("able", able);
    this.#name("play", paused ? "Play" : "Pause", "space");
    this.#name("mute", this.#video.muted ? "Unmute" : "Mute", "m");
    this.#button("tap").hidden = phase !== "tap" && !(paused && able);
    this.#button("sound").hidden = !silenced || phase !== "playing";
  }

  #on(id, action) {
    this.#button(id).addEventListener("click", action);
  }

  #name(id, name, key) {
    this.#button(id).setAttribute("aria-label", name);
    this.#button(id).title = `${name} (${key})`;
  }

  #onDown({ pointerType, target }) {
    const faded = target.closest(".controls") && getComputedStyle(target.closest(".controls")).opacity < SEEN;
    this.#unseen = pointerType === "touch" && faded;
  }

  /** A tap on what has faded shows it, and presses nothing. */
  #onClick(event) {
    if (this.#unseen && event.detail > 0) event.stopPropagation();
    this.#unseen = false;
  }

  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const onButton = event.target.closest?.("button, a");
    if (event.key === " " && !onButton) {
      event.preventDefault();
      this.#player.toggle();
    }
    if (event.key === "k") this.#player.toggle();
    if (event.key === "m") this.#player.sound(this.#video.muted);
    if (event.key === "f") this.#fullScreen();
    this.#wake();
  }

  #fullScreen() {
    if (document.fullscreenElement) return document.exitFullscreen();
    // iPhones can do it with the video alone.
    if (!this.#stage.requestFullscreen) return this.#video.webkitEnterFullscreen?.();
    return this.#stage.requestFullscreen().catch(() => {});
  }

  #wake() {
    this.#stage.classList.add("awake");
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#stage.classList.remove("awake"), IDLE);
  }
}
