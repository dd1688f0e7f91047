"""The program's state around a trace: seen before, compared after, put back."""

from __future__ import annotations

import functools
import inspect
import os
import random
from collections.abc import Collection
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

import jax
import numpy as np

from jaxintro.lens.audit.rules.chance import GENERATORS
from jaxintro.lens.audit.source.function import Label, UserFunction, codes
from jaxintro.lens.audit.source.values import contents, follow
from jaxintro.lens.audit.source.writes import Write
from jaxintro.lens.audit.trace.boxes import (
    Box,
    Contents,
    box_of,
    cell_box,
    defaults_box,
    forced_box,
    is_too_large,
    names_box,
    same,
    unchanged,
)
from jaxintro.lens.audit.trace.settings import SETTINGS, settings_box
from jaxintro.lens.audit.trace.stand_ins import Seen, stand_in
from jaxintro.lens.audit.trace.tracers import chain_to_tracer, holds_tracer

MOST = 20_000  # things watched in one audit
ABSENT = object()
DEFAULTS = ("argument", "a default")
ENVIRONMENT = ("global", "environ")
SETTING = "setting"


Spot = tuple[Label, object]
"""What is changed, as the user reaches it, and the key below it."""


@dataclass(frozen=True)
class Change:
    """Something that is not as it was: where, and whether it holds a tracer now."""

    label: Label
    step: object
    leaked: bool
    own: bool
    place: tuple[int, object]
    chance: bool = False  # a random generator has been drawn from
    chain: str = ""  # what holds the tracer: `cache['y'][0]`

    @property
    def spot(self) -> Spot:
        """Where to look when the function is traced again."""
        label = (SETTING, "") if self.label[0] == SETTING else self.label
        return label, self.place[1]

    def explains(self, label: Label | None, step: object) -> bool:
        """Whether a diagnostic about `label` and the first step below it means this."""
        known = isinstance(step, str | int) and isinstance(self.step, str | int)
        return label == self.label and (not known or step == self.step)


@dataclass(eq=False)
class Kept:
    """One thing under watch: what it held, and how the user reaches it."""

    thing: object
    box: Box
    before: Contents
    during: Contents
    labels: list[tuple[Label, object]] = field(default_factory=list)
    root: object = None  # from which the user reaches it
    is_names: bool = False
    fresh: bool = False  # made for this trace alone


