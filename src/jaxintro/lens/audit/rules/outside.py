"""Does anything change the state that a function reads from outside?

What nothing changes is a constant, and reading a constant is pure. So a global, a
closed-over variable or an attribute is reported only where the source shows a change
that can come after the function was traced.
"""

from __future__ import annotations

import ast
import sys
from collections import deque
from collections.abc import Iterator

import numpy as np

from jaxintro.lens.audit.source.function import UserFunction
from jaxintro.lens.audit.source.syntax import (
    FUNCTIONS,
    Page,
    last_line,
    page_of,
    parsed,
)
from jaxintro.lens.audit.source.values import follow
from jaxintro.lens.audit.source.writes import UNKNOWN, Scope, Step, Write, words
from jaxintro.lens.files import is_user_class, is_user_module

CONTAINERS = (list, dict, set, deque, bytearray, np.ndarray)
INITIALISERS = words(
    """__init__ __post_init__ __attrs_post_init__ __new__ __init_subclass__ __setstate__
    __set_name__ __call_init__ setup setUp setUpClass setup_method setup_class build"""
)
AGAIN = words("reset set update train eval load clear restore step switch toggle")


def later_change(
    function: UserFunction, name: str, steps: tuple[Step, ...], owner: Scope
) -> Write | None:
    """The first change to an outside place that `function` may not live to see."""
    value = function.value(name, owner)
    page, node = surroundings(function)
    if isinstance(owner, ast.Module):
        owner = page.tree
    writes = [
        write
        for write in page.writes_to[name]
        if page.owner(name, write.scope) is owner
    ]
    binds = [write for write in writes if write.how == "bind"]
    for write in writes:
        touches = overlap(write.steps, steps) and really_changes(write, value)
        first = write.how == "bind" and not rebinds(page, write, binds, node, owner)
        later = not first and comes_later(page, write, node, owner)
        if enters(write, value):
            continue
        if touches and later and not sets_up(page, write):
            return write
    return None


def enters(write: Write, value: object) -> bool:
    """Whether a `with` block puts something on a stack here, or takes it off again."""
    within = getattr(write.scope, "name", "") in ("__enter__", "__exit__")
    return within and write.how != "bind" and isinstance(value, list | deque)


def sets_up(page: Page, write: Write) -> bool:
    """Whether a change follows at once on the making: `c = Config()`, `c.rate = 2`."""
    for earlier in page.before(write.node) if write.how != "bind" else ():
        touched = {
            (each.root, each.how == "bind")
            for each in page.writes
            if earlier in page.ancestors(each.node)
        }
        if (write.root, True) in touched:
            return True
        if (write.root, False) not in touched:
            return False
    return False


def overlap(one: tuple[Step, ...], other: tuple[Step, ...]) -> bool:
    """Whether a change at one place is seen at the other."""
    return all(
        a[0] == b[0] and (a[1] == b[1] or UNKNOWN in (a[1], b[1]))
        for a, b in zip(one, other, strict=False)
    )


def really_changes(write: Write, root: object) -> bool:
    """Whether a method with a mutating name is that of a container."""
    if write.how in ("bind", "augment", "store"):
        return True
    return isinstance(follow(root, write.steps), CONTAINERS)


def rebinds(
    page: Page, write: Write, binds: list[Write], node: ast.AST, owner: Scope
) -> bool:
    """Whether `write` gives its name another value than one it had before."""
    if isinstance(owner, FUNCTIONS) and write.root in {
        arg.arg for arg in ast.walk(owner.args) if isinstance(arg, ast.arg)
    }:
        return True
    repeated = set(page.loops(write.node, owner)) - set(page.loops(node, owner))
    if write.scope is not owner or repeated:
        return True
    return any(
        each is not write and not exclusive(page, each.node, write.node)
        for each in binds
    )


def exclusive(page: Page, one: ast.AST, other: ast.AST) -> bool:
    """Whether two nodes stand in different arms of one `if` or `try`."""
    arms = page.arms(other)
    return any(arms.get(branch, arm) != arm for branch, arm in page.arms(one).items())


def comes_later(page: Page, write: Write, node: ast.AST, owner: Scope) -> bool:
    """Whether a change can happen after the function at `node` was traced."""
    if node in page.ancestors(write.node):
        return True  # the function itself makes the change
    if write.scope is not owner:
        return True  # another function makes it, at any time
    if exclusive(page, write.node, node):
        return False
    loops, own_loops = page.loops(write.node, owner), page.loops(node, owner)
    if loops and own_loops and loops[0] is own_loops[0]:
        return False  # each round makes the function anew
    return write.line > last_line(node)


