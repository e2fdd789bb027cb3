"""What a run says of each contender: ranking metrics with intervals, what lists do to a catalogue, costs."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from online_models import exposure
from online_models.evaluation.bootstrap import Interval, Resamples, percentiles
from online_models.evaluation.diversity import ItemAudiences, intra_list_diversity
from online_models.evaluation.drift_points import DriftPoint, drift_points
from online_models.evaluation.run import Outcome
from online_models.evaluation.tally import METRICS, Floats, Tally

CURVE_POINTS: Final = 20
"""Parts of the questions, in the order in which they were asked, over which a curve is averaged."""

DIVERSITY_LISTS: Final = 1_000
"""Lists whose diversity is looked at, evenly spread."""


class Seconds(msgspec.Struct, frozen=True):
    """How long something took: mean and percentiles, in seconds."""

    mean: float
    p50: float
    p90: float
    p99: float


class Difference(msgspec.Struct, frozen=True):
    """A mean minus the reference's on the same questions, and the interval of this difference."""

    difference: float
    interval: Interval


class Point(msgspec.Struct, frozen=True):
    """A part of a curve: up to which question and time (epoch ms), and means over the part."""

    queries: int
    at: int
    hr: float
    mrr: float


class Part(msgspec.Struct, frozen=True):
    """Scores over a part of the questions of known customers, with intervals; `share` is that of all of them.

    `against` are the differences from the reference.
    """

    queries: int
    share: float
    scores: dict[str, float]
    intervals: dict[str, Interval]
    against: dict[str, Difference] | None


class ModelReport(msgspec.Struct, kw_only=True, frozen=True):
    """Everything about one contender.

    Most scores are those of known customers. `everyone` is scored over all questions, `cold_users` over those
    of strangers, `cold_items` over those with cold right answers, against these alone; `share` is their share
    of all questions. `new_items` are scores over the questions with right answers that nobody had acted upon
    before, against these alone; `few_events` over those of customers who had done little; None without any.
    `drifts` are the changes of the hit rate that ADWIN notices.
    """

    queries: int
    hr: float
    recall: float
    precision: float
    f1: float
    mrr: float
    ndcg: float
    map: float
    coverage: float
    novelty: float
    gini: float
    popularity_lift: float
    diversity: float
    intervals: dict[str, Interval]
    against: dict[str, Difference] | None
    everyone: dict[str, float]
    cold_users: dict[str, float]
    cold_items: dict[str, float]
    new_items: Part | None
    few_events: Part | None
    learn_s: Seconds
    recommend_s: Seconds
    state_bytes: int
    curve: list[Point]
    drifts: list[DriftPoint] = []


def reports(
    outcome: Outcome,
    *,
    interactions: Mapping[str, int],
    audiences: ItemAudiences,
    state_bytes: Mapping[str, int],
    seed: int,
    reference: str | None = None,
) -> dict[str, ModelReport]:
    """Return the report of each contender by name.

    Parameters
    ----------
    outcome : Outcome
        Of `online_models.evaluation.run`.
    interactions : mapping of str to int
        How often each item was acted upon; its keys are the catalogue.
    audiences : ItemAudiences
        Tells how different two items are.
    state_bytes : mapping of str to int
        Size of each contender.
    seed : int
        Of the bootstrap.
    reference : str, optional
        The contender with which the others are compared.

    Raises
    ------
    ValueError
        Nobody asked.
    """
    names = list(outcome.tallies)
    if not outcome.keys:
        raise ValueError(
            "no question was asked of anybody who is known; expected a longer test, or less warm-up"
        )
    stacked = np.hstack([outcome.tallies[name].scores for name in names])
    means = Resamples(outcome.keys, seed=seed).means(stacked)
    width = len(METRICS)
    by_name = {name: means[:, n * width : (n + 1) * width] for n, name in enumerate(names)}
    new, few = _parts(outcome, seed=seed, reference=reference)
    found = {}
    for name in names:
        tally = outcome.tallies[name]
        against = None
        if reference is not None and reference != name:
            against = _against(tally, outcome.tallies[reference], by_name[name] - by_name[reference])
        everyone = tally.of_everyone()
        found[name] = ModelReport(
            queries=tally.queries,
            **_rounded(tally.mean()),
            **_rounded(_catalogue(tally, interactions, audiences)),
            intervals=dict(zip(METRICS, percentiles(by_name[name]), strict=True)),
            against=against,
            everyone=_rounded(everyone),
            cold_users=_with_share(tally.of_strangers(), everyone["queries"]),
            cold_items=_with_share(tally.of_cold_items(), everyone["queries"]),
            new_items=new.get(name),
            few_events=few.get(name),
            learn_s=seconds(tally.learn_s),
            recommend_s=seconds(tally.recommend_s),
            state_bytes=state_bytes.get(name, 0),
            curve=_curve(tally, outcome),
            drifts=drift_points(tally.scores[:, METRICS.index("hr")].tolist(), outcome.ats),
        )
    return found


