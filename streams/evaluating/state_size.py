"""How many bytes a contender holds: every object that is reached from it, each once."""

import gc
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

import msgspec

_LEAVES = frozenset({int, float, str, bytes, bytearray, bool, type(None)})
_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)


def bytes_of(root: object) -> int:
    """Return the bytes of an object with all that hangs on it; code and modules aside.

    Examples
    --------
    >>> small, large = bytes_of({"tea": 1}), bytes_of({"tea": ["x" * 1000]})
    >>> large - small > 1000
    True
    """
    seen, waiting, total = {id(root)}, [root], 0
    size: Callable[[object], int] = sys.getsizeof
    while waiting:
        each = waiting.pop()
        total += size(each)
        children = {id(child): child for child in _held_by(each)}
        # Most references lead to what is known already: sets sort that out quickly.
        new = children.keys() - seen
        seen |= new
        for key in new:
            child = children[key]
            if type(child) in _LEAVES:
                total += size(child)
            elif not isinstance(child, _SHARED):
                waiting.append(child)
    return total


def _held_by(each: object) -> list[object]:
    held: list[object] = gc.get_referents(each)
    if isinstance(each, msgspec.Struct):
        # Structs that the garbage collector does not look at name their fields themselves.
        held += [getattr(each, field) for field in each.__struct_fields__]
    return held
