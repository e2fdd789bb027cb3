"""The customer's history: deduplicates, cuts sessions, keeps what was done with which item.

From each event it makes a `Fact` for the other models and the `Delta` of all item and pair counts:
TencentRec's incremental co-rating for similarity, and the sets of orders and sessions for rules.
"""

from itertools import islice

from online_models import features, seen
from online_models.decay import Decay
from online_models.deltas import Delta, PairGroup, Touch, fixed_point
from online_models.expiry import HOUR_MS, GuestExpiry
from online_models.protocols import Store
from online_models.sessions import extend_session, find_session, grow_session, open_session
from schemas.messages import ORDERS, SIMILARITY, Event, Fact, Line
from schemas.settings import Settings
from schemas.state import ExpiryRow, GuestChunk, HistoryRow, ItemMark, Pending, TotalsRow

TOTALS_KEY = "totals"
_ACTIONS = frozenset({"view", "cart", "purchase", "rating"})
_NO_GAIN = (0, 0, 0)


class HistoryStep:
    """Learns customers' and guests' histories from the `events` log.

    Parameters
    ----------
    rows, totals, clock, chunks : stores
        Histories by key, cumulative N, and the guests' expiry (see `GuestExpiry`).
    settings : Settings
        Weights, bounds of histories and sets, and `segments.max_unsent_events`: a customer is sampled after
        so many at the latest.

    References
    ----------
    Huang, Cui, Zhang, Jiang, Xu: TencentRec: Real-time Stream Recommendation in Practice, SIGMOD 2015.

    Examples
    --------
    >>> from online_models.memory_store import MemoryStore
    >>> step = HistoryStep(MemoryStore(HistoryRow), MemoryStore(TotalsRow), MemoryStore(ExpiryRow),
    ...                    MemoryStore(GuestChunk), Settings())
    >>> def view(n, item):
    ...     return Event("u:anna", "view", n, "browses", 0, n, n, n, f"b-{n}", "s", None, [Line(item, [])])
    >>> fact, delta = step.learn_one(view(1, "tea"))
    >>> fact, delta = step.learn_one(view(2, "cup"))
    >>> [(group.scope, group.item, group.partners) for group in delta.groups]
    [(0, 'cup', ['tea']), (2, 'cup', ['tea'])]
    >>> step.learn_one(view(2, "cup"))  # the same event id again
    []
    """

    def __init__(
        self,
        rows: Store[HistoryRow],
        totals: Store[TotalsRow],
        clock: Store[ExpiryRow],
        chunks: Store[GuestChunk],
        settings: Settings,
    ) -> None:
        self.rows, self.totals = rows, totals
        self.decay = Decay(settings.rules.half_life_s)
        self._expiry = GuestExpiry(rows, clock, chunks, ttl_s=settings.history.guest_ttl_s)
        self._history, self._rules = settings.history, settings.rules
        self._max_unsampled = settings.segments.max_unsent_events
        weights = settings.weights
        self._weights = {kind: fixed_point(getattr(weights, kind)) for kind in ("view", "cart", "purchase")}
        self._rating_base, self._rating_slope = fixed_point(1.0), weights.rating
        self._gap_ms = settings.history.session_gap_s * 1000
        self._link_age_ms = settings.history.linked_age_days * 86_400_000

    def key(self, x: Event) -> str:
        return x.key

    def learn_one(self, x: Event) -> list[Fact | Delta]:
        clock = self._expiry.advance(x.at)
        guest = not x.key.startswith("u:")
        row = self.rows.get(x.key)
        if row is None or (guest and self._expiry.is_gone(row, clock)):
            row = HistoryRow()
        if x.kind == "erasure":
            return self._erase(x, row)
        if x.at <= row.erased_until:
            return []
        if not x.profiling:
            return self._learn_unprofiled(x, row)
        if not self._is_new(x, row):
            return []
        previous_at = row.last_at
        row.last_at = max(previous_at, x.at)
        if guest:
            self._expiry.register(x.key, row.last_at, previous_at, clock)
        outputs = self._learn_event(x, row, guest=guest)
        self.rows.put(x.key, row)
        return outputs

    def _learn_event(self, x: Event, row: HistoryRow, *, guest: bool) -> list[Fact | Delta]:
        session_start, gained = False, []
        delta = None
        if x.kind in _ACTIONS:
            groups: list[PairGroup] = []
            teaches = self._may_teach(x, row)
            session_start, grown = self._learn_session(x, row, teaches=teaches)
            gained = [self._raise_weight(x, line, row, groups) for line in x.lines]
            added = [(gain, 0, 0) for gain in gained]
            if grown is not None:
                added[0] = (added[0][0], 0, 1)
                groups.append(grown)
            if x.kind == "purchase":
                self._learn_order(x, added, groups)
            if teaches:
                opened = grown is not None and not grown.partners
                delta = self._delta(x, added, groups, opened=opened)
            row.newest = _pending(x)
        vector: list[float] = []
        if not guest:
            features.observe(row.behaviour, x, new_session=session_start)
            if x.kind == "customer" or self._is_sampled(x, row, session_start=session_start):
                vector = features.vector(row.behaviour)
        fact = Fact(
            x.key,
            x.kind,
            x.at,
            x.lines,
            gained,
            session_start,
            vector,
            x.value,
            x.recommendation_id,
            x.target,
        )
        return [fact] if delta is None else [fact, delta]

    def _is_sampled(self, x: Event, row: HistoryRow, *, session_start: bool) -> bool:
        """Whether the global models look at the customer now: with each session and order, and in between."""
        if x.kind not in _ACTIONS:
            return False
        behaviour = row.behaviour
        behaviour.unsampled += 1
        due = session_start or x.kind == "purchase" or behaviour.unsampled >= self._max_unsampled
        if due:
            behaviour.unsampled = 0
        return due

    def _is_new(self, x: Event, row: HistoryRow) -> bool:
        fresh = b""
        for kind, event_id in (("e", x.event_id), ("o", x.order_id)):
            if event_id is not None:
                mark = seen.digest(kind, event_id)
                if seen.contains(row.seen, mark):
                    return False
                fresh += mark
        if fresh:
            row.seen = seen.remember(row.seen, fresh, max_seen=self._history.max_seen)
        return True

    def _may_teach(self, x: Event, row: HistoryRow) -> bool:
        hour = x.at // HOUR_MS
        if hour > row.taught_hour:
            row.taught_hour, row.taught = hour, 0
        row.taught += 1
        limit = self._rules.max_events_per_hour
        return not limit or row.taught <= limit

    def _learn_session(self, x: Event, row: HistoryRow, *, teaches: bool) -> tuple[bool, PairGroup | None]:
        """Put the event into its session: whether that opened one, and the pairs its set gained.

        What does not teach stays out of the set, so that no pair is counted of an item that was not.
        """
        mark = find_session(row.sessions, x.session_id, x.at, gap_ms=self._gap_ms)
        session_start = mark is None
        if mark is None:
            mark = open_session(row.sessions, x.session_id, x.at, max_sessions=self._history.max_sessions)
        else:
            extend_session(mark, x.session_id, x.at)
        if x.kind not in ("view", "cart") or not teaches:
            return session_start, None
        return session_start, grow_session(mark, x.lines[0].item, max_set_size=self._rules.max_set_size)

    def _raise_weight(self, x: Event, line: Line, row: HistoryRow, groups: list[PairGroup]) -> int:
        """Note the action on the item; add the co-rating pairs and return the increase of its weight."""
        mark = row.items.pop(line.item, None) or ItemMark(0, x.at)
        old, new = mark.weight, max(mark.weight, self._weight(x, mark))
        if new > old:
            partners, amounts = self._linked(row, x.at, old, new)
            if partners:
                groups.append(PairGroup(SIMILARITY, line.item, partners, amounts))
            mark.weight = new
        mark.at = max(mark.at, x.at)
        row.items[line.item] = mark
        if len(row.items) > self._history.max_items:
            del row.items[next(iter(row.items))]
        return new - old

    def _weight(self, x: Event, mark: ItemMark) -> int:
        if x.kind != "rating":
            if x.kind == "purchase":
                mark.had = True
            return self._weights[x.kind]
        value, scale_max = x.value or 0.0, x.scale_max or 1.0
        mark.had = True
        mark.disliked = value < scale_max / 2
        if mark.disliked:
            return 0
        return self._rating_base + fixed_point(self._rating_slope * value / scale_max)

    def _linked(self, row: HistoryRow, at: int, old: int, new: int) -> tuple[list[str], list[int]]:
        oldest = at - self._link_age_ms
        partners: list[str] = []
        amounts: list[int] = []
        for item, mark in islice(reversed(row.items.items()), self._history.linked_items):
            weight = mark.weight
            if weight > old and mark.at >= oldest:
                partners.append(item)
                amounts.append((new if new < weight else weight) - old)
        return partners, amounts

    def _learn_order(self, x: Event, added: list[tuple[int, int, int]], groups: list[PairGroup]) -> None:
        cap = self._rules.max_set_size
        basket: list[str] = []
        for index, line in enumerate(x.lines):
            if line.item in basket or (cap and len(basket) >= cap):
                continue
            if basket:
                groups.append(PairGroup(ORDERS, line.item, list(basket), [1] * len(basket)))
            basket.append(line.item)
            added[index] = (added[index][0], 1, added[index][2])

    def _delta(
        self, x: Event, added: list[tuple[int, int, int]], groups: list[PairGroup], *, opened: bool
    ) -> Delta:
        weight = self._weight(x, ItemMark(0, x.at))
        touches = [
            Touch(line.item, gain, weight, line.categories) for line, gain in zip(x.lines, added, strict=True)
        ]
        self._count_totals(x, opened=opened)
        return Delta(x.at, touches, [group for group in groups if group.partners])

    def _count_totals(self, x: Event, *, opened: bool) -> None:
        """Add to the cumulative number of orders, and of sessions when this one got its first item."""
        orders = int(x.kind == "purchase")
        row = self.totals.get(TOTALS_KEY) or TotalsRow()
        epoch, factor = self.decay.weight(x.at)
        if epoch > row.epoch:
            row.totals = [self.decay.move(n, from_epoch=row.epoch, to_epoch=epoch) for n in row.totals]
            row.epoch = epoch
        amount = factor >> (row.epoch - epoch)
        row.totals[1] += amount * orders
        row.totals[2] += amount * opened
        row.newest_at = max(row.newest_at, x.at)
        self.totals.put(TOTALS_KEY, row)

    def _learn_unprofiled(self, x: Event, row: HistoryRow) -> list[Fact | Delta]:
        """Without consent only ids and the number of events are kept; an order still counts as a basket."""
        kept = HistoryRow(
            seen=row.seen, taught_hour=row.taught_hour, taught=row.taught, erased_until=row.erased_until
        )
        if not self._is_new(x, kept):
            return []
        teaches = x.kind == "purchase" and self._may_teach(x, kept)
        self.rows.put(x.key, kept)
        forget = Fact(x.key, "erasure", x.at, [], [], False, [])
        if not teaches:
            return [forget]
        added: list[tuple[int, int, int]] = [_NO_GAIN] * len(x.lines)
        groups: list[PairGroup] = []
        self._learn_order(x, added, groups)
        return [forget, self._delta(x, added, groups, opened=False)]

    def _erase(self, x: Event, row: HistoryRow) -> list[Fact | Delta]:
        # An older request that comes late must not let in what a newer one shut out.
        self.rows.put(x.key, HistoryRow(erased_until=max(row.erased_until, x.at)))
        return [Fact(x.key, x.kind, x.at, [], [], False, [])]


def _pending(x: Event) -> Pending:
    return Pending(
        x.topic, x.partition, x.offset, x.at, x.sent_at, x.ingested_at, [x.event_id or x.order_id or ""]
    )
