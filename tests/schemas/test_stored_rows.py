"""Rows that were stored under every supported version are read by the code of today as what they were."""

from pathlib import Path

import msgspec
import pytest

from schemas.state import ROW_VERSIONS
from tests.schemas.stored_rows import FOLDER, TYPES, StoredRow, as_stored, plain, samples

FILES = sorted(FOLDER.glob("*/*.json"))


def stored(path: Path) -> list[StoredRow]:
    return msgspec.json.decode(path.read_bytes(), type=list[StoredRow])


def test_every_kind_of_row_has_its_file_for_the_version_of_now_and_none_for_a_later_one() -> None:
    assert set(samples()) == set(ROW_VERSIONS)
    kept = {name: {int(path.stem) for path in FILES if path.parent.name == name} for name in ROW_VERSIONS}
    assert {name: max(versions, default=0) for name, versions in kept.items()} == ROW_VERSIONS
    assert {path.parent.name for path in FILES} == set(ROW_VERSIONS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_was_stored_is_read_as_what_it_was(path: Path) -> None:
    for each in stored(path):
        row = msgspec.msgpack.decode(bytes.fromhex(each.hex), type=TYPES[each.row])
        assert plain(row) == each.value, f"{each.row}: raise its version, or read the old one as it was"


@pytest.mark.parametrize("name", ROW_VERSIONS)
def test_rows_of_now_are_stored_as_their_version_says(name: str) -> None:
    found = stored(FOLDER / name / f"{ROW_VERSIONS[name]}.json")
    assert [as_stored(row) for row in samples()[name]] == found, (
        f"rows of {name} are stored differently now: raise ROW_VERSIONS[{name!r}] and run "
        f"python -m tests.schemas.stored_rows"
    )


def test_no_field_of_a_sample_is_left_at_what_a_missing_one_would_be() -> None:
    for rows in samples().values():
        for row in rows:
            given = msgspec.structs.asdict(row)
            fields = {field.name: field for field in msgspec.structs.fields(type(row))}
            empty = [
                name for name, field in fields.items() if not field.required and given[name] == field.default
            ]
            assert empty == [], f"{type(row).__name__}: {empty}"
