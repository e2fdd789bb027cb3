"""Every contender of the table keeps the contract."""

import random
import sys
from collections.abc import Callable

import pytest

from online_models.evaluation.catalog import CONTENDERS, Options, current, names_of, with_options
from online_models.evaluation.contract import Contender, Query
from online_models.evaluation.run import LearnsItems
from online_models.follows import follow
from schemas.messages import ItemFacts
from schemas.settings import Settings
from schemas.state import HistoryRow, ItemMark
from tests.online_models.evaluation.events import act

Check = Callable[[str], None]
"""Of what holds for a contender by name."""

NAMES = [name for name, entry in CONTENDERS.items() if entry.extra is None]
"""Those that need an extra are checked where their own tests are."""

every = pytest.mark.parametrize("name", NAMES)


def made(name: str) -> Contender:
    entry = CONTENDERS[name]
    return entry.make(Settings(), entry.options)


def taught(name: str) -> Contender:
    """A contender that has seen a small shop in which pairs of items go together."""
    model, chance = made(name), random.Random(4)  # noqa: S311  # no secret
    if isinstance(model, LearnsItems):
        for n in range(12):
            model.learn_item(ItemFacts(f"i{n}", None, [f"c{n // 2}", "all"], None, None, [], True, 0))
    for n in range(60):
        pair = chance.randrange(6)
        for item in (f"i{2 * pair}", f"i{2 * pair + 1}"):
            model.learn_one(act(f"u:{n % 20}", item, 60_000 * n))
        if n % 3 == 0:
            model.learn_one(act(f"u:{n % 20}", f"i{2 * pair + 1}", 60_000 * n, kind="purchase"))
    return model


def a_query(k: int = 5, exclude: frozenset[str] = frozenset()) -> Query:
    at = 60_000 * 60
    history = HistoryRow({"i0": ItemMark(1 << 20, at), "i2": ItemMark(1 << 20, at)})
    for n in range(20):
        follow(history, str(n), 1.0, most=20)
    return Query(key="u:3", now=at, k=k, session=("i0", "i2"), history=history, exclude=exclude)


@every
def test_a_list_holds_at_most_k_known_items_best_first(name: str) -> None:
    model = taught(name)
    for k in (1, 3, 20):
        ranked = model.rank(a_query(k))
        assert 0 < len(ranked) <= k
        scores = [score for _, score in ranked]
        assert scores == sorted(scores, reverse=True)
        assert {item for item, _ in ranked} <= {f"i{n}" for n in range(12)}
        assert len({item for item, _ in ranked}) == len(ranked)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "random"])
def test_a_shorter_list_is_the_beginning_of_a_longer_one(name: str) -> None:
    model = taught(name)
    assert list(model.rank(a_query(2))) == list(model.rank(a_query(6)))[:2]


@every
def test_what_is_excluded_is_not_ranked(name: str) -> None:
    model = taught(name)
    best = model.rank(a_query())[0][0]
    assert best not in [item for item, _ in model.rank(a_query(exclude=frozenset({best})))]


@every
def test_ranking_changes_nothing_but_when_something_is_published(name: str) -> None:
    asked, unasked = taught(name), taught(name)
    before = asked.rank(a_query())
    assert asked.rank(a_query()) == before
    for model in (asked, unasked):
        model.learn_one(act("u:3", "i7", 60_000 * 60))
    one, other = asked.rank(a_query()), unasked.rank(a_query())
    assert [item for item, _ in one] == [item for item, _ in other]
    assert [score for _, score in one] == pytest.approx([score for _, score in other], rel=1e-3)


@every
def test_who_knows_nothing_ranks_nothing(name: str) -> None:
    assert list(made(name).rank(Query(key="u:1", now=0, k=5))) == []


@every
def test_where_parameters_are_looked_for_they_can_be_set(name: str) -> None:
    entry = CONTENDERS[name]
    for key, range_ in entry.space.items():
        for value in (range_.low, range_.high):
            options: Options = {**entry.options, key: int(value) if range_.whole else value}
            assert entry.make(Settings(), options)


def test_a_name_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="no model 'x'; expected all, or some of blend"):
        names_of(["blend", "x"])


@pytest.mark.parametrize("name", ["cnn", "dqn"])
def test_without_the_extra_a_deep_model_says_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("contenders", "sequence_network", "value_network"):
        monkeypatch.delitem(sys.modules, f"online_models.deep.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "equinox", None)
    with pytest.raises(ValueError, match=r"equinox is not installed; pip install 'freshrec\[deep\]'"):
        made(name)


@every
def test_a_search_can_begin_with_what_is(name: str) -> None:
    entry = CONTENDERS[name]
    start = current(Settings(), entry.options, entry.space)
    assert start.keys() == entry.space.keys()
    assert all(range_.low <= start[key] <= range_.high for key, range_ in entry.space.items())


@pytest.mark.parametrize(
    "options", [{"recommend.no_such": 1.0}, {"recommend": 1.0}, {"recommend.k": 0}, {"x.y": 1}]
)
def test_a_setting_that_cannot_be_is_refused(options: Options) -> None:
    with pytest.raises(ValueError, match=r"no setting|can't be settings"):
        with_options(Settings(), options)
