"""Slates: answers worked out by hand, and what holds for any candidates, settings and seeds."""

import math
from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from online_models.memory_views import MemoryViews
from online_models.slates import CANDIDATES, Candidate, Place, Slates, keeps_order, slate
from schemas.messages import ItemFacts
from schemas.settings import RecommendSettings

CATEGORIES = "abcd"
SETTINGS = {"diversity": 0.5, "max_per_category": 1, "max_popularity_lift": 1.0, "explore": 0.5}


def using(**changes: float) -> RecommendSettings:
    return msgspec.convert(changes, RecommendSettings)


def ranked(*items: tuple[str, float, str], **popular: float) -> list[Candidate]:
    """Candidates from ids, scores and one-letter categories."""
    return [
        Candidate(name, score, frozenset(kinds), None, popular.get(name, 0.0)) for name, score, kinds in items
    ]


def made(candidates: Sequence[Candidate], k: int, settings: RecommendSettings, seed: str = "") -> list[str]:
    return [place.candidate.item for place in slate(candidates, k, settings, seed)]


@st.composite
def any_candidates(draw: st.DrawFn, *, most: int = 12) -> list[Candidate]:
    """Candidates, best first; some scores, categories and popularities are the same, some 0 or unknown."""
    size = draw(st.integers(0, most))
    scores = sorted(
        (draw(st.sampled_from([0.0, 1e-12, 0.2, 0.5, 0.9, 1.0])) for _ in range(size)), reverse=True
    )
    return [
        Candidate(
            f"i{n:02}",
            score,
            frozenset(draw(st.sets(st.sampled_from(CATEGORIES), max_size=2))),
            draw(st.sampled_from([None, "x", "y"])),
            draw(st.sampled_from([0.0, 0.1, 0.7, 5.0, 40.0])),
        )
        for n, score in enumerate(scores)
    ]


@st.composite
def any_settings(draw: st.DrawFn, *, explore: float | None = None) -> RecommendSettings:
    return using(
        diversity=draw(st.sampled_from([0.0, 0.3, 0.7, 1.0])),
        max_per_category=draw(st.integers(0, 3)),
        max_popularity_lift=draw(st.sampled_from([0.0, 0.5, 1.0, 2.0])),
        explore=draw(st.sampled_from([0.0, 0.2, 0.9])) if explore is None else explore,
    )


def similarity(one: Candidate, other: Candidate) -> float:
    """The Jaccard index, from sets."""
    mine, theirs = (
        {*each.categories, *([] if each.brand is None else [f"brand {each.brand}"])} for each in (one, other)
    )
    return len(mine & theirs) / len(mine | theirs) if mine | theirs else 0.0


def fits(
    before: Sequence[Candidate], item: Candidate, pool: Sequence[Candidate], to: RecommendSettings
) -> bool:
    """Whether the list would keep to both caps with one item more, from their definition."""
    full = [*before, item]
    if to.max_per_category:
        taken = Counter(name for each in full for name in each.categories)
        if any(taken[name] > to.max_per_category for name in item.categories):
            return False
    if to.max_popularity_lift:
        mean = sum(each.popularity for each in full) / len(full)
        limit = to.max_popularity_lift * sum(each.popularity for each in pool) / len(pool)
        return mean <= limit or math.isclose(mean, limit, rel_tol=1e-9)
    return True


def test_with_all_of_it_off_the_best_come_in_their_order() -> None:
    candidates = ranked(("tea", 0.9, "a"), ("cup", 0.9, "a"), ("jam", 0.1, "a"), tea=9.0)
    assert slate(candidates, 2, using(), "any") == [Place(candidates[0], None), Place(candidates[1], None)]
    assert slate([], 2, using(), "any") == slate(candidates, 0, using(), "any") == []


