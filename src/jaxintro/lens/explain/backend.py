"""What a backend tells of a compiled program; None wherever it does not."""

import math
from collections.abc import Callable
from typing import Any

import jax

from jaxintro.lens.explain import hlo, jaxprs


def told(ask: Callable[[], Any]) -> Any:
    """What a backend answers; None where it has no answer."""
    try:
        return ask()
    except (NotImplementedError, jax.errors.JaxRuntimeError):
        return None


def facts(compiled: Any) -> dict[str, Any]:
    """Text, kernels, costs and memory of a compiled program."""
    text = told(compiled.as_text)
    costs = told(compiled.cost_analysis) or {}
    # A list of one dict in older versions, a dict today.
    costs = costs[0] if isinstance(costs, list) else costs
    memory = told(compiled.memory_analysis)
    kernels = hlo.kernels(text)
    return {
        "compiled": text,
        "kernels": None if kernels is None else len(kernels),
        "flops": amount(costs, "flops"),
        "transcendentals": amount(costs, "transcendentals"),
        "bytes": amount(costs, "bytes accessed"),
        "temp_bytes": getattr(memory, "temp_size_in_bytes", None),
    }


def amount(costs: dict[str, float], name: str) -> float | None:
    """One cost. XLA leaves out what it did not meet, and says -1 for "unknown"."""
    value = costs.get(name, 0.0 if costs else math.nan)
    return value if value >= 0 else None


KNOWN: dict[Any, int | None] = {}  # An equation compiles but once in a process.


def eager_kernels(jaxpr: Any) -> int | None:
    """How many kernels are launched if each equation is compiled alone."""
    total = 0
    jaxpr = jaxprs.opened(jaxpr)
    for equation in jaxpr.eqns:
        # A number in the program is an argument when it runs op by op: its value does
        # not matter.
        kinds = [str(atom.aval) for atom in equation.invars]
        place = (jax.default_backend(), equation.primitive.name)
        key = (*place, str(equation.params), *kinds)
        if key not in KNOWN:
            KNOWN[key] = kernels_alone(equation, jaxpr)
        alone = KNOWN[key]
        if alone is None:
            return None
        total += alone
    return total


def kernels_alone(equation: Any, jaxpr: Any) -> int | None:
    """How many kernels XLA makes of one equation."""
    function, avals = jaxprs.alone(equation, jaxpr)
    try:
        compiled = jax.jit(function).lower(*avals).compile()
    except Exception:  # What cannot stand alone, such as a write to a reference.
        return None
    kernels = hlo.kernels(told(compiled.as_text))
    return None if kernels is None else len(kernels)
