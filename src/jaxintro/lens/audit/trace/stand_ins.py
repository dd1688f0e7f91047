"""Stand-ins for what a trace must not use up or act on: iterators, files, caches."""

from __future__ import annotations

import ast
import copy
import functools
import itertools
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import BuiltinMethodType, MethodType, MethodWrapperType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import jax

from jaxintro.lens.audit.kinds import ITERATOR, LEAK, OUTPUT, Diagnostic
from jaxintro.lens.files import Place, user_place

SOURCES: tuple[Iterable[Any], ...] = ([], (), "", b"", range(0), {}, set())
COPIED = tuple(type(iter(each)) for each in SOURCES)  # a copy leaves these in place
CACHED = type(functools.lru_cache(lambda: None))
PLAIN = frozenset({int, float, str, bytes, bool, type(None), dict, list, set})


SEALED = (  # objects of these modules act on the world outside
    "_csv.writer",
    "csv.DictWriter",
    "sqlite3",
    "socket",
    "ssl",
    "subprocess",
    "multiprocessing",
    "mmap",
    "dbm",
    "shelve",
    "zipfile",
    "tarfile",
    "ftplib",
    "smtplib",
    "http.client",
    "urllib3",
    "requests",
    "h5py",
    "zarr",
    "wandb",
    "tensorboardX",
    "matplotlib.axes",
    "matplotlib.figure",
)
KNOWN: WeakKeyDictionary[type, bool] = WeakKeyDictionary()
SEALED_BEGIN = tuple(each + "." for each in SEALED)


@dataclass
class Seen:
    """What was seen in a trace, and the streams that stand in for the user's own."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    guards: Any = None

    def note(
        self,
        kind: str,
        what: str,
        variant: str,
        place: Place | None,
        name: str = "",
        needs: str = "",
    ) -> None:
        """Add a diagnostic, if a line of the user's is to blame."""
        if place is None:
            return
        self.diagnostics.append(
            Diagnostic(
                kind,
                *place[:2],
                what,
                name,
                variant,
                needs=needs,
                column=place.column,
            )
        )


class Refused(BaseException):
    """Ends a trace that would do what cannot be put back."""


class Consumed(Refused):
    """Ends a trace that asks for the next item of the user's own iterator."""


class Sealed:
    """Stands in for an object that acts on the world: what it holds can be read."""

    def __init__(self, source: Any, name: str, seen: Seen) -> None:
        vars(self).update(_source=source, _name=name, _seen=seen)

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        what, name = "{} acts on the world outside", f"`{self._name}`"
        place = user_place(sys._getframe(1))
        self._seen.note(OUTPUT, what, "outside world", place, name)
        raise Refused(f"{name} acts on the world outside, which is not done here")

    __enter__ = __setitem__ = __delitem__ = __call__ = __next__ = _refuse
    __setattr__ = _refuse

    def __exit__(self, *error: object) -> None:
        return None

    def _write(self, *args: Any, **kwargs: Any) -> int:
        what, name = "{} writes to a file", f"`{self._name}`"
        place = user_place(sys._getframe(1))
        self._seen.note(OUTPUT, what, "output to a file", place, name)
        return 0

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._source)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._source, name)
        if name in ("writerow", "writerows", "writeheader"):
            return self._write
        return self._refuse if callable(value) else value

    def __getitem__(self, key: Any) -> Any:
        return self._source[key]

    def __len__(self) -> int:
        return len(self._source)

    def __iter__(self) -> Any:
        return iter(self._source)


