"""What the trees learn from, keep and publish: outcomes of sessions, histograms of leaves, nodes as arrays.

Arrays are bytes, little-endian, so that a learner changes them in place and a reader needs no more than
numpy.
"""

import msgspec


class Outcome(msgspec.Struct, array_like=True, gc=False):
    """What a session looked like after one of its events, and what came of it: what the trees learn from.

    `version` says what `numbers` and `categories` mean (`online_models.visit_features`); `next` is the
    category of the next action of the session, "" when there was none or it had no category. Nobody is named.
    """

    at: int
    version: int
    numbers: list[float]
    categories: list[str]
    next: str = ""
    bought: bool = False


class VisitRow(msgspec.Struct, array_like=True, gc=False):
    """The open session of a customer or guest, and what is known of the sessions before it.

    `pending` are looks at the open session whose outcome is not known yet. `carts` counts since the last
    order, `items` are the distinct items of the session, the newest at the end, `trail` the categories of
    its last actions. `past` has weights of categories over all sessions.
    """

    events: int = 0
    started_at: int = 0
    last_at: int = 0
    pause_s: float = 0.0
    views: int = 0
    carts: int = 0
    orders: int = 0
    repeats: int = 0
    price: float = 0.0
    price_sum: float = 0.0
    priced: int = 0
    items: list[str] = []
    trail: list[str] = []
    first: str = ""
    seen: int = 0
    pending: list[Outcome] = []
    sessions: int = 0
    bought: int = 0
    ordered: int = 0
    ordered_at: int = 0
    visited_at: int = 0
    past: dict[str, float] = {}


class OpenVisits(msgspec.Struct, array_like=True, gc=False):
    """Whose session is open in a partition, with its last event, and the partition's highest `at`.

    `told` outcomes were told in `minute`, counted from the epoch by that clock.
    """

    watermark: int = 0
    keys: dict[str, int] = {}
    minute: int = 0
    told: int = 0


class AdwinState(msgspec.Struct, array_like=True, gc=False):
    """A window of adaptive length over numbers from 0 to 1, in fixed point (`online_models.adwin`).

    `sums` and `squares` hold the buckets by level, the oldest bucket of a level first; a bucket of level n
    stands for 2**n numbers.
    """

    ticks: int = 0
    sums: list[list[int]] = []
    squares: list[list[int]] = []


class TreeNodes(msgspec.Struct, array_like=True, gc=False):
    """The nodes of one tree, in the order of a heap: the children of node n are 2n + 1 and 2n + 2.

    int8 `features`: what a node asks, -1 in a leaf; uint8 `places`: the last bin that goes left; int64
    `counts`, shape (nodes, classes): examples that passed by.
    `number` tells the trees of a task apart, `categories` have bins of their own, `seen` counts the examples
    of each node since it is a leaf.
    """

    number: int
    categories: list[str]
    features: bytearray
    places: bytearray
    counts: bytearray
    seen: dict[int, int] = {}


class Duel(msgspec.Struct, array_like=True, gc=False):
    """How a rival tree does beside the one that answers: sums of differences of their errors, fixed point."""

    seen: int = 0
    rounds: int = 0
    sum: int = 0
    squares: int = 0


class TaskState(msgspec.Struct, array_like=True, gc=False):
    """One task: the tree that answers, the one that may take its place, and how well the first one does.

    `learned` counts examples, `drifts` the changes that were noticed, `drifted_at` is the event time of the
    last one; `trees` counts the trees begun, `replaced` those that another one took the place of.
    """

    tree: TreeNodes
    window: AdwinState = msgspec.field(default_factory=AdwinState)
    rival: TreeNodes | None = None
    duel: Duel = msgspec.field(default_factory=Duel)
    learned: int = 0
    drifts: int = 0
    drifted_at: int = 0
    trees: int = 1
    replaced: int = 0


class TreesRow(msgspec.Struct, array_like=True, gc=False):
    """All tasks by name, and how often each category was met; `met` counts outcomes."""

    version: int
    tasks: dict[str, TaskState] = {}
    categories: dict[str, int] = {}
    met: int = 0


class LeafRow(msgspec.Struct, array_like=True, gc=False):
    """What a leaf saw since it is one: int32 counts, shape (features, bins, classes)."""

    counts: bytearray


class PublishedTree(msgspec.Struct, frozen=True):
    """A tree as published, after `learned` examples: its nodes as arrays, in the order of a heap.

    `features`, `places` and `counts` are as in `TreeNodes`, `version` says what the features mean,
    `categories` have bins of their own. `error` is the
    mean of the newest errors (0 to 1), `drifts` how often it grew, `drifted_at` when last (epoch ms; 0:
    never).
    """

    task: str
    version: int
    learned: int
    classes: list[str]
    categories: list[str]
    features: list[int]
    places: list[int]
    counts: list[list[int]]
    error: float
    drifts: int
    drifted_at: int


class Answered(msgspec.Struct, frozen=True):
    """One class of a task, and how likely it is."""

    outcome: str
    probability: float


class Prediction(msgspec.Struct, frozen=True):
    """What a tree says of a session: the likeliest classes, the path in words, the examples of its leaf."""

    task: str
    answers: list[Answered]
    path: list[str]
    examples: int


class Predictions(msgspec.Struct, frozen=True):
    """What `freshrec predict USER` prints; `open` says whether the session goes on as of the newest event."""

    user_id: str | None
    session_id: str | None
    at: int
    open: bool
    predictions: list[Prediction]
