"""`traces` names the right cause of each trace."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jitted_ways import both_ways, new_scale

from jaxintro.lens import traces

try:
    from jax import enable_x64
except ImportError:  # before jax 0.8
    from jax.experimental import enable_x64

X = np.ones(3, np.float32)
W = {"w": X}

CAUSES = {
    "shape": (({"w": np.ones(4, np.float32)}, X[0]), "params['w']", "(3,)", "(4,)"),
    "dtype": (({"w": np.ones(3, np.int16)}, X[0]), "params['w']", "float32", "int16"),
    "weak type": ((W, 1.0), "x", "False", "True"),
    "static value": ((W, X[0], 3), "n", "2", "3"),
    "structure": (({**W, "b": X}, X[0]), "params", "{'w': *}", "{'b': *, 'w': *}"),
}


@both_ways
@pytest.mark.parametrize("kind", CAUSES)
def test_the_cause_of_a_trace(way, kind):
    args, argument, before, after = CAUSES[kind]
    watched, call = way(new_scale(), static_argnums=2)
    with jax.numpy_dtype_promotion("standard"), enable_x64(False):
        call(W, X[0])
        call(*args)
    (cause,) = watched.log[-1].causes
    assert (cause.kind, cause.argument) == (kind, argument)
    assert (cause.before, cause.after) == (before, after)


@both_ways
def test_several_causes_are_all_named(way):
    watched, call = way(new_scale(), static_argnums=2)
    call(W, 1.0, 2)
    call({"w": np.ones(4, np.float32)}, 1.0, 3)
    causes = {(c.kind, c.argument) for c in watched.log[-1].causes}
    assert causes == {("shape", "params['w']"), ("static value", "n")}


@both_ways
def test_a_number_that_is_not_static_is_no_cause(way):
    watched, call = way(lambda x, n: x * n)
    call(X, 2.0)
    call(np.ones(4, np.float32), 3.0)
    assert [c.argument for c in watched.log[-1].causes] == ["x"]


@both_ways
def test_the_nearest_earlier_trace_is_compared(way):
    watched, call = way(lambda x, y: (x, y))
    call(np.ones(3), np.ones(3))
    call(np.ones(4), np.ones(4))
    call(np.ones(3), np.ones(5))
    (cause,) = watched.log[-1].causes
    assert (cause.argument, cause.before, cause.after) == ("y", "(3,)", "(5,)")


@both_ways
def test_of_those_equally_near_the_latest_is_compared(way):
    watched, call = way(lambda x: x)
    for size in (3, 4, 5):
        call(np.ones(size, np.float32))
    assert str(watched.log[-1].causes[0]) == "x: shape (4,) -> (5,)"


@both_ways
def test_another_structure_is_farther_than_other_arrays(way):
    watched, call = way(new_scale(), static_argnums=2)
    call(W, X[0], 2)
    call({**W, "b": X}, X[0], 3)
    call({"w": np.ones(4, np.float32)}, X[0], 3)
    assert set(watched.log[-1].kinds) == {"shape", "static value"}


def test_an_array_from_outside_is_told_by_its_shape():
    watched = traces(lambda x, y: x)
    for y in (np.ones(3), np.zeros(3), np.ones(4)):
        jax.jit(lambda x, y=y: watched(x, y))(X)
    kinds = [trace.kinds for trace in watched.log]
    assert kinds == [("first",), ("function object",), ("shape",)]


@both_ways
def test_an_argument_given_by_keyword_comes_another_way(way):
    watched, call = way(lambda x: x)
    call(X)
    call(x=X)
    assert str(watched.log[-1].causes[0]) == "x: by position before, by keyword now"


@both_ways
@pytest.mark.parametrize(
    ("args", "kwargs", "said"),
    [
        ((X, 3.0), {}, "n: left to its default before, by position now"),
        ((X, X), {}, "n: left to its default before, by position now"),
        ((X,), {"n": [X]}, "n: left to its default before, by keyword now"),
        ((X,), {"m": X}, "more['m']: left out before, by keyword now"),
    ],
)
def test_an_argument_that_was_left_out(way, args, kwargs, said):
    watched, call = way(lambda x, n=2, **more: x)
    call(X)
    call(*args, **kwargs)
    assert [str(cause) for cause in watched.log[-1].causes] == [said]
    assert watched.log[-1].kinds == ("left out",)
    call(X)
    assert watched.count == 2


@both_ways
def test_an_argument_that_is_left_out_now(way):
    watched, call = way(lambda *args: args)
    call(X, X)
    call(X)
    (cause,) = watched.log[-1].causes
    assert str(cause) == "args[1]: by position before, left out now"


def new_function():
    """A function that JAX has not met."""
    return lambda x: x * 2


@pytest.mark.parametrize("inner", [lambda f: f, lambda f: jax.grad(lambda x: f(x)[0])])
def test_a_new_batch_size(inner):
    watched = traces(new_function())
    batched = jax.jit(jax.vmap(inner(watched)))
    for size in (4, 8, 4):
        batched(np.ones((size, 3), np.float32))
    assert [trace.kinds for trace in watched.log] == [("first",), ("batch size",)]
    assert str(watched.log[-1].causes[0]) == "x: batch size 4 -> 8"


def test_batch_sizes_of_two_vmaps():
    watched = traces(new_function())
    batched = jax.jit(lambda x: jax.vmap(jax.vmap(watched), in_axes=1)(x))
    batched(np.ones((4, 3, 2), np.float32))
    batched(np.ones((4, 5, 2), np.float32))
    assert str(watched.log[-1].causes[0]) == "x: batch size 4 x 3 -> 4 x 5"


@both_ways
def test_other_kinds_of_containers_are_another_structure(way):
    watched, call = way(lambda x: x)
    for x in ([X], (X,), [X]):
        call(x)
    assert [trace.kinds for trace in watched.log] == [("first",), ("structure",)]


@both_ways
@pytest.mark.parametrize("value", [(1, 3), "text", None, 2.5, jnp.cos])
def test_static_values_of_all_sorts(way, value):
    watched, call = way(lambda x, n: x, static_argnums=1)
    call(X, (1, 2))
    call(X, value)
    (cause,) = watched.log[-1].causes
    assert (cause.kind, cause.argument, cause.before) == ("static value", "n", "(1, 2)")


@both_ways
def test_static_values_that_are_equal_but_of_another_type(way):
    watched, call = way(lambda x, n: x, static_argnums=1)
    for n in (1, 1.0, True):
        call(X, n)
    assert [t.kinds for t in watched.log] == [("first",)] + 2 * [("static value",)]


@both_ways
def test_a_static_object_without_equality_is_another_one_each_time(way):
    class Options:
        """Compares by identity."""

    watched, call = way(lambda x, options: x, static_argnums=1)
    for _ in range(3):
        call(X, Options())
    assert [t.kinds[0] for t in watched.log] == ["first"] + 2 * ["static value"]
    assert "another Options object" in str(watched)


@both_ways
def test_a_static_dataclass_with_equality_is_found_again(way):
    @dataclass(frozen=True)
    class Options:
        """Compares by value."""

        n: int

    watched, call = way(lambda x, options: x, static_argnums=1)
    for n in (1, 1, 2):
        call(X, Options(n))
    assert [t.kinds[0] for t in watched.log] == ["first", "static value"]


def test_a_named_function_in_a_loop_is_traced_once():
    watched = traces(new_scale())
    for _ in range(5):
        jax.jit(watched)(W, 1.0)
    assert watched.count == 1


def test_a_lambda_in_a_loop_is_a_new_function_each_time():
    watched = traces(lambda x: x)
    for _ in range(5):
        jax.jit(lambda x: watched(x))(X)
    assert [t.kinds for t in watched.log] == [("first",)] + 4 * [("function object",)]


def test_a_bound_method_in_a_loop_is_a_new_function_each_time():
    class Model:
        """Has a method that is watched."""

        @traces
        def predict(self, x):
            """Its argument."""
            return x

    model = Model()
    for _ in range(5):
        jax.jit(model.predict)(X)
    kinds = [trace.kinds for trace in Model.predict.log]
    assert kinds == [("first",)] + 4 * [("function object",)]


@both_ways
def test_a_switched_setting_is_told(way):
    watched, call = way(lambda x: x)
    x = jnp.asarray(X)
    with enable_x64(False):
        call(x)
    with enable_x64(True):
        call(x)
    assert str(watched.log[-1].causes[0]) == "jax_enable_x64: setting False -> True"


def test_a_cleared_cache_is_not_called_a_new_function():
    watched = traces(jax.jit(lambda x: x))
    watched(X)
    jax.clear_caches()
    watched(X)
    assert [trace.kinds for trace in watched.log] == [("first",), ("cache",)]
