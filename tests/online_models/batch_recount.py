"""An exact recount in one batch: what the incremental counts have to equal while no bound is reached.

Written from the definitions, not from the code: sums over customers, orders and sessions of a whole log.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations

import msgspec

from schemas.messages import ORDERS, SESSIONS, SIMILARITY, WEIGHT_ONE, Event

GAP_MS = 30 * 60_000
_WEIGHTS = {"view": 1.0, "cart": 2.0, "purchase": 4.0}


class Recount(msgspec.Struct):
    """n by scope and item, pair counts by scope and both directions, and N by scope."""

    own: tuple[Counter[str], Counter[str], Counter[str]]
    pairs: tuple[Counter[tuple[str, str]], Counter[tuple[str, str]], Counter[tuple[str, str]]]
    totals: list[int]


def recount(log: Iterable[Event]) -> Recount:
    """Count a whole log."""
    events = list(_distinct(log))
    found = Recount((Counter(), Counter(), Counter()), (Counter(), Counter(), Counter()), [0, 0, 0])
    _count_similarity(events, found)
    _count_sets(ORDERS, [{line.item for line in x.lines} for x in events if x.kind == "purchase"], found)
    _count_sets(SESSIONS, _sessions(events), found)
    return found


def _distinct(log: Iterable[Event]) -> Iterator[Event]:
    seen: set[tuple[str, str, str]] = set()
    for x in log:
        ids = {
            (x.key, kind, name) for kind, name in (("e", x.event_id), ("o", x.order_id)) if name is not None
        }
        if not ids & seen:
            yield x
            seen |= ids


def weight(x: Event) -> int:
    """Implicit weight of an action, in integer units."""
    if x.kind != "rating":
        return round(_WEIGHTS[x.kind] * WEIGHT_ONE)
    share = (x.value or 0.0) / (x.scale_max or 1.0)
    return WEIGHT_ONE + round(2 * share * WEIGHT_ONE) if share >= 0.5 else 0


def _count_similarity(events: list[Event], found: Recount) -> None:
    ratings: dict[str, Counter[str]] = defaultdict(Counter)
    for x in events:
        for line in x.lines:
            ratings[x.key][line.item] = max(ratings[x.key][line.item], weight(x))
    for of_customer in ratings.values():
        for item, rating in of_customer.items():
            found.own[SIMILARITY][item] += rating
        for one, two in combinations(of_customer, 2):
            both = min(of_customer[one], of_customer[two])
            found.pairs[SIMILARITY][one, two] += both
            found.pairs[SIMILARITY][two, one] += both


def _count_sets(scope: int, sets: list[set[str]], found: Recount) -> None:
    found.totals[scope] = len(sets)
    for each in sets:
        found.own[scope].update(each)
        found.pairs[scope].update((one, two) for one in each for two in each if one != two)


def _sessions(events: list[Event]) -> list[set[str]]:
    """Items browsed in each session of a log in time order whose events all bear session ids."""
    sets: list[set[str]] = []
    open_sets: dict[tuple[str, str | None], tuple[int, set[str]]] = {}
    for x in events:
        at, items = open_sets.get((x.key, x.session_id), (x.at, set()))
        if x.at - at > GAP_MS:
            items = set()
        if x.kind in ("view", "cart"):
            if not items:
                sets.append(items)
            items |= {line.item for line in x.lines}
        open_sets[x.key, x.session_id] = x.at, items
    return sets
