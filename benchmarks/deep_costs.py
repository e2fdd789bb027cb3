"""What learning and ranking cost the deep models, and if memory stays flat; for `benchmarks.deep`."""

from collections.abc import Callable, Iterator
from itertools import islice
from time import process_time
from typing import Any, Final

import numpy as np
from msgspec.structs import replace

from online_models.deep.open_slates import Shown
from online_models.deep.settings import SequenceLearning, SequenceShape, SlateLearning, SlateShape
from online_models.evaluation.contract import Query
from schemas.messages import Event, Line
from streams.evaluating.state_size import bytes_of

BOUND: Final = 500
"""Items, examples and sessions where memory is looked at."""

_TIMES: Final = 10


def views(items: int, seed: int) -> Iterator[Event]:
    """Sessions of five views without end, of items that are drawn evenly."""
    rng, n = np.random.default_rng(seed), 0
    while True:
        for item in rng.integers(0, items, 1_000).tolist():
            at = n * 1_000
            yield Event(f"s:{n // 5}", "view", at, "browses", 0, n, at, at, lines=[Line(f"i{item}", [])])
            n += 1


class _OfSequences:
    """The sequence recommender: learns a view, ranks for who did it."""

    def __init__(self, learning: SequenceLearning) -> None:
        from online_models.deep.contenders import sequence_model  # noqa: PLC0415

        self.model = sequence_model(SequenceShape(), learning)

    def learn(self, x: Event) -> None:
        self.model.learn_one(x)

    def rank(self, x: Event) -> object:
        return self.model.rank(Query(key=x.key, now=x.at, k=10, session=[x.lines[0].item]))


class _OfSlates:
    """The Q-network alone: learns that a slate was shown and one of its items viewed, ranks another one."""

    def __init__(self, learning: SlateLearning) -> None:
        from online_models.deep.contenders import slate_values  # noqa: PLC0415

        self.model = slate_values(SlateShape(), learning)
        self._newest: list[str] = []

    def learn(self, x: Event) -> None:
        item = x.lines[0].item
        self._newest = [item, *self._newest][: SlateShape().places]
        self.model.show(x.key, None, [Shown(each) for each in self._newest], x.at)
        self.model.act(x.key, None, item, 1.0, x.at)

    def rank(self, _: Event) -> object:
        return self.model.values(self._newest[:5], [Shown(each) for each in self._newest])


_Model = _OfSequences | _OfSlates


def _models(bound: int, *, every: int | None = None) -> dict[str, Callable[[], _Model]]:
    steps = {} if every is None else {"every": every}
    sequence = replace(SequenceLearning(items=bound, examples=bound, open_sessions=bound), **steps)
    slates = replace(SlateLearning(items=bound, examples=bound, open_slates=bound), **steps)
    return {"cnn": lambda: _OfSequences(sequence), "dqn": lambda: _OfSlates(slates)}


def costs(few: int, many: int, warm_up: int, measured_: int) -> dict[str, Any]:
    """CPU time of learning an event and of ranking once, in a stream of few items and one of many."""
    found: dict[str, Any] = {"bound": many // 10, "events_before": warm_up, "events": measured_}
    for name, make in _models(many // 10).items():
        for items in (few, many):
            model, stream = make(), views(items, seed=1)
            for event in islice(stream, warm_up):
                model.learn(event)
            learned: list[float] = []
            ranked: list[float] = []
            for event in islice(stream, measured_):
                for taken, act in ((learned, model.learn), (ranked, model.rank)):
                    begun = process_time()
                    act(event)
                    taken.append(1e6 * (process_time() - begun))
            found[f"{name}, {items} items"] = {
                "learn_us": {"mean": float(np.mean(learned)), "p50": float(np.median(learned))},
                "rank_us": {"mean": float(np.mean(ranked)), "p50": float(np.median(ranked))},
            }
    return found


def memory() -> dict[str, Any]:
    """Bytes held once all bounds are reached, and after ten times as many events, always of new items."""
    found: dict[str, Any] = {"bound": BOUND, "events": [5 * BOUND, 5 * BOUND * _TIMES]}
    for name, make in _models(BOUND, every=50).items():
        model, stream, sizes = make(), views(10**9, seed=1), []
        for upto in (5 * BOUND, 5 * BOUND * (_TIMES - 1)):
            for event in islice(stream, upto):
                model.learn(event)
            sizes.append(bytes_of(model))
        found[name] = {"bytes": sizes, "times": sizes[1] / sizes[0], "held": list(model.model.held())}
    return found
