"""Streaming K-means: standardisation, centres that follow, and assignment to a segment."""

import subprocess
import sys

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from online_models.kmeans import CLIP, FLOOR, StreamingKMeans, assign
from online_models.lloyd import Floats
from schemas.clusters import KMeansState
from schemas.messages import Centroids


def blobs(count: int, *, seed: int, centres: Floats, spread: float = 0.5) -> tuple[Floats, list[int]]:
    generator = np.random.Generator(np.random.PCG64(seed))
    labels = generator.integers(len(centres), size=count)
    return centres[labels] + generator.normal(0.0, spread, (count, centres.shape[1])), labels.tolist()


FOUR = np.array([[0.0, 0.0, 1.0], [8.0, 0.0, 1.0], [0.0, 8.0, 1.0], [8.0, 8.0, 1.0]])


def model(features: int = 3, clusters: int = 4, cap: int = 400, warmup: int = 100) -> StreamingKMeans:
    return StreamingKMeans([1.0] * features, clusters=clusters, forgetting_cap=cap, warmup_samples=warmup)


def learned(stream: Floats, by: StreamingKMeans) -> KMeansState:
    state = KMeansState()
    for x in stream.tolist():
        by.learn_one(state, x)
    return state


def published(state: KMeansState, by: StreamingKMeans) -> Centroids:
    mean, deviation = by.scale(state)
    centres = (by.centres(state) - mean) / deviation
    return Centroids("1", mean.tolist(), deviation.tolist(), centres.tolist(), [], 0)


def segments(vectors: Floats, centroids: Centroids) -> list[int]:
    found = [assign(centroids, x) for x in vectors.tolist()]
    return [int(one[0]) for one in found if one is not None]


def inertia(vectors: Floats, centres: Floats) -> float:
    return float(((vectors[:, None, :] - centres[None]) ** 2).sum(axis=2).min(axis=1).sum())


