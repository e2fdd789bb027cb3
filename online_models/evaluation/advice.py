"""Which models suit a shop, told from what its log is like: rules of thumb, each with its reason.

What is advised is where to begin; `freshrec evaluate` measures whether it is right. The thresholds come from
the public data sets of docs/models.md, where each source helped, cost time or said nothing.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from online_models.evaluation.traits import FEW, Traits

Verdict = Literal["use", "measure", "leave out"]

_LESSONS: Final = 2_000
_TO_GROUP: Final = 500
_TO_BRANCH: Final = 1_000
_TO_TRAIN: Final = 10_000


class Advice(msgspec.Struct, frozen=True):
    """What to do with a model, and why; `settings` are those that would say so, by `section.name`."""

    model: str
    verdict: Verdict
    why: str
    settings: Mapping[str, float | bool] = {}


class Plan(msgspec.Struct, frozen=True):
    """Advice on each model, and how to measure it: the protocol, options of it, and contenders."""

    advice: list[Advice]
    protocol: str
    options: list[str]
    contenders: list[str]


def advise(found: Traits) -> Plan:
    """Choose models, and the way to measure them, for a log that is like this.

    Examples
    --------
    >>> from schemas.messages import Event, Line
    >>> from online_models.evaluation.traits import traits
    >>> log = [
    ...     Event(f"s:{n // 4}", "view", n, "browses", 0, n, n, n, lines=[Line(f"i{n % 7}", [])])
    ...     for n in range(4_000)
    ... ]
    >>> plan = advise(traits(log, gap_ms=60_000))
    >>> plan.protocol, [each.model for each in plan.advice if each.verdict == "leave out"]
    ('sessions', ['rules', 'users', 'content', 'social', 'factors', 'segments', 'trees', 'deep'])
    """
    advice = [
        _sessions(found),
        _similarity(found),
        _rules(found),
        _users(found),
        _popularity(found),
        _content(found),
        _social(found),
        _factors(found),
        _segments(found),
        _trees(found),
        _ranker(found),
        _deep(found),
    ]
    if found.repeats >= 0.2:
        again = "comes back to what was had: leave it in lists"
        why = f"{found.repeats:.0%} of what customers do {again}"
        advice.append(Advice("repeats", "use", why, {"recommend.repeat_purchases": True}))
    guests = found.guests > 0.5
    contenders = ["blend", "popularity", "decayed"]
    contenders += ["session-blend", "vstan"] if found.events_per_session >= 1.5 else []
    contenders += [] if guests else ["cosine-10-current" if found.repeats >= 0.2 else "cosine-10"]
    contenders += (
        ["users"] if any(each.model == "users" and each.verdict != "leave out" for each in advice) else []
    )
    if guests:
        return Plan(advice, "sessions", ["--test-share", "0.05"], contenders)
    options = ["--repeats"] if found.repeats >= 0.1 else []
    if found.ratings > 0.5:
        options += ["--relevant", "rating>=4", "--others", "drop"]
    return Plan(advice, "prequential", options, contenders)


def _sessions(found: Traits) -> Advice:
    length = f"a session has {found.events_per_session:.1f} events"
    if found.events_per_session < 1.2:
        why = f"{length}: there is hardly ever an item to go on from"
        return Advice("sessions", "leave out", why, {"sessions.held": 0})
    if found.events_per_session < 2:
        return Advice("sessions", "measure", f"{length}: many begin and end with one item")
    return Advice("sessions", "use", f"{length}: what others went on to is the best that is known")


def _similarity(found: Traits) -> Advice:
    if found.guests > 0.5:
        each, who = found.events_per_session, "a guest's session has"
    else:
        each, who = found.events_per_customer, "half of the customers did at least"
    if each < 2:
        return Advice("similarity", "measure", f"{who} {each:.1f} events: few pairs of items to count")
    return Advice("similarity", "use", f"{who} {each:.1f} events: pairs of items are counted")


def _rules(found: Traits) -> Advice:
    if not found.orders:
        why = "there are no orders; rules over sessions are learned as they are"
        return Advice("rules", "leave out", why, {"recommend.rules_weight": 0.0})
    orders = found.orders * found.events
    if orders < _LESSONS:
        return Advice("rules", "measure", f"{orders:,.0f} items in orders: most pairs are too rare to tell")
    return Advice("rules", "use", f"{orders:,.0f} items in orders")


def _users(found: Traits) -> Advice:
    if found.guests > 0.9:
        why = f"{found.guests:.0%} of the events are by guests, and sessions compare these already"
        return Advice("users", "leave out", why, {"recommend.users_weight": 0.0})
    half = f"half of the customers did at least {found.events_per_customer:.0f} things"
    if found.events_per_customer < 2 * FEW:
        return Advice("users", "measure", f"{half}: two of them seldom share more than one item")
    return Advice("users", "use", half)


def _popularity(found: Traits) -> Advice:
    stay = f"{1 - found.drift:.0%} of what is most popular in the first half is so in the second"
    if found.drift < 0.5 and found.turnover < 0.3:
        return Advice("popularity", "use", f"{stay}: it may fade slowly")
    half_life = max(3_600, int(found.days * 86_400 / 20))
    return Advice("popularity", "use", f"{stay}: let it fade", {"popularity.half_life_s": half_life})


def _content(found: Traits) -> Advice:
    if found.described < 0.1:
        why = f"of {1 - found.described:.0%} of what is acted upon the catalogue says nothing"
        return Advice("content", "leave out", why, {"recommend.content_weight": 0.0})
    new = f"{found.turnover:.0%} of the last events are about items that are new"
    if found.turnover < 0.05:
        return Advice("content", "measure", f"{new}: those that are known speak for themselves")
    return Advice("content", "use", f"{new}, and {found.described:.0%} are described")


def _social(found: Traits) -> Advice:
    if not found.links:
        return Advice("social", "leave out", "nobody follows anybody", {"recommend.social_weight": 0.0})
    each = found.links / max(1, found.customers)
    return Advice("social", "use" if each >= 1 else "measure", f"{each:.1f} links for each customer")


def _factors(found: Traits) -> Advice:
    if found.events_per_customer < 2 * FEW:
        why = f"{found.cold:.0%} of the events are by those who had done fewer than {FEW} things"
        return Advice("factors", "leave out", f"{why}: a vector is learned from more")
    why = "vectors learned event by event were behind near customers wherever they were measured"
    return Advice("factors", "measure", why)


def _segments(found: Traits) -> Advice:
    if found.customers < _TO_GROUP:
        return Advice("segments", "leave out", f"{found.customers:,} customers are too few to be grouped")
    return Advice("segments", "use", f"{found.customers:,} customers, for newcomers and for analysis")


def _trees(found: Traits) -> Advice:
    orders = found.orders * found.events
    if orders < _TO_BRANCH:
        return Advice("trees", "leave out", f"{orders:,.0f} items in orders: too few to learn from who buys")
    return Advice("trees", "use", f"{orders:,.0f} items in orders; `freshrec predict` tells why")


def _ranker(found: Traits) -> Advice:
    if found.events < _LESSONS:
        why = f"{found.events:,} events are few lessons; weights that are set do until there are more"
        return Advice("ranker", "measure", why)
    return Advice("ranker", "use", f"{found.events:,} events to learn the order of lists from")


def _deep(found: Traits) -> Advice:
    if found.events < _TO_TRAIN or found.events_per_session < 2:
        why = f"{found.events:,} events, {found.events_per_session:.1f} of them in a session"
        return Advice("deep", "leave out", f"{why}: networks learn from more")
    why = "networks were behind the session blend wherever they were measured, and cost milliseconds an event"
    return Advice("deep", "measure", why)