def test_marginal_relevance_is_that_worked_out_by_hand() -> None:
    candidates = ranked(("1", 0.8, "ab"), ("2", 0.76, "ab"), ("3", 0.6, "bc"), ("4", 0.4, "d"))
    # After 1, relevance 1.0: 2 is .95 and like it 1, 3 is .75 and like it 1/3, 4 is .5 and not like it.
    # d = .5: 2 has -.025, 3 has .208, 4 has .25. Then 3 comes before 2.
    assert made(candidates, 4, using(diversity=0.5)) == ["1", "4", "3", "2"]
    # d = .4: 2 has .17, 3 has .317, 4 has .3. Then 4 has .3 and 2 still .17.
    assert made(candidates, 4, using(diversity=0.4)) == ["1", "3", "4", "2"]
    # d = .1: 2 has .755, 3 has .642, 4 has .45.
    assert made(candidates, 4, using(diversity=0.1)) == ["1", "2", "3", "4"]
    assert made(candidates, 3, using(diversity=1.0)) == ["1", "4", "3"]


def test_what_counts_is_the_most_similar_item_of_the_list_and_not_their_sum() -> None:
    candidates = ranked(("1", 1.0, "ab"), ("2", 0.9, "cd"), ("3", 0.8, "bc"), ("4", 0.8, "dxy"))
    # 3 is like 1 and like 2 by 1/3 each, 4 is like 2 by 1/4: .8 - 1/3 and .8 - 1/4, halved.
    assert made(candidates, 3, using(diversity=0.5)) == ["1", "2", "4"]
    candidates = ranked(("1", 1.0, "ab"), ("2", 0.9, "cd"), ("3", 0.8, "bc"), ("4", 0.8, "cdxy"))
    # 4 is like 2 by 1/2, which is more than 1/3 and less than 1/3 twice.
    assert made(candidates, 3, using(diversity=0.5)) == ["1", "2", "3"]


def test_the_brand_counts_as_one_category_more_and_is_none_of_them() -> None:
    tea, ad = Candidate("tea", 1.0, frozenset("a"), "x"), Candidate("ad", 0.9, frozenset("ax"))
    pot, jam = Candidate("pot", 0.9, frozenset("b"), "x"), Candidate("jam", 0.8, frozenset("b"), "y")
    # pot shares with tea one of three, jam none; d = .5: (.9 - 1/3) / 2 against .8 / 2.
    assert made([tea, pot, jam], 2, using(diversity=0.5)) == ["tea", "jam"]
    # A category that is called like a brand is another thing: one of three is shared, not two of two.
    assert made([tea, ad], 2, using(diversity=0.5)) == ["tea", "ad"]
    nearest = Candidate("cup", 0.8, frozenset("a"), "x")
    assert made([tea, nearest, ad], 2, using(diversity=0.5)) == ["tea", "ad"]
    # Nor does the brand fill up a category.
    assert made([tea, pot, jam], 2, using(max_per_category=1)) == ["tea", "pot"]


def test_items_of_which_nothing_is_known_are_like_none() -> None:
    candidates = ranked(("1", 1.0, ""), ("2", 0.9, ""), ("3", 0.8, "a"))
    assert made(candidates, 3, using(diversity=0.9)) == ["1", "2", "3"]


def test_a_category_that_is_full_is_passed_over_and_comes_at_the_end_if_there_is_place() -> None:
    candidates = ranked(("1", 0.9, "a"), ("2", 0.8, "a"), ("3", 0.7, "ab"), ("4", 0.6, "b"), ("5", 0.5, ""))
    assert made(candidates, 3, using(max_per_category=1)) == ["1", "4", "5"]
    assert made(candidates, 5, using(max_per_category=1)) == ["1", "4", "5", "2", "3"]
    assert made(candidates, 4, using(max_per_category=2)) == ["1", "2", "4", "5"]
    assert made(candidates, 5, using(max_per_category=9)) == ["1", "2", "3", "4", "5"]


