"""The equations of a jaxpr: what they hold, and the user's lines they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from jaxintro.lens.files import is_user_file

CALLS = ("jit", "pjit")


def inner(jaxpr: Any) -> Any:
    """The jaxpr itself, of a jaxpr with or without its constants."""
    return getattr(jaxpr, "jaxpr", jaxpr)


def rank(variable: Any) -> int:
    """The number of dimensions of a variable of a jaxpr."""
    return getattr(variable.aval, "ndim", 0)


def is_jaxpr(value: object) -> bool:
    """Whether a parameter of an equation is a jaxpr."""
    return hasattr(value, "eqns")


def recipe_of(equation: Any) -> str:
    """The parameters of an equation, as text."""
    return str(sorted(equation.params.items(), key=lambda item: item[0]))


def frames_of(equation: Any) -> list[Any]:
    """The frames that led to an equation, the outermost first."""
    traceback = equation.source_info.traceback
    return list(traceback.frames)[::-1] if traceback is not None else []


def line_of(equation: Any) -> tuple[str, int] | None:
    """The user's line that made an equation."""
    lines = [
        (each.file_name, each.line_num)
        for each in frames_of(equation)
        if is_user_file(each.file_name)
    ]
    return lines[-1] if lines else None


def parting(one: Any, other: Any) -> tuple[Any, Any]:
    """The user's lines at which the ways to two equations part.

    None if they part inside a library: then the library draws twice, and knows why.
    """
    lines: tuple[Any, Any] = (line_of(one), line_of(other))
    for a, b in zip(frames_of(one), frames_of(other), strict=False):
        if (a.file_name, a.line_num) == (b.file_name, b.line_num):
            continue
        if is_user_file(a.file_name) and is_user_file(b.file_name):
            return (a.file_name, a.line_num), (b.file_name, b.line_num)
        same = (a.file_name, a.function_name) == (b.file_name, b.function_name)
        return (None, None) if same else lines
    inlined = one.primitive.name not in CALLS and is_library_code(one)
    return (None, None) if inlined else lines


def is_library_code(equation: Any) -> bool:
    """Whether an equation has a body that is not the user's function."""
    bodies = [each for each in equation.params.values() if is_jaxpr(each)]
    if not bodies:
        return False
    info = getattr(inner(bodies[0]), "debug_info", None)
    source = str(getattr(info, "func_src_info", "") or "")
    filename = source.rpartition(" at ")[2].rpartition(":")[0]
    return bool(filename) and not is_user_file(filename)


def constants(equation: Any) -> Iterator[Any]:
    """The constants that an equation is given, or that its bodies hold."""
    for variable in equation.invars:
        if hasattr(variable, "val"):
            yield variable.val
    for value in equation.params.values():
        for body in value if isinstance(value, tuple | list) else (value,):
            if is_jaxpr(body):
                yield from getattr(body, "consts", ())
                for inside in inner(body).eqns:
                    yield from constants(inside)


def text(jaxpr: Any) -> str:
    """A jaxpr or an equation as text, without the addresses of the functions in it."""
    return re.sub(r"0x[0-9a-f]+|id=\d+", "", str(jaxpr))


def differ(one: Any, other: Any, *, same_text: bool) -> bool:
    """Whether two equations compute different things."""
    if not same_text and text(one) != text(other):
        return True
    pairs = zip(constants(one), constants(other), strict=False)
    return any(not alike(a, b) for a, b in pairs)


def first_difference(one: Any, other: Any) -> tuple[bool, Any]:
    """Whether two jaxprs differ, and the first equation in which they do."""
    same_text = text(one) == text(other)  # then the equations look alike as well
    for a, b in zip(one.jaxpr.eqns, other.jaxpr.eqns, strict=False):
        if differ(a, b, same_text=same_text):
            return True, a
    for variable, a, b in zip(
        one.jaxpr.constvars, one.consts, other.consts, strict=False
    ):
        if not alike(a, b):
            users = [e for e in one.jaxpr.eqns if any(v is variable for v in e.invars)]
            return True, users[0] if users else None
    return not same_text, None


def alike(one: Any, other: Any) -> bool:
    """Whether two constants are equal, byte by byte."""
    if one is other or isinstance(one, jax.core.Tracer):
        return True
    if jax.numpy.issubdtype(jax.numpy.result_type(one), jax.dtypes.prng_key):
        one, other = jax.random.key_data(one), jax.random.key_data(other)
    return bool(np.asarray(one).tobytes() == np.asarray(other).tobytes())


def line_of_constant(closed: Any, constant: object) -> tuple[str, int] | None:
    """The user's line that first uses a constant."""
    jaxpr = inner(closed)
    for var, value in zip(jaxpr.constvars, closed.consts, strict=True):
        for equation in jaxpr.eqns:
            if value is constant and any(each is var for each in equation.invars):
                return line_of(equation)
    return None
