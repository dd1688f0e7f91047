"""What the code of others does, a case a function: it gives what is to be audited.

A case returns a function and its arguments. A comment that begins with `!` inside the
case marks the line of each finding that `audit` must give, with its kind; a case
without one is clean.
"""

import dataclasses
import functools
import glob
import itertools
import os
import queue
import sqlite3
import threading
import warnings
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import checkify

X = np.arange(3.0, dtype=np.float32)


# missed ---------------------------------------------------------------------


def getenv():
    def reads(x):
        return x * float(os.getenv("SCALE", "1"))  # ! outside state

    return reads, X


def getenv_by_its_own_name():
    from os import getenv

    return lambda x: x * float(getenv("SCALE", "1")), X  # ! outside state


def a_table_on_disk():
    def loads(x):
        table = np.load("never_there.npy")  # ! outside state
        return x * table

    return loads, X


def a_listing():
    def lists(x):
        return x * len(glob.glob("*.npy"))  # ! outside state

    return lists, X


def an_existing_path():
    def looks(x):
        return x * 2 if os.path.exists("flag") else x  # ! outside state

    return looks, X


def the_number_of_the_process():
    def numbers(x):
        return x * os.getpid()  # ! outside state

    return numbers, X


class Swapped:
    """Issue 9023 of jax: the function that is called is set by another method."""

    def __init__(self, fn):
        self.fn = fn

    def use(self, fn):
        self.fn = fn

    def __call__(self, x):
        return self.fn(x)  # ! outside state


def an_attribute_that_holds_a_function():
    return Swapped(jnp.sin), X


class Settings:
    """Issue 9024 of jax: a static argument whose attribute changes elsewhere."""

    def __init__(self):
        self.scale = 2.0

    def rescale(self, scale):
        self.scale = scale


def scaled(settings, x):
    return x * settings.scale  # ! outside state


def a_static_argument_that_changes():
    return jax.jit(scaled, static_argnums=0), Settings(), X


def a_count_in_fori_loop():
    def counts(x):
        n = 0

        def body(i, x):
            nonlocal n
            n += 1  # ! mutation
            return x + i

        return jax.lax.fori_loop(0, 10, body, x) + n

    return counts, X


def a_count_in_cond():
    def counts(x):
        taken = []

        def up(x):
            taken.append("up")  # ! mutation
            return x + 1

        return jax.lax.cond(x[0] > 0, up, lambda x: x, x) * len(taken)

    return counts, X


def a_count_in_remat():
    def counts(x):
        calls = {"n": 0}

        @jax.checkpoint
        def block(x):
            calls["n"] += 1  # ! mutation
            return jnp.sin(x)

        return block(block(x)) * calls["n"]

    return counts, X


def a_count_in_a_python_loop():
    def counts(x):
        n = 0

        def body(i, x):
            nonlocal n
            n += 1
            return x + i

        for i in range(3):
            x = body(i, x)
        return x * n

    return counts, X


def an_nnx_module_that_is_closed_over():
    from flax import nnx

    model = nnx.Linear(3, 2, rngs=nnx.Rngs(0))
    return jax.jit(lambda x: model(x)), X  # ! outside state


def an_nnx_module_that_is_passed_in():
    from flax import nnx

    return nnx.jit(lambda model, x: model(x)), nnx.Linear(3, 2, rngs=nnx.Rngs(0)), X


# wrong kind, wrong line -----------------------------------------------------


def tile():
    def tiles(x, n):
        return jnp.tile(x, n)  # ! value-dependent shape

    return tiles, X, 3


def repeat():
    def repeats(x, counts):
        return jnp.repeat(x, counts)  # ! value-dependent shape

    return repeats, X, np.array([1, 2, 3])


def reshape():
    def reshapes(x, n):
        return x.reshape(n, -1)  # ! value-dependent shape

    return reshapes, X, 3


def a_number_in_a_numpy_array():
    def fills(x):
        table = np.zeros(3)
        table[0] = x[0]  # ! NumPy on a tracer
        return x + table

    return fills, X


def a_numpy_array_at_a_tracer():
    table = np.eye(3)

    def looks_up(i):
        return table[i, :]  # ! NumPy on a tracer

    return looks_up, 1


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class State:
    h: jax.Array
    n: int = dataclasses.field(default=0, metadata={"static": True})


def an_attribute_of_a_dataclass_argument():
    def steps(state, x):
        state.h = state.h + x  # ! mutation
        return state

    return steps, State(X), X


