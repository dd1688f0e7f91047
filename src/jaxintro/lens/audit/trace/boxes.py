"""Things that hold other things, read and written alike: a dict, a list, an object."""

from __future__ import annotations

import pickle
import queue
import random
import sys
from argparse import Namespace
from collections import UserDict, UserList, deque
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from types import CellType, FunctionType, ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxintro.lens.files import is_user_class, is_user_file, is_user_module

LARGEST = 20_000_000  # bytes of a NumPy array that is copied
PLAIN = (SimpleNamespace, Namespace, UserDict, UserList, queue.Queue)

Contents = dict[Any, Any]


@dataclass(frozen=True, eq=False)
class Box:
    """Reads what a thing holds as a dict, and puts it back."""

    read: Callable[[], Contents]
    write: Callable[[Contents], None]
    own: bool = True  # the user's data, not a library's bookkeeping
    whole: bool = False  # what it holds cannot be named by keys


def box_of(thing: Any) -> Box | None:
    """The box of a thing that can be changed in place, or None."""
    if isinstance(thing, dict):
        return dict_box(thing)
    if isinstance(thing, list | deque | bytearray):
        return sequence_box(thing)
    if isinstance(thing, set):
        return set_box(thing)
    if isinstance(thing, np.ndarray):
        return array_box(thing)
    if isinstance(thing, random.Random | np.random.Generator | np.random.RandomState):
        return generator_box(thing)
    if isinstance(thing, CellType):
        return cell_box(thing)
    if isinstance(thing, ModuleType):
        if not is_user_module(thing):
            return None
        return names_box(vars(thing))
    if isinstance(thing, type):
        return class_box(thing) if is_user_class(thing) else None
    if isinstance(thing, FunctionType):
        own = is_user_file(thing.__code__.co_filename)
        return names_box(vars(thing)) if own else None
    return object_box(thing) or pickled_box(thing)


def put_back(mapping: Any, held: Contents) -> None:
    """Make a dict hold what it held, touching only what differs."""
    for key in [key for key in mapping if key not in held]:
        del mapping[key]
    for key, value in held.items():
        if key not in mapping or mapping[key] is not value:
            mapping[key] = value


def names_box(names: Any) -> Box:
    """The box of a namespace: the globals of a module, the environment."""
    return Box(lambda: dict(names), lambda held: put_back(names, held))


def dict_box(thing: dict[Any, Any]) -> Box:
    """The box of a dict, the order of its keys included."""

    def write(held: Contents) -> None:
        put_back(thing, held)
        if list(thing) != list(held):
            thing.clear()
            thing.update(held)

    return Box(lambda: dict(thing), write)


def set_box(thing: set[Any]) -> Box:
    """The box of a set."""

    def write(held: Contents) -> None:
        thing.clear()
        thing.update(held)

    return Box(lambda: dict.fromkeys(thing), write, whole=True)


def sequence_box(thing: Any) -> Box:
    """The box of a list, deque or bytearray."""

    def write(held: Contents) -> None:
        thing.clear()
        thing.extend(held.values())

    return Box(lambda: dict(enumerate(thing)), write, whole=True)


def is_too_large(array: Any) -> bool:
    """Whether an array is too large to be copied."""
    return bool(array.nbytes > LARGEST)


def array_box(thing: Any) -> Box | None:
    """The box of a NumPy array, if it is not too large to be copied."""
    if is_too_large(thing) or not thing.flags.writeable:
        return None
    if thing.dtype.hasobject:
        flat = thing.reshape(-1)
        return Box(
            lambda: dict(enumerate(flat)),
            lambda held: flat.__setitem__(slice(None), [*held.values()]),
            whole=True,
        )

    def write(held: Contents) -> None:
        old = np.frombuffer(held["data"], dtype=thing.dtype)
        np.copyto(thing, old.reshape(thing.shape))

    return Box(lambda: {"data": thing.tobytes()}, write, whole=True)


def generator_box(thing: Any) -> Box:
    """The box of a random generator: its state."""

    def read() -> Contents:
        if isinstance(thing, random.Random):
            return {"state": pickle.dumps(thing.getstate())}
        if isinstance(thing, np.random.RandomState):
            return {"state": pickle.dumps(thing.get_state())}
        return {"state": pickle.dumps(thing.bit_generator.state)}

    def write(held: Contents) -> None:
        state = pickle.loads(held["state"])
        if isinstance(thing, random.Random):
            thing.setstate(state)
        elif isinstance(thing, np.random.RandomState):
            thing.set_state(state)
        else:
            thing.bit_generator.state = state

    return Box(read, write, whole=True)


def cell_box(cell: CellType) -> Box:
    """The box of a closure's variable."""

    def read() -> Contents:
        try:
            return {"": cell.cell_contents}
        except ValueError:
            return {}

    def write(held: Contents) -> None:
        if held:
            cell.cell_contents = held[""]
        else:
            del cell.cell_contents

    return Box(read, write)


