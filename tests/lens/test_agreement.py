"""Results agree to half the digits of the less precise dtype, leaf by leaf."""

import collections
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxintro.lens.race.agreement import default_tolerance, difference

Point = collections.namedtuple("Point", "x y")
ONES = np.ones(4, np.float32)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1.0, np.float32(1.0)),
        (ONES, jnp.ones(4)),
        (ONES, ONES * (1 + 1e-4)),
        (np.float64(1.0), np.float32(1 + 1e-4)),
        (jnp.ones(4, jnp.bfloat16), ONES * 1.05),
        (np.array([1e6, 0.0]), np.array([1e6, 1e-3])),
        (np.array([np.nan, np.inf, -np.inf]), np.array([np.nan, np.inf, -np.inf])),
        (np.arange(3), np.arange(3, dtype=np.int8)),
        (np.arange(3), np.arange(3.0)),
        (True, np.bool_(True)),
        ((1.0, 2.0), [1.0, 2.0]),
        (Point(1.0, 2.0), (1.0, 2.0)),
        ({"b": 1, "a": 2}, {"a": 2, "b": 1}),
        ("same", "same"),
        (np.array(1 + 1e-9j), np.array(1.0)),
        (np.zeros(0), np.zeros(0)),
    ],
)
def test_these_agree(a, b):
    assert difference(a, b) is None
    assert difference(b, a) is None


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (1.0, 2.0, "result is 1.0 against 2.0, the largest difference; 1 of 1"),
        (ONES, ONES * 1.01, r"result\[0\] is 1.0 against 1.01"),
        (np.float64(1.0), np.float64(1 + 1e-7), "more than 1.5e-08"),
        ({"w": [ONES, ONES]}, {"w": [ONES, 2 * ONES]}, r"result\['w'\]\[1\]\[0\] is 1"),
        (np.eye(2), np.eye(2)[::-1], r"result\[0, 0\] is 1.0 against 0.0.* 4 of 4"),
        (np.array([1.0, np.nan]), np.array([1.0, 2.0]), r"\[1\] is nan against 2.0"),
        (
            np.array([np.inf, 1.0]),
            np.array([-np.inf, 1.0]),
            r"\[0\] is inf against -inf",
        ),
        (ONES, np.ones(3), r"has shape \(4,\) against \(3,\)"),
        (ONES, np.ones((4, 1)), r"has shape \(4,\) against \(4, 1\)"),
        ((1.0, 2.0), 1.0, "2 arrays against 1"),
        ({"a": 1.0}, {"b": 1.0}, r"result\['a'\] against result\['b'\]"),
        (3, 4, "result is 3 against 4"),
        (2**62, 2**62 + 1, "the largest difference"),
        ("one", "other", "result is 'one' against 'other'"),
        ("1", 1.0, "result is '1' against 1.0"),
        (jax.random.key(0), jax.random.key(1), r"result\[1\] is 0 against 1"),
    ],
)
def test_these_differ(a, b, message):
    found = difference(a, b)
    assert found is not None
    assert "\n" not in found
    assert re.search(message, found)


def test_half_the_digits():
    kinds = [np.float64, np.float32, np.float16, np.int32]
    found = [default_tolerance(np.zeros(1, kind)) for kind in kinds]
    np.testing.assert_allclose(found, [1.5e-8, 3.5e-4, 0.031, 0], rtol=0.02)
    assert default_tolerance(np.zeros(1), np.zeros(1, np.float32)) == found[1]


def test_a_tolerance_of_ones_own():
    assert difference(1.0, 1.05, tolerance=0.1) is None
    assert difference(1.0, np.nextafter(1.0, 2.0), tolerance=0.0) is not None
    assert difference(10, 11, tolerance=0.1) is None


def test_pytorch_tensors_agree():
    torch = pytest.importorskip("torch")
    tensor = torch.ones(4, requires_grad=True)
    assert difference(tensor, ONES) is None
    assert difference(torch.ones(4, dtype=torch.bfloat16), ONES) is None
    assert difference(2 * tensor, ONES) is not None
