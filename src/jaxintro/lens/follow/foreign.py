"""Functions that another compiler reads, which must therefore stay as they are.

Numba, Taichi, TVM, Triton and `torch.compile` read a function's code and make a program
of their own from it. They would find the reports in it, and refuse. JAX only calls it.
"""

import ast
from collections.abc import Iterator

COMPILERS = ("numba", "taichi", "tvm", "triton", "torch.compile", "torch.jit.script")
PACKAGES = tuple(name.partition(".")[0] for name in COMPILERS)

Defining = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def read_by_others(tree: ast.Module) -> set[int]:
    """The lines of functions that another compiler is given, or that such one calls.

    It is given them by a decorator, or in a call by name: `torch.compile(f)`.
    """
    aliases = dict(_aliases(tree))
    if not any(whole.startswith(PACKAGES) for whole in aliases.values()):
        return set()  # as for nearly every file
    found: set[Defining] = set()
    waiting = [*_given(tree, {}, aliases)]
    while waiting:
        node, scope = waiting.pop()
        if node not in found:
            found.add(node)
            inner = scope | _defined(node)
            names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            waiting += [(inner[name], scope) for name in names if name in inner]
    return {node.lineno for node in found}


Scope = dict[str, Defining]


def _given(
    node: ast.AST, scope: Scope, aliases: dict[str, str]
) -> Iterator[tuple[Defining, Scope]]:
    """What compilers are given below a node, each with the functions in sight there."""
    scope = scope | _defined(node)
    for part in _own(node):
        if isinstance(part, Defining):
            if any(_compiles(each, aliases) for each in part.decorator_list):
                yield part, scope
            yield from _given(part, scope, aliases)
        elif isinstance(part, ast.Call) and _compiles(part.func, aliases):
            given = [n.id for n in part.args if isinstance(n, ast.Name)]
            yield from ((scope[name], scope) for name in given if name in scope)


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """All that stands in a function, but not what stands in one of its functions."""
    waiting = list(ast.iter_child_nodes(node))
    while waiting:
        part = waiting.pop()
        yield part
        if not isinstance(part, Defining):
            waiting += ast.iter_child_nodes(part)


def _defined(node: ast.AST) -> Scope:
    return {part.name: part for part in _own(node) if isinstance(part, Defining)}


def _compiles(node: ast.expr, aliases: dict[str, str]) -> bool:
    """`numba.njit`, `njit(parallel=True)`, `nb.vectorize([…])` and the like."""
    return _is_compilers(_dotted(node, aliases))


def _is_compilers(whole: str) -> bool:
    return any(f"{whole}.".startswith(f"{name}.") for name in COMPILERS)


def _dotted(node: ast.expr, aliases: dict[str, str]) -> str:
    match node:
        case ast.Name(name):
            return aliases.get(name, "")
        case ast.Attribute(value, attribute):
            before = _dotted(value, aliases)
            return f"{before}.{attribute}" if before else ""
        case ast.Call(func):
            return _dotted(func, aliases)
    return ""


def _aliases(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield alias.asname or top, alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"
