"""`freshrec snapshot`: what each command does to stores and snapshots, says, and returns."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from schemas.settings import Settings
from schemas.state import MetaRow
from streams.cli import run
from streams.errors import SettingsError
from streams.identity import expected_meta
from streams.snapshots import requests
from streams.snapshots.library import Library, Shelf, open_library, signing_key
from streams.snapshots.storage import Storage
from tests.streams.snapshots.stores import KEY, SHELF, Place, read


class House:
    """A state directory with a store of rules/1, which the default settings fit; commands find it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.place = folder, Place(folder)

    def write(self, offset: int, **meta: Any) -> None:
        self.place.write(offset, {b"row-%d" % offset: b"1"}, self.meta(**meta))

    def meta(self, topic_id: str = "t-1", fingerprint: str | None = None) -> MetaRow:
        made = expected_meta(
            "rules",
            1,
            4,
            Settings(),
            source="item-deltas",
            cluster="c-1",
            topic_id=topic_id,
            pseudonym_key="",
        )
        if fingerprint is not None:
            made.fingerprint = fingerprint
        return made


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("FRESHREC_STATE__DIR", str(tmp_path / "state"))
    made = House(tmp_path)
    made.write(3)
    return made


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """What a command prints as JSON."""
    assert run(["snapshot", *arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_create_copies_every_store_to_the_folder_beside_the_state(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    (made,) = printed(capsys, "create")
    assert {name: made[name] for name in ("stage", "partition", "epoch", "offset", "dropped")} == {
        "stage": "rules",
        "partition": 1,
        "epoch": 0,
        "offset": 3,
        "dropped": 0,
    }
    assert made["new_bytes"] == made["bytes"] > 0
    assert [name.offset for name in house.place.library.names(SHELF)] == [3]
    house.write(4)
    assert run(["snapshot", "create"]) == 0
    assert capsys.readouterr().out.startswith("rules/1: epoch 0, offset 4, ")


def test_create_goes_where_it_is_told_to_and_of_what(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    there = house.folder / "there"
    printed(capsys, "create", "--url", f"file://{there}", "--stage", "rules", "--partition", "1")
    assert Library(Storage(str(there))).shelves() == [Shelf("rules", 1)]
    assert run(["snapshot", "create", "--stage", "history"]) == 3
    assert run(["snapshot", "create", "--partition", "7"]) == 3
    assert run(["snapshot", "create", "--stage", "ingest"]) == 2


def test_a_store_whose_holder_does_not_answer_is_refused_with_what_to_do(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "NOTICE_S", 0.1)
    database = house.place.open(house.meta())
    assert run(["snapshot", "create"]) == 1
    said = capsys.readouterr().err
    assert "rules/1 is in use" in said and "or stop it and run this again" in said
    database.close()
    assert house.place.library.names(SHELF) == []


@pytest.mark.usefixtures("house")
def test_list_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["snapshot", "list"]) == 0
    assert "there are no snapshots at" in capsys.readouterr().out
    run(["snapshot", "create"])
    capsys.readouterr()
    assert run(["snapshot", "list"]) == 0
    header, line = capsys.readouterr().out.splitlines()
    assert " ".join(header.split()) == "stage partition epoch offset age files bytes new signed valid"
    assert line.split()[:4] == ["rules", "1", "0", "3"]
    assert line.split()[-2:] == ["no", "yes"]
    (found,) = printed(capsys, "list")
    assert (found["stage"], found["offset"], found["fault"]) == ("rules", 3, None)


def test_verify_ends_with_1_and_names_what_is_damaged(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["snapshot", "create"])
    capsys.readouterr()
    assert run(["snapshot", "verify"]) == 0
    assert capsys.readouterr().out.startswith("1 of 1 snapshots at")
    table = max((house.place.snapshots / SHELF.files).iterdir(), key=lambda path: path.stat().st_size)
    table.write_bytes(bytes(table.stat().st_size))
    assert run(["snapshot", "list"]) == 0
    capsys.readouterr()
    assert run(["snapshot", "verify"]) == 1
    said = capsys.readouterr()
    assert "rules/1 0000000000-00000000000000000003-" in said.err and "was changed" in said.err
    assert said.out.startswith("0 of 1 snapshots")
    (found,) = printed(capsys, "verify", code=1)
    assert "was changed" in found["fault"]


def test_restore_fills_an_empty_folder(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    run(["snapshot", "create"])
    house.write(4)
    run(["snapshot", "create"])
    capsys.readouterr()
    (made,) = printed(capsys, "restore", "--to", str(house.folder / "new"))
    assert (made["stage"], made["partition"], made["offset"]) == ("rules", 1, 4)
    assert read(house.folder / "new" / "rules" / "1") == (4, {b"row-3": b"1", b"row-4": b"1"})


def test_restore_never_touches_a_store_that_is_there(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["snapshot", "create"])
    house.write(4)
    assert run(["snapshot", "restore"]) == 1
    assert "has a store of rules/1 already" in capsys.readouterr().err
    assert read(house.place.path)[0] == 4


def test_restore_passes_over_what_is_damaged_or_of_other_settings(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["snapshot", "create"])
    for offset, fields in ((4, {}), (5, {"fingerprint": "other"})):
        house.write(offset, **fields)
        run(["snapshot", "create"])
    house.place.manifest_paths()[1].write_bytes(b"{")
    capsys.readouterr()
    (made,) = printed(capsys, "restore", "--to", str(house.folder / "new"))
    assert made["offset"] == 3


def test_restore_takes_the_log_that_was_written_to_last(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["snapshot", "create"])
    shutil.rmtree(house.place.path)
    house.write(1, topic_id="made anew")
    run(["snapshot", "create"])
    capsys.readouterr()
    (made,) = printed(capsys, "restore", "--to", str(house.folder / "new"))
    assert made["offset"] == 1


def test_nothing_to_restore_ends_with_3_and_nothing_usable_with_1(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    new = str(house.folder / "new")
    assert run(["snapshot", "restore", "--to", new]) == 3
    run(["snapshot", "create"])
    house.place.manifest_paths()[0].write_bytes(b"{")
    assert run(["snapshot", "restore", "--to", new]) == 1
    assert "no snapshot of rules/1 can be restored" in capsys.readouterr().err


def test_a_key_signs_and_refuses_what_it_did_not_sign(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(["snapshot", "create"])
    (house.folder / "key").write_bytes(KEY + b"\n")
    monkeypatch.setenv("FRESHREC_SNAPSHOT__SIGNING_KEY_FILE", str(house.folder / "key"))
    house.write(4)
    run(["snapshot", "create"])
    capsys.readouterr()
    unsigned, signed = printed(capsys, "verify", code=1)
    assert "not signed" in unsigned["fault"]
    assert (signed["signed"], signed["fault"]) == (True, None)


def test_a_key_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    short, settings = tmp_path / "short", Settings()
    short.write_bytes(b"secret")
    snapshot = settings.snapshot
    for file, reason in ((short, "has 6 bytes"), (tmp_path / "none", "cannot be read")):
        named = type(snapshot)(signing_key_file=str(file))
        with pytest.raises(SettingsError, match=reason):
            signing_key(named)
    assert signing_key(snapshot) is None
    assert open_library(settings, str(tmp_path)).shelves() == []
