"""Every model by name, with a factory and what it keeps: for checks, tests and whoever picks a model.

A factory asks a store maker for its stores; where these are, and in which partition, is the caller's.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar

from online_models import bounds
from online_models.clusters import ClustersStep
from online_models.density import DensityStep
from online_models.history import HistoryStep
from online_models.needs import NeedsStep
from online_models.outcomes import KEY as OPEN
from online_models.outcomes import OutcomesStep
from online_models.popularity import PopularityStep, PopularityTouch
from online_models.profiles import ProfilesStep
from online_models.protocols import Recommender, Step, Store, Views
from online_models.ranker_step import RankerStep
from online_models.recommender import BlendRecommender
from online_models.rules import RulesStep, unpack
from online_models.segments import SegmentsStep
from online_models.trees import TreesStep
from schemas.clusters import ClusterRow
from schemas.density import DensityRow
from schemas.messages import ItemDeltas
from schemas.profiles import NeedsRow, ProfileRow
from schemas.settings import Settings
from schemas.state import (
    ExpiryRow,
    GuestChunk,
    HistoryRow,
    PopularityRow,
    RankerRow,
    RuleRow,
    SegmentRow,
    TotalsRow,
)
from schemas.trees import LeafRow, OpenVisits, TreesRow, VisitRow

V = TypeVar("V")


class StoreMaker(Protocol):
    """Makes the store of one type of row; the one-character prefix sets its keys apart."""

    def __call__(self, prefix: str, row_type: type[V]) -> Store[V]: ...


class Model(NamedTuple):
    """A step and what it documents of its state.

    `own` is the prefix of the rows under key(x); `bookkeeping` are patterns of the further keys that it
    may touch, by prefix; `bounds` gives the most bytes of a row by prefix, when no id is longer than so
    many bytes. A model with `learn_many` has `split`, which takes a batch apart into inputs of `learn_one`.
    """

    make: Callable[[StoreMaker, Settings], Step[Any, Any]]
    own: str
    bookkeeping: Mapping[str, str]
    bounds: Callable[[Settings, int], Mapping[str, int]]
    split: Callable[[ItemDeltas], Sequence[Any]] | None = None


def _history(store: StoreMaker, settings: Settings) -> HistoryStep:
    rows, totals = store("h", HistoryRow), store("t", TotalsRow)
    return HistoryStep(rows, totals, store("x", ExpiryRow), store("g", GuestChunk), settings)


def _rules(store: StoreMaker, settings: Settings) -> RulesStep:
    return RulesStep(store("r", RuleRow), store("n", str), settings)


def _popularity(store: StoreMaker, settings: Settings) -> PopularityStep:
    return PopularityStep(store("i", PopularityRow), store("l", PopularityRow), settings)


def _popularity_touches(deltas: ItemDeltas) -> list[PopularityTouch]:
    return [
        PopularityTouch(deltas.names[touch.item], deltas.ats[touch.event], touch.weight, touch.categories)
        for touch in deltas.touches
    ]


def _segments(store: StoreMaker, _settings: Settings) -> SegmentsStep:
    return SegmentsStep(store("s", SegmentRow))


def _clusters(store: StoreMaker, settings: Settings) -> ClustersStep:
    return ClustersStep(store("c", ClusterRow), settings)


def _ranker(store: StoreMaker, _settings: Settings) -> RankerStep:
    return RankerStep(store("w", RankerRow))


def _outcomes(store: StoreMaker, settings: Settings) -> OutcomesStep:
    return OutcomesStep(store("v", VisitRow), store("o", OpenVisits), settings)


def _trees(store: StoreMaker, settings: Settings) -> TreesStep:
    return TreesStep(store("t", TreesRow), store("l", LeafRow), settings)


def _density(store: StoreMaker, settings: Settings) -> DensityStep:
    return DensityStep(store("d", DensityRow), settings)


def _profiles(store: StoreMaker, settings: Settings) -> ProfilesStep:
    return ProfilesStep(store("p", ProfileRow), settings)


def _needs(store: StoreMaker, settings: Settings) -> NeedsStep:
    return NeedsStep(store("n", NeedsRow), settings)


STEPS: Mapping[str, Model] = MappingProxyType(
    {
        "history": Model(
            _history,
            own="h",
            # N and the clock are the partition's; an event may be the one at which guests are due to go.
            bookkeeping={"t": "totals", "x": "clock", "g": r"-?\d+:\d+", "h": "[so]:.*"},
            bounds=bounds.history,
        ),
        "rules": Model(_rules, own="r", bookkeeping={"n": "[0-9a-f]{16}"}, bounds=bounds.rules, split=unpack),
        "popularity": Model(
            _popularity,
            own="i",
            # An item's weight is entered into the leaders of all and of its categories.
            bookkeeping={"l": "all|category:.*"},
            bounds=bounds.popularity,
            split=_popularity_touches,
        ),
        "segments": Model(_segments, own="s", bookkeeping={}, bounds=bounds.segments),
        "clusters": Model(_clusters, own="c", bookkeeping={}, bounds=bounds.clusters),
        "ranker": Model(_ranker, own="w", bookkeeping={}, bounds=bounds.ranker),
        "outcomes": Model(
            _outcomes,
            own="v",
            # An event may be the one at which sessions of others have rested long enough.
            bookkeeping={"o": OPEN, "v": "[us]:.*"},
            bounds=bounds.outcomes,
        ),
        "trees": Model(_trees, own="t", bookkeeping={"l": r"(buys|next)/\d+/\d+"}, bounds=bounds.trees),
        "density": Model(_density, own="d", bookkeeping={}, bounds=bounds.density),
        "profiles": Model(_profiles, own="p", bookkeeping={}, bounds=bounds.profiles),
        "needs": Model(_needs, own="n", bookkeeping={}, bounds=bounds.needs),
    }
)
"""What learns, in the order in which events flow."""

RECOMMENDERS: Mapping[str, Callable[[Views, Settings], Recommender]] = MappingProxyType(
    {"blend": BlendRecommender}
)
"""What answers."""
