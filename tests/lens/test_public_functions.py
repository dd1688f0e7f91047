"""The lens looks at the public functions of JAX and its neighbours without an error."""

import jax
import public_functions as public
import pytest

from jaxintro.lens import explain

# Every second one: compiling all of them would take as long as all other tests.
JAX_FUNCTIONS = public.jax_functions()[::2]


@pytest.fixture
def usual_promotion():
    """The neighbours of JAX are not written for its strictest rules."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def look_at(case):
    """Explain one function; a page comes of it."""
    report = explain(case.function, *case.args)
    assert report.kernels is not None
    assert report.equations is not None
    assert all(len(line) <= 70 for line in str(report).splitlines())


def test_there_are_at_least_150_functions():
    assert len({case.name for case in JAX_FUNCTIONS}) >= 150


@pytest.mark.parametrize("case", JAX_FUNCTIONS, ids=lambda case: case.name)
def test_explain_jax(case):
    look_at(case)


@pytest.mark.usefixtures("usual_promotion")
def test_explain_optax():
    pytest.importorskip("optax")
    for case in public.optax_functions():
        look_at(case)


@pytest.mark.usefixtures("usual_promotion")
def test_explain_flax():
    pytest.importorskip("flax")
    for case in public.flax_functions():
        look_at(case)
