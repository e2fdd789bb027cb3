// Lines over time, drawn by uPlot; the numbers that stand at their ends are text beside the drawing.

import { h, show } from "./dom.js";

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const dark = matchMedia("(prefers-color-scheme: dark)");
const HEIGHT = 160;
const MINUTE = 60;

/** Times of day as the distance between them wants it. */
function clocks(times, distance) {
  const parts = { hour: "2-digit", minute: "2-digit", ...(distance < MINUTE ? { second: "2-digit" } : {}) };
  return times.map((seconds) => new Date(1000 * seconds).toLocaleTimeString("en-GB", parts));
}

/**
 * Makes a chart. `series`: [label, format][]; `scale` is the format of its upright axis; `set(xs, ys)` takes
 * seconds and one array for each series. The chart lives until the signal.
 */
export function timeChart(title, series, signal, scale = series[0][1]) {
  const legend = h("ul", { class: "legend" });
  const canvas = h("div", { class: "canvas", role: "img", "aria-label": title });
  const figure = h("figure", { class: "chart" }, h("figcaption", {}, title), legend, canvas);
  const axis = {
    stroke: () => css("--muted"),
    grid: { stroke: () => css("--line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
  };
  const lines = series.map(([label], place) => ({
    label,
    stroke: () => css(`--series-${place + 1}`),
    width: 2,
    dash: place ? [6, 2 * place] : [],
    points: { show: false },
    spanGaps: true,
  }));
  const options = {
    width: 300,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, low, high) => [Math.min(0, 1.1 * low), high > 0 ? 1.1 * high : 1] } },
    axes: [
      { ...axis, size: 28, space: 70, values: (_, splits, __, ___, distance) => clocks(splits, distance) },
      { ...axis, size: 56, values: (_, splits) => splits.map((value) => scale(value)) },
    ],
    series: [{}, ...lines],
  };
  let chart = null;
  const sized = new ResizeObserver(() => chart?.setSize({ width: canvas.clientWidth, height: HEIGHT }));
  sized.observe(canvas);
  const recolour = () => chart?.redraw();
  dark.addEventListener("change", recolour);
  signal.addEventListener("abort", () => {
    sized.disconnect();
    dark.removeEventListener("change", recolour);
    chart?.destroy();
  });

  function set(xs, ys) {
    chart ??= new window.uPlot({ ...options, width: canvas.clientWidth || 300 }, [xs, ...ys], canvas);
    chart.setData([xs, ...ys]);
    const now = series.map(([label, format], place) => {
      const last = ys[place].findLast((value) => value !== null && value !== undefined);
      return [label, last === undefined ? "none yet" : format(last)];
    });
    show(
      legend,
      now.map(([label, value], place) =>
        h("li", {}, h("span", { class: `key key-${place + 1}` }), `${label} `, h("b", {}, value)),
      ),
    );
    canvas.setAttribute(
      "aria-label",
      `${title}: ${now.map(([label, value]) => `${label} ${value}`).join(", ")}`,
    );
  }

  return { figure, set };
}
