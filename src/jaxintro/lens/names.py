"""What a function is called in a report."""

import functools
import inspect
from typing import Any


def function_name(function: Any) -> str:
    """The name of a function, of what it wraps, or of the class of an object."""
    while isinstance(function, functools.partial):
        function = function.func
    name = str(getattr(function, "__name__", "<unnamed>"))
    # This is how jit names what has no name.
    return type(inspect.unwrap(function)).__name__ if "<unnamed" in name else name
