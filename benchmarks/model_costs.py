"""What learning an event and ranking a list cost, by the size of the catalogue, and if memory stays flat.

Run `python -m benchmarks.model_costs`. Each measurement is made in a process of its own, one at a time.
"""

import resource
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import islice, pairwise
from multiprocessing import get_context
from pathlib import Path
from time import get_clock_info, process_time
from typing import Any, Final, TypeVar

import click
import msgspec
from msgspec.structs import replace
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.loads import Load, catalogue, events, key_of, rows
from online_models.evaluation.asking import Asker
from online_models.evaluation.contract import Contender
from online_models.evaluation.in_process import InProcess
from online_models.evaluation.report import Seconds, seconds
from online_models.evaluation.run import LearnsItems
from online_models.open_sessions import OpenSessions
from online_models.sequential_rules import STEPS, BoundedRows, SequentialRules, SessionRules
from online_models.session_blend import SessionBlend
from online_models.session_index import SessionIndex
from online_models.session_knn import STAN, VSKNN, VSTAN, SessionKnn, Weighting
from schemas.messages import Event
from schemas.settings import (
    HistorySettings,
    PopularitySettings,
    RankerSettings,
    RulesSettings,
    SegmentsSettings,
    SessionsSettings,
    Settings,
)
from streams.bench.machine import describe
from streams.evaluating.document import write_json
from streams.evaluating.state_size import bytes_of

RESULTS = Path("benchmarks/results/model-costs.json")
MODELS: Final = ("blend", "session-blend", "vsknn", "stan", "vstan", "ar", "sr")
ITEMS: Final = (10_000, 100_000, 1_000_000)
BAR: Final = 3.0
"""Learning and ranking may cost so many times what they cost in the smallest catalogue."""

FLAT: Final = 1.1
"""Ten times as many events may leave so many times the bytes; tables of Python grow by steps."""

PLACES: Final = 10
_STATISTICS: Final = ("mean", "p50", "p90", "p99")
_KNN: Final[Mapping[str, Weighting]] = {"vsknn": VSKNN, "stan": STAN, "vstan": VSTAN}
Result = TypeVar("Result")


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Of what contenders of sessions hold; the defaults are their own."""

    sessions: int = 150_000
    open_sessions: int = 100_000
    rows: int = 100_000
    entries: int = 100


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How many events are learned for what.

    `warm_up` are learned before anybody asks, `settle` are learned and asked after without being measured,
    `measured` are measured; `fill` are enough to reach small bounds.
    """

    warm_up: int = 1_380_000
    settle: int = 2_000
    measured: int = 5_000
    fill: int = 20_000


SMALL_BOUNDS: Final = Bounds(sessions=500, open_sessions=500, rows=500, entries=20)
SMALL_SETTINGS: Final = Settings(
    history=HistorySettings(
        linked_items=10, max_items=20, max_orders=3, max_seen=20, max_sessions=2, guest_ttl_s=3_600
    ),
    rules=RulesSettings(max_row=20),
    popularity=PopularitySettings(leaders=20, published=20),
    segments=SegmentsSettings(warmup_samples=50),
    sessions=SessionsSettings(held=500),
    ranker=RankerSettings(all_lessons=500),
)
"""Bounds that a few thousand events reach."""


def small_load(name: str, seed: int) -> Load:
    """Return a stream that reaches small bounds.

    What the blend knows of customers and items has no bound but their number, so these are few; the others
    forget, and are given always new ones.
    """
    items, customers = (200, 50) if name == "blend" else (50_000, 20_000)
    return Load(items=items, customers=customers, seed=seed, sessions_per_day=10_000)


def bounds_of(sessions: int) -> Bounds:
    """Return the bounds for so many sessions: what is open and rows of rules are no more than these."""
    usual = Bounds()
    return replace(
        usual,
        sessions=sessions,
        open_sessions=min(sessions, usual.open_sessions),
        rows=min(sessions, usual.rows),
    )


class Held(msgspec.Struct, frozen=True, gc=False):
    """How much of something is held, and how much can be; 0: as much as customers and items give cause for.

    Up to `most` lessons come from every event, further ones more and more rarely. Of what is `full_`, `most`
    is how many there are.
    """

    now: int
    most: int


