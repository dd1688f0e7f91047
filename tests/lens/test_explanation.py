"""`explain` says of a function what can be read elsewhere too, or counted by hand."""

import dataclasses
import operator
import traceback
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxintro.lens import explain, traces
from jaxintro.lens.explain import backend

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


class Model:
    """Its methods are jitted with `self` held static."""

    def __init__(self, scale):
        self.scale = scale

    @partial(jax.jit, static_argnums=0)
    def scaled(self, x):
        """A jitted method."""
        return self.scale * jnp.sin(x)

    @partial(jax.jit, static_argnums=(0, 2))
    def repeated(self, x, times):
        """A jitted method with a static argument of its own."""
        return [x + i for i in range(times)]

    def __call__(self, x):
        """What the model gives."""
        return self.scale * jnp.cos(x)


def test_a_jitted_method_keeps_its_self():
    assert explain(Model(3.0).scaled, X).equations == {"sin": 1, "mul": 1}
    assert explain(Model(3.0).repeated, X, 4).equations == {"add": 4}


def test_a_model_that_holds_functions():
    model = jax.tree_util.Partial(lambda act, x: act(x) + 1, jnp.tanh)

    def apply(model, x):
        return model["layer"](x) * model["scale"]

    report = explain(apply, {"layer": jnp.tanh, "scale": X}, X)
    assert report.equations == {"tanh": 1, "mul": 1}
    assert explain(model, X).equations == {"tanh": 1, "add": 1}


def test_flax_nnx_jit():
    nnx = pytest.importorskip("flax.nnx")
    layer = nnx.Linear(3, 3, rngs=nnx.Rngs(0))
    with jax.numpy_rank_promotion("allow"):
        report = explain(nnx.jit(lambda m, x: m(x)), layer, np.ones((1, 3), np.float32))
    assert report.equations["dot_general"] == 1


def test_equinox_filter_jit():
    eqx = pytest.importorskip("equinox")
    mlp = eqx.nn.MLP(3, 3, 8, 1, key=jax.random.key(0))
    report = explain(eqx.filter_jit(lambda m, x: m(x)), mlp, np.ones(3, np.float32))
    assert report.equations["dot_general"] == 2
    assert report.name == "<lambda>"


class Slotted:
    """Takes no weak reference."""

    __slots__ = ()

    def __call__(self, x):
        """The sine."""
        return jnp.sin(x)


@pytest.mark.parametrize("function", [Slotted(), operator.itemgetter(0)])
def test_a_function_without_weak_references(function):
    report = explain(function, X)
    assert report.name == type(function).__name__


def test_a_function_of_numpy_is_told_from_one_of_jax():
    with pytest.raises(TypeError, match=r"NumPy's sin: .* Explain jax.numpy.sin\.$"):
        explain(np.sin, X)


A = np.ones((64, 64), np.float32)
PRODUCT = 2 * 64**3  # flops of one product of these matrices


def scanned(length, **options):
    """A scan of products of matrices."""

    def step(x, _):
        return x @ A, None

    return lambda x: jax.lax.scan(step, x, length=length, **options)[0]


@pytest.mark.parametrize("length", [0, 1, 2, 7, 100])
def test_all_turns_of_a_scan_are_counted(length):
    report = explain(scanned(length), A)
    assert report.flops == pytest.approx(length * PRODUCT, rel=0.01, abs=10)


@pytest.mark.parametrize("unroll", [1, 3, 5, 20])
def test_a_scan_that_is_unrolled_counts_the_same(unroll):
    report = explain(scanned(11, unroll=unroll), A)
    assert report.flops == pytest.approx(11 * PRODUCT, rel=0.01)


def test_a_scan_in_a_scan():
    def outer(x):
        return jax.lax.scan(lambda y, _: (scanned(5)(y), None), x, length=7)[0]

    report = explain(outer, A)
    assert report.flops == pytest.approx(35 * PRODUCT, rel=0.01)
    assert (report.turns, "once" in str(report).split("work")[1][:90]) == ("all", False)


def test_a_scan_in_the_branch_of_a_condition():
    def function(x):
        return jax.lax.cond(x[0, 0] > 0, scanned(9), lambda y: y, x)

    assert explain(function, A).flops == pytest.approx(9 * PRODUCT, rel=0.01)


def test_exponentials_and_bytes_of_all_turns():
    report = explain(lambda x: jax.lax.map(jnp.exp, x), np.ones((50, 10), np.float32))
    assert report.transcendentals == 500
    assert report.bytes >= 2 * 500 * 4


def test_a_loop_of_unknown_length_is_said_to_be_counted_once():
    def function(x):
        return jax.lax.while_loop(lambda y: y[0, 0] < 9, lambda y: y @ A + 1, x)

    report = explain(function, A)
    assert report.turns == "once"
    assert "each loop's body once" in " ".join(str(report).split())


def test_without_a_loop_nothing_is_said_of_turns():
    assert explain(jnp.dot, A, A).turns is None


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
