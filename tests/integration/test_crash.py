"""Workers that are killed at random moments: what they learned is as if nothing had happened."""

import random
import time
from itertools import islice
from pathlib import Path

import pytest

from online_models.worlds import Storefront
from tests.integration import recount
from tests.integration.answers import faults_of_lists
from tests.integration.oracle import Oracle
from tests.integration.shop_topics import Stream
from tests.integration.shops import a_shop, a_topology
from tests.integration.worker_process import until

pytestmark = pytest.mark.kafka


def stream_and_kill(kafka: str, prefix: str, folder: Path, *, seed: int, kills: int, events: int) -> None:
    """Kill the worker again and again while events come in, then compare with a replay and a recount."""
    shop, moments = Storefront(a_shop(seed)), random.Random(seed)  # noqa: S311  # seeded, so that it repeats
    with a_topology(kafka, prefix, folder) as topology:
        topics = topology.topics
        topics.send(shop.catalogue())
        worker = topology.worker().wait_ready()
        with Stream(topics, islice(shop.events(), events), per_s=250.0) as stream:
            for kill in range(kills):
                # Every other time while it starts, else while it works.
                if kill % 2 == 0:
                    worker.wait_ready()
                time.sleep(moments.uniform(0.2, 2.0))
                worker.kill()
                worker.start()
            stream.wait()
        topics.wait_caught_up()
        assert worker.wait_ready().metric("freshrec_gaps_total") == 0
        assert worker.terminate() == 0
        assert recount.learned(topics.settings) == recount.sent(stream.sent)
        oracle = Oracle(topics, folder / "oracle")
        oracle.check()
        assert oracle.rows["history"] > 50 and oracle.rows["rules"] > 50
        assert faults_of_lists(topics) == []


def test_kills_at_random_moments_leave_the_state_of_the_recorded_input(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    stream_and_kill(kafka, topic_prefix, tmp_path, seed=5, kills=3, events=3_000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(11, 15))
def test_many_kills_leave_the_state_of_the_recorded_input(
    kafka: str, topic_prefix: str, tmp_path: Path, seed: int
) -> None:
    stream_and_kill(kafka, topic_prefix, tmp_path, seed=seed, kills=8, events=8_000)


def test_the_processes_of_a_worker_end_with_their_supervisor(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    with a_topology(kafka, topic_prefix, tmp_path) as topology:
        worker = topology.worker().wait_ready()
        children = worker.children()
        assert len(children) == 3
        worker.kill_supervisor()
        until(lambda: not any(map(_alive, children)), "children that end by themselves")


def _alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"
