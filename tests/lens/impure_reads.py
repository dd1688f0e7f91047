"""Functions that read what may change outside.

A comment that begins with `!` marks the line of each finding that `audit` must give,
with its kind; a function without one is clean.
"""

import os
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np

X = np.arange(3.0, dtype=np.float32)
KEY = jax.random.key(0)
RAW_KEY = jax.random.PRNGKey(0)
PARAMS = {"w": np.ones(3, np.float32), "b": np.float32(0.5)}


# outside state --------------------------------------------------------------

EPSILON = 1e-6
TABLE = jnp.arange(3.0)
SIZES = (3, 4)
learning_rate = 0.1
offsets = [1.0, 2.0]
settings = SimpleNamespace(scale=2.0)
mode = {"train": True}


def change_the_rate(value):
    global learning_rate
    learning_rate = value


def change_the_rest(value):
    offsets.append(value)
    settings.scale = value
    mode["train"] = False


def reads_a_global_number(w=X, g=X):
    return w - learning_rate * g  # ! outside state


def reads_a_global_list(x=X):
    return x + sum(offsets)  # ! outside state


def reads_a_global_object(x=X):
    y = jnp.sin(x)
    return y * settings.scale  # ! outside state


def reads_a_global_dict(x=X):
    if mode["train"]:  # ! outside state
        return x * 2
    return x


def calls_what_reads_a_global(w=X, g=X):
    def step(w):
        return w - helper(g)

    return step(w)


def helper(g):
    return learning_rate * g  # ! outside state


def make_closure():
    scale = 2.0

    def reads_a_closed_over_number(x=X):
        return x * scale  # ! outside state

    scale = 3.0
    return reads_a_closed_over_number


def make_closure_with_setter():
    scale = 2.0

    def set_scale(value):
        nonlocal scale
        scale = value

    reads_what_a_setter_sets = lambda x=X: x * scale  # noqa: E731 # ! outside state
    return reads_what_a_setter_sets, set_scale


class Recurrent:
    def __init__(self):
        self.h = jnp.zeros(3)
        self.size = 3

    def reset(self):
        self.h = jnp.zeros(self.size)

    def reads_an_attribute(self, x=X):
        return x + self.h  # ! outside state

    def reads_a_fixed_attribute(self, x=X):
        return x + self.size


class Flagged:
    def __init__(self):
        self._training = True

    def train(self, training):
        self._training = training

    @property
    def training(self):
        return self._training  # ! outside state

    def reads_a_property(self, x=X):
        return x * 2 if self.training else x

    def scale(self, x):
        return x * 2 if self._training else x  # ! outside state

    def calls_a_method_that_reads(self, x=X):
        return self.scale(x) + 1


class Scaled:
    def __init__(self, scale):
        self.scale = scale

    def __call__(self, x=X):
        return x * self.scale  # ! outside state


class Configured:
    scale = 1.0

    def __call__(self, x=X):
        return x * self.scale


SCALED = Scaled(2.0)
CONFIGURED = Configured()
CONFIGURED.scale = 3.0


def reads_the_environment(x=X):
    return x * float(os.environ.get("SCALE", "1"))  # ! outside state


def change_the_scale(value):
    SCALED.scale = value


def reads_a_file(x=X):
    with open(os.devnull) as file:  # ! outside state
        return x * len(file.read())


def reads_what_is_set_up_once(x=X):
    return x * setup.scale


setup = SimpleNamespace()
setup.scale = 2.0


def reads_constants(x=X):
    return x / (jnp.linalg.norm(x) + EPSILON) + TABLE[: SIZES[0]]


def takes_the_rate(w=X, g=X, rate=0.1):
    return w - rate * g


def make_constant_closure():
    scale = 2.0
    scale = scale * 2

    def reads_a_constant_closure(x=X):
        return x * scale

    return reads_a_constant_closure


def make_loop_closures():
    made = []
    for scale in (1.0, 2.0):

        def reads_a_loop_variable_of_its_own(x=X, scale=scale):
            return x * scale

        made.append(reads_a_loop_variable_of_its_own)
    return made[-1]


MADE = [
    make_closure(),
    make_closure_with_setter()[0],
    Recurrent().reads_an_attribute,
    Recurrent().reads_a_fixed_attribute,
    Flagged().reads_a_property,
    Flagged().calls_a_method_that_reads,
    SCALED,
    CONFIGURED,
    make_constant_closure(),
    make_loop_closures(),
]
