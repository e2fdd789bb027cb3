"""Keeps what other stages published prepared as blocks of evidence, as long as the views answer the same.

A view that answers with the very same object must mean the very same content.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

from online_models.evidence import ItemNumbers
from online_models.protocols import Views
from online_models.sources import PartnersBlock, PopularBlock
from schemas.settings import RecommendSettings

KEPT_ROWS: Final = 50_000
"""Rows of neighbours kept prepared, about 2 kB each beside the row itself."""

KEPT_SCOPES: Final = 512
"""Popular scopes kept prepared."""

KEPT_NAMES: Final = 500_000
"""Item ids that have a number."""

T = TypeVar("T")


class PublishedBlocks:
    """Blocks of what other stages published, prepared once and kept while the views answer the same.

    Parameters
    ----------
    views : Views
        Asked anew every time; an answer that is the very same object as before isn't prepared again.
    settings : RecommendSettings
        Weights of similarity and rules.

    Notes
    -----
    Bounded by `KEPT_ROWS`, `KEPT_SCOPES` and, from one answer to the next, `KEPT_NAMES`.

    Examples
    --------
    >>> from online_models.memory_views import MemoryViews
    >>> from schemas.messages import Neighbours, Neighbour
    >>> views = MemoryViews(neighbours=[Neighbours("tea", [Neighbour("cup", 0.5, 5.0)], {})])
    >>> published = PublishedBlocks(views, RecommendSettings(similarity_weight=1.0))
    >>> block = published.partners("tea")
    >>> block.amounts.tolist(), block is published.partners("tea"), published.partners("cup") is None
    ([0.25], True, True)
    """

    def __init__(self, views: Views, settings: RecommendSettings) -> None:
        self._views, self._settings = views, settings
        self.numbers = ItemNumbers()
        self._rows: dict[str, PartnersBlock] = {}
        self._scopes: dict[str, PopularBlock] = {}

    def bound(self) -> None:
        """Forget everything once there are too many item ids; not to be called while blocks are in use."""
        if len(self.numbers.names) > KEPT_NAMES:
            self.numbers = ItemNumbers()
            self._rows.clear()
            self._scopes.clear()

    def partners(self, item: str) -> PartnersBlock | None:
        """Return what the neighbours of `item` say."""
        row = self._views.neighbours(item)
        if row is None:
            return None
        block = self._rows.get(item)
        if block is None or block.row is not row:
            block = PartnersBlock(self.numbers, row, self._settings)
            _keep(self._rows, item, block, most=KEPT_ROWS)
        return block

    def popular(self, scope: str, found: Sequence[tuple[str, float]]) -> PopularBlock:
        """Return what the popular items of a scope say."""
        block = self._scopes.get(scope)
        if block is None or block.found is not found:
            block = PopularBlock(self.numbers, scope, found)
            _keep(self._scopes, scope, block, most=KEPT_SCOPES)
        return block


def _keep(kept: dict[str, T], key: str, value: T, *, most: int) -> None:
    """Keep a value; the one that was put in first makes room."""
    kept.pop(key, None)
    if len(kept) >= most:
        del kept[next(iter(kept))]
    kept[key] = value
