"""Hit rates of a demo: test, then learn; popularity plays by the same rules as the lists."""

from streams.demo.hit_rates import HitRates


def test_an_act_before_the_first_list_is_no_query_but_makes_its_items_popular() -> None:
    rates = HitRates(k=1)
    rates.acted("u:anna", ["tea"], bought=False)
    assert rates.hits.queries == 0
    rates.given("u:anna", ["cup"])
    rates.acted("u:anna", ["tea"], bought=False)
    assert (rates.hits.queries, rates.hits.hit_rate, rates.hits.popular_hit_rate) == (1, 0.0, 1.0)


def test_an_act_is_compared_with_the_list_before_it_not_with_the_one_it_causes() -> None:
    rates = HitRates(k=2)
    rates.given("u:anna", ["tea", "cup"])
    rates.acted("u:anna", ["jam"], bought=False)
    rates.given("u:anna", ["jam", "tea"])
    assert (rates.hits.queries, rates.hits.hit_rate) == (1, 0.0)
    rates.acted("u:anna", ["jam"], bought=False)
    assert (rates.hits.queries, rates.hits.hit_rate) == (2, 0.5)


def test_what_a_customer_bought_is_left_out_of_popularity_for_that_customer_alone() -> None:
    rates = HitRates(k=1)
    rates.acted("u:anna", ["tea", "tea"], bought=True)
    rates.acted("u:ben", ["cup"], bought=False)
    for customer in ("u:anna", "u:ben"):
        rates.given(customer, ["none"])
    rates.acted("u:anna", ["cup"], bought=False)
    assert rates.hits.popular_hit_rate == 1.0
    rates.acted("u:ben", ["tea"], bought=False)
    assert (rates.hits.queries, rates.hits.popular_hit_rate) == (2, 1.0)


def test_what_was_only_looked_at_stays_in_popularity() -> None:
    rates = HitRates(k=1)
    rates.acted("u:anna", ["tea"], bought=False)
    rates.given("u:anna", [])
    rates.acted("u:anna", ["tea"], bought=True)
    assert (rates.hits.hit_rate, rates.hits.popular_hit_rate) == (0.0, 1.0)


def test_popularity_has_as_many_places_as_a_list_also_after_purchases() -> None:
    rates = HitRates(k=2)
    for count, item in enumerate(("jam", "cup", "tea", "pot"), start=1):
        rates.acted("u:ben", [item] * count, bought=False)
    rates.acted("u:anna", ["pot"], bought=True)
    rates.given("u:anna", ["none"])
    rates.acted("u:anna", ["cup"], bought=False)
    rates.acted("u:anna", ["jam"], bought=False)
    rates.acted("u:anna", ["pot"], bought=False)
    assert (rates.hits.queries, rates.hits.popular_hits) == (3, 1)


def test_only_the_first_k_places_of_a_list_count() -> None:
    rates = HitRates(k=1)
    rates.given("u:anna", ["tea", "cup"])
    rates.acted("u:anna", ["cup"], bought=False)
    assert (rates.hits.queries, rates.hits.hit_rate) == (1, 0.0)
