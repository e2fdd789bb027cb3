"""Session kNN in plain Python, with dicts and lists: what the compiled loops have to equal."""

from collections import Counter
from math import exp, inf, log, sqrt

import msgspec

from online_models.evaluation.contract import Query
from online_models.session_knn import Weighting, weights

_DAY_MS = 86_400_000
Log = list[tuple[str, str | None, str, int]]
"""Events: key, session id, item, time."""


class Part(msgspec.Struct):
    """A row: the session's key and id, when it last changed, its first part, and its items."""

    number: int
    key: str
    session_id: str | None
    last_at: int
    root: int
    items: list[str]


class PlainSessionKnn:
    """All rows in a list, the places of each item in a list, newest last."""

    def __init__(self, weighting: Weighting, *, sessions: int, width: int, gap_ms: int) -> None:
        self.weighting, self.sessions, self.width, self.gap_ms = weighting, sessions, width, gap_ms
        self.parts: list[Part] = []
        self.places: list[tuple[int, str]] = []
        self.latest: dict[str, Part] = {}
        self.begun = 0

    def learn(self, key: str, session_id: str | None, item: str, at: int) -> None:
        part = self._part(key, session_id, at)
        part.items.append(item)
        part.last_at = max(part.last_at, at)
        self.places.append((part.number, item))
        self.latest[key] = part

    def _part(self, key: str, session_id: str | None, at: int) -> Part:
        found = self._going_on(key, session_id, at)
        if found is not None and len(found.items) < self.width:
            return found
        if found is None:
            part = Part(self.begun, key, session_id, at, self.begun, [])
        else:
            part = Part(self.begun, found.key, found.session_id, at, found.root, [])
        self.begun += 1
        self.parts.append(part)
        live = self.begun - self.sessions
        self.parts = [each for each in self.parts if each.number >= live]
        self.places = [(number, each) for number, each in self.places if number >= live]
        return part

    def _going_on(self, key: str, session_id: str | None, at: int) -> Part | None:
        if session_id is not None:
            mine = [part for part in self.parts if (part.key, part.session_id) == (key, session_id)]
            return mine[-1] if mine else None
        latest = self.latest.get(key)
        if latest not in self.parts or latest is None or at - latest.last_at > self.gap_ms:
            return None
        return latest

    def session_of(self, key: str) -> int:
        """Return the first part of the session that a key acted in last, -1 if that part is forgotten."""
        latest = self.latest.get(key)
        return latest.root if latest is not None and latest in self.parts else -1

    def neighbours(self, current: list[str], own: int, places: float = inf) -> list[Part]:
        by_number = {part.number: part for part in self.parts}
        held: list[Part] = []
        full = False
        for item in reversed(current):
            for number, other in reversed(self.places):
                part = by_number[number]
                if other != item or part in held or part.root == own:
                    continue
                held.append(part)
                if full:
                    held.sort(key=lambda each: (each.last_at, each.number))
                    if held.pop(0) is part:
                        break
                full = (
                    full
                    or len(held) == self.weighting.sample
                    or sum(len(each.items) for each in held) >= places
                )
        return held

    def scores(self, query: Query) -> dict[str, float]:
        how, current = self.weighting, list(query.session[-self.weighting.length :])
        counts = Counter(item for _, item in self.places)
        in_similarity, of_match = (found.tolist() for found in weights(how, len(current)))
        last = {item: n for n, item in enumerate(current) if item in counts}
        near = []
        for part in self.neighbours(current, self.session_of(query.key)):
            shared = sum(in_similarity[last[item]] for item in self._distinct(part) if item in last)
            norm = sum(in_similarity[n] ** 2 for n in last.values()) * len(set(part.items))
            weight = shared / (sqrt(norm) if how.similarity == "cosine" else len(last))
            if how.age_days:
                weight *= exp((part.last_at - query.now) / (how.age_days * _DAY_MS))
            near.append((weight, part.number, part))
        found: dict[str, float] = {}
        for weight, _, part in sorted(near, key=lambda each: each[:2], reverse=True)[: how.neighbours]:
            match = max(n for n, item in enumerate(part.items) if item in last)
            step = of_match[max(last[item] for item in part.items if item in last)]
            for item in self._distinct(part):
                place = max(n for n, other in enumerate(part.items) if other == item)
                score = weight * step
                if how.distance:
                    score *= exp(-abs(place - match) / how.distance)
                score *= 1 + how.idf * log(len(self.parts) / counts[item])
                found[item] = found.get(item, 0.0) + score
        return found

    @staticmethod
    def _distinct(part: Part) -> list[str]:
        places = {item: n for n, item in enumerate(part.items)}
        return sorted(places, key=lambda item: places[item])
