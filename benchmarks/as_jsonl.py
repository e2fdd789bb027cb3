"""Public data sets with a catalogue or with links between people, as `jsonl` that every command reads.

`python -m benchmarks.as_jsonl movielens|lastfm|filmtrust|retailrocket FOLDER OUT` converts the files of a
folder. What a data set has no time of is put into an order that is drawn, one event a minute; a fifth of the
people come after all others, or each after the other: results say so. Items and links stand before the first
event.
"""

import csv
import gzip
import random
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from schemas.events import Browse, Item, Link, OrderLine, Purchase, Rating

SEED: Final = 1
NEWCOMERS: Final = 0.2
BEGIN_MS: Final = 1_262_304_000_000
"""2010-01-01, where a data set has no times."""

MINUTE_MS: Final = 60_000
_YEAR: Final = re.compile(r"\((\d{3})\d\)\s*$")
_NO_GENRES: Final = "(no genres listed)"

Message = Item | Link | Browse | Purchase | Rating
Thing = TypeVar("Thing")
_encode: Final = msgspec.json.Encoder().encode


def movielens(folder: Path) -> Iterator[Message]:
    """Yield movies with their genres and decade, in the order of their ids, then all ratings as they are."""
    ratings = sorted(_table(folder / "ratings.csv.gz", ","), key=lambda row: int(row[3]))
    first = 1_000 * int(ratings[0][3])
    for movie, title, genres in _table(folder / "movies.csv.gz", ","):
        decade = [f"{year[1]}0s" for year in [_YEAR.search(title)] if year]
        named = [] if genres == _NO_GENRES else genres.split("|")
        yield Item(item_id=movie, title=_YEAR.sub("", title), categories=named, tags=decade, at=first)
    for n, (user, movie, stars, seconds) in enumerate(ratings):
        yield Rating(
            event_id=f"ml-{n}",
            user_id=user,
            item_id=movie,
            value=float(stars),
            scale_max=5.0,
            at=1_000 * int(seconds),
        )


def lastfm(folder: Path) -> Iterator[Message]:
    """Yield friends as links, then the artists that people listened to, in an order that is drawn."""
    for user, friend in _table(folder / "user_friends.dat.gz", "\t"):
        yield Link(user_id=user, target_id=friend, weight=1.0, at=BEGIN_MS)
    rows = list(_table(folder / "user_artists.dat.gz", "\t"))
    for n, (user, artist, _) in enumerate(_drawn(rows)):
        yield Browse(event_id=f"lfm-{n}", user_id=user, item_id=artist, at=BEGIN_MS + n * MINUTE_MS)


def filmtrust(folder: Path) -> Iterator[Message]:
    """Yield trust as links, then the ratings, in an order that is drawn."""
    for user, trusted, weight in _table(folder / "trust.txt.gz", " ", header=False):
        yield Link(user_id=user, target_id=trusted, weight=float(weight), at=BEGIN_MS)
    rows = list(_table(folder / "ratings.txt.gz", " ", header=False))
    for n, (user, film, value) in enumerate(_drawn(rows)):
        yield Rating(
            event_id=f"ft-{n}",
            user_id=user,
            item_id=film,
            value=float(value),
            scale_max=4.0,
            at=BEGIN_MS + n * MINUTE_MS,
        )


def retailrocket(folder: Path) -> Iterator[Message]:
    """Yield what people browsed, in an order that is drawn, and after it an order of all that they bought.

    People come one after another, in an order that is drawn, too.
    """
    browsed, bought = dict[str, list[tuple[str, str]]](), dict[str, list[str]]()
    for name, action in (("view", "view"), ("add_to_cart", "cart")):
        for user, item, *_ in _table(folder / f"typed_{name}.tsv.gz", "\t"):
            browsed.setdefault(user, []).append((item, action))
    for user, item, *_ in _table(folder / "typed_purchase.tsv.gz", "\t"):
        bought.setdefault(user, []).append(item)
    chance, at = random.Random(SEED), BEGIN_MS  # noqa: S311  # an order, no secret
    for user in _shuffled(chance, {**browsed, **bought}):
        for item, action in _shuffled(chance, browsed.get(user, [])):
            at += MINUTE_MS
            yield Browse(event_id=f"rr-{at}", user_id=user, item_id=item, action=action, at=at)
        if user in bought:
            at += MINUTE_MS
            lines = [OrderLine(item_id=item, quantity=1, unit_price=0) for item in bought[user]]
            yield Purchase(order_id=f"rr-{at}", user_id=user, lines=lines, at=at)


DATA: Final[Mapping[str, Callable[[Path], Iterator[Message]]]] = MappingProxyType(
    {"movielens": movielens, "lastfm": lastfm, "filmtrust": filmtrust, "retailrocket": retailrocket}
)


def write(name: str, folder: Path, out: Path) -> int:
    """Write a data set as `jsonl`; return how many lines that made."""
    lines = [_encode(message) for message in DATA[name](folder)]
    out.write_bytes(b"".join(line + b"\n" for line in lines))
    return len(lines)


def _drawn(rows: list[list[str]]) -> list[list[str]]:
    """Return rows in an order that is drawn, those of a fifth of the people, as if they came new, last."""
    chance = random.Random(SEED)  # noqa: S311  # an order, no secret
    people = sorted({row[0] for row in rows})
    new = frozenset(chance.sample(people, round(len(people) * NEWCOMERS)))
    chance.shuffle(rows)
    return sorted(rows, key=lambda row: row[0] in new)


def _shuffled(chance: random.Random, things: Iterable[Thing]) -> list[Thing]:
    """Return things in an order that is drawn."""
    found = list(things)
    chance.shuffle(found)
    return found


def _table(path: Path, delimiter: str, *, header: bool = True) -> Iterator[list[str]]:
    if not path.exists():
        raise SystemExit(f"there is no {path}; name the folder that holds the data set's own files, gzipped")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        if delimiter == ",":
            rows = csv.reader(file)
        else:
            rows = csv.reader(file, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        if header:
            next(rows)
        yield from (row for row in rows if row)


def main() -> None:
    """Convert what the command line names."""
    if len(sys.argv) != 4 or sys.argv[1] not in DATA:
        raise SystemExit(f"usage: python -m benchmarks.as_jsonl {'|'.join(DATA)} FOLDER OUT")
    name, folder, out = sys.argv[1:]
    print(f"{out}: {write(name, Path(folder), Path(out)):,} messages")


if __name__ == "__main__":
    main()
