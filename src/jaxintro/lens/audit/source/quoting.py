"""How a diagnostic names the user's own code: lines, places, statements."""

from __future__ import annotations

import ast

import jax
import numpy as np

from jaxintro.lens.audit.kinds import IN_PLACE, Diagnostic
from jaxintro.lens.audit.source.function import Label, UserFunction
from jaxintro.lens.audit.source.writes import UNKNOWN, Step

BY_OPERATOR = {"Add": "add", "Sub": "subtract", "Mult": "multiply", "Div": "divide"}


def line_of(function: UserFunction, node: ast.AST) -> int:
    """The first line of the statement in which a node stands."""
    for ancestor in function.page.ancestors(node):
        if ancestor is function.node:
            break
        if isinstance(ancestor, ast.stmt):
            return ancestor.lineno
    return int(getattr(node, "lineno", function.node.lineno))


def where(function: UserFunction, node: ast.AST) -> tuple[str, int]:
    """The file and the line of a node, as a diagnostic begins with them."""
    return function.filename, line_of(function, node)


def code(node: ast.AST, limit: int = 48) -> str:
    """A piece of the user's source, in backquotes, shortened."""
    text = ast.unparse(node).split("\n")[0]
    return f"`{text if len(text) <= limit else text[: limit - 3] + '...'}`"


def key_of(item: ast.Subscript) -> str:
    """What stands between the brackets of `x[i, :]`, as the user would write it."""
    if isinstance(item.slice, ast.Tuple) and item.slice.elts:
        return ", ".join(ast.unparse(each) for each in item.slice.elts)
    return ast.unparse(item.slice)


def shown(root: str, steps: tuple[Step, ...]) -> str:
    """A place as the user would write it: `params["w"]`."""
    for kind, key in steps:
        if kind == "attr":
            root += f".{key}"
        else:
            root += "[...]" if key is UNKNOWN else f"[{key!r}]"
    return root


def outside_name(label: Label, root: str) -> str:
    """The name of an outside object where it comes from, not `self`."""
    return label[1] if label[0] in ("global", "closure") else root


def called(label: Label, root: str, steps: tuple[Step, ...]) -> str:
    """How a sentence names an outside place: "the global `counter`"."""
    kinds = {
        "argument": "the argument ",
        "parameter": "the argument ",
        "global": "the global ",
        "closure": "the closed-over ",
        "object": "",
    }
    return f"{kinds[label[0]]}`{shown(outside_name(label, root), steps)}`"


def is_array(value: object) -> bool:
    """Whether a value is traced as an array."""
    return isinstance(value, jax.Array | np.ndarray | jax.ShapeDtypeStruct | np.generic)


def in_place(function: UserFunction, node: ast.AST, needs: str = "stop") -> Diagnostic:
    """The diagnostic of `x[i] = y`, with the line that would do."""
    target: ast.AST | None = None
    value: ast.AST | None = None
    method = "set"
    match node:
        case ast.Assign(targets=[place], value=new):
            target, value = place, new
        case ast.AugAssign(target=place, op=op, value=new):
            target, value = place, new
            method = BY_OPERATOR.get(type(op).__name__, "apply")
    name = cure = ""
    if isinstance(target, ast.Subscript) and value is not None:
        array, key = ast.unparse(target.value), key_of(target)
        name = f"`{array}`"
        if method != "apply":
            cure = f"`{array} = {array}.at[{key}].{method}({ast.unparse(value)})`"
    return Diagnostic(
        IN_PLACE,
        *where(function, node),
        f"{code(node)} assigns into a JAX array",
        name or "x",
        cure=cure,
        needs=needs,
    )
