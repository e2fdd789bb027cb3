"""The newest sessions of a process: each fact once, saved as a whole, gone on from, forgotten on request."""

from pathlib import Path

import msgspec

from online_models.session_index import SessionIndex
from schemas.messages import Fact, Line, Packet, Position
from schemas.settings import SessionsSettings, Settings
from streams.remembered import RememberedSessions, read

SETTINGS = Settings(sessions=SessionsSettings(held=50))
_pack = msgspec.msgpack.Encoder().encode


def fact(key: str, item: str, at: int = 0, *, kind: str = "view", opens: bool = False) -> Fact:
    lines = [] if kind == "erasure" else [Line(item, [])]
    return Fact(key, kind, at, lines, [], opens, [])


def packet(facts: list[Fact], first: int, *, partition: int = 0, epoch: int = 0) -> bytes:
    """Facts of one event each, from an offset of `events` on."""
    positions: list[Position] = [(first + n, 0) for n in range(len(facts))]
    return _pack(Packet(epoch, "events", partition, (first - 1, 0), positions[-1], positions, facts))


def held(index: SessionIndex) -> dict[str, int]:
    """How often each item is held."""
    return {item: int(index.counts[index.numbers([item])[0]]) for item in sorted(index.known())}


def a_memory(
    folder: Path, *, settings: Settings = SETTINGS, topic_id: str | None = "t-1"
) -> RememberedSessions:
    return RememberedSessions(folder / "views" / "sessions", settings, topic_id=topic_id)


def test_a_packet_that_comes_again_changes_nothing_and_the_rest_of_a_longer_one_is_learned(
    tmp_path: Path,
) -> None:
    memory = a_memory(tmp_path)
    tea, cup, pot = (fact("u:anna", item) for item in ("tea", "cup", "pot"))
    memory.learn(0, 0, packet([tea, cup], 0))
    memory.learn(0, 1, packet([tea, cup], 0))
    memory.learn(0, 2, packet([tea, cup, pot], 0))
    assert held(memory.index) == {"cup": 1, "pot": 1, "tea": 1}
    assert memory.learned == {"view": 3}
    assert memory.offsets == {0: 3}


def test_what_each_partition_of_events_said_is_told_apart(tmp_path: Path) -> None:
    memory = a_memory(tmp_path)
    memory.learn(0, 0, packet([fact("u:anna", "tea")], 0, partition=0))
    memory.learn(0, 1, packet([fact("u:ben", "tea")], 0, partition=1))
    assert held(memory.index) == {"tea": 2}


def test_of_a_source_that_began_anew_only_the_newer_epoch_is_learned(tmp_path: Path) -> None:
    memory = a_memory(tmp_path)
    memory.learn(0, 0, packet([fact("u:anna", "tea")], 5))
    memory.learn(0, 1, packet([fact("u:anna", "cup")], 0, epoch=1))
    memory.learn(0, 2, packet([fact("u:anna", "pot")], 6))
    assert held(memory.index) == {"cup": 1, "tea": 1}


def test_what_was_saved_is_taken_over_and_gone_on_from(tmp_path: Path) -> None:
    memory = a_memory(tmp_path)
    memory.learn(3, 7, packet([fact("u:anna", "tea"), fact("u:anna", "cup")], 0))
    assert memory.changed is True
    memory.save(memory.frozen())
    unchanged = not memory.changed
    assert unchanged
    memory.learn(3, 8, packet([fact("u:anna", "late")], 2))

    again = a_memory(tmp_path)
    assert (again.offsets, held(again.index)) == ({3: 8}, {"cup": 1, "tea": 1})
    again.learn(3, 8, packet([fact("u:anna", "cup"), fact("u:anna", "pot")], 1))
    assert held(again.index) == {"cup": 1, "pot": 1, "tea": 1}
    assert again.index.session_of("u:anna") == 0 == again.index.newest


def test_of_another_topic_or_other_bounds_nothing_is_taken_over(tmp_path: Path) -> None:
    memory = a_memory(tmp_path)
    memory.learn(0, 0, packet([fact(f"u:{n}", "tea", opens=True) for n in range(60)], 0))
    memory.save(memory.frozen())
    assert a_memory(tmp_path, topic_id="t-2").offsets == {}
    other = Settings(sessions=SessionsSettings(held=40))
    assert a_memory(tmp_path, settings=other).offsets == {}
    assert a_memory(tmp_path, topic_id=None).offsets == {0: 1}


def test_a_file_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    memory = a_memory(tmp_path)
    memory.learn(0, 0, packet([fact("u:anna", "tea")], 0))
    memory.save(memory.frozen())
    path = tmp_path / "views" / "sessions"
    saved = read(path)
    assert saved is not None
    path.write_bytes(path.read_bytes()[:-20])
    assert read(path) is None
    assert a_memory(tmp_path).offsets == {}
    path.write_bytes(_pack(msgspec.structs.replace(saved, version=99)))
    assert read(path) is None
    assert read(tmp_path / "missing") is None


def test_a_start_without_a_file_reads_as_many_records_as_sessions_are_held(tmp_path: Path) -> None:
    memory = a_memory(tmp_path)
    assert memory.first(0, 10_000, 0, 5) == 10_000 - 11
    assert memory.first(9_995, 10_000, 0, 5) == 9_995
    assert memory.first(0, 3, 0, 5) == 0
    memory.offsets[0] = 40
    assert (memory.first(0, 10_000, 0, 5), memory.first(50, 10_000, 0, 5)) == (40, 50)


def test_an_erasure_leaves_no_session_of_its_key(tmp_path: Path) -> None:
    memory = a_memory(tmp_path)
    memory.learn(0, 0, packet([fact("u:anna", "tea"), fact("u:ben", "tea"), fact("u:anna", "cup")], 0))
    memory.learn(0, 1, packet([fact("u:anna", "", kind="erasure")], 3))
    assert held(memory.index) == {"tea": 1}
    assert memory.index.session_of("u:anna") == -1
    memory.restart()
    assert (held(memory.index), memory.offsets, memory.changed) == ({}, {}, True)
