"""The needs of all customers: what is learned in worlds whose chances are known, within bounds."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest

from online_models.evaluation.plain_store import PlainStore
from online_models.needs import KEY, MOST_ASKED, WARM_UP, NeedsStep, calibration_error
from online_models.next_categories import MAX_FROM, MAX_TO
from schemas.profiles import NeedLesson, NeedsRow
from schemas.settings import ProfilesSettings, Settings

DAY_MS = 86_400_000


def a_step(**profiles: Any) -> NeedsStep:
    return NeedsStep(PlainStore(), Settings(profiles=ProfilesSettings(**profiles)))


def row_of(step: NeedsStep) -> NeedsRow:
    row = step._rows.get(KEY)
    assert row is not None
    return row


def shoppers(count: int, days: int, seed: int = 3) -> Iterator[NeedLesson]:
    """Customers who visit on two days of three and buy at each visit with a chance of their own."""
    rng = np.random.default_rng(seed)
    chances = rng.beta(0.5, 4.0, count)
    visits, orders, ordered, spent = (np.zeros(count) for _ in range(4))
    for day in range(days):
        for who in np.flatnonzero(rng.random(count) < 2 / 3).tolist():
            at = day * DAY_MS + who
            bought = bool(rng.random() < chances[who])
            visits[who] += 1
            if bought:
                orders[who] += 1
                ordered[who], spent[who] = at, spent[who] + 10.0
            done = (int(visits[who]), 0, at, int(orders[who]), int(ordered[who]), float(spent[who]))
            yield NeedLesson(who << 50, at, *done, bought=bought)


def test_what_follows_a_category_is_counted_and_the_right_source_gains_weight() -> None:
    step, rng = a_step(), np.random.default_rng(5)
    for n in range(3_000):
        to = "cups" if rng.random() < 0.9 else "pans"
        step.learn_one(NeedLesson(n, n, 1, 0, n, came_from="teas", went_to=[to], own=[0.1], recent=[0.0]))
    needs = step.needs()
    assert needs is not None
    (first, cups), (second, pans) = needs.after["teas"]
    assert (first, second, cups + pans, needs.after_all["teas"]) == ("cups", "pans", 3_000, 3_000)
    assert cups / 3_000 == pytest.approx(0.9, abs=0.02)
    # Here everybody comes from teas: what follows teas and what all begin with is the same.
    assert needs.mixture[2] + needs.mixture[3] > 0.9
    assert sum(needs.mixture) == pytest.approx(1.0)


def test_the_chance_of_buying_is_calibrated_and_tells_customers_apart() -> None:
    step = a_step(panel=400)
    for lesson in shoppers(400, 200):
        step.learn_one(lesson)
    row = row_of(step)
    asked = sum(each[0] for each in row.calibration)
    assert asked > 5_000
    assert calibration_error(row.calibration) < 0.05
    assert sum(each[2] for each in row.calibration[:3]) < 0.3 * sum(each[0] for each in row.calibration[:3])
    assert sum(each[2] for each in row.calibration[7:]) > 0.7 * sum(each[0] for each in row.calibration[7:])


def test_who_stays_away_is_asked_too_and_the_answer_is_no() -> None:
    step = a_step()
    step.learn_one(NeedLesson(1, 0, 1, 0, 0, bought=True))
    for day in range(1, 40):
        step.learn_one(NeedLesson(2, day * DAY_MS, day, 0, day * DAY_MS))
    # Customer 2 from day 1 on, customer 1 from day 0 on, each once a week and a lesson.
    assert row_of(step).answers == 8
    assert not any(each.answered for each in row_of(step).panel.values())


def test_an_order_after_the_question_ended_does_not_answer_it() -> None:
    for bought_on, answered in ((6, True), (8, False)):
        step = a_step()
        step.learn_one(NeedLesson(1, 0, 1))
        step.learn_one(NeedLesson(1, bought_on * DAY_MS, 2, bought=True))
        row = row_of(step)
        asked = [member.answered for member in row.panel.values()]
        assert (asked, row.answers) == (([True], 0) if answered else ([False], 1))


def test_nothing_is_said_before_there_are_answers() -> None:
    step = a_step()
    assert step.needs() is None
    lessons = shoppers(50, 100)
    for lesson in islice(lessons, 200):
        step.learn_one(lesson)
    assert row_of(step).answers < WARM_UP
    assert {member.chance for member in row_of(step).panel.values()} == {-1.0}


def test_who_is_forgotten_leaves_the_panel() -> None:
    step = a_step()
    step.learn_one(NeedLesson(1, 0, 1))
    step.learn_one(NeedLesson(2, 1, 1))
    step.learn_one(NeedLesson(1, 2, forget=True))
    assert set(row_of(step).panel) == {2}


def test_the_panel_keeps_to_its_bound_whatever_the_order_in_which_customers_come() -> None:
    rng = np.random.default_rng(1)
    people = rng.integers(-(1 << 63), 1 << 63, 2_000).tolist()
    panels = []
    for order in (people, people[::-1]):
        step = a_step(panel=50)
        for who in order:
            step.learn_one(NeedLesson(who, 0, 1))
            assert len(row_of(step).panel) <= 50
        panels.append(set(row_of(step).panel))
    assert panels[0] == panels[1]
    assert len(panels[0]) > 20


def test_after_a_pause_questions_end_a_few_at_a_time() -> None:
    step = a_step()
    for who in range(100):
        step.learn_one(NeedLesson(who, who, 1))
    step.learn_one(NeedLesson(0, 100 * DAY_MS, 2))
    assert row_of(step).answers == MOST_ASKED


def test_categories_keep_to_their_bound() -> None:
    step = a_step()
    for n in range(3 * MAX_FROM):
        step.learn_one(NeedLesson(1, n, n, came_from=f"c{n}", went_to=[f"c{n + 1}"], own=[0.0], recent=[0.0]))
    for n in range(300):
        lesson = NeedLesson(1, n, n, came_from="c1499", went_to=[f"d{n}"], own=[0.0], recent=[0.0])
        step.learn_one(lesson)
    row = row_of(step)
    assert len(row.after) == MAX_FROM
    assert len(row.after["c1499"]) <= 2 * MAX_TO
    assert len(row.begun) <= 2 * MAX_FROM
