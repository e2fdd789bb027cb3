"""Lag that does not move: committed offsets of the worker's groups, looked at more than once.

Reads only, through the broker's admin interface.
"""

import time
from collections.abc import Callable
from typing import Final

from schemas.settings import Settings
from streams.doctor_finding import Finding
from streams.offsets import GroupLag, Place, group_lags

COMMIT_INTERVAL_S: Final = 1.0
SHORTEST_WAIT_S: Final = 0.01


def check_lag(
    settings: Settings, *, wait_s: float, wait: Callable[[float], object] = time.sleep
) -> list[Finding]:
    """Whether what waits is being read, for each stage group: committed offsets are looked at twice.

    A worker commits what it has flushed; one that is there gets the longest time between two flushes to
    do so, in several looks.
    """
    before = latest = group_lags(settings.kafka)
    patience_s = settings.state.flush_max_interval_ms / 1000 + COMMIT_INTERVAL_S
    waited_s = 0.0
    while any(
        _stuck(old, new) and (not waited_s or new.joined) for old, new in zip(before, latest, strict=True)
    ):
        if waited_s and waited_s >= patience_s:
            break
        pause_s = max(wait_s, SHORTEST_WAIT_S)
        wait(pause_s)
        waited_s += pause_s
        latest = group_lags(settings.kafka)
    return [_moves(old, new, waited_s) for old, new in zip(before, latest, strict=True)]


def _stuck(before: GroupLag, after: GroupLag) -> dict[Place, int]:
    """How much waits in each partition that had lag before and did not move."""
    return {
        place: after.waiting[place]
        for place, lag in before.waiting.items()
        if lag and after.waiting[place] and after.committed[place] == before.committed[place]
    }


def _moves(before: GroupLag, after: GroupLag, waited_s: float) -> Finding:
    waiting, stuck = sum(after.waiting.values()), _stuck(before, after)
    if not stuck:
        state = f"{waiting:,} records wait, and are being read" if waiting else "nothing waits"
        return Finding("lag", ok=True, cause=f"{after.group}: {state}")
    (topic, partition), most = max(stuck.items(), key=lambda item: item[1])
    cause = (
        f"{after.group} has not moved for {waited_s:.1f} s in {len(stuck)} partitions where "
        f"{sum(stuck.values()):,} records wait; most in {topic}/{partition}: {most:,}"
    )
    advice = "no worker is in this group: start 'freshrec worker', with the stages of this group"
    if after.joined:
        advice = "a worker is in this group: see its log and /health/live, and restart it if it hangs"
    return Finding("lag", ok=False, cause=cause, what_to_do=advice)
