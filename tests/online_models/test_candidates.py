"""Which sources are asked, with which factor, and what widening adds."""

import pytest

from online_models.candidates import Candidates
from online_models.memory_views import MemoryViews
from online_models.published import PublishedBlocks
from online_models.traces import Trace
from schemas.settings import RecommendSettings
from tests.online_models.shop_views import NOW, facts, partners

WEIGHTS = RecommendSettings(
    similarity_weight=1.0,
    recent_weight=0.5,
    popularity_weight=0.1,
    category_weight=0.2,
    segment_weight=0.3,
)


def candidates(
    views: MemoryViews,
    traces: list[Trace],
    *,
    segment: tuple[str, list[tuple[str, float]]] | None = None,
    wanted: RecommendSettings = WEIGHTS,
) -> Candidates:
    return Candidates(views, PublishedBlocks(views, wanted), wanted, traces, now=NOW, segment=segment)


def sums(found: Candidates) -> dict[str, float]:
    return dict(found.evidence().best_first())


def test_every_source_adds_its_share() -> None:
    views = MemoryViews(
        neighbours=[partners("tea", [("cup", 0.5, 5.0)])],
        popular={"all": [("pot", 4.0), ("cup", 2.0)], "category:teas": [("mint", 3.0), ("cup", 1.5)]},
        items=[facts("tea", ["teas"])],
    )
    found = candidates(views, [Trace("tea", NOW, 0.8, had=False)], segment=("2", [("cup", 7.0)]))
    cup = 0.8 * 0.5 * 0.5 + 0.1 * 0.5 + 0.2 * 0.8 * 0.5 + 0.3
    assert sums(found) == pytest.approx({"cup": cup, "pot": 0.1, "mint": 0.2 * 0.8, "tea": 0.5 * 0.8})
    scopes = [reason.get("scope") for reason in found.evidence().reasons(["cup"], max_reasons=9)[0]]
    assert scopes == ["segment:2", None, "category:teas", "all"]


def test_the_newest_three_categories_are_asked_once_each() -> None:
    views = MemoryViews(
        popular={f"category:{name}": [(f"of-{name}", 1.0)] for name in "abcde"},
        items=[facts("new", ["a", "b", "a"]), facts("old", ["b", "c", "d"])],
    )
    traces = [Trace("new", NOW, 0.5, had=True), Trace("old", NOW, 0.2, had=True)]
    found = sums(candidates(views, traces))
    assert found == pytest.approx({"of-a": 0.1, "of-b": 0.1, "of-c": 0.04})


def test_weights_of_0_switch_their_source_off_but_leaders_stay_to_fill() -> None:
    views = MemoryViews(
        neighbours=[partners("tea", [("cup", 0.5, 5.0)])],
        popular={"all": [("pot", 4.0)], "category:teas": [("mint", 3.0)]},
        items=[facts("tea", ["teas"])],
    )
    nothing = RecommendSettings(
        similarity_weight=0, recent_weight=0, popularity_weight=0, category_weight=0, segment_weight=0
    )
    traces = [Trace("tea", NOW, 0.8, had=False)]
    assert sums(candidates(views, traces, segment=("0", [("jam", 7.0)]), wanted=nothing)) == {"pot": 0.0}


def test_widening_follows_categories_until_enough_is_found() -> None:
    views = MemoryViews(
        popular={
            "all": [("a", 10.0)],
            "category:one": [("a", 10.0), ("b", 5.0)],
            "category:two": [("c", 2.0)],
            "category:three": [("d", 1.0)],
        },
        items=[facts("a", ["one"]), facts("b", ["two"]), facts("c", ["three"])],
    )
    enough = candidates(views, [])
    enough.widen(lambda _: True, missing=2)
    assert sums(enough) == pytest.approx({"a": 0.1, "b": 0.05, "c": 0.02})
    every = candidates(views, [])
    every.widen(lambda item: item == "nothing", missing=1)
    assert sums(every) == pytest.approx({"a": 0.1, "b": 0.05, "c": 0.02, "d": 0.01})


def test_the_popular_items_of_a_wanted_category_are_candidates_once() -> None:
    views = MemoryViews(
        popular={"category:a": [("of-a", 1.0)], "category:z": [("of-z", 4.0), ("rare-z", 1.0)]},
        items=[facts("new", ["a"])],
    )
    traces = [Trace("new", NOW, 0.5, had=True)]

    def found(category: str) -> dict[str, float]:
        published = PublishedBlocks(views, WEIGHTS)
        return sums(Candidates(views, published, WEIGHTS, traces, now=NOW, segment=None, category=category))

    assert found("z") == pytest.approx({"of-a": 0.1, "of-z": 0.1, "rare-z": 0.025})
    assert found("a") == found("") == pytest.approx({"of-a": 0.1})
