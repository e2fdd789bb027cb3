"""Blocks of evidence: amounts, order and reasons of each source."""

import numpy as np
import pytest

from online_models.customer_neighbours import Alike
from online_models.evidence import ItemNumbers
from online_models.sources import (
    CONTENT,
    POPULAR_ALL,
    POPULAR_SEGMENT,
    POPULAR_THERE,
    RECENT,
    RULES,
    SESSION_RULES,
    SIMILAR,
    SOCIAL,
    SOURCES,
    USERS,
    PartnersBlock,
    PopularBlock,
    RecentBlock,
    UsersBlock,
)
from online_models.traces import Trace
from schemas.settings import RecommendSettings
from tests.online_models.shop_views import NOW, a_rule, partners

ROW = partners(
    "tea",
    [("cup", 0.8, 15.0), ("pot", 0.4, 5.0)],
    orders=[a_rule("cup", 0.5, 45.0), a_rule("jam", 0.9, 45.0, lift=0.99)],
    sessions=[a_rule("jam", 0.2, 5.0, lift=1.0)],
)


def test_partners_weigh_measure_and_significance() -> None:
    numbers = ItemNumbers()
    wanted = RecommendSettings(similarity_weight=1.0, rules_weight=0.5, session_rules_weight=2.0)
    block = PartnersBlock(numbers, ROW, wanted)
    assert [numbers.names[n] for n in block.numbers.tolist()] == ["cup", "pot", "cup", "jam"]
    expected = [0.8 * 0.75, 0.4 * 0.5, 0.5 * 0.5 * 0.9, 2.0 * 0.2 * 0.5]
    assert block.amounts.tolist() == pytest.approx(expected)
    reasons = [block.reason(n) for n in range(4)]
    assert [reason.get("scope") for reason in reasons] == [None, None, "orders", "sessions"]
    assert [reason.get("similarity", reason.get("confidence")) for reason in reasons] == [0.8, 0.4, 0.5, 0.2]
    assert {reason["item_id"] for reason in reasons} == {"tea"}


def test_a_weight_of_0_leaves_its_source_out() -> None:
    numbers = ItemNumbers()
    block = PartnersBlock(numbers, ROW, RecommendSettings(similarity_weight=0.0, rules_weight=0.0))
    assert [numbers.names[n] for n in block.numbers.tolist()] == ["jam"]
    assert block.reason(0)["scope"] == "sessions"


def test_there_is_no_reason_beyond_the_last() -> None:
    block = PartnersBlock(ItemNumbers(), ROW, RecommendSettings())
    with pytest.raises(IndexError, match="tea"):
        block.reason(4)


def test_popularity_is_relative_to_the_largest() -> None:
    found = [("tea", 8.0), ("cup", 2.0)]
    assert PopularBlock(ItemNumbers(), "all", found).amounts.tolist() == [1.0, 0.25]
    assert PopularBlock(ItemNumbers(), "all", found, largest=16.0).amounts.tolist() == [0.5, 0.125]


def test_a_scope_that_has_faded_away_still_names_its_items() -> None:
    block = PopularBlock(ItemNumbers(), "all", [("tea", 0.0)])
    assert (block.amounts.tolist(), block.numbers.tolist()) == ([0.0], [0])
    assert PopularBlock(ItemNumbers(), "all", []).amounts.tolist() == []


def test_recent_items_are_those_not_had() -> None:
    traces = [Trace("tea", NOW - 1_999, 0.5, had=False), Trace("cup", NOW, 0.4, had=True)]
    block = RecentBlock(ItemNumbers(), traces, now=NOW)
    assert block.amounts.tolist() == [0.5]
    assert block.reason(0) == {"source": "recent", "item_id": "tea", "seconds_ago": 1}


def test_what_customers_have_weighs_their_share_and_how_many_they_are() -> None:
    found = Alike(np.array([4, 7]), np.array([0.5, 0.5]), np.array([5, 1]), np.array([0.2, 1 / 3]))
    block = UsersBlock(ItemNumbers().of(["tea", "cup"]), found)
    assert block.amounts.tolist() == pytest.approx([0.25, 0.5 / 6])
    assert block.reason(1) == {"source": "users", "customers": 1, "similarity": 0.333333}


def test_every_piece_says_which_source_it_is_from() -> None:
    assert PartnersBlock(ItemNumbers(), ROW, RecommendSettings()).sources.tolist() == [
        SIMILAR,
        SIMILAR,
        RULES,
        SESSION_RULES,
    ]
    only_sessions = RecommendSettings(similarity_weight=0.0, rules_weight=0.0)
    assert PartnersBlock(ItemNumbers(), ROW, only_sessions).sources.tolist() == [SESSION_RULES]
    found = [("tea", 8.0), ("cup", 2.0)]
    scopes = {"all": POPULAR_ALL, "category:all": POPULAR_THERE, "segment:1": POPULAR_SEGMENT}
    for scope, source in scopes.items():
        assert PopularBlock(ItemNumbers(), scope, found).sources.tolist() == [source, source]
        assert PopularBlock(ItemNumbers(), scope, []).sources.tolist() == []
    traces = [Trace("tea", NOW, 0.5, had=False), Trace("cup", NOW, 0.4, had=True)]
    assert RecentBlock(ItemNumbers(), traces, now=NOW).sources.tolist() == [RECENT]
    alike = Alike(np.zeros(1, np.int64), np.ones(1), np.ones(1, np.int64), np.ones(1))
    assert UsersBlock(ItemNumbers().of(["tea"]), alike).sources.tolist() == [USERS]
    numbered = [SIMILAR, RULES, SESSION_RULES, RECENT, POPULAR_ALL, POPULAR_THERE, POPULAR_SEGMENT]
    assert [*numbered, CONTENT, SOCIAL, USERS] == list(range(SOURCES))
