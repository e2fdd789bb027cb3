"""Workers that join and leave: partitions move, and nothing is lost, counted twice or left behind."""

import time
from itertools import islice
from pathlib import Path

import pytest

from online_models.worlds import Storefront
from streams.topology import STAGE_BY_NAME, STAGES
from tests.integration import recount
from tests.integration.answers import faults_of_lists
from tests.integration.oracle import Oracle
from tests.integration.shop_topics import Stream
from tests.integration.shops import a_shop, a_topology
from tests.integration.worker_process import until

pytestmark = pytest.mark.kafka


@pytest.mark.slow
def test_a_second_worker_joins_under_load_takes_its_share_and_gives_it_back(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop, history = Storefront(a_shop(6)), STAGE_BY_NAME["history"]
    with a_topology(kafka, topic_prefix, tmp_path) as topology:
        topics = topology.topics
        topics.send(shop.catalogue())
        first = topology.worker().wait_ready()
        with Stream(topics, islice(shop.events(), 2_400), per_s=200.0) as stream:
            time.sleep(1.0)
            second = topology.worker()
            until(lambda: len(topics.members(history)) == 2, "partitions for both workers")
            second.wait_ready()
            owned = [{place for place in each if place[0] == "events"} for each in topics.members(history)]
            assert sorted(map(len, owned)) == [1, 1]
            time.sleep(2.0)
            assert second.terminate() == 0
            until(lambda: len(topics.members(history)) == 1, "partitions back at the first worker")
            stream.wait()
        topics.wait_caught_up()
        assert first.metric("freshrec_gaps_total") == 0
        assert first.terminate() == 0
        assert recount.learned(topics.settings) == recount.sent(stream.sent)
        Oracle(topics, tmp_path / "oracle").check()
        assert faults_of_lists(topics) == []


@pytest.mark.slow
def test_a_worker_without_partitions_stands_by_ready_and_takes_over_from_one_that_is_killed(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop = Storefront(a_shop(12))
    events = list(islice(shop.events(), 600))
    with a_topology(kafka, topic_prefix, tmp_path, KAFKA__PARTITIONS=1) as topology:
        topics = topology.topics
        first = topology.worker().wait_ready()
        topics.send([*shop.catalogue(), *events[:300]])
        standby = topology.worker().wait_ready()
        assert len(topics.members(STAGE_BY_NAME["history"])) == 1
        # What was read before the rebalance is committed although nothing follows it.
        topics.wait_caught_up()
        first.kill()
        topics.send(events[300:])
        topics.wait_caught_up()
        assert standby.terminate() == 0
        assert recount.learned(topics.settings) == recount.sent(events)
        Oracle(topics, tmp_path / "oracle").check()


@pytest.mark.slow
def test_a_graceful_stop_under_load_leaves_no_lag_behind_what_was_flushed(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop = Storefront(a_shop(9))
    with a_topology(kafka, topic_prefix, tmp_path) as topology:
        topics = topology.topics
        topics.send(shop.catalogue())
        worker = topology.worker().wait_ready()
        with Stream(topics, shop.events(), per_s=200.0):
            time.sleep(3.0)
        started = time.monotonic()
        assert worker.terminate() == 0
        assert time.monotonic() - started < 10.0
        # Whatever the last process of the chain had not seen yet waits for the next worker, alone.
        topology.worker().wait_ready()
        topics.wait_caught_up()
        assert topology.workers[-1].terminate() == 0
        assert topics.lag(STAGES) == {}
        Oracle(topics, tmp_path / "oracle").check()
