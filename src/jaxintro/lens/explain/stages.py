"""The stages from a function to machine code, and what each says."""

import re
from typing import Any

import jax

from jaxintro.lens.explain import backend, jaxprs, loops
from jaxintro.lens.explain.program import check, instead_of, outside_jax, trace
from jaxintro.lens.explain.report import Explanation
from jaxintro.lens.follow.record import paused


def explained(
    function: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    static_argnums: int | tuple[int, ...],
) -> Explanation:
    """See `jaxintro.lens.explain`."""
    if isinstance(function, jax.stages.Compiled):
        return compiled_only(function)
    if isinstance(function, jax.stages.Lowered):
        return compiled_only(function.compile(), function.as_text())
    check(function, args, kwargs)
    try:
        with paused():
            traced = trace(function, args, kwargs, static_argnums)
    except jax.errors.TracerArrayConversionError:
        if outside_jax(function):
            raise TypeError(instead_of(function)) from None
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
