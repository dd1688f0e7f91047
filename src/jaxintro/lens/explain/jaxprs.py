"""What stands in a jaxpr: its equations, counted through every nested call.

A call such as `jit` or `custom_jvp_call` is no work of its own: what it calls is
counted instead. `scan`, `while` and `cond` count as one equation each, and what they
hold is counted too, marked if it lies in a loop.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax.extend.core as jex

IN_A_LOOP = " (in a loop)"

LOOPS = frozenset({"scan", "while"})
# These hold a jaxpr that combines two scalars: a part of the one operation, as the
# addition is a part of `reduce_sum`, and not an equation of its own.
COMBINERS = ("reduce", "scatter", "select_and_scatter", "pallas_call")


def inner(jaxpr: Any) -> Any:
    """The open jaxpr of a jaxpr that may be closed over constants."""
    # From jax 0.12 a closed jaxpr is a jaxpr, and has itself as `.jaxpr`.
    return jaxpr.jaxpr if isinstance(jaxpr, jex.ClosedJaxpr) else jaxpr


def nested(equation: Any) -> list[Any]:
    """The jaxprs that an equation calls, in the order of its parameters."""
    if equation.primitive.name.startswith(COMBINERS):
        return []
    items: list[Any] = []
    for value in equation.params.values():
        items += value if isinstance(value, tuple | list) else [value]
    return [inner(i) for i in items if isinstance(i, jex.ClosedJaxpr | jex.Jaxpr)]


def is_call(equation: Any) -> bool:
    """Whether an equation only calls another jaxpr, and is no work of its own."""
    name = equation.primitive.name
    return name not in LOOPS and name != "cond" and bool(nested(equation))


def walk(
    equations: Iterable[Any], in_a_loop: bool = False
) -> Iterator[tuple[Any, bool]]:
    """Each equation that is work, with whether it lies in a loop, in program order."""
    for equation in equations:
        if not is_call(equation):
            yield equation, in_a_loop
        repeats = in_a_loop or equation.primitive.name in LOOPS
        for body in nested(equation):
            yield from walk(body.eqns, repeats)


def count(equations: Iterable[Any], in_a_loop: bool = False) -> dict[str, int]:
    """How many equations of which primitive; those in a loop have a key of their own.

    An equation in a loop is counted once, however often the loop turns.
    """
    counts: dict[str, int] = {}
    for equation, repeats in walk(equations, in_a_loop):
        name = equation.primitive.name + (IN_A_LOOP if repeats else "")
        counts[name] = counts.get(name, 0) + 1
    return counts


def opened(jaxpr: Any) -> Any:
    """A jaxpr that is nothing but one call of a jitted function: what that one does."""
    jaxpr = inner(jaxpr)
    while (within := opened_once(jaxpr)) is not None:
        jaxpr = within
    return jaxpr


def opened_once(jaxpr: Any) -> Any:
    """What stands in the one call of a jitted function that a jaxpr is; else None."""
    if len(jaxpr.eqns) == 1 and jaxpr.eqns[0].primitive.name in ("jit", "pjit"):
        return nested(jaxpr.eqns[0])[0]
    return None


def variables(atoms: Iterable[Any]) -> list[Any]:
    """The variables among these atoms, literals left out, each once."""
    return list(dict.fromkeys(a for a in atoms if not isinstance(a, jex.Literal)))


def alone(equation: Any, jaxpr: Any) -> tuple[Callable[..., Any], list[Any]]:
    """One equation of `jaxpr` as a function, and the abstract values it takes."""
    inputs = variables(equation.invars)
    single = inner(jaxpr).replace(
        constvars=[], invars=inputs, outvars=equation.outvars, eqns=[equation]
    )
    return jex.jaxpr_as_fun(jex.ClosedJaxpr(single, [])), [v.aval for v in inputs]


def dead(jaxpr: Any) -> dict[str, int]:
    """The equations whose results nothing needs, counted as in `count`.

    Tracing writes them down; they are dropped on the way to machine code. What is
    carried through a `while` is taken as needed.
    """
    jaxpr = inner(jaxpr)
    counts: dict[str, int] = {}
    for equations, in_a_loop in unneeded(jaxpr, [True] * len(jaxpr.outvars))[0]:
        for name, times in count(equations, in_a_loop).items():
            counts[name] = counts.get(name, 0) + times
    return counts


Dead = list[tuple[list[Any], bool]]


def unneeded(
    jaxpr: Any, wanted: list[bool], in_a_loop: bool = False
) -> tuple[Dead, list[bool]]:
    """The dead equations, and which inputs the wanted outputs need."""
    needed = set(variables(v for v, w in zip(jaxpr.outvars, wanted, strict=True) if w))
    found: Dead = []
    for equation in reversed(jaxpr.eqns):
        outputs = [v in needed for v in equation.outvars]
        if not any(outputs) and not equation.effects:
            found.append(([equation], in_a_loop))
            continue
        inside, inputs = within(equation, outputs, in_a_loop)
        found += inside
        used = zip(equation.invars, inputs, strict=True)
        needed.update(variables(v for v, is_used in used if is_used))
    return found[::-1], [v in needed for v in jaxpr.invars]


def within(
    equation: Any, wanted: list[bool], in_a_loop: bool
) -> tuple[Dead, list[bool]]:
    """The same inside an equation that is itself needed."""
    name, bodies = equation.primitive.name, nested(equation)
    inputs = [True] * len(equation.invars)
    if name == "scan":
        return within_scan(equation, bodies[0], wanted)
    if name == "cond":
        results = [unneeded(body, wanted, in_a_loop) for body in bodies]
        branches = [any(used) for used in zip(*(r[1] for r in results), strict=True)]
        return [d for r in results for d in r[0]], [True, *branches]
    if name in ("jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call"):
        return unneeded(bodies[0], wanted, in_a_loop)
    found: Dead = []
    for body in bodies:
        repeats = in_a_loop or name in LOOPS
        found += unneeded(body, [True] * len(body.outvars), repeats)[0]
    return found, inputs


def within_scan(
    equation: Any, body: Any, wanted: list[bool]
) -> tuple[Dead, list[bool]]:
    """The same inside a scan: a carry is needed if a needed output grows from it."""
    # The parameters that tell the parts apart differ between versions of JAX; that
    # what is scanned over has one axis more outside than inside is the same in all.
    carries = same_shape(equation.outvars, body.outvars)
    first = same_shape(equation.invars, body.invars) - carries
    carried = wanted[:carries]
    while True:
        found, inputs = unneeded(body, carried + wanted[carries:], in_a_loop=True)
        feeding = inputs[first : first + carries]
        grown = [a or b for a, b in zip(carried, feeding, strict=True)]
        if grown == carried:
            return found, inputs
        carried = grown


def same_shape(outside: list[Any], inside: list[Any]) -> int:
    """How many variables have the same shape outside a body and inside it."""
    pairs = zip(outside, inside, strict=True)
    return sum(a.aval.shape == b.aval.shape for a, b in pairs)
