"""Values that are long, late, hostile or endless, and looking that goes unnoticed."""

import time
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from followed import beside, compared, event, said

from jaxintro.lens import explain, follow


def hold(value):
    held = value
    return held


class FailingRepr:
    def __repr__(self):
        raise OSError("no words")


class ExitingRepr:
    def __repr__(self):
        raise SystemExit(3)


class Hostile:
    """It raises whatever one asks of it."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    @property
    def __class__(self):
        raise RuntimeError("class")

    def __len__(self):
        raise RuntimeError("len")

    def __bool__(self):
        raise RuntimeError("bool")

    def __eq__(self, other):
        raise RuntimeError("eq")

    __hash__ = None


class HostileList(list):
    def __iter__(self):
        raise RuntimeError("iter")

    def __len__(self):
        raise RuntimeError("len")

    def __getitem__(self, key):
        raise RuntimeError("item")


def endless():
    loop = []
    loop.append(loop)
    return loop


def endless_dict():
    loop = {}
    loop["again"] = {"more": [loop]}
    return loop


HARD = [
    (FailingRepr(), "<FailingRepr: its repr raises OSError>"),
    (ExitingRepr(), "<ExitingRepr: its repr raises SystemExit>"),
    ([1, ExitingRepr()], "[1, <ExitingRepr: its repr raises SystemExit>]"),
    (Hostile(), "a Hostile"),
    ({"a": (Hostile(),)}, "{'a': (a Hostile,)}"),
    (HostileList([1, 2]), "[1, 2]"),
    (endless(), "[[[[…]]]]"),
    (endless_dict(), "{'again': {'more': [{…}]}}"),
    (10**5000, "an int of 16610 bits"),
    (OrderedDict(a=1), "OrderedDict({'a': 1})"),
    (defaultdict(int, a=1), "defaultdict({'a': 1})"),
    (Counter("aa"), "Counter({'a': 2})"),
    (deque([1, 2]), "deque([1, 2])"),
    (range(10**9), "range(0, 1000000000)"),
    (object(), "an object"),
    (len, "a function"),
    (jax.jit(hold), "a function"),
    (int, "the class int"),
    (..., "Ellipsis"),
    (np.ones((0, 3)), "[]  np.float64[0,3]"),
    ("\x1b[31mred\x07", "'\\x1b[31mred\\x07'"),
]


@pytest.mark.parametrize(("value", "words"), HARD, ids=[words for _, words in HARD])
def test_a_value_is_named_and_the_call_goes_on(value, words):
    report = follow(hold, value)
    assert report.result is value
    assert beside(report)["held = value"] == words


def test_long_values_take_no_time():
    values = [
        list(range(10_000_000)),
        "x" * 50_000_000,
        "x\n" * 25_000_000,
        dict.fromkeys(range(1_000_000)),
        np.zeros((3_000, 3_000)),
        jnp.zeros((3_000, 3_000)),
        [[0] * 1_000_000] * 1_000_000,
    ]
    for value in values:
        start = time.perf_counter()
        report = follow(hold, value)
        assert beside(report)
        assert len(str(report)) < 10_000
        seconds = time.perf_counter() - start
        print(type(value).__name__, f"{seconds:.3f} s")  # shown where it hangs


class Watched:
    """Every look at it is an event."""

    def __getattribute__(self, name):
        event("attribute", name)
        return object.__getattribute__(self, name)

    def __getitem__(self, key):
        event("item", key)

    def __iter__(self):
        event("iter")
        return iter(())

    def __eq__(self, other):
        event("eq")
        return True

    def __hash__(self):
        event("hash")
        return 0


class WatchedList(list):
    def __iter__(self):
        event("iter")
        return super().__iter__()

    def __len__(self):
        event("len")
        return super().__len__()

    def __getitem__(self, key):
        event("item")
        return super().__getitem__(key)


@dataclass
class Lazy:
    """A dataclass that notices how it is read."""

    x: int

    def __getattribute__(self, name):
        event("attribute", name)
        return object.__getattribute__(self, name)


@pytest.mark.parametrize(
    "value", [Watched(), WatchedList([1]), Lazy(1), [Watched()], {Watched(): 1}]
)
def test_looking_is_not_noticed(value):
    def function(value):
        held = value
        for _ in range(9):
            held = value
        both, _ = value, held
        return both

    compared(function, value)


def test_a_repr_that_prints_is_not_heard():
    class Loud:
        def __repr__(self):
            print("loud")
            return "Loud"

    report = compared(hold, Loud())
    assert beside(report) == {"held = value": "Loud", "return held": "Loud"}


def test_a_repr_in_the_followed_function_is_not_followed():
    def function():
        class Named:
            def __repr__(self):
                words = "Named"
                return words

        named = Named()
        return named

    report = compared(function)
    assert beside(report) == {"named = Named()": "Named", "return named": "Named"}


def long_work():
    """A compiled function that takes its time, and what to call it with."""

    @jax.jit
    def slow(x):
        return jax.lax.fori_loop(0, 300, lambda _, x: jnp.sin(x @ x), x)

    x = jnp.ones((300, 300))
    slow(x).block_until_ready()
    return slow, x


def test_long_work_is_not_waited_for_at_its_line():
    slow, x = long_work()

    def function(x):
        y = slow(x)
        both = (y, [y])
        ready = y.is_ready()
        y.block_until_ready()
        return ready, both

    report = follow(function, x)
    assert report.result[0] is False
    assert beside(report)["ready = y.is_ready()"] == "False"
    assert "float32[300,300]" in beside(report)["y = slow(x)"]


def test_an_inner_function_does_not_wait_for_its_result():
    slow, x = long_work()

    def function(x):
        def inner(x):
            y = slow(x)
            return y

        y = inner(x)
        return y.is_ready()

    assert follow(function, x).result is False


def test_donated_memory_is_used_again():
    step = jax.jit(lambda x: x + 1, donate_argnums=0)
    step(jnp.zeros(1000)).block_until_ready()

    def function():
        x = jnp.zeros(1000).block_until_ready()
        pointer = x.unsafe_buffer_pointer()
        y = step(x)
        return x.is_deleted(), y.unsafe_buffer_pointer() == pointer

    assert compared(function).result == function()
    assert function()[0]


def test_a_donated_array_in_a_loop():
    step = jax.jit(lambda x: x + 1, donate_argnums=0)

    def function():
        x = jnp.zeros(2)
        for _ in range(9):
            x = step(x)
        return x

    assert "[9. 9.]" in beside(compared(function))["x = step(x)"]


def test_figures_are_not_put_into_words():
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    def function():
        figure = Figure()
        axes = figure.subplots()
        lines = axes.plot([1, 2])
        many = figure.subplots(2, 2)
        count = many.size
        return figure, lines, count

    report = follow(function)
    assert beside(report)["count = many.size"] == "4"
    assert "figure = Figure()" not in beside(report)
    assert "lines = axes.plot([1, 2])" not in beside(report)


def test_reports_of_the_lens_stand_as_they_print():
    def function():
        report = explain(jnp.sin, 1.0)
        return report.kernels

    row = next(r for r in follow(function).rows if "explain" in r.code)
    shown = row.pieces[0].block
    assert shown[0] == "sin: from Python to machine code"
    assert max(map(len, shown)) <= 70


def test_x64_and_narrow_types():
    for kind in ("bfloat16", "float16", "int4", "uint8", "bool", "complex64"):
        report = follow(hold, jnp.ones(2, kind))
        assert beside(report)["held = value"].endswith(f"{kind}[2]")


def test_a_callback_that_raises_raises_where_it_would():
    def fail(x):
        raise ValueError("in the callback")

    @jax.jit
    def function(x):
        jax.debug.callback(fail, x)
        return x

    def calls():
        try:
            function(1.0)
            jax.effects_barrier()
        except Exception as error:
            return type(error), "in the callback" in str(error)

    report = compared(calls)
    assert report.result == calls()
    words = next(said(row) for row in report.rows if "callback" in said(row))
    assert words.endswith("ValueError: in the callback")
    assert "File" not in words


def test_values_are_called_alike_only_where_each_was_looked_at():
    def function():
        for n in range(10):
            odd = n == 5
            entries = [n == 5]
            zeros = jnp.zeros(1) * n
            seven = 7
        return odd, entries, zeros, seven

    there = beside(follow(function))
    assert there["odd = n == 5"] == "False  False  False … False  (10 times)"
    assert there["entries = [n == 5]"].startswith("[False]  [False]  [False] … [False]")
    assert there["zeros = jnp.zeros(1) * n"].startswith("[0.]  [0.]  [0.] … [0.]")
    assert there["seven = 7"] == "7  (10 times)"


def test_a_value_that_cannot_wait_is_compared_in_words():
    class Box:
        def __init__(self, held):
            self.held = held

        def __repr__(self):
            return f"Box({self.held})"

    def function():
        for n in range(10):
            other, same = Box(n == 5), Box(0)  # noqa: F841
            alone = Box(0)
            odd = Box(n == 5)
        return alone, odd

    there = beside(follow(function))
    assert there["alone = Box(0)"] == "Box(0)  (10 times)"
    assert there["odd = Box(n == 5)"].endswith("… Box(False)  (10 times)")
