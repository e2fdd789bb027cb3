"""Every setting, with its default, unit, range and meaning. Each constant has exactly one home: here.

Where a value came from (file, environment, default) is `streams.config`'s business.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.experiments import Experiment

Text = Annotated[str, Meta(min_length=1)]
"""Text that cannot be empty."""

Prefix = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]*$", max_length=100)]
"""The beginning of a Kafka topic name; may be empty."""

Count = Annotated[int, Meta(ge=1)]
"""A whole number that cannot be 0."""

Limit = Annotated[int, Meta(ge=0)]
"""A whole number that can be 0; the description says what 0 means."""

Seconds = Annotated[float, Meta(gt=0)]
"""A time that cannot be 0."""

Share = Annotated[float, Meta(gt=0, le=1)]
"""A part of a whole."""

Part = Annotated[float, Meta(ge=0, le=1)]
"""A part of a whole, or none of it; 0 switches off what it weighs."""

Chance = Annotated[float, Meta(ge=0, lt=1)]
"""How likely something is that must not be certain; 0 switches it off."""

Weight = Annotated[float, Meta(ge=0)]
"""A factor; 0 switches off what it weighs."""

Length = Annotated[float, Meta(gt=0)]
"""A measure that cannot be 0."""

Port = Annotated[int, Meta(ge=0, le=65535)]
"""A TCP port; 0 takes a free one."""

Protocol = Literal["PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL"]
"""How a connection to a broker is protected."""

Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
"""How a client shows a broker that it knows the password."""

Likeness = Literal["cosine", "euclidean"]
"""How the contents of two items are compared."""

Seen = Literal["keep", "demote", "exclude"]
"""What becomes of an item that was looked at: nothing, a lower score, or no place in any list."""

Criterion = Literal["entropy", "gini"]
"""How much a question of a tree says about the classes."""

Depth = Annotated[int, Meta(ge=1, le=8)]
"""Levels of a tree below its root."""

Doubt = Annotated[float, Meta(gt=0, le=1)]
"""How likely something is to be wrong."""

Classes = Annotated[int, Meta(ge=1, le=14)]
"""Categories that a tree tells apart, each with a bin of its own."""

Level = Literal["debug", "info", "warning", "error"]
"""How grave a line must be to be written."""


def _says(description: str) -> Meta:
    return Meta(description=description)


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class KafkaSettings(_Section, frozen=True):
    """Where the broker is and how topics are made."""

    bootstrap_servers: Annotated[Text, _says("host:port of brokers, comma separated")] = "127.0.0.1:9092"
    topic_prefix: Annotated[Prefix, _says("put in front of every topic and consumer group name")] = ""
    partitions: Annotated[Count, _says("partitions of every keyed topic; to change it is a new epoch")] = 4
    replication: Annotated[Count, _says("copies of every partition; at most the number of brokers")] = 1
    retention_hours: Annotated[Count, _says("how long topics keep what they were sent")] = 168
    session_timeout_s: Annotated[Seconds, _says("how long after a crash its partitions stay taken")] = 15.0
    max_batch_records: Annotated[Count, _says("records of one partition handled at once")] = 1000
    fetch_max_bytes: Annotated[Count, _says("bytes of one partition fetched at once")] = 4_194_304
    fetch_ahead_bytes: Annotated[Count, _says("bytes fetched ahead by one process")] = 67_108_864
    fetch_wait_ms: Annotated[Limit, _says("how long an event may wait to be fetched with others")] = 5
    learn_wait_ms: Annotated[Limit, _says("the same where nobody waits for the answer")] = 50
    linger_ms: Annotated[Limit, _says("how long an output may wait for company; 0 sends at once")] = 5
    send_timeout_s: Annotated[Seconds, _says("a send not acknowledged by then ends the process")] = 30.0
    security_protocol: Annotated[Protocol, _says("SSL encrypts, SASL logs in")] = "PLAINTEXT"
    sasl_mechanism: Annotated[Mechanism, _says("how the login is done, with SASL")] = "SCRAM-SHA-512"
    sasl_username: Annotated[str, _says("who logs in, with SASL")] = ""
    sasl_password_file: Annotated[str, _says("file with its password; or FRESHREC_KAFKA__SASL_PASSWORD")] = ""
    ssl_cafile: Annotated[str, _says("PEM of who signed the brokers; empty: the system's")] = ""
    ssl_certfile: Annotated[str, _says("PEM of our certificate, where brokers want one")] = ""
    ssl_keyfile: Annotated[str, _says("PEM of its key; empty: in ssl_certfile")] = ""


class StateSettings(_Section, frozen=True):
    """Where RocksDB lives and what it may use."""

    dir: Annotated[Text, _says("folder of all stores and views")] = ".freshrec/state"
    flush_interval_ms: Annotated[Count, _says("changed rows are made durable this often")] = 200
    flush_max_share: Annotated[Share, _says("share of the time that flushing may take")] = 0.05
    flush_max_interval_ms: Annotated[Count, _says("longest interval flush_max_share leads to")] = 120_000
    flush_max_rows: Annotated[Count, _says("so many changed rows are flushed at once")] = 200_000
    flush_max_bytes: Annotated[Count, _says("bytes of changed rows of one process at most")] = 1_073_741_824
    calm_ms: Annotated[Limit, _says("without input for so long, stages look for what is stale")] = 1_000
    cache_bytes: Annotated[Count, _says("decoded rows kept in memory, for one stage")] = 1_073_741_824
    rocksdb_bytes: Annotated[Count, _says("RocksDB's own memory, for one process")] = 134_217_728
    rewrite_s: Annotated[Count, _says("files of stores with people in them are rewritten so often")] = 259_200
    views_cache_rows: Annotated[Count, _says("decoded rows of the views kept in memory")] = 50_000


class SnapshotSettings(_Section, frozen=True):
    """Copies of the state, from which a worker goes on when its disk is empty."""

    url: Annotated[str, _says("folder or fsspec URL (file://, s3://...); empty: workers keep none")] = ""
    interval_s: Annotated[Seconds, _says("a partition that moved is copied this often")] = 300.0
    keep: Annotated[Count, _says("snapshots kept of a partition")] = 3
    at_shutdown: Annotated[bool, _says("true copies what moved when the worker is told to stop")] = True
    signing_key_file: Annotated[str, _says("file of a key; snapshots without its signature are refused")] = ""
    longest_outage_s: Annotated[Limit, _says("longest absence of workers that topics must bridge")] = 86_400
    restore_s: Annotated[Limit, _says("time to restore and catch up that topics must bridge")] = 3_600


class IngestSettings(_Section, frozen=True):
    """What ingest accepts."""

    max_value_bytes: Annotated[Count, _says("a message above it is rejected as too_large")] = 1_048_576
    max_lines: Annotated[Count, _says("order lines, or shown items, of one message")] = 1_000
    max_id_bytes: Annotated[Count, _says("length of any id, in UTF-8")] = 256
    max_future_s: Annotated[Limit, _says("how far `at` may be ahead of the send time")] = 86_400


class WeightSettings(_Section, frozen=True):
    """Implicit weight of an action; a rating weighs 1 + rating * value / scale_max."""

    view: Annotated[Weight, _says("an item was looked at")] = 1.0
    cart: Annotated[Weight, _says("an item was put into the cart")] = 2.0
    purchase: Annotated[Weight, _says("an item was bought")] = 4.0
    rating: Annotated[Weight, _says("factor of a rating's share of its scale")] = 2.0


class HistorySettings(_Section, frozen=True):
    """Bounds of a customer's row."""

    linked_items: Annotated[Count, _says("items met before, and after, that an item is paired with")] = 50
    linked_age_days: Annotated[Count, _says("items met longer apart are not paired")] = 90
    max_items: Annotated[Count, _says("items kept for one customer")] = 500
    max_orders: Annotated[Limit, _says("last orders of a customer that an erasure takes back")] = 20
    max_seen: Annotated[Count, _says("recent event ids kept for one customer, against duplicates")] = 1_000
    max_sessions: Annotated[Count, _says("last sessions of a customer that still accept late events")] = 4
    max_follows: Annotated[Limit, _says("people followed that are kept for one customer")] = 100
    session_gap_s: Annotated[Count, _says("a session ends after so long without an event")] = 1_800
    guest_ttl_s: Annotated[Count, _says("a guest's row is dropped so long after the last event")] = 86_400
    erasure_ttl_s: Annotated[Count, _says("events from before an erasure are dropped for so long")] = 604_800


