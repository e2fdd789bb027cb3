"""What becomes of messages where Kafka does not take them."""

import asyncio

import pytest

from streams.serving.problems import RefusedError
from streams.serving.sending import KafkaSender, Ready, read_messages
from tests.online_models.shop_views import NOW
from tests.streams.serving.parts import SETTINGS, Desk, a_shop

MESSAGE = b'{"type":"rating","event_id":"r","user_id":"u","item_id":"i","value":1,"scale_max":5,"at":0}'


def test_without_a_connection_the_sender_is_asked_to_send_again() -> None:
    desk = Desk(a_shop(), sender=KafkaSender(SETTINGS))
    told = desk.ask("/v1/events", MESSAGE)
    assert (told.status, told.headers["Retry-After"]) == (503, "1")
    assert "same event id" in told.body["detail"]


def test_a_sender_that_was_not_started_stops_quietly_and_sends_nothing() -> None:
    sender = KafkaSender(SETTINGS)
    (message,) = read_messages(MESSAGE, SETTINGS, now_ms=NOW)
    assert message == Ready("rating", "ratings", "u", "r", MESSAGE)
    with pytest.raises(RefusedError, match="no connection"):
        asyncio.run(sender.send(message))
    asyncio.run(sender.stop())


def test_values_leave_as_they_came() -> None:
    spaced = b'  [ {"type" : "erasure", "user_id" : "\\u0061nna", "at" : 0, "note" : "kept"} ] '
    (message,) = read_messages(spaced, SETTINGS, now_ms=NOW)
    assert (message.key, message.event_id) == ("anna", None)
    assert message.value == spaced.strip()[1:-1].strip()
