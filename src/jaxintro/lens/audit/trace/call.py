"""What tracing shows: the function is run on abstract values, at most twice."""

from __future__ import annotations

import inspect
import itertools
import sys
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np
from jax.experimental.xla_metadata import set_xla_metadata

from jaxintro.lens.audit.source.reader import is_library, layers
from jaxintro.lens.audit.trace.output import silence
from jaxintro.lens.audit.trace.stand_ins import Refused, is_stream, stand_in
from jaxintro.lens.audit.trace.state import Watch

COUNT = itertools.count()


class Asked(Exception):  # noqa: N818 - it is no error
    """jit asked for the hash of an argument: the argument is static."""


class Probe:
    """Not an array, and not to be hashed: jit refuses it before it traces anything."""

    def __hash__(self) -> int:
        raise Asked


def static_places(function: Any, args: Any, kwargs: Any) -> set[int | str]:
    """The positions and names that a jitted function holds static."""
    found: set[int | str] = set()
    for layer in layers(function):
        inner = layer.callable
        if not isinstance(inner, jax.stages.Wrapped) or not hasattr(inner, "trace"):
            continue
        first, keywords = layer.first, {**layer.keywords, **kwargs}
        for place in (*range(len(args)), *kwargs):
            given, named = list(args), dict(keywords)
            if isinstance(place, int):
                given[place] = Probe()
            else:
                named[place] = Probe()
            try:
                inner.trace(*first, *given, **named)
            except Asked:
                found.add(place)
            except Exception:  # it refuses the probe: the argument is traced
                continue
    return found


def is_array(leaf: object) -> bool:
    """Whether jit would trace a leaf: an array, a number, or the shape of one."""
    if isinstance(leaf, np.ndarray | np.generic):
        return leaf.dtype.kind not in "OSUMm"
    kinds = bool | int | float | complex | jax.Array | jax.ShapeDtypeStruct
    return isinstance(leaf, kinds) or hasattr(type(leaf), "__jax_array__")


def names_of(function: Any, args: Any, kwargs: Any) -> dict[int | str, str]:
    """The name of each argument, by its position or keyword."""
    names = {name: name for name in kwargs}
    try:
        bound = inspect.signature(function).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        return {**names, **{place: f"args[{place}]" for place in range(len(args))}}
    given = [name for name in bound if name not in kwargs]
    last = len(given) - 1
    return {**names, **{i: given[min(i, last)] for i in range(len(args))}}


class Call:
    """The function under audit with its arguments, ready to be traced."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        static: Collection[int | str],
        watch: Watch,
    ) -> None:
        self.function = function
        self.watch = watch
        self.begun = False
        self.refused = ""  # what jit would not take as a result
        self.leaves: list[Any] = []
        self.traced: list[int] = []
        self.names = names_of(function, args, kwargs)
        library = is_library(function)
        static = {*static, *static_places(function, args, kwargs)}
        paths, self.treedef = jax.tree_util.tree_flatten_with_path(
            (args, kwargs), is_leaf=is_stream
        )
        for path, leaf in paths:
            place: Any = getattr(path[1], "idx", getattr(path[1], "key", None))
            name = self.names[place]
            fixed = place in static or name in static
            fixed = fixed or (library and isinstance(leaf, int))
            if is_array(leaf) and not fixed:
                self.traced.append(len(self.leaves))
            else:
                watch.add(("argument", name), leaf)
                leaf = stand_in(leaf, name, watch.seen)
            self.leaves.append(leaf)

    def run(self, *values: Any) -> list[Any]:
        """Call the function with the traced leaves replaced; the arrays it returns."""
        self.begun = True
        leaves = list(self.leaves)
        for place, value in zip(self.traced, values, strict=True):
            leaves[place] = value
        args, kwargs = jax.tree.unflatten(self.treedef, leaves)
        for place, value in (*enumerate(args), *kwargs.items()):
            name = self.names[place]
            self.watch.add(("argument", name), value, fresh=True)
        result = self.function(*args, **kwargs)
        results = jax.tree.leaves(result, is_leaf=is_stream)
        arrays = [leaf for leaf in results if is_array(leaf)]
        if len(arrays) < len(results):
            other = next(leaf for leaf in results if not is_array(leaf))
            self.refused = f"a value of type {type(other).__name__}"
        return arrays

    def trace(self) -> tuple[Any, BaseException | None]:
        """The jaxpr, or the exception that ended the trace."""
        values = [self.leaves[place] for place in self.traced]
        guards = self.watch.seen.guards.up()
        with apart(), warnings.catch_warnings(), silence(self.watch.seen), guards:
            warnings.simplefilter("ignore")
            try:
                return jax.make_jaxpr(lambda *leaves: self.run(*leaves))(*values), None
            except (Exception, SystemExit, Refused) as error:
                return None, error


@contextmanager
def apart() -> Iterator[None]:
    """Keep a trace apart from all others.

    What JAX has traced it does not trace again. Under a mark of its own, a trace
    finds nothing in those caches, and leaves nothing there that the program would
    find.
    """
    mark: Any = set_xla_metadata
    checkify: Any = sys.modules.get("jax._src.checkify")
    numbers = getattr(checkify, "next_code", None)  # of checks, until jax 0.12
    try:
        if numbers is not None:
            checkify.next_code = itertools.count(1).__next__
        with mark(jaxintro_audit=str(next(COUNT))):
            yield
    finally:
        if numbers is not None:
            checkify.next_code = numbers
