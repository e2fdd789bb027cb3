"""Pacing of what is sent, and what happens without a broker; sending itself is tested on a real one."""

import asyncio
import socket
import time

import pytest

from online_models.worlds import Emitted
from schemas.settings import KafkaSettings
from streams.errors import BrokerError
from streams.producing import Schedule, send_all


def message(at: int = 0) -> Emitted:
    return Emitted("browses", "u1", b"{}", at)


def test_messages_at_a_rate_are_due_at_equal_distances() -> None:
    schedule = Schedule(rate=10.0)

    waits = [schedule.wait_s(message()) for _ in range(5)]

    assert waits == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4], abs=0.05)


def test_without_a_rate_no_message_waits() -> None:
    schedule = Schedule()

    assert [schedule.wait_s(message()) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_a_message_may_leave_at_its_event_time_and_a_late_one_with_the_newest_before_it() -> None:
    now_ms = time.time_ns() // 1_000_000
    schedule = Schedule(at_event_time=True)

    assert schedule.wait_s(message(now_ms - 5_000)) < -4.0
    assert schedule.wait_s(message(now_ms + 60_000)) == pytest.approx(60.0, abs=5.0)
    assert schedule.wait_s(message(now_ms)) == pytest.approx(60.0, abs=5.0)


def test_without_a_broker_nothing_is_taken_and_the_address_is_named() -> None:
    messages = iter([message()])

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(BrokerError, match=f"no Kafka broker answers at {address}"):
            asyncio.run(send_all(KafkaSettings(bootstrap_servers=address), messages))

    assert list(messages) == [message()]
