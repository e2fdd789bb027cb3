"""The house itself as a contender: all its steps in one process, and its recommender on their views."""

from typing import Final

from online_models.amounts import kept_of
from online_models.clusters import ClustersStep
from online_models.deltas import Delta
from online_models.evaluation.contract import Query
from online_models.evaluation.delta_batches import packed
from online_models.evaluation.fresh_views import FreshViews
from online_models.evaluation.plain_store import PlainStore
from online_models.history import HistoryStep
from online_models.lessons import Teacher
from online_models.pair_table import used
from online_models.popularity import PopularityStep
from online_models.protocols import Request
from online_models.ranker_step import RankerStep
from online_models.recommender import BlendRecommender
from online_models.rules import RulesStep
from online_models.segments import SegmentsStep
from online_models.session_index import SessionIndex
from schemas.clusters import ClusterRow
from schemas.messages import BEFORE_ALL, SCOPES, Event, Fact, ItemFacts, Lesson
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

_MOST_TOGETHER: Final = 256
"""Deltas that are learned together while nobody asks; after a question, each at once."""


class InProcess:
    """All steps of the house, the newest sessions, and the blend that answers from them.

    Parameters
    ----------
    settings : Settings
        As for a worker.

    Notes
    -----
    The answer to a query comes from its history row, so that it goes on where models learn nothing. Every
    question finds all that was learned before it; online, what is published may be a second old.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> from schemas.state import ItemMark
    >>> house = InProcess(Settings())
    >>> for n in range(8):
    ...     for item in ("tea", "cup"):
    ...         at = 60_000 * n
    ...         house.learn_one(Event(f"u:{n}", "view", at, "browses", 0, n, at, at, lines=[Line(item, [])]))
    >>> row = HistoryRow({"tea": ItemMark(1 << 20, 480_000)})
    >>> [item for item, _ in house.rank(Query(key="u:anna", now=480_000, k=1, history=row))]
    ['cup']
    """

    def __init__(self, settings: Settings) -> None:
        totals, rows, names = PlainStore[TotalsRow](), PlainStore[RuleRow](), PlainStore[str]()
        stores = PlainStore[ExpiryRow](), PlainStore[GuestChunk]()
        self._histories = PlainStore[HistoryRow]()
        self._history = HistoryStep(self._histories, totals, *stores, settings)
        self._rows, self._settings = rows, settings
        self._rules = RulesStep(rows, names, settings)
        items, leaders = PlainStore[PopularityRow](), PlainStore[PopularityRow]()
        self._popularity = PopularityStep(items, leaders, settings)
        self._segments = SegmentsStep(PlainStore[SegmentRow]())
        self._clusters = ClustersStep(PlainStore[ClusterRow](), settings)
        self._ranker = RankerStep(PlainStore[RankerRow]())
        self._sessions = SessionIndex(sessions=settings.sessions.held) if settings.sessions.held else None
        self._views = FreshViews(
            rows,
            names,
            totals,
            self._popularity,
            self._clusters,
            self._ranker,
            self._sessions,
            settings,
        )
        self._recommender = BlendRecommender(self._views, settings)
        self._teacher = Teacher(self._views, settings, self._recommender.lists)
        self._waiting: list[Delta] = []
        self._together = _MOST_TOGETHER

    def learn_one(self, x: Event) -> None:
        self._views.advance(x.at)
        lessons: list[Lesson] = []
        if self._teacher.wants(x):
            self._learn_waiting()
            lessons = self._teacher.lessons(x, self._histories.get(x.key))
        outputs = self._history.learn_one(x)
        for lesson in lessons if outputs else ():
            self._ranker.learn_one(lesson)
        for output in outputs:
            if isinstance(output, Delta):
                self._waiting.append(output)
            else:
                self._learn_fact(output)
        if len(self._waiting) >= self._together:
            self._together = min(2 * self._together, _MOST_TOGETHER)
            self._learn_waiting()

    def learn_item(self, x: ItemFacts) -> None:
        """Learn a row of the catalogue."""
        self._views.note_item(x)

    def rank(self, query: Query) -> list[tuple[str, float]]:
        # What was put off is learned as it would have been at once: nothing depends on who asks.
        self._learn_waiting()
        self._together = 1
        request = Request(
            history=query.history,
            now=query.now,
            key=query.key,
            k=query.k,
            exclude=query.exclude,
            seed=f"{query.key} {query.now}",
        )
        return [(place.item_id, place.score) for place in self._recommender.recommend(request).items]

    def held(self) -> dict[str, int]:
        """Return how many histories, rows of pairs, sessions and lessons there are, by name.

        `full_histories` have as many items as a history can have, `full_pair_rows` as many partners in a
        scope as are left when a row is cut.
        """
        sessions, weights = self._sessions, self._ranker.weights()
        items, partners = self._settings.history.max_items, kept_of(self._settings.rules.max_row)
        histories, tables = self._histories.rows.values(), [row.pairs for row in self._rows.rows.values()]
        scopes = range(len(SCOPES))
        return {
            "histories": len(histories),
            "full_histories": sum(len(row.items) >= items for row in histories),
            "pair_rows": len(tables),
            "full_pair_rows": sum(
                any(used(table, scope) >= partners for scope in scopes) for table in tables
            ),
            "sessions": 0 if sessions is None else min(sessions.newest + 1, len(sessions.items)),
            "lessons": 0 if weights is None else weights.learned,
        }

    def _learn_fact(self, fact: Fact) -> None:
        if self._sessions is not None:
            self._sessions.learn_fact(fact)
        for sample in self._segments.learn_one(fact):
            self._clusters.learn_one(sample)
            self._views.note_clusters()

    def _learn_waiting(self) -> None:
        if not self._waiting:
            return
        deltas, self._waiting = packed(self._waiting), []
        self._views.note_counts(self._rules.learn_many(deltas, BEFORE_ALL))
        self._views.note_scopes(self._popularity.learn_many(deltas, BEFORE_ALL))
