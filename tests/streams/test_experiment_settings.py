"""Experiments from TOML and environment, and what is refused with which words."""

from pathlib import Path

import pytest

from schemas.experiments import Experiment, Variant
from streams.config import load
from streams.errors import SettingsError
from streams.experiment_settings import CHANGEABLE, check_experiments

TOML = """
[experiments.length]
goal = "conversion"
first_slot = 0
last_slot = 49
starts_at = 2026-11-01T00:00:00Z
ends_at = "2026-12-01T00:00:00+01:00"

[experiments.length.variants.control]
share = 0.5

[experiments.length.variants.long]
share = 0.5
recommend.k = 20
recommend.popularity_weight = 0
ranker.enabled = false
"""
LENGTH = Experiment(
    name="length",
    goal="conversion",
    last_slot=49,
    starts_at=1_793_491_200_000,
    ends_at=1_796_079_600_000,
    variants=(
        Variant(name="control", share=0.5),
        Variant(
            name="long",
            share=0.5,
            changes=(("recommend.k", 20), ("recommend.popularity_weight", 0.0), ("ranker.enabled", False)),
        ),
    ),
)
HALVES = "[experiments.a.variants.control]\nshare = 0.5\n[experiments.a.variants.b]\nshare = 0.5\n"


def loaded(folder: Path, text: str, **environ: str) -> tuple[Experiment, ...]:
    path = folder / "freshrec.toml"
    path.write_text(text)
    return load(path, environ).settings.experiments


def test_tables_become_experiments(tmp_path: Path) -> None:
    assert loaded(tmp_path, TOML) == (LENGTH,)


def test_the_environment_alone_makes_the_same() -> None:
    own, variants = "FRESHREC_EXPERIMENTS__LENGTH__", "FRESHREC_EXPERIMENTS__LENGTH__VARIANTS__"
    environ = {
        f"{own}GOAL": "conversion",
        f"{own}LAST_SLOT": "49",
        f"{own}STARTS_AT": "2026-11-01T00:00:00Z",
        f"{own}ENDS_AT": "1796079600000",
        f"{variants}CONTROL__SHARE": "0.5",
        f"{variants}LONG__SHARE": "0.5",
        f"{variants}LONG__RECOMMEND__K": "20",
        f"{variants}LONG__RECOMMEND__POPULARITY_WEIGHT": "0",
        f"{variants}LONG__RANKER__ENABLED": "false",
    }
    (found,) = load(environ=environ).settings.experiments
    assert (found.goal, found.last_slot, found.starts_at, found.ends_at) == (
        LENGTH.goal,
        LENGTH.last_slot,
        LENGTH.starts_at,
        LENGTH.ends_at,
    )
    assert {each.name: dict(each.changes) for each in found.variants} == {
        each.name: dict(each.changes) for each in LENGTH.variants
    }


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (found,) = loaded(tmp_path, TOML, FRESHREC_EXPERIMENTS__LENGTH__VARIANTS__LONG__RECOMMEND__K="30")
    assert dict(found.variants[1].changes)["recommend.k"] == 30


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HALVES.replace("0.5\n[", "0.6\n["), "shares of its variants sum to 1.1, expected 1"),
        (HALVES + "recommend.kk = 3\n", "did you mean recommend.k?"),
        (HALVES + "rules.half_life_s = 3\n", "may not differ between variants"),
        (HALVES + "recommend.enabled = false\n", "may not differ between variants"),
        (HALVES + "recommend.k = 0\n", "expected a whole number at least 1"),
        (HALVES + "weight = 3\n", "unknown field `weight`"),
        (HALVES + '[experiments.a]\ncontrol = "none"\n', "control = 'none' is none of its variants"),
        (HALVES + '[experiments.a]\ngoal = "fame"\n', "Invalid enum value 'fame'"),
        (HALVES + "[experiments.a]\nfirst_slot = 9\nlast_slot = 3\n", "first_slot is above last_slot"),
        (HALVES + "[experiments.a]\nlast_slot = 100\n", "Expected `int` <= 99"),
        (HALVES + '[experiments.a]\nstarts_at = "soon"\n', "is no time: write 2026-11-27T00:00:00Z"),
        (HALVES + "[experiments.a]\nstarts_at = 9\nends_at = 9\n", "ends before it starts"),
        (HALVES.replace(".a.", ".A."), "matching regex"),
        ("[experiments.a.variants.control]\nshare = 1.0\n", "has 1 variants; expected from 2 to 8"),
        (HALVES + HALVES.replace(".a.", ".c."), "a and c have the same customers at the same time"),
        ("experiments = 3\n", "is not a table"),
        ("[experiments]\na = 3\n", "is not a table"),
    ],
)
def test_nonsense_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=r".") as caught:
        loaded(tmp_path, text)
    assert words in str(caught.value)


def test_two_experiments_may_have_slots_of_their_own_or_follow_each_other(tmp_path: Path) -> None:
    other = HALVES.replace(".a.", ".c.")
    apart = "[experiments.a]\nlast_slot = 9\n[experiments.c]\nfirst_slot = 10\n"
    after = "[experiments.a]\nends_at = 9\n[experiments.c]\nstarts_at = 9\n"
    assert len(loaded(tmp_path, HALVES + other + apart)) == 2
    assert len(loaded(tmp_path, HALVES + other + after)) == 2


def test_their_number_is_bounded() -> None:
    halves = tuple(Variant(name=name, share=0.5) for name in ("control", "b"))
    many = [Experiment(name=f"e{n}", variants=halves, first_slot=n, last_slot=n) for n in range(9)]
    with pytest.raises(SettingsError, match="9 experiments, at most 8"):
        check_experiments(many)


def test_nothing_that_is_learned_or_that_a_process_does_may_differ() -> None:
    assert {key.partition(".")[0] for key in CHANGEABLE} == {"recommend", "ranker"}
    assert {"recommend.enabled", "recommend.refresh_interval_ms"}.isdisjoint(CHANGEABLE)
