// Making elements, and asking again and again.

export const $ = (id) => document.getElementById(id);

/** An element: properties, listeners (`onclick`) and children, of which text is text. */
export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((one) => one !== null && one !== false));
  return element;
}

export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const row = (headings, cells) =>
  h("tr", {}, cells.map((cell, at) => h("td", { "data-label": headings[at] }, cell)));

/** Headings and rows, made or of cells; what has none says so. */
export function table(caption, headings, rows) {
  if (rows.length === 0) return h("p", { className: "muted" }, "There is none.");
  const made = rows.map((one) => (one instanceof Node ? one : row(headings, one)));
  return h(
    "table",
    {},
    h("caption", { className: "hidden" }, caption),
    h("thead", {}, h("tr", {}, headings.map((one) => h("th", { scope: "col" }, one)))),
    h("tbody", {}, made),
  );
}

/**
 * A table that is read page by page, the newest first. `shown`: its `caption`, its
 * `headings`, the rows `of` a page, and each as a `row`, whose act calls what it is given.
 * `anew` begins with the first page again; `told(error)` when reading on fails.
 */
export function older(ask, shown, told) {
  const list = h("div", {});
  const more = h("button", { type: "button", hidden: true, onclick: () => read().catch(told) }, "Older ones");
  let rows = [];
  let after = "";
  let latest = 0;
  async function read() {
    const turn = ++latest;
    const page = await ask(after);
    if (turn !== latest) return;
    after = page.next ?? "";
    more.hidden = !page.next;
    rows = [...rows, ...shown.of(page).map((one) => shown.row(one, anew))];
    list.replaceChildren(table(shown.caption, shown.headings, rows));
  }
  function anew() {
    [rows, after] = [[], ""];
    return read();
  }
  return { place: h("div", {}, list, h("p", {}, more)), read, anew };
}

/** Whoever stands on something that is there before and after stays there. */
export function staying(draw) {
  const stood = document.activeElement;
  draw();
  if (stood !== document.activeElement && stood.isConnected) stood.focus({ preventScroll: true });
}

/** These, in this order, and no others. */
export function arrange(place, items) {
  const wanted = new Set(items);
  const gone = Array.from(place.children).filter((item) => !wanted.has(item));
  for (const item of gone) item.remove();
  staying(() => items.forEach((item, at) => {
    const there = place.children[at];
    if (there !== item) place.insertBefore(item, there ?? null);
  }));
}

/** Pairs of a word and a value. */
export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== "");
  return h(
    "dl",
    { className: "facts" },
    shown.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

export const pause = (milliseconds, signal) =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });

/** Until the signal; not while nobody looks. `failed(error)` says whether to go on. */
export async function again(every, work, { signal, failed }) {
  let goesOn = true;
  while (goesOn && !signal.aborted) {
    if (!document.hidden) goesOn = failed(await outcome(work, signal));
    await pause(every, signal);
  }
}

/** As `again`, until it went well. */
export async function once(every, work, { signal, failed }) {
  while (!signal.aborted) {
    const error = await outcome(work, signal);
    if (!failed(error) || error === null) return;
    await pause(every, signal);
  }
}

/** Its error; none also where nobody waits for it any more. */
async function outcome(work, signal) {
  try {
    await work();
    return null;
  } catch (error) {
    return signal.aborted ? null : error;
  }
}
