"""A function of the user's: its source, and what its names stand for."""

from __future__ import annotations

import ast
import builtins
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from jaxintro.lens.audit.source.body import Body, Found
from jaxintro.lens.audit.source.syntax import Page
from jaxintro.lens.audit.source.values import MISSING, contents, follow, known_module
from jaxintro.lens.audit.source.writes import FunctionNode, Scope

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
    body: Body
    values: Mapping[str, object] = field(default_factory=dict)
    receiver: Label | None = None
    bound: Mapping[str, object] = field(default_factory=dict)
    _known: dict[Found, object] = field(default_factory=dict)

    @property
    def page(self) -> Page:
        """The page on which the function stands."""
        return self.body.page

    @property
    def node(self) -> FunctionNode:
        """The syntax tree of the function."""
        return self.body.node

    @property
    def filename(self) -> str:
        """The file in which the function stands."""
        return self.function.__code__.co_filename

    @functools.cached_property
    def calls(self) -> list[tuple[ast.Call, object]]:
        """Every call in the body, with what is called, as far as that is known."""
        return [(node, self.evaluate(node.func)) for node in self.body.calls]

    @functools.cached_property
    def cells(self) -> dict[str, Any]:
        """The cells of the closed-over variables."""
        code = self.function.__code__
        return dict(zip(code.co_freevars, self.function.__closure__ or (), strict=True))

    def label(self, name: str, owner: Scope) -> Label | None:
        """Where a name comes from, or None if it is local (or a builtin)."""
        if owner is self.node and name in self.body.parameters:
            if self.receiver is not None and name == self.body.parameters[0]:
                return self.receiver
            if self.receiver is not None and len(self.values) <= 1:
                return ("parameter", name)  # of a method that is called from another
            if name in self.body.collected:
                return None
            return ("argument" if name in self.values else "parameter", name)
        if self.body.inside(owner):
            return None
        if isinstance(owner, ast.Module):
            return ("global", name) if name in self.function.__globals__ else None
        return ("closure", name)

    def value(self, name: str, owner: Scope) -> object:
        """What a name stands for just now."""
        if self.body.inside(owner):
            if owner is self.node and name in self.values:
                return self.values[name]
            return self._imported(name)
        if name in self.cells:
            return contents(self.cells[name])
        names = self.function.__globals__
        return names[name] if name in names else getattr(builtins, name, MISSING)

    def _imported(self, name: str) -> object:
        """The module (or its member) that an import inside the function binds."""
        module, member = self.body.imports.get(name, ("", ""))
        found = known_module(module) if module else MISSING
        return follow(found, (("attr", member),)) if member else found

    def at(self, found: Found) -> object:
        """What a place stood for when it was first asked, before anything was run."""
        if found not in self._known:
            name, steps, owner = found
            self._known[found] = follow(self.value(name, owner), steps)
        return self._known[found]

    def evaluate(self, expression: ast.AST) -> object:
        """What a name, or a place below a name, stands for; else MISSING."""
        found = self.body.place(expression)
        return MISSING if found is None else self.at(found)


def codes(code: Any) -> list[Any]:
    """The code objects nested in another."""
    inner = [each for each in code.co_consts if hasattr(each, "co_names")]
    return inner + [deeper for each in inner for deeper in codes(each)]
