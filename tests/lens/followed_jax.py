"""What JAX does to functions; `#:` says what the line shows."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from followed import event


class Weights(NamedTuple):
    """A pytree."""

    w: object
    b: object


def jitted(x=3.0):
    @jax.jit
    def half(x):  #: x: tracer float32[], ran once for 2 calls
        event("traced")
        y = x / 2  #: a tracer, float32[]
        return y  #: a tracer, float32[]

    a = half(x)  #: 1.5  float32[]
    b = half(5.0)  #: 2.5  float32[]
    return a, b  #: (1.5, 2.5)  float32[] each


def jitted_for_two_shapes():
    @jax.jit
    def total(x):  #: x: tracer float32[2]...
        event("traced")
        return jnp.sum(x)  #: a tracer, float32[]

    total(jnp.ones(2))  #: 2.0  float32[]
    total(jnp.ones(3))  #: 3.0  float32[]
    return total(jnp.zeros(3))  #: 0.0  float32[]


def vmapped():
    def scale(x):  #: x: tracer float32[], ran once
        return 2 * x  #: a tracer, float32[]

    return jax.vmap(scale)(jnp.arange(3.0))  #: [0. 2. 4.]  float32[3]


def differentiated(x=3.0):
    def square(x):  #: x: tracer float32[], ran once
        y = x**2  #: a tracer, float32[]
        return y  #: a tracer, float32[]

    return jax.grad(square)(x)  #: 6.0  float32[]


def scanned():
    def step(total, x):  #: total: tracer float32[]; x: tracer float32[], ran once
        event("traced")
        new = total + x  #: a tracer, float32[]
        return new, new * 2  #: (tracer float32[], tracer float32[])

    return jax.lax.scan(step, jnp.float32(0.0), jnp.ones(100))[0]  #: 100.0  float32[]


def star_arguments():
    @jax.jit
    def total(
        *xs, **more
    ):  #: xs: (tracer float32[],); more: {'z': tracer float32[]}...
        return xs[0] + more["z"]  #: a tracer, float32[]

    return total(1.0, z=3.0)  #: 4.0  float32[]


def a_static_self():
    class Model:
        """Its method is compiled for each object."""

        @partial(jax.jit, static_argnums=0)
        def apply(self, x):  #: x: tracer float32[], ran once for 2 calls
            return x + 1  #: a tracer, float32[]

    model = Model()  #: a Model
    model.apply(1.0)  #: 2.0  float32[]
    return model.apply(2.0)  #: 3.0  float32[]


def custom_rules():
    @jax.custom_vjp
    def double(x):
        return 2 * x

    def forward(x):
        return 2 * x, None  #: (6.0, None)

    def backward(_, g):
        return (5 * g,)  #: (5.0 float32[],)

    double.defvjp(forward, backward)

    @jax.custom_jvp
    def triple(x):
        return 3 * x

    @triple.defjvp
    def rule(primals, tangents):  #: tangents: (tracer float32[],), ran once
        return 3 * primals[0], 7 * tangents[0]  #: (9.0, tracer float32[])

    return jax.grad(double)(3.0), jax.grad(triple)(3.0)  #: (5.0, 7.0)  float32[] each


def an_error_under_jit():
    @jax.jit
    def branch(x):  #: x: tracer float32[], ran once
        if x > 0:  #: TracerBoolConversionError: Attempted boolean conversion...
            return x
        return -x

    try:
        branch(1.0)
    except jax.errors.TracerBoolConversionError:
        event("caught")


def a_debug_print():
    @jax.jit
    def shout(x):  #: x: tracer float32[], ran once
        jax.debug.print("x is {}", x)
        return x + 1  #: a tracer, float32[]

    return shout(1.0)  #: 2.0  float32[] | x is 1.0


def keys():
    key = jax.random.key(0)  #: key<fry> [0 0]
    one, two = jax.random.split(key)  #: key<fry> [1797259609 2579123966], key<fry>...
    many = jax.random.split(two, 5)  #: key<fry>[5]
    return one.shape, len(many)  #: ((), 5)


def pytrees():
    params = Weights(jnp.ones(2), 0.5)  #: Weights(w=[1. 1.] float32[2], b=0.5)
    doubled = jax.tree.map(
        lambda x: 2 * x, params
    )  #: Weights(w=[2. 2.] float32[2], b=1.0)
    named = {"a": np.zeros(2), "b": jnp.zeros(2)}  #: {'a': [0. 0.] np.float64[2], ...
    return doubled, named  #: (Weights(w=[2. 2.], b=1.0), {'a': [0. 0.], 'b': [0. 0.]})


def a_training_loop():
    @jax.jit
    def step(w):  #: w: tracer float32[2], ran once for 50 calls
        return w * 0.5  #: a tracer, float32[2]

    w = jnp.array([8.0, 4.0])  #: [8. 4.]  float32[2]
    for _ in range(50):
        w = step(w)  #: [4. 2.]  [2. 1.]  [1. 0.5] … [7.105e-15 3.553e-15]...
    return jnp.max(w) < 1e-6  #: True  bool[]


def donated():
    @partial(jax.jit, donate_argnums=0)
    def step(x):  #: x: tracer float32[3], ran once
        return x + 1  #: a tracer, float32[3]

    x = jnp.zeros(3)  #: [0. 0. 0.]  float32[3]
    y = step(x)  #: [1. 1. 1.]  float32[3]
    gone = x  #: donated: its memory is gone  float32[3]
    return y, gone.is_deleted()  #: ([1. 1. 1.] float32[3], True)


def numpy_and_jax_told_apart():
    a = np.arange(3)  #: [0 1 2]  np.int64[3]
    b = jnp.arange(3)  #: [0 1 2]  int32[3]
    c = np.float32(0.1)  #: 0.1  np.float32
    d = jnp.float32(0.1)  #: 0.1  float32[]
    e = 0.1  #: 0.1
    return a[0], b[0], c, d, e  #: (0 np.int64, 0 int32[], 0.1 np.float32, ...
