from hypothesis import given
from hypothesis import strategies as st

from online_models.recount import recount_baskets, recount_similarity

ITEMS = st.sampled_from("abcde")
BASKETS = st.lists(st.lists(ITEMS, max_size=5), max_size=12)
RATINGS = st.lists(st.tuples(st.sampled_from("xyz"), ITEMS, st.integers(0, 4)), max_size=20)


def test_baskets_worked_by_hand() -> None:
    counts = recount_baskets([["tea", "cup"], ["tea", "cup", "pot"], ["tea"], []])
    assert counts.total == 4
    assert counts.items == {"tea": 3, "cup": 2, "pot": 1}
    assert counts.pairs["cup", "tea"] == counts.pairs["tea", "cup"] == 2
    assert counts.pairs["pot", "cup"] == 1


def test_similarity_worked_by_hand() -> None:
    # A browse weighs 1, a purchase 4; repeats add nothing, and a pair adds the smaller weight.
    counts = recount_similarity(
        [("x", "tea", 1), ("x", "tea", 4), ("x", "tea", 1), ("x", "cup", 2), ("y", "tea", 1), ("y", "cup", 4)]
    )
    assert counts.total == 2
    assert counts.items == {"tea": 5, "cup": 6}
    assert counts.pairs == {("tea", "cup"): 3, ("cup", "tea"): 3}


@given(BASKETS)
def test_baskets_equal_counting_one_pair_after_another(baskets: list[list[str]]) -> None:
    counts = recount_baskets(baskets)
    for one in "abcde":
        assert counts.items[one] == sum(one in basket for basket in baskets)
        for other in "abcde":
            together = sum(one in basket and other in basket for basket in baskets)
            assert counts.pairs[one, other] == (together if one != other else 0)


@given(RATINGS)
def test_similarity_equals_the_sums_of_its_definition(ratings: list[tuple[str, str, int]]) -> None:
    counts = recount_similarity(ratings)

    def rating(user: str, item: str) -> int:
        return max((weight for who, what, weight in ratings if (who, what) == (user, item)), default=0)

    for one in "abcde":
        assert counts.items[one] == sum(rating(user, one) for user in "xyz")
        for other in "abcde":
            shared = sum(min(rating(user, one), rating(user, other)) for user in "xyz")
            assert counts.pairs[one, other] == (shared if one != other else 0)


@given(BASKETS)
def test_the_order_of_baskets_does_not_matter(baskets: list[list[str]]) -> None:
    assert recount_baskets(baskets) == recount_baskets(reversed(baskets))
