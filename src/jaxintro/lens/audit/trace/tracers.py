"""Tracers that hide in the user's data, and the chain of things that holds one."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

import jax
import numpy as np

from jaxintro.lens.audit.source.values import MISSING, contents
from jaxintro.lens.audit.trace.boxes import box_of

DEEPEST = 6


def holds_tracer(value: Any) -> bool:
    """Whether a value is a tracer, or holds one."""
    return chain_to_tracer(value) is not None


def chain_to_tracer(value: Any, depth: int = DEEPEST) -> str | None:
    """How a tracer is reached from a value, `.cache['y'][0]`; None if none is held."""
    if isinstance(value, jax.core.Tracer):
        return ""
    if depth == 0 or isinstance(value, jax.Array | str | bytes | np.ndarray | type):
        return None
    for step, held in held_by(value):
        rest = chain_to_tracer(held, depth - 1)
        if rest is not None:
            return step + rest
    return None


def held_by(value: Any) -> Iterator[tuple[str, Any]]:
    """What a value holds, each with the step that leads to it."""
    if isinstance(value, tuple):
        for i, each in enumerate(value):
            yield f"[{i}]", each
    elif isinstance(value, functools.partial):
        for i, each in enumerate((*value.args, *value.keywords.values())):
            yield f".args[{i}]", each
    elif isinstance(value, FunctionType):
        for name, cell in zip(
            value.__code__.co_freevars, value.__closure__ or (), strict=True
        ):
            if contents(cell) is not MISSING:
                yield f" (its closed-over {name})", contents(cell)
    elif not isinstance(value, ModuleType):
        box = box_of(value)
        by_key = isinstance(value, dict) or (box is not None and box.whole)
        for key, each in (box.read() if box is not None else {}).items():
            if isinstance(value, set):
                yield " (an element)", key
            else:
                yield (f"[{key!r}]" if by_key else f".{key}"), each
