"""Equations are counted as one would by hand, and the dead among them told."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import explain

X = np.linspace(-1, 1, 1000, dtype=np.float32)


def hundred_sines(x):
    """A Python loop, which tracing unrolls."""
    for _ in range(100):
        x = jnp.sin(x)
    return x


def hundred_sines_in_a_loop(x):
    """The same as a loop of JAX."""
    return jax.lax.fori_loop(0, 100, lambda _, y: jnp.sin(y), x)


def test_equations_are_counted_by_name():
    def selu(x):
        return 1.05 * jnp.where(x > 0, x, 1.67 * jnp.exp(x) - 1.67)

    counts = {"gt": 1, "exp": 1, "mul": 2, "sub": 1, "select_n": 1}
    assert explain(selu, X).equations == counts


def test_a_python_loop_is_unrolled():
    assert explain(hundred_sines, X).equations == {"sin": 100}


def test_a_loop_holds_its_body_once():
    equations = explain(hundred_sines_in_a_loop, X).equations
    assert equations == {"scan": 1, "add (in a loop)": 1, "sin (in a loop)": 1}


def test_while_loops_are_loops_too():
    def function(x):
        return jax.lax.while_loop(lambda y: y[0] < 1, jnp.exp, x)

    assert explain(function, X).equations["exp (in a loop)"] == 1


def test_both_branches_are_counted():
    def function(x):
        return jax.lax.cond(x[0] > 0, jnp.sin, jnp.cos, x)

    equations = explain(function, X).equations
    assert (equations["cond"], equations["sin"], equations["cos"]) == (1, 1, 1)


def test_a_call_is_no_equation_of_its_own():
    assert explain(lambda x: jax.nn.relu(jax.jit(jnp.sin)(x)), X).equations == {
        "sin": 1,
        "max": 1,
    }


def test_the_addition_within_a_scatter_is_no_equation():
    assert explain(lambda x: jnp.asarray(x).at[0].add(1.0), X).equations.get(
        "scatter-add"
    )
    assert (
        "add"
        not in explain(
            lambda x, i: jnp.asarray(x).at[i].add(1.0, mode="drop"), X, np.uint8([1])
        ).equations
    )


def test_what_is_not_needed_is_dead():
    def function(x):
        unused = jnp.exp(x)
        jnp.tanh(unused)
        return 2 * x

    report = explain(function, X)
    assert report.dead == {"exp": 1, "tanh": 1}
    assert "exponential(" not in report.compiled


def test_dead_equations_are_found_within_calls_and_branches():
    def function(x):
        pair = jax.lax.cond(x[0] > 0, lambda y: (-y, jnp.exp(y)), lambda y: (y, y), x)
        return pair[0] + jax.jit(lambda y: (jnp.sin(y), jnp.cos(y)))(x)[0]

    report = explain(function, X)
    assert report.dead == {"exp": 1, "cos": 1}
    assert "exponential(" not in report.compiled
    assert "cosine(" not in report.compiled


def test_what_only_feeds_an_unneeded_result_of_a_branch_is_dead():
    def function(x):
        operands = (x, jnp.exp(x))
        branches = (lambda y, z: (-y, z), lambda y, z: (2 * y, -z))
        return jax.lax.cond(x[0] > 0, *branches, *operands)[0]

    report = explain(function, X)
    assert report.dead == {"exp": 1, "neg": 1}
    assert "exponential(" not in report.compiled


def test_a_carry_that_feeds_no_result_is_dead():
    def function(x):
        def step(carry, _):
            needed, helper, idle = carry
            return (needed + helper, jnp.sin(helper), jnp.exp(idle)), jnp.cos(needed)

        return jax.lax.scan(step, (x, x, x), length=5)[0][0]

    report = explain(function, X)
    assert report.dead == {"exp (in a loop)": 1, "cos (in a loop)": 1}
    assert "exponential(" not in report.compiled
    assert "cosine(" not in report.compiled
    assert "sine(" in report.compiled


def test_an_effect_is_not_dead():
    def function(x):
        jax.debug.print("{}", x[0])
        return x

    assert explain(function, X).dead == {}
