"""Events as rows of numbers: what traffic makes, delivery orders and records turn into messages."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

VIEW, CART, PURCHASE, RATING, IMPRESSION, BAD = range(6)
"""Kinds of a row. BAD is a record that no consumer should accept."""

MAX_LINES = 8
"""Items that fit in a row: lines of an order, or what an impression shows."""

GUEST = -1
"""Stands for the customer of a guest's row."""

Rows = NDArray[Any]
"""A structured array of ROW."""

ROW = np.dtype(
    [
        ("emit_ms", np.int64),  # place in the stream: `at` unless late or a repetition
        ("at_ms", np.int64),
        ("number", np.int64),  # of the event; it becomes the event_id
        ("visit", np.int64),  # number of the visit; it becomes the session_id
        ("kind", np.int8),
        ("who", np.int32),  # customer, or GUEST
        ("items", np.int32, (MAX_LINES,)),  # -1 fills
        ("quantities", np.int8, (MAX_LINES,)),
        ("value", np.int32),  # a view's dwell in tenths of a second, a rating in half stars
        ("from_list", np.bool_),  # a view that answers the impression of its visit
    ]
)


def empty_rows(count: int) -> Rows:
    """Make rows without items, their numbers all 0.

    Examples
    --------
    >>> empty_rows(1)["items"].tolist()
    [[-1, -1, -1, -1, -1, -1, -1, -1]]
    """
    rows = np.zeros(count, dtype=ROW)
    rows["items"] = -1
    return rows
