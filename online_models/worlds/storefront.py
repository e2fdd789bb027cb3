"""The simulated storefront: an endless, deterministic stream of public messages, with its right answer.

No input, no output, no clock: who takes the stream decides when to send. Restarting it gives the same bytes.
"""

from collections.abc import Iterator

from online_models.worlds.answers import Answer, right_answer
from online_models.worlds.catalogue import write_customers, write_items, write_links, write_past
from online_models.worlds.delivery import Delivery
from online_models.worlds.latent import draw_latent
from online_models.worlds.records import Emitted, Writer
from online_models.worlds.settings import StorefrontSettings
from online_models.worlds.tastes import DriftingTastes
from online_models.worlds.traffic import Traffic


class Storefront:
    """A shop with latent taste groups, made from its settings and nothing else.

    Customers come in by activity and hour, view items to their group's taste and price level by Zipf
    popularity inside categories, fill carts, order them with planted complements, and rate later.
    Popularity drifts by the day, categories have seasons; guests have a session_id only.

    Parameters
    ----------
    settings : StorefrontSettings
        Sizes, rates, shares and the seed.

    Examples
    --------
    >>> from itertools import islice
    >>> shop = Storefront(StorefrontSettings(customers=20, items=30, pairs=4, rating_delay_s=60))
    >>> next(shop.catalogue()).key
    'i00000'
    >>> first = [event.value for event in islice(shop.events(), 1_000)]
    >>> first == [event.value for event in islice(shop.events(), 1_000)]
    True
    >>> sorted({event.topic for event in islice(shop.events(), 1_000)})
    ['browses', 'impressions', 'purchases', 'ratings']
    >>> len(shop.answer().pairs)
    4
    """

    def __init__(self, settings: StorefrontSettings) -> None:
        self.settings = settings
        self._latent = draw_latent(settings)

    def catalogue(self) -> Iterator[Emitted]:
        """Give the messages that come first: items, then customers, then links."""
        yield from write_items(self.settings, self._latent)
        yield from write_customers(self.settings, self._latent)
        yield from write_links(self.settings, self._latent)

    def past(self) -> Iterator[Emitted]:
        """Give what was bought before the stream starts: an order of `linked_items` items per customer.

        It fills the histories at once, so that a measurement need not wait until they have grown.
        """
        return write_past(self.settings, self._latent)

    def events(self) -> Iterator[Emitted]:
        """Give browses, purchases, ratings and impressions without end, in order of event time.

        Only planned lateness and repetitions depart from that order. Every call starts anew.
        """
        writer = Writer(self.settings, self._latent)
        delivery = Delivery(self.settings, Traffic(self.settings, self._latent))
        while True:
            yield from writer.write(delivery.next_rows())

    def answer(self, day: int = 0) -> Answer:
        """Give the right answer as it is on a day, counted from the start of the stream."""
        tastes = DriftingTastes(self.settings, self._latent).on_day(day)
        return right_answer(self.settings, self._latent, tastes)
