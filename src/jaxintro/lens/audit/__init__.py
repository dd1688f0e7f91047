"""`audit`: is a function pure, as JAX needs it to be?

Source analysis of the function, and of the user's own functions that it refers to,
shows what is read from outside and what is drawn or written. A trace shows what really
happens: what is printed, changed, leaked, and where it stops.
"""

from __future__ import annotations

import html
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

from jaxintro.lens.audit.analysis import Analysis
from jaxintro.lens.audit.function import UserFunction
from jaxintro.lens.audit.source import name_of
from jaxintro.lens.audit.waivers import allowed, unknown
from jaxintro.lens.audit.words import TRACER, WORDS, Diagnostic
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
        head = wrapped(f"{place}: {self.what}", indent=2)
        rest = [*wrapped(self.consequence), *wrapped("Cure: " + self.cure)]
        return "\n".join([f"  {self.kind}", *head, *rest])


@dataclass(frozen=True)
class Audit:
    """The report of an audit: clean, or with findings, or not traced.

    In a test write `assert audit(f, x).clean`. The report itself is true if there is
    something to look at: `if report := audit(f, x): print(report)`.

    Attributes:
        name: the function's name.
        findings: what was found, by line.
        untold: where the audit could not tell, one sentence each.
        traced: whether the function was traced to its end, with a result that jit
            takes. If not, "nothing found" says little: `untold` has the reason.
        allowed: what was found on lines with a comment such as `# audit: allow output`.
    """

    name: str
    findings: tuple[Finding, ...]
    untold: tuple[str, ...] = ()
    traced: bool = True
    allowed: tuple[Finding, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether the function was traced and nothing was found."""
        return self.traced and not self.findings

    def __bool__(self) -> bool:
        return not self.clean

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    @property
    def head(self) -> str:
        """The heading: which of the three it is."""
        count = len(self.findings)
        said = []
        if count:
            said.append(f"{count} finding{'s' if count > 1 else ''}")
        elif self.traced:
            said.append("nothing found")
        if not self.traced:
            said.append("not traced to its end")
        if self.allowed:
            said.append(f"{len(self.allowed)} allowed by a comment")
        return f"audit of {self.name}: {', '.join(said)}"

    def __str__(self) -> str:
        notes = [line for note in self.untold for line in wrapped(note, "  Note: ", 2)]
        texts = [*map(self._text, self.findings)]
        for i, text in enumerate(texts):
            if "tracer" in text:
                texts[i] = "\n".join([text, *wrapped(TRACER)])
                break
        else:
            if any("tracer" in note for note in self.untold):
                notes += wrapped(TRACER, "  Note: ", 2)
        head = "\n".join(wrapped(self.head, "", 0))
        return "\n\n".join([head, *texts, *(["\n".join(notes)] if notes else [])])

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
        table = f"<table>{''.join(cells)}</table>" if cells else ""
        told = TRACER if "tracer" in f"{cells} {self.untold}" else ""
        notes = [html.escape(note) for note in (*self.untold, told) if note]
        listed = "".join(f"<li>{note}</li>" for note in notes)
        return f"<p>{html.escape(self.head)}</p>{table}" + (
            f"<ul>{listed}</ul>" if listed else ""
        )


def wrapped(text: str, first: str = "    ", indent: int = 4) -> list[str]:
    """A paragraph in at most 70 columns; a longer word, such as a URL, stays whole."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * (indent + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


def finding(diagnostic: Diagnostic) -> Finding:
    """A diagnostic in words."""
    consequence, cure = WORDS[diagnostic.variant or diagnostic.kind]
    name = diagnostic.name or "it"
    bare = name.strip("`")
    return Finding(
        diagnostic.kind,
        diagnostic.line,
        diagnostic.what,
        consequence.replace("{name}", name).replace("{error}", diagnostic.error),
        diagnostic.cure or cure.replace("{name}", name).replace("{bare}", bare),
        diagnostic.filename,
    )


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
    caught. Globals, closures, defaults, containers, objects of the user's classes, the
    environment, settings such as `np.seterr`, and random states are put back;
    iterators and open files are not touched. What would change files, databases or
    pictures, or start programs, is noted and not done.

    Read are the source of `f` and of the user's own functions that it refers to (200
    at most), no installed library's. A global, a closed-over variable or an attribute
    counts as state only where the source shows that something changes it.

    A comment allows findings of the kinds that it names on its line, and on the rest
    of a statement that stands on several: `print(x.shape)  # audit: allow output`.

    Args:
        f: any callable: plain, jitted, vmapped, differentiated, partial, a method.
        *args: what it would be called with; arrays may be `jax.ShapeDtypeStruct`.
        static_argnums: positions that jit is to hold static.
        static_argnames: names that jit is to hold static.
        **kwargs: keyword arguments of `f`.

    Returns:
        An `Audit`: `clean` if `f` was traced and nothing was found. An exception of
        the function's own that is no matter of purity stands in `untold`, with its
        line; the report is then not clean.

    Raises:
        TypeError: `f` is not callable, or the arguments do not fit its signature.
    """
    name = checked(f, args, kwargs)
    numbers = (static_argnums,) if isinstance(static_argnums, int) else static_argnums
    names = (static_argnames,) if isinstance(static_argnames, str) else static_argnames
    with paused():
        analysis = Analysis(f, args, kwargs, {*numbers, *names})
        found = in_order(analysis.diagnostics(), analysis.home[0])
    stands, waived, notes = parted(found, analysis.reader.functions)
    untold = tuple(dict.fromkeys([*analysis.untold, *notes]))
    return Audit(name, stands, untold, analysis.traced, waived)


def parted(
    found: tuple[Finding, ...], functions: list[UserFunction]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...], list[str]]:
    """What stands, what a comment allows, and notes on comments that say nothing."""
    stands, waived, notes = list[Finding](), list[Finding](), list[str]()
    for each in found:
        kinds = allowed(functions, each.file, each.line)
        (waived if each.kind.lower() in kinds else stands).append(each)
        notes += [
            f"line {each.line} allows `{kind}`, which is no kind of finding."
            for kind in unknown(kinds)
        ]
    return tuple(stands), tuple(waived), notes


def in_order(diagnostics: Iterable[Diagnostic], home: str) -> tuple[Finding, ...]:
    """The findings, one of each kind a line, those in the file `home` first."""
    found: dict[tuple[str, str, int], Finding] = {}
    for diagnostic in diagnostics:
        found.setdefault(
            (diagnostic.kind, diagnostic.filename, diagnostic.line), finding(diagnostic)
        )
    return tuple(
        sorted(found.values(), key=lambda one: (one.file != home, one.file, one.line))
    )


def takes(f: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a wrapper takes the arguments, though what it wraps would not."""
    if not isinstance(f, FunctionType):
        return False
    try:
        inspect.signature(f, follow_wrapped=False).bind(*args, **kwargs)
    except TypeError:
        return False
    return True


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
        if takes(f, args, kwargs):
            return name
        raise TypeError(f"audit needs the arguments of {name}: {error}.") from None
    return name
