"""`traces`: how often a function is traced, and why each time.

A cause of a retrace stands in `causes.py`: its kind and its words in `Cause`, and how
it is found in two calls' `signatures.py`. `cache_miss.py` reads the same causes from
JAX's own account, for `traces_of_program` in `program.py`. `watching.py` sees whether
Python ran.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from types import FunctionType, MethodType
from typing import Any

from jaxintro.lens.names import function_name
from jaxintro.lens.page import WIDTH, preformatted, wrapped
from jaxintro.lens.traces.causes import Cause, differences, distance
from jaxintro.lens.traces.signatures import (
    Signature,
    named,
    settle,
    sign,
)
from jaxintro.lens.traces.watching import Run, innermost_code, run_on, watched


@dataclass(frozen=True)
class Trace:
    """One trace: its number, and what made it necessary."""

    number: int
    causes: tuple[Cause, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kind of each cause: `("shape",)`."""
        return tuple(cause.kind for cause in self.causes)

    def __str__(self) -> str:
        each = [wrapped(str(cause), width=WIDTH - 5) for cause in self.causes]
        lines = [line for lines in each for line in lines]
        return f"{self.number:3}  " + "\n     ".join(lines)


class Traces:
    """A function that records each of its traces; see `traces`."""

    def __init__(self, function: Callable[..., Any]):
        update_wrapper(self, function)
        self.log: list[Trace] = []
        self.traces = self  # jit hands a function's attributes on: `f.traces.count`
        self._function = function
        self._name = function_name(function)
        self._code = innermost_code(function)
        self._earlier: list[Signature] = []

    @property
    def count(self) -> int:
        """How many traces there were."""
        return len(self.log)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function; if it was traced in the course of it, say why."""
        arguments = named(self._function, args, kwargs)
        signature = sign(arguments)
        if self._is_plain:
            result = self._function(*args, **kwargs)
            values = {name: value for name, (value, _) in arguments.items()}
            runs = [run_on(values, result)]
        else:
            with watched(self._code) as runs:
                result = self._function(*args, **kwargs)
        for run in runs[:1]:
            self._record(settle(signature, arguments, run.traced), run)
        return result

    @property
    def _is_plain(self) -> bool:
        """Whether a call runs the Python code at once, with nothing in between."""
        function = self._function
        if isinstance(function, MethodType):
            function = function.__func__
        return isinstance(function, FunctionType) and function.__code__ is self._code

    def _record(self, signature: Signature, run: Run) -> None:
        """Write down how a call differs from the nearest earlier one."""
        again = "function object" if self._is_plain else "cache"
        if run.staged:
            # Of those equally near, the latest.
            earlier = self._earlier[::-1]
            found = [differences(old, signature) for old in earlier]
            nearest = min(found, key=distance, default=[Cause("first")])
            self._earlier.append(signature)
            self._write(nearest or [Cause(again, self._name)])
        elif run.transformed:
            self._write([Cause("not jitted", self._name)])

    def _write(self, causes: list[Cause]) -> None:
        self.log.append(Trace(self.count + 1, tuple(causes)))

    def __get__(self, instance: Any, owner: type) -> Any:
        """A method, if it was a method that was wrapped."""
        return self if instance is None else MethodType(self, instance)

    def __str__(self) -> str:
        times = "1 trace" if self.count == 1 else f"{self.count} traces"
        return "\n".join([f"{self._name}: {times}", *map(str, self.log)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return preformatted(str(self))


def traces(function: Callable[..., Any]) -> Traces:
    """Wrap a function so that its traces are counted, each with its cause.

    Under jit, as `jax.jit(traces(f))`, each run of the Python code in a trace counts;
    around it, as `traces(jax.jit(f))`, each call in which JAX traced it. Calls that
    find a compiled program, and calls of a plain function on arrays, count nothing; nor
    do those for which JAX keeps a trace of `f` from elsewhere, which concerns only the
    second form. Under grad or vmap without jit the Python code runs at every call: the
    log says so.

    Returns:
        The function, with `count`; with `log`, a list that holds for every `Trace` the
        causes that set it apart from the nearest earlier one; and with a report as its
        `str`. After `@jax.jit @traces def f(x)` they are found as `f.traces.count`.

    Raises:
        TypeError: it cannot be called.

    Example:
        >>> import jax
        >>> double = traces(jax.jit(lambda x: 2 * x))
        >>> for x in (1.0, 2.0, 3):
        ...     _ = double(x)
        >>> print(double)
        <lambda>: 2 traces
          1  the first trace
          2  x: dtype float32 -> int32
    """
    if not callable(function):
        raise TypeError(f"traces needs a function, not {function!r}.")
    return Traces(function)
