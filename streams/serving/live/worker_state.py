"""What a worker's figures say: how good lists and models were over time, and how the system is now. Pure."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from online_models.experiments.unexplored import WeightedSums, unexplored
from schemas.page import QualityPoint, StatePart
from streams.serving.live.figures import Figures, Reading

OVER_MS: Final = 60_000
"""Counters are compared over at least so long."""

STANDS_S: Final = 30.0
"""A stage with records to read that reads none for so long should be looked at."""

RETENTION_SHARE: Final = 0.5
"""Above it, a topic is near to losing what somebody still has to read."""


class _Share(NamedTuple):
    """Increase of one counter by the increase of another."""

    part: str
    whole: str
    label: tuple[str, str] | None = None


_LIST_HITS: Final = "freshrec_list_hits_total"
_RANKS: Final = "freshrec_list_reciprocal_ranks_total"
_QUERIES: Final = "freshrec_list_queries_total"
_LOSSES: Final = "freshrec_ranker_losses_total"
_COMPARED: Final = "freshrec_ranker_losses_compared_total"

_SHARES: Final[dict[str, _Share]] = {
    "hit_rate": _Share(_LIST_HITS, _QUERIES, ("list", "given")),
    "hit_rate_popular": _Share(_LIST_HITS, _QUERIES, ("list", "popular")),
    "reciprocal_rank": _Share(_RANKS, _QUERIES, ("list", "given")),
    "reciprocal_rank_popular": _Share(_RANKS, _QUERIES, ("list", "popular")),
    "loss_new": _Share(_LOSSES, _COMPARED, ("lesson", "new")),
    "loss_learned": _Share(_LOSSES, _COMPARED, ("lesson", "learned")),
    "segments_kept": _Share("freshrec_segments_kept_total", "freshrec_segments_compared_total"),
}
_LEVELS: Final[dict[str, tuple[str, tuple[str, str] | None]]] = {
    "exposure_gini": ("freshrec_exposure_gini_ratio", None),
    "popularity_lift": ("freshrec_popularity_lift_ratio", None),
    "error_buys": ("freshrec_drift_error", ("series", "buys")),
    "error_next": ("freshrec_drift_error", ("series", "next")),
    "calibration_error": ("freshrec_buying_calibration_error_ratio", None),
}
_OF_STATE: Final = (
    *("freshrec_child_up", "freshrec_child_restarts_total", "freshrec_stage_ready", "freshrec_lag_records"),
    *("freshrec_watchdog_age_seconds", "freshrec_gaps_total", "freshrec_refreshes_pending"),
    *("freshrec_retention_used_ratio", "freshrec_snapshot_age_seconds", "freshrec_rocksdb_bytes"),
    *("freshrec_rejected_total", "freshrec_drift_total", "freshrec_build_info"),
)

_EXPLORED: Final = tuple(f"freshrec_explored{of}_total" for of in ("", "_weights", "_squared_weights"))
ENOUGH: Final = 100.0
"""Lists that a weighted log has to be worth before anything is said of it."""

NAMES: Final = frozenset(
    {
        *(name for share in _SHARES.values() for name in (share.part, share.whole)),
        *(name for name, _ in _LEVELS.values()),
        *_OF_STATE,
        *_EXPLORED,
    }
)
"""All samples that are looked at."""


def quality(earlier: Figures, now: Reading) -> QualityPoint:
    """Compare figures with those of before: shares of what was counted in between, levels as of now."""
    figures = {name: _share(each, earlier, now.figures) for name, each in _SHARES.items()}
    return QualityPoint(
        now.at, figures | {name: _level(now.figures, *each) for name, each in _LEVELS.items()}
    )


def says(figures: Figures) -> list[StatePart]:
    """Say what lists would earn if no place were drawn, since the worker's start; nothing where none is."""
    sums = WeightedSums(*(_sum(figures, name, ("of", of)) for of in ("lists", "hits") for name in _EXPLORED))
    found = unexplored(sums)
    if not sums.lists:
        return []
    name = "hit rate without drawn places"
    if found is None or found.effective < ENOUGH:
        worth = 0.0 if found is None else found.effective
        return [StatePart(name, f"too early to tell: {sums.lists:,.0f} lists are worth {worth:,.0f}")]
    value = found.snips
    with_them = sums.rewards / sums.lists
    told = (
        f"{value.value:.1%} (95 %: {max(0.0, value.low):.1%} to {value.high:.1%}); with them {with_them:.1%}"
    )
    return [StatePart(name, told)]


