"""The page docs/models.md: what `freshrec evaluate` measured, from the files that it wrote.

`python -m benchmarks.models_page > docs/models.md` writes the page.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

RESULTS = Path(__file__).parent / "results"
_COSTS = ("learn, us", "rank, us p50 / p90", "MB")
_WITH_INTERVAL = ("hr", "mrr")
_SHOWN = ("hr", "mrr", "recall", "ndcg", "coverage", "popularity_lift")

OPENING = """# Models, measured

How good each model is, by `freshrec evaluate`. This page is generated from benchmarks/results:
`python -m benchmarks.models_page > docs/models.md`.

The data is not part of the project; whoever has it can run the command above each table again, or all of
them: `python -m benchmarks.measure_again DATA`. Times depend on what else the machine does, scores don't.
Files named `.jsonl` are made by `python -m benchmarks.as_jsonl`; lastfm and filmtrust have no times: events
are in an order that is drawn, one a minute, a fifth of the people last. `movielens-32000` are the first
32,000 lines of such a file, `lastfm-third` all links and every third event. `retailrocket-typed`
has no times either, and says only what people viewed, put into the cart and bought: they come one after
another, each with an order of all they bought after what they browsed; both orders are drawn.

Tables say at which commit they were measured. In those of 8458bd8, e79133e, b648cff and 0981f6b the blend is
the one from before [0019](decisions/0019-ranked-lists.md), ordered by fixed weights.

## How it is measured

- **sessions**: after each event of each test session the full catalogue is ranked for the next one;
  repeats are kept. Test items that train does not know are dropped first, then sessions of one item:
  session-rec's protocol. `frozen` keeps models as trained, `live` learns each event once it was scored.
- **prequential**: predict, score, then learn, event by event. **temporal**: learn the first part,
  recommend once for each customer, score against what they do later.
- Questions of customers of whom nothing is known are asked as well, but scored apart (`cold_users` and
  `everyone` in the results); so are right answers that hardly anybody acted upon yet (`cold_items`).
  Further tables have the questions with right answers that nobody had acted upon before, scored against these
  alone, and those of customers who had done 1 to 5 things. With `--only-new` only what nobody had acted upon
  before the test is ranked, and right.
- Intervals hold with 95 %: customers (or sessions) are drawn anew, each with all their questions, 1,000
  times. A comparison is made on the same questions. Ties are broken by item id.

## The models

- `blend`: what a worker runs, in one process: sessions, similarity, rules, near customers, recent items and
  popularity propose, a ranker that learns from each event orders. A test holds its lists equal to those of
  a replay.
- `random`: any items. `popularity`, `decayed`: counts of actions, the second with a half-life.
- `cosine`: exact item cosine, summed over what the customer has; `-10`, `-1`: over the newest items only;
  `-current`: these items are candidates, too.
- `blend-without-users`: the same, but nobody asks what near customers have. `users`: what they have, alone.
- `factors`: vectors of items by steps of ISGD with recency-based negatives; a customer's is folded in from
  their newest items.
- `markov`: what followed the last item; `user-knn`: what the 50 nearest customers have; `isgd`: factors,
  one gradient step per event.
- `session-blend`: candidates from sessions like the current one, weighed by a ranker that learns from each
  event; `vsknn`, `stan`, `vstan`, `sr`, `ar`: what it is made from. [How they work](sessions.md).
