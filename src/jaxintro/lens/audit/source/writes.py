"""What a piece of source changes: names bound, items and attributes stored."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Scope = FunctionNode | ast.ClassDef | ast.Module
Step = tuple[str, object]


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


UNKNOWN = object()  # the key of a subscript that is no constant

MUTATORS = words(
    """append extend insert remove pop clear sort reverse update setdefault popitem
    add discard appendleft popleft extendleft rotate fill put resize itemset
    intersection_update difference_update symmetric_difference_update"""
)


@dataclass(frozen=True, eq=False)
class Write:
    """One change in the source: of the name `root`, or of something below it.

    `how` is "bind" (`x = …`), "augment" (`x += …`), "store" (`x[…] = …`, `x.a = …`,
    `del x[…]`) or the name of the method called (`x.append(…)`).
    """

    root: str
    steps: tuple[Step, ...]
    how: str
    node: ast.AST
    scope: Scope

    @property
    def line(self) -> int:
        """The line on which the change stands."""
        return int(getattr(self.node, "lineno", 0))


CHANGE_FIRST = words(  # functions that change their first argument
    "heappush heappop heapify insort insort_left insort_right shuffle copyto"
)


def place(expression: ast.AST) -> tuple[str, tuple[Step, ...]] | None:
    """`params["w"].history` -> ("params", (("item", "w"), ("attr", "history")))."""
    steps: list[Step] = []
    while not isinstance(expression, ast.Name):
        match expression:
            case ast.Attribute(value=value, attr=attr):
                steps.append(("attr", attr))
                expression = value
            case ast.Subscript(value=value, slice=ast.Constant(value=key)):
                steps.append(("item", key))
                expression = value
            case ast.Subscript(value=value):
                steps.append(("item", UNKNOWN))
                expression = value
            case ast.Call(func=ast.Name(id="type"), args=[value]):
                steps.append(("attr", "__class__"))
                expression = value
            case _:
                return None
    return expression.id, tuple(reversed(steps))


def stored(target: ast.AST) -> Iterator[tuple[str, tuple[Step, ...], str]]:
    """The places that an assignment to `target` changes."""
    match target:
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                yield from stored(part)
        case ast.Starred(value=value):
            yield from stored(value)
        case _:
            found = place(target)
            if found is not None:
                yield *found, "store" if found[1] else "bind"


def called(node: ast.Call) -> Iterator[tuple[str, tuple[Step, ...], str]]:
    """The places that a call changes, by its name: `x.append(…)`, `setattr(x, …)`."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in MUTATORS:
            found = place(value)
            if found is not None:
                yield *found, attr
        case ast.Call(func=ast.Attribute(attr=attr), args=[value, *_]) if (
            attr in CHANGE_FIRST
        ):
            found = place(value)
            if found is not None:
                yield *found, attr
        case (
            ast.Call(func=ast.Name(id="setattr"), args=[value, key, _])
            | ast.Call(func=ast.Attribute(attr="__setattr__"), args=[value, key, _])
        ):
            found = place(value)
            if found is not None and isinstance(key, ast.Constant):
                yield found[0], (*found[1], ("attr", key.value)), "store"


def written(node: ast.AST) -> Iterator[tuple[str, tuple[Step, ...], str]]:
    """The places that this node itself (not its children) changes."""
    match node:
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            for target in targets:
                yield from stored(target)
        case ast.AugAssign(target=target):
            for root, steps, how in stored(target):
                yield root, steps, "augment" if how == "bind" else how
        case ast.AnnAssign(target=target, value=value) if value is not None:
            yield from stored(target)
        case ast.For(target=target) | ast.AsyncFor(target=target):
            yield from stored(target)
        case ast.NamedExpr(target=target) | ast.withitem(optional_vars=target) if (
            target
        ):
            yield from stored(target)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name, (), "bind"
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            for alias in names:
                yield (alias.asname or alias.name).split(".")[0], (), "bind"
        case ast.Call():
            yield from called(node)
