"""What is withdrawn leaves standing lists: at once, once each, also after a crash, and nobody else's."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_models.business_rules import BusinessRules
from schemas.business_rules import BusinessRule
from schemas.messages import WEIGHT_ONE, ItemFacts, Popular
from schemas.recommendations import Recommendation
from streams.followed import MOST_WITHDRAWN
from streams.rules_file import RulesFile
from streams.stages.history import HistoryPartition
from tests.streams.stages.parts import AT, Bench, a_batch, an_event, flushed, settings_of, worked

RULE = BusinessRule(name="recalled", action="exclude", items=("jam",))


def opening(at: int, until: int | None = None, *items: str) -> BusinessRules:
    """An exclusion from a moment on, jam's unless told."""
    ends = None if until is None else _text(until)
    window = {"from_": _text(at), "until": ends, "items": items or RULE.items}
    return BusinessRules([msgspec.structs.replace(RULE, **window)])


def _text(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat()


class Shop(Bench):
    """Customers who looked at tea and have a list of popular items: jam, cup, pot."""

    def __init__(self, state: Path, customers: int = 1, **recommend: Any) -> None:
        super().__init__(settings_of(recommend=recommend), state)
        self.offset = 0
        self.item("jam")
        leaders = [("jam", 9 * WEIGHT_ONE), ("cup", 5 * WEIGHT_ONE), ("pot", WEIGHT_ONE)]
        self.follow("popular", "0|all", Popular(0, "all", 0, leaders), version=(0, 0, 1))
        self.views.rules_file = RulesFile("")
        self.part = self.open_history()
        self.act(*(f"u:{n:03}" for n in range(customers)))
        self.first = self.given()

    def open_history(self) -> HistoryPartition:
        part = self.open("history")
        assert isinstance(part, HistoryPartition)
        return part

    def item(self, name: str, *, available: bool = True, offset: int = 0) -> None:
        row = ItemFacts(name, None, [], None, None, [], available, 0)
        self.follow("item-view", name, row, version=(0, 0, offset))

    def act(self, *keys: str, kind: str = "view") -> None:
        for key in keys:
            self.part.apply(a_batch(self.offset, an_event(self.offset, kind, "tea", key=key)))
            self.part.end_batch()
            self.offset += 1

    def given(self) -> list[Recommendation]:
        """All lists that are made from a second later on, until nothing is left to do."""
        self.now += 1_000
        worked(self.part)
        while self.part.standing.looking:
            self.now += 1
            worked(self.part)
        return self.decoded("recommendations")

    def crash(self) -> None:
        self.part.database.close()
        self.part = self.open_history()


def items_of(message: Recommendation) -> list[str]:
    return [item.item_id for item in message.items]


def test_an_item_that_is_sold_out_leaves_the_lists_that_hold_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 3)
    assert shop.given() == []
    shop.item("jam", available=False, offset=1)
    lists = shop.given()
    assert [each.user_id for each in lists] == ["000", "001", "002"]
    assert all(sorted(items_of(each)) == ["cup", "pot", "tea"] for each in lists)
    assert shop.shows("freshrec_lists_withdrawn_total 3.0")
    assert shop.given() == []


def test_the_new_list_names_what_caused_the_old_one_and_has_an_id_of_its_own(tmp_path: Path) -> None:
    shop, other = Shop(tmp_path / "one"), Shop(tmp_path / "other")
    told = []
    for each in (shop, other):
        each.item("jam", available=False, offset=1)
        told += each.given()
    one, same = told
    assert one.recommendation_id == same.recommendation_id
    assert one.recommendation_id.startswith("browses:0:0-")
    assert one.caused_by == ["view-0"]
    shop.item("cup")
    shop.item("cup", available=False, offset=1)
    (later,) = shop.given()
    assert later.recommendation_id not in (one.recommendation_id, "browses:0:0")
    assert len(later.recommendation_id) == len(one.recommendation_id)
    assert not {"jam", "cup"} & set(items_of(later))


