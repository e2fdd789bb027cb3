"""What an evaluation shows on the screen: progress with the time left, and a table at the end."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from online_models.evaluation.actions import Action, Ask
from online_models.evaluation.report import ModelReport

_SHOWN = ("hr", "mrr", "ndcg")
_COMPARED = ("hr", "mrr")
_EVERY = 64


@contextmanager
def progress(console: Console, title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar with the time left; the function given out takes how far things are."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(*columns, *times, console=console, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)


def counted(actions: Iterator[Action], update: Callable[[int], None], *, live: bool) -> Iterator[Action]:
    """Pass actions on and tell how many were carried out; questions count where they are not learned from."""
    done = 0
    for action in actions:
        if not live or not isinstance(action, Ask):
            done += 1
            if done % _EVERY == 0:
                update(done)
        yield action


def table(models: Mapping[str, ModelReport], *, title: str, k: int) -> Table:
    """Return the table of all models, best MRR first."""
    best = sorted(models.items(), key=lambda entry: (-entry[1].mrr, entry[0]))
    shown = _table(title, [*(f"{each}@{k}" for each in _SHOWN), "coverage", "learn us", "rank us", "MB"])
    for name, report in best:
        metrics = [_with_interval(report, each) for each in _SHOWN]
        shown.add_row(
            name,
            *metrics,
            f"{report.coverage:.3f}",
            f"{report.learn_s.p50 * 1e6:,.0f}",
            f"{report.recommend_s.p50 * 1e6:,.0f}",
            f"{report.state_bytes / 1e6:,.1f}",
        )
    return shown


def comparison(models: Mapping[str, ModelReport], reference: str, *, k: int) -> Table:
    """Return the table of differences from the reference, with their intervals."""
    shown = _table(f"minus {reference}, on the same queries", [f"{each}@{k}" for each in _COMPARED])
    for name, report in models.items():
        if report.against is not None:
            found = [report.against[each] for each in _COMPARED]
            shown.add_row(
                name,
                *(f"{x.difference:+.4f} [{x.interval.low:+.4f}, {x.interval.high:+.4f}]" for x in found),
            )
    return shown


def _table(title: str, columns: Iterable[str]) -> Table:
    shown = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    shown.add_column("model", no_wrap=True)
    for name in columns:
        shown.add_column(name, justify="right")
    return shown


def _with_interval(report: ModelReport, metric: str) -> str:
    value, half = getattr(report, metric), report.intervals[metric]
    return f"{value:.4f} ±{(half.high - half.low) / 2:.4f}"
