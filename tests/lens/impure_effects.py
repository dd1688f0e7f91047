"""Functions that print, write, draw random numbers, or read clocks.

A comment that begins with `!` marks the line of each finding that `audit` must give,
with its kind; a function without one is clean.
"""

import io
import logging
import os
import random
import ssl
import sys
import time
import uuid
from datetime import datetime

import jax
import jax.numpy as jnp
import numpy as np

X = np.arange(3.0, dtype=np.float32)
KEY = jax.random.key(0)
RAW_KEY = jax.random.PRNGKey(0)
PARAMS = {"w": np.ones(3, np.float32), "b": np.float32(0.5)}


# output ---------------------------------------------------------------------

log = logging.getLogger(__name__)
LOG_FILE = io.StringIO()


def prints(x=X):
    print("x is", x)  # ! output
    return x * 2


def prints_after_a_branch(x=X):
    if x[0] > 0:  # ! value-dependent branch
        x = -x
    print(x)  # ! output
    return x


def writes_to_stdout(x=X):
    sys.stdout.write(f"{x}\n")  # ! output
    return x * 2


def logs(x=X):
    log.warning("x is %s", x)  # ! output
    return x * 2


def writes_a_file(x=X):
    with open("/tmp/jaxintro_never_written.txt", "w") as file:  # ! output
        file.write(str(x))
    return x * 2


def writes_to_an_open_file(x=X):
    y = x * 2
    LOG_FILE.write(str(y))  # ! output
    return y


def removes_a_file(x=X):
    os.remove("/tmp/jaxintro_never_there.txt")  # ! output
    return x


def formats_a_tracer(x=X):
    message = f"{x[0]:.2f}"  # ! output
    return x, message


def prints_in_the_loss(x=X):
    def loss(x):
        y = jnp.sum(x**2)
        print(y)  # ! output
        return y

    return jax.grad(loss)(x)


def prints_with_jax(x=X):
    jax.debug.print("x is {}", x)
    jax.debug.callback(lambda x: print(x), x)
    return x * 2


def prints_on_the_host(x=X):
    def show(x):
        print("on the host", x)
        return np.sin(x)

    return jax.pure_callback(show, jax.ShapeDtypeStruct(x.shape, x.dtype), x)


def does_not_print(x=X, verbose=None):
    if verbose:
        print(x)
    return x * 2


# randomness and time --------------------------------------------------------

generator = np.random.default_rng(0)


def draws_with_random(x=X):
    return x * random.random()  # ! randomness


def draws_with_numpy(x=X):
    noise = np.random.normal(size=3)  # ! randomness
    return x + noise


def draws_from_a_generator(x=X):
    return x + generator.normal(size=3)  # ! randomness


def draws_unseeded(x=X):
    rng = np.random.default_rng()  # ! randomness
    return x + rng.normal(size=3)


def seeds_the_global_generator(x=X):
    np.random.seed(0)  # ! randomness
    return x


def reads_the_clock(x=X):
    start = time.perf_counter()  # ! randomness
    return x * start


def stamps_the_date(x=X):
    return x * datetime.now().microsecond  # ! randomness


def draws_a_uuid(x=X):
    return x * (uuid.uuid4().int % 100)  # ! randomness


def imports_inside(x=X):
    from random import gauss

    return x * gauss(0.0, 1.0)  # ! randomness


def draws_with_a_key(x=X, key=KEY):
    return x + jax.random.normal(key, x.shape)


def draws_a_fixed_table(x=X):
    table = np.random.default_rng(0).normal(size=3)
    return x + table


# two traces that differ -----------------------------------------------------

namespace = {"urandom": os.urandom}
exec("def noise(): return int.from_bytes(urandom(3), 'big')", namespace)
noise = namespace["noise"]


def calls_unreadable_noise(x=X):
    return x * noise()  # ! non-deterministic trace


def bakes_in_a_random_table(x=X):
    y = x * 2
    table = np.frombuffer(ssl.RAND_bytes(12), np.uint8).astype(x.dtype)
    return y.sum() + jnp.sum(table[:3] * x)  # ! non-deterministic trace


MADE = []
