"""Who takes part, and in which variant."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.experiments.assignment import Assignment, shares_of
from schemas.experiments import Experiment, Variant

CUSTOMERS = [f"u:customer-{n}" for n in range(20_000)]


def an_experiment(
    name: str = "length",
    *,
    first: int = 0,
    last: int = 99,
    salt: str = "",
    starts_at: int | None = None,
    ends_at: int | None = None,
) -> Experiment:
    variants = tuple(
        Variant(name=each, share=share) for each, share in (("control", 0.6), ("long", 0.3), ("short", 0.1))
    )
    return Experiment(
        name=name,
        variants=variants,
        first_slot=first,
        last_slot=last,
        salt=salt,
        starts_at=starts_at,
        ends_at=ends_at,
    )


def arms(*experiments: Experiment, at: int = 0) -> list[str | None]:
    assignment = Assignment(experiments)
    return [assignment.arm_of(key, at) for key in CUSTOMERS]


def test_variants_have_their_shares() -> None:
    found = Counter(arms(an_experiment()))
    assert found["length:control"] == pytest.approx(12_000, abs=250)
    assert found["length:long"] == pytest.approx(6_000, abs=250)
    assert found["length:short"] == pytest.approx(2_000, abs=150)


def test_an_experiment_has_the_customers_of_its_slots_and_others_have_the_others() -> None:
    one, other = arms(an_experiment("one", last=29)), arms(an_experiment("other", first=30, last=49))
    together = arms(an_experiment("one", last=29), an_experiment("other", first=30, last=49))
    assert sum(each is not None for each in one) == pytest.approx(6_000, abs=300)
    assert not any(a is not None and b is not None for a, b in zip(one, other, strict=True))
    assert together == [a or b for a, b in zip(one, other, strict=True)]


@pytest.mark.parametrize(
    "second", [an_experiment("later"), an_experiment(salt="again")], ids=["name", "salt"]
)
def test_another_name_or_salt_draws_independently(second: Experiment) -> None:
    pairs = Counter(
        (str(a).partition(":")[2], str(b).partition(":")[2])
        for a, b in zip(arms(an_experiment()), arms(second), strict=True)
    )
    shares = shares_of(an_experiment())
    for (a, b), count in pairs.items():
        assert count == pytest.approx(
            20_000 * shares[a] * shares[b], abs=4 * (20_000 * shares[a] * shares[b]) ** 0.5
        )


def test_it_runs_from_its_start_to_before_its_end() -> None:
    experiment = an_experiment(starts_at=100, ends_at=200)
    runs = [Assignment([experiment]).arm_of("u:anna", at) is not None for at in (99, 100, 199, 200)]
    assert runs == [False, True, True, False]


def test_who_has_no_list_takes_no_part_and_a_guest_does() -> None:
    assignment = Assignment([an_experiment()])
    assert assignment.arm_of("o:order-7", 0) is None
    assert assignment.arm_of("s:session-7", 0) is not None


@given(st.text(max_size=20), st.integers(0, 99))
def test_everybody_is_in_exactly_one_of_two_halves_of_the_slots(name: str, split: int) -> None:
    lower = Assignment([an_experiment(last=split)]).arm_of(f"u:{name}", 0)
    upper = None if split == 99 else Assignment([an_experiment(first=split + 1)]).arm_of(f"u:{name}", 0)
    whole = Assignment([an_experiment()]).arm_of(f"u:{name}", 0)
    assert (lower is None) != (upper is None)
    assert whole == (lower or upper)


def test_shares_that_are_no_multiples_still_cover_all() -> None:
    thirds = tuple(Variant(name=name, share=1 / 3) for name in ("control", "b", "c"))
    shares = shares_of(Experiment(name="thirds", variants=thirds))
    assert sum(shares.values()) == pytest.approx(1)
    assert all(share == pytest.approx(1 / 3, abs=1e-4) for share in shares.values())
