"""What happens in the shop, with its times: visits of one block of time after another, as rows.

Rates are kept by spacing the visits. Nothing here is late, repeated or bad yet: see `delivery`.
"""

import numpy as np

from online_models.worlds.acts import Planner
from online_models.worlds.latent import TRAFFIC, Floats, Ints, Latent, generator
from online_models.worlds.rows import GUEST, MAX_LINES, PURCHASE, RATING, VIEW, Rows, empty_rows
from online_models.worlds.settings import StorefrontSettings
from online_models.worlds.tastes import DriftingTastes, Tastes
from online_models.worlds.visitors import Visitors, Visits

_MOST_VISITS = 512
"""Visits in a block: enough for numpy to pay off, few enough for the first event to come at once."""
_VISITS_BEFORE = 3.0
"""How long the shop has been open before the start, in mean lengths of a visit."""
_EVENTS_BEFORE = 20_000
"""Most events that are made before the start to have orders that are rated after it."""
_PRIOR_VISITS = 200.0
"""Weight of the first guess of the events in a visit, in visits."""
_SECOND_PIECE = 0.15
"""Chance that a line of an order has quantity 2."""
_LONGEST_WAIT = 6.0
"""Bound of an exponential waiting time, in means."""


class Traffic:
    """An endless row of blocks; each holds the visits that begin in its span of time.

    Parameters
    ----------
    settings : StorefrontSettings
        Rates, shares and strengths.
    latent : Latent
        The hidden arrays.
    """

    def __init__(self, settings: StorefrontSettings, latent: Latent) -> None:
        self._settings = settings
        self._latent = latent
        self._rng = generator(settings, TRAFFIC)
        self._tastes = DriftingTastes(settings, latent)
        self._planner = Planner(settings, latent)
        self._visitors = Visitors(settings, latent)
        self._visits = _PRIOR_VISITS
        self._events = _PRIOR_VISITS * (settings.views_per_visit + 2.5 * settings.buy_share)
        self._number = 0
        # A crowded shop would run out of customers who aren't in a visit already.
        self._pause_ms = 1_000 * min(settings.pause_s, self._visitors.active / 4 / settings.events_per_s)
        # The shop has been open before: at the start there are visits in every stage.
        self.next_ms = settings.start_at_ms - self._open_before_ms()
        """Beginning of the next block, epoch ms: no row of a later block is before it."""

    def _open_before_ms(self) -> float:
        visits_ms = _VISITS_BEFORE * self._pause_ms * self._events / self._visits
        ratings_s = min(2 * self._settings.rating_delay_s, _EVENTS_BEFORE / self._settings.events_per_s)
        return max(visits_ms, 1_000 * ratings_s)

    def next_block(self) -> Rows:
        """Make the rows of the visits that begin in the next block, in order of time."""
        settings = self._settings
        day = int((self.next_ms - settings.start_at_ms) // (settings.day_s * 1_000))
        tastes = self._tastes.on_day(max(day, 0))
        visits = self._begin_visits()
        if len(visits.number) == 0:
            return empty_rows(0)
        rows = self._act(tastes, visits)
        rows = np.concatenate((rows, self._rate(tastes, rows)))
        rows = rows[np.argsort(rows["at_ms"], kind="stable")]
        rows["emit_ms"] = rows["at_ms"]
        rows["number"] = self._number + np.arange(len(rows))
        self._number += len(rows)
        self._visits += len(visits.number)
        self._events += len(rows)
        return rows

    def _begin_visits(self) -> Visits:
        visits_per_s = self._settings.events_per_s * self._visits / self._events
        an_hour = int(visits_per_s * self._settings.day_s / 24)
        count = max(1, min(_MOST_VISITS, self._visitors.active // 8, an_hour))
        span_ms = 1_000 * count / visits_per_s
        begins_ms = self.next_ms + (np.arange(count) + self._rng.random(count)) / count * span_ms
        self.next_ms += span_ms
        return self._visitors.choose(self._rng, begins_ms)

    def _act(self, tastes: Tastes, visits: Visits) -> Rows:
        """Let the visitors act: one row for each act, sorted by visit."""
        acts = self._planner.plan(self._rng, tastes, visits.group)
        pause_ms = self._pauses(len(acts.visit))
        last = np.flatnonzero(np.diff(acts.visit, append=-1))
        rows = empty_rows(len(acts.visit))
        rows["at_ms"] = _times(visits.begins_ms, acts.visit, pause_ms)
        rows["visit"] = visits.number[acts.visit]
        rows["kind"] = acts.kind
        rows["who"] = visits.who[acts.visit]
        rows["items"] = acts.items
        rows["from_list"] = acts.from_list
        rows["quantities"] = 1 + (self._rng.random((len(rows), MAX_LINES)) < _SECOND_PIECE)
        rows["value"] = np.where(acts.kind == VIEW, np.ceil(pause_ms / 100.0), 0)
        self._visitors.keep_busy(visits.who, (rows["at_ms"] + pause_ms)[last].astype(np.float64))
        return rows

    def _pauses(self, count: int) -> Ints:
        """Draw the times between acts, ms: never nothing, and bounded."""
        waits = np.minimum(self._rng.standard_exponential(count), _LONGEST_WAIT)
        pauses: Ints = np.maximum(np.rint(self._pause_ms * (0.4 + 0.6 * waits)), 1.0).astype(np.int64)
        return pauses

    def _rate(self, tastes: Tastes, rows: Rows) -> Rows:
        """Let customers rate some of what they have ordered in these rows."""
        orders = rows[(rows["kind"] == PURCHASE) & (rows["who"] != GUEST)]
        rated = (orders["items"] >= 0) & (
            self._rng.random(orders["items"].shape) < self._settings.rating_share
        )
        order, line = np.nonzero(rated)
        ratings = empty_rows(len(order))
        delay = 0.5 + 0.5 * np.minimum(self._rng.standard_exponential(len(order)), _LONGEST_WAIT)
        delay_ms = np.rint(1_000 * self._settings.rating_delay_s * delay).astype(np.int64)
        ratings["at_ms"] = orders["at_ms"][order] + np.maximum(delay_ms, 1)
        ratings["visit"] = orders["visit"][order]
        ratings["kind"] = RATING
        ratings["who"] = orders["who"][order]
        ratings["items"][:, 0] = orders["items"][order, line]
        ratings["value"] = self._half_stars(tastes, orders["who"][order], orders["items"][order, line])
        return ratings

    def _half_stars(self, tastes: Tastes, who: Ints, item: Ints) -> Ints:
        """Rate by the group's liking for the category, the item's quality and chance."""
        group = self._latent.customer_group[who]
        chance = tastes.of_categories[group, self._latent.item_category[item]]
        liking = chance / tastes.of_categories.max(axis=1)[group]
        noise = self._rng.normal(0.0, 0.5, len(item))
        stars = 2.8 + 1.4 * liking + self._latent.item_quality[item] + noise
        half_stars: Ints = np.clip(np.rint(2 * stars), 1, 10).astype(np.int64)
        return half_stars


def _times(begins_ms: Floats, visit: Ints, pause_ms: Ints) -> Ints:
    """Add up the pauses of each visit from its beginning; `visit` is sorted and has no gap."""
    before = np.cumsum(pause_ms) - pause_ms
    first = np.flatnonzero(np.diff(visit, prepend=-1))
    begins: Ints = np.floor(begins_ms).astype(np.int64)
    return np.asarray(begins[visit] + before - before[first][visit])
