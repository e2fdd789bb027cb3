"""Candidates of a list: each once, those of sessions first, with the features worked out by hand."""

from math import exp, log, log1p, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_models import list_features
from online_models.candidate_kernels import FEATURES as OF_SESSIONS
from online_models.evidence import Evidence, ItemNumbers
from online_models.list_features import FEATURES, MOST_BY_EVIDENCE, Described, describe, prior
from online_models.ranker import ListwiseRanker
from online_models.session_candidates import Candidates
from online_models.sources import POPULAR_ALL, POPULAR_THERE, RECENT, SOURCES, PopularBlock, RecentBlock
from online_models.traces import Trace
from schemas.messages import WEIGHT_ONE
from schemas.state import HistoryRow, ItemMark
from tests.online_models.shop_views import ITEMS, NOW

DAY_MS = 86_400_000
Said = list[tuple[str, float]]


def described(
    evidence: Evidence,
    numbers: ItemNumbers,
    *items: str,
    level: float = 0.5,
    history: HistoryRow | None = None,
) -> Described:
    """Describe with what sessions propose, all features of which have the level."""
    features = np.full((len(items), OF_SESSIONS), level, np.float32)
    proposed = Candidates(np.arange(len(items), dtype=np.int32), features)
    return describe(numbers, evidence, proposed, numbers.of(items), history, NOW)


def of_evidence(found: Described, item: str) -> list[float]:
    values: list[float] = found.features[found.names.index(item), OF_SESSIONS:].tolist()
    return values


def a_shop() -> tuple[Evidence, ItemNumbers]:
    numbers = ItemNumbers()
    here = PopularBlock(numbers, "all", [("tea", 4.0), ("cup", 2.0)])
    there = PopularBlock(numbers, "category:x", [("cup", 3.0)])
    recent = RecentBlock(numbers, [Trace("mat", NOW, 0.2, had=False)], now=NOW)
    return Evidence(numbers, [(0.5, here), (1.5, there), (0.5, recent)]), numbers


def test_candidates_of_sessions_come_first_then_the_others_by_their_evidence() -> None:
    found = described(*a_shop(), "pot", "tea")
    assert found.names == ["pot", "tea", "cup", "mat"]
    assert found.by_sessions == 2
    assert found.features.shape == (4, FEATURES)
    assert found.features.dtype == np.float32
    assert (found.features[:2, :OF_SESSIONS] == 0.5).all()
    assert not found.features[2:, :OF_SESSIONS].any()


def test_evidence_is_told_by_source_and_together() -> None:
    found = described(*a_shop(), "pot")
    expected: dict[str, dict[int, float]] = {
        "cup": {
            list_features.SHARE + POPULAR_ALL: sqrt(0.25 / 0.5),
            list_features.SHARE + POPULAR_THERE: 1.0,
            list_features.RAW + POPULAR_ALL: 0.25,
            list_features.RAW + POPULAR_THERE: 1.0,
            list_features.SUM: 1 - exp(-1.75),
            list_features.FIRST: 1.0,
            list_features.IN_EVIDENCE: 1.0,
        },
        "tea": {
            list_features.SHARE + POPULAR_ALL: 1.0,
            list_features.RAW + POPULAR_ALL: 0.5,
            list_features.SUM: 1 - exp(-0.5),
            list_features.FIRST: 1 / 2,
            list_features.PLACE: log(2) / 5,
            list_features.IN_EVIDENCE: 1.0,
        },
        "mat": {
            list_features.SHARE + RECENT: 1.0,
            list_features.RAW + RECENT: 0.1,
            list_features.SUM: 1 - exp(-0.1),
            list_features.FIRST: 1 / 3,
            list_features.PLACE: log(3) / 5,
            list_features.IN_EVIDENCE: 1.0,
        },
        "pot": {list_features.PLACE: 1.0},
    }
    for item, values in expected.items():
        assert of_evidence(found, item) == pytest.approx(
            [values.get(n, 0.0) for n in range(FEATURES - OF_SESSIONS)], abs=1e-6
        ), item


