// How good lists and models were over the last hour, as a worker counts it.

import { poll } from "./ask.js";
import { timeChart } from "./charts.js";
import { h, number, percent, renew, short } from "./dom.js";
import { line } from "./system.js";

const EVERY_MS = 10_000;
const share = (value) => percent(value, 1);
const plain = (value) => number(value, 3);
const CHARTS = [
  [
    "Acts on an item that was in the list",
    [
      ["list that was given", "hit_rate", share],
      ["what was popular", "hit_rate_popular", share],
    ],
  ],
  [
    "Mean of 1 / place of the item acted on",
    [
      ["list that was given", "reciprocal_rank", plain],
      ["what was popular", "reciprocal_rank_popular", plain],
    ],
  ],
  [
    "Log loss of the ranker",
    [
      ["new lessons", "loss_new", plain],
      ["learned lessons", "loss_learned", plain],
    ],
  ],
  [
    "Mean error of the trees",
    [
      ["whether something is bought", "error_buys", plain],
      ["which category comes next", "error_next", plain],
    ],
  ],
  ["Customers who stayed in their segment", [["share", "segments_kept", share]]],
  [
    "Concentration of lists",
    [
      ["Gini of exposure", "exposure_gini", plain],
      ["popularity lift", "popularity_lift", plain],
    ],
  ],
];

export function open(view, _, signal) {
  const problem = h("p", { class: "problem", role: "status" });
  const says = h("ul", { class: "state" });
  const charts = CHARTS.map(([title, series]) =>
    timeChart(
      title,
      series.map(([label, , format]) => [label, format]),
      signal,
      series[0][2] === share ? percent : short,
    ),
  );
  view.append(
    h(
      "p",
      { class: "quiet" },
      "Each point looks back over a minute. What was popular is what everybody would have been shown instead.",
    ),
    problem,
    h(
      "div",
      { class: "columns" },
      charts.map((chart) => chart.figure),
    ),
    h("section", { "aria-labelledby": "since" }, h("h2", { id: "since" }, "Since the worker's start"), says),
  );
  const take = ({ points, problem: told, says: lines }) => {
    renew(says, lines.length ? lines.map(line) : h("li", {}, "No place of a list is drawn (recommend.explore)."));
    problem.textContent = told
      ? `The worker's metrics cannot be read: ${told}.`
      : points.length
        ? ""
        : "The first figures come after a minute.";
    const xs = points.map((point) => point.at / 1000);
    CHARTS.forEach(([, series], place) =>
      charts[place].set(
        xs,
        series.map(([, name]) => points.map((point) => point.figures[name] ?? null)),
      ),
    );
  };
  poll("/page/quality", EVERY_MS, signal, take, (error) => (problem.textContent = error.message));
}