class RulesSettings(_Section, frozen=True):
    """Bounds and decay of the pair counts."""

    half_life_s: Annotated[Limit, _says("half-life of counts; 0 switches decay off")] = 7_776_000
    max_set_size: Annotated[Limit, _says("distinct items of one set that count; 0 is no limit")] = 100
    max_row: Annotated[Limit, _says("partners kept for one item; 0 is no limit")] = 1_000
    max_events_per_hour: Annotated[Limit, _says("events a customer teaches; 0 is no limit")] = 1_000
    min_count: Annotated[Weight, _says("pairs counted less often are not published")] = 2.0
    published_similar: Annotated[Count, _says("similar items published for one item")] = 50
    published_rules: Annotated[Count, _says("rules published for one item and scope")] = 50
    neighbour_similar: Annotated[Count, _says("similar items in the recommender's view of an item")] = 30
    neighbour_rules: Annotated[Count, _says("rules per scope in the recommender's view of an item")] = 15
    republish_growth: Annotated[Weight, _says("growth of its counts to publish an item again")] = 0.05
    republish_interval_ms: Annotated[Limit, _says("an item is published at most so often; 0: always")] = 1_000
    publish_max_share: Annotated[Share, _says("share of the time that publishing may take")] = 0.05
    sweep_rows_per_s: Annotated[Count, _says("items of a partition looked at for what is stale")] = 500


