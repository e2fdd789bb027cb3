"""What came of an arm, counted anew from the whole log by the definitions alone; for comparison."""

from collections.abc import Sequence

from schemas.messages import Event
from schemas.settings import Settings

MILLIONTHS, THOUSANDTHS = 1_000_000, 1_000
_ACTS = ("view", "cart", "purchase", "rating")


def amounts_of(events: Sequence[Event], settings: Settings) -> list[int] | None:
    """Amounts of one customer, from their events in the order in which they were read; None: shown nothing.

    For logs in which every list is read before what follows from it, and few enough lists to be kept.
    """
    shown = [x for x in events if x.kind == "impression"]
    if not shown:
        return None
    first = events.index(shown[0])
    after = [x for x in events[first:] if 0 <= x.at - shown[0].at <= settings.attribution.outcome_s * 1_000]
    lists: dict[str | None, Event] = {}
    for x in after:
        if x.kind == "impression":
            lists.setdefault(x.recommendation_id, x)
    clicked, bought = set(), set()
    for number, x in enumerate(events):
        known = {name: each for name, each in lists.items() if each in events[:number]}
        answered = _answered(x, known, settings)
        if answered is not None and x.kind in ("view", "cart"):
            clicked.add(answered)
        elif answered is not None and x.kind == "purchase":
            bought.add(answered)
    orders = [x for x in after if x.kind == "purchase"]
    ratings = [x for x in after if x.kind == "rating"]
    revenue = sum(
        round(sum(line.quantity * (line.unit_price or 0) for line in x.lines) * MILLIONTHS) for x in orders
    )
    rating = sum(round(THOUSANDTHS * (x.value or 0) / (x.scale_max or 1)) for x in ratings)
    return [
        len(lists),
        len(clicked),
        len(bought),
        _visits([x.at for x in after if x.kind in (*_ACTS, "impression")], settings),
        len(orders),
        revenue,
        len(ratings),
        rating,
        int(len(orders) > 0),
        int(len(orders) > 1),
    ]


def _answered(x: Event, lists: dict[str | None, Event], settings: Settings) -> str | None:
    seconds = settings.attribution.purchase_s if x.kind == "purchase" else settings.attribution.click_s
    in_time = {name: each for name, each in lists.items() if 0 <= x.at - each.at <= seconds * 1_000}
    if x.kind not in ("view", "cart", "purchase"):
        return None
    if x.recommendation_id is not None:
        return x.recommendation_id if x.recommendation_id in in_time else None
    items = {line.item for line in x.lines}
    having = [each for each in in_time.values() if items & {line.item for line in each.lines}]
    return max(having, key=lambda each: each.at).recommendation_id if having else None


def _visits(ats: Sequence[int], settings: Settings) -> int:
    visits, newest = 1, ats[0]
    for at in ats:
        visits += at - newest > settings.history.session_gap_s * 1_000
        newest = max(newest, at)
    return visits
