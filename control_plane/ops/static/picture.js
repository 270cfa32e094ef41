// The moving preview: a new picture now and then, the last one until it is there.

import { h } from "./page.js";

const EVERY = 10_000; // ms

export function picture(id) {
  const place = h("span", { className: "picture", "aria-hidden": "true" });
  let wanted = "";
  function renew() {
    const address = `/v1/sessions/${id}/preview.jpg?at=${Math.floor(Date.now() / EVERY)}`;
    if (wanted === address) return;
    wanted = address;
    const next = h("img", { alt: "", loading: "lazy", decoding: "async" });
    next.addEventListener("load", () => place.replaceChildren(next));
    next.addEventListener("error", () => next.remove());
    place.append(next);
    next.src = address;
    while (place.children.length > 2) place.firstChild.remove();
  }
  return { place, renew };
}
