"""Makes lessons for the ranker: what could have been recommended, and what was acted on next."""

from collections.abc import Sequence
from typing import Final
from zlib import crc32

import numpy as np

from online_models.evidence import Numbers
from online_models.list_features import BY_EVIDENCE, FEATURES, VERSION, Described
from online_models.open_sessions import ACTIONS
from online_models.protocols import Request, Views
from online_models.ranking import LearnedOrder, ListCandidates
from schemas.messages import Event, Lesson
from schemas.settings import Settings
from schemas.state import HistoryRow

_MOST_CHOSEN: Final = 10
MOST_WAITING: Final = 100
"""Lessons that may be made before the ranker is heard of again: it says once a second what it has learned.

Where it is behind, more are of no use.
"""

_BEST_SHARE: Final = 2 / 3
_SHOWN_MS: Final = 1_800_000
_CRC: Final = 1 << 32


class Teacher:
    """Makes a lesson of an event, before it is learned: of every one at first, then of fewer and fewer.

    An event that is to become one costs as much as a list, whether or not what was acted on was among the
    candidates. So of the events that ingest read in one second, the first `ranker.tries_per_s` are tried: all
    in a quiet shop, a sample in a busy one, which the input alone decides.

    Once `ranker.all_lessons` are learned, an event becomes a lesson with a chance of so many by those
    learned, told from where it is in its topic; so the number of lessons grows with the root of the number
    of events. A lesson holds what was acted on, the candidates that scored best, and some of the others; if
    what was acted on had been shown (an impression, not a list that was only emitted), there is one more,
    which holds what was shown.

    Parameters
    ----------
    views : Views
        What other stages published.
    settings : Settings
        `ranker`, and all that lists depend on.
    lists : ListCandidates, optional
        Those of the recommender, which has what was published prepared already.
    """

    def __init__(self, views: Views, settings: Settings, lists: ListCandidates | None = None) -> None:
        self._lists = lists or ListCandidates(views, settings)
        self._order = LearnedOrder(views, settings.ranker)
        self._settings = settings.ranker
        self._enabled = settings.ranker.enabled and settings.recommend.enabled and settings.sessions.held > 0
        self._learned, self._waiting = 0, 0
        self._second, self._tries = 0, 0

    def wants(self, x: Event) -> bool:
        """Whether this event is to become a lesson, if it is accepted."""
        if not (self._enabled and x.kind in ACTIONS and x.profiling and x.lines):
            return False
        learned = self._order.learned
        if learned != self._learned:
            self._learned, self._waiting = learned, 0
        if self._waiting >= MOST_WAITING:
            return False
        if learned > self._settings.all_lessons:
            drawn = crc32(f"{x.topic}:{x.partition}:{x.offset}".encode()) / _CRC
            if drawn >= self._settings.all_lessons / learned:
                return False
        return self._may_try(x.ingested_at // 1000)

    def _may_try(self, second: int) -> bool:
        """Whether one more event of a second may be tried; notes that it is."""
        if second != self._second:
            self._second, self._tries = second, 0
        self._tries += 1
        return not self._settings.tries_per_s or self._tries <= self._settings.tries_per_s

    def lessons(self, x: Event, history: HistoryRow | None) -> list[Lesson]:
        """Make the lessons of an event and the history before it; none if nobody proposed its items.

        The first is the choice among all candidates, the second, if what was acted on had been shown within
        the last half hour, that among what was shown.
        """
        if history is None or not history.sessions:
            return []
        found = self._lists.find(Request(history=history, now=x.at, key=x.key))
        described = self._lists.describe(found)
        places = {name: n for n, name in enumerate(described.names)}
        acted = [places[line.item] for line in x.lines[:_MOST_CHOSEN] if line.item in places]
        if not acted or len(places) < 2:
            return []
        self._waiting += 1
        made = [_lesson(x.at, described, self._kept(described, acted), acted)]
        if 0 <= x.at - history.shown_at <= _SHOWN_MS:
            shown = np.unique([places[item] for item in history.shown if item in places]).astype(np.intp)
            among = [place for place in acted if place in shown]
            if among and len(shown) > 1:
                made.append(_lesson(x.at, described, shown, among))
        return made

    def _kept(self, described: Described, acted: Sequence[int]) -> Numbers:
        """Choose the candidates of a lesson: those acted on, the best, and some of the others, evenly."""
        most = self._settings.lesson_candidates
        scores = self._order.scores(described) if self._order.ready() else described.features[:, BY_EVIDENCE]
        order = np.argsort(-scores, kind="stable")
        best, others = np.split(order, [max(1, round(most * _BEST_SHARE))])
        spread = np.linspace(0, len(others) - 1, min(len(others), most - len(best))).astype(np.intp)
        return np.unique(np.concatenate([best, others[spread], np.array(acted, np.intp)]))


def _lesson(at: int, described: Described, kept: Numbers, acted: Sequence[int]) -> Lesson:
    place_of = {place: n for n, place in enumerate(kept.tolist())}
    features = described.features[kept].astype("<f2")
    return Lesson(at, VERSION, FEATURES, [place_of[place] for place in acted], features.tobytes())
