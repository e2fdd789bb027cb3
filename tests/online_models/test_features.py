"""Sums and vectors of customers: bounded, finite, and the same for the same events."""

import math
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.features import (
    BUCKETS,
    FEATURES,
    MAX_CATEGORIES,
    MAX_NAME,
    WEIGHTS,
    measures,
    observe,
    vector,
)
from schemas.messages import Event, Line
from schemas.state import Behaviour

KINDS = ("view", "cart", "purchase", "rating", "customer", "link", "impression")


def event(kind: str, at: int = 1_000, *lines: Line, **more: float | dict[str, str] | None) -> Event:
    plain = Event("u:anna", kind, at, "browses", 0, 0, at, at, lines=list(lines))
    return msgspec.structs.replace(plain, **more)


def line(item: str = "tea", *categories: str, quantity: float = 1.0, price: float | None = None) -> Line:
    return Line(item, list(categories), quantity, price)


def after(*events: Event, new_session: bool = False) -> Behaviour:
    behaviour = Behaviour()
    for one in events:
        observe(behaviour, one, new_session=new_session)
    return behaviour


def numbers(behaviour: Behaviour) -> dict[str, float]:
    return dict(zip(FEATURES, vector(behaviour), strict=True))


def shares(behaviour: Behaviour) -> list[float]:
    return [number for name, number in numbers(behaviour).items() if name.startswith("category_")]


prices = st.none() | st.floats(0, 1e308)
lines = st.builds(
    Line,
    st.text(max_size=3),
    st.lists(st.text(max_size=3), max_size=3),
    st.floats(0, 1e308, exclude_min=True),
    prices,
)
events = st.builds(
    Event,
    key=st.just("u:anna"),
    kind=st.sampled_from(KINDS),
    at=st.integers(-(2**40), 2**42),
    topic=st.just("browses"),
    partition=st.just(0),
    offset=st.just(0),
    sent_at=st.just(0),
    ingested_at=st.just(0),
    lines=st.lists(lines, max_size=4),
    value=st.none() | st.floats(0, 5),
    scale_max=st.just(5.0),
    attributes=st.none()
    | st.dictionaries(st.sampled_from(["age_band", "gender", "location", "income_band", "x"]), st.text()),
)


@given(st.lists(st.tuples(events, st.booleans()), max_size=30))
def test_a_vector_has_one_finite_number_of_modest_size_per_feature(stream: list[tuple[Event, bool]]) -> None:
    behaviour = Behaviour()
    for one, new_session in stream:
        observe(behaviour, one, new_session=new_session)

    found = vector(behaviour)

    assert len(found) == len(FEATURES) == len(WEIGHTS)
    assert all(math.isfinite(number) and abs(number) < 50 for number in found)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(behaviour), type=Behaviour) == behaviour


def test_nobody_yet_has_a_vector() -> None:
    found = numbers(Behaviour())

    assert found["frequency"] == found["monetary"] == found["price_level"] == 0.0
    assert shares(Behaviour()) == [0.0] * BUCKETS


def test_each_kind_of_action_is_counted() -> None:
    behaviour = after(
        event("view", 1_000, line()),
        event("cart", 3_000, line()),
        event("purchase", 5_000, line(quantity=2.0, price=4.5), line("cup", price=None)),
        event("rating", 2_000, line(), value=4.0, scale_max=5.0),
    )

    assert (behaviour.views, behaviour.carts, behaviour.purchases, behaviour.ratings) == (1, 1, 1, 1)
    assert (behaviour.events, behaviour.spent, behaviour.rating_sum) == (4, 9.0, 0.8)
    assert (behaviour.first_at, behaviour.last_at, behaviour.session_items) == (1_000, 5_000, 2)
    assert (behaviour.price_sum, behaviour.priced) == (4.5, 1)


def test_a_late_event_moves_the_beginning_and_not_the_end() -> None:
    behaviour = after(event("view", 5_000, line()), event("view", 1_000, line()))

    assert (behaviour.first_at, behaviour.last_at) == (1_000, 5_000)


def test_links_and_impressions_change_nothing() -> None:
    before = after(event("view", 1_000, line("tea", "drinks")))
    behaviour = after(
        event("view", 1_000, line("tea", "drinks")),
        event("link", 9_000),
        event("impression", 9_000, line("cup", "kitchen")),
    )

    assert behaviour == before


def test_a_customer_event_sets_the_attributes_and_is_no_behaviour() -> None:
    behaviour = after(event("customer", attributes={"gender": "f", "age_band": "25-34", "shoe": "38"}))

    assert behaviour == Behaviour(attributes={"age_band": "25-34", "gender": "f"})
    found = numbers(behaviour)
    assert found["gender"] == -0.5
    assert found["age_band"] == pytest.approx(-15 / 110)
    assert found["location"] == found["income_band"] == 0.0


def test_attributes_are_replaced_as_a_whole_and_cut() -> None:
    behaviour = after(
        event("customer", attributes={"gender": "f"}),
        event("customer", attributes={"location": "x" * 10 * MAX_NAME}),
    )

    assert behaviour.attributes == {"location": "x" * MAX_NAME}
    assert after(event("customer", attributes={"gender": "f"}), event("customer")).attributes == {}


