"""`explain` says of a function what can be read elsewhere too, or counted by hand."""

import dataclasses
import traceback
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxintro.lens import backend, explain, traces

X = np.linspace(-1, 1, 1000, dtype=np.float32)


def selu(x, alpha=1.67, scale=1.05):
    """As a reader would write it."""
    return scale * jnp.where(x > 0, x, alpha * jnp.exp(x) - alpha)


def test_selu_over_a_million_floats_is_one_kernel():
    assert explain(selu, jax.ShapeDtypeStruct((1_000_000,), jnp.float32)).kernels == 1


def test_selu_op_by_op_is_a_kernel_for_each_operation():
    """Greater, exp, multiply, subtract, where, multiply: what Python dispatches."""
    assert explain(selu, X).eager_kernels == 6


@pytest.mark.parametrize("function", [jax.jit(selu), lambda x: jax.jit(selu)(x)])
def test_jit_does_not_change_what_op_by_op_means(function):
    assert explain(function, X).eager_kernels == 6


def test_one_equation_can_be_several_kernels_op_by_op_too():
    report = explain(lambda x: jax.lax.scan(lambda y, _: (-y, y), x, length=3), X)
    assert report.eager_kernels == report.kernels > 1


def test_a_cost_that_xla_does_not_know_is_none():
    costs = {"flops": -1.0, "bytes accessed": 8.0}
    assert backend.amount(costs, "flops") is None


def test_flops_of_a_matrix_product():
    """n·m·k multiplications and as many additions."""
    a, b = np.ones((30, 40), np.float32), np.ones((40, 50), np.float32)
    assert explain(jnp.dot, a, b).flops == 2 * 30 * 40 * 50


def test_bytes_of_a_fused_function_are_its_argument_and_result():
    assert explain(selu, X).bytes == 2 * X.nbytes


def test_exponentials_are_counted_apart():
    report = explain(jnp.exp, X)
    assert (report.flops, report.transcendentals) == (0, X.size)


def test_intensity_is_flops_per_byte():
    report = explain(selu, X)
    assert report.intensity == report.flops / report.bytes


def test_temporary_memory_of_a_matrix_that_is_neither_argument_nor_result():
    a = np.ones((64, 64), np.float32)
    assert a.nbytes <= explain(lambda a: a @ a @ a, a).temp_bytes < 2 * a.nbytes


def test_a_call_back_to_python_is_no_kernel():
    def function(x):
        jax.debug.print("{}", x)
        return jnp.sin(x)

    assert explain(function, X).kernels == 1


def test_the_function_is_traced_once_and_not_run():
    seen = []
    explain(lambda x: seen.append(type(x)) or x, X)
    assert len(seen) == 1
    assert issubclass(seen[0], jax.core.Tracer)


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (selu, (X,)),
        (jax.jit(selu), (X,)),
        (jax.vmap(selu), (X.reshape(10, 100),)),
        (jax.grad(lambda x: selu(x).sum()), (X,)),
        (jax.jit(jax.vmap(jax.grad(selu))), (X,)),
        (partial(selu, alpha=2.0), (X,)),
        (traces(selu), (X,)),
        (selu, (jax.ShapeDtypeStruct((3,), np.float32),)),
        (selu, (2.0,)),
        (selu, (jnp.asarray(X),)),
    ],
    ids="plain jit vmap grad nested partial traces shape number array".split(),  # noqa: SIM905
)
def test_every_form_of_function_and_argument(function, args):
    report = explain(function, *args)
    assert report.equations["exp"] >= 1
    assert report.kernels >= 1


def test_pytrees_and_keyword_arguments():
    def function(params, *, x):
        return params["w"] * x + params["b"][0]

    report = explain(function, {"w": X, "b": (X, X)}, x=X)
    assert report.equations == {"mul": 1, "add": 1}


def test_static_arguments():
    report = explain(lambda x, times: [x + 1] * times, X, 3, static_argnums=1)
    assert report.equations == {"add": 1}


def test_a_jitted_function_keeps_its_own_static_arguments():
    def power(x, exponent):
        return x if exponent == 0 else x * power(x, exponent - 1)

    jitted = jax.jit(power, static_argnames="exponent")
    assert explain(jitted, X, exponent=3).equations == {"mul": 3}


def test_compiled_already():
    compiled = jax.jit(selu).lower(X).compile()
    report = explain(compiled)
    assert (report.name, report.kernels) == ("selu", 1)
    untold = ("jaxpr", "equations", "stablehlo", "eager_kernels", "dead")
    assert {name: getattr(report, name) for name in untold} == dict.fromkeys(untold)


def test_lowered_already():
    lowered = jax.jit(selu).lower(X)
    assert explain(lowered).stablehlo == lowered.as_text()


def test_fields_are_what_jax_gives():
    report = explain(selu, X)
    assert report.jaxpr == str(jax.make_jaxpr(selu)(X))
    assert report.stablehlo == jax.jit(selu).lower(X).as_text()


def test_a_report_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        explain(selu, X).kernels = 0


def test_their_error_shows_their_line_and_none_of_ours():
    def broken(x):
        return x.no_such_thing

    with pytest.raises(AttributeError, match="no_such_thing") as caught:
        explain(broken, X)
    frames = [frame.filename for frame in traceback.extract_tb(caught.tb)]
    assert set(frames) == {__file__}


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: explain(3), "explain needs a function, not 3"),
        (lambda: explain(selu), r"selu\(x, .* missing a required argument: 'x'"),
        (lambda: explain(jax.jit(selu)), "missing a required argument: 'x'"),
        (lambda: explain(selu, X, y=1), "unexpected keyword argument 'y'"),
    ],
    ids=["not callable", "no argument", "jitted", "unknown keyword"],
)
def test_a_wrong_call_is_told_in_a_sentence(call, sentence):
    with pytest.raises(TypeError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
