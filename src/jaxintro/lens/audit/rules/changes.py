"""Outside state in the source: what a function changes, and what it reads."""

from __future__ import annotations

import ast
import os
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import jax

from jaxintro.lens.audit.kinds import LEAK, MUTATION, OUTSIDE, Diagnostic
from jaxintro.lens.audit.rules.chance import GENERATORS
from jaxintro.lens.audit.rules.outside import (
    CONTAINERS,
    change_from_outside,
    later_change,
    method_change,
    module_change,
    really_changes,
    surroundings,
)
from jaxintro.lens.audit.source.body import Found
from jaxintro.lens.audit.source.function import Label, UserFunction
from jaxintro.lens.audit.source.quoting import (
    called,
    in_place,
    is_array,
    outside_name,
    shown,
    where,
)
from jaxintro.lens.audit.source.values import MISSING, follow
from jaxintro.lens.audit.source.writes import MUTATORS, Scope, Step, Write
from jaxintro.lens.audit.trace.tracers import holds_tracer
from jaxintro.lens.files import is_user_class

Outside = tuple[Label, str, tuple[Step, ...], Scope]
"""An outside place: where it comes from, its name, the steps, whose variable it is."""


def rule_changes(function: UserFunction) -> Iterator[Diagnostic]:
    """Arguments and outside places that are assigned to or changed."""
    for write in function.body.writes:
        root, steps, owner = function.body.resolve(write.root, write.steps, write.scope)
        label = function.label(root, owner)
        if label is None or (write.how == "bind" and function.body.inside(owner)):
            continue
        value = function.value(root, owner)
        own_name = write.how == "augment" and function.body.inside(owner)
        if own_name and not isinstance(follow(value, steps), CONTAINERS[:-1]):
            continue  # x += 1 gives a new x, unless x is a list
        if not really_changes(Write(root, steps, write.how, write.node, owner), value):
            continue
        parent = follow(value, steps[:-1]) if steps else MISSING
        is_item = write.how == "store" and steps and steps[-1][0] == "item"
        if is_item and label[0] == "argument" and is_array(parent):
            yield in_place(function, write.node)
            continue
        yield change(function, write, label, root, steps)


def change(
    function: UserFunction,
    write: Write,
    label: Label,
    root: str,
    steps: tuple[Step, ...],
) -> Diagnostic:
    """The diagnostic of one change to an argument or an outside place."""
    kept = steps[:-1] if write.how == "store" and steps[-1][0] == "item" else steps
    rebound = label[0] == "argument" and any(
        each.how == "bind" and each.line <= write.line
        for each in function.page.writes_to[root]
        if function.page.owner(each.root, each.scope) is function.node
    )
    weak = label[0] == "parameter" or rebound
    argument = label[0] in ("argument", "parameter")
    return Diagnostic(
        MUTATION,
        *where(function, write.node),
        f"changes {called(label, root, kept)}",
        f"`{shown(outside_name(label, root), kept)}`",
        "mutation of an argument" if argument else MUTATION,
        needs="unexplained" if weak else needs_of(function, write.node),
        label=label,
        step=steps[0][1] if steps else None,
    )


def needs_of(function: UserFunction, node: ast.AST) -> str:
    """What a change needs: `self.n += 1; return self.n` gives a name, or a number."""
    if not isinstance(node, ast.AugAssign) or not isinstance(node.value, ast.Constant):
        return "change"
    place = ast.unparse(node.target)
    gives = any(
        isinstance(part, ast.expr) and ast.unparse(part) == place
        for each in function.body.nodes
        if isinstance(each, ast.Return) and each.value is not None
        for part in ast.walk(each.value)
    )
    return "counter" if gives else "change"


def rule_reads(function: UserFunction) -> Iterator[Diagnostic]:
    """Outside state that is read, where something changes it, or where anyone may."""
    found: dict[tuple[str, int], list[tuple[str, str]]] = {}
    seen: set[str] = set()
    for place, is_called, nodes in function.body.reads:
        read = outside_read(function, place, is_called)
        if read is None or shown(*read[1:3]) in seen:
            continue
        label, root, steps, owner = read
        by = changed_by(function, root, steps, owner)
        if not by:
            yield from loose(function, nodes[0], read)
        if holds_tracer(function.at((root, steps, owner))):
            for node in nodes:
                yield old_tracer(function, node, called(label, root, steps))
        elif by:
            seen.add(shown(root, steps))
            if by.startswith("it changes itself"):
                yield own_change(function, nodes[0], (label, root, steps), by)
                continue
            reads = found.setdefault(where(function, nodes[0]), [])
            reads.append((called(label, root, steps), by))
    for there, reads in found.items():
        places = " and ".join(each for each, _ in reads)
        what = f"reads {places}, which {reads[0][1]}"
        name = " and ".join(quoted(each) for each, _ in reads)
        variant = "module with state" if reads[0][1].startswith("holds") else ""
        cure = f"Pass {name} as arguments." if len(reads) > 1 else ""
        yield Diagnostic(OUTSIDE, *there, what, name, variant, cure)


def quoted(place: str) -> str:
    """The name alone, in its backquotes, of "the global `counter`"."""
    return f"`{place.split('`')[1]}`"


