"""What answers over HTTP cost: a real Kafka, a worker, a server, events beside, one load generator.

Run `python -m benchmarks.serve`. Latency is from when a request was due, in an open loop; the load generator
shares the cores with all the others, and the results say what else ran.
"""

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from statistics import median

import click
import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.http_load import Measured, get, measure, post
from streams.bench.machine import cpu_seconds, describe
from streams.bench.producer import ProducerPlan, messages
from streams.bench.rig import Rig, free_port, rig
from streams.errors import FreshrecError

RESULTS = Path("benchmarks/results/serve.json")
PARTITIONS, RATE, EVENTS_PER_S, START_S = 4, 1_000.0, 100.0, 120.0
KINDS = ("standing lists", "lists made for the question", "sessions", "popular")


class Asked(msgspec.Struct):
    """Requests of each kind."""

    kind: str
    requests: list[bytes]


def asked(users: list[str], items: list[str]) -> Iterator[Asked]:
    """Requests as storefronts make them."""
    yield Asked(KINDS[0], [get(f"/v1/users/{user}/recommendations") for user in users])
    yield Asked(KINDS[1], [get(f"/v1/users/{user}/recommendations?k=20") for user in users])
    sessions = [items[n : n + 1 + n % 5] for n in range(len(items))]
    bodies = [msgspec.json.encode({"items": session, "explain": False}) for session in sessions]
    yield Asked(KINDS[2], [post("/v1/sessions/recommendations", body) for body in bodies])
    yield Asked(KINDS[3], [get("/v1/popular")])


@contextmanager
def served(each: Rig, folder: Path) -> Iterator[tuple[int, int]]:
    """Run `freshrec serve` beside the worker: its port and process id, once it is ready."""
    port = free_port()
    variables = {
        **os.environ,
        "FRESHREC_KAFKA__BOOTSTRAP_SERVERS": each.bootstrap,
        "FRESHREC_KAFKA__PARTITIONS": str(each.partitions),
        "FRESHREC_STATE__DIR": str(folder / "served"),
        "FRESHREC_SERVE__PORT": str(port),
        "FRESHREC_LOG__LEVEL": "warning",
    }
    with (folder / "serve.log").open("wb") as log:
        command = [sys.executable, "-m", "streams.cli", "serve"]
        process = subprocess.Popen(command, env=variables, stdout=log, stderr=log)  # noqa: S603  # our own
        try:
            _wait_ready(port, process, folder / "serve.log")
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_ready(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2):
                return
        except OSError:
            time.sleep(0.25)
    raise FreshrecError(f"the server was not ready within {START_S:.0f} s:\n{log.read_text()[-2000:]}")


def _plan(each: Rig, part: str, events: int, rate: float, *, seed: int) -> ProducerPlan:
    now = time.time_ns() // 1_000_000 + (3_000 if rate else 0)
    return ProducerPlan(each.bootstrap, "", each.partitions, part, events, rate, rate or 10_000.0, now, seed)


def _who_and_what(plan: ProducerPlan, count: int) -> tuple[list[str], list[str]]:
    users, items = dict[str, None](), list[str]()
    for each in islice(messages(plan), count):
        message = msgspec.json.decode(each.value)
        if message.get("user_id"):
            users[message["user_id"]] = None
        if message.get("item_id"):
            items.append(message["item_id"])
    return list(users), items


def _known(port: int, users: list[str]) -> list[str]:
    """Those who have a standing list, as the server says."""
    found = []
    for user in users:
        address = f"http://127.0.0.1:{port}/v1/users/{user}/recommendations?explain=false"
        with urllib.request.urlopen(address, timeout=10) as answer:
            if not msgspec.json.decode(answer.read())["computed"]:
                found.append(user)
    return found


def _best(runs: list[Measured]) -> dict[str, object]:
    middle = sorted(runs, key=lambda run: run.p99_ms)[len(runs) // 2]
    return {"median_by_p99": middle, "p99_ms": sorted(run.p99_ms for run in runs), "runs": len(runs)}


def run(folder: Path, events: int, seconds: float, rounds: int) -> dict[str, object]:
    """Fill a shop, then measure each kind of question at a rate and as fast as it goes."""
    with rig(folder, {"FRESHREC_RECOMMEND__REFRESH_INTERVAL_MS": "1000"}, partitions=PARTITIONS) as each:
        sent = each.sent(each.produce(_plan(each, "catalogue", 0, 0.0, seed=1))).events
        first = _plan(each, "events", events, 0.0, seed=1)
        sent += each.sent(each.produce(first)).events
        each.wait_learned(sent, timeout_s=1_800.0)
        users, items = _who_and_what(first, events)
        with served(each, folder) as (port, pid):
            users = _known(port, users[:2_000])
            found: dict[str, object] = {"customers_asked": len(users)}
            for kind in asked(users, items[:2_000]):
                found[kind.kind] = _measured(each, port, pid, kind, seconds, rounds)
            return found


def _measured(each: Rig, port: int, pid: int, kind: Asked, seconds: float, rounds: int) -> dict[str, object]:
    at_rate, fastest, cpu = [], [], []
    for number in range(rounds):
        duration = int((seconds + 12) * EVENTS_PER_S)
        beside = each.produce(_plan(each, "events", duration, EVENTS_PER_S, seed=100 + number))
        time.sleep(4.0)
        before, started = cpu_seconds(pid), time.monotonic()
        address = ("127.0.0.1", port)
        at_rate.append(uvloop.run(measure(address, kind.requests, per_s=RATE, seconds=seconds)))
        cpu.append((cpu_seconds(pid) - before) / (time.monotonic() - started))
        fastest.append(uvloop.run(measure(address, kind.requests, per_s=0.0, seconds=seconds / 2)))
        each.sent(beside)
    return {
        "at_rate": _best(at_rate),
        "server_cores_at_rate": round(median(cpu), 3),
        "fastest_per_s": sorted(run.per_s for run in fastest),
        "failed": sum(run.failed for run in (*at_rate, *fastest)),
    }


@click.command()
@click.option("--events", type=click.IntRange(1_000), default=20_000, show_default=True)
@click.option("--seconds", type=click.FloatRange(2.0), default=10.0, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True)
@click.option("--beside", default="", help="What else runs on the machine, to be written into the result.")
def main(events: int, seconds: float, rounds: int, out: Path, beside: str) -> None:
    """Measure answers over HTTP at 1,000 requests/s, and how many there are at most."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="freshrec-serve-") as name:
        found = run(Path(name), events, seconds, rounds)
    document = {
        "settings": {
            "rate_per_s": RATE,
            "events_per_s_beside": EVENTS_PER_S,
            "events_before": events,
            "seconds": seconds,
            "rounds": rounds,
            "partitions": PARTITIONS,
            "world": "bench-1",
        },
        "machine": describe(),
        "load_average_before": round(load, 2),
        "beside": beside,
        "result": found,
    }
    out.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")
    table = Table("question", "p50, ms", "p99, ms", "most per s", title="answers over HTTP at 1,000/s")
    for kind in KINDS:
        row = msgspec.to_builtins(found[kind])
        middle = row["at_rate"]["median_by_p99"]
        table.add_row(kind, str(middle["p50_ms"]), str(middle["p99_ms"]), f"{max(row['fastest_per_s']):,.0f}")
    Console(stderr=True).print(table)
    click.echo(str(out))


if __name__ == "__main__":
    main()
