import re
import threading
from pathlib import Path

import pytest

from streams.errors import BrokerError
from streams.local_kafka_lock import turn


def _ignore(_message: str) -> None:
    pass


def test_a_second_holder_gives_up_with_the_name_of_the_file(tmp_path: Path) -> None:
    lock_file = tmp_path / "below" / "lock"
    told: list[str] = []

    with (
        turn(lock_file, 1.0, _ignore),
        pytest.raises(BrokerError, match=f"another command has held {re.escape(str(lock_file))}"),
        turn(lock_file, 0.0, told.append),
    ):
        pass

    assert told == []


def test_turns_exclude_each_other(tmp_path: Path) -> None:
    lock_file = tmp_path / "lock"
    inside, waiting = threading.Event(), threading.Event()
    order: list[str] = []

    def second() -> None:
        inside.wait()
        with turn(lock_file, 30.0, lambda _: waiting.set()):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with turn(lock_file, 1.0, _ignore):
        inside.set()
        assert waiting.wait(30)
        order.append("first")
    thread.join()

    assert order == ["first", "second"]


def test_an_error_inside_ends_the_turn(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), turn(tmp_path / "lock", 0.0, _ignore):
        raise ZeroDivisionError
    with turn(tmp_path / "lock", 0.0, _ignore):
        pass
