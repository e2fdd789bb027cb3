// How the worker and this server are.

import { poll } from "./ask.js";
import { h, show } from "./dom.js";

const EVERY_MS = 3_000;

export function open(view, _, signal) {
  const problem = h("p", { class: "problem", role: "status" });
  const worker = h("ul", { class: "state" });
  const server = h("ul", { class: "state" });
  view.append(
    problem,
    h(
      "div",
      { class: "columns" },
      h("section", { "aria-labelledby": "worker" }, h("h2", { id: "worker" }, "Worker"), worker),
      h("section", { "aria-labelledby": "server" }, h("h2", { id: "server" }, "This server"), server),
    ),
  );
  const take = (told) => {
    problem.textContent = told.problem ? `The worker's metrics cannot be read: ${told.problem}.` : "";
    show(worker, told.worker.length ? told.worker.map(line) : h("li", {}, "nothing is known of it"));
    show(server, told.server.map(line));
  };
  poll("/page/system", EVERY_MS, signal, take, (error) => (problem.textContent = error.message));
}

/** A line about something: whether it is well, and how it is. */
export const line = ({ name, value, well }) =>
  h(
    "li",
    {},
    h("span", { class: well ? "mark well" : "mark ill" }, well ? "fine" : "look"),
    h("span", { class: "name" }, name),
    h("b", {}, value),
  );
