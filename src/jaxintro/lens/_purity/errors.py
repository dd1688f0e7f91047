"""What an exception during a trace says about purity."""

from __future__ import annotations

import ast
import re
import types
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp

from jaxintro.lens._purity.clues import code, in_place
from jaxintro.lens._purity.files import user_line_of_traceback
from jaxintro.lens._purity.function import UserFunction, last_name
from jaxintro.lens._purity.lines import at, first_line
from jaxintro.lens._purity.words import (
    BRANCH,
    IN_PLACE,
    LEAK,
    NUMPY,
    OUTPUT,
    SHAPE,
    Clue,
)

IMMUTABLE = ("JAX arrays are immutable", "__delitem__", "Tracer has no attribute fill")
SHAPES = (
    "must be statically",
    "Shapes must be 1D",
    "size argument",
    "static start/stop/step",
    "Slice entries must be static",
    "argument of jnp",
    "jnp.arange argument",
    "argument `num_cl",
    "value of parameter shape",
)


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception, what caused it, and so on."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def kind_of(error: BaseException) -> str:
    """The kind of finding that an exception stands for, "" if it is none of ours."""
    text = str(error)
    errors = jax.errors
    if isinstance(error, errors.TracerArrayConversionError):
        return NUMPY
    if isinstance(error, errors.UnexpectedTracerError):
        return LEAK
    if isinstance(error, errors.NonConcreteBooleanIndexError):
        return SHAPE
    of_shape = isinstance(error, TypeError | IndexError)  # JAX's own are both
    if of_shape and any(fragment in text for fragment in SHAPES):
        return SHAPE
    if isinstance(error, ValueError) and "Non-hashable static arguments" in text:
        return BRANCH if "Tracer" in text or "partial_eval" in text else ""
    concrete = errors.ConcretizationTypeError | errors.TracerIntegerConversionError
    if isinstance(error, concrete):
        return BRANCH
    refused = isinstance(error, TypeError | AttributeError)
    if refused and any(fragment in text for fragment in IMMUTABLE):
        return IN_PLACE
    if isinstance(error, TypeError) and re.search("unhashable type: '.*Tracer'", text):
        return BRANCH
    if isinstance(error, TypeError) and "Tracer.__format__" in text:
        return OUTPUT
    return ""


def clue_of(error: BaseException, functions: list[UserFunction]) -> Clue | None:
    """The clue that an exception gives, or None if it is no matter of purity."""
    where = user_line_of_traceback(error.__traceback__)
    known = [(kind_of(each), each) for each in causes(error) if kind_of(each)]
    if where is None or not known:
        return None
    kind, cause = known[0]
    filename, line = where
    function, statement = at(functions, filename, line)
    if function is None or statement is None:
        return Clue(kind, filename, line, "this line needs more than a tracer has")
    if kind is IN_PLACE:
        return in_place(function, statement, needs="")
    if kind is BRANCH and python_function(function, statement, math_only=True):
        kind = NUMPY
    what, variant, cure = f"{condition(statement)} needs the value of a tracer", "", ""
    if kind is LEAK:
        what, variant = f"{code(statement)} uses", "use of a leaked tracer"
        what += " a tracer that has left its function"
    elif kind is SHAPE:
        what = f"{condition(statement)} has a shape that depends on values"
    elif kind is NUMPY:
        found = python_function(function, statement)
        what = f"{found or condition(statement)} needs numbers, and gets a tracer"
        member = found.strip("`").rpartition(".")[2]
        cure = f"Use jnp.{member}." if found and hasattr(jnp, member) else ""
    elif kind is OUTPUT:
        what = f"{code(statement)} formats a tracer as a number"
        variant = "format of a tracer"
    else:
        cure = way_out(statement)
    return Clue(
        kind,
        filename,
        first_line(functions, filename, line),
        what,
        variant=variant,
        cure=cure,
        error=type(cause).__name__,
    )


def condition(statement: ast.AST) -> str:
    """The part of a statement that is worth quoting: `if x > 0`."""
    match statement:
        case ast.If(test=test):
            return f"`if {code(test)[1:]}"
        case ast.While(test=test):
            return f"`while {code(test)[1:]}"
        case ast.For(target=target, iter=source):
            return f"`for {code(target)[1:-1]} in {code(source)[1:]}"
    return code(statement)


def way_out(statement: ast.AST) -> str:
    """What to do instead of branching on a value."""
    match statement:
        case ast.If():
            return (
                "Use jnp.where or jax.lax.cond; if it is a Python value that chooses, "
                "name it in static_argnames."
            )
        case ast.While():
            return "Use jax.lax.while_loop."
        case ast.For():
            return "Use jax.lax.fori_loop, or name the count in static_argnames."
        case ast.Assert():
            return "Check it outside jit, or use jax.experimental.checkify."
    return ""


def python_function(
    function: UserFunction, statement: ast.AST, math_only: bool = False
) -> str:
    """The NumPy or `math` function that a statement calls: "`np.sin`"."""
    for node in ast.walk(statement):
        if not isinstance(node, ast.Call):
            continue
        value: Any = function.evaluate(node.func)
        module = str(getattr(value, "__module__", None) or "")
        if isinstance(value, types.BuiltinFunctionType) and module == "math":
            return code(node.func)
        if module.split(".")[0] in ("numpy", "scipy") and not math_only:
            return code(node.func)
        is_ufunc = type(value).__name__ == "ufunc"
        if is_ufunc and not math_only and last_name(node.func):
            return code(node.func)
    return ""
