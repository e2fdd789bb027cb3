"""What is known before the stream starts: items, customers, links, and what customers bought in the past.

Written as public messages; what happens afterwards is made by `traffic`.
"""

from collections.abc import Iterator

import numpy as np

from online_models.worlds.latent import CATALOGUE, PAST, Ints, Latent, generator
from online_models.worlds.records import Emitted, Writer, customer_ids, item_ids, price_text
from online_models.worlds.settings import StorefrontSettings
from online_models.worlds.tastes import Tastes
from online_models.worlds.words import (
    AGE_BANDS,
    GENDERS,
    INCOME_BANDS,
    LOCATIONS,
    category_name,
    item_brand,
    item_tags,
    item_title,
)

_SAME_GROUP_LINKS = 0.8
_TYPICAL_AGE = 0.6
_BLOCK = 1_000


def catalogue_at_ms(settings: StorefrontSettings) -> int:
    """Give the time of the catalogue's messages: an hour before the past begins."""
    return settings.start_at_ms - int(1_000 * settings.past_span_s) - 3_600_000


def write_items(settings: StorefrontSettings, latent: Latent) -> Iterator[Emitted]:
    """Write the message of each item."""
    at = catalogue_at_ms(settings)
    numbers = (latent.item_category.tolist(), latent.item_place.tolist(), latent.item_cents.tolist())
    for item_id, category, place, cents in zip(item_ids(settings), *numbers, strict=True):
        title, brand, name = item_title(category, place), item_brand(category, place), category_name(category)
        tags = '","'.join(item_tags(category, place))
        text = (
            f'{{"type":"item","item_id":"{item_id}","title":"{title}","categories":["{name}"]'
            f',"brand":"{brand}","price":{price_text(cents)},"tags":["{tags}"]'
            f',"text":"{title} by {brand}, from our {name} range.","available":true,"at":{at}}}'
        )
        yield Emitted("items", item_id, text.encode(), at)


def write_customers(settings: StorefrontSettings, latent: Latent) -> Iterator[Emitted]:
    """Write the message of each customer; age and income lean towards what is typical of the group."""
    at = catalogue_at_ms(settings)
    rng = generator(settings, CATALOGUE, 0)
    group, count = latent.customer_group, settings.customers
    typical = rng.random(count) < _TYPICAL_AGE
    age = np.where(typical, group % len(AGE_BANDS), rng.integers(0, len(AGE_BANDS), count))
    income = np.clip(latent.price_level[group] + rng.normal(0.0, 0.2, count), 0.0, 0.999) * len(INCOME_BANDS)
    gender = rng.choice(len(GENDERS), count, p=(0.49, 0.49, 0.02))
    location = rng.integers(0, len(LOCATIONS), count)
    consent = rng.random(count) < settings.consent_share
    # The named customers are there to be watched.
    named = len(settings.named_customers)
    consent[:named], gender[:named] = True, np.arange(named) % 2
    columns = (column.tolist() for column in (age, gender, location, income.astype(np.int64), consent))
    for user_id, a, g, c, i, allowed in zip(customer_ids(settings), *columns, strict=True):
        text = (
            f'{{"type":"customer","user_id":"{user_id}","age_band":"{AGE_BANDS[a]}","gender":"{GENDERS[g]}"'
            f',"location":"{LOCATIONS[c]}","income_band":"{INCOME_BANDS[i]}"'
            f',"consent":{{"profiling":{str(allowed).lower()}}},"at":{at}}}'
        )
        yield Emitted("customers", user_id, text.encode(), at)


def write_links(settings: StorefrontSettings, latent: Latent) -> Iterator[Emitted]:
    """Write whom each customer follows: distinct others, four in five of the same group."""
    at = catalogue_at_ms(settings)
    rng = generator(settings, CATALOGUE, 1)
    count = rng.poisson(settings.links_per_customer, settings.customers)
    follower = np.repeat(np.arange(settings.customers), count)
    followed = _followed(rng, latent.customer_group, follower)
    weight = np.round(0.2 + 0.8 * rng.random(len(follower)), 2)
    _, first = np.unique(follower * settings.customers + followed, return_index=True)
    kept = np.sort(first[follower[first] != followed[first]])
    users = customer_ids(settings)
    for source, target, value in zip(
        follower[kept].tolist(), followed[kept].tolist(), weight[kept].tolist(), strict=True
    ):
        text = (
            f'{{"type":"link","user_id":"{users[source]}","target_id":"{users[target]}"'
            f',"weight":{value},"at":{at}}}'
        )
        yield Emitted("links", users[source], text.encode(), at)


def _followed(rng: np.random.Generator, group: Ints, follower: Ints) -> Ints:
    by_group = np.argsort(group, kind="stable")
    size = np.bincount(group)
    first = np.cumsum(size) - size
    own = group[follower]
    of_group = by_group[first[own] + (rng.random(len(follower)) * size[own]).astype(np.int64)]
    anyone = rng.integers(0, len(group), len(follower))
    return np.where(rng.random(len(follower)) < _SAME_GROUP_LINKS, of_group, anyone)


def write_past(settings: StorefrontSettings, latent: Latent) -> Iterator[Emitted]:
    """Write one past order of `linked_items` distinct items for each customer who acts by himself."""
    if settings.linked_items == 0:
        return
    rng = generator(settings, PAST)
    tastes, writer = Tastes(settings, latent, latent.item_rank, 0), Writer(settings, latent)
    who = rng.permutation(np.flatnonzero(latent.activity > 0))
    span_ms = 1_000 * settings.past_span_s
    times = settings.start_at_ms - np.ceil((1 - np.arange(len(who)) / len(who)) * span_ms).astype(np.int64)
    ones = [1] * settings.linked_items
    for start in range(0, len(who), _BLOCK):
        block = who[start : start + _BLOCK]
        lists = tastes.draw_lists(rng, latent.customer_group[block], settings.linked_items).tolist()
        for n, (customer, items) in enumerate(zip(block.tolist(), lists, strict=True), start):
            yield writer.past_order(n, customer, int(times[n]), writer.lines(items, ones))