def surroundings(function: UserFunction) -> tuple[Page, ast.AST]:
    """The page in which changes are looked for; in a notebook, all cells so far."""
    cells = function.function.__globals__.get("_ih")
    if (
        not isinstance(cells, list)
        or "get_ipython" not in function.function.__globals__
    ):
        return function.page, function.node
    lines: list[str] = []
    for cell in dict.fromkeys(cells):
        try:
            ast.parse(cell)
        except SyntaxError:
            continue
        lines += [line + "\n" for line in cell.splitlines()]
    page = parsed(tuple(lines))
    if page is None:
        return function.page, function.node
    wanted = ast.dump(function.node)
    same = [
        node
        for node in ast.walk(page.tree)
        if isinstance(node, FUNCTIONS) and ast.dump(node) == wanted
    ]
    return (page, same[-1]) if same else (function.page, function.node)


def method_change(owner: object, name: str) -> Write | None:
    """A change of an attribute by a method of the user's, other than `__init__`."""
    cls = owner if isinstance(owner, type) else type(owner)
    for page, inner in class_pages(cls):
        for write in page.writes_below["attr", name]:
            mine = method_of(page, write) == inner and really_changes(write, owner)
            if mine and not sets_once(write, name):
                return write
    return None


def change_from_outside(
    function: UserFunction, owner: object, name: str
) -> Write | None:
    """A change of an object's attribute by code outside its class: `model.h = 2`."""
    page, _ = surroundings(function)
    for write in page.writes_below["attr", name]:
        if isinstance(page.owner(write.root, write.scope), ast.Module):
            held = function.function.__globals__.get(write.root)
            known = held is owner or held is type(owner)
        else:
            known = is_made(page, write, type(owner))
        if known and not sets_up(page, write):
            return write
    return None


def is_made(page: Page, write: Write, cls: type) -> bool:
    """Whether the root of a change is a local variable made by calling the class."""
    owner = page.owner(write.root, write.scope)
    return any(
        other.how == "bind"
        and isinstance(other.node, ast.Assign)
        and isinstance(other.node.value, ast.Call)
        and isinstance(other.node.value.func, ast.Name)
        and other.node.value.func.id == cls.__name__
        for other in page.writes_to[write.root]
        if page.owner(other.root, other.scope) is owner
    )


def class_pages(cls: type) -> Iterator[tuple[Page, str]]:
    """The pages of a class and of its bases, as far as they are the user's."""
    for base in cls.__mro__:
        if not is_user_class(base):
            continue
        inner = (getattr(each, "__wrapped__", each) for each in vars(base).values())
        codes = (getattr(each, "__code__", None) for each in inner)
        filenames = {code.co_filename for code in codes if code is not None}
        for filename in filenames:
            page = page_of(filename)
            if page is not None:
                yield page, base.__name__


def sets_once(write: Write, name: str) -> bool:
    """Whether a method refuses to set an attribute again: `if self.done: raise …`."""
    body = getattr(write.scope, "body", [])
    return any(
        isinstance(each, ast.If)
        and isinstance(each.body[0], ast.Raise)
        and any(getattr(node, "attr", "") == name for node in ast.walk(each.test))
        for each in (body if isinstance(body, list) else [])
    )


def method_of(page: Page, write: Write) -> str | None:
    """The class whose method changes its own object here, unless it initialises it."""
    scope = page.owner(write.root, write.scope)
    if not isinstance(scope, ast.FunctionDef) or not scope.args.args:
        return None
    outer = page.scope(scope)
    if not isinstance(outer, ast.ClassDef) or constructs(page, scope.name):
        return None
    return outer.name if write.root == scope.args.args[0].arg else None


def constructs(page: Page, name: str) -> bool:
    """Whether a method only runs while an object is made: `__init__`, its helpers."""
    if name not in page.constructing:
        page.constructing[name] = name in INITIALISERS  # while its callers are asked
        again = name.strip("_").partition("_")[0] in AGAIN
        if not again and not page.constructing[name]:
            callers = page.callers(name)
            made = all(constructs(page, each) for each in callers)
            page.constructing[name] = bool(callers) and made
    return page.constructing[name]


def module_change(module: object, name: str) -> bool:
    """Whether some function of the user's module rebinds its global `name`."""
    found = sys.modules.get(getattr(module, "__name__", ""))
    if found is None or not is_user_module(found):
        return False
    page = page_of(getattr(found, "__file__", None) or "")
    return page is not None and any(
        write.scope is not page.tree and page.owner(name, write.scope) is page.tree
        for write in page.writes_to[name]
    )
