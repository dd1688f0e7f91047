"""The picture of an explanation shows each equation, and an outline for each kernel."""

import functools
import itertools
import subprocess
import sys

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest

from jaxintro.lens import explain
from jaxintro.lens.explain import fusion, jaxprs, rows

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
    assert {"sin", "sort", "exp", "add", "x", "result"} <= set(found)


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


def layers(params, x):
    """As many layers as there are pairs of weights and biases."""
    for w, b in params:
        x = jnp.tanh(x @ w + b[None])
    return x


def attention(q, k, v):
    """Values that go far, and two results."""
    scores = q @ k.T
    return jax.nn.softmax(scores) @ v, {"scores": scores}


SQUARE = np.ones((8, 8), np.float32)
PARAMS = [(SQUARE, SQUARE[0])] * 12
PICTURES = {
    "two kernels": (two_kernels, (X,)),
    "layers": (layers, (PARAMS, SQUARE)),
    "attention": (attention, (SQUARE,) * 3),
    "gradient": (jax.grad(lambda p, x: layers(p, x).sum()), (PARAMS[:3], SQUARE)),
}


def boxes(figure):
    """The corners of each equation's box, in the coordinates of the picture."""
    found = [p for p in figure.axes[0].patches if p.get_gid() == "equation"]
    return [p.get_bbox().extents for p in found]


def passes_through(start, end, box):
    """Whether an upright or level line goes through the inside of a box."""
    left, top, right, bottom = box + np.array([1, 1, -1, -1]) * 1e-6  # touching is fine
    (x, y), (u, v) = start, end
    across = max(min(x, u), left) < min(max(x, u), right) or left < x == u < right
    down = max(min(y, v), top) < min(max(y, v), bottom) or top < y == v < bottom
    return across and down


@pytest.mark.parametrize("name", PICTURES)
def test_no_arrow_crosses_an_equation(name):
    function, args = PICTURES[name]
    figure = explain(function, *args).plot()
    figure.draw_without_rendering()
    arrows = [a for a in figure.axes[0].lines if a.get_gid() == "arrow"]
    segments = [
        (start, end)
        for line in arrows
        for start, end in itertools.pairwise(line.get_xydata().tolist())
    ]
    assert len(boxes(figure)) >= 3
    assert len(segments) > len(boxes(figure)) / 2
    crossed = [(s, b) for s in segments for b in boxes(figure) if passes_through(*s, b)]
    assert crossed == []


def test_what_goes_through_a_box_would_be_noticed():
    assert passes_through((0, -1), (0, 1), (-1, -0.5, 1, 0.5))
    assert passes_through((-2, 0), (0, 0), (-1, -0.5, 1, 0.5))
    assert not passes_through((-2, 0), (-1, 0), (-1, -0.5, 1, 0.5))


def test_inputs_and_results_have_their_names():
    found = labels(explain(attention, SQUARE, SQUARE, SQUARE).plot())
    assert {"q", "k", "v", "result[0]", "result[1]['scores']"} <= set(found)


def test_an_input_of_a_jitted_function_has_the_name_that_its_caller_uses():
    inner = jax.jit(lambda a: jnp.sin(a) + 1)
    assert "x" in labels(explain(lambda x: inner(x), X).plot())


def test_what_repeats_is_drawn_once_with_how_often():
    found = labels(explain(layers, PARAMS, SQUARE).plot())
    assert any(label.endswith(" times") for label in found)
    assert sum(label == "tanh" for label in found) <= 2


def test_a_fold_counts_what_it_stands_for():
    jaxpr = explain(layers, PARAMS, SQUARE).traced
    shown = rows.table(jaxpr)
    drawn = [number for row in shown.rows for number in row.equations if row.band >= 0]
    assert sorted(drawn) == list(range(len(jaxprs.opened(jaxpr).eqns)))
    (fold,) = shown.folds
    inside = shown.rows[fold.first : fold.last + 1]
    assert {len(row.equations) for row in inside} == {fold.times}


def test_a_short_list_is_not_folded():
    assert rows.table(explain(layers, PARAMS[:4], SQUARE).traced).folds == []


def test_every_value_that_an_equation_reads_has_an_arrow():
    jaxpr = explain(attention, SQUARE, SQUARE, SQUARE).traced
    shown = rows.table(jaxpr)
    source = rows.sources(jaxprs.opened(jaxpr))
    home = {
        number: at
        for at, row in enumerate(shown.rows)
        for number in row.equations
        if row.band >= 0
    }
    read = {
        (home[source[v]], home[number])
        for number, e in enumerate(jaxprs.opened(jaxpr).eqns)
        for v in jaxprs.variables(e.invars)
        if v in source
    }
    home_of_results = {pair for pair in shown.edges if shown.rows[pair[1]].band < 0}
    assert read == set(shown.edges) - home_of_results
    assert len(home_of_results) == 2


def test_a_call_of_a_library_stands_in_its_kernel():
    found = rows.table(explain(two_kernels, X).traced).rows
    assert [row.kernels != () for row in found if row.label == "sort"] == [True]


def test_a_scan_says_how_often_it_turns():
    report = explain(lambda x: jax.lax.scan(lambda y, _: (-y, None), x, length=7)[0], X)
    assert "scan, 7 times" in labels(report.plot())


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
