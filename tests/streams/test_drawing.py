"""The picture of the topology: complete, free of clashes, and current in the docs."""

import re
from pathlib import Path

from streams import drawing
from streams.topology import STAGES, TOPICS

PAGE = Path(__file__).parents[2] / "docs" / "topology.md"


def test_the_page_in_the_docs_is_current() -> None:
    assert PAGE.read_text() == drawing.document(), "run: freshrec topology --document > docs/topology.md"


def test_the_page_holds_both_pictures() -> None:
    assert f"```mermaid\n{drawing.as_mermaid()}\n```" in drawing.document()
    assert f"```text\n{drawing.as_text()}\n```" in drawing.document()


def test_the_text_shows_stages_top_to_bottom_with_all_that_they_use() -> None:
    text = drawing.as_text()
    boxes = re.findall(r"┌─+▼── (\S+) ── process (\S+)", text)
    assert boxes == [(stage.name, stage.group) for stage in STAGES]
    for stage, box in zip(STAGES, text.split("┌")[1:], strict=True):
        for name in (*stage.reads, *stage.follows, *stage.remembers, *stage.keeps, *stage.writes):
            assert re.search(rf"[ │]{name}[, │]", box), (stage.name, name)


def test_every_box_is_closed_and_no_line_is_wider_than_a_terminal() -> None:
    lines = drawing.as_text().splitlines()
    framed = [line for line in lines if line[:1] in {"┌", "│", "└"}]
    assert {len(line) for line in framed} == {88}
    assert all(line[-1] in "┐│┘" for line in framed)


def test_every_topic_stands_in_the_list_with_its_key() -> None:
    listed = drawing.as_text().rsplit("┘", 1)[1]
    for topic in TOPICS:
        assert re.search(rf"^  {topic.name} +by {topic.key}", listed, re.MULTILINE), topic.name


def test_the_flowchart_has_one_node_for_each_thing_and_an_arrow_for_each_use() -> None:
    lines = [line.strip() for line in drawing.as_mermaid().splitlines()]
    assert lines[0] == "flowchart TB"
    nodes = [found[1] for line in lines if (found := re.match(r"(?:subgraph )?(\w+)[\[(]", line))]
    assert len(nodes) == len(set(nodes)) == len(TOPICS) + len(STAGES) + len({x.group for x in STAGES})
    arrows = [found.groups() for line in lines if (found := re.match(r"(\w+) (-->|-\.->) (\w+)$", line))]
    ends = [(x.reads, x.follows, x.remembers, x.writes) for x in STAGES]
    assert len(arrows) == sum(len(names) for each in ends for names in each)
    assert {name for start, _, end in arrows for name in (start, end)} <= set(nodes)
    assert ("topic_item_view", "-.->", "stage_history") in arrows
    assert ("stage_history", "-->", "topic_facts") in arrows


def test_the_data_names_messages_by_their_types() -> None:
    data = drawing.as_data()
    messages = {topic["name"]: topic["message"] for topic in data["topics"]}
    assert messages["recommendations"] == "Recommendation"
    assert messages["facts"] == "Packet[Fact]"
    assert [stage["name"] for stage in data["stages"]] == [stage.name for stage in STAGES]
