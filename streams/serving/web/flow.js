// What comes through, second by second.

import { listen } from "./ask.js";
import { timeChart } from "./charts.js";
import { customerLink, duration, h, number, percent, show } from "./dom.js";

const KEPT = 600;
const sum = (counts) => Object.values(counts).reduce((all, count) => all + count, 0);
const whole = (value) => number(value);

function tile(label) {
  const value = h("dd", {}, "none yet");
  return { tile: h("div", { class: "tile" }, h("dt", {}, label), value), set: (text) => show(value, text) };
}

export function open(view, _, signal) {
  const points = [];
  const events = tile("events in a second");
  const lists = tile("lists in a second");
  const latency = tile("from event to list, median");
  const requests = tile("questions to the API in a second");
  const amounts = timeChart(
    "Events and lists in a second",
    [
      ["events", whole],
      ["lists", whole],
    ],
    signal,
  );
  const times = timeChart(
    "From event to list",
    [
      ["median", duration],
      ["95%", duration],
      ["99%", duration],
    ],
    signal,
  );
  const kinds = h("ul", { class: "plain" });
  const customers = h("ul", { class: "chips" });
  const problem = h("p", { class: "problem", role: "status" });
  view.append(
    problem,
    h("dl", { class: "tiles" }, events.tile, lists.tile, latency.tile, requests.tile),
    h("div", { class: "columns" }, amounts.figure, times.figure),
    h(
      "div",
      { class: "columns" },
      h(
        "section",
        { "aria-labelledby": "kinds" },
        h("h2", { id: "kinds" }, "Events of the last minute"),
        kinds,
      ),
      h(
        "section",
        { "aria-labelledby": "newest" },
        h("h2", { id: "newest" }, "Whose lists changed last"),
        customers,
      ),
    ),
  );

  function take(news) {
    problem.textContent = "";
    points.push(...news.points);
    points.splice(0, Math.max(0, points.length - KEPT));
    showCustomers(customers, news.customers);
    const last = points.at(-1);
    if (!last) return;
    events.set(number(sum(last.events)));
    lists.set(number(last.lists));
    requests.set(number(last.requests));
    // Of old files the time of an event says nothing: then from when it was read.
    const ms = points.map((point) => point.event_ms ?? point.work_ms);
    const newest = ms.findLast((each) => each);
    latency.set(newest ? duration(newest.p50) : "none yet");
    const xs = points.map((point) => point.at / 1000);
    amounts.set(xs, [points.map((point) => sum(point.events)), points.map((point) => point.lists)]);
    times.set(
      xs,
      ["p50", "p95", "p99"].map((name) => ms.map((each) => each?.[name] ?? null)),
    );
    showKinds(kinds, points.slice(-60));
  }

  listen("/page/flow", signal, take, (error) => (problem.textContent = error.message));
}

function showKinds(list, points) {
  const counts = {};
  for (const point of points)
    for (const [kind, count] of Object.entries(point.events)) counts[kind] = (counts[kind] ?? 0) + count;
  const all = sum(counts);
  const rows = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  show(
    list,
    rows.length
      ? rows.map(([kind, count]) =>
          h("li", {}, h("b", {}, number(count)), ` ${kind} (${percent(count / all)})`),
        )
      : h("li", {}, "none"),
  );
}

/** The customers as links; none where nobody could ask by the ids that are known. */
export function showCustomers(list, customers) {
  show(
    list,
    customers.length
      ? customers.map((id) => h("li", {}, customerLink(id)))
      : h("li", {}, "none yet, or pseudonyms are on: ask by id"),
  );
}
