"""What a simulated storefront can be told: one struct, every default documented beside its field.

The fixed workloads built from it are in `presets`; nothing here draws a random number.
"""

from typing import Literal

import msgspec


class StorefrontSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Describe a shop; the defaults are a small one that is pleasant to look at.

    Raises
    ------
    ValueError
        When a number is out of its range; the message names it.

    Examples
    --------
    >>> StorefrontSettings(customers=50, items=40).categories
    8
    >>> StorefrontSettings(guest_share=1.5)
    Traceback (most recent call last):
    ...
    ValueError: guest_share is 1.5; expected a share from 0 to 1
    """

    seed: int = 1
    """Everything follows from it: the same settings give the same bytes."""
    start_at_ms: int = 1_736_121_600_000
    """Time of the first event, epoch ms (2025-01-06 00:00 UTC)."""
    events_per_s: float = 5.0
    """Browses, purchases, ratings and impressions per second of event time, on average."""
    day_s: float = 86_400.0
    """Length of the shop's day: hours, drift and seasons follow it."""

    customers: int = 500
    items: int = 200
    categories: int = 8
    groups: int = 4
    """Latent taste groups, of equal size."""
    named_customers: tuple[str, ...] = ("anna", "ben", "carla", "david")
    """Names of the first customers; the others are c000004, c000005 and so on."""
    scripted_customers: int = 2
    """How many of the first customers never act by themselves, being left to a script."""
    links_per_customer: float = 2.0
    """Mean number of other customers that a customer follows, mostly of the same group."""
    consent_share: float = 0.98
    """Customers that allow profiling."""

    taste_focus: float = 0.8
    """Share of a group's interest that goes to its own categories; the rest goes to all."""
    session_focus: float = 0.7
    """Share of a visit's views that stay in the category the visit began with."""
    price_strength: float = 2.0
    """How strongly a group keeps to its price level: weight exp(-strength * distance in [0, 1])."""
    group_contrast: float = 1.5
    """Ratio by which groups differ, up and down, in willingness to buy and (its root) length of visits."""
    activity_spread: float = 0.5
    """Sigma of the lognormal activity of customers; 0 makes all equally active."""
    hours_strength: float = 0.5
    """How much a group's activity follows its hours of the day, 0 to 1."""

    zipf: float = 1.0
    """Exponent of popularity: the item of rank r has weight r ** -zipf."""
    zipf_over: Literal["category", "shop"] = "category"
    """Whether ranks are counted in each category or over the whole shop."""
    drift_per_day: float = 0.02
    """Share of items that exchange their popularity ranks inside their category each day."""
    season_strength: float = 0.3
    """How much a category's share swings over the year, 0 to 1; each category has its own phase."""
    season_days: float = 365.0
    """Days in the shop's year."""

    views_per_visit: float = 6.0
    """Mean number of views in a visit, at least 1."""
    pause_s: float = 20.0
    """Mean time between two events of a visit; shorter when the shop would be fuller than a quarter."""
    buy_share: float = 0.3
    """Visits with the intent to buy; these put at least one item in the cart."""
    cart_share: float = 0.1
    """Further views of such a visit that end in the cart."""
    order_share: float = 0.8
    """Visits with a cart that end in an order; the other carts are abandoned."""
    impulse_share: float = 0.0
    """Orders that also get an item of the group's taste that wasn't in the cart."""
    pairs: int = 20
    """Planted pairs of complementary items."""
    pair_strength: float = 0.6
    """Chance that an order with the first item of a pair gets the second as well."""
    rating_share: float = 0.3
    """Bought items that a customer rates."""
    rating_delay_s: float = 1_800.0
    """Mean time from the order to the rating."""
    impression_share: float = 0.1
    """Visits that begin with a list that was shown, and a view of one of its items."""
    guest_share: float = 0.1
    """Visits without a user_id."""

    linked_items: int = 0
    """Distinct items each customer bought before the start (`Storefront.past`); fewer if taste is narrow."""
    past_span_s: float = 21_600.0
    """How long before the start those purchases lie, at most."""

    duplicate_share: float = 0.005
    """Events that the producer sends twice."""
    late_share: float = 0.01
    """Events that are delivered late, their `at` unchanged."""
    late_s: float = 120.0
    """Largest lateness."""
    bad_share: float = 0.0
    """Records that no consumer should accept, as a share of all records."""

    def __post_init__(self) -> None:
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; expected a share from 0 to 1")
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; expected more than 0")
        for name in _NOT_NEGATIVE:
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; expected 0 or more")
        self._check_sizes()

    def _check_sizes(self) -> None:
        if self.categories > self.items:
            raise ValueError(f"categories is {self.categories}; expected at most items, {self.items}")
        if 2 * self.pairs > self.items:
            raise ValueError(f"pairs is {self.pairs}; expected at most half of items, {self.items // 2}")
        if 2 * self.linked_items > self.items:
            raise ValueError(f"linked_items is {self.linked_items}; expected at most half of items")
        if len(self.named_customers) > self.customers:
            raise ValueError(f"{len(self.named_customers)} customers are named; there are {self.customers}")
        if self.scripted_customers >= self.customers:
            raise ValueError(
                f"scripted_customers is {self.scripted_customers}; expected fewer than customers"
            )
        if self.bad_share == 1:
            raise ValueError(
                f"bad_share is {self.bad_share}; expected less, or there is no good event to wait for"
            )


_SHARES = (
    *("consent_share", "taste_focus", "session_focus", "hours_strength", "drift_per_day", "season_strength"),
    *(
        "buy_share",
        "cart_share",
        "order_share",
        "impulse_share",
        "pair_strength",
        "rating_share",
        "impression_share",
    ),
    *("guest_share", "duplicate_share", "late_share", "bad_share"),
)
_POSITIVE = (
    *("events_per_s", "day_s", "customers", "items", "categories", "groups", "group_contrast"),
    *("season_days", "pause_s"),
)
_NOT_NEGATIVE = (
    *("seed", "start_at_ms", "scripted_customers", "links_per_customer", "price_strength", "activity_spread"),
    *("zipf", "pairs", "rating_delay_s", "linked_items", "past_span_s", "late_s"),
)
