"""What every recommender must do: answer a question always the same, write nothing, keep to the filters."""

from collections.abc import Callable, Sequence

import msgspec

from online_models.checks.failure import require
from online_models.filters import Filters
from online_models.protocols import Answer, Recommender, Request, Views
from online_models.slates import keeps_order
from schemas.settings import RecommendSettings

_encode = msgspec.msgpack.Encoder().encode


def check_recommender(
    make: Callable[[], Recommender],
    views: Views,
    requests: Sequence[Request],
    settings: RecommendSettings,
) -> None:
    """Hold answers to many questions against the whole contract.

    Parameters
    ----------
    make : callable
        Makes a recommender over `views`.
    views, settings : Views, RecommendSettings
        What it answers from.
    requests : sequence of Request
        Asked forwards, then backwards of another recommender: no answer may depend on those before.
    """
    before = _encode(list(requests))
    one, two = make(), make()
    answers = [one.recommend(request) for request in requests]
    for request, answer in zip(reversed(requests), reversed(answers), strict=True):
        again = two.recommend(request)
        require(again == answer, f"the same question was answered differently: {answer!r}, then {again!r}")
    require(_encode(list(requests)) == before, "a request or a history was changed by answering it")
    for request, answer in zip(requests, answers, strict=True):
        check_answer(answer, request, settings)
        check_filtered(answer, request, views, settings)


def check_answer(answer: Answer, request: Request, settings: RecommendSettings) -> None:
    """At most k different items, ranks from 1, scores in [0, 1], a reason for each.

    Where nothing but the score decides the order (`keeps_order`), scores fall, ties by id. Items have
    propensities in (0, 1] where lists are explored, and none elsewhere.
    """
    names = [place.item_id for place in answer.items]
    require(len(names) <= request.k, f"{len(names)} items; at most {request.k} were asked for")
    require(len(set(names)) == len(names), f"an item is twice in {names}")
    ranks = [place.rank for place in answer.items]
    require(ranks == list(range(1, len(names) + 1)), f"ranks are {ranks}; expected 1 to {len(names)}")
    order = [(-place.score, place.item_id) for place in answer.items]
    in_order = order == sorted(order) or not keeps_order(settings)
    require(in_order, f"not sorted by score, then id: {order}")
    for place in answer.items:
        require(0.0 <= place.score <= 1.0, f"{place.item_id!r} scores {place.score}; expected 0 to 1")
        told = place.propensity
        explored = told is None if not settings.explore else told is not None and 0.0 < told <= 1.0
        require(explored, f"{place.item_id!r} has the propensity {told} where explore is {settings.explore}")
        require(
            bool(place.reasons) and all(reason.get("source") for reason in place.reasons),
            f"{place.item_id!r} has the reasons {place.reasons}; expected one at least, each with its source",
        )


def check_filtered(answer: Answer, request: Request, views: Views, settings: RecommendSettings) -> None:
    """Nothing excluded, disliked, unavailable or against a rule; nothing had or seen, unless it may."""
    marks = request.history.items if request.history is not None else {}
    filters = Filters(views, request, settings, segment=answer.segment)
    for place in answer.items:
        item, facts, mark = place.item_id, views.item(place.item_id), marks.get(place.item_id)
        require(item not in request.exclude, f"{item!r} was excluded and is in the list")
        require(facts is None or facts.available, f"{item!r} is unavailable and is in the list")
        require(mark is None or not mark.disliked, f"{item!r} is disliked and is in the list")
        had = mark is not None and mark.had and not settings.repeat_purchases
        require(not had, f"{item!r} was bought or rated before and is in the list")
        require(not filters.rules.excludes(item, facts), f"{item!r} is against a rule and is in the list")
        seen = settings.seen == "exclude" and filters.seen(item)
        require(not seen, f"{item!r} was looked at lately and is in the list")
