"""What the page costs the process that answers: CPU time of its parts, without anybody else in the process.

Run `python -m benchmarks.page`.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import median
from time import process_time

import click
import msgspec

from online_models.memory_store import MemoryStore
from schemas.histories import KnownHistory
from schemas.messages import WEIGHT_ONE, ItemFacts
from schemas.recommendations import Latency, Reason, Recommendation, RecommendedItem
from schemas.settings import Settings
from schemas.state import HistoryRow, ItemMark, SessionMark, ViewRow
from streams.bench.machine import describe
from streams.followed import FollowedTopic, followed_topic
from streams.serving.lists import Lists
from streams.serving.live.customer_now import customer_now
from streams.serving.live.event_stream import frame
from streams.serving.live.flow import MOST_TIMED, Flow
from streams.serving.live.item_words import ItemWords
from streams.serving.served_views import ServedViews
from streams.topology import SERVE, TOPIC_BY_NAME

RESULTS = Path("benchmarks/results/page.json")
ROUNDS, ITEMS, PLACES, USER = 51, 50_000, 10, "anna"
SYLLABLES = ("ka", "lo", "mi", "ne", "ru", "sa", "to", "ve", "wi", "zu")


def catalogue(random: Random) -> list[ItemFacts]:
    """Items with titles of six words."""

    def word() -> str:
        return "".join(random.choices(SYLLABLES, k=random.randint(2, 4)))

    titles = (" ".join(word() for _ in range(6)) for _ in range(ITEMS))
    return [ItemFacts(f"i{n:06}", title, ["a"], None, None, [], True, 0) for n, title in enumerate(titles)]


def a_list() -> Recommendation:
    """Ten places with two reasons each."""
    rule = {"item_id": "i000020", "scope": "orders", "count": 9.0, "support": 0.01}
    reasons: list[Reason] = [
        {"source": "similarity", "item_id": "i000021", "similarity": 0.5},
        {"source": "rules", **rule, "confidence": 0.4, "lift": 3.0},
    ]
    places = [RecommendedItem(f"i{n:06}", n + 1, 1.0, None, reasons) for n in range(PLACES)]
    latency = Latency(1_000, 1_001, 1_010)
    return Recommendation("browses:0:1", USER, None, 1_010, ["b-1"], places, None, {}, None, latency)


def a_history() -> KnownHistory:
    """Fifty items and four sessions."""
    marks = {f"i{n:06}": ItemMark(WEIGHT_ONE, n, met=n, met_at=n) for n in range(50)}
    sessions = [SessionMark(f"s{n}", n, n, [], list(marks)[10 * n : 10 * n + 10]) for n in range(4)]
    return KnownHistory.of(USER, 100, HistoryRow(marks, sessions, last_at=100))


def followed(items: list[ItemFacts]) -> ServedViews:
    """What a server follows of a shop with one customer."""
    topics: dict[str, FollowedTopic[object]] = {
        name: followed_topic(name, MemoryStore(ViewRow), TOPIC_BY_NAME[name].message, cache_rows=100_000)  # type: ignore[arg-type]  # types are data
        for name in SERVE.follows
    }
    for item in items[:100]:
        topics["item-view"].learn(item.item, msgspec.msgpack.encode(item), (0, 0, 0))
    topics["recommendations"].learn(USER, msgspec.json.encode(a_list()), (0, 0, 0))
    topics["histories"].learn(USER, msgspec.msgpack.encode(a_history()), (0, 0, 0))
    return ServedViews(topics, Settings())


def us(work: Callable[[], object]) -> float:
    """Median CPU time, in us."""
    times = []
    for _ in range(ROUNDS):
        started = process_time()
        work()
        times.append(process_time() - started)
    return round(1e6 * median(times), 1)


def measured() -> dict[str, float]:
    """Each part alone."""
    random = Random(1)  # noqa: S311  # titles to search
    items = catalogue(random)
    words, views = ItemWords(ITEMS), followed(items)
    for item in items:
        words.learn(item.item, msgspec.msgpack.encode(item))
    lists, raw = Lists(views, Settings()), msgspec.json.encode(a_list())

    def count() -> None:
        flow = Flow(names=True)
        for _ in range(MOST_TIMED):
            flow.note_list(USER, raw)
        flow.tick(1, {}, 0)

    def view() -> bytes:
        return frame("customer", customer_now(views, lists, USER, PLACES, Settings().recommend))

    return {
        "list_counted_us": round(us(count) / MOST_TIMED, 2),
        "customer_view_us": us(view),
        "customer_view_bytes": len(view()),
        "search_us": us(lambda: asyncio.run(words.find("xyz"))),
    }


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True)
def main(out: Path) -> None:
    """Measure a list that is counted, a customer's view, and a search that finds nothing."""
    result = measured()
    out.parent.mkdir(parents=True, exist_ok=True)
    document = {"rounds": ROUNDS, "items": ITEMS, "machine": describe(), "result": result}
    out.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")
    click.echo(", ".join(f"{name} {value:g}" for name, value in result.items()) + f"; see {out}")


if __name__ == "__main__":
    main()
