"""`follow` raises on none of the functions that the lens is tried on."""

import copy
import inspect
import os
import sys
from contextlib import suppress

import impure_functions as impure
import jax
import public_functions as public
import pytest
from followed import same

from jaxintro.lens import follow
from jaxintro.lens.follow import Followed

JAX_FUNCTIONS = public.jax_functions()[::6]


def look_at(function, args):
    """Follow one call; its result is that of the plain call, or so is its error."""
    before = getattr(inspect.unwrap(function), "__code__", None)
    report = follow(function, *args)
    assert isinstance(report, Followed)
    assert getattr(inspect.unwrap(function), "__code__", None) is before
    assert str(report)
    assert report._repr_html_()
    return report


def test_there_are_at_least_40_functions():
    assert len({case.name for case in JAX_FUNCTIONS}) >= 40


@pytest.mark.parametrize("case", JAX_FUNCTIONS, ids=lambda case: case.name)
def test_follow_jax(case):
    report = look_at(case.function, case.args)
    assert report.error is None
    leaves = jax.tree.leaves((report.result, case.function(*case.args)))
    half = len(leaves) // 2
    assert same(leaves[:half], leaves[half:])


ENDLESS = {"loops_over_a_generator"}  # a plain call does not end either
IMPURE = [f for f in impure.FUNCTIONS if getattr(f, "__name__", "") not in ENDLESS]


@pytest.fixture
def put_back():
    """What the impure functions change is as before: other tests look at them too."""
    modules = [m for name, m in sys.modules.items() if name.startswith("impure_")]
    kept = [
        (thing, copy.copy(thing))
        for module in modules
        for name, thing in vars(module).items()
        if type(thing) in (set, dict, list) and not name.startswith("__")
    ]
    environment = dict(os.environ)
    yield
    for thing, before in kept:
        thing.clear()
        (thing.extend if type(thing) is list else thing.update)(before)
    os.environ.clear()
    os.environ.update(environment)


@pytest.mark.usefixtures("put_back")
@pytest.mark.parametrize(
    "function", IMPURE, ids=lambda f: getattr(f, "__name__", "object")
)
@pytest.mark.filterwarnings("ignore")
def test_follow_impure(function):
    signature = inspect.signature(function)
    given = [p.default for p in signature.parameters.values()]
    with suppress(TypeError):  # a generator cannot be copied
        given = copy.deepcopy(given)
    report = look_at(function, given)
    assert report.rows or report.note
