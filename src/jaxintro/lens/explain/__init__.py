"""`explain`: the road that a function takes from Python to machine code.

A field stands in `report.py` (`Explanation`, and `facts` for its line on the page) and
is filled in `stages.py`, from what `jaxprs.py`, `hlo.py`, `backend.py` and `loops.py`
read. `drawing.py` draws the `rows.py` of a jaxpr, `fusion.py` the kernels around them.
"""

from collections.abc import Callable
from typing import Any

from jaxintro.lens.explain.report import Explanation
from jaxintro.lens.files import theirs

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
    # What reads jaxprs is loaded when it is first needed: it takes long to import.
    from jaxintro.lens.explain.stages import explained

    try:
        return explained(function, args, kwargs, static_argnums)
    except Exception as error:
        error.__traceback__ = theirs(error.__traceback__)
        raise