@pytest.mark.parametrize("age", ["18-24", "65+", "<18", "about forty", "9" * 400, "²-³"])
def test_any_age_band_is_a_small_number(age: str) -> None:
    found = numbers(Behaviour(attributes={"age_band": age}))["age_band"]

    assert -0.5 <= found <= 1.0


def test_older_bands_and_higher_incomes_are_larger() -> None:
    ages = [numbers(Behaviour(attributes={"age_band": a}))["age_band"] for a in ("18-24", "25-34", "65+")]
    incomes = [
        numbers(Behaviour(attributes={"income_band": i}))["income_band"] for i in ("low", "mid", "high")
    ]

    assert ages == sorted(ages)
    assert incomes == sorted(incomes)


def test_shares_of_categories_tell_tastes_apart_and_grow_surer_with_events() -> None:
    tea = after(*[event("view", 1, line("tea", "drinks"))] * 20)
    pan = after(*[event("view", 1, line("pan", "kitchen"))] * 20)
    newcomer = after(event("view", 1, line("tea", "drinks")))

    assert sum(shares(tea)) == pytest.approx(20 / 22)
    assert sum(shares(newcomer)) == pytest.approx(1 / 3)
    assert math.dist(shares(tea), shares(pan)) > 0.8


def test_most_pairs_of_categories_share_no_bucket_and_none_share_all() -> None:
    names = [f"category {n}" for n in range(12)]
    places = [
        frozenset(n for n, share in enumerate(shares(Behaviour(categories={name: 1.0}))) if share)
        for name in names
    ]

    assert len(set(places)) == len(names)


def test_categories_are_bounded_on_a_stream_ten_times_longer_than_the_bound() -> None:
    behaviour = Behaviour()
    for n in range(10 * MAX_CATEGORIES):
        observe(behaviour, event("view", n, line("tea", f"c{n:03d}", "staple")), new_session=False)
        assert len(behaviour.categories) <= MAX_CATEGORIES

    assert max(behaviour.categories, key=behaviour.categories.__getitem__) == "staple"


def test_the_lightest_category_goes_and_of_equals_the_first_by_name() -> None:
    names = [f"c{n:02d}" for n in range(MAX_CATEGORIES)]
    behaviour = Behaviour(categories=dict.fromkeys(reversed(names), 2.0) | {"c05": 1.0, "c04": 1.0})

    observe(behaviour, event("view", 1, line("tea", "zebra")), new_session=False)

    assert set(behaviour.categories) == {*names, "zebra"} - {"c04"}


def test_a_taste_that_comes_after_many_others_is_still_found() -> None:
    behaviour = Behaviour(categories={f"c{n:02d}": 60.0 for n in range(MAX_CATEGORIES)})

    for n in range(40):
        observe(behaviour, event("view", n, line("tea", "zebra")), new_session=False)

    assert max(behaviour.categories, key=behaviour.categories.__getitem__) == "zebra"


def test_a_category_with_an_absurdly_long_name_is_left_out() -> None:
    assert after(event("view", 1, line("tea", "x" * (MAX_NAME + 1), "drinks"))).categories == {"drinks": 1.0}


def test_new_tastes_overtake_old_ones() -> None:
    old = [event("view", n, line("tea", "drinks")) for n in range(1_000)]
    new = [event("view", n, line("pan", "kitchen")) for n in range(100)]

    behaviour = after(*old, *new)

    assert behaviour.categories["kitchen"] > behaviour.categories["drinks"]


@given(
    st.integers(1, 500),
    st.integers(0, 500),
    st.floats(0, 1e6),
    st.integers(1, 50),
    st.integers(0, 10 * 365 * 86_400_000),
)
def test_measures_read_a_vector_back(
    events: int, purchases: int, spent: float, sessions: int, tenure: int
) -> None:
    behaviour = Behaviour(
        events=events, purchases=purchases, spent=spent, sessions=sessions, first_at=5, last_at=5 + tenure
    )

    found = measures(vector(behaviour))

    assert found.orders == pytest.approx(purchases, abs=1e-6)
    assert found.spent == pytest.approx(spent, rel=1e-9, abs=1e-9)
    assert round(found.tenure_s * 1000) == tenure


_PROGRAM = """
from online_models.features import observe, vector
from schemas.messages import Event, Line
from schemas.state import Behaviour
anna = Behaviour()
for n in range(200):
    names = [f"c{n * 7 % 45}", f"d{n % 11}"]
    event = Event("u:anna", "view", n, "browses", 0, 0, n, n, lines=[Line("tea", names, 1.0, 1.0 + n)])
    observe(anna, event, new_session=n % 9 == 0)
print(anna, vector(anna))
"""


def test_another_hash_seed_gives_the_same_sums_and_vector() -> None:
    said = {
        subprocess.run(  # noqa: S603  # a command of our own
            [sys.executable, "-c", _PROGRAM],
            env={"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }

    assert len(said) == 1
    assert "Behaviour(" in said.pop()
