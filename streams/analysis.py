"""What a shop's analyst wants to know of all customers, concluded from the stores as of the last flush."""

from itertools import islice
from typing import Final

import msgspec

from online_models.agreement import adjusted_rand
from online_models.kmeans import assign
from online_models.profile_answers import profile_of
from online_models.trends import Trend
from schemas.messages import Rule
from schemas.profiles import CustomerProfile
from schemas.recommendations import SegmentProfile
from schemas.settings import Settings
from streams.stored_views import StoredViews

MOST_CUSTOMERS: Final = 20_000
"""Customers whose needs are summed up: the first ones by key, where there are more."""

TOP: Final = 10
AT_RISK: Final = 0.5
"""Who comes back with a smaller chance is at risk of being lost."""

FEW_VISITS: Final = 3


class StrongRule(msgspec.Struct, frozen=True):
    """A pair of items that are bought, or looked at, together."""

    scope: str
    item_id: str
    rule: Rule


class Stability(msgspec.Struct, frozen=True):
    """How customers' published segments agree with those that the centres of now give them."""

    customers: int
    kept_share: float
    adjusted_rand: float


class Rising(msgspec.Struct, frozen=True):
    """A name with its visits and orders in both halves of the window, and the growth of its share."""

    name: str
    older: int
    newer: int
    growth: float


class Trends(msgspec.Struct, frozen=True):
    """What rises and what falls, most first."""

    window_s: int
    rising_items: list[Rising]
    falling_items: list[Rising]
    rising_categories: list[Rising]
    falling_categories: list[Rising]


class Demand(msgspec.Struct, frozen=True):
    """A category and how many customers' next visit is expected to begin with it."""

    category: str
    customers: float


class NeedsOfAll(msgspec.Struct, frozen=True):
    """What all customers together are expected to do within the horizon; null before it is known."""

    horizon_s: int
    next_categories: list[Demand]
    buyers: float | None
    spending: float | None
    at_risk: int | None
    calibration_error: float | None


class Analysis(msgspec.Struct, frozen=True):
    """The whole page, as of `at` (epoch ms); needs are of `looked_at` customers of `customers`."""

    at: int
    customers: int
    looked_at: int
    segments: list[SegmentProfile]
    stability: Stability | None
    rules: list[StrongRule]
    trends: Trends
    needs: NeedsOfAll


def analysis(views: StoredViews, settings: Settings) -> Analysis:
    """Look at all stores, once."""
    needs = views.needs()
    now = 0 if needs is None else needs.at
    profiles = _profiles(views, settings, now)
    return Analysis(
        now,
        views.sizes()[0],
        len(profiles),
        views.profiles(),
        stability(views),
        _rules(views, settings),
        _trends(views, settings),
        _needs(views, settings, profiles),
    )


def stability(views: StoredViews) -> Stability | None:
    """Hold the segments that were published against those of now; None before there are any."""
    centroids = views.centroids()
    if centroids is None:
        return None
    before, after = [], []
    for published, features in views.published_segments():
        assigned = assign(centroids, features)
        if assigned is not None:
            before.append(published)
            after.append(assigned[0])
    if not before:
        return None
    kept = sum(one == other for one, other in zip(before, after, strict=True)) / len(before)
    return Stability(len(before), round(kept, 4), round(adjusted_rand(before, after), 4))


def _profiles(views: StoredViews, settings: Settings, now: int) -> list[CustomerProfile]:
    needs, centroids, horizon_s = views.needs(), views.centroids(), settings.profiles.horizon_s
    return [
        profile_of(key.partition(":")[2], row, needs, centroids, now=now, horizon_s=horizon_s)
        for key, row in islice(views.profile_rows(), MOST_CUSTOMERS)
    ]


def _rules(views: StoredViews, settings: Settings) -> list[StrongRule]:
    """The pairs that are least likely to be together by chance, each once."""
    least = max(settings.rules.min_count, settings.privacy.min_customers)
    found = [
        StrongRule(message.scope, message.item_id, rule)
        for item in views.rule_items()
        for message in views.association_rules(item)
        for rule in message.rules
        if item < rule.item_id and rule.lift > 1 and rule.count >= least
    ]
    return sorted(found, key=lambda each: (-each.rule.llr, each.item_id, each.rule.item_id))[:TOP]


def _trends(views: StoredViews, settings: Settings) -> Trends:
    items, categories = views.trends("items"), views.trends("categories")
    return Trends(
        settings.profiles.trends_s,
        _rising(items),
        _rising(items, sign=-1),
        _rising(categories),
        _rising(categories, sign=-1),
    )


def _rising(trends: list[Trend], sign: int = 1) -> list[Rising]:
    found = [each for each in trends[::sign] if each.growth * sign > 0][:TOP]
    return [Rising(each.name, each.older, each.newer, round(each.growth, 5)) for each in found]


def _needs(views: StoredViews, settings: Settings, profiles: list[CustomerProfile]) -> NeedsOfAll:
    wanted: dict[str, float] = {}
    for profile in profiles:
        for each in profile.next_categories:
            wanted[each.category] = wanted.get(each.category, 0.0) + each.chance
    first = sorted(wanted.items(), key=lambda each: (-each[1], each[0]))[:TOP]
    chances = [each.buying.chance for each in profiles if each.buying.chance is not None]
    spending = [each.value.expected_spending or 0.0 for each in profiles]
    back = [each.value.coming_back for each in profiles if each.behaviour.visits >= FEW_VISITS and chances]
    needs = views.needs()
    error = None if needs is None or needs.calibration_error < 0 else round(needs.calibration_error, 4)
    return NeedsOfAll(
        settings.profiles.horizon_s,
        [Demand(name, round(chance, 1)) for name, chance in first],
        round(sum(chances), 1) if chances else None,
        round(sum(spending), 2) if chances else None,
        sum(each is not None and each < AT_RISK for each in back) if chances else None,
        error,
    )
