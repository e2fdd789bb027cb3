"""What a demo says of acts, lists and reasons: with titles, short enough, and never wrong about a move."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Browse, Impression, OrderLine, PublicMessage, Purchase, Rating
from schemas.recommendations import Latency, Recommendation, RecommendedItem
from streams.demo import words

TITLES = {"i1": "Blue kite", "i2": "Brass lamp"}
LISTS = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (Browse(event_id="e", user_id="anna", item_id="i1", at=0), "looks at Blue kite"),
        (
            Browse(event_id="e", user_id="anna", item_id="i1", action="cart", at=0),
            "puts Blue kite into the cart",
        ),
        (
            Purchase(
                event_id="e", user_id="anna", at=0, lines=[OrderLine("i2", 1, 2.0), OrderLine("i9", 1, 2.0)]
            ),
            "buys Brass lamp and i9",
        ),
        (
            Rating(event_id="e", user_id="anna", item_id="i2", value=4.5, scale_max=5.0, at=0),
            "gives Brass lamp 4.5 of 5 stars",
        ),
        (Impression(event_id="e", user_id="anna", recommendation_id="r", items=["i1"], at=0), None),
    ],
)
def test_an_act_is_told_with_titles_and_what_is_no_act_is_not_told(
    message: PublicMessage, told: str | None
) -> None:
    assert words.act(message, TITLES) == told


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ({"source": "similarity", "item_id": "i1", "similarity": 0.414}, "similar to Blue kite (0.41)"),
        ({"source": "similarity", "item_id": "i7", "similarity": 1.0}, "similar to i7 (1.00)"),
        ({"source": "users", "customers": 3, "similarity": 0.4}, "had by similar customers: 3"),
        (
            {"source": "rules", "item_id": "i2", "scope": "orders", "lift": 3.25, "confidence": 0.5},
            "bought with Brass lamp (lift 3.2, 50%)",
        ),
        (
            {"source": "rules", "item_id": "i2", "scope": "sessions", "lift": 2.0, "confidence": 0.1},
            "viewed with Brass lamp (lift 2.0, 10%)",
        ),
        ({"source": "popularity", "scope": "all", "value": 8.0}, "popular: in the whole shop"),
        ({"source": "popularity", "scope": "category:toys", "value": 8.0}, "popular: in toys"),
        ({"source": "popularity", "scope": "segment:3", "value": 8.0}, "popular: in segment 3"),
        ({"source": "popularity", "scope": "nearby", "value": 8.0}, "popular: nearby"),
        ({"source": "recent"}, "looked at recently"),
    ],
)
def test_a_reason_is_told_with_titles(reason: dict[str, object], told: str) -> None:
    kept = dict(reason)
    assert words.why(reason, TITLES) == told
    assert reason == kept


def test_places_are_told_with_their_strongest_reason_and_how_they_moved() -> None:
    popular, recent = {"source": "popularity", "scope": "all", "value": 1.0}, {"source": "recent"}
    items = [
        RecommendedItem(item, rank, 1 / rank, None, [recent, popular] if item == "i2" else [popular])
        for rank, item in enumerate(("i2", "i1", "i9", "i8"), start=1)
    ]
    message = Recommendation("r", "anna", None, 0, ["e"], items, None, {}, None, Latency(0, 0, 0))
    assert words.places(message, ("i1", "i2", "i9"), TITLES, count=3) == (
        words.Place(1, "Brass lamp", "looked at recently", "+1"),
        words.Place(2, "Blue kite", "popular: in the whole shop", "-1"),
        words.Place(3, "i9", "popular: in the whole shop", ""),
    )
    assert [place.change for place in words.places(message, (), TITLES, count=9)] == [""] * 4


@given(LISTS, LISTS)
def test_a_move_leads_from_the_place_before_to_the_place_now(before: list[str], now: list[str]) -> None:
    for rank, item in enumerate(now, start=1):
        moved = words.change(item, rank, before)
        if not before:
            assert moved == ""
        elif item not in before:
            assert moved == "new"
        else:
            assert rank + int(moved or "0") == before.index(item) + 1
            assert moved != "+0"


@given(LISTS, LISTS)
def test_lists_differ_equally_seen_from_both_and_in_no_place_only_if_they_are_equal(
    one: list[str], other: list[str]
) -> None:
    count = words.differing(one, other)
    assert count == words.differing(other, one)
    assert (count == 0) == (one == other)
    assert count <= max(len(one), len(other))


@given(st.text(max_size=40), st.integers(1, 40))
def test_a_fitted_text_fits_and_a_short_one_is_left_as_it_is(text: str, width: int) -> None:
    fitted = words.fitted(text, width)
    assert len(fitted) <= width
    assert fitted == text or ("…" in fitted and len(text) > width)


def test_the_numbers_at_the_end_are_spared_as_long_as_there_is_room() -> None:
    text = "viewed with Brass lantern hook (lift 3.8, 28%)"
    assert words.fitted(text, 30) == "viewed with B… (lift 3.8, 28%)"
    assert words.fitted(text, 12) == "viewed with…"
    assert words.fitted("Brass lantern hook", 8) == "Brass l…"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0, "0.0 ms"),
        (0.0004, "0.4 ms"),
        (0.0099, "9.9 ms"),
        (0.0213, "21 ms"),
        (0.25, "250 ms"),
        (1, "1.00 s"),
    ],
)
def test_a_time_is_told_as_precisely_as_it_interests(seconds: float, told: str) -> None:
    assert words.duration(seconds) == told


@given(st.floats(0, 1_000))
def test_a_time_is_told_in_few_characters(seconds: float) -> None:
    assert re.fullmatch(r"\d\.\d ms|10\.0 ms|\d{2,4} ms|\d+\.\d\d s", words.duration(seconds))
