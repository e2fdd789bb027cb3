"""A shop's own say about lists, as it stands in its file of rules: what is left out, lifted, lowered, pinned.

Types, presence and bounds; `online_models.business_rules` applies them, `streams.rules_file` reads the file.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from schemas.settings import Count, Text
from schemas.times import parse_at

Action = Literal["exclude", "boost", "bury", "pin"]
"""Leave out; raise the score, or lower it; give a place."""

MOST_RULES: Final = 1_000
MOST_NAMES: Final = 10_000
"""Rules of a file; values of one condition."""

Names = Annotated[tuple[Text, ...], Meta(max_length=MOST_NAMES)]
Price = Annotated[float, Meta(ge=0)]
Factor = Annotated[float, Meta(gt=0, le=1_000)]
Moment = str
"""RFC 3339, as a date and time of TOML, or text."""


class BusinessRule(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}
):
    """One rule: what it does, to which items, for whom, and when.

    Of one condition any value is enough (one of the `categories`), and all conditions that are there have to
    hold. A condition does not hold for an item, or somebody, of whom the value is not known. `until` is the
    first moment after.
    """

    name: Text
    action: Action
    items: Names = ()
    categories: Names = ()
    brands: Names = ()
    tags: Names = ()
    price_from: Price | None = None
    price_to: Price | None = None
    segments: Names = ()
    locations: Names = ()
    age_bands: Names = ()
    from_: Moment | None = None
    until: Moment | None = None
    factor: Factor | None = None
    position: Count | None = None

    def window(self) -> tuple[int | None, int | None]:
        """First moment and the first one after, epoch ms; None where there is no end to it."""
        return _epoch_ms(self.from_), _epoch_ms(self.until)

    def names_items(self) -> bool:
        """Whether it says which items it is about."""
        prices = (self.price_from, self.price_to)
        return bool(self.items or self.categories or self.brands or self.tags) or prices != (None, None)


def fault_of(rule: BusinessRule) -> str | None:
    """Say what is wrong with a rule whose fields are right each for itself; None if nothing is.

    Examples
    --------
    >>> fault_of(BusinessRule(name="sale", action="boost", tags=("sale",)))
    '`factor` is missing: expected a number above 1'
    >>> fault_of(BusinessRule(name="sale", action="boost", tags=("sale",), factor=2.0))
    """
    factors = {"boost": (1.0, 1_000.0, "above 1"), "bury": (0.0, 1.0, "between 0 and 1")}
    if rule.action in factors:
        least, most, expected = factors[rule.action]
        if rule.factor is None or not least < rule.factor <= most or rule.factor == 1:
            seen = "missing" if rule.factor is None else f"{rule.factor:g}"
            return f"`factor` is {seen}: expected a number {expected}"
    elif rule.factor is not None:
        return f"`factor` is of boost and bury; {rule.action} has none"
    if (rule.action == "pin") != (rule.position is not None):
        return "`position` is of a pin, which needs it: the place in the list, 1 for the first"
    if rule.action == "pin" and not rule.items:
        return "a pin needs `items`: the first of them that may be in a list takes the place"
    if not rule.names_items():
        return "it is about all items: expected `items`, `categories`, `brands`, `tags` or a price"
    return _fault_of_ranges(rule)


def _fault_of_ranges(rule: BusinessRule) -> str | None:
    if rule.price_from is not None and rule.price_to is not None and rule.price_from > rule.price_to:
        return f"`price_from` {rule.price_from:g} is above `price_to` {rule.price_to:g}"
    first, after = rule.window()
    for name, given, read in (("from", rule.from_, first), ("until", rule.until, after)):
        if given is not None and read is None:
            return f"`{name}` is {given!r}: expected a time with an offset, as 2026-12-01T00:00:00Z"
    if first is not None and after is not None and first >= after:
        return "`from` is not before `until`: it would never hold"
    return None


def _epoch_ms(moment: Moment | None) -> int | None:
    return None if moment is None else parse_at(moment)
