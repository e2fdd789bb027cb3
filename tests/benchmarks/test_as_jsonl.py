"""Data sets as `jsonl`: items and links first, then what people did."""

import gzip
from pathlib import Path

import msgspec
import pytest

from benchmarks import as_jsonl
from streams.formats import FileRecord, read_file


def packed(folder: Path, name: str, text: str) -> None:
    folder.joinpath(name).write_bytes(gzip.compress(text.encode()))


def topics(name: str, folder: Path) -> list[tuple[str, str]]:
    out = folder / "out.jsonl"
    as_jsonl.write(name, folder, out)
    records = [record for record in read_file(out, "jsonl") if isinstance(record, FileRecord)]
    assert [record.at for record in records] == sorted(record.at for record in records)
    return [(record.topic, record.key) for record in records]


def test_movies_have_genres_and_a_decade_and_stand_before_the_first_rating(tmp_path: Path) -> None:
    packed(
        tmp_path,
        "movies.csv.gz",
        'movieId,title,genres\n7,"Tea, The (1995)",Drama|Crime\n8,Cup,(no genres listed)\n',
    )
    packed(tmp_path, "ratings.csv.gz", "userId,movieId,rating,timestamp\n1,8,4.0,20\n2,7,3.5,10\n")
    assert topics("movielens", tmp_path) == [
        ("items", "7"),
        ("items", "8"),
        ("ratings", "2"),
        ("ratings", "1"),
    ]
    first = msgspec.json.decode((tmp_path / "out.jsonl").read_bytes().splitlines()[0])
    assert (first["title"], first["categories"], first["tags"]) == (
        "Tea, The ",
        ["Drama", "Crime"],
        ["1990s"],
    )


def test_links_stand_first_and_what_has_no_time_is_in_an_order_that_is_always_the_same(
    tmp_path: Path,
) -> None:
    packed(tmp_path, "trust.txt.gz", "1 2 1\n")
    packed(tmp_path, "ratings.txt.gz", "".join(f"{n} 5 3.5\n" for n in range(20)))
    found = topics("filmtrust", tmp_path)
    assert found[0] == ("links", "1")
    assert sorted(found[1:]) == sorted(("ratings", str(n)) for n in range(20)) and found[1:] != sorted(
        found[1:]
    )
    assert topics("filmtrust", tmp_path) == found


def test_friends_are_links_and_artists_are_views(tmp_path: Path) -> None:
    packed(tmp_path, "user_friends.dat.gz", "userID\tfriendID\r\n1\t2\r\n2\t1\r\n")
    packed(tmp_path, "user_artists.dat.gz", "userID\tartistID\tweight\r\n1\t51\t13883\r\n")
    assert topics("lastfm", tmp_path) == [("links", "1"), ("links", "2"), ("browses", "1")]


def test_what_people_bought_is_one_order_after_all_that_they_browsed(tmp_path: Path) -> None:
    head = "visitorid\titemid\tevent\n"
    packed(tmp_path, "typed_view.tsv.gz", head + "".join(f"{n % 3}\t{n}\t1\n" for n in range(30)))
    packed(tmp_path, "typed_add_to_cart.tsv.gz", head + "1\t4\t1\n")
    packed(tmp_path, "typed_purchase.tsv.gz", head + "1\t4\t1\n1\t7\t1\n9\t7\t1\n")
    found = topics("retailrocket", tmp_path)
    people = [key for _, key in found]
    assert len(found) == 33
    assert [key for key, after in zip(people, [*people[1:], None], strict=True) if key != after] == list(
        dict.fromkeys(people)
    )
    assert [n for n, (topic, key) in enumerate(found) if topic == "purchases" and key == "1"] == [
        len(people) - 1 - people[::-1].index("1")
    ]
    lines = [msgspec.json.decode(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    orders = {
        each["user_id"]: [line["item_id"] for line in each["lines"]] for each in lines if "lines" in each
    }
    assert orders == {"1": ["4", "7"], "9": ["7"]}
    assert [each["item_id"] for each in lines if each.get("action") == "cart"] == ["4"]


def test_a_folder_without_the_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"user_friends\.dat\.gz"):
        as_jsonl.write("lastfm", tmp_path, tmp_path / "out.jsonl")
