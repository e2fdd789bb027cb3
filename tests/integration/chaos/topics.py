"""Topics and settings that are not those of the stores: a clear refusal, and nothing changed."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple

from streams.rocks_store import PROGRESS, REWRITTEN
from streams.topology import TOPIC_BY_NAME, partitions_of
from tests.integration.chaos.house import House
from tests.integration.oracle import KEPT_STAGES, read_rows
from tests.integration.worker_process import until


class Change(NamedTuple):
    """What is changed while no worker runs, a setting that is changed with it, and words of the refusal."""

    make: Callable[[House], None]
    setting: tuple[str, str] | None
    words: tuple[str, ...]


def topics(house: House) -> None:
    """Another learning setting, another number of partitions, a topic made again, retention past a store."""
    worker = house.open()
    house.send(800)
    house.settle([worker])
    house.prove()
    before = _rows(house)
    for change in CHANGES[: house.run.kills]:
        change.make(house)
        with _changed(house, change.setting):
            _expect_refusal(house, change.words)
        after = _rows(house)
        house.run.keys += len(before)
        house.run.differing += sum(before.get(key) != after.get(key) for key in before | after)


def _rows(house: House) -> dict[tuple[str, int, bytes], bytes]:
    """What all stores hold of state."""
    settings = house.topics.settings
    return {
        (stage.name, number, key): row
        for stage in KEPT_STAGES
        for number in range(partitions_of(TOPIC_BY_NAME[stage.reads[0]], settings.kafka.partitions))
        for key, row in read_rows(settings, stage.name, number).items()
        if key not in (PROGRESS, REWRITTEN) and not key.startswith(b"~")
    }


def _expect_refusal(house: House, words: tuple[str, ...]) -> None:
    worker = house.shop.worker()
    try:
        until(lambda: all(word in worker.log for word in words), f"a refusal with {words}", timeout_s=40.0)
    except AssertionError as error:
        house.check(holds=False, fault=f"{error}; logged was: {worker.log[-600:]}")
    finally:
        worker.kill()


def _changed(house: House, setting: tuple[str, str] | None) -> AbstractContextManager[None]:
    return nullcontext() if setting is None else _with_setting(house, *setting)


@contextmanager
def _with_setting(house: House, name: str, value: str) -> Iterator[None]:
    old = dict(house.shop.variables)
    house.shop.variables[name] = value
    try:
        yield
    finally:
        house.shop.variables.clear()
        house.shop.variables.update(old)


def _nothing(_: House) -> None:
    pass


def _make_again(house: House) -> None:
    house.topics.make_again("item-deltas")


def _expire(house: House) -> None:
    """Let records go that `history` has not read."""
    for number in range(100):
        house.topics.send_raw("events", str(number).encode(), b"expires before it is read")
    house.topics.flush()
    for (topic, partition), end in house.topics.ends(["events"]).items():
        house.topics.delete_before(topic, partition, end)


CHANGES = (
    Change(
        _nothing, ("FRESHREC_RULES__MAX_ROW", "77"), ("rules.max_row was 1000, now 77", "freshrec migrate")
    ),
    Change(_nothing, ("FRESHREC_KAFKA__PARTITIONS", "3"), ("has 2 partitions, expected 3",)),
    Change(_make_again, None, ("topic_id is", "freshrec reset")),
    Change(_expire, None, ("retention removed what lies between", "freshrec reset history")),
)