def test_what_is_in_no_list_and_what_was_sold_out_before_causes_none(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 2)
    shop.item("unheard of", available=False)
    assert shop.given() == []
    shop.item("jam", available=False, offset=1)
    assert len(shop.given()) == 2
    shop.item("jam", available=False, offset=2)
    assert not shop.part.standing.looking
    shop.item("jam", available=True, offset=3)
    assert shop.given() == []


def test_another_file_of_rules_withdraws_what_it_excludes(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 2)
    file = shop.views.rules_file
    assert file is not None
    file.rules, file.version = BusinessRules([RULE]), 1
    assert [("jam" in items_of(each)) for each in shop.given()] == [False, False]
    file.rules, file.version = BusinessRules(), 2
    assert shop.given() == []


def test_a_window_that_opens_withdraws_what_its_rule_excludes(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 3)
    file = shop.views.rules_file
    assert file is not None
    file.rules, file.version = opening(AT + 4), 1
    assert shop.given() == []
    shop.act("u:early")
    (early,) = shop.given()
    assert "jam" in items_of(early)
    shop.act("u:opens")
    lists = shop.given()
    assert [each.user_id for each in lists] == ["opens", "000", "001", "002", "early"]
    assert not any("jam" in items_of(each) for each in lists)
    assert [each.caused_by for each in lists[:2]] == [["view-4"], ["view-0"]]
    assert shop.given() == []
    shop.act("u:after")
    assert len(shop.given()) == 1


def test_a_window_that_closes_or_has_closed_in_the_meantime_withdraws_nothing(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 1)
    file = shop.views.rules_file
    assert file is not None
    file.rules, file.version = opening(AT + 2, AT + 4), 1
    assert shop.given() == []
    shop.offset = 6
    shop.act("u:later")
    assert [(each.user_id, "jam" in items_of(each)) for each in shop.given()] == [("later", True)]


def test_a_late_event_brings_back_nothing_that_a_window_took(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 0)
    file = shop.views.rules_file
    assert file is not None
    file.rules, file.version = opening(AT + 1_000), 1
    shop.part.apply(a_batch(0, msgspec.structs.replace(an_event(0, key="u:anna"), at=AT + 1_000)))
    shop.part.apply(a_batch(1, an_event(1, key="u:late")))
    lists = shop.given()
    assert [each.user_id for each in lists] == ["anna", "late"]
    assert not any("jam" in items_of(each) for each in lists)


def test_a_window_that_opened_while_nobody_looked_withdraws_after_a_start(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 2)
    file = shop.views.rules_file
    assert file is not None
    file.rules, file.version = opening(AT + 2), 1
    shop.given()
    shop.act("u:opens")
    flushed(shop.part)
    shop.crash()
    assert {each.user_id: "jam" in items_of(each) for each in shop.given()} == {
        "opens": False,
        "000": False,
        "001": False,
    }


def test_what_was_withdrawn_while_nobody_looked_leaves_after_a_start(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 3)
    flushed(shop.part)
    shop.item("jam", available=False, offset=1)
    shop.crash()
    assert len(shop.given()) == 3
    flushed(shop.part)
    shop.crash()
    assert shop.given() == []


def test_lists_that_are_being_written_are_looked_at_too(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 3)
    frozen = shop.part.freeze()
    shop.act("u:003")
    assert len(shop.given()) == 1
    shop.item("jam", available=False, offset=1)
    assert len(shop.given()) == 4
    shop.part.database.write(frozen)


def test_who_is_owed_a_list_gets_one_and_not_two(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 2)
    shop.act("u:000")
    shop.item("jam", available=False, offset=1)
    lists = shop.given()
    assert sorted((each.user_id, each.recommendation_id) for each in lists)[0] == ("000", "browses:0:2")
    assert len(lists) == 2


