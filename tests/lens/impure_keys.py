"""Functions that use a key twice, and clean training steps.

A comment that begins with `!` marks the line of each finding that `audit` must give,
with its kind; a function without one is clean.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

X = np.arange(3.0, dtype=np.float32)
KEY = jax.random.key(0)
RAW_KEY = jax.random.PRNGKey(0)
PARAMS = {"w": np.ones(3, np.float32), "b": np.float32(0.5)}


# keys -----------------------------------------------------------------------


def uses_a_key_twice(key=KEY):
    a = jax.random.normal(key)
    b = jax.random.uniform(key)  # ! key reuse
    return a + b


def uses_a_raw_key_twice(key=RAW_KEY, x=X):
    w = jax.random.normal(key, (3,), x.dtype)
    mask = jax.random.bernoulli(key, 0.5, (3,))  # ! key reuse
    return jnp.where(mask, x * w, 0.0)


def uses_a_key_after_splitting(key=KEY):
    _, subkey = jax.random.split(key)
    return jax.random.normal(subkey) + jax.random.normal(key)  # ! key reuse


def uses_a_key_in_every_round(key=KEY, x=X):
    def body(i, x):
        return x + jax.random.normal(key, (3,), x.dtype)  # ! key reuse

    return jax.lax.fori_loop(0, 3, body, x)


def uses_a_key_in_a_python_loop(key=RAW_KEY, x=X):
    for _ in range(3):
        x = x + jax.random.normal(key, (3,))  # ! key reuse
    return x


def hands_a_key_on_twice(key=KEY):
    first = draw(key)
    second = draw(key)  # ! key reuse
    return first + second


def draw(key):
    return jax.random.normal(key)


def splits_in_every_round(key=KEY, x=X):
    def body(carry, _):
        key, x = carry
        key, subkey = jax.random.split(key)
        return (key, x + jax.random.normal(subkey, (3,), x.dtype)), None

    return jax.lax.scan(body, (key, x), length=3)[0][1]


def folds_in(key=RAW_KEY, x=X):
    for i in range(3):
        x = x + jax.random.normal(jax.random.fold_in(key, i), (3,))
    return x


def draws_in_one_branch(key=KEY, p=True):
    return jax.lax.cond(p, jax.random.normal, jax.random.uniform, key)


# clean training steps -------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Frozen:
    width: int = 3

    def uses_frozen_fields(self, x=X):
        return x.reshape(-1, self.width)


def momentum_step(params=PARAMS, velocity=PARAMS, x=X):
    def loss(params):
        return jnp.mean((params["w"] * x + params["b"]) ** 2)

    value, slopes = jax.value_and_grad(loss)(params)
    velocity = jax.tree.map(lambda v, g: 0.9 * v + g, velocity, slopes)
    params = jax.tree.map(lambda p, v: p - 0.1 * v, params, velocity)
    return params, velocity, value


def stays_partial(x=X):
    outputs = {}

    def layer(name, x):
        outputs[name] = jnp.tanh(x)
        return outputs[name]

    for name in ("first", "second"):
        x = layer(name, x)
    return x, outputs


@jax.jit
def jitted_step(w=X, x=X):
    return w - 0.1 * jax.grad(lambda w: jnp.sum((w * x) ** 2))(w)


MADE = [
    Frozen().uses_frozen_fields,
]
