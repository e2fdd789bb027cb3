"""Profiles: sums of what a customer did, decayed interests, lessons, and nothing after an erasure."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from online_models.key_digests import digest_of
from online_models.memory_store import MemoryStore
from online_models.profiles import KEPT, ProfilesStep, first_of
from schemas.messages import Fact, Line
from schemas.profiles import NeedLesson, ProfileRow
from schemas.settings import ProfilesSettings, Settings

MONDAY = 1_736_121_600_000
"""2025-01-06 00:00 UTC."""
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
HALF_LIFE_S = 86_400


def a_step(half_life_s: int = HALF_LIFE_S) -> ProfilesStep:
    return ProfilesStep(MemoryStore(ProfileRow), Settings(profiles=ProfilesSettings(half_life_s=half_life_s)))


def an_act(at: int, kind: str = "view", *lines: Line, start: bool = False, **fields: Any) -> Fact:
    about = list(lines or [Line("tea", ["drinks"])])
    given: dict[str, Any] = {"gained": [0] * len(about), "features": []}
    return Fact("u:anna", kind, at, about, session_start=start, **given | fields)


def row_of(step: ProfilesStep) -> ProfileRow:
    row = step.rows.get("u:anna")
    assert row is not None
    return row


def test_what_when_and_how_much_is_counted() -> None:
    step = a_step()
    step.learn_one(an_act(MONDAY + 9 * HOUR_MS, start=True))
    step.learn_one(an_act(MONDAY + 9 * HOUR_MS + 5, "cart"))
    lines = [Line("tea", ["drinks"], 2.0, 4.5), Line("cup", ["pots"], 1.0, None)]
    step.learn_one(an_act(MONDAY + 6 * DAY_MS + 23 * HOUR_MS, "purchase", *lines, start=True))
    row = row_of(step)
    assert (row.kinds, row.visits, row.spent, row.pieces) == ([1, 1, 1, 0], 2, 9.0, 3.0)
    assert {hour: n for hour, n in enumerate(row.hours) if n} == {9: 2, 23: 1}
    assert row.weekdays == [2, 0, 0, 0, 0, 0, 1]
    assert (row.first_at, row.last_at) == (MONDAY + 9 * HOUR_MS, MONDAY + 6 * DAY_MS + 23 * HOUR_MS)
    assert row.ordered_at == row.visit_at == row.last_at


def test_interests_halve_with_the_half_life_and_weigh_by_what_was_done() -> None:
    step = a_step()
    step.learn_one(an_act(0, "purchase", Line("tea", ["drinks"], tags=["green"])))
    step.learn_one(an_act(2 * DAY_MS, "view", Line("cup", ["pots"], tags=["green"])))
    row = row_of(step)
    # Bought is worth 4 views; two half-lives ago it is worth one.
    assert row.categories["drinks"] == row.categories["pots"] > 0
    assert row.tags == {"green": 2 * row.categories["pots"]}
    assert set(row.items) == {"tea", "cup"}
    late = a_step()
    late.learn_one(an_act(2 * DAY_MS, "view", Line("cup", ["pots"], tags=["green"])))
    late.learn_one(an_act(0, "purchase", Line("tea", ["drinks"], tags=["green"])))
    assert row_of(late).categories == {"pots": row.categories["pots"], "drinks": row.categories["drinks"]}


def test_a_low_rating_is_no_interest() -> None:
    step = a_step()
    step.learn_one(an_act(1, "rating", gained=[0]))
    assert (row_of(step).kinds, row_of(step).categories) == ([0, 0, 0, 1], {})
    step.learn_one(an_act(2, "rating", gained=[2 << 20]))
    assert set(row_of(step).categories) == {"drinks"}


def test_a_visit_is_a_lesson_with_the_shares_before_it() -> None:
    step = a_step()
    first = step.learn_one(an_act(1, start=True))
    step.learn_one(an_act(2, "view", Line("cup", ["pots"])))
    step.learn_one(an_act(3))
    (second,) = step.learn_one(an_act(DAY_MS, "view", Line("pan", ["pots", "steel"]), start=True))
    assert (first[0].came_from, first[0].went_to, first[0].own) == ("", ["drinks"], [0.0])
    assert second == NeedLesson(
        digest_of("u:anna"),
        DAY_MS,
        2,
        1,
        DAY_MS,
        came_from="drinks",
        went_to=["pots", "steel"],
        own=second.own,
        items=["pan"],
        categories=["pots", "steel"],
        recent=[1 / 3, 0.0],
    )
    assert abs(second.own[0] - 1 / 3) < 0.01
    (order,) = step.learn_one(an_act(DAY_MS + 5, "purchase"))
    assert (order.bought, order.orders, order.ordered_at, order.went_to) == (True, 1, DAY_MS + 5, [])


def test_an_erasure_leaves_nothing_and_says_so_once() -> None:
    step = a_step()
    step.learn_one(an_act(1, start=True))
    erasure = Fact("u:anna", "erasure", 2, [], [], False, [])
    assert step.learn_one(erasure) == [NeedLesson(digest_of("u:anna"), 2, forget=True)]
    assert step.learn_one(erasure) == []
    assert step.rows.get("u:anna") is None


def test_a_row_is_flat_however_long_the_stream() -> None:
    step, sizes = a_step(0 + HALF_LIFE_S), []
    for n in range(40 * KEPT):
        line = Line(f"i{n}", [f"c{n % 997}"], tags=[f"t{n % 991}"])
        step.learn_one(an_act(n * HOUR_MS, "view", line, start=n % 5 == 0))
        row = row_of(step)
        sizes.append(len(row.categories) + len(row.tags) + len(row.items) + len(row.visit))
    assert max(sizes[: 20 * KEPT]) == max(sizes[20 * KEPT :]) <= 6 * KEPT + 16


@given(st.lists(st.tuples(st.integers(0, 10**13), st.sampled_from(["a", "b", "c"])), max_size=30))
def test_hours_weekdays_and_kinds_count_the_same_events(acts: list[tuple[int, str]]) -> None:
    step = a_step()
    for at, category in acts:
        step.learn_one(an_act(at, "view", Line(category, [category])))
    if acts:
        row = row_of(step)
        assert sum(row.hours) == sum(row.weekdays) == sum(row.kinds) == len(acts)
        assert (row.first_at, row.last_at) == (min(acts)[0], max(acts)[0])
        assert first_of(row.visit) in row.visit
