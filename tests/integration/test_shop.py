"""The main job: events of a shop in, lists with reasons, rules, segments and rejections out."""

from itertools import chain, islice
from pathlib import Path

import msgspec
import pytest

from online_models.worlds import Storefront
from online_models.worlds.bad_records import bad_record
from schemas.recommendations import AssociationRules, Rejection, Segment, SegmentProfile
from streams.topology import STAGES
from tests.integration import recount
from tests.integration.answers import every_list, faults_of_lists
from tests.integration.shops import a_shop, a_topology

pytestmark = pytest.mark.kafka

ACTIONS = ("browses", "purchases", "ratings")


def test_a_shop_s_events_become_lists_rules_and_segments_and_a_stop_leaves_no_lag(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop = Storefront(a_shop(8, consent_share=0.9, bad_share=0.01))
    with a_topology(kafka, topic_prefix, tmp_path, SEGMENTS__WARMUP_SAMPLES=50) as topology:
        topics = topology.topics
        worker = topology.worker().wait_ready()
        sent = list(chain(shop.catalogue(), islice(shop.events(), 3_000)))
        for part in (sent[:-500], sent[-500:]):
            # What was learned of the first is published before the last lists are made.
            topics.send(part)
            topics.wait_caught_up()
        accepted = worker.metric("freshrec_events_total", result="accepted")
        refused = worker.metric("freshrec_rejected_total")
        assert (accepted + refused, refused > 5) == (len(sent), True)
        assert worker.terminate() == 0
        assert topics.lag(STAGES) == {}

        assert faults_of_lists(topics) == []
        private = {
            x["user_id"]
            for x in (msgspec.json.decode(each.value) for each in sent if each.topic == "customers")
            if x.get("consent", {}).get("profiling") is False
        }
        users = {each.user_id for each in every_list(topics)} - {None}
        assert len(users) > 30 and private and not users & private
        sources = {r["source"] for each in every_list(topics) for item in each.items for r in item.reasons}
        assert {"similarity", "rules", "popularity"} <= sources

        rules = [
            msgspec.json.decode(x, type=AssociationRules)
            for x in topics.newest("association-rules").values()
            if x
        ]
        assert any(rule.lift > 2 for each in rules for rule in each.rules)
        segments = [msgspec.json.decode(x, type=Segment) for x in topics.newest("segments").values() if x]
        profiles = [
            msgspec.json.decode(x, type=SegmentProfile)
            for x in topics.newest("segment-profiles").values()
            if x
        ]
        assert {each.segment for each in segments} <= {each.segment for each in profiles}
        assert sum(each.size for each in profiles) >= len(segments) > 30


def test_poison_among_good_events_is_refused_with_its_place_and_everything_else_is_learned(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop = Storefront(a_shop(7))
    with a_topology(kafka, topic_prefix, tmp_path) as topology:
        topics = topology.topics
        worker = topology.worker().wait_ready()
        good = list(islice(shop.events(), 1_000))
        poison = [bad_record(number, "anna", good[0].at) for number in range(200)]
        poison += [
            ("browses", b"x" * 2_000_000),
            ("ratings", b""),
            ("purchases", b"\xff\xfe{}"),
            ("browses", b"null"),
        ]
        topics.send(shop.catalogue())
        for number, each in enumerate(good):
            topics.send_raw(each.topic, each.key.encode(), each.value)
            if number < len(poison):
                topics.send_raw(poison[number][0], b"anna", poison[number][1])
        # Then ten thousand in a row, and one that is good.
        for number in range(10_000):
            topics.send_raw(*_keyed(bad_record(number, "anna", good[0].at)))
        last = {
            "type": "browse",
            "event_id": "last",
            "user_id": "anna",
            "item_id": "i00001",
            "at": good[-1].at,
        }
        topics.send_raw("browses", b"anna", msgspec.json.encode(last))
        topics.flush()
        topics.wait_caught_up()
        assert worker.metric("freshrec_rejected_total") == len(poison) + 10_000
        assert worker.metric("freshrec_child_restarts_total") == 0
        assert worker.terminate() == 0

        refused = [msgspec.json.decode(each.value or b"", type=Rejection) for each in topics.read("rejected")]
        assert len({(each.topic, each.partition, each.offset) for each in refused}) == len(poison) + 10_000
        reasons = {
            "invalid_json",
            "unknown_type",
            "missing_field",
            "bad_value",
            "wrong_topic",
            "too_large",
            "empty_value",
        }
        assert {each.reason for each in refused} == reasons
        expected = recount.sent(good)
        expected.events["anna"] += 1
        learned = recount.learned(topics.settings)
        assert (learned.events, learned.together) == (expected.events, expected.together)
        assert any("last" in each.caused_by for each in every_list(topics))


def _keyed(record: tuple[str, bytes]) -> tuple[str, bytes, bytes]:
    return record[0], b"anna", record[1]
