// Elements, numbers and times. Text is always text: nothing that comes from outside becomes markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Makes an element; `on...` attributes are listeners, children are nodes or text. */
export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

/** The same for drawings. */
export const s = (tag, attributes, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

/** A table in a frame of its own, which scrolls where it is too wide. `columns`: [heading, is it a number]. */
export function table(caption, columns, rows) {
  const kind = (column) => (columns[column][1] ? "number" : null);
  const cells = (row) =>
    row.map((cell, column) =>
      h(column ? "td" : "th", { scope: column ? null : "row", class: kind(column) }, cell),
    );
  return h(
    "div",
    { class: "frame", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", {}, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          columns.map(([text], column) => h("th", { scope: "col", class: kind(column) }, text)),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((row) => h("tr", {}, cells(row))),
      ),
    ),
  );
}

/** A bar for a share of 1, beside its number: it is for the eye alone. */
export function bar(share) {
  const width = 100 * Math.max(0, Math.min(1, share));
  return s(
    "svg",
    { class: "bar", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
    s("rect", { class: "bar-all", width: 100, height: 6, rx: 1 }),
    s("rect", { class: "bar-part", width, height: 6, rx: 1 }),
  );
}

/** An interval between `left` and `right`, with a mark at 0, beside its numbers: it is for the eye alone. */
export function span(low, high, left, right) {
  const place = (value) => (100 * (value - left)) / (right - left || 1);
  return s(
    "svg",
    { class: "bar", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
    s("rect", { class: "bar-all", y: 2, width: 100, height: 2 }),
    s("rect", { class: "bar-part", x: place(low), y: 1, width: place(high) - place(low), height: 4 }),
    s("rect", { class: "bar-zero", x: place(0) - 0.5, width: 1, height: 6 }),
  );
}

/** A link to an item under its title; its id is there, too. */
export function itemLink(id, titles) {
  const title = titles?.[id];
  const link = h("a", { href: `#item/${encodeURIComponent(id)}` }, title ?? id);
  return title ? [link, " ", h("span", { class: "id" }, id)] : [link];
}

export const customerLink = (id) => h("a", { href: `#customer/${encodeURIComponent(id)}` }, id);

export const number = (value, digits = 0) =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });

export const percent = (share, digits = 0) => `${number(100 * share, digits)}%`;

/** A number of any size with three digits that count. */
export const short = (value) =>
  Number.isInteger(value) ? number(value) : value.toLocaleString("en", { maximumSignificantDigits: 3 });

/** A time as people read it: of today without the day. */
export function when(ms) {
  const time = new Date(ms);
  const today = time.toDateString() === new Date().toDateString();
  const clock = time.toLocaleTimeString("en-GB");
  const day = time.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
  return h("time", { datetime: time.toISOString() }, today ? clock : `${day}, ${clock}`);
}

/** How long something took, in the unit that suits. */
export function duration(ms) {
  if (ms < 1000) return `${number(ms)} ms`;
  if (ms < 60_000) return `${number(ms / 1000, 1)} s`;
  if (ms < 3_600_000) return `${number(ms / 60_000, 1)} min`;
  if (ms < 86_400_000) return `${number(ms / 3_600_000, 1)} h`;
  return `${number(ms / 86_400_000, 1)} days`;
}

/** Puts other children into an element, unless they are the same: focus, scrolling and selection stay. */
export function show(element, ...children) {
  const fresh = document.createElement(element.tagName);
  fill(fresh, {}, children);
  if (element.childNodes.length !== fresh.childNodes.length || element.innerHTML !== fresh.innerHTML) {
    element.replaceChildren(...fresh.childNodes);
  }
}

/** The same, node by node: what goes on being there keeps focus and scrolling. For what has no listeners. */
export function renew(element, ...children) {
  match(element, fill(element.cloneNode(false), {}, children));
}

function match(old, fresh) {
  for (const name of old.getAttributeNames()) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const wanted = [...fresh.childNodes];
  while (old.childNodes.length > wanted.length) old.lastChild.remove();
  wanted.forEach((child, place) => {
    const there = old.childNodes[place];
    if (!there) old.append(child);
    else if (there.nodeName !== child.nodeName) there.replaceWith(child);
    else if (child.nodeType === Node.ELEMENT_NODE) match(there, child);
    else if (there.data !== child.data) there.data = child.data;
  });
}
