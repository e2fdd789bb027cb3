"""Whom a customer follows: digests of keys in the customer's own row, so that no id is left in another's."""

from online_models.key_digests import digest_of
from schemas.state import HistoryRow


def follow(row: HistoryRow, target: str, weight: float, *, most: int) -> None:
    """Note a link as it arrives.

    Parameters
    ----------
    row : HistoryRow
        Of who follows; is changed.
    target : str
        Who is followed, without the prefix of a key.
    weight : float
        Of the link, as the newest message says; 0 ends it.
    most : int
        Links that are kept; the one that was told of longest ago goes first.

    Examples
    --------
    >>> row = HistoryRow()
    >>> for target, weight in (("bert", 1.0), ("carla", 2.0), ("bert", 0.0)):
    ...     follow(row, target, weight, most=9)
    >>> list(row.follows.values())
    [2.0]
    """
    key = digest_of(f"u:{target}")
    row.follows.pop(key, None)
    if weight > 0:
        row.follows[key] = weight
    while len(row.follows) > most:
        del row.follows[next(iter(row.follows))]