@settings(max_examples=30)
@given(st.lists(st.tuples(*[st.floats(-100, 100)] * 2), min_size=1, max_size=50))
def test_until_it_forgets_the_standardisation_is_that_of_numpy(stream: list[tuple[float, float]]) -> None:
    by = model(features=2, clusters=2, cap=100, warmup=8)
    state = learned(np.array(stream), by)

    mean, deviation = by.scale(state)

    np.testing.assert_allclose(mean, np.mean(stream, axis=0), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(deviation, np.maximum(np.std(stream, axis=0), FLOOR), rtol=1e-6, atol=1e-9)


def test_the_standardisation_forgets() -> None:
    by = model(cap=100)
    old, new = np.zeros((2_000, 3)), np.full((1_000, 3), 7.0)

    mean, _ = by.scale(learned(np.concatenate([old, new]), by))

    np.testing.assert_allclose(mean, 7.0, atol=0.01)


def test_a_weight_says_how_much_a_deviation_counts() -> None:
    by = StreamingKMeans([1.0, 0.5], clusters=2, forgetting_cap=100, warmup_samples=4)
    state = learned(np.array([[0.0, 0.0], [2.0, 2.0]]), by)

    assert by.scale(state)[1].tolist() == [1.0, 2.0]


def test_there_are_no_centres_before_the_warm_up_is_over() -> None:
    by = model(warmup=60)
    vectors, _ = blobs(60, seed=1, centres=FOUR)

    assert not learned(vectors[:59], by).centres
    assert by.centres(learned(vectors, by)).shape == (4, 3)


def test_a_warm_up_shorter_than_the_clusters_is_made_as_long() -> None:
    by = model(warmup=1)
    vectors, _ = blobs(4, seed=1, centres=FOUR)

    assert not learned(vectors[:3], by).centres
    assert by.centres(learned(vectors, by)).shape == (4, 3)


@pytest.mark.parametrize("seed", range(12))
def test_groups_that_lie_apart_are_found(seed: int) -> None:
    by = model()
    vectors, labels = blobs(600, seed=seed, centres=FOUR)

    found = segments(vectors, published(learned(vectors, by), by))

    assert adjusted_rand_score(labels, found) == 1.0


@pytest.mark.parametrize("seed", range(3))
def test_inertia_on_a_stationary_world_is_close_to_that_of_batch_kmeans(seed: int) -> None:
    centres = np.random.Generator(np.random.PCG64(seed)).normal(0.0, 2.0, (6, 5))
    vectors, _ = blobs(4_000, seed=seed, centres=centres, spread=1.0)
    by = model(features=5, clusters=6, cap=1_000, warmup=200)
    state = learned(vectors, by)
    mean, deviation = by.scale(state)
    scaled = np.clip((vectors - mean) / deviation, -CLIP, CLIP)

    batch = KMeans(6, n_init=10, random_state=0).fit(scaled)

    assert inertia(scaled, (by.centres(state) - mean) / deviation) < 1.05 * float(batch.inertia_)


def test_centres_follow_a_drift() -> None:
    by = model(cap=100)
    steps = 4_000
    vectors, _ = blobs(steps, seed=3, centres=FOUR, spread=0.3)
    drift = np.linspace(0.0, 20.0, steps)[:, None] * np.array([1.0, 0.5, 0.0])

    state = learned(vectors + drift, by)

    goal = FOUR + np.array([20.0, 10.0, 0.0])
    for centre in goal:
        assert np.linalg.norm(by.centres(state) - centre, axis=1).min() < 3.0


def test_a_segment_that_nobody_is_in_any_more_gets_another_centre() -> None:
    by = model(clusters=3, cap=100, warmup=60)
    three = np.array([[0.0, 0.0, 1.0], [8.0, 0.0, 1.0], [0.0, 8.0, 1.0]])
    before, _ = blobs(400, seed=1, centres=three)
    moved = np.array([[0.0, 0.0, 1.0], [8.0, 0.0, 1.0], [8.0, 8.0, 1.0]])
    after, labels = blobs(1_500, seed=2, centres=moved)

    state = learned(np.concatenate([before, after]), by)

    assert adjusted_rand_score(labels, segments(after, published(state, by))) == 1.0


def test_segments_keep_their_ids_when_other_centres_are_chosen() -> None:
    by = model()
    vectors, _ = blobs(6_000, seed=4, centres=FOUR)
    early = segments(FOUR, published(learned(vectors[:1_000], by), by))

    late = segments(FOUR, published(learned(vectors, by), by))

    assert early == late


def test_who_takes_over_from_whom_adds_up() -> None:
    by = model(clusters=2, cap=50, warmup=40)
    pair = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 1.0]])
    near, _ = blobs(100, seed=5, centres=pair, spread=0.1)
    far, _ = blobs(400, seed=6, centres=pair + np.array([[0.0, 0.0, 0.0], [40.0, 0.0, 0.0]]), spread=0.1)
    state = KMeansState()

    told = [by.learn_one(state, x).taken_over for x in np.concatenate([near, far]).tolist()]

    shapes = [shares.shape for shares in told if shares is not None]
    assert shapes[0] == (0, 2)
    assert all(shape == (2, 2) for shape in shapes[1:])
    for shares in told:
        if shares is not None:
            np.testing.assert_allclose(shares.sum(axis=1), 1.0)


def test_an_outlier_moves_a_centre_by_no_more_than_the_clip() -> None:
    by = model(cap=1_000)
    vectors, _ = blobs(500, seed=7, centres=FOUR)
    state = learned(vectors, by)
    before = by.centres(state).copy()

    by.learn_one(state, [1e12, 0.0, 1.0])
    _, deviation = by.scale(state)

    moved = np.abs(by.centres(state) - before) / deviation
    assert moved.max() < 2 * CLIP / min(state.counts)


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2), min_size=1, max_size=40))
def test_whatever_comes_everything_stays_finite(stream: list[list[float]]) -> None:
    by = model(features=2, clusters=3, cap=10, warmup=5)
    state = KMeansState()
    for x in stream:
        distances = by.learn_one(state, x, x).distances
        assert np.isfinite(distances).all()
        if distances:
            assert distances[0] == distances[1]

    assert np.isfinite(by.scale(state)).all()
    assert np.isfinite(by.centres(state)).all()


