"""Tracers that hide in the user's data."""

from __future__ import annotations

from types import FunctionType, ModuleType
from typing import Any

import jax
import numpy as np

from jaxintro.lens._purity.boxes import box_of


def holds_tracer(value: Any, depth: int = 6) -> bool:
    """Whether a value is a tracer, or holds one."""
    if isinstance(value, jax.core.Tracer):
        return True
    if depth == 0 or isinstance(value, jax.Array | str | bytes | np.ndarray | type):
        return False
    if isinstance(value, tuple):
        return any(holds_tracer(each, depth - 1) for each in value)
    box = box_of(value)
    if box is None or isinstance(value, ModuleType | FunctionType):
        return False
    return any(holds_tracer(each, depth - 1) for each in box.read().values())
