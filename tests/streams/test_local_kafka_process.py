from pathlib import Path

import pytest

from streams.local_kafka_process import BrokerHome, java_environment, last_lines


def test_settings_for_other_java_programs_do_not_reach_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_JAVA_OPTIONS", "-Xmx64g")
    monkeypatch.setenv("KEPT", "yes")

    environment = java_environment([Path("/jars/a.jar"), Path("/jars/b.jar")])

    assert "_JAVA_OPTIONS" not in environment
    assert environment["KEPT"] == "yes"
    assert environment["CLASSPATH"] == "/jars/a.jar:/jars/b.jar"


def test_the_end_of_a_log_leaves_out_stack_frames(tmp_path: Path) -> None:
    home = BrokerHome(tmp_path)
    home.output.write_text("first\nERROR no space\n\tat java.io\n\t... 6 more\nCaused by: a full disk\n")

    assert last_lines(home, 2) == "ERROR no space\nCaused by: a full disk"


def test_a_log_that_is_missing_or_empty_is_said_to_be(tmp_path: Path) -> None:
    home = BrokerHome(tmp_path)
    assert last_lines(home) == "(no log)"
    home.output.touch()
    assert last_lines(home) == "(empty log)"
