"""Measuring again: every results file has a command that is understood, and a small one gives the same."""

import gzip
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner

from benchmarks import measure_again
from benchmarks.measure_again import arguments
from benchmarks.models_page import RESULTS, command_of
from streams.cli import run

FILES = sorted(RESULTS.glob("evaluate-*.json"))


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_every_file_tells_how_it_is_measured_again(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = msgspec.json.decode(file.read_bytes())
    words = arguments(found, Path("there"), Path("out.json"))
    assert words[-2:] == ["--json", "out.json"]
    assert {str(Path("there") / path) for path in found["data"].values()} <= set(words)
    # All options are known: what is wrong is that the data is not there.
    assert run(words) == 1
    assert "can't be read (No such file" in capsys.readouterr().err


@pytest.mark.slow
def test_a_file_is_measured_again_with_the_same_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"{n % 7},{n % 5},4.0,{1_000 + n}" for n in range(60)]
    (tmp_path / "ratings.csv.gz").write_bytes(
        gzip.compress("\n".join(["userId,movieId,rating,timestamp", *lines]).encode())
    )
    results = tmp_path / "results"
    results.mkdir()
    file = results / "evaluate-few.json"
    monkeypatch.chdir(tmp_path)
    command = ["evaluate", "--protocol", "prequential", "--format", "movielens", "--events", "ratings.csv.gz"]
    assert run([*command, "--models", "popularity,markov", "--json", str(file)]) == 0
    first = msgspec.json.decode(file.read_bytes())
    first["data"] = {"events": "ratings.csv.gz"}
    file.write_bytes(msgspec.json.encode(first | {"models": {}}))
    monkeypatch.setattr(measure_again, "RESULTS", results)
    CliRunner().invoke(measure_again.main, [str(tmp_path), "few"], catch_exceptions=False)
    again = msgspec.json.decode(file.read_bytes())
    scores = [{name: each["hr"] for name, each in found["models"].items()} for found in (first, again)]
    assert scores[0] == scores[1]
    assert command_of(again).split()[:2] == ["freshrec", "evaluate"]


def test_what_another_program_measured_is_refused_with_what_to_do() -> None:
    found = msgspec.json.decode(FILES[0].read_bytes()) | {"program": "python -m benchmarks.implicit_peers"}
    with pytest.raises(click.ClickException, match="run it as the page of models says"):
        arguments(found, Path("there"), Path("out.json"))


def test_a_name_that_is_not_known_is_told_with_those_that_are(tmp_path: Path) -> None:
    done = CliRunner().invoke(measure_again.main, [str(tmp_path), "nothing"])
    assert done.exit_code == 1
    assert "expected one of" in done.output