def _share(share: _Share, earlier: Figures, now: Figures) -> float | None:
    part = _sum(now, share.part, share.label) - _sum(earlier, share.part, share.label)
    whole = _sum(now, share.whole) - _sum(earlier, share.whole)
    # A counter that fell is that of a worker that was started again.
    return part / whole if whole > 0 and part >= 0 else None


def _sum(figures: Figures, name: str, label: tuple[str, str] | None = None) -> float:
    return sum(value for labels, value in figures.get(name, ()) if _bears(labels, label))


def _level(figures: Figures, name: str, label: tuple[str, str] | None) -> float | None:
    found = [value for labels, value in figures.get(name, ()) if _bears(labels, label)]
    return max(found, default=None)


def _bears(labels: dict[str, str], label: tuple[str, str] | None) -> bool:
    return label is None or labels.get(label[0]) == label[1]


def state(figures: Figures) -> list[StatePart]:
    """Give a line for each part of a worker."""
    return list(_state(figures))


def _state(figures: Figures) -> Iterator[StatePart]:
    for labels, _ in figures.get("freshrec_build_info", ())[:1]:
        yield StatePart("version", f"{labels.get('version', '?')}, Python {labels.get('python', '?')}")
    silent = _named(figures, "freshrec_child_up", "group", at_most=0)
    ups = len(figures.get("freshrec_child_up", ()))
    yield StatePart(
        "processes", f"no answer from {', '.join(silent)}" if silent else f"all {ups} answer", not silent
    )
    restarts = _sum(figures, "freshrec_child_restarts_total")
    yield StatePart("restarts since the worker's start", f"{restarts:,.0f}", restarts == 0)
    behind = _named(figures, "freshrec_stage_ready", "stage", at_most=0)
    yield StatePart("stages", f"not ready: {', '.join(behind)}" if behind else "all ready", not behind)
    yield from _waiting(figures)
    gaps = _sum(figures, "freshrec_gaps_total")
    yield StatePart("gaps between stages", f"{gaps:,.0f}", gaps == 0)
    yield from _kept(figures)
    yield StatePart(
        "records refused since the start", f"{_sum(figures, 'freshrec_rejected_total'):,.0f}", True
    )
    drifts = _sum(figures, "freshrec_drift_total")
    yield StatePart("changes noticed in what customers do", f"{drifts:,.0f}")


def _waiting(figures: Figures) -> Iterator[StatePart]:
    by_topic: dict[str, float] = {}
    for labels, value in figures.get("freshrec_lag_records", ()):
        by_topic[labels.get("topic", "?")] = by_topic.get(labels.get("topic", "?"), 0.0) + value
    waiting = sorted(((value, topic) for topic, value in by_topic.items() if value), reverse=True)
    told = ", ".join(f"{value:,.0f} of {topic}" for value, topic in waiting[:3]) or "none"
    stands = _level(figures, "freshrec_watchdog_age_seconds", None) or 0.0
    yield StatePart("records that wait", told, stands < STANDS_S)
    yield StatePart(
        "customers whose list is owed", f"{_sum(figures, 'freshrec_refreshes_pending'):,.0f}", True
    )


def _kept(figures: Figures) -> Iterator[StatePart]:
    yield StatePart("stores on disk", f"{_sum(figures, 'freshrec_rocksdb_bytes') / 1e6:,.1f} MB")
    age = _level(figures, "freshrec_snapshot_age_seconds", None)
    if age is not None:
        yield StatePart("oldest change in no snapshot", f"{age:,.0f} s")
    used = _level(figures, "freshrec_retention_used_ratio", None)
    if used is not None:
        yield StatePart("retention that is used up", f"{used:.0%}", used < RETENTION_SHARE)


def _named(figures: Figures, name: str, label: str, *, at_most: float) -> list[str]:
    return sorted({labels.get(label, "?") for labels, value in figures.get(name, ()) if value <= at_most})
