"""`freshrec state verify` beside a running worker and on stores that were changed by hand."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

from online_models.worlds import Storefront
from schemas.settings import Settings
from schemas.state import RuleRow
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.stages.opening import database_path
from tests.integration.shop_topics import Stream
from tests.integration.shops import Shop, a_shop, a_topology, kept_stores

pytestmark = pytest.mark.kafka
SWITCHED_OFF = {"density"}
"""Stages that learn nothing unless they are asked to."""

STORES = len(kept_stores(2))
"""Two partitions of each stage but of clusters."""


def verified(shop: Shop, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and findings of the command."""
    done = shop.command("state", "verify", "--json", *options)
    assert done.stdout, done.stderr
    return done.returncode, msgspec.json.decode(done.stdout)


def count_one_more(settings: Settings) -> tuple[int, str]:
    """Change the count of one item by hand, as no event does; its partition and id."""
    for partition in range(settings.kafka.partitions):
        path = database_path(Path(settings.state.dir), "rules", partition)
        database = RocksDatabase(path, RocksBudget(2**22), cache_bytes=2**20)
        try:
            rows = database.table("r", RuleRow)
            for item in database.keys_after("r", "", 1):
                row = rows.get(item)
                assert row is not None
                row.counts[0] += 1
                rows.put(item, row)
                database.write(database.freeze(database.progress()))
                return partition, item
        finally:
            database.close()
    raise AssertionError("no item was learned")


@pytest.mark.slow
def test_stores_are_proven_under_load_and_at_rest_and_one_changed_count_is_found(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop = Storefront(a_shop(31))
    with a_topology(kafka, topic_prefix, tmp_path) as topology:
        topics = topology.topics
        topics.send(shop.catalogue())
        worker = topology.worker().wait_ready()
        with Stream(topics, islice(shop.events(), 1_500), per_s=300.0) as stream:
            code, beside = verified(topology)
            stream.wait()
        assert (code, len(beside)) == (0, STORES), beside
        topics.wait_caught_up()
        assert worker.terminate() == 0

        code, found = verified(topology)
        assert (code, len(found)) == (0, STORES), found
        assert [each for each in found if not each["upto"] or each["problem"]] == []
        assert {each["stage"] for each in found if not each["rows"]} <= SWITCHED_OFF
        shown = topology.command("state", "verify", "--stage", "rules", "--partition", "1")
        assert (shown.returncode, "1 of 1 stores are what" in shown.stdout) == (0, True), shown.stdout

        partition, item = count_one_more(topics.settings)
        code, found = verified(topology)
        (wrong,) = (each for each in found if each["differing"])
        assert (code, wrong["stage"], wrong["partition"]) == (1, "rules", partition)
        (row,) = wrong["differences"]
        assert item not in row["key"] and row["expected"] != row["found"]
        shown = topology.command("state", "verify", "--stage", "rules", "--show-keys")
        assert shown.returncode == 1
        assert f"rules/{partition}: r{item} should be {row['expected']}, is {row['found']}" in shown.stdout

        _other_settings(topology)
        _log_cut_off(topology)


def _other_settings(shop: Shop) -> None:
    """Under another setting a recount would differ everywhere: that is said instead."""
    shop.variables["FRESHREC_WEIGHTS__CART"] = "3"
    code, found = verified(shop, "--stage", "history", "--stage", "segments")
    del shop.variables["FRESHREC_WEIGHTS__CART"]
    assert code == 1
    problems = [each["problem"] for each in found]
    assert problems[2:] == [None, None]
    assert all("weights.cart was 2.0, now 3.0" in problem for problem in problems[:2]), problems


def _log_cut_off(shop: Shop) -> None:
    shop.topics.delete_before("item-deltas", 0, 3)
    code, found = verified(shop, "--stage", "popularity")
    assert code == 1
    assert "begins at offset 3 now and the store at 0: retention removed" in found[0]["problem"]
    assert found[1]["problem"] is None


def test_where_there_is_no_store_that_is_said(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    with a_topology(kafka, topic_prefix, tmp_path) as topology:
        done = topology.command("state", "verify", "--stage", "rules")
    assert done.returncode == 1
    assert "there is no store of rules in" in done.stderr


@pytest.mark.slow
def test_a_log_that_was_cut_off_is_counted_on_from_a_snapshot_that_a_running_worker_was_asked_for(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop = Storefront(a_shop(32))
    events = list(islice(shop.events(), 900))
    with a_topology(kafka, topic_prefix, tmp_path) as topology:
        topics = topology.topics
        topics.send([*shop.catalogue(), *events[:400]])
        worker = topology.worker().wait_ready()
        topics.wait_caught_up()
        taken = topology.command("snapshot", "create", "--json")
        assert taken.returncode == 0, taken.stderr
        offsets = {(x["stage"], x["partition"]): x["offset"] for x in msgspec.json.decode(taken.stdout)}
        assert len(offsets) == STORES
        assert worker.metric("freshrec_snapshots_total", result="done") == STORES

        topics.send(events[400:])
        topics.wait_caught_up()
        for partition in range(2):
            topics.delete_before("events", partition, offsets["history", partition])
            topics.delete_before("item-deltas", partition, offsets["rules", partition])
        code, found = verified(topology, "--stage", "history", "--stage", "rules")
        assert (code, len(found)) == (0, 4), json.dumps(
            [each for each in found if each["differing"] or each["problem"]]
        )
        assert {(each["stage"], each["partition"]): each["base"] for each in found} == {
            place: offset for place, offset in offsets.items() if place[0] in ("history", "rules")
        }
        assert all(each["upto"] > each["base"] and each["rows"] for each in found)

        code, found = verified(topology, "--stage", "rules", "--url", str(tmp_path / "nowhere"))
        assert code == 1
        assert all("retention removed what lies between" in each["problem"] for each in found)
        assert all("none that is whole at" in each["problem"] for each in found)
        assert worker.terminate() == 0
        partition, _ = count_one_more(topics.settings)
        code, found = verified(topology, "--stage", "rules")
        assert (code, [each["partition"] for each in found if each["differing"]]) == (1, [partition])