- `cross-rules`: what those who browse an item go on to buy, by the log-likelihood ratio; `-confidence`,
  `-lift`: by these. `pair-rules`: what goes with two items of a session, backing off to one;
  `single-rules`: the same without any two.
  [How they work](decisions/0032-more-rules.md), and [when they help](choosing.md#cross-rules).
  Where nearly all that is bought was just browsed (`rees46 purchases`) `cross-rules` are level with
  `session-blend` and ahead of `ar`, `sr`, `markov` and the cosines; of purchases whose order is drawn
  they hit as often, and `session-blend` and `pair-rules` rank higher; of all events `session-blend` is ahead.
  `pair-rules` beat `ar`, `sr` and `markov` on both data sets of sessions and are level with `vsknn` or ahead
  of it; `single-rules` come within .0025 of them.
- `content`: items like those the customer acted on, by categories, tags, brand, price and words alone;
  `social`: what those act on whom the customer follows. [How they work](lists.md).
- `cnn`, `dqn`, each also `-gated`: deep models, of an extra. [How they work](deep.md), and how good they are.
- `implicit-...`: models of the library implicit (the extra `peers`), each fitted once on all that is learned.
"""


def page(results: dict[str, dict[str, Any]]) -> str:
    """Text of docs/models.md."""
    return "\n".join([OPENING, *(part for name, found in results.items() for part in _section(name, found))])


def _section(name: str, found: dict[str, Any]) -> Iterator[str]:
    models, k = found["models"], found["k"]
    queries = max(each["queries"] for each in models.values())
    yield f"## {name.removeprefix('evaluate-').replace('-', ' ')}\n"
    measured = f"`benchmarks/results/{name}.json`, commit {found['machine']['commit']}"
    yield f"{found['protocol']}, {found['mode']}, {queries:,} queries; {measured}.\n"
    yield f"```sh\n{command_of(found)}\n```\n"
    head = [
        "model",
        *(f"{each}@{k}" for each in _SHOWN[:4]),
        *_SHOWN[4:],
        "learn, us",
        "rank, us p50 / p90",
        "MB",
    ]
    yield f"| {' | '.join(head).replace('_', ' ')} |"
    yield "|---" * len(head) + "|"
    for model, report in sorted(models.items(), key=lambda entry: (-entry[1]["mrr"], entry[0])):
        yield f"| {' | '.join(_row(model, report))} |"
    yield ""
    yield from _part(found, "new_items", "Right answers that nobody had acted upon before")
    yield from _part(found, "few_events", "Customers who had done 1 to 5 things")


def _part(found: dict[str, Any], field: str, title: str) -> Iterator[str]:
    """Yield the table of a part of the questions, if all models were scored on it."""
    parts = {model: report.get(field) for model, report in found["models"].items()}
    if not all(parts.values()):
        return
    k, reference = found["k"], found["reference"]
    first = next(iter(parts.values()))
    yield f"{title}: {first['queries']:,} queries.\n"
    head = ["model", *(f"{each}@{k}" for each in _WITH_INTERVAL), f"recall@{k}", f"ndcg@{k}"]
    if reference:
        head.append(f"hr@{k} minus {reference}")
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for model, part in sorted(parts.items(), key=lambda entry: (-entry[1]["scores"]["mrr"], entry[0])):
        cells = [model, *(_with_interval(part["scores"], part["intervals"], each) for each in _WITH_INTERVAL)]
        cells += [f"{part['scores'][each]:.4f}" for each in ("recall", "ndcg")]
        if reference:
            cells.append(_against(part["against"]))
        yield f"| {' | '.join(cells)} |"
    yield ""


def _against(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    low, high = found["hr"]["interval"]
    return f"{found['hr']['difference']:+.4f} ({low:+.4f} to {high:+.4f})"


def _with_interval(scores: dict[str, Any], intervals: dict[str, Any], metric: str) -> str:
    low, high = intervals[metric]
    return f"{scores[metric]:.4f} ({low:.4f} to {high:.4f})"


def _row(model: str, report: dict[str, Any]) -> Iterator[str]:
    yield model
    for metric in _SHOWN:
        if metric in _WITH_INTERVAL:
            yield _with_interval(report, report["intervals"], metric)
        else:
            yield f"{report[metric]:.4f}"
    learn, rank = report["learn_s"], report["recommend_s"]
    yield f"{learn['p50'] * 1e6:,.0f}"
    yield f"{rank['p50'] * 1e6:,.0f} / {rank['p90'] * 1e6:,.0f}"
    yield f"{report['state_bytes'] / 1e6:,.1f}"


def command_of(found: dict[str, Any]) -> str:
    """The command that measures a results file again."""
    return " ".join(_words(found))


def _words(found: dict[str, Any]) -> Iterator[str]:
    request, options = found["request"], found["options"]
    yield found.get("program", f"freshrec evaluate --protocol {found['protocol']}")
    yield f"--format {request['format']} --k {found['k']}"
    for name, path in found["data"].items():
        yield f"--{name} {path}"
    if found["protocol"] == "sessions":
        yield f"--{found['mode']}"
    yield from (f"--test-share {request['test_share']}" for _ in [0] if request["test_share"] is not None)
    if request["relevant"]:
        yield f"--relevant '{request['relevant']}' --others {'drop' if request['drop_others'] else 'learn'}"
    if request["repeats"]:
        yield "--repeats"
    if request.get("only_new"):
        yield "--only-new"
    if found["protocol"] == "prequential" and request["test_share"] is None:
        yield f"--warmup {request['warmup']}"
    if found["protocol"] == "temporal" and request["test_share"] is None:
        yield f"--train-share {request['train_share']}"
    yield f"--models {','.join(options)}"
    yield from (f"--reference {found['reference']}" for _ in [0] if found["reference"])
    if "decayed" in options:
        yield f"--set decayed.half_life_s={options['decayed']['half_life_s']}"
    for model in ("blend", "content", "social"):
        yield from (f"--set {model}.{name}={value}" for name, value in options.get(model, {}).items())
    if request.get("limit"):
        yield f"--limit {request['limit']}"
    yield f"--seed {found['seed']}"


def main() -> None:
    """Print the page."""
    files = sorted(RESULTS.glob("evaluate-*.json"))
    print(page({file.stem: msgspec.json.decode(file.read_bytes()) for file in files}), end="")


if __name__ == "__main__":
    main()
