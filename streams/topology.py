"""THE PICTURE: every topic and every stage, as data, in the order in which events flow.

The worker, replay, topic creation, the drawing and the tests all read these two lists. Imports no faust.
"""

import msgspec

from schemas.density import DensityGroups
from schemas.events import TOPIC_OF_TYPE
from schemas.experiments import ArmTallies
from schemas.histories import KnownHistory
from schemas.messages import (
    Centroids,
    CustomerFacts,
    EventBatch,
    Fact,
    ItemCounts,
    ItemDeltas,
    ItemFacts,
    Lesson,
    Neighbours,
    Packet,
    Popular,
    RankerWeights,
    Sample,
    Totals,
)
from schemas.profiles import CustomerProfile, NeedLesson, Needs
from schemas.recommendations import AssociationRules, Recommendation, Rejection, Segment, SegmentProfile
from schemas.trees import Outcome, PublishedTree

JSON, MSGPACK = "json", "msgpack"
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
"""The largest record that any topic takes."""


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """A Kafka topic, named without the prefix.

    `kind` is entry (a storefront writes it), log (a stage learns from it), view (compacted, followed)
    or output (downstream services read it); `partitions` 0 means as many as the settings say.
    """

    name: str
    key: str
    message: object
    kind: str
    codec: str = MSGPACK
    partitions: int = 0
    compacted: bool = False


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """What reads which topics and writes which; `group` is the process it runs in.

    `remembers` are logs whose newest records each process with this stage holds in memory; `shows` are
    outputs of which it does so to show them, and makes nothing of them.
    """

    name: str
    group: str
    reads: tuple[str, ...]
    key: str
    steps: tuple[str, ...]
    keeps: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    remembers: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


ENTRY_KEYS = {
    "browses": "user, else session",
    "purchases": "user, else order",
    "ratings": "user",
    "items": "item",
    "customers": "user",
    "links": "user",
    "impressions": "user, else session",
    "erasures": "user",
}

TOPICS: tuple[Topic, ...] = (
    *(
        Topic(name=name, key=ENTRY_KEYS[name], message=type_, kind="entry", codec=JSON)
        for type_, name in TOPIC_OF_TYPE.items()
    ),
    Topic(name="events", key="customer", message=EventBatch, kind="log"),
    Topic(name="item-view", key="item", message=ItemFacts, kind="view", compacted=True),
    Topic(name="customer-view", key="user", message=CustomerFacts, kind="view", compacted=True),
    Topic(name="rejected", key="none", message=Rejection, kind="output", codec=JSON),
    Topic(name="facts", key="customer", message=Packet[Fact], kind="log"),
    Topic(name="item-deltas", key="item", message=Packet[ItemDeltas], kind="log"),
    Topic(name="totals", key="source partition", message=Totals, kind="view", compacted=True),
    Topic(name="experiment-tallies", key="source partition", message=ArmTallies, kind="view", compacted=True),
    Topic(
        name="recommendations",
        key="user, else session",
        message=Recommendation,
        kind="output",
        codec=JSON,
        compacted=True,
    ),
    Topic(name="histories", key="user", message=KnownHistory, kind="view", compacted=True),
    Topic(name="item-counts", key="item", message=ItemCounts, kind="view", compacted=True),
    Topic(name="neighbours", key="item", message=Neighbours, kind="view", compacted=True),
    Topic(
        name="association-rules",
        key="item",
        message=AssociationRules,
        kind="output",
        codec=JSON,
        compacted=True,
    ),
    Topic(name="popular", key="source partition and scope", message=Popular, kind="view", compacted=True),
    Topic(name="samples", key="constant", message=Packet[Sample], kind="log", partitions=1),
    Topic(name="learning", key="constant", message=Packet[Lesson], kind="log", partitions=1),
    Topic(name="outcomes", key="constant", message=Packet[Outcome], kind="log", partitions=1),
    Topic(
        name="trees",
        key="task",
        message=PublishedTree,
        kind="output",
        codec=JSON,
        partitions=1,
        compacted=True,
    ),
    Topic(name="ranker", key="constant", message=RankerWeights, kind="view", partitions=1, compacted=True),
    Topic(name="segments", key="user", message=Segment, kind="output", codec=JSON, compacted=True),
    Topic(name="centroids", key="constant", message=Centroids, kind="view", partitions=1, compacted=True),
    Topic(
        name="segment-profiles",
        key="segment",
        message=SegmentProfile,
        kind="output",
        codec=JSON,
        partitions=1,
        compacted=True,
    ),
    Topic(name="density", key="constant", message=DensityGroups, kind="view", partitions=1, compacted=True),
    Topic(name="need-lessons", key="constant", message=Packet[NeedLesson], kind="log", partitions=1),
    Topic(name="needs", key="constant", message=Needs, kind="view", partitions=1, compacted=True),
    Topic(
        name="customer-profiles",
        key="user",
        message=CustomerProfile,
        kind="output",
        codec=JSON,
        compacted=True,
    ),
)

