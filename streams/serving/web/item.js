// Items: found by words, and what goes with one.

import { ask } from "./ask.js";
import { bar, h, itemLink, number, percent, short, show, table } from "./dom.js";

const PAUSE_MS = 200;
const SCOPES = {
  orders: "Bought together",
  sessions: "Looked at together",
  "browse-purchase": "Looked at, then bought",
};

export function open(view, id, signal) {
  const input = h("input", { id: "item-words", type: "search", autocomplete: "off", spellcheck: "false" });
  const found = h("ul", { class: "found" });
  const says = h("p", { class: "quiet", role: "status" });
  view.append(
    h(
      "form",
      { class: "ask", role: "search", onsubmit: (event) => event.preventDefault() },
      h("label", { for: "item-words" }, "Words of a title, or the beginning of an id"),
      input,
    ),
    says,
  );
  let waiting = null;
  let asked = 0;
  const search = async () => {
    const turn = ++asked;
    const words = input.value.trim();
    try {
      const answer = await ask(`/page/items${words ? `?q=${encodeURIComponent(words)}` : ""}`, signal);
      if (turn !== asked) return;
      says.textContent = words
        ? `${answer.items.length || "No"} found among ${answer.searched.toLocaleString("en")} items.`
        : "The most popular ones:";
      show(found, answer.items.map(showFound));
    } catch (error) {
      if (!signal.aborted) says.textContent = error.message;
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, PAUSE_MS);
  });
  signal.addEventListener("abort", () => clearTimeout(waiting));
  view.append(found);
  if (id) {
    const about = h("section", { "aria-label": `Item ${id}` });
    view.append(about);
    showItem(about, id, signal);
  } else {
    search();
  }
}

const showFound = (item) =>
  h(
    "li",
    {},
    itemLink(item.item_id, { [item.item_id]: item.title ?? undefined }),
    h(
      "span",
      { class: "quiet" },
      [item.categories.join(", "), item.available ? null : "sold out"].filter(Boolean).join("; "),
    ),
  );

async function showItem(about, id, signal) {
  let now;
  try {
    now = await ask(`/page/items/${encodeURIComponent(id)}`, signal);
  } catch (error) {
    if (!signal.aborted) show(about, h("p", { class: "problem", role: "status" }, error.message));
    return;
  }
  const { item, similar, rules, titles } = now;
  about.append(
    h(
      "h2",
      {},
      item.title ?? item.item_id,
      " ",
      item.title ? h("span", { class: "id" }, item.item_id) : null,
    ),
    h(
      "p",
      { class: "quiet" },
      [item.categories.join(", ") || "no category is known", item.available ? "available" : "sold out"].join(
        "; ",
      ),
    ),
    similar.length ? similarTable(similar, titles) : h("p", {}, "No item is similar yet."),
    ...rules.flatMap((each) =>
      each.rules.length
        ? [rulesTable(each, titles), moreMeasures(each, titles)]
        : h("p", {}, `${SCOPES[each.scope] ?? each.scope}: no rule yet.`),
    ),
  );
}

function similarTable(similar, titles) {
  return table(
    "Similar items, by customers who had to do with both",
    [["item"], ["cosine", true], ["customers", true]],
    similar.map((each) => [
      itemLink(each.item_id, titles),
      [number(each.similarity, 2), bar(each.similarity)],
      short(each.count),
    ]),
  );
}

function rulesTable({ scope, rules }, titles) {
  return table(
    `${SCOPES[scope] ?? scope}: rules from this item`,
    [["item"], ["count", true], ["support", true], ["confidence", true], ["lift", true]],
    rules.map((rule) => [
      itemLink(rule.item_id, titles),
      short(rule.count),
      percent(rule.support, 2),
      [percent(rule.confidence, 1), bar(rule.confidence)],
      number(rule.lift, 2),
    ]),
  );
}

/** What is asked for more rarely, in a table of its own, so that both fit a telephone. */
function moreMeasures({ scope, rules }, titles) {
  return h(
    "details",
    {},
    h("summary", {}, "Leverage, conviction, log-likelihood ratio"),
    table(
      `${SCOPES[scope] ?? scope}: how far from chance`,
      [["item"], ["leverage", true], ["conviction", true], ["LLR", true]],
      rules.map((rule) => [
        itemLink(rule.item_id, titles),
        percent(rule.leverage, 2),
        rule.conviction === null ? "never wrong" : number(rule.conviction, 2),
        number(rule.llr, 1),
      ]),
    ),
    h(
      "p",
      { class: "quiet" },
      "Leverage: by how much more than by chance both come together, as a share of all. Conviction: ",
      "how many times more often the rule would be wrong by chance. Log-likelihood ratio (LLR): how surprising ",
      "the counts are; above 10.8 in one pair of a thousand that have nothing to do with each other.",
    ),
  );
}
