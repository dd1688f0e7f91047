"""Containers taken apart: their brackets and labels, and entries from both ends."""

import dataclasses
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple

from jaxintro.lens.follow.digits import EDGE, WHOLE
from jaxintro.lens.follow.kinds import field_of, is_a, is_plain_dataclass
from jaxintro.lens.follow.said import cut, without_addresses

_DICTS = tuple(k.__repr__ for k in (dict, OrderedDict, defaultdict, Counter))
_LISTS = tuple(kind.__repr__ for kind in (list, tuple))


class Several(tuple[Any, ...]):
    """The values of several names: a tuple of the names, and then each value."""


class Parts(NamedTuple):
    """A container as Python writes it, of a long one only the ends."""

    kind: type
    opening: str
    labels: list[str]
    entries: list[Any]
    closing: str
    size: int


def parts_of(value: Any) -> Parts | None:
    """The parts of a container, or None: whatever else it is, it says so itself."""
    kind = type(value)
    if kind is Several:
        names, *entries = value
        return _parts(kind, "", entries, "", [f"{name}: " for name in names])
    shown_by: Any = kind.__repr__
    if is_a(value, dict) and shown_by in _DICTS:
        opening, closing = ("{", "}")
        if shown_by is not dict.__repr__:
            opening, closing = f"{kind.__name__}({{", "})"
        size = dict.__len__(value)
        keys = _ends(dict.keys(value), size)
        entries = _ends(dict.values(value), size)
        labels = [f"{cut(without_addresses(repr(key)))}: " for key in keys]
        return Parts(kind, opening, labels, entries, closing, size)
    if is_a(value, tuple) and hasattr(kind, "_fields"):
        names = [f"{name}=" for name in kind._fields]
        return _parts(kind, f"{kind.__name__}(", value, ")", names)
    if is_a(value, (list, tuple)) and shown_by in _LISTS:
        if is_a(value, list):
            return _parts(kind, "[", value, "]")
        return _parts(kind, "(", value, ",)" if tuple.__len__(value) == 1 else ")")
    if is_plain_dataclass(value):
        names = [f.name for f in dataclasses.fields(kind) if f.repr]
        held = tuple(field_of(value, name) for name in names)
        labels = [f"{name}=" for name in names]
        return _parts(kind, f"{kind.__name__}(", held, ")", labels)
    return None


def _parts(
    kind: type, opening: str, entries: Any, closing: str, labels: Any = None
) -> Parts:
    plain: Any = list if is_a(entries, list) else tuple
    size = plain.__len__(entries)
    if size > WHOLE:
        first = plain.__getitem__(entries, slice(EDGE))
        shown = [*first, *plain.__getitem__(entries, slice(-EDGE, None))]
    else:
        shown = [*plain.__iter__(entries)]
    names = _ends(labels, size) if labels else [""] * len(shown)
    return Parts(kind, opening, names, shown, closing, size)


def _ends(entries: Iterable[Any], size: int) -> list[Any]:
    """All of a few entries, or those at both ends."""
    if size <= WHOLE:
        return [*entries]
    reverse = reversed(entries)  # type: ignore[call-overload]
    return [*islice(entries, EDGE), *[*islice(reverse, EDGE)][::-1]]
