"""The Q-network in JAX: the value of each place of a slate, its loss, and the gradients."""

from functools import cache
from typing import Any, Final, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from online_models.deep.row_vectors import Floats
from online_models.deep.settings import SlateShape
from online_models.deep.slate_values import Slates, Slopes

_LEAST_CHANCE: Final = 1e-6
_MOST: Final = 5.0
"""An item can be worth exp(5) = 148 times as much as it seems, or as little."""


class Layers(NamedTuple):
    """`state` sums a window up, `base` values it whatever is shown, `hidden` and `out` an item in it."""

    state: Any
    base: Any
    hidden: Any
    out: Any


def drawn_layers(shape: SlateShape, seed: int) -> Layers:
    """Return layers as they are before anything is learned: an item is worth its chance."""
    keys = jax.random.split(jax.random.key(seed), 2)
    return Layers(
        eqx.nn.Linear(shape.length * shape.width, shape.width, key=keys[0]),
        _silent(shape.width),
        eqx.nn.Linear(3 * shape.width + 1, shape.units, key=keys[1]),
        _silent(shape.units),
    )


def _silent(width: int) -> Any:
    """Return a layer of one output that is 0 until it has learned."""
    layer = eqx.nn.Linear(width, 1, key=jax.random.key(0))
    return eqx.tree_at(lambda each: (each.weight, each.bias), layer, (0 * layer.weight, 0 * layer.bias))


def values_of(layers: Layers, slate: Slates) -> Any:
    """Return the value of each place of one slate, shape (places,).

    What a state is worth by itself does not change the order of its items, and an item is worth its chance
    times a factor: errors of the network leave those that hardly anybody takes to where they are.
    """
    state = jnp.tanh(layers.state(slate.windows.ravel()))

    def value(item: Any, chance: Any) -> Any:
        known = jnp.log(chance + _LEAST_CHANCE)[None]
        seen = jax.nn.relu(layers.hidden(jnp.concatenate([state, item, state * item, known])))
        return chance * jnp.exp(_MOST * jnp.tanh(layers.out(seen)[0] / _MOST))

    return layers.base(state)[0] + jax.vmap(value)(slate.items, slate.evidence)


_all_values = jax.vmap(values_of, (None, 0))


def _targets(layers: Layers, copy: Layers, following: Slates, rewards: Any, discount: float) -> Any:
    """Return what is learned towards: rewards, and the best that follows, as the copy values it."""
    chosen = jnp.where(following.there, _all_values(layers, following), -jnp.inf).argmax(axis=1)
    valued = jnp.take_along_axis(_all_values(copy, following), chosen[:, None], axis=1)
    return rewards + discount * jnp.where(following.there.any(axis=1, keepdims=True), valued, 0.0)


def _loss(learned: Any, slates: Slates, targets: Any, weights: Any) -> Any:
    layers, windows, items = learned
    found = _all_values(layers, slates._replace(windows=windows, items=items))
    counts = weights * slates.there
    # Not Huber's loss: what is rare and large, an order, would count less than it is worth.
    return jnp.sum(counts * optax.l2_loss(found, targets)) / jnp.maximum(counts.sum(), 1e-9)


_values = jax.jit(_all_values)


@cache
def _optimiser(rate: float, discount: float) -> tuple[Any, Any]:
    """Return an optimiser and its step, compiled once for all networks of a shape."""
    adam = optax.adam(rate)

    def step(
        layers: Layers, copy: Layers, moments: Any, slates: Slates, following: Slates, *of_places: Any
    ) -> Any:
        rewards, weights = of_places
        targets = _targets(layers, copy, following, rewards, discount)
        learned = (layers, slates.windows, slates.items)
        loss, slopes = jax.value_and_grad(_loss)(learned, slates, targets, weights)
        changes, moments = adam.update(slopes[0], moments)
        return optax.apply_updates(layers, changes), moments, loss, slopes[1:]

    return adam, jax.jit(step)


class DoubleQNetwork:
    """The layers, their copy and their optimiser, Adam; a `ValueNetwork`.

    Parameters
    ----------
    shape : SlateShape
        Sizes.
    rate : float
        Length of steps.
    discount : float
        What the next slate counts.
    seed : int
        Of the first layers.

    References
    ----------
    van Hasselt, Guez, Silver: Deep Reinforcement Learning with Double Q-learning, AAAI 2016; Wang et al.:
    Dueling Network Architectures for Deep Reinforcement Learning, ICML 2016.
    """

    def __init__(self, shape: SlateShape, *, rate: float, discount: float, seed: int) -> None:
        self._layers = self._copy = drawn_layers(shape, seed)
        optimiser, self._step = _optimiser(rate, discount)
        self._moments = optimiser.init(self._layers)

    def values(self, slates: Slates) -> Floats:
        return np.asarray(_values(self._layers, slates))

    def learn(self, slates: Slates, following: Slates, rewards: Floats, weights: Floats) -> Slopes:
        self._layers, self._moments, loss, slopes = self._step(
            self._layers, self._copy, self._moments, slates, following, rewards, weights
        )
        return Slopes(float(loss), *(np.asarray(each) for each in slopes))

    def follow(self) -> None:
        self._copy = self._layers

    def weights(self) -> list[Floats]:
        return [np.asarray(each) for each in jax.tree.leaves(self._layers)]
