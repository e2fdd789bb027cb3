"""How many bytes a contender holds: every object that is reached from it, each once."""

import gc
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

import msgspec

_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)


def bytes_of(root: object) -> int:
    """Return the bytes of an object with all that hangs on it; code and modules aside.

    Examples
    --------
    >>> small, large = bytes_of({"tea": 1}), bytes_of({"tea": ["x" * 1000]})
    >>> large - small > 1000
    True
    """
    seen: set[int] = set()
    waiting, total = [root], 0
    size: Callable[[object], int] = sys.getsizeof
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, _SHARED):
            continue
        seen.add(id(each))
        total += size(each)
        waiting += gc.get_referents(each)
        if isinstance(each, msgspec.Struct):
            # Structs that the garbage collector does not look at name their fields themselves.
            waiting += [getattr(each, field) for field in each.__struct_fields__]
    return total
