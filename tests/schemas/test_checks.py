"""Checks of decoded messages: also of what no JSON can carry, such as numbers that are none."""

from math import inf, nan

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.checks import Rejected, check
from schemas.events import (
    TOPIC_OF_TYPE,
    Browse,
    Customer,
    Erasure,
    Impression,
    Item,
    Link,
    OrderLine,
    PublicMessage,
    Purchase,
    Rating,
)
from schemas.settings import IngestSettings

LIMITS = IngestSettings(max_lines=2, max_id_bytes=8)
GOOD: dict[str, PublicMessage] = {
    "browse": Browse(at=1, event_id="b", item_id="i", user_id="u"),
    "purchase": Purchase(at=1, lines=[OrderLine("i", 1.0, 0.0)], order_id="o"),
    "rating": Rating(at=1, event_id="r", user_id="u", item_id="i", value=0.0, scale_max=5.0),
    "item": Item(at=1, item_id="i"),
    "customer": Customer(at=1, user_id="u"),
    "link": Link(at=1, user_id="u", target_id="v", weight=0.0),
    "impression": Impression(at=1, event_id="v", recommendation_id="r", items=["i"], session_id="s"),
    "erasure": Erasure(at=1, user_id="u"),
}


def reason(kind: str, **changes: object) -> str | None:
    refused = check(kind, msgspec.structs.replace(GOOD[kind], **changes), LIMITS)
    return refused.reason if refused is not None else None


def test_there_is_a_check_for_every_type() -> None:
    assert set(GOOD) == set(TOPIC_OF_TYPE)
    assert [check(kind, message, LIMITS) for kind, message in GOOD.items()] == [None] * len(GOOD)


@pytest.mark.parametrize("number", [nan, inf, -inf, -1.0])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("browse", "dwell_s"),
        ("rating", "value"),
        ("rating", "scale_max"),
        ("item", "price"),
        ("link", "weight"),
    ],
)
def test_a_number_is_finite_and_not_negative(kind: str, name: str, number: float) -> None:
    assert reason(kind, **{name: number}) == "bad_value"


@pytest.mark.parametrize("line", [OrderLine("i", n, 1.0) for n in (nan, inf, -inf, 0.0, -1.0)])
def test_a_quantity_is_a_number_above_zero(line: OrderLine) -> None:
    assert reason("purchase", lines=[OrderLine("i", 1.0, 1.0), line]) == "bad_value"


@pytest.mark.parametrize("line", [OrderLine("i", 1.0, n) for n in (nan, inf, -inf, -0.01)])
def test_a_price_is_a_number_from_zero(line: OrderLine) -> None:
    assert reason("purchase", lines=[line]) == "bad_value"


def test_limits_are_those_of_the_settings() -> None:
    line = OrderLine("i", 1.0, 1.0)
    assert reason("purchase", lines=[line, line]) is None
    assert reason("purchase", lines=[line, line, line]) == "bad_value"
    assert reason("impression", items=["a", "b", "c"]) == "bad_value"
    assert reason("erasure", user_id="123456789") == "bad_value"


@given(st.text(max_size=12))
def test_an_id_is_measured_in_bytes(user_id: str) -> None:
    expected = "missing_field" if not user_id else "bad_value" if len(user_id.encode()) > 8 else None
    assert reason("erasure", user_id=user_id) == expected


def test_a_refusal_tells_its_sender_what_was_expected() -> None:
    message = msgspec.structs.replace(GOOD["browse"], action="buy")
    assert check("browse", message, LIMITS) == Rejected(
        "bad_value", "`action` is 'buy'; expected 'view' or 'cart'"
    )
