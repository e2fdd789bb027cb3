"""How a check fails."""


class CheckFailedError(ValueError):
    """A contract is broken; the message says what was seen and what the contract asks for."""


def require(fulfilled: bool, seen: str) -> None:  # reads like a sentence
    """Fail with what was seen unless the contract is fulfilled.

    Examples
    --------
    >>> require(1 + 1 == 2, "unreachable")
    >>> require(1 + 1 == 3, "1 + 1 gave 2; expected 3")
    Traceback (most recent call last):
    ...
    online_models.checks.failure.CheckFailedError: 1 + 1 gave 2; expected 3
    """
    if not fulfilled:
        raise CheckFailedError(seen)
