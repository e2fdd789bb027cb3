"""Why an item is in a list, and what a segment is like, in words. Pure."""

from collections.abc import Callable

from schemas.recommendations import Reason, SegmentProfile


def in_words(reason: Reason, name: Callable[[str], str] = str) -> str:
    """Return a reason as a person reads it.

    Parameters
    ----------
    reason : Reason
        As it stands in a list.
    name : callable
        What an item is called; by its id where nothing else is said.

    Examples
    --------
    >>> in_words({"source": "similarity", "item_id": "tea", "similarity": 0.5})
    'similar to tea (0.50)'
    """
    source = reason["source"]
    if source == "similarity":
        return f"similar to {name(reason['item_id'])} ({reason['similarity']:.2f})"
    if source == "rules":
        kind = "bought" if reason["scope"] == "orders" else "viewed"
        measures = f"lift {reason['lift']:.1f}, {reason['confidence']:.0%}"
        return f"{kind} with {name(reason['item_id'])} ({measures})"
    if source == "popularity":
        return f"popular: {reason['scope']}"
    if source == "session":
        return (
            f"in sessions with {', '.join(map(name, reason['session_items']))} ({reason['similarity']:.0%})"
        )
    if source == "content":
        return f"like {name(reason['item_id'])}: {', '.join(reason['attributes'])}"
    if source == "social":
        return f"{reason['people']} of those followed act on it"
    if source == "users":
        return f"had by similar customers: {reason['customers']}"
    if source == "recent":
        return "looked at recently"
    if source == "business":
        return f"put forward by the shop: {reason['rule']}"
    return str(source)


def segment_in_words(profile: SegmentProfile, name: Callable[[str], str] = str) -> str:
    """Return what a segment is like as a person reads it.

    Parameters
    ----------
    profile : SegmentProfile
        As it was published.
    name : callable
        What an item is called.

    Examples
    --------
    >>> segment_in_words(SegmentProfile("1", 7, 172_800.0, 2.0, 31.5, ["kitchen"], ["pot"], 0))
    '7 customers, 2.0 orders and 31.50 spent each, last seen 2.0 days ago; mostly kitchen; they like pot'
    """
    customers = "1 customer" if profile.size == 1 else f"{profile.size:,} customers"
    parts = [
        f"{customers}, {profile.frequency:.1f} orders and {profile.monetary:,.2f} spent each, "
        f"last seen {_how_long(profile.recency_s)} ago"
    ]
    if profile.top_categories:
        parts.append(f"mostly {', '.join(profile.top_categories[:_MOST_NAMED])}")
    if profile.top_items:
        parts.append(f"they like {', '.join(map(name, profile.top_items[:_MOST_NAMED]))}")
    return "; ".join(parts)


_MOST_NAMED = 3
_UNITS = ((86_400, "days"), (3_600, "hours"), (60, "minutes"))


def _how_long(seconds: float) -> str:
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} seconds"
