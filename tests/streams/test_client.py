"""The Python client against a real server: every question, problems, and a connection that was closed."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiohttp.test_utils import TestServer

from schemas.answers import BasketQuestion, SessionQuestion
from schemas.events import Browse
from streams.client import ApiError, Client
from tests.online_models.shop_views import NOW
from tests.streams.serving.parts import Desk, a_shop


@contextmanager
def served(desk: Desk) -> Iterator[str]:
    """Serve from a thread of its own; gives the address."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    server = TestServer(desk.server.app(), loop=loop)

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(server.start_server())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(server.close())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield f"http://127.0.0.1:{server.port}/"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)


def test_every_question_has_its_typed_answer() -> None:
    desk = Desk(a_shop())
    with served(desk) as url, Client(url) as client:
        found = client.recommendations("anna", k=2, exclude=["jam"], explain=False)
        assert [(place.item_id, place.reasons) for place in found.items] == [("pot", None), ("mug", None)]
        assert client.recommendations("anna", context=["cup"], category="kitchen").computed
        assert client.session_recommendations(SessionQuestion(items=["tea"], k=1)).items[0].item_id == "pot"
        assert client.similar("tea", k=1).items[0].item_id == "pot"
        assert [each.scope for each in client.rules("tea", exclude=["jam"])] == ["orders", "sessions"]
        assert client.basket(BasketQuestion(items=["cup"])).items[0].rules[0].lift == 2.0
        assert client.segment("anna").segment == "1"
        assert client.history("anna").items[0].item_id == "cup"
        assert client.popular(category="kitchen").scope == "category:kitchen"
        sent = client.send_events([Browse(event_id="b", user_id="a/b", item_id="pot", at=NOW)])
        assert (sent.accepted[0].event_id, desk.sent.messages[0].key) == ("b", "a/b")
        assert client.recommendations("a/b ?&", k=1).user_id == "a/b ?&"


def test_a_problem_is_an_error_with_every_fault() -> None:
    with served(Desk(a_shop())) as url, Client(url) as client:
        with pytest.raises(ApiError, match="`k` is '0'") as wrong:
            client.popular(k=0)
        assert (wrong.value.problem.status, wrong.value.problem.faults[0].field) == (400, "k")
        with pytest.raises(ApiError, match="404 Not Found"):
            client.segment("zoe")


def test_a_connection_that_was_closed_is_opened_again() -> None:
    with served(Desk(a_shop())) as url:
        client = Client(url)
        for _ in range(2):
            assert client.popular(k=1).items
            client.close()


def test_nobody_who_answers_and_an_address_that_is_none_are_errors() -> None:
    with served(Desk(a_shop())) as url:
        pass
    with pytest.raises(OSError, match="refused"):
        Client(url).popular()
    with pytest.raises(ValueError, match="expected one like http"):
        Client("shop:8090")
