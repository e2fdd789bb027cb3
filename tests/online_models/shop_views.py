"""Rows for small hand-made shops, and random shops: what a recommender can be asked about."""

from collections.abc import Sequence

import msgspec
from hypothesis import strategies as st

from online_models.attributes import attributes_of
from online_models.content_index import ContentIndex
from online_models.list_features import FEATURES, VERSION, prior
from online_models.memory_views import MemoryViews
from online_models.protocols import Answer, Request
from online_models.ranker import ListwiseRanker
from online_models.recommender import BlendRecommender
from online_models.session_index import SessionIndex
from schemas.messages import (
    WEIGHT_ONE,
    Centroids,
    ItemFacts,
    Neighbour,
    NeighbourRule,
    Neighbours,
    RankerWeights,
    SegmentTop,
)
from schemas.settings import RankerSettings, RecommendSettings, Settings
from schemas.state import HistoryRow, ItemMark, SessionMark

NOW = 1_700_000_000_000
ITEMS = [f"i{n:02}" for n in range(16)]
IN_SESSIONS = [*ITEMS, "k0", "k1", "k2"]
"""Items that are in sessions; the last ones no other source speaks for."""

CATEGORIES = [f"c{n}" for n in range(6)]
_WEIGHTS = (
    *("similarity_weight", "rules_weight", "session_rules_weight", "recent_weight", "popularity_weight"),
    "content_weight",
)


def a_rule(item: str, confidence: float, count: float, *, lift: float = 2.0) -> NeighbourRule:
    return NeighbourRule(item, count, 0.01, confidence, lift)


def partners(
    item: str,
    similar: Sequence[tuple[str, float, float]] = (),
    *,
    orders: Sequence[NeighbourRule] = (),
    sessions: Sequence[NeighbourRule] = (),
) -> Neighbours:
    rules = {"orders": list(orders), "sessions": list(sessions)}
    return Neighbours(item, [Neighbour(*entry) for entry in similar], rules)


def facts(item: str, categories: Sequence[str] = (), *, available: bool = True) -> ItemFacts:
    return ItemFacts(item, None, list(categories), None, None, [], available, 0)


def viewed(at: int = NOW) -> ItemMark:
    return ItemMark(WEIGHT_ONE, at)


def bought(at: int = NOW) -> ItemMark:
    return ItemMark(4 * WEIGHT_ONE, at, had=True)


def history(**marks: ItemMark) -> HistoryRow:
    return HistoryRow(dict(marks))


def settings(**changes: float) -> Settings:
    return Settings(recommend=msgspec.convert(changes, RecommendSettings))


def segments(*tops: Sequence[tuple[str, float]], centres: Sequence[Sequence[float]]) -> Centroids:
    width = len(centres[0])
    profiles = [SegmentTop(1, 0.0, 0.0, 0.0, [], list(top)) for top in tops]
    return Centroids("1", [0.0] * width, [1.0] * width, [list(centre) for centre in centres], profiles, NOW)


def session_index(*sessions: Sequence[str]) -> SessionIndex:
    """Sessions of guests s:0, s:1, ..., one behind the other."""
    index = SessionIndex(sessions=30)
    for n, items in enumerate(sessions):
        for item in items:
            index.learn_one(f"s:{n}", None, item, NOW - 1_000 + n)
    return index


def ranker_weights(seed: int | None = None, *, learned: int = 1) -> RankerWeights:
    """A ranker drawn by chance, or one that orders by the evidence alone."""
    drawn = ListwiseRanker(FEATURES, prior=prior()) if seed is None else ListwiseRanker(FEATURES, seed=seed)
    weights, out = drawn.weights()
    return RankerWeights(VERSION, learned, FEATURES, len(out), weights.tobytes(), out.tobytes())


def without_customers(using: Settings) -> Settings:
    """Settings with which nobody is asked what customers with the same items have."""
    return msgspec.structs.replace(
        using, recommend=msgspec.structs.replace(using.recommend, users_weight=0.0)
    )


def warm(using: Settings, *, warm_up: int = 1) -> Settings:
    """Settings with which the ranker orders lists after so many lessons."""
    return msgspec.structs.replace(using, ranker=RankerSettings(warm_up=warm_up))


_shares = st.floats(0.0, 1.0)
_counts = st.floats(0.0, 50.0)
_some_items = st.lists(st.sampled_from(ITEMS), unique=True, max_size=6)


@st.composite
def _rows(draw: st.DrawFn, item: str) -> Neighbours:
    def rules() -> list[NeighbourRule]:
        return [
            a_rule(name, draw(_shares), draw(_counts), lift=draw(st.sampled_from([0.5, 1.0, 3.0])))
            for name in draw(_some_items)
        ]

    similar = [(name, draw(_shares), draw(_counts)) for name in draw(_some_items)]
    return partners(item, similar, orders=rules(), sessions=rules())


@st.composite
def _popular(draw: st.DrawFn) -> list[tuple[str, float]]:
    found = [(name, draw(_counts)) for name in draw(_some_items)]
    return sorted(found, key=lambda entry: -entry[1])


