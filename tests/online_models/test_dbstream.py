"""DBSTREAM: as many groups as there are, of any shape, outliers apart, within bounds."""

import numpy as np
import pytest

from online_models.agreement import adjusted_rand
from online_models.dbstream import MOST, Dbstream
from online_models.density import DensityStep, group_of
from online_models.evaluation.plain_store import PlainStore
from online_models.features import FEATURES, vector
from schemas.density import DensityGroups, DensityRow
from schemas.messages import Sample
from schemas.settings import Settings
from schemas.state import Behaviour

RNG = np.random.default_rng


def learned(points: np.ndarray, radius: float, **options: float) -> tuple[Dbstream, DensityRow]:
    model = Dbstream([1.0] * points.shape[1], radius=radius, half_life=5_000, **options)
    row = DensityRow()
    for point in points.tolist():
        model.learn_one(row, point)
    return model, row


def owners_of(model: Dbstream, row: DensityRow, points: np.ndarray) -> list[int]:
    found, (mean, deviation) = model.groups(row), model.scale(row)
    scaled = (points - mean) / deviation
    apart = np.linalg.norm(scaled[:, None, :] - found.centres[None], axis=2)
    return [found.owners[place] for place in apart.argmin(axis=1)]


@pytest.mark.parametrize("many", [2, 3, 5])
def test_as_many_groups_are_found_as_there_are(many: int) -> None:
    rng = RNG(many)
    truth = rng.integers(0, many, 3_000)
    angle = 2 * np.pi * truth / many
    points = np.stack((np.cos(angle), np.sin(angle)), axis=1) * 10 + rng.normal(0, 0.8, (3_000, 2))
    model, row = learned(points, radius=0.25)
    assert len(model.groups(row).shares) == many
    assert adjusted_rand(truth.tolist(), owners_of(model, row, points)) > 0.95


def test_rings_are_told_apart_which_no_centre_could_do() -> None:
    rng = RNG(8)
    truth = rng.integers(0, 2, 6_000)
    angle, away = rng.random(6_000) * 2 * np.pi, np.where(truth, 10.0, 3.0) + rng.normal(0, 0.3, 6_000)
    points = np.stack((np.cos(angle), np.sin(angle)), axis=1) * away[:, None]
    model, row = learned(points, radius=0.25)
    assert adjusted_rand(truth.tolist(), owners_of(model, row, points)) > 0.95


def test_old_groups_fade_and_new_ones_come() -> None:
    rng = RNG(3)
    model, row = Dbstream([1.0], radius=0.3, half_life=300), DensityRow()
    for centres in ((0.0, 5.0), (0.0, -5.0)):
        for point in rng.choice(centres, 3_000) + rng.normal(0, 0.2, 3_000):
            model.learn_one(row, [float(point)])
    found, (mean, deviation) = model.groups(row), model.scale(row)
    places = sorted(
        float(np.mean(found.centres[np.array(found.owners) == group] * deviation + mean))
        for group in range(len(found.shares))
    )
    assert places == pytest.approx([-5.0, 0.0], abs=0.5)


def test_micro_clusters_keep_to_their_bound() -> None:
    rng = RNG(5)
    model, row = Dbstream([1.0, 1.0], radius=0.01, half_life=1_000), DensityRow()
    for point in rng.random((1_500, 2)).tolist():
        model.learn_one(row, point)
        assert len(row.weights) == len(row.touched) == len(row.centres) // 16 <= MOST
    assert len(row.weights) == MOST
    assert all(int(name) < MOST for pair in row.shared for name in pair.split())


def customers(count: int, seed: int) -> list[list[float]]:
    """Customers of three tastes."""
    rng = RNG(seed)
    return [
        vector(
            Behaviour(
                events=int(rng.integers(8, 20)),
                sessions=3,
                spent=float(rng.random() * 20),
                purchases=1,
                price_sum=30.0,
                priced=3,
                categories={("tea", "kites", "lamps")[n % 3]: float(rng.integers(30, 60))},
            )
        )
        for n in range(count)
    ]


def groups_learned() -> tuple[DensityStep, DensityGroups]:
    step = DensityStep(PlainStore[DensityRow](), Settings())
    for n, features in enumerate(customers(1_500, 1)):
        step.learn_one(Sample(n, features, [], [], 0.0, 0))
    groups = step.groups()
    assert groups is not None
    return step, groups


def test_planted_outliers_are_found_and_hardly_anybody_else() -> None:
    _, groups = groups_learned()
    usual = [group_of(groups, features) for features in customers(300, 2)]
    assert sum(each is not None and each[1] for each in usual) <= 6
    truth, found = [n % 3 for n in range(300)], [each[0] for each in usual if each is not None]
    assert adjusted_rand(truth, found) > 0.95
    for categories in ({"garden": 40.0, "boats": 40.0}, {"wool": 50.0, "tea": 40.0}):
        odd = Behaviour(events=300, sessions=90, spent=9_000.0, purchases=80, carts=90, categories=categories)
        found_odd = group_of(groups, vector(odd))
        assert found_odd is not None
        assert found_odd[1]


def test_nothing_is_told_of_few_samples_and_who_is_forgotten_teaches_nothing() -> None:
    step = DensityStep(PlainStore[DensityRow](), Settings())
    for n, features in enumerate(customers(199, 1)):
        step.learn_one(Sample(n, features, [], [], 0.0, 0))
    assert step.groups() is None
    step.learn_one(Sample(200, [], customers(1, 1)[0], [], 0.0, 0))
    assert step.groups() is None
    step.learn_one(Sample(201, customers(1, 1)[0], [], [], 0.0, 0))
    groups = step.groups()
    assert groups is not None
    assert (groups.seen, len(groups.mean), groups.at) == (200, len(FEATURES), 201)
