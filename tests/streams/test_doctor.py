"""What doctor finds without a broker: a full disk, no answer, a wrong address."""

import shutil
import socket
from pathlib import Path

import pytest

from schemas.settings import KafkaSettings, Settings, StateSettings
from streams.doctor import check_broker, check_disk, examine


def test_a_disk_with_room_is_well(tmp_path: Path) -> None:
    (finding,) = check_disk(tmp_path, min_free_share=0.0, min_free_bytes=1)

    assert (finding.name, finding.ok, finding.what_to_do) == ("disk", True, "")
    assert str(tmp_path) in finding.cause


def test_a_disk_with_too_few_bytes_is_almost_full(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free

    (finding,) = check_disk(tmp_path, min_free_share=0.0, min_free_bytes=2 * free)

    assert not finding.ok
    assert finding.cause.startswith("the disk is almost full: ")
    assert "move state.dir" in finding.what_to_do


def test_a_disk_with_too_small_a_free_share_is_almost_full(tmp_path: Path) -> None:
    (finding,) = check_disk(tmp_path, min_free_share=1.1, min_free_bytes=0)

    assert not finding.ok


def test_a_state_directory_that_is_not_there_yet_is_judged_by_the_folder_above_it(tmp_path: Path) -> None:
    (finding,) = check_disk(tmp_path / "not" / "yet", min_free_share=0.0, min_free_bytes=1)

    assert finding.ok


def test_a_broker_that_cannot_be_reached_is_named_and_ends_the_examination(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        settings = Settings(
            kafka=KafkaSettings(bootstrap_servers=address), state=StateSettings(dir=str(tmp_path))
        )
        findings = examine(settings)

    assert [finding.name for finding in findings] == ["disk", "state", "erasure", "broker"]
    assert not findings[3].ok
    assert f"no Kafka broker answers at {address}" in findings[3].cause
    assert "freshrec kafka up" in findings[3].what_to_do


@pytest.mark.parametrize("address", ["localhost", "localhost:no-port"])
def test_an_address_that_is_none_is_a_finding_and_no_crash(address: str) -> None:
    (finding,) = check_broker(KafkaSettings(bootstrap_servers=address))

    assert not finding.ok
    assert f"'{address}' is not host:port" in finding.cause
