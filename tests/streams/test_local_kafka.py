import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from streams import local_kafka
from streams.errors import BrokerError
from streams.local_kafka import KafkaStatus
from streams.local_kafka_process import BrokerHome, BrokerRecord, write_record

NOT_RUNNING = (False, None, None, None)


@contextmanager
def _process(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process with these arguments that waits for the end of its input."""
    program = "import sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(  # noqa: S603  # a command of our own
        [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process


def _home_with_record(root: Path, pid: int) -> BrokerHome:
    home = BrokerHome(root.resolve())
    write_record(home, BrokerRecord(pid, 9092, "4.1.1"))
    return home


def _fields(status: KafkaStatus) -> tuple[bool, int | None, str | None, str | None]:
    return status.running, status.pid, status.bootstrap, status.version


def test_a_directory_that_does_not_exist_has_no_broker_and_stays_away(tmp_path: Path) -> None:
    missing = tmp_path / "missing"

    assert _fields(local_kafka.status(missing)) == NOT_RUNNING
    assert not local_kafka.down(missing)
    assert not missing.exists()


def test_a_record_of_a_process_that_is_gone_is_not_believed(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    home = _home_with_record(tmp_path, ended.pid)

    assert _fields(local_kafka.status(tmp_path)) == NOT_RUNNING
    assert not local_kafka.down(tmp_path)
    assert not home.record.exists()


def test_a_process_that_took_over_the_number_is_neither_believed_nor_ended(tmp_path: Path) -> None:
    with _process() as bystander:
        _home_with_record(tmp_path, bystander.pid)

        assert _fields(local_kafka.status(tmp_path)) == NOT_RUNNING
        assert not local_kafka.down(tmp_path)
        assert bystander.poll() is None


def test_the_broker_of_another_directory_is_not_taken_for_this_one_s(tmp_path: Path) -> None:
    mine, other = (tmp_path / name for name in ("mine", "other"))
    mine.mkdir()
    with _process("kafka.Kafka", str(other / "server.properties")) as process:
        _home_with_record(mine, process.pid)
        assert _fields(local_kafka.status(mine)) == NOT_RUNNING
        assert not local_kafka.down(mine)
        assert process.poll() is None


def test_an_unreadable_record_counts_as_not_running(tmp_path: Path) -> None:
    BrokerHome(tmp_path).record.write_text('{"pid": "seven"')

    assert _fields(local_kafka.status(tmp_path)) == NOT_RUNNING


def test_a_broker_process_that_does_not_answer_is_not_running_but_has_a_number(tmp_path: Path) -> None:
    home = BrokerHome(tmp_path.resolve())
    with _process("kafka.Kafka", str(home.properties)) as silent, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        write_record(home, BrokerRecord(silent.pid, port, "4.1.1"))

        status = local_kafka.status(tmp_path)
        assert _fields(status) == (False, silent.pid, f"127.0.0.1:{port}", "4.1.1")
        with pytest.raises(
            BrokerError, match=rf"process {silent.pid}\) does not answer .*freshrec kafka down"
        ):
            local_kafka.up(tmp_path, 0, timeout_s=0.0)
        assert local_kafka.down(tmp_path)
        silent.wait()


def test_a_port_of_another_program_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(BrokerError, match=rf"port {port} on 127.0.0.1 cannot be used: .*--port 0"):
            local_kafka.up(tmp_path, port)

    assert {path.name for path in tmp_path.iterdir()} == {"command.lock"}


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(BrokerError, match=f"cannot write in {re.escape(str(file))}"):
        local_kafka.up(file, 0)


def test_status_is_one_json_object(tmp_path: Path) -> None:
    told = msgspec.json.decode(msgspec.json.encode(local_kafka.status(tmp_path)))

    assert told == {
        "running": False,
        "pid": None,
        "bootstrap": None,
        "version": None,
        "data_dir": os.fspath(tmp_path.resolve()),
    }
