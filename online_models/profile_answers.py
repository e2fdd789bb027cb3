"""A customer's profile as it is told: shares, value, segment, next categories and the chance of buying.

Everything is concluded from the customer's row, the needs of all customers and the clustering, as of a time;
nothing here learns.
"""

from typing import Final

from online_models import buying, coming_back
from online_models.buying import FEATURES, scaled
from online_models.density import group_of
from online_models.kmeans import assign
from online_models.needs import WARM_UP, visited_of
from online_models.next_categories import PRIOR, SOURCES, Guess, guesses, shares_of
from online_models.profiles import first_of
from schemas.density import DensityGroups
from schemas.messages import Centroids
from schemas.profiles import (
    KINDS,
    Buying,
    CustomerProfile,
    Needs,
    NextCategory,
    ProfileBehaviour,
    ProfileRow,
    ProfileValue,
    Reason,
    Share,
)

TOLD: Final = 10
"""Items, categories, tags and next categories that are told."""

MOST_REASONS: Final = 3

_PURCHASE: Final = KINDS.index("purchase")
_PRIOR_VISITS: Final = 4.0
_PRIOR_ORDERS: Final = 2.0


def profile_of(
    user: str,
    row: ProfileRow,
    needs: Needs | None,
    centroids: Centroids | None,
    density: DensityGroups | None = None,
    *,
    now: int,
    horizon_s: int,
) -> CustomerProfile:
    """Tell all that is known of a customer.

    Parameters
    ----------
    user : str
        As the profile names them.
    row : ProfileRow
        What is kept of them.
    needs : Needs or None
        Of all customers; without them only the customer's own interests speak.
    centroids : Centroids or None
        The clustering.
    density : DensityGroups or None
        The groups by density.
    now : int
        As of when, epoch ms; not before the customer's last action.
    horizon_s : int
        Of the chance of buying.

    Examples
    --------
    >>> row = ProfileRow(kinds=[3, 0, 1, 0], visits=2, first_at=0, last_at=9_000, spent=8.0,
    ...                  categories={"tea": 6, "cups": 2}, visit={"tea": 2})
    >>> told = profile_of("anna", row, None, None, now=10_000, horizon_s=604_800)
    >>> told.value.monetary, told.value.recency_s, told.buying.chance
    (8.0, 1.0, None)
    >>> [(each.category, round(each.chance, 2)) for each in told.next_categories]
    [('tea', 0.83), ('cups', 0.17)]
    """
    now = max(now, row.last_at)
    assigned = assign(centroids, row.features) if centroids is not None and row.features else None
    grouped = group_of(density, row.features) if density is not None and row.features else None
    behaviour = ProfileBehaviour(
        dict(zip(KINDS, row.kinds, strict=True)),
        row.visits,
        row.first_at,
        row.last_at,
        row.hours,
        row.weekdays,
        _shares(row.items),
    )
    return CustomerProfile(
        user,
        now,
        behaviour,
        row.attributes,
        _value(row, needs, now),
        None if assigned is None else assigned[0],
        None if grouped is None or grouped[1] else grouped[0],
        None if grouped is None else grouped[1],
        _shares(row.categories),
        _shares(row.tags),
        next_categories(row, needs),
        _buying(row, needs, now, horizon_s),
    )


def next_categories(row: ProfileRow, needs: Needs | None) -> list[NextCategory]:
    """Return the categories that the customer's next visit is likeliest to begin with, best first."""
    came_from = first_of(row.visit)
    after: dict[str, float] = {}
    popular: dict[str, float] = {}
    mixture = list(PRIOR)
    if needs is not None:
        total = needs.after_all.get(came_from, 0)
        after = {name: n / total for name, n in needs.after.get(came_from, [])} if total else {}
        popular, mixture = dict(needs.begun), needs.mixture
    sources = (shares_of(row.categories), shares_of(row.visit), after, popular)
    found = guesses(mixture, sources, most=TOLD)
    return [
        NextCategory(each.category, round(each.chance, 4), _reasons(each, came_from, needs)) for each in found
    ]


def _reasons(guess: Guess, came_from: str, needs: Needs | None) -> list[Reason]:
    """Say which sources speak for a category, and how much of its chance each gives."""
    told: list[Reason] = []
    for source, part in sorted(zip(SOURCES, guess.parts, strict=True), key=lambda each: -each[1]):
        if part <= 0:
            continue
        reason: Reason = {"source": source, "chance": round(part, 4)}
        if source == "others" and needs is not None:
            counts = dict(needs.after.get(came_from, []))
            reason |= {"after": came_from, "count": counts.get(guess.category, 0)}
        told.append(reason)
    return told[:MOST_REASONS]


def _value(row: ProfileRow, needs: Needs | None, now: int) -> ProfileValue:
    orders = row.kinds[_PURCHASE]
    back = spending = None
    if needs is not None and needs.answers >= WARM_UP and row.visits:
        visited = visited_of(row.visits, row.first_at, row.visit_at, now)
        back = round(coming_back.chance(needs.back, visited), 4)
        visits = coming_back.expected(needs.back, visited, needs.horizon_s / 86_400)
        per_visit = (orders + _PRIOR_VISITS * needs.orders_per_visit) / (row.visits + _PRIOR_VISITS)
        worth = (row.spent + _PRIOR_ORDERS * needs.order_value) / (orders + _PRIOR_ORDERS)
        spending = round(visits * per_visit * worth, 2)
    return ProfileValue(
        (now - row.last_at) / 1000.0 if row.last_at else 0.0,
        orders,
        round(row.spent / orders, 2) if orders else 0.0,
        round(row.spent, 2),
        back,
        spending,
    )


def _buying(row: ProfileRow, needs: Needs | None, now: int, horizon_s: int) -> Buying:
    """Give the chance of an order, with what raises and lowers it most, in units of log odds."""
    if needs is None or needs.answers < WARM_UP or not row.visits:
        return Buying(horizon_s, None, [])
    numbers = buying.features(
        now=now,
        visits=row.visits,
        first_at=row.first_at,
        visit_at=row.visit_at,
        orders=row.kinds[_PURCHASE],
        ordered_at=row.ordered_at,
        spent=row.spent,
        horizon_s=needs.horizon_s,
    )
    standard = scaled(numbers, needs.means, needs.deviations)
    effects = [weight * number for weight, number in zip(needs.weights[1:], standard, strict=True)]
    strongest = sorted(range(len(FEATURES)), key=lambda place: -abs(effects[place]))[:MOST_REASONS]
    reasons: list[Reason] = [
        {
            "source": FEATURES[place],
            "deviations": round(standard[place], 2),
            "effect": round(effects[place], 3),
        }
        for place in strongest
    ]
    return Buying(needs.horizon_s, round(buying.chance(needs.weights, standard), 4), reasons)


def _shares(weights: dict[str, int]) -> list[Share]:
    found = sorted(shares_of(weights).items(), key=lambda each: (-each[1], each[0]))[:TOLD]
    return [Share(name, round(share, 4)) for name, share in found]
