"""Pair tables hold what a dict would hold, and their bytes follow from that alone."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from online_models.pair_kernels import add_all
from online_models.pair_shape import counted, grown, moved, shrunk
from online_models.pair_table import (
    HEADER,
    SCOPE_BITS,
    address,
    all_entries,
    by_key,
    entries,
    name_key,
    named,
    partners,
    used,
)

NAMES = [f"i{n}" for n in range(60)]
IDS = by_key(NAMES)
UNBOUNDED = 1 << 62
Addition = tuple[int, str, int]
ADDITIONS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(NAMES), st.integers(-3, 9)), max_size=120)


def added(log: list[Addition], cuts: set[int], *, bound: int = UNBOUNDED, kept: int = UNBOUNDED) -> bytearray:
    """Add (scope, name, increment) to an empty table, in batches."""
    table = counted([{}, {}, {}])
    edges = sorted({0, len(log)} | {cut for cut in cuts if cut < len(log)})
    for start, stop in pairwise(edges):
        keys = np.array([name_key(name) | scope for scope, name, _ in log[start:stop]], np.int64)
        increments = np.array([increment for _, _, increment in log[start:stop]], np.int64)
        rows, late, done = np.zeros(len(keys), np.int32), np.zeros(1, np.int64), 0
        while True:
            done = add_all(np.array([address(table)]), rows, keys, increments, late, done, bound, kept)
            if done == len(keys):
                break
            table = grown(table) if done >= 0 else shrunk(table)
            done = abs(done)
    return table


def added_to_dicts(log: list[Addition], bound: int, kept: int) -> list[dict[str, int]]:
    found: list[dict[str, int]] = [{}, {}, {}]
    for scope, name, increment in log:
        counts = found[scope]
        counts[name] = counts.get(name, 0) + increment
        if counts[name] <= 0:
            del counts[name]
        if len(counts) > bound:
            best = sorted(counts, key=lambda each: (-counts[each], name_key(each)))[:kept]
            found[scope] = {each: counts[each] for each in best}
    return found


@given(ADDITIONS, st.sets(st.integers(0, 120)), st.sampled_from([(UNBOUNDED, UNBOUNDED), (9, 7), (1, 1)]))
def test_a_table_holds_what_a_dict_would_and_its_bytes_follow_from_that(
    log: list[Addition], cuts: set[int], bounds: tuple[int, int]
) -> None:
    bound, kept = bounds
    table, expected = added(log, cuts, bound=bound, kept=kept), added_to_dicts(log, bound, kept)
    assert [named(table, scope, IDS) for scope in range(3)] == expected
    assert table == counted(expected)
    assert [used(table, scope) for scope in range(3)] == [len(counts) for counts in expected]
    assert partners(table) == len(set().union(*expected))


@given(ADDITIONS)
def test_entries_ascend_by_key_and_stand_at_home_or_behind_the_one_before(log: list[Addition]) -> None:
    table = added(log, set())
    keys = all_entries(table).keys
    assert (np.diff(keys) > 0).all()
    slots = np.frombuffer(table, np.int64)[HEADER:].reshape(-1, 2)[:, 0]
    homes = int(np.frombuffer(table, np.int64)[HEADER - 1])
    places = np.flatnonzero(slots != -1).tolist()
    before = -1
    for place, key in zip(places, keys.tolist(), strict=True):
        assert place == max(before + 1, (key >> 31) * homes >> 32)
        before = place


@given(ADDITIONS, st.integers(0, 70))
def test_a_later_landmark_shifts_counts_and_drops_what_decayed(log: list[Addition], shift: int) -> None:
    expected = [
        {name: count >> shift for name, count in counts.items() if count >> shift}
        for counts in added_to_dicts(log, UNBOUNDED, UNBOUNDED)
    ]
    assert moved(added(log, set()), shift) == counted(expected)


def test_entries_of_one_scope_are_under_the_keys_of_items() -> None:
    table = counted([{"tea": 2}, {"tea": 5, "cup": 1}, {}])
    found = entries(table, 1)
    assert dict(zip(found.keys.tolist(), found.counts.tolist(), strict=True)) == {
        name_key("tea"): 5,
        name_key("cup"): 1,
    }
    assert not (found.keys & SCOPE_BITS).any()


def test_tables_of_thousands_take_at_most_half_as_much_again_as_their_entries() -> None:
    for size in (100, 1_000, 20_000):
        table = counted([{f"item-{n}": 1 for n in range(size)}, {}, {}])
        assert 16 * size < len(table) < 24 * size + 400
