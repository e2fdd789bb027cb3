"""Synthetic storefronts with a known right answer: seeded streams of public messages, and fixed workloads.

Start reading at `storefront`; `settings` has every knob. Nothing here reads, sends or looks at a clock.
"""

from online_models.worlds.answers import Answer, PlantedPair
from online_models.worlds.presets import PRESETS
from online_models.worlds.records import Emitted
from online_models.worlds.settings import StorefrontSettings
from online_models.worlds.storefront import Storefront
from online_models.worlds.twins import Act, TwinPlan, diverging_twins, enact

__all__ = [
    "PRESETS",
    "Act",
    "Answer",
    "Emitted",
    "PlantedPair",
    "Storefront",
    "StorefrontSettings",
    "TwinPlan",
    "diverging_twins",
    "enact",
]
