"""What a log is like: each number against one counted by hand."""

import pytest

from online_models.evaluation.traits import Traits, traits
from schemas.messages import Event, ItemFacts, Line

MINUTE = 60_000


def act(key: str, at: int, *items: str, kind: str = "view") -> Event:
    return Event(key, kind, at * MINUTE, "browses", 0, at, at, at, lines=[Line(item, []) for item in items])


def of(*log: Event | ItemFacts) -> Traits:
    return traits(log, gap_ms=30 * MINUTE)


def test_who_acts_on_what_is_counted() -> None:
    found = of(
        act("u:anna", 0, "tea"),
        act("u:anna", 1, "cup", "tea", kind="purchase"),
        act("u:bert", 2, "tea", kind="rating"),
        act("s:guest", 1_440, "jam"),
    )
    assert (found.events, found.customers, found.items, found.sessions, found.days) == (5, 2, 3, 3, 1.0)
    assert (found.events_per_customer, found.events_per_session) == (2.0, 1.667)
    assert (found.guests, found.orders, found.ratings) == (1 / 5, 2 / 5, 1 / 5)


def test_pairs_that_met_and_met_again() -> None:
    found = of(act("u:a", 0, "tea"), act("u:a", 1, "tea"), act("u:a", 2, "cup"), act("u:b", 3, "tea"))
    assert found.repeats == 1 / 4
    assert found.sparsity == 1 - 3 / (2 * 2)


def test_a_guest_may_come_back_to_an_item_without_being_a_customer() -> None:
    found = of(act("s:1", 0, "tea"), act("s:1", 1, "tea"))
    assert (found.customers, found.repeats, found.guests, found.events_per_customer) == (0, 0.0, 1.0, 0.0)


def test_who_has_done_five_things_is_not_cold() -> None:
    assert of(*(act("u:a", at, "tea") for at in range(10))).cold == 5 / 10
    assert of(*(act(f"u:{at}", at, "tea") for at in range(10))).cold == 1.0


def test_turnover_is_what_the_last_tenth_has_that_the_others_have_not() -> None:
    known = [act("u:a", at, f"i{at % 3}") for at in range(18)]
    assert of(*known, act("u:a", 18, "new"), act("u:a", 19, "i0")).turnover == 1 / 2
    assert of(*known, act("u:a", 18, "i1"), act("u:a", 19, "i0")).turnover == 0.0


def test_drift_is_the_share_of_leaders_that_lead_no_more() -> None:
    first = [act("u:a", at, f"i{at % 4}") for at in range(40)]
    same = [act("u:a", 40 + at, f"i{at % 4}") for at in range(40)]
    half = [act("u:a", 40 + at, f"i{2 + at % 4}") for at in range(40)]
    assert (of(*first, *same).drift, of(*first, *half).drift) == (0.0, 1 / 2)


def test_the_head_is_the_most_popular_hundredth() -> None:
    log = [act("u:a", at, f"i{at}") for at in range(200)] + [act("u:a", 200 + at, "i0") for at in range(100)]
    assert of(*log).head == pytest.approx(102 / 300)


def test_what_the_catalogue_says_and_who_follows_whom() -> None:
    tea = ItemFacts("tea", None, ["drinks"], None, None, [], True, 0)
    nothing = ItemFacts("cup", None, [], None, None, [], True, 0)
    link = Event("u:a", "link", 0, "links", 0, 0, 0, 0)
    found = of(tea, nothing, link, act("u:a", 0, "tea"), act("u:a", 1, "cup"))
    assert (found.described, found.links, found.events) == (1 / 2, 1, 2)


def test_a_log_without_actions_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody acts on any item"):
        of(ItemFacts("tea", None, ["drinks"], None, None, [], True, 0))
