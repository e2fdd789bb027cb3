"""How lists of those in an experiment are made: by the settings, but for what their variant changes."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from online_models.experiments.assignment import Assignment
from online_models.protocols import Recommender, Views
from online_models.recommender import BlendRecommender
from schemas.experiments import Change, Variant
from schemas.settings import Settings


class Way(NamedTuple):
    """A recommender with the length of its lists, and the arm that it is for (None: for no experiment)."""

    arm: str | None
    recommender: Recommender
    k: int


class Variants:
    """Chooses how a list is made.

    Parameters
    ----------
    views : Views
        What recommenders answer from.
    settings : Settings
        `experiments`, and all that lists depend on.
    recommender : Recommender
        Makes the lists of those who are in no experiment, and of variants that change nothing but the length.

    Examples
    --------
    >>> from online_models.memory_views import MemoryViews
    >>> from schemas.experiments import Experiment, Variant
    >>> control = Variant(name="control", share=0.5)
    >>> long = Variant(name="long", share=0.5, changes=(("recommend.k", 20),))
    >>> length = Experiment(name="length", variants=(control, long))
    >>> settings, views = Settings(experiments=(length,)), MemoryViews()
    >>> variants = Variants(views, settings, BlendRecommender(views, settings))
    >>> [(way.arm, way.k) for way in (variants.way(key, at=0) for key in ("u:anna", "u:fay", "o:7"))]
    [('length:long', 20), ('length:control', 10), (None, 10)]
    """

    def __init__(self, views: Views, settings: Settings, recommender: Recommender) -> None:
        self._assignment = Assignment(settings.experiments)
        self._plain = Way(None, recommender, settings.recommend.k)
        self._ways = {
            (arm := f"{experiment.name}:{variant.name}"): self._made(arm, views, settings, variant)
            for experiment in settings.experiments
            for variant in experiment.variants
        }

    def way(self, key: str, at: int) -> Way:
        """Return how the list of a customer or guest is made, by key as in events, as of `at` (epoch ms)."""
        arm = self._assignment.arm_of(key, at)
        return self._plain if arm is None else self._ways[arm]

    def _made(self, arm: str, views: Views, settings: Settings, variant: Variant) -> Way:
        own = changed(settings, variant.changes)
        if all(key == "recommend.k" for key, _ in variant.changes):
            return Way(arm, self._plain.recommender, own.recommend.k)
        return Way(arm, BlendRecommender(views, own), own.recommend.k)


def changed(settings: Settings, changes: Iterable[tuple[str, Change]]) -> Settings:
    """Return the settings with other values of some, by `section.key`.

    Examples
    --------
    >>> changed(Settings(), [("recommend.k", 20)]).recommend.k
    20
    """
    replace = msgspec.structs.replace
    for key, value in changes:
        section, _, name = key.partition(".")
        settings = replace(settings, **{section: replace(getattr(settings, section), **{name: value})})
    return settings
