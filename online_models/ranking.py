"""What could be in somebody's list, from all sources, and the order in which a learned ranker puts it."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_models import features, kmeans
from online_models.candidates import Candidates
from online_models.content import ContentSource
from online_models.customer_neighbours import CustomerNeighbours
from online_models.evidence import Block, ItemNumbers, Renumbered
from online_models.list_features import FEATURES, VERSION, Described, describe
from online_models.protocols import Request, Views
from online_models.published import PublishedBlocks
from online_models.ranker_kernels import chances, score
from online_models.session_candidates import Candidates as SessionCandidatesFound
from online_models.session_candidates import SessionCandidates
from online_models.session_index import SessionIndex
from online_models.sessions import acts_of
from online_models.social import SocialSource
from online_models.sources import UsersBlock
from online_models.traces import Trace, newest_traces
from schemas.messages import RankerWeights
from schemas.settings import RankerSettings, Settings
from schemas.state import HistoryRow

_OF_CUSTOMERS: Final = 50
"""Items of near customers that are candidates."""


class Found:
    """All that speaks for items when somebody asks; `describe` makes candidates of it.

    Attributes
    ----------
    candidates : Candidates
        The blocks of evidence; may be widened.
    evidence : Evidence
        Their sum.
    segment : str or None
        The customer's segment.
    key : str
        Whose list it is, as in events.
    session, earlier : list of str
        Items of the open session, and of those before; oldest first.
    """

    def __init__(
        self,
        request: Request,
        candidates: Candidates,
        segment: str | None,
        published: PublishedBlocks,
        *,
        gap_ms: int,
    ) -> None:
        self.candidates, self.segment, self.evidence = candidates, segment, candidates.evidence()
        self.session, self.earlier = acts_of(request.history, request.key, request.now, gap_ms=gap_ms)
        self.key = request.key
        self._request, self._numbers = request, published.numbers

    def widen(self, counts: Callable[[str], bool], *, missing: int) -> None:
        """Ask further categories for popular items, as `Candidates.widen` does."""
        self.candidates.widen(counts, missing=missing)
        self.evidence = self.candidates.evidence()

    def describe(self, sessions: "InSessions | None") -> Described:
        """Return all candidates with their features."""
        request = self._request
        proposed, numbers = SessionCandidatesFound.none(), np.zeros(0, np.intp)
        if sessions is not None:
            proposed = sessions.found.find(request.key, self.session, request.now, earlier=self.earlier)
            numbers = sessions.numbers.of(proposed.numbers)
        return describe(self._numbers, self.evidence, proposed, numbers, request.history, request.now)


class InSessions(NamedTuple):
    """Where candidates are found in an index of sessions, and how the evidence numbers them."""

    sessions: SessionIndex
    found: SessionCandidates
    customers: CustomerNeighbours
    numbers: Renumbered


class ListCandidates:
    """Finds what could be in a list.

    Parameters
    ----------
    views : Views
        What other stages published.
    settings : Settings
        Weights of the sources, and bounds.
    """

    def __init__(self, views: Views, settings: Settings) -> None:
        self.views, self._settings = views, settings.recommend
        self._sessions, self._gap_ms = settings.sessions, settings.history.session_gap_s * 1000
        self._fewest = settings.privacy.min_customers
        self._published = PublishedBlocks(views, settings.recommend)
        self._content, self._social = ContentSource(views, settings), SocialSource(settings)
        self._in_sessions: InSessions | None = None

    @property
    def numbers(self) -> ItemNumbers:
        """Numbers of items, as candidates have them."""
        return self._published.numbers

    def find(self, request: Request) -> Found:
        """Ask every source but the sessions, which answer when candidates are described."""
        settings = self._settings
        self._published.bound()
        traces = newest_traces(
            request.history,
            now=request.now,
            history_items=max(settings.history_items, self._content.asked),
            half_life_s=settings.recency_half_life_s,
        )
        segment = self._segment(request.history)
        candidates = Candidates(
            self.views,
            self._published,
            settings,
            traces[: settings.history_items],
            now=request.now,
            segment=segment,
            more=self._more(request, traces),
            category=request.category,
        )
        name = None if segment is None else segment[0]
        return Found(request, candidates, name, self._published, gap_ms=self._gap_ms)

    def describe(self, found: Found) -> Described:
        """Ask the sessions, too, and describe all candidates."""
        return found.describe(self._asked())

    def _more(self, request: Request, traces: Sequence[Trace]) -> list[tuple[float, Block]]:
        """Return the blocks of sources that have something to say of this history."""
        history, now, numbers = request.history, request.now, self._published.numbers
        blocks: list[tuple[float, Block]] = []
        if (like := self._content.block(history, traces, numbers)) is not None:
            blocks.append((self._settings.content_weight, like))
        if (acted := self._social.block(self.views.sessions(), history, now, numbers)) is not None:
            blocks.append((self._settings.social_weight, acted))
        return blocks + self._of_customers(request)

    def _of_customers(self, request: Request) -> list[tuple[float, Block]]:
        """Return what the nearest customers have, with its weight."""
        weight = self._settings.users_weight
        if not weight or request.history is None:
            return []
        asked = self._asked()
        if asked is None:
            return []
        found = asked.customers.of_history(
            request.key,
            request.history,
            most=_OF_CUSTOMERS,
            repeat=self._settings.repeat_purchases,
            fewest=self._fewest,
        )
        return [(weight, UsersBlock(asked.numbers.of(found.numbers), found))]

    def _asked(self) -> InSessions | None:
        index, settings, numbers = self.views.sessions(), self._sessions, self._published.numbers
        if index is None:
            return None
        asked = self._in_sessions
        if asked is None or asked.sessions is not index:
            found = SessionCandidates(
                index, most=settings.candidates, sample=settings.sample, visits=settings.visits
            )
            asked = InSessions(index, found, CustomerNeighbours(index), Renumbered(index, numbers))
        elif asked.numbers.numbers is not numbers:
            asked = asked._replace(numbers=Renumbered(index, numbers))
        self._in_sessions = asked
        return asked

    def _segment(self, history: HistoryRow | None) -> tuple[str, Sequence[tuple[str, float]]] | None:
        """Return the customer's segment and what is popular there."""
        if history is None or not history.behaviour.events:
            return None
        centroids = self.views.centroids()
        if centroids is None:
            return None
        assigned = kmeans.assign(centroids, features.vector(history.behaviour))
        if assigned is None:
            return None
        place = int(assigned[0])
        # A clustering can be published before anything is known of its segments.
        known = place < len(centroids.segments)
        return assigned[0], centroids.segments[place].top_items if known else ()


