"""What downstream services find in `recommendations`, held against what was sent and what is stored."""

from collections.abc import Iterator

import msgspec

from schemas.events import TOPIC_OF_TYPE
from schemas.recommendations import Recommendation
from schemas.state import HistoryRow
from tests.integration.oracle import read_rows
from tests.integration.shop_topics import ShopTopics


def every_list(topics: ShopTopics) -> list[Recommendation]:
    """All lists that were ever sent, tombstones left out."""
    decode = msgspec.json.Decoder(Recommendation).decode
    return [decode(each.value) for each in topics.read("recommendations") if each.value]


def faults_of_lists(topics: ShopTopics) -> list[str]:
    """Lists without order, without reasons or with an id that names no record; events nobody answered."""
    ends = topics.ends(tuple(TOPIC_OF_TYPE.values()))
    lists = every_list(topics)
    newest = {each.user_id or each.session_id: each for each in lists}
    return [*_malformed(lists, ends), *_unanswered(topics, newest)]


def _malformed(lists: list[Recommendation], ends: dict[tuple[str, int], int]) -> Iterator[str]:
    for each in lists:
        topic, partition, offset = each.recommendation_id.rsplit(":", 2)
        if int(offset) >= ends[topic, int(partition)]:
            yield f"{each.recommendation_id} names no record"
        if [item.rank for item in each.items] != list(range(1, len(each.items) + 1)):
            yield f"{each.recommendation_id}: ranks {[item.rank for item in each.items]}"
        if not all(item.reasons for item in each.items):
            yield f"{each.recommendation_id}: an item without a reason"


def _unanswered(topics: ShopTopics, newest: dict[str | None, Recommendation]) -> Iterator[str]:
    decode = msgspec.msgpack.Decoder(HistoryRow).decode
    for partition in range(topics.settings.kafka.partitions):
        for key, raw in read_rows(topics.settings, "history", partition).items():
            if key[:2] not in (b"hu", b"hs"):
                continue
            row, name = decode(raw), key[3:].decode()
            if row.newest is None:
                continue
            found = newest.get(name)
            if found is None or row.newest.event_ids[-1] not in found.caused_by:
                caused = found.caused_by if found else None
                yield f"{name}: newest event {row.newest.event_ids}, newest list caused by {caused}"
