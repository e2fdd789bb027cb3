"""An experiment from its settings to its figures, through the whole topology in one process."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

from online_models.experiments.assignment import Assignment
from online_models.experiments.report import report
from online_models.experiments.tallies import AMOUNTS, PRODUCTS, merged, product
from schemas.events import TOPIC_OF_TYPE
from schemas.experiments import ArmTally, Experiment, Variant
from schemas.messages import Event, EventBatch
from schemas.recommendations import Recommendation
from schemas.settings import Settings
from streams.formats import FileRecord
from streams.replay import Replay
from streams.stored_views import StoredViews
from tests.online_models.experiments.plain_attribution import amounts_of

AT = 1_700_000_000_000
ITEMS = [f"i-{n}" for n in range(20)]
LENGTH = Experiment(
    name="length",
    variants=(
        Variant(name="control", share=0.5),
        Variant(name="long", share=0.3, changes=(("recommend.k", 15),)),
        Variant(name="terse", share=0.2, changes=(("recommend.max_reasons", 1), ("recommend.k", 5))),
    ),
)
_decode = msgspec.msgpack.Decoder(EventBatch).decode


class Told(NamedTuple):
    """A replay that has ended: the lists it gave, the events it read, and its tallies."""

    lists: list[Recommendation]
    events: list[Event]
    arms: dict[str, ArmTally]
    metrics: str


class Shop:
    """A shop that shows the lists it is given: records that depend on what came out until then."""

    def __init__(self, customers: int, *, seed: int = 7) -> None:
        self.newest: dict[str, Recommendation] = {}
        self._customers, self._random, self._line, self._at = customers, np.random.default_rng(seed), 0, AT

    def records(self) -> Iterator[FileRecord]:
        for _ in range(6):
            for n in range(self._customers):
                yield from self._visit(f"c-{n}")
            self._at += int(self._random.choice((600_000, 4_000_000, 90_000_000)))

    def _visit(self, user: str) -> Iterator[FileRecord]:
        chance = self._random
        yield self._record("browse", user, item_id=_one(chance, ITEMS))
        given = self.newest.get(user)
        if given is None or not given.items:
            return
        shown = [place.item_id for place in given.items]
        name = given.recommendation_id
        if chance.random() < 0.8:
            seen = self._record("impression", user, recommendation_id=name, items=shown)
            yield seen
            if chance.random() < 0.2:
                yield seen
        if chance.random() < 0.5:
            named = name if chance.random() < 0.5 else None
            yield self._record(
                "browse", user, item_id=_one(chance, shown), recommendation_id=named, action="cart"
            )
        if chance.random() < 0.3:
            lines = [
                {
                    "item_id": _one(chance, ITEMS),
                    "quantity": 2,
                    "unit_price": int(chance.integers(1, 9_999)) / 100,
                }
            ]
            yield self._record("purchase", user, order_id=f"o-{self._line}", lines=lines)
        if chance.random() < 0.2:
            yield self._record(
                "rating", user, item_id=_one(chance, ITEMS), value=int(chance.integers(6)), scale_max=5
            )

    def _record(self, kind: str, user: str, **fields: Any) -> FileRecord:
        self._line += 1
        self._at += 1_000
        message = {"type": kind, "event_id": f"e-{self._line}", "user_id": user, "at": self._at, **fields}
        return FileRecord(TOPIC_OF_TYPE[kind], user, json.dumps(message).encode(), self._at, self._line)


def _one(chance: np.random.Generator, items: list[str]) -> str:
    return items[int(chance.integers(len(items)))]


def settings_in(folder: Path, *experiments: Experiment) -> Settings:
    sections = {
        "kafka": {"partitions": 2},
        "state": {"dir": str(folder)},
        "segments": {"clusters": 2},
        "attribution": {"lists": 20, "outcome_s": 200_000},
    }
    return msgspec.structs.replace(msgspec.convert(sections, Settings), experiments=experiments)


def replayed(settings: Settings, customers: int) -> Told:
    shop, lists = Shop(customers), list[Recommendation]()

    def take(raw: bytes) -> None:
        found = msgspec.json.decode(raw, type=Recommendation)
        lists.append(found)
        shop.newest[found.user_id or ""] = found

    run = Replay(settings, on_recommendation=take, measure=False)
    queues = [run.log.read("events", partition, 0) for partition in range(2)]
    try:
        run.feed(shop.records())
        run.finish()
    finally:
        run.close()
    batches = sorted((each for queue in queues for each in queue), key=lambda each: each.sent_at or 0)
    events = [event for each in batches for event in _decode(each.value or b"").events]
    views = StoredViews(settings)
    try:
        arms = merged(views.arm_tallies())
    finally:
        views.close()
    return Told(lists, events, arms, run.metrics.render().decode())


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return replayed(settings_in(tmp_path_factory.mktemp("state"), LENGTH), 60)


def once(events: list[Event]) -> Iterator[Event]:
    """Each event as often as it counts: the storefront sent some of them twice."""
    seen = set[str | None]()
    for event in events:
        if event.event_id not in seen:
            seen.add(event.event_id)
            yield event


def recounted(events: list[Event], settings: Settings) -> dict[str, list[list[int]]]:
    """Amounts of all customers of each arm, from the log alone."""
    by_customer: dict[str, list[Event]] = {}
    for event in once(events):
        by_customer.setdefault(event.key, []).append(event)
    found: dict[str, list[list[int]]] = {}
    for own in by_customer.values():
        amounts = amounts_of(own, settings)
        if amounts is not None:
            found.setdefault(own[0].arm or "", []).append(amounts)
    return found


def test_every_list_bears_the_variant_of_its_customer_and_is_made_as_that_says(told: Told) -> None:
    assignment, lengths = Assignment([LENGTH]), dict[str | None, set[int]]()
    for each in told.lists:
        assert each.variant == assignment.arm_of(f"u:{each.user_id}", each.latency.event_at)
        lengths.setdefault(each.variant, set()).add(len(each.items))
    assert {arm: max(found) for arm, found in lengths.items()} == {
        "length:control": 10,
        "length:long": 15,
        "length:terse": 5,
    }


def test_a_variant_changes_more_than_the_length(told: Told) -> None:
    reasons = dict[str | None, set[int]]()
    for each in told.lists:
        reasons.setdefault(each.variant, set()).update(len(item.reasons) for item in each.items)
    assert reasons["length:terse"] == {1}
    assert max(reasons["length:control"]) == 3


def test_tallies_equal_a_recount_of_the_log(told: Told, tmp_path: Path) -> None:
    expected = recounted(told.events, settings_in(tmp_path, LENGTH))
    assert set(told.arms) == set(expected) == {"length:control", "length:long", "length:terse"}
    for arm, rows in expected.items():
        tally = told.arms[arm]
        assert (tally.customers, tally.crossed) == (len(rows), 0)
        columns = list(zip(*rows, strict=True))
        assert dict(zip(AMOUNTS, tally.sums, strict=True)) == dict(
            zip(AMOUNTS, map(sum, columns), strict=True)
        )
        assert all(tally.sums)
        for i, j in PRODUCTS:
            assert product(tally, i, j) == sum(row[i] * row[j] for row in rows)


def test_the_same_records_give_the_same_tallies(told: Told, tmp_path: Path) -> None:
    again = replayed(settings_in(tmp_path, LENGTH), 60)
    assert again.arms == told.arms


def test_metrics_show_what_is_kept_under_the_names_of_the_settings_alone(told: Told) -> None:
    for variant in LENGTH.variants:
        customers = told.arms[f"length:{variant.name}"].customers
        line = f'freshrec_experiment_customers{{experiment="length",variant="{variant.name}"}} {customers}.0'
        assert line in told.metrics
    ratio = report(LENGTH, told.arms).sample_ratio
    assert f'sample_ratio_p_value{{experiment="length"}} {ratio.p_value}' in told.metrics


def test_without_an_experiment_no_list_has_a_variant_and_nothing_is_kept(tmp_path: Path) -> None:
    plain = replayed(settings_in(tmp_path), 6)
    assert plain.lists
    assert {each.variant for each in plain.lists} == {None}
    assert plain.arms == {}
