"""Recognising a repeated event: 8-byte digests of the last ids of a customer, in one bytes value."""

from hashlib import blake2b

WIDTH = 8


def digest(kind: str, event_id: str) -> bytes:
    """Digest of an id; `kind` keeps event ids and order ids apart.

    Two different ids of one customer's last 1,000 share a digest once in 10 ** 13 such customers.
    """
    return blake2b(f"{kind}\0{event_id}".encode(), digest_size=WIDTH).digest()


def contains(seen: bytes, wanted: bytes) -> bool:
    """Whether `wanted` is one of the digests.

    Examples
    --------
    >>> contains(digest("e", "1") + digest("e", "2"), digest("e", "2"))
    True
    >>> contains(digest("e", "1"), digest("o", "1"))
    False
    """
    start = seen.find(wanted)
    while start >= 0 and start % WIDTH:
        start = seen.find(wanted, start + 1)
    return start >= 0


def remember(seen: bytes, fresh: bytes, *, max_seen: int) -> bytes:
    """Append digests, forgetting the oldest above `max_seen`."""
    joined = seen + fresh
    excess = len(joined) - max_seen * WIDTH
    return joined[excess:] if excess > 0 else joined
