// Experiments: what came of each variant, and what follows from it now.

import { poll } from "./ask.js";
import { h, number, percent, renew, span, table, when } from "./dom.js";
import { line } from "./system.js";

const EVERY_MS = 5_000;
const HOW_TO_READ =
  "A value and its 95 % are for one look; what is compared with the control holds however often it is " +
  "looked at. The verdict is about the goal alone.";
const COUNTS = [
  ["customers", "customers"],
  ["crossed", "crossed"],
  ["lists", "lists"],
  ["clicked", "clicked_lists"],
  ["visits", "visits"],
  ["buyers", "buyers"],
  ["orders", "orders"],
];

export function open(view, name, signal) {
  const problem = h("p", { class: "problem", role: "status" });
  const reading = h("p", { class: "quiet" });
  const all = h("div");
  view.append(reading, problem, all);
  const take = ({ experiments, example }) => {
    const chosen = experiments.filter(({ report }) => !name || report.experiment === name);
    problem.textContent =
      example === null && !chosen.length ? `There is no experiment "${name}" in the settings.` : "";
    reading.textContent = chosen.length ? HOW_TO_READ : "";
    renew(all, example === null ? chosen.map(experiment) : howToSet(example));
  };
  poll("/page/experiments", EVERY_MS, signal, take, (error) => (problem.textContent = error.message));
}

const howToSet = (example) =>
  h(
    "section",
    { "aria-labelledby": "set-up" },
    h("h2", { id: "set-up" }, "No experiment is set"),
    h("p", {}, "One is a table in freshrec.toml, which the worker and this server read:"),
    h(
      "pre",
      { class: "frame", tabindex: 0, role: "region", "aria-label": "An experiment, as it is set" },
      example,
    ),
    h(
      "p",
      {},
      "Restart both, and have the storefront send an impression with the recommendation_id of each list ",
      "that it shows. What comes of it stands here from then on; docs/experiments.md says the rest.",
    ),
  );

function experiment(told) {
  const { experiment: name, goal } = told.report;
  const id = `experiment-${name}`;
  return h(
    "section",
    { "aria-labelledby": id },
    h("h2", { id }, h("a", { href: `#experiments/${name}` }, name), `: decided by ${goal}`),
    h("p", { class: "quiet" }, times(told)),
    h("ul", { class: "state" }, told.says.map(line)),
    counted(told),
    compared(told),
  );
}

/** When it runs, and as of when it is told. */
function times({ starts_at: starts, ends_at: ends, newest_at: newest }) {
  const parts = [
    starts === null ? null : ["from ", when(starts)],
    ends === null ? null : ["until ", when(ends)],
    newest === null ? "no impression of a list has come yet" : ["as of an event of ", when(newest)],
  ].filter((part) => part !== null);
  return parts.map((part, place) => [place ? "; " : "", part]);
}

function counted({ report, variants }) {
  const rows = report.arms.map((arm, place) => [
    arm.variant,
    variants[place].changes.join(", ") || "nothing",
    percent(report.sample_ratio.shares[arm.variant]),
    ...COUNTS.map(([, field]) => number(arm[field])),
    number(arm.revenue, 2),
  ]);
  return table(
    `What was counted of ${report.experiment}`,
    [
      ["variant"],
      ["what differs"],
      ["share", true],
      ...COUNTS.map(([name]) => [name, true]),
      ["revenue", true],
    ],
    rows,
  );
}

function compared({ report, variants }) {
  const rows = report.arms[0].metrics.flatMap(({ metric }, place) => {
    const found = report.arms.map((arm) => arm.metrics[place].against_control);
    const left = Math.min(0, ...found.flatMap((each) => each?.low ?? []));
    const right = Math.max(0, ...found.flatMap((each) => each?.high ?? []));
    return report.arms.map((arm, which) => {
      const words = variants[which].metrics[place];
      const against = found[which];
      return [
        [
          `${metric} `,
          h("span", { class: "quiet" }, arm.variant),
          metric === report.goal ? [" ", h("span", { class: "badge" }, "goal")] : null,
        ],
        words.value,
        words.interval,
        words.difference,
        [words.at_any_time, against && span(against.low, against.high, left, right)],
        words.p_value,
      ];
    });
  });
  return table(
    `Metrics of ${report.experiment}`,
    [
      ["metric and variant"],
      ["value", true],
      ["95 %", true],
      ["minus control", true],
      ["at any time", true],
      ["p", true],
    ],
    rows,
  );
}
