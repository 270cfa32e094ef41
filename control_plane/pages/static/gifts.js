// Gifts as they come: each shows for a moment over the picture, and what one viewer sends
// again meanwhile is counted up where it stands.

const SHOWN = 5000; // ms
const MOST = 4; // at a time
const LOW = 300; // px; a phone's picture has room for two

export class Gifts {
  #list;
  #shown = new Map(); // by sender and gift

  constructor(list) {
    this.#list = list;
  }

  show({ gift }) {
    const key = `${gift.sender_id} ${gift.gift_id}`;
    const known = this.#shown.get(key);
    if (known) clearTimeout(known.timer);
    const one = known ?? { row: this.#add(gift), count: 0 };
    one.count += gift.count;
    one.timer = setTimeout(() => this.#end(key), SHOWN);
    this.#shown.set(key, one);
    beat(one.row.querySelector(".times"), `×${one.count}`);
    this.#makeRoom();
  }

  #add(gift) {
    const row = document.createElement("li");
    row.append(picture(gift), words(gift), text("b", "times", ""));
    this.#list.append(row);
    return row;
  }

  #makeRoom() {
    const most = this.#list.parentElement.clientHeight < LOW ? MOST / 2 : MOST;
    for (const key of this.#shown.keys()) if (this.#shown.size > most) this.#end(key);
  }

  #end(key) {
    const { row, timer } = this.#shown.get(key);
    clearTimeout(timer);
    this.#shown.delete(key);
    row.remove();
  }
}

function picture(gift) {
  const image = document.createElement("img");
  image.alt = "";
  image.referrerPolicy = "no-referrer";
  image.addEventListener("error", () => (image.hidden = true));
  if (gift.image) image.src = gift.image;
  image.hidden = !gift.image;
  return image;
}

function words(gift) {
  const both = document.createElement("span");
  both.append(text("b", "sender", gift.sender || "Somebody"), text("span", "what", gift.title));
  return both;
}

function text(tag, name, said) {
  const found = document.createElement(tag);
  found.className = name;
  found.textContent = said;
  return found;
}

/** The same animation once more. */
function beat(mark, said) {
  const fresh = mark.cloneNode();
  fresh.textContent = said;
  mark.replaceWith(fresh);
}
