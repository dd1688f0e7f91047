"""Functions that change things, or use up iterators.

A comment that begins with `!` marks the line of each finding that `audit` must give,
with its kind; a function without one is clean.
"""

import heapq
import io
import itertools
import os
from collections import defaultdict, deque

import jax
import numpy as np

X = np.arange(3.0, dtype=np.float32)
KEY = jax.random.key(0)
RAW_KEY = jax.random.PRNGKey(0)
PARAMS = {"w": np.ones(3, np.float32), "b": np.float32(0.5)}


# mutation -------------------------------------------------------------------

counter = 0
calls = {"count": 0}
history = deque(maxlen=8)
seen_shapes = set()
queue = []
by_shape = defaultdict(list)
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


def pushes_on_a_heap(x=X):
    heapq.heappush(queue, x.ndim)  # ! mutation, outside state
    return x * 2


def appends_to_a_missing_list(x=X):
    by_shape[x.shape].append(x.ndim)  # ! mutation
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


# iterators ------------------------------------------------------------------

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


MADE = [
    make_nonlocal(),
    Counted().counts_in_self,
    Counted().counts_in_the_class,
    make_stream(),
]
