"""What a call looks like to `jax.jit`: what it looks compiled programs up by."""

import inspect
from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

# A function is traced anew when one of these is switched, whatever its arguments.
SETTINGS = (
    "jax_enable_x64",
    "jax_default_matmul_precision",
    "jax_default_prng_impl",
    "jax_numpy_dtype_promotion",
    "jax_numpy_rank_promotion",
    "jax_threefry_partitionable",
    "jax_debug_nans",
    "jax_enable_checks",
)
LEFT_OUT = "left to its default"
LEAF = jax.tree.structure(0)


@dataclass(frozen=True)
class Array:
    """An array as tracing sees it: its shape, dtype, weak type and sharding.

    Attributes:
        aval: these four, as JAX keeps them.
        batches: sizes of the axes that each `vmap` around has taken off, innermost
            first.
    """

    aval: Any
    batches: tuple[int, ...] = ()


@dataclass(frozen=True)
class Static:
    """A value that is no array: a part of the program, not of its data."""

    value: Any


@dataclass(frozen=True)
class Signature:
    """What a compiled program is looked up by.

    Attributes:
        leaves: path → `Array` or `Static`; a static argument is one leaf.
        structure: argument → its pytree structure; that of a leaf if it is static.
        given: argument → by position, by keyword or left to its default.
        settings: those of JAX, by name.
    """

    leaves: dict[str, Array | Static]
    structure: dict[str, Any]
    given: dict[str, str]
    settings: dict[str, Any]


Arguments = dict[str, tuple[Any, str]]  # name → value, and how it was given


def named(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Arguments:
    """The arguments of a call by their parameters, each with the way it was given."""
    keyword = {name: (value, "by keyword") for name, value in kwargs.items()}
    try:
        signature = inspect.signature(function)
        bound = signature.bind(*args, **kwargs)
    except (TypeError, ValueError):  # no signature, or the call is wrong: positions
        return {f"args[{i}]": (x, "by position") for i, x in enumerate(args)} | keyword
    given = set(bound.arguments)
    bound.apply_defaults()
    found: Arguments = {}
    for name, value in bound.arguments.items():
        kind = signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            found |= {f"{name}[{i}]": (x, "by position") for i, x in enumerate(value)}
        elif kind is inspect.Parameter.VAR_KEYWORD:
            found |= {f"{name}[{key!r}]": keyword[key] for key in value}
        else:
            way = "by position" if name in given else LEFT_OUT
            found[name] = keyword.get(name, (value, way))
    return found


def sign(arguments: Arguments) -> Signature:
    """The signature of a call, before it is known which of its numbers are traced."""
    leaves: dict[str, Array | Static] = {}
    structure: dict[str, Any] = {}
    for name, (value, _) in arguments.items():
        flat, structure[name] = flattened(value)
        leaves |= {name + path: seen(leaf) for path, leaf in flat}
    given = {name: way for name, (_, way) in arguments.items()}
    settings = {name: getattr(jax.config, name, None) for name in SETTINGS}
    return Signature(leaves, structure, given, settings)


def settle(signature: Signature, arguments: Arguments, traced: Set[str]) -> Signature:
    """The same when it is known: what was not traced is static, and one leaf."""
    leaves, structure = dict(signature.leaves), dict(signature.structure)
    for name, (value, _) in arguments.items():
        paths = [name + path for path, _ in flattened(value)[0]]
        known = set(paths) <= leaves.keys() and traced.isdisjoint(paths)
        if paths and known and not any(is_array(x) for x in jax.tree.leaves(value)):
            for path in paths:
                del leaves[path]
            leaves[name], structure[name] = Static(value), LEAF
    return replace(signature, leaves=leaves, structure=structure)


def flattened(value: Any) -> tuple[list[tuple[str, Any]], Any]:
    """The leaves of a pytree with their paths, and its structure."""
    try:
        flat, structure = jax.tree_util.tree_flatten_with_path(value)
    except (TypeError, ValueError):  # a static dict whose keys have no order
        return [("", value)], LEAF
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in flat], structure


def seen(leaf: Any) -> Array | Static:
    """A leaf as JAX sees it if it is traced."""
    try:
        return Array(jax.typeof(leaf), batches(leaf))
    except TypeError:
        return Static(leaf)


def held(tracer: Any) -> Any:
    """What a tracer of grad or vmap stands for; None for a tracer of jit."""
    # The tracers of grad hold the array they stand for as `primal`, those of vmap as
    # `val`; a tracer of jit holds none.
    return getattr(tracer, "primal", getattr(tracer, "val", None))


def batches(leaf: Any) -> tuple[int, ...]:
    """The sizes of the axes that `vmap` has taken off an array, innermost first."""
    found = []
    while is_tracer(leaf):
        within, axis = held(leaf), getattr(leaf, "batch_dim", None)
        if isinstance(axis, int):
            found.append(within.shape[axis])
        leaf = within
    return tuple(found)


def is_array(x: Any) -> bool:
    """Whether this is an array, which cannot be static."""
    return isinstance(x, jax.Array | np.ndarray)


def is_tracer(x: Any) -> bool:
    """Whether this stands for an array while JAX transforms a function."""
    return isinstance(x, jax.core.Tracer)
