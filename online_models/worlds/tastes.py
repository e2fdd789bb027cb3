"""What a group wants on a given day: chances of categories and items, and drawing from them.

A day's table is made from the hidden arrays, the day's popularity ranks (drift) and the season. Days are
counted from the start of the stream.
"""

import numpy as np
from numpy.typing import NDArray

from online_models.worlds.latent import DRIFT, Floats, Ints, Latent, generator
from online_models.worlds.settings import StorefrontSettings

_LIST_ROUNDS = 24
"""How often repeated items of a list are drawn again before it is left shorter."""


class Tastes:
    """Chances of one day, as cumulative sums that a uniform number is looked up in.

    Parameters
    ----------
    settings : StorefrontSettings
        Sizes and strengths.
    latent : Latent
        The hidden arrays.
    rank : array of I floats
        Popularity ranks of the day, from 1.
    day : int
        Days since the start of the stream.
    """

    def __init__(self, settings: StorefrontSettings, latent: Latent, rank: Floats, day: int) -> None:
        self._categories = settings.categories
        weight = rank**-settings.zipf
        self.of_categories = _category_chances(settings, latent, weight, day)
        self._order = np.argsort(latent.item_category, kind="stable")
        self._category = latent.item_category[self._order]
        self._within = _item_chances(settings, latent, weight[self._order], self._order)
        self._category_steps = _steps(self.of_categories, np.zeros(settings.categories, dtype=np.int64))
        self._item_steps = _steps(self._within, self._category)

    def of_items(self) -> Floats:
        """Give the chance of each item in one view of each group, G x I."""
        chances = np.empty_like(self._within)
        chances[:, self._order] = self._within * self.of_categories[:, self._category]
        return chances

    def draw_categories(self, rng: np.random.Generator, group: Ints) -> Ints:
        """Draw a category for each entry of `group`."""
        found = np.searchsorted(self._category_steps, group + rng.random(group.shape), side="right")
        return np.asarray(np.minimum(found - group * self._categories, self._categories - 1))

    def draw_items(self, rng: np.random.Generator, group: Ints, category: Ints) -> Ints:
        """Draw an item for each pair of a group and a category."""
        cell = group * self._categories + category
        found = np.searchsorted(self._item_steps, cell + rng.random(group.shape), side="right")
        return np.asarray(self._order[found % len(self._order)])

    def draw_lists(self, rng: np.random.Generator, group: Ints, length: int) -> Ints:
        """Draw a list of distinct items for each entry of `group`; -1 fills one that came out shorter."""
        wide = np.repeat(group[:, None], length, axis=1)
        lists = self.draw_items(rng, wide, self.draw_categories(rng, wide))
        for _ in range(_LIST_ROUNDS):
            again = repeated(lists)
            if not again.any():
                return lists
            lists[again] = self.draw_items(rng, wide[again], self.draw_categories(rng, wide[again]))
        lists[repeated(lists)] = -1
        return lists


def repeated(lists: Ints) -> NDArray[np.bool_]:
    """Mark, in each row, the entries that an earlier column already has.

    Examples
    --------
    >>> repeated(np.array([[5, 7, 5], [1, 2, 3]])).tolist()
    [[False, False, True], [False, False, False]]
    """
    order = np.argsort(lists, axis=1, kind="stable")
    ordered = np.take_along_axis(lists, order, axis=1)
    marks = np.zeros(lists.shape, dtype=np.bool_)
    np.put_along_axis(marks, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
    return marks


def _category_chances(settings: StorefrontSettings, latent: Latent, weight: Floats, day: int) -> Floats:
    mass = np.ones(settings.categories)
    if settings.zipf_over == "shop":
        mass = np.bincount(latent.item_category, weight, settings.categories).astype(np.float64)
    year = (settings.start_at_ms / (settings.day_s * 1_000) + day) / settings.season_days
    season = 1.0 + settings.season_strength * np.sin(2 * np.pi * (year + latent.season_phase))
    own: Floats = latent.own * mass
    own = own / own.sum(axis=1, keepdims=True)
    chances = settings.taste_focus * own + (1.0 - settings.taste_focus) * mass / mass.sum()
    chances *= season
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


def _item_chances(settings: StorefrontSettings, latent: Latent, weight: Floats, order: Ints) -> Floats:
    """Give the chance of each item within its category, G x I, with items and weights in `order`."""
    distance = np.abs(latent.item_tier[order] - latent.price_level[:, None])
    chances = weight * np.exp(-settings.price_strength * distance)
    category = latent.item_category[order]
    totals = np.add.reduceat(chances, np.flatnonzero(np.diff(category, prepend=-1)), axis=1)
    return np.asarray(chances / totals[:, category])


def _steps(chances: Floats, part: Ints) -> Floats:
    """Lay rows of chances end to end, so that part p of row g covers one whole unit of numbers.

    Examples
    --------
    >>> _steps(np.array([[0.25, 0.75, 0.5, 0.5]]), np.array([0, 0, 1, 1])).tolist()
    [0.25, 1.0, 1.5, 2.0]
    """
    parts = int(part[-1]) + 1
    steps = np.cumsum(chances, axis=1) + parts * np.arange(len(chances))[:, None]
    # Sums of floats miss the whole numbers slightly: the last step of a part has to be exact.
    last = np.flatnonzero(np.diff(part, append=parts))
    steps[:, last] = part[last] + 1.0 + parts * np.arange(len(chances))[:, None]
    return np.asarray(steps.ravel())


class DriftingTastes:
    """The table of each day in turn, from day 0; days only go forward.

    Parameters
    ----------
    settings : StorefrontSettings
        Drift, season and the length of a day.
    latent : Latent
        The hidden arrays.
    """

    def __init__(self, settings: StorefrontSettings, latent: Latent) -> None:
        self._settings = settings
        self._latent = latent
        self._rank = latent.item_rank.copy()
        self._day = 0
        self._today = Tastes(settings, latent, self._rank, 0)

    def on_day(self, day: int) -> Tastes:
        """Give the table of a day, at least the last one asked for."""
        if day <= self._day:
            return self._today
        while self._day < day:
            self._day += 1
            self._exchange_ranks()
        self._today = Tastes(self._settings, self._latent, self._rank, day)
        return self._today

    def _exchange_ranks(self) -> None:
        if self._settings.drift_per_day == 0:
            return
        rng = generator(self._settings, DRIFT, self._day)
        category = self._latent.item_category
        chosen = np.flatnonzero(rng.random(len(category)) < self._settings.drift_per_day)
        by_category = chosen[np.argsort(category[chosen], kind="stable")]
        shuffled = chosen[np.lexsort((rng.random(len(chosen)), category[chosen]))]
        self._rank[by_category] = self._rank[shuffled]
