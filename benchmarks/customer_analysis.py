"""What profiles foretell, against what then happens, and segments against latent groups, in simulated shops.

`python -m benchmarks.customer_analysis` writes benchmarks/results/customer-analysis.json.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
import msgspec
import numpy as np

from online_models import features
from online_models.agreement import adjusted_rand
from online_models.clusters import ClustersStep
from online_models.density import DensityStep, group_of
from online_models.evaluation.foretold import calibrated, compared, spearman
from online_models.evaluation.plain_store import PlainStore
from online_models.history import HistoryStep
from online_models.kmeans import assign
from online_models.needs import NeedsStep
from online_models.profile_answers import next_categories, profile_of
from online_models.profiles import ProfilesStep
from online_models.segments import SegmentsStep
from online_models.worlds import PRESETS, Storefront
from schemas.clusters import ClusterRow
from schemas.density import DensityGroups, DensityRow
from schemas.messages import Centroids, Event, Fact
from schemas.profiles import CustomerProfile, Needs, NeedsRow, ProfileRow
from schemas.settings import Settings
from schemas.state import HistoryRow, SegmentRow
from streams.bench.machine import describe
from streams.evaluating.document import write_json
from streams.evaluating.logs import LogReader

RESULTS: Final = Path("benchmarks/results/customer-analysis.json")
WORLDS: Final = ("small", "groups", "drift")
EVENTS_PER_S: Final = 0.02
"""So that some weeks go by: about 3.5 events of a customer a day."""

TOPS: Final = (1, 2, 3)
BARS: Final = {"calibration_error": 0.05, "adjusted_rand": 0.8}
DAY_MS: Final = 86_400_000
PLANTED: Final = 20
BUSY: Final = features.FEATURES[:6]
"""What planted outliers have far more of than anybody: frequency, sessions, gaps, money, length, price."""

_ASKED_EVERY: Final = 3 * DAY_MS
_REFRESH: Final = 200
_KEPT_OF_ALL: Final = 0.6
"""Share of the time after which value is told; what is spent afterwards decides."""


def facts(world: Any, count: int, settings: Settings) -> Iterator[Fact]:
    """What history makes of the first events of a shop."""
    shop = Storefront(world)
    rows: PlainStore[HistoryRow] = PlainStore()
    step = HistoryStep(rows, PlainStore(), PlainStore(), PlainStore(), settings)
    with TemporaryDirectory(prefix="freshrec-analysis-") as folder:
        file = Path(folder) / "events.jsonl"
        with file.open("wb") as lines:
            for each in chain(shop.catalogue(), islice(shop.events(), count)):
                lines.write(each.value + b"\n")
        for event in LogReader(settings).read(file, "jsonl"):
            # The reader gives the rows of the catalogue along.
            if isinstance(event, Event):
                yield from (x for x in step.learn_one(event) if isinstance(x, Fact))


def world_of(name: str, seed: int, **changes: Any) -> Any:
    """A preset at the pace of a quiet shop; who is scripted elsewhere acts here, too."""
    given = {"seed": seed, "events_per_s": EVENTS_PER_S, "bad_share": 0.0, "scripted_customers": 0}
    return msgspec.structs.replace(PRESETS[name], **given | changes)


class Foretelling:
    """Learns facts, and before each asks what a profile would have said."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.rows: PlainStore[ProfileRow] = PlainStore()
        self._profiles = ProfilesStep(self.rows, settings)
        self._step = NeedsStep(PlainStore[NeedsRow](), settings)
        self._needs: Needs | None = None
        self._lessons, self._asked_at = 0, 0
        self._own: dict[str, Counter[str]] = {}
        self._numbers: dict[str, int] = {}
        self.askers: list[int] = []
        self.ranks: list[tuple[float, float]] = []
        self.open: list[tuple[str, int, float]] = []
        self.orders: dict[str, list[tuple[int, float]]] = {}

    def learn(self, fact: Fact) -> None:
        """Ask, then learn."""
        if fact.kind == "purchase":
            spent = sum(line.quantity * (line.unit_price or 0.0) for line in fact.lines)
            self.orders.setdefault(fact.key, []).append((fact.at, spent))
        if fact.key.startswith("u:"):
            self._ask_category(fact)
            own = self._own.setdefault(fact.key, Counter())
            own.update(name for line in fact.lines for name in line.categories)
        if fact.at >= self._asked_at + _ASKED_EVERY:
            self._asked_at = fact.at
            self._ask_all(fact.at)
        for lesson in self._profiles.learn_one(fact):
            self._step.learn_one(lesson)
            self._lessons += 1
            if self._lessons % _REFRESH == 0:
                self._needs = self._step.needs()

    def told(self, key: str, now: int) -> CustomerProfile:
        """The profile of a customer as of now."""
        row = self.rows.rows[key]
        horizon_s = self._settings.profiles.horizon_s
        return profile_of(key, row, self._needs, None, now=now, horizon_s=horizon_s)

    def _ask_category(self, fact: Fact) -> None:
        """At a visit after the first: at which place its first category stands, here and by own counts."""
        row, own = self.rows.rows.get(fact.key), self._own.get(fact.key)
        if not fact.session_start or row is None or not own or not fact.lines or not fact.lines[0].categories:
            return
        (name, *_) = fact.lines[0].categories
        mine = [each.category for each in next_categories(row, self._needs)]
        theirs = sorted(own, key=lambda each: (-own[each], each))
        self.askers.append(self._numbers.setdefault(fact.key, len(self._numbers)))
        self.ranks.append((_reciprocal(mine, name), _reciprocal(theirs, name)))

    def _ask_all(self, now: int) -> None:
        """Ask of every customer, also of those who stay away, whether they will buy."""
        for key in self.rows.rows:
            chance = self.told(key, now).buying.chance
            if chance is not None:
                self.open.append((key, now, chance))

    def chances(self, upto: int) -> tuple[list[float], list[bool]]:
        """The chances whose horizon is over, and what came of them."""
        horizon = self._settings.profiles.horizon_s * 1000
        ended = [each for each in self.open if each[1] + horizon <= upto]
        outcomes = [
            any(asked < at <= asked + horizon for at, _ in self.orders.get(key, []))
            for key, asked, _ in ended
        ]
        return [chance for _, _, chance in ended], outcomes


