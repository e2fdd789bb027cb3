"""Outcomes of sessions for `benchmarks.trees`: of simulated shops, of those that change, of public sets."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
import msgspec

from online_models.evaluation.session_outcomes import outcomes_of
from online_models.worlds import PRESETS, Storefront
from schemas.messages import Event, Line
from schemas.settings import Settings
from schemas.trees import Outcome
from streams.evaluating.logs import LogReader

WORLDS: Final = ("small", "groups", "drift")
"""Presets, slowed down to an event every five seconds, so that some days go by."""

DRIFTS: Final = ("turned", "browsers")
"""Changes of the world `small`: who has a cart buys, then no longer; short visits buy, then long ones."""

SETS: Final = {"rees46": "rees46/2019-oct-head.csv.gz", "trivago": "trivago/actions.parquet"}
"""Name -> place below DATA."""

_CLICKOUT = "clickout item"
_LOOKS = "interaction item"


def of_world(name: str, seed: int, count: int, **changes: Any) -> list[Outcome]:
    """Outcomes of the sessions in the first events of a shop."""
    world = msgspec.structs.replace(PRESETS[name], seed=seed, events_per_s=0.2, bad_share=0.0, **changes)
    shop = Storefront(world)
    with TemporaryDirectory(prefix="freshrec-trees-") as folder:
        file = Path(folder) / "events.jsonl"
        with file.open("wb") as lines:
            for each in chain(shop.catalogue(), islice(shop.events(), count)):
                lines.write(each.value + b"\n")
        settings = Settings()
        return list(outcomes_of(LogReader(settings).read(file, "jsonl"), settings))


def drifting(name: str, seed: int, count: int) -> tuple[list[Outcome], int]:
    """Outcomes of a shop that changes in the middle, and which is the first after that."""
    before: dict[str, Any] = {"cart_share": 0.3, "order_share": 1.0, "buy_share": 0.35}
    after: dict[str, Any] = {"cart_share": 0.3, "order_share": 0.15, "buy_share": 0.6}
    if name == "browsers":
        before, after = {"group_contrast": 3.0, "buy_share": 0.2}, {"group_contrast": 0.34, "buy_share": 0.5}
    first = of_world("small", seed, count // 2, **before)
    second = of_world("small", seed, count // 2, **after)
    return first + second, len(first)


def of_set(name: str, data: Path) -> list[Outcome]:
    """Outcomes of the sessions of a public data set."""
    file, settings = data / SETS[name], Settings()
    if not file.is_file():
        raise click.ClickException(f"{data} does not hold {SETS[name]}; name the folder that does")
    log = trivago(file) if name == "trivago" else LogReader(settings).read(file, name)
    return list(outcomes_of(log, settings))


def trivago(file: Path) -> Iterator[Event]:
    """Searches for hotels: a click-out is the order, a hotel is looked at, its category is the city."""
    from pyarrow.parquet import read_table  # noqa: PLC0415  # an extra

    columns = ["timestamp", "session_id", "user_id", "action_type", "reference", "city"]
    table = read_table(file, columns=columns).sort_by("timestamp").to_pydict()
    for number, (at, session, user, action, item, city) in enumerate(zip(*table.values(), strict=True)):
        kind = "purchase" if action == _CLICKOUT else "view" if action.startswith(_LOOKS) else ""
        if kind and item:
            at_ms, order = 1_000 * at, f"o{number}" if kind == "purchase" else None
            yield Event(
                f"u:{user}",
                kind,
                at_ms,
                "browses",
                0,
                number,
                at_ms,
                at_ms,
                f"e{number}",
                session,
                order,
                [Line(item, [city] if city else [])],
            )
