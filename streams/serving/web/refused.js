// Records that were refused, and why; never their text.

import { poll } from "./ask.js";
import { h, number, show, table, when } from "./dom.js";

const EVERY_MS = 3_000;

export function open(view, _, signal) {
  const problem = h("p", { class: "problem", role: "status" });
  const reasons = h("ul", { class: "chips" });
  const records = h("div");
  view.append(
    h("p", { class: "quiet" }, "The newest refused records; what they held is in topic rejected alone."),
    problem,
    reasons,
    records,
  );
  const take = (told) => {
    problem.textContent =
      told.problem ?? (told.records.length ? "" : "None was refused, as far back as is held here.");
    const counts = Map.groupBy(told.records, (each) => each.reason);
    show(
      reasons,
      [...counts].map(([reason, found]) => h("li", {}, `${reason}: ${number(found.length)}`)),
    );
    show(records, told.records.length ? listed(told.records) : null);
  };
  poll("/page/refused", EVERY_MS, signal, take, (error) => (problem.textContent = error.message));
}

const listed = (records) =>
  table(
    "Refused records",
    [["when"], ["reason"], ["why"], ["record"]],
    records.map((each) => [
      when(each.at),
      each.reason,
      each.detail,
      `${each.topic}:${each.partition}:${each.offset}`,
    ]),
  );
