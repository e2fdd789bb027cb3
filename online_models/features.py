"""What a customer is like, as numbers: bounded sums over their events, and the vector made from them.

Nothing here standardises or clusters; every transform squashes, so that no customer is wildly far away.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import expm1, log1p
from typing import NamedTuple
from zlib import crc32

from schemas.messages import Event
from schemas.state import Behaviour

BUCKETS = 16
"""Numbers that the shares of all categories are hashed into."""

MAX_CATEGORIES = 30
"""Categories kept for one customer."""

MAX_NAME = 256
"""Characters of a category, a longer one is left out, and of an attribute, a longer one is cut."""

_BEHAVIOUR = (
    *("frequency", "sessions", "recency_gap", "monetary", "session_length", "price_level"),
    *("rating_mean", "cart_share", "purchase_share"),
)
_ATTRIBUTES = ("age_band", "gender", "location", "income_band")
FEATURES: tuple[str, ...] = (
    *_BEHAVIOUR,
    *(f"category_{bucket:02d}" for bucket in range(BUCKETS)),
    *_ATTRIBUTES,
)
"""Names of the numbers in a vector, in order."""

WEIGHTS: tuple[float, ...] = (
    *(0.2 if name != "price_level" else 0.5 for name in _BEHAVIOUR),
    *(1.0 for _ in range(BUCKETS)),
    *(0.2 for _ in _ATTRIBUTES),
)
"""How much one deviation of each number counts: taste most, then price level, then how busy someone is."""

_FULL = 64.0
_MOST = 1e15
_PRIOR_EVENTS = 4.0
_PRIOR_RATING = 0.6
_WORDS = {
    ("gender", "f"): -0.5,
    ("gender", "female"): -0.5,
    ("gender", "m"): 0.5,
    ("gender", "male"): 0.5,
    ("income_band", "low"): -0.5,
    ("income_band", "mid"): 0.1,
    ("income_band", "medium"): 0.1,
    ("income_band", "high"): 0.5,
}


class Measures(NamedTuple):
    """What a vector says in plain units: orders, money spent, seconds from the first to the last event."""

    orders: float
    spent: float
    tenure_s: float


def observe(behaviour: Behaviour, event: Event, *, new_session: bool) -> None:
    """Add one accepted event to a customer's sums, in place.

    Parameters
    ----------
    behaviour : Behaviour
        Keeps at most `MAX_CATEGORIES` categories: the lightest goes, of equals the first by name.
    event : Event
        Links and impressions change nothing; a customer event sets the attributes.
    new_session : bool
        Whether the event opened a session.

    References
    ----------
    Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements in Data Streams,
    ICDT 2005 (Space-Saving, for the categories).

    Examples
    --------
    >>> from schemas.messages import Line
    >>> anna = Behaviour()
    >>> tea = Line("tea", ["drinks"], 2.0, 4.5)
    >>> observe(anna, Event("u:anna", "purchase", 1, "purchases", 0, 0, 1, 1, lines=[tea]), new_session=True)
    >>> anna.spent, anna.purchases, anna.categories
    (9.0, 1, {'drinks': 1.0})
    """
    kind = event.kind
    if kind == "view":
        behaviour.views += 1
        behaviour.session_items += 1
    elif kind == "cart":
        behaviour.carts += 1
        behaviour.session_items += 1
    elif kind == "purchase":
        behaviour.purchases += 1
        spent = sum(line.quantity * (line.unit_price or 0.0) for line in event.lines)
        behaviour.spent = min(behaviour.spent + spent, _MOST)
    elif kind == "rating":
        behaviour.ratings += 1
        behaviour.rating_sum += (event.value or 0.0) / (event.scale_max or 1.0)
    else:
        if kind == "customer":
            given = event.attributes or {}
            behaviour.attributes = {name: given[name][:MAX_NAME] for name in _ATTRIBUTES if name in given}
        return
    _add_time(behaviour, event.at)
    behaviour.events += 1
    behaviour.sessions += new_session
    for line in event.lines:
        if line.unit_price is not None:
            behaviour.price_sum = min(behaviour.price_sum + line.unit_price, _MOST)
            behaviour.priced += 1
        for category in line.categories:
            if len(category) <= MAX_NAME:
                _add_category(behaviour, category)


def _add_time(behaviour: Behaviour, at: int) -> None:
    if not behaviour.events:
        behaviour.first_at = behaviour.last_at = at
    elif at > behaviour.last_at:
        behaviour.last_at = at
    elif at < behaviour.first_at:
        behaviour.first_at = at


def _add_category(behaviour: Behaviour, category: str) -> None:
    weights = behaviour.categories
    weight = weights.get(category, 0.0) + 1.0
    if len(weights) >= MAX_CATEGORIES and category not in weights:
        # Space-Saving: the new one inherits the weight of the one that goes, or it could never stay.
        lightest, gone = min((old, name) for name, old in weights.items())
        del weights[gone]
        weight += lightest
    weights[category] = weight
    if weight >= _FULL:
        # Halving is exact in binary, so tastes of long ago fade and replays agree to the bit.
        for name, old in weights.items():
            weights[name] = old / 2


def vector(behaviour: Behaviour) -> list[float]:
    """Make the numbers named by `FEATURES`, all finite.

    Parameters
    ----------
    behaviour : Behaviour
        Sums of `observe`.

    Examples
    --------
    >>> anna = Behaviour(events=3, views=3, sessions=1, session_items=3, categories={"tea": 2.0, "cups": 1.0})
    >>> numbers = dict(zip(FEATURES, vector(anna), strict=True))
    >>> round(numbers["frequency"], 3), numbers["monetary"], numbers["cart_share"]
    (1.386, 0.0, 0.0)
    >>> round(sum(numbers[name] for name in FEATURES if name.startswith("category_")), 3)
    0.6
    """
    events, sessions = behaviour.events, behaviour.sessions or 1
    weighed = events + _PRIOR_EVENTS
    numbers = [
        log1p(events),
        log1p(behaviour.sessions),
        log1p((behaviour.last_at - behaviour.first_at) / 1000.0 / sessions),
        log1p(behaviour.spent),
        log1p(behaviour.session_items / sessions),
        log1p(behaviour.price_sum / behaviour.priced) if behaviour.priced else 0.0,
        (behaviour.rating_sum + _PRIOR_RATING) / (behaviour.ratings + 1),
        behaviour.carts / weighed,
        behaviour.purchases / weighed,
    ]
    numbers += _shares(behaviour.categories)
    known = behaviour.attributes
    if known:
        numbers += [_attribute(name, known.get(name, "")) for name in _ATTRIBUTES]
    else:
        numbers += (0.0, 0.0, 0.0, 0.0)
    return numbers


def measures(numbers: Sequence[float]) -> Measures:
    """Read orders, money and tenure back out of a vector.

    Examples
    --------
    >>> anna = Behaviour(events=9, purchases=2, spent=30.0, sessions=3, first_at=0, last_at=6_000)
    >>> tuple(round(number, 6) for number in measures(vector(anna)))
    (2.0, 30.0, 6.0)
    """
    frequency, sessions, gap, monetary = numbers[:4]
    purchase_share = numbers[len(_BEHAVIOUR) - 1]
    return Measures(
        purchase_share * (expm1(frequency) + _PRIOR_EVENTS),
        expm1(monetary),
        expm1(gap) * max(expm1(sessions), 1.0),
    )


def _shares(weights: dict[str, float]) -> list[float]:
    """Hash each category's share into two buckets, so that two categories rarely look the same."""
    shares = [0.0] * BUCKETS
    if weights:
        # Two events' worth of doubt: the shares of a newcomer are small rather than extreme.
        part = 0.5 / (sum(weights.values()) + 2.0)
        for category, weight in weights.items():
            first, second = buckets(category)
            share = weight * part
            shares[first] += share
            shares[second] += share
    return shares


@lru_cache(maxsize=65_536)
def buckets(category: str) -> tuple[int, int]:
    """Which two of the shares a category is counted in; others may be, too."""
    code = crc32(category.encode("utf-8", "surrogatepass"))
    return code % BUCKETS, (code >> 16) % BUCKETS


@lru_cache(maxsize=65_536)
def _attribute(name: str, text: str) -> float:
    """Make a number between -1 and 1 from an attribute: 0 when absent."""
    text = text.strip().lower()
    if not text:
        return 0.0
    if (name, text) in _WORDS:
        return _WORDS[name, text]
    if name == "age_band":
        digits = text.lstrip("<>~ ").partition("-")[0].rstrip("+ ")
        years = float(digits) if digits.isascii() and digits.isdigit() else -1.0
        if 0 <= years <= 150:
            return (years - 40.0) / 110.0
    return crc32(text.encode("utf-8", "surrogatepass")) / 2**32 - 0.5
