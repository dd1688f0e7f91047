"""What the turns of loops cost: XLA's own estimate counts each loop's body once."""

import re
from collections import Counter
from typing import Any, NamedTuple

import jax
import jax.extend.core as jex

from jaxintro.lens.explain import backend, jaxprs

TRIPS = re.compile(r"known_trip_count\W+n\W+(\d+)")


class UnknownError(Exception):
    """How often a loop turns, or what a turn costs, cannot be told."""


class Costs(NamedTuple):
    """What a program does, as XLA estimates it."""

    flops: float = 0.0
    transcendentals: float = 0.0
    bytes: float = 0.0

    def plus(self, other: "Costs", times: float = 1) -> "Costs":
        """The sum of these costs and some `times` the other."""
        return Costs(*(a + times * b for a, b in zip(self, other, strict=True)))


def whole(jaxpr: Any, facts: dict[str, Any]) -> dict[str, Any]:
    """The facts of a compiled program with all turns of its loops counted.

    `turns` says whether they are: "all", or "once" where a `while` stops when it will,
    where XLA has undone a loop, or where a backend does not tell; None without a loop.
    """
    names = {equation.primitive.name for equation, _ in jaxprs.walk(jaxpr.eqns)}
    if not names & jaxprs.LOOPS:
        return {**facts, "turns": None}
    try:
        if Counter(trips(jaxpr)) - Counter(map(int, TRIPS.findall(facts["compiled"]))):
            raise UnknownError
        known = Costs(facts["flops"], facts["transcendentals"], facts["bytes"])
        return {**facts, **known.plus(left_out(jaxpr))._asdict(), "turns": "all"}
    except (UnknownError, TypeError):  # a TypeError where a cost is None
        return {**facts, "turns": "once"}


def trips(jaxpr: Any) -> list[int]:
    """How often each scan should turn in the compiled program, if it is left a loop."""
    found = []
    for equation, _ in jaxprs.walk(jaxpr.eqns):
        if equation.primitive.name == "scan":
            turns = equation.params["length"] // equation.params["unroll"]
            found += [turns] if turns > 1 else []
    return found


def left_out(jaxpr: Any) -> Costs:
    """The cost of the turns that an estimate of this program leaves out."""
    total = Costs()
    for equation in jaxpr.eqns:
        name, params = equation.primitive.name, equation.params
        inside = [left_out(body) for body in jaxprs.nested(equation)]
        if name == "while":
            raise UnknownError
        if name == "scan":
            length, unroll = params["length"], min(params["unroll"], params["length"])
            counted = unroll + length % max(unroll, 1)
            once = costs(params["jaxpr"])
            total = total.plus(once, length - counted).plus(inside[0], length)
        elif name == "cond":  # XLA counts the dearest branch
            total = total.plus(max(inside))
        else:
            for each in inside:
                total = total.plus(each)
    return total


def costs(body: Any) -> Costs:
    """What XLA says of the body of a loop on its own.

    Raises:
        UnknownError: it cannot stand alone, as where it writes to a reference.
    """
    avals = [variable.aval for variable in jaxprs.inner(body).invars]
    try:
        compiled = jax.jit(jex.jaxpr_as_fun(body)).lower(*avals).compile()
    except Exception as error:
        raise UnknownError from error
    facts = backend.facts(compiled)
    return Costs(facts["flops"], facts["transcendentals"], facts["bytes"])
