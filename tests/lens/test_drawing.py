"""The picture of an explanation shows each equation, and an outline for each kernel."""

import functools
import subprocess
import sys

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest

from jaxintro.lens import explain, fusion, jaxprs

try:
    from jax import enable_x64
except ImportError:  # before jax 0.8
    from jax.experimental import enable_x64

X = np.ones(1000, np.float32)


def two_kernels(x):
    """A sort cannot be fused with what comes before and after it."""
    return jnp.exp(jnp.sort(jnp.sin(x))) + 1


def labels(figure):
    """What is written in the picture."""
    return [text.get_text() for text in figure.axes[0].texts]


def outlines(figure):
    """The boxes around kernels."""
    return [p for p in figure.axes[0].patches if p.get_gid() == "kernel"]


def groups(function, *args):
    """The equations of each kernel, by name."""
    jaxpr = jaxprs.opened(explain(function, *args).traced)
    return [
        [jaxpr.eqns[number].primitive.name for number in group.equations]
        for group in fusion.groups(jaxpr)
    ]


def test_what_is_fused_is_one_group():
    assert groups(lambda x: jnp.exp(jnp.sin(x)) * 2, X) == [["sin", "exp", "mul"]]


def test_what_cannot_be_fused_is_in_groups_of_its_own():
    fused = groups(two_kernels, X)
    assert ["sin"] in fused
    assert ["exp", "add"] in fused


def test_a_dead_equation_is_in_no_group():
    found = groups(lambda x: (jnp.tanh(x), jnp.sin(x))[1], X)
    assert [name for names in found for name in names] == ["sin"]


def test_64_bits_are_drawn_when_they_are_no_longer_switched_on():
    with enable_x64(True):
        report = explain(lambda x: jnp.sin(x) + 1, np.ones(3))
    with enable_x64(False):
        assert len(outlines(report.plot())) == 1


def test_every_equation_is_drawn():
    found = labels(explain(two_kernels, X).plot())
    assert {"sin", "sort", "exp", "add", "in 0", "out 0"} <= set(found)


def test_every_kernel_is_outlined():
    report = explain(two_kernels, X)
    assert len(outlines(report.plot())) == report.kernels >= 3


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x,
        lambda x: jnp.zeros(3),
        lambda x: jax.lax.fori_loop(0, 9, lambda _, y: jnp.sin(y), x) + 1,
        jax.grad(lambda x: jax.nn.softmax(jax.nn.relu(x))[0]),
        lambda x: jax.random.normal(jax.random.key(0), (), x.dtype) + x,
        lambda x: functools.reduce(lambda y, _: jnp.sin(y), range(70), x),
    ],
    ids=["nothing", "no input", "loop", "gradient", "random", "too many"],
)
def test_all_sorts_of_functions_can_be_drawn(function):
    explain(function, X).plot().draw_without_rendering()


def test_nothing_is_left_open():
    explain(two_kernels, X).plot()
    assert plt.get_fignums() == []


def test_explain_alone_imports_no_matplotlib():
    code = """
import sys
from jaxintro.lens import explain
str(explain(lambda x: 2 * x, 1.0))
sys.exit("matplotlib" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_was_compiled_already_cannot_be_drawn():
    report = explain(jax.jit(jnp.sin).lower(X).compile())
    with pytest.raises(ValueError, match="No jaxpr to draw: sin was compiled"):
        report.plot()