def test_what_fills_up_is_in_the_order_of_the_candidates_also_with_diversity() -> None:
    candidates = ranked(("1", 0.9, "a"), ("2", 0.8, "a"), ("3", 0.7, "ab"), ("4", 0.6, "c"))
    assert made(candidates, 4, using(max_per_category=1, diversity=1.0)) == ["1", "4", "2", "3"]


def test_once_caps_are_given_up_they_are_not_looked_at_again() -> None:
    candidates = ranked(
        ("1", 0.9, "a"), ("2", 0.8, "a"), ("3", 0.7, "a"), ("4", 0.6, "b"), ("5", 0.5, "a"), **{"4": 8.0}
    )
    # The mean is 1.6, the limit 3.2: 4 breaks it with 8 / 2, and would fit in the third place with 8 / 3.
    both = using(max_per_category=1, max_popularity_lift=2.0)
    assert made(candidates, 5, both) == ["1", "2", "3", "4", "5"]


def test_the_cap_on_popularity_is_that_worked_out_by_hand() -> None:
    items = [(name, 0.9 - n / 10, "") for n, name in enumerate("abcde")]
    candidates = ranked(*items, a=8.0, b=6.0, c=4.0, d=2.0)
    # The mean is 4: a is passed over with 8 and b with 6, c fits with 4; then b does not with (4 + 6) / 2,
    # d fits with 3; then b fits with (4 + 2 + 6) / 3 = 4; then e with 3, then a with 20 / 5.
    assert made(candidates, 5, using(max_popularity_lift=1.0)) == ["c", "d", "b", "e", "a"]
    # 6 at most: b, then a not with 7, c with 5, a with 6.
    assert made(candidates, 3, using(max_popularity_lift=1.5)) == ["b", "c", "a"]
    # 1 at most: e, then d with 1; nobody else fits, and those passed over come in their order.
    assert made(candidates, 5, using(max_popularity_lift=0.25)) == ["e", "d", "a", "b", "c"]
    assert made(candidates, 5, using(max_popularity_lift=2.0)) == list("abcde")


def test_rounding_breaks_no_cap() -> None:
    # Six times .7, added up, is a little more than their number times the mean of all, which is .7.
    candidates = [Candidate(f"{n}", 1.0, popularity=x) for n, x in enumerate([*[0.7] * 8, 0.6, 0.8])]
    assert made(candidates, 10, using(max_popularity_lift=1.0)) == [each.item for each in candidates]


def test_where_nothing_is_popular_the_cap_on_popularity_changes_nothing() -> None:
    candidates = ranked(("1", 0.9, "a"), ("2", 0.8, "a"))
    assert made(candidates, 2, using(max_popularity_lift=0.1)) == ["1", "2"]


def test_propensities_are_those_worked_out_by_hand() -> None:
    candidates = ranked(("1", 0.9, "a"), ("2", 0.8, "a"), ("3", 0.7, "b"))
    told: dict[tuple[str, ...], set[float | None]] = {}
    for n in range(400):
        before: tuple[str, ...] = ()
        for candidate, propensity in slate(candidates, 3, using(explore=0.3, max_per_category=1), f"{n}"):
            before = (*before, candidate.item)
            told.setdefault(before, set()).add(propensity)
    assert told == {
        ("1",): {0.8},  # .7 + .3 / 3
        ("2",): {0.1},
        ("3",): {0.1},
        ("1", "3"): {1.0},  # 2 does not fit
        ("2", "3"): {1.0},
        ("3", "1"): {0.85},  # .7 + .3 / 2
        ("3", "2"): {0.15},
        ("1", "3", "2"): {1.0},
        ("2", "3", "1"): {1.0},
        ("3", "1", "2"): {1.0},
        ("3", "2", "1"): {1.0},
    }


def test_propensities_have_six_significant_digits() -> None:
    candidates = ranked(("1", 0.9, ""), ("2", 0.8, ""), ("3", 0.7, ""))
    seen = {slate(candidates, 1, using(explore=0.2), f"{n}")[0][1] for n in range(100)}
    assert seen == {0.866667, 0.0666667}
    assert slate(candidates, 1, using(explore=1e-9), "")[0].propensity == 1.0


