"""The file of rules: what is told of a fault, and what holds while a file changes."""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path

import pytest

from online_models.business_rules import BusinessRules
from streams.errors import SettingsError
from streams.rules_file import RulesFile, parse_rules

GOOD = """\
[[rule]]
name = "no knives"
action = "exclude"
categories = ["knives"]

[[rule]]
name = "advent"
action = "boost"
tags = ["advent"]
factor = 2
from = 2026-12-01T00:00:00+01:00
until = "2026-12-25T00:00:00+01:00"
"""

X = GOOD + "[[rule]]\nname='x'\n"
"""A rule x begins in line 13."""


def names(rules: BusinessRules) -> list[str]:
    return [rule.name for rule in rules.rules]


def test_times_may_be_times_of_toml_or_text() -> None:
    rules = parse_rules(GOOD, "rules.toml")
    assert names(rules) == ["no knives", "advent"]
    assert rules.rules[1].window() == (1_796_079_600_000, 1_798_153_200_000)
    assert parse_rules("", "rules.toml").rules == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[rule]", "rules.toml is not TOML: .*line 1"),
        ("rules = 1", "rules.toml has 'rules'; expected \\[\\[rule\\]\\] for each rule"),
        ("[rule]\nname = 'a'", "rules.toml has \\[rule\\]"),
        ("rule = [1]", "rules.toml, number 1: rule \\(without a name\\): Expected `object`"),
        (
            GOOD + "[[rule]]\naction = 'exclude'",
            "line 13: rule \\(without a name\\): .*required field `name`",
        ),
        (
            X + "action='hide'\nitems=['a']",
            "line 13: rule x: Invalid enum value 'hide'",
        ),
        (
            X + "action='exclude'\nitem=['a']",
            "line 13: rule x: .*unknown field `item`",
        ),
        (X + "action='boost'\nitems=['a']", "line 13: rule x: `factor` is missing"),
        (GOOD + GOOD, "line 13: rule no knives: another rule has the name 'no knives' already"),
        (
            X + "action='exclude'\nitems=['a']\nuntil=2026-12-01",
            "line 13.*with an offset",
        ),
        ("rule = [" + "{}," * 1_001 + "]", "has 1001 rules; at most 1000"),
        ("rule = " + "[" * 5_000, "is not TOML"),
    ],
)
def test_a_fault_is_told_with_its_rule_and_line(text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        parse_rules(text, "rules.toml")


class Told:
    """What a file told of itself."""

    def __init__(self) -> None:
        self.all: list[tuple[int, bool]] = []

    def __call__(self, rules: BusinessRules, /, *, faulty: bool) -> None:
        self.all.append((len(rules.rules), faulty))


def write(path: Path, text: str) -> None:
    """Put another file in place, as an editor does."""
    other = path.with_suffix(".new")
    other.write_text(text)
    other.replace(path)


def test_another_file_holds_at_once_and_a_broken_one_leaves_the_rules_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, told = tmp_path / "rules.toml", Told()
    write(path, GOOD)
    file = RulesFile(str(path), told)
    assert not file.look()
    write(path, GOOD.replace("no knives", "none of these"))
    assert file.look()
    assert (names(file.rules), file.version) == (["none of these", "advent"], 1)
    write(path, GOOD + "[[rule]]")
    with caplog.at_level(logging.ERROR):
        assert [file.look(), file.look()] == [False, False]
    assert sum(record.levelno == logging.ERROR for record in caplog.records) == 1
    assert "line 13" in caplog.text
    assert "the 2 rules before stay in force" in caplog.text
    path.unlink()
    assert not file.look()
    assert names(file.rules) == ["none of these", "advent"]
    write(path, "")
    assert file.look()
    assert file.rules.rules == ()
    assert told.all == [(2, False), (2, False), (2, True), (2, True), (0, False)]


def test_a_file_that_was_written_again_as_it_was_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    write(path, GOOD)
    file = RulesFile(str(path))
    before = file.rules
    write(path, GOOD)
    assert not file.look()
    assert file.rules is before


def test_a_link_that_leads_to_another_folder_brings_the_file_that_is_there(tmp_path: Path) -> None:
    for name, content in (("..1", GOOD), ("..2", "")):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "rules.toml", content)
    # As Kubernetes puts a ConfigMap there, and another version of it in its place.
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "rules.toml").symlink_to("..data/rules.toml")
    file = RulesFile(str(tmp_path / "rules.toml"))
    assert names(file.rules) == ["no knives", "advent"]
    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").rename(tmp_path / "..data")
    assert file.look()
    assert file.rules.rules == ()


@pytest.mark.parametrize("content", [None, b"\xff", b"[[rule]]"])
def test_a_file_that_cannot_be_used_at_the_start_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "rules.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=str(path)):
        RulesFile(str(path))


def test_without_a_file_there_are_no_rules_and_nothing_is_watched() -> None:
    file = RulesFile("")
    assert not file.look()
    asyncio.run(file.watch())
    assert file.rules.rules == ()


def test_a_running_process_sees_another_file_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.rules_file.LOOK_S", 0.001)
    path = tmp_path / "rules.toml"
    write(path, GOOD)
    changed = asyncio.Event()

    async def watched() -> RulesFile:
        loop = asyncio.get_running_loop()

        def told(rules: BusinessRules, /, *, faulty: bool) -> None:
            if not rules.rules and not faulty:
                loop.call_soon_threadsafe(changed.set)

        file = RulesFile(str(path), told)
        task = asyncio.create_task(file.watch())
        write(path, "")
        await asyncio.wait_for(changed.wait(), 30)
        while file.version == 0:
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return file

    assert asyncio.run(watched()).rules.rules == ()
