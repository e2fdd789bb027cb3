"""Fixed workloads by name. A preset is never changed once results refer to it: add another one.

Override single settings with `msgspec.structs.replace(PRESETS["bench-1"], events_per_s=2_000)`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from online_models.worlds.settings import StorefrontSettings

PRESETS: Mapping[str, StorefrontSettings] = MappingProxyType(
    {
        # The defaults: a quiet shop.
        "small": StorefrontSettings(),
        # A busy hour in two minutes: short visits, ratings at once, some bad records to refuse.
        "demo": StorefrontSettings(
            customers=300,
            events_per_s=40.0,
            pause_s=1.5,
            rating_delay_s=10.0,
            late_s=5.0,
            bad_share=0.002,
            buy_share=0.4,
        ),
        # Groups that differ clearly in categories and price level, for clustering: no season, no drift.
        "groups": StorefrontSettings(
            customers=400,
            items=400,
            pairs=0,
            named_customers=(),
            scripted_customers=0,
            consent_share=1.0,
            taste_focus=0.95,
            price_strength=12.0,
            group_contrast=2.0,
            activity_spread=0.2,
            hours_strength=0.0,
            drift_per_day=0.0,
            season_strength=0.0,
            guest_share=0.0,
            duplicate_share=0.0,
            late_share=0.0,
        ),
        # Best-sellers and seasons change quickly: a day of the shop is an hour.
        "drift": StorefrontSettings(
            day_s=3_600.0,
            drift_per_day=0.3,
            season_strength=0.8,
            season_days=24.0,
            rating_delay_s=600.0,
        ),
        # For throughput. All customers are equally active, items follow one Zipf law over the shop, and
        # each customer has bought 20 items before: with `past` sent first and histories bounded to 20
        # linked items, every event meets 20 of them, and more than four events in five bring a new one.
        "bench-1": StorefrontSettings(
            customers=100_000,
            items=100_000,
            categories=100,
            groups=8,
            events_per_s=10_000.0,
            named_customers=(),
            scripted_customers=0,
            links_per_customer=0.0,
            consent_share=1.0,
            taste_focus=0.0,
            session_focus=0.0,
            price_strength=0.0,
            group_contrast=1.0,
            activity_spread=0.0,
            hours_strength=0.0,
            zipf=1.0,
            zipf_over="shop",
            drift_per_day=0.0,
            season_strength=0.0,
            views_per_visit=8.0,
            pause_s=2.0,
            buy_share=0.48,
            cart_share=0.01,
            order_share=0.97,
            impulse_share=0.8,
            pairs=1_000,
            rating_share=0.2,
            rating_delay_s=5.0,
            impression_share=0.0,
            guest_share=0.0,
            linked_items=20,
            duplicate_share=0.0,
            late_share=0.0,
        ),
    }
)