def test_what_is_drawn_depends_on_the_seed_and_on_the_place() -> None:
    candidates = [Candidate(f"i{n:02}", 1.0) for n in range(50)]
    exploring = using(explore=0.9)
    lists = [tuple(made(candidates, 10, exploring, f"browses:0:{n}")) for n in range(100)]
    assert lists == [tuple(made(candidates, 10, exploring, f"browses:0:{n}")) for n in range(100)]
    assert len(set(lists)) == 100
    # The same in every version: logs that were made with it can be made again.
    assert made(candidates, 5, exploring, "browses:0:7") == ["i49", "i09", "i00", "i41", "i01"]


def test_a_longer_list_begins_with_the_shorter_one() -> None:
    candidates = [Candidate(f"i{n:02}", 1.0 / (1 + n), frozenset(f"{n % 4}"), None, n) for n in range(50)]
    wanted = using(**SETTINGS)
    whole = slate(candidates, 50, wanted, "x")
    assert all(slate(candidates, k, wanted, "x") == whole[:k] for k in range(50))


def test_how_often_an_item_takes_a_place_is_its_propensity() -> None:
    # 20,000 seeds: the frequency of an outcome of probability p has the deviation sqrt(p (1 - p) / 20,000),
    # .0035 at most; it must be within five of them, which chance alone would miss once in a million.
    candidates = ranked(("1", 0.9, "a"), ("2", 0.8, "a"), ("3", 0.7, "b"), ("4", 0.6, "c"))
    seeds = 20_000
    lists = [slate(candidates, 3, using(explore=0.4, diversity=0.6), f"u:{n}") for n in range(seeds)]
    begun: Counter[tuple[str, ...]] = Counter()
    expected: dict[tuple[str, ...], float] = {}
    for places in lists:
        before: tuple[str, ...] = ()
        for candidate, propensity in places:
            assert propensity is not None
            before_it, before = before, (*before, candidate.item)
            begun[before] += 1
            expected[before] = expected.get(before_it, 1.0) * propensity
    assert len(begun) == 4 + 4 * 3 + 4 * 3 * 2
    for start, chance in expected.items():
        deviation = math.sqrt(chance * (1 - chance) / seeds)
        assert abs(begun[start] / seeds - chance) <= 5 * deviation, start
    for size in (1, 2, 3):
        # Six digits each, 24 outcomes at most.
        assert sum(chance for start, chance in expected.items() if len(start) == size) == pytest.approx(
            1, abs=1e-5
        )


@examples(max_examples=40)
@given(any_candidates(most=4).filter(bool), any_settings(explore=0.5), st.integers(0, 1_000))
def test_the_propensities_of_all_outcomes_of_a_place_sum_to_1(
    candidates: list[Candidate], wanted: RecommendSettings, salt: int
) -> None:
    # Each outcome has a chance of 1/8 at least: none is missed in 300 draws, but once in 10^16.
    told = {
        first.candidate.item: first.propensity
        for first, *_ in (slate(candidates, 1, wanted, f"{salt} {n}") for n in range(300))
    }
    fit = [each.item for each in candidates if fits([], each, candidates, wanted)]
    assert set(told) == set(fit or [each.item for each in candidates])
    assert sum(value for value in told.values() if value is not None) == pytest.approx(1, abs=1e-5)


@given(any_candidates(), st.integers(0, 14), any_settings(), st.text())
def test_a_slate_holds_candidates_once_each_and_as_many_as_there_can_be(
    candidates: list[Candidate], k: int, wanted: RecommendSettings, seed: str
) -> None:
    seed = seed.encode(errors="replace").decode()
    places = slate(candidates, k, wanted, seed)
    taken = [place.candidate for place in places]
    assert len(taken) == len(set(taken)) == min(k, len(candidates))
    assert set(taken) <= set(candidates)
    assert slate(candidates, k, wanted, seed) == places
    for _, propensity in places:
        assert (propensity is None) == (not wanted.explore)
        assert propensity is None or 0 < propensity <= 1


