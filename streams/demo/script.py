"""The story of a demo: who does what at which second of it. Pure; a plan and a length give it."""

from typing import Literal

import msgspec

from online_models.worlds import Act, TwinPlan

Phase = Literal["glimpse", "shared", "apart"]

_GLIMPSES = (0.2, 0.3, 0.4)
_SHARED_FROM, _SHARED_STEP = 0.44, 0.03
_APART_FROM, _APART_STEP = 0.64, 0.07


class Moment(msgspec.Struct, frozen=True):
    """What happens at a second of the demo: two customers act at once, or somebody is looked at."""

    at_s: float
    phase: Phase
    users: tuple[str, ...]
    acts: tuple[Act, ...] = ()


def script(plan: TwinPlan, others: tuple[str, ...], seconds: float) -> tuple[Moment, ...]:
    """Spread a plan over a demo: the shop fills up, then both act alike, then each in another way.

    Parameters
    ----------
    plan : TwinPlan
        The two customers and what they do.
    others : tuple of str
        Customers who act by themselves; they are looked at in turn while the shop fills up.
    seconds : float
        Length of the demo.

    Examples
    --------
    >>> plan = TwinPlan(
    ...     first="anna", second="ben", shared=(("view", "tea"),),
    ...     first_then=(("view", "cup"),), second_then=(("view", "jam"),),
    ... )
    >>> for moment in script(plan, ("carla",), 100)[-2:]:
    ...     print(moment.at_s, moment.phase, moment.users, moment.acts)
    44.0 shared ('anna', 'ben') (('view', 'tea'), ('view', 'tea'))
    64.0 apart ('anna', 'ben') (('view', 'cup'), ('view', 'jam'))
    """
    both = (plan.first, plan.second)
    glimpses = [
        Moment(share * seconds, "glimpse", (others[n % len(others)],))
        for n, share in enumerate(_GLIMPSES)
        if others
    ]
    shared = [
        Moment((_SHARED_FROM + n * _SHARED_STEP) * seconds, "shared", both, (act, act))
        for n, act in enumerate(plan.shared)
    ]
    apart = [
        Moment((_APART_FROM + n * _APART_STEP) * seconds, "apart", both, acts)
        for n, acts in enumerate(zip(plan.first_then, plan.second_then, strict=True))
    ]
    return (*glimpses, *shared, *apart)