class Stream:
    """Stands in for an iterator or an open file.

    Items come from a copy; where there can be none, asking for one ends the trace.
    What is written goes nowhere.
    """

    def __init__(self, source: Any, name: str, seen: Seen) -> None:
        self._source = source
        self._name = name
        self._seen = seen
        seen.streams.append(self)
        self._copy: Any = None
        self.rewind()

    def rewind(self) -> None:
        """Begin where the user's iterator stands; a counter counts on."""
        if type(self._source) is itertools.count:
            self._copy = self._copy or counted_on(self._source)
        elif isinstance(self._source, COPIED):
            self._copy = copy.copy(self._source)
        else:
            self._copy = None

    def _note(self, kind: str, what: str, variant: str = "", needs: str = "") -> None:
        place, name = user_place(sys._getframe(2)), f"`{self._name}`"
        self._seen.note(kind, what.format(name), variant, place, name, needs)

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Any:
        if type(self._source) is itertools.count:
            self._note(ITERATOR, "takes a number from the counter {}", needs="differs")
        else:
            self._note(ITERATOR, "takes items from the iterator {}")
        if self._copy is None:
            raise Consumed(self._name)
        return next(self._copy)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def write(self, text: Any) -> int:
        """Note that the user's file is written to; write nothing."""
        self._note(OUTPUT, "writes to the file {}", "output to a file")
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Note that the user's file is written to; write nothing."""
        self._note(OUTPUT, "writes to the file {}", "output to a file")

    def _give(self, *args: Any) -> Any:
        self._note(ITERATOR, "reads from {}")
        raise Consumed(self._name)

    read = readline = readlines = readinto = send = throw = _give

    def flush(self) -> None:
        """Do nothing."""

    close = flush

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


def counted_on(counter: itertools.count[Any]) -> Any:
    """A counter that goes on from where another stands; None if that is no number."""
    try:
        arguments = ast.literal_eval(repr(counter).removeprefix("count") + ",")
    except (SyntaxError, ValueError):
        return None
    inner = arguments[0]
    return itertools.count(*(inner if isinstance(inner, tuple) else (inner,)))


class Uncached:
    """Stands in for a function under functools.cache, so that nothing is kept."""

    def __init__(self, source: Any, name: str, seen: Seen) -> None:
        self._source = source
        self._name = name
        self._seen = seen

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself, and look at what the cache would keep."""
        result = self._source.__wrapped__(*args, **kwargs)
        place = user_place(sys._getframe(1))
        leaves = jax.tree.leaves(result, is_leaf=is_stream)
        if any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
            name = f"the cache of `{self._name}`"
            self._seen.note(LEAK, f"{name} keeps a tracer", "", place, name)
        return result

    def __get__(self, owner: object, cls: type | None = None) -> Any:
        return self if owner is None else MethodType(self, owner)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


def is_stream(value: object) -> bool:
    """Whether a value is an iterator or an open file."""
    return hasattr(type(value), "__next__")


def is_sealed(cls: type) -> bool:
    """Whether a class's objects act on the world: a database, a table on disk."""
    if cls not in KNOWN:
        names = (f"{base.__module__}.{base.__qualname__}." for base in cls.__mro__)
        acts = any(name.startswith(SEALED_BEGIN) for name in names)
        KNOWN[cls] = acts and not issubclass(cls, BaseException)
    return KNOWN[cls]


def stand_in(value: Any, name: str, seen: Seen) -> Any:
    """What to put in the place of a value during a trace: mostly the value itself."""
    cls = type(value)
    if cls in PLAIN:
        return value
    if cls is tuple:
        parts = tuple(stand_in(each, name, seen) for each in value)
        same = all(a is b for a, b in zip(parts, value, strict=True))
        return value if same else parts
    if issubclass(cls, Stream | Uncached | Sealed | type | ModuleType):
        return value
    if is_sealed(cls):
        return Sealed(value, name, seen)
    if is_stream(value):
        return Stream(value, name, seen)
    if isinstance(value, CACHED):
        return Uncached(value, name, seen)
    if isinstance(value, MethodWrapperType) and value.__name__ == "__next__":
        return Stream(value.__self__, name, seen).__next__
    if isinstance(value, MethodType | BuiltinMethodType):
        owner = value.__self__
        if is_sealed(type(owner)):
            return getattr(Sealed(owner, name, seen), value.__name__)
    return seen.guards.of.get(id(value), value) if seen.guards else value
