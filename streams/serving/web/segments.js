// Segments: a map of their centres, and a table that says the same.

import { poll } from "./ask.js";
import { duration, h, itemLink, number, percent, s, show, table, when } from "./dom.js";

const EVERY_MS = 10_000;
const HEIGHT = 400;
const EDGE = 56;
const LARGEST = 44;
const ROOM = 11;
const MOST_ITEMS = 12;

export function open(view, id, signal) {
  const problem = h("p", { class: "problem", role: "status" });
  const map = h("div", { class: "map" });
  const about = h("div", { class: "card", role: "status" });
  const all = h("div");
  view.append(problem, map, about, all);
  const take = (told) => {
    problem.textContent =
      told.at === null
        ? "There is no clustering yet: the first segments come with the first hundred or so customers."
        : "";
    if (told.at === null) return;
    const width = Math.max(280, map.clientWidth - 2);
    show(map, drawing(told, id, width), directions(told.axes));
    show(about, described(told, id));
    show(all, listed(told));
  };
  poll("/page/segments", EVERY_MS, signal, take, (error) => (problem.textContent = error.message));
}

function drawing(told, id, width) {
  const height = Math.min(HEIGHT, width);
  const place = scale(told.segments, width, height);
  const most = Math.max(...told.segments.map((each) => each.size), 1);
  const radius = (size) => Math.max(6, LARGEST * Math.sqrt(size / most));
  const largestFirst = told.segments.toSorted((a, b) => b.size - a.size);
  return s(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      role: "group",
      "aria-label": "Map of segments: the area of a circle is its number of customers",
    },
    s("line", { class: "axis", x1: 0, x2: width, y1: place.y(0), y2: place.y(0) }),
    s("line", { class: "axis", x1: place.x(0), x2: place.x(0), y1: 0, y2: height }),
    largestFirst.map((each) =>
      s(
        "a",
        {
          href: `#segments/${encodeURIComponent(each.segment)}`,
          "aria-label": `Segment ${each.segment}: ${each.words}`,
          class: each.segment === id ? "chosen" : null,
          "aria-current": each.segment === id ? "true" : null,
        },
        s("circle", { cx: place.x(each.x), cy: place.y(each.y), r: radius(each.size) }),
        labelled(each, place, radius(each.size)),
      ),
    ),
  );
}

/** The segment's number: in its circle, or beside one that is too small. */
function labelled(each, place, radius) {
  const beside = radius < ROOM;
  return s(
    "text",
    {
      x: place.x(each.x) + (beside ? radius + 4 : 0),
      y: place.y(each.y),
      "text-anchor": beside ? "start" : "middle",
      "dominant-baseline": "central",
    },
    each.segment,
  );
}

const directions = (axes) =>
  h("p", { class: "quiet" }, `To the right: ${axis(axes[0])}. Upward: ${axis(axes[1])}.`);

/** Both directions to one scale, so that distances are as they are. */
function scale(segments, width, height) {
  const span = (values) => [Math.min(...values, 0), Math.max(...values, 0)];
  const [left, right] = span(segments.map((each) => each.x));
  const [low, high] = span(segments.map((each) => each.y));
  const unit = Math.min((width - 2 * EDGE) / (right - left || 1), (height - 2 * EDGE) / (high - low || 1));
  return {
    x: (value) => width / 2 + (value - (left + right) / 2) * unit,
    y: (value) => height / 2 - (value - (low + high) / 2) * unit,
  };
}

const axis = ({ words, explains }) =>
  `${words || "nothing that has a name"} (${percent(explains)} of what differs)`;

function described(told, id) {
  const chosen = told.segments.find((each) => each.segment === id);
  if (!chosen) return h("p", {}, "Choose a segment on the map or in the table.");
  return [
    h("h2", {}, `Segment ${chosen.segment}`),
    h("p", {}, chosen.words),
    h(
      "p",
      {},
      "Items: ",
      chosen.top_items.length
        ? chosen.top_items
            .slice(0, MOST_ITEMS)
            .map((item, place) => [place ? ", " : "", itemLink(item, told.titles)])
        : "none",
    ),
  ];
}

function listed(told) {
  const columns = [
    ["segment"],
    ["customers", true],
    ["not seen for", true],
    ["orders each", true],
    ["spent each", true],
    ["categories"],
  ];
  const rows = told.segments.map((each) => [
    h("a", { href: `#segments/${encodeURIComponent(each.segment)}` }, each.segment),
    number(each.size),
    duration(1000 * each.recency_s),
    number(each.frequency, 1),
    number(each.monetary, 2),
    each.top_categories.join(", "),
  ]);
  return [table("All segments", columns, rows), h("p", { class: "quiet" }, "as of ", when(told.at))];
}
