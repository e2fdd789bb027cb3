"""Watches a demo from outside, as a storefront can: what was sent, and which lists came back for it.

Knows neither Kafka nor a clock: who sends and who receives tells the moment, in seconds.
"""

from collections import Counter, deque
from collections.abc import Sequence

import msgspec

from online_models.worlds import Emitted
from schemas.checks import Rejected
from schemas.codec import decode
from schemas.events import Browse, Purchase, Rating
from schemas.recommendations import Recommendation, Rejection
from schemas.settings import Settings
from streams.demo import words
from streams.demo.hit_rates import HitRates

SHOWN_PLACES = 5
SHOWN_ACTS = 2
_decode_list = msgspec.json.Decoder(Recommendation).decode
_decode_rejection = msgspec.json.Decoder(Rejection).decode


class Card(msgspec.Struct, frozen=True):
    """A named customer at one moment: the last acts, the list, and the time from the act to the list."""

    user: str
    acts: tuple[str, ...] = ()
    places: tuple[words.Place, ...] = ()
    items: tuple[str, ...] = ()
    latency_ms: float | None = None
    answered: tuple[str, ...] = ()
    """The events that caused the list."""
    received_s: float = 0.0


class Watcher:
    """Counts, measures and remembers the lists of a few customers.

    Parameters
    ----------
    settings : Settings
        What is accepted, and the size of a list.
    named : sequence of str
        Customers whose acts and lists are remembered.
    scripted : sequence of str
        Customers who follow a script; they don't count in the hit rates.
    """

    def __init__(self, settings: Settings, named: Sequence[str], scripted: Sequence[str]) -> None:
        self._limits = settings.ingest
        self._scripted = frozenset(scripted)
        self.titles: dict[str, str] = {}
        self.cards = {user: Card(user) for user in named}
        self._acts = {user: deque[str](maxlen=SHOWN_ACTS) for user in named}
        self._sent_s: dict[str, float] = {}
        self._known: set[str] = set()
        self.sent = self.lists = 0
        self.latencies_ms: list[float] = []
        self.rejected: Counter[str] = Counter()
        self.rates = HitRates(settings.recommend.k)

    def sending(self, record: Emitted, now_s: float) -> str | None:
        """Note an event that is being sent; its id, or None when it cannot be accepted or was sent before."""
        self.sent += 1
        decoded = decode(record.topic, record.value, self._limits)
        if isinstance(decoded, Rejected):
            return None
        message = decoded.message
        if not isinstance(message, Browse | Purchase | Rating):
            return None
        name = message.event_id or getattr(message, "order_id", None)
        if name is None or name in self._known:
            return None
        self._known.add(name)
        self._sent_s[name] = now_s
        self._acted(message)
        return str(name)

    def _acted(self, message: Browse | Purchase | Rating) -> None:
        user = message.user_id
        if user not in self._scripted:
            bought = isinstance(message, Purchase)
            lines = message.lines if isinstance(message, Purchase) else [message]
            guest = getattr(message, "session_id", None)
            self.rates.acted(_key(user, guest), [line.item_id for line in lines], bought=bought)
        told = words.act(message, self.titles) if user in self._acts else None
        if user is not None and told is not None:
            self._acts[user].append(told)

    def received(self, value: bytes, now_s: float) -> None:
        """Note a list that has come."""
        message = _decode_list(value)
        self.lists += 1
        latency_ms = None
        for name in message.caused_by:
            sent_s = self._sent_s.pop(name, None)
            if sent_s is not None:
                latency_ms = 1000 * (now_s - sent_s)
                self.latencies_ms.append(latency_ms)
        user = message.user_id
        if user not in self._scripted:
            items = [item.item_id for item in message.items]
            self.rates.given(_key(user, message.session_id), items)
        if user in self.cards and latency_ms is not None:
            self.cards[user] = self._card(user, message, latency_ms, now_s)

    def _card(self, user: str, message: Recommendation, latency_ms: float, now_s: float) -> Card:
        before = self.cards[user].items
        return Card(
            user,
            tuple(self._acts[user]),
            words.places(message, before, self.titles, count=SHOWN_PLACES),
            tuple(item.item_id for item in message.items),
            latency_ms,
            tuple(message.caused_by),
            now_s,
        )

    def refused(self, value: bytes) -> None:
        """Note a rejection that has come."""
        self.rejected[_decode_rejection(value).reason] += 1


def _key(user: str | None, guest: str | None) -> str:
    return f"u:{user}" if user is not None else f"s:{guest}"
