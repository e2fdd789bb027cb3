"""Answers about a customer: segment and history, as they were published."""

import msgspec

from online_models.filters import Filters
from online_models.protocols import Request
from schemas.answers import HistoryAnswer, SegmentAnswer, Session, Touched
from schemas.messages import WEIGHT_ONE
from schemas.settings import RecommendSettings
from streams.serving.served_views import AnswerViews, ruled_at


def segment_of(views: AnswerViews, user: str, settings: RecommendSettings) -> SegmentAnswer | None:
    """Give a customer's segment with its profile; None if the customer has none."""
    found = views.segment(user)
    if found is None:
        return None
    profile = views.profile(found.segment)
    if profile is not None:
        asked = Request(history=None, now=ruled_at(views, found.at))
        filters = Filters(views, asked, settings, segment=found.segment)
        there = [item for item in profile.top_items if filters.admit(item)]
        profile = msgspec.structs.replace(profile, top_items=there)
    return SegmentAnswer(found.user_id, found.segment, found.distance, found.at, profile)


def history_of(views: AnswerViews, user: str) -> HistoryAnswer | None:
    """Give a customer's history; None if the customer is not known."""
    known = views.history(user)
    if known is None:
        return None
    items = [
        Touched(item, mark.weight / WEIGHT_ONE, mark.at, mark.had, mark.disliked)
        for item, mark in reversed(known.items.items())
    ]
    sessions = [Session(each.session_id, each.first_at, each.last_at, each.acts) for each in known.sessions]
    return HistoryAnswer(user, known.at, known.behaviour.events, items, sessions)