def _reciprocal(names: list[str], wanted: str) -> float:
    return 1.0 / (names.index(wanted) + 1) if wanted in names else 0.0


def foretold(name: str, seed: int, count: int, settings: Settings) -> dict[str, Any]:
    """Next categories, chances of buying and value in one shop."""
    log = list(facts(world_of(name, seed), count, settings))
    begin, end = min(fact.at for fact in log), max(fact.at for fact in log)
    at = begin + round(_KEPT_OF_ALL * (end - begin))
    asked, value, past = Foretelling(settings), dict[str, float](), dict[str, float]()
    for fact in log:
        if fact.at >= at and not value:
            for key in asked.rows.rows:
                profile = asked.told(key, at)
                value[key], past[key] = profile.value.expected_spending or 0.0, profile.value.spent
        asked.learn(fact)
    later = {key: sum(spent for when, spent in asked.orders.get(key, []) if when > at) for key in value}
    one, other = zip(*asked.ranks, strict=True)
    chances, outcomes = asked.chances(end)
    return {
        "days": round((end - begin) / DAY_MS, 1),
        "visits_asked": len(asked.ranks),
        "reciprocal_rank": _as_data(compared(one, other, asked.askers, seed=seed)),
        **{
            f"hits_at_{top}": _as_data(
                compared(
                    [float(each * top >= 1) for each in one],
                    [float(each * top >= 1) for each in other],
                    asked.askers,
                    seed=seed,
                )
            )
            for top in TOPS
        },
        "chances_asked": len(chances),
        "bought": round(sum(outcomes) / len(outcomes), 4),
        "calibration": calibrated(chances, outcomes)._asdict(),
        "value": {
            "customers": len(value),
            "spearman": spearman([value[key] for key in value], [later[key] for key in value]),
            "spearman_of_past_spending": spearman(
                [past[key] for key in value], [later[key] for key in value]
            ),
        },
    }


def _as_data(found: Any) -> dict[str, Any]:
    return {"profile": found.mean, "own_most_frequent": found.other, "difference": list(found.difference)}


def segments(seed: int, count: int, settings: Settings) -> dict[str, Any]:
    """K-means against the latent groups of a shop that does not change, and how stable segments are there."""
    world = world_of("groups", seed)
    members, step = SegmentsStep(PlainStore[SegmentRow]()), ClustersStep(PlainStore[ClusterRow](), settings)
    dense = DensityStep(PlainStore[DensityRow](), settings)
    newest: dict[str, list[float]] = {}
    before: dict[str, str] = {}
    kept, agreed, learned = [], [], 0
    for fact in facts(world, count, settings):
        for sample in members.learn_one(fact):
            step.learn_one(sample)
            dense.learn_one(sample)
            newest[fact.key] = sample.features
            learned += 1
            if learned % 1_000 == 0:
                now = _assigned(step.centroids(), newest)
                both = [key for key in before if key in now]
                if both:
                    kept.append(sum(before[key] == now[key] for key in both) / len(both))
                    agreed.append(adjusted_rand([before[key] for key in both], [now[key] for key in both]))
                before = now
    groups = Storefront(world).answer().groups
    found = _assigned(step.centroids(), newest)
    half = len(kept) // 2
    return {
        "customers": len(found),
        "samples": learned,
        "kmeans_adjusted_rand": round(adjusted_rand([groups[k[2:]] for k in found], [*found.values()]), 4),
        "density": _by_density(dense.groups(), newest, groups, seed),
        "stability": {
            "samples_between": 1_000,
            "kept_share": round(sum(kept[half:]) / len(kept[half:]), 4),
            "adjusted_rand": round(sum(agreed[half:]) / len(agreed[half:]), 4),
            "least_kept_share": round(min(kept[half:]), 4),
        },
    }


