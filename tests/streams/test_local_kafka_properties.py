import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.local_kafka_properties import server_properties


def _read_as_java(text: str) -> dict[str, str]:
    """Undo Java's escapes: a backslash doubles itself, or gives one UTF-16 unit in hexadecimal."""

    def unit(match: re.Match[str]) -> str:
        return chr(int(match[1], 16)) if match[1] else "\\"

    settings = {}
    for line in text.splitlines():
        key, _, value = line.partition("=")
        units = re.sub(r"\\(?:u([0-9a-f]{4})|\\)", unit, value)
        settings[key] = units.encode("utf-16", "surrogatepass").decode("utf-16")
    return settings


def test_broker_and_controller_listen_on_the_loopback_interface_only() -> None:
    settings = _read_as_java(server_properties(Path("/data"), 9092, 9093))

    listeners = settings["listeners"].split(",")
    assert [listener.partition("://")[2] for listener in listeners] == ["127.0.0.1:9092", "127.0.0.1:9093"]
    assert settings["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9092"
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:9093"


def test_messages_of_8_mib_pass_and_topics_are_not_made_by_mistyping() -> None:
    settings = _read_as_java(server_properties(Path("/data"), 9092, 9093))

    assert settings["message.max.bytes"] == settings["replica.fetch.max.bytes"] == str(8 * 1024 * 1024)
    assert settings["auto.create.topics.enable"] == "false"


def test_everything_internal_works_with_one_broker() -> None:
    settings = _read_as_java(server_properties(Path("/data"), 9092, 9093))

    single = {key: v for key, v in settings.items() if key.endswith((".replication.factor", ".min.isr"))}
    assert len(single) == 5
    assert set(single.values()) == {"1"}


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/,"), min_size=1))
def test_any_directory_name_is_read_back_by_java(name: str) -> None:
    directory = Path("/") / name

    text = server_properties(directory, 9092, 9093)

    assert text.isascii()
    assert _read_as_java(text)["log.dirs"] == str(directory)


def test_a_directory_with_a_comma_is_refused() -> None:
    with pytest.raises(ValueError, match="has a comma"):
        server_properties(Path("/a,b"), 9092, 9093)
