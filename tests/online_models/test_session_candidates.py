"""Candidates: their evidence equals the plain version's, their features say what they are named for."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_models.candidate_kernels import FEATURES
from online_models.evidence_kernels import COLUMNS, TWO_STEPS
from online_models.session_candidates import SessionCandidates
from online_models.session_index import SessionIndex
from online_models.session_knn import VSTAN
from tests.online_models.plain_evidence import Asked, plain_evidence
from tests.online_models.plain_session_knn import Log, PlainSessionKnn

KEYS = [f"u:{n}" for n in range(4)]
ITEMS = [f"i{n}" for n in range(8)]
SAMPLE = 4


@st.composite
def logs(draw: st.DrawFn) -> Log:
    steps = draw(st.lists(st.integers(0, 4_000), min_size=1, max_size=40))
    at = 0
    log: Log = []
    for step in steps:
        at += step
        log.append((draw(st.sampled_from(KEYS)), None, draw(st.sampled_from(ITEMS)), at))
    return log


@settings(max_examples=100)
@given(
    logs(),
    st.lists(st.sampled_from(ITEMS), min_size=1, max_size=8),
    st.sampled_from([(3, 2), (6, 3), (50, 32)]),
    st.integers(1, 30),
)
def test_evidence_equals_that_of_the_plain_version(
    log: Log, session: list[str], bounds: tuple[int, int], visits: int
) -> None:
    sessions, width = bounds
    weighting = msgspec.structs.replace(VSTAN, sample=SAMPLE)
    plain = PlainSessionKnn(weighting, sessions=sessions, width=width, gap_ms=5_000)
    index = SessionIndex(sessions=sessions, width=width, gap_ms=5_000)
    for event in log:
        plain.learn(*event)
        index.learn_one(*event)
    known = {item for _, item in plain.places}
    session = [item for item in session if item in known] or [log[-1][2]]
    now = log[-1][3] + 1_000
    expected = plain_evidence(Asked(plain, KEYS[0], session, now, SAMPLE, visits))
    found = SessionCandidates(index, sample=SAMPLE, visits=visits).evidence(KEYS[0], session, now)
    assert set(found) == set(expected)
    for item, sums in found.items():
        # Which of equally supported items are stepped from is left open; float32 sums.
        assert sums[:TWO_STEPS].tolist() == pytest.approx(expected[item][:TWO_STEPS], rel=1e-4, abs=1e-5)
        if len(expected) <= 12:
            assert sums[TWO_STEPS] == pytest.approx(expected[item][TWO_STEPS], rel=1e-4, abs=1e-5)


def taught(*sessions: str) -> SessionIndex:
    index = SessionIndex()
    for n, items in enumerate(sessions):
        for item in items:
            index.learn_one(f"s:{n}", None, item, n)
    return index


def features_of(index: SessionIndex, session: str, most: int = 200) -> dict[str, list[float]]:
    found = SessionCandidates(index, most=most).find("s:new", list(session), 99)
    assert found.features.shape == (len(found.numbers), FEATURES)
    assert np.isfinite(found.features).all()
    names = (index.names[number] for number in found.numbers)
    return dict(zip(names, found.features.tolist(), strict=True))


def test_items_of_the_session_are_candidates_and_known_as_such() -> None:
    found = features_of(taught("xy", "ab", "bc"), "xba")
    about = {item: features[2 * COLUMNS :] for item, features in found.items()}
    assert set(found) == {"a", "b", "c", "x", "y"}
    assert {item for item, features in about.items() if features[0]} == {"a", "b", "x"}
    assert [about[item][2] for item in "abx"] == pytest.approx([1, 1 / 2, 1 / 3])
    assert {item for item, features in about.items() if features[17]} == {"a"}


def test_two_steps_reach_what_no_neighbour_holds() -> None:
    found = features_of(taught("ab", "bc", "cd"), "a")
    assert set(found) == {"a", "b", "c"}
    assert found["c"][TWO_STEPS] > 0
    assert not any(found["c"][:TWO_STEPS])


def test_no_more_than_the_bound_are_chosen_those_with_most_evidence() -> None:
    index = taught(*["ab"] * 5, "ac", "ad", "ae")
    assert set(features_of(index, "a", most=2)) == {"a", "b"}
    assert len(features_of(index, "a", most=4)) == 4


def test_evidence_is_gathered_for_no_more_items_than_the_bound() -> None:
    index = taught("abcdefgh", "acegb", "hgfab")
    few = SessionCandidates(index, meet_most=3)
    for _ in range(2):
        found = few.find("s:new", ["a", "b"], 99, earlier=["h"])
        names = {index.names[number] for number in found.numbers}
        assert len(names) == 3
        assert names >= {"a", "b"}


def test_items_of_earlier_sessions_are_candidates_and_stand_in_for_a_session_without_items() -> None:
    index = taught("xy", "ab")
    both = SessionCandidates(index).find("s:new", ["a"], 99, earlier=["y", "x"])
    about = {index.names[n]: f[2 * COLUMNS :] for n, f in zip(both.numbers, both.features, strict=True)}
    assert {item for item, features in about.items() if features[20]} == {"x", "y"}
    assert about["x"][21] > about["y"][21] > 0
    assert not any(features[19] for features in about.values())
    none = SessionCandidates(index).find("s:new", [], 99, earlier=["a"])
    assert {index.names[number] for number in none.numbers} == {"a", "b"}
    assert none.features[:, 2 * COLUMNS + 19].all()


def test_a_session_of_unknown_items_has_no_candidates() -> None:
    assert features_of(taught("ab"), "z") == {}
    assert features_of(taught("ab"), "") == {}


def test_a_question_from_long_before_all_sessions_finds_what_a_later_one_does() -> None:
    index = SessionIndex(sessions=20)
    for n in range(6):
        for item in ("tea", "cup", f"i{n}"):
            index.learn_one(f"s:{n}", None, item, 4_000_000_000_000)
    asked = SessionCandidates(index)
    late, now = (asked.find("s:b", ["tea"], at) for at in (0, 4_000_000_000_000))
    assert late.numbers.tolist() == now.numbers.tolist()
    assert np.isfinite(late.features).all()
    assert late.features.tolist() == now.features.tolist()
