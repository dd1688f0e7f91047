"""The two ways to watch a jitted function, and a function to watch."""

import jax
import jax.numpy as jnp
import pytest

from jaxintro.lens import traces


def new_scale():
    """A function that JAX has not met: of a pytree, a number, and a static value."""

    def scale(params, x, n=2):
        """The weights, scaled."""
        return params["w"] * x * jnp.asarray(n, jnp.float32)

    return scale


def under(function, **options):
    """Traces under jit."""
    watched = traces(function)
    return watched, jax.jit(watched, **options)


def around(function, **options):
    """Traces around jit."""
    watched = traces(jax.jit(function, **options))
    return watched, watched


both_ways = pytest.mark.parametrize("way", [under, around], ids=["under", "around"])
