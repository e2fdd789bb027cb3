"""Places for files: written whole, never replaced by `create`, and errors that say what to do."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.errors import SettingsError, StorageError
from streams.snapshots.storage import Storage


@pytest.fixture(params=["folder", "file", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    urls: dict[str, Callable[[], str]] = {
        "folder": lambda: str(tmp_path / "there"),
        "file": lambda: f"file://{tmp_path}/there",
        "memory": lambda: f"memory://{uuid.uuid4().hex}",
    }
    return Storage(urls[request.param]())


def a_file(folder: Path, content: bytes) -> Path:
    path = folder / "source"
    path.write_bytes(content)
    return path


def test_nothing_is_there_at_first(storage: Storage) -> None:
    assert storage.files("a/b") == {}
    assert storage.folders("") == []


def test_what_was_put_is_listed_and_read(storage: Storage, tmp_path: Path) -> None:
    storage.put(a_file(tmp_path, b"tea"), "rules/00001/files/x")
    storage.get("rules/00001/files/x", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == storage.read("rules/00001/files/x") == b"tea"
    assert {name: entry.bytes for name, entry in storage.files("rules/00001/files").items()} == {"x": 3}
    assert storage.folders("") == ["rules"]
    assert storage.folders("rules") == ["00001"]


def test_a_file_is_created_once(storage: Storage) -> None:
    assert storage.create("m/1", b"first")
    assert not storage.create("m/1", b"second")
    assert storage.read("m/1") == b"first"
    assert list(storage.files("m")) == ["1"]


def test_what_was_put_in_part_is_put_again(storage: Storage, tmp_path: Path) -> None:
    storage.put(a_file(tmp_path, b"te"), "f/x")
    storage.put(a_file(tmp_path, b"tea"), "f/x")
    assert storage.read("f/x") == b"tea"


def test_what_is_deleted_is_gone_and_may_be_deleted_again(storage: Storage) -> None:
    storage.create("m/1", b"first")
    storage.delete("m/1")
    storage.delete("m/1")
    assert storage.files("m") == {}


def test_a_new_file_is_young(storage: Storage, tmp_path: Path) -> None:
    storage.put(a_file(tmp_path, b"tea"), "f/x")
    now = (tmp_path / "source").stat().st_mtime
    assert abs(storage.files("f")["x"].written_at - now) < 60


def test_a_place_that_cannot_be_read_says_where_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=f"{tmp_path}.*Check snapshot.url"):
        Storage(str(tmp_path)).read("missing")


def test_an_unknown_kind_of_url_is_refused() -> None:
    with pytest.raises(SettingsError, match="Use a folder or file://"):
        Storage("carrier-pigeon://roof")
