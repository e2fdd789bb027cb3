"""Followed topics in memory or on disk: item-keyed knowledge of other stages, read only for models.

A row is stored as it arrived, with its version; an older version is ignored, so it does not matter how
often or in which order rows come. Decoded rows are cached.
"""

from collections import deque
from collections.abc import Callable, Sequence
from operator import is_
from typing import Generic, Protocol, TypeVar, cast

import msgspec

from online_models import popularity
from online_models.business_rules import NO_RULES, BusinessRules
from online_models.content_index import ContentIndex
from online_models.density import KEY as DENSITY
from online_models.needs import KEY as NEEDS
from online_models.pair_table import name_id, name_key
from online_models.ranker_step import KEY as RANKER
from online_models.session_index import SessionIndex
from schemas.density import DensityGroups
from schemas.experiments import ArmTallies
from schemas.messages import (
    Centroids,
    CustomerFacts,
    ItemCounts,
    ItemFacts,
    Neighbours,
    Popular,
    RankerWeights,
    Totals,
)
from schemas.profiles import Needs
from schemas.settings import Settings
from schemas.state import ViewRow
from streams.newest_items import NewestItems
from streams.outbox import Version
from streams.remembered import RememberedSessions
from streams.rules_file import RulesFile
from streams.topology import JSON, MSGPACK, TOPIC_BY_NAME

Row = TypeVar("Row")
MAX_CACHED_SCOPES = 1_000
MOST_WITHDRAWN = 100
"""Items that became unavailable last are known by name, so many of them."""

ITEM_VIEW = "item-view"


class ViewRows(Protocol):
    """Where a followed topic's rows are kept."""

    def get(self, key: str) -> ViewRow | None: ...

    def put(self, key: str, value: ViewRow) -> None: ...

    def delete(self, key: str) -> None: ...