class Lazy:
    @functools.cached_property
    def table(self):
        return jnp.arange(3.0)

    @functools.cached_property
    def size(self):
        return 3

    def uses_a_table(self, x):
        return x * self.table  # ! leaked tracer

    def uses_a_size(self, x):
        return x * self.size


def a_cached_property_of_a_tracer():
    return Lazy().uses_a_table, X


def a_cached_property_of_a_constant():
    return Lazy().uses_a_size, X


class Timer:
    def __init__(self):
        self.laps = 0

    def __enter__(self):
        self.laps += 1  # ! mutation
        return self

    def __exit__(self, *error):
        return None


TIMER = Timer()


def a_timer():
    def timed(x):
        with TIMER:
            return x * 2

    return timed, X


def a_queue():
    waiting = queue.Queue()

    def puts(x):
        y = x * 2
        waiting.put(x.ndim)  # ! mutation
        return y

    return puts, X


def a_helper_that_changes_a_dict():
    counts = {}

    def count(table, name):
        table[name] = table.get(name, 0) + 1  # ! mutation

    def counted(x):
        y = x * 2
        count(counts, "calls")
        return y

    return counted, X


def a_list_in_a_loop():
    def keeps(x):
        found = []

        def body(i, carry):
            found.append(carry)  # ! leaked tracer
            return carry + 1

        y = jax.lax.fori_loop(0, 3, body, x)
        z = y * 2
        return z + found[0]

    return keeps, X


def a_variable_in_a_loop():
    def keeps(x):
        last = None

        def body(carry, v):
            nonlocal last
            last = v * 2  # ! leaked tracer
            return carry + v, v

        y, _ = jax.lax.scan(body, 0.0, x)
        return y + last

    return keeps, X


def two_statements_on_a_line():
    def prints(x):
        y = x * 2
        print(y)  # ! output
        return y

    return prints, X


def record(log, x):
    log.append(x.ndim)  # ! mutation
    return x * 2


def a_partial_with_a_list():
    return functools.partial(record, []), X


# false alarms ---------------------------------------------------------------


class Built:
    def __init__(self):
        self._build()
        self.fill()

    def _build(self):
        self.scale = 2.0

    def fill(self):
        self.shift = 1.0

    def __call__(self, x):
        return x * self.scale + self.shift


def attributes_set_in_a_helper_of_init():
    return Built(), X


class Fixture:
    def setUp(self):
        self.scale = 2.0

    def uses(self, x):
        return x * self.scale


def attributes_set_up_by_unittest():
    fixture = Fixture()
    fixture.setUp()
    return fixture.uses, X


@dataclasses.dataclass
class Closing:
    scale: float = 1.0

    def __post_init__(self):
        def fill(value):
            self.factor = value

        fill(self.scale * 2)

    def __call__(self, x):
        return x * self.factor


def attributes_set_by_a_closure():
    return Closing(), X


@dataclasses.dataclass
class Solver:
    """As those of jaxopt: a method of its own calls others of its methods."""

    scale: float = 2.0

    def __post_init__(self):
        def optimality(x):
            return self.slope(x)

        self.optimality = optimality

    def slope(self, x):
        return x * self.scale


def a_closure_that_calls_a_method():
    return Solver().optimality, X


REGISTRY = {}


def register(name):
    def add(function):
        REGISTRY[name] = function
        return function

    return add


@register("double")
def double(x):
    return x * 2


def a_registry():
    return lambda x: REGISTRY["double"](x), X


def checked():
    def checks(x):
        checkify.check(jnp.all(x >= 0), "negative")
        return jnp.sqrt(x)

    return checkify.checkify(checks), X


def checked_and_compiled():
    def checks(x):
        checkify.check(x[0] >= 0, "negative: {}", x[0])
        return x * 2

    return checkify.checkify(jax.jit(checks), errors=checkify.all_checks), X


@jax.tree_util.register_pytree_node_class
class Linear:
    def __init__(self, w):
        self.w = w

    def tree_flatten(self):
        return (self.w,), None

    @classmethod
    def tree_unflatten(cls, _, children):
        return cls(*children)

    def move(self, step):
        self.w = self.w - step

    @jax.jit
    def __call__(self, x):
        return x * self.w

    @jax.jit
    def scaled(self, x):
        return x * self.w


def a_jitted_method_of_a_pytree():
    return Linear(2.0).scaled, X


def a_jitted_call_of_a_pytree():
    return Linear(2.0), X


