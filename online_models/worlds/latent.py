"""What the shop hides: groups and their tastes, items with category, rank and price, customers, pairs.

Drawn once from the seed, as arrays indexed by group, item and customer. What changes with the day is in
`tastes`, what customers do in `visits`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_models.worlds.settings import StorefrontSettings

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_WORLD, DRIFT, TRAFFIC, DELIVERY, PAST, CATALOGUE, SCRIPT = range(7)


class Latent(NamedTuple):
    """The hidden arrays of a shop: G groups, C categories, I items, U customers, P pairs."""

    item_category: Ints  # I
    item_place: Ints  # I: number of the item in its category
    item_rank: Floats  # I: popularity rank on day 0, from 1
    item_cents: Ints  # I
    item_tier: Floats  # I: place among the prices of its category, 0 to 1
    item_quality: Floats  # I: what ratings of it are above the mean, in stars
    season_phase: Floats  # C, in years
    own: NDArray[np.bool_]  # G x C: the categories a group likes
    price_level: Floats  # G, 0 to 1
    propensity: Floats  # G: factor of the intent to buy
    visit_length: Floats  # G: factor of the views in a visit
    peak: Floats  # G: the middle of its hours, as a part of the day
    customer_group: Ints  # U
    activity: Floats  # U; 0 for a scripted customer
    pairs: Ints  # P x 2: the first item brings the second


def generator(settings: StorefrontSettings, *purpose: int) -> np.random.Generator:
    """Make the generator of one purpose, independent of all others of the same seed."""
    return np.random.Generator(np.random.PCG64([settings.seed, *purpose]))


def draw_latent(settings: StorefrontSettings) -> Latent:
    """Draw a shop's hidden arrays.

    Parameters
    ----------
    settings : StorefrontSettings
        Sizes, seed and strengths.

    Examples
    --------
    >>> latent = draw_latent(StorefrontSettings(items=16, customers=8, pairs=3))
    >>> latent.own.shape, latent.pairs.shape, sorted(set(latent.customer_group.tolist()))
    ((4, 8), (3, 2), [0, 1, 2, 3])
    """
    rng = generator(settings, _WORLD)
    category = rng.permutation(np.arange(settings.items) % settings.categories)
    rank = _ranks(rng, settings, category)
    cents = _prices(rng, settings, category)
    groups = settings.groups
    ladder = np.linspace(-1.0, 1.0, groups) if groups > 1 else np.zeros(1)
    return Latent(
        item_category=category,
        item_place=_places_within(category, np.arange(settings.items)),
        item_rank=rank,
        item_cents=cents,
        item_tier=(_places_within(category, cents) + 0.5) / np.bincount(category)[category],
        item_quality=rng.normal(0.0, 0.5, settings.items),
        season_phase=np.arange(settings.categories) / settings.categories,
        own=_own_categories(settings),
        price_level=rng.permutation((np.arange(groups) + 0.5) / groups),
        propensity=settings.group_contrast ** rng.permutation(ladder),
        visit_length=settings.group_contrast ** (rng.permutation(ladder) / 2),
        peak=rng.permutation(np.arange(groups) / groups),
        customer_group=rng.permutation(np.arange(settings.customers) % groups),
        activity=_activity(rng, settings),
        pairs=_pairs(rng, settings, category, rank),
    )


def _places_within(category: Ints, by: Ints) -> Ints:
    """Give each item its place in its category, from 0, in the order of `by`."""
    order = np.lexsort((by, category))
    starts = np.concatenate(([0], np.cumsum(np.bincount(category))))
    places = np.empty_like(category)
    places[order] = np.arange(len(category)) - starts[category[order]]
    return places


def _ranks(rng: np.random.Generator, settings: StorefrontSettings, category: Ints) -> Floats:
    shuffled = rng.permutation(settings.items)
    ranks = _places_within(category, shuffled) if settings.zipf_over == "category" else shuffled
    return (ranks + 1).astype(np.float64)


def _prices(rng: np.random.Generator, settings: StorefrontSettings, category: Ints) -> Ints:
    base = np.exp(rng.normal(np.log(1_500.0), 0.4, settings.categories))
    cents = base[category] * np.exp(rng.normal(0.0, 0.6, settings.items))
    tens: Ints = np.maximum(np.rint(cents / 10.0), 5).astype(np.int64)
    return tens * 10


def _own_categories(settings: StorefrontSettings) -> NDArray[np.bool_]:
    """Deal the categories out to the groups; when there are more groups, they share."""
    groups, categories = np.arange(settings.groups)[:, None], np.arange(settings.categories)[None, :]
    if settings.categories >= settings.groups:
        return np.asarray(categories % settings.groups == groups)
    return np.asarray(groups % settings.categories == categories)


def _activity(rng: np.random.Generator, settings: StorefrontSettings) -> Floats:
    activity = np.exp(rng.normal(0.0, settings.activity_spread, settings.customers))
    # Named customers are there to be watched: more than most, they should be seen doing something.
    activity[: len(settings.named_customers)] = 3.0 * np.exp(settings.activity_spread)
    activity[: settings.scripted_customers] = 0.0
    return activity


def _pairs(rng: np.random.Generator, settings: StorefrontSettings, category: Ints, rank: Floats) -> Ints:
    """Pair items of middling popularity of one category: known well enough, but no best-sellers.

    A best-seller as second item would be in many orders anyway, and lift would not show the pair.
    """
    best_first = np.lexsort((rank, category))
    place = _places_within(category, rank.astype(np.int64))[best_first]
    size = np.bincount(category)[category[best_first]]
    firsts = best_first[(place % 2 == 0) & (place + 1 < size)]
    couples = np.stack((firsts, best_first[place % 2 == 1]), axis=1)
    middle = np.sqrt(rank.max())
    middling = np.argsort(np.abs(np.log(rank[firsts] / middle)), kind="stable")
    chosen = couples[middling[: settings.pairs]]
    return np.asarray(chosen[rng.permutation(len(chosen))])
