"""`explain`: the road that a function takes from Python to machine code."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any

import jax

from jaxintro.lens import backend, hlo, jaxprs, page
from jaxintro.lens.follow.record import paused

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Explanation:
    """What JAX and XLA made of a function. What a backend does not tell is None.

    Attributes:
        name: of the function.
        jaxpr: the program that tracing wrote down, as text.
        equations: primitive name → how many; a `jit` inside is seen through, and what
            stands in a loop is counted once, as `"sin (in a loop)"`.
        stablehlo: the program that was handed to XLA, as text.
        compiled: the program that XLA made of it (optimised HLO), as text.
        kernels: separate pieces of work that the compiled program launches; those in
            a loop or in a branch are counted once. A copy of memory is one, a
            constant is none.
        eager_kernels: the same if each equation of the jaxpr is compiled alone, as
            when it runs op by op. A jitted function that is called inside, such as
            `jnp.where`, is compiled as a whole then too.
        flops: floating point operations, as XLA estimates them: the body of a loop is
            counted once, and exp, sin and the like are counted apart.
        transcendentals: how many values of exp, sin and the like.
        bytes: bytes read and written by the kernels, as XLA estimates them.
        temp_bytes: memory that the program needs besides arguments and results.
        dead: the equations whose results nothing needs, counted as in `equations`:
            traced, then dropped on the way to machine code.
    """

    name: str
    jaxpr: str | None
    equations: dict[str, int] | None
    stablehlo: str | None
    compiled: str | None
    kernels: int | None
    eager_kernels: int | None
    flops: float | None
    transcendentals: float | None
    bytes: float | None
    temp_bytes: int | None
    dead: dict[str, int] | None
    traced: Any = field(repr=False, compare=False, default=None)

    @property
    def intensity(self) -> float | None:
        """Arithmetic intensity: flops per byte moved to or from memory."""
        if self.flops is None or not self.bytes:
            return None
        return self.flops / self.bytes

    @cached_property
    def kernel_list(self) -> tuple[hlo.Kernel, ...]:
        """Each kernel with the operations that were fused into it."""
        return hlo.kernels(self.compiled) or ()

    def __str__(self) -> str:
        return page.text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return page.html(self)

    def plot(self) -> "Figure":
        """The jaxpr as a graph, what XLA fused into one kernel outlined."""
        from jaxintro.lens import drawing

        return drawing.graph(self)


def explain(
    function: Callable[..., Any],
    *args: Any,
    static_argnums: int | tuple[int, ...] = (),
    **kwargs: Any,
) -> Explanation:
    """Trace and compile a function for these arguments; it is not run on them.

    Args:
        function: anything that `jax.jit` takes, or that it gave; also what
            `jax.jit(f).lower(...)` and its `.compile()` give, for which no arguments
            are needed and the earlier steps remain None.
        *args: as for the function: pytrees of arrays, or `jax.ShapeDtypeStruct`s.
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
    jitted = prepared(function, args, kwargs, static_argnums)
    try:
        with paused():
            traced = jitted.trace(*args, **kwargs)
    except Exception as error:
        error.__traceback__ = theirs(error.__traceback__)
        raise
    lowered = traced.lower()
    return Explanation(
        name=traced.fun_name,
        jaxpr=traced.jaxpr.pretty_print(use_color=False),
        equations=jaxprs.count(jaxprs.inner(traced.jaxpr).eqns),
        stablehlo=lowered.as_text(),
        eager_kernels=backend.eager_kernels(traced.jaxpr),
        dead=jaxprs.dead(traced.jaxpr),
        traced=traced.jaxpr,
        **backend.facts(lowered.compile()),
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
        **facts,
    )


def prepared(
    function: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    static_argnums: int | tuple[int, ...],
) -> Any:
    """The function jitted, once it is clear that it can take these arguments."""
    if not callable(function):
        raise TypeError(f"explain needs a function, not {function!r}.")
    name = getattr(function, "__name__", type(function).__name__)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some builtins have none
        signature = None
    if signature:
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            given = ", ".join(["...", *(f"{key}=..." for key in kwargs)])
            raise TypeError(
                f"{name}{signature} does not take the arguments given to "
                f"explain({name}, {given}): {error}."
            ) from None
    if isinstance(function, jax.stages.Wrapped):
        return function
    return jax.jit(function, static_argnums=static_argnums)


def theirs(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback without our own frames at its head."""
    while traceback and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    return traceback
