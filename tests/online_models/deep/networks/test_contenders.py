"""The deep contenders keep the contract of all contenders."""

import pytest

from online_models.evaluation.catalog import CONTENDERS
from schemas.settings import Settings
from tests.online_models.evaluation import test_catalog as contract

pytestmark = pytest.mark.slow

DEEP = [name for name, entry in CONTENDERS.items() if entry.extra == "deep"]
CHECKS = [
    contract.test_a_list_holds_at_most_k_known_items_best_first,
    contract.test_a_shorter_list_is_the_beginning_of_a_longer_one,
    contract.test_what_is_excluded_is_not_ranked,
    contract.test_ranking_changes_nothing_but_when_something_is_published,
    contract.test_who_knows_nothing_ranks_nothing,
    contract.test_where_parameters_are_looked_for_they_can_be_set,
    contract.test_a_search_can_begin_with_what_is,
]


@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize("check", CHECKS)
def test_they_keep_the_contract(check: contract.Check, name: str) -> None:
    check(name)


@pytest.mark.parametrize("name", DEEP)
def test_what_they_are_told_is_what_they_are(name: str) -> None:
    entry = CONTENDERS[name]
    with pytest.raises(ValueError, match=r"(rows|items) is 0; expected at least \d+"):
        entry.make(Settings(), {**entry.options, "items": 0})