class PopularitySettings(_Section, frozen=True):
    """Decay and size of the popular lists."""

    half_life_s: Annotated[Limit, _says("half-life of popularity; 0 switches decay off")] = 604_800
    leaders: Annotated[Count, _says("items of a scope that are kept")] = 200
    published: Annotated[Count, _says("items of a scope that are published")] = 100
    publish_interval_ms: Annotated[Limit, _says("a scope is published at most so often; 0: always")] = 5_000


class SegmentsSettings(_Section, frozen=True):
    """Clustering of customers."""

    clusters: Annotated[Count, _says("number of segments")] = 4
    forgetting_cap: Annotated[Count, _says("samples a centre remembers at most")] = 2_000
    warmup_samples: Annotated[Count, _says("samples seen before centres are chosen")] = 200
    max_unsent_events: Annotated[Count, _says("events of one customer between two samples")] = 8
    top_items: Annotated[Count, _says("popular items of a segment's profile")] = 50
    top_categories: Annotated[Count, _says("top categories of a segment's profile")] = 5
    publish_interval_ms: Annotated[Limit, _says("centres are published at most so often; 0: always")] = 1_000
    sweep_rows_per_s: Annotated[Count, _says("customers of a partition looked at for stale segments")] = 1_000


class DensitySettings(_Section, frozen=True):
    """Groups of customers by density: as many as there are, and who is like nobody."""

    enabled: Annotated[bool, _says("true finds groups, beside segments, for profiles")] = False
    radius: Annotated[Length, _says("of a micro-cluster, in deviations of weighted features")] = 1.75
    half_life_samples: Annotated[Count, _says("samples after which one counts half")] = 2_000
    shared: Annotated[Part, _says("part of their samples that two have to share to be one group")] = 0.1


class ProfilesSettings(_Section, frozen=True):
    """Profiles of customers, and what is learned of the needs of all of them."""

    enabled: Annotated[bool, _says("false keeps no profiles")] = True
    half_life_s: Annotated[Count, _says("half-life of a customer's interests")] = 2_592_000
    horizon_s: Annotated[Count, _says("the chance of buying is that of an order within so long")] = 604_800
    trends_s: Annotated[Count, _says("window of which the newer half is held against the older")] = 2_419_200
    panel: Annotated[Count, _says("customers who are asked whether they buy, to learn it of all")] = 2_000
    publish_interval_s: Annotated[Limit, _says("a customer's profile is published at most so often")] = 300
    needs_interval_ms: Annotated[Limit, _says("the needs of all are published at most so often")] = 5_000
    sweep_rows_per_s: Annotated[Count, _says("customers of a partition looked at for stale profiles")] = 1_000


class SessionsSettings(_Section, frozen=True):
    """What is remembered of the newest sessions of all customers, and how they are asked."""

    held: Annotated[Limit, _says("sessions that are remembered; 0: none, and the ranker orders nothing")] = (
        150_000
    )
    sample: Annotated[Count, _says("sessions like the current one that are compared")] = 300
    visits: Annotated[Count, _says("items looked at in these sessions: of long ones, fewer")] = 1_000
    candidates: Annotated[Count, _says("items that sessions propose for a list")] = 60
    save_s: Annotated[Count, _says("they are saved at most so often, for the next start")] = 300


class ContentSettings(_Section, frozen=True):
    """What is held of the catalogue, by what items are like, and how it is asked."""

    held: Annotated[Limit, _says("newest items that are held; 0: none")] = 100_000
    profile_items: Annotated[Count, _says("newest items of a customer that others are like")] = 5
    candidates: Annotated[Count, _says("items that are proposed, the most similar ones")] = 50
    similarity: Annotated[Likeness, _says("cosine, or euclidean: 1 / (1 + distance)")] = "cosine"


