"""Experiments: how they are set, what is kept of who takes part in one, and what of each variant is counted.

An arm is one variant of one experiment, written `EXPERIMENT:VARIANT`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

SLOTS = 100
"""Parts of equal size that all customers fall into, the same ones for every experiment."""

MAX_EXPERIMENTS, MAX_VARIANTS = 8, 8
"""Experiments in the settings, and variants of one."""

MAX_ARMS = 128
"""Arms whose tallies are kept: those of experiments that are over among them."""

Name = Annotated[str, Meta(pattern=r"^[a-z0-9]+([_-][a-z0-9]+)*$", max_length=40)]
"""Of an experiment or variant: lower case, digits, single - and _ between them."""

Slot = Annotated[int, Meta(ge=0, lt=SLOTS)]
"""One of the slots."""

Goal = Literal[
    "click_through", "conversion", "list_conversion", "revenue_per_visit", "repeat_purchase", "satisfaction"
]
"""What an experiment is decided by (see `online_models.experiments.report`)."""

Change = bool | int | float | str
"""Another value of a setting."""


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One way to make lists: `share` of the customers, and the settings, by `section.key`, that differ."""

    name: Name
    share: Annotated[float, Meta(gt=0, le=1)]
    changes: tuple[tuple[str, Change], ...] = ()


class Experiment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which customers see which variant.

    Customers of the slots from `first_slot` to `last_slot` take part, between `starts_at` and `ends_at` of
    event time (epoch ms; None: without that end). Another `salt` draws the variants anew.
    """

    name: Name
    variants: tuple[Variant, ...]
    control: Name = "control"
    goal: Goal = "click_through"
    salt: str = ""
    first_slot: Slot = 0
    last_slot: Slot = SLOTS - 1
    starts_at: int | None = None
    ends_at: int | None = None


class ShownList(msgspec.Struct, array_like=True, gc=False):
    """A list that was shown: digests of its id and items, when (epoch ms), and what came of it."""

    list_id: int
    at: int
    items: list[int]
    clicked: bool = False
    bought: bool = False


class Act(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What may have followed a list: `list_id` is the digest of the one that it names, 0 for none.

    `items` are digests; `amount` is the revenue of an order in millionths of the currency, or what a rating
    reaches of its scale in thousandths.
    """

    kind: str
    at: int
    list_id: int
    items: list[int]
    amount: int = 0


class Exposure(msgspec.Struct, array_like=True, gc=False):
    """One who takes part: the arm, when the first list was shown (None: not yet), and what followed.

    `shown` are the newest lists, `waiting` the newest acts that no list is known for yet: both are bounded.
    `amounts` are in the order of `online_models.experiments.tallies.AMOUNTS`; one who `crossed` was in two
    variants of the experiment and counts no more.
    """

    arm: str
    shown_at: int | None = None
    last_at: int = 0
    crossed: bool = False
    shown: list[ShownList] = []
    waiting: list[Act] = []
    amounts: list[int] = []


class ArmTally(msgspec.Struct, array_like=True, gc=False):
    """One arm: customers who were shown a list, those who crossed, and exact sums over the customers.

    `sums` of amounts, `products` of pairs of amounts as 16 bytes, little-endian and signed, each in the order
    of `online_models.experiments.tallies`; `first_at` and `newest_at` are event times (epoch ms).
    """

    customers: int = 0
    crossed: int = 0
    first_at: int = 0
    newest_at: int = 0
    sums: list[int] = []
    products: list[bytes] = []


class ArmTallies(msgspec.Struct, array_like=True, gc=False):
    """All arms of one partition of `events`, cumulative; at most `MAX_ARMS`."""

    arms: dict[str, ArmTally] = {}


class ComparedMetric(msgspec.Struct, frozen=True):
    """An arm minus the control; the interval `low` to `high` and the p-value hold at any time.

    `relative` is the difference by the value of the control, null where that is 0.
    """

    difference: float
    relative: float | None
    low: float
    high: float
    p_value: float


class MetricReport(msgspec.Struct, frozen=True):
    """What an arm achieves, with its interval of 95 % for one look; null where nothing was seen."""

    metric: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    against_control: ComparedMetric | None = None


class MetricInWords(msgspec.Struct, frozen=True):
    """A metric of one arm as people read it; empty where there is nothing to tell.

    `interval` is for one look, `difference` is the arm minus the control, `at_any_time` and `p_value` hold
    however often they are looked at.
    """

    value: str = ""
    interval: str = ""
    difference: str = ""
    at_any_time: str = ""
    p_value: str = ""


class ArmReport(msgspec.Struct, frozen=True):
    """One variant: what was counted, its metrics and a verdict in words."""

    variant: str
    customers: int
    crossed: int
    lists: int
    clicked_lists: int
    visits: int
    buyers: int
    orders: int
    revenue: float
    metrics: list[MetricReport]
    verdict: str


class SampleRatio(msgspec.Struct, frozen=True):
    """Whether customers came in the shares that are set: p-values for any time, and for one look."""

    shares: dict[str, float]
    p_value: float
    chi_square_p_value: float
    mismatch: bool


class ExperimentReport(msgspec.Struct, frozen=True):
    """What may be said of an experiment now."""

    experiment: str
    goal: str
    control: str
    sample_ratio: SampleRatio
    arms: list[ArmReport]
