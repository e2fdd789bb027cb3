// A customer: the list with its reasons, the segment, the history, each as it changes.

import { listen } from "./ask.js";
import { bar, duration, h, itemLink, number, percent, short, show, when } from "./dom.js";
import { showCustomers } from "./flow.js";

const SHARES = new Set(["support", "confidence"]);

export function open(view, id, signal) {
  const input = h("input", { id: "customer-id", value: id, autocomplete: "off", spellcheck: "false", required: true });
  const go = (event) => {
    event.preventDefault();
    location.hash = `#customer/${encodeURIComponent(input.value.trim())}`;
  };
  const problem = h("p", { class: "problem", role: "status" });
  view.append(
    h("form", { class: "ask", onsubmit: go, role: "search" }, h("label", { for: "customer-id" }, "Customer"), input, h("button", {}, "Show")),
    problem,
  );
  const fail = (error) => (problem.textContent = error.message);
  if (!id) {
    const newest = h("ul", { class: "chips" });
    view.append(h("h2", {}, "Whose lists changed last"), newest);
    listen("/page/flow", signal, (news) => showCustomers(newest, news.customers), fail);
    return;
  }
  const parts = { list: h("ol", { class: "places" }), about: h("p", { class: "about" }), segment: h("div"), items: h("ol", { class: "plain" }), sessions: h("ol", { class: "plain" }) };
  const said = h("p", { class: "quiet", role: "status" });
  const part = (name, title, ...children) => h("section", { "aria-labelledby": name }, h("h2", { id: name }, title), children);
  view.append(
    h(
      "div",
      { class: "columns wide" },
      part("list", "Recommendations", parts.about, said, parts.list),
      h("div", {}, part("segment", "Segment", parts.segment), part("items", "History", parts.items), part("sessions", "Sessions", parts.sessions)),
    ),
  );
  let before = null;
  const take = (now) => {
    problem.textContent = "";
    showList(parts, said, now, before);
    showSegment(parts.segment, now);
    showHistory(parts, now);
    before = now;
  };
  listen(`/page/customers/${encodeURIComponent(id)}`, signal, take, fail);
}

function showList(parts, said, now, before) {
  const { list, titles } = now;
  const ranks = before && new Map(before.list.items.map((place) => [place.item_id, place.rank]));
  show(parts.about, list.fallback ? "Not known here: this is what is popular." : ["as of ", when(list.at), latency(list), variant(list)]);
  if (before && JSON.stringify(before.list.items) === JSON.stringify(list.items)) return;
  show(parts.list, list.items.map((place) => showPlace(place, titles, ranks)));
  if (!ranks) return;
  const fresh = list.items.filter((place) => !ranks.has(place.item_id)).length;
  const moved = list.items.some((place) => ranks.get(place.item_id) !== place.rank);
  said.textContent = fresh ? `The list changed: ${fresh} new.` : `The list changed: ${moved ? "another order" : "other scores"}.`;
}

const latency = (list) => (list.latency ? `, ${duration(Math.max(0, list.latency.emitted_at - list.latency.event_at))} after the newest event` : "");
const variant = (list) => (list.variant ? `, variant ${list.variant}` : "");

function showPlace(place, titles, ranks) {
  const was = ranks?.get(place.item_id);
  const moved = !ranks || was === place.rank ? null : was === undefined ? "new" : was > place.rank ? `up ${was - place.rank}` : `down ${place.rank - was}`;
  return h(
    "li",
    { class: moved ? "moved" : null },
    h("div", { class: "place" }, h("span", { class: "rank" }, String(place.rank)), h("span", { class: "title" }, itemLink(place.item_id, titles), moved ? badge(moved) : null), h("span", { class: "score" }, h("span", { class: "quiet" }, "score "), number(place.score, 2))),
    h("ul", { class: "why" }, (place.why ?? []).map((words, reason) => h("li", {}, words, " ", numbers(place.reasons[reason])))),
  );
}

const badge = (word) => [" ", h("span", { class: "badge" }, word)];

/** The numbers of a reason. */
function numbers(reason) {
  const told = Object.entries(reason)
    .filter(([, value]) => typeof value === "number")
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${SHARES.has(name) ? percent(value, 1) : short(value)}`);
  return h("span", { class: "numbers" }, told.join(", "));
}

function showSegment(element, now) {
  if (!now.segment) return show(element, h("p", {}, "In none yet."));
  const { segment, distance, at } = now.segment;
  show(
    element,
    h("p", {}, h("a", { href: `#segments/${encodeURIComponent(segment)}` }, `Segment ${segment}`), `, ${number(distance, 2)} from its centre, since `, when(at)),
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
      h("li", { class: "touched" }, h("span", {}, itemLink(item.item_id, titles), item.had ? badge("bought") : null, item.disliked ? badge("disliked") : null), h("span", { class: "quiet" }, `weight ${short(item.weight)}, `, when(item.at)), bar(item.weight / most)),
    ),
  );
  const sessions = history.sessions.toReversed();
  show(
    parts.sessions,
    sessions.map((session) => h("li", {}, when(session.last_at), `, ${duration(session.last_at - session.first_at)}: `, session.items.map((item, place) => [place ? ", " : "", itemLink(item, titles)]))),
  );
}