class RankerSettings(_Section, frozen=True):
    """Learning how to order lists from what customers act on next."""

    enabled: Annotated[bool, _says("false orders lists by the weights of [recommend] alone")] = True
    warm_up: Annotated[Count, _says("lessons before the ranker orders lists")] = 200
    all_lessons: Annotated[Count, _says("from every event comes a lesson until so many are learned")] = 10_000
    tries_per_s: Annotated[
        Limit, _says("events of a partition and second that may become lessons; 0: all")
    ] = 10
    lesson_candidates: Annotated[Count, _says("candidates of a list that go into a lesson")] = 48
    publish_interval_ms: Annotated[Limit, _says("weights are published at most so often; 0: always")] = 1_000


class TreesSettings(_Section, frozen=True):
    """Trees that tell what comes of an open session: an order, and the next category."""

    criterion: Annotated[Criterion, _says("entropy: information gain (C4.5); gini: as CART")] = "entropy"
    adaptive: Annotated[bool, _says("true lets a new tree take over where the old one got worse")] = True
    depth: Annotated[Depth, _says("questions on a path, at most")] = 6
    grace: Annotated[Count, _says("examples of a leaf from one look at its questions to the next")] = 100
    delta: Annotated[Doubt, _says("chance that a leaf asks another question than the best one")] = 1e-4
    tie: Annotated[Part, _says("part of the criterion's range that is no difference")] = 0.07
    warm_up: Annotated[Count, _says("examples that only tell which categories there are")] = 200
    categories: Annotated[
        Classes, _says("most frequent categories, asked for by name; the rest are others")
    ] = 8
    looks: Annotated[Count, _says("looks at a session: after 1, 2, 4, 8... actions")] = 6
    open_sessions: Annotated[Count, _says("open sessions of a partition whose outcome is awaited")] = 10_000
    outcomes_per_minute: Annotated[
        Limit, _says("outcomes that a partition tells the trees in a minute of its clock; 0: all")
    ] = 3_000
    publish_interval_ms: Annotated[Limit, _says("trees are published at most so often; 0: always")] = 1_000


class RecommendSettings(_Section, frozen=True):
    """What a list looks like and how often it is refreshed."""

    enabled: Annotated[bool, _says("false only learns: nothing is recommended")] = True
    k: Annotated[Count, _says("items of a list")] = 10
    refresh_interval_ms: Annotated[Limit, _says("one list per customer in it; 0: one per event")] = 100
    repeat_purchases: Annotated[bool, _says("true recommends what was bought already")] = False
    history_items: Annotated[Count, _says("recent items of a customer that ask for partners")] = 10
    recency_half_life_s: Annotated[Count, _says("half-life of the weight of a customer's items")] = 604_800
    similarity_weight: Annotated[Weight, _says("weight of items similar to the customer's")] = 0.9
    rules_weight: Annotated[Weight, _says("weight of rules over orders")] = 0.6
    session_rules_weight: Annotated[Weight, _says("weight of rules over sessions")] = 0.5
    recent_weight: Annotated[Weight, _says("weight of items looked at and not bought")] = 0.5
    popularity_weight: Annotated[Weight, _says("weight of what is popular overall")] = 0.1
    category_weight: Annotated[Weight, _says("weight of what is popular in the customer's categories")] = 0.2
    segment_weight: Annotated[Weight, _says("weight of what is popular in the customer's segment")] = 0.15
    content_weight: Annotated[Weight, _says("weight of items that are like the customer's")] = 0.3
    social_weight: Annotated[Weight, _says("weight of what those followed act on")] = 0.6
    users_weight: Annotated[Weight, _says("weight of what customers with the same items have")] = 0.6
    max_recent: Annotated[Limit, _says("places of a list for items looked at before; 0 for none")] = 10
    seen: Annotated[Seen, _says("what becomes of items looked at lately and not bought")] = "keep"
    seen_window_s: Annotated[Limit, _says("how long ago lately may be")] = 604_800
    seen_factor: Annotated[Share, _says("their scores are multiplied by it, where seen is demote")] = 0.1
    max_reasons: Annotated[Count, _says("reasons given for one item, strongest first")] = 3
    diversity: Annotated[Part, _says("weight of being unlike the list, against relevance; 0: off")] = 0.0
    max_per_category: Annotated[Limit, _says("places of a list for items of one category; 0 is no limit")] = 0
    max_popularity_lift: Annotated[
        Weight, _says("mean popularity of a list over that of its candidates, at most; 0 is no limit")
    ] = 0.0
    explore: Annotated[Chance, _says("chance of a place to be drawn, with its propensity told; 0: off")] = 0.0
    withdraw_rows_per_s: Annotated[
        Count, _says("standing lists of a partition looked at for what was withdrawn")
    ] = 20_000
    rules_file: Annotated[str, _says("TOML file of the shop's own rules, read again when it changes")] = ""


