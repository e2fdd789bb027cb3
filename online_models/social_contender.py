"""Social alone, as it is evaluated: whoever asks gets what those they follow act on, else what all do."""

import numpy as np
from numpy.typing import NDArray

from online_models.evaluation.contract import Query
from online_models.open_sessions import ACTIONS
from online_models.session_index import SessionIndex
from online_models.social import Acted, Followed
from schemas.messages import Event
from schemas.settings import Settings
from schemas.state import HistoryRow

_POPULAR = 500
_NOBODY = HistoryRow()


class SocialContender:
    """Ranks items by how many of those followed act on them, shrunk to how many of all people do.

    score = (n * share + prior * rate) / (n + prior): n people followed, of whom a share acts on the item (the
    nearer ones count more, see `Followed`), and the rate at which anybody does. Who follows nobody gets what
    is popular.

    Parameters
    ----------
    settings : Settings
        How many sessions are held, and the half-life of an action.
    prior : float
        All people together count as much as so many who are followed.

    Examples
    --------
    >>> from online_models.follows import follow
    >>> from schemas.messages import Line
    >>> model, row = SocialContender(Settings()), HistoryRow()
    >>> for user, item in (("bert", "tea"), ("carla", "cup"), ("dan", "cup")):
    ...     line = Line(item, [])
    ...     model.learn_one(Event(f"u:{user}", "view", 0, "browses", 0, 0, 0, 0, lines=[line]))
    >>> follow(row, "bert", 1.0, most=9)
    >>> [item for item, _ in model.rank(Query(key="u:anna", now=0, k=9, history=row))]
    ['cup', 'tea']
    >>> [item for item, _ in model.rank(Query(key="u:eve", now=0, k=9))]
    ['cup', 'tea']
    """

    def __init__(self, settings: Settings, *, prior: float = 100.0) -> None:
        gap_ms = settings.history.session_gap_s * 1000
        self._index = SessionIndex(sessions=max(1, settings.sessions.held), gap_ms=gap_ms)
        self._followed = Followed(self._index, half_life_s=settings.recommend.recency_half_life_s)
        self._prior = prior

    def learn_one(self, x: Event) -> None:
        if x.kind in ACTIONS:
            for line in x.lines:
                self._index.learn_one(x.key, x.session_id, line.item, x.at)

    def rank(self, query: Query) -> list[tuple[str, float]]:
        index = self._index
        found = self._followed.find(query.history or _NOBODY, query.now, most=len(index.names))
        popular = index.numbers(index.popular(_POPULAR)) if self._prior else np.zeros(0, np.int32)
        numbers = np.union1d(found.numbers, popular).astype(np.int64)
        numbers = numbers[~np.isin(numbers, index.numbers(list(query.exclude)))]
        scores = self._scores(numbers, found)
        if len(numbers) > query.k:
            kept = scores >= np.partition(scores, len(scores) - query.k)[len(scores) - query.k]
            numbers, scores = numbers[kept], scores[kept]
        names = [index.names[number] for number in numbers.tolist()]
        ranked = sorted(zip(names, scores.tolist(), strict=True), key=lambda each: (-each[1], each[0]))
        return ranked[: query.k]

    def _scores(self, numbers: NDArray[np.int64], found: Acted) -> NDArray[np.float64]:
        shares = np.zeros(len(self._index.names))
        shares[found.numbers] = found.share
        rates = self._index.counts[numbers] / max(1, len(self._index.customers))
        total = found.followed + self._prior
        scores: NDArray[np.float64] = found.followed * shares[numbers] + self._prior * rates
        return scores / total if total else scores
