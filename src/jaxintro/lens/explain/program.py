"""A function as the program that JAX traces: jitted, with its arguments."""

import inspect
import weakref
from types import MethodType
from typing import Any

import jax
import jax.numpy as jnp

from jaxintro.lens.names import function_name


def check(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise a TypeError in one sentence if it cannot be called like this."""
    if not callable(function):
        raise TypeError(f"explain needs a function, not {function!r}.")
    name = function_name(function)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some builtins have none
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        given = ", ".join(["...", *(f"{key}=..." for key in kwargs)])
        raise TypeError(
            f"{name}{signature} does not take the arguments given to "
            f"explain({name}, {given}): {error}."
        ) from None


def trace(
    function: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    static_argnums: int | tuple[int, ...],
) -> Any:
    """The function traced for these arguments, jitted if it is not yet."""
    inner = getattr(function, "__func__", None)
    if isinstance(function, MethodType) and isinstance(inner, jax.stages.Wrapped):
        # To jit its `self` is an argument like any other, and may be static.
        function, args = inner, (function.__self__, *args)
    if isinstance(function, jax.stages.Wrapped):
        traced = function.trace(*args, **kwargs)
        return getattr(traced, "traced", traced)  # that of flax holds that of JAX
    if static_argnums == () and not all(
        map(traceable, jax.tree.leaves([args, kwargs]))
    ):
        return of_arrays(function, args, kwargs)
    jitted = jax.jit(referable(function), static_argnums=static_argnums)
    return jitted.trace(*args, **kwargs)


def traceable(leaf: Any) -> bool:
    """Whether JAX can trace this, as it can an array, a number, or their shape."""
    if isinstance(leaf, jax.ShapeDtypeStruct):
        return True
    try:
        jax.typeof(leaf)
    except TypeError:
        return False
    return True


def of_arrays(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The function traced as one of its arrays alone, all other leaves held fixed."""
    leaves, structure = jax.tree.flatten((args, kwargs))
    arrays = {at: x for at, x in enumerate(leaves) if hasattr(x, "dtype")}

    def call(arrays: dict[int, Any]) -> Any:
        given = [arrays.get(at, leaf) for at, leaf in enumerate(leaves)]
        args, kwargs = jax.tree.unflatten(structure, given)
        result = function(*args, **kwargs)
        return [leaf for leaf in jax.tree.leaves(result) if traceable(leaf)]

    call.__name__ = function_name(function)
    return jax.jit(call).trace(arrays)


def referable(function: Any) -> Any:
    """The function, in one of Python's if it takes no weak reference: jit needs one."""
    try:
        weakref.ref(function)
    except TypeError:

        def call(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        call.__name__ = function_name(function)
        return call
    return function


def outside_jax(function: Any) -> bool:
    """Whether this is a function of NumPy or SciPy, which computes at once."""
    module = getattr(function, "__module__", None) or type(function).__module__
    return module.partition(".")[0] in ("numpy", "scipy")


def instead_of(function: Any) -> str:
    """What to use instead of a function of NumPy."""
    name = function_name(function)
    cure = f" Explain jax.numpy.{name}." if hasattr(jnp, name) else ""
    return (
        f"explain cannot look into NumPy's {name}: it computes with numbers, and in "
        f"tracing there are none.{cure}"
    )
