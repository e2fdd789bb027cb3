"""Why an item is in a list, in words. Pure."""

from schemas.recommendations import Reason


def in_words(reason: Reason) -> str:
    """Return a reason as a person reads it.

    Examples
    --------
    >>> in_words({"source": "similarity", "item_id": "tea", "similarity": 0.5})
    'similar to tea (0.50)'
    """
    source = reason["source"]
    if source == "similarity":
        return f"similar to {reason['item_id']} ({reason['similarity']:.2f})"
    if source == "rules":
        kind = "bought" if reason["scope"] == "orders" else "viewed"
        return f"{kind} with {reason['item_id']} (lift {reason['lift']:.1f}, {reason['confidence']:.0%})"
    if source == "popularity":
        return f"popular: {reason['scope']}"
    if source == "session":
        return f"in sessions with {', '.join(reason['session_items'])} ({reason['similarity']:.0%})"
    if source == "content":
        return f"like {reason['item_id']}: {', '.join(reason['attributes'])}"
    if source == "social":
        return f"{reason['people']} of those followed act on it"
    if source == "users":
        return f"had by similar customers: {reason['customers']}"
    if source == "recent":
        return "looked at recently"
    if source == "business":
        return f"put forward by the shop: {reason['rule']}"
    return str(source)
