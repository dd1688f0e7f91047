"""Values that are read later: a copy that will not change, and whether it is there yet.

A loop gives many values of which only the last is shown, and a long computation is not
waited for. What waits must not change in the meantime, and must not be a tracer: JAX
rightly calls a tracer that outlives its trace a leak.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from jaxintro.lens.follow.containers import Several
from jaxintro.lens.follow.kinds import BREADTH, DEPTH, is_array

MOVES = object()  # of this value there is no still copy
PATIENCE = 2_000  # looks, about a millisecond, at an array that is not ready
SMALL = 1 << 16  # bytes of NumPy's that may be copied
LARGE = 1 << 18  # numbers of an array that is not held for longer than it must
UNCHANGING: frozenset[type] = frozenset(
    {int, float, bool, complex, str, bytes, type(None)}
)
STAYING: set[type] = {*UNCHANGING}  # and those types of NumPy and JAX that were met


class _MovesError(Exception):
    """There is something in the value that may change."""


def stays(value: Any) -> bool:
    """No copy is needed: a number or an array, or the several that names were given."""
    kind = type(value)
    if kind is Several:
        return STAYING.issuperset(map(type, value[1:]))
    return kind in STAYING


def still(value: Any) -> Any:
    """The value, or a copy, that stays as it is now; MOVES if there is none."""
    try:
        return _still(value, DEPTH)
    except _MovesError:
        return MOVES


def _still(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind in STAYING:
        return value
    if kind is dict or kind is list or issubclass(kind, tuple):
        return _still_container(value, depth)
    if kind is np.ndarray and value.nbytes <= SMALL and value.dtype != object:
        return value.copy()
    if issubclass(kind, np.generic) or is_array(value):
        if kind.__module__.partition(".")[0] in ("numpy", "jax", "jaxlib"):
            STAYING.add(kind)  # these live as long as the program
        return value
    raise _MovesError


def _still_container(value: Any, depth: int) -> Any:
    kind, inner = type(value), depth - 1
    plain: Any = dict if kind is dict else list if kind is list else tuple
    if depth == 0 or plain.__len__(value) > BREADTH:
        raise _MovesError
    if kind is dict:
        if not all(type(key) in UNCHANGING for key in value):
            raise _MovesError  # the copy would ask a key for its hash
        return {key: _still(part, inner) for key, part in value.items()}
    parts = [_still(part, inner) for part in plain.__iter__(value)]
    return parts if kind is list else tuple.__new__(kind, parts)


def is_ready(value: Any, patience: int = PATIENCE) -> bool:
    """Its numbers are there, or come in a moment; long work is not waited for."""
    return all(_is_ready(array, patience) for array in arrays_in(value))


def _is_ready(array: Any, patience: int) -> bool:
    try:
        return array.is_deleted() or any(array.is_ready() for _ in range(patience))
    except Exception:
        return True


def is_large(value: Any) -> bool:
    """To hold it longer than the program does would cost memory."""
    return any(array.size > LARGE for array in arrays_in(value))


def arrays_in(value: Any, depth: int = DEPTH) -> Iterator[Any]:
    """The JAX arrays of a value, through as many layers as a still one may have."""
    kind = type(value)
    if is_array(value):
        yield value
    elif depth and kind is dict:
        for part in value.values():
            yield from arrays_in(part, depth - 1)
    elif depth and (kind is list or issubclass(kind, tuple)):
        for part in value:
            yield from arrays_in(part, depth - 1)