@st.composite
def shops(draw: st.DrawFn) -> MemoryViews:
    """Views of a random shop of 16 items and 6 categories, some items unknown or unavailable."""
    scopes = ["all", *(f"category:{name}" for name in CATEGORIES)]
    catalogue = [
        facts(name, draw(st.lists(st.sampled_from(CATEGORIES), max_size=2)), available=draw(st.booleans()))
        for name in draw(st.lists(st.sampled_from(ITEMS), unique=True))
    ]
    content = ContentIndex(items=9) if draw(st.booleans()) else None
    if content is not None:
        for row in catalogue:
            content.learn_one(row)
    return MemoryViews(
        content=content,
        neighbours=[draw(_rows(name)) for name in draw(_some_items)],
        popular={scope: draw(_popular()) for scope in scopes if draw(st.booleans())},
        items=catalogue,
    )


@st.composite
def warm_shops(draw: st.DrawFn) -> MemoryViews:
    """Views of a random shop, with sessions and a ranker after one lesson."""
    views = draw(shops())
    acts = st.lists(st.sampled_from(IN_SESSIONS), min_size=1, max_size=5)
    views.session_index = session_index(*draw(st.lists(acts, max_size=12)))
    views.ranker_weights = ranker_weights(draw(st.none() | st.integers(0, 20)))
    return views


@st.composite
def _sessions(draw: st.DrawFn) -> list[SessionMark]:
    """What a customer did in an older session, and in one that may be open."""
    acts = st.lists(st.sampled_from(IN_SESSIONS), max_size=4)
    ends = [NOW - 86_400_000, NOW - draw(st.sampled_from([0, 3_600_000]))]
    return [SessionMark(f"{at}", at, at, [], draw(acts)) for at in ends[draw(st.integers(0, 2)) :]]


@st.composite
def histories(draw: st.DrawFn) -> HistoryRow | None:
    """A random customer of such a shop, or a stranger."""
    if draw(st.integers(0, 9)) == 0:
        return None
    marks: dict[str, ItemMark] = {}
    at = NOW
    for name in draw(st.lists(st.sampled_from(ITEMS), unique=True, max_size=10)):
        kind = draw(st.sampled_from(["viewed", "carted", "bought", "rated", "disliked"]))
        weight = {"viewed": 1, "carted": 2, "bought": 4, "rated": 3, "disliked": 0}[kind] * WEIGHT_ONE
        had = kind in ("bought", "rated", "disliked")
        at -= draw(st.sampled_from([0, 1_000, 86_400_000]))
        marks[name] = ItemMark(weight, at, had, kind == "disliked")
    return HistoryRow(dict(reversed(marks.items())), draw(_sessions()))


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """A random question about such a shop."""
    exclude = frozenset(draw(st.lists(st.sampled_from(ITEMS), max_size=4)))
    key, k = draw(st.sampled_from(["", "u:anna", "s:0"])), draw(st.integers(0, 16))
    return Request(history=draw(histories()), now=NOW, key=key, k=k, exclude=exclude)


@st.composite
def any_settings(draw: st.DrawFn) -> Settings:
    """Random settings of the list; some weights are 0."""
    changes: dict[str, float] = {name: draw(st.sampled_from([0.0, 0.1, 0.7, 3.0])) for name in _WEIGHTS}
    return settings(
        repeat_purchases=draw(st.booleans()),
        max_recent=draw(st.integers(0, 4)),
        max_reasons=draw(st.integers(1, 4)),
        history_items=draw(st.integers(1, 12)),
        **changes,
    )


def marks_of(request: Request) -> dict[str, ItemMark]:
    return request.history.items if request.history is not None else {}


def ask(views: MemoryViews, row: HistoryRow | None, *, k: int = 10, using: Settings | None = None) -> Answer:
    return BlendRecommender(views, using or Settings()).recommend(Request(history=row, now=NOW, k=k))


def ids(answer: Answer) -> list[str]:
    return [place.item_id for place in answer.items]


def alike(views: MemoryViews, request: Request, profile: Sequence[str]) -> set[str]:
    """Items in the index of content that have anything in common with items of a customer."""
    mine = {name for item in profile if (row := views.item(item)) is not None for name in attributes_of(row)}
    held = views.content_index.known() if views.content_index is not None else []
    rows = [row for item in held if item not in marks_of(request) and (row := views.item(item)) is not None]
    return {row.item for row in rows if mine & set(attributes_of(row))}


def reachable(views: MemoryViews, request: Request, using: Settings) -> set[str]:
    """Every item that some source but the sessions may name, worked out without regard to speed."""
    wanted = using.recommend
    asking = [item for item, mark in reversed(marks_of(request).items()) if not mark.disliked]
    like = alike(views, request, asking[: using.content.profile_items]) if wanted.content_weight else set()
    asking = asking[: wanted.history_items]
    known = {item for item, _ in views.popular("all")} | like
    if wanted.recent_weight:
        known |= {item for item in asking if not marks_of(request)[item].had}
    for item in asking:
        row = views.neighbours(item)
        if row is not None:
            known |= {similar.item_id for similar in row.similar if wanted.similarity_weight}
            for scope, weight in (
                ("orders", wanted.rules_weight),
                ("sessions", wanted.session_rules_weight),
            ):
                known |= {rule.item_id for rule in row.rules[scope] if weight and rule.lift >= 1}
    size = -1
    while len(known) > size:
        size = len(known)
        for item in [*asking, *known]:
            found = views.item(item)
            for category in found.categories if found is not None else ():
                known |= {name for name, _ in views.popular(f"category:{category}")}
    return known
