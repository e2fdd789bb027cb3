"""Every setting, with its default and unit, in one struct. Each constant has exactly one home: here.

Where a value came from (file, environment, default) is `streams.config`'s business.
"""

import msgspec


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class KafkaSettings(_Section, frozen=True):
    """Where the broker is and how topics are made."""

    bootstrap_servers: str = "127.0.0.1:9092"
    topic_prefix: str = ""
    partitions: int = 4
    replication: int = 1
    retention_hours: int = 168
    session_timeout_s: float = 15.0
    max_batch_records: int = 1000
    fetch_max_bytes: int = 4_194_304
    linger_ms: int = 2
    send_timeout_s: float = 30.0


class StateSettings(_Section, frozen=True):
    """Where RocksDB lives and what it may use."""

    dir: str = ".freshrec/state"
    flush_interval_ms: int = 200
    flush_max_share: float = 0.1
    flush_max_interval_ms: int = 10_000
    flush_max_rows: int = 50_000
    cache_bytes: int = 536_870_912
    rocksdb_bytes: int = 134_217_728
    views_cache_rows: int = 50_000


class IngestSettings(_Section, frozen=True):
    """What ingest accepts."""

    max_value_bytes: int = 1_048_576
    max_lines: int = 1_000
    max_id_bytes: int = 256
    max_future_s: int = 86_400


class WeightSettings(_Section, frozen=True):
    """Implicit weight of an action; a rating weighs 1 + rating * value / scale_max."""

    view: float = 1.0
    cart: float = 2.0
    purchase: float = 4.0
    rating: float = 2.0


class HistorySettings(_Section, frozen=True):
    """Bounds of a customer's row."""

    linked_items: int = 50
    linked_age_days: int = 90
    max_items: int = 200
    max_seen: int = 1_000
    max_sessions: int = 4
    session_gap_s: int = 1_800
    guest_ttl_s: int = 86_400


class RulesSettings(_Section, frozen=True):
    """Bounds and decay of the pair counts."""

    half_life_s: int = 7_776_000
    max_set_size: int = 100
    max_row: int = 1_000
    max_events_per_hour: int = 1_000
    min_count: float = 2.0
    published_similar: int = 50
    published_rules: int = 50
    republish_growth: float = 0.05
    republish_interval_ms: int = 1_000
    publish_max_share: float = 0.25
    sweep_rows_per_s: int = 2_000


class PopularitySettings(_Section, frozen=True):
    """Decay and size of the popular lists."""

    half_life_s: int = 604_800
    leaders: int = 200
    published: int = 100


class SegmentsSettings(_Section, frozen=True):
    """Clustering of customers."""

    clusters: int = 4
    forgetting_cap: int = 2_000
    warmup_samples: int = 200
    max_unsent_events: int = 8
    top_items: int = 50
    top_categories: int = 5
    publish_interval_ms: int = 1_000


class RecommendSettings(_Section, frozen=True):
    """What a list looks like and how often it is refreshed."""

    enabled: bool = True
    k: int = 10
    refresh_interval_ms: int = 100
    repeat_purchases: bool = False
    history_items: int = 20
    recency_half_life_s: int = 604_800
    similarity_weight: float = 0.9
    rules_weight: float = 0.6
    session_rules_weight: float = 0.5
    recent_weight: float = 0.5
    popularity_weight: float = 0.1
    category_weight: float = 0.2
    segment_weight: float = 0.15
    max_recent: int = 3
    max_reasons: int = 3


class MetricsSettings(_Section, frozen=True):
    """Prometheus and health."""

    host: str = "127.0.0.1"
    port: int = 9108
    watchdog_s: float = 60.0


class LogSettings(_Section, frozen=True):
    """What is written to stderr."""

    level: str = "info"
    json: bool = False


class Settings(_Section, frozen=True):
    """All sections; `freshrec config` prints the effective ones and where each came from."""

    kafka: KafkaSettings = KafkaSettings()
    state: StateSettings = StateSettings()
    ingest: IngestSettings = IngestSettings()
    weights: WeightSettings = WeightSettings()
    history: HistorySettings = HistorySettings()
    rules: RulesSettings = RulesSettings()
    popularity: PopularitySettings = PopularitySettings()
    segments: SegmentsSettings = SegmentsSettings()
    recommend: RecommendSettings = RecommendSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()
