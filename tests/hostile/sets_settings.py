"""A lesson changes JAX's settings.

Status: 0
Says: It holds.
"""

import jax

jax.config.update("jax_enable_x64", True)


def demo():
    """A demo."""
    return jax.numpy.ones(3).dtype


def check_it():
    """It holds."""
    assert demo() == "float32"
