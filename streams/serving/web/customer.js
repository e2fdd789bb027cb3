// A customer: the list with its reasons, the segment, the history, each as it changes.

import { listen } from "./ask.js";
import { bar, duration, h, itemLink, number, percent, short, show, when } from "./dom.js";
import { showCustomers } from "./flow.js";

const HOUR_MS = 3_600_000;
const SHARES = new Set(["support", "confidence"]);

export function open(view, id, signal) {
  const problem = h("p", { class: "problem", role: "status" });
  view.append(picker(id), problem);
  const fail = (error) => (problem.textContent = error.message);
  if (id) follow(view, id, signal, problem, fail);
  else choose(view, signal, fail);
}

function picker(id) {
  const input = h("input", {
    id: "customer-id",
    value: id,
    autocomplete: "off",
    spellcheck: "false",
    required: true,
  });
  const go = (event) => {
    event.preventDefault();
    location.hash = `#customer/${encodeURIComponent(input.value.trim())}`;
  };
  return h(
    "form",
    { class: "ask", onsubmit: go, role: "search" },
    h("label", { for: "customer-id" }, "Customer"),
    input,
    h("button", {}, "Show"),
  );
}

function choose(view, signal, fail) {
  const newest = h("ul", { class: "chips" });
  view.append(h("h2", {}, "Whose lists changed last"), newest);
  listen("/page/flow", signal, (news) => showCustomers(newest, news.customers), fail);
}

function follow(view, id, signal, problem, fail) {
  const parts = {
    list: h("ol", { class: "places" }),
    about: h("p", { class: "about" }),
    said: h("p", { class: "quiet", role: "status" }),
    segment: h("div"),
    items: h("ol", { class: "plain" }),
    sessions: h("ol", { class: "plain" }),
  };
  view.append(columns(parts));
  let before = null;
  const take = (now) => {
    problem.textContent = "";
    showList(parts, now, before);
    showSegment(parts.segment, now);
    showHistory(parts, now);
    before = now;
  };
  listen(`/page/customers/${encodeURIComponent(id)}`, signal, take, fail);
}

function columns(parts) {
  const part = (name, title, ...children) =>
    h("section", { "aria-labelledby": name }, h("h2", { id: name }, title), children);
  return h(
    "div",
    { class: "columns wide" },
    part("list", "Recommendations", parts.about, parts.said, parts.list),
    h(
      "div",
      {},
      part("segment", "Segment", parts.segment),
      part("items", "History", parts.items),
      part("sessions", "Sessions", parts.sessions),
    ),
  );
}

function showList(parts, now, before) {
  const { list, titles } = now;
  const ranks = before && new Map(before.list.items.map((place) => [place.item_id, place.rank]));
  show(
    parts.about,
    list.fallback
      ? "Not known here: this is what is popular."
      : ["as of ", when(list.at), latency(list), variant(list)],
  );
  if (before && JSON.stringify(before.list.items) === JSON.stringify(list.items)) return;
  show(
    parts.list,
    list.items.map((place) => showPlace(place, titles, ranks)),
  );
  if (!ranks) return;
  const fresh = list.items.filter((place) => !ranks.has(place.item_id)).length;
  const moved = list.items.some((place) => ranks.get(place.item_id) !== place.rank);
  parts.said.textContent = fresh
    ? `The list changed: ${fresh} new.`
    : `The list changed: ${moved ? "another order" : "other scores"}.`;
}

/** How long after the newest event the list was there; of old files, after that was read. */
function latency({ latency: times }) {
  if (!times) return "";
  const live = times.ingested_at - times.event_at < HOUR_MS;
  const ms = times.emitted_at - (live ? times.event_at : times.ingested_at);
  return `, ${duration(Math.max(0, ms))} after the newest event${live ? "" : " was read"}`;
}

const variant = (list) => (list.variant ? `, variant ${list.variant}` : "");

/** How a place differs from where its item stood before; null where it does not. */
function change(rank, was) {
  if (was === rank) return null;
  if (was === undefined) return "new";
  return was > rank ? `up ${was - rank}` : `down ${rank - was}`;
}

function showPlace(place, titles, ranks) {
  const moved = ranks && change(place.rank, ranks.get(place.item_id));
  return h(
    "li",
    { class: moved ? "moved" : null },
    h(
      "div",
      { class: "place" },
      h("span", { class: "rank" }, String(place.rank)),
      h("span", { class: "title" }, itemLink(place.item_id, titles), moved ? badge(moved) : null),
      h("span", { class: "score" }, h("span", { class: "quiet" }, "score "), number(place.score, 2)),
    ),
    h(
      "ul",
      { class: "why" },
      (place.why ?? []).map((words, reason) => h("li", {}, words, " ", numbers(place.reasons[reason]))),
    ),
  );
}

const badge = (word) => [" ", h("span", { class: "badge" }, word)];

/** The numbers of a reason. */
function numbers(reason) {
  const told = Object.entries(reason)
    .filter(([, value]) => typeof value === "number")
    .map(
      ([name, value]) =>
        `${name.replaceAll("_", " ")} ${SHARES.has(name) ? percent(value, 1) : short(value)}`,
    );
  return h("span", { class: "numbers" }, told.join(", "));
}

function showSegment(element, now) {
  if (!now.segment) return show(element, h("p", {}, "In none yet."));
  const { segment, distance, at } = now.segment;
  show(
    element,
    h(
      "p",
      {},
      h("a", { href: `#segments/${encodeURIComponent(segment)}` }, `Segment ${segment}`),
      `, ${number(distance, 2)} from its centre, since `,
      when(at),
    ),
    now.segment_words ? h("p", {}, now.segment_words) : null,
  );
}

function showHistory(parts, now) {
  const { history, titles } = now;
  if (!history) {
    show(parts.items, h("li", {}, "Nothing is known."));
    return show(parts.sessions, h("li", {}, "None."));
  }
  const most = Math.max(...history.items.map((item) => item.weight), 1);
  show(
    parts.items,
    history.items.map((item) =>
      h(
        "li",
        { class: "touched" },
        h(
          "span",
          {},
          itemLink(item.item_id, titles),
          item.had ? badge("bought") : null,
          item.disliked ? badge("disliked") : null,
        ),
        h("span", { class: "quiet" }, `weight ${short(item.weight)}, `, when(item.at)),
        bar(item.weight / most),
      ),
    ),
  );
  const sessions = history.sessions.toReversed();
  show(
    parts.sessions,
    sessions.map((session) =>
      h(
        "li",
        {},
        when(session.last_at),
        `, ${duration(session.last_at - session.first_at)}: `,
        session.items.map((item, place) => [place ? ", " : "", itemLink(item, titles)]),
      ),
    ),
  );
}
