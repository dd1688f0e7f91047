"""`explain`: the road that a function takes from Python to machine code."""

import inspect
import re
import weakref
from collections.abc import Callable
from types import MethodType
from typing import Any

import jax
import jax.numpy as jnp

from jaxintro.lens.explain import backend, jaxprs, loops
from jaxintro.lens.explain.report import Explanation
from jaxintro.lens.files import theirs
from jaxintro.lens.follow.record import paused

__all__ = ["Explanation", "explain"]


def explain(
    function: Callable[..., Any],
    *args: Any,
    static_argnums: int | tuple[int, ...] = (),
    **kwargs: Any,
) -> Explanation:
    """Trace and compile a function for these arguments; it is not run on them.

    Args:
        function: anything that `jax.jit` takes, or that it gave, a method too, or what
            `flax.nnx.jit` and `equinox.filter_jit` gave; also what
            `jax.jit(f).lower(...)` and its `.compile()` give, for which no arguments
            are needed and the earlier steps remain None.
        *args: as for the function: pytrees of arrays, or `jax.ShapeDtypeStruct`s. A
            leaf that JAX cannot trace, such as a function in a model, is held fixed,
            and then Python's numbers are too.
        static_argnums: positions of arguments that are values, not arrays; a function
            that is jitted already has its own.
        **kwargs: as for the function.

    Raises:
        TypeError: it cannot be called, or not with these arguments.
        Exception: whatever the function itself raises while it is traced.

    Example:
        >>> import jax.numpy as jnp
        >>> explain(lambda x: jnp.sin(x) + 1, 2.0).equations
        {'sin': 1, 'add': 1}
    """
    if isinstance(function, jax.stages.Compiled):
        return compiled_only(function)
    if isinstance(function, jax.stages.Lowered):
        return compiled_only(function.compile(), function.as_text())
    check(function, args, kwargs)
    try:
        with paused():
            traced = trace(function, args, kwargs, static_argnums)
    except jax.errors.TracerArrayConversionError as error:
        if outside_jax(function):
            raise TypeError(instead_of(function)) from None
        raise error.with_traceback(theirs(error.__traceback__)) from error.__cause__
    except Exception as error:
        error.__traceback__ = theirs(error.__traceback__)
        raise
    lowered = traced.lower()
    facts = backend.facts(lowered.compile())
    return Explanation(
        name=traced.fun_name,
        jaxpr=traced.jaxpr.pretty_print(use_color=False),
        equations=jaxprs.count(jaxprs.inner(traced.jaxpr).eqns),
        stablehlo=lowered.as_text(),
        eager_kernels=backend.eager_kernels(traced.jaxpr),
        dead=jaxprs.dead(traced.jaxpr),
        traced=traced.jaxpr,
        **loops.whole(jaxprs.inner(traced.jaxpr), facts),
    )


def compiled_only(compiled: Any, stablehlo: str | None = None) -> Explanation:
    """What can still be told of a program that is compiled already."""
    facts = backend.facts(compiled)
    module = re.match(r"HloModule (?:jit_)?([\w.\-]+)", facts["compiled"] or "")
    return Explanation(
        name=module[1] if module else "a compiled function",
        jaxpr=None,
        equations=None,
        stablehlo=stablehlo,
        eager_kernels=None,
        dead=None,
        turns="once" if " while(" in (facts["compiled"] or "") else None,
        **facts,
    )


def check(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise a TypeError in one sentence if it cannot be called like this."""
    if not callable(function):
        raise TypeError(f"explain needs a function, not {function!r}.")
    name = getattr(function, "__name__", type(function).__name__)
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

    call.__name__ = name_of(function)
    return jax.jit(call).trace(arrays)


def referable(function: Any) -> Any:
    """The function, in one of Python's if it takes no weak reference: jit needs one."""
    try:
        weakref.ref(function)
    except TypeError:

        def call(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        call.__name__ = name_of(function)
        return call
    return function


def name_of(function: Any) -> str:
    """The name of a function, of what it wraps, or of its class."""
    wrapped = inspect.unwrap(function)
    return str(getattr(wrapped, "__name__", type(wrapped).__name__))


def outside_jax(function: Any) -> bool:
    """Whether this is a function of NumPy or SciPy, which computes at once."""
    module = getattr(function, "__module__", None) or type(function).__module__
    return module.partition(".")[0] in ("numpy", "scipy")


def instead_of(function: Any) -> str:
    """What to use instead of a function of NumPy."""
    name = name_of(function)
    cure = f" Explain jax.numpy.{name}." if hasattr(jnp, name) else ""
    return (
        f"explain cannot look into NumPy's {name}: it computes with numbers, and in "
        f"tracing there are none.{cure}"
    )
