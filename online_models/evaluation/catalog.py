"""Every contender by name. A new one is one line of `CONTENDERS`."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import msgspec

from online_models.cross_rules import CrossRules
from online_models.deep.settings import SequenceLearning, SequenceShape, SlateLearning, SlateShape
from online_models.evaluation.baselines.chance import Chance
from online_models.evaluation.baselines.isgd import Isgd
from online_models.evaluation.baselines.item_cosine import ItemCosine
from online_models.evaluation.baselines.markov import Markov
from online_models.evaluation.baselines.popularity import Popularity
from online_models.evaluation.baselines.user_knn import UserKnn
from online_models.evaluation.contract import Contender
from online_models.evaluation.in_process import InProcess
from online_models.pair_rules import PairRules
from schemas.settings import Settings

Options = Mapping[str, float]
"""Parameters of a contender by name; those of the blend are settings, `section.name`."""

DAY_S: Final = 86_400
_PRIOR: Final = 100.0
_OF_DEEP: Final = frozenset({"jax", "jaxlib", "equinox", "optax"})


class Range(msgspec.Struct, frozen=True):
    """Where a parameter is looked for: from `low` to `high`, evenly or (`log`) by orders of magnitude."""

    low: float
    high: float
    log: bool = False
    whole: bool = False


class Entry(msgspec.Struct, frozen=True):
    """How a contender is made, its own parameters with their defaults, and where to look for better ones.

    `extra` is what has to be installed for it, as in `pip install 'freshrec[extra]'`.
    """

    make: Callable[[Settings, Options], Contender]
    options: Options = MappingProxyType({})
    space: Mapping[str, Range] = MappingProxyType({})
    extra: str | None = None


def of(model: Callable[..., Contender], options: Options | None = None, **space: Range) -> Entry:
    """Return the entry of a model that takes its parameters by name and needs no settings.

    Examples
    --------
    >>> of(Popularity, {"half_life_s": 60.0}).make(Settings(), {"half_life_s": 60.0}).__class__.__name__
    'Popularity'
    """

    def make(_settings: Settings, given: Options) -> Contender:
        return model(**given)

    return Entry(make, MappingProxyType(dict(options or {})), MappingProxyType(space))


def with_options(settings: Settings, options: Options) -> Settings:
    """Return the settings with some of them replaced.

    Parameters
    ----------
    settings : Settings
        The others stay as they are.
    options : mapping of str to float
        By `section.name`.

    Raises
    ------
    ValueError
        There is no such setting, or it can't have this value.

    Examples
    --------
    >>> with_options(Settings(), {"recommend.max_recent": 5}).recommend.max_recent
    5
    """
    sections: dict[str, dict[str, Any]] = msgspec.to_builtins(settings)
    for name, value in options.items():
        section, _, field = name.partition(".")
        if field not in sections.get(section, {}):
            raise ValueError(f"{name!r} is no setting; expected one that `freshrec config` shows")
        whole = isinstance(value, float) and value.is_integer()
        sections[section][field] = int(value) if whole else value
    try:
        return msgspec.convert(sections, Settings)
    except msgspec.ValidationError as error:
        raise ValueError(f"{dict(options)} can't be settings: {error}") from error


def _blend(settings: Settings, options: Options) -> Contender:
    return InProcess(with_options(settings, options))


def _of_sessions(name: str) -> Entry:
    def make(_settings: Settings, _given: Options) -> Contender:
        # What it brings along is a compiler, of no use to the others.
        from online_models.session_contenders import SESSION_CONTENDERS  # noqa: PLC0415

        return SESSION_CONTENDERS[name]()

    return Entry(make)


def _content(settings: Settings, options: Options) -> Contender:
    from online_models.content_contender import ContentContender  # noqa: PLC0415  # a compiler again

    return ContentContender(with_options(settings, options))


def _social(settings: Settings, options: Options) -> Contender:
    from online_models.social_contender import SocialContender  # noqa: PLC0415

    prior = options.get("prior", _PRIOR)
    rest = {name: value for name, value in options.items() if name != "prior"}
    return SocialContender(with_options(settings, rest), prior=prior)


def _deep(name: str, *told: msgspec.Struct) -> Entry:
    def make(settings: Settings, given: Options) -> Contender:
        try:
            from online_models.deep.contenders import DEEP_CONTENDERS  # noqa: PLC0415  # an extra
        except ModuleNotFoundError as error:
            if error.name not in _OF_DEEP:
                raise
            raise ValueError(f"{error.name} is not installed; pip install 'freshrec[deep]'") from error
        return DEEP_CONTENDERS[name](settings, given)

    options = {key: value for each in told for key, value in msgspec.structs.asdict(each).items()}
    space = {"rate": Range(1e-4, 0.02, log=True), "item_rate": Range(0.005, 0.5, log=True)}
    return Entry(make, MappingProxyType(options), MappingProxyType(space), extra="deep")


def _cross_rules(measure: str) -> Entry:
    return of(
        partial(CrossRules, measure),
        {"half_life_s": 90 * DAY_S, "window_s": 7 * DAY_S},
        half_life_s=Range(DAY_S, 365 * DAY_S, log=True, whole=True),
        window_s=Range(600, 30 * DAY_S, log=True, whole=True),
    )


def _cosine(**options: Any) -> Entry:
    return of(ItemCosine, options)


_BLEND_SPACE: Final[Mapping[str, Range]] = MappingProxyType(
    {
        "recommend.similarity_weight": Range(0.05, 3.0, log=True),
        "recommend.rules_weight": Range(0.05, 3.0, log=True),
        "recommend.session_rules_weight": Range(0.05, 3.0, log=True),
        "recommend.recent_weight": Range(0.05, 3.0, log=True),
        "recommend.popularity_weight": Range(0.01, 1.0, log=True),
        "recommend.category_weight": Range(0.01, 1.0, log=True),
        "recommend.segment_weight": Range(0.01, 1.0, log=True),
        "recommend.users_weight": Range(0.05, 3.0, log=True),
        "recommend.max_recent": Range(0, 10, whole=True),
        "recommend.history_items": Range(3, 50, log=True, whole=True),
    }
)

CONTENDERS: Final[Mapping[str, Entry]] = MappingProxyType(
    {
        "blend": Entry(_blend, space=_BLEND_SPACE),
        "blend-without-users": Entry(_blend, MappingProxyType({"recommend.users_weight": 0})),
        "random": of(Chance),
        "popularity": of(Popularity),
        "decayed": of(
            Popularity,
            {"half_life_s": 7 * DAY_S},
            half_life_s=Range(60, 365 * DAY_S, log=True),
        ),
        "cosine": _cosine(),
        "cosine-10": _cosine(last=10),
        "cosine-1": _cosine(last=1),
        "cosine-current": _cosine(with_current=True),
        "cosine-10-current": _cosine(last=10, with_current=True),
        "cosine-1-current": _cosine(last=1, with_current=True),
        "markov": of(Markov),
        "user-knn": of(UserKnn, {"neighbours": 50}, neighbours=Range(5, 500, log=True, whole=True)),
        "content": Entry(_content),
        "social": Entry(
            _social,
            MappingProxyType({"prior": _PRIOR}),
            MappingProxyType({"prior": Range(1, 1_000, log=True)}),
        ),
        "isgd": of(
            Isgd,
            {"factors": 100, "rate": 0.22, "regularisation": 0.01},
            rate=Range(0.005, 0.3, log=True),
            regularisation=Range(1e-4, 0.1, log=True),
        ),
        **{
            name: _of_sessions(name)
            for name in ("session-blend", "vsknn", "stan", "vstan", "ar", "sr", "users", "factors")
        },
        "cross-rules": _cross_rules("llr"),
        "cross-rules-confidence": _cross_rules("confidence"),
        "cross-rules-lift": _cross_rules("lift"),
        "pair-rules": of(
            PairRules,
            {"half_life_s": 90 * DAY_S, "frequent": 2},
            half_life_s=Range(DAY_S, 365 * DAY_S, log=True, whole=True),
            frequent=Range(1, 5, whole=True),
        ),
        "single-rules": of(
            PairRules,
            {"half_life_s": 90 * DAY_S, "frequent": 0},
            half_life_s=Range(DAY_S, 365 * DAY_S, log=True, whole=True),
        ),
        "cnn": _deep("cnn", SequenceShape(), SequenceLearning()),
        "dqn": _deep("dqn", SlateShape(), SlateLearning()),
        "cnn-gated": _deep("cnn-gated", SequenceShape(), SequenceLearning()),
        "dqn-gated": _deep("dqn-gated", SlateShape(), SlateLearning()),
    }
)
"""By the name after `--models`, in the order in which they are shown."""


def names_of(asked: Iterable[str]) -> list[str]:
    """Return the names asked for, in their order, each once; `all` stands for every one that needs no extra.

    Raises
    ------
    ValueError
        There is no contender of this name.

    Examples
    --------
    >>> names_of(["markov", "blend", "markov"]), names_of(["all", "cnn"])[-1]
    (['markov', 'blend'], 'cnn')
    """
    every = [name for name, entry in CONTENDERS.items() if entry.extra is None]
    names: dict[str, None] = {}
    for name in asked:
        if name != "all" and name not in CONTENDERS:
            raise ValueError(f"there is no model {name!r}; expected all, or some of {', '.join(CONTENDERS)}")
        names |= dict.fromkeys(every if name == "all" else [name])
    return list(names)


def current(settings: Settings, options: Options, space: Iterable[str]) -> dict[str, float]:
    """Return the parameters as they are: from the options, else from the settings that they name.

    Examples
    --------
    >>> current(Settings(), {"rate": 0.1}, ["rate", "recommend.max_recent", "factors"])
    {'rate': 0.1, 'recommend.max_recent': 10}
    """
    found: dict[str, float] = {}
    for key in space:
        section, _, field = key.partition(".")
        value = options.get(key, getattr(getattr(settings, section, None), field, None) if field else None)
        if value is not None:
            found[key] = value
    return found