class LearnedOrder:
    """The ranker's weights as they were published, once it has learned enough.

    Parameters
    ----------
    views : Views
        Where they are published.
    settings : RankerSettings
        With fewer lessons than `warm_up` behind it, it orders nothing.
    """

    def __init__(self, views: Views, settings: RankerSettings) -> None:
        self._views, self._settings = views, settings
        self._known: RankerWeights | None = None
        self._weights = np.zeros((0, 0), np.float32)
        self._out = np.zeros(0, np.float32)

    @property
    def learned(self) -> int:
        """How many lessons the ranker has learned, as far as is known."""
        known = self._views.ranker()
        if known is None or (known.version, known.width) != (VERSION, FEATURES):
            return 0
        return known.learned

    def ready(self) -> bool:
        """Whether candidates can be scored."""
        if not self._settings.enabled or self.learned < self._settings.warm_up:
            return False
        known = self._views.ranker()
        if known is not None and known is not self._known:
            self._known = known
            self._weights = np.frombuffer(known.weights, np.float32).reshape(known.width + 1, known.units + 1)
            self._weights, self._out = self._weights.copy(), np.frombuffer(known.out, np.float32).copy()
        return True

    def scores(self, described: Described) -> NDArray[np.float64]:
        """Return the chance of each candidate to be the one that is acted on next, in (0, 1]; `ready` first.

        The softmax over the candidates, with six digits.
        """
        hidden = np.empty((len(described.features), len(self._out) + 1), np.float32)
        scores = np.empty(len(described.features), np.float32)
        score(described.features, self._weights, self._out, hidden, scores)
        return as_chances(scores.astype(np.float64))


def as_chances(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the softmax of scores, rounded to six digits, at least 1e-12.

    Examples
    --------
    >>> as_chances(np.array([0.0, np.log(3.0), -99.0])).tolist()
    [0.25, 0.75, 1e-12]
    """
    found = np.empty(len(scores))
    if len(scores):
        chances(scores, found)
    return found
