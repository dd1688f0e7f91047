"""`explain`: the road that a function takes from Python to machine code."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax

from jaxintro.lens import hlo, jaxprs

PLAIN = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Explanation:
    """What JAX and XLA made of a function. What a backend does not tell is None."""

    name: str
    jaxpr: str | None
    equations: dict[str, int] | None
    stablehlo: str | None
    compiled: str | None
    kernels: int | None
    eager_kernels: int | None
    flops: float | None
    bytes: float | None
    temp_bytes: int | None
    dead: dict[str, int] | None
    closed_jaxpr: Any = field(repr=False, compare=False, default=None)

    @property
    def intensity(self) -> float | None:
        """Arithmetic intensity: flops per byte moved to or from memory."""
        if self.flops is None or not self.bytes:
            return None
        return self.flops / self.bytes


def explain(
    function: Callable[..., Any],
    *args: Any,
    static_argnums: int | tuple[int, ...] = (),
    **kwargs: Any,
) -> Explanation:
    """Trace and compile a function for these arguments, without running it."""
    if isinstance(function, jax.stages.Compiled):
        return report(str(function), None, None, function)
    if not isinstance(function, jax.stages.Wrapped) or static_argnums:
        function = jax.jit(function, static_argnums=static_argnums)
    traced = function.trace(*args, **kwargs)
    lowered = traced.lower()
    return report(traced.fun_name, traced.jaxpr, lowered.as_text(), lowered.compile())


def report(name: str, jaxpr: Any, stablehlo: str | None, compiled: Any) -> Explanation:
    """Put together what each stage tells."""
    text = compiled.as_text()
    costs = cost(compiled)
    memory = compiled.memory_analysis()
    return Explanation(
        name=name,
        jaxpr=None if jaxpr is None else str(jaxpr),
        equations=None if jaxpr is None else jaxprs.count(jaxpr),
        stablehlo=stablehlo,
        compiled=text,
        kernels=hlo.kernels(text),
        eager_kernels=None if jaxpr is None else eager_kernels(jaxpr),
        flops=costs.get("flops"),
        bytes=costs.get("bytes accessed"),
        temp_bytes=getattr(memory, "temp_size_in_bytes", None),
        dead=None,
        closed_jaxpr=jaxpr,
    )


def cost(compiled: Any) -> dict[str, float]:
    """XLA's estimate of the costs: a dict, or in older versions a list of one."""
    costs = compiled.cost_analysis()
    if isinstance(costs, list):
        costs = costs[0] if costs else {}
    return dict(costs or {})


def eager_kernels(jaxpr: Any) -> int | None:
    """How many kernels are launched if each equation is compiled alone."""
    total = 0
    known: dict[Any, int | None] = {}
    for equation in jaxprs.inner(jaxpr).eqns:
        key = (
            equation.primitive,
            str(equation.params),
            tuple(str(v.aval) if hasattr(v, "aval") else v for v in equation.invars),
        )
        if key not in known:
            function, avals = jaxprs.alone(equation, jaxpr)
            structs = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in avals]
            compiled = jax.jit(function).lower(*structs).compile()
            known[key] = hlo.kernels(compiled.as_text())
        alone = known[key]
        if alone is None:
            return None
        total += alone
    return total