# A process reads a topic for one stage: three learn from `facts`, so each process has one of them.
STAGES: tuple[Stage, ...] = (
    Stage(
        name="ingest",
        group="customers",
        reads=tuple(TOPIC_OF_TYPE.values()),
        key="none",
        steps=("ingest",),
        follows=("item-view", "customer-view"),
        writes=("events", "item-view", "customer-view", "rejected"),
    ),
    Stage(
        name="history",
        group="customers",
        reads=("events",),
        key="customer",
        steps=("history", "attribution", "recommend"),
        keeps=("HistoryRow", "TotalsRow", "ExpiryRow", "GuestChunk", "ArmTallies"),
        follows=("item-view", "neighbours", "popular", "centroids", "ranker", "experiment-tallies"),
        remembers=("facts",),
        writes=(
            *("facts", "item-deltas", "totals", "learning", "recommendations", "histories"),
            "experiment-tallies",
        ),
    ),
    Stage(
        name="profiles",
        group="customers",
        reads=("facts",),
        key="customer",
        steps=("profiles",),
        keeps=("ProfileRow",),
        follows=("centroids", "density", "needs"),
        writes=("need-lessons", "customer-profiles"),
    ),
    Stage(
        name="popularity",
        group="models",
        reads=("item-deltas",),
        key="item",
        steps=("popularity",),
        keeps=("PopularityRow",),
        writes=("popular",),
    ),
    Stage(
        name="segments",
        group="models",
        reads=("facts",),
        key="customer",
        steps=("segments",),
        keeps=("SegmentRow",),
        follows=("centroids",),
        writes=("samples", "segments"),
    ),
    Stage(
        name="clusters",
        group="models",
        reads=("samples",),
        key="constant",
        steps=("clusters",),
        keeps=("ClusterRow",),
        writes=("centroids", "segment-profiles"),
    ),
    Stage(
        name="ranker",
        group="models",
        reads=("learning",),
        key="constant",
        steps=("ranker",),
        keeps=("RankerRow",),
        writes=("ranker",),
    ),
    Stage(
        name="needs",
        group="models",
        reads=("need-lessons",),
        key="constant",
        steps=("needs",),
        keeps=("NeedsRow",),
        writes=("needs",),
    ),
    Stage(
        name="rules",
        group="rules",
        reads=("item-deltas",),
        key="item",
        steps=("rules",),
        keeps=("RuleRow",),
        follows=("totals", "item-counts"),
        writes=("item-counts", "neighbours", "association-rules"),
    ),
    Stage(
        name="outcomes",
        group="rules",
        reads=("facts",),
        key="customer",
        steps=("outcomes",),
        keeps=("VisitRow", "OpenVisits"),
        writes=("outcomes",),
    ),
    Stage(
        name="density",
        group="rules",
        reads=("samples",),
        key="constant",
        steps=("density",),
        keeps=("DensityRow",),
        writes=("density",),
    ),
    Stage(
        name="trees",
        group="rules",
        reads=("outcomes",),
        key="constant",
        steps=("trees",),
        keeps=("TreesRow", "LeafRow"),
        writes=("trees",),
    ),
)

SERVE = Stage(
    name="serve",
    group="serve",
    reads=(),
    key="none",
    steps=("recommend",),
    follows=(
        *("recommendations", "histories", "item-view", "neighbours", "popular", "centroids", "ranker"),
        *("segments", "segment-profiles", "experiment-tallies"),
    ),
    remembers=("facts",),
    shows=("rejected",),
    writes=tuple(TOPIC_OF_TYPE.values()),
)
"""`freshrec serve`: no stage of the worker; it learns nothing, and any number of it may run."""

TOPIC_BY_NAME = {topic.name: topic for topic in TOPICS}
STAGE_BY_NAME = {stage.name: stage for stage in STAGES}
GROUPS = tuple(dict.fromkeys(stage.group for stage in STAGES))


def and_below(name: str) -> tuple[Stage, ...]:
    """A stage, and all that learn from what it or one of them writes, in the order of the flow."""
    found = [STAGE_BY_NAME[name]]
    for stage in STAGES[STAGES.index(found[0]) + 1 :]:
        if any(topic in above.writes for above in found for topic in stage.reads):
            found.append(stage)
    return tuple(found)


def partitions_of(topic: Topic, default: int) -> int:
    """How many partitions a topic has when the settings say `default`."""
    return topic.partitions or default
