"""What a function calls and uses: clocks, prints, logs, iterators, the world."""

from __future__ import annotations

import ast
import builtins
import io
import logging
import sys
from collections.abc import Iterator

from jaxintro.lens.audit.kinds import (
    IN_PLACE,
    ITERATOR,
    OUTPUT,
    RANDOMNESS,
    Diagnostic,
)
from jaxintro.lens.audit.rules.chance import chance
from jaxintro.lens.audit.rules.surroundings import mode_of
from jaxintro.lens.audit.source.body import last_name
from jaxintro.lens.audit.source.function import UserFunction
from jaxintro.lens.audit.source.quoting import called, code, shown, where
from jaxintro.lens.audit.source.writes import words
from jaxintro.lens.audit.trace.guards import acts_outside, is_out_of_sight

UPDATES = words("set add subtract multiply mul divide power min max apply")
LOGGED = words("debug info warning warn error critical exception fatal log handle")


def rule_chance(function: UserFunction) -> Iterator[Diagnostic]:
    """`random`, `numpy.random`, clocks: calls, and generators from outside."""
    for node, value in function.calls:
        variant = chance(value, node)
        if variant:
            name, place = code(node.func), where(function, node)
            yield Diagnostic(RANDOMNESS, *place, f"calls {name}", name, variant)


def rule_output(function: UserFunction) -> Iterator[Diagnostic]:
    """Prints, logging, and files opened to be written."""
    for node, value in function.calls:
        needs, variant = "output", OUTPUT
        if isinstance(getattr(value, "__self__", None), logging.Logger) or (
            getattr(value, "__module__", None) == "logging"
        ):
            needs = ""
            if last_name(node.func) not in LOGGED:
                continue
        elif value is builtins.open or value is io.open:
            if not set("wax+") & set(mode_of(node)):
                continue
            variant = "output to a file"
        elif value is not builtins.print and not writes_to_terminal(function, node):
            continue
        what = f"{code(node)} runs while the function is traced"
        place = where(function, node)
        yield Diagnostic(OUTPUT, *place, what, variant=variant, needs=needs)


def writes_to_terminal(function: UserFunction, node: ast.Call) -> bool:
    """Whether a call is `sys.stdout.write(…)` or the like."""
    if not isinstance(node.func, ast.Attribute) or "write" not in node.func.attr:
        return False
    stream = function.evaluate(node.func.value)
    return stream is sys.stdout or stream is sys.stderr


def rule_discarded(function: UserFunction) -> Iterator[Diagnostic]:
    """`x.at[0].set(1)` as a statement: its result is thrown away."""
    for node in function.body.nodes:
        match node:
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(
                        value=ast.Subscript(value=ast.Attribute(value=x, attr="at")),
                        attr=method,
                    )
                )
            ) if method in UPDATES:
                yield Diagnostic(
                    IN_PLACE,
                    function.filename,
                    node.lineno,
                    f"{code(node)} throws its result away",
                    code(x),
                    "discarded update",
                    cure=f"Keep the result: `{ast.unparse(x)} = {ast.unparse(node)}`",
                )


def rule_iterators(function: UserFunction) -> Iterator[Diagnostic]:
    """Iterators that come from outside and are used."""
    for node, (root, steps, owner) in function.body.outside:
        value = function.at((root, steps, owner))
        if isinstance(value, type) or not hasattr(type(value), "__next__"):
            continue
        label = function.label(root, owner)
        if label is None:
            continue
        yield Diagnostic(
            ITERATOR,
            *where(function, node),
            f"takes items from {called(label, root, steps)}",
            shown(root, steps),
            needs="stop",
        )


def rule_world(function: UserFunction) -> Iterator[Diagnostic]:
    """What acts on the world outside: files, processes, pictures."""
    for node, value in function.calls:
        if acts_outside(value):
            yield acts(function, node, needs="output")


def out_of_sight(function: UserFunction) -> Iterator[Diagnostic]:
    """What acts on the world where no guard sees it: the function is not traced."""
    for node, value in function.calls:
        if is_out_of_sight(value):
            yield acts(function, node)


def acts(function: UserFunction, node: ast.Call, needs: str = "") -> Diagnostic:
    """The diagnostic of a call that acts on the world outside."""
    return Diagnostic(
        OUTPUT,
        *where(function, node),
        f"{code(node)} acts on the world outside",
        variant="outside world",
        needs=needs,
    )
