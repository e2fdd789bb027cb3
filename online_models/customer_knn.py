"""User-user collaborative filtering as a model of its own: ranks what the nearest customers have."""

from online_models.customer_neighbours import MOST_ITEMS, CustomerNeighbours
from online_models.evaluation.contract import Query
from online_models.open_sessions import ACTIONS
from online_models.session_index import SessionIndex
from online_models.session_knn import best
from schemas.messages import Event


class CustomerKnn:
    """Ranks items by the summed cosine of the nearest customers who have them, learning each event.

    Parameters
    ----------
    index : SessionIndex, optional
        Where sessions are kept; nobody else may teach it.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> model = CustomerKnn()
    >>> for key, item in (("u:a", "tea"), ("u:a", "cup"), ("u:b", "jam"), ("u:b", "pot")):
    ...     model.learn_one(Event(key, "view", 0, "browses", 0, 0, 0, 0, lines=[Line(item, [])]))
    >>> query = Query(key="u:c", now=0, k=1, session=["tea"], exclude=frozenset({"tea"}))
    >>> [item for item, _ in model.rank(query)]
    ['cup']
    """

    def __init__(self, index: SessionIndex | None = None) -> None:
        self._index = SessionIndex() if index is None else index
        self._near = CustomerNeighbours(self._index)

    def learn_one(self, x: Event) -> None:
        if x.kind in ACTIONS:
            for line in x.lines:
                self._index.learn_one(x.key, x.session_id, line.item, x.at)

    def rank(self, query: Query) -> list[tuple[str, float]]:
        marks = query.history.items if query.history is not None else {}
        liked = [item for item, mark in marks.items() if not mark.disliked]
        items = list(dict.fromkeys([*reversed(query.session), *reversed(liked)]))
        # Ties go by id, so that none of the equal ones may be cut off before they have names.
        found = self._near.find(query.key, items, most=MOST_ITEMS)
        return best(self._index.names, found.numbers, found.share, query)