class AttributionSettings(_Section, frozen=True):
    """What followed the lists of an experiment; the experiments themselves are in docs/experiments.md."""

    lists: Annotated[Count, _says("newest lists of a customer that acts can follow from")] = 10
    click_s: Annotated[Count, _says("a view or cart follows from a list shown so long before, at most")] = (
        1_800
    )
    purchase_s: Annotated[Count, _says("an order follows from a list shown so long before, at most")] = (
        604_800
    )
    outcome_s: Annotated[Count, _says("what a customer does counts for so long from the first list")] = (
        2_592_000
    )


class MetricsSettings(_Section, frozen=True):
    """Prometheus and health."""

    host: Annotated[Text, _says("address of /metrics and /health")] = "127.0.0.1"
    port: Annotated[Port, _says("port of /metrics and /health; 0: a free one")] = 9108
    token_file: Annotated[str, _says("file with the token of /metrics; or FRESHREC_METRICS__TOKEN")] = ""
    watchdog_s: Annotated[Seconds, _says("a worker that stands still so long, with lag, exits")] = 60.0


class ServeSettings(_Section, frozen=True):
    """Answers over HTTP."""

    host: Annotated[Text, _says("address of the HTTP API")] = "127.0.0.1"
    port: Annotated[Port, _says("port of the HTTP API; 0: a free one")] = 8090
    token_file: Annotated[str, _says("file with the token of the API; or FRESHREC_SERVE__TOKEN")] = ""
    max_body_bytes: Annotated[Count, _says("a larger body of a request is refused")] = 1_048_576
    max_k: Annotated[Count, _says("most items that one answer may be asked for")] = 100
    max_events: Annotated[Count, _says("most messages that one request may send")] = 100
    page: Annotated[bool, _says("false takes the page at / away, with all that is made for it")] = True
    max_listeners: Annotated[Count, _says("most streams to pages that are open at a time")] = 50
    search_items: Annotated[Limit, _says("items that the page finds by their words; 0: by id alone")] = 50_000
    worker_url: Annotated[str, _says("a worker's /metrics, for the page; empty: metrics.port here")] = ""


class PrivacySettings(_Section, frozen=True):
    """What is known of people, and what is told of few of them."""

    pseudonym_key_file: Annotated[
        str, _says("file with the key that replaces ids of people; or FRESHREC_PRIVACY__PSEUDONYM_KEY")
    ] = ""
    min_customers: Annotated[Count, _says("smaller segments, and rules counted less often, are not told")] = 1


class LogSettings(_Section, frozen=True):
    """What is written to stderr."""

    level: Annotated[Level, _says("the least that is logged")] = "info"
    json: Annotated[bool, _says("true writes one JSON object per line")] = False


class Settings(_Section, frozen=True):
    """All sections; `freshrec config` prints the effective ones and where each came from.

    `experiments` are tables of their own.
    """

    kafka: KafkaSettings = KafkaSettings()
    state: StateSettings = StateSettings()
    snapshot: SnapshotSettings = SnapshotSettings()
    ingest: IngestSettings = IngestSettings()
    weights: WeightSettings = WeightSettings()
    history: HistorySettings = HistorySettings()
    rules: RulesSettings = RulesSettings()
    popularity: PopularitySettings = PopularitySettings()
    segments: SegmentsSettings = SegmentsSettings()
    density: DensitySettings = DensitySettings()
    profiles: ProfilesSettings = ProfilesSettings()
    sessions: SessionsSettings = SessionsSettings()
    content: ContentSettings = ContentSettings()
    ranker: RankerSettings = RankerSettings()
    trees: TreesSettings = TreesSettings()
    recommend: RecommendSettings = RecommendSettings()
    attribution: AttributionSettings = AttributionSettings()
    metrics: MetricsSettings = MetricsSettings()
    serve: ServeSettings = ServeSettings()
    privacy: PrivacySettings = PrivacySettings()
    log: LogSettings = LogSettings()
    experiments: tuple[Experiment, ...] = ()
