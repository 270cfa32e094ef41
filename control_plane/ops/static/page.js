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

/** Headings and rows; what has none says so. */
export function table(caption, headings, rows) {
  if (rows.length === 0) return h("p", { className: "muted" }, "There is none.");
  const cells = (row) => row.map((cell, at) => h("td", { "data-label": headings[at] }, cell));
  return h(
    "table",
    {},
    h("caption", { className: "hidden" }, caption),
    h("thead", {}, h("tr", {}, headings.map((one) => h("th", { scope: "col" }, one)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, cells(row)))),
  );
}

/**
 * A table that is read page by page, the newest first. `shown`: its `caption`, its
 * `headings`, the rows `of` a page, and each as a `row`, whose act calls what it is given.
 */
export function older(ask, shown, failed) {
  const list = h("div", {});
  const more = h("button", { type: "button", hidden: true, onclick: () => read().catch(failed) }, "Older ones");
  let rows = [];
  let after = "";
  async function read() {
    const page = await ask(after);
    after = page.next ?? "";
    more.hidden = !page.next;
    rows = [...rows, ...shown.of(page).map((one) => shown.row(one, anew))];
    list.replaceChildren(table(shown.caption, shown.headings, rows));
  }
  function anew() {
    [rows, after] = [[], ""];
    read().catch(failed);
  }
  return { place: h("div", {}, list, h("p", {}, more)), read };
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
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

/** Until the signal; not while nobody looks. `failed(error)` says whether to go on. */
export async function again(every, work, { signal, failed }) {
  let goesOn = true;
  while (goesOn && !signal.aborted) {
    if (!document.hidden) goesOn = failed(await outcome(work, signal));
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
