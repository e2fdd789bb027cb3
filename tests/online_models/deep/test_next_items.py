"""What the sequence recommender gives its network to learn, and how it ranks, in bounded memory."""

import numpy as np
import pytest

from online_models.deep.next_items import NextItems
from online_models.deep.settings import SequenceLearning, SequenceShape
from online_models.evaluation.contract import Query
from tests.online_models.deep.plain_networks import LastItem
from tests.online_models.evaluation.events import act

SHAPE = SequenceShape(length=3, width=4)


def a_model(
    network: LastItem | None = None, *, items: int = 50, examples: int = 20, open_sessions: int = 30
) -> NextItems:
    learning = SequenceLearning(
        items=items, examples=examples, open_sessions=open_sessions, every=1, batch=4, negatives=5
    )
    return NextItems(network or LastItem(), SHAPE, learning)


def test_what_follows_an_item_is_ranked_after_it() -> None:
    model = a_model()
    for n in range(40):
        for item in ("tea", "cup") if n % 2 else ("ink", "pen"):
            model.learn_one(act(f"s:{n}", item, n))
    for item, expected in (("tea", "cup"), ("ink", "pen")):
        query = Query(key="s:x", now=99, k=1, session=[item], exclude=frozenset({item}))
        assert [found for found, _ in model.rank(query)] == [expected]


def test_a_batch_holds_windows_their_right_items_and_what_each_is_held_against() -> None:
    network = LastItem()
    model = a_model(network)
    for n, item in enumerate(("tea", "cup", "pot", "jam")):
        model.learn_one(act("u:a", item, n))
    windows, candidates, possible = network.batches[-1]
    assert (windows.shape, candidates.shape, possible.shape) == ((4, 3, 4), (9, 4), (4, 9))
    assert windows.any(axis=(1, 2)).all()
    assert possible[:, :4].tolist() == np.eye(4, dtype=bool).tolist()
    # A negative that is the right item itself is not held against it.
    same = (candidates[:4, None] == candidates[None, 4:]).all(axis=2)
    assert not (possible[:, 4:] & same).any()


def test_a_first_item_teaches_nothing_and_a_stranger_gets_what_is_popular() -> None:
    network = LastItem(popular=1.0)
    model = a_model(network)
    model.learn_one(act("u:a", "tea"))
    assert network.batches == []
    for n in range(20):
        for item in ("cup", "tea"):
            model.learn_one(act(f"u:{n}", item, n))
    assert model.rank(Query(key="u:new", now=99, k=1))[0][0] == "tea"


def test_memory_is_bounded_on_a_stream_ten_times_longer_and_new_items_have_the_rows() -> None:
    model = a_model(items=30, examples=20, open_sessions=15)
    for n in range(300):
        model.learn_one(act(f"u:{n // 2}", f"i{n}", n))
        items, examples, known = model.held()
        assert items <= 30
        assert examples <= 20
        assert known <= 15
    ranked = model.rank(Query(key="u:149", now=999, k=40))
    assert {item for item, _ in ranked} == {f"i{n}" for n in range(270, 300)}


def test_what_was_noted_of_an_item_that_is_gone_teaches_nobody() -> None:
    network = LastItem()
    model = a_model(network, items=2, examples=50)
    for n in range(30):
        model.learn_one(act("u:a", f"i{n}", n))
    windows, *_ = network.batches[-1]
    # Of each window at most the newest item still has a row; older examples are empty.
    assert not windows[:, :-1].any()


@pytest.mark.parametrize("kind", ["impression", "link", "customer"])
def test_what_is_no_act_is_not_learned(kind: str) -> None:
    model = a_model()
    model.learn_one(act("u:a", "tea", kind=kind))
    assert model.held() == (0, 0, 0)
    assert list(model.rank(Query(key="u:a", now=9, k=3))) == []
