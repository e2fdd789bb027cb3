"""User-user collaborative filtering: answers worked out by hand and by a plain oracle; bounded; erasable."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_models.customer_neighbours import WEIGHTS, Alike, CustomerNeighbours
from online_models.session_index import SessionIndex
from schemas.messages import WEIGHT_ONE, Fact, Line
from schemas.state import HistoryRow, ItemMark
from tests.online_models.plain_customers import Found, plain_find, plain_sessions

KEYS = ["u:anna", "u:bert", "u:cleo", "s:one"]
ITEMS = "abcdefg"
ROWS = 2


def a_fact(key: str, items: str, at: int, *, start: bool) -> Fact:
    kind = "view" if items else "erasure"
    return Fact(key, kind, at, [Line(item, []) for item in items], [0] * len(items), start, [])


def taught(*customers: str, **bounds: int) -> SessionIndex:
    """Customers u:0, u:1, ..., each with a session, one behind the other."""
    index = SessionIndex(**bounds)
    for n, items in enumerate(customers):
        index.learn_fact(a_fact(f"u:{n}", items, n, start=True))
    return index


def named(index: SessionIndex, found: Alike) -> Found:
    names = [index.names[number] for number in found.numbers.tolist()]
    told = zip(found.share.tolist(), found.customers.tolist(), found.similarity.tolist(), strict=True)
    return dict(zip(names, told, strict=True))


_facts = st.lists(
    st.builds(
        a_fact,
        st.sampled_from(KEYS),
        st.text(ITEMS, max_size=4),
        st.just(0),
        start=st.booleans(),
    ),
    max_size=25,
)


_asked = st.dictionaries(st.sampled_from(ITEMS), st.sampled_from([0.25, 0.5, 1.0]), max_size=5)


@settings(max_examples=150)
@given(_facts, st.sampled_from([(3, 2), (6, 3), (50, 32)]), st.sampled_from(KEYS), _asked)
def test_what_is_found_is_what_plain_python_finds_also_in_a_restored_copy(
    facts: list[Fact], bounds: tuple[int, int], key: str, asked: dict[str, float]
) -> None:
    index, copy = (SessionIndex(sessions=bounds[0], width=bounds[1]) for _ in range(2))
    near = CustomerNeighbours(index, rows=ROWS)
    items, weights = list(asked), list(asked.values())
    for fact in facts:
        index.learn_fact(fact)
        # Asked in between as well: what one question leaves behind must not show in the next.
        near.find(key, items, most=3)
    found = near.find(key, items, most=99, weights=weights)
    digests = {index.customers.number(each.key): each.key for each in plain_sessions(index)}
    expected = plain_find(index, digests.get(index.customer_of(key), 0), asked, rows=ROWS)
    got = named(index, found)
    assert set(got) == set(expected)
    assert all(got[item] == pytest.approx(expected[item]) for item in expected)
    assert np.all(np.diff(found.share) <= 0)
    assert copy.restore(index.rows())
    again = CustomerNeighbours(copy, rows=ROWS).find(key, items, most=99, weights=weights)
    assert [each.tolist() for each in again] == [each.tolist() for each in found]


def test_shares_and_cosines_are_those_worked_out_by_hand() -> None:
    index = taught("abx", "ay", "zz", sessions=9)
    found = CustomerNeighbours(index).find("u:me", "ab", most=9, without="ab", weights=(1, 1))
    first, second = 2 / 6**0.5, 1 / 4**0.5
    total = first + second
    told = named(index, found)
    assert told["x"] == pytest.approx((first / total, 1, first))
    assert told["y"] == pytest.approx((second / total, 1, second))
    assert len(told) == 2


def test_only_the_nearest_customers_are_asked_and_of_equal_ones_who_acted_last() -> None:
    index = taught("abx", "ay", "az")
    assert set(named(index, CustomerNeighbours(index, neighbours=1).find("", ["a", "b"], most=9))) == set(
        "abx"
    )
    assert set(named(index, CustomerNeighbours(index, neighbours=1).find("", ["a"], most=9))) == set("az")


def test_only_the_newest_places_of_an_item_and_the_newest_rows_of_a_customer_are_looked_at() -> None:
    index = taught("ax", "ay", "az")
    assert set(named(index, CustomerNeighbours(index, ring=2).find("", ["a"], most=9))) == set("ayz")
    index = SessionIndex()
    for items in ("ax", "ay", "az"):
        index.learn_fact(a_fact("u:0", items, 0, start=True))
    assert set(named(index, CustomerNeighbours(index, rows=2).find("", ["a"], most=9))) == set("ayz")


def test_no_more_customers_are_compared_than_there_is_room_for() -> None:
    index = taught("ax", "ay", "az")
    assert set(named(index, CustomerNeighbours(index, most=1).find("", ["a"], most=9))) == set("az")


def test_of_many_items_those_are_told_that_near_customers_have() -> None:
    index = taught("abxy", "aby", "az")
    found = CustomerNeighbours(index).find("", ["a", "b"], most=1, without=["a", "b"])
    assert list(named(index, found)) == ["y"]


@pytest.mark.parametrize(("weights", "best"), [((1, 0.5), "x"), ((0.5, 1), "y")])
def test_weights_of_what_is_asked_decide_who_is_near(weights: tuple[float, float], best: str) -> None:
    index = taught("ax", "by")
    found = CustomerNeighbours(index).find("", "ab", most=1, without="ab", weights=weights)
    assert list(named(index, found)) == [best]


def test_a_customer_is_no_neighbour_of_their_own() -> None:
    index = SessionIndex()
    for items in ("ax", "ay"):
        index.learn_fact(a_fact("u:0", items, 0, start=True))
    near = CustomerNeighbours(index)
    assert not len(near.find("u:0", ["a"], most=9).numbers)
    assert set(named(index, near.find("u:1", ["a"], most=9))) == set("axy")


def test_newer_items_weigh_more_and_no_more_are_asked_than_have_a_weight() -> None:
    index = taught("ax", "by")
    assert list(named(index, CustomerNeighbours(index).find("", "ba", most=1, without="ab"))) == ["y"]
    old = [f"i{n}" for n in range(len(WEIGHTS))]
    assert not len(CustomerNeighbours(index).find("", [*old, "a"], most=9).numbers)


def test_a_history_asks_for_what_is_liked_and_wants_nothing_that_may_not_be_shown() -> None:
    index = taught("abcdx", "ey")
    marks = {
        "a": ItemMark(4 * WEIGHT_ONE, 0, had=True),
        "b": ItemMark(WEIGHT_ONE, 0),
        "e": ItemMark(0, 0, had=True, disliked=True),
    }
    near, row = CustomerNeighbours(index), HistoryRow(marks)
    assert set(named(index, near.of_history("u:me", row, most=9))) == set("bcdx")
    assert set(named(index, near.of_history("u:me", row, most=9, repeat=True))) == set("abcdx")
    assert not len(near.of_history("u:me", HistoryRow(), most=9).numbers)


def test_what_fewer_customers_have_than_may_be_told_is_not_found() -> None:
    index = taught("abx", "aby", "ay")
    near, row = CustomerNeighbours(index), HistoryRow({"a": ItemMark(WEIGHT_ONE, 0)})
    assert set(named(index, near.of_history("u:me", row, most=9, fewest=2))) == set("aby")
    assert set(named(index, near.of_history("u:me", row, most=9, fewest=3))) == set("a")


def test_an_erased_customer_is_nobodys_neighbour_and_their_number_goes_to_another() -> None:
    index = taught("ax", "ay")
    index.learn_fact(a_fact("u:0", "", 2, start=False))
    assert index.customer_of("u:0") == -1
    assert set(named(index, CustomerNeighbours(index).find("", ["a"], most=9))) == set("ay")
    index.learn_fact(a_fact("u:9", "az", 3, start=True))
    assert (index.customer_of("u:9"), len(index.customers)) == (0, 2)


def test_customers_are_bounded_by_sessions_on_a_stream_ten_times_longer() -> None:
    index = SessionIndex(sessions=50, width=4)
    for n in range(500):
        index.learn_fact(a_fact(f"u:{n}", "ab", n, start=True))
        assert len(index.customers) <= 50
    assert len(index.customers) == 50
    assert {index.customer_of(f"u:{n}") for n in range(450, 500)} == set(range(50))


def test_customers_of_two_tastes_get_what_their_own_kind_has() -> None:
    drawn = np.random.default_rng(5)
    index = SessionIndex()
    for n in range(200):
        kind = "left" if n % 2 else "right"
        for item in drawn.choice(20, 6, replace=False).tolist():
            index.learn_one(f"u:{n}", None, f"{kind}{item}", n)
    near = CustomerNeighbours(index)
    for kind in ("left", "right"):
        asked = [f"{kind}{n}" for n in range(4)]
        found = named(index, near.find("u:new", asked, most=10, without=asked))
        assert len(found) == 10
        assert all(item.startswith(kind) for item in found)
