"""Functions that leak tracers, or ask more of them than jit can give.

A comment that begins with `!` marks the line of each finding that `audit` must give,
with its kind; a function without one is clean.
"""

import functools
import math
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np

X = np.arange(3.0, dtype=np.float32)
KEY = jax.random.key(0)
RAW_KEY = jax.random.PRNGKey(0)
PARAMS = {"w": np.ones(3, np.float32), "b": np.float32(0.5)}


# leaked tracers -------------------------------------------------------------

kept = []
cache = {}
last = None


def keeps_in_a_list(x=X):
    y = jnp.sin(x)
    kept.append(y)  # ! leaked tracer
    return y


def keeps_in_a_dict(x=X):
    cache["y"] = jnp.sin(x)  # ! leaked tracer
    return cache["y"]  # ! outside state


def keeps_in_a_global(x=X):
    global last
    last = x * 2  # ! leaked tracer
    return last + 1  # ! outside state


def keeps_for_later(x=X, memory=SimpleNamespace(last=None)):  # noqa: B008
    memory.last = x  # ! leaked tracer
    return x * 2


class Stateful:
    def __init__(self):
        self.h = jnp.zeros(3)

    def keeps_in_self(self, x=X):
        self.h = jnp.tanh(self.h + x)  # ! leaked tracer, outside state
        return self.h * 2


def lets_an_inner_tracer_out(x=X):
    found = []

    def body(i, carry):
        found.append(carry)  # ! leaked tracer
        return carry + 1

    y = jax.lax.fori_loop(0, 3, body, x)
    return y + found[0]


def lets_a_mapped_tracer_out(x=X):
    found = []

    def square(v):
        found.append(v * 2)  # ! leaked tracer
        return v**2

    y = jax.vmap(square)(x)
    return y + found[0]


@functools.cache
def frequencies(n):
    return jnp.arange(n)


def fills_a_cache(x=X):
    return x * frequencies(3)  # ! leaked tracer


class Tables:
    @functools.cache  # noqa: B019
    def table(self, n):
        return jnp.arange(n)

    def fills_the_cache_of_a_method(self, x=X):
        return x * self.table(3)  # ! leaked tracer


def returns_the_state(h=X, x=X):
    h = jnp.tanh(h + x)
    return h, h * 2


# in-place assignment --------------------------------------------------------


def assigns_an_item(x=X):
    x[0] = 1.0  # ! in-place assignment
    return x


def adds_to_a_slice(x=X):
    y = jnp.zeros(3)
    y[1:] += x[1:]  # ! in-place assignment
    return y


def forgets_the_result(x=X):
    x.at[0].set(1.0)  # ! in-place assignment
    return x


def deletes_an_item(x=X):
    del x[0]  # ! in-place assignment
    return x


def updates_with_at(x=X):
    x = x.at[0].set(1.0)
    x += 1
    return x.at[1:].add(2.0)


# branches and shapes that depend on values ----------------------------------


def branches(x=1.0):
    if x > 0:  # ! value-dependent branch
        return x
    return -x


def loops_until(x=X):
    while jnp.sum(x) > 1:  # ! value-dependent branch
        x = x / 2
    return x


def asserts(x=X):
    assert jnp.all(x >= 0), "x must not be negative"  # ! value-dependent branch
    return jnp.sqrt(x)


def converts_to_float(x=X):
    return float(x[0]) * 2  # ! value-dependent branch


def ranges_over_an_argument(x=X, n=3):
    for _ in range(n):  # ! value-dependent branch
        x = x * 2
    return x


def chooses_by_and(x=1.0, y=2.0):
    return x and y  # ! value-dependent branch


def looks_up(x=1):
    return {1: 2.0}[x]  # ! value-dependent branch


def masks(x=X):
    return x[x > 0]  # ! value-dependent shape


def makes_n_zeros(n=3):
    return jnp.zeros(n)  # ! value-dependent shape


def finds_nonzero(x=X):
    return jnp.nonzero(x)  # ! value-dependent shape


def selects(x=X):
    return jnp.where(x > 0, x, -x)


def branches_on_a_shape(x=X):
    if x.ndim == 1 and len(x) > 2:
        return x[None]
    return x


def loops_in_jax(x=X):
    return jax.lax.while_loop(lambda v: jnp.sum(v) > 1, lambda v: v / 2, x)


# NumPy on a tracer ----------------------------------------------------------


def takes_the_numpy_sine(x=X):
    return np.sin(x)  # ! NumPy on a tracer


def converts_to_numpy(x=X):
    y = jnp.sin(x)
    return np.asarray(y) * 2  # ! NumPy on a tracer


def takes_the_python_sine(x=1.0):
    return math.sin(x)  # ! NumPy on a tracer


def fills_a_numpy_array(x=X):
    y = np.zeros(3)
    y[:] = x  # ! NumPy on a tracer
    return y


def uses_numpy_for_constants(x=X):
    basis = np.linspace(0.0, 1.0, 3)
    return x * np.sqrt(basis) * math.pi


MADE = [
    Stateful().keeps_in_self,
    Tables().fills_the_cache_of_a_method,
]