class Watch:
    """Everything that the functions under audit can reach, and what it held."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.kept: dict[int, Kept] = {}
        self.added: set[tuple[int, str]] = set()  # globals, by module and name
        self.full = False
        self._asked: tuple[int, list[Kept]] = (0, [])
        self.locked: list[Any] = []  # arrays too large to be copied
        self._keep(SETTINGS, settings_box(), (SETTING, ""), None)
        environment = self._keep(os.environ, names_box(os.environ), ENVIRONMENT, None)
        environment.labels.append((("global", "os"), "environ"))
        for thing in (random._inst, np.random.mtrand._rand):
            self.add(("chance", "global"), thing)

    def add_function(self, function: UserFunction) -> None:
        """Watch the globals, closure, defaults and object of a function."""
        inner = function.function
        names = set(inner.__code__.co_names) | {
            name for code in codes(inner.__code__) for name in code.co_names
        }
        globals_ = inner.__globals__
        self._namespace(globals_)
        for name in sorted(names & globals_.keys()):
            if (id(globals_), name) in self.added:
                continue
            self.added.add((id(globals_), name))
            self._replace(globals_, name)
            self.add(("global", name), globals_[name])
        for name, cell in zip(
            inner.__code__.co_freevars, inner.__closure__ or (), strict=True
        ):
            label = ("closure", name)
            self._keep(cell, cell_box(cell), label, None)
            self.add(label, contents(cell))
        if inner.__defaults__ or inner.__kwdefaults__:
            box = defaults_box(inner)
            for name, value in box.read().items():
                self.add(("argument", name), value)
            self._keep(inner.__defaults__ or inner.__kwdefaults__, box, DEFAULTS, None)
        for name, value in function.bound.items():
            self.add(function.label(name, function.node) or ("argument", name), value)

        for write in function.body.every_write:
            if write.how != "bind":
                self._add_written(function, write)

    def _add_written(self, function: UserFunction, write: Write) -> None:
        """Watch what the source shows to be changed, be it a library's."""
        root, steps, owner = function.body.resolve(write.root, write.steps, write.scope)
        label = function.label(root, owner)
        if label is None or label[0] in ("argument", "parameter") or not steps:
            return
        above = steps[:-1] if write.how == "store" else steps
        thing = follow(function.value(root, owner), above)
        box = box_of(thing) or forced_box(thing)
        if box is not None:
            self._keep(thing, box, label, above[0][1] if above else None)

    def add(self, label: Label, thing: Any, fresh: bool = False) -> None:
        """Watch a thing, and what it holds, and so on."""
        root = thing
        pending: list[tuple[Any, object]] = [(thing, None)]
        visited: set[int] = set()
        while pending:
            thing, step = pending.pop()
            if id(thing) in visited or isinstance(thing, jax.Array | str | bytes):
                continue
            visited.add(id(thing))
            if len(self.kept) >= MOST:
                self.full = True
                return
            if isinstance(thing, tuple):
                pending += [(each, step) for each in thing]
            self._lock(thing)
            box = box_of(thing)
            if box is None:
                continue
            new = fresh and not isinstance(thing, type)
            try:
                kept = self._keep(thing, box, label, step, new, root)
            except Exception:  # what the user's own code refuses to show
                self.full = True
                continue
            for key, value in kept.before.items():
                below = key if step is None else step
                if isinstance(thing, ModuleType) and str(key).startswith("__"):
                    continue
                if not isinstance(value, FunctionType | ModuleType | bytes):
                    pending.append((value, below))
            if not isinstance(thing, type) and box.own:
                pending.append((type(thing), "__class__" if step is None else step))

    def _lock(self, thing: Any) -> None:
        """Let nothing write to an array that is too large to be copied."""
        large = isinstance(thing, np.ndarray) and is_too_large(thing)
        if large and thing.flags.writeable and thing.base is None:
            thing.flags.writeable = False
            self.locked.append(thing)

    def _keep(
        self,
        thing: Any,
        box: Box,
        label: Label,
        step: object,
        fresh: bool = False,
        root: object = None,
    ) -> Kept:
        if id(thing) not in self.kept:
            before, during = self._names_of(thing) or (box.read(), {})
            during.update(self._replaced(during or before, label))
            if any(during[key] is not before[key] for key in before):
                box.write(during)
            new = Kept(thing, box, before, during, fresh=fresh, root=root)
            self.kept[id(thing)] = new
        kept = self.kept[id(thing)]
        if (label, step) not in kept.labels:
            kept.labels.append((label, step))
        return kept

    def _replaced(self, held: Contents, label: Label) -> Contents:
        return {
            key: stand_in(value, label[1] if key == "" else str(key), self.seen)
            for key, value in held.items()
        }

    def _namespace(self, names: Any) -> Kept:
        if id(names) not in self.kept:
            box = names_box(names)
            held = box.read()
            kept = Kept(names, box, held, dict(held), is_names=True)
            self.kept[id(names)] = kept
        return self.kept[id(names)]

    def _names_of(self, thing: object) -> tuple[Contents, Contents] | None:
        """A module's names, which are watched under its own name and as globals."""
        if not isinstance(thing, ModuleType):
            return None
        kept = self._namespace(vars(thing))
        return kept.before, kept.during

    def _replace(self, names: dict[str, Any], name: str) -> None:
        """Put a stand-in in the place of a global."""
        new = stand_in(names[name], name, self.seen)
        if new is not names[name]:
            self.kept[id(names)].during[name] = names[name] = new

    def changes(self) -> list[Change]:
        """What is not as it was when the trace began."""
        found: list[Change] = []
        for kept in self.kept.values():
            now = kept.box.read()
            for key in {**kept.during, **now}:
                if equal(kept.during.get(key, ABSENT), now.get(key, ABSENT)):
                    continue
                leaked = not kept.fresh and holds_tracer(now.get(key))
                if is_bookkeeping(kept, key, leaked):
                    continue
                own = kept.box.own
                chance = isinstance(kept.thing, GENERATORS)
                found += [
                    Change(
                        label,
                        step,
                        leaked,
                        own,
                        (id(kept.thing), key),
                        chance,
                        chain_of(kept, key, label, now) if leaked else "",
                    )
                    for label, step in self._labels(kept, key)
                ]
        return found

    def differing(self, spots: set[Spot]) -> set[Spot]:
        """Which of some spots are not as they were when the trace began."""
        if len(self.kept) != self._asked[0]:  # arguments are made anew in each trace
            labels = {label for label, _ in spots}
            named = [
                kept
                for kept in self.kept.values()
                if kept.is_names or labels & {label for label, _ in kept.labels}
            ]
            self._asked = (len(self.kept), named)
        found: set[Spot] = set()
        for kept in self._asked[1]:
            now = kept.box.read()
            for label, key in spots:
                mine = kept.is_names or any(label == each for each, _ in kept.labels)
                old, new = kept.during.get(key, ABSENT), now.get(key, ABSENT)
                if mine and not unchanged(old, new):
                    found.add((label, key))
        return found

    def _labels(self, kept: Kept, key: object) -> list[tuple[Label, object]]:
        if kept.is_names:
            return [(("global", str(key)), None)]
        if kept.labels[0][0][0] == SETTING:
            return [((SETTING, str(key)), None)]
        deep = kept.box.whole or key == ""
        return [
            (label, (None if deep else key) if step is None else step)
            for label, step in kept.labels
        ]

    def reset(self, counted: Collection[Spot]) -> None:
        """Make everything as it was when the trace began, stand-ins included.

        Random generators and counters go on: a second draw must differ from the first.
        """
        for stream in self.seen.streams:
            stream.rewind()
        for kept in self.kept.values():
            if not isinstance(kept.thing, GENERATORS):
                give_back(kept, {**kept.during, **self._going_on(kept, counted)})

    def _going_on(self, kept: Kept, counted: Collection[Spot]) -> Contents:
        """What a thing holds of the counters."""
        keys = [
            key
            for label, key in counted
            if kept.is_names or any(label == each for each, _ in kept.labels)
        ]
        if not keys:
            return {}
        now = kept.box.read()
        return {key: now[key] for key in keys if key in now and key in kept.during}

    def restore(self) -> list[str]:
        """Make everything as it was before the audit; the names of what refuses."""
        for array in self.locked:
            array.flags.writeable = True
        return [
            kept.labels[0][0][1] if kept.labels else "a global"
            for kept in self.kept.values()
            if not give_back(kept, kept.before)
        ]


