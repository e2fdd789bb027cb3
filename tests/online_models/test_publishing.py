from collections.abc import Sequence
from math import isclose, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.landmarks import CountsOf, counts_by_key, plausible
from online_models.pair_shape import counted
from online_models.pair_table import by_key, name_key, named
from online_models.publishing import ItemPublisher, association_rules, counts, neighbours
from online_models.rule_measures import measures, similarity
from schemas.messages import (
    ORDERS,
    SCOPES,
    SIMILARITY,
    WEIGHT_ONE,
    ItemCounts,
    NeighbourRule,
    Neighbours,
    Rule,
    Totals,
)
from schemas.recommendations import AssociationRules
from schemas.settings import RulesSettings, Settings
from schemas.state import RuleRow

HALF_LIFE_S = 1_000
EPOCH_MS = HALF_LIFE_S * 1_000
ONE = 1 << 16
EXACT = Settings(rules=RulesSettings(half_life_s=0))
DECAYED = Settings(rules=RulesSettings(half_life_s=HALF_LIFE_S))


def exact(**bounds: int) -> Settings:
    return Settings(
        rules=RulesSettings(
            half_life_s=0,
            min_count=bounds.get("min_count", 2),
            published_similar=bounds.get("similar", 50),
            published_rules=bounds.get("rules", 50),
        )
    )


def orders_row(own: int, pairs: dict[str, int], *, epoch: int = 0, at: int = 0) -> RuleRow:
    return RuleRow(epoch, 1, [0, own, 0], counted([{}, pairs, {}]), at)


def known(ns: dict[str, int], *, epoch: int = 0) -> dict[str, ItemCounts]:
    return {item: ItemCounts(item, epoch, (n, n, n)) for item, n in ns.items()}


def told(ns: dict[str, ItemCounts]) -> CountsOf:
    return counts_by_key(ns.values())


def totals(n: int, *, epoch: int = 0, newest_at: int = 0) -> list[Totals]:
    return [Totals(0, epoch, (0, n, n), newest_at)]


def ids(rules: Sequence[Rule | NeighbourRule]) -> list[str]:
    return [rule.item_id for rule in rules]


def orders_of(messages: list[AssociationRules]) -> AssociationRules:
    (message,) = messages
    assert message.scope == "orders"
    return message


def test_counts_are_the_rows_own() -> None:
    assert counts("tea", RuleRow(3, 9, [7, 2, 1])) == ItemCounts("tea", 3, (7, 2, 1))


def test_a_message_of_rules_worked_by_hand() -> None:
    # 10 orders in two partitions; 4 with tea, 5 with cup, 3 with both; 2 with pot, both with tea.
    n = known({"cup": 5, "pot": 2})
    parts = [Totals(0, 0, (0, 6, 0), 5), Totals(1, 0, (0, 4, 0), 9)]
    row = orders_row(4, {"cup": 3, "pot": 2})
    message = orders_of(association_rules("tea", row, told(n), parts, EXACT))
    assert (message.item_id, message.transactions, message.count) == ("tea", 10, 4)
    assert ids(message.rules) == ["pot", "cup"]
    pot, cup = message.rules
    assert (cup.count, cup.support, cup.confidence, cup.lift, cup.conviction) == (3, 0.3, 0.75, 1.5, 2.0)
    assert isclose(cup.leverage, 0.1)
    assert (pot.count, pot.support, pot.confidence, pot.lift) == (2, 0.2, 0.5, 2.5)
    assert isclose(pot.llr, 2 * (2 * log(2.5) + 2 * log(2 * 10 / (4 * 8)) + 6 * log(6 * 10 / (6 * 8))))
    assert all(isinstance(count, int) for count in (message.transactions, message.count, cup.count))


