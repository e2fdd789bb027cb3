"""`freshrec evaluate`: files in, a table, JSON, curves and tuned parameters out."""

import json
import os
import shlex
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from streams.cli import run

SESSIONS = "".join(f"{n}\t{n % 7} {(n + 1) % 7} {n % 7} {(n + 2) % 7}\n" for n in range(60))
RATINGS = "userId,movieId,rating,timestamp\n" + "".join(
    f"{n % 9},{(n * n) % 31},{1 + n % 5},{1_000_000 + 60 * n}\n" for n in range(200)
)
PROMISED = {"hr", "recall", "precision", "f1", "mrr", "ndcg", "map", "coverage", "queries"}


@pytest.fixture(autouse=True)
def in_a_folder_with_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("FRESHREC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "120")
    Path("sessions.tsv").write_text(SESSIONS)
    Path("ratings.csv").write_text(RATINGS)


def sessions(*more: str) -> list[str]:
    split = ["--events", "sessions.tsv", "--format", "session-lists", "--test-share", "0.2", "--k", "3"]
    return ["evaluate", "--protocol", "sessions", *split, *more]


def ratings(protocol: str, *more: str) -> list[str]:
    return ["evaluate", "--protocol", protocol, "--events", "ratings.csv", "--format", "movielens", *more]


def results(*arguments: str) -> dict[str, Any]:
    assert run([*arguments, "--json", "out/results.json"]) == 0
    found: dict[str, Any] = json.loads(Path("out/results.json").read_text())
    return found


@pytest.mark.parametrize(("mode", "flags"), [("live", []), ("live", ["--live"]), ("frozen", ["--frozen"])])
def test_sessions_are_evaluated_in_both_modes(mode: str, flags: list[str]) -> None:
    found = results(*sessions(*flags))
    assert (found["protocol"], found["mode"], found["k"]) == ("sessions", mode, 3)
    assert list(found["models"]) == ["blend", "popularity"]
    assert found["models"]["blend"].keys() >= PROMISED
    assert {each["queries"] for each in found["models"].values()} == {12 * 3}


def test_results_name_what_is_needed_to_run_them_again() -> None:
    found = results(*sessions("--seed", "7", "--models", "isgd", "--set", "isgd.rate=0.1"))
    assert found["seed"] == 7
    assert found["options"]["isgd"]["rate"] == 0.1
    assert found["data"]["events"].endswith("sessions.tsv")
    assert found["request"]["test_share"] == 0.2
    assert {"processor", "python", "commit"} <= set(found["machine"])
    assert str(Path.cwd()) not in Path("out/results.json").read_text()


def test_what_is_measured_twice_is_the_same_but_for_times() -> None:
    def scores() -> list[Any]:
        models = results(*sessions("--models", "all", "--reference", "blend"))["models"]
        timed = {"learn_s", "recommend_s", "state_bytes"}
        return [{key: value for key, value in each.items() if key not in timed} for each in models.values()]

    assert scores() == scores()


def test_prequential_and_temporal_know_what_is_relevant() -> None:
    found = results(*ratings("prequential", "--relevant", "rating>=4", "--warmup", "0.5"))
    assert (found["mode"], found["protocol"]) == ("live", "prequential")
    assert 0 < found["models"]["blend"]["queries"] <= 40
    found = results(*ratings("temporal", "--relevant", "rating>=4", "--others", "drop"))
    assert found["mode"] == "frozen"
    assert 0 < found["models"]["blend"]["queries"] <= 9


def test_a_table_shows_every_model_and_the_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(sessions("--models", "popularity,markov", "--reference", "popularity")) == 0
    shown = capsys.readouterr().out
    assert "sessions, live, 36 queries" in shown
    assert "minus popularity, on the same queries" in shown
    assert sum(line.strip().startswith("markov") for line in shown.splitlines()) == 2


def test_curves_are_one_page_that_needs_nothing_else() -> None:
    assert run(sessions("--models", "popularity,markov", "--plot", "curves.html")) == 0
    page = Path("curves.html").read_text()
    assert "http" not in page.replace("http-equiv", "")
    drawings = [part.split("</svg>")[0] + "</svg>" for part in page.split("\n") if part.startswith("<svg")]
    lines = [ElementTree.fromstring(each).findall("polyline") for each in drawings]  # noqa: S314  # our own
    assert [len(each) for each in lines] == [2, 2]
    assert "<td>36</td>" in page


def test_tuning_writes_parameters_that_can_be_read_again() -> None:
    tuning = ["--models", "decayed,markov", "--tune", "3", "--tuned", "best.toml"]
    tuned = results(*ratings("prequential", "--repeats", *tuning))
    written = tomllib.loads(Path("best.toml").read_text())
    assert list(written) == ["decayed"]
    assert tuned["options"]["decayed"] == written["decayed"]
    again = results(*ratings("prequential", "--repeats", "--models", "decayed", "--options", "best.toml"))
    assert again["options"]["decayed"] == written["decayed"]
    assert again["models"]["decayed"]["mrr"] == tuned["models"]["decayed"]["mrr"]


@pytest.mark.parametrize(
    "more",
    [
        ["--models", "gone"],
        ["--models", ","],
        ["--reference", "isgd"],
        ["--k", "0"],
        ["--test-share", "1.5"],
        ["--format", "parquet"],
    ],
)
def test_wrong_usage_ends_with_2(more: list[str]) -> None:
    assert run(sessions(*more)) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (sessions("--set", "isgd.rate=0.1", "--set", "gone.x=1"), "no model 'gone'"),
        (sessions("--models", "isgd", "--set", "isgd.speed=1"), "isgd can't be made"),
        (sessions("--set", "blend.recommend.k=0"), "blend can't be made"),
        (sessions("--models", "markov", "--tune", "2"), "none of markov has parameters"),
        (sessions("--json", "sessions.tsv/x.json"), "name another place"),
        (["evaluate", "--protocol", "temporal", "--format", "jsonl", "--events", "gone"], "check the path"),
        (ratings("prequential", "--relevant", "purchase", "--models", "markov"), "no question was asked"),
    ],
)
def test_what_cannot_be_done_ends_with_1_and_says_why(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert run(arguments) == 1
    assert told in capsys.readouterr().err


def test_lines_that_cannot_be_used_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("sessions.tsv").write_text(SESSIONS + "61 no tab\n")
    assert run(sessions("--models", "popularity")) == 0
    assert "missing_field" in capsys.readouterr().err


def test_what_comes_of_sessions_is_foretold_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    lines = []
    for visit in range(300):
        at = 1_700_000_000_000 + visit * 60_000
        acts = ["view", "view", "cart"] if visit % 3 == 0 else ["view", "view"]
        for number, action in enumerate(acts):
            browse = {"type": "browse", "event_id": f"b{visit}-{number}", "session_id": f"s{visit}"}
            lines.append(browse | {"item_id": "tea", "action": action, "at": at + number * 1_000})
        if visit % 3 == 0:
            told = {"type": "purchase", "event_id": f"p{visit}", "session_id": f"s{visit}", "user_id": None}
            bought = [{"item_id": "tea", "quantity": 1, "unit_price": 2.0}]
            lines.append(told | {"order_id": f"o{visit}", "lines": bought, "at": at + 9_000})
    Path("shop.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    asked = ["--protocol", "classify", "--format", "jsonl", "--events", "shop.jsonl", "--json", "trees.json"]
    assert run(["evaluate", *asked]) == 0
    shown = capsys.readouterr().out
    assert "looks at sessions" in shown
    assert "log loss" in shown
    found = json.loads(Path("trees.json").read_text())
    assert (found["protocol"], found["seed"], found["data"].endswith("shop.jsonl")) == ("classify", 1, True)
    assert found["trees"]["outcomes"] > 100
    assert {"commit", "python"} <= set(found["machine"])
    assert found["settings"]["criterion"] == "entropy"


def test_a_file_without_sessions_has_nothing_to_foretell(capsys: pytest.CaptureFixture[str]) -> None:
    item = {"type": "item", "item_id": "tea", "categories": ["drinks"], "at": 1_700_000_000_000}
    Path("items.jsonl").write_text(json.dumps(item) + "\n")
    asked = ["--protocol", "classify", "--format", "jsonl", "--events", "items.jsonl"]
    assert run(["evaluate", *asked]) == 1
    assert "no outcome of a session was answered" in capsys.readouterr().err


def test_models_are_advised_and_the_command_that_is_told_measures_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ["evaluate", "--advise", "--events", "sessions.tsv", "--format", "session-lists"]
    found = results(*asked)
    assert found["traits"]["guests"] == 1.0
    assert {each["model"]: each["verdict"] for each in found["advice"]}["social"] == "leave out"
    assert found["settings"]["recommend"]["social_weight"] == 0.0
    shown = capsys.readouterr().out
    assert "nobody follows anybody" in shown
    assert found["command"] in shown
    assert run([*shlex.split(found["command"])[1:], "--limit", "5"]) == 0


def test_neither_a_protocol_nor_advice_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "--events", "sessions.tsv", "--format", "session-lists"]) == 2
    assert "--advise" in capsys.readouterr().err


def test_there_is_no_advice_on_a_file_in_which_nobody_acts(capsys: pytest.CaptureFixture[str]) -> None:
    Path("items.jsonl").write_text('{"type":"item","item_id":"i1","at":0}\n')
    assert run(["evaluate", "--advise", "--events", "items.jsonl", "--format", "jsonl"]) == 1
    assert "nobody acts on any item" in capsys.readouterr().err
