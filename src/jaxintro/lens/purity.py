"""`audit`: is a function pure, as JAX needs it to be?

Two witnesses are heard. The source of the function, and of the user's own functions
that it refers to, shows what is read from outside and what is drawn or written. A trace
shows what really happens: what is printed, changed, leaked, and where it stops.
"""

from __future__ import annotations

import html
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxintro.lens._purity.hearing import Hearing
from jaxintro.lens._purity.source import name_of
from jaxintro.lens._purity.words import WORDS, Clue
from jaxintro.lens.follow.record import paused
from jaxintro.lens.page import WIDTH


@dataclass(frozen=True)
class Finding:
    """One thing that makes a function impure, or that jit will not take.

    Attributes:
        kind: one of "outside state", "output", "mutation", "iterator", "randomness",
            "key reuse", "leaked tracer", "in-place assignment", "value-dependent
            branch", "value-dependent shape", "NumPy on a tracer", "non-deterministic
            trace".
        line: the line in `file`.
        what: what the function does there.
        consequence: what will go wrong.
        cure: what to do instead.
        file: the file in which the line stands.
    """

    kind: str
    line: int
    what: str
    consequence: str
    cure: str
    file: str = ""

    def __str__(self) -> str:
        return self.text(f"line {self.line}")

    def text(self, place: str) -> str:
        """The finding in words, at most 70 columns wide."""
        head = textwrap.wrap(f"{place}: {self.what}", WIDTH - 4)
        rest = [*wrapped(self.consequence), *wrapped("Cure: " + self.cure)]
        return "\n".join([f"  {self.kind}", *(f"    {line}" for line in head), *rest])


@dataclass(frozen=True)
class Audit:
    """The report of an audit: false if there are no findings.

    Attributes:
        name: the function's name.
        findings: what was found, by line.
        untold: where the audit could not tell, one sentence each.
    """

    name: str
    findings: tuple[Finding, ...]
    untold: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __str__(self) -> str:
        count = len(self.findings)
        if count == 0:
            head = f"audit of {self.name}: nothing found"
        else:
            head = f"audit of {self.name}: {count} finding{'s' if count > 1 else ''}"
        notes = [line for note in self.untold for line in wrapped(note, "  Note: ", 2)]
        return "\n\n".join(
            [
                head,
                *map(self._text, self.findings),
                *(["\n".join(notes)] if notes else []),
            ]
        )

    __repr__ = __str__

    def _text(self, found: Finding) -> str:
        """A finding, with the name of its file if they stand in several."""
        one_file = len({each.file for each in self.findings}) == 1
        place = "" if one_file else f"{Path(found.file).name}, "
        return found.text(f"{place}line {found.line}")

    def _repr_html_(self) -> str:
        cells = [
            f"<tr><td>{each.line}</td><td>{html.escape(each.kind)}</td>"
            f"<td>{html.escape(each.what)}.<br>{html.escape(each.consequence)}<br>"
            f"<b>Cure:</b> {html.escape(each.cure)}</td></tr>"
            for each in self.findings
        ]
        head = html.escape(str(self).split("\n")[0])
        table = f"<table>{''.join(cells)}</table>" if cells else ""
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.untold)
        return f"<p>{head}</p>{table}" + (f"<ul>{notes}</ul>" if notes else "")


def wrapped(text: str, first: str = "    ", indent: int = 4) -> list[str]:
    """A paragraph in at most 70 columns."""
    later = " " * (indent + 2)
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=later)


def finding(clue: Clue) -> Finding:
    """A clue in words."""
    consequence, cure = WORDS[clue.variant or clue.kind]
    name = clue.name or "it"
    bare = name.strip("`")
    return Finding(
        clue.kind,
        clue.line,
        clue.what,
        consequence.replace("{name}", name).replace("{error}", clue.error),
        clue.cure or cure.replace("{name}", name).replace("{bare}", bare),
        clue.filename,
    )


@paused()
def audit(
    f: Callable[..., Any],
    /,
    *args: Any,
    static_argnums: int | tuple[int, ...] = (),
    static_argnames: str | tuple[str, ...] = (),
    **kwargs: Any,
) -> Audit:
    """Look for what makes `f` impure: what jit would freeze, drop, repeat or refuse.

    `f` is traced on abstract values, as by `jax.jit(f)(*args, **kwargs)`, at most
    twice, never on the data itself; nothing is compiled. What it prints or writes is
    caught. Globals, closures, containers, objects of the user's classes, the
    environment and random states are put back; iterators and open files are not
    touched. What would delete files or start programs is only read.

    Read are the source of `f` and of the user's own functions that it refers to (200
    at most), no installed library's. A global, a closed-over variable or an attribute
    counts as state only where the source shows that something changes it.

    Args:
        f: any callable: plain, jitted, vmapped, differentiated, partial, a method.
        *args: what it would be called with; arrays may be `jax.ShapeDtypeStruct`.
        static_argnums: positions that jit is to hold static.
        static_argnames: names that jit is to hold static.
        **kwargs: keyword arguments of `f`.

    Returns:
        An `Audit`, false if nothing was found. An exception of the function's own that
        is no matter of purity stands in `untold`, with its line.

    Raises:
        TypeError: `f` is not callable, or the arguments do not fit its signature.
    """
    name = checked(f, args, kwargs)
    numbers = (static_argnums,) if isinstance(static_argnums, int) else static_argnums
    names = (static_argnames,) if isinstance(static_argnames, str) else static_argnames
    hearing = Hearing(f, args, kwargs, {*numbers, *names})
    found = in_order(hearing.clues(), hearing.home[0])
    return Audit(name, found, tuple(dict.fromkeys(hearing.untold)))


def in_order(clues: Iterable[Clue], home: str) -> tuple[Finding, ...]:
    """The findings, one of each kind a line, those in the file `home` first."""
    found: dict[tuple[str, str, int], Finding] = {}
    for clue in clues:
        found.setdefault((clue.kind, clue.filename, clue.line), finding(clue))
    return tuple(
        sorted(found.values(), key=lambda one: (one.file != home, one.file, one.line))
    )


def checked(f: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The name of `f`; a TypeError in one line if it cannot be called like this."""
    if not callable(f):
        raise TypeError(
            f"audit expects a function and its arguments, audit(f, x); the first "
            f"argument is of type {type(f).__name__}: {f!r:.60}"
        )
    name = name_of(f)
    try:
        inspect.signature(f).bind(*args, **kwargs)
    except ValueError:
        pass  # a builtin without a signature
    except TypeError as error:
        raise TypeError(f"audit needs the arguments of {name}: {error}.") from None
    return name
