"""Records that are meant to cost much are refused before they do: by size, by depth, by number."""

import json
import tracemalloc
from typing import Any

import pytest

from schemas.checks import Rejected
from schemas.codec import decode
from schemas.settings import IngestSettings

LIMITS = IngestSettings()
AT = 1_700_000_000_000
DEPTHS = (1_000, 10_000, 200_000)


def refused(topic: str, raw: bytes) -> tuple[str, int]:
    """The reason, and the most memory that finding it took beside the record."""
    tracemalloc.start()
    try:
        answer = decode(topic, raw, LIMITS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(answer, Rejected)
    return answer.reason, peak


def encoded(kind: str, **fields: Any) -> bytes:
    return json.dumps({"type": kind, "at": AT} | fields).encode()


@pytest.mark.parametrize("raw", [b"x" * 5_000_000, b"[" * 5_000_000, b'{"type":"browse",' * 300_000])
def test_five_megabytes_are_refused_by_their_size_alone(raw: bytes) -> None:
    reason, peak = refused("browses", raw)
    assert reason == "too_large"
    assert peak < 10_000


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    ("before", "opening", "closing", "after"),
    [
        (b"", b"[", b"]", b""),
        (b'{"type":"browse","x":', b"[", b"]", b"}"),
        (b'{"type":"browse","event_id":', b"[", b"]", b"}"),
        (b"", b'{"type":', b"}", b""),
        (b'{"type":', b"[", b"", b""),
    ],
    ids=["a list", "an unknown field", "an id", "objects", "never closed"],
)
def test_json_of_any_depth_is_refused_without_going_down(
    depth: int, before: bytes, opening: bytes, closing: bytes, after: bytes
) -> None:
    count = min(depth, LIMITS.max_value_bytes // (len(opening) + len(closing) + 1))
    reason, peak = refused("browses", before + opening * count + closing * count + after)
    assert reason in ("invalid_json", "bad_value", "unknown_type")
    assert peak < 100_000


@pytest.mark.parametrize("count", [1_001, 18_000])
def test_more_lines_or_items_than_are_accepted_are_refused_whole(count: int) -> None:
    line = {"item_id": "i", "quantity": 1, "unit_price": 1}
    order = encoded("purchase", order_id="o", user_id="u", lines=[line] * count)
    shown = encoded("impression", event_id="v", recommendation_id="r", user_id="u", items=["i"] * count)
    assert len(order) <= LIMITS.max_value_bytes
    for topic, raw in (("purchases", order), ("impressions", shown)):
        reason, peak = refused(topic, raw)
        assert reason == "bad_value"
        assert peak < 16 * len(raw)


@pytest.mark.parametrize("length", [257, 1_000_000])
@pytest.mark.parametrize("name", ["event_id", "user_id", "item_id", "session_id", "recommendation_id"])
def test_an_id_above_its_bound_is_refused_however_long_it_is(name: str, length: int) -> None:
    good = {"event_id": "b", "user_id": "u", "item_id": "i"}
    raw = encoded("browse", **good | {name: "x" * length})
    reason, peak = refused("browses", raw)
    assert reason == "bad_value"
    assert peak < 4 * len(raw) + 10_000


@pytest.mark.parametrize("digits", [400, 900_000])
def test_numbers_of_any_length_are_refused(digits: int) -> None:
    number = b"9" * digits
    line = b'{"item_id":"i","unit_price":1,"quantity":' + number + b"}"
    order = b'{"type":"purchase","order_id":"o","user_id":"u","at":1,"lines":[' + line + b"]}"
    time = b'{"type":"erasure","user_id":"u","at":' + number + b"}"
    assert refused("purchases", order)[0] == "bad_value"
    assert refused("erasures", time)[0] == "bad_value"
