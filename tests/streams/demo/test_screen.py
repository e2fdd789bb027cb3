"""What a demo tells as plain lines: who did what, what lists came of it, and nothing a pipe can't take."""

import re

import pytest
from msgspec.structs import replace

from streams.demo.figures import Figures
from streams.demo.house import Counts
from streams.demo.screen import CLOSING, Frame, PlainScreen, Stopwatch, Told
from streams.demo.watcher import Card
from streams.demo.words import Place

ANNA = Card(
    "anna",
    ("looks at Blue kite", "buys Blue kite"),
    (Place(1, "Tea", "popular: in toys", "new"), Place(2, "Cup", "looked at recently", "")),
    ("i1", "i2"),
    latency_ms=12.3,
)
BEN = replace(ANNA, user="ben", acts=("looks at Brass lamp",), latency_ms=1_500.0)
STRANGER = Card("carla")

ALIKE = Told(at_s=18.0, phase="shared", cards=(ANNA, replace(ANNA, user="ben")), k=10)
APART = Told(at_s=27.0, phase="apart", cards=(ANNA, BEN), differing=7, k=10, after_s=0.03)
FRAME = Frame(
    phase="the shop fills up",
    elapsed_s=1.0,
    seconds=42.0,
    sent=10,
    lists=9,
    rejected=0,
    latency_ms=20.0,
    cards=(ANNA, BEN),
    verdict="",
)
FIGURES = Figures(
    sent=1,
    catalogue=2,
    counts=Counts(accepted=1),
    lists=1,
    latency_ms=(1.0, 2.0, 3.0),
    rejected={},
    queries=0,
    hit_rate=0.0,
    popular_hit_rate=0.0,
    k=10,
    seconds=42.0,
    parting=None,
)


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_two_who_did_the_same_and_got_the_same_share_a_line() -> None:
    assert ALIKE.lines == ("anna buys Blue kite; so does ben",)
    assert ALIKE.verdict == "anna and ben have the same list: 10 of 10 places"


@pytest.mark.parametrize("told", [APART, replace(APART, phase="shared"), replace(ALIKE, k=0)])
def test_two_of_whom_anything_is_different_have_a_line_each(told: Told) -> None:
    assert len(told.lines) == 2
    assert [line.split()[0] for line in told.lines] == ["anna", "ben"]


def test_the_verdict_counts_places_and_the_time() -> None:
    assert APART.verdict == "anna's and ben's lists differ in 7 of 10 places, 30 ms after"


def test_lists_that_did_not_come_are_not_called_equal() -> None:
    assert replace(ALIKE, k=0).verdict == "no list has come"
    assert not replace(ALIKE, k=0).alike


def test_somebody_alone_is_compared_with_nobody() -> None:
    glimpse = Told(at_s=8.0, phase="glimpse", cards=(STRANGER,))
    assert glimpse.lines == ("carla has done nothing yet",)
    assert glimpse.verdict == ""


def test_a_moment_is_printed_with_its_second_each_list_and_the_verdict(
    capsys: pytest.CaptureFixture[str],
) -> None:
    PlainScreen().told(APART)
    assert printed(capsys) == [
        "",
        " 27.0 s  anna buys Blue kite",
        "         12 ms later the list begins with",
        "           1. Tea                    popular: in toys  [new]",
        "           2. Cup                    looked at recently",
        "         ben looks at Brass lamp",
        "         1.50 s later the list begins with",
        "           1. Tea                    popular: in toys  [new]",
        "           2. Cup                    looked at recently",
        "         anna's and ben's lists differ in 7 of 10 places, 30 ms after",
    ]


def test_a_list_that_two_share_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    PlainScreen().told(ALIKE)
    lines = printed(capsys)
    assert [line for line in lines if "1. " in line] == [
        "           1. Tea                    popular: in toys  [new]"
    ]
    assert lines[-1].strip() == ALIKE.verdict


def test_who_has_no_list_yet_is_shown_without_one(capsys: pytest.CaptureFixture[str]) -> None:
    PlainScreen().told(Told(at_s=8.4, phase="glimpse", cards=(STRANGER,)))
    assert printed(capsys) == ["", "  8.4 s  carla has done nothing yet"]


def test_of_the_frames_only_a_new_phase_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    screen = PlainScreen()
    with screen.story():
        for frame in (FRAME, FRAME, replace(FRAME, elapsed_s=2.0), replace(FRAME, phase="their ways part")):
            screen.frame(frame)
    assert printed(capsys) == ["", "-- the shop fills up --", "", "-- their ways part --"]


def test_a_step_is_printed_when_it_begins_and_with_its_time_when_it_is_done(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = PlainScreen()
    screen.title("a demo")
    screen.doing("starting Kafka")
    screen.progress("10 of 40 jars")
    screen.done("Kafka answers")
    screen.done("all is kept")
    title, doing, progress, done, kept = printed(capsys)
    assert (title, doing, progress, kept) == (
        "a demo",
        "  starting Kafka ...",
        "  10 of 40 jars ...",
        "  all is kept",
    )
    assert re.fullmatch(r"  Kafka answers \(\d+\.\d s\)", done)


def test_figures_stand_below_each_other_and_the_readme_has_the_last_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    PlainScreen().figures(FIGURES)
    lines = printed(capsys)
    assert lines[:2] == ["", "Figures"]
    assert lines[-1] == CLOSING
    table = [line for line in lines[2:] if line.startswith("  ")]
    assert [re.split(r"  +", line.strip())[0] for line in table][:2] == ["events sent", "events accepted"]
    assert len({len(line) - len(line[2:].lstrip(" ")) for line in table}) == 1


def test_nothing_is_printed_that_a_file_cannot_hold(capsys: pytest.CaptureFixture[str]) -> None:
    screen = PlainScreen()
    screen.frame(FRAME)
    screen.told(APART)
    screen.figures(FIGURES)
    text = capsys.readouterr().out
    assert [char for char in text if not char.isprintable() and char != "\n"] == []


def test_a_stopwatch_that_was_not_begun_or_was_read_already_says_nothing() -> None:
    watch = Stopwatch()
    assert watch.taken() == ""
    watch.begin()
    assert re.fullmatch(r" \(\d+\.\d s\)", watch.taken())
    assert watch.taken() == ""
