"""Scenario `session-query`: the same answers as the plain version's, on sessions drawn or of a file."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from streams.bench.figures import Figures
from streams.bench.session_query import WIDTH, Plan, TooFewError, measure, sessions_drawn, sessions_of

SMALL = Plan(sessions=800, items=300, count=60, plain=30)


def figures(found: Figures) -> dict[str, float]:
    return {name: spread.median for name, spread in found.figures.items()}


def test_queries_of_drawn_sessions_have_the_answers_of_the_plain_version() -> None:
    found = figures(measure(SMALL, runs=1))
    assert (found["same_items"], found["sessions"]) == (1, 800)
    assert found["query_p50_ms"] <= found["query_p90_ms"] <= found["query_p99_ms"]
    assert found["times_as_fast_as_plain"] > 1


def test_of_a_file_the_last_sessions_are_asked_with(tmp_path: Path) -> None:
    drawn = sessions_drawn(SMALL, np.random.default_rng(3))
    long = [f"i{n}" for n in range(2 * WIDTH + 5)]
    lines = [f"{n}\t{' '.join(items)}" for n, items in enumerate([long, *islice(drawn, 199)])]
    file = tmp_path / "sessions.tsv"
    file.write_text("\n".join(lines))
    found = figures(measure(Plan(sessions=1_000, count=50, plain=50, sessions_file=str(file)), runs=1))
    # The long one takes three rows.
    assert (found["same_items"], found["sessions"]) == (1, 182)


def test_the_same_seed_draws_the_same_sessions_of_two_items_or_more() -> None:
    first, second = (list(islice(sessions_drawn(SMALL, np.random.default_rng(seed)), 500)) for seed in (7, 7))
    assert first == second
    assert 2 <= min(map(len, first)) <= max(map(len, first)) <= WIDTH
    assert first != list(islice(sessions_drawn(SMALL, np.random.default_rng(8)), 500))


def test_a_file_of_few_sessions_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sessions.tsv"
    file.write_text("1\ttea cup\n")
    with pytest.raises(TooFewError, match="has 1 sessions; expected 10"):
        sessions_of(file, "session-lists")
