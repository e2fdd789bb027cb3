"""Social alone, as it is evaluated: whoever asks gets what those they follow acted on."""

from online_models.evaluation.contract import Query
from online_models.open_sessions import ACTIONS
from online_models.session_index import SessionIndex
from online_models.social import Followed
from schemas.messages import Event
from schemas.settings import Settings


class SocialContender:
    """Ranks items by what the people followed did with them; says nothing to who follows nobody.

    Parameters
    ----------
    settings : Settings
        How many sessions are held, and the half-life of an action.

    Examples
    --------
    >>> from online_models.follows import follow
    >>> from schemas.messages import Line
    >>> from schemas.state import HistoryRow
    >>> model, row = SocialContender(Settings()), HistoryRow()
    >>> model.learn_one(Event("u:bert", "view", 0, "browses", 0, 0, 0, 0, lines=[Line("tea", [])]))
    >>> follow(row, "bert", 1.0, most=9)
    >>> model.rank(Query(key="u:anna", now=0, k=9, history=row))
    [('tea', 1.0)]
    """

    def __init__(self, settings: Settings) -> None:
        gap_ms = settings.history.session_gap_s * 1000
        self._index = SessionIndex(sessions=max(1, settings.sessions.held), gap_ms=gap_ms)
        self._followed = Followed(self._index, half_life_s=settings.recommend.recency_half_life_s)

    def learn_one(self, x: Event) -> None:
        if x.kind in ACTIONS:
            for line in x.lines:
                self._index.learn_one(x.key, x.session_id, line.item, x.at)

    def rank(self, query: Query) -> list[tuple[str, float]]:
        if query.history is None or not query.history.follows:
            return []
        # Ties go by id: all that ties with the last place is asked for.
        found = self._followed.find(
            query.history, query.now, without=query.exclude, most=len(self._index.names)
        )
        names = [self._index.names[number] for number in found.numbers.tolist()]
        ranked = sorted(zip(names, found.share.tolist(), strict=True), key=lambda each: (-each[1], each[0]))
        return ranked[: query.k]