def class_box(cls: type) -> Box:
    """The box of a class of the user's: its attributes."""

    def read() -> Contents:
        own = dict(vars(cls))
        return {key: own[key] for key in own if not key.startswith("__")}

    def write(held: Contents) -> None:
        now = read()
        for key in now.keys() - held.keys():
            type.__delattr__(cls, key)
        for key, value in held.items():
            if key not in now or now[key] is not value:
                type.__setattr__(cls, key, value)

    return Box(read, write, own=cls.__base__ is object)


def object_box(thing: Any) -> Box | None:
    """The box of an object whose class the user wrote: its attributes."""
    cls = type(thing)
    ours = cls.__module__ == "jaxintro.lens.traces"  # a counter of traces
    plain = isinstance(thing, PLAIN) or is_dataclass(thing) or ours
    if isinstance(thing, jax.Array) or not (plain or is_user_class(cls)):
        return None
    names = slots(cls)
    attributes = getattr(thing, "__dict__", None)

    def read() -> Contents:
        held = {key: getattr(thing, key) for key in names if hasattr(thing, key)}
        return {**held, **(attributes or {})}

    def write(held: Contents) -> None:
        for key in names:
            if key in held:
                object.__setattr__(thing, key, held[key])
            elif hasattr(thing, key):
                object.__delattr__(thing, key)
        if attributes is not None:
            rest = {key: held[key] for key in held if key not in names}
            put_back(attributes, rest)

    bases = [base for base in cls.__mro__ if base not in (object, cls)]
    own = not ours and all(is_user_class(base) for base in bases)
    return Box(read, write, own=own or isinstance(thing, PLAIN))


def pickled_box(thing: Any) -> Box | None:
    """The box of a library's container, such as a pandas DataFrame: a copy of it."""
    cls = type(thing)
    library = cls.__module__.partition(".")[0]
    if not hasattr(cls, "__setitem__") or library in ("jax", "jaxlib", "flax", "haiku"):
        return None
    if isinstance(thing, dict | list | np.ndarray | memoryview):
        return None
    if size_of(thing) > LARGEST:
        return None

    def read() -> Contents:
        try:
            return {"data": pickle.dumps(thing)}
        except Exception:  # it holds what cannot be copied: a tracer, for one
            return {"data": object()}

    def write(held: Contents) -> None:
        old = pickle.loads(held["data"])
        if hasattr(thing, "__dict__"):
            vars(thing).clear()
            vars(thing).update(vars(old))
        else:
            thing[:] = old

    if not isinstance(read()["data"], bytes):
        return None
    return Box(read, write, whole=True)


def size_of(thing: Any) -> int:
    """How many bytes a library's container takes, as far as it says."""
    try:
        return int(np.sum(thing.memory_usage(deep=True)))
    except Exception:
        return sys.getsizeof(thing)


def defaults_box(function: FunctionType) -> Box:
    """The box of what a function's parameters are by default."""
    plain = function.__code__.co_varnames[: function.__code__.co_argcount]

    def read() -> Contents:
        given = function.__defaults__ or ()
        named = zip(plain[len(plain) - len(given) :], given, strict=True)
        return {**dict(named), **(function.__kwdefaults__ or {})}

    def write(held: Contents) -> None:
        if function.__defaults__:
            names = plain[len(plain) - len(function.__defaults__) :]
            function.__defaults__ = tuple(held[name] for name in names)
        named = function.__kwdefaults__
        if named is not None:
            named.update({name: held[name] for name in named})

    return Box(read, write, own=False)


def forced_box(thing: Any) -> Box | None:
    """The box of any object's attributes, its class a library's or not."""
    own = getattr(thing, "__dict__", None)
    if isinstance(thing, ModuleType | type | jax.Array) or not isinstance(own, dict):
        return None
    return names_box(own)


def slots(cls: type) -> list[str]:
    """The names of a class's slots, its bases' included."""
    found: list[str] = []
    for base in cls.__mro__:
        given = vars(base).get("__slots__", ())
        found += [given] if isinstance(given, str) else list(given)
    return [name for name in found if name not in ("__dict__", "__weakref__")]


class Held(NamedTuple):
    """A value that is read anew each time: it is compared by what it is."""

    value: Any


def unchanged(one: object, other: object) -> bool:
    """Whether two readings gave the same thing (text is read anew each time)."""
    if one is other:
        return True
    compared = isinstance(one, str | bytes | Held) and type(one) is type(other)
    return compared and one == other


def same(one: Contents, other: Contents) -> bool:
    """Whether two readings of a box hold the same things in the same order."""
    return list(one) == list(other) and all(
        unchanged(one[key], other[key]) for key in one
    )