def made(name: str, settings: Settings, bounds: Bounds) -> tuple[Contender, Callable[[], dict[str, Held]]]:
    """Return a contender of the house, and what tells how much it holds.

    Examples
    --------
    >>> contender, held = made("sr", Settings(), Bounds(rows=5))
    >>> held()["rows"]
    Held(now=0, most=5)
    """
    if name == "blend":
        house = InProcess(settings)
        return house, lambda: _held_by(house, settings)
    index = SessionIndex(sessions=bounds.sessions if name in (*_KNN, "session-blend") else 1)

    def sessions() -> dict[str, Held]:
        return {"sessions": Held(min(index.newest + 1, bounds.sessions), bounds.sessions)}

    if name in _KNN:
        return SessionKnn(_KNN[name], index), sessions
    lengths = {"session-blend": 50, "sr": STEPS, "ar": 100}
    opened = OpenSessions(sessions=bounds.open_sessions, length=lengths[name])

    def still_open() -> dict[str, Held]:
        return {"open_sessions": Held(len(opened), bounds.open_sessions)}

    if name == "session-blend":
        return SessionBlend(index, sessions=opened), lambda: sessions() | still_open()
    kept = BoundedRows(rows=bounds.rows, entries=bounds.entries)

    def rows_kept() -> dict[str, Held]:
        # A row is cut when it has grown to twice its bound: the most there can be is less than that.
        entries = Held(kept.entries(), bounds.rows * (2 * bounds.entries - 1))
        return {"rows": Held(len(kept), bounds.rows), "entries": entries}

    model = SessionRules(kept, opened) if name == "ar" else SequentialRules(kept, opened)
    return model, lambda: rows_kept() | still_open()


def _held_by(house: InProcess, settings: Settings) -> dict[str, Held]:
    found = house.held()
    most = {
        "sessions": settings.sessions.held,
        "lessons": settings.ranker.all_lessons,
        "full_histories": found["histories"],
        "full_pair_rows": found["pair_rows"],
    }
    return {key: Held(now, most.get(key, 0)) for key, now in found.items()}


def askers(load: Load, start: int, count: int) -> set[str]:
    """Return who acts in a part of the stream."""
    found: set[str] = set()
    passed = 0
    for block in rows(load):
        some = slice(max(0, start - passed), max(0, start + count - passed))
        pairs = zip(block.session[some].tolist(), block.customer[some].tolist(), strict=True)
        found.update(key_of(session, customer) for session, customer in pairs)
        passed += len(block.at)
        if passed >= start + count:
            return found
    return found


def costs(name: str, load: Load, plan: Plan, settings: Settings, bounds: Bounds) -> dict[str, Any]:
    """Return what a contender costs after its warm-up: it learns an event, then ranks for who did it."""
    contender, held = made(name, settings, bounds)
    if isinstance(contender, LearnsItems):
        for facts in catalogue(load):
            contender.learn_item(facts)
    asker = Asker(settings, k=PLACES, repeats=True)
    asking = askers(load, plan.warm_up, plan.settle + plan.measured)
    stream = events(load)
    for event in islice(stream, plan.warm_up):
        contender.learn_one(event)
        if event.key in asking:
            asker.note(event)
    _steps(contender, asker, islice(stream, plan.settle))
    learned, ranked = _steps(contender, asker, islice(stream, plan.measured))
    holds = held()
    return {
        "learn_us": _us(seconds(learned)),
        "rank_us": _us(seconds(ranked)),
        "state_bytes": bytes_of(contender),
        "peak_rss_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "holds": {key: msgspec.to_builtins(each) for key, each in holds.items()},
        "not_at_bound": [key for key, each in holds.items() if each.now < each.most],
        "no_bound": [key for key, each in holds.items() if not each.most],
    }


def _steps(contender: Contender, asker: Asker, stream: Iterator[Event]) -> tuple[list[float], list[float]]:
    learned, ranked = [], []
    for event in stream:
        begun = process_time()
        contender.learn_one(event)
        learned.append(process_time() - begun)
        asker.note(event)
        # What is right does not matter here, as long as there is something.
        ask = asker.ask(event.key, now=event.at, relevant={"anything"}, session_id=event.session_id)
        if ask is not None:
            begun = process_time()
            contender.rank(ask.query)
            ranked.append(process_time() - begun)
    return learned, ranked


