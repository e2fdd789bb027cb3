"""What is done in a visit: a shown list, views, carts, an order with complements; without times.

All visits of a block are planned together, as arrays; `visit` counts them from 0.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_models.worlds.latent import Ints, Latent
from online_models.worlds.rows import CART, IMPRESSION, MAX_LINES, PURCHASE, VIEW
from online_models.worlds.settings import StorefrontSettings
from online_models.worlds.tastes import Tastes

Marks = NDArray[np.bool_]


class Acts(NamedTuple):
    """Acts sorted by visit, and in each visit in the order in which they are done."""

    visit: Ints
    kind: Ints
    items: Ints  # n x MAX_LINES, filled with -1
    from_list: Marks


class _Part(NamedTuple):
    """Acts of one kind, with their places in their visits."""

    kind: int
    visit: Ints
    place: Ints
    items: Ints


class Planner:
    """Plan what the visitors of a block do.

    Parameters
    ----------
    settings : StorefrontSettings
        Shares and strengths.
    latent : Latent
        The hidden arrays.
    """

    def __init__(self, settings: StorefrontSettings, latent: Latent) -> None:
        self._settings = settings
        self._latent = latent
        self._partner = np.full(settings.items, -1, dtype=np.int64)
        self._partner[latent.pairs[:, 0]] = latent.pairs[:, 1]

    def plan(self, rng: np.random.Generator, tastes: Tastes, group: Ints) -> Acts:
        """Plan one visit for each entry of `group`."""
        views = self._view(rng, tastes, group)
        lists = self._show(rng, tastes, group)
        first = views.place == 1
        from_list = np.zeros(len(group), dtype=np.bool_)
        from_list[lists.visit] = True
        views.items[first & from_list[views.visit], 0] = _clicked(rng, lists.items)
        carts, orders = self._buy(rng, tastes, group, views)
        parts = (lists, views, carts, orders)
        visit, place = (
            np.concatenate(columns) for columns in zip(*((p.visit, p.place) for p in parts), strict=True)
        )
        order = np.lexsort((place, visit))
        visit, place = visit[order], place[order]
        return Acts(
            visit=visit,
            kind=np.repeat([part.kind for part in parts], [len(part.visit) for part in parts])[order],
            items=np.concatenate([part.items for part in parts])[order],
            from_list=from_list[visit] & (place == 1),
        )

    def _view(self, rng: np.random.Generator, tastes: Tastes, group: Ints) -> _Part:
        mean = self._settings.views_per_visit * self._latent.visit_length[group]
        count = 1 + rng.poisson(np.maximum(mean - 1.0, 0.0))
        visit = np.repeat(np.arange(len(group)), count)
        place = np.arange(len(visit)) - np.repeat(np.cumsum(count) - count, count)
        main = tastes.draw_categories(rng, group)
        item = self._draw(rng, tastes, group[visit], main[visit])
        # Few look twice at the same thing in one visit: what was seen already is drawn again, once.
        again = self._repeated(visit, item)
        item[again] = self._draw(rng, tastes, group[visit[again]], main[visit[again]])
        return _Part(VIEW, visit, 2 * place + 1, _alone(item))

    def _repeated(self, visit: Ints, item: Ints) -> Marks:
        """Mark an item that comes earlier in the same visit already."""
        _, first = np.unique(visit * self._settings.items + item, return_index=True)
        marks = np.ones(len(item), dtype=np.bool_)
        marks[first] = False
        return marks

    def _draw(self, rng: np.random.Generator, tastes: Tastes, group: Ints, main: Ints) -> Ints:
        stays = rng.random(len(group)) < self._settings.session_focus
        category = np.where(stays, main, tastes.draw_categories(rng, group))
        return tastes.draw_items(rng, group, category)

    def _show(self, rng: np.random.Generator, tastes: Tastes, group: Ints) -> _Part:
        showing = np.flatnonzero(rng.random(len(group)) < self._settings.impression_share)
        lists = tastes.draw_lists(rng, group[showing], MAX_LINES)
        return _Part(IMPRESSION, showing, np.zeros_like(showing), lists)

    def _buy(
        self, rng: np.random.Generator, tastes: Tastes, group: Ints, views: _Part
    ) -> tuple[_Part, _Part]:
        """Fill the carts of those who want to buy; most of them order in the end."""
        intends = rng.random(len(group)) < self._settings.buy_share * self._latent.propensity[group]
        last = np.diff(views.visit, append=-1) != 0
        further = rng.random(len(last)) < self._settings.cart_share
        cart = np.flatnonzero(intends[views.visit] & (last | further))
        carts = _Part(CART, views.visit[cart], views.place[cart] + 1, views.items[cart])
        ordering = np.flatnonzero(intends & (rng.random(len(group)) < self._settings.order_share))
        impulsive = ordering[rng.random(len(ordering)) < self._settings.impulse_share]
        some = tastes.draw_items(rng, group[impulsive], tastes.draw_categories(rng, group[impulsive]))
        lines = self._order(
            rng,
            np.concatenate((carts.visit, impulsive)),
            np.concatenate((carts.items[:, 0], some)),
            len(group),
        )
        end = np.full(len(ordering), views.place.max() + 2)
        return carts, _Part(PURCHASE, ordering, end, lines[ordering])

    def _order(self, rng: np.random.Generator, visit: Ints, item: Ints, visits: int) -> Ints:
        """Write down the distinct items of each visit, with complements of them, as an order's lines."""
        partner = self._partner[item]
        added = (partner >= 0) & (rng.random(len(item)) < self._settings.pair_strength)
        visit, item = np.concatenate((visit, visit[added])), np.concatenate((item, partner[added]))
        kept = np.flatnonzero(~self._repeated(visit, item))
        kept = kept[np.argsort(visit[kept], kind="stable")]
        place = np.arange(len(kept)) - np.searchsorted(visit[kept], visit[kept])
        fits = place < MAX_LINES
        lines = np.full((visits, MAX_LINES), -1, dtype=np.int64)
        lines[visit[kept][fits], place[fits]] = item[kept][fits]
        return lines


def _clicked(rng: np.random.Generator, lists: Ints) -> Ints:
    """Choose one of the first three items of each list; a list may be shorter."""
    chosen = lists[np.arange(len(lists)), rng.integers(0, 3, len(lists))]
    return np.where(chosen >= 0, chosen, lists[:, 0])


def _alone(item: Ints) -> Ints:
    """Write single items as lists that are filled with -1."""
    lists = np.full((len(item), MAX_LINES), -1, dtype=np.int64)
    lists[:, 0] = item
    return lists
