"""A thousand annealed descent steps: one program, or a thousand and one trips.

Run it as it is: `python benchmarks/descent.py [seconds]`. A point walks down the
root-mean-square error to a target; the step starts at 0.1 and shrinks by a quarter
every fifty steps.
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

START = np.array([1.2, 3.2, 4.0], np.float32)
TARGET = np.array([0.0, 5.0, 10.0], np.float32)
STAGES, STEPS, RATE, DECAY = 20, 50, 0.1, 0.75
LIMIT = 1.5


def error(x: Any, y: Any) -> Any:
    """Return the root-mean-square error, ([n], [n]) -> []."""
    return jnp.sqrt(jnp.mean((x - y) ** 2))


def as_one_scan() -> Contestants:
    """The whole walk is one program."""
    walk, x = scan_over(rates_of_all_steps()), jnp.asarray(START)
    return {"one scan": lambda: walk(x)}


def scan_over(rates: Any) -> Callable[[Any], Any]:
    """Return the walk with a step for each rate, [n] -> [n], as one program."""

    def step(x: Any, rate: Any) -> tuple[Any, None]:
        return x - rate * jax.grad(error)(x, TARGET), None

    @jax.jit
    def walk(x: Any) -> Any:
        # A step is some 20 ns, so four a turn save a tenth on the loop itself.
        return jax.lax.scan(step, x, jnp.asarray(rates), unroll=4)[0]

    return walk


def rates_of_all_steps() -> Any:
    """Return the length factor of each step, [steps]."""
    return np.repeat(RATE * DECAY ** np.arange(STAGES), STEPS).astype(np.float32)


def step_by_step(gradient: Any) -> Any:
    """Walk with Python handing over every step."""
    x, y, rate = jnp.asarray(START), jnp.asarray(TARGET), RATE
    for _ in range(STAGES):
        for _ in range(STEPS):
            x = x - rate * gradient(x, y)
        rate *= DECAY
    return x


def by_python() -> Contestants:
    """The gradient as written, and compiled."""
    compiled = jax.jit(jax.grad(error))
    return {
        "as written": lambda: step_by_step(jax.grad(error)),
        "jit(grad)": lambda: step_by_step(compiled),
    }


def by_numba() -> Contestants:
    """The same loop compiled by Numba, the gradient by hand.

    With `fastmath` it may reorder sums and approximate roots, as XLA may not.
    """
    rates, strict, fast = rates_of_all_steps(), numba_walk(), numba_walk(fastmath=True)
    return {
        "Numba loop": lambda: strict(START, TARGET, rates),
        "Numba fastmath": lambda: fast(START, TARGET, rates),
    }


def numba_walk(**options: bool) -> Callable[[Any, Any, Any], Any]:
    """Return the walk from x to y, ([n], [n], [steps]) -> [n], compiled by Numba.

    Raises:
        ImportError: it is not installed.
    """
    numba = importlib.import_module("numba")

    @numba.njit(**options)
    def walk(x: Any, y: Any, rates: Any) -> Any:
        x, n = x.copy(), np.float32(x.size)
        for rate in rates:
            total = np.float32(0)
            for i in range(x.size):
                total += (x[i] - y[i]) ** 2
            scale = rate / (n * np.sqrt(total / n))
            for i in range(x.size):
                x[i] -= scale * (x[i] - y[i])
        return x

    return walk


def main(seconds: float = 10.0) -> bool:
    """Race all that are installed; return whether the bar is met."""
    whole = available(as_one_scan, by_numba)
    result = race(whole, seconds=seconds / 10)
    report(result)
    met = bar(result, "one scan", "Numba loop", LIMIT)
    print()
    report(race(whole | by_python(), seconds=seconds))
    return met


if __name__ == "__main__":
    sys.exit(not main(*map(float, sys.argv[1:])))
