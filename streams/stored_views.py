"""Answering from a state directory: the stores themselves, opened read-only, also beside a running worker.

Measures are computed from counts when asked, so what is printed equals a recount as of the last flush.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from online_models import publishing
from online_models.business_rules import BusinessRules
from online_models.clusters import ClustersStep
from online_models.content_index import ContentIndex
from online_models.density import DensityStep
from online_models.experiments.attribution import KEY as ARMS
from online_models.expiry import KEY as CLOCK
from online_models.history import TOTALS_KEY
from online_models.needs import NeedsStep
from online_models.pair_table import name_id, partners
from online_models.popularity import PopularityStep, merge
from online_models.ranker_step import RankerStep
from online_models.session_index import SessionIndex
from online_models.trees import TreesStep
from online_models.trends import Trend
from schemas.clusters import ClusterRow
from schemas.density import DensityGroups, DensityRow
from schemas.experiments import ArmTallies
from schemas.messages import (
    Centroids,
    CustomerFacts,
    ItemCounts,
    ItemFacts,
    Neighbours,
    RankerWeights,
    Totals,
)
from schemas.profiles import Needs, NeedsRow, ProfileRow
from schemas.recommendations import AssociationRules, SegmentProfile
from schemas.settings import Settings
from schemas.state import ExpiryRow, HistoryRow, PopularityRow, RankerRow, RuleRow, SegmentRow, TotalsRow
from schemas.trees import LeafRow, TreesRow, VisitRow
from streams.errors import StateError
from streams.followed import ITEM_VIEW, FollowedItems
from streams.newest_items import FILE as CONTENTS
from streams.newest_items import NewestItems
from streams.partitioning import partition_of
from streams.remembered import FILE, RememberedSessions
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.rules_file import RulesFile
from streams.small_groups import large_enough, without_few, without_small
from streams.stages.opening import database_path
from streams.topology import TOPIC_BY_NAME, partitions_of
from streams.view_store import VIEWS, ViewDatabase

Row = TypeVar("Row")
CACHE_BYTES = 64 * 1024 * 1024


class StoredViews:
    """Views over the stores of all partitions in one state directory.

    Parameters
    ----------
    settings : Settings
        `state.dir`, the number of partitions, and what publishing needs.

    Raises
    ------
    StateError
        There is no state in the directory.
    """

    changes = 0

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = Path(settings.state.dir)
        self._budget = RocksBudget(settings.state.rocksdb_bytes)
        self._open: dict[Path, RocksDatabase] = {}
        self._items: FollowedItems | None = None
        self._content: ContentIndex | None = None
        self._content_read = False
        self._sessions: SessionIndex | None = None
        self._sessions_read = False
        self._rules_file: RulesFile | None = None
        self._weights: RankerWeights | None = None
        self._totals: list[Totals] | None = None
        self._counts: dict[int, ItemCounts | None] = {}
        if not self._stores("history"):
            raise StateError(
                f"there is no state in {self._folder}; run `freshrec worker` or `freshrec replay` first, "
                f"or name the folder with --state"
            )

    def close(self) -> None:
        """Release everything."""
        for database in self._open.values():
            database.close()

    def history(self, key: str) -> HistoryRow | None:
        """The history of a customer or guest, by internal key."""
        return self._row("history", "events", key, "h", HistoryRow)

    def watermark(self, key: str) -> int:
        """The highest `at` of the partition of a customer or guest, epoch ms; -1 if nothing is there."""
        partition = partition_of(key, partitions_of(TOPIC_BY_NAME["events"], self._settings.kafka.partitions))
        database = self._store("history", partition)
        row = None if database is None else database.table("x", ExpiryRow).get(CLOCK)
        return -1 if row is None else row.watermark

    def published_segments(self) -> Iterator[tuple[str, list[float]]]:
        """The segment last published of each customer, with what they are like now."""
        for database in self._stores("segments"):
            published, rows = database.table("~", str), database.table("s", SegmentRow)
            for raw_key, _ in database.rows("~"):
                key = raw_key[1:].decode()
                segment, row = published.get(key), rows.get(key)
                if segment is not None and row is not None and row.features:
                    yield segment, row.features

    def profile_row(self, key: str) -> ProfileRow | None:
        """What is kept of a customer for the profile, by internal key."""
        return self._row("profiles", "facts", key, "p", ProfileRow)

    def profile_rows(self) -> Iterator[tuple[str, ProfileRow]]:
        """What is kept of every customer for the profile, by internal key."""
        decode = msgspec.msgpack.Decoder(ProfileRow).decode
        for database in self._stores("profiles"):
            for raw_key, raw in database.rows("p"):
                yield raw_key[1:].decode(), decode(raw)

    def needs(self) -> Needs | None:
        """The needs of all customers, without what only few of them did."""
        step = self._needs()
        found = None if step is None else step.needs()
        return None if found is None else without_few(found, self._settings.privacy.min_customers)

    def density(self) -> DensityGroups | None:
        """The groups of customers by density."""
        stores = self._stores("density")
        return DensityStep(stores[0].table("d", DensityRow), self._settings).groups() if stores else None

    def trends(self, what: str) -> list[Trend]:
        """What rises and falls, without what only few did; `what` is items or categories."""
        step = self._needs()
        least = max(self._settings.privacy.min_customers, 2)
        return [] if step is None else step.trends(what, least=least)

    def _needs(self) -> NeedsStep | None:
        stores = self._stores("needs")
        return NeedsStep(stores[0].table("n", NeedsRow), self._settings) if stores else None

    def neighbours(self, item: str) -> Neighbours | None:
        """Partners of an item, from its counts."""
        row = self.rule_row(item)
        if row is None:
            return None
        return publishing.neighbours(item, row, self.counts_of, self.totals(), self._settings)

    def association_rules(self, item: str, *, everything: bool = False) -> list[AssociationRules]:
        """Rules of an item, one message per scope."""
        row = self.rule_row(item)
        if row is None:
            return []
        return publishing.association_rules(
            item, row, self.counts_of, self.totals(), self._settings, everything=everything
        )

    def rule_row(self, item: str) -> RuleRow | None:
        """All counts of an item."""
        return self._row("rules", "item-deltas", item, "r", RuleRow)

    def rule_items(self) -> Iterator[str]:
        """Every item that has counts, partition after partition, in key order."""
        for database in self._stores("rules"):
            for raw_key, _ in database.rows("r"):
                yield raw_key[1:].decode()

    def sizes(self) -> tuple[int, int, int]:
        """How many customers (guests not counted), items and distinct pairs of items there are."""
        users = sum(1 for database in self._stores("history") for _ in database.rows("hu:"))
        items = directed = 0
        decode = msgspec.msgpack.Decoder(RuleRow).decode
        for database in self._stores("rules"):
            for _, raw in database.rows("r"):
                items += 1
                directed += partners(decode(raw).pairs)
        return users, items, directed // 2

    def counts_of(self, keys: Sequence[int]) -> Sequence[ItemCounts | None]:
        """Own counts of each of some items, named by key."""
        for key in keys:
            if key not in self._counts:
                self._counts[key] = self._counts_of(key)
        return [self._counts[key] for key in keys]

    def _counts_of(self, key: int) -> ItemCounts | None:
        for database in self._stores("rules"):
            item = database.table("n", str).get(name_id(key))
            row = None if item is None else self.rule_row(item)
            if item is not None and row is not None:
                return publishing.counts(item, row)
        return None

    def totals(self) -> Sequence[Totals]:
        """N of every partition."""
        if self._totals is None:
            self._totals = []
            for partition, database in enumerate(self._stores("history")):
                row = database.table("t", TotalsRow).get(TOTALS_KEY)
                if row is not None:
                    counts = (row.totals[0], row.totals[1], row.totals[2])
                    self._totals.append(Totals(partition, row.epoch, counts, row.newest_at))
        return self._totals

    def arm_tallies(self) -> Sequence[ArmTallies]:
        """Tallies of all arms of experiments, by partition."""
        rows = (store.table("e", ArmTallies).get(ARMS) for store in self._stores("history"))
        return [row for row in rows if row is not None]

    def popular(self, scope: str) -> Sequence[tuple[str, float]]:
        """Leading items of a scope over all partitions."""
        found = []
        for partition, database in enumerate(self._stores("popularity")):
            items, leaders = database.table("i", PopularityRow), database.table("l", PopularityRow)
            row = PopularityStep(items, leaders, self._settings).popular(scope, partition)
            if row is not None:
                found.append(row)
        epoch = max((row.epoch for row in found), default=0)
        return merge(found, epoch * self._settings.popularity.half_life_s * 1000, self._settings)

    def centroids(self) -> Centroids | None:
        """The clustering."""
        step = self._clusters()
        return None if step is None else self._told(step.centroids())

    def profiles(self) -> list[SegmentProfile]:
        """What the segments are like."""
        step = self._clusters()
        return [] if step is None else large_enough(step.profiles(), self._settings.privacy.min_customers)

    def _told(self, centroids: Centroids | None) -> Centroids | None:
        return None if centroids is None else without_small(centroids, self._settings.privacy.min_customers)

    def item(self, item: str) -> ItemFacts | None:
        """The catalogue's row of an item, from the newest view of it that some process holds."""
        items = self._catalogue()
        return None if items is None else items.get(item)

    def content(self) -> ContentIndex | None:
        """The newest items by what they are like, as some process saved them last."""
        if not self._content_read:
            self._content_read = True
            saved = self._newest(CONTENTS)
            newest = None if saved is None else NewestItems.of(saved, self._settings)
            self._content = None if newest is None else newest.index
        return self._content

    def business_rules(self) -> BusinessRules:
        """The shop's own rules, as they are in the file now."""
        if self._rules_file is None:
            self._rules_file = RulesFile(self._settings.recommend.rules_file)
        return self._rules_file.rules

    def _catalogue(self) -> FollowedItems | None:
        if self._items is None:
            folder = self._newest(ITEM_VIEW)
            if folder is None:
                return None
            view = ViewDatabase(folder, self._budget, self._settings, read_only=True)
            self._open[folder] = view.database
            self._items = FollowedItems(view.rows, cache_rows=10_000)
        return self._items

    def sessions(self) -> SessionIndex | None:
        """The newest sessions, as some process saved them last."""
        if not self._sessions_read:
            self._sessions_read = True
            saved = self._newest(FILE)
            if saved is not None and self._settings.sessions.held:
                self._sessions = RememberedSessions(saved, self._settings, topic_id=None).index
        return self._sessions

    def _newest(self, name: str) -> Path | None:
        """What some process wrote last of its views under this name; None where none did."""
        found = (self._folder / VIEWS).glob(f"*/{name}")
        return max(found, key=lambda each: each.stat().st_mtime, default=None)

    def ranker(self) -> RankerWeights | None:
        """The ranker."""
        if self._weights is None and (stores := self._stores("ranker")):
            self._weights = RankerStep(stores[0].table("w", RankerRow)).weights()
        return self._weights

    def visit(self, key: str) -> VisitRow | None:
        """The last session of a customer or guest, by internal key."""
        return self._row("outcomes", "facts", key, "v", VisitRow)

    def trees(self) -> TreesStep | None:
        """The trees."""
        stores = self._stores("trees")
        if not stores:
            return None
        return TreesStep(stores[0].table("t", TreesRow), stores[0].table("l", LeafRow), self._settings)

    def customer(self, user: str) -> CustomerFacts | None:  # noqa: ARG002  # part of the contract
        """Nobody asks here what the shop told of a customer."""
        return None

    def _clusters(self) -> ClustersStep | None:
        stores = self._stores("clusters")
        return ClustersStep(stores[0].table("c", ClusterRow), self._settings) if stores else None

    def _row(self, stage: str, source: str, key: str, prefix: str, row_type: type[Row]) -> Row | None:
        partitions = partitions_of(TOPIC_BY_NAME[source], self._settings.kafka.partitions)
        database = self._store(stage, partition_of(key, partitions))
        return None if database is None else database.table(prefix, row_type).get(key)

    def _stores(self, stage: str) -> list[RocksDatabase]:
        folder = self._folder / stage
        numbers = sorted(int(path.name) for path in folder.glob("*") if path.name.isdigit())
        return [store for number in numbers if (store := self._store(stage, number)) is not None]

    def _store(self, stage: str, partition: int) -> RocksDatabase | None:
        path = database_path(self._folder, stage, partition)
        if path not in self._open:
            if not path.exists():
                return None
            self._open[path] = RocksDatabase(path, self._budget, cache_bytes=CACHE_BYTES, read_only=True)
            self._check_partitions(self._open[path])
        return self._open[path]

    def _check_partitions(self, database: RocksDatabase) -> None:
        meta = database.meta()
        if meta is None:
            return
        expected = partitions_of(TOPIC_BY_NAME[meta.topic], self._settings.kafka.partitions)
        if meta.partitions != expected:
            raise StateError(
                f"{database.path} was made with {meta.partitions} partitions, the settings say {expected}; "
                f"set kafka.partitions to {meta.partitions}"
            )
