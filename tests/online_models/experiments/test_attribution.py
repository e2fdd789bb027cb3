"""Attribution, case by case: what counts for a list, what for a customer, and what counts no more."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.experiments.attribution import KEY, MOST_REVENUE, MOST_WAITING, AttributionStep
from online_models.experiments.tallies import AMOUNTS, PRODUCTS, empty, product
from online_models.memory_store import MemoryStore
from schemas.experiments import ArmTallies, ArmTally
from schemas.messages import Event, Line
from schemas.settings import AttributionSettings, Settings
from schemas.state import HistoryRow
from tests.online_models.experiments.plain_attribution import amounts_of

HOUR, DAY = 3_600_000, 86_400_000
SETTINGS = Settings(attribution=AttributionSettings(lists=5))


class Log:
    """A step and what it has counted."""

    def __init__(self) -> None:
        self.rows, self.tallies = MemoryStore(HistoryRow), MemoryStore(ArmTallies)
        self.step = AttributionStep(self.rows, self.tallies, SETTINGS)

    def learn(self, *events: Event) -> "Log":
        for event in events:
            if self.rows.get(event.key) is None:
                self.rows.put(event.key, HistoryRow())
            self.step.learn_one(event)
        return self

    def tally(self, arm: str = "length:long") -> ArmTally:
        return (self.tallies.get(KEY) or ArmTallies({})).arms.get(arm) or empty()

    def counts(self, arm: str = "length:long") -> dict[str, int]:
        """What is not 0."""
        return {name: n for name, n in zip(AMOUNTS, self.tally(arm).sums, strict=True) if n}


def event(
    kind: str,
    at: int,
    items: str = "tea",
    *,
    names: str | None = None,
    arm: str | None = "length:long",
    key: str = "u:anna",
    price: float = 2.5,
    value: float = 4.0,
) -> Event:
    lines = [Line(item, [], 2.0, price) for item in items.split()]
    return Event(
        key,
        kind,
        at,
        "topic",
        0,
        at,
        at,
        at,
        lines=lines,
        value=value,
        scale_max=5.0,
        recommendation_id=names,
        arm=arm,
    )


def shown(
    at: int, items: str = "tea cup", names: str = "r-1", *, arm: str = "length:long", key: str = "u:anna"
) -> Event:
    return event("impression", at, items, names=names, arm=arm, key=key)


def test_a_list_that_is_shown_again_is_one_list() -> None:
    assert Log().learn(shown(0), shown(5), shown(9, names="r-2")).counts() == {"lists": 2, "visits": 1}


@pytest.mark.parametrize("kind", ["view", "cart"])
def test_a_list_is_clicked_once(kind: str) -> None:
    log = Log().learn(shown(0), event(kind, 1, names="r-1"), event("view", 2, names="r-1"))
    assert log.counts() == {"lists": 1, "clicks": 1, "visits": 1}


def test_an_act_that_names_its_list_need_not_be_about_what_was_in_it() -> None:
    assert Log().learn(shown(0), event("view", 1, "pot", names="r-1")).counts()["clicks"] == 1


def test_an_act_without_a_name_follows_from_the_last_list_with_its_item() -> None:
    log = Log().learn(shown(0, "tea"), shown(1, "cup", names="r-2"), event("purchase", 2, "pot tea"))
    row = log.rows.get("u:anna")
    assert row is not None
    assert row.exposure is not None
    assert [each.bought for each in row.exposure.shown] == [True, False]
    assert log.counts()["converted"] == 1
    assert "clicks" not in Log().learn(shown(0, "tea"), event("view", 2, "pot")).counts()


def test_windows_end_what_follows_from_a_list_and_not_what_a_customer_did() -> None:
    late = Log().learn(shown(0), event("view", HOUR, names="r-1"), event("purchase", 8 * DAY, names="r-1"))
    assert late.counts() == {
        "lists": 1,
        "visits": 3,
        "orders": 1,
        "revenue": 5_000_000,
        "buyer": 1,
    }
    assert Log().learn(shown(0), event("purchase", 31 * DAY)).counts() == {"lists": 1, "visits": 1}


def test_orders_and_ratings_count_from_the_first_list_on() -> None:
    log = Log().learn(
        event("purchase", 0),
        shown(10),
        event("purchase", 20),
        event("rating", 30),
        event("purchase", 40, price=1.0),
    )
    assert log.counts() == {
        "lists": 1, "converted": 1, "visits": 1, "orders": 2, "revenue": 7_000_000, "ratings": 1,
        "rating": 800, "buyer": 1, "repeat": 1,
    }  # fmt: skip


def test_what_is_read_before_the_list_that_it_answers_waits_for_it() -> None:
    acts = [event("view", 1, names="r-1"), event("purchase", 2, names="r-1")]
    assert Log().learn(*acts, shown(0)).counts() == Log().learn(shown(0), *acts).counts()
    later = [event("view", 21, names="r-2"), event("purchase", 22, names="r-2")]
    expected = Log().learn(shown(0), shown(20, names="r-2"), *later).counts()
    assert Log().learn(shown(0), *later, shown(20, names="r-2")).counts() == expected


def test_an_act_of_the_same_moment_that_was_read_before_answers_a_list_only_by_name() -> None:
    assert "clicks" not in Log().learn(event("view", 0), shown(0)).counts()
    assert Log().learn(event("view", 0, names="r-1"), shown(0)).counts()["clicks"] == 1
    assert Log().learn(event("view", 1), shown(0)).counts()["clicks"] == 1


def test_what_waits_is_bounded() -> None:
    log = Log().learn(*(event("view", n, names=f"r-{n}") for n in range(50)))
    row = log.rows.get("u:anna")
    assert row is not None
    assert row.exposure is not None
    assert [each.at for each in row.exposure.waiting] == list(range(50 - MOST_WAITING, 50))


def test_visits_are_cut_as_sessions_are() -> None:
    log = Log().learn(shown(0), event("view", HOUR // 4), event("view", HOUR), event("view", HOUR // 2))
    assert log.counts()["visits"] == 2


def test_one_who_is_met_in_another_variant_has_crossed_and_counts_no_more() -> None:
    log = Log().learn(shown(0), shown(1, names="r-2", arm="length:control"), event("purchase", 2))
    assert log.tally().crossed == 1
    assert log.counts() == {"lists": 1, "visits": 1}
    assert log.counts("length:control") == {}


def test_one_who_was_shown_nothing_yet_has_not_crossed() -> None:
    log = Log().learn(
        event("view", 0), event("view", 1, arm="length:control"), shown(2, arm="length:control")
    )
    assert (log.tally().crossed, log.tally("length:control").customers) == (0, 0)


def test_the_next_experiment_takes_over_with_the_first_list_that_it_shows() -> None:
    log = Log().learn(
        shown(0),
        event("purchase", 1, arm="price:low"),
        shown(2, names="r-2", arm="price:low"),
        event("purchase", 3, arm="price:low"),
    )
    assert (log.counts()["orders"], log.counts("price:low")["orders"]) == (1, 1)


def test_outcomes_count_after_an_experiment_has_ended_and_lists_do_not() -> None:
    ended = msgspec.structs.replace(shown(5, names="r-2"), arm=None)
    log = Log().learn(shown(0), ended, event("purchase", 9, arm=None))
    assert log.counts() == {
        "lists": 1,
        "converted": 1,
        "visits": 1,
        "orders": 1,
        "revenue": 5_000_000,
        "buyer": 1,
    }


def test_without_an_arm_nothing_is_kept() -> None:
    log = Log().learn(msgspec.structs.replace(shown(0), arm=None), event("purchase", 1, arm=None))
    assert log.rows.get("u:anna") == HistoryRow()
    assert log.tallies.get(KEY) is None


@pytest.mark.parametrize("price", [1e18, 1e300])
def test_a_price_that_is_a_mistake_is_bounded(price: float) -> None:
    log = Log().learn(shown(0), event("purchase", 1, price=price), event("purchase", 2, price=price))
    assert log.counts()["revenue"] == MOST_REVENUE


_KINDS = st.sampled_from(["view", "cart", "purchase", "rating", "impression"])
_ITEMS = st.sampled_from(["tea", "cup", "tea pot"])
_STEPS = st.tuples(
    st.sampled_from(["u:anna", "s:1"]), _KINDS, st.integers(0, 20), _ITEMS, st.integers(0, 3), st.booleans()
)


@given(st.lists(_STEPS, max_size=40))
def test_tallies_equal_a_recount(steps: list[tuple[str, str, int, str, int, bool]]) -> None:
    at, events, seen = 0, list[Event](), dict[str, set[str]]()
    for key, kind, pause, items, number, named in steps:
        at += pause**4 * 1_000
        known, name = seen.setdefault(key, set()), f"r-{number}"
        if kind == "impression":
            known.add(name)
            events.append(shown(at, items, name, key=key))
        else:
            events.append(event(kind, at, items, names=name if named and name in known else None, key=key))
    log = Log().learn(*events)
    rows = [amounts_of([x for x in events if x.key == key], SETTINGS) for key in seen]
    counted = [row for row in rows if row is not None]
    assert log.tally().customers == len(counted)
    assert log.tally().sums == [sum(row[n] for row in counted) for n in range(len(AMOUNTS))]
    for i, j in PRODUCTS:
        assert product(log.tally(), i, j) == sum(row[i] * row[j] for row in counted)
