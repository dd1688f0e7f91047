"""A compiled program never ends.

Status: 1
Says: has not ended after 3 s
Options: --limit 3
"""

import jax


def demo():
    """A demo."""
    return float(jax.lax.while_loop(lambda x: x > 0, lambda x: x + 1, 1.0))


def check_it():
    """It holds."""
    demo()
