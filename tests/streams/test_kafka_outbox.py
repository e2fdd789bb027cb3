"""No cut is written that overtakes a record, however long the producer takes to accept it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from schemas.settings import KafkaSettings
from streams.errors import DeliveryError
from streams.kafka_outbox import KafkaOutbox
from streams.outbox import Outgoing


class SlowProducer:
    """A producer that accepts a record once it may; one that knows nothing of a topic yet waits likewise."""

    def __init__(self) -> None:
        self.may_accept = asyncio.Event()
        self.accepted: list[bytes | None] = []
        self.acknowledgements: list[asyncio.Future[object]] = []

    async def send(
        self, _topic: str, value: bytes | None, *_: object, **__: object
    ) -> asyncio.Future[object]:
        await self.may_accept.wait()
        self.accepted.append(value)
        self.acknowledgements.append(asyncio.get_running_loop().create_future())
        return self.acknowledgements[-1]


class Sending:
    """An outbox over such a producer, and why it failed."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.producer = SlowProducer()
        self.outbox = KafkaOutbox(KafkaSettings(), self.failures.append)
        vars(self.outbox)["_producer"] = self.producer

    async def begin(self, waiting: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Let something go on as far as it gets."""
        task = asyncio.create_task(waiting)
        await _turns()
        return task


async def _turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_a_cut_waits_for_a_record_that_the_producer_has_not_accepted_yet() -> None:
    async def check() -> None:
        each = Sending()
        each.outbox.put(Outgoing("samples", 0, None, b"first"))
        shipping = await each.begin(each.outbox.ship())
        cut = await each.begin(each.outbox.acknowledged())
        assert not cut.done(), "a cut was written that says of a record that it was sent"
        each.producer.may_accept.set()
        await _turns()
        assert each.producer.accepted == [b"first"]
        assert shipping.done() and not cut.done()
        each.producer.acknowledgements[0].set_result(None)
        await asyncio.wait_for(cut, 10)

    asyncio.run(check())


def test_a_record_whose_sender_is_cancelled_is_sent_by_the_next_one() -> None:
    async def check() -> None:
        each = Sending()
        for value in (b"first", b"second"):
            each.outbox.put(Outgoing("samples", 0, None, value))
        (await each.begin(each.outbox.ship())).cancel()
        each.producer.may_accept.set()
        await _turns()
        assert each.producer.accepted == []
        cut = await each.begin(each.outbox.acknowledged())
        assert each.producer.accepted == [b"first", b"second"]
        assert not cut.done()
        for acknowledgement in each.producer.acknowledgements:
            acknowledgement.set_result(None)
        await asyncio.wait_for(cut, 10)
        assert not each.outbox.full

    asyncio.run(check())


def test_a_record_that_is_given_up_is_not_acknowledged() -> None:
    async def check() -> None:
        each = Sending()
        each.producer.may_accept.set()
        each.outbox.put(Outgoing("samples", 0, None, b"first"))
        cut = await each.begin(each.outbox.acknowledged())
        each.producer.acknowledgements[0].cancel()
        with pytest.raises(DeliveryError, match="given up"):
            await asyncio.wait_for(cut, 10)
        assert len(each.failures) == 1

    asyncio.run(check())
