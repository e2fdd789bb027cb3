"""Manifests say of whom and up to where; a changed, cut off or wrongly signed one is refused."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from schemas.snapshots import SnapshotFile, SnapshotManifest, SnapshotOrigin
from streams.errors import SnapshotError
from streams.snapshots.manifest import ManifestName, learning_of, log_of, name_of, seal, unseal
from tests.streams.snapshots.stores import KEY, META

OTHER_KEY = b"x" * 32
SHA = "0" * 64


def manifest(*files: SnapshotFile, **fields: Any) -> SnapshotManifest:
    given_fields = {"stage": "rules", "partition": 1, "epoch": 0, "next_offset": 7, "created_at": 5}
    origin = SnapshotOrigin(**asdict(META))
    return SnapshotManifest(origin=origin, files=list(files), **{**given_fields, **fields})


ONE = manifest(SnapshotFile("000009.sst", SHA, 12))


@pytest.mark.parametrize("key", [None, KEY])
def test_what_is_sealed_is_read_again(key: bytes | None) -> None:
    assert unseal(seal(ONE, key), key) == (ONE, key is not None)


def test_it_is_json_that_names_whose_state_it_is() -> None:
    body = msgspec.json.decode(seal(ONE, None))["body"]
    assert body["origin"]["cluster_id"] == "cluster"
    assert body["files"] == [{"name": "000009.sst", "sha256": SHA, "bytes": 12}]


def test_without_a_key_a_signature_is_seen_but_not_needed() -> None:
    assert unseal(seal(ONE, KEY), None) == (ONE, True)


@pytest.mark.parametrize(("signed_with", "reason"), [(None, "not signed"), (OTHER_KEY, "another key")])
def test_with_a_key_only_its_signature_is_accepted(signed_with: bytes | None, reason: str) -> None:
    with pytest.raises(SnapshotError, match=reason):
        unseal(seal(ONE, signed_with), KEY)


@given(st.data())
def test_any_changed_byte_is_noticed(data: st.DataObject) -> None:
    sealed = bytearray(seal(ONE, KEY))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    try:
        found, _ = unseal(bytes(sealed), KEY)
    except SnapshotError:
        return
    assert found == ONE, "only what says nothing may differ"


@given(st.data())
def test_a_manifest_that_is_cut_off_is_refused(data: st.DataObject) -> None:
    sealed = seal(ONE, None)
    with pytest.raises(SnapshotError):
        unseal(sealed[: data.draw(st.integers(0, len(sealed) - 1))], None)


@pytest.mark.parametrize("name", ["../CURRENT", "a/b", "", ".hidden", "x\n", "C:\\x", "/etc/passwd"])
def test_a_file_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(SnapshotError, match="no manifest"):
        unseal(seal(manifest(SnapshotFile(name, SHA, 1)), None), None)


def test_a_digest_that_is_none_is_refused() -> None:
    with pytest.raises(SnapshotError, match="no manifest"):
        unseal(seal(manifest(SnapshotFile("a", "../" + SHA, 1)), None), None)


def test_a_file_named_twice_is_refused() -> None:
    with pytest.raises(SnapshotError, match="twice"):
        unseal(seal(manifest(SnapshotFile("a", SHA, 1), SnapshotFile("a", SHA, 1)), None), None)


def test_another_format_is_refused() -> None:
    with pytest.raises(SnapshotError, match="its format is 2"):
        unseal(seal(manifest(format=2), None), None)


positions = st.tuples(st.integers(0, 10**9), st.integers(0, 10**18))


@given(positions, positions)
def test_names_sort_as_positions_do(left: tuple[int, int], right: tuple[int, int]) -> None:
    names = [str(ManifestName(*position, "0" * 12, "0" * 12)) for position in (left, right)]
    assert (names[0] < names[1]) == (left < right)
    assert ManifestName.parse(names[0]) == (*left, "0" * 12, "0" * 12)


def test_a_name_tells_logs_and_learning_apart() -> None:
    assert name_of(ONE) == (0, 7, log_of(META), learning_of(META))
    for field, value in {"cluster_id": "c", "topic": "t", "topic_id": "i"}.items():
        other = replace(META, **{field: value})
        assert log_of(other) != log_of(META)
        assert learning_of(other) == learning_of(META)
    for field, changed in {"fingerprint": "f", "partitions": 8, "format": 2}.items():
        other = replace(META, **{field: changed})
        assert log_of(other) == log_of(META)
        assert learning_of(other) != learning_of(META)
