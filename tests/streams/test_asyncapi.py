"""The document of the topics is current, and has every topic of the topology with its key and message."""

import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.checks import Rejected
from schemas.codec import Decoded, decode_record
from schemas.settings import IngestSettings
from streams.asyncapi import as_json, document
from streams.topology import STAGES, TOPICS

ROOT = Path(__file__).parents[2]

LINE = {"item_id": "tea", "quantity": 1, "unit_price": 2.5}
DATA: dict[str, dict[str, Any]] = {
    "browses": {"user_id": "anna", "item_id": "tea"},
    "purchases": {"user_id": "anna", "lines": [LINE]},
    "ratings": {"user_id": "anna", "item_id": "tea", "value": 4, "scale_max": 5},
    "items": {"item_id": "tea"},
    "customers": {"user_id": "anna"},
    "links": {"user_id": "anna", "target_id": "ben", "weight": 1},
    "impressions": {"user_id": "anna", "recommendation_id": "browses:0:1", "items": ["tea"]},
    "erasures": {"user_id": "anna"},
}
"""Of each entry topic a message without what an envelope adds."""

ATTRIBUTES = {"specversion": "1.0", "id": "7", "source": "/web", "time": "2023-11-14T22:13:20Z"}
every_entry_topic = pytest.mark.parametrize("topic", DATA)


def test_the_document_in_docs_is_the_generated_one() -> None:
    told = (ROOT / "docs" / "asyncapi.json").read_bytes()
    assert told == as_json(document()), "run: python -m streams.asyncapi > docs/asyncapi.json"


def test_every_topic_is_a_channel_with_its_message() -> None:
    made = document()
    messages = made["components"]["messages"]
    assert list(made["channels"]) == [topic.name for topic in TOPICS]
    told = [name for channel in made["channels"].values() for name in channel["messages"]]
    assert told == list(messages)
    for topic in TOPICS:
        assert messages[topic.name]["contentType"].endswith(topic.codec)
        assert messages[topic.name]["bindings"]["kafka"]["key"]["description"] == topic.key
        policy = made["channels"][topic.name]["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"]
        assert policy == (["compact"] if topic.compacted else ["delete"])


def test_what_stages_read_is_received_and_what_they_write_is_sent() -> None:
    operations = document()["operations"].values()
    for action, names in (
        ("receive", {name for stage in STAGES for name in stage.reads}),
        ("send", {name for stage in STAGES for name in stage.writes}),
    ):
        told = {each["channel"]["$ref"] for each in operations if each["action"] == action}
        assert told == {f"#/channels/{name}" for name in names}


def test_a_public_message_has_a_schema_of_its_own_with_its_type() -> None:
    schemas = document()["components"]["schemas"]
    assert schemas["Browse"]["properties"]["type"] == {"enum": ["browse"]}
    assert "Recommendation" in schemas


def attributes_of(topic: str) -> dict[str, str]:
    (kind,) = _data_schema(topic)["properties"]["type"]["anyOf"][0]["enum"]
    return ATTRIBUTES | {"type": f"com.shop.{kind}"}


def _data_schema(topic: str) -> dict[str, Any]:
    made = document()["components"]
    reference = made["messages"][f"{topic}-binary"]["payload"]["$ref"]
    found: dict[str, Any] = made["schemas"][reference.removeprefix("#/components/schemas/")]
    return found


def read(topic: str, value: object, headers: dict[str, str]) -> Decoded | Rejected:
    pairs = [(name, text.encode()) for name, text in headers.items()]
    return decode_record(topic, msgspec.json.encode(value), IngestSettings(), sent_at=None, headers=pairs)


def test_only_entry_topics_take_events_in_envelopes() -> None:
    messages = document()["components"]["messages"]
    enveloped = {name for name in messages if name.endswith(("-structured", "-binary"))}
    entries = [topic.name for topic in TOPICS if topic.kind == "entry"]
    assert enveloped == {f"{name}-{mode}" for name in entries for mode in ("structured", "binary")}
    assert entries == list(DATA)


@every_entry_topic
def test_in_binary_mode_what_the_document_asks_for_is_enough_and_all_of_it_is_needed(topic: str) -> None:
    told, attributes = document()["components"]["messages"][f"{topic}-binary"], attributes_of(topic)
    headers = {f"ce_{name}": value for name, value in attributes.items()}
    assert set(told["headers"]["properties"]) == {*headers, "content-type"}
    assert isinstance(read(topic, DATA[topic], headers), Decoded)
    assert "ce_specversion" in told["headers"]["required"]
    for name in told["headers"]["required"]:
        left = read(topic, DATA[topic], {key: value for key, value in headers.items() if key != name})
        assert isinstance(left, Rejected)
        assert left.reason == "missing_field"


@every_entry_topic
@pytest.mark.parametrize("with_header", [True, False])
def test_in_structured_mode_too(topic: str, with_header: bool) -> None:
    told, attributes = document()["components"]["messages"][f"{topic}-structured"], attributes_of(topic)
    headers = {"content-type": told["contentType"]} if with_header else {}
    assert told["headers"]["properties"]["content-type"] == {"const": told["contentType"]}
    whole = attributes | {"data": DATA[topic]}
    encoded = {"data_base64": base64.b64encode(msgspec.json.encode(DATA[topic])).decode()}
    assert set(told["payload"]["properties"]) == {*whole, *encoded, "datacontenttype"}
    assert isinstance(read(topic, whole, headers), Decoded)
    assert isinstance(read(topic, attributes | encoded, headers), Decoded)
    for event in (attributes, whole | encoded):
        assert isinstance(read(topic, event, headers), Rejected)
    for name in told["payload"]["required"]:
        left = {key: value for key, value in whole.items() if key != name}
        assert isinstance(read(topic, left, headers), Rejected)


@every_entry_topic
def test_of_the_message_itself_all_is_needed_but_what_the_envelope_adds(topic: str) -> None:
    headers = {f"ce_{name}": value for name, value in attributes_of(topic).items()}
    schema = _data_schema(topic)
    assert set(schema["required"]) <= set(DATA[topic])
    for name in schema["required"]:
        left = read(topic, {key: value for key, value in DATA[topic].items() if key != name}, headers)
        assert isinstance(left, Rejected)
    added = {name: None for name in ("type", "at", "event_id") if name in schema["properties"]}
    assert all({"type": "null"} in schema["properties"][name]["anyOf"] for name in added)
    assert isinstance(read(topic, DATA[topic] | added, headers), Decoded)
