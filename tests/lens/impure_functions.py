"""Functions that are impure on purpose, and their cured twins.

A comment that begins with `!` marks the line of each finding that `audit` must give,
with its kind, and there must be no other. A function without such a comment is clean.
The defaults of the parameters are the arguments it is audited with.
"""

import dataclasses
import functools
import io
import itertools
import logging
import math
import os
import random
import ssl
import sys
import time
import uuid
from collections import deque
from datetime import datetime
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np

X = np.arange(3.0, dtype=np.float32)
KEY = jax.random.key(0)
RAW_KEY = jax.random.PRNGKey(0)
PARAMS = {"w": np.ones(3, np.float32), "b": np.float32(0.5)}

# outside state ---------------------------------------------------------------

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


# output ----------------------------------------------------------------------

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


# mutation --------------------------------------------------------------------

counter = 0
calls = {"count": 0}
history = deque(maxlen=8)
seen_shapes = set()
BUFFER = np.zeros(3)


def counts_its_calls(x=X):
    global counter
    counter += 1  # ! mutation
    return x * 2


def counts_in_a_dict(x=X):
    calls["count"] += 1  # ! mutation
    return x * 2


def appends_a_shape(x=X):
    history.append(x.shape)  # ! mutation
    return x * 2


def adds_to_a_set(x=X):
    seen_shapes.add((x.shape, str(x.dtype)))  # ! mutation
    return x * 2


def fills_a_numpy_buffer(x=X):
    BUFFER[0] += 1.0  # ! mutation
    return x + 1


def changes_its_argument(params=PARAMS, g=X):
    params["w"] = params["w"] - 0.1 * g  # ! mutation
    return params


def changes_a_part_of_its_argument(layers=({"w": X}, {"w": X}), x=X):
    for layer in layers:
        layer["w"] = layer["w"] * 2  # ! mutation
    return layers


def appends_to_its_argument(xs=[X, X]):  # noqa: B006
    xs.append(xs[0] * 2)  # ! mutation
    return sum(xs)


def change_it(state):
    state["n"] = state["n"] + 1  # ! mutation


def has_its_argument_changed(state={"n": 0.0}, x=X):  # noqa: B006
    change_it(state)
    return x * state["n"]


def make_nonlocal():
    total = 0

    def counts_in_a_closure(x=X):
        nonlocal total
        total += 1  # ! mutation
        return x * 2

    return counts_in_a_closure


class Counted:
    made = 0

    def __init__(self):
        self.n = 0

    def counts_in_self(self, x=X):
        self.n += 1  # ! mutation
        return x * 2

    def counts_in_the_class(self, x=X):
        Counted.made += 1  # ! mutation
        return x * 2


def counts_on_itself(x=X):
    counts_on_itself.calls = getattr(counts_on_itself, "calls", 0) + 1  # ! mutation
    return x * 2


def sets_the_environment(x=X):
    os.environ["JAXINTRO_TEST"] = "1"  # ! mutation
    return x


def returns_new_params(params=PARAMS, g=X):
    params = dict(params)
    params["w"] = params["w"] - 0.1 * g
    return params


def builds_a_list(x=X):
    rows = []
    for i in range(3):
        rows.append(x * i)  # noqa: PERF401
    table = {"rows": rows}
    table["sum"] = sum(rows)
    return table


def changes_its_keywords(x=X, **options):
    options.setdefault("scale", 2.0)
    return x * options.pop("scale")


# iterators -------------------------------------------------------------------

numbers = iter([1.0, 2.0, 3.0])
ids = itertools.count()


def batches():
    while True:
        yield X


def takes_the_next_number(x=X):
    return x * next(numbers)  # ! iterator


def takes_the_next_id(x=X):
    return x * next(ids)  # ! iterator


def loops_over_a_generator(w=X, data=batches()):  # noqa: B008
    for batch in data:  # ! iterator
        w = w - 0.1 * batch
    return w


def make_stream():
    stream = map(float, range(3))

    def takes_from_a_closure(x=X):
        return x + next(stream)  # ! iterator

    return takes_from_a_closure


def reads_lines(x=X, file=io.StringIO("1\n2\n")):  # noqa: B008
    return x * float(file.readline())  # ! iterator


def takes_the_number(x=X, number=2.0):
    return x * number


def iterates_over_its_own(x=X, sizes=(2, 3)):
    pairs = iter(zip(sizes, sizes, strict=True))
    first = next(pairs)
    return x * first[0] + sum(v for v in (i for i in range(3)))


# randomness and time ---------------------------------------------------------

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


# keys ------------------------------------------------------------------------


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


# leaked tracers --------------------------------------------------------------

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
        found.append(carry)
        return carry + 1

    y = jax.lax.fori_loop(0, 3, body, x)
    return y + found[0]  # ! leaked tracer


def lets_a_mapped_tracer_out(x=X):
    found = []

    def square(v):
        found.append(v * 2)
        return v**2

    y = jax.vmap(square)(x)
    return y + found[0]  # ! leaked tracer


@functools.cache
def frequencies(n):
    return jnp.arange(n)


def fills_a_cache(x=X):
    return x * frequencies(3)  # ! leaked tracer


def returns_the_state(h=X, x=X):
    h = jnp.tanh(h + x)
    return h, h * 2


# in-place assignment ---------------------------------------------------------


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


# branches and shapes that depend on values -----------------------------------


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


# NumPy on a tracer -----------------------------------------------------------


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


# two traces that differ ------------------------------------------------------

namespace = {"urandom": os.urandom}
exec("def noise(): return int.from_bytes(urandom(3), 'big')", namespace)
noise = namespace["noise"]


def calls_unreadable_noise(x=X):
    return x * noise()  # ! non-deterministic trace


def bakes_in_a_random_table(x=X):
    y = x * 2
    table = np.frombuffer(ssl.RAND_bytes(12), np.uint8).astype(x.dtype)
    return y.sum() + jnp.sum(table[:3] * x)  # ! non-deterministic trace


# clean training steps --------------------------------------------------------


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
    make_closure(),
    make_closure_with_setter()[0],
    Recurrent().reads_an_attribute,
    Recurrent().reads_a_fixed_attribute,
    SCALED,
    CONFIGURED,
    make_constant_closure(),
    make_loop_closures(),
    make_nonlocal(),
    Counted().counts_in_self,
    Counted().counts_in_the_class,
    make_stream(),
    Stateful().keeps_in_self,
    Frozen().uses_frozen_fields,
]
NOT_AUDITED = {
    "change_the_rate",
    "change_the_rest",
    "change_the_scale",
    "helper",
    "change_it",
    "draw",
    "batches",
    "frequencies",
    "noise",
}
PLAIN = [
    value
    for name, value in list(globals().items())
    if callable(value)
    and getattr(value, "__module__", None) == __name__
    and not isinstance(value, type)
    and not name.startswith("make_")
    and name not in NOT_AUDITED
    and value not in (SCALED, CONFIGURED)
]
