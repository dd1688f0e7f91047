"""One source file as a syntax tree: who binds each name, and what changes it."""

from __future__ import annotations

import ast
import functools
import linecache
from collections import Counter, defaultdict
from collections.abc import Iterator
from types import CodeType
from typing import Any

from jaxintro.lens.audit.source.writes import FunctionNode, Scope, Write, written

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
LOOPS = (ast.For, ast.AsyncFor, ast.While)


class Page:
    """The syntax tree of one file, with what binds and changes each name."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = lines
        self.tree = ast.parse("".join(lines))
        self.parent: dict[ast.AST, ast.AST] = {}
        self.scopes: dict[ast.AST, Scope] = {}
        self.bound: dict[ast.AST, set[str]] = defaultdict(set)
        self.defined: dict[tuple[int, str], list[FunctionNode]] = defaultdict(list)
        self.attributes: dict[str, list[ast.AST]] = defaultdict(list)
        self.handed_up: dict[ast.AST, dict[str, bool]] = defaultdict(dict)
        self.writes: list[Write] = []
        self.writes_to: dict[str, list[Write]] = defaultdict(list)  # by the first name
        self.writes_below: dict[object, list[Write]] = defaultdict(list)  # first step
        self.bodies: dict[ast.AST, Any] = {}  # what is known of each function
        self.constructing: dict[str, bool] = {}  # methods that only initialisers call
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                self.parent[child] = node
        for node in ast.walk(self.tree):
            self._enter(node)
            if isinstance(node, FUNCTIONS):
                decorators: list[Any] = getattr(node, "decorator_list", [])
                first = min([node.lineno, *(each.lineno for each in decorators)])
                name = getattr(node, "name", "<lambda>")
                self.defined[first, name].append(node)

    def _enter(self, node: ast.AST) -> None:
        scope = self.scope(node)
        for root, steps, how in written(node):
            write = Write(root, steps, how, node, scope)
            self.writes.append(write)
            self.writes_to[root].append(write)
            if steps:
                self.writes_below[steps[0]].append(write)
            elif how == "bind":
                self.bound[scope].add(root)
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                self.bound[scope].add(name)
            case ast.ExceptHandler(name=str(name)):
                self.bound[scope].add(name)
            case ast.Attribute(attr=name):
                self.attributes[name].append(node)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                is_global = isinstance(node, ast.Global)
                self.handed_up[scope] |= dict.fromkeys(names, is_global)

    def scope(self, node: ast.AST) -> Scope:
        """The function, class or module in which `node` stands."""
        found = self.scopes.get(node)
        if found is None:
            parent: Any = self.parent.get(node, self.tree)
            own = isinstance(parent, (*FUNCTIONS, ast.ClassDef, ast.Module))
            found = self.scopes[node] = parent if own else self.scope(parent)
        return found

    @functools.cached_property
    def times_bound(self) -> Counter[tuple[Scope, str]]:
        """How often the source binds each variable."""
        binds = [write for write in self.writes if write.how == "bind"]
        return Counter((self.owner(w.root, w.scope), w.root) for w in binds)

    def owner(self, name: str, scope: Scope) -> Scope:
        """The scope whose variable `name` is, when it is used in `scope`."""
        start = scope
        while not isinstance(scope, ast.Module):
            handed_up = self.handed_up[scope].get(name)
            if handed_up:
                return self.tree
            visible = scope is start or not isinstance(scope, ast.ClassDef)
            if handed_up is None and visible and name in self.bound[scope]:
                return scope
            scope = self.scope(scope)
        return scope

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """`node`, its parent, and so on up to the module."""
        yield node
        while node in self.parent:
            node = self.parent[node]
            yield node

    def callers(self, method: str) -> set[str]:
        """The names of the functions in which a method is called, or named."""
        found: set[str] = set()
        for node in self.attributes[method]:
            scope = self.scope(node)
            while isinstance(scope, ast.Lambda):
                scope = self.scope(scope)
            found.add(getattr(scope, "name", ""))
        return found

    def loops(self, node: ast.AST, scope: Scope) -> list[ast.AST]:
        """The loops of `scope` around `node`, the innermost first."""
        found: list[ast.AST] = []
        for ancestor in self.ancestors(node):
            if ancestor is scope:
                break
            if isinstance(ancestor, LOOPS):
                found.append(ancestor)
        return found

    def arms(self, node: ast.AST) -> dict[ast.AST, str]:
        """For each `if` and `try` around `node`, the arm in which it stands."""
        found: dict[ast.AST, str] = {}
        below: ast.AST = node
        for ancestor in self.ancestors(node):
            if isinstance(ancestor, ast.If | ast.Try):
                for arm, value in ast.iter_fields(ancestor):
                    if isinstance(value, list) and below in value:
                        found[ancestor] = arm
            below = ancestor
        return found

    def before(self, node: ast.AST) -> list[ast.stmt]:
        """The statements before that of `node` in its block, the nearest first."""
        for ancestor in self.ancestors(node):
            if not isinstance(ancestor, ast.stmt):
                continue
            for _, block in ast.iter_fields(self.parent[ancestor]):
                if isinstance(block, list) and ancestor in block:
                    return block[: block.index(ancestor)][::-1]
        return []

    def find(self, code: CodeType) -> FunctionNode | None:
        """The node of the function that was compiled to `code`."""
        found = self.defined[code.co_firstlineno, code.co_name]
        if len(found) > 1:  # several lambdas on one line
            found = [node for node in found if holds(node, code)] or found
        return found[-1] if found else None


def statement_on(inside: ast.AST, line: int, column: int = -1) -> ast.stmt | None:
    """The innermost statement on `line`, at `column` if there are several."""
    best: ast.stmt | None = None
    for node in ast.walk(inside):
        if not isinstance(node, ast.stmt) or isinstance(node, DEFINITIONS):
            continue
        on_it = node.lineno <= line <= last_line(node)
        beyond = node.lineno == line and 0 <= column < node.col_offset
        if not on_it or beyond:
            continue
        starts = (node.lineno, node.col_offset if column >= 0 else 0)
        if best is None or starts > (best.lineno, best.col_offset):
            best = node
    return best


def last_line(node: ast.AST) -> int:
    """The last line of `node`."""
    return int(getattr(node, "end_lineno", 0) or getattr(node, "lineno", 0))


def holds(node: FunctionNode, code: CodeType) -> bool:
    """Whether the body of the lambda `node` is what `code` was compiled from."""
    body = node.body
    if isinstance(body, list):
        return False
    span = (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset)
    return span in set(code.co_positions())


def page_of(filename: str, namespace: dict[str, Any] | None = None) -> Page | None:
    """The page of a file, or None if its source cannot be read."""
    linecache.checkcache(filename)
    return parsed(tuple(linecache.getlines(filename, namespace)))


@functools.lru_cache(maxsize=32)
def parsed(lines: tuple[str, ...]) -> Page | None:
    """The page of some lines; None if there are none, or if they are not Python."""
    try:
        return Page(lines) if lines else None
    except (SyntaxError, ValueError):
        return None
