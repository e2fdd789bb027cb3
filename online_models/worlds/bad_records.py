"""Records that no consumer should accept: one for each way to be wrong, in turn."""

_HEAD = '"event_id":"x-{n}","user_id":"{user}","at":{at}'
_BROWSE = '{{"type":"browse",' + _HEAD
_PURCHASE = '{{"type":"purchase",' + _HEAD
_RATING = '{{"type":"rating",' + _HEAD

_PATTERNS = (
    ("browses", _BROWSE + ',"item_id":"i'),  # cut off
    ("browses", '["browse","x-{n}","{user}",{at}]'),  # not an object
    ("browses", '{{"type":"glance",' + _HEAD + ',"item_id":"i00001"}}'),  # unknown type
    ("browses", _BROWSE + "}}"),  # no item_id
    ("browses", _BROWSE + ',"item_id":""}}'),
    ("browses", _BROWSE + ',"item_id":"' + "i" * 257 + '"}}'),
    ("browses", _RATING + ',"item_id":"i00001","value":4.0,"scale_max":5.0}}'),  # not this topic's type
    ("purchases", _PURCHASE + ',"lines":[]}}'),
    ("purchases", _PURCHASE + ',"lines":[{{"item_id":"i00001","quantity":0,"unit_price":9.9}}]}}'),
    ("purchases", _PURCHASE + ',"lines":[{{"item_id":"i00001","quantity":1,"unit_price":-1.0}}]}}'),
    ("purchases", _PURCHASE + ',"lines":[{{"item_id":"i00001","quantity":1,"unit_price":NaN}}]}}'),
    ("ratings", _RATING + ',"item_id":"i00001","value":9.0,"scale_max":5.0}}'),
    ("ratings", _RATING + ',"item_id":"i00001","value":0.0,"scale_max":0.0}}'),
)


def bad_record(number: int, user_id: str, at_ms: int) -> tuple[str, bytes]:
    """Write the n-th bad record and name the topic it belongs to.

    Parameters
    ----------
    number : int
        Counts the bad records of a stream; it chooses the pattern.
    user_id : str
        Whose it would be.
    at_ms : int
        Its event time, epoch ms.

    Examples
    --------
    >>> bad_record(3, "anna", 1_000)
    ('browses', b'{"type":"browse","event_id":"x-3","user_id":"anna","at":1000}')
    """
    topic, pattern = _PATTERNS[number % len(_PATTERNS)]
    return topic, pattern.format(n=number, user=user_id, at=at_ms).encode()
