"""Input as it should not be: repeated, late, in another order, or no events at all."""

import time
from collections.abc import Iterator
from itertools import islice
from random import Random

import msgspec

from online_models.worlds import Emitted
from online_models.worlds.bad_records import bad_record
from schemas.checks import Rejected
from schemas.codec import decode
from schemas.recommendations import Rejection
from tests.integration.chaos.house import House

REPEATED_AND_LATE = {"duplicate_share": 0.1, "late_share": 0.2, "late_s": 300.0}
LARGE_BYTES = 5 * 1024 * 1024
LARGE_BASKET = 1_110
_AT = 1_736_121_600_000
_Sent = tuple[str, bytes, bytes | None]


def duplicates(house: House) -> None:
    """A tenth of all is sent twice and a fifth up to five minutes late, while the worker is killed, too."""
    worker = house.open()
    with house.load(per_s=400.0):
        for _ in range(house.run.kills):
            house.pause(1.0, 3.0)
            worker.kill()
            worker.start()
        worker.wait_ready()
        house.pause(2.0, 3.0)
    house.settle([worker])
    house.prove()
    repeated = len(house.sent) - len({each.value for each in house.sent})
    house.check(repeated > 0, "nothing was sent twice")
    house.run.notes["sent_twice"] = repeated


def poison(house: House) -> None:
    """As many records as told that are no events, or nearly; between them a shop goes on."""
    settings = house.topics.settings.ingest
    worker = house.open()
    house.send(400)
    refused = 0
    for topic, key, value in _poison(house):
        house.topics.send_raw(topic, key, value)
        now = time.time_ns() // 1_000_000
        refused += isinstance(decode(topic, value, settings, sent_at=now), Rejected)
    house.topics.flush()
    house.send(400)
    house.settle([worker])
    house.prove(counted=False)
    read = msgspec.json.Decoder(Rejection).decode
    found = [read(each.value) for each in house.topics.read("rejected") if each.value]
    told = len({(each.topic, each.partition, each.offset) for each in found})
    house.check(told == refused, f"{refused} records had to be refused, {told} were")
    house.run.events += house.run.kills
    house.run.notes["refused"] = told


def _poison(house: House) -> Iterator[_Sent]:
    chance, many = house.random, house.run.kills
    events = list(islice(house.storefront.events(), 500))
    yield "browses", b"large", b'{"type":"browse","padding":"' + b"x" * LARGE_BYTES + b'"}'
    yield "purchases", b"u-basket", _basket()
    for number in range(many - 2):
        kind = number % 20
        if kind < 12:
            topic, value = bad_record(number, f"user-{number % 50}", _AT)
            yield topic, b"bad", value
        elif kind == 12:
            yield chance.choice(("browses", "purchases", "ratings", "items")), b"gone", None
        else:
            event = chance.choice(events)
            yield event.topic, event.key.encode(), _mutated(event, chance)


def _mutated(event: Emitted, chance: Random) -> bytes:
    """An event with some bytes changed, cut out or doubled."""
    raw = bytearray(event.value)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(raw))
        match chance.randrange(3):
            case 0:
                raw[place] = chance.randrange(256)
            case 1:
                del raw[place : place + chance.randint(1, 8)]
            case _:
                raw[place:place] = raw[place : place + chance.randint(1, 8)]
        if not raw:
            break
    return bytes(raw)


def _basket() -> bytes:
    """One order of more items than any bound of a row or of a set."""
    lines = [{"item_id": f"many-{n}", "quantity": 1, "unit_price": 1.0} for n in range(LARGE_BASKET)]
    return msgspec.json.encode(
        {
            "type": "purchase",
            "event_id": "basket",
            "user_id": "u-basket",
            "order_id": "basket",
            "at": _AT,
            "lines": lines,
        }
    )
