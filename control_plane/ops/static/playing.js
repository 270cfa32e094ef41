// The player of our watch page on the page of a session. It plays when asked to.

import { h, put } from "./page.js";
import { Player } from "./player.js";

let player = null; // one for the whole visit

const video = h("video", { muted: true, playsInline: true, controls: true, "aria-label": "Live picture" });
const still = h("canvas", { hidden: true, "aria-hidden": "true" });
const word = h("p", { className: "muted", role: "status" });

function changed() {
  document.body.dataset.phase = player.phase;
  const waits = ["loading", "waiting"].includes(player.phase) ? "Connecting…" : "";
  put(word, player.sentence || waits);
}

// Its policy names the nodes there were when it was loaded.
document.addEventListener("securitypolicyviolation", (event) => {
  if (!["connect-src", "media-src"].includes(event.effectiveDirective)) return;
  player?.rest();
  put(word, "This node is newer than the page: reload it.");
});

/** `steer(status)` tells it how the session is. */
export function playing(id, preview, signal) {
  let wanted = false;
  let state = "";
  const screen = h("div", { className: "screen", hidden: true }, video, still);
  const toggle = h("button", { type: "button", onclick: () => turn(!wanted) }, "Play");
  const tools = h("p", { className: "acts", hidden: true }, toggle, word);
  function turn(on) {
    wanted = on;
    put(toggle, on ? "Stop" : "Play");
    screen.hidden = !on;
    preview.hidden = on;
    steer(state);
  }
  function steer(status) {
    state = status;
    const live = ["live", "reconnecting"].includes(status);
    tools.hidden = !live;
    if (wanted && !live) return turn(false);
    if (wanted) {
      player ??= new Player(video, still, changed);
      player.want({ id, node: "" }, status === "reconnecting");
    } else {
      player?.rest();
      still.hidden = true;
    }
  }
  signal.addEventListener("abort", () => player?.rest());
  return { place: h("div", {}, preview, screen, tools), steer };
}
