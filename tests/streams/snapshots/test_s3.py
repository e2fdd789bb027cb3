"""Snapshots on an object store, by its own protocol."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from streams.snapshots.examining import examine
from streams.snapshots.library import Library
from streams.snapshots.pruning import prune
from streams.snapshots.restoring import prepare
from streams.snapshots.storage import Storage
from tests.streams.snapshots.stores import KEY, META, SHELF, Place, read

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # botocore and moto, of themselves
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "something",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    import s3fs

    s3fs.S3FileSystem(skip_instance_cache=True).mkdir("freshrec-snapshots")
    yield "s3://freshrec-snapshots/shop"
    server.stop()


def test_an_object_store_keeps_verifies_prunes_and_gives_back(bucket: str, tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.library = Library(Storage(bucket), KEY)
    first = place.at(1)
    second = place.at(2)
    assert second.new_files < first.new_files
    assert not place.library.add(SHELF, second.manifest)
    third = place.at(3)
    pruned = prune(place.library, META, 2)
    assert [name.offset for name in pruned.left] == [3, 2]
    assert [each.fault for each in examine(place.library, content=True)] == [None, None]
    place.path.rename(tmp_path / "lost")
    restored = prepare(place.library, place.wanted(), lambda _: lambda _: None)
    assert restored == third.manifest
    assert read(place.path) == read(tmp_path / "lost")
    # Two files may have the same content under different names.
    of_third, of_second = ({each.sha256 for each in one.manifest.files} for one in (third, second))
    place.library.storage.put(Path(os.devnull), f"{SHELF.files}/{min(of_third - of_second)}")
    assert [each.fault is None for each in examine(place.library, content=False)] == [True, False]
