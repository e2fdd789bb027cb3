"""A shop's own rules over lists, applied. Pure: the moment they are judged by is told.

Which rules an item meets depends on the item alone and is kept; which of them hold, on who asks and when.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import expm1, log1p
from typing import Final, NamedTuple

from schemas.business_rules import BusinessRule
from schemas.messages import ItemFacts

_KEPT: Final = 20_000
"""Items whose rules are kept; then all are forgotten."""

NOBODY: Final[Mapping[str, str]] = {}
"""What is known of somebody of whom nothing is."""


class Pin(NamedTuple):
    """A place of a list, from 1 on, that the first of some items takes which may be in it."""

    position: int
    items: tuple[str, ...]
    rule: str


class BusinessRules:
    """Rules in the order of their file.

    Parameters
    ----------
    rules : sequence of BusinessRule
        Each without a fault (`schemas.business_rules.fault_of`).

    Notes
    -----
    An item is looked up by its id, categories, brand and tags among rules that name these, so that its cost
    does not grow with the number of rules about others. 20,000 items are kept with what was found.

    Examples
    --------
    >>> rules = BusinessRules([BusinessRule(name="off", action="exclude", categories=("knives",))])
    >>> knife = ItemFacts("i1", None, ["knives"], None, None, [], True, 0)
    >>> held = rules.in_force(0)
    >>> held.excludes("i1", knife), held.excludes("i2", None)
    (True, False)
    """

    def __init__(self, rules: Sequence[BusinessRule] = ()) -> None:
        self.rules = tuple(rules)
        self._windows = [rule.window() for rule in self.rules]
        self._by_trait: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._others: list[int] = []
        for number, rule in enumerate(self.rules):
            traits = _narrowest(rule)
            for trait in traits:
                self._by_trait[trait].append(number)
            if not traits:
                self._others.append(number)
        self._known: dict[str, tuple[ItemFacts | None, tuple[int, ...]]] = {}
        self._openings = sorted(
            first
            for rule, (first, _) in zip(self.rules, self._windows, strict=True)
            if rule.action == "exclude" and first is not None
        )

    @property
    def opens(self) -> bool:
        """Whether any rule that excludes has a window that opens."""
        return bool(self._openings)

    def openings(self, upto: int) -> int:
        """Return how many windows of rules that exclude have opened up to a moment (epoch ms).

        It grows when lists that were made before may hold what is excluded now.

        Examples
        --------
        >>> rule = BusinessRule(name="off", action="exclude", items=("i1",), from_="1970-01-01T00:00:01Z")
        >>> rules = BusinessRules([rule])
        >>> rules.openings(999), rules.openings(1000)
        (0, 1)
        """
        return bisect_right(self._openings, upto)

    def in_force(
        self, at: int, *, attributes: Mapping[str, str] = NOBODY, segment: str | None = None
    ) -> "RulesInForce":
        """Return the rules that hold at a moment (epoch ms) for somebody of whom this is known."""
        if not self.rules:
            return NOTHING_IN_FORCE
        return RulesInForce(
            self,
            [
                number
                for number, (first, after) in enumerate(self._windows)
                if (first is None or first <= at)
                and (after is None or at < after)
                and _is_for(self.rules[number], attributes, segment)
            ],
        )

    def met_by(self, item: str, facts: ItemFacts | None) -> tuple[int, ...]:
        """Return the numbers of the rules that are about an item, with its row of the catalogue if any."""
        known = self._known.get(item)
        if known is not None and known[0] is facts:
            return known[1]
        asked = [*self._others, *self._by_trait.get(("item", item), ())]
        if facts is not None:
            for trait in _traits(facts):
                asked += self._by_trait.get(trait, ())
        found = tuple(n for n in sorted(set(asked)) if _is_about(self.rules[n], item, facts))
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[item] = facts, found
        return found


class RulesInForce:
    """Rules that hold for one answer.

    Parameters
    ----------
    rules : BusinessRules
        All of them.
    numbers : iterable of int
        Those that hold.
    """

    def __init__(self, rules: BusinessRules, numbers: Iterable[int]) -> None:
        self._rules = rules
        self._excluding: set[int] = set()
        self._factors: dict[int, float] = {}
        self.pins: list[Pin] = []
        for number in numbers:
            rule = rules.rules[number]
            if rule.action == "exclude":
                self._excluding.add(number)
            elif rule.factor is not None:
                self._factors[number] = rule.factor
            elif rule.position is not None:
                self.pins.append(Pin(rule.position, rule.items, rule.name))
        self.pins.sort(key=lambda pin: pin.position)

    @property
    def put_forward(self) -> bool:
        """Whether any of them lifts items or gives them places."""
        return bool(self._factors or self.pins)

    def excludes(self, item: str, facts: ItemFacts | None) -> bool:
        """Whether an item is left out."""
        return bool(self._excluding) and not self._excluding.isdisjoint(self._rules.met_by(item, facts))

    @property
    def orders(self) -> bool:
        """Whether any of them changes scores."""
        return bool(self._factors)

    def rescored(self, score: float, item: str, facts: ItemFacts | None) -> float:
        """Return a score in [0, 1] after the boosts and then the buries that an item meets.

        A boost by f makes 1 - (1 - score) ** f of it, as f times the evidence would: f times the score as
        long as that is small, and never above 1. A bury by f makes f times the score of it.
        """
        boost = bury = 1.0
        for number in self._rules.met_by(item, facts):
            factor = self._factors.get(number, 1.0)
            if factor > 1.0:
                boost *= factor
            else:
                bury *= factor
        if boost > 1.0:
            score = -expm1(boost * log1p(-score)) if score < 1.0 else 1.0
        return score * bury

    def lifting(self, item: str, facts: ItemFacts | None) -> str | None:
        """Return the name of the rule that lifts an item the most; None where none does."""
        if not self._factors:
            return None
        found = [n for n in self._rules.met_by(item, facts) if self._factors.get(n, 1.0) > 1.0]
        best = max(found, key=lambda n: (self._factors[n], -n), default=None)
        return None if best is None else self._rules.rules[best].name


NO_RULES: Final = BusinessRules()
NOTHING_IN_FORCE: Final = RulesInForce(NO_RULES, ())


def _is_for(rule: BusinessRule, attributes: Mapping[str, str], segment: str | None) -> bool:
    return (
        (not rule.segments or segment in rule.segments)
        and (not rule.locations or attributes.get("location") in rule.locations)
        and (not rule.age_bands or attributes.get("age_band") in rule.age_bands)
    )


def _is_about(rule: BusinessRule, item: str, facts: ItemFacts | None) -> bool:
    if rule.items and item not in rule.items:
        return False
    if facts is None:
        alone = (rule.categories, rule.brands, rule.tags, rule.price_from, rule.price_to)
        return alone == ((), (), (), None, None)
    return (
        (not rule.categories or not set(rule.categories).isdisjoint(facts.categories))
        and (not rule.brands or facts.brand in rule.brands)
        and (not rule.tags or not set(rule.tags).isdisjoint(facts.tags))
        and _costs(facts.price, rule.price_from, rule.price_to)
    )


def _costs(price: float | None, least: float | None, most: float | None) -> bool:
    if least is None and most is None:
        return True
    return price is not None and (least is None or least <= price) and (most is None or price <= most)


def _narrowest(rule: BusinessRule) -> list[tuple[str, str]]:
    """Return traits of which an item about which the rule is has one; none if only prices count."""
    for kind, names in (
        ("item", rule.items),
        ("brand", rule.brands),
        ("tag", rule.tags),
        ("category", rule.categories),
    ):
        if names:
            return [(kind, name) for name in dict.fromkeys(names)]
    return []


def _traits(facts: ItemFacts) -> list[tuple[str, str]]:
    found = [("category", name) for name in facts.categories] + [("tag", name) for name in facts.tags]
    return found if facts.brand is None else [*found, ("brand", facts.brand)]
