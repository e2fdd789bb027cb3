"""What is evaluated: anything that learns one event at a time and ranks items for whoever asks."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from schemas.messages import Event
from schemas.state import HistoryRow


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what is known of them at that moment; the answer is not in it.

    `key` is as in events (`u:anna`, `s:session`), `session` are the items of the session that is open, oldest
    first, repeats kept; `history` is the row that the history step keeps, None for a stranger. `exclude`
    must not be ranked. `now` is in epoch ms.
    """

    key: str
    now: int
    k: int
    session: Sequence[str] = ()
    history: HistoryRow | None = None
    exclude: frozenset[str] = frozenset()


class Contender(Protocol):
    """One recommender under test.

    `learn_one` may keep whatever is bounded; `rank` neither writes nor draws at random, so that an event can
    be scored before it is learned.
    """

    def learn_one(self, x: Event) -> None: ...

    def rank(self, query: Query) -> Sequence[tuple[str, float]]:
        """Return at most `query.k` items with their scores, best first, ties by item id."""
        ...
