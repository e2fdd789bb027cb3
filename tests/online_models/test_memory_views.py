"""The views in memory answer what they were given."""

from online_models.memory_views import MemoryViews
from online_models.protocols import Views
from online_models.session_index import SessionIndex
from schemas.messages import RankerWeights
from tests.online_models.shop_views import facts, partners, segments


def test_views_answer_with_the_very_rows_they_hold() -> None:
    row, item, clusters, leaders = (
        partners("tea"),
        facts("tea"),
        segments([], centres=[[1.0]]),
        [("tea", 1.0)],
    )
    index, weights = SessionIndex(), RankerWeights(1, 2, 3, 4, b"", b"")
    views: Views = MemoryViews(
        neighbours=[row],
        popular={"all": leaders},
        items=[item],
        centroids=clusters,
        sessions=index,
        ranker=weights,
    )
    assert views.neighbours("tea") is row
    assert views.item("tea") is item
    assert views.centroids() is clusters
    assert views.popular("all") is leaders
    assert views.sessions() is index
    assert views.ranker() is weights


def test_what_is_unknown_is_none_or_empty() -> None:
    views: Views = MemoryViews()
    assert (views.neighbours("x"), views.item("x"), views.centroids()) == (None, None, None)
    assert (views.sessions(), views.ranker()) == (None, None)
    assert list(views.popular("all")) == []
