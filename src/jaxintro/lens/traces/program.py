"""`traces_of_program`: every compilation of a region, how long it took, and why."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jaxintro.lens.compilations import Stage, log_of, stages
from jaxintro.lens.files import Place, user_place
from jaxintro.lens.page import WIDTH, plural, preformatted, wrapped
from jaxintro.lens.traces.cache_miss import causes_of, function_of
from jaxintro.lens.traces.causes import Cause, type_changes

TRACED = "traced before"  # stands for an account where there was no trace
TYPE = re.compile(r"ShapedArray\(([^()]*)\)")


@dataclass(frozen=True)
class Compilation:
    """One program that JAX compiled.

    Attributes:
        name: of the function.
        seconds: to trace it, to lower it and to compile it.
        causes: why it was not found among the earlier ones.
        types: of its arguments, such as `"float32[3]"`.
        file: where the user's code asked for it; empty where that is not known.
        line: the line in `file`.
    """

    name: str
    seconds: float
    causes: tuple[Cause, ...]
    types: tuple[str, ...]
    file: str = ""
    line: int = 0

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kind of each cause: `("shape",)`."""
        return tuple(cause.kind for cause in self.causes)

    def __str__(self) -> str:
        place = f", line {self.line} of {Path(self.file).name}" if self.file else ""
        lines = wrapped(f"{self.name}{place}: {duration(self.seconds)}", rest="  ")
        for cause in self.causes:
            lines += wrapped(str(cause), "  ", "    ", WIDTH - 5)
        return "\n".join(lines)


@dataclass
class Compilations:
    """What was compiled in a region; see `traces_of_program`."""

    log: list[Compilation] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many programs were compiled."""
        return len(self.log)

    @property
    def seconds(self) -> float:
        """How long all of it took."""
        return sum(each.seconds for each in self.log)

    def __iter__(self) -> Iterator[Compilation]:
        return iter(self.log)

    def __len__(self) -> int:
        return len(self.log)

    def __str__(self) -> str:
        head = plural(self.count, "compilation")
        lines = [f"{head}, {duration(self.seconds)}" if self.log else head]
        for number, each in enumerate(self.log, 1):
            lines.append(f"{number:3}  " + str(each).replace("\n", "\n     "))
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return preformatted(str(self))


def duration(seconds: float) -> str:
    """A time in seconds or milliseconds."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


class Pending:
    """What one thread has told of a compilation that is not finished yet."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.misses: dict[str, str] = {}
        self.types: tuple[str, ...] = ()


class Watch:
    """Puts together what JAX tells, in pieces, of each compilation."""

    def __init__(self, found: Compilations):
        self.found = found
        self.pending: dict[int, Pending] = {}
        self.known: set[str] = set()  # the functions that were traced

    def here(self) -> Pending:
        """What is pending in this thread."""
        return self.pending.setdefault(threading.get_ident(), Pending())

    def read(self, message: str) -> None:
        """A line of JAX's log: why a trace was not found, or the types of arguments."""
        if message.startswith("TRACING CACHE MISS"):
            self.here().misses[function_of(message)[0]] = message
        elif message.startswith("Compiling"):
            self.here().types = tuple(map(tidy, TYPE.findall(message)))

    def hear(self, stage: Stage) -> None:
        """The end of a stage; after the last one the compilation is complete."""
        name = bare(stage.name)
        pending = self.here()
        traced = name in pending.seconds or stage.stage == "tracing"
        pending.seconds[name] = pending.seconds.get(name, 0.0) + stage.seconds
        if stage.stage == "tracing":
            return
        if stage.stage == "lowering":
            pending.misses.setdefault(name, "" if traced else TRACED)
            return
        place = user_place(sys._getframe()) or Place("", 0)
        miss = pending.misses.get(name, "")
        one = Compilation(
            name,
            pending.seconds[name],
            tuple(self.causes(name, miss, pending.types)),
            pending.types,
            place.file,
            place.line,
        )
        self.pending[threading.get_ident()] = Pending()
        self.found.log.append(one)

    def causes(self, name: str, miss: str, types: tuple[str, ...]) -> list[Cause]:
        """Why this was compiled: by JAX's own account, else by the types."""
        which = function_of(miss)[1]
        told = causes_of(miss)
        if told == [Cause("first")] and which in self.known:
            return [Cause("cache")]
        self.known.add(which)
        if told:
            return told
        kind = "compiled anew" if miss == TRACED else "op by op"
        earlier = [one.types for one in self.found.log if one.name == name]
        changes = type_changes(earlier[-1], types) if earlier else []
        return [Cause(kind), *changes]


def bare(name: str) -> str:
    """The name of a function: `f` of the module `jit(f)`."""
    match = re.fullmatch(r"\w+\((.*)\)", name)
    return match[1] if match else name


def tidy(text: str) -> str:
    """A type as JAX prints it elsewhere: `float32[3]`, with a tilde if it is weak."""
    kind, *more = text.split(", ")
    return ("~" if "weak_type=True" in more else "") + kind


@contextmanager
def traces_of_program() -> Iterator[Compilations]:
    """List every compilation while this is open, with its seconds and its cause.

    It is what `jax_log_compiles` and `jax_explain_cache_misses` tell, in a form that
    can be read and asserted on; nothing is printed. Programs compile whether or not
    they are jitted: an operation outside jit is a program of its own.

    Yields:
        `Compilations`: `log`, a list of `Compilation`; `count`; `seconds`; a report as
        its `str`. What other threads compile meanwhile is listed too.

    Example:
        >>> import jax, numpy as np
        >>> double = jax.jit(lambda x: 2 * x)
        >>> with traces_of_program() as seen:
        ...     for size in (2, 3, 2):
        ...         _ = double(np.ones(size))
        >>> [each.kinds for each in seen]
        [('first',), ('shape',)]
    """
    found = Compilations()
    watch = Watch(found)
    with log_of(watch.read), stages(watch.hear, any_thread=True):
        yield found
