"""Views over plain dicts, for tests, replay checks and doctests; whoever holds them may change them."""

from collections.abc import Iterable, Mapping, Sequence

from online_models.business_rules import NO_RULES, BusinessRules
from online_models.content_index import ContentIndex
from online_models.session_index import SessionIndex
from schemas.messages import Centroids, ItemFacts, Neighbours, RankerWeights


class MemoryViews:
    """What other stages published, held in memory.

    Parameters
    ----------
    neighbours : iterable of Neighbours
        One row per item.
    popular : mapping of str to sequence of (str, float)
        Scope (`all`, `category:x`) to its items with their decayed counts, best first.
    items : iterable of ItemFacts
        Rows of the catalogue.
    centroids : Centroids or None
        The clustering, None before its first publication.
    sessions : SessionIndex or None
        The newest sessions, None where nobody remembers them.
    ranker : RankerWeights or None
        The ranker, None before its first lesson.
    content : ContentIndex or None
        The newest items by what they are like, None where nobody holds them.
    rules : BusinessRules
        The shop's own rules, none by default.

    Examples
    --------
    >>> views = MemoryViews(popular={"all": [("tea", 3.0), ("cup", 1.0)]})
    >>> views.popular("all")[0], views.popular("category:x")
    (('tea', 3.0), ())
    >>> views.neighbours("tea") is None and views.item("tea") is None and views.centroids() is None
    True
    """

    def __init__(
        self,
        *,
        neighbours: Iterable[Neighbours] = (),
        popular: Mapping[str, Sequence[tuple[str, float]]] | None = None,
        items: Iterable[ItemFacts] = (),
        centroids: Centroids | None = None,
        sessions: SessionIndex | None = None,
        ranker: RankerWeights | None = None,
        content: ContentIndex | None = None,
        rules: BusinessRules = NO_RULES,
    ) -> None:
        self.neighbour_rows = {row.item: row for row in neighbours}
        self.popular_scopes = dict(popular or {})
        self.item_rows = {row.item: row for row in items}
        self.clustering = centroids
        self.session_index, self.ranker_weights = sessions, ranker
        self.content_index, self.rules = content, rules

    def neighbours(self, item: str) -> Neighbours | None:
        return self.neighbour_rows.get(item)

    def popular(self, scope: str) -> Sequence[tuple[str, float]]:
        return self.popular_scopes.get(scope, ())

    def centroids(self) -> Centroids | None:
        return self.clustering

    def item(self, item: str) -> ItemFacts | None:
        return self.item_rows.get(item)

    def sessions(self) -> SessionIndex | None:
        return self.session_index

    def ranker(self) -> RankerWeights | None:
        return self.ranker_weights

    def content(self) -> ContentIndex | None:
        return self.content_index

    def business_rules(self) -> BusinessRules:
        return self.rules
