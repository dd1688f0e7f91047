"""`audit`: is a function pure, as JAX needs it to be?

Source analysis of the function, and of the user's own functions that it refers to,
shows what is read from outside and what is drawn or written. A trace shows what really
happens: what is printed, changed, leaked, and where it stops.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from jaxintro.lens.audit.analysis import Analysis
from jaxintro.lens.audit.kinds import Diagnostic
from jaxintro.lens.audit.report import Audit, Finding, finding
from jaxintro.lens.audit.source.function import UserFunction
from jaxintro.lens.audit.source.reader import name_of
from jaxintro.lens.audit.waivers import allowed, unknown
from jaxintro.lens.follow.record import paused

__all__ = ["Audit", "Finding", "audit"]


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
