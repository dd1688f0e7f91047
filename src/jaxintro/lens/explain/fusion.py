"""Which equations of a jaxpr XLA fused into which kernel."""

import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import jax
import jax.extend.core as jex

from jaxintro.lens.explain import hlo, jaxprs

try:
    from jax import enable_x64
except ImportError:  # before jax 0.8
    from jax.experimental import enable_x64  # type: ignore[attr-defined, no-redef]

MARK = "equation_"
MARKED = re.compile(MARK + r"(\d+)")


@dataclass(frozen=True)
class Group:
    """Equations that one kernel computes, and which kernels these are.

    Attributes:
        kernels: numbers of the kernels, from 1, in the order in which they run: one for
            a fusion, several where a single equation, such as a loop, needs them.
        equations: numbers of the equations in the jaxpr, from 0.
        name: of the first operation; for a kernel that stands for no equation, as a
            copy does, all there is to tell of it.
    """

    kernels: tuple[int, ...]
    equations: tuple[int, ...]
    name: str


def groups(jaxpr: Any) -> list[Group]:
    """The kernels of a jaxpr, each with its equations, in the order of the program.

    An equation that XLA computes in several kernels stands in the first of them; one
    that it computes in none, as it is dropped or merged with another, in no group.
    """
    found: list[Group] = []
    home: dict[int, int] = {}
    for number, kernel in enumerate(hlo.kernels(marked_program(jaxpr)) or (), 1):
        marks = {int(mark) for path in kernel.paths for mark in MARKED.findall(path)}
        new = sorted(marks - home.keys())
        if marks and not new:
            place = home[min(marks)]
            old = found[place]
            found[place] = Group((*old.kernels, number), old.equations, old.name)
        else:
            home |= dict.fromkeys(new, len(found))
            found.append(Group((number,), tuple(new), kernel.operations[0]))
    return found


def marked_program(jaxpr: Any) -> str | None:
    """The compiled text, each operation named after the equation it comes from."""
    jaxpr = jaxprs.inner(jaxpr)

    def marked(*values: Any) -> list[Any]:
        known = dict(zip([*jaxpr.constvars, *jaxpr.invars], values, strict=True))
        for number, equation in enumerate(jaxpr.eqns):
            function, _ = jaxprs.alone(equation, jaxpr)
            inputs = [known[v] for v in jaxprs.variables(equation.invars)]
            with jax.named_scope(f"{MARK}{number}"):
                known |= zip(equation.outvars, function(*inputs), strict=True)
        return [v.val if isinstance(v, jex.Literal) else known[v] for v in outputs]

    outputs = jaxpr.outvars
    avals = [v.aval for v in (*jaxpr.constvars, *jaxpr.invars)]
    with precision(jaxpr):
        compiled = jax.jit(marked).lower(*avals).compile()
    text: str | None = compiled.as_text()
    return text


def precision(jaxpr: Any) -> AbstractContextManager[Any]:
    """64 bits if the jaxpr has them, whatever JAX is set to by now."""
    variables = [v for e in jaxpr.eqns for v in e.outvars] + [*jaxpr.invars]
    wide = {"float64", "int64", "uint64", "complex128"}
    if any(str(getattr(v.aval, "dtype", "")) in wide for v in variables):
        context: AbstractContextManager[Any] = enable_x64(True)
        return context
    return nullcontext()
