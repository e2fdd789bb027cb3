"""The document of the topics is current, and has every topic of the topology with its key and message."""

from pathlib import Path

from streams.asyncapi import as_json, document
from streams.topology import STAGES, TOPICS

ROOT = Path(__file__).parents[2]


def test_the_document_in_docs_is_the_generated_one() -> None:
    told = (ROOT / "docs" / "asyncapi.json").read_bytes()
    assert told == as_json(document()), "run: python -m streams.asyncapi > docs/asyncapi.json"


def test_every_topic_is_a_channel_with_its_message() -> None:
    made = document()
    messages = made["components"]["messages"]
    assert list(made["channels"]) == list(messages) == [topic.name for topic in TOPICS]
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
