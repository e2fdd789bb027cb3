"""Lists for customers and guests: the standing one as long as it does, one made for the question where not.

Nothing that is excluded, unavailable or of another category is in an answer, whichever way it came about.
"""

import secrets
import time
from collections.abc import Callable

import msgspec

from online_models.experiments.variants import Variants
from online_models.filters import Filters
from online_models.protocols import Request
from online_models.recommender import BlendRecommender
from schemas.answers import Place, Recommended
from schemas.histories import KnownHistory
from schemas.recommendations import Recommendation, RecommendedItem
from schemas.settings import Settings
from schemas.state import HistoryRow
from streams.in_words import in_words
from streams.serving.made_up import with_acts
from streams.serving.served_views import AnswerViews, ruled_at
from streams.stages.history import MODELS


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a list shall be like; `context` are items that are looked at now, oldest first."""

    k: int
    context: tuple[str, ...] = ()
    exclude: frozenset[str] = frozenset()
    category: str = ""
    explain: bool = True


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Lists:
    """Gives lists from views.

    Parameters
    ----------
    views : AnswerViews
        All that is followed.
    settings : Settings
        As the worker has them, so that lists are alike.
    now_ms : callable
        The wall clock, epoch ms: it stamps answers that are made here.
    """

    def __init__(self, views: AnswerViews, settings: Settings, now_ms: Callable[[], int] = _now_ms) -> None:
        self._views, self._settings, self._now_ms = views, settings, now_ms
        self._gap_ms = settings.history.session_gap_s * 1000
        self._variants = Variants(views, settings, BlendRecommender(views, settings))

    def length_for(self, user: str) -> int:
        """Return how long a customer's list is where the question does not say: as their variant has it."""
        return self._variants.way(f"u:{user}", self._moment(self._views.history(user))).k

    def of_customer(self, user: str, wanted: Wanted) -> Recommended:
        """Give a customer's list; what is popular, marked as fallback, to somebody who is not known.

        Parameters
        ----------
        user : str
            As topics have it: a pseudonym where these are on.
        wanted : Wanted
            What it shall be like.
        """
        standing, known = self._views.standing(user), self._views.history(user)
        if standing is not None and not wanted.context:
            kept = self._kept(standing, known, wanted)
            # Without a history nobody could tell what else may be in it.
            if len(kept) == wanted.k or known is None:
                return _standing(standing, kept, explain=wanted.explain)
        row, now = None, self._moment(known)
        if known is not None:
            row = known.row()
        if wanted.context:
            row = with_acts(row, wanted.context, now, gap_ms=self._gap_ms)
        return self._made(user, f"u:{user}", row, now, wanted)

    def of_session(self, wanted: Wanted) -> Recommended:
        """Give a guest's list by what was done in the session so far."""
        now = self._moment(None)
        row = with_acts(None, wanted.context, now, gap_ms=self._gap_ms) if wanted.context else None
        return self._made(None, "", row, now, wanted)

    def _moment(self, known: KnownHistory | None) -> int:
        """When it is in the time of events, which need not be the wall clock's: a file may be old."""
        newest = known.at if known is not None else self._views.newest_at()
        return self._now_ms() if newest is None else newest

    def _kept(
        self, standing: Recommendation, known: KnownHistory | None, wanted: Wanted
    ) -> list[RecommendedItem]:
        """Take the first items of a standing list that may be in it as of now."""
        now = ruled_at(self._views, standing.latency.event_at)
        asked = Request(history=None, now=now, exclude=wanted.exclude, category=wanted.category)
        filters = Filters(
            self._views,
            asked,
            self._settings.recommend,
            segment=standing.segment,
            behaviour=None if known is None else known.behaviour,
        )
        return [item for item in standing.items if filters.admit(item.item_id)][: wanted.k]

    def _made(
        self, user: str | None, key: str, row: HistoryRow | None, now: int, wanted: Wanted
    ) -> Recommended:
        list_id = f"http:{secrets.token_hex(8)}"
        request = Request(
            history=row,
            now=now,
            key=key,
            k=wanted.k,
            exclude=wanted.exclude.union(wanted.context),
            category=wanted.category,
            seed=list_id,
            ruled_at=ruled_at(self._views, now),
        )
        way = self._variants.way(key, now)
        answer = way.recommender.recommend(request)
        places = [_place(item, n, explain=wanted.explain) for n, item in enumerate(answer.items, 1)]
        at = self._now_ms()
        return Recommended(
            list_id,
            user,
            at,
            places,
            answer.segment,
            MODELS,
            computed=True,
            fallback=row is None,
            variant=way.arm,
        )


def _standing(standing: Recommendation, kept: list[RecommendedItem], *, explain: bool) -> Recommended:
    whole = kept == standing.items[: len(kept)]
    return Recommended(
        standing.recommendation_id,
        standing.user_id,
        standing.at,
        [_place(item, n, explain=explain, whole=whole) for n, item in enumerate(kept, 1)],
        standing.segment,
        standing.models,
        computed=False,
        fallback=False,
        caused_by=standing.caused_by,
        variant=standing.variant,
        latency=standing.latency,
    )


def _place(item: RecommendedItem, rank: int, *, explain: bool, whole: bool = True) -> Place:
    """One place; its chance was that of a place in the whole list, of a part it is not known."""
    propensity = item.propensity if whole else None
    if not explain:
        return Place(item.item_id, rank, item.score, propensity)
    why = [in_words(reason) for reason in item.reasons]
    return Place(item.item_id, rank, item.score, propensity, item.reasons, why)
