"""The API as data: every path with its parameters, its body, its answer and its problems.

The server, the document (docs/openapi.json) and the page at /docs are made from this list.
"""

from typing import Final, Literal

import msgspec

from schemas.answers import (
    BasketAnswer,
    BasketQuestion,
    EventsAnswer,
    HistoryAnswer,
    ItemRules,
    PopularAnswer,
    Recommended,
    SegmentAnswer,
    SessionQuestion,
)
from schemas.cloud_events import BATCHED, STRUCTURED
from schemas.events import PublicMessage
from schemas.experiments import ExperimentReport
from schemas.recommendations import SimilarItems

Kind = Literal["length", "id", "ids", "flag"]


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of a query: `ids` may be named again and again."""

    name: str
    kind: Kind
    says: str


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A path that is answered; `answers` names what answers it, `problems` are its statuses.

    Any path has 401, 403 and 421 besides. `body` is what it takes as JSON; any other of `body_types` is a
    CloudEvent, or a batch of them.
    """

    method: str
    path: str
    answers: str
    says: str
    explains: str
    answer: object
    status: int = 200
    parameters: tuple[Parameter, ...] = ()
    body: object = None
    body_types: tuple[str, ...] = ("application/json",)
    problems: tuple[int, ...] = (400, 503)


K: Final = Parameter("k", "length", "How many items; recommend.k of the settings by default.")
EXCLUDE: Final = Parameter("exclude", "ids", "Items that shall not be in the answer, each named alone.")
CATEGORY: Final = Parameter("category", "id", "Only items of this category.")
CONTEXT: Final = Parameter(
    "context", "ids", "Items that the customer looks at now, oldest first; they are not in the answer."
)
EXPLAIN: Final = Parameter("explain", "flag", "false leaves reasons out; true by default.")

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        method="GET",
        path="/v1/users/{id}/recommendations",
        answers="recommendations",
        says="A customer's list.",
        explains=(
            "The standing list, which every event of the customer refreshes, less what is excluded, sold out "
            "or of another category. Where that leaves too few, or `context` is given, a list is made for "
            "the question. Who is not known gets what is popular, marked `fallback`."
        ),
        answer=Recommended,
        parameters=(K, CONTEXT, EXCLUDE, CATEGORY, EXPLAIN),
    ),
    Route(
        method="POST",
        path="/v1/sessions/recommendations",
        answers="session",
        says="A list for a guest, by the items of the session so far.",
        explains="Nothing is kept of the question. Without items it is what is popular, marked `fallback`.",
        answer=Recommended,
        body=SessionQuestion,
        problems=(400, 413, 503),
    ),
    Route(
        method="GET",
        path="/v1/items/{id}/similar",
        answers="similar",
        says="The items most similar to one.",
        explains="By customers who had to do with both: cosine in [0, 1].",
        answer=SimilarItems,
        parameters=(K, EXCLUDE, CATEGORY),
        problems=(400, 404, 503),
    ),
    Route(
        method="GET",
        path="/v1/items/{id}/rules",
        answers="rules",
        says="The association rules of an item, over orders and over sessions.",
        explains="By confidence, at most `rules.neighbour_rules` of the settings in each scope.",
        answer=list[ItemRules],
        parameters=(K, EXCLUDE),
        problems=(400, 404, 503),
    ),
    Route(
        method="POST",
        path="/v1/baskets",
        answers="basket",
        says="What goes with a basket, by the rules of all its items.",
        explains="Items of the basket are not in the answer. An item that nobody knows adds nothing.",
        answer=BasketAnswer,
        body=BasketQuestion,
        problems=(400, 413, 503),
    ),
    Route(
        method="GET",
        path="/v1/users/{id}/segment",
        answers="segment",
        says="A customer's segment, and what it is like.",
        explains="As topic `segments` has it.",
        answer=SegmentAnswer,
        problems=(400, 404, 503),
    ),
    Route(
        method="GET",
        path="/v1/users/{id}/history",
        answers="history",
        says="What is known of a customer: items and last sessions.",
        explains="As of the newest list. There is none of guests, nor of who did not agree to be profiled.",
        answer=HistoryAnswer,
        problems=(400, 404, 503),
    ),
    Route(
        method="GET",
        path="/v1/popular",
        answers="popular",
        says="What is popular now, overall or in a category.",
        explains="Decayed numbers of actions, weighted by what they are.",
        answer=PopularAnswer,
        parameters=(K, EXCLUDE, CATEGORY),
    ),
    Route(
        method="GET",
        path="/v1/experiments",
        answers="experiments",
        says="What came of the variants of each experiment.",
        explains=(
            "As `freshrec experiments` says it. Intervals of differences and their p-values hold at any "
            "time: ask as often as you like."
        ),
        answer=list[ExperimentReport],
    ),
    Route(
        method="POST",
        path="/v1/events",
        answers="events",
        says="Send a message, or an array of messages, to their topics.",
        explains=(
            "Checked as ingest does. 202 means that Kafka has all of them; 400 names every fault, and then "
            "none was sent. After a 503 send the same again: an event id counts once. CloudEvents 1.0 are "
            "taken in every mode: what they bear is sent on, with the id and the time that it lacks."
        ),
        answer=EventsAnswer,
        status=202,
        body=PublicMessage | list[PublicMessage],
        body_types=("application/json", STRUCTURED, BATCHED),
        problems=(400, 413, 503),
    ),
)
"""In the order in which the document shows them."""
