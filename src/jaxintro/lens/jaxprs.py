"""What stands in a jaxpr: its equations, counted through every nested call.

A call such as `jit` or `custom_jvp_call` is no work of its own: what it calls is
counted instead. `scan`, `while` and `cond` count as one equation each, and what they
hold is counted too, marked if it lies in a loop.
"""

from collections.abc import Callable, Iterator
from typing import Any

import jax.extend.core as jex

IN_A_LOOP = " (in a loop)"

LOOPS = frozenset({"scan", "while"})
# These hold a jaxpr that combines two scalars: a part of the one operation, as the
# addition is a part of `reduce_sum`, and not an equation of its own.
COMBINERS = frozenset(
    {
        "reduce",
        "reduce_window",
        "scatter",
        "scatter-add",
        "scatter-sub",
        "scatter-mul",
        "scatter_mul",
        "scatter-min",
        "scatter_min",
        "scatter-max",
        "scatter_max",
        "scatter-apply",
        "scatter_apply",
        "select_and_scatter",
        "pallas_call",
    }
)


def inner(jaxpr: Any) -> Any:
    """The open jaxpr of a jaxpr that may be closed over constants."""
    # From jax 0.12 a closed jaxpr is a jaxpr, and has itself as `.jaxpr`.
    return jaxpr.jaxpr if isinstance(jaxpr, jex.ClosedJaxpr) else jaxpr


def nested(equation: Any) -> list[Any]:
    """The jaxprs that an equation calls, in the order of its parameters."""
    if equation.primitive.name in COMBINERS:
        return []
    found = []
    for value in equation.params.values():
        for item in value if isinstance(value, tuple | list) else (value,):
            if isinstance(item, jex.ClosedJaxpr | jex.Jaxpr):
                found.append(inner(item))
    return found


def is_call(equation: Any) -> bool:
    """Whether an equation only calls another jaxpr, and is no work of its own."""
    name = equation.primitive.name
    return bool(nested(equation)) and name not in LOOPS and name != "cond"


def walk(jaxpr: Any, in_a_loop: bool = False) -> Iterator[tuple[Any, bool]]:
    """Each equation that is work, with whether it lies in a loop, in program order."""
    for equation in inner(jaxpr).eqns:
        if not is_call(equation):
            yield equation, in_a_loop
        repeats = in_a_loop or equation.primitive.name in LOOPS
        for body in nested(equation):
            yield from walk(body, repeats)


def count(jaxpr: Any) -> dict[str, int]:
    """How many equations of which primitive; those in a loop have a key of their own.

    An equation in a loop is counted once, however often the loop turns.
    """
    counts: dict[str, int] = {}
    for equation, in_a_loop in walk(jaxpr):
        name = equation.primitive.name + (IN_A_LOOP if in_a_loop else "")
        counts[name] = counts.get(name, 0) + 1
    return counts


def inputs(equation: Any) -> list[Any]:
    """The variables that an equation reads, literals left out, each once."""
    variables = [v for v in equation.invars if not isinstance(v, jex.Literal)]
    return list(dict.fromkeys(variables))


def alone(equation: Any, jaxpr: Any) -> tuple[Callable[..., Any], list[Any]]:
    """One equation of `jaxpr` as a function, and the abstract values it takes."""
    variables = inputs(equation)
    single = inner(jaxpr).replace(
        constvars=[], invars=variables, outvars=equation.outvars, eqns=[equation]
    )
    return jex.jaxpr_as_fun(jex.ClosedJaxpr(single, [])), [v.aval for v in variables]
