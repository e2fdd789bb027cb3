"""The page's streams on a real Kafka: what happens in the shop is told by itself, also after a restart."""

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from online_models.worlds import Storefront
from schemas.events import Browse, Erasure, Item
from streams.client import Client
from tests.integration.shops import a_shop, a_topology
from tests.integration.worker_process import WorkerProcess, until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
WAIT_S = 60.0
REFUSED = b'{"type":"browse","user_id":"yan"'


class Listener:
    """Somebody who listens to a stream of a server."""

    def __init__(self, connection: http.client.HTTPConnection, path: str) -> None:
        connection.request("GET", path)
        self._answer = connection.getresponse()
        assert self._answer.status == 200

    def next(self) -> Any:
        """The next message; None at the end."""
        while line := self._answer.readline():
            if line.startswith(b"data: "):
                return msgspec.json.decode(line[6:])
        return None

    def until(self, condition: Callable[[Any], bool]) -> Any:
        """The first message from now on of which something holds."""
        while (told := self.next()) is not None:
            if condition(told):
                return told
        raise AssertionError("the stream ended before")

    def ends(self) -> bool:
        """Whether the stream ends, after what is still in it."""
        while self.next() is not None:
            pass
        return True


@contextmanager
def listening(server: WorkerProcess, path: str) -> Iterator[Listener]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=WAIT_S)
    try:
        yield Listener(connection, path)
    finally:
        connection.close()


def get(server: WorkerProcess, path: str) -> Any:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=WAIT_S)
    try:
        connection.request("GET", path)
        return msgspec.json.decode(connection.getresponse().read())
    finally:
        connection.close()


def test_what_happens_is_told_by_itself(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    shop = Storefront(a_shop(9))
    with a_topology(kafka, topic_prefix, tmp_path) as topology:
        worker = topology.worker()
        topology.topics.send(shop.catalogue())
        topology.topics.send(islice(shop.events(), 300))
        worker.wait_ready()
        server = topology.server(SERVE__WORKER_URL=f"{worker.url}/metrics").wait_ready()
        topology.topics.wait_caught_up()
        with listening(server, "/page/customers/zoe?k=3") as zoe, listening(server, "/page/flow") as flow:
            see_a_customer_come_and_go(server, zoe, flow)
            topology.topics.send_raw("browses", b"yan", REFUSED)
            topology.topics.flush()
            see_the_rest(server)
            assert server.terminate() == 0
            assert zoe.ends()
            assert flow.ends()
        again = topology.server().wait_ready()
        until(lambda: get(again, "/page/refused")["records"], "what was refused before")
        assert [each["item_id"] for each in get(again, "/page/items?q=feather")["items"]] == ["q1"]
        assert get(again, "/page/system")["problem"].startswith("metrics.port is 0")
        assert again.terminate() == 0
        assert not any(name in each.log for each in (server, again) for name in ("zoe", "yan"))


def see_a_customer_come_and_go(server: WorkerProcess, zoe: Listener, flow: Listener) -> None:
    """Zoe looks at an item, and again; then she is erased."""
    first, now = zoe.next(), time.time_ns() // 1_000_000
    assert (first["list"]["fallback"], first["history"]) == (True, None)
    item = first["list"]["items"][0]["item_id"]
    with Client(server.url) as client:
        client.send_events([Browse(event_id="b-1", user_id="zoe", item_id=item, at=now)])
        told = zoe.until(lambda each: not each["list"]["fallback"])
        assert told["list"]["caused_by"] == ["b-1"]
        assert [each["item_id"] for each in told["history"]["items"]] == [item]
        assert told["list"]["items"][0]["why"]
        client.send_events([Browse(event_id="b-2", user_id="zoe", item_id=item, at=now + 1)])
        news = flow.until(lambda each: any(point["events"].get("view") for point in each["points"]))
        assert "zoe" in news["customers"]
        client.send_events([Erasure(user_id="zoe", at=now + 2)])
        assert zoe.until(lambda each: each["list"]["fallback"])["history"] is None
        flow.until(lambda each: "zoe" not in each["customers"])
        client.send_events([Item(item_id="q1", title="Quetzal feather", at=now)])


def see_the_rest(server: WorkerProcess) -> None:
    """What was refused, how the worker is, and an item that is new."""
    until(lambda: get(server, "/page/refused")["records"], "a refused record")
    (refused,) = get(server, "/page/refused")["records"]
    assert (refused["reason"], refused["topic"]) == ("invalid_json", "browses")
    assert "yan" not in str(refused)
    until(lambda: get(server, "/page/system")["worker"], "what the worker tells")
    state = {part["name"]: part for part in get(server, "/page/system")["worker"]}
    assert state["processes"]["value"] == "all 3 answer"
    until(lambda: get(server, "/page/items?q=quet")["items"], "an item by its title")