def _us(taken: Seconds) -> dict[str, float]:
    return {each: float(f"{1e6 * getattr(taken, each):.4g}") for each in _STATISTICS}


def memory(name: str, seed: int, plan: Plan, settings: Settings, bounds: Bounds) -> dict[str, Any]:
    """Return the bytes that a contender holds once its bounds are reached, and after ten times as much."""
    load = small_load(name, seed)
    contender, held = made(name, settings, bounds)
    if isinstance(contender, LearnsItems):
        for facts in catalogue(load):
            contender.learn_item(facts)
    stream, counts, found = events(load), [plan.fill, 10 * plan.fill], []
    for count in (counts[0], counts[1] - counts[0]):
        for event in islice(stream, count):
            contender.learn_one(event)
        found.append(bytes_of(contender))
    ratio = round(found[1] / found[0], 3)
    holds = {key: msgspec.to_builtins(each) for key, each in held().items()}
    return {"events": counts, "bytes": found, "ratio": ratio, "flat": ratio <= FLAT, "holds": holds}


def with_ratios(by_size: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Add to what was measured, by size, how many times it is what it is for the smallest.

    Examples
    --------
    >>> def cost(us):
    ...     one = dict.fromkeys(("mean", "p50", "p90", "p99"), us)
    ...     return {"learn_us": one, "rank_us": one, "state_bytes": 1}
    >>> found = with_ratios({"10": cost(2.0), "99": cost(7.0)})
    >>> found["99"]["ratio"]["rank_us"]["p90"], found["99"]["within_bar"]
    (3.5, False)
    """
    smallest = by_size[min(by_size, key=int)]
    found = {}
    for size, each in by_size.items():
        ratio = {
            what: {name: _ratio(each[what][name], smallest[what][name]) for name in _STATISTICS}
            for what in ("learn_us", "rank_us")
        }
        within = all(value <= BAR for part in ratio.values() for value in part.values())
        of_bytes = _ratio(each["state_bytes"], smallest["state_bytes"])
        found[size] = {**each, "ratio": {**ratio, "state_bytes": of_bytes}, "within_bar": within}
    return found


def _ratio(value: float, smallest: float) -> float:
    return round(value / smallest, 3) if smallest else 0.0


def alone(call: Callable[..., Result], *arguments: object) -> Result:
    """Call something in a new process, so that nothing of another measurement is in its memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(call, *arguments).result()


def clock() -> dict[str, Any]:
    """Return what measures, and how long reading it takes, which is part of every figure."""
    reads = [process_time() for _ in range(1_000)]
    gaps = sorted(after - before for before, after in pairwise(reads))
    about = get_clock_info("process_time")
    return {
        "name": "process_time, CPU time of the process",
        "implementation": about.implementation,
        "read_us": round(1e6 * gaps[len(gaps) // 2], 2),
    }


def cost_table(found: Mapping[str, Mapping[str, Mapping[str, Any]]], part: str, title: str) -> Table:
    """Return the table of what learning or ranking costs, and how often what it costs in the smallest."""
    columns = ("items", *_STATISTICS, *(f"x {name}" for name in _STATISTICS), "MB")
    shown = _table(title, columns)
    for name, by_size in found.items():
        for size, each in by_size.items():
            taken, ratio = each[part], each["ratio"][part]
            times = (f"{ratio[s]:.2f}{'!' if ratio[s] > BAR else ''}" for s in _STATISTICS)
            megabytes = f"{each['state_bytes'] / 1e6:,.1f}"
            shown.add_row(
                name, f"{int(size):,}", *(f"{taken[s]:,.0f}" for s in _STATISTICS), *times, megabytes
            )
    return shown


def memory_table(found: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return the table of bytes under small bounds."""
    shown = _table(
        f"bytes of state under small bounds; ! above {FLAT:g}", ("events", "KB", "events", "KB", "ratio")
    )
    for name, each in found.items():
        pairs = zip(each["events"], each["bytes"], strict=True)
        cells = [text for count, size in pairs for text in (f"{count:,}", f"{size // 1_000:,}")]
        shown.add_row(name, *cells, f"{each['ratio']:.3f}{'' if each['flat'] else '!'}")
    return shown


def _table(title: str, columns: Iterable[str]) -> Table:
    shown = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    shown.add_column("model", no_wrap=True)
    for column in columns:
        shown.add_column(column, justify="right")
    return shown


class Numbers(click.ParamType):
    """Whole numbers separated by commas."""

    name = "numbers"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            found = tuple(sorted({int(part) for part in value.split(",")}))
        except ValueError:
            self.fail(f"{value!r} is not whole numbers separated by commas", param, ctx)
        if found[0] < 1:
            self.fail(f"{found[0]} is not a size; expected 1 or more", param, ctx)
        return found


@click.command()
@click.option(
    "--items", type=Numbers(), default=",".join(map(str, ITEMS)), show_default=True, help="Catalogues."
)
@click.option("--models", default=",".join(MODELS), show_default=True, help="Names separated by commas.")
@click.option(
    "--sessions",
    type=click.IntRange(1),
    default=Bounds().sessions,
    show_default=True,
    help="Held at most; open ones and rows of rules, too, if it is less than theirs.",
)
@click.option("--warm-up", type=click.IntRange(1), help="Events; by default enough for all sessions held.")
@click.option(
    "--measured", type=click.IntRange(1), default=Plan().measured, show_default=True, help="Events."
)
@click.option(
    "--fill", type=click.IntRange(1), default=Plan().fill, show_default=True, help="Events to small bounds."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the streams.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True)
def main(
    items: tuple[int, ...],
    models: str,
    sessions: int,
    warm_up: int | None,
    measured: int,
    fill: int,
    seed: int,
    out: Path,
) -> None:
    """Measure what models of the house cost in catalogues of several sizes, and what they hold."""
    names = [name.strip() for name in models.split(",")]
    if unknown := set(names) - set(MODELS):
        raise click.BadParameter(f"there is no {min(unknown)!r}; expected some of {', '.join(MODELS)}")
    enough = int(1.15 * sessions * Load(items=1).events_per_session)
    plan = Plan(warm_up=warm_up or enough, measured=measured, fill=fill)
    settings, bounds = Settings(sessions=SessionsSettings(held=sessions)), bounds_of(sessions)
    document: dict[str, Any] = {
        "seed": seed,
        "k": PLACES,
        "clock": clock(),
        "bar": {"times_smallest": BAR, "times_bytes": FLAT},
        "plan": msgspec.to_builtins(plan),
        "load": msgspec.to_builtins(Load(items=items[0], seed=seed)) | {"items": items},
        "bounds": msgspec.to_builtins(bounds),
        "settings": _learning(settings),
        "small": {
            "bounds": msgspec.to_builtins(SMALL_BOUNDS),
            "settings": _learning(SMALL_SETTINGS),
            "loads": {name: msgspec.to_builtins(small_load(name, seed)) for name in names},
        },
        "machine": describe(),
        "memory": {},
        "costs": {},
    }
    console = Console(stderr=True, markup=False)
    for name in names:
        with console.status(f"{name}: memory"):
            document["memory"][name] = alone(memory, name, seed, plan, SMALL_SETTINGS, SMALL_BOUNDS)
        write_json(out, document)
    for name in names:
        by_size = {}
        for size in items:
            with console.status(f"{name}: {size:,} items"):
                by_size[str(size)] = alone(costs, name, Load(items=size, seed=seed), plan, settings, bounds)
            # A run of all takes long; what there is so far is worth having.
            document["costs"][name] = with_ratios(by_size)
            write_json(out, document)
    shown = Console(markup=False)
    for part in ("learn", "rank"):
        title = f"{part}: us of CPU time; x: times the smallest catalogue, ! above {BAR:g}"
        shown.print(cost_table(document["costs"], f"{part}_us", title))
    shown.print(memory_table(document["memory"]))
    click.echo(str(out))


def _learning(settings: Settings) -> dict[str, Any]:
    sections = ("weights", "history", "rules", "popularity", "segments", "sessions", "ranker", "recommend")
    return {name: msgspec.to_builtins(getattr(settings, name)) for name in sections}


if __name__ == "__main__":
    main()