def seconds(taken: Sequence[float]) -> Seconds:
    """Summarise durations; all 0 when there are none.

    Examples
    --------
    >>> seconds([1.0, 2.0, 3.0]).p50
    2.0
    """
    if not len(taken):
        return Seconds(0.0, 0.0, 0.0, 0.0)
    p50, p90, p99 = np.percentile(np.asarray(taken), [50, 90, 99]).tolist()
    return Seconds(*(float(f"{value:.4g}") for value in (float(np.mean(taken)), p50, p90, p99)))


def _parts(outcome: Outcome, *, seed: int, reference: str | None) -> tuple[dict[str, Part], dict[str, Part]]:
    """Return by name what is said of new items, and of customers who had done little."""
    few, keys, tallies = np.array(outcome.few, bool), np.array(outcome.keys), outcome.tallies
    some = {name: tally.scores[few] for name, tally in tallies.items()}
    new = {name: tally.scores_of_new for name, tally in tallies.items()}
    total = len(keys)
    return (
        _part(new, np.array(outcome.keys_of_new), total, seed=seed, reference=reference),
        _part(some, keys[few], total, seed=seed, reference=reference),
    )


def _part(
    scores: Mapping[str, Floats], keys: NDArray[np.int64], total: int, *, seed: int, reference: str | None
) -> dict[str, Part]:
    if not len(keys):
        return {}
    resamples = Resamples(keys.tolist(), seed=seed)
    draws = {name: resamples.means(each) for name, each in scores.items()}
    means = {name: each.mean(axis=0) for name, each in scores.items()}
    found = {}
    for name in scores:
        against = None
        if reference is not None and reference != name:
            apart = (means[name] - means[reference]).tolist()
            against = {
                metric: Difference(round(difference, 6), interval)
                for metric, difference, interval in zip(
                    METRICS, apart, percentiles(draws[name] - draws[reference]), strict=True
                )
            }
        found[name] = Part(
            len(keys),
            round(len(keys) / total, 6),
            _rounded(dict(zip(METRICS, means[name].tolist(), strict=True))),
            dict(zip(METRICS, percentiles(draws[name]), strict=True)),
            against,
        )
    return found


def _against(tally: Tally, reference: Tally, draws: Floats) -> dict[str, Difference]:
    mine, theirs = tally.mean(), reference.mean()
    return {
        name: Difference(round(mine[name] - theirs[name], 6), interval)
        for name, interval in zip(METRICS, percentiles(draws), strict=True)
    }


def _catalogue(tally: Tally, interactions: Mapping[str, int], audiences: ItemAudiences) -> dict[str, float]:
    k, lists = tally.k, tally.lists
    shown = any(lists)
    some = lists[:: max(1, len(lists) // DIVERSITY_LISTS)]
    diverse = [intra_list_diversity(ranked, audiences) for ranked in some if len(ranked) > 1]
    return {
        "coverage": exposure.catalogue_coverage(lists, interactions, k) if interactions else 0.0,
        "gini": exposure.exposure_gini(lists, interactions, k),
        "novelty": exposure.novelty(lists, interactions, k) if shown and interactions else 0.0,
        "popularity_lift": exposure.popularity_lift(lists, interactions, k)
        if shown and interactions
        else 0.0,
        "diversity": sum(diverse) / len(diverse) if diverse else 0.0,
    }


def _curve(tally: Tally, outcome: Outcome) -> list[Point]:
    scores, ats = tally.scores, outcome.ats
    hr, mrr = METRICS.index("hr"), METRICS.index("mrr")
    points, start = [], 0
    for end in np.linspace(0, len(scores), min(CURVE_POINTS, len(scores)) + 1, dtype=int)[1:].tolist():
        means = scores[start:end].mean(axis=0)
        points.append(Point(end, ats[end - 1], round(float(means[hr]), 6), round(float(means[mrr]), 6)))
        start = end
    return points


def _with_share(part: dict[str, float], total: float) -> dict[str, float]:
    return _rounded({**part, "share": part["queries"] / total if total else 0.0})


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in values.items()}
