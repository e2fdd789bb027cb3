"""The right answer of a simulated storefront, found again by counting its stream."""

from collections import Counter, defaultdict
from itertools import combinations, islice
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from online_models.worlds import PRESETS, Storefront, StorefrontSettings, diverging_twins


def messages(shop: Storefront, count: int) -> list[dict[str, Any]]:
    return [msgspec.json.decode(record.value) for record in islice(shop.events(), count)]


def items_of(message: dict[str, Any]) -> list[str]:
    if "lines" in message:
        return [line["item_id"] for line in message["lines"]]
    return [message["item_id"]] if "item_id" in message else []


def test_planted_pairs_have_the_highest_lift_in_a_recount_of_the_orders() -> None:
    shop = Storefront(replace(PRESETS["small"], guest_share=0.0, duplicate_share=0.0))
    orders = [set(items_of(m)) for m in messages(shop, 200_000) if m["type"] == "purchase"]
    alone = Counter(item for order in orders for item in order)
    together = Counter(pair for order in orders for pair in combinations(sorted(order), 2))
    lift = {
        (p, q): count * len(orders) / (alone[p] * alone[q])
        for (p, q), count in together.items()
        if count >= 10
    }
    planted = {
        (min(pair.first, pair.second), max(pair.first, pair.second)): pair for pair in shop.answer().pairs
    }

    best = sorted(lift, key=lambda pair: -lift[pair])[: len(planted)]

    assert len(planted) == 20
    assert len(planted.keys() & set(best)) >= 18
    assert set(best[:12]) <= planted.keys()
    ratios = [lift[pair] / planted[pair].expected_lift for pair in planted.keys() & lift.keys()]
    assert np.median(ratios) == pytest.approx(1.0, abs=0.15)


def test_groups_view_their_categories_and_favourites_as_the_answer_says() -> None:
    shop = Storefront(replace(PRESETS["small"], season_strength=0.0, drift_per_day=0.0, pairs=0))
    answer = shop.answer()
    views: dict[int, Counter[str]] = defaultdict(Counter)
    for message in messages(shop, 60_000):
        if message.get("action") == "view" and message["user_id"]:
            views[answer.groups[message["user_id"]]][message["item_id"]] += 1

    assert sorted(views) == [0, 1, 2, 3]
    for group, counts in views.items():
        shares: Counter[str] = Counter()
        for item, count in counts.items():
            shares[answer.categories[item]] += count
        for category, share in answer.tastes[group].items():
            assert shares[category] / counts.total() == pytest.approx(share, abs=0.05)
        counted = {item for item, _ in counts.most_common(10)}
        assert len(counted & set(answer.favourites[group][:10])) >= 8


def test_best_sellers_are_in_their_category_and_sorted_by_views() -> None:
    shop = Storefront(PRESETS["small"])
    answer = shop.answer()
    views = Counter(m["item_id"] for m in messages(shop, 30_000) if m.get("action") == "view")

    for category, items in answer.bestsellers.items():
        assert {answer.categories[item] for item in items} == {category}
        assert views[items[0]] > 2 * views[items[9]]


def test_latent_groups_can_be_found_from_what_customers_do() -> None:
    shop = Storefront(PRESETS["groups"])
    answer = shop.answer()
    features = customer_features(shop, 40_000)
    customers = sorted(features)
    table = np.array([features[customer] for customer in customers])
    table = (table - table.mean(axis=0)) / table.std(axis=0)

    found = KMeans(n_clusters=4, n_init=3, random_state=0).fit_predict(table)

    assert len(customers) == 400
    assert adjusted_rand_score([answer.groups[customer] for customer in customers], found) > 0.95


def customer_features(shop: Storefront, count: int) -> dict[str, list[float]]:
    """Count what each customer does: kinds, money, recency, price level, visits, category shares."""
    answer = shop.answer()
    names = sorted(set(answer.categories.values()))
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    items: dict[str, list[str]] = defaultdict(list)
    money: Counter[str] = Counter()
    last: dict[str, int] = {}
    stream = messages(shop, count)
    for message in stream:
        user = message["user_id"]
        kinds[user][message.get("action", message["type"])] += 1
        items[user] += items_of(message)
        money[user] += sum(line["unit_price"] for line in message.get("lines", []))
        last[user] = message["at"]
    features = {}
    for user, bought in items.items():
        shares = Counter(answer.categories[item] for item in bought)
        features[user] = [
            *(float(np.log1p(kinds[user][kind])) for kind in ("view", "cart", "purchase", "rating")),
            float(np.log1p(money[user])),
            float(np.log1p(stream[-1]["at"] - last[user])),
            float(np.mean([np.log(answer.prices[item]) for item in bought])),
            *(shares[name] / len(bought) for name in names),
        ]
    return features


def test_popularity_drifts_from_day_to_day() -> None:
    shop = Storefront(PRESETS["drift"])
    start, soon, later = shop.answer(0), shop.answer(1), shop.answer(12)

    assert start.categories == later.categories
    for group in start.favourites:
        first, second, last = (set(answer.favourites[group]) for answer in (start, soon, later))
        assert len(first & second) > len(first & last)
    assert start.tastes != later.tastes


def test_the_stream_follows_the_drift() -> None:
    shop = Storefront(replace(PRESETS["drift"], events_per_s=2.0, season_strength=0.0))
    views: dict[int, Counter[str]] = defaultdict(Counter)
    for message in messages(shop, 30_000):
        if message.get("action") == "view":
            views[(message["at"] - shop.settings.start_at_ms) // 3_600_000][message["item_id"]] += 1

    for day in (0, 3):
        answer = shop.answer(day)
        sellers = {items[0] for items in answer.bestsellers.values()}
        assert len(sellers & {item for item, _ in views[day].most_common(20)}) >= 6


def test_seasons_move_the_share_of_categories() -> None:
    made = StorefrontSettings(season_strength=0.8, season_days=4.0, taste_focus=0.0, day_s=3_600.0)
    winter, summer = (Storefront(made).answer(day).tastes[0] for day in (0, 2))

    assert sum(winter.values()) == pytest.approx(1.0)
    assert max(abs(winter[category] - summer[category]) for category in winter) > 0.1


def test_twins_share_a_past_and_part_into_different_categories() -> None:
    answer = Storefront(PRESETS["demo"]).answer()

    for seed in range(10):
        plan = diverging_twins(answer, seed)
        past, first, second = (
            {answer.categories[item] for _, item in acts}
            for acts in (plan.shared, plan.first_then, plan.second_then)
        )
        assert (plan.first, plan.second) == ("anna", "ben")
        assert 4 <= len(plan.shared) <= 6
        assert len(past) == len(first) == len(second) == 1
        assert len(past | first | second) == 3
        assert plan == diverging_twins(answer, seed)


def test_twins_need_two_scripted_customers() -> None:
    answer = Storefront(PRESETS["groups"]).answer()

    with pytest.raises(ValueError, match="scripted customers: 0, categories: 8; twins need 2 and 3"):
        diverging_twins(answer, 1)
