"""The protocols, step by step: who is asked what, and what was learned by then."""

import pytest

from online_models.evaluation.actions import Action, Ask, Learn, Logged
from online_models.evaluation.asking import COLD_EVENTS, Asker
from online_models.evaluation.protocols import by_session, prequential, temporal
from online_models.evaluation.relevance import Relevance
from schemas.messages import Event, ItemFacts
from schemas.settings import Settings
from tests.online_models.evaluation.events import act


def asker(*, repeats: bool = True) -> Asker:
    return Asker(Settings(), k=10, repeats=repeats)


def told(action: Action) -> str:
    """An action in short: +item is learned, session?answers is asked."""
    if isinstance(action, Learn):
        assert isinstance(action.what, Event)
        return "+" + ",".join(line.item for line in action.what.lines)
    return f"{','.join(action.query.session)}?{','.join(sorted(action.relevant))}"


TRAIN = [act("s:1", "a", 0, session="1"), act("s:1", "b", 1, session="1")]
TEST = [
    [act("s:2", item, 10 + at, session="2") for at, item in enumerate("aab")],
    [act("s:3", item, 5 + at, session="3") for at, item in enumerate("ba")],
]


def test_live_sessions_learn_an_event_once_it_was_scored() -> None:
    actions = [told(each) for each in by_session(TRAIN, TEST, asker(), live=True)]
    assert actions == ["+a", "+b", "+a", "a?a", "+a", "a,a?b", "+b", "+b", "b?a", "+a"]


def test_frozen_sessions_learn_nothing_but_their_histories_go_on() -> None:
    actions = list(by_session(TRAIN, TEST, asker(), live=False))
    assert [told(each) for each in actions] == ["+a", "+b", "a?a", "a,a?b", "b?a"]
    asked = [each for each in actions if isinstance(each, Ask)]
    # A history row is the living one: by now it holds the whole session.
    histories = [each.query.history for each in asked]
    assert [sorted(row.items) for row in histories if row is not None] == [["a", "b"]] * 3
    assert not any(each.stranger for each in asked)
    assert [each.query.now for each in asked] == [10, 11, 5]


def test_prequential_asks_then_learns_and_only_learns_in_the_warm_up() -> None:
    log = [act("u:1", "a", 0), act("u:1", "b", 1), act("u:2", "a", 2), act("u:1", "a", 3)]
    actions = list(prequential(log, asker(), relevant=Relevance(), warmup=1))
    assert [told(each) for each in actions] == ["+a", "a?b", "+b", "?a", "+a", "a,b?a", "+a"]
    assert [each.stranger for each in actions if isinstance(each, Ask)] == [False, True, False]


def test_without_repeats_what_somebody_has_is_neither_asked_nor_allowed() -> None:
    log = [act("u:1", "a", 0), act("u:1", "a", 1), act("u:1", "b", 2)]
    actions = list(prequential(log, asker(repeats=False), relevant=Relevance(), warmup=0))
    assert [told(each) for each in actions] == ["?a", "+a", "+a", "a,a?b", "+b"]
    last = actions[3]
    assert isinstance(last, Ask)
    assert last.query.exclude == {"a"}


def test_events_that_are_not_relevant_are_learned_and_not_asked() -> None:
    log = [act("u:1", "a", 0, kind="rating", value=2.0), act("u:1", "b", 1, kind="rating", value=5.0)]
    actions = list(prequential(log, asker(), relevant=Relevance("rating>=4"), warmup=0))
    assert [told(each) for each in actions] == ["+a", "a?b", "+b"]


def test_temporal_asks_once_for_everybody_who_goes_on() -> None:
    log = [
        act("u:1", "a", 0),
        act("u:2", "b", 1),
        act("u:1", "b", 2),
        act("u:1", "a", 3),
        act("u:1", "c", 4),
        act("o:9", "a", 5, kind="purchase"),
        act("u:3", "a", 6),
        act("u:2", "b", 7),
    ]
    actions = list(temporal(log, asker(repeats=False), relevant=Relevance(), train=2))
    assert [told(each) for each in actions] == ["+a", "+b", "a?b,c", "?a"]
    asked = [each for each in actions if isinstance(each, Ask)]
    assert [(each.query.key, each.query.now, each.stranger) for each in asked] == [
        ("u:1", 1, False),
        ("u:3", 1, True),
    ]


def test_an_item_is_cold_until_it_was_seen_some_times() -> None:
    log = [act(f"u:{n}", "a", n) for n in range(COLD_EVENTS + 3)]
    actions = list(prequential(log, asker(), relevant=Relevance(), warmup=0))
    cold = [bool(each.cold) for each in actions if isinstance(each, Ask)]
    assert cold == [True] * (COLD_EVENTS + 1) + [False] * 2


def test_a_purchase_has_several_right_answers() -> None:
    log = [act("u:1", "a", 0, kind="purchase", more=("b",))]
    assert told(next(prequential(log, asker(), relevant=Relevance(), warmup=0))) == "?a,b"


def test_a_session_ends_by_a_gap_or_by_another_id() -> None:
    gap = Settings().history.session_gap_s * 1_000
    log = [act("u:1", "a", 0), act("u:1", "b", gap), act("u:1", "c", 2 * gap + 1)]
    actions = prequential(log, asker(), relevant=Relevance(), warmup=1)
    assert [told(each) for each in actions if isinstance(each, Ask)] == ["a?b", "?c"]


@pytest.mark.parametrize("warmup", [0, 1])
def test_rows_of_the_catalogue_are_learned_in_their_place(warmup: int) -> None:
    facts = ItemFacts("a", None, ["x"], None, None, [], True, 0)
    log: list[Logged] = [facts, act("u:1", "a", 1)]
    actions = list(prequential(log, asker(), relevant=Relevance(), warmup=warmup))
    assert actions[0] == Learn(facts)
