"""What an exception during a trace says about purity."""

from __future__ import annotations

import ast
import re
import types
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp

from jaxintro.lens.audit.kinds import (
    BRANCH,
    IN_PLACE,
    LEAK,
    MUTATION,
    NUMPY,
    OUTPUT,
    SHAPE,
    Diagnostic,
)
from jaxintro.lens.audit.source.body import last_name
from jaxintro.lens.audit.source.function import UserFunction
from jaxintro.lens.audit.source.lines import at, first_line
from jaxintro.lens.audit.source.quoting import code, in_place, key_of, line_of, shown
from jaxintro.lens.audit.source.values import MISSING
from jaxintro.lens.audit.source.writes import Write, words
from jaxintro.lens.files import Place, user_place_of_traceback

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
READ_ONLY = ("assignment destination is read-only", "output array is read-only")
SIZED = words(
    """tile repeat reshape zeros ones full empty arange linspace logspace eye identity
    tri broadcast_to one_hot split array_split top_k iota expand_dims squeeze moveaxis
    pad zeros_like ones_like full_like segment_sum segment_prod segment_max segment_min
    bincount nonzero argwhere unique"""
)
RESHAPED = words("reshape repeat")


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
    if isinstance(error, ValueError) and any(each in text for each in READ_ONLY):
        return MUTATION
    return ""


def diagnostic_of(
    error: BaseException, functions: list[UserFunction]
) -> Diagnostic | None:
    """The diagnostic that an exception gives, or None if it is no matter of purity."""
    where = user_place_of_traceback(error.__traceback__)
    known = [(kind_of(each), each) for each in causes(error) if kind_of(each)]
    if where is None or not known:
        return None
    kind, cause = known[0]
    function, statement = at(functions, *where)
    if function is None or statement is None:
        what = "this line needs more than a tracer has"
        return Diagnostic(kind, *where[:2], what, error=type(cause).__name__)
    if kind is IN_PLACE:
        return in_place(function, statement, needs="")
    if kind is LEAK:
        return leaked(function, statement, where)
    failing = expression_at(statement, where)
    if kind in (BRANCH, NUMPY) and needs_a_shape(function, failing):
        kind = SHAPE
    elif kind is BRANCH and (
        python_function(function, failing or [statement], math_only=True)
        or stores_a_number(failing, cause)
    ):
        kind = NUMPY
    what, variant, cure = f"{condition(statement)} needs the value of a tracer", "", ""
    if kind is SHAPE:
        what = f"{condition(statement)} has a shape that depends on values"
    elif kind is NUMPY:
        what, cure = numpy_words(function, statement, failing)
    elif kind is OUTPUT:
        what = f"{code(statement)} formats a tracer as a number"
        variant = "format of a tracer"
    elif kind is MUTATION:
        what = f"{code(statement)} changes a NumPy array in place"
    else:
        cure = way_out(statement)
    return Diagnostic(
        kind,
        where.file,
        first_line(functions, where.file, where.line),
        what,
        variant=variant,
        cure=cure,
        error=type(cause).__name__,
    )


def leaked(function: UserFunction, statement: ast.AST, where: Place) -> Diagnostic:
    """The use of a dead tracer, reported where it was stored if that can be seen."""
    variant = "use of a leaked tracer"
    stored = stored_in_a_body(function, statement)
    if stored is None:
        what = f"{code(statement)} uses a tracer that has left its function"
        return Diagnostic(
            LEAK, where.file, line_of(function, statement), what, variant=variant
        )
    what = (
        f"keeps a tracer in `{shown(stored.root, stored.steps)}`, which line "
        f"{where.line} uses when its trace has ended"
    )
    line = line_of(function, stored.node)
    return Diagnostic(LEAK, where.file, line, what, f"`{stored.root}`", variant)


def stored_in_a_body(function: UserFunction, statement: ast.AST) -> Write | None:
    """Where an inner function stores into a variable that a statement uses."""
    page = function.page
    for node in ast.walk(statement):
        if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
            continue
        owner = page.owner(node.id, page.scope(node))
        for write in page.writes_to[node.id]:
            inner = write.scope is not owner and not isinstance(owner, ast.Module)
            if inner and page.owner(node.id, write.scope) is owner:
                return write
    return None


def expression_at(statement: ast.AST, where: Place) -> list[ast.AST]:
    """The expressions of a statement that begin where it failed, the outer first."""
    return [
        node
        for node in ast.walk(statement)
        if isinstance(node, ast.expr)
        and (node.lineno, node.col_offset) == (where.line, where.column)
    ]


def needs_a_shape(function: UserFunction, failing: list[ast.AST]) -> bool:
    """Whether a call that failed takes a size: `jnp.tile(x, n)`, `x.reshape(n)`."""
    for node in failing:
        if not isinstance(node, ast.Call):
            continue
        name, value = last_name(node.func), function.evaluate(node.func)
        module = str(getattr(value, "__module__", None) or "")
        if name in SIZED and module.split(".")[0] == "jax":
            return True
        method = isinstance(node.func, ast.Attribute) and value is MISSING
        if name in RESHAPED and method:
            return True
    return False


def stores_a_number(failing: list[ast.AST], cause: BaseException) -> bool:
    """Whether `array[i] = tracer` failed: NumPy asks the tracer for its number."""
    of_index = isinstance(cause, jax.errors.TracerIntegerConversionError)
    stores = any(
        isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
        for node in failing
    )
    return stores and not of_index


def numpy_words(
    function: UserFunction, statement: ast.AST, failing: list[ast.AST]
) -> tuple[str, str]:
    """What asks a tracer for its numbers, and the cure."""
    found = python_function(function, failing) or python_function(function, [statement])
    if found:
        member = found.strip("`").rpartition(".")[2]
        cure = f"Use jnp.{member}." if hasattr(jnp, member) else ""
        return f"{found} needs numbers, and gets a tracer", cure
    for node in [*failing, *ast.walk(statement)]:
        if not isinstance(node, ast.Subscript):
            continue
        array, key = ast.unparse(node.value), key_of(node)
        if isinstance(node.ctx, ast.Load):
            what = f"{code(node)} looks up a tracer in a NumPy array"
            return what, f"Make it a JAX array first: `jnp.asarray({array})[{key}]`."
        what = f"{condition(statement)} stores a tracer in a NumPy array"
        cure = f"Make it a JAX array: `{array} = jnp.asarray({array}).at[{key}].set(…)`"
        return what, f"{cure}."
    return f"{condition(statement)} needs numbers, and gets a tracer", ""


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
    function: UserFunction, nodes: list[ast.AST], math_only: bool = False
) -> str:
    """The NumPy or `math` function that is called: "`np.sin`"."""
    for node in (inner for each in nodes for inner in ast.walk(each)):
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