@given(any_candidates(), st.integers(0, 14), any_settings())
def test_caps_hold_unless_nobody_that_is_left_fits(
    candidates: list[Candidate], k: int, wanted: RecommendSettings
) -> None:
    taken = [place.candidate for place in slate(candidates, k, wanted, "x")]
    kept = 0
    while kept < len(taken) and fits(taken[:kept], taken[kept], candidates, wanted):
        kept += 1
    # From where a cap is broken on, nobody who is left would have kept it.
    left = [each for each in candidates if each not in taken[:kept]]
    assert kept == len(taken) or not any(fits(taken[:kept], each, candidates, wanted) for each in left)


@given(any_candidates(), st.integers(0, 14), any_settings(explore=0.0))
def test_a_slate_is_that_of_the_plain_definition(
    candidates: list[Candidate], k: int, wanted: RecommendSettings
) -> None:
    best = max((each.score for each in candidates), default=0.0)
    share, left, plain = wanted.diversity, list(candidates), list[Candidate]()

    def worth(item: Candidate) -> float:
        nearest = max((similarity(item, each) for each in plain), default=0.0)
        return (1 - share) * (item.score / best if best else 0.0) - share * nearest

    while left and len(plain) < k:
        fit = [each for each in left if fits(plain, each, candidates, wanted)]
        if not fit:
            plain += left[: k - len(plain)]
            break
        plain.append(max(fit, key=worth))
        left.remove(plain[-1])
    assert made(candidates, k, wanted) == [each.item for each in plain]


@given(any_candidates(), st.integers(0, 14))
def test_caps_that_nothing_breaks_leave_the_order_as_it_is(candidates: list[Candidate], k: int) -> None:
    loose = using(max_per_category=12, max_popularity_lift=1e6)
    assert (
        slate(candidates, k, loose, "")
        == slate(candidates, k, using(), "")
        == [(x, None) for x in candidates[:k]]
    )


@pytest.mark.parametrize("name", SETTINGS)
def test_any_of_the_settings_makes_a_list_of_more_candidates(name: str) -> None:
    views = MemoryViews()
    assert keeps_order(using())
    assert Slates(views, using()).wanted(10) == 10
    on = using(**{name: SETTINGS[name]})
    assert not keeps_order(on)
    assert [Slates(views, on).wanted(k) for k in (0, 10, CANDIDATES, 200)] == [50, 50, 50, 200]


def test_categories_brands_and_popularity_are_those_of_the_views() -> None:
    views = MemoryViews(
        popular={"all": [("tea", 3.0), ("cup", 1.0)], "category:a": [("jam", 9.0)]},
        items=[
            ItemFacts("tea", None, ["a", "a"], None, None, [], True, 0),
            ItemFacts("cup", None, ["b"], "x", None, [], True, 0),
            ItemFacts("pot", None, ["a"], "x", None, [], True, 0),
        ],
    )
    given_ = [("tea", 0.9), ("pot", 0.8), ("cup", 0.7), ("jam", 0.6)]
    capped = Slates(views, using(max_per_category=1)).make(given_, 3, "")
    assert capped == [("tea", 0.9, None), ("cup", 0.7, None), ("jam", 0.6, None)]
    # The mean is 1. pot has 0, and jam, of which its category alone speaks; then cup fits with 1 / 3.
    rare = Slates(views, using(max_popularity_lift=0.4)).make(given_, 4, "")
    assert [item for item, *_ in rare] == ["pot", "jam", "cup", "tea"]
    diverse = Slates(views, using(diversity=0.5)).make(given_, 4, "")
    assert [item for item, *_ in diverse] == ["tea", "cup", "jam", "pot"]
