"""The comparison with a library, from a file to results: with a fake, and with itself if it is there."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from benchmarks import implicit_peers, models_page
from benchmarks.library_models import Library
from tests.benchmarks.test_library_models import Fake

RATINGS = "userId,movieId,rating,timestamp\n" + "".join(
    f"{n % 9},{(n * n) % 31},{1 + n % 5},{1_000_000 + 60 * n}\n" for n in range(200)
)


@pytest.fixture(autouse=True)
def in_a_folder_with_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ratings.csv").write_text(RATINGS)


def called(*more: str) -> Result:
    arguments = ["--format", "movielens", "--events", "ratings.csv", "--k", "3", "--json", "out/found.json"]
    return CliRunner().invoke(implicit_peers.main, [*arguments, *more])


def results(*more: str) -> dict[str, Any]:
    done = called(*more)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(Path("out/found.json").read_text())
    return found


class OfRows(Fake):
    """Takes a matrix of scipy."""

    def __init__(self, **options: float) -> None:
        self.options = options

    def fit(self, user_items: Any, *, show_progress: bool) -> None:
        super().fit(user_items.toarray(), show_progress=show_progress)

    def recommend(self, userid: int, user_items: Any, *, N: int, **options: bool) -> tuple[Any, Any]:  # noqa: N803
        return super().recommend(userid, np.ravel(user_items.toarray()), N=N, **options)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> list[OfRows]:
    made: list[OfRows] = []

    def make(**options: float) -> Library:
        made.append(OfRows(**options))
        return made[-1]

    peers = {"fake": implicit_peers.peer(make, {"size": 2, "random_state": 1})}
    monkeypatch.setattr(implicit_peers, "PEERS", peers)
    monkeypatch.setattr(implicit_peers, "ENTRIES", {**implicit_peers.ENTRIES, **peers})
    monkeypatch.setattr(implicit_peers, "versions", lambda: {"fake": "1.0"})
    return made


def test_a_library_is_compared_with_the_house_on_the_same_queries(fake: list[OfRows]) -> None:
    found = results("--models", "fake,popularity", "--reference", "popularity", "--seed", "7")
    assert (found["protocol"], found["mode"], found["reference"]) == ("temporal", "frozen", "popularity")
    queries = {each["queries"] for each in found["models"].values()}
    assert len(queries) == 1
    assert min(queries) > 0
    assert set(found["models"]["fake"]["against"]) >= {"hr", "mrr", "ndcg"}
    assert found["options"]["fake"] == {"size": 2, "random_state": 7}
    assert [each.options for each in fake] == 2 * [{"size": 2, "random_state": 7}]  # tried, then fitted
    assert len(found["fit_s"]["fake"]) == 1
    assert found["machine"]["peers"] == {"fake": "1.0"}


def test_the_page_of_models_says_how_a_comparison_is_run_again(fake: list[OfRows]) -> None:
    found = results("--models", "fake,popularity", "--reference", "popularity", "--relevant", "rating>=4")
    assert fake
    page = models_page.page({"evaluate-some-peers": found})
    (line,) = [line for line in page.splitlines() if line.startswith("python -m benchmarks.")]
    program, *rest = line.split(" --")
    assert program == "python -m benchmarks.implicit_peers"
    again = [part for option in rest for part in f"--{option}".replace("'", "").split(" ", 1)]
    known = {name for option in implicit_peers.main.params for name in option.opts}
    assert set(again[::2]) <= known
    assert {"--relevant", "--train-share", "--reference"} <= set(again)


def test_what_is_wrong_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no model 'none'" in called("--models", "none").output
    assert "add it to --models" in called("--models", "popularity").output
    house = ("--models", "popularity", "--reference", "popularity")
    assert "popularity can't be made with {'size': 1}" in called(*house, "--set", "popularity.size=1").output
    monkeypatch.setitem(sys.modules, "implicit", None)
    missing = called("--models", "implicit-als,popularity", "--reference", "popularity")
    assert missing.exit_code == 1
    assert "pip install 'freshrec[peers]'" in missing.output
