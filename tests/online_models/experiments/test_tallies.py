"""Sums over customers: partitions add up, and the number of arms is bounded."""

from online_models.experiments.tallies import AMOUNTS, PRODUCTS, ArmChange, add, merged, product
from schemas.experiments import MAX_ARMS, ArmTallies

NOTHING = [0] * len(AMOUNTS)


def a_change(arm: str, at: int, *amounts: int) -> ArmChange:
    return ArmChange(arm, at, NOTHING, [*amounts, *NOTHING[len(amounts) :]], entered=1)


def test_partitions_together_are_as_one() -> None:
    changes = [a_change(f"a:{n % 3}", n, n, n * n, 10**12 + n) for n in range(40)]
    whole, parts = ArmTallies({}), [ArmTallies({}), ArmTallies({})]
    for n, change in enumerate(changes):
        add(whole, change)
        add(parts[n % 2], change)
    assert merged(parts) == whole.arms
    assert merged([]) == {}


def test_the_sums_are_those_over_customers_as_they_are_now() -> None:
    tallies, before = ArmTallies({}), NOTHING
    for n in range(1, 6):
        after = [n * (place + 1) for place in range(len(AMOUNTS))]
        add(tallies, ArmChange("a:b", n, before, after, entered=int(n == 1)))
        before = after
    tally = tallies.arms["a:b"]
    assert (tally.customers, tally.first_at, tally.newest_at) == (1, 1, 5)
    assert tally.sums == before
    assert all(product(tally, i, j) == before[i] * before[j] for i, j in PRODUCTS)


def test_of_too_many_arms_the_one_that_was_quiet_longest_leaves() -> None:
    tallies = ArmTallies({})
    for n in range(MAX_ARMS):
        add(tallies, a_change(f"a:{n}", n, 1))
    add(tallies, a_change("a:0", 1_000, 1))
    add(tallies, a_change("new:b", 1_001, 1))
    assert len(tallies.arms) == MAX_ARMS
    assert "a:1" not in tallies.arms
    assert tallies.arms["a:0"].customers == 2
