"""A search that finds what is better, the same way each time."""

import sys
from pathlib import Path

import pytest

from online_models.evaluation.catalog import CONTENDERS
from schemas.settings import Settings
from streams.evaluating.logs import LogReader
from streams.evaluating.trial import EvaluationError, Request, Trial, open_trial
from streams.evaluating.tuning import tune


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    """What everybody looks at changes every ten views: only what is newest helps."""
    file = tmp_path / "events.jsonl"
    file.write_text(
        "".join(
            f'{{"type":"browse","event_id":"b-{n}","user_id":"u{n % 3}","item_id":"i{n // 10 % 12}",'
            f'"at":{1_700_000_000_000 + n * 60_000}}}\n'
            for n in range(400)
        )
    )
    settings = Settings()
    request = Request(protocol="prequential", format="jsonl", k=3, events=file, repeats=True)
    return open_trial(request, settings, LogReader(settings))


def test_a_better_half_life_is_found_and_found_again(trial: Trial) -> None:
    entry, settings = CONTENDERS["decayed"], Settings()
    start = {"half_life_s": 30_000_000.0}
    told: list[tuple[int, float]] = []

    def search(runs: int) -> tuple[dict[str, float], float]:
        return tune(
            "decayed",
            entry,
            trial,
            settings,
            runs=runs,
            seed=1,
            start=start,
            told=lambda number, best: told.append((number, best)),
        )

    _, before = search(1)
    best, after = search(8)
    assert after > before
    assert best["half_life_s"] < start["half_life_s"]
    assert (best, after) == search(8)
    assert [number for number, _ in told][:9] == [1, *range(1, 9)]
    assert told[8][1] == after


def test_without_optuna_it_is_told_how_to_get_it(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(EvaluationError, match=r"pip install 'freshrec\[tune\]'"):
        tune("decayed", CONTENDERS["decayed"], trial, Settings(), runs=1, seed=1, start={})
