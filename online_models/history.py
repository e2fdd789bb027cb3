"""The customer's history: deduplicates, cuts sessions, keeps what was done with which item.

From each event it makes a `Fact` for the other models and the `Delta` of all item and pair counts:
TencentRec's incremental co-rating for similarity, and the sets of orders and sessions for rules.
"""

from online_models import features, seen
from online_models.amounts import add_own
from online_models.decay import Decay
from online_models.deltas import Delta, PairGroup, Touch, fixed_point
from online_models.expiry import HOUR_MS, Expiry
from online_models.follows import follow
from online_models.links import Links, taken_back
from online_models.protocols import Store
from online_models.sessions import extend_session, find_session, grow_session, note_acts, open_session
from schemas.messages import ORDERS, Event, Fact, Line
from schemas.settings import Settings
from schemas.state import ExpiryRow, GuestChunk, HistoryRow, ItemMark, OrderMark, Pending, TotalsRow

TOTALS_KEY = "totals"
MAX_SHOWN = 50
"""Items of the last impression that are kept."""

_ACTIONS = frozenset({"view", "cart", "purchase", "rating"})
_NO_GAIN = (0, 0, 0)


class HistoryStep:
    """Learns customers' and guests' histories from the `events` log.

    Parameters
    ----------
    rows, totals, clock, chunks : stores
        Histories by key, cumulative N, and the expiry of guests and of erasures (see `Expiry`).
    settings : Settings
        Weights, bounds of histories and sets, and `segments.max_unsent_events`: a customer is sampled after
        so many at the latest.

    Notes
    -----
    All that a customer's row remembers can be taken back. An item that leaves a full row takes what it added
    to similarity with it, so those counts are at any time the sums over the items that customers have. An
    erasure, or consent that ends, takes back all that is in the row, popularity, orders and sessions
    included: without decay, and as long as no bound was reached, counts are then as if the customer had
    never been.

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
        self._expiry = Expiry(
            rows,
            clock,
            chunks,
            guest_ttl_s=settings.history.guest_ttl_s,
            erasure_ttl_s=settings.history.erasure_ttl_s,
        )
        self._history, self._rules = settings.history, settings.rules
        self._max_unsampled = settings.segments.max_unsent_events
        weights = settings.weights
        self._weights = {kind: fixed_point(getattr(weights, kind)) for kind in ("view", "cart", "purchase")}
        self._rating_base, self._rating_slope = fixed_point(1.0), weights.rating
        self._gap_ms = settings.history.session_gap_s * 1000
        self._links = Links(settings.history)

    def key(self, x: Event) -> str:
        return x.key

    @property
    def watermark(self) -> int:
        """The highest `at` of the partition in offset order, epoch ms; -1 before the first event."""
        return self._expiry.watermark

    def learn_one(self, x: Event) -> list[Fact | Delta]:
        clock = self._expiry.advance(x.at)
        guest = not x.key.startswith("u:")
        row = self.rows.get(x.key)
        if row is None or (guest and self._expiry.is_gone(row, clock)):
            row = HistoryRow()
        if x.kind == "erasure":
            return self._erase(x, row, clock)
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
        deltas: list[Delta] = []
        if x.kind in _ACTIONS:
            groups: list[PairGroup] = []
            teaches = self._may_teach(x, row)
            session_start, grown = self._learn_session(x, row, teaches=teaches)
            gained = [self._raise_weight(x, line, row, groups, teaches=teaches) for line in x.lines]
            added = [(gain, 0, 0) for gain in gained]
            if grown is not None:
                added[0] = (added[0][0], 0, 1)
                groups.append(grown)
            if teaches:
                if x.kind == "purchase":
                    self._remember_order(x, row, self._learn_order(x, added, groups))
                opened = grown is not None and not grown.partners
                deltas.append(self._delta(x, added, groups, opened=opened))
            deltas += self._let_go(row)
            row.newest = _pending(x)
        elif x.kind == "impression" and x.at >= row.shown_at:
            row.shown, row.shown_at = [line.item for line in x.lines[:MAX_SHOWN]], x.at
        elif x.kind == "link" and x.target is not None and x.key != f"u:{x.target}":
            follow(row, x.target, x.value or 0.0, most=self._history.max_follows)
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
            x.attributes if x.kind == "customer" and not guest else None,
        )
        return [fact, *deltas]

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
        note_acts(mark, [line.item for line in x.lines])
        if x.kind not in ("view", "cart") or not teaches:
            return session_start, None
        return session_start, grow_session(mark, x.lines[0].item, max_set_size=self._rules.max_set_size)

    def _raise_weight(
        self, x: Event, line: Line, row: HistoryRow, groups: list[PairGroup], *, teaches: bool
    ) -> int:
        """Note the action on the item; add the co-rating pairs and return the increase of its weight.

        What does not teach leaves the weight as it was: it is the weight that was counted.
        """
        mark = row.items.pop(line.item, None)
        if mark is None:
            row.met += 1
            mark = ItemMark(0, x.at, met=row.met, met_at=x.at)
        old, weight = mark.weight, self._weight(x, mark)
        if teaches:
            mark.acted += weight
            if weight > old:
                group = self._links.raised(row, line.item, mark, old=old, new=weight)
                if group is not None:
                    groups.append(group)
                mark.weight = weight
        mark.at = max(mark.at, x.at)
        row.items[line.item] = mark
        return mark.weight - old

    def _let_go(self, row: HistoryRow) -> list[Delta]:
        """Let the items go that were acted on longest ago, above the bound, and take back what they added."""
        deltas = []
        while len(row.items) > self._history.max_items:
            item = next(iter(row.items))
            deltas.append(self._links.without(row, item, row.items.pop(item)))
        return deltas

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

    def _learn_order(self, x: Event, added: list[tuple[int, int, int]], groups: list[PairGroup]) -> list[str]:
        """Count the order, and return its distinct items."""
        cap = self._rules.max_set_size
        basket: list[str] = []
        for index, line in enumerate(x.lines):
            if line.item in basket or (cap and len(basket) >= cap):
                continue
            if basket:
                groups.append(PairGroup(ORDERS, line.item, list(basket), [1] * len(basket)))
            basket.append(line.item)
            added[index] = (added[index][0], 1, added[index][2])
        return basket

    def _remember_order(self, x: Event, row: HistoryRow, basket: list[str]) -> None:
        most = self._history.max_orders
        if most and x.key.startswith("u:"):
            row.orders.append(OrderMark(x.at, basket))
            del row.orders[:-most]

    def _delta(
        self, x: Event, added: list[tuple[int, int, int]], groups: list[PairGroup], *, opened: bool
    ) -> Delta:
        weight = self._weight(x, ItemMark(0, x.at))
        touches = [
            Touch(line.item, gain, weight, line.categories) for line, gain in zip(x.lines, added, strict=True)
        ]
        self._count_totals(x.at, orders=int(x.kind == "purchase"), sessions=int(opened))
        return Delta(x.at, touches, [group for group in groups if group.partners])

    def _count_totals(self, at: int, *, orders: int, sessions: int) -> None:
        """Add to the cumulative number of orders, and of sessions that got their first item."""
        row = self.totals.get(TOTALS_KEY) or TotalsRow()
        epoch, factor = self.decay.weight(at)
        if epoch > row.epoch:
            row.totals = [self.decay.move(n, from_epoch=row.epoch, to_epoch=epoch) for n in row.totals]
            row.epoch = epoch
        add_own(row.totals, (0, orders, sessions), factor, row.epoch - epoch)
        row.newest_at = max(row.newest_at, at)
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
        outputs: list[Fact | Delta] = [Fact(x.key, "erasure", x.at, [], [], False, [])]
        outputs += self._take_back(row)
        if not teaches:
            return outputs
        added: list[tuple[int, int, int]] = [_NO_GAIN] * len(x.lines)
        groups: list[PairGroup] = []
        self._learn_order(x, added, groups)
        return [*outputs, self._delta(x, added, groups, opened=False)]

    def _erase(self, x: Event, row: HistoryRow, clock: ExpiryRow) -> list[Fact | Delta]:
        # An older request that comes late must not let in what a newer one shut out.
        outputs: list[Fact | Delta] = [Fact(x.key, x.kind, x.at, [], [], False, [])]
        outputs += self._take_back(row)
        self.rows.put(x.key, HistoryRow(erased_until=max(row.erased_until, x.at)))
        self._expiry.register_erasure(x.key, clock)
        return outputs

    def _take_back(self, row: HistoryRow) -> list[Delta]:
        """Undo what a row taught, which is then used up; N is this stage's own."""
        for order in row.orders:
            self._count_totals(order.at, orders=-1, sessions=0)
        for session in row.sessions:
            if session.items:
                self._count_totals(session.first_at, orders=0, sessions=-1)
        return taken_back(row, self._links)


def _pending(x: Event) -> Pending:
    return Pending(
        x.topic, x.partition, x.offset, x.at, x.sent_at, x.ingested_at, [x.event_id or x.order_id or ""]
    )
