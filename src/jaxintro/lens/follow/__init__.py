"""`follow`: a function's own lines, and beside each what it gave.

`source.py` and `rewrite.py` make code that reports on itself, `record.py` puts it in
place of a function's own, `recorder.py` writes down what it tells. `words.py` puts a
value into words, `table.py` and `html.py` set them beside the code.
"""

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from html import escape
from types import BuiltinFunctionType, FunctionType, MethodType, WrapperDescriptorType
from typing import Any, cast

import numpy as np

from jaxintro.lens.follow.errors import error_words
from jaxintro.lens.follow.kinds import is_a, wrapped_by
from jaxintro.lens.follow.record import recording
from jaxintro.lens.follow.said import folded
from jaxintro.lens.follow.table import Row, plain, rows, table
from jaxintro.lens.follow.words import words

__all__ = ["Followed", "follow"]


@dataclass(frozen=True, eq=False)
class Followed:
    """What a function's lines gave in one call; see `follow`."""

    name: str
    rows: tuple[Row, ...]  # its source, line by line, each with what it gave
    result: Any  # what the call returned
    error: Exception | None = None  # what it raised, where it raised
    note: str = ""  # why there are no lines, where there are none

    def __str__(self) -> str:
        width = max(60, min(120, shutil.get_terminal_size((88, 24)).columns))
        return "\n".join(self.lines(width))

    __repr__ = __str__

    def lines(self, width: int) -> list[str]:
        """The report as lines of at most this width, save code that is wider itself."""
        head = [f"{self.name}: {self.note}"] if self.note else []
        if self.rows:
            return [*_wrapped(head, width), *plain(table(self.rows, width))]
        said = error_words(self.error) if self.error else words(self.result)
        return _wrapped([*head, *said.lines], width)

    def _repr_html_(self) -> str:
        from jaxintro.lens.follow.html import code_table

        if not self.rows:
            return f"<pre>{escape(str(self))}</pre>"
        note = f"<p>{escape(self.name)}: {escape(self.note)}</p>" * bool(self.note)
        return note + code_table(self.rows)


def _wrapped(lines: list[str], width: int) -> list[str]:
    return [part for line in lines for part in folded(line, width)]


def follow(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Followed:
    """Call a function once, and show beside each of its lines what the line gave.

    Under `jax.jit`, `jax.vmap` or `jax.grad` a line gives tracers, which stand for
    numbers that JAX does not know yet: so `follow(jax.jit(f), x)` shows what JAX saw
    of f, and how often Python ran it. A function that JAX had compiled before does not
    run at all, and the report says so.

    Args:
        f: any callable; of one that jit, vmap, grad, functools.partial or a decorator
            has wrapped, the function inside is shown.
        *args: what to call it with.
        **kwargs: the same, by keyword.

    Returns:
        A report with the `rows`, the call's `result`, and the `error` that it raised,
        if it did. The call itself is the plain one: it returns, traces, prints and
        changes what it would without being followed.
        Of two threads the second waits for the first; after ten seconds it calls its
        function plainly, and the report says so.

    Raises:
        TypeError: f cannot be called.

    Example:
        >>> from jaxintro.lens import follow
        >>> def hypotenuse(a, b):
        ...     squares = a**2 + b**2
        ...     return squares**0.5
        >>> print(follow(hypotenuse, 3.0, 4.0))  # doctest: +SKIP
        def hypotenuse(a, b):     │
            squares = a**2 + b**2 │ 25.0
            return squares**0.5   │ 5.0
    """
    if not callable(f):
        raise TypeError(f"follow needs a function, not {f!r}.")
    inner = python_function(f)
    name = _name_of(f, inner)
    if inner is None:
        return _call(f, args, kwargs, name, "not written in Python: no lines to show.")
    with ExitStack() as stack:
        try:
            recorder = stack.enter_context(recording([inner]))
        except (OSError, SyntaxError, ValueError, TypeError) as error:
            why = str(error).partition("\n")[0]
            return _call(f, args, kwargs, name, f"its lines cannot be shown: {why}.")
        recorder.calling(-1, f)
        called = _call(f, args, kwargs, name, "")
    note = "" if recorder.lines else "its lines did not run in this call."
    found = tuple(rows(*recorder.shown))
    return Followed(name, found, called.result, called.error, note)


def _call(
    f: Callable[..., Any], args: Any, kwargs: Any, name: str, note: str
) -> Followed:
    try:
        return Followed(name, (), f(*args, **kwargs), note=note)
    except Exception as error:
        _forget_frames(error)
        return Followed(name, (), None, error, note)


def _forget_frames(error: BaseException | None) -> None:
    """An exception would keep alive all that was in sight where it was raised."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.__traceback__ = None
        _forget_frames(error.__cause__)
        error = error.__context__


def python_function(f: Any) -> FunctionType | None:
    """The function with Python code inside a callable, or None."""
    for _ in range(100):
        if is_a(f, partial):
            f = f.func
        elif is_a(f, MethodType):
            f = f.__func__
        elif (inner := wrapped_by(f)) is not None:
            f = inner
        elif is_a(f, FunctionType):
            return cast(FunctionType, f)
        elif is_a(f, type):
            f = f.__init__
        elif f is None or is_a(f, WrapperDescriptorType):
            return None
        else:
            f = getattr(type(f), "__call__", None)  # noqa: B004 - read, not asked
    return None


def _name_of(f: Any, inner: FunctionType | None) -> str:
    if inner is not None and not is_a(f, type):
        return inner.__name__
    named = is_a(f, (type, BuiltinFunctionType, np.ufunc))
    return str(f.__name__) if named else type(f).__name__
