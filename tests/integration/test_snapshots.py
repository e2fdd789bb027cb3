"""Workers that lose their disk: what snapshots and the log bring back is as if nothing had happened."""

import shutil
from itertools import islice
from pathlib import Path

import pytest

from online_models.worlds import Storefront
from streams.snapshots.library import Library, Shelf
from streams.snapshots.storage import Storage
from streams.topology import STAGE_BY_NAME, STAGES
from tests.integration import recount
from tests.integration.answers import faults_of_lists
from tests.integration.oracle import Oracle
from tests.integration.shop_topics import Stream
from tests.integration.shops import EXACT, a_shop, a_topology, kept_stores
from tests.integration.worker_process import WorkerProcess, environment, until

pytestmark = pytest.mark.kafka
KEPT = [stage.name for stage in STAGES if stage.keeps]


def places(partitions: int = 2) -> list[Shelf]:
    """Every stage partition that keeps state."""
    return [Shelf(stage, each) for stage, each in kept_stores(partitions)]


def test_a_worker_on_an_empty_disk_restores_and_reads_on(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop, url = Storefront(a_shop(3)), tmp_path / "snapshots"
    settings = {"SNAPSHOT__URL": url, "SNAPSHOT__INTERVAL_S": 1, "SNAPSHOT__KEEP": 2}
    library = Library(Storage(str(url)))
    with a_topology(kafka, topic_prefix, tmp_path, **settings) as topology:
        topics = topology.topics
        topics.send(shop.catalogue())
        worker = topology.worker().wait_ready()
        with Stream(topics, islice(shop.events(), 2_000), per_s=300.0) as stream:
            until(lambda: all(library.names(each) for each in places()), "a snapshot of every store")
            worker.kill()
            shutil.rmtree(tmp_path / "state")
            worker.start().wait_ready()
            assert worker.metric("freshrec_restore_bytes_total") > 0
            for stage in KEPT:
                assert f"restored {stage}/0; it reads on at offset" in worker.log
            stream.wait()
        topics.wait_caught_up()
        assert worker.metric("freshrec_gaps_total") == 0
        assert worker.metric("freshrec_snapshots_total", result="failed") == 0
        assert worker.terminate() == 0
        assert recount.learned(topics.settings) == recount.sent(stream.sent)
        Oracle(topics, tmp_path / "oracle").check()
        assert faults_of_lists(topics) == []


@pytest.mark.slow
def test_what_moved_is_copied_when_a_worker_stops_and_nothing_is_read_again(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop, url = Storefront(a_shop(4)), tmp_path / "snapshots"
    settings = {"SNAPSHOT__URL": url, "SNAPSHOT__INTERVAL_S": 3_600}
    library = Library(Storage(str(url)))
    with a_topology(kafka, topic_prefix, tmp_path, **settings) as topology:
        topics = topology.topics
        topics.send(shop.catalogue())
        topics.send(islice(shop.events(), 400))
        worker = topology.worker().wait_ready()
        topics.wait_caught_up()
        assert worker.terminate() == 0
        sources = {stage.name: stage.reads[0] for stage in STAGES if stage.keeps}
        ends = topics.ends(sorted(set(sources.values())))
        newest = {each: library.names(each)[0].offset for each in places()}
        assert newest == {each: ends[sources[each.stage], each.partition] for each in places()}
        shutil.rmtree(tmp_path / "state")
        topics.wind_back(STAGE_BY_NAME["rules"])
        worker.start().wait_ready()
        topics.wait_caught_up()
        assert worker.terminate() == 0
        assert {each: library.names(each)[0].offset for each in places()} == newest
        Oracle(topics, tmp_path / "oracle").check()


@pytest.mark.slow
def test_partitions_move_between_machines_that_share_no_disk(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop, url = Storefront(a_shop(8)), tmp_path / "snapshots"
    settings = {"SNAPSHOT__URL": url, "SNAPSHOT__INTERVAL_S": 1}
    elsewhere = environment(kafka, topic_prefix, tmp_path / "elsewhere", **{**EXACT, **settings})
    library = Library(Storage(str(url)))
    with a_topology(kafka, topic_prefix, tmp_path, **settings) as topology:
        topics = topology.topics
        topics.send(shop.catalogue())
        # The machine that goes; the one that stays has the state directory that the oracle looks at.
        going = WorkerProcess(elsewhere, tmp_path / "going.log")
        topology.workers.append(going.start().wait_ready())
        with Stream(topics, islice(shop.events(), 3_000), per_s=250.0) as stream:
            until(lambda: all(library.names(each) for each in places()), "a snapshot of every store")
            staying = topology.worker()
            until(lambda: len(topics.members(STAGE_BY_NAME["history"])) == 2, "partitions for both machines")
            staying.wait_ready()
            assert staying.metric("freshrec_restore_bytes_total", stage="history") > 0
            going.kill()
            stream.wait()
        until(lambda: all(f"restored {each}; " in staying.log for each in places()), "all stores restored")
        topics.wait_caught_up()
        staying.wait_ready()
        assert staying.metric("freshrec_gaps_total") == 0
        assert staying.terminate() == 0
        assert recount.learned(topics.settings) == recount.sent(stream.sent)
        Oracle(topics, tmp_path / "oracle").check()
        assert faults_of_lists(topics) == []
