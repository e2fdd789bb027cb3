"""The recommenders of sessions by name, as they are evaluated: the published ones and the blend."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from online_models.customer_knn import CustomerKnn
from online_models.evaluation.contract import Contender
from online_models.factor_model import FactorModel
from online_models.sequential_rules import SequentialRules, SessionRules
from online_models.session_blend import SessionBlend
from online_models.session_knn import STAN, VSKNN, VSTAN, SessionKnn

SESSION_CONTENDERS: Mapping[str, Callable[[], Contender]] = MappingProxyType(
    {
        "vsknn": lambda: SessionKnn(VSKNN),
        "stan": lambda: SessionKnn(STAN),
        "vstan": lambda: SessionKnn(VSTAN),
        "ar": SessionRules,
        "sr": SequentialRules,
        "session-blend": SessionBlend,
        "users": CustomerKnn,
        "factors": FactorModel,
    }
)
"""Each makes one that has learned nothing yet."""
