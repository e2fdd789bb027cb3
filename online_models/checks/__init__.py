"""The contracts as code: functions that raise `CheckFailedError` when a store or a model breaks one.

Shipped, so that whoever adds a model or a store can hold it against the same checks as those here.
"""

from online_models.checks.failure import CheckFailedError
from online_models.checks.recommenders import check_answer, check_filtered, check_recommender
from online_models.checks.steps import (
    check_bounded,
    check_deterministic,
    check_keys,
    check_learn_many,
    check_lists,
    check_round_trips,
    digest,
)
from online_models.checks.stores import STORE_CHECKS, StoreCase

__all__ = [
    "STORE_CHECKS",
    "CheckFailedError",
    "StoreCase",
    "check_answer",
    "check_bounded",
    "check_deterministic",
    "check_filtered",
    "check_keys",
    "check_learn_many",
    "check_lists",
    "check_recommender",
    "check_round_trips",
    "digest",
]
