"""A function of the user's: its syntax tree, and what its names stand for."""

from __future__ import annotations

import ast
import builtins
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from jaxintro.lens.audit.source.syntax import Page
from jaxintro.lens.audit.source.values import MISSING, contents, follow, known_module
from jaxintro.lens.audit.source.writes import UNKNOWN, FunctionNode, Scope, Step, place

CALLBACKS = frozenset({"callback", "io_callback", "pure_callback", "debug_callback"})

Label = tuple[str, str]
"""How a name is reached ("argument", "object", "global", "closure"), and the name."""


@dataclass(frozen=True, eq=False)
class UserFunction:
    """A function whose source can be read.

    `values` are what its parameters hold, as far as known (empty for a function that
    the audited one calls), `bound` those that do not come from the caller;
    `receiver` is where its `self` comes from.
    """

    function: FunctionType
    page: Page
    node: FunctionNode
    values: Mapping[str, object] = field(default_factory=dict)
    receiver: Label | None = None
    bound: Mapping[str, object] = field(default_factory=dict)

    @property
    def filename(self) -> str:
        """The file in which the function stands."""
        return self.function.__code__.co_filename

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
    def calls(self) -> list[tuple[ast.Call, object]]:
        """Every call in the body, with what is called, as far as that is known."""
        return [
            (node, self.evaluate(node.func))
            for node in self.nodes
            if isinstance(node, ast.Call)
        ]

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
        return self.node in self.page.ancestors(scope)

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

    def resolve(
        self, name: str, steps: tuple[Step, ...], scope: Scope
    ) -> tuple[str, tuple[Step, ...], Scope]:
        """Follow aliases: the first name of a place, the steps to it, its owner."""
        owner = self.page.owner(name, scope)
        for _ in range(8):
            if (owner, name) not in self.aliases:
                break
            name, more = self.aliases[owner, name]
            steps = (*more, *steps)
            owner = self.page.owner(name, owner)
        return name, steps, owner

    def label(self, name: str, owner: Scope) -> Label | None:
        """Where a name comes from, or None if it is local (or a builtin)."""
        if owner is self.node and name in self.parameters:
            if self.receiver is not None and name == self.parameters[0]:
                return self.receiver
            if self.receiver is not None and len(self.values) <= 1:
                return ("parameter", name)  # of a method that is called from another
            if name in self.collected:
                return None
            return ("argument" if name in self.values else "parameter", name)
        if self.inside(owner):
            return None
        if isinstance(owner, ast.Module):
            return ("global", name) if name in self.function.__globals__ else None
        return ("closure", name)

    def value(self, name: str, owner: Scope) -> object:
        """What a name stands for just now."""
        if self.inside(owner):
            if owner is self.node and name in self.values:
                return self.values[name]
            return self._imported(name)
        cells = zip(
            self.function.__code__.co_freevars,
            self.function.__closure__ or (),
            strict=True,
        )
        for freevar, cell in cells:
            if freevar == name:
                return contents(cell)
        return self.function.__globals__.get(name, getattr(builtins, name, MISSING))

    def _imported(self, name: str) -> object:
        """The module (or its member) that an import inside the function binds."""
        module, member = self.imports.get(name, ("", ""))
        found = known_module(module) if module else MISSING
        return follow(found, (("attr", member),)) if member else found

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

    def evaluate(self, expression: ast.AST) -> object:
        """What a name, or a place below a name, stands for; else MISSING."""
        found = place(expression)
        if found is None:
            return MISSING
        name, steps, owner = self.resolve(*found, self.page.scope(expression))
        return follow(self.value(name, owner), steps)


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


def codes(code: Any) -> list[Any]:
    """The code objects nested in another."""
    inner = [each for each in code.co_consts if hasattr(each, "co_names")]
    return inner + [deeper for each in inner for deeper in codes(each)]
