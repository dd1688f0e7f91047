"""SELU over four million float32, against no more than copying them.

Run it as it is: `python benchmarks/selu.py [seconds]`. The compiled function reads and
writes each number once, as a copy does. NumPy and PyTorch op by op write one array
for each of the steps.
"""

import importlib
import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from bars import Contestants, available, bar, report

from jaxintro.lens import race

SIZE = 4_000_000
ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805
LIMIT = 1.3

X = np.random.default_rng(0).standard_normal(SIZE, np.float32)


def selu(x: Any, library: Any) -> Any:
    """Return the SELU of x, [n] -> [n], written with one library's `where`, `exp`."""
    return SCALE * library.where(x > 0, x, ALPHA * (library.exp(x) - 1))


def by_jax() -> Contestants:
    """Compiled, and op by op."""
    x = jnp.asarray(X)
    compiled = jax.jit(lambda x: selu(x, jnp))
    return {"jit": lambda: compiled(x), "jnp": lambda: selu(x, jnp)}


def by_numpy() -> Contestants:
    """Op by op."""
    return {"NumPy": lambda: selu(X, np)}


def by_pytorch() -> Contestants:
    """Op by op, and compiled."""
    torch = importlib.import_module("torch")
    x = torch.from_numpy(X)
    compiled = torch.compile(lambda x: selu(x, torch))
    return {
        "PyTorch": lambda: selu(x, torch),
        "torch.compile": lambda: compiled(x),
    }


def by_numba() -> Contestants:
    """The loop by hand, on one core and on all."""
    one, every = numba_loop(), numba_loop(parallel=True)
    return {"Numba": lambda: one(X), "Numba parallel": lambda: every(X)}


def numba_loop(**options: bool) -> Callable[[Any], Any]:
    """Return the SELU of float32, compiled by Numba.

    Raises:
        ImportError: it is not installed.
    """
    numba = importlib.import_module("numba")

    @numba.njit(fastmath=True, **options)
    def loop(x: Any) -> Any:
        out = np.empty_like(x)
        for i in numba.prange(x.size):
            if x[i] > 0:
                out[i] = np.float32(SCALE) * x[i]
            else:
                out[i] = np.float32(SCALE * ALPHA) * (np.exp(x[i]) - np.float32(1))
        return out

    return loop


def main(seconds: float = 5.0) -> bool:
    """Race all that are installed; return whether the bar is met."""
    contestants = available(by_jax, by_numpy, by_pytorch, by_numba)
    race(contestants, seconds=0)  # refuses if they do not compute the same
    target = np.empty_like(X)
    contestants["x.copy()"] = X.copy
    contestants["np.copyto"] = lambda: (np.copyto(target, X), target)[1]
    result = race(contestants, seconds=seconds, check=False)
    report(result)
    return bar(result, "jit", "x.copy()", LIMIT)


if __name__ == "__main__":
    sys.exit(not main(*map(float, sys.argv[1:])))