class FollowedTopic(Generic[Row]):
    """The newest row per key of one topic.

    Parameters
    ----------
    rows : ViewRows
        Where they are kept.
    row_type : type
        What a value decodes to.
    cache_rows : int
        Decoded rows kept.
    codec : str
        What a value is encoded as, `json` or `msgpack`.

    Attributes
    ----------
    changes : int
        How many rows have arrived so far.
    tell : callable or None
        Is told each row that is taken, with its key; None for one that is deleted.
    """

    def __init__(self, rows: ViewRows, row_type: type[Row], *, cache_rows: int, codec: str = MSGPACK) -> None:
        self._rows = rows
        decoder = msgspec.json.Decoder(row_type) if codec == JSON else msgspec.msgpack.Decoder(row_type)
        self._decode = decoder.decode
        self._half = max(1, cache_rows // 2)
        self._young: dict[str, Row | None] = {}
        self._old: dict[str, Row | None] = {}
        self.changes = 0
        self.tell: Callable[[str, bytes | None], None] | None = None

    def learn(self, key: str, value: bytes | None, version: Version) -> None:
        """Take a row as it arrives; None deletes it."""
        known = self._rows.get(key)
        if known is not None and known.version > version:
            return
        self.changes += 1
        self._young.pop(key, None)
        self._old.pop(key, None)
        if value is None:
            self._rows.delete(key)
        else:
            self._rows.put(key, ViewRow(version, value))
        if self.tell is not None:
            self.tell(key, value)

    def version(self, key: str) -> Version:
        """Version of the row that is kept; below all others where there is none."""
        known = self._rows.get(key)
        return (-1, -1, -1) if known is None else known.version

    def get(self, key: str) -> Row | None:
        """Give the newest row of a key."""
        if key in self._young:
            return self._young[key]
        if key in self._old:
            row = self._old[key]
        else:
            raw = self._rows.get(key)
            row = None if raw is None else self._decode(raw.value)
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[key] = row
        return row


class FollowedCounts(FollowedTopic[ItemCounts]):
    """Own counts of items, which are asked for by the keys that stand in rows of counts."""

    def __init__(self, rows: ViewRows, *, cache_rows: int) -> None:
        super().__init__(rows, ItemCounts, cache_rows=cache_rows)
        self._by_key: dict[int, ItemCounts | None] = {}
        self._most = cache_rows

    def learn(self, key: str, value: bytes | None, version: Version) -> None:
        number = name_key(key)
        super().learn(name_id(number), value, version)
        self._by_key.pop(number, None)

    def version(self, key: str) -> Version:
        return super().version(name_id(name_key(key)))

    def of_keys(self, keys: Sequence[int]) -> list[ItemCounts | None]:
        """Give the newest counts of each of some items."""
        known = self._by_key
        rows = list(map(known.get, keys))
        if None not in rows:
            return rows
        if len(known) > self._most:
            known.clear()
        for place, row in enumerate(rows):
            if row is None:
                key = keys[place]
                raw = self._rows.get(name_id(key))
                rows[place] = known[key] = None if raw is None else self._decode(raw.value)
        return rows


class FollowedItems(FollowedTopic[ItemFacts]):
    """The catalogue; the newest of its items are held by what they are like, too, where anybody asks.

    Parameters
    ----------
    rows, cache_rows :
        As for every topic.
    newest : NewestItems or None
        Is taught each row as it arrives.

    Attributes
    ----------
    withdrawn : int
        How often an item became unavailable that was not so before.
    """

    def __init__(self, rows: ViewRows, *, cache_rows: int, newest: NewestItems | None = None) -> None:
        super().__init__(rows, ItemFacts, cache_rows=cache_rows)
        self.newest, self.withdrawn = newest, 0
        self._last_withdrawn: deque[str] = deque(maxlen=MOST_WITHDRAWN)

    def learn(self, key: str, value: bytes | None, version: Version) -> None:
        row = None if value is None else self._decode(value)
        there = row is None or row.available or (known := self.get(key)) is None or known.available
        before = self.changes
        super().learn(key, value, version)
        if self.changes == before:
            return
        if row is not None and not row.available and there:
            self.withdrawn += 1
            self._last_withdrawn.append(key)
        if self.newest is not None:
            self.newest.learn(key, row)

    def withdrawn_after(self, number: int) -> list[str] | None:
        """Return the items that became unavailable after so many had; None where these are too many."""
        count = self.withdrawn - number
        if not 0 <= count <= len(self._last_withdrawn):
            return None
        return list(self._last_withdrawn)[len(self._last_withdrawn) - count :]


class _Merged(msgspec.Struct):
    """The rows of a scope, what they make together, and how many rows had arrived when that was so."""

    rows: list[Popular | None]
    merged: Sequence[tuple[str, float]]
    changes: int


def followed_topic(
    name: str, rows: ViewRows, row_type: type[Row], *, cache_rows: int, newest: NewestItems | None = None
) -> FollowedTopic[Row]:
    """Make the view of a topic, by name; its rows are of the type that the topology says.

    `newest` is taught what arrives of the catalogue.
    """
    if name == "item-counts":
        return cast(FollowedTopic[Row], FollowedCounts(rows, cache_rows=cache_rows))
    if name == ITEM_VIEW:
        return cast(FollowedTopic[Row], FollowedItems(rows, cache_rows=cache_rows, newest=newest))
    return FollowedTopic(rows, row_type, cache_rows=cache_rows, codec=TOPIC_BY_NAME[name].codec)


class Views:
    """All that the stages of a process follow; a topic that is not followed answers None.

    Parameters
    ----------
    topics : dict of str to FollowedTopic
        By topic name.
    settings : Settings
        Half-life of popularity, and the number of partitions whose leaders are merged.
    remembered : RememberedSessions, optional
        The newest sessions, where a stage wants them.
    rules_file : RulesFile, optional
        The shop's own rules, where lists are made.
    """

    def __init__(
        self,
        topics: dict[str, FollowedTopic[object]],
        settings: Settings,
        remembered: RememberedSessions | None = None,
        rules_file: RulesFile | None = None,
    ) -> None:
        self.topics, self._settings, self.remembered = topics, settings, remembered
        self.rules_file = rules_file
        self._partitions = settings.kafka.partitions
        self._popular: dict[str, _Merged] = {}

    @property
    def changes(self) -> int:
        """How many rows have arrived so far."""
        return sum(topic.changes for topic in self.topics.values())

    @property
    def withdrawals(self) -> tuple[int, int]:
        """Changes whenever something may have to leave lists: an item, or by another file of rules."""
        items = self.topics.get(ITEM_VIEW)
        withdrawn = items.withdrawn if isinstance(items, FollowedItems) else 0
        return withdrawn, 0 if self.rules_file is None else self.rules_file.version

    def withdrawn_after(self, number: int) -> list[str] | None:
        """Return the items that were withdrawn after `withdrawals` began with `number`; None: too many."""
        items = self.topics.get(ITEM_VIEW)
        return items.withdrawn_after(number) if isinstance(items, FollowedItems) else []

    def _get(self, topic: str, key: str, _: type[Row]) -> Row | None:
        # A topic's rows are of the type that the topology names: nobody looks at each of them again.
        followed = self.topics.get(topic)
        return None if followed is None else cast("FollowedTopic[Row]", followed).get(key)

    def neighbours(self, item: str) -> Neighbours | None:
        """Partners of an item, as last published."""
        return self._get("neighbours", item, Neighbours)

    def item(self, item: str) -> ItemFacts | None:
        """The catalogue's row of an item."""
        return self._get(ITEM_VIEW, item, ItemFacts)

    @property
    def newest(self) -> NewestItems | None:
        """What holds the catalogue's newest items by what they are like; None where nobody asks."""
        followed = self.topics.get(ITEM_VIEW)
        return followed.newest if isinstance(followed, FollowedItems) else None

    def content(self) -> ContentIndex | None:
        """The newest items by what they are like; None where nobody asks for that."""
        return None if self.newest is None else self.newest.index

    def business_rules(self) -> BusinessRules:
        """The shop's own rules in force."""
        return NO_RULES if self.rules_file is None else self.rules_file.rules

    def customer(self, user: str) -> CustomerFacts | None:
        """What the shop told of a customer."""
        return self._get("customer-view", user, CustomerFacts)

    def note_customer(self, user: str, value: bytes | None, version: Version) -> None:
        """Take a customer's row before it comes back from its topic, so that the next event goes by it."""
        followed = self.topics.get("customer-view")
        if followed is not None:
            followed.learn(user, value, version)

    def centroids(self) -> Centroids | None:
        """The clustering, as last published."""
        return self._get("centroids", "centroids", Centroids)

    def sessions(self) -> SessionIndex | None:
        """The newest sessions of all customers; None where nobody asked for them."""
        return None if self.remembered is None else self.remembered.index

    def ranker(self) -> RankerWeights | None:
        """The ranker, as last published."""
        return self._get("ranker", RANKER, RankerWeights)

    def density(self) -> DensityGroups | None:
        """The groups of customers by density, as last published."""
        return self._get("density", DENSITY, DensityGroups)

    def needs(self) -> Needs | None:
        """The needs of all customers, as last published."""
        return self._get("needs", NEEDS, Needs)

    def counts_of(self, keys: Sequence[int]) -> Sequence[ItemCounts | None]:
        """Own counts of each of some items, named by key, as last published."""
        followed = self.topics.get("item-counts")
        return cast(FollowedCounts, followed).of_keys(keys) if followed else [None] * len(keys)

    def totals(self) -> Sequence[Totals]:
        """Cumulative N of each source partition."""
        rows = (self._get("totals", str(partition), Totals) for partition in range(self._partitions))
        return [row for row in rows if row is not None]

    def arm_tallies(self) -> Sequence[ArmTallies]:
        """Tallies of all arms of experiments, by source partition."""
        topic, partitions = "experiment-tallies", range(self._partitions)
        rows = (self._get(topic, str(partition), ArmTallies) for partition in partitions)
        return [row for row in rows if row is not None]

    def popular(self, scope: str) -> Sequence[tuple[str, float]]:
        """Leading items of a scope over all partitions, best first."""
        followed = self.topics.get("popular")
        if followed is None:
            return ()
        cached = self._popular.get(scope)
        if cached is not None and cached.changes == followed.changes:
            return cached.merged
        rows = [self._get("popular", f"{part}|{scope}", Popular) for part in range(self._partitions)]
        if cached is not None and all(map(is_, cached.rows, rows)):
            cached.changes = followed.changes
            return cached.merged
        found = [row for row in rows if row is not None]
        merged: Sequence[tuple[str, float]] = popularity.merge(
            found, _newest(found, self._settings), self._settings
        )
        if len(self._popular) >= MAX_CACHED_SCOPES:
            self._popular.clear()
        self._popular[scope] = _Merged(rows, merged, followed.changes)
        return merged


def _newest(rows: Sequence[Popular], settings: Settings) -> int:
    """Time at the newest landmark: values of all rows are expressed as of it."""
    epoch = max((row.epoch for row in rows), default=0)
    return epoch * settings.popularity.half_life_s * 1000
