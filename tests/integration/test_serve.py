"""The API on a real Kafka: what is sent changes what is answered, with or without workers."""

import time
from itertools import islice
from pathlib import Path

import pytest

from online_models.worlds import Storefront
from schemas.answers import Recommended
from schemas.events import Browse, Erasure, Item, Purchase
from schemas.events import OrderLine as Line
from streams.client import ApiError, Client
from tests.integration.shops import a_shop, a_topology
from tests.integration.worker_process import until

pytestmark = pytest.mark.kafka


def ids(found: Recommended) -> list[str]:
    return [place.item_id for place in found.items]


def test_what_is_sent_over_http_changes_what_is_answered_and_who_is_erased_is_not_known(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop = Storefront(a_shop(9))
    with a_topology(kafka, topic_prefix, tmp_path) as topology:
        worker, server = topology.worker(), topology.server()
        topology.topics.send(shop.catalogue())
        topology.topics.send(islice(shop.events(), 300))
        worker.wait_ready()
        server.wait_ready()
        topology.topics.wait_caught_up()
        with Client(server.url) as client:
            until(lambda: len(client.popular(k=5).items) == 5, "popular items")
            assert client.recommendations("zoe").fallback

            now = time.time_ns() // 1_000_000
            looked_at = client.popular(k=1).items[0].item_id
            sent = client.send_events(
                [Browse(event_id="b-1", user_id="zoe", session_id="z", item_id=looked_at, at=now)]
            )
            # Her history can be known before her list is: what is answered then is computed on the spot.
            until(lambda: client.recommendations("zoe").caused_by == ["b-1"], "a list of her own")
            first = client.recommendations("zoe")
            place = sent.accepted[0]
            assert first.recommendation_id == f"browses:{place.partition}:{place.offset}"
            assert (first.caused_by, first.computed) == (["b-1"], False)
            assert client.history("zoe").items[0].item_id == looked_at

            bought = ids(first)[0]
            order = Purchase(order_id="o-1", user_id="zoe", lines=[Line(bought, 1, 5.0)], at=now + 1)
            client.send_events([order])
            until(lambda: bought not in ids(client.recommendations("zoe")), "a list without what was bought")
            deeper = client.recommendations("zoe", k=40)
            assert deeper.computed
            assert bought not in ids(deeper)

            gone = ids(client.recommendations("zoe"))[0]
            client.send_events([Item(item_id=gone, available=False, at=now + 2)])
            until(lambda: gone not in ids(client.recommendations("zoe")), "a list without what is sold out")

            client.send_events([Erasure(user_id="zoe", at=now + 3)])
            until(lambda: client.recommendations("zoe").fallback, "nothing that is known of her")
            with pytest.raises(ApiError, match="404"):
                client.history("zoe")
            assert server.metric("freshrec_serve_ready") == 1.0
        assert server.terminate() == 0
        assert "zoe" not in server.log


@pytest.mark.slow
def test_answers_go_on_without_a_worker_and_are_the_same_after_a_restart(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop = Storefront(a_shop(9))
    with a_topology(kafka, topic_prefix, tmp_path) as topology:
        worker = topology.worker().wait_ready()
        topology.topics.send(shop.catalogue())
        topology.topics.send(islice(shop.events(), 1_000))
        topology.topics.wait_caught_up()
        known = [name for name, value in topology.topics.newest("histories").items() if value]
        assert len(known) > 30
        worker.kill()
        for others in (False, True):
            # With the disk of the one before it, and with an empty one beside it.
            server = topology.server().wait_ready()
            with Client(server.url) as client:
                found = {name: client.recommendations(name, k=3) for name in known}
                assert not any(each.fallback for each in found.values())
                assert {name: client.recommendations(name, k=3) for name in known} == found
                if others:
                    second = topology.server().wait_ready()
                    with Client(second.url) as other:
                        assert {name: other.recommendations(name, k=3) for name in known} == found
            assert server.terminate() == 0