@pytest.mark.parametrize("kind", ["erasure", "expiry"])
def test_nothing_is_kept_of_who_is_forgotten(tmp_path: Path, kind: str) -> None:
    shop = Shop(tmp_path, 0)
    key = "u:anna" if kind == "erasure" else "s:guest"
    shop.act(key)
    assert len(shop.given()) == 1
    flushed(shop.part)
    if kind == "erasure":
        shop.act(key, kind="erasure")
    else:
        later = 25 * 3_600_000
        for hours in range(3):
            event = an_event(shop.offset, "view", "tea", key="u:ben")
            event = msgspec.structs.replace(event, at=event.at + later + hours * 3_600_000)
            shop.part.apply(a_batch(shop.offset, event))
            shop.offset += 1
    shop.given()
    flushed(shop.part)
    kept = [name for name, _ in shop.part.database.rows("~")]
    assert f"~{key}".encode() not in kept
    shop.item("jam", available=False, offset=1)
    assert all(each.session_id != "guest" and each.user_id != "anna" for each in shop.given())


def test_a_pass_goes_no_faster_than_it_may_and_events_do_not_wait_for_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 100, withdraw_rows_per_s=5_000)
    flushed(shop.part)
    file = shop.views.rules_file
    assert file is not None
    file.rules, file.version = BusinessRules([RULE]), 1
    while shop.part.work(idle=False):
        pass
    assert len(shop.decoded("recommendations")) == 20
    shop.act("u:new")
    shop.part.work(idle=False)
    assert [each.user_id for each in shop.decoded("recommendations")] == ["new"]
    shop.now += 20
    while shop.part.work(idle=False):
        pass
    assert len(shop.decoded("recommendations")) == 20


def test_more_items_than_are_known_by_name_leave_all_the_same(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 3)
    flushed(shop.part)
    shop.item("jam", available=False, offset=1)
    for number in range(MOST_WITHDRAWN):
        shop.item(f"other-{number}", available=False)
    assert shop.views.withdrawn_after(0) is None
    assert len(shop.given()) == 3


def test_a_search_for_a_name_goes_through_all_lists_and_finds_those_that_hold_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 250)
    flushed(shop.part)
    shop.act("u:000", kind="purchase")
    shop.given()
    shop.item("ja", available=False)
    assert shop.given() == []
    shop.item("tea", available=False, offset=1)
    lists = shop.given()
    assert sorted(each.user_id or "" for each in lists) == [f"{n:03}" for n in range(1, 250)]


_STEPS = st.lists(
    st.tuples(st.just("act"), st.sampled_from(["u:000", "u:001", "s:guest"]))
    | st.tuples(st.sampled_from(["sold out", "back"]), st.sampled_from(["jam", "cup", "pot", "tea"]))
    | st.tuples(st.just("rules"), st.sampled_from(["", "jam", "pot"]))
    | st.tuples(st.just("window"), st.sampled_from(["jam", "cup"]))
    | st.tuples(st.sampled_from(["flush", "crash", "wait"]), st.just("")),
    max_size=14,
)


@settings(max_examples=30, deadline=None)
@given(_STEPS)
def test_whatever_happens_in_whatever_order_no_standing_list_holds_what_it_must_not(
    steps: list[tuple[str, str]],
) -> None:
    with TemporaryDirectory() as folder:
        shop = Shop(Path(folder), 2)
        flushed(shop.part)
        file, out = shop.views.rules_file, set[str]()
        assert file is not None
        standing = {each.user_id: each for each in shop.first}
        for number, (step, name) in enumerate(steps, 1):
            if step == "act":
                shop.act(name)
            elif step in ("sold out", "back"):
                shop.item(name, available=step == "back", offset=number)
                out = out | {name} if step == "sold out" else out - {name}
            elif step == "rules":
                rules = [msgspec.structs.replace(RULE, items=(name,))] if name else []
                file.rules, file.version = BusinessRules(rules), number
            elif step == "window":
                file.rules = opening(AT + shop.offset + 2, AT + shop.offset + 4, name)
                file.version = number
            elif step == "wait":
                standing |= {each.user_id: each for each in shop.given()}
            else:
                flushed(shop.part)
                if step == "crash":
                    shop.crash()
        standing |= {each.user_id: each for each in shop.given()}
        newest = AT + shop.offset - 1
        never = out.union(*(rule.items for rule in file.rules.rules if _holds(rule, newest)))
        assert all(not never & set(items_of(each)) for each in standing.values())
        shop.part.database.close()


def _holds(rule: BusinessRule, at: int) -> bool:
    first, after = rule.window()
    return (first is None or first <= at) and (after is None or at < after)