def test_the_state_stays_bounded_on_a_stream_ten_times_longer_than_what_it_remembers() -> None:
    by = model(cap=100, warmup=60)
    vectors, _ = blobs(2_000, seed=8, centres=FOUR)
    size_then = len(msgspec.msgpack.encode(learned(vectors[:200], by)))

    size_now = len(msgspec.msgpack.encode(learned(vectors, by)))

    assert size_now < size_then + 100


def test_a_state_that_was_stored_goes_on_as_if_it_had_not_been() -> None:
    by = model()
    vectors, _ = blobs(400, seed=9, centres=FOUR)
    stored = KMeansState()

    for x in vectors.tolist():
        by.learn_one(stored, x)
        stored = msgspec.msgpack.decode(msgspec.msgpack.encode(stored), type=KMeansState)

    assert stored == learned(vectors, by)


def test_nothing_is_assigned_while_there_are_no_centres_or_no_features() -> None:
    two = Centroids("1", [0.0], [1.0], [[0.0], [2.0]], [], 0)

    assert assign(Centroids("0", [], [], [], [], 0), [1.0]) is None
    assert assign(two, []) is None
    assert assign(two, [1.0, 2.0]) is None
    assert assign(two, [1.5]) == ("1", 0.5)


def test_of_equally_near_centres_the_first_is_taken() -> None:
    assert assign(Centroids("1", [0.0], [1.0], [[-1.0], [1.0]], [], 0), [0.0]) == ("0", 1.0)


def test_assignment_clips_as_learning_does() -> None:
    assert assign(Centroids("1", [0.0], [1.0], [[0.0]], [], 0), [1e9]) == ("0", CLIP)


def test_two_clusterings_of_the_same_version_are_told_apart() -> None:
    one = Centroids("1", [0.0], [1.0], [[0.0], [2.0]], [], 0)
    other = Centroids("1", [0.0], [1.0], [[2.0], [0.0]], [], 0)

    assert [assign(of, [0.0]) for of in (one, other, one)] == [("0", 0.0), ("1", 0.0), ("0", 0.0)]


def test_assignment_finds_what_learning_found() -> None:
    by = model()
    vectors, _ = blobs(300, seed=10, centres=FOUR)
    state = learned(vectors, by)
    centroids = published(state, by)

    for x in vectors[:50].tolist():
        squared = by.distances(state, x)
        assigned = assign(centroids, x)
        assert assigned is not None
        assert int(assigned[0]) == squared.index(min(squared))
        assert assigned[1] == pytest.approx(min(squared) ** 0.5, rel=1e-9)


_PROGRAM = """
import numpy as np
from online_models.kmeans import StreamingKMeans
from schemas.clusters import KMeansState
by = StreamingKMeans([1.0] * 4, clusters=3, forgetting_cap=100, warmup_samples=50)
state = KMeansState()
for x in np.random.Generator(np.random.PCG64(5)).normal(size=(500, 4)).tolist():
    by.learn_one(state, x)
print(bytes(state.centres).hex(), state.counts)
"""


def test_another_hash_seed_gives_the_same_centres() -> None:
    said = {
        subprocess.run(  # noqa: S603  # a command of our own
            [sys.executable, "-c", _PROGRAM],
            env={"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "7")
    }

    assert len(said) == 1


def test_global_random_state_is_neither_read_nor_changed() -> None:
    by = model()
    vectors, _ = blobs(200, seed=11, centres=FOUR)
    np.random.seed(1)
    before = np.random.get_state(legacy=False)
    first = learned(vectors, by)
    after = np.random.get_state(legacy=False)
    np.random.seed(2)

    assert learned(vectors, by) == first
    assert np.array_equal(before["state"]["key"], after["state"]["key"])
