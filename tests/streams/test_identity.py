"""A store opens for what it was made for, and says what differs from anything else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from schemas.settings import RulesSettings, Settings, WeightSettings
from schemas.state import MetaRow
from streams.errors import StateError
from streams.identity import LEARNING, claim, expected_meta
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.topology import STAGES


@pytest.fixture
def database(tmp_path: Path) -> Iterator[RocksDatabase]:
    made = RocksDatabase(tmp_path / "db", RocksBudget(2**22), cache_bytes=1)
    yield made
    made.close()


def meta(stage: str = "history", settings: Settings | None = None, key: str = "") -> MetaRow:
    using = settings or Settings()
    return expected_meta(
        stage, 1, 4, using, source="events", cluster="c-1", topic_id="t-1", pseudonym_key=key
    )


def test_a_new_store_is_stamped_and_opens_again(database: RocksDatabase) -> None:
    assert claim(database, meta()) == meta()
    assert database.meta() == meta()
    assert claim(database, meta()) == meta()


def test_the_store_keeps_its_epoch(database: RocksDatabase) -> None:
    database.write_meta(replace(meta(), epoch=3))
    assert claim(database, meta()).epoch == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", 2),
        ("stage", "rules"),
        ("partition", 0),
        ("partitions", 8),
        ("topic", "facts"),
        ("cluster_id", "c-2"),
        ("topic_id", "t-2"),
    ],
)
def test_a_store_of_something_else_refuses_and_says_what_differs(
    database: RocksDatabase, name: str, value: object
) -> None:
    claim(database, meta())
    seen = f"{name} is {getattr(meta(), name)!r}, expected {value!r}"
    with pytest.raises(StateError, match=seen) as error:
        claim(database, replace(meta(), **{name: value}))
    assert "point state.dir to another folder" in str(error.value)
    assert database.meta() == meta()


def test_another_learning_setting_is_named_with_both_values(database: RocksDatabase) -> None:
    claim(database, meta())
    other = Settings(weights=WeightSettings(cart=2.5), rules=RulesSettings(half_life_s=0))
    with pytest.raises(StateError) as error:
        claim(database, meta(settings=other))
    assert "rules.half_life_s was 7776000, now 0" in str(error.value)
    assert "weights.cart was 2.0, now 2.5" in str(error.value)


def test_settings_that_decide_nothing_learned_may_change(database: RocksDatabase) -> None:
    claim(database, meta())
    claim(database, meta(settings=Settings(rules=RulesSettings(min_count=9, published_rules=5))))


def test_rows_of_another_version_are_refused(database: RocksDatabase) -> None:
    claim(database, replace(meta(), fingerprint="of other rows"))
    with pytest.raises(StateError, match="rows of another version"):
        claim(database, meta())


def test_every_stage_that_keeps_state_says_what_decides_it() -> None:
    assert set(LEARNING) == {stage.name for stage in STAGES if stage.keeps}


@pytest.mark.parametrize("stage", ["history", "segments"])
def test_a_store_that_knows_people_opens_under_no_other_key_and_says_which_setting(
    database: RocksDatabase, stage: str
) -> None:
    claim(database, meta(stage, key="aaaa"))
    assert claim(database, meta(stage, key="aaaa")) == meta(stage, key="aaaa")
    for other in ("bbbb", ""):
        with pytest.raises(StateError, match=r"privacy\.pseudonym_key was aaaa, now (bbbb|None)"):
            claim(database, meta(stage, key=other))


@pytest.mark.parametrize("stage", ["rules", "popularity", "clusters"])
def test_a_store_that_knows_no_people_does_not_mind_another_key(stage: str) -> None:
    assert meta(stage, key="aaaa") == meta(stage)
