"""An experiment on a real Kafka: exact after a kill -9 and events sent twice, and told over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from online_models.experiments.assignment import Assignment
from online_models.worlds.records import Emitted
from schemas.events import TOPIC_OF_TYPE
from schemas.experiments import ArmReport
from schemas.recommendations import Recommendation
from streams.client import Client
from tests.integration.answers import every_list
from tests.integration.shops import a_topology
from tests.integration.worker_process import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

AT = 1_700_000_000_000
CUSTOMERS = 40
LENGTH = {
    "EXPERIMENTS__LENGTH__VARIANTS__CONTROL__SHARE": 0.5,
    "EXPERIMENTS__LENGTH__VARIANTS__LONG__SHARE": 0.5,
    "EXPERIMENTS__LENGTH__VARIANTS__LONG__RECOMMEND__K": 15,
}


def a_visit(n: int) -> Iterator[Emitted]:
    """Everybody is shown a list; every second one clicks it, every fourth one buys, for their number."""
    user, shown = f"c-{n}", {"recommendation_id": f"r-{n}"}
    yield _record("browse", user, n, event_id=f"b-{n}", item_id=f"j-{n % 20}")
    yield _record("impression", user, n, event_id=f"v-{n}", items=["i-1", "i-2"], **shown)
    if n % 2 == 0:
        yield _record("browse", user, n, event_id=f"c-{n}", item_id="i-1", action="cart", **shown)
    if n % 4 == 0:
        lines = [{"item_id": "i-1", "quantity": 1, "unit_price": n}]
        yield _record("purchase", user, n, order_id=f"o-{n}", lines=lines, **shown)


def _record(kind: str, user: str, n: int, **fields: Any) -> Emitted:
    message = {"type": kind, "user_id": user, "at": AT + n * 1_000, **fields}
    return Emitted(TOPIC_OF_TYPE[kind], user, json.dumps(message).encode(), AT + n * 1_000)


def visits(numbers: range) -> Iterator[Emitted]:
    for n in numbers:
        yield from a_visit(n)


def figures(arm: ArmReport) -> tuple[int, int, int, int, int, float]:
    return arm.customers, arm.lists, arm.clicked_lists, arm.buyers, arm.orders, arm.revenue


def test_tallies_are_exact_after_a_kill_and_repeated_events(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    with a_topology(kafka, topic_prefix, tmp_path, **LENGTH) as topology:
        experiments = topology.topics.settings.experiments
        arm_of = {n: Assignment(experiments).arm_of(f"u:c-{n}", AT) for n in range(CUSTOMERS)}
        expected = {}
        for variant in ("control", "long"):
            own = [n for n in range(CUSTOMERS) if arm_of[n] == f"length:{variant}"]
            bought = [n for n in own if n % 4 == 0]
            clicked = sum(n % 2 == 0 for n in own)
            expected[variant] = (len(own), len(own), clicked, len(bought), len(bought), float(sum(bought)))

        worker = topology.worker().wait_ready()
        topology.topics.send(visits(range(CUSTOMERS // 2)))
        until(lambda: worker.metric("freshrec_events_total", type="impression") >= 5, "some impressions")
        worker.kill()
        topology.topics.send(visits(range(CUSTOMERS)))
        topology.worker().wait_ready()
        server = topology.server().wait_ready()
        topology.topics.wait_caught_up()
        with Client(server.url) as client:

            def told() -> dict[str, tuple[int, int, int, int, int, float]]:
                (found,) = client.experiments()
                return {arm.variant: figures(arm) for arm in found.arms}

            until(lambda: told() == expected, "tallies that are exact")
        again = [_record("browse", f"c-{n}", n, event_id=f"z-{n}", item_id="i-2") for n in range(CUSTOMERS)]
        topology.topics.send(again)
        as_set = {"length:control": 10, "length:long": 15}
        until(lambda: _lengths(every_list(topology.topics)) == as_set, "lists as long as their variant says")
        variants = {(each.user_id, each.variant) for each in every_list(topology.topics)}
        assert variants == {(f"c-{n}", arm) for n, arm in arm_of.items()}


def _lengths(lists: list[Recommendation]) -> dict[str | None, int]:
    """The longest list of each variant."""
    found: dict[str | None, int] = {}
    for each in lists:
        found[each.variant] = max(found.get(each.variant, 0), len(each.items))
    return found
