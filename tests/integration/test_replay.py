"""A file replayed without a broker, and the same events through Kafka, give the same lists."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from online_models.worlds import Emitted, Storefront
from schemas.recommendations import Recommendation, RecommendedItem
from schemas.settings import Settings
from streams.formats import FileRecord
from streams.replay import Replay
from streams.topology import TOPICS
from tests.integration.answers import every_list
from tests.integration.shop_topics import ShopTopics
from tests.integration.shops import a_shop, a_topology
from tests.integration.worker_process import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

BEFORE, ONE_BY_ONE = 400, 30
COMPARED = 24
"""Lists: some of the last events are repeated ones, which nobody answers."""

QUIET_POLLS = 20
AT_ONCE = {
    "KAFKA__PARTITIONS": 1,
    # It learns from lists as they were, and these depend on what had been published by then.
    "RANKER__ENABLED": "false",
    "STATE__CALM_MS": 100,
    "RECOMMEND__REFRESH_INTERVAL_MS": 0,
    "RULES__REPUBLISH_INTERVAL_MS": 0,
    "RULES__REPUBLISH_GROWTH": 0,
    "RULES__PUBLISH_MAX_SHARE": 1,
    "POPULARITY__PUBLISH_INTERVAL_MS": 0,
    "SEGMENTS__PUBLISH_INTERVAL_MS": 0,
    "SEGMENTS__WARMUP_SAMPLES": 40,
}

Shown = tuple[list[str], str | None, list[RecommendedItem]]


def test_replay_and_kafka_give_the_same_lists_once_stages_and_views_have_caught_up(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop = Storefront(
        a_shop(12, late_share=0.0, customers=25, items=30, pairs=5, pause_s=6.0, events_per_s=2.0)
    )
    catalogue, events = list(shop.catalogue()), list(islice(shop.events(), BEFORE + ONE_BY_ONE))
    with a_topology(kafka, topic_prefix, tmp_path, **AT_ONCE) as topology:
        topics = topology.topics
        worker = topology.worker().wait_ready()
        topics.send(catalogue)
        settle(topics)
        start = topics.ends(["events"])["events", 0]
        for number, event in enumerate(events, start=1):
            topics.send([event])
            if number < BEFORE:
                appended(topics, start + number)
            else:
                settle(topics)
        assert worker.terminate() == 0
        on_kafka = [shown(each) for each in every_list(topics)][-COMPARED:]
        settings = msgspec.structs.replace(
            topics.settings,
            state=msgspec.structs.replace(topics.settings.state, dir=str(tmp_path / "replay")),
        )
        in_process = replayed(settings, [*catalogue, *events])[-COMPARED:]
    assert len({source for each in in_process for source in sources(each)}) >= 4
    assert on_kafka == in_process


def appended(topics: ShopTopics, end: int) -> None:
    """Wait until ingest has put an event behind those before it, which came in by other topics."""
    until(lambda: topics.ends(["events"])["events", 0] >= end, "the event among those that history reads")


def settle(topics: ShopTopics) -> None:
    """Wait until nothing is written to any topic any more: sweeps look for what is stale when all is calm."""
    names = [topic.name for topic in TOPICS]
    seen: list[dict[tuple[str, int], int]] = []

    def quiet() -> bool:
        seen.append(topics.ends(names))
        return len(seen) > QUIET_POLLS and all(each == seen[-1] for each in seen[-QUIET_POLLS:])

    until(quiet, "topics that nobody writes to")


def replayed(settings: Settings, messages: Iterable[Emitted]) -> list[Shown]:
    lists: list[Shown] = []
    decode = msgspec.json.Decoder(Recommendation).decode
    run = Replay(settings, on_recommendation=lambda value: lists.append(shown(decode(value))))
    try:
        run.feed(
            FileRecord(each.topic, each.key, each.value, each.at, line)
            for line, each in enumerate(messages, start=1)
        )
        return list(lists)
    finally:
        run.close()


def shown(message: Recommendation) -> Shown:
    """What a customer sees, and why; not when, nor the place of the record that caused it."""
    return message.caused_by, message.segment, message.items


def sources(each: Shown) -> set[object]:
    return {reason["source"] for item in each[2] for reason in item.reasons}
