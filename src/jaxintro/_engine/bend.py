"""Bent copies of a value: numbers nudged, exact things altered outright.

Every number is nudged by a relative error of its own, so that neither a ratio nor a
sum of several survives. A count, a text, a truth, an exception, a nan, or the order
of an array cannot be a little wrong: these are altered.
"""

import itertools
import pickle
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

Change = Callable[[Any, int], Any]  # (leaf, its number in the result) -> bent leaf

MOST = 10_000  # leaves; an array is one
TOO_MANY = f"it has more than {MOST} parts"
ALTERATIONS = ("count", "text", "truth", "error type", "error text", "special", "order")


def nudge(size: float) -> Change:
    """Every number off by at most this relative error, no two by the same."""

    def change(leaf: Any, number: int) -> Any:
        if _is_figure(leaf):
            return _bent_figure(leaf, lambda data: _nudged(data, size, number))
        if not is_number(leaf) or _is_figure(leaf):
            return leaf
        bent = _nudged(leaf, size, number)
        return type(leaf)(bent) if isinstance(leaf, float | complex) else bent

    return change


def _nudged(leaf: Any, size: float, number: int) -> Any:
    array = np.asarray(leaf)
    wide = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    finite = np.abs(wide[np.isfinite(wide)])
    scale = finite.max() if finite.size and finite.max() > 0 else 1.0
    counter = np.arange(1, wide.size + 1).reshape(wide.shape) + 7 * number
    weight = 0.5 + 0.5 * (counter * 0.6180339887498949 % 1.0)
    step = np.where(wide == 0, scale, wide) * (size * weight)
    with np.errstate(all="ignore"):
        return (wide + np.where(np.isfinite(wide), step, 0)).astype(array.dtype)


def alter(kind: str) -> Change:
    """Every leaf of this kind changed outright."""
    alteration = {
        "count": _count,
        "text": lambda leaf: "" if isinstance(leaf, str) else leaf,
        "truth": _truth,
        "error type": _error_type,
        "error text": _error_text,
        "special": _special,
        "order": _order,
    }[kind]
    return lambda leaf, number: alteration(leaf)


def _count(leaf: Any) -> Any:
    if isinstance(leaf, int) and not isinstance(leaf, bool):
        return leaf + 1
    if isinstance(leaf, list | tuple):  # an empty one, which counts as a leaf
        return type(leaf)([1])
    if _is_array(leaf) and np.asarray(leaf).dtype.kind in "iu":
        return np.asarray(leaf) + np.asarray(leaf).dtype.type(1)
    return leaf


def _truth(leaf: Any) -> Any:
    if isinstance(leaf, bool) or leaf is None:
        return not leaf
    if _is_array(leaf) and np.asarray(leaf).dtype.kind == "b":
        return ~np.asarray(leaf)
    return leaf


def _error_type(leaf: Any) -> Any:
    if isinstance(leaf, BaseException):
        return type("BentError", (Exception,), {})(str(leaf))
    return leaf


def _error_text(leaf: Any) -> Any:
    if isinstance(leaf, BaseException):
        # errors of JAX cannot be made from a text: make a subclass that says another
        name, says = type(leaf).__name__, {"__str__": lambda self: "bent"}
        bent: Any = type(name, (type(leaf),), says)
        return bent.__new__(bent)
    return leaf


def _special(leaf: Any) -> Any:
    if not is_number(leaf) or _is_figure(leaf):
        return leaf
    array = np.asarray(leaf)  # a tensor of PyTorch is not asked itself
    if not np.all(np.isfinite(array)):
        bent = np.where(np.isfinite(array), array, 1).astype(array.dtype)
        return type(leaf)(bent) if isinstance(leaf, float | complex) else bent
    return leaf


def _order(leaf: Any) -> Any:
    if not _is_array(leaf) or np.asarray(leaf).size < 2:
        return leaf
    flat = np.asarray(leaf).ravel()
    turned = flat[::-1]
    if np.array_equal(turned, flat):
        turned = np.roll(flat, 1)
    return turned.reshape(np.shape(leaf))


def is_number(leaf: Any) -> bool:
    """A leaf that can be off by a little: a float, an array of floats, a drawing."""
    if isinstance(leaf, float | complex) or _is_figure(leaf):
        return True
    # numpy says "V" of bfloat16 and the like, which have no kind of their own
    return _is_array(leaf) and np.asarray(leaf).dtype.kind in "fcV"


def _is_array(leaf: Any) -> bool:
    if not hasattr(leaf, "dtype") or not hasattr(leaf, "shape"):
        return False
    return not str(leaf.dtype).startswith("key<") and np.asarray(leaf).dtype != object


def _is_figure(leaf: Any) -> bool:
    """A drawing: a figure, or one of its axes."""
    return hasattr(leaf, "savefig") or hasattr(leaf, "get_ylim")


def _bent_figure(drawing: Any, change: Callable[[Any], Any]) -> Any:
    figure = drawing if hasattr(drawing, "savefig") else drawing.figure
    twin = pickle.loads(pickle.dumps(figure))
    for axes in twin.axes:
        for line in axes.lines:
            line.set_ydata(change(np.asarray(line.get_ydata(), dtype=float)))
        for points in axes.collections:
            offsets = np.array(points.get_offsets(), dtype=float)
            if len(offsets):
                points.set_offsets(change(offsets))
        for bar in axes.patches:
            if hasattr(bar, "set_height"):
                bar.set_height(float(change(np.asarray(bar.get_height(), dtype=float))))
    return twin if drawing is figure else twin.axes[figure.axes.index(drawing)]


def mapped(change: Change, value: Any, only: str = "") -> Any:
    """The same containers with every leaf changed; leaves are numbered as they come.

    Args:
        change: what becomes of a leaf.
        value: the containers.
        only: the place of a part, such as "[0]['w']"; the others stay as they are.
    """
    count = itertools.count()

    def walk(part: Any, place: str) -> Any:
        inner = entries(part, place)
        if inner is None:
            if not place.startswith(only):
                return part
            if (number := next(count)) >= MOST:
                raise OverflowError(TOO_MANY)
            return change(part, number)
        changed = [walk(entry, where) for where, entry in inner]
        if isinstance(part, dict):
            return dict(zip(part, changed, strict=True))
        named = hasattr(part, "_fields")
        return type(part)(*changed) if named else type(part)(changed)

    return walk(value, "")


def leaves(value: Any, place: str = "") -> dict[str, Any]:
    """Every leaf of a value that stands at this place, by its own."""
    if (inner := entries(value, place)) is None:
        return {place: value}
    found: dict[str, Any] = {}
    for where, entry in inner:
        found |= leaves(entry, where)
        if len(found) > MOST:
            raise OverflowError(TOO_MANY)
    return found


def entries(part: Any, place: str = "") -> Iterable[tuple[str, Any]] | None:
    """What is in a container, each with its place; None for a leaf."""
    if isinstance(part, dict):
        return ((f"{place}[{key!r}]", entry) for key, entry in part.items())
    if isinstance(part, list | tuple) and part:
        return ((f"{place}[{key}]", entry) for key, entry in enumerate(part))
    return None