def own_change(
    function: UserFunction,
    node: ast.AST,
    read: tuple[Label, str, tuple[Step, ...]],
    by: str,
) -> Diagnostic:
    """The diagnostic of a place that the function itself changes, if it is seen to."""
    label, root, steps = read
    place = called(label, root, steps)
    counters = (
        needs_of(function, each) == "counter"
        for each in function.body.nodes
        if isinstance(each, ast.AugAssign)
        and ast.unparse(each.target) == shown(root, steps)
    )
    needs = "counter" if any(counters) else "change"
    return Diagnostic(
        OUTSIDE,
        *where(function, node),
        f"reads {place}, which {by}",
        quoted(place),
        needs=needs,
        label=label,
        step=steps[0][1] if steps else None,
    )


def outside_read(
    function: UserFunction, place: Found, is_called: bool
) -> Outside | None:
    """The outside place that is read at a place, as far as it is data."""
    root, steps, owner = place
    label, value = function.label(root, owner), function.value(root, owner)
    if is_called and steps:
        if steps[-1][1] in MUTATORS:
            return None
        above = follow(value, steps[:-1])
        if not is_data(above, steps[-1][1]):
            if is_user_class(type(above)) and not isinstance(above, CONTAINERS):
                return None  # its method is read by itself
            steps = steps[:-1]  # config.get("x")
    fixed = label is not None and label[0] == "argument" and is_fixed(value)
    if label is None or (label[0] in ("argument", "parameter") and not fixed):
        return None
    return label, root, steps, owner


def is_data(owner: object, name: object) -> bool:
    """Whether an attribute is an object's own, not a method of its class."""
    return name in getattr(owner, "__dict__", ()) and not isinstance(
        owner, ModuleType | type
    )


def is_fixed(value: object) -> bool:
    """Whether an argument can only be static: jit knows it by its identity."""
    cls = type(value)
    by_identity = cls.__hash__ is object.__hash__ and cls.__eq__ is object.__eq__
    return is_user_class(cls) and by_identity and jax.tree_util.all_leaves([value])


def changed_by(
    function: UserFunction, root: str, steps: tuple[Step, ...], owner: Scope
) -> str:
    """What changes an outside place, as the end of a sentence; "" if nothing does."""
    value = function.value(root, owner)
    whole = function.at((root, steps, owner))
    if is_module_of_nnx(whole):
        return "holds its state itself"
    own = bool(steps) and is_data(follow(value, steps[:-1]), steps[-1][1])
    if isinstance(whole, ModuleType | type) or (callable(whole) and not own):
        return ""
    if is_chance(whole) or (is_table(whole) and whole) or is_context(value, steps):
        return ""
    if whole is os.environ:
        return "anything outside may change"
    change: Write | None = None
    if not function.body.inside(owner):
        change = later_change(function, root, steps, owner)
    if change is None and steps and steps[0][0] == "attr":
        name = str(steps[0][1])
        if isinstance(value, ModuleType):
            return "its module changes" if module_change(value, name) else ""
        if is_user_class(value if isinstance(value, type) else type(value)):
            change = method_change(value, name)
            if change is None and function.body.inside(owner):
                change = change_from_outside(function, value, name)
    if change is None:
        return ""
    if function.node in function.page.ancestors(change.node):
        return f"it changes itself (line {change.line})"
    page, _ = surroundings(function)
    known = page is function.page or change not in page.writes
    return f"line {change.line} changes" if known else "another cell changes"


def is_module_of_nnx(value: object) -> bool:
    """Whether a value is a module of flax.nnx: its arrays change in place."""
    nnx = sys.modules.get("flax.nnx")
    return nnx is not None and isinstance(value, nnx.Module)


def is_context(value: object, steps: tuple[Step, ...]) -> bool:
    """Whether a place is a thread's own: a stack of what `with` blocks have entered."""
    for end in range(len(steps) + 1):
        above = follow(value, steps[:end])
        held = getattr(above, "__dict__", {}) if above is not MISSING else {}
        parts = () if isinstance(above, ModuleType) else tuple(held.values())
        if any(isinstance(each, threading.local) for each in (above, *parts)):
            return True
    return False


def is_chance(value: object) -> bool:
    """Whether a value gives something else each time: other rules report it."""
    return isinstance(value, GENERATORS) or hasattr(type(value), "__next__")


def old_tracer(function: UserFunction, node: ast.AST, place: str) -> Diagnostic:
    """The diagnostic of a tracer that an earlier trace left behind."""
    what = f"uses {place}, which holds a tracer of an earlier trace"
    name, variant = quoted(place), "use of a leaked tracer"
    return Diagnostic(LEAK, *where(function, node), what, name, variant)


def loose(
    function: UserFunction, node: ast.Name, read: Outside
) -> Iterator[Diagnostic]:
    """A place that is read and could change, though nothing is seen to do so."""
    label, root, steps, owner = read
    value = function.value(root, owner)
    if steps and steps[0][0] == "attr" and is_loose(value):
        steps = steps[:1]
        held = follow(value, steps)
        if held is MISSING or callable(held):
            return
    elif isinstance(value, list | dict | set) and not is_table(value):
        steps = ()
    else:
        return
    what = called(label, root, steps)
    yield Diagnostic(OUTSIDE, *where(function, node), what, needs="untold")


def is_table(value: object) -> bool:
    """Whether a value is a table of functions or classes."""
    return isinstance(value, dict) and all(map(callable, value.values()))


def is_loose(value: object) -> bool:
    """Whether anyone may set the attributes of an object."""
    cls = type(value)
    frozen = cls.__setattr__ is not object.__setattr__ or isinstance(value, tuple)
    plain = isinstance(value, SimpleNamespace | Namespace)
    return plain or (is_user_class(cls) and not frozen)
