"""What a protocol lets happen, one after another: something is learned, or somebody asks for a list."""

import msgspec

from online_models.evaluation.contract import Query
from schemas.messages import Event, ItemFacts

Logged = Event | ItemFacts
"""What a log holds, in the order in which it happened: events, and rows of the catalogue."""


class Learn(msgspec.Struct, frozen=True, gc=False):
    """Every contender learns this; what came before was asked already."""

    what: Logged


class Ask(msgspec.Struct, frozen=True):
    """A question, and the answers that turn out to be right.

    `relevant` has at least one item. `cold` are those of them that have hardly been seen before, `new` those
    that never were; `stranger` says that nothing is known of who asks, `few` that it is little.
    """

    query: Query
    relevant: frozenset[str]
    cold: frozenset[str] = frozenset()
    stranger: bool = False
    new: frozenset[str] = frozenset()
    few: bool = False


Action = Learn | Ask
