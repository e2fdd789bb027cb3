"""What becomes of ids of people on a real Kafka: pseudonyms, nothing in logs, and consent that is kept."""

import os
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

from online_models.worlds import Emitted, Storefront
from online_models.worlds.bad_records import bad_record
from schemas.state import HistoryRow, SegmentRow
from streams.cli import run
from streams.pseudonyms import Pseudonyms
from streams.secrets import Hidden
from streams.topology import TOPICS
from tests.integration.oracle import read_rows
from tests.integration.shop_topics import ShopTopics
from tests.integration.shops import a_shop, a_topology
from tests.integration.worker_process import until
from tests.traces import files_with

pytestmark = pytest.mark.kafka

MARK = "conspicuous-4711"
"""Part of every id of a person, session and order."""

WORD = os.urandom(16).hex()
_OF_PEOPLE = ("user_id", "session_id", "order_id", "target_id")


def conspicuous(records: Iterable[Emitted]) -> Iterator[Emitted]:
    """The same records of people whose ids nobody overlooks."""
    for record in records:
        message: dict[str, Any] = msgspec.json.decode(record.value)
        message |= {name: f"{message[name]}-{MARK}" for name in _OF_PEOPLE if message.get(name)}
        key = record.key if record.topic == "items" else f"{record.key}-{MARK}"
        yield Emitted(record.topic, key, msgspec.json.encode(message), record.at)


def traces(topics: ShopTopics, *, headers_only: bool) -> dict[str, int]:
    """How many records behind the entries hold a conspicuous id, by topic."""
    found: dict[str, int] = {}
    for topic in TOPICS:
        for record in topics.read(topic.name):
            text = b"".join(name.encode() + value for name, value in record.headers)
            if not headers_only and topic.kind != "entry":
                text += (record.key or b"") + (record.value or b"")
            if MARK.encode() in text:
                found[topic.name] = found.get(topic.name, 0) + 1
    return found


