"""Who comes in: customers by activity and hour, nobody in two visits at once, and guests."""

from typing import NamedTuple

import numpy as np

from online_models.worlds.latent import Floats, Ints, Latent
from online_models.worlds.rows import GUEST
from online_models.worlds.settings import StorefrontSettings

_TRIES = 3
"""Draws for each visitor who is needed; where all are busy or repeated, anyone free comes."""


class Visits(NamedTuple):
    """The visits that begin in one block of time, in order of their beginning."""

    number: Ints
    who: Ints
    group: Ints
    begins_ms: Floats


class Visitors:
    """Choose who begins a visit, and remember until when each customer is busy.

    Parameters
    ----------
    settings : StorefrontSettings
        Shares and strengths.
    latent : Latent
        Groups and activity of the customers.
    """

    def __init__(self, settings: StorefrontSettings, latent: Latent) -> None:
        self._settings = settings
        self._latent = latent
        self._busy_until_ms = np.full(settings.customers, -np.inf)
        self._cumulative = np.cumsum(latent.activity)
        self.active = int(np.count_nonzero(latent.activity))
        self._next_number = 0

    def choose(self, rng: np.random.Generator, begins_ms: Floats) -> Visits:
        """Choose a visitor for each beginning; visits are dropped when no customer is free."""
        guests = rng.random(len(begins_ms)) < self._settings.guest_share
        who = np.full(len(begins_ms), GUEST, dtype=np.int64)
        hours = self._hours(begins_ms[0])
        chosen = self._customers(rng, hours, int(np.count_nonzero(~guests)), begins_ms[0])
        places = np.flatnonzero(~guests)
        who[places[: len(chosen)]] = chosen
        kept = np.sort(np.concatenate((np.flatnonzero(guests), places[: len(chosen)])))
        group = self._latent.customer_group[who]
        group = np.where(who == GUEST, _weighted(rng, np.cumsum(hours), len(who)), group)
        number = self._next_number + np.arange(len(kept))
        self._next_number += len(kept)
        return Visits(number, who[kept], group[kept], begins_ms[kept])

    def keep_busy(self, who: Ints, until_ms: Floats) -> None:
        """Note until when the visits of these customers last; guests are passed over."""
        known = who != GUEST
        self._busy_until_ms[who[known]] = until_ms[known]

    def _hours(self, at_ms: float) -> Floats:
        part_of_day = at_ms / (self._settings.day_s * 1_000.0) % 1.0
        swing = np.cos(2 * np.pi * (part_of_day - self._latent.peak))
        return np.asarray(np.maximum(1.0 + self._settings.hours_strength * swing, 1e-9))

    def _customers(self, rng: np.random.Generator, hours: Floats, count: int, at_ms: float) -> Ints:
        """Choose distinct free customers, weighted by activity and hours."""
        cumulative = self._cumulative
        if self._settings.hours_strength > 0:
            cumulative = np.cumsum(self._latent.activity * hours[self._latent.customer_group])
        found = _weighted(rng, cumulative, _TRIES * count)
        found = found[self._busy_until_ms[found] <= at_ms]
        found = found[np.sort(np.unique(found, return_index=True)[1])][:count]
        if len(found) == count:
            return np.asarray(found)
        free = (self._busy_until_ms <= at_ms) & (self._latent.activity > 0)
        free[found] = False
        rest = rng.permutation(np.flatnonzero(free))[: count - len(found)]
        return np.concatenate((found, rest))


def _weighted(rng: np.random.Generator, cumulative: Floats, count: int) -> Ints:
    """Draw places with chances given by their cumulative weights; a weight of 0 is never drawn."""
    found = np.searchsorted(cumulative, rng.random(count) * cumulative[-1], side="right")
    return np.asarray(np.minimum(found, len(cumulative) - 1))
