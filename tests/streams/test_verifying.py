import gzip
import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from online_models.pair_shape import counted
from online_models.pair_table import by_key, named
from online_models.recount import recount_baskets
from schemas.messages import ORDERS
from streams.errors import FormatError, FreshrecError
from streams.verifying import compare, learn, read_baskets

BASKETS = st.lists(
    st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=6, unique=True), min_size=1, max_size=15
)


@settings(max_examples=25)
@given(BASKETS, st.sampled_from([0.01, 0.1, 0.3]))
@example([["a"]], 0.1)
@example([["a", "b"]] * 7 + [["a"]] * 93, 0.07)
def test_learned_rules_equal_those_that_mlxtend_mines(baskets: list[list[str]], min_support: float) -> None:
    found = compare(baskets, min_support)
    assert found.differences == []
    assert found.largest_difference <= 1e-9
    expected = recount_baskets(baskets)
    frequent = [count for count in expected.pairs.values() if count > min_support * len(baskets) * (1 + 1e-9)]
    assert found.rules_compared >= len(frequent)
    assert (found.items, found.pairs) == (len(expected.items), len(expected.pairs) // 2)


@given(BASKETS)
def test_learned_counts_equal_a_recount(baskets: list[list[str]]) -> None:
    rows, expected = learn(baskets), recount_baskets(baskets)
    assert {item: row.counts[ORDERS] for item, row in rows.items()} == expected.items
    pairs = {item: named(row.pairs, ORDERS, by_key(rows)) for item, row in rows.items()}
    assert {(one, two): n for one, found in pairs.items() for two, n in found.items()} == expected.pairs


def test_many_pairs_are_learned_in_several_packets() -> None:
    items = [f"i{n:03}" for n in range(400)]
    rows = learn([items, items[:300], items])
    pairs = named(rows["i000"].pairs, ORDERS, by_key(rows))
    assert (rows["i000"].counts[ORDERS], pairs["i399"], len(pairs)) == (3, 2, 399)


def test_a_wrong_count_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def miscount(baskets: list[list[str]]) -> object:
        rows = learn(baskets)
        rows["a"].pairs = counted([{}, {"b": 3, "c": 1}, {}])
        rows["c"].pairs = counted([{}, {"b": 1}, {}])
        return rows

    monkeypatch.setattr("streams.verifying.learn", miscount)
    found = compare([["a", "b", "c"], ["a", "b"], ["c"]], 0.1)
    told = "\n".join(found.differences)
    assert "count of a, b: learned -1, mlxtend 2" in told
    assert "c -> a: not learned" in told
    assert "confidence of a -> b: learned 1.0" not in told
    assert found.largest_difference > 0.1


def test_baskets_are_the_distinct_items_of_each_purchase(tmp_path: Path) -> None:
    file = tmp_path / "baskets.gz"
    file.write_bytes(gzip.compress(b"tea,cup,tea\n\npot,tea\n"))
    assert read_baskets(file, "baskets") == [["tea", "cup"], ["pot", "tea"]]


def test_a_file_without_purchases_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sessions.tsv"
    file.write_text("SessionId\tItemId\tTime\n1\ttea\t1\n")
    with pytest.raises(FreshrecError, match="has no purchase"):
        read_baskets(file, "sessions")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError):
        read_baskets(tmp_path / "nothing", "baskets")


def test_without_mlxtend_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    monkeypatch.delitem(sys.modules, "mlxtend.frequent_patterns", raising=False)
    with pytest.raises(FreshrecError, match="pip install"):
        compare([["a"]], 0.1)
    monkeypatch.undo()
    importlib.import_module("mlxtend.frequent_patterns")
