"""What has to hold of the topology, read from the data that everything runs by."""

import subprocess
import sys

import pytest

from schemas.events import TOPIC_OF_TYPE
from schemas.state import ROW_VERSIONS
from streams.topology import (
    GROUPS,
    SERVE,
    STAGE_BY_NAME,
    STAGES,
    TOPIC_BY_NAME,
    TOPICS,
    Stage,
    and_below,
    partitions_of,
)

KEPT = [stage for stage in STAGES if stage.keeps]


def written_by(stages: tuple[Stage, ...]) -> set[str]:
    return {topic for stage in stages for topic in stage.writes}


def entries() -> set[str]:
    return {topic.name for topic in TOPICS if topic.kind == "entry"}


@pytest.mark.parametrize("place", range(len(STAGES)), ids=[stage.name for stage in STAGES])
def test_what_a_stage_reads_comes_from_outside_or_from_a_stage_above_it(place: int) -> None:
    assert set(STAGES[place].reads) <= entries() | written_by(STAGES[:place])


@pytest.mark.parametrize("place", range(len(STAGES)), ids=[stage.name for stage in STAGES])
def test_what_a_stage_writes_is_read_below_it_or_followed_or_an_output(place: int) -> None:
    read_below = {topic for stage in STAGES[place + 1 :] for topic in stage.reads}
    followed = {topic for stage in (*STAGES, SERVE) for topic in stage.follows}
    outputs = {topic.name for topic in TOPICS if topic.kind == "output"}
    assert set(STAGES[place].writes) <= read_below | followed | outputs


@pytest.mark.parametrize("stage", STAGES[1:], ids=[stage.name for stage in STAGES[1:]])
def test_a_step_is_keyed_as_its_topic_is(stage: Stage) -> None:
    assert {TOPIC_BY_NAME[topic].key for topic in stage.reads} == {stage.key}


def test_only_the_first_stage_reads_from_outside_and_it_reads_all_of_it() -> None:
    assert set(STAGES[0].reads) == entries() == set(TOPIC_OF_TYPE.values())
    assert all(entries().isdisjoint(stage.reads) for stage in STAGES[1:])


@pytest.mark.parametrize("stage", KEPT, ids=[stage.name for stage in KEPT])
def test_a_stage_with_state_reads_exactly_one_topic_and_has_versioned_rows(stage: Stage) -> None:
    assert len(stage.reads) == 1
    assert stage.name in ROW_VERSIONS


@pytest.mark.parametrize("stage", STAGES, ids=[stage.name for stage in STAGES])
def test_what_is_followed_is_compacted_and_what_is_learned_from_is_not(stage: Stage) -> None:
    assert all(TOPIC_BY_NAME[topic].compacted for topic in stage.follows)
    assert all(TOPIC_BY_NAME[topic].kind == "log" for topic in stage.remembers)
    assert not any(TOPIC_BY_NAME[topic].compacted for topic in stage.reads)


def test_names_are_unique_and_every_topic_belongs_to_a_stage() -> None:
    assert len(TOPIC_BY_NAME) == len(TOPICS)
    assert len(STAGE_BY_NAME) == len(STAGES)
    used = {name for stage in STAGES for name in (*stage.reads, *stage.follows, *stage.writes)}
    assert used == set(TOPIC_BY_NAME)


def test_a_kind_says_how_a_topic_is_used() -> None:
    read = {name for stage in STAGES for name in stage.reads}
    followed = {name for stage in STAGES for name in stage.follows}
    kinds = {topic.name: topic.kind for topic in TOPICS}
    outputs = {name for name, kind in kinds.items() if kind == "output"}
    followed |= set(SERVE.follows) - outputs
    assert {name for name, kind in kinds.items() if kind in {"entry", "log"}} == read
    assert {name for name, kind in kinds.items() if kind == "view"} == followed


def test_the_server_follows_what_the_recommender_does_and_what_is_told_of_customers() -> None:
    history = next(stage for stage in STAGES if stage.name == "history")
    assert {*history.follows, "recommendations", "histories", "segments"} <= set(SERVE.follows)
    assert SERVE.remembers == history.remembers
    assert all(TOPIC_BY_NAME[name].kind == "output" for name in SERVE.shows)
    assert not set(SERVE.shows) & {*SERVE.follows, *SERVE.remembers}
    assert set(SERVE.writes) == entries()
    compacted = {topic.name for topic in TOPICS if topic.compacted}
    assert set(SERVE.follows) <= compacted


def test_the_stages_of_a_process_stand_together() -> None:
    assert [stage.group for stage in STAGES] == [
        group for group in GROUPS for stage in STAGES if stage.group == group
    ]


def test_a_constant_key_means_one_partition_and_others_follow_the_settings() -> None:
    for topic in TOPICS:
        assert partitions_of(topic, 7) == (topic.partitions or 7)
        assert topic.key != "constant" or topic.partitions == 1


def test_the_topology_is_inert_data() -> None:
    code = "import sys, streams.topology; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  # a command of our own
    heavy = {"faust", "mode", "aiokafka", "kafka", "rocksdict", "aiohttp", "numpy", "online_models"}
    assert heavy.isdisjoint(done.stdout.split())


@pytest.mark.parametrize(
    ("stage", "below"),
    [
        (
            "history",
            (
                *("history", "profiles", "popularity", "segments", "clusters", "ranker", "needs"),
                *("rules", "outcomes", "density", "trees"),
            ),
        ),
        ("profiles", ("profiles", "needs")),
        ("segments", ("segments", "clusters", "density")),
        ("rules", ("rules",)),
        ("clusters", ("clusters",)),
    ],
)
def test_below_a_stage_is_what_learns_from_it_whatever_it_follows(stage: str, below: tuple[str, ...]) -> None:
    assert tuple(each.name for each in and_below(stage)) == below


def test_a_process_reads_each_topic_for_one_stage_alone() -> None:
    for group in GROUPS:
        read = [topic for stage in STAGES if stage.group == group for topic in stage.reads]
        assert len(set(read)) == len(read), group