def test_similar_items_are_sorted_by_cosine_then_id_and_show_the_customers_in_common() -> None:
    pairs = {"b": 2 * WEIGHT_ONE, "a": 2 * WEIGHT_ONE, "c": 3 * WEIGHT_ONE, "d": WEIGHT_ONE // 2}
    row = RuleRow(0, 1, [4 * WEIGHT_ONE, 0, 0], counted([pairs, {}, {}]))
    n = known(dict.fromkeys("abcd", 4 * WEIGHT_ONE))
    similar = neighbours("tea", row, told(n), [], EXACT).similar
    assert [(each.item_id, each.similarity, each.count) for each in similar] == [
        ("c", 0.75, 3.0),
        ("a", 0.5, 2.0),
        ("b", 0.5, 2.0),
        ("d", 0.125, 0.5),
    ]


def test_neighbours_hold_rules_by_confidence_and_messages_by_lift() -> None:
    row = orders_row(10, {"common": 8, "rare": 3, "b": 4, "a": 4})
    n = known({"common": 50, "rare": 3, "a": 8, "b": 8})
    publisher = ItemPublisher("tea", row, told(n), totals(100), EXACT)
    assert ids(publisher.neighbours().rules["orders"]) == ["common", "a", "b", "rare"]
    assert ids(orders_of(publisher.association_rules()).rules) == ["rare", "a", "b", "common"]


def test_scopes_without_rules_are_left_out() -> None:
    row = RuleRow(0, 1, [0, 5, 5], counted([{}, {"cup": 3}, {"cup": 1}]))
    n = known({"cup": 4})
    assert list(neighbours("tea", row, told(n), totals(9), EXACT).rules) == ["orders"]
    assert [each.scope for each in association_rules("tea", row, told(n), totals(9), EXACT)] == ["orders"]
    every = association_rules("tea", row, told(n), totals(9), EXACT, everything=True)
    assert [each.scope for each in every] == ["orders", "sessions"]


def test_min_count_and_length_bound_what_is_published_but_not_what_is_asked_for() -> None:
    row = orders_row(20, {item: count for count, item in enumerate("abcdef", start=1)})
    n = known(dict.fromkeys("abcdef", 20))
    settings = exact(min_count=3, rules=2)
    assert ids(orders_of(association_rules("tea", row, told(n), totals(99), settings)).rules) == [
        "f",
        "e",
    ]
    assert ids(neighbours("tea", row, told(n), totals(99), settings).rules["orders"]) == [
        "f",
        "e",
    ]
    every = association_rules("tea", row, told(n), totals(99), settings, everything=True)
    assert ids(orders_of(every).rules) == list("fedcba")


def test_partners_that_are_not_known_yet_are_left_out_and_make_room_for_others() -> None:
    row = RuleRow(0, 1, [9, 9, 0], counted([{"a": 5, "b": 4, "c": 3}, {"a": 5, "b": 4, "c": 3}, {}]))
    n = known({"b": 5, "c": 5})
    published = neighbours("tea", row, told(n), totals(20), exact(similar=1, rules=1))
    assert [each.item_id for each in published.similar] == ["b"]
    assert ids(published.rules["orders"]) == ["b"]
    assert ids(orders_of(association_rules("tea", row, told(n), totals(20), exact(rules=1))).rules) == ["b"]


def test_without_any_total_there_are_no_rules() -> None:
    row = orders_row(4, {"cup": 3})
    assert neighbours("tea", row, told(known({"cup": 5})), [], EXACT) == Neighbours("tea", [], {})
    assert association_rules("tea", row, told(known({"cup": 5})), [], EXACT, everything=True) == []


def test_stale_totals_and_counts_never_bring_a_ratio_out_of_its_range() -> None:
    row = RuleRow(0, 1, [3, 4, 4], counted([{"cup": 9}, {"cup": 3}, {"cup": 9}]))
    (orders, sessions) = association_rules("tea", row, told(known({"cup": 1})), totals(2), EXACT)
    assert (orders.transactions, orders.rules[0].support, orders.rules[0].confidence) == (4, 0.75, 0.75)
    assert (sessions.count, sessions.rules[0].confidence, sessions.rules[0].conviction) == (9, 1, None)
    assert neighbours("tea", row, told(known({"cup": 1})), [], EXACT).similar[0].similarity == 1.0


def test_counts_under_different_landmarks_are_compared_as_of_one_time() -> None:
    # Under each landmark the same: 4 events with tea, 8 with cup, 2 with both, of 16, as of epoch 1.
    at = EPOCH_MS
    row = RuleRow(1, 1, [4 * ONE, 4 * ONE, 0], counted([{"cup": 2 * ONE}, {"cup": 2 * ONE}, {}]), at)
    n = known({"cup": 16 * ONE}, epoch=0)
    total = [Totals(0, 2, (0, 4 * ONE, 0), at), Totals(1, 1, (0, 8 * ONE, 0), 0)]
    message = orders_of(association_rules("tea", row, told(n), total, DECAYED))
    rule = message.rules[0]
    assert (message.transactions, message.count, rule.count) == (16, 4, 2)
    assert (rule.support, rule.confidence, rule.lift) == (0.125, 0.5, 1.0)
    assert neighbours("tea", row, told(n), total, DECAYED).similar[0].similarity == 2 / 32**0.5


def test_decayed_counts_are_shown_as_of_the_newest_event_of_any_partition() -> None:
    row = RuleRow(0, 1, [0, 8 * ONE, 0], counted([{"x": 8 * WEIGHT_ONE * ONE}, {"cup": 8 * ONE}, {}]), 0)
    row.counts[SIMILARITY] = 8 * WEIGHT_ONE * ONE
    n = known({"cup": 8 * ONE, "x": 8 * WEIGHT_ONE * ONE})
    total = [Totals(0, 0, (0, 16 * ONE, 0), 0), Totals(1, 0, (0, 16 * ONE, 0), EPOCH_MS * 3 // 2)]
    message = orders_of(association_rules("tea", row, told(n), total, DECAYED))
    assert message.count == message.rules[0].count == round(8 / 2**1.5, 6)
    assert message.transactions == round(32 / 2**1.5, 6)
    assert isclose(
        neighbours("tea", row, told(n), total, DECAYED).similar[0].count,
        8 / 2**1.5,
        abs_tol=1e-6,
    )


def test_a_pair_seen_twice_is_published_at_once_and_no_more_once_it_decayed() -> None:
    factor = 92_000
    row = orders_row(2 * factor, {"cup": 2 * factor}, at=round(0.489 * EPOCH_MS))
    fresh = totals(9 * factor, newest_at=row.at)
    assert ids(neighbours("tea", row, told(known({"cup": 2 * factor})), fresh, DECAYED).rules["orders"]) == [
        "cup"
    ]
    later = totals(9 * factor, newest_at=row.at + EPOCH_MS // 20)
    assert neighbours("tea", row, told(known({"cup": 2 * factor})), later, DECAYED).rules == {}


def test_a_row_that_decayed_away_long_ago_has_no_rules_and_does_no_harm() -> None:
    row = orders_row(2 * ONE, {"cup": 2 * ONE})
    total = totals(9 * ONE, epoch=10_000, newest_at=10_000 * EPOCH_MS)
    assert association_rules("tea", row, told(known({"cup": 4 * ONE}, epoch=10_000)), total, DECAYED) == []


def test_each_partner_is_looked_up_once_for_all_messages() -> None:
    asked: list[int] = []
    known_counts = told(known(dict.fromkeys("abc", 9)))

    def counts_of(keys: Sequence[int]) -> Sequence[ItemCounts | None]:
        asked.extend(keys)
        return known_counts(keys)

    pairs = {"a": 3, "b": 4, "unknown": 5}
    row = RuleRow(0, 1, [9, 9, 9], counted([dict(pairs), dict(pairs), {"c": 2} | pairs]))
    publisher = ItemPublisher("tea", row, counts_of, totals(20), EXACT)
    publisher.neighbours()
    publisher.association_rules()
    assert sorted(asked) == sorted(map(name_key, ["a", "b", "c", "unknown"]))


PARTNERS = [f"i{n}" for n in range(12)]


@st.composite
def publishable(draw: st.DrawFn) -> tuple[RuleRow, dict[str, ItemCounts], list[Totals]]:
    """A row, some partners' counts and totals: under several landmarks, and perhaps stale."""
    epoch = st.integers(0, 3)
    count = st.integers(1, 6).map(lambda n: n * ONE)
    pairs = [draw(st.dictionaries(st.sampled_from(PARTNERS), count)) for _ in SCOPES]
    row = RuleRow(
        draw(epoch), 1, [draw(count) * 2 for _ in SCOPES], counted(pairs), draw(st.integers(0, 4 * EPOCH_MS))
    )
    some = draw(st.lists(st.sampled_from(PARTNERS), unique=True, min_size=6))
    n = {item: ItemCounts(item, draw(epoch), (draw(count), draw(count), draw(count) * 2)) for item in some}
    amounts = st.sampled_from([0, 3, 10, 100])
    total = [
        Totals(
            part,
            draw(epoch),
            (0, draw(amounts) * ONE, draw(amounts) * ONE),
            draw(st.integers(0, 4)) * EPOCH_MS,
        )
        for part in range(draw(st.integers(1, 2)))
    ]
    return row, n, total


def shifted(count: float, from_epoch: int, to_epoch: int) -> float:
    return count * 2.0 ** (from_epoch - to_epoch)


@given(publishable(), st.integers(1, 4), st.sampled_from([0.0, 1.0, 2.0]))
def test_lists_equal_computing_every_measure_and_sorting(
    case: tuple[RuleRow, dict[str, ItemCounts], list[Totals]], most: int, min_count: float
) -> None:
    row, n, total = case
    settings = Settings(
        rules=RulesSettings(
            half_life_s=HALF_LIFE_S, published_similar=most, published_rules=most, min_count=min_count
        )
    )
    published = neighbours("x", row, told(n), total, settings)
    messages = {each.scope: each for each in association_rules("x", row, told(n), total, settings)}

    pairs = [named(row.pairs, scope, by_key(PARTNERS)) for scope in range(len(SCOPES))]
    own = max([row.counts[SIMILARITY], *pairs[SIMILARITY].values()])
    cosines = {
        j: similarity(pair, own, max(pair, shifted(n[j].counts[SIMILARITY], n[j].epoch, row.epoch)))
        for j, pair in pairs[SIMILARITY].items()
        if j in n
    }
    best = sorted(cosines, key=lambda j: (-cosines[j], j))[:most]
    assert [(each.item_id, each.similarity) for each in published.similar] == [(j, cosines[j]) for j in best]

    as_of = max([row.at, *(each.newest_at for each in total)])
    unit = 2.0 ** (row.epoch - as_of / EPOCH_MS) / ONE
    for scope in (ORDERS, ORDERS + 1):
        n_all = sum(shifted(each.totals[scope], each.epoch, row.epoch) for each in total)
        n_i = max([row.counts[scope], *pairs[scope].values()])
        found = {
            j: measures(
                *plausible(
                    pair * unit,
                    n_i * unit,
                    shifted(n[j].counts[scope], n[j].epoch, row.epoch) * unit,
                    n_all * unit,
                )
            )
            for j, pair in pairs[scope].items()
            if j in n and n_all and pair * unit >= min_count * 0.999
        }
        rules = messages[SCOPES[scope]].rules if SCOPES[scope] in messages else []
        lifts = [rule.lift for rule in rules]
        assert lifts == pytest.approx(sorted((each.lift for each in found.values()), reverse=True)[:most])
        assert all(found[rule.item_id].lift == pytest.approx(rule.lift) for rule in rules)
        assert rules == sorted(rules, key=lambda rule: (-rule.lift, rule.item_id))
        confident = published.rules.get(SCOPES[scope], [])
        by_confidence = sorted(found, key=lambda j: (-pairs[scope][j], j))[:most]
        assert ids(confident) == by_confidence


@given(publishable())
def test_every_published_ratio_is_in_its_range(
    case: tuple[RuleRow, dict[str, ItemCounts], list[Totals]],
) -> None:
    row, n, total = case
    for message in association_rules("x", row, told(n), total, DECAYED, everything=True):
        for rule in message.rules:
            assert 0 < rule.support <= 1
            assert 0 < rule.confidence <= 1
            assert rule.lift > 0
            assert -0.25 <= rule.leverage <= 0.25 + 1e-12
            assert rule.conviction is None or rule.conviction >= 0
            assert rule.llr >= 0
            assert rule.count <= message.count <= message.transactions
    for similar in neighbours("x", row, told(n), total, DECAYED).similar:
        assert 0 < similar.similarity <= 1
