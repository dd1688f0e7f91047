"""Which functions to read: the audited one, and the user's own that it refers to."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import jax

from jaxintro.lens.audit.source.body import body_of
from jaxintro.lens.audit.source.function import UserFunction
from jaxintro.lens.audit.source.syntax import Page, page_of
from jaxintro.lens.audit.source.values import MISSING, contents
from jaxintro.lens.audit.trace.stand_ins import is_stream
from jaxintro.lens.files import is_user_class, is_user_file

MOST = 200  # functions read in one audit
RULED = (jax.custom_vjp, jax.custom_jvp)
CALLED = ("__init__", "__post_init__", "__call__", "setup")


@dataclass(frozen=True, eq=False)
class Layer:
    """A callable that is called with `first`, then the caller's arguments."""

    callable: Any
    first: tuple[object, ...] = ()
    keywords: Mapping[str, object] = field(default_factory=dict)
    receiver: str | None = None


def layers(function: object) -> Iterator[Layer]:
    """`function`, what it wraps, what that wraps, and so on.

    Sees through functools.partial, bound methods, callable objects, classes, and
    whatever sets `__wrapped__`: jax.jit, jax.vmap, jax.grad, functools.wraps.
    """
    layer = Layer(function)
    seen: set[int] = set()
    while id(layer.callable) not in seen and len(seen) < 50:
        seen.add(id(layer.callable))
        yield layer
        inner = layer.callable
        if isinstance(inner, functools.partial):
            keywords = {**inner.keywords, **layer.keywords}
            layer = Layer(inner.func, (*inner.args, *layer.first), keywords)
        elif isinstance(inner, MethodType):
            layer = replace(
                layer,
                callable=inner.__func__,
                first=(inner.__self__, *layer.first),
                receiver=receiver_of(inner.__func__, inner.__self__),
            )
        elif hasattr(inner, "__wrapped__"):
            layer = replace(layer, callable=inner.__wrapped__)
        elif is_user_object(inner):
            call = type(inner).__call__
            receiver = receiver_of(call, inner)
            layer = Layer(call, (inner, *layer.first), layer.keywords, receiver)
        else:
            return


def receiver_of(method: object, owner: object) -> str:
    """How a method comes by its object: a jitted one takes a pytree as an argument."""
    jitted = isinstance(method, jax.stages.Wrapped)
    if jitted and not jax.tree_util.all_leaves([owner]):
        return "argument"
    return "object"


def name_of(function: object) -> str:
    """The name of a callable, or of what it wraps."""
    for layer in layers(function):
        name = getattr(layer.callable, "__qualname__", None)
        if isinstance(name, str):
            return name.rpartition("<locals>.")[2]
    return type(function).__name__


def is_user_object(value: object) -> bool:
    """Whether a value is a callable object of a class that the user wrote."""
    plain = FunctionType | BuiltinFunctionType | type
    return (
        not isinstance(value, plain) and callable(value) and is_user_class(type(value))
    )


def is_user_function(value: object) -> bool:
    """Whether a value is a Python function from a file of the user's."""
    return isinstance(value, FunctionType) and is_user_file(value.__code__.co_filename)


def is_library(function: object) -> bool:
    """Whether no layer of a callable is the user's own."""
    codes = [getattr(layer.callable, "__code__", None) for layer in layers(function)]
    names = [code.co_filename for code in codes if code is not None]
    return not any(is_user_file(name) or name == "<string>" for name in names)