def a_pytree_that_is_passed_in():
    return lambda model, x: x * model.w, Linear(2.0), X


def a_constant_from_a_thread_lock():
    lock = threading.Lock()

    def locked(x):
        with lock:
            return x * 2

    return locked, X


def settings_that_are_read_once():
    options = SimpleNamespace(scale=2.0)
    return lambda x: x * options.scale, X


class Stack(threading.local):
    def __init__(self):
        self.entered = []

    def push(self, value):
        self.entered.append(value)


STACK = Stack()


def a_stack_of_the_threads_own():
    return lambda x: x * len(STACK.entered), X


ENTERED = []


class Entering:
    def __enter__(self):
        ENTERED.append(self)
        return self

    def __exit__(self, *error):
        ENTERED.pop()


def a_stack_that_with_blocks_fill():
    def enters(x):
        with Entering():
            return x * len(ENTERED)

    return enters, X


def a_wrapper_that_takes_more():
    def joins(function):
        @functools.wraps(function)
        def joined(*args):
            return function(jnp.concatenate(args))

        return joined

    return joins(lambda x: x * 2), X, X


class Future:
    def __init__(self):
        self.done = False

    def finish(self):
        if self.done:
            raise ValueError("already")
        self.done = True

    def waits(self, x):
        return x * 2 if self.done else x


def an_attribute_that_is_set_once():
    return Future().waits, X


class Half:
    def __init__(self, scale):
        self.whole = Whole(scale)
        self.scale = scale


class Whole:
    def __init__(self, scale):
        self.scale = scale

    def scales(self, x):
        return x * self.scale


def an_attribute_of_another_class():
    return Whole(2.0).scales, X


def segments():
    ids = np.array([0, 1, 1])

    def sums(x, n):
        return jax.ops.segment_sum(x, ids, n)  # ! value-dependent shape

    return sums, X, 2


class Rounded:
    def __init__(self):
        self.steps = 10

    def rounds(self, x):
        self.steps = float(self.steps)
        return x * self.steps


def a_number_that_stays_the_same():
    return Rounded().rounds, X


class Namer:
    """As flax numbers its modules."""

    def __init__(self):
        self.last = 0

    def __call__(self):
        self.last += 1
        return self.last


class Counter:
    def __init__(self):
        self.last = 0

    def __call__(self):
        self.last += 1  # ! mutation
        return self.last  # ! outside state


NAMER, COUNTER = Namer(), Counter()


def a_number_that_only_names():
    def names(x):
        return {f"layer {NAMER()}"[:5]: x}

    return names, X


def a_number_that_is_computed_with():
    return lambda x: x * COUNTER(), X


NUMBERS = itertools.count(3, 2)


def a_counter_that_only_names():
    def names(x):
        name = f"layer {next(NUMBERS)}"
        return {name[:5]: x}

    return names, X


def a_counter_that_is_computed_with():
    def counts(x):
        return x * next(NUMBERS)  # ! iterator

    return counts, X


# the reader's own world -----------------------------------------------------


def a_row_of_a_table(file=None):
    import csv
    import io

    writer = csv.writer(file or io.StringIO())

    def writes(x):
        writer.writerow([1])  # ! output
        return x * 2

    return writes, X


def a_row_of_a_database(path=":memory:"):
    base = sqlite3.connect(path)
    base.execute("create table if not exists t (n integer)")

    def writes(x):
        base.execute("insert into t values (1)")  # ! output
        return x * 2

    return writes, X, base


def new_rules_for_division():
    def sets(x):
        np.seterr(all="ignore")  # ! mutation
        return x * 2

    return sets, X


def rules_for_division_that_end():
    def sets(x):
        with np.errstate(all="ignore"):
            return x * np.float32(2)

    return sets, X


def run_nothing():
    """What a started process would run."""


def another_process():
    import multiprocessing

    def starts(x):
        multiprocessing.Process(target=run_nothing).start()  # ! output
        return x * 2

    return starts, X


def a_picture():
    import matplotlib.pyplot as plt

    def draws(x):
        plt.plot([1, 2])  # ! output
        return x * 2

    return draws, X


def a_warning_of_the_functions_own():
    def warns(x):
        warnings.warn("old", stacklevel=1)
        return x * 2

    return warns, X


CASES = [
    value
    for value in list(vars().values())
    if getattr(value, "__module__", None) == __name__
    and type(value) is type(run_nothing)
    and value.__name__ not in ("scaled", "record", "register", "double", "run_nothing")
]
