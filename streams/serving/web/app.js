// Which part is shown: the address says it, so that it can be kept, sent and gone back to.

import * as customer from "./customer.js";
import { h } from "./dom.js";
import * as experiments from "./experiments.js";
import * as flow from "./flow.js";
import * as item from "./item.js";
import * as quality from "./quality.js";
import * as refused from "./refused.js";
import * as segments from "./segments.js";
import * as system from "./system.js";

const PARTS = {
  flow: ["What comes through", flow],
  customer: ["Customers", customer, "Customer"],
  item: ["Items", item, "Item"],
  segments: ["Segments", segments, "Segment"],
  quality: ["Quality over time", quality],
  experiments: ["Experiments", experiments, "Experiment"],
  refused: ["Refused records", refused],
  system: ["State of the system", system],
};
const main = document.getElementById("main");
const links = [...document.querySelectorAll("nav a")];
let shown = null;

function part() {
  const [name, ...rest] = location.hash.slice(1).split("/");
  const argument = rest.join("/");
  try {
    return [PARTS[name] ? name : "flow", decodeURIComponent(argument)];
  } catch {
    return [PARTS[name] ? name : "flow", argument];
  }
}

function go() {
  const first = shown === null;
  shown?.abort();
  shown = new AbortController();
  const [name, argument] = part();
  const [title, module, one] = PARTS[name];
  const heading = h("h1", { tabindex: -1 }, argument && one ? `${one} ${argument}` : title);
  const view = h("div");
  main.replaceChildren(heading, view);
  document.title = `${heading.textContent} · freshrec`;
  for (const link of links) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  module.open(view, argument, shown.signal);
  if (!first) heading.focus({ preventScroll: true });
  scrollTo(0, 0);
}

// The address of the skip link would be a part of its own.
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", go);
go();
