"""What followed the lists that were shown: attributed to the arm of an experiment, once, as events come in.

Two questions are answered apart. Of a *list*: was it clicked, did an order follow from it? That goes to the
list that the act names or, naming none, to the one that was shown last with that item. Of a *customer*: what
did they do from the first list on, whatever it was for? That compares arms as they were drawn.
"""

import math
from typing import Final

from online_models.experiments.tallies import (
    AMOUNTS,
    BUYER,
    CLICKS,
    CONVERTED,
    LISTS,
    ORDERS,
    RATING,
    RATINGS,
    REPEAT,
    REVENUE,
    VISITS,
    ArmChange,
    add,
)
from online_models.key_digests import digest_of
from online_models.protocols import Store
from schemas.experiments import Act, ArmTallies, Exposure, ShownList
from schemas.messages import Event
from schemas.settings import Settings
from schemas.state import HistoryRow

KEY: Final = "arms"
MILLIONTHS: Final = 1_000_000
THOUSANDTHS: Final = 1_000
MOST_REVENUE: Final = 10_000_000 * MILLIONTHS
"""Revenue of one customer that counts: a price that is a mistake must not decide an experiment."""

MOST_SHOWN: Final = 50
"""Items of one list, or of one act, that are kept."""

MOST_WAITING: Final = 8
"""Acts of a customer that are kept until the list that they answer is known."""

_CLICKS: Final = frozenset({"view", "cart"})
_ACTS: Final = frozenset({"view", "cart", "purchase", "rating"})


