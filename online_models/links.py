"""Which of a customer's items count together for similarity, and what has to be subtracted to undo it.

Whether two items are linked is decided when the later one is met and never changes. So what a customer
added to every count can be told from the row alone, and is taken back without a look at the log.
"""

from collections.abc import Iterator

from online_models.deltas import Delta, PairGroup, Touch
from schemas.messages import ORDERS, SESSIONS, SIMILARITY
from schemas.settings import HistorySettings
from schemas.state import HistoryRow, ItemMark

DAY_MS = 86_400_000


class Links:
    """Links items that a customer met near each other.

    Parameters
    ----------
    settings : HistorySettings
        `linked_items`: so many items met before it, and after it, is an item paired with;
        `linked_age_days`: unless they were met longer apart.

    Notes
    -----
    The pair count of a customer's two linked items is the smaller of their weights, as in TencentRec's
    co-rating; each event adds what that rises by, so whatever the order of events the sum is the same.

    References
    ----------
    Huang, Cui, Zhang, Jiang, Xu: TencentRec: Real-time Stream Recommendation in Practice, SIGMOD 2015.
    """

    def __init__(self, settings: HistorySettings) -> None:
        self._reach, self._age_ms = settings.linked_items, settings.linked_age_days * DAY_MS

    def raised(self, row: HistoryRow, item: str, mark: ItemMark, *, old: int, new: int) -> PairGroup | None:
        """Return what an item adds to its pairs when its weight rises; None if that is nothing.

        `row` holds the other items of the customer.
        """
        low, high = mark.met - self._reach, mark.met + self._reach
        # So many of the others can be in reach at most: then the rest need not be looked at.
        left = min(high, row.met) - max(low, 1)
        earliest, latest = mark.met_at - self._age_ms, mark.met_at + self._age_ms
        partners: list[str] = []
        amounts: list[int] = []
        for partner, other in reversed(row.items.items()):
            if not left:
                break
            if low <= other.met <= high:
                left -= 1
                weight = other.weight
                if weight > old and earliest <= other.met_at <= latest:
                    partners.append(partner)
                    amounts.append((new if new < weight else weight) - old)
        return PairGroup(SIMILARITY, item, partners, amounts) if partners else None

    def without(self, row: HistoryRow, item: str, mark: ItemMark, *, acted: int = 0) -> Delta:
        """Take back what an item added to similarity; `row` holds it no more.

        Parameters
        ----------
        row, item, mark : HistoryRow, str, ItemMark
            The customer's other items, and the one that goes.
        acted : int
            What is taken from the item's popularity besides.

        Notes
        -----
        What it added is taken to have been added when the item was met, and to a pair when the later of both
        was: exact without decay; with decay somewhat less than what it weighs now, but never more.
        """
        if not mark.met:
            return Delta(mark.at, [], [])
        group = self.raised(row, item, mark, old=0, new=mark.weight) if mark.weight else None
        groups = [_negative(group)] if group else []
        return Delta(mark.met_at, [Touch(item, (-mark.weight, 0, 0), -acted, [])], groups)


def taken_back(row: HistoryRow, links: Links) -> list[Delta]:
    """Return deltas that undo all that a row says its customer taught.

    Parameters
    ----------
    row : HistoryRow
        Of which nothing is left afterwards: its items are used up.
    links : Links
        As when it was learned.

    Returns
    -------
    list of Delta
        The last word on an item has a negative weight: nothing of this customer is left in its counts.
    """
    deltas = [_without_set(ORDERS, order.at, order.items) for order in row.orders]
    deltas += [_without_set(SESSIONS, session.first_at, session.items) for session in row.sessions]
    deltas += _without_items(row, links)
    return [delta for delta in deltas if delta.touches]


def _without_items(row: HistoryRow, links: Links) -> Iterator[Delta]:
    def when(item: str) -> tuple[int, int]:
        return row.items[item].met_at, row.items[item].met

    # The last one met goes first, so that every pair goes with the later of its items.
    for item in sorted(row.items, key=when, reverse=True):
        mark = row.items.pop(item)
        yield links.without(row, item, mark, acted=mark.acted)


def _without_set(scope: int, at: int, items: list[str]) -> Delta:
    added = (0, -1, 0) if scope == ORDERS else (0, 0, -1)
    touches = [Touch(item, added, 0, []) for item in items]
    groups = [
        PairGroup(scope, item, items[:place], [-1] * place) for place, item in enumerate(items) if place
    ]
    return Delta(at, touches, groups)


def _negative(group: PairGroup) -> PairGroup:
    return PairGroup(group.scope, group.item, group.partners, [-amount for amount in group.amounts])
