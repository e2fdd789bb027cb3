"""Finding the cause of trouble: each check looks at one thing and says what it saw and what to do.

Reads only: the broker through its admin interface, stores beside a running worker, the size of the disk.
"""

import shutil
from pathlib import Path
from typing import Final

from schemas.settings import KafkaSettings, Settings
from streams.broker_check import find_trouble
from streams.cluster import topic_specs
from streams.doctor_finding import Finding
from streams.doctor_lag import check_lag
from streams.doctor_models import check_models, check_state
from streams.erasure import days, too_long
from streams.errors import BrokerError
from streams.topics import check_topics, list_topics

MIN_FREE_SHARE: Final = 0.05
MIN_FREE_BYTES: Final = 2**30
_REFERRAL: Final = ". 'freshrec doctor' looks for the cause"


def examine(settings: Settings, *, wait_s: float = 3.0) -> list[Finding]:
    """Run every check that makes sense; those that need a broker, or all topics, only with them.

    Parameters
    ----------
    settings
        Broker, topics and `state.dir`.
    wait_s
        Time between the two looks at the lag.
    """
    findings = [*check_disk(Path(settings.state.dir)), *check_state(settings), *check_erasure(settings)]
    findings += check_broker(settings.kafka)
    if not findings[-1].ok:
        return findings
    try:
        findings += check_topology(settings.kafka)
        if findings[-1].ok:
            findings += check_lag(settings, wait_s=wait_s)
            findings += check_models(settings)
    except BrokerError as error:
        cause = str(error).removesuffix(_REFERRAL)
        findings.append(Finding("broker", ok=False, cause=cause, what_to_do="see the log of the broker"))
    return findings


def check_disk(
    folder: Path, *, min_free_share: float = MIN_FREE_SHARE, min_free_bytes: float = MIN_FREE_BYTES
) -> list[Finding]:
    """Whether the disk that a state directory is on, or will be, has room."""
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    usage = shutil.disk_usage(place)
    free = f"{usage.free / 2**30:.1f} of {usage.total / 2**30:.1f} GiB are free for {folder}"
    if usage.free >= min_free_bytes and usage.free >= min_free_share * usage.total:
        return [Finding("disk", ok=True, cause=free)]
    advice = "make room, or move state.dir to another disk: RocksDB cannot write on a full one"
    return [Finding("disk", ok=False, cause=f"the disk is almost full: {free}", what_to_do=advice)]


def check_erasure(settings: Settings) -> list[Finding]:
    """Whether the settings let every trace of a forgotten customer go in time."""
    trouble = too_long(settings)
    if trouble is None:
        cause = f"no trace of a forgotten customer is left after {days(settings):.0f} days"
        return [Finding("erasure", ok=True, cause=cause)]
    cause, _, advice = trouble.partition("; ")
    return [Finding("erasure", ok=False, cause=cause, what_to_do=advice)]


def check_broker(settings: KafkaSettings) -> list[Finding]:
    """Whether a broker answers, in the way that the settings say."""
    trouble = find_trouble(settings)
    if trouble is None:
        return [Finding("broker", ok=True, cause=f"a Kafka broker answers at {settings.bootstrap_servers}")]
    cause = f"{trouble.cause}; topics, lag and models were not looked at"
    return [Finding("broker", ok=False, cause=cause, what_to_do=trouble.what_to_do)]


def check_topology(settings: KafkaSettings) -> list[Finding]:
    """Whether every topic is there as the topology wants it: the missing ones, then each wrong one."""
    specs = topic_specs(settings)
    present = {state.name for state in list_topics(settings)}
    missing = [spec.name for spec in specs if spec.name not in present]
    there = [spec for spec in specs if spec.name in present]
    findings = []
    if missing:
        named = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        verb = "is" if len(missing) == 1 else "are"
        cause = f"{len(missing)} of {len(specs)} topics {verb} missing: {named}"
        advice = "create them with 'freshrec topics create', or correct FRESHREC_KAFKA__TOPIC_PREFIX"
        findings.append(Finding("topics", ok=False, cause=cause, what_to_do=advice))
    for problem in check_topics(settings, there):
        cause, _, advice = problem.partition(": ")
        findings.append(Finding("topics", ok=False, cause=cause, what_to_do=advice))
    return findings or [
        Finding("topics", ok=True, cause=f"{len(specs)} topics are as the topology wants them")
    ]
