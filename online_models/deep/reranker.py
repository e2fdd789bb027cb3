"""Lists of another recommender, put into the order of what showing an item is worth in the long run."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec.structs import replace

from online_models.deep.open_slates import Shown
from online_models.deep.settings import SlateShape
from online_models.deep.slate_values import SlateValues
from online_models.evaluation.contract import Contender, Query
from online_models.open_sessions import ACTIONS
from online_models.ranking import as_chances
from schemas.messages import Event
from schemas.settings import WeightSettings

_LINES: Final = 10
"""So many lines of one event are acts; the list's own recommender learns all."""


class Reranker:
    """Orders the first places of a list by a Q-network that learns from what is acted on next.

    A log of acts does not say what was shown: the list that would have been, before each act, stands in for
    it, with a propensity of 1.

    Parameters
    ----------
    lists : Contender
        Makes the lists; nobody else may teach it.
    values : SlateValues
        Nobody else may teach them either.
    shape : SlateShape
        Of their network.
    weights : WeightSettings
        What each kind of act is worth; a rating below half of its scale nothing.
    repeats : bool
        Whether lists may hold what somebody acted on in the session.
    """

    def __init__(
        self,
        lists: Contender,
        values: SlateValues,
        shape: SlateShape,
        weights: WeightSettings,
        *,
        repeats: bool,
    ) -> None:
        self._lists, self._values, self._places = lists, values, shape.places
        self._weights, self._repeats = weights, repeats

    def learn_one(self, x: Event) -> None:
        if x.kind in ACTIONS:
            for line in x.lines[:_LINES]:
                session = self._values.session(x.key, x.session_id, x.at)
                has = frozenset[str]() if self._repeats else frozenset(session)
                query = Query(key=x.key, now=x.at, k=self._places, session=session, exclude=has)
                self._values.show(x.key, x.session_id, shown(self._lists.rank(query)), x.at)
                self._values.act(x.key, x.session_id, line.item, worth(x, self._weights), x.at)
        self._lists.learn_one(x)

    def rank(self, query: Query) -> Sequence[tuple[str, float]]:
        ranked = self._lists.rank(replace(query, k=max(query.k, self._places)))
        first, rest = shown(ranked[: self._places]), ranked[self._places : query.k]
        if not first:
            return []
        values = self._values.values(query.session, first)
        best = sorted(zip((-value for value in values), first, strict=True), key=lambda each: each[0])
        found = [(each.item, -negative) for negative, each in best]
        lowest = found[-1][1]
        return (found + [(item, lowest - n) for n, (item, _) in enumerate(rest, start=1)])[: query.k]


def shown(ranked: Sequence[tuple[str, float]]) -> list[Shown]:
    """Return a list, best first, as a slate; its scores, as a softmax, are the evidence.

    Examples
    --------
    >>> [(each.item, each.evidence) for each in shown([("tea", 1.0), ("cup", 1.0)])]
    [('tea', 0.5), ('cup', 0.5)]
    """
    chances = as_chances(np.array([score for _, score in ranked], np.float64))
    return [Shown(item, float(chance)) for (item, _), chance in zip(ranked, chances, strict=True)]


def worth(x: Event, weights: WeightSettings) -> float:
    """Return what an act earns: its implicit weight.

    Examples
    --------
    >>> rated = Event("u:a", "rating", 0, "ratings", 0, 0, 0, 0, value=4.0, scale_max=5.0)
    >>> worth(rated, WeightSettings())
    2.6
    """
    if x.kind != "rating":
        return float(getattr(weights, x.kind))
    value, scale_max = x.value or 0.0, x.scale_max or 1.0
    return 0.0 if value < scale_max / 2 else 1.0 + weights.rating * value / scale_max
