"""Watch whether the Python code of a function runs, and on what, during a call."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import CodeType, FrameType, MethodType
from typing import Any

import jax
import numpy as np

from jaxintro.lens.traces.signatures import flattened, held, is_tracer


@dataclass(frozen=True)
class Run:
    """One run of the Python code of a function.

    Attributes:
        staged: whether it wrote a program down, as under jit.
        transformed: whether it ran under grad, vmap or jit at all.
        traced: the paths of the arguments that were tracers.
    """

    staged: bool
    transformed: bool
    traced: frozenset[str]


def is_staged(tracer: Any) -> bool:
    """Whether there is a jit, or a scan, around the transformations of a tracer."""
    within = held(tracer)
    if is_tracer(within):
        return is_staged(within)
    return not isinstance(within, jax.Array | np.ndarray | np.generic | float | int)


def run_on(arguments: dict[str, Any], result: Any = None) -> Run:
    """What kind of run it was, by the arguments and the result."""
    leaves = {
        name + path: leaf
        for name, value in [*arguments.items(), ("", result)]
        for path, leaf in flattened(value)[0]
        if is_tracer(leaf)
    }
    staged = any(is_staged(tracer) for tracer in leaves.values())
    return Run(staged, bool(leaves), frozenset(leaves))


def innermost_code(function: Any) -> CodeType | None:
    """The Python code that runs in the end, within jit, vmap, partial and the like."""
    for _ in range(100):
        if isinstance(function, partial):
            function = function.func
        elif isinstance(function, MethodType):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif isinstance(code := getattr(function, "__code__", None), CodeType):
            return code
        elif callable(function):
            function = type(function).__call__
    return None


@contextmanager
def watched(code: CodeType | None) -> Iterator[list[Run]]:
    """The runs of this code in the current thread, while this is open."""
    runs: list[Run] = []
    earlier: Callable[..., Any] | None = sys.getprofile()

    def see(frame: FrameType, event: str, arg: Any) -> None:
        if event == "call" and frame.f_code is code:
            # At its call a function has no local variables but its arguments.
            runs.append(run_on(dict(frame.f_locals)))
        if earlier:
            earlier(frame, event, arg)

    # JAX tells nobody, in a way that holds for all its versions and under grad too,
    # that it traces; Python tells of every call.
    sys.setprofile(see)
    try:
        yield runs
    finally:
        sys.setprofile(earlier)
