"""What the source of one function says by itself, whatever its names stand for.

It is worked out once for each function of a page, and kept with the page.
"""

from __future__ import annotations

import ast
import functools
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from jaxintro.lens.audit.source.syntax import Page
from jaxintro.lens.audit.source.writes import (
    UNKNOWN,
    FunctionNode,
    Scope,
    Step,
    Write,
    place,
)

CALLBACKS = frozenset({"callback", "io_callback", "pure_callback", "debug_callback"})

Found = tuple[str, tuple[Step, ...], Scope]
"""A place in the source: the name where it begins, the steps, whose variable it is."""


class Read(NamedTuple):
    """A place that is read, whether it is called, and the names where it begins."""

    place: Found
    called: bool
    nodes: list[ast.Name]


class Body:
    """The source of one function: its nodes, and the places that they stand for."""

    def __init__(self, page: Page, node: FunctionNode) -> None:
        self.page = page
        self.node = node
        self._inside: dict[Scope, bool] = {}
        self._places: dict[ast.AST, Found | None] = {}

    @functools.cached_property
    def parameters(self) -> list[str]:
        """The names of the parameters, in order."""
        of = self.node.args
        last = [each for each in (of.vararg, of.kwarg) if each is not None]
        return [a.arg for a in (*of.posonlyargs, *of.args, *of.kwonlyargs, *last)]

    @functools.cached_property
    def collected(self) -> set[str]:
        """The names of `*args` and `**kwargs`: fresh containers in every call."""
        found = (self.node.args.vararg, self.node.args.kwarg)
        return {each.arg for each in found if each is not None}

    @functools.cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the body, without what runs in a callback."""
        body = self.node.body
        pending: list[ast.AST] = [*body] if isinstance(body, list) else [body]
        in_callbacks = self._in_callbacks
        found: list[ast.AST] = []
        while pending:
            node = pending.pop()
            if node not in in_callbacks:
                found.append(node)
                pending.extend(ast.iter_child_nodes(node))
        return found

    @functools.cached_property
    def names(self) -> list[ast.Name]:
        """Every name that the body reads, in the order of the source."""
        found = [node for node in self.nodes if isinstance(node, ast.Name)]
        read = [node for node in found if isinstance(node.ctx, ast.Load)]
        return sorted(read, key=lambda node: (node.lineno, node.col_offset))

    @functools.cached_property
    def places(self) -> list[Found]:
        """The places in the body that can stand for something, each once.

        A local variable that no import binds stands for nothing that is known.
        """
        nodes = [
            node for node in self.nodes if isinstance(node, ast.Name | ast.Attribute)
        ]
        found = dict.fromkeys(self.place(node) for node in nodes)
        return [
            place
            for place in found
            if place is not None
            and (place[0] in self.imports or not self._is_local(place))
        ]

    @functools.cached_property
    def outside(self) -> list[tuple[ast.Name, Found]]:
        """The names in the body that are parameters or come from outside."""
        found = ((node, self.place(node)) for node in self.names)
        return [
            (node, place)
            for node, place in found
            if place is not None and not self._is_local(place)
        ]

    @functools.cached_property
    def reads(self) -> list[Read]:
        """The parameters and outside places that the body reads."""
        found: dict[tuple[Found, bool], list[ast.Name]] = defaultdict(list)
        for node, _ in self.outside:
            read = self._read(node)
            if read is not None:
                found[read].append(node)
        return [Read(place, called, nodes) for (place, called), nodes in found.items()]

    def _read(self, node: ast.Name) -> tuple[Found, bool] | None:
        """The place, as far as it goes, that is read at a name; if it is called."""
        top: ast.AST = node
        parent = self.page.parent[top]
        while isinstance(parent, ast.Attribute | ast.Subscript) and parent.value is top:
            top, parent = parent, self.page.parent[parent]
        if not isinstance(getattr(top, "ctx", ast.Load()), ast.Load):
            return None
        if isinstance(parent, ast.AugAssign) and parent.target is top:
            return None
        place = self.place(top)
        called = isinstance(parent, ast.Call) and parent.func is top
        return None if place is None else (place, called)

    def _is_local(self, place: Found) -> bool:
        """Whether a place begins at a local variable that is no parameter."""
        name, _, owner = place
        parameter = owner is self.node and name in self.parameters
        return self.inside(owner) and not parameter

    @functools.cached_property
    def writes(self) -> list[Write]:
        """The changes that the body makes."""
        nodes = set(self.nodes)
        return [write for write in self.every_write if write.node in nodes]

    @functools.cached_property
    def every_write(self) -> list[Write]:
        """The changes that the function makes, those in callbacks too."""
        nodes = set(self.every_node)
        return [write for write in self.page.writes if write.node in nodes]

    @functools.cached_property
    def calls(self) -> list[ast.Call]:
        """Every call in the body."""
        return [node for node in self.nodes if isinstance(node, ast.Call)]

    @functools.cached_property
    def _in_callbacks(self) -> set[ast.AST]:
        """What is handed to callbacks: its effects are wanted, and happen in time."""
        found: set[ast.AST] = set()
        for node in self.every_node:
            if isinstance(node, ast.Call) and last_name(node.func) in CALLBACKS:
                found |= {arg for arg in node.args if not isinstance(arg, ast.Starred)}
        names = {node.id for node in found if isinstance(node, ast.Name)}
        return found | {
            node
            for node in self.every_node
            if isinstance(node, ast.FunctionDef) and node.name in names
        }

    def inside(self, scope: Scope) -> bool:
        """Whether a variable of `scope` lives and dies with one call."""
        if scope not in self._inside:
            self._inside[scope] = self.node in self.page.ancestors(scope)
        return self._inside[scope]

    @functools.cached_property
    def aliases(self) -> dict[tuple[Scope, str], tuple[str, tuple[Step, ...]]]:
        """Local names that are another name for a place: `w = params["w"]`."""
        found: dict[tuple[Scope, str], tuple[str, tuple[Step, ...]]] = {}
        for node in self.every_node:
            for name, root, steps in same_places(node):
                owner = self.page.owner(name, self.page.scope(node))
                once = self.page.times_bound[owner, name] == 1 and self.inside(owner)
                if once and name not in self.parameters:
                    found[owner, name] = (root, steps)
        return found

    def resolve(self, name: str, steps: tuple[Step, ...], scope: Scope) -> Found:
        """Follow aliases: the first name of a place, the steps to it, its owner."""
        owner = self.page.owner(name, scope)
        for _ in range(8):
            if (owner, name) not in self.aliases:
                break
            name, more = self.aliases[owner, name]
            steps = (*more, *steps)
            owner = self.page.owner(name, owner)
        return name, steps, owner

    def place(self, expression: ast.AST) -> Found | None:
        """The place that an expression stands for, aliases followed; None if none."""
        if expression not in self._places:
            found = place(expression)
            self._places[expression] = found and self.resolve(
                *found, self.page.scope(expression)
            )
        return self._places[expression]

    @functools.cached_property
    def imports(self) -> dict[str, tuple[str, str]]:
        """Name -> the module, and its member if it is one, imported in the function."""
        found: dict[str, tuple[str, str]] = {}
        for node in self.every_node:
            match node:
                case ast.Import(names=names):
                    for alias in names:
                        top = alias.name.split(".")[0]
                        asked = (alias.name, "") if alias.asname else (top, "")
                        found.setdefault(alias.asname or top, asked)
                case ast.ImportFrom(names=names, module=str(module), level=0):
                    for alias in names:
                        asked = (module, alias.name)
                        found.setdefault(alias.asname or alias.name, asked)
        return found

    @functools.cached_property
    def every_node(self) -> list[ast.AST]:
        """Every node of the function, decorators and callbacks too."""
        return [*ast.walk(self.node)]


def body_of(page: Page, node: FunctionNode) -> Body:
    """The body of a function of a page."""
    body: Body = page.bodies.setdefault(node, Body(page, node))
    return body


def last_name(expression: ast.AST) -> str:
    """`jax.debug.callback` -> "callback"."""
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""


def same_places(node: ast.AST) -> Iterator[tuple[str, str, tuple[Step, ...]]]:
    """The names that a node binds to a part of another: (name, root, steps)."""
    below: tuple[Step, ...] = ()
    match node:
        case ast.Assign(targets=[target], value=source):
            pass
        case ast.For(target=target, iter=source):
            below = (("item", UNKNOWN),)
            if isinstance(source, ast.Call) and last_name(source.func) in (
                "items",
                "values",
            ):
                source = source.func
                source = source.value if isinstance(source, ast.Attribute) else source
        case _:
            return
    found = place(source)
    if found is None:
        return
    if isinstance(target, ast.Tuple):
        in_loop = isinstance(node, ast.For)
        below = below if in_loop else (("item", UNKNOWN),)
        names = [each.id for each in target.elts if isinstance(each, ast.Name)]
        names = names[-1:] if in_loop else names
    else:
        names = [target.id] if isinstance(target, ast.Name) else []
    for name in names:
        yield name, found[0], (*found[1], *below)