def _by_density(
    found: DensityGroups | None, newest: dict[str, list[float]], truth: Mapping[str, int], seed: int
) -> dict[str, Any]:
    """DBSTREAM's groups, and planted customers who differ from others in many ways at once."""
    if found is None:
        return {}
    told = {key: group_of(found, vector) for key, vector in newest.items()}
    known = {key: each for key, each in told.items() if each is not None}
    groups = [each[0] for each in known.values()]
    planted = [group_of(found, vector) for vector in _outliers(newest, seed)]
    return {
        "groups": len(found.shares),
        "adjusted_rand": round(adjusted_rand([truth[k[2:]] for k in known], groups), 4),
        "unusual_share": round(sum(each[1] for each in known.values()) / len(known), 4),
        "planted": len(planted),
        "planted_found": sum(each is not None and each[1] for each in planted),
    }


def _outliers(newest: dict[str, list[float]], seed: int) -> list[list[float]]:
    """Customers who like half of one group's and half of another's, and buy far more than anybody."""
    draw, vectors = np.random.default_rng(seed), [*newest.values()]
    most = np.array(vectors).max(axis=0)
    found = []
    for _ in range(PLANTED):
        one, other = draw.choice(len(vectors), 2, replace=False)
        mixed = (np.array(vectors[one]) + np.array(vectors[other])) / 2
        mixed[: len(BUSY)] = most[: len(BUSY)] * draw.uniform(1.2, 1.6, len(BUSY))
        found.append(mixed.tolist())
    return found


def _assigned(centroids: Centroids | None, newest: dict[str, list[float]]) -> dict[str, str]:
    if centroids is None:
        return {}
    found = {key: assign(centroids, vector) for key, vector in newest.items()}
    return {key: each[0] for key, each in found.items() if each is not None}


def tables(found: Mapping[str, Any]) -> str:
    """The results as docs/customers.md shows them."""
    lines = [
        "| shop, seed | visits asked | reciprocal rank: profile / own | difference, 95 % "
        "| hit at 2: profile / own "
        "| chances asked | bought | calibration error | value: Spearman | of past spending |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, each in found["profiles"].items():
        rank, hit, value = each["reciprocal_rank"], each["hits_at_2"], each["value"]
        low, high = rank["difference"]
        lines.append(
            f"| {name} | {each['visits_asked']:,} | {rank['profile']:.3f} / {rank['own_most_frequent']:.3f} "
            f"| {low:+.3f} to {high:+.3f} | {hit['profile']:.3f} / {hit['own_most_frequent']:.3f} "
            f"| {each['chances_asked']:,} | {each['bought']:.1%} | {each['calibration']['error']:.3f} "
            f"| {value['spearman']:.2f} | {value['spearman_of_past_spending']:.2f} |"
        )
    lines += [
        "",
        "| shop, seed | customers | adjusted Rand: K-means | DBSTREAM | groups found | outliers found "
        "| others called unusual | keep their segment | adjusted Rand between |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, each in found["segments"].items():
        dense, stable = each["density"], each["stability"]
        lines.append(
            f"| {name} | {each['customers']} | {each['kmeans_adjusted_rand']:.2f} "
            f"| {dense['adjusted_rand']:.2f} | {dense['groups']} "
            f"| {dense['planted_found']} of {dense['planted']} | {dense['unusual_share']:.1%} "
            f"| {stable['kept_share']:.1%} | {stable['adjusted_rand']:.2f} |"
        )
    return "\n".join(lines) + "\n"


@click.command()
@click.option("--table", is_flag=True, help="Only print what is in the file as docs/customers.md shows it.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True)
@click.option("--events", type=click.IntRange(20_000), default=60_000, show_default=True)
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Shops of each kind.")
def main(table: bool, out: Path, events: int, seeds: int) -> None:
    """Measure profiles and segments in simulated shops."""
    if table:
        click.echo(tables(msgspec.json.decode(out.read_bytes())), nl=False)
        return
    settings = Settings()
    document: dict[str, Any] = {
        "bar": BARS,
        "events": events,
        "events_per_s": EVENTS_PER_S,
        "seeds": [*range(1, seeds + 1)],
        "settings": {
            name: msgspec.to_builtins(getattr(settings, name))
            for name in ("profiles", "segments", "density", "weights")
        },
        "features": list(features.FEATURES),
        "machine": describe(),
        "profiles": {},
        "segments": {},
    }
    for seed in range(1, seeds + 1):
        document["segments"][f"groups {seed}"] = segments(seed, events, settings)
        for name in WORLDS:
            document["profiles"][f"{name} {seed}"] = foretold(name, seed, events, settings)
            write_json(out, document)
            click.echo(f"{name} {seed}", err=True)
    click.echo(str(out))


if __name__ == "__main__":
    main()
