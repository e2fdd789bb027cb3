"""How long after an erasure something can still be found that names who was forgotten.

What may be read is gone at once: histories, segments and lists. What is left are old records of topics, old
versions of rows in files, the note that shuts out late events, and snapshots; each goes by a setting.
"""

from typing import Final

from schemas.settings import Settings
from streams.cluster import TOMBSTONE_MS, segment_ms

MOST_DAYS: Final = 30
_DAY_S: Final = 86_400
_HOUR_S: Final = 3_600


def traces(settings: Settings) -> dict[str, float]:
    """Return after how many days the last trace of a forgotten customer is gone, by where it is.

    Notes
    -----
    A file of a topic goes when its newest record is older than the retention. A compacted topic drops the
    older value of a key within the compaction lag, the note of its deletion a day and another lag later.
    Stores drop the note that shuts out late events after `history.erasure_ttl_s`, by the time of events and
    by whole hours, and files are rewritten every `state.rewrite_s`; snapshots follow while events come.

    Examples
    --------
    >>> {where: round(days, 1) for where, days in traces(Settings()).items()}
    {'topics': 8.0, 'compacted topics': 15.0, 'stores': 10.1, 'snapshots': 10.1}
    """
    retention_s = settings.kafka.retention_hours * _HOUR_S
    stores_s = settings.history.erasure_ttl_s + 2 * _HOUR_S + settings.state.rewrite_s
    kept_s = settings.snapshot.keep * settings.snapshot.interval_s if settings.snapshot.url else 0
    found = {
        "topics": retention_s + segment_ms(settings.kafka) / 1000,
        "compacted topics": 2 * retention_s + TOMBSTONE_MS / 1000,
        "stores": stores_s,
        "snapshots": stores_s + kept_s,
    }
    return {where: seconds / _DAY_S for where, seconds in found.items()}


def days(settings: Settings) -> float:
    """Return after how many days no trace is left anywhere."""
    return max(traces(settings).values())


def too_long(settings: Settings) -> str | None:
    """Say what lasts longer than `MOST_DAYS`, and what to do; None if nothing does."""
    where, longest = max(traces(settings).items(), key=lambda each: each[1])
    if longest <= MOST_DAYS:
        return None
    names = {
        "topics": "kafka.retention_hours",
        "compacted topics": "kafka.retention_hours",
        "stores": "history.erasure_ttl_s or state.rewrite_s",
        "snapshots": "snapshot.keep or snapshot.interval_s",
    }
    return (
        f"traces of a forgotten customer stay in {where} for {longest:.1f} days, expected at most "
        f"{MOST_DAYS}; lower {names[where]}"
    )
