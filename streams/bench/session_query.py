"""Scenario `session-query`: what a query of a live session index costs, beside the same in plain Python.

The model is session kNN as `freshrec evaluate --models vstan` measures it. The plain version holds sessions
in dicts and lists, looks the same neighbours up and weighs them by the same formula; both have to give the
same items. Queries come from sessions that the index does not hold: each is the beginning of one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest
from itertools import islice
from math import exp, log
from pathlib import Path
from time import process_time

import msgspec
import numpy as np

from online_models.evaluation.contract import Query
from online_models.session_index import SessionIndex
from online_models.session_knn import VSTAN, SessionKnn, Weighting, weights
from schemas.events import Browse
from streams.bench.figures import Figures, at_least, at_most, figures_of, in_own_process, share_of
from streams.errors import FreshrecError
from streams.formats import FileRecord, read_file

NAME = "session-query"
BARS = (at_most("query_p50_ms", 0.12), at_most("query_p90_ms", 0.5), at_least("same_items", 1))
K = 20
WIDTH = 32
"""Items of a row of the index; a longer session goes on in another one, in the plain version, too."""

_DAY_MS = 86_400_000
_SESSION_MS = 1_000
_TOGETHER = 10_000
_decode = msgspec.json.Decoder(Browse).decode
Session = list[str]


class Plan(msgspec.Struct, frozen=True):
    """Which sessions are held, and how many queries are measured; the plain version answers `plain` of them.

    Without a file, sessions are drawn: items by Zipf's law, lengths with a mean of `length`. Of a file, the
    last `held_out` are not held and are what is asked with.
    """

    sessions: int = 1_000_000
    items: int = 100_000
    length: float = 5.0
    count: int = 20_000
    plain: int = 1_000
    held_out: float = 0.1
    sessions_file: str | None = None
    sessions_format: str = "session-lists"


class TooFewError(FreshrecError):
    """A file has no sessions to ask with."""


def measure(plan: Plan, *, runs: int) -> Figures:
    """Measure some times, each in a process of its own; queries, and sessions that are drawn, by seed."""
    taken = [in_own_process(_run, plan, seed) for seed in range(1, runs + 1)]
    return figures_of(NAME, taken, *BARS)


def _run(plan: Plan, seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    if plan.sessions_file is None:
        drawn = sessions_drawn(plan, rng)
        held: Iterable[Session] = islice(drawn, plan.sessions)
        others: Iterable[Session] = drawn
    else:
        found = sessions_of(Path(plan.sessions_file), plan.sessions_format)
        cut = int(len(found) * (1 - plan.held_out))
        held, others = found[:cut], found[cut:]
    index, plain = SessionIndex(sessions=plan.sessions, width=WIDTH), PlainSessions(VSTAN)
    learned, learning, now = 0, 0.0, 0
    for number, session in enumerate(held):
        now = _SESSION_MS * number
        begun = process_time()
        for item in session:
            index.learn_one(f"s:{number}", None, item, now)
        learning += process_time() - begun
        learned += len(session)
        plain.add(session, now)
    queries = _queries(others, plan.count, now, rng)
    knn = SessionKnn(VSTAN, index)
    taken, answers = [], []
    for query in queries:
        begun = process_time()
        answers.append(knn.rank(query))
        taken.append(process_time() - begun)
    some = range(0, len(queries), max(1, len(queries) // plan.plain))
    plain_taken, same = [], 0
    for n in some:
        begun = process_time()
        answer = plain.rank(queries[n])
        plain_taken.append(process_time() - begun)
        same += [item for item, _ in answer] == [item for item, _ in answers[n]]
    ours = sum(taken[n] for n in some)
    return {
        **{f"query_p{int(100 * p)}_ms": 1e3 * share_of(taken, p) for p in (0.5, 0.9, 0.99)},
        "query_mean_ms": 1e3 * sum(taken) / len(taken),
        "learn_us": 1e6 * learning / learned,
        "plain_query_p50_ms": 1e3 * share_of(plain_taken, 0.5),
        "plain_query_p90_ms": 1e3 * share_of(plain_taken, 0.9),
        "times_as_fast_as_plain": sum(plain_taken) / ours,
        "same_items": same / len(some),
        "sessions": len(plain.sessions),
        "items": len(plain.places),
    }


def sessions_drawn(plan: Plan, rng: np.random.Generator) -> Iterator[Session]:
    """Draw sessions without end, each of two items or more and no longer than a row."""
    popularity = np.cumsum(np.arange(1, plan.items + 1, dtype=np.float64) ** -1.0)
    while True:
        lengths = np.minimum(1 + rng.geometric(1 / (plan.length - 1), _TOGETHER), WIDTH)
        places = np.searchsorted(popularity, rng.random(int(lengths.sum())) * popularity[-1])
        for part in np.split(places, np.cumsum(lengths)[:-1]):
            yield [f"i{item}" for item in part.tolist()]


def sessions_of(file: Path, format_: str) -> list[Session]:
    """Read the sessions of a file, by when each began.

    Raises
    ------
    FormatError
        There is no such format or file, or it is not of that format.
    TooFewError
        It has fewer than ten.
    """
    found: dict[str, Session] = {}
    for record in read_file(file, format_):
        if isinstance(record, FileRecord) and record.topic == "browses":
            browse = _decode(record.value)
            found.setdefault(browse.session_id or browse.user_id or "", []).append(browse.item_id)
    if len(found) < 10:
        raise TooFewError(f"{file} has {len(found)} sessions; expected 10 or more of the format {format_}")
    return list(found.values())


def _queries(others: Iterable[Session], count: int, now: int, rng: np.random.Generator) -> list[Query]:
    """Make queries of beginnings of sessions; where there are few sessions, of several beginnings of each."""
    some = [each for each in islice(others, count) if len(each) > 1]
    cuts = rng.random(count).tolist()
    return [
        Query(key="s:asking", now=now, k=K, session=session[: 1 + int(cut * (len(session) - 1))])
        for session, cut in zip((some[n % len(some)] for n in range(count)), cuts, strict=True)
    ]


class PlainSessions:
    """Session kNN with dicts and lists, for sessions that are over: what is written where nothing is live.

    Parameters
    ----------
    weighting : Weighting
        One with the similarity "dot" and weights of age, distance and rare items.

    Examples
    --------
    >>> plain = PlainSessions(VSTAN)
    >>> for session in (["tea", "cup"], ["pot", "mat"]):
    ...     plain.add(session, 0)
    >>> [item for item, _ in plain.rank(Query(key="s:c", now=9, k=5, session=["tea"]))]
    ['tea', 'cup']
    """

    def __init__(self, weighting: Weighting) -> None:
        self._how = weighting
        self.sessions: list[tuple[int, Session]] = []
        self.places: defaultdict[str, int] = defaultdict(int)
        self._with: defaultdict[str, list[int]] = defaultdict(list)

    def add(self, session: Session, at: int) -> None:
        """Hold a session, newer than all others."""
        for start in range(0, len(session), WIDTH):
            row = session[start : start + WIDTH]
            for item in row:
                self.places[item] += 1
            for item in set(row):
                self._with[item].append(len(self.sessions))
            self.sessions.append((at, row))

    def rank(self, query: Query) -> Sequence[tuple[str, float]]:
        """Return the best items with their scores, ties by item id."""
        how, current = self._how, query.session[-self._how.length :]
        in_similarity, of_match = (found.tolist() for found in weights(how, len(current)))
        last = {item: n for n, item in enumerate(current) if item in self.places}
        sharing = {number for item in last for number in self._with[item][-how.sample :]}
        near = []
        for number in nlargest(how.sample, sharing):
            at, row = self.sessions[number]
            weight = sum(in_similarity[last[item]] for item in set(row) if item in last) / len(last)
            near.append((weight * exp((at - query.now) / (how.age_days * _DAY_MS)), number))
        found: defaultdict[str, float] = defaultdict(float)
        for weight, number in nlargest(how.neighbours, near):
            _, row = self.sessions[number]
            place_of = {item: n for n, item in enumerate(row)}
            match = max(n for n, item in enumerate(row) if item in last)
            step = of_match[max(last[item] for item in row if item in last)]
            for item, place in place_of.items():
                near_by = exp(-abs(place - match) / how.distance)
                rare = 1 + how.idf * log(len(self.sessions) / self.places[item])
                found[item] += weight * step * near_by * rare
        return sorted(found.items(), key=lambda each: (-each[1], each[0]))[: query.k]
