"""`audit`: is a function pure, as JAX needs it to be?

Source analysis of the function, and of the user's own functions that it refers to,
shows what is read from outside and what is drawn or written. A trace shows what really
happens: what is printed, changed, leaked, and where it stops.

- `kinds.py`: the kinds of findings, with consequence and cure. A new one begins here.
- `rules/`: from source or trace to diagnostics. A rule on the source is called from
  `RULES` in `analysis.py`, one on an exception stands in `rules/errors.py`.
- `source/`: the source analysis that rules ask.
- `trace/`: the trace, what is guarded and put back around it.
- `analysis.py`, `run.py`: one audit, inside and outside; `waivers.py`: the comments
  that allow a finding; `report.py`: how it is said.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxintro.lens.audit.report import Audit, Finding

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
    # What it needs is loaded when it is first called: some thirty modules.
    from jaxintro.lens.audit.run import run

    numbers = (static_argnums,) if isinstance(static_argnums, int) else static_argnums
    names = (static_argnames,) if isinstance(static_argnames, str) else static_argnames
    return run(f, args, kwargs, {*numbers, *names})
