"""The contracts, read first. A model learns with `learn_one` and answers with `recommend`.

No model names a partition, a topic or a transaction: the runner opens, commits, recovers and sends.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

import msgspec
from numpy import float32
from numpy.typing import NDArray

from online_models.business_rules import BusinessRules
from online_models.content_index import ContentIndex
from online_models.session_index import SessionIndex
from schemas.messages import Centroids, ItemFacts, Neighbours, RankerWeights
from schemas.recommendations import RecommendedItem
from schemas.state import HistoryRow

V = TypeVar("V")
In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)


class Store(Protocol[V]):
    """One stage's state in one partition; values cross it, bytes never do."""

    def get(self, key: str) -> V | None: ...

    def put(self, key: str, value: V) -> None: ...

    def delete(self, key: str) -> None: ...


class Step(Protocol[In_contra, Out_co]):
    """Learns. A function of its input log alone; it may touch only the state under `key(x)`."""

    def key(self, x: In_contra) -> str: ...

    def learn_one(self, x: In_contra) -> Sequence[Out_co]: ...


class Views(Protocol):
    """Item-keyed knowledge that other stages published, and the shop's own rules; read only."""

    def neighbours(self, item: str) -> Neighbours | None: ...

    def popular(self, scope: str) -> Sequence[tuple[str, float]]: ...

    def centroids(self) -> Centroids | None: ...

    def item(self, item: str) -> ItemFacts | None: ...

    def sessions(self) -> SessionIndex | None: ...

    def ranker(self) -> RankerWeights | None: ...

    def content(self) -> ContentIndex | None: ...

    def business_rules(self) -> BusinessRules: ...


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: for whom (their history, None for a stranger), how many, as of when (epoch ms).

    `key` is as in events (`u:anna`), "" for somebody whose own sessions need not be told from others'.
    `category` leaves items of other categories out, unless it is "".
    `seed` is what exploring draws from: the id of the list, so that it can be made again as it was.
    `ruled_at` is the moment that windows of business rules are judged by, `now` by default.
    """

    history: HistoryRow | None
    now: int
    key: str = ""
    k: int = 10
    exclude: frozenset[str] = frozenset()
    category: str = ""
    seed: str = ""
    ruled_at: int | None = None


class Answer(msgspec.Struct, frozen=True):
    """A list, in the order of its places, with the segment that it took into account."""

    items: list[RecommendedItem]
    segment: str | None


class Ranker(Protocol):
    """Orders lists by the features of their candidates, shape (candidates, features)."""

    def learn_one(self, features: NDArray[float32], outcome: int) -> None:
        """Learn which candidate of a list was chosen, by its place."""
        ...

    def score_many(self, features: NDArray[float32]) -> NDArray[float32]: ...


class Recommender(Protocol):
    """Answers from views and a history; never writes."""

    def recommend(self, request: Request) -> Answer: ...
