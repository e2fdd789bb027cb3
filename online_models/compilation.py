"""How loops are compiled: for given types, when their module is imported, the result kept on disk."""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(signature: str, *, inline: bool = False) -> Callable[[Function], Function]:
    """Compile a function for these types when its module is imported; the result is kept on disk.

    Parameters
    ----------
    signature : str
        Its types, as numba writes them.
    inline : bool
        Whether it becomes part of what calls it: a call with many arrays costs more than what short ones do.

    Examples
    --------
    >>> @compiled("int64(int64)")
    ... def twice(number: int) -> int:
    ...     return 2 * number
    >>> twice(21)
    42
    """
    how = "always" if inline else "never"

    def make(function: Function) -> Function:
        try:
            made: Function = njit(signature, cache=True, inline=how)(function)
        except RuntimeError:
            # There is no folder that may be written to: each process compiles for itself, some seconds.
            made = njit(signature, inline=how)(function)
        return made

    return make
