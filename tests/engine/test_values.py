import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxintro._engine.values import show


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (6.0, ["6.0"]),
        (None, ["None"]),
        (jnp.float32(2.5), ["2.5"]),
        (jnp.array([1, 2], jnp.int32), ["[1 2]   int32[2]"]),
        ([1, jnp.float32(0.5)], ["[1, 0.5]"]),
        ({"a": 1, "long": 2}, ["a     1", "long  2"]),
        ("two\nlines", ["two", "lines"]),
        (ValueError("first\nsecond"), ["ValueError: first"]),
        (np.eye(2), ["[[1. 0.]", " [0. 1.]]", "float64[2, 2]"]),
        ({}, ["{}"]),
        ((1, 2), ["(1, 2)"]),
    ],
)
def test_a_value_reads_well(value, lines):
    assert show(value) == lines


class Mute:
    def __str__(self):
        raise OSError


def endless():
    loop = {}
    loop["again"] = loop
    return loop


@pytest.mark.parametrize("value", [Mute(), [Mute()], endless(), jax.Array])
def test_any_value_is_shown_somehow(value):
    assert show(value)


def test_a_key_reads_as_a_key():
    assert "key<fry>" in " ".join(show(jax.random.key(0)))


def test_nothing_is_wider_than_the_page():
    values = [
        np.arange(50.0),
        "word " * 60,
        {"key": np.ones((3, 9))},
        ValueError("x " * 99),
    ]
    for width in (30, 60):
        assert all(
            len(line) <= width for value in values for line in show(value, width)
        )


def test_a_long_text_is_shortened_and_says_by_how_much():
    lines = show("\n".join(map(str, range(100))))
    assert len(lines) == 40
    assert lines[-1] == "… 61 more lines"
