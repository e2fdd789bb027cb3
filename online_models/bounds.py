"""The most bytes that a row can take in its store, per model: every structure is bounded and says its bound.

Upper estimates from the settings, for planning memory and for checks; nothing is measured or enforced here.
"""

from online_models.adwin import BUCKETS, LEVELS
from online_models.buying import FEATURES as FEATURES_OF_BUYING
from online_models.clusters import KEPT_NAMES
from online_models.dbstream import MOST as MICRO_CLUSTERS
from online_models.experiments.attribution import MOST_SHOWN, MOST_WAITING
from online_models.expiry import CHUNK_KEYS
from online_models.features import FEATURES, MAX_CATEGORIES
from online_models.history import MAX_SHOWN
from online_models.list_features import FEATURES as FEATURES_OF_A_LIST
from online_models.membership import MAX_MARKS
from online_models.needs import BINS as BINS_OF_CHANCES
from online_models.next_categories import MAX_FROM, MAX_TO
from online_models.outcomes import MAX_ITEMS as ITEMS_OF_A_VISIT
from online_models.outcomes import MAX_PAST, MAX_TRAIL
from online_models.profiles import KEPT, KEPT_OF_VISIT
from online_models.ranker import UNITS
from online_models.seen import WIDTH
from online_models.segments import MAX_ITEMS
from online_models.sessions import MAX_ACTS
from online_models.tree_answers import CLASSES as CLASSES_OF_TASKS
from online_models.trees import MET
from online_models.trends import KEPT as KEPT_OF_A_SLICE
from online_models.trends import SLICES
from online_models.visit_features import BINS, CATEGORIES, NUMBERS
from online_models.visit_features import FEATURES as FEATURES_OF_A_VISIT
from schemas.experiments import MAX_ARMS
from schemas.settings import Settings

NUMBER = 9
"""Bytes of any number, as msgpack."""

HEAD = 5
"""Bytes before the contents of a text or a list."""

FIXED = 1_024
"""Bytes of all the single fields of a row, with room to spare."""

PAIR_SLOT = 26
"""Bytes of an entry of a pair table (16), with the gaps that are left between them."""

_VECTOR = HEAD + NUMBER * len(FEATURES)


def history(settings: Settings, id_bytes: int) -> dict[str, int]:
    """Most bytes of a customer's row and of what is kept beside.

    Parameters
    ----------
    settings : Settings
        `history`, `attribution` and `rules.max_set_size`, which must not be 0: sets without a limit have
        no bound.
    id_bytes : int
        Longest id, or name of a category, in UTF-8.

    Examples
    --------
    >>> history(Settings(), id_bytes=16)["h"] < 150_000
    True
    """
    name, kept = id_bytes + HEAD, settings.history
    items = kept.max_items * (name + HEAD + 7 * NUMBER)
    orders = kept.max_orders * (HEAD + NUMBER + settings.rules.max_set_size * name)
    sessions = kept.max_sessions * (name + 3 * NUMBER + (settings.rules.max_set_size + MAX_ACTS) * name)
    categories = (MAX_CATEGORIES + 1) * (name + NUMBER)
    follows, shown = 2 * NUMBER * kept.max_follows, (6 + MAX_SHOWN) * name
    exposure = settings.attribution.lists * MOST_SHOWN * NUMBER + MOST_WAITING * (MOST_SHOWN * NUMBER + FIXED)
    hours = max(kept.guest_ttl_s, kept.erasure_ttl_s) // 3_600 + 3
    return {
        "h": items
        + orders
        + sessions
        + kept.max_seen * WIDTH
        + categories
        + follows
        + shown
        + exposure
        + FIXED,
        "t": FIXED,
        "e": FIXED + MAX_ARMS * FIXED,
        "x": FIXED + 2 * NUMBER * hours,
        "g": FIXED + CHUNK_KEYS * (name + 2),
    }


def rules(settings: Settings, id_bytes: int) -> dict[str, int]:
    """Most bytes of an item's counts; `rules.max_row` must not be 0.

    Examples
    --------
    >>> rules(Settings(), id_bytes=16)["r"] < 80_000
    True
    """
    return {"r": FIXED + 3 * settings.rules.max_row * PAIR_SLOT, "n": id_bytes + HEAD}


def popularity(settings: Settings, id_bytes: int) -> dict[str, int]:
    """Most bytes of an item's weight and of a scope's leaders."""
    return {"i": FIXED, "l": FIXED + 2 * settings.popularity.leaders * (id_bytes + HEAD + NUMBER)}


def segments(_settings: Settings, id_bytes: int, *, categories: int = 8) -> dict[str, int]:
    """Most bytes of what is kept of a customer between two samples, with so many categories to an item."""
    return {"s": FIXED + _sample(id_bytes, categories)}


