"""Social as a source: a plain oracle, a shop with known friends, bounds, and what is forgotten."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.evaluation.contract import Query
from online_models.evaluation.in_process import InProcess
from online_models.follows import follow
from online_models.history import HistoryStep
from online_models.memory_store import MemoryStore
from online_models.memory_views import MemoryViews
from online_models.session_index import SessionIndex
from online_models.social import ROWS_OF_ONE, Followed
from online_models.social_contender import SocialContender
from schemas.messages import Event, Fact, Line
from schemas.settings import HistorySettings, PrivacySettings, RecommendSettings, Settings
from schemas.state import ExpiryRow, GuestChunk, HistoryRow, TotalsRow
from tests.online_models.plain_social import Act, said
from tests.online_models.shop_views import NOW, ask, bought, history, ids, viewed

PEOPLE, ITEMS = [f"p{n}" for n in range(5)], [f"i{n}" for n in range(8)]


def following(*targets: str, row: HistoryRow | None = None) -> HistoryRow:
    row = row or HistoryRow()
    for target in targets:
        follow(row, target, 1.0, most=9)
    return row


def an_index(*acts: tuple[str, str], at: int = NOW) -> SessionIndex:
    index = SessionIndex(sessions=30)
    for person, item in acts:
        index.learn_one(f"u:{person}", None, item, at)
    return index


def found(index: SessionIndex, row: HistoryRow, *, now: int = NOW) -> dict[str, tuple[float, int]]:
    acted = Followed(index, half_life_s=1).find(row, now)
    names = [index.names[number] for number in acted.numbers.tolist()]
    return dict(zip(names, zip(acted.share.tolist(), acted.people.tolist(), strict=True), strict=True))


@given(
    st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(ITEMS), st.booleans()), max_size=60),
    st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from([0.5, 1.0, 3.0])),
    st.lists(st.sampled_from(ITEMS), unique=True),
)
def test_what_is_found_equals_a_plain_sum(
    done: list[tuple[str, str, bool]], links: dict[str, float], mine: list[str]
) -> None:
    index, acts = SessionIndex(sessions=200, width=2), dict[str, list[list[str]]]()
    ends, at = dict[str, list[int]](), 0
    for person, item, opens in done:
        at += 1
        # Rows hold two items each: what goes on in another one is of that one's age.
        sessions = acts.setdefault(person, [])
        if opens or not sessions or len(sessions[-1]) == 2:
            sessions.append([])
            ends.setdefault(person, []).append(at)
        sessions[-1].append(item)
        ends[person][-1] = at
        index.learn_one(f"u:{person}", str(len(sessions)), item, at)
    row = HistoryRow({item: viewed() for item in mine})
    for person, weight in links.items():
        follow(row, person, weight, most=9)
    plain = {
        person: [Act(item, end) for items, end in zip(sessions, ends[person], strict=True) for item in items]
        for person, sessions in acts.items()
    }
    expected = said(plain, links, mine, now=at + 500, half_life_ms=1000.0)
    told = found(index, row, now=at + 500)
    assert {item: people for item, (_, people) in told.items()} == {i: n for i, (_, n) in expected.items()}
    shares = {item: share for item, (share, _) in told.items()}
    assert shares == pytest.approx({item: share for item, (share, _) in expected.items()})


def test_who_is_like_the_one_who_asks_counts_more_and_so_does_a_stronger_link() -> None:
    index = an_index(("bert", "tea"), ("bert", "cup"), ("dan", "pot"), ("dan", "jam"))
    row = following("bert", "dan", row=history(tea=viewed()))
    told = found(index, row)
    assert told["cup"] > told["pot"] == told["jam"]
    row.follows = dict(zip(row.follows, [1.0, 50.0], strict=True))
    told = found(index, row)
    assert told["pot"] > told["cup"]


def test_a_list_says_how_many_of_those_followed_act_on_an_item_and_never_who() -> None:
    index = an_index(("bert", "tea"), ("dan", "tea"), ("dan", "cup"), ("eve", "pot"))
    answer = ask(MemoryViews(sessions=index), following("bert", "dan"))
    assert ids(answer) == ["tea", "cup"]
    assert [place.reasons for place in answer.items] == [
        [{"source": "social", "people": 2, "share": 1.0}],
        [{"source": "social", "people": 1, "share": 0.5}],
    ]


def test_items_of_fewer_people_than_the_privacy_settings_ask_for_are_not_told() -> None:
    index = an_index(("bert", "tea"), ("dan", "tea"), ("dan", "cup"))
    using = Settings(privacy=PrivacySettings(min_customers=2))
    assert ids(ask(MemoryViews(sessions=index), following("bert", "dan"), using=using)) == ["tea"]


def test_what_was_had_is_not_proposed_unless_it_may_repeat() -> None:
    views = MemoryViews(sessions=an_index(("bert", "tea"), ("bert", "cup")))
    row = following("bert", row=history(tea=bought(), cup=viewed()))
    assert ids(ask(views, row)) == ["cup"]
    assert set(ids(ask(views, row, using=Settings(recommend=RecommendSettings(repeat_purchases=True))))) == {
        "tea",
        "cup",
    }


def test_a_weight_of_0_and_following_nobody_say_nothing() -> None:
    views = MemoryViews(sessions=an_index(("bert", "tea")))
    off = Settings(recommend=RecommendSettings(social_weight=0.0))
    assert ids(ask(views, following("bert"), using=off)) == []
    assert ids(ask(views, HistoryRow())) == ids(ask(views, following("nobody"))) == []
    assert ids(ask(MemoryViews(), following("bert"))) == []


def test_what_somebody_did_long_ago_fades_and_a_bounded_number_of_rows_is_looked_at() -> None:
    index = SessionIndex(sessions=ROWS_OF_ONE + 10)
    for n in range(10 * ROWS_OF_ONE):
        index.learn_one("u:bert", str(n), f"i{n}", n)
    told = found(index, following("bert"), now=10 * ROWS_OF_ONE)
    newest = [f"i{n}" for n in range(10 * ROWS_OF_ONE - 1, 9 * ROWS_OF_ONE - 1, -1)]
    assert list(told) == newest[:50]
    shares = [share for share, _ in told.values()]
    assert shares == sorted(shares, reverse=True) and shares[0] > shares[-1]


def test_an_erasure_of_somebody_followed_is_silence_at_once() -> None:
    index = an_index(("bert", "tea"), ("dan", "cup"))
    index.learn_fact(Fact("u:bert", "erasure", NOW, [], [], False, []))
    assert list(found(index, following("bert", "dan"))) == ["cup"]


def test_an_index_that_was_saved_says_the_same() -> None:
    index, again = an_index(("bert", "tea"), ("dan", "cup"), ("bert", "pot")), SessionIndex(sessions=30)
    assert again.restore(index.rows())
    assert found(again, following("bert")) == found(index, following("bert")) != {}


def test_memory_and_answers_stay_as_they_are_when_people_come_and_go() -> None:
    index, row = SessionIndex(sessions=20), following("p195", "p3")
    asked = Followed(index, half_life_s=1)
    for n in range(200):
        index.learn_one(f"u:p{n}", None, f"i{n % 30}", NOW + n)
        asked.find(row, NOW + n)
    assert len(index.customers) == 20
    acted = asked.find(row, NOW + 200)
    assert [index.names[number] for number in acted.numbers] == ["i15"]
    assert len(asked._said) == len(index.heads) and not np.any(asked._said)


def a_step(using: Settings) -> tuple[HistoryStep, MemoryStore[HistoryRow]]:
    rows = MemoryStore(HistoryRow)
    stores = MemoryStore(TotalsRow), MemoryStore(ExpiryRow), MemoryStore(GuestChunk)
    return HistoryStep(rows, *stores, using), rows


def a_link(target: str, at: int = 1, *, weight: float = 1.0, profiling: bool = True) -> Event:
    return Event(
        "u:anna", "link", at, "links", 0, at, at, at, target=target, value=weight, profiling=profiling
    )


def kept(rows: MemoryStore[HistoryRow]) -> list[float]:
    row = rows.get("u:anna")
    return [] if row is None else list(row.follows.values())


def test_a_row_keeps_whom_its_customer_follows_in_bounds_and_without_their_ids() -> None:
    step, rows = a_step(Settings(history=HistorySettings(max_follows=3)))
    for n in range(30):
        step.learn_one(a_link(f"friend-{n}", n, weight=1.0 + n))
    assert kept(rows) == [28.0, 29.0, 30.0]
    step.learn_one(a_link("friend-28", 40, weight=0.0))
    step.learn_one(a_link("anna", 41))
    assert kept(rows) == [28.0, 30.0]
    assert b"friend" not in msgspec.msgpack.encode(rows.get("u:anna"))


def test_links_go_with_an_erasure_and_with_consent_and_a_late_one_does_not_bring_them_back() -> None:
    for last in (
        Event("u:anna", "erasure", 5, "erasures", 0, 5, 5, 5),
        Event("u:anna", "customer", 5, "customers", 0, 5, 5, 5, profiling=False),
    ):
        step, rows = a_step(Settings())
        step.learn_one(a_link("bert"))
        step.learn_one(last)
        assert kept(rows) == []
        step.learn_one(a_link("dan", 4, profiling=last.kind == "erasure"))
        assert kept(rows) == []


def test_the_house_recommends_what_friends_do_to_somebody_of_whom_nothing_else_is_known() -> None:
    house = InProcess(Settings())
    for n, item in enumerate(["tea", "cup"]):
        house.learn_one(Event("u:bert", "view", n, "browses", 0, n, n, n, lines=[Line(item, [])]))
    house.learn_one(Event("u:dan", "view", 3, "browses", 0, 3, 3, 3, lines=[Line("pot", [])]))
    ranked = house.rank(Query(key="u:anna", now=9, k=2, history=following("bert")))
    assert {item for item, _ in ranked} == {"tea", "cup"}


def test_alone_it_ranks_by_share_ties_by_id_and_leaves_out_what_is_excluded() -> None:
    model = SocialContender(Settings(), prior=0.0)
    for person, item in (("bert", "tea"), ("bert", "jam"), ("dan", "tea"), ("dan", "pot"), ("eve", "cup")):
        model.learn_one(Event(f"u:{person}", "view", 0, "browses", 0, 0, 0, 0, lines=[Line(item, [])]))
    query = Query(key="u:anna", now=0, k=2, history=following("bert", "dan"))
    assert [item for item, _ in model.rank(query)] == ["tea", "jam"]
    query = msgspec.structs.replace(query, exclude=frozenset({"tea"}))
    assert [item for item, _ in model.rank(query)] == ["jam", "pot"]
    assert model.rank(Query(key="u:eve", now=0, k=2, history=HistoryRow())) == []


def test_the_more_all_people_count_the_more_popular_a_list_is() -> None:
    firsts, follows = [], following("p0", "p1")
    for prior in (0.0, 1.0, 50.0):
        model = SocialContender(Settings(), prior=prior)
        for n in range(20):
            item = "tea" if n < 2 else "cup"
            model.learn_one(Event(f"u:p{n}", "view", 0, "browses", 0, 0, 0, 0, lines=[Line(item, [])]))
        ranked = model.rank(Query(key="u:anna", now=0, k=2, history=follows))
        firsts.append(ranked[0][0])
        # Two followed of whom all act on tea; of all 20 people a tenth does.
        assert dict(ranked)["tea"] == pytest.approx((2 * 1 + prior * 0.1) / (2 + prior))
        stranger = model.rank(Query(key="u:eve", now=0, k=1))
        assert [item for item, _ in stranger] == (["cup"] if prior else [])
    assert firsts == ["tea", "tea", "cup"]
