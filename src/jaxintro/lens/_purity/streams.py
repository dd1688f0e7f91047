"""Stand-ins for what a trace must not use up: iterators, open files, caches."""

from __future__ import annotations

import copy
import functools
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import MethodType, MethodWrapperType
from typing import Any

import jax

from jaxintro.lens._purity.files import user_line
from jaxintro.lens._purity.words import ITERATOR, LEAK, OUTPUT, Clue

SOURCES: tuple[Iterable[Any], ...] = ([], (), "", b"", range(0), {}, set())
COPIED = tuple(type(iter(each)) for each in SOURCES)  # a copy leaves these in place
CACHED = type(functools.lru_cache(lambda: None))


@dataclass
class Seen:
    """What was seen in a trace, and the streams that stand in for the user's own."""

    clues: list[Clue] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)


class Consumed(BaseException):
    """Ends a trace that asks for the next item of the user's own iterator."""


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
        self.rewind()

    def rewind(self) -> None:
        """Begin where the user's iterator stands."""
        copied = isinstance(self._source, COPIED)
        self._copy = copy.copy(self._source) if copied else None

    def _note(self, kind: str, what: str, variant: str = "") -> None:
        found = user_line(sys._getframe(2))
        if found is not None:
            name = f"`{self._name}`"
            self._seen.clues.append(
                Clue(kind, *found, what.format(name), name, variant)
            )

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Any:
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


class Uncached:
    """Stands in for a function under functools.cache, so that nothing is kept."""

    def __init__(self, source: Any, name: str, seen: Seen) -> None:
        self._source = source
        self._name = name
        self._seen = seen

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself, and look at what the cache would keep."""
        result = self._source.__wrapped__(*args, **kwargs)
        found = user_line(sys._getframe(1))
        leaves = jax.tree.leaves(result, is_leaf=is_stream)
        if found and any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
            what = f"the cache of `{self._name}` keeps a tracer"
            self._seen.clues.append(
                Clue(LEAK, *found, what, f"the cache of `{self._name}`")
            )
        return result

    def __get__(self, owner: object, cls: type | None = None) -> Any:
        return self if owner is None else MethodType(self, owner)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


def is_stream(value: object) -> bool:
    """Whether a value is an iterator or an open file."""
    return hasattr(type(value), "__next__")


def stand_in(value: Any, name: str, seen: Seen) -> Any:
    """What to put in the place of a value during a trace: mostly the value itself."""
    if isinstance(value, Stream | Uncached | type):
        return value
    if is_stream(value):
        return Stream(value, name, seen)
    if isinstance(value, CACHED):
        return Uncached(value, name, seen)
    if isinstance(value, MethodWrapperType) and value.__name__ == "__next__":
        return Stream(value.__self__, name, seen).__next__
    return value
