"""Digests of ids: found when they are among the last ones, and only then."""

from hypothesis import given
from hypothesis import strategies as st

from online_models.seen import WIDTH, contains, digest, remember

IDS = st.lists(st.sampled_from([f"b-{n}" for n in range(12)]), max_size=40)


@given(IDS, st.integers(1, 8))
def test_exactly_the_last_ids_are_known(ids: list[str], max_seen: int) -> None:
    seen = b""
    for event_id in ids:
        seen = remember(seen, digest("e", event_id), max_seen=max_seen)
    assert len(seen) == WIDTH * min(len(ids), max_seen)
    last = set(ids[-max_seen:])
    assert {f"b-{n}" for n in range(12) if contains(seen, digest("e", f"b-{n}"))} == last


def test_a_digest_that_only_appears_across_two_others_is_not_known() -> None:
    seen = bytes(range(16)) + bytes(range(4, 12))
    assert contains(seen, bytes(range(4, 12)))
    assert not contains(seen, bytes(range(1, 9)))
    assert not contains(seen[:16], bytes(range(4, 12)))


def test_two_ids_remembered_at_once_are_both_bounded() -> None:
    seen = remember(b"", digest("e", "1") + digest("o", "2"), max_seen=1)
    assert seen == digest("o", "2")


def test_kinds_of_ids_do_not_mix() -> None:
    assert digest("e", "1") != digest("o", "1")


@given(st.text(), st.text())
def test_any_text_has_a_digest_of_one_width(one: str, two: str) -> None:
    assert len(digest("e", one)) == WIDTH
    assert (digest("e", one) == digest("e", two)) == (one == two)
