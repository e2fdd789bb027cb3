"""Deep models by name, as they are evaluated. Importing this imports JAX."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from online_models.deep.gate import Gate, Gated
from online_models.deep.next_items import NextItems
from online_models.deep.reranker import Reranker
from online_models.deep.sequence_network import SequenceNetwork
from online_models.deep.settings import SequenceLearning, SequenceShape, SlateLearning, SlateShape
from online_models.deep.slate_values import SlateValues
from online_models.deep.value_network import DoubleQNetwork
from online_models.evaluation.contract import Contender
from online_models.session_blend import SessionBlend
from schemas.settings import Settings

Make = Callable[[Settings, Mapping[str, float]], Contender]
Told = TypeVar("Told", bound=msgspec.Struct)


def sequence_model(shape: SequenceShape, learning: SequenceLearning) -> NextItems:
    """Make a sequence recommender that has learned nothing."""
    return NextItems(SequenceNetwork(shape, rate=learning.rate, seed=learning.seed), shape, learning)


def slate_values(shape: SlateShape, learning: SlateLearning) -> SlateValues:
    """Make a Q-network that has learned nothing."""
    network = DoubleQNetwork(shape, rate=learning.rate, discount=learning.discount, seed=learning.seed)
    return SlateValues(network, shape, learning)


def _cnn(_settings: Settings, options: Mapping[str, float]) -> Contender:
    return sequence_model(told(SequenceShape, options), told(SequenceLearning, options))


def _dqn(settings: Settings, options: Mapping[str, float]) -> Contender:
    shape = told(SlateShape, options)
    values = slate_values(shape, told(SlateLearning, options))
    repeats = settings.recommend.repeat_purchases
    return Reranker(SessionBlend(), values, shape, settings.weights, repeats=repeats)


def _gated(make: Make) -> Make:
    def made(settings: Settings, options: Mapping[str, float]) -> Contender:
        recommend = settings.recommend
        deep = make(settings, options)
        return Gated(deep, SessionBlend(), Gate(), k=recommend.k, repeats=recommend.repeat_purchases)

    return made


def told(kind: type[Told], options: Mapping[str, float]) -> Told:
    """Return what a model is told, of all options those that it has.

    Examples
    --------
    >>> told(SequenceShape, {"width": 8.0, "rate": 0.1})
    SequenceShape(length=5, width=8, horizontal=8, vertical=4)
    """
    known = {name: options[name] for name in kind.__struct_fields__ if name in options}
    return msgspec.convert(known, kind, strict=False)


DEEP_CONTENDERS: Final[Mapping[str, Make]] = MappingProxyType(
    {"cnn": _cnn, "dqn": _dqn, "cnn-gated": _gated(_cnn), "dqn-gated": _gated(_dqn)}
)
"""Each makes one that has learned nothing yet."""
