"""Settings of a demo: usable, in its folder, and nobody else's."""

from pathlib import Path

import pytest

from schemas.settings import Settings
from streams.config import validate
from streams.demo.settings import STATE, demo_settings
from streams.settings_fields import FIELDS, read

CHANGED = {
    "kafka.linger_ms",
    "state.dir",
    "state.cache_bytes",
    "state.rocksdb_bytes",
    "rules.republish_interval_ms",
    "metrics.port",
}


def test_they_can_be_used_and_differ_from_the_defaults_only_in_places_and_pace(tmp_path: Path) -> None:
    settings, defaults = demo_settings(tmp_path), Settings()
    validate(settings)
    assert {key for key in FIELDS if read(settings, key) != read(defaults, key)} == CHANGED
    assert settings.metrics.port == 0
    assert settings.rules.republish_interval_ms < defaults.rules.republish_interval_ms


def test_state_lies_in_the_folder(tmp_path: Path) -> None:
    assert Path(demo_settings(tmp_path).state.dir) == tmp_path / STATE


def test_neither_a_settings_file_nor_a_variable_takes_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = demo_settings(tmp_path)
    (tmp_path / "freshrec.toml").write_text("[recommend]\nk = 3\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FRESHREC_RECOMMEND__K", "5")
    assert demo_settings(tmp_path) == before
    assert before.recommend.k == Settings().recommend.k
