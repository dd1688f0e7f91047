"""Who races: names, what can be called, and whose an error is."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from jaxintro.lens.files import theirs
from jaxintro.lens.names import function_name

Contestants = (
    Mapping[str, Callable[..., Any]] | Sequence[Callable[..., Any]] | Callable[..., Any]
)


def named(contestants: Contestants, args: tuple[Any, ...]) -> dict[str, Any]:
    """Return name → callable, or say what is wrong with the contestants."""
    if callable(contestants):
        if any(map(callable, args)):
            raise TypeError("race takes its contestants together: race([f, g], x)")
        contestants = [contestants]
    if isinstance(contestants, Mapping):
        chosen = dict(contestants)
    elif isinstance(contestants, Sequence) and not isinstance(contestants, str):
        chosen = {}
        for function in contestants:
            chosen[_unused(function_name(function), chosen)] = function
    else:
        raise TypeError(
            "race takes a dict or a sequence of callables, "
            f"not {type(contestants).__name__}: race({{'f': f, 'g': g}}, x)"
        )
    if not chosen:
        raise ValueError("race needs at least one contestant, and was given none")
    for name, function in chosen.items():
        if not isinstance(name, str):
            raise TypeError(f"a contestant's name is a string, not {name!r}")
        if not callable(function):
            raise TypeError(f"contestant {name!r} is not callable: {function!r}")
        _accepts(name, function, args)
    return chosen


def _unused(name: str, taken: dict[str, Any]) -> str:
    number, unused = 1, name
    while unused in taken:
        number += 1
        unused = f"{name} {number}"
    return unused


def _accepts(name: str, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # built-in functions need not tell
        return
    try:
        signature.bind(*args)
    except TypeError as error:
        given = ", ".join(["race(contestants", *("..." for _ in args)]) + ")"
        raise TypeError(
            f"contestant {name}{signature} does not take the arguments of {given}: "
            f"{error}"
        ) from None


@contextmanager
def blamed(name: str, function: Callable[..., Any]) -> Iterator[None]:
    """Add to an error the name of the contestant and the line that raised it."""
    try:
        yield
    except Exception as error:
        place = _line_of(function, theirs(error.__traceback__))
        error.add_note(f"raised by contestant {name!r} of the race{place}")
        raise


def _line_of(function: Any, traceback: TracebackType | None) -> str:
    """Return the innermost line in the function's own file, else the outermost."""
    source = getattr(inspect.unwrap(function), "__code__", None)
    place = ""
    while traceback:
        code = traceback.tb_frame.f_code
        if not place or (source and code.co_filename == source.co_filename):
            place = f", {code.co_filename}, line {traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place