def clusters(settings: Settings, id_bytes: int, *, categories: int = 8) -> dict[str, int]:
    """Most bytes of the one row of the clustering, with so many categories to an item.

    Examples
    --------
    >>> clusters(Settings(), id_bytes=16)["c"] < 10_000_000
    True
    """
    using = settings.segments
    warmup = max(using.warmup_samples, using.clusters)
    model = 8 * len(FEATURES) * (2 + using.clusters + warmup) + 2 * NUMBER * using.clusters
    names = 2 * KEPT_NAMES * max(using.top_items, using.top_categories)
    likes = using.clusters * 2 * names * (id_bytes + HEAD + NUMBER)
    waiting = 2 * warmup * _sample(id_bytes, categories)
    return {"c": FIXED * (1 + using.clusters) + model + likes + waiting + 2 * NUMBER * (MAX_MARKS + 1)}


def _sample(id_bytes: int, categories: int) -> int:
    item = HEAD + (1 + categories) * (id_bytes + HEAD) + NUMBER
    return 2 * _VECTOR + MAX_ITEMS * item + 6 * NUMBER


def ranker(_settings: Settings, _id_bytes: int) -> dict[str, int]:
    """Most bytes of the one row of the ranker: its weights, and as many sums of squares."""
    return {"w": FIXED + 8 * ((FEATURES_OF_A_LIST + 1) * (UNITS + 1) + UNITS)}


def outcomes(settings: Settings, id_bytes: int) -> dict[str, int]:
    """Most bytes of a customer's open session, and of the list of those that are open in a partition.

    Examples
    --------
    >>> outcomes(Settings(), id_bytes=16)["v"] < 6_000
    True
    """
    name = id_bytes + HEAD
    look = 4 * NUMBER + len(NUMBERS) * NUMBER + (len(CATEGORIES) + 1) * name
    names = (ITEMS_OF_A_VISIT + MAX_TRAIL + 1) * name + MAX_PAST * (name + NUMBER)
    opened = (settings.trees.open_sessions + 1) * (name + 2 + NUMBER)
    return {"v": FIXED + names + settings.trees.looks * look, "o": FIXED + opened}


def trees(settings: Settings, id_bytes: int) -> dict[str, int]:
    """Most bytes of the one row of the trees, and of what one of their leaves has seen.

    Examples
    --------
    >>> found = trees(Settings(), id_bytes=16)
    >>> found["t"] < 100_000, found["l"] < 20_000
    (True, True)
    """
    using = settings.trees
    nodes, classes = 2 ** (using.depth + 1) - 1, max(map(len, CLASSES_OF_TASKS.values()))
    tree = FIXED + nodes * (2 + 8 * classes + 2 * NUMBER) + using.categories * (id_bytes + HEAD)
    window = LEVELS * (BUCKETS + 1) * 2 * NUMBER
    return {
        "t": FIXED + len(CLASSES_OF_TASKS) * (2 * tree + window) + MET * (id_bytes + HEAD + NUMBER),
        "l": FIXED + 4 * FEATURES_OF_A_VISIT * BINS * classes,
    }


def profiles(_settings: Settings, id_bytes: int) -> dict[str, int]:
    """Most bytes of what is kept of a customer for the profile.

    Examples
    --------
    >>> profiles(Settings(), id_bytes=16)["p"] < 10_000
    True
    """
    names = 3 * 2 * KEPT + 2 * KEPT_OF_VISIT + 4
    return {"p": FIXED + names * (id_bytes + HEAD + NUMBER) + _VECTOR + NUMBER * (4 + 24 + 7)}


def density(_settings: Settings, _id_bytes: int) -> dict[str, int]:
    """Most bytes of the one row of the clustering by density.

    Examples
    --------
    >>> density(Settings(), 16)["d"] < 700_000
    True
    """
    one = 8 * len(FEATURES) + 2 * NUMBER
    pairs = MICRO_CLUSTERS * (MICRO_CLUSTERS - 1) // 2 * (8 + 2 * NUMBER + 2)
    return {"d": FIXED + (MICRO_CLUSTERS + 2) * one + pairs}


def needs(settings: Settings, id_bytes: int) -> dict[str, int]:
    """Most bytes of the one row of the needs of all customers.

    Examples
    --------
    >>> needs(Settings(), id_bytes=16)["n"] < 2_000_000
    True
    """
    entry = id_bytes + HEAD + NUMBER
    after = (MAX_FROM + 1) * (entry + 2 * MAX_TO * entry) + 2 * MAX_FROM * entry
    member = 9 * NUMBER + HEAD + NUMBER * len(FEATURES_OF_BUYING) + HEAD
    slices = 2 * 2 * SLICES * (2 * KEPT_OF_A_SLICE + 20) * entry
    return {
        "n": FIXED
        + after
        + slices
        + (settings.profiles.panel + 1) * member
        + 3 * NUMBER * (BINS_OF_CHANCES + 8)
    }
