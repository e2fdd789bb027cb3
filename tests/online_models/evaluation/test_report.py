"""From answers to a report: scores, parts, comparisons, catalogue, times."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import sklearn.metrics

from online_models import exposure
from online_models.evaluation.actions import Action, Ask, Learn
from online_models.evaluation.contract import Query
from online_models.evaluation.diversity import MAX_KEYS, ItemAudiences, intra_list_diversity
from online_models.evaluation.report import ModelReport, reports, seconds
from online_models.evaluation.run import Outcome, run
from online_models.evaluation.tally import METRICS, score_list
from schemas.messages import Event, ItemFacts
from tests.online_models.evaluation.events import act

LOG = [act("u:1", "a"), act("u:1", "b"), act("u:2", "a"), act("u:2", "c"), act("u:3", "a")]
INTERACTIONS = {"a": 3, "b": 1, "c": 1}


class Fixed:
    """Always the same list; counts what it was taught."""

    def __init__(self, *items: str) -> None:
        self._items = items
        self.learned: list[str] = []
        self.catalogue: list[str] = []

    def learn_one(self, x: Event) -> None:
        self.learned.append(x.lines[0].item)

    def learn_item(self, x: ItemFacts) -> None:
        self.catalogue.append(x.item)

    def rank(self, query: Query) -> list[tuple[str, float]]:
        return [(item, 1.0) for item in self._items[: query.k]]


def ask(key: str, *relevant: str, stranger: bool = False, cold: tuple[str, ...] = ()) -> Ask:
    return Ask(Query(key=key, now=7, k=2), frozenset(relevant), frozenset(cold), stranger)


def ticking() -> Iterator[float]:
    now = 0.0
    while True:
        yield now
        now += 0.25


def measured(actions: list[Action], reference: str | None = None, **lists: Fixed) -> dict[str, ModelReport]:
    ticks = ticking()
    outcome = run(actions, lists, k=2, clock=lambda: next(ticks))
    sizes = dict.fromkeys(lists, 99)
    return reports(
        outcome,
        interactions=INTERACTIONS,
        audiences=ItemAudiences(LOG),
        state_bytes=sizes,
        seed=1,
        reference=reference,
    )


ASKED: list[Action] = [
    ask("u:1", "a"),
    ask("u:1", "b", "c"),
    ask("u:2", "c"),
    ask("u:9", "a", stranger=True),
    ask("u:2", "a", "c", cold=("c",)),
]


def test_scores_are_means_over_the_questions_of_known_customers() -> None:
    report = measured(ASKED, one=Fixed("a", "b"))["one"]
    assert report.queries == 4
    assert report.hr == 0.75
    assert report.recall == pytest.approx((1 + 0.5 + 0 + 0.5) / 4)
    assert report.precision == pytest.approx((0.5 + 0.5 + 0 + 0.5) / 4)
    assert report.mrr == pytest.approx((1 + 0.5 + 0 + 1) / 4)
    assert report.state_bytes == 99


def test_strangers_and_cold_items_have_their_own_scores() -> None:
    report = measured(ASKED, one=Fixed("a", "c"))["one"]
    assert report.cold_users["queries"] == 1
    assert report.cold_users["share"] == 0.2
    assert report.cold_users["hr"] == 1.0
    assert report.cold_items["queries"] == 1
    assert report.cold_items["mrr"] == 0.5
    assert report.everyone["queries"] == 5
    assert report.everyone["hr"] == 1.0


def test_a_comparison_is_on_the_same_questions() -> None:
    found = measured(ASKED, "one", one=Fixed("a"), other=Fixed("c"))
    assert found["one"].against is None
    against = found["other"].against
    assert against is not None
    assert set(against) == set(METRICS)
    assert against["hr"].difference == pytest.approx(found["other"].hr - found["one"].hr, abs=1e-6)
    assert against["hr"].interval.low <= against["hr"].difference <= against["hr"].interval.high
    assert found["other"].intervals["hr"].low <= found["other"].hr <= found["other"].intervals["hr"].high


def test_new_items_and_customers_who_did_little_are_scored_apart() -> None:
    def asked(key: str, **fields: Any) -> Ask:
        return Ask(Query(key=key, now=0, k=2), frozenset({"a", "c"}), **fields)

    actions: list[Action] = [
        asked("u:1", new=frozenset({"c"}), few=True),
        asked("u:2", few=True),
        asked("u:3", new=frozenset({"a", "c"})),
        asked("u:4", stranger=True, new=frozenset({"c"})),
    ]
    found = measured(actions, "one", one=Fixed("a"), other=Fixed("c"))
    new, few = found["other"].new_items, found["other"].few_events
    assert new is not None and few is not None
    assert (new.queries, few.queries) == (2, 2)
    assert new.share == pytest.approx(2 / 3, abs=1e-6)
    assert (new.scores["recall"], few.scores["recall"]) == (0.75, 0.5)
    assert new.intervals["recall"].low <= 0.75 <= new.intervals["recall"].high
    assert new.against is not None and found["one"].new_items is not None
    assert (found["one"].new_items.scores["hr"], found["one"].new_items.against) == (0.5, None)
    assert new.against["hr"].difference == 0.5


def test_without_such_questions_nothing_is_said_of_them() -> None:
    report = measured([Ask(Query(key="u:1", now=0, k=2), frozenset({"a"}))], one=Fixed("a"))["one"]
    assert report.new_items is None and report.few_events is None


def test_two_that_answer_alike_differ_by_nothing_for_certain() -> None:
    against = measured(ASKED, "one", one=Fixed("a"), other=Fixed("a"))["other"].against
    assert against is not None
    assert {(x.difference, *x.interval) for x in against.values()} == {(0.0, 0.0, 0.0)}


def test_what_lists_do_to_the_catalogue_is_measured_over_all_of_them() -> None:
    report = measured(ASKED, one=Fixed("a", "b"))["one"]
    lists = [("a", "b")] * 5
    assert report.coverage == pytest.approx(2 / 3, abs=1e-6)
    assert report.gini == pytest.approx(exposure.exposure_gini(lists, INTERACTIONS, 2), abs=1e-6)
    assert report.novelty == pytest.approx(exposure.novelty(lists, INTERACTIONS, 2), abs=1e-6)
    lift = exposure.popularity_lift(lists, INTERACTIONS, 2)
    assert report.popularity_lift == pytest.approx(lift, abs=1e-6)
    assert report.diversity == pytest.approx(1 - 1 / 3**0.5, abs=1e-6)


def test_nothing_but_empty_lists_is_a_report_too() -> None:
    report = measured(ASKED, none=Fixed())["none"]
    assert (report.hr, report.coverage, report.novelty, report.diversity) == (0.0, 0.0, 0.0, 0.0)


def test_times_are_those_of_each_call_and_learning_is_not_counted_as_answering() -> None:
    actions: list[Action] = [Learn(LOG[0]), *ASKED]
    report = measured(actions, one=Fixed("a"))["one"]
    assert report.learn_s.mean == report.recommend_s.p99 == 0.25


def test_a_curve_covers_all_questions_in_their_order() -> None:
    curve = measured(ASKED, one=Fixed("a"))["one"].curve
    assert [point.queries for point in curve] == [1, 2, 3, 4]
    assert [point.hr for point in curve] == [1.0, 0.0, 0.0, 1.0]
    assert {point.at for point in curve} == {7}


def test_every_contender_learns_events_and_rows_of_the_catalogue() -> None:
    facts = ItemFacts("a", None, [], None, None, [], True, 0)
    model = Fixed("a")
    run([Learn(facts), Learn(LOG[1])], {"one": model}, k=2, clock=lambda: 0.0)
    assert (model.catalogue, model.learned) == (["a"], ["b"])


@pytest.mark.parametrize("items", [("a", "a"), ("x",)])
def test_a_list_that_breaks_the_contract_is_told(items: tuple[str, ...]) -> None:
    query = Query(key="u:1", now=0, k=2, exclude=frozenset("x"))
    with pytest.raises(ValueError, match="expected no item twice"):
        run([Ask(query, frozenset("b"))], {"bad": Fixed(*items)}, k=2, clock=lambda: 0.0)


def test_without_a_question_there_is_no_report() -> None:
    with pytest.raises(ValueError, match="no question was asked"):
        reports(Outcome(["one"], 2), interactions={}, audiences=ItemAudiences([]), state_bytes={}, seed=1)


def test_ndcg_of_a_list_is_that_of_scikit_learn() -> None:
    ranked, relevant = ["a", "b", "c", "d"], frozenset("bd")
    found = dict(zip(METRICS, score_list(ranked, relevant, 4), strict=True))
    gains = [[float(item in relevant) for item in ranked]]
    assert found["ndcg"] == pytest.approx(sklearn.metrics.ndcg_score(gains, [[4, 3, 2, 1]]))


def test_a_report_is_json_as_the_command_promises() -> None:
    written = msgspec.to_builtins(measured(ASKED, one=Fixed("a"))["one"])
    promised = {"hr", "recall", "precision", "f1", "mrr", "ndcg", "map", "coverage", "queries"}
    assert promised <= set(written)


def test_no_times_are_0() -> None:
    assert seconds([]).p99 == 0.0


def test_of_a_popular_item_the_newest_audience_is_kept() -> None:
    log = [act(f"u:{n}", "a") for n in range(MAX_KEYS + 1)] + [act("u:0", "b"), act(f"u:{MAX_KEYS}", "c")]
    audiences = ItemAudiences(log)
    assert audiences.distance("a", "b") == 1.0
    assert audiences.distance("a", "c") < 1.0
    assert intra_list_diversity(["a"], audiences) == 0.0


def test_a_hit_rate_that_falls_is_a_point_in_the_report() -> None:
    asked: list[Action] = [ask(f"u:{n}", "a" if n < 300 else "b") for n in range(600)]
    found = measured(asked, one=Fixed("a"), other=Fixed("c"))
    (point,) = found["one"].drifts
    assert 300 < point.queries < 400
    assert (point.at, point.before > 0.9, point.after) == (7, True, 0.0)
    assert found["other"].drifts == []
