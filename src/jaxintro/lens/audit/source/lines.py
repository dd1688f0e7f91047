"""Which function and which statement stand on a line."""

from __future__ import annotations

import ast

from jaxintro.lens.audit.source.function import UserFunction
from jaxintro.lens.audit.source.syntax import last_line, statement_on


def at(
    functions: list[UserFunction], filename: str, line: int, column: int = -1
) -> tuple[UserFunction | None, ast.AST | None]:
    """The function and the statement at a place in a file; of a lambda, its body."""
    around = [
        function
        for function in functions
        if function.filename == filename
        and function.node.lineno <= line <= last_line(function.node)
    ]
    if not around:
        return None, None
    function = max(around, key=lambda each: each.node.lineno)
    if isinstance(function.node, ast.Lambda):
        return function, function.node.body
    return function, statement_on(function.node, line, column)


def first_line(functions: list[UserFunction], filename: str, line: int) -> int:
    """The first line of the statement on a line."""
    _, statement = at(functions, filename, line)
    return statement.lineno if isinstance(statement, ast.stmt) else line


def key_at(functions: list[UserFunction], filename: str, line: int) -> str:
    """The key that a line hands to jax.random, in the user's words."""
    function, statement = at(functions, filename, line)
    if function is None or statement is None:
        return "a key"
    calls = [
        node for node in ast.walk(statement) if isinstance(node, ast.Call) and node.args
    ]
    for node in calls:
        value = function.evaluate(node.func)
        module = str(getattr(value, "__module__", None) or "")
        if module.startswith(("jax._src.random", "jax.random")):
            return f"`{ast.unparse(node.args[0])}`"
    names = [node.args[0].id for node in calls if isinstance(node.args[0], ast.Name)]
    return f"`{names[0]}`" if names else "a key"
