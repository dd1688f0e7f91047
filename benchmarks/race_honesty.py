"""Is `race` honest? Two copies must tie, and twice the work must lose.

Run it as it is: `python benchmarks/race_honesty.py [runs]`. The bar: between two
copies no difference in at least 19 of 20 runs, the smaller work named in all.
"""

import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import race

Make = Callable[[int], Callable[[], Any]]


def compiled(n: int) -> Callable[[], Any]:
    """Return a compiled elementwise function over n numbers."""
    x = jnp.linspace(-3, 3, n)

    @jax.jit
    def wave(x: jax.Array) -> jax.Array:
        return jnp.sin(x) * jnp.exp(-x * x)

    return lambda: wave(x)


def looped(n: int) -> Callable[[], Any]:
    """Return a compiled loop of n dependent steps."""

    @jax.jit
    def logistic(x: float) -> jax.Array:
        return jax.lax.fori_loop(0, n, lambda _, x: 3.7 * x * (1 - x), x)

    return lambda: logistic(0.3)


def numpy_array(n: int) -> Callable[[], Any]:
    """Return NumPy's elementwise function over n numbers."""
    x = np.linspace(-3, 3, n, dtype=np.float32)
    return lambda: np.sin(x) * np.exp(-x * x)


def plain_python(n: int) -> Callable[[], Any]:
    """Return a Python loop of n steps."""

    def logistic() -> float:
        x = 0.3
        for _ in range(n):
            x = 3.7 * x * (1 - x)
        return x

    return logistic


# Sizes at which the work, not the call, takes the time: about 0.1 to 10 ms.
WORK: tuple[tuple[str, Make, int], ...] = (
    ("compiled, 30 000 numbers", compiled, 30_000),
    ("compiled, 1 000 000 numbers", compiled, 1_000_000),
    ("compiled loop, 10 000 steps", looped, 10_000),
    ("NumPy, 30 000 numbers", numpy_array, 30_000),
    ("NumPy, 1 000 000 numbers", numpy_array, 1_000_000),
    ("Python loop, 3 000 steps", plain_python, 3_000),
)


def ties(make: Make, n: int, runs: int) -> int:
    """Return in how many races two copies could not be told apart."""
    return sum(
        not race({"one": make(n), "other": make(n)}).told_apart("one", "other")
        for _ in range(runs)
    )


def wins(make: Make, n: int, runs: int) -> int:
    """Return in how many races n was told to be faster than 2n."""
    won = 0
    for _ in range(runs):
        result = race({"double": make(2 * n), "single": make(n)}, check=False)
        told = result.told_apart("single", "double")
        won += told and result.fastest == "single"
    return won


def main(runs: int = 20) -> bool:
    """Print a line for each kind of work; return whether all meet the bar."""
    print(f"{'':30}{'two copies tie':>18}{'n beats 2n':>14}   bar met")
    met = []
    for name, make, n in WORK:
        tied, won = ties(make, n, runs), wins(make, n, runs)
        met.append(tied >= 0.95 * runs and won == runs)
        counts = f"{tied:>10} of {runs:<4}{won:>9} of {runs:<4}"
        print(f"{name:30}{counts}  {'yes' if met[-1] else 'no'}", flush=True)
    return all(met)


if __name__ == "__main__":
    sys.exit(not main(*map(int, sys.argv[1:])))
