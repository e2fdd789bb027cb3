"""When a customer is sampled, with what, and that nothing is kept of those who aren't."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from online_models.memory_store import MemoryStore
from online_models.segments import MAX_ITEMS, SegmentsStep
from schemas.messages import WEIGHT_ONE, Fact, Line, Sample
from schemas.state import SegmentRow

ANNA = "u:anna"


def step() -> SegmentsStep:
    return SegmentsStep(MemoryStore(SegmentRow))


def fact(at: int, kind: str = "view", *, sampled: bool = False, key: str = ANNA, item: str = "tea") -> Fact:
    line = Line(item, ["drinks"], 2.0, 4.5 if kind == "purchase" else None)
    return Fact(key, kind, at, [line], [WEIGHT_ONE], sampled, [float(at)] if sampled else [])


def test_an_action_with_features_is_sampled() -> None:
    (sample,) = step().learn_one(fact(5, sampled=True))
    assert sample == Sample(5, [5.0], [], [("tea", ["drinks"], WEIGHT_ONE)], 0.0, 0)


def test_what_lies_between_two_samples_is_not_sampled() -> None:
    segments = step()
    facts = [fact(at, sampled=at in (1, 4)) for at in range(1, 6)]
    assert [len(segments.learn_one(one)) for one in facts] == [1, 0, 0, 1, 0]


def test_a_sample_tells_what_was_done_since_the_last_one() -> None:
    segments = step()
    for one in (fact(1, sampled=True), fact(2, item="cup"), fact(3, item="pan")):
        segments.learn_one(one)

    (sample,) = segments.learn_one(fact(4, "purchase", item="pot", sampled=True))

    assert sample.previous == [1.0]
    assert sample.features == [4.0]
    assert [item for item, _, _ in sample.items] == ["cup", "pan", "pot"]
    assert (sample.spent, sample.purchases) == (9.0, 1)


def test_what_gained_no_weight_is_no_item_of_the_sample() -> None:
    again = msgspec.structs.replace(fact(1, sampled=True), gained=[0])

    assert step().learn_one(again)[0].items == []


def test_a_late_event_does_not_turn_back_the_time_of_the_samples() -> None:
    segments = step()
    segments.learn_one(fact(9, sampled=True))

    assert segments.learn_one(fact(3, sampled=True))[0].at == 9


def test_of_guests_nothing_is_kept() -> None:
    segments = step()
    rows = segments.rows
    assert isinstance(rows, MemoryStore)

    for key in ("s:1", "o:2"):
        assert segments.learn_one(fact(1, key=key)) == []

    assert rows.rows() == {}


def test_an_erasure_deletes_the_row_and_takes_the_customer_out_of_their_segment() -> None:
    segments = step()
    segments.learn_one(fact(1, sampled=True))
    segments.learn_one(fact(2))
    erasure = Fact(ANNA, "erasure", 7, [], [], False, [])

    assert segments.learn_one(erasure) == [Sample(7, [], [1.0], [], 0.0, 0)]
    assert segments.rows.get(ANNA) is None
    assert segments.learn_one(erasure) == []
    assert segments.learn_one(fact(8, sampled=True))[0].previous == []


def test_what_a_customer_says_about_themselves_is_kept_once_they_have_acted_and_sampled_with_an_action() -> (
    None
):
    segments = step()
    profile = Fact(ANNA, "customer", 2, [], [], False, [0.7])

    assert segments.learn_one(profile) == []
    assert segments.rows.get(ANNA) is None
    segments.learn_one(fact(1, sampled=True))
    assert segments.learn_one(profile) == []

    row = segments.rows.get(ANNA)
    assert row is not None
    assert (row.features, row.sampled, row.events) == ([0.7], [1.0], 0)


def test_links_and_impressions_change_nothing() -> None:
    segments = step()
    segments.learn_one(fact(1, sampled=True))
    before = segments.rows.get(ANNA)

    for kind in ("link", "impression"):
        shown = Fact(ANNA, kind, 2, [Line("tea", [])] if kind == "impression" else [], [], False, [])
        assert segments.learn_one(shown) == []

    assert segments.rows.get(ANNA) == before


def test_items_are_bounded_even_for_an_order_ten_times_longer_than_the_bound() -> None:
    lines = [Line(f"i{n}", ["drinks"], 1.0, 1.0) for n in range(10 * MAX_ITEMS)]
    order = Fact(ANNA, "purchase", 1, lines, [WEIGHT_ONE] * len(lines), True, [1.0])

    (sample,) = step().learn_one(order)

    assert [item for item, _, _ in sample.items] == [f"i{n}" for n in range(9 * MAX_ITEMS, 10 * MAX_ITEMS)]
    assert sample.spent == 10.0 * MAX_ITEMS


def test_a_row_is_bounded_on_a_stream_ten_times_longer_than_the_bound() -> None:
    segments = step()
    for at in range(10 * MAX_ITEMS):
        segments.learn_one(fact(at, item=f"i{at}"))

    row = segments.rows.get(ANNA)
    assert row is not None
    assert len(row.items) == MAX_ITEMS


KINDS = st.sampled_from(["view", "cart", "purchase", "rating"])


@given(st.lists(st.tuples(KINDS, st.booleans(), st.sampled_from("ab")), max_size=60))
def test_samples_chain_up_and_no_item_order_or_cent_is_lost(stream: list[tuple[str, bool, str]]) -> None:
    segments = step()
    previous: dict[str, list[float]] = {}
    facts = [
        fact(at, kind, sampled=sampled, key=f"u:{who}", item=f"i{at}")
        for at, (kind, sampled, who) in enumerate(stream)
    ]
    items, spent, purchases = [], 0.0, 0
    for one in facts:
        for sample in segments.learn_one(one):
            assert sample.previous == previous.get(one.key, [])
            previous[one.key] = sample.features
            items += [item for item, _, _ in sample.items]
            spent += sample.spent
            purchases += sample.purchases

    unsent = [row for row in map(segments.rows.get, {one.key for one in facts}) if row is not None]
    assert sorted(items + [item for row in unsent for item, _, _ in row.items]) == sorted(
        one.lines[0].item for one in facts
    )
    ordered = sum(one.kind == "purchase" for one in facts)
    assert purchases + sum(row.purchases for row in unsent) == ordered
    assert spent + sum(row.spent for row in unsent) == 9.0 * ordered