class Reader:
    """Collects the functions to read; `unread` names those without a source."""

    def __init__(self) -> None:
        self.functions: list[UserFunction] = []
        self.unread: list[str] = []
        self._pages: dict[str, Page | None] = {}
        self._seen: set[tuple[object, ...]] = set()

    def page(self, filename: str, namespace: dict[str, Any] | None = None) -> Any:
        """The page of a file, parsed once; None if it cannot be read."""
        if filename not in self._pages:
            self._pages[filename] = page_of(filename, namespace)
        return self._pages[filename]

    def read(
        self, function: Callable[..., Any], args: Any = (), kwargs: Any = None
    ) -> None:
        """Collect the audited function, what it wraps, and what these refer to."""
        for layer in layers(function):
            values = self._values(layer, args, kwargs or {})
            receiver = (layer.receiver, "self") if layer.receiver else None
            self._add(layer.callable, values, receiver, bound_by(layer))
            self._add_parts(layer)
            for each in parts_of(layer.callable):
                self._refer(each, None)
            if isinstance(layer.callable, functools.partial):
                for each in (*layer.callable.args, *layer.callable.keywords.values()):
                    if callable(each):
                        self._refer(each, None)
        try:
            leaves = jax.tree.leaves((args, kwargs), is_leaf=is_stream)
        except (TypeError, ValueError):  # no pytree: the trace will say so
            leaves = []
        for leaf in leaves:
            if callable(leaf):
                self._refer(leaf, None)
        done = 0
        while done < min(len(self.functions), MOST):
            self._refer_from(self.functions[done])
            done += 1

    def _values(self, layer: Layer, args: Any, kwargs: Any) -> Mapping[str, object]:
        if not is_user_function(layer.callable):
            return {}
        try:
            bound = inspect.signature(layer.callable, follow_wrapped=False)
            found = bound.bind(*layer.first, *args, **{**layer.keywords, **kwargs})
        except TypeError:
            return {}
        found.apply_defaults()
        return found.arguments

    def _add(
        self, function: object, values: Any, receiver: Any, bound: Any = None
    ) -> None:
        if not isinstance(function, FunctionType):
            return
        if not is_user_function(function):
            name, filename = function.__name__, function.__code__.co_filename
            if filename == "<string>" and not name.startswith("__"):
                self.unread.append(name)
            return
        key = (function.__code__, receiver, tuple(map(id, function.__closure__ or ())))
        if key in self._seen or len(self.functions) >= MOST:
            return
        self._seen.add(key)
        page = self.page(function.__code__.co_filename, function.__globals__)
        node = page.find(function.__code__) if page is not None else None
        if node is None:
            self.unread.append(function.__name__)
        else:
            found = UserFunction(
                function, body_of(page, node), values, receiver, bound or {}
            )
            self.functions.append(found)

    def _add_parts(self, layer: Layer) -> None:
        """The user's code inside a library's: a module's methods, a closure."""
        inner = layer.callable
        if isinstance(inner, type) and is_user_class(inner):
            for name in CALLED:
                self._add(vars(inner).get(name), {}, None)
        if layer.first and not is_user_function(inner):
            owner = layer.first[0]
            if is_user_class(type(owner)):
                for name in CALLED[2:]:
                    method = getattr(type(owner), name, None)
                    for each in layers(method):
                        self._add(each.callable, {}, ("object", "self"))
        if isinstance(inner, FunctionType) and not is_user_function(inner):
            for cell in inner.__closure__ or ():
                value = contents(cell)
                if is_user_function(value):
                    self._add(value, {}, None)

    def _refer(self, value: object, receiver: Any) -> None:
        for layer in layers(value):
            inner = layer.callable
            if layer.receiver and is_user_function(inner):
                name = inner.__code__.co_varnames[:1]
                values = dict(zip(name, layer.first, strict=False))
                self._add(inner, values, receiver or ("object", "self"), values)
            else:
                self._add(inner, {}, None)
            if isinstance(layer.callable, type):
                self._add_parts(layer)
            for each in parts_of(layer.callable):
                self._add(each, {}, None)

    def _refer_from(self, function: UserFunction) -> None:
        """Follow every name and attribute of a function to the user's functions."""
        for root, steps, owner in function.body.places:
            value = function.at((root, steps, owner))
            if value is MISSING and steps and steps[-1][0] == "attr":
                above = function.at((root, steps[:-1], owner))
                value = getter(above, str(steps[-1][1]))
            if value is MISSING:
                continue
            if callable(value):
                self._refer(value, function.label(root, owner))
            elif isinstance(value, dict | list | tuple):
                for each in parts_of(value):
                    self._refer(each, None)


def bound_by(layer: Layer) -> Mapping[str, object]:
    """What a layer binds to parameters before the caller's arguments come."""
    if not is_user_function(layer.callable) or not (layer.first or layer.keywords):
        return {}
    try:
        signature = inspect.signature(layer.callable, follow_wrapped=False)
        return signature.bind_partial(*layer.first, **layer.keywords).arguments
    except TypeError:
        return {}


def parts_of(value: object, depth: int = 3) -> Iterator[object]:
    """The functions inside a library's object: rules of custom_vjp, of an optimizer."""
    if depth == 0:
        return
    if isinstance(value, RULED):
        names = ("fun", "fwd", "bwd", "jvp")
        held = [getattr(value, name, None) for name in names]
    elif isinstance(value, dict):
        held = [*value.values()][:MOST]
    elif isinstance(value, list | tuple):
        held = [*value[:MOST]]
    else:
        return
    for each in held:
        if callable(each):
            yield each
        yield from parts_of(each, depth - 1)


def getter(owner: object, name: str) -> object:
    """The method behind a property of a user's class, bound to its object."""
    found = inspect.getattr_static(type(owner), name, None)
    if isinstance(found, property) and found.fget is not None:
        return MethodType(found.fget, owner)
    return MISSING
