"""Caser in JAX: what comes after a window of items, its loss, and the gradients of all that it is made of."""

from functools import cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from online_models.deep.next_items import Gradients
from online_models.deep.row_vectors import Floats
from online_models.deep.settings import SequenceShape


class Filters(NamedTuple):
    """The network: `horizontal` filters see neighbours, `vertical` ones weigh places, `hidden` joins them."""

    horizontal: tuple[Any, ...]
    vertical: Any
    hidden: Any


def drawn_filters(shape: SequenceShape, seed: int) -> Filters:
    """Return filters as they are before anything is learned."""
    keys = jax.random.split(jax.random.key(seed), shape.length + 2)
    heights = range(1, shape.length + 1)
    horizontal = tuple(
        eqx.nn.Linear(height * shape.width, shape.horizontal, key=key)
        for height, key in zip(heights, keys[2:], strict=True)
    )
    vertical = eqx.nn.Linear(shape.length, shape.vertical, use_bias=False, key=keys[0])
    newest_first = jnp.exp2(jnp.arange(shape.length) - shape.length)
    vertical = eqx.tree_at(lambda each: each.weight, vertical, jnp.tile(newest_first, (shape.vertical, 1)))
    joined = shape.length * shape.horizontal + shape.vertical * shape.width
    return Filters(horizontal, vertical, eqx.nn.Linear(joined, shape.width, key=keys[1]))


def state_of(filters: Filters, window: Any) -> Any:
    """Return the vector of what a window, shape (length, width), oldest first, leads to."""
    across = [_most(seen, window, height) for height, seen in enumerate(filters.horizontal, start=1)]
    down = jax.vmap(filters.vertical)(window.T)
    return down.mean(axis=1) + filters.hidden(jnp.concatenate([*across, down.T.ravel()]))


def _most(filters: Any, window: Any, height: int) -> Any:
    """Return the most that each filter sees in so many neighbours: a convolution, written as products."""
    neighbours = jnp.stack([window[n : n + height].ravel() for n in range(len(window) - height + 1)])
    return jax.nn.relu(jax.vmap(filters)(neighbours)).max(axis=0)


def _loss(learned: Any, possible: Any) -> Any:
    filters, windows, candidates, biases = learned
    states = jax.vmap(state_of, (None, 0))(filters, windows)
    logits = jnp.where(possible, states @ candidates.T + biases, -jnp.inf)
    right = jnp.diagonal(logits)
    return jnp.mean(jax.nn.logsumexp(logits, axis=1) - right)


_state = jax.jit(state_of)


@cache
def _optimiser(rate: float) -> tuple[Any, Any]:
    """Return an optimiser and its step, compiled once for all networks of a shape."""
    adam = optax.adam(rate)

    def step(filters: Filters, moments: Any, vectors: tuple[Any, ...], possible: Any) -> Any:
        loss, slopes = jax.value_and_grad(_loss)((filters, *vectors), possible)
        changes, moments = adam.update(slopes[0], moments)
        return optax.apply_updates(filters, changes), moments, loss, slopes[1:]

    return adam, jax.jit(step)


class SequenceNetwork:
    """The filters and their optimiser, Adam; a `NextItemNetwork`.

    Parameters
    ----------
    shape : SequenceShape
        Sizes.
    rate : float
        Length of steps.
    seed : int
        Of the first filters.
    """

    def __init__(self, shape: SequenceShape, *, rate: float, seed: int) -> None:
        self._filters = drawn_filters(shape, seed)
        optimiser, self._step = _optimiser(rate)
        self._moments = optimiser.init(self._filters)

    def state(self, window: Floats) -> Floats:
        return np.asarray(_state(self._filters, window))

    def learn(
        self, windows: Floats, candidates: Floats, biases: Floats, possible: NDArray[np.bool_]
    ) -> Gradients:
        self._filters, self._moments, loss, slopes = self._step(
            self._filters, self._moments, (windows, candidates, biases), possible
        )
        return Gradients(float(loss), *(np.asarray(each) for each in slopes))

    def weights(self) -> list[Floats]:
        return [np.asarray(each) for each in jax.tree.leaves(self._filters)]
