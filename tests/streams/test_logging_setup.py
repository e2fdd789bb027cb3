"""What reaches stderr, as lines for people and as JSON."""

import json
import logging
from collections.abc import Iterator

import pytest

from schemas.settings import LogSettings
from streams.logging_setup import configure
from streams.snapshots.library import Shelf


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_a_line_for_people_names_time_level_logger_and_message(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings())
    logging.getLogger("streams.worker").info("stage %s is ready", "rules")
    (line,) = lines(capsys)
    moment, level, logger, message = line.split(None, 3)
    assert moment.endswith("Z")
    assert (level, logger, message) == ("info", "streams.worker:", "stage rules is ready")


def test_json_is_one_object_a_line_also_with_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(json=True))
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("streams.worker").exception("it\nfailed")
    (line,) = lines(capsys)
    entry = json.loads(line)
    assert (entry["level"], entry["logger"], entry["message"]) == ("error", "streams.worker", "it\nfailed")
    assert "ValueError: two\nlines" in entry["exception"]
    assert entry["at"].endswith("Z")


def test_json_says_of_which_group_stage_and_partition_a_line_is(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(json=True), group="rules")
    logging.getLogger("streams.snapshots").warning("no snapshot", extra=Shelf("rules", 2).place)
    logging.getLogger("streams.child").info("well")
    there, nowhere = map(json.loads, lines(capsys))
    assert (there["group"], there["stage"], there["partition"]) == ("rules", "rules", 2)
    assert set(nowhere) == {"at", "level", "logger", "message", "process", "group"}


def test_a_supervisor_names_the_group_that_its_line_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(json=True))
    logging.getLogger("streams.supervisor").warning("it ended", extra={"group": "models"})
    (line,) = lines(capsys)
    assert json.loads(line)["group"] == "models"


def test_a_traceback_follows_a_line_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings())
    try:
        raise ValueError("seen")
    except ValueError:
        logging.getLogger("streams.worker").exception("failed")
    assert lines(capsys)[-1] == "ValueError: seen"


@pytest.mark.parametrize("as_json", [False, True])
def test_extra_fields_are_never_written(capsys: pytest.CaptureFixture[str], *, as_json: bool) -> None:
    configure(LogSettings(json=as_json))
    logging.getLogger("streams.ingest").warning("refused", extra={"user_id": "u-secret"})
    (line,) = lines(capsys)
    assert "u-secret" not in line


def test_the_level_of_the_settings_holds(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(level="error"))
    logging.getLogger("streams.worker").warning("no")
    logging.getLogger("faust").warning("no")
    logging.getLogger("streams.worker").error("yes")
    assert len(lines(capsys)) == 1


@pytest.mark.parametrize("library", ["faust", "mode.services", "aiokafka.consumer", "kafka"])
def test_libraries_speak_from_warning_on(capsys: pytest.CaptureFixture[str], library: str) -> None:
    configure(LogSettings(level="debug"))
    logging.getLogger(library).info("no")
    logging.getLogger(library).warning("yes")
    assert len(lines(capsys)) == 1


def test_configuring_again_replaces_and_does_not_repeat(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings())
    configure(LogSettings(json=True))
    logging.getLogger("streams.worker").info("once")
    (line,) = lines(capsys)
    assert json.loads(line)["message"] == "once"
