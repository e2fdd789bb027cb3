"""Stages that begin anew: what they count afterwards is what their recorded input makes of it, once."""

import json
from itertools import islice
from pathlib import Path

import pytest

from online_models.worlds import Emitted, Storefront
from streams.state.reset import REPLACED
from tests.integration import recount
from tests.integration.oracle import Oracle
from tests.integration.shops import Shop, a_shop, a_topology
from tests.integration.worker_process import WorkerProcess

pytestmark = pytest.mark.kafka


def learn(shop: Shop, events: list[Emitted], worker: WorkerProcess) -> None:
    """Send events, wait until every stage has them, and stop."""
    worker.wait_ready()
    shop.topics.send(events)
    shop.topics.wait_caught_up()
    assert worker.metric("freshrec_gaps_total") == 0
    assert worker.terminate() == 0


def prove(shop: Shop, sent: list[Emitted], folder: Path, name: str) -> None:
    """Compare with a replay of the recorded inputs and, for what is not cut off, with a plain recount."""
    Oracle(shop.topics, folder / name).check()
    assert recount.learned(shop.topics.settings) == recount.sent(sent)
    verified = shop.command("state", "verify")
    assert verified.returncode == 0, verified.stdout


def began(shop: Shop, *arguments: str) -> dict[str, set[tuple[int, int]]]:
    """Reset; epochs and first offsets of the stages that began anew."""
    done = shop.command("reset", *arguments, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, set[tuple[int, int]]] = {}
    for each in json.loads(done.stdout):
        found.setdefault(each["stage"], set()).add((each["epoch"], each["begins_at"]))
    return found


def epochs_of_rows(shop: Shop, topic: str) -> set[int]:
    """Epochs of the newest row of each key."""
    newest = {each.key: each.version for each in shop.topics.read(topic)}
    return {int(version.split(b":")[0]) for version in newest.values() if version is not None}


@pytest.mark.slow
def test_a_stage_alone_reads_its_input_again_and_a_stage_above_takes_all_below_along(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    world = Storefront(a_shop(41))
    events = list(islice(world.events(), 1_600))
    parts = [events[n : n + 400] for n in range(0, 1_600, 400)]
    with a_topology(kafka, topic_prefix, tmp_path) as topology:
        worker = topology.worker()
        learn(topology, [*world.catalogue(), *parts[0]], worker)

        assert began(topology, "rules") == {"rules": {(1, 0)}}
        learn(topology, parts[1], worker.start())
        prove(topology, [*parts[0], *parts[1]], tmp_path, "rules")

        stages = began(topology, "history")
        assert {stage: {epoch for epoch, _ in each} for stage, each in stages.items()} == {
            "history": {2},
            "rules": {2},
            "popularity": {2},
            "segments": {2},
            "clusters": {2},
            "ranker": {2},
            "outcomes": {2},
            "trees": {2},
            "profiles": {2},
            "needs": {2},
            "density": {2},
        }
        assert {at for _, at in stages["history"]} == {0}
        assert all(at > 0 for stage in ("rules", "popularity", "segments") for _, at in stages[stage])
        learn(topology, parts[2], worker.start())
        prove(topology, [*parts[0], *parts[1], *parts[2]], tmp_path, "history")

        # Its input holds what two epochs of history sent: only the second counts.
        assert began(topology, "rules", "--delete") == {"rules": {(3, 0)}}
        learn(topology, parts[3], worker.start())
        prove(topology, events, tmp_path, "rules-again")

        aside = [path.name for path in (tmp_path / "state" / REPLACED).glob("*")]
        assert [name.partition("-")[2] for name in sorted(aside)] == ["before-epoch-1", "before-epoch-2"]
        assert epochs_of_rows(topology, "neighbours") == {3}
        assert epochs_of_rows(topology, "popular") == {2}


@pytest.mark.slow
def test_from_the_latest_record_on_only_what_comes_counts(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    world = Storefront(a_shop(42))
    events = list(islice(world.events(), 800))
    with a_topology(kafka, topic_prefix, tmp_path) as topology:
        worker = topology.worker()
        learn(topology, [*world.catalogue(), *events[:400]], worker)
        ends = topology.topics.ends(["events"])
        stages = began(topology, "history", "--from-latest", "--epoch", "7")
        assert stages["history"] == {(7, at) for at in ends.values()}
        learn(topology, events[400:], worker.start())
        oracle = Oracle(topology.topics, tmp_path / "oracle")
        oracle.check()
        assert oracle.rows["history"] > 10 and oracle.rows["rules"] > 10
        assert recount.learned(topology.topics.settings).orders < recount.sent(events).orders


@pytest.mark.slow
def test_an_input_that_retention_cut_off_is_begun_anew_with_what_is_there(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    world = Storefront(a_shop(43))
    events = list(islice(world.events(), 900))
    with a_topology(kafka, topic_prefix, tmp_path) as topology:
        worker = topology.worker()
        learn(topology, [*world.catalogue(), *events[:300]], worker)
        worker.start()
        learn(topology, events[300:600], worker)
        ends = topology.topics.ends(["item-deltas"])
        for (topic, partition), end in ends.items():
            topology.topics.delete_before(topic, partition, end // 2)
        assert began(topology, "rules")["rules"] == {(1, end // 2) for end in ends.values()}
        learn(topology, events[600:], worker.start())
        verified = topology.command("state", "verify", "--stage", "rules")
        assert verified.returncode == 0, verified.stdout


@pytest.mark.slow
def test_while_a_worker_runs_nothing_begins_anew(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    with a_topology(kafka, topic_prefix, tmp_path) as topology:
        worker = topology.worker().wait_ready()
        done = topology.command("reset", "rules", "--yes")
        assert done.returncode == 1
        assert "a worker uses the stores in" in done.stderr and "stop every worker first" in done.stderr
        elsewhere = topology.variables | {"FRESHREC_STATE__DIR": str(tmp_path / "elsewhere")}
        topology.variables = elsewhere
        done = topology.command("reset", "rules", "--yes")
        assert done.returncode == 1
        assert f"a worker is in the consumer group {topic_prefix}freshrec-" in done.stderr
        assert worker.terminate() == 0
