"""The needs of all customers, learned from lessons of each: next categories, chance of buying, coming back.

A panel of customers is asked in turn whether they buy within the horizon; the answer is known when it ends.
"""

from math import exp
from typing import Final

from online_models import buying, coming_back
from online_models.buying import FEATURES, Logistic, deviations
from online_models.coming_back import Visited
from online_models.next_categories import MAX_FROM, MAX_TO, PRIOR, count, learn_mixture
from online_models.protocols import Store
from online_models.trends import SLICES, Trend, note, trends
from schemas.profiles import NeedLesson, Needs, NeedsRow, PanelMember
from schemas.settings import Settings

KEY: Final = "needs"
"""The key of everything: there is one."""

MOST_ASKED: Final = 32
"""Questions that end with one lesson at most: after a pause they end with those that follow."""

WARM_UP: Final = 200
"""Answers before anything is said of buying and coming back."""

PUBLISHED_NEXT: Final = 12
"""Categories that are published for each one that they follow."""

BINS: Final = 10
_FULL_BINS: Final = 20_000
_ALL: Final = 1 << 64


class NeedsStep:
    """Learns over all customers.

    Parameters
    ----------
    rows : Store of NeedsRow
        One row: at most `profiles.panel` customers, and `MAX_FROM` categories with `2 * MAX_TO` after each.
    settings : Settings
        `profiles`.

    Notes
    -----
    The panel holds the customers with the lowest digests, so that who is in it depends on nothing that they
    do. Each is asked as soon as they are in it and again when a question ends, which is at a time that has
    nothing to do with what they do either: so the chances hold for any customer at any time, those who stay
    away included.

    References
    ----------
    Gibbons: Distinct Sampling for Highly-Accurate Answers to Distinct Values Queries and Event Reports,
    VLDB 2001 (the panel).

    Examples
    --------
    >>> from online_models.memory_store import MemoryStore
    >>> step = NeedsStep(MemoryStore(NeedsRow), Settings())
    >>> for n in range(9):
    ...     at = n * 86_400_000
    ...     lesson = NeedLesson(7, at, n + 1, 0, at, n, at, 9.0 * n, "teas", ["cups"], [0.5], [0.0], True)
    ...     learned = step.learn_one(lesson)
    >>> step.needs().after["teas"], step.needs().answers
    ([('cups', 9)], 1)
    """

    def __init__(self, rows: Store[NeedsRow], settings: Settings) -> None:
        self._rows, self._settings = rows, settings.profiles
        self._horizon_ms = settings.profiles.horizon_s * 1000
        self._slice_ms = max(settings.profiles.trends_s * 1000 // SLICES, 1)

    def key(self, x: NeedLesson) -> str:  # noqa: ARG002  # there is one
        return KEY

    def learn_one(self, x: NeedLesson) -> list[None]:
        row = self._rows.get(KEY) or _begun()
        if x.forget:
            row.panel.pop(x.who, None)
        else:
            row.lessons += 1
            row.at = max(row.at, x.at)
            self._learn_next(row, x)
            note(row.slices, x.at // self._slice_ms, x.items, x.categories)
            self._note(row, x)
        self._ask(row)
        self._rows.put(KEY, row)
        return []

    def _learn_next(self, row: NeedsRow, x: NeedLesson) -> None:
        """Learn which category a visit began with, each source asked before it learns."""
        if not x.went_to:
            return
        after = row.after.get(x.came_from) if x.came_from else None
        total, begun = sum(after.values()) if after else 0, sum(row.begun.values())
        share = 1.0 / len(x.went_to)
        expected = [0.0] * 4
        for name, own, recent in zip(x.went_to, x.own, x.recent, strict=True):
            others = after.get(name, 0) / total if after and total else 0.0
            popular = row.begun.get(name, 0) / begun if begun else 0.0
            for place, each in enumerate((own, recent, others, popular)):
                expected[place] += share * each
        if x.came_from and any(expected):
            learn_mixture(row.mixture, expected, row.lessons)
        for name in x.went_to:
            count(row.begun, name, most=MAX_FROM)
            if x.came_from:
                count(row.after.setdefault(x.came_from, {}), name, most=MAX_TO)
        if len(row.after) > MAX_FROM:
            # The newest stays, or it could never gain weight.
            older = row.after.keys() - {x.came_from}
            del row.after[min(older, key=lambda name: (sum(row.after[name].values()), name))]

    def _note(self, row: NeedsRow, x: NeedLesson) -> None:
        """Bring the panel up to date."""
        member = row.panel.get(x.who)
        if member is None:
            if x.who % _ALL > row.limit:
                return
            member = row.panel[x.who] = PanelMember(row.at)
        elif x.bought and member.asked_at < x.at <= member.asked_at + self._horizon_ms:
            member.answered = True
        fresh = not member.visits
        member.visits, member.first_at, member.visit_at = x.visits, x.first_at, x.visit_at
        member.orders, member.ordered_at, member.spent = x.orders, x.ordered_at, x.spent
        if fresh:
            self._question(row, member)
        while len(row.panel) > self._settings.panel:
            row.limit //= 2
            row.panel = {who: each for who, each in row.panel.items() if who % _ALL <= row.limit}

    def _ask(self, row: NeedsRow) -> None:
        """Learn the answers of the questions that ended, and ask these customers again."""
        for _ in range(MOST_ASKED):
            who = next(iter(row.panel), None)
            if who is None or row.panel[who].asked_at + self._horizon_ms >= row.at:
                return
            member = row.panel.pop(who)
            self._answer(row, member)
            # Asked now, not when the question ended: so the panel stays in the order in which questions end.
            member.asked_at, member.answered = row.at, False
            self._question(row, member)
            row.panel[who] = member

    def _question(self, row: NeedsRow, member: PanelMember) -> None:
        member.features = features_of(member, member.asked_at, self._settings.horizon_s)
        known = row.answers >= WARM_UP
        member.chance = _logistic(row).chance(member.features) if known else -1.0

    def _answer(self, row: NeedsRow, member: PanelMember) -> None:
        if member.chance >= 0:
            place = row.calibration[min(int(member.chance * BINS), BINS - 1)]
            place[0] += 1
            place[1] += member.chance
            place[2] += member.answered
            if sum(each[0] for each in row.calibration) >= _FULL_BINS:
                row.calibration = [[number / 2 for number in each] for each in row.calibration]
        _logistic(row).learn_one(member.features, member.answered, row.answers)
        row.answers += 1
        visited = visited_of(member.visits, member.first_at, member.visit_at, row.at)
        coming_back.learn(row.back, row.back_squares, visited)

    def needs(self) -> Needs | None:
        """Return what is to be published; None before the first lesson."""
        row = self._rows.get(KEY)
        if row is None:
            return None
        begun = sum(row.begun.values()) or 1
        first = sorted(row.begun.items(), key=lambda each: (-each[1], each[0]))[:PUBLISHED_NEXT]
        members = row.panel.values()
        visits, orders = sum(each.visits for each in members), sum(each.orders for each in members)
        asked = sum(each[0] for each in row.calibration)
        return Needs(
            row.lessons,
            row.answers,
            self._settings.horizon_s,
            list(row.mixture),
            {name: _first(counts) for name, counts in sorted(row.after.items())},
            {name: sum(counts.values()) for name, counts in sorted(row.after.items())},
            [(name, n / begun) for name, n in first],
            list(row.weights),
            list(row.means),
            deviations(row.variances),
            [exp(each) for each in row.back],
            (orders + 1.0) / (visits + 4.0),
            sum(each.spent for each in members) / orders if orders else 0.0,
            sum(each[1] for each in row.calibration) / asked if asked else -1.0,
            calibration_error(row.calibration) if asked >= WARM_UP else -1.0,
            row.at,
        )

    def trends(self, what: str, *, least: int = 1) -> list[Trend]:
        """Return what rises and falls: see `online_models.trends.trends`."""
        row = self._rows.get(KEY)
        return [] if row is None else trends(row.slices, what, least=least)


def calibration_error(bins: list[list[float]]) -> float:
    """Return the expected calibration error: the mean distance of chance and share of orders, by bins.

    Parameters
    ----------
    bins : list of [questions, sum of chances, orders]
        One per tenth of the chance.

    References
    ----------
    Naeini, Cooper, Hauskrecht: Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI 2015.

    Examples
    --------
    >>> round(calibration_error([[10, 2.0, 3], [30, 15.0, 15]]), 3)
    0.025
    """
    asked = sum(each[0] for each in bins)
    return sum(abs(chances - orders) for _, chances, orders in bins) / asked if asked else 0.0


def features_of(member: PanelMember, now: int, horizon_s: int) -> list[float]:
    """Features of a customer of the panel, as of `now`."""
    return buying.features(
        now=now,
        visits=member.visits,
        first_at=member.first_at,
        visit_at=member.visit_at,
        orders=member.orders,
        ordered_at=member.ordered_at,
        spent=member.spent,
        horizon_s=horizon_s,
    )


def visited_of(visits: int, first_at: int, visit_at: int, now: int) -> Visited:
    """What BG/NBD looks at, in days.

    Examples
    --------
    >>> visited_of(3, 0, 86_400_000, 2 * 86_400_000)
    Visited(repeats=2, last=1.0, age=2.0)
    """
    last = max(visit_at - first_at, 0) / buying.DAY_MS
    return Visited(max(visits - 1, 0), last, max((now - first_at) / buying.DAY_MS, last))


def _first(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:PUBLISHED_NEXT]


def _logistic(row: NeedsRow) -> Logistic:
    return Logistic(row.weights, row.squares, row.means, row.variances)


def _begun() -> NeedsRow:
    many = len(FEATURES)
    return NeedsRow(
        mixture=list(PRIOR),
        weights=[0.0] * (many + 1),
        squares=[0.0] * (many + 1),
        means=[0.0] * many,
        variances=[1.0] * many,
        calibration=[[0.0, 0.0, 0.0] for _ in range(BINS)],
        back=list(coming_back.BEGIN),
        back_squares=[0.0] * 4,
    )
