"""Rows written as public messages: the JSON of one row, by template.

Names and ids of a simulated shop are plain ASCII without quotes, so templates are safe, and several times
as fast as an encoder.
"""

from collections.abc import Iterator

import msgspec

from online_models.worlds.bad_records import bad_record
from online_models.worlds.latent import Latent
from online_models.worlds.rows import CART, GUEST, IMPRESSION, PURCHASE, RATING, VIEW, Rows
from online_models.worlds.settings import StorefrontSettings


class Emitted(msgspec.Struct, array_like=True, gc=False):
    """One record: its topic (without prefix), key, JSON value, and event time in epoch ms."""

    topic: str
    key: str
    value: bytes
    at: int


def customer_ids(settings: StorefrontSettings) -> list[str]:
    """Give the user_id of each customer, the named ones first."""
    named = list(settings.named_customers)
    return named + [f"c{number:06d}" for number in range(len(named), settings.customers)]


def item_ids(settings: StorefrontSettings) -> list[str]:
    """Give the item_id of each item."""
    return [f"i{number:05d}" for number in range(settings.items)]


def price_text(cents: int) -> str:
    """Write a price as a JSON number.

    Examples
    --------
    >>> price_text(1290)
    '12.90'
    """
    return f"{cents // 100}.{cents % 100:02d}"


class Writer:
    """Write rows as the messages of one shop.

    Parameters
    ----------
    settings : StorefrontSettings
        Names and sizes.
    latent : Latent
        Prices.
    """

    def __init__(self, settings: StorefrontSettings, latent: Latent) -> None:
        self._users = customer_ids(settings)
        # A guest's number is -1, the last place of a list.
        self._quoted = [*(f'"{user}"' for user in self._users), "null"]
        self._items = item_ids(settings)
        self._prices = [price_text(cents) for cents in latent.item_cents.tolist()]

    def write(self, rows: Rows) -> Iterator[Emitted]:
        """Write each row in turn."""
        names = ("kind", "number", "who", "visit", "at_ms", "value", "from_list")
        columns = [*(rows[name].tolist() for name in names), rows["items"][:, 0].tolist()]
        for place, (kind, number, who, visit, at, value, from_list, item) in enumerate(
            zip(*columns, strict=True)
        ):
            if kind == VIEW:
                shown = f'"shown-{visit}"' if from_list else "null"
                dwell = f'"dwell_s":{value / 10},"recommendation_id":{shown}'
                yield self._browse(number, who, visit, at, f'"{self._items[item]}","action":"view",{dwell}')
            elif kind == CART:
                yield self._browse(number, who, visit, at, f'"{self._items[item]}","action":"cart"')
            elif kind == PURCHASE:
                lines = self.lines(rows["items"][place].tolist(), rows["quantities"][place].tolist())
                yield self._purchase(number, who, visit, at, lines)
            elif kind == RATING:
                yield self._rating(number, who, at, item, value)
            elif kind == IMPRESSION:
                yield self._impression(number, who, visit, at, rows["items"][place].tolist())
            else:
                topic, value_bytes = bad_record(number, self._users[who], at)
                yield Emitted(topic, self._users[who], value_bytes, at)

    def lines(self, items: list[int], quantities: list[int]) -> str:
        """Write the lines of an order, without the brackets; -1 is no item."""
        return ",".join(
            f'{{"item_id":"{self._items[item]}","quantity":{quantity},"unit_price":{self._prices[item]}}}'
            for item, quantity in zip(items, quantities, strict=True)
            if item >= 0
        )

    def past_order(self, number: int, who: int, at: int, lines: str) -> Emitted:
        """Write an order from before the stream began; it belongs to no visit."""
        text = (
            f'{{"type":"purchase","event_id":"p-past-{number}","user_id":{self._quoted[who]},"session_id":null'
            f',"order_id":"o-past-{number}","at":{at},"lines":[{lines}],"recommendation_id":null}}'
        )
        return Emitted("purchases", self._users[who], text.encode(), at)

    def _browse(self, number: int, who: int, visit: int, at: int, details: str) -> Emitted:
        text = (
            f'{{"type":"browse","event_id":"b-{number}","user_id":{self._quoted[who]},"session_id":"s-{visit}"'
            f',"item_id":{details},"at":{at}}}'
        )
        key = f"s-{visit}" if who == GUEST else self._users[who]
        return Emitted("browses", key, text.encode(), at)

    def _purchase(self, number: int, who: int, visit: int, at: int, lines: str) -> Emitted:
        text = (
            f'{{"type":"purchase","event_id":"p-{number}","user_id":{self._quoted[who]},"session_id":"s-{visit}"'
            f',"order_id":"o-{number}","at":{at},"lines":[{lines}],"recommendation_id":null}}'
        )
        key = f"o-{number}" if who == GUEST else self._users[who]
        return Emitted("purchases", key, text.encode(), at)

    def _rating(self, number: int, who: int, at: int, item: int, half_stars: int) -> Emitted:
        text = (
            f'{{"type":"rating","event_id":"r-{number}","user_id":{self._quoted[who]}'
            f',"item_id":"{self._items[item]}","value":{half_stars / 2},"scale_max":5.0,"at":{at}}}'
        )
        return Emitted("ratings", self._users[who], text.encode(), at)

    def _impression(self, number: int, who: int, visit: int, at: int, items: list[int]) -> Emitted:
        shown = ",".join(f'"{self._items[item]}"' for item in items if item >= 0)
        text = (
            f'{{"type":"impression","event_id":"v-{number}","user_id":{self._quoted[who]},"session_id":"s-{visit}"'
            f',"recommendation_id":"shown-{visit}","items":[{shown}],"at":{at}}}'
        )
        key = f"s-{visit}" if who == GUEST else self._users[who]
        return Emitted("impressions", key, text.encode(), at)