def equal(old: object, new: object) -> bool:
    """Whether a value is what it was, be it as another number of the same size."""
    if unchanged(old, new):
        return True
    numbers = isinstance(old, int | float) and isinstance(new, int | float)
    return numbers and old == new


def is_bookkeeping(kept: Kept, key: object, leaked: bool) -> bool:
    """Whether a change is Python's own: a module's notes, a property that is kept."""
    if kept.is_names or isinstance(kept.thing, ModuleType):
        return str(key).startswith("__")
    if leaked or not isinstance(key, str):
        return False
    kind = inspect.getattr_static(type(kept.thing), key, None)
    return isinstance(kind, functools.cached_property)


def chain_of(kept: Kept, key: object, label: Label, now: Contents) -> str:
    """The chain of names that holds a tracer, from what the user calls it."""
    if kept.is_names or key == "":
        chain = chain_to_tracer(now.get(key))
    else:
        chain = chain_to_tracer(kept.root)
    return "" if chain is None else f"{label[1]}{chain}"


def give_back(kept: Kept, held: Contents) -> bool:
    """Make a thing hold what it held; whether it let us."""
    try:
        if not same(kept.box.read(), held):
            kept.box.write(held)
    except Exception:  # the user's own class; the rest must be put back all the same
        return False
    return True
