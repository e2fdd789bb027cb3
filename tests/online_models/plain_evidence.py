"""The evidence for the next item, from its definitions in plain Python, over the rows of the plain kNN."""

from collections import Counter, defaultdict
from math import exp, log, sqrt

import msgspec

from online_models import evidence_kernels as columns
from tests.online_models.plain_session_knn import Part, PlainSessionKnn

_DAY_MS = 86_400_000
Evidence = dict[str, list[float]]


class Asked(msgspec.Struct):
    """What is asked: a session that is open, its items known, when, within which bounds; and the index."""

    plain: PlainSessionKnn
    key: str
    current: list[str]
    now: int
    sample: int
    visits: int

    def places(self, item: str) -> list[tuple[Part, int]]:
        """Return the newest places of an item outside of the current session, newest first."""
        own, by_number = self.plain.session_of(self.key), {part.number: part for part in self.plain.parts}
        later: Counter[int] = Counter()
        found = []
        for number, other in reversed(self.plain.places):
            part = by_number[number]
            later[number] += 1
            if other == item and part.root != own:
                found.append((part, len(part.items) - later[number]))
        return found


def plain_evidence(asked: Asked) -> Evidence:
    """Return the sums of each item that is met."""
    found: Evidence = defaultdict(lambda: [0.0] * columns.COLUMNS)
    for item in asked.current:
        _ = found[item]
    for part in asked.plain.neighbours(asked.current, asked.plain.session_of(asked.key), asked.visits):
        _add_neighbour(asked, part, found)
    last = {item: n for n, item in enumerate(asked.current)}
    newest_first = sorted(last, key=lambda item: -last[item])
    for n, item in enumerate(newest_first[: columns.LAST_ITEMS]):
        _follow(asked, item, columns.FOLLOWED + n * columns.PER_ITEM, found, first=n == 0)
    _step_twice(asked, found)
    return dict(found)


def _add_neighbour(asked: Asked, part: Part, found: Evidence) -> None:
    counts = Counter(item for _, item in asked.plain.places)
    length, last = len(asked.current), {item: n + 1 for n, item in enumerate(asked.current)}
    places = {item: n for n, item in enumerate(part.items)}
    shared = [item for item in places if item in last]
    match, latest = max(places[item] for item in shared), max(last[item] for item in shared)
    age = exp(min(0.0, (part.last_at - asked.now) / (100 * _DAY_MS)))
    since = asked.plain.begun - 1 - part.number
    by_match = sum(_faded(last[item] - length, 3.62) for item in shared) / len(last)
    by_match *= age * _faded(latest - length, 3.62)
    by_set = len(shared) / sqrt(len(last) * len(places)) * (1 - 0.1 * (length - latest + 1))
    norm = sum(_faded(n - length, 1.81) ** 2 for n in last.values())
    by_short = sum(_faded(last[item] - length, 1.81) for item in shared) / sqrt(norm * len(places)) * age
    for item, place in places.items():
        rarity = log(len(asked.plain.parts) / counts[item])
        close = exp(-abs(place - match) / 0.4525)
        sums = found[item]
        sums[columns.VSTAN] += by_match * close * (1 + rarity)
        sums[columns.VSKNN] += by_set * (1 + 10 * rarity)
        sums[columns.STAN] += by_short * close
        sums[columns.ONWARD] += by_match * exp((match - place) / 3) if place > match else 0.0
        sums[columns.NORMED] += by_match / sqrt(len(places))
        sums[columns.RECENT] += by_match * exp(-since / 2000)
        sums[columns.LATEST] += by_match * exp(-since / 100)


def _faded(back: int, span: float) -> float:
    return exp(back / span)


def _follow(asked: Asked, item: str, column: int, found: Evidence, *, first: bool) -> None:
    prior = asked.current[-2] if first and len(asked.current) > 1 else None
    visits = asked.visits // columns.LAST_ITEMS
    for n, (part, at) in enumerate(asked.places(item)[: asked.sample], start=1):
        if visits <= 0:
            break
        visits -= len(part.items)
        for other, partner in enumerate(part.items):
            if other == at:
                continue
            sums = found[partner]
            sums[column + columns.TOGETHER] += 1
            sums[column + columns.TOGETHER_NEWLY] += 0.95**n
            sums[column + (columns.SOON if other > at else columns.BEFORE_IT)] += 1 / abs(other - at)
            if other == at + 1:
                sums[column + columns.NEXT] += 1
                sums[column + columns.NEWLY] += 0.95**n
                sums[columns.AFTER_TWO] += prior is not None and at > 0 and part.items[at - 1] == prior


def _step_twice(asked: Asked, found: Evidence) -> None:
    counts = Counter(item for _, item in asked.plain.places)

    def support(item: str) -> float:
        sums = found[item]
        raw = sums[columns.VSTAN] + 0.2 * sums[columns.NORMED] + sums[columns.FOLLOWED + columns.SOON]
        return raw / sqrt(counts[item] + 3)

    weights = {item: support(item) for item in found}
    for item in sorted(weights, key=lambda each: -weights[each])[:12]:
        if weights[item] <= 0:
            break
        for n, (part, at) in enumerate(asked.places(item)[:40], start=1):
            for other in range(max(0, at - 3), min(len(part.items), at + 4)):
                partner = part.items[other]
                if partner != item:
                    gain = weights[item] * 0.97**n / (abs(other - at) * sqrt(counts[partner] + 3))
                    found[partner][columns.TWO_STEPS] += gain