@pytest.mark.parametrize(
    "word", [pytest.param("", id="plain", marks=pytest.mark.slow), pytest.param(WORD, id="pseudonyms")]
)
def test_ids_of_people_are_in_no_log_no_metric_and_no_header_and_under_a_key_nowhere_behind_ingest(
    kafka: str,
    topic_prefix: str,
    tmp_path: Path,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    shop = Storefront(a_shop(21, consent_share=0.9))
    records = list(conspicuous(chain(shop.catalogue(), islice(shop.events(), 1_200))))
    chosen: dict[str, object] = {"LOG__LEVEL": "debug", "SEGMENTS__WARMUP_SAMPLES": 30}
    if word:
        (tmp_path / "key").write_text(word)
        chosen["PRIVACY__PSEUDONYM_KEY_FILE"] = tmp_path / "key"
    with a_topology(kafka, topic_prefix, tmp_path, **chosen) as topology:
        topics = topology.topics
        worker = topology.worker().wait_ready()
        topics.send(records)
        for number in range(100):
            topic, value = bad_record(number, f"anna-{MARK}", 0)
            topics.send_raw(topic, f"anna-{MARK}".encode(), value)
        topics.send_raw("browses", None, f"{MARK} is no JSON".encode())
        topics.flush()
        topics.wait_caught_up()
        measured = worker.metrics()
        assert "freshrec_rejected_total" in measured and MARK not in measured
        assert worker.terminate() == 0
        assert "metrics and health on" in worker.log and MARK not in worker.log
        assert traces(topics, headers_only=not word) == {}
        lists = topics.newest("recommendations")

        if not word:
            assert any(MARK in name for name in lists)
            return
        state = tmp_path / "state"
        assert files_with(state, MARK) == []
        for stage in ("history", "segments"):
            rows = [row for part in (0, 1) for row in read_rows(topics.settings, stage, part).items()]
            assert len(rows) > 30
            assert not [key for key, value in rows if MARK.encode() in key + value]
    people = {message.get("user_id") for message in (msgspec.json.decode(each.value) for each in records)}
    known = {Pseudonyms(Hidden(word)).user(name): name for name in people if name}
    name = next(known[each] for each, value in lists.items() if value and each in known)
    monkeypatch.setenv("FRESHREC_PRIVACY__PSEUDONYM_KEY", word)
    monkeypatch.setenv("FRESHREC_KAFKA__PARTITIONS", "2")
    assert run(["recommend", name, "--state", str(state), "--json"]) == 0
    assert MARK not in capfd.readouterr().out


def test_ids_of_people_are_in_nothing_that_a_replay_says_or_measures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    shop = Storefront(a_shop(22))
    records = conspicuous(chain(shop.catalogue(), islice(shop.events(), 500)))
    file = tmp_path / "shop.jsonl"
    file.write_bytes(b"".join(each.value + b"\n" for each in records))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FRESHREC_LOG__LEVEL", "debug")
    assert run(["replay", str(file), "--format", "jsonl", "--state", "state", "--out", "lists.jsonl"]) == 0
    said = capfd.readouterr()
    assert "recommendations" in said.out
    assert MARK not in said.out + said.err


@pytest.mark.slow
def test_who_takes_consent_back_leaves_no_history_no_segment_and_no_list(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop = Storefront(a_shop(23))
    with a_topology(kafka, topic_prefix, tmp_path, SEGMENTS__WARMUP_SAMPLES=20) as topology:
        topics = topology.topics
        worker = topology.worker().wait_ready()
        events = list(islice(shop.events(), 1_500))
        name = _known(topics, chain(shop.catalogue(), events), segments=20)[0]

        at = max(each.at for each in events) + 1
        refusal = {"type": "customer", "user_id": name, "consent": {"profiling": False}, "at": at}
        topics.send_raw("customers", name.encode(), msgspec.json.encode(refusal))
        until(lambda: topics.newest("recommendations")[name] is None, "the list taken back")
        for number in range(20):
            browse = {"type": "browse", "event_id": f"after-{number}", "user_id": name, "item_id": "i00001"}
            topics.send_raw("browses", name.encode(), msgspec.json.encode(browse | {"at": at + number + 1}))
        topics.flush()
        topics.wait_caught_up()
        assert worker.terminate() == 0

        assert topics.newest("recommendations")[name] is None
        assert topics.newest("segments")[name] is None
        histories = _rows(topics, "history", f"hu:{name}", HistoryRow)
        assert [(row.items, row.sessions, row.newest, row.behaviour.events) for row in histories] == [
            ({}, [], None, 0)
        ]
        assert _rows(topics, "segments", f"su:{name}", SegmentRow) == []


@pytest.mark.slow
def test_who_is_forgotten_leaves_no_history_no_segment_and_no_list_and_may_begin_anew(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop = Storefront(a_shop(24))
    with a_topology(kafka, topic_prefix, tmp_path, SEGMENTS__WARMUP_SAMPLES=20) as topology:
        topics = topology.topics
        worker = topology.worker().wait_ready()
        records = chain(shop.catalogue(), islice(shop.events(), 1_000))
        name, other = _known(topics, records, segments=10)[:2]

        done = topology.command("forget", name, other, "--json")
        assert done.returncode == 0, done.stderr
        said = msgspec.json.decode(done.stdout)
        assert (said["messages"], said["topics"]) == (2, {"erasures": 2})
        assert name not in done.stdout + done.stderr
        until(lambda: topics.newest("recommendations")[name] is None, "the list taken back")
        browse = {"type": "browse", "user_id": name, "item_id": "i00001"}
        for number, at in enumerate((said["at"] - 1, said["at"] + 1)):
            event = browse | {"event_id": f"after-{number}", "at": at}
            topics.send_raw("browses", name.encode(), msgspec.json.encode(event))
        topics.flush()
        topics.wait_caught_up()
        assert worker.terminate() == 0

        assert topics.newest("segments")[other] is None
        assert topics.newest("recommendations")[other] is None
        (forgotten,) = _rows(topics, "history", f"hu:{other}", HistoryRow)
        assert forgotten == HistoryRow(erased_until=said["at"])
        (anew,) = _rows(topics, "history", f"hu:{name}", HistoryRow)
        assert (anew.behaviour.events, list(anew.items)) == (1, ["i00001"])


def _known(topics: ShopTopics, records: Iterable[Emitted], *, segments: int) -> list[str]:
    """Send records, and return who then has a segment and a list, once more than so many have a segment."""
    topics.send(records)
    topics.wait_caught_up()
    until(lambda: len(topics.newest("segments")) > segments, "segments of customers")
    found, lists = topics.newest("segments"), topics.newest("recommendations")
    return [each for each, value in found.items() if value and lists.get(each)]


def _rows(topics: ShopTopics, stage: str, key: str, row_type: Any) -> list[Any]:
    """The row of somebody in any partition."""
    partitions = range(topics.settings.kafka.partitions)
    stores = [read_rows(topics.settings, stage, partition) for partition in partitions]
    decode = msgspec.msgpack.Decoder(row_type).decode
    return [decode(store[key.encode()]) for store in stores if key.encode() in store]
