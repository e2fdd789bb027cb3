"""Whatever is asked of whatever shop: what is excluded, hidden, sold out or had is in no answer."""

from hypothesis import given, settings
from hypothesis import strategies as st

from online_models.business_rules import BusinessRules
from online_models.memory_views import MemoryViews
from schemas.answers import BasketQuestion
from schemas.business_rules import BusinessRule
from schemas.histories import KnownHistory
from schemas.recommendations import Recommendation, Segment, SegmentProfile
from schemas.settings import RankerSettings, RecommendSettings, Settings
from streams.serving.customers import segment_of
from streams.serving.items import Items
from streams.serving.lists import Lists, Wanted
from tests.online_models.shop_views import CATEGORIES, ITEMS, NOW, histories, warm_shops
from tests.streams.serving.parts import a_list


class Shop(MemoryViews):
    """A random shop, and what is followed of one customer."""

    list_: Recommendation | None = None
    known: KnownHistory | None = None

    def standing(self, user: str) -> Recommendation | None:
        return self.list_ if user == "anna" else None

    def history(self, user: str) -> KnownHistory | None:
        return self.known if user == "anna" else None

    def segment(self, user: str) -> Segment | None:
        return Segment(user, "1", 0.0, NOW)

    def profile(self, segment: str) -> SegmentProfile | None:
        return SegmentProfile(segment, 1, 0.0, 0.0, 0.0, [], ITEMS, NOW)

    def newest_at(self) -> int | None:
        return NOW

    def hidden(self) -> set[str]:
        """Items that nobody may see: sold out, or excluded by a rule for everybody."""
        sold_out = {row.item for row in self.item_rows.values() if not row.available}
        return sold_out.union(*(rule.items for rule in self.rules.rules if rule.action == "exclude"))


_some = st.lists(st.sampled_from([*ITEMS, "nobody-knows"]), max_size=4)


@st.composite
def served_shops(draw: st.DrawFn) -> Shop:
    drawn, shop = draw(warm_shops()), Shop()
    vars(shop).update(vars(drawn))
    if draw(st.booleans()):
        shop.list_ = a_list("anna", *draw(st.lists(st.sampled_from(ITEMS), unique=True, max_size=10)))
    excluded = BusinessRule(name="off", action="exclude", items=tuple(draw(_some)) or ("none",))
    first = BusinessRule(name="first", action="pin", items=tuple(draw(_some)) or ("none",), position=1)
    lifted = BusinessRule(name="lifted", action="boost", items=tuple(ITEMS[:4]), factor=5.0)
    shop.rules = BusinessRules(draw(st.sampled_from([[], [excluded], [first, excluded, lifted]])))
    row = draw(histories())
    if row is not None:
        shop.known = KnownHistory.of("anna", NOW, row)
    return shop


_wanted = st.builds(
    Wanted,
    k=st.integers(1, 16),
    context=_some.map(tuple),
    exclude=_some.map(frozenset),
    category=st.sampled_from(["", *CATEGORIES, "none-such"]),
    explain=st.booleans(),
)
_settings = st.builds(
    Settings,
    ranker=st.builds(RankerSettings, warm_up=st.sampled_from([1, 1_000])),
    recommend=st.builds(
        RecommendSettings,
        diversity=st.sampled_from([0.0, 0.4]),
        explore=st.sampled_from([0.0, 0.3]),
        repeat_purchases=st.booleans(),
    ),
)


@settings(max_examples=60)
@given(served_shops(), _wanted, _settings, st.sampled_from(["anna", "zoe"]))
def test_no_list_has_what_it_must_not_have(shop: Shop, wanted: Wanted, using: Settings, user: str) -> None:
    lists = Lists(shop, using, lambda: NOW)
    marks = shop.known.items if shop.known is not None and user == "anna" else {}
    again = using.recommend.repeat_purchases
    had = {item for item, mark in marks.items() if mark.disliked or (mark.had and not again)}
    for found, never in ((lists.of_customer(user, wanted), had), (lists.of_session(wanted), set())):
        names = [place.item_id for place in found.items]
        assert len(set(names)) == len(names) <= wanted.k
        assert not set(names) & (shop.hidden() | wanted.exclude | set(wanted.context))
        if found.computed:
            assert not set(names) & never
        if wanted.category:
            assert all(wanted.category in shop.item_rows[name].categories for name in names)
        assert [place.rank for place in found.items] == list(range(1, len(names) + 1))
        assert all((place.reasons is not None) == wanted.explain for place in found.items)


@settings(max_examples=60)
@given(served_shops(), _wanted, st.sampled_from(ITEMS), st.sampled_from(["orders", "sessions"]))
def test_no_answer_about_items_has_what_it_must_not_have(
    shop: Shop, wanted: Wanted, item: str, scope: str
) -> None:
    items, exclude = Items(shop, RecommendSettings()), wanted.exclude
    never = shop.hidden() | exclude
    similar = items.similar(item, wanted.k, exclude, wanted.category)
    rules = items.rules(item, wanted.k, exclude)
    asked = BasketQuestion(items=list(wanted.context), exclude=list(exclude), scope=scope)
    basket = items.basket(asked, wanted.k)
    segment = segment_of(shop, "anna", RecommendSettings())
    assert segment is not None and segment.profile is not None
    assert not shop.hidden() & set(segment.profile.top_items)
    found = [
        *(each.item_id for each in (similar.items if similar else [])),
        *(each.item_id for one in rules or [] for each in one.rules),
        *(each.item_id for each in basket.items),
        *(each.item_id for each in items.popular(wanted.k, exclude, wanted.category).items),
    ]
    assert not never & set(found)
    assert not set(wanted.context) & {each.item_id for each in basket.items}
    assert len(basket.items) <= wanted.k
