"""`traces` counts what a counter in the function counts."""

import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jitted_ways import around, both_ways, new_scale, under

from jaxintro.lens import traces

X = np.ones(3, np.float32)
W = {"w": X}


@both_ways
def test_the_same_structure_shapes_and_dtypes_are_not_traced_again(way):
    watched, call = way(new_scale(), static_argnums=2)
    for factor in (1.0, 2.0, 3.0):
        call({"w": factor * X}, factor)
    assert watched.count == 1


@both_ways
def test_the_count_is_that_of_a_counter_in_the_function(way):
    runs = []

    def function(x):
        runs.append(x)
        return jnp.sin(x)

    watched, call = way(function)
    for size in (1, 2, 1, 3, 2, 1, 4):
        call(np.ones(size, np.float32))
    assert watched.count == len(runs) == 4


@both_ways
def test_a_failed_trace_is_no_trace(way):
    def function(x):
        return x.no_such_thing

    watched, call = way(function)
    with pytest.raises(AttributeError, match="no_such_thing"):
        call(X)
    assert watched.count == 0


def test_calls_on_arrays_are_no_traces():
    watched = traces(lambda x: x)
    watched(X)
    watched(jnp.asarray(X))
    with jax.disable_jit():
        jax.jit(watched)(X)
    assert watched.count == 0


def test_grad_and_vmap_without_jit_run_at_every_call():
    watched = traces(lambda x: jnp.sum(x))
    for _ in range(2):
        jax.vmap(watched)(np.ones((2, 3), np.float32))
        jax.grad(watched)(X)
        jax.vmap(jax.grad(watched))(np.ones((2, 3), np.float32))
    assert [trace.kinds for trace in watched.log] == 6 * [("not jitted",)]


def test_a_function_that_calls_itself_is_traced_once():
    def power(x, n):
        return x if n == 0 else x * power(x, n - 1)

    watched = traces(jax.jit(power, static_argnums=1))
    watched(X, 5)
    assert watched.count == 1


@pytest.mark.parametrize("transform", [jax.grad, jax.vmap, jax.hessian])
def test_under_jit_and_another_transformation(transform):
    watched = traces(lambda x: x**2)
    jitted = jax.jit(transform(watched))
    x = X if transform is jax.vmap else 1.0
    jitted(x)
    jitted(x)
    assert [trace.kinds for trace in watched.log] == [("first",)]


@pytest.mark.parametrize("transform", [jax.grad, jax.vmap, jax.jit])
def test_around_jit_and_under_another_transformation(transform):
    watched = traces(jax.jit(lambda x: x**2))
    x = X if transform is jax.vmap else 1.0
    transform(watched)(x)
    transform(watched)(x)
    assert watched.count == 1


@pytest.mark.parametrize("transform", [jax.grad, jax.vmap])
def test_around_another_transformation_of_a_jitted_function(transform):
    watched = traces(transform(jax.jit(lambda x: x**2)))
    x = X if transform is jax.vmap else 1.0
    watched(x)
    watched(x)
    assert [trace.kinds for trace in watched.log] == [("first",)]


class Double:
    """An object that can be called."""

    def __call__(self, x):
        return 2 * x

    def method(self, x):
        """The same."""
        return 2 * x


@pytest.mark.parametrize(
    "function",
    [Double(), Double().method, partial(lambda y, x: x, 1)],
    ids=["object", "method", "partial"],
)
def test_other_callables(function):
    watched = traces(jax.jit(function))
    watched(X)
    watched(X)
    watched(np.ones(4, np.float32))
    assert [trace.kinds for trace in watched.log] == [("first",), ("shape",)]


def test_variable_arguments_are_named():
    watched = traces(jax.jit(lambda *args, **kwargs: (args, kwargs)))
    watched(X, X, y=X)
    watched(X, X[:2], y=X[:2])
    assert [c.argument for c in watched.log[-1].causes] == ["args[1]", "kwargs['y']"]


def test_donated_arguments():
    watched = traces(jax.jit(lambda x: x + 1, donate_argnums=0))
    watched(jnp.ones(3))
    watched(jnp.ones(4))
    assert [trace.kinds for trace in watched.log] == [("first",), ("shape",)]


def test_as_two_decorators():
    @jax.jit
    @traces
    def function(x):
        return x

    function(X)
    function(X)
    assert function.traces.count == 1


def test_results_and_signature_are_those_of_the_function():
    watched, call = around(new_scale(), static_argnums=2)
    np.testing.assert_array_equal(call(W, 3.0, 2), 6 * X)
    assert (watched.__name__, watched.__doc__) == ("scale", "The weights, scaled.")


def test_a_profiler_goes_on_seeing():
    calls = []

    def profiler(frame, event, arg):
        calls.append(frame.f_code.co_name)

    sys.setprofile(profiler)
    try:
        traces(jax.jit(new_scale()))(W, 1.0)
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)
    assert "scale" in calls


def test_the_report_fits_a_terminal():
    watched, call = under(new_scale(), static_argnums=2)
    call(W, 1.0)
    call({f"name_{i}": X for i in range(20)} | W, 1.0)
    lines = str(watched).splitlines()
    assert lines[0] == "scale: 2 traces"
    assert lines[1] == "  1  the first trace"
    assert max(map(len, lines)) <= 70


def test_a_wrong_call_is_told_in_a_sentence():
    with pytest.raises(TypeError, match="traces needs a function, not 3"):
        traces(3)
