from pathlib import Path

import pytest

from streams.local_kafka_jars import cache_directory, class_path, read_class_path, write_class_path


@pytest.fixture
def jars(tmp_path: Path) -> list[Path]:
    files = [tmp_path / "maven" / name for name in ("a.jar", "b.jar")]
    files[0].parent.mkdir()
    for file in files:
        file.write_bytes(b"content")
    write_class_path(tmp_path, files)
    return files


def test_a_kept_list_is_found_again(tmp_path: Path, jars: list[Path]) -> None:
    assert read_class_path(tmp_path) == jars


def test_a_cache_may_be_moved(tmp_path: Path, jars: list[Path]) -> None:
    elsewhere = tmp_path.with_name(f"{tmp_path.name}-moved")
    tmp_path.rename(elsewhere)

    assert read_class_path(elsewhere) == [elsewhere / jar.relative_to(tmp_path) for jar in jars]


def test_a_list_with_a_missing_file_is_not_used(tmp_path: Path, jars: list[Path]) -> None:
    jars[1].unlink()

    assert read_class_path(tmp_path) is None


def test_a_list_with_a_file_cut_short_is_not_used(tmp_path: Path, jars: list[Path]) -> None:
    jars[0].write_bytes(b"cont")

    assert read_class_path(tmp_path) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '[{"path": 1}]'])
def test_an_unreadable_or_empty_list_is_not_used(tmp_path: Path, content: str) -> None:
    (tmp_path / "class_path.json").write_text(content)

    assert read_class_path(tmp_path) is None


def test_a_complete_cache_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = cache_directory()
    cache.mkdir(parents=True)
    (cache / "a.jar").write_bytes(b"content")
    write_class_path(cache, [cache / "a.jar"])
    told: list[str] = []

    assert class_path(told.append) == [cache / "a.jar"]
    assert told == []
