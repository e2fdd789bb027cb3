"""A real Prometheus scrapes a real worker and server: every query is understood and gives data.

What is asked for but need not be there is named; a panel that would stay empty is found here.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from deploy.grafana.boards import BOARDS
from online_models.worlds import Storefront
from streams.client import Client
from tests.deploy.rules import ALERTS, PROMETHEUS, RULES
from tests.deploy.test_containers import DOCKERFILE
from tests.integration.shops import Shop, a_shop, a_topology
from tests.integration.worker_process import WorkerProcess, until
from tests.tools.prometheus import Prometheus, running

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

TOKEN = "scraped-by-a-test-" + "0" * 16
NEED_NOT_BE = {
    "freshrec_restore_bytes_total": "nothing was restored",
    "freshrec_retention_used_ratio": "looked at once a minute",
    "freshrec_child_restarts_total": "no process ended",
    "freshrec_drift_total": "nothing drifted",
}
"""Series that a healthy worker of a few seconds' age has not."""

EXPERIMENT = {
    "EXPERIMENTS__LENGTH__VARIANTS__CONTROL__SHARE": 0.5,
    "EXPERIMENTS__LENGTH__VARIANTS__LONG__SHARE": 0.5,
    "EXPERIMENTS__LENGTH__VARIANTS__LONG__RECOMMEND__K": 15,
}

VARIABLES = {"$__rate_interval": "20s", "$instance": ".*"}


class Watched(NamedTuple):
    """A worker that has learned from a shop, and who scrapes it."""

    shop: Shop
    worker: WorkerProcess
    prometheus: Prometheus
    address: str


@pytest.fixture(scope="module")
def watched(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    settings = {"METRICS__TOKEN": TOKEN, "SNAPSHOT__URL": folder / "snapshots", "SNAPSHOT__INTERVAL_S": 2}
    with a_topology(
        kafka, "watched-", folder, **settings, **EXPERIMENT, SEGMENTS__WARMUP_SAMPLES=50
    ) as topology:
        worker, server = topology.worker(), topology.server()
        worker.wait_ready()
        (address,) = re.findall(r"metrics and health on http://(\S+)", worker.log)
        (folder / "prometheus").mkdir()
        with running(
            folder / "prometheus",
            worker=address,
            server=urlsplit(server.wait_ready().url).netloc,
            token=TOKEN,
            rules=PROMETHEUS / "rules",
        ) as prometheus:
            until(lambda: bool(prometheus.query("freshrec_build_info")), "a scrape")
            world = Storefront(a_shop(3, bad_share=0.02))
            topology.topics.send(world.catalogue())
            events = world.events()
            for _ in range(6):
                topology.topics.send(islice(events, 300))
                topology.topics.wait_caught_up()
                with Client(server.url) as client:
                    client.recommendations("somebody")
            until(
                lambda: bool(
                    prometheus.query("freshrec:lists:rate5m > 0 and freshrec:unavailable:ratio_avg3d")
                ),
                "recorded series",
            )
            yield Watched(topology, worker, prometheus, address)


def asked_here(expression: str) -> str:
    """A panel's query with its variables filled in."""
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    return expression


def test_every_panel_is_understood_and_shows_something(watched: Watched) -> None:
    queries = [query.expression for board in BOARDS for panel in board.panels for query in panel.queries]
    found = {each: watched.prometheus.query(asked_here(each)) for each in queries}
    empty = [each for each, series in found.items() if not series]
    assert len(queries) > 40
    lacking = [each for each in empty if not any(name in each for name in NEED_NOT_BE)]
    assert not lacking, "\n".join(lacking)


def test_every_rule_is_evaluated_without_a_fault(watched: Watched) -> None:
    rules = {rule["name"]: rule for rule in watched.prometheus.rules()}
    assert set(rules) == {rule.name for rule in RULES}
    assert {name: rule.get("lastError") for name, rule in rules.items() if rule["health"] != "ok"} == {}


def test_every_series_that_is_recorded_has_data(watched: Watched) -> None:
    recorded = [rule.name for rule in RULES if not rule.alert]
    assert [name for name in recorded if not watched.prometheus.query(name)] == []


def test_series_that_alerts_compare_are_there_while_all_is_well(watched: Watched) -> None:
    compared = {
        alert.name: re.split(r" (?:[<>]=?|==) ", alert.expression)[0].strip(" (\n") for alert in ALERTS
    }
    lacking = [
        name
        for name, expression in compared.items()
        if not expression.startswith("absent")
        and not any(each in expression for each in NEED_NOT_BE)
        and not watched.prometheus.query(expression)
    ]
    assert lacking == ["FreshrecSnapshotFailing"]


def test_while_all_is_well_no_process_is_said_to_be_down(watched: Watched) -> None:
    assert (
        watched.prometheus.alerting() & {"FreshrecAbsent", "FreshrecDown", "FreshrecStageGroupDown"} == set()
    )


def test_what_the_image_asks_for_its_health_is_answered(watched: Watched) -> None:
    (command,) = re.findall(r'CMD \["python", "-c", "(.+)"\]', DOCKERFILE)
    here = command.replace("127.0.0.1:9108", watched.address)
    done = subprocess.run([sys.executable, "-c", here], check=False)  # noqa: S603  # of our own Dockerfile
    assert done.returncode == 0


def test_real_faults_raise_their_alerts_and_their_end_ends_them(watched: Watched) -> None:
    prometheus, worker = watched.prometheus, watched.worker
    stopped = worker.children()[-1]
    os.kill(stopped, signal.SIGSTOP)
    try:
        until(lambda: "FreshrecStageGroupDown" in prometheus.alerting(), "an alert of the group")
    finally:
        os.kill(stopped, signal.SIGCONT)
    until(lambda: "FreshrecStageGroupDown" not in prometheus.alerting(), "an alert that is gone")
    for number in range(400):
        watched.shop.topics.send_raw("browses", b"u1", b"no message %d" % number)
    until(lambda: "FreshrecRejected" in prometheus.alerting(), "an alert of what is refused")
    worker.kill()
    until(lambda: "FreshrecDown" in prometheus.alerting(), "an alert of the worker")
    until(lambda: "FreshrecAbsent" in prometheus.alerting(), "an alert of all workers")
