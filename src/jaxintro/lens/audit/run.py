"""One audit from the call to the report: what is checked, found, allowed, and said."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable
from types import FunctionType
from typing import Any

from jaxintro.lens.audit.analysis import Analysis
from jaxintro.lens.audit.kinds import Diagnostic
from jaxintro.lens.audit.report import Audit, Finding, finding
from jaxintro.lens.audit.source.function import UserFunction
from jaxintro.lens.audit.source.reader import name_of
from jaxintro.lens.audit.waivers import allowed, unknown
from jaxintro.lens.follow.record import paused


def run(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    static: Collection[int | str],
) -> Audit:
    """See `jaxintro.lens.audit`."""
    name = checked(f, args, kwargs)
    with paused():
        analysis = Analysis(f, args, kwargs, static)
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
