"""Customer profiles: what is kept of a customer, what is learned over all of them, and what goes out.

Rows and messages between stages are msgpack arrays; `CustomerProfile` goes out as JSON.
"""

from typing import Any

import msgspec

KINDS = ("view", "cart", "purchase", "rating")
"""What a customer does, in the order of its counts."""

Reason = dict[str, Any]
"""Why something is expected: `source` and that source's own numbers."""


class ProfileRow(msgspec.Struct, array_like=True, gc=False):
    """What the profiles stage keeps of a customer.

    `kinds`, `hours` and `weekdays` (UTC, Monday first) count actions; `visit_at` is when the newest visit
    began, `visit` weighs its categories. `categories`, `tags` and `items` are integer weights under the decay
    landmark `epoch`. All times are epoch ms; `changes` counts what was learned.
    """

    kinds: list[int] = msgspec.field(default_factory=lambda: [0] * 4)
    hours: list[int] = msgspec.field(default_factory=lambda: [0] * 24)
    weekdays: list[int] = msgspec.field(default_factory=lambda: [0] * 7)
    visits: int = 0
    first_at: int = 0
    last_at: int = 0
    visit_at: int = 0
    ordered_at: int = 0
    spent: float = 0.0
    pieces: float = 0.0
    epoch: int = 0
    categories: dict[str, int] = {}
    tags: dict[str, int] = {}
    items: dict[str, int] = {}
    visit: dict[str, int] = {}
    attributes: dict[str, str] = {}
    features: list[float] = []
    changes: int = 0


class NeedLesson(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A visit that begins or an order, with what the customer did until then: for the needs of all customers.

    `who` is the digest of the key. After `came_from`, the category of the visit before, the visit begins with
    the categories `went_to`; `own` and `recent` are the shares that each had of the customer's interests
    and of the visit before. `bought` says that it is an order; `forget` that nothing of them may be kept.
    `items` and `categories` are what the visit begins with, or all that is in the order.
    """

    who: int
    at: int
    visits: int = 0
    first_at: int = 0
    visit_at: int = 0
    orders: int = 0
    ordered_at: int = 0
    spent: float = 0.0
    came_from: str = ""
    went_to: list[str] = []
    own: list[float] = []
    recent: list[float] = []
    bought: bool = False
    forget: bool = False
    items: list[str] = []
    categories: list[str] = []


class PanelMember(msgspec.Struct, array_like=True, gc=False):
    """A customer of the panel: what they have done, and the question that is open.

    At `asked_at` the question was whether they buy within the horizon; `features` and `chance` are of that
    time (`chance` -1 before the model says anything), `answered` becomes True with an order.
    """

    asked_at: int
    visits: int = 0
    first_at: int = 0
    visit_at: int = 0
    orders: int = 0
    ordered_at: int = 0
    spent: float = 0.0
    features: list[float] = []
    chance: float = -1.0
    answered: bool = False


class Slice(msgspec.Struct, array_like=True, gc=False):
    """How many visits began with each item and category, and orders held it, in one slice of time."""

    items: dict[str, int] = {}
    categories: dict[str, int] = {}


class NeedsRow(msgspec.Struct, array_like=True, gc=False):
    """What is learned over all customers: which category follows which, who buys, and who comes back.

    `after` has integer counts by category of the visit before, `begun` how many visits began with each.
    `mixture` weighs the four sources of the next category. `panel` is in the order in which questions end;
    customers whose digest is above `limit` are not in it. `calibration` has, by tenths of the chance, the
    number of questions, the sum of the chances and the orders. `back` are the logarithms of BG/NBD's r,
    alpha (days), a and b, `back_squares` the sums of their squared gradients;
    `slices` are those of the window of trends, by number.
    """

    at: int = 0
    lessons: int = 0
    after: dict[str, dict[str, int]] = {}
    begun: dict[str, int] = {}
    mixture: list[float] = []
    panel: dict[int, PanelMember] = {}
    limit: int = (1 << 64) - 1
    answers: int = 0
    weights: list[float] = []
    squares: list[float] = []
    means: list[float] = []
    variances: list[float] = []
    calibration: list[list[float]] = []
    back: list[float] = []
    back_squares: list[float] = []
    slices: dict[int, Slice] = {}


class Needs(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What is known of the needs of all customers, as published.

    `after` has the likeliest next categories with how often each followed, and `after_all` how often any did;
    `begun` are shares of visits. `weights` begin with the constant; `back` is (r, alpha in days, a, b).
    `calibration_error` is that of the chances given so far, -1 before there are enough.
    """

    lessons: int
    answers: int
    horizon_s: int
    mixture: list[float]
    after: dict[str, list[tuple[str, int]]]
    after_all: dict[str, int]
    begun: list[tuple[str, float]]
    weights: list[float]
    means: list[float]
    deviations: list[float]
    back: list[float]
    orders_per_visit: float
    order_value: float
    buying: float
    calibration_error: float
    at: int


class Share(msgspec.Struct, frozen=True):
    """A name and its share of all."""

    name: str
    share: float


class ProfileBehaviour(msgspec.Struct, frozen=True):
    """What a customer does and when: numbers of actions by kind, by hour of the day and by weekday (UTC)."""

    events: dict[str, int]
    visits: int
    first_at: int
    last_at: int
    hours: list[int]
    weekdays: list[int]
    items: list[Share]


class ProfileValue(msgspec.Struct, frozen=True):
    """Seconds since the last action, orders, mean order, and what is to be expected.

    `coming_back` is the chance that the customer is not lost, `expected_spending` that of the horizon; both
    are null before enough is known of all customers.
    """

    recency_s: float
    frequency: int
    monetary: float
    spent: float
    coming_back: float | None
    expected_spending: float | None


class NextCategory(msgspec.Struct, frozen=True):
    """A category that the next visit may begin with."""

    category: str
    chance: float
    reasons: list[Reason]


class Buying(msgspec.Struct, frozen=True):
    """The chance of an order within the horizon; null before enough is known of all customers."""

    horizon_s: int
    chance: float | None
    reasons: list[Reason]


class CustomerProfile(msgspec.Struct, frozen=True):
    """All that is known of a customer, as of `at` (epoch ms).

    `group` is that by density, `unusual` whether hardly anybody is like them; null where `density` is off.
    """

    user_id: str
    at: int
    behaviour: ProfileBehaviour
    attributes: dict[str, str]
    value: ProfileValue
    segment: str | None
    group: str | None
    unusual: bool | None
    categories: list[Share]
    tags: list[Share]
    next_categories: list[NextCategory]
    buying: Buying