def test_what_was_done_with_an_item_is_told() -> None:
    marks = {
        "tea": ItemMark(4 * WEIGHT_ONE, NOW - DAY_MS, had=True, disliked=True, acted=6 * WEIGHT_ONE),
        "cup": ItemMark(WEIGHT_ONE, NOW + DAY_MS // 2, acted=99 * WEIGHT_ONE),
        "elsewhere": ItemMark(WEIGHT_ONE, NOW),
    }
    found = described(*a_shop(), "pot", history=HistoryRow(dict(marks), met=7))
    names = ("HAD", "LOOKED_AT", "DISLIKED", "LATELY", "OFTEN", "ACTIVE", "ALL")
    columns = [getattr(list_features, name) for name in names]
    customer = [log1p(3) / 6, log1p(7) / 8]
    told = {item: [of_evidence(found, item)[column] for column in columns] for item in found.names}
    assert told["tea"] == pytest.approx([1, 0, 1, 0.5, 1.5, *customer])
    assert told["cup"] == pytest.approx([0, 1, 0, 1, 2, *customer])
    assert told["pot"] == told["mat"] == pytest.approx([0, 0, 0, 0, 0, *customer])


def test_only_so_many_are_candidates_by_their_evidence_alone() -> None:
    numbers = ItemNumbers()
    leaders = [(f"i{n:03}", 500.0 - n) for n in range(MOST_BY_EVIDENCE + 20)]
    evidence = Evidence(numbers, [(1.0, PopularBlock(numbers, "all", leaders))])
    last = leaders[-1][0]
    found = described(evidence, numbers, "i003", last)
    assert found.names == ["i003", last, *(item for item, _ in leaders[:MOST_BY_EVIDENCE] if item != "i003")]
    among, behind = of_evidence(found, "i003"), of_evidence(found, last)
    assert among[list_features.FIRST] == pytest.approx(1 / 4)
    # It has evidence, and it is not among the best.
    assert behind[list_features.FIRST] == 0.0
    assert behind[list_features.PLACE] == behind[list_features.IN_EVIDENCE] == 1.0
    assert behind[list_features.RAW + POPULAR_ALL] == pytest.approx(leaders[-1][1] / 500)


def test_without_any_source_there_are_no_candidates() -> None:
    numbers = ItemNumbers()
    found = described(Evidence(numbers, []), numbers)
    assert (found.names, found.by_sessions, found.features.shape) == ([], 0, (0, FEATURES))
    alone = described(Evidence(numbers, []), numbers, "tea")
    assert (alone.names, alone.by_sessions) == (["tea"], 1)


_said = st.lists(
    st.lists(st.tuples(st.sampled_from(ITEMS), st.floats(0, 0.3)), max_size=8, unique_by=lambda x: x[0]),
    max_size=4,
)
_proposed = st.lists(st.sampled_from([*ITEMS, "new", "newer"]), unique=True, max_size=8)


def evidence_of(said: list[Said], numbers: ItemNumbers) -> Evidence:
    scopes = ["all", "category:x", "category:y", "segment:0"]
    blocks = [PopularBlock(numbers, scopes[n], found, largest=1.0) for n, found in enumerate(said)]
    return Evidence(numbers, [(1.0, block) for block in blocks])


@settings(max_examples=60)
@given(_said, _proposed)
def test_every_candidate_is_described_once(said: list[Said], items: list[str]) -> None:
    numbers = ItemNumbers()
    numbers.of(["somebody", "else"])
    evidence = evidence_of(said, numbers)
    found = described(evidence, numbers, *items)
    assert found.names[: found.by_sessions] == items
    assert sorted(found.names) == sorted({*items, *evidence.items()})
    assert [numbers.names[number] for number in found.numbers.tolist()] == found.names
    assert np.isfinite(found.features).all()
    assert found.features.min(initial=0.0) >= 0.0
    assert found.features.max(initial=0.0) <= 2.0


@settings(max_examples=60)
@given(_said, _proposed)
def test_before_anything_is_learned_the_order_is_that_of_the_evidence(
    said: list[Said], items: list[str]
) -> None:
    numbers = ItemNumbers()
    evidence = evidence_of(said, numbers)
    found = described(evidence, numbers, *items)
    scores = ListwiseRanker(FEATURES, prior=prior()).score_many(found.features)
    sums = dict(evidence.best_first())
    expected = [4 * (1 - exp(-sums.get(item, 0.0))) for item in found.names]
    assert scores.tolist() == pytest.approx(expected, abs=1e-5)


def test_the_numbers_of_features_do_not_meet() -> None:
    shares, raw = range(SOURCES), range(SOURCES, 2 * SOURCES)
    single = [getattr(list_features, name) for name in ("SUM", "FIRST", "PLACE", "IN_EVIDENCE", "HAD")]
    single += [
        getattr(list_features, name) for name in ("LOOKED_AT", "DISLIKED", "LATELY", "OFTEN", "ACTIVE")
    ]
    columns = [*shares, *raw, *single, list_features.ALL]
    assert sorted(columns) == list(range(list_features.OF_EVIDENCE))
    assert list_features.BY_EVIDENCE == OF_SESSIONS + list_features.SUM
