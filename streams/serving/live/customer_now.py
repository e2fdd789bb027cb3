"""A customer as of now: list, segment and history, with what items are called."""

from collections.abc import Callable, Iterable
from typing import Final

from msgspec.structs import replace

from schemas.answers import HistoryAnswer, Place, Recommended
from schemas.page import CustomerNow, Titles
from schemas.settings import RecommendSettings
from streams.in_words import in_words, segment_in_words
from streams.serving.customers import history_of, segment_of
from streams.serving.lists import Lists, Wanted
from streams.serving.served_views import AnswerViews

MOST_ITEMS: Final = 50
MOST_SESSIONS: Final = 10


def customer_now(
    views: AnswerViews, lists: Lists, user: str, k: int, settings: RecommendSettings
) -> CustomerNow:
    """Give all that is told of a customer: the newest items and sessions of a long history.

    Parameters
    ----------
    views : AnswerViews
        All that is followed.
    lists : Lists
        Gives the list.
    user : str
        As topics have it.
    k : int
        How many items.
    settings : RecommendSettings
        What may be told of a segment.
    """
    name = named(views)
    found = lists.of_customer(user, Wanted(k=k))
    segment, history = segment_of(views, user, settings), history_of(views, user)
    if history is not None:
        # The newest session stands last.
        sessions = history.sessions[-MOST_SESSIONS:]
        history = replace(history, items=history.items[:MOST_ITEMS], sessions=sessions)
    profile = None if segment is None else segment.profile
    words = None if profile is None else segment_in_words(profile, name)
    told = replace(found, items=[replace(each, why=_why(each, name)) for each in found.items])
    return CustomerNow(told, segment, words, history, titles(views, _items(found, history)))


def named(views: AnswerViews) -> Callable[[str], str]:
    """Return what gives an item's title, or its id where it has none."""

    def name(item: str) -> str:
        facts = views.item(item)
        return item if facts is None or not facts.title else facts.title

    return name


def titles(views: AnswerViews, items: Iterable[str]) -> Titles:
    """Give the titles of those items that have one."""
    rows = ((item, views.item(item)) for item in dict.fromkeys(items))
    return {item: facts.title for item, facts in rows if facts is not None and facts.title}


def _why(place: Place, name: Callable[[str], str]) -> list[str]:
    return [in_words(reason, name) for reason in place.reasons or []]


def _items(found: Recommended, history: HistoryAnswer | None) -> list[str]:
    items = [place.item_id for place in found.items]
    if history is not None:
        items += [each.item_id for each in history.items]
        items += [item for session in history.sessions for item in session.items]
    return items
