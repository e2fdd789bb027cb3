"""A learning setting that was changed: the worker refuses, and goes on with its counts once migrated."""

import json
from itertools import islice
from pathlib import Path

import pytest

from online_models.worlds import Storefront
from tests.integration import recount
from tests.integration.shops import a_shop, a_topology, kept_stores
from tests.integration.worker_process import until

pytestmark = pytest.mark.kafka


@pytest.mark.slow
def test_after_a_learning_setting_changed_the_counts_go_on_once_the_stores_are_migrated(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    world = Storefront(a_shop(51))
    events = list(islice(world.events(), 600))
    with a_topology(kafka, topic_prefix, tmp_path) as topology:
        topics = topology.topics
        worker = topology.worker().wait_ready()
        topics.send([*world.catalogue(), *events[:300]])
        topics.wait_caught_up()
        assert worker.terminate() == 0
        before = recount.learned(topics.settings)

        topology.variables["FRESHREC_RULES__MAX_ROW"] = "900"
        worker = topology.worker()
        until(lambda: "freshrec migrate" in worker.log, "a worker that refuses")
        assert "rules.max_row was 1000, now 900" in worker.log
        assert "freshrec reset rules" in worker.log
        beside = topology.command("migrate", "--yes")
        assert (beside.returncode, "stop every worker first" in beside.stderr) == (1, True)
        worker.terminate()

        done = topology.command("migrate", "--yes", "--json")
        assert done.returncode == 0, done.stderr
        assert {(each["stage"], each["partition"]) for each in json.loads(done.stdout)} == {
            ("rules", 0),
            ("rules", 1),
        }
        assert recount.learned(topics.settings) == before
        assert f"0 of {len(kept_stores(2))} stores were migrated" in topology.command("migrate").stdout

        worker = topology.worker().wait_ready()
        topics.send(events[300:])
        topics.wait_caught_up()
        assert worker.terminate() == 0
        assert recount.learned(topics.settings) == recount.sent(events)
        verified = topology.command("state", "verify", "--stage", "rules")
        assert verified.returncode == 1
        assert "was learned under other settings (freshrec migrate)" in verified.stdout
