"""Which random keys a jaxpr uses twice.

JAX's own checker (`jax.debug_key_reuse`) looks at typed keys only and names no line;
this one follows raw `uint32` keys as well. Two keys are the same if they were made by
the same steps from the same variable.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from jaxintro.lens.audit.source.writes import words
from jaxintro.lens.audit.trace.equations import (
    CALLS,
    inner,
    is_jaxpr,
    is_library_code,
    line_of,
    parting,
    rank,
    recipe_of,
)

USES = frozenset({"random_bits", "random_split", "random_gamma"})
MAKES = frozenset({"random_split", "random_fold_in", "random_seed"})
PARTS = words(
    """slice squeeze unstack reshape gather dynamic_slice broadcast_in_dim transpose
    convert_element_type split"""
)
SAME = frozenset({"random_wrap", "random_unwrap", "copy"})

Where = tuple[Any, ...]  # the equations on the way in, the outermost first


@dataclass(frozen=True)
class Reuse:
    """A second use of a key: where, where the first was, or in which loop."""

    line: tuple[str, int]
    first: tuple[str, int] | None


@dataclass(frozen=True)
class Value:
    """What a variable is: how it was made, and in which loops it varies.

    It is a part of `parts_of`; in a loop it runs through the whole of `source`.
    """

    name: Hashable
    parts_of: tuple[Hashable, ...] = ()
    loops: frozenset[Hashable] = frozenset()
    source: tuple[Hashable, ...] = ()


class Keys:
    """Follows every key through a jaxpr; `reuses` are the keys used twice."""

    def __init__(self) -> None:
        self.reuses: list[Reuse] = []
        self.used: dict[Hashable, Where] = {}
        self.used_in_part: dict[Hashable, Where] = {}
        self.loops: list[Hashable] = []

    def run(self, jaxpr: Any, values: list[Value], where: Where = ()) -> list[Value]:
        """Follow a jaxpr whose arguments are `values`; the values it returns."""
        of: dict[Any, Value] = dict(zip(jaxpr.invars, values, strict=True))
        for var in jaxpr.constvars:
            of[var] = Value(("constant", id(var)))

        def read(var: Any) -> Value:
            if hasattr(var, "val"):
                return Value(("literal", str(var.val)))
            return of.get(var) or Value(("unknown", id(var)))

        for equation in jaxpr.eqns:
            given = [read(var) for var in equation.invars]
            made = self.step(equation, given, (*where, equation))
            of.update(zip(equation.outvars, made, strict=True))
        return [read(var) for var in jaxpr.outvars]

    def step(self, equation: Any, given: list[Value], where: Where) -> list[Value]:
        """The values that one equation makes."""
        name = equation.primitive.name
        bodies = [each for each in equation.params.values() if is_jaxpr(each)]
        reused = name in USES and self.use(given[0], where)
        if name == "cond":
            return self.cond(equation, given[1:], where)
        if name == "scan":
            return self.scan(inner(bodies[0]), equation, given, where)
        if name == "while":
            return self.loop(equation, given, where)
        if bodies and not equation.params.get("differentiated"):
            body = inner(bodies[0])
            if len(body.invars) == len(given):
                made = self.run(body, given, where)
                if len(made) == len(equation.outvars):
                    return made
        if name in SAME:
            return given
        if reused or name not in PARTS | MAKES:
            return self.fresh(equation, given)
        recipe = (name, recipe_of(equation), tuple(value.name for value in given))
        loops = frozenset().union(*(value.loops for value in given))
        above = (given[0].name, *given[0].parts_of) if name in PARTS else ()
        return [Value((*recipe, i), above, loops) for i in range(len(equation.outvars))]

    def fresh(self, equation: Any, given: list[Value]) -> list[Value]:
        """Values that equal no other."""
        loops = frozenset().union(*(value.loops for value in given))
        call = object()
        return [Value((call, i), (), loops) for i in range(len(equation.outvars))]

    def use(self, key: Value, where: Where) -> bool:
        """Note that a key is drawn from or split; whether it was used before."""
        first: Where | None = None
        for name in (key.name, *key.source):
            first = first or self.used.get(name) or self.used_in_part.get(name)
        for above in key.parts_of:
            first = first or self.used.get(above)
        repeated = set(self.loops) - key.loops
        if first is not None or repeated:
            self.report(first, where)
        self.used.update(dict.fromkeys((key.name, *key.source), where))
        self.used_in_part.update(dict.fromkeys(key.parts_of, where))
        return first is not None or bool(repeated)

    def report(self, first: Where | None, where: Where) -> None:
        """Note a reuse at the first equation that the two uses do not share."""
        at = 0
        if first is not None:
            while at < min(len(first), len(where)) - 1 and first[at] is where[at]:
                at += 1
        else:
            loops = ("scan", "while")
            inside = [i for i, e in enumerate(where) if e.primitive.name in loops]
            at = inside[-1] + 1
        calls = [each for each in where[:at] if each.primitive.name in CALLS]
        if any(is_library_code(each) for each in calls):
            return
        before, line = None, line_of(where[at])
        if first is not None:
            before, line = parting(first[at], where[at])
        if line is not None:
            self.reuses.append(Reuse(line, before))

    def cond(self, equation: Any, given: list[Value], where: Where) -> list[Value]:
        """The branches exclude each other: each starts from the same uses."""
        before = dict(self.used), dict(self.used_in_part)
        after: list[Any] = []
        for branch in equation.params["branches"]:
            self.used, self.used_in_part = dict(before[0]), dict(before[1])
            self.run(inner(branch), given, where)
            after.append((self.used, self.used_in_part))
        for used, used_in_part in after:
            self.used = {**used, **self.used}
            self.used_in_part = {**used_in_part, **self.used_in_part}
        return self.fresh(equation, given)

    def scan(
        self, body: Any, equation: Any, given: list[Value], where: Where
    ) -> list[Value]:
        """A scan: what its body takes is constant, carried, or one slice a round."""
        sliced = sum(
            rank(var) < rank(outer)
            for var, outer in zip(body.invars, equation.invars, strict=True)
        )
        carried = sum(
            rank(var) == rank(outer)
            for var, outer in zip(body.outvars, equation.outvars, strict=True)
        )
        constants = len(given) - sliced - carried
        self.rounds(body, constants, carried, given, where)
        return self.fresh(equation, given)

    def loop(self, equation: Any, given: list[Value], where: Where) -> list[Value]:
        """A while loop: the constants of its test, those of its body, the carry."""
        test = inner(equation.params["cond_jaxpr"])
        body = inner(equation.params["body_jaxpr"])
        carried = len(equation.outvars)
        of_test = len(test.invars) - carried
        constants = len(body.invars) - carried
        self.rounds(body, constants, carried, given[of_test:], where)
        return self.fresh(equation, given)

    def rounds(
        self,
        body: Any,
        constants: int,
        carried: int,
        given: list[Value],
        where: Where,
    ) -> None:
        """Follow the body of a loop once, knowing what varies from round to round."""
        loop = object()
        inside = list(given)
        for i, var in enumerate(body.invars):
            is_carry = constants <= i < constants + carried
            passed_on = is_carry and body.outvars[i - constants] is var
            if i >= constants and not passed_on:
                loops = given[i].loops | {loop}
                source = (given[i].name, *given[i].source)
                inside[i] = Value((loop, i), given[i].parts_of, loops, source)
        self.loops.append(loop)
        self.run(body, inside, where)
        self.loops.pop()


def reused_keys(closed: Any) -> Iterator[Reuse]:
    """The keys that a traced function uses twice."""
    jaxpr = inner(closed)
    keys = Keys()
    keys.run(jaxpr, [Value(("argument", i)) for i in range(len(jaxpr.invars))])
    yield from keys.reuses
