"""The settings that a demo runs with: the defaults, but for where things are and how soon they show."""

from pathlib import Path

from schemas.settings import KafkaSettings, MetricsSettings, RulesSettings, Settings, StateSettings

STATE = "state"
_MEBIBYTE = 1024 * 1024


def demo_settings(folder: Path) -> Settings:
    """Settings for a demo in a folder; the broker's address is still missing.

    Nobody's freshrec.toml or environment takes part, so that the demo is the same everywhere.
    """
    return Settings(
        kafka=KafkaSettings(linger_ms=0),
        state=StateSettings(
            dir=str(folder / STATE), cache_bytes=64 * _MEBIBYTE, rocksdb_bytes=32 * _MEBIBYTE
        ),
        rules=RulesSettings(republish_interval_ms=500),
        metrics=MetricsSettings(port=0),
    )