class AttributionStep:
    """Learns what came of each arm from the events of those who are in it.

    Parameters
    ----------
    rows, tallies : stores
        Histories, which the history step has just brought up to date, and the tallies of all arms.
    settings : Settings
        `attribution`, and what ends a visit: `history.session_gap_s`.

    Notes
    -----
    It is given only events that the history step accepted, so that nothing counts twice, and takes the arm
    that ingest wrote into the event: what was counted does not depend on the settings of today.

    A customer enters with the first list that is shown, and counts for one experiment at a time. One who is
    met in another variant of the same experiment, because shares or salt were changed, has crossed: that is
    counted, and nothing of theirs any more. What is read before the list that it answers waits for it; the
    newest eight such acts of a customer do. Bounded by `attribution.lists` lists of 50 items each.

    References
    ----------
    Kohavi, Tang, Xu: Trustworthy Online Controlled Experiments, Cambridge University Press 2020, chapters
    15 and 18.

    Examples
    --------
    >>> from online_models.memory_store import MemoryStore
    >>> from schemas.messages import Line
    >>> rows, tallies = MemoryStore(HistoryRow), MemoryStore(ArmTallies)
    >>> rows.put("u:anna", HistoryRow())
    >>> step = AttributionStep(rows, tallies, Settings())
    >>> def event(kind, n):
    ...     return Event("u:anna", kind, n, "topic", 0, n, n, n, lines=[Line("tea", [])],
    ...                  recommendation_id="browses:0:7", arm="length:long")
    >>> for n, kind in enumerate(["impression", "impression", "view", "cart"]):
    ...     changes = step.learn_one(event(kind, n))
    >>> sums = tallies.get(KEY).arms["length:long"].sums
    >>> sums[LISTS], sums[CLICKS], sums[VISITS]
    (1, 1, 1)
    """

    def __init__(self, rows: Store[HistoryRow], tallies: Store[ArmTallies], settings: Settings) -> None:
        self._rows, self._tallies = rows, tallies
        self._settings = settings.attribution
        self._gap_ms = settings.history.session_gap_s * 1000

    def key(self, x: Event) -> str:
        return x.key

    def learn_one(self, x: Event) -> list[ArmChange]:
        row = self._rows.get(x.key)
        if row is None or (row.exposure is None and x.arm is None):
            return []
        if x.kind != "impression" and x.kind not in _ACTS:
            return []
        changes = self._learn(row, x)
        self._rows.put(x.key, row)
        if changes:
            tallies = self._tallies.get(KEY) or ArmTallies({})
            for change in changes:
                add(tallies, change)
            self._tallies.put(KEY, tallies)
        return changes

    def _learn(self, row: HistoryRow, x: Event) -> list[ArmChange]:
        exposure = row.exposure
        if x.arm is not None and (exposure is None or self._moves(exposure, x)):
            exposure = row.exposure = Exposure(x.arm, amounts=[0] * len(AMOUNTS))
        if exposure is None or exposure.crossed:
            return []
        if x.arm not in (None, exposure.arm) and _experiment(exposure.arm) == _experiment(x.arm or ""):
            return _cross(exposure, x.at)
        return self._follow(exposure, x)

    def _moves(self, exposure: Exposure, x: Event) -> bool:
        """Whether one goes over to another experiment: once that shows a list, or while the first did not."""
        if _experiment(exposure.arm) == _experiment(x.arm or ""):
            return False
        return exposure.shown_at is None or x.kind == "impression"

    def _follow(self, exposure: Exposure, x: Event) -> list[ArmChange]:
        """Take an event of one who takes part, and return what it changes."""
        before, was_shown = list(exposure.amounts), exposure.shown_at is not None
        if x.kind != "impression":
            self._act(exposure, _act(x))
        elif x.arm == exposure.arm:
            self._show(exposure, x)
        if self._counts(exposure, x.at):
            self._visit(exposure, x.at)
        if exposure.amounts == before:
            return []
        return [ArmChange(exposure.arm, x.at, before, list(exposure.amounts), entered=int(not was_shown))]

    def _show(self, exposure: Exposure, x: Event) -> None:
        list_id = digest_of(x.recommendation_id or "")
        if any(each.list_id == list_id for each in exposure.shown):
            return
        first = exposure.shown_at is None
        if exposure.shown_at is None:
            exposure.shown_at = x.at
        elif not self._counts(exposure, x.at):
            return
        exposure.amounts[LISTS] += 1
        exposure.shown.append(ShownList(list_id, x.at, _digests(x)))
        exposure.shown.sort(key=lambda each: each.at)
        del exposure.shown[: -self._settings.lists]
        waiting, exposure.waiting = exposure.waiting, []
        for act in waiting:
            if first:
                self._count(exposure, act)
            # Of what happened in one moment, only an act that names the list is known to answer it.
            if act.list_id or act.at > x.at:
                self._credit(exposure, act)

    def _act(self, exposure: Exposure, act: Act) -> None:
        if exposure.shown_at is None:
            _wait(exposure, act)
            return
        self._count(exposure, act)
        self._credit(exposure, act)

    def _count(self, exposure: Exposure, act: Act) -> None:
        """Count what a customer does."""
        amounts = exposure.amounts
        if not self._counts(exposure, act.at):
            return
        if act.kind == "purchase":
            amounts[ORDERS] += 1
            amounts[REVENUE] = min(amounts[REVENUE] + act.amount, MOST_REVENUE)
            amounts[BUYER], amounts[REPEAT] = 1, int(amounts[ORDERS] > 1)
        elif act.kind == "rating":
            amounts[RATINGS] += 1
            amounts[RATING] += act.amount

    def _credit(self, exposure: Exposure, act: Act) -> None:
        """Credit a list with what followed from it; what names one that is not known waits for it."""
        if act.kind == "rating":
            return
        if act.list_id and all(each.list_id != act.list_id for each in exposure.shown):
            _wait(exposure, act)
            return
        answered = self._answered(exposure, act)
        if answered is None:
            return
        if act.kind in _CLICKS and not answered.clicked:
            answered.clicked = True
            exposure.amounts[CLICKS] += 1
        elif act.kind == "purchase" and not answered.bought:
            answered.bought = True
            exposure.amounts[CONVERTED] += 1

    def _answered(self, exposure: Exposure, act: Act) -> ShownList | None:
        """Return the list that an act follows from: the one that it names, else the last with its item."""
        seconds = self._settings.click_s if act.kind in _CLICKS else self._settings.purchase_s
        for each in reversed(exposure.shown):
            if 0 <= act.at - each.at <= seconds * 1000:
                if act.list_id:
                    if each.list_id == act.list_id:
                        return each
                elif not set(each.items).isdisjoint(act.items):
                    return each
        return None

    def _counts(self, exposure: Exposure, at: int) -> bool:
        """Whether a time is among those in which outcomes count, from the first list on."""
        first = exposure.shown_at
        return first is not None and 0 <= at - first <= self._settings.outcome_s * 1000

    def _visit(self, exposure: Exposure, at: int) -> None:
        if not exposure.amounts[VISITS] or at - exposure.last_at > self._gap_ms:
            exposure.amounts[VISITS] += 1
        exposure.last_at = max(exposure.last_at, at)


def _cross(exposure: Exposure, at: int) -> list[ArmChange]:
    """Note that one was in two variants; what was counted stays, with the number of those who crossed."""
    exposure.crossed, exposure.shown, exposure.waiting = True, [], []
    if exposure.shown_at is None:
        return []
    return [ArmChange(exposure.arm, at, exposure.amounts, exposure.amounts, crossed=1)]


def _wait(exposure: Exposure, act: Act) -> None:
    exposure.waiting.append(act)
    del exposure.waiting[:-MOST_WAITING]


def _act(x: Event) -> Act:
    list_id = 0 if x.recommendation_id is None else digest_of(x.recommendation_id)
    amount = 0
    if x.kind == "purchase":
        worth = math.fsum(line.quantity * (line.unit_price or 0.0) for line in x.lines)
        amount = round(min(worth * MILLIONTHS, MOST_REVENUE))
    elif x.kind == "rating":
        amount = round(THOUSANDTHS * (x.value or 0.0) / (x.scale_max or 1.0))
    return Act(x.kind, x.at, list_id, _digests(x), amount)


def _digests(x: Event) -> list[int]:
    return [digest_of(line.item) for line in x.lines[:MOST_SHOWN]]


def _experiment(arm: str) -> str:
    return arm.partition(":")[0]
