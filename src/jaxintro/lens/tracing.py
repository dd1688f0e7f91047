"""`traces`: count the traces of a function."""

import functools
from collections.abc import Callable
from typing import Any


class Traces:
    """A function that counts how often its Python code runs."""

    def __init__(self, function: Callable[..., Any]):
        functools.update_wrapper(self, function)
        self.count = 0
        self.log: list[str] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        self.count += 1
        return self.__wrapped__(*args, **kwargs)


def traces(function: Callable[..., Any]) -> Traces:
    """Wrap a function so that its traces are counted."""
    return Traces(function)
