"""A signal becomes a wish to stop, and the summary is a table or JSON."""

import json
import os
import signal

import pytest

from streams.commands.sending import report, stoppable


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_first_signal_asks_to_stop_and_the_next_does_what_it_always_did(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stoppable() as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
        assert signal.getsignal(number) is before


def test_the_handlers_are_restored_without_a_signal() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stoppable():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


SUMMARY = {
    "topics": {"items": 1_200, "browses": 3},
    "messages": 1_203,
    "unreadable": {},
    "interrupted": False,
}


def test_a_summary_is_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    report(SUMMARY, as_json=False)
    printed = capsys.readouterr().out
    assert "browses 3, items 1,200" in printed
    assert "none" in printed
    assert "no" in printed


def test_a_summary_is_one_json_object_and_may_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    report(SUMMARY, as_json=True, err=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err) == SUMMARY
