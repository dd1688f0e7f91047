"""`audit` finds what is impure, and is silent about what is pure."""

import inspect
import itertools

import impure_keys
import jax
import jax.numpy as jnp
import numpy as np
import public_functions
import pytest
from impure_changes import change_it
from impure_functions import FUNCTIONS, MARKS, functions_of
from impure_reads import Configured, Flagged, Scaled, helper

from jaxintro.lens import audit

pytestmark = pytest.mark.usefixtures("usual_promotion")
X = np.arange(3.0, dtype=np.float32)
HELPERS = {  # where the finding stands, if not in the function itself
    "calls_what_reads_a_global": helper,
    "has_its_argument_changed": change_it,
    "reads_a_property": Flagged.training.fget,
    "calls_a_method_that_reads": Flagged.scale,
}


@pytest.fixture
def usual_promotion():
    """The rules that a user's code is written for, not the strict ones of the tests."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def name_of(function):
    """The name of a test function, or of the class of a callable object."""
    return getattr(function, "__name__", type(function).__name__)


def lines_of(function):
    """The lines of a function's source."""
    if type(function) in (Scaled, Configured):
        function = type(function).__call__
    function = inspect.unwrap(getattr(function, "__func__", function))
    source, start = inspect.getsourcelines(function)
    filename = inspect.getsourcefile(function)
    return [(filename, line) for line in range(start, start + len(source))]


def expected(function):
    """What the comments say that an audit must find: file, line and kind."""
    lines = lines_of(function)
    if name_of(function) in HELPERS:
        lines += lines_of(HELPERS[name_of(function)])
    return {(*line, kind) for line in lines for kind in MARKS.get(line, ())}


def is_traced(report):
    """Whether a trace came to its end."""
    return not any("traced with" in each or "stopped" in each for each in report.untold)


def arguments(function):
    """The defaults of the parameters, which are what a function is audited with."""
    plain = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = inspect.signature(function).parameters.values()
    return [each.default for each in parameters if each.kind is plain]


@pytest.mark.parametrize("function", FUNCTIONS, ids=name_of)
def test_finds_what_is_marked_and_nothing_else(function):
    found = audit(function, *arguments(function))
    assert {(each.file, each.line, each.kind) for each in found} == expected(function)
    assert found or is_traced(found)


@pytest.mark.parametrize("function", FUNCTIONS, ids=name_of)
def test_a_second_audit_finds_the_same(function):
    args = arguments(function)
    assert audit(function, *args).findings == audit(function, *args).findings


def test_there_are_forty_impure_functions_and_two_of_each_kind():
    kinds = {
        function: {kind for *_, kind in expected(function)} for function in FUNCTIONS
    }
    assert sum(map(bool, kinds.values())) >= 40
    assert sum(not each for each in kinds.values()) >= 20
    for kind in itertools.chain(*MARKS.values()):
        assert sum(kind in each for each in kinds.values()) >= 2, kind


@pytest.mark.parametrize(
    "case", public_functions.jax_functions(), ids=lambda case: case.name
)
def test_finds_nothing_in_jax(case):
    report = audit(case.function, *case.args)
    assert report.findings == ()
    assert is_traced(report)


@pytest.mark.parametrize("library", ["optax", "flax"])
def test_finds_nothing_in(library):
    pytest.importorskip(library)
    for case in getattr(public_functions, f"{library}_functions")():
        report = audit(case.function, *case.args)
        assert report.findings == (), case.name
        assert is_traced(report), case.name


TYPED = [
    function
    for function in functions_of(impure_keys)
    if any(
        jax.dtypes.issubdtype(jnp.result_type(a), jax.dtypes.prng_key)
        for a in jax.tree.leaves(arguments(function))
    )
]


@pytest.mark.parametrize("function", TYPED, ids=name_of)
def test_agrees_with_the_key_checker_of_jax(function):
    """JAX looks at typed keys only, and names no line."""
    reused = False
    try:
        with jax.debug_key_reuse(True):
            jax.jit(lambda *args: function(*args)).trace(*arguments(function))
    except jax.errors.KeyReuseError:
        reused = True
    found = audit(function, *arguments(function))
    assert reused == any(each.kind == "key reuse" for each in found)


def test_an_optax_training_step_is_clean():
    optax = pytest.importorskip("optax")
    optimizer = optax.adam(0.1)

    def step(params, state, x):
        loss, slopes = jax.value_and_grad(lambda p: jnp.sum((p["w"] * x) ** 2))(params)
        updates, state = optimizer.update(slopes, state, params)
        return optax.apply_updates(params, updates), state, loss

    params = {"w": X}
    report = audit(jax.jit(step), params, optimizer.init(params), X)
    assert report.findings == report.untold == ()


def test_a_flax_module_of_the_users_is_clean():
    nn = pytest.importorskip("flax.linen")

    class Net(nn.Module):
        width: int

        @nn.compact
        def __call__(self, x, train=False):
            x = nn.relu(nn.Dense(self.width)(x))
            return nn.Dropout(0.5, deterministic=not train)(x)

    net = Net(4)
    params = net.init(jax.random.key(0), X)
    assert str(audit(net.apply, params, X)) == "audit of Module.apply: nothing found"
    key = jax.random.key(1)
    trained = audit(net.apply, params, X, train=True, rngs={"dropout": key})
    assert trained.findings == ()
