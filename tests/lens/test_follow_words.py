"""Values in words: what is NumPy's, JAX's and Python's, and what an error says."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxintro.lens.follow.containers import Several
from jaxintro.lens.follow.digits import figure
from jaxintro.lens.follow.errors import error_words
from jaxintro.lens.follow.said import MOST, WIDE, printed_words
from jaxintro.lens.follow.words import words
from jaxintro.lens.page import WIDTH


class Pair(NamedTuple):
    """A named tuple."""

    a: object
    b: object


def test_texts_are_as_wide_as_the_reports_of_the_lens():
    assert WIDE == WIDTH == 70


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (6.0, "6.0"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1 / 3, "0.3333333"),
        (123456789.125, "1.234568e+08"),
        (7, "7"),
        (True, "True"),
        (None, "None"),
        (1 + 2j, "(1+2j)"),
        (np.float64(0.5), "0.5  np.float64"),
        (np.float32(0.1), "0.1  np.float32"),
        (np.bool_(True), "True  np.bool"),
        (jnp.float32(0.5), "0.5  float32[]"),
        (jnp.array([1, 2], jnp.int32), "[1 2]  int32[2]"),
        (np.array([1, 2], np.int32), "[1 2]  np.int32[2]"),
        (np.arange(20.0), "[0. 1. 2. … 17. 18. 19.]  np.float64[20]"),
        (np.ones((2, 2)), "[[1. 1.] [1. 1.]]  np.float64[2,2]"),
        (np.array([0.1, np.nan, np.inf]), "[0.1 nan inf]  np.float64[3]"),
        ((), "()"),
        ((1,), "(1,)"),
        ((1, 2), "(1, 2)"),
        ([], "[]"),
        ({}, "{}"),
        ({"a": 1}, "{'a': 1}"),
        ([1, jnp.float32(0.5)], "[1, 0.5 float32[]]"),
        ([jnp.float32(0.5)] * 2, "[0.5, 0.5]  float32[] each"),
        (Pair(1, "x"), "Pair(a=1, b='x')"),
        (Several((("a", "b"), 1, "x")), "1, 'x'"),
        ("text", "'text'"),
        ("two\nlines", "'two\\nlines'"),
        ({1}, "{1}"),
        (ValueError("why"), "ValueError: why"),
        (np.random, "the module numpy.random"),
        (list(range(100)), "[0, 1, 2, …, 97, 98, 99]  100 of them"),
    ],
    ids=repr,
)
def test_a_value_in_one_line(value, said):
    assert words(value).shorts[0] == said


def test_keys():
    key = jax.random.key(0)
    assert words(key).shorts == ("key<fry> [0 0]  ".strip(), "key<fry>")
    assert str(words(jax.random.split(key, 3))) == "key<fry>[3]"


def test_values_of_several_names_below_each_other_are_named():
    key = jax.random.key(0)
    said = words(Several((("key", "subkey"), key, key)))
    assert said.shorts[0] == "key<fry> [0 0], key<fry> [0 0]"
    assert said.lines == ("key: key<fry> [0 0]", "subkey: key<fry> [0 0]")


def test_a_deleted_array():
    array = jnp.ones(3)
    array.delete()
    assert str(words(array)) == "donated: its memory is gone  float32[3]"


def test_a_tracer():
    said = []
    jax.jit(lambda x: said.append(words(x)) or said.append(words([x])))(1.0)
    assert [str(each) for each in said] == ["a tracer, float32[]", "[tracer float32[]]"]


def test_a_matrix_is_a_block_with_its_type():
    assert words(jnp.ones((3, 3))).lines == (
        "[[1. 1. 1.]",
        " [1. 1. 1.]",
        " [1. 1. 1.]]  float32[3,3]",
    )
    large = words(np.zeros((100, 100)))
    assert len(large.lines) == 7
    assert large.shorts == ("[[0. … 0.] … [0. … 0.]]  np.float64[100,100]",)


def test_a_long_container_says_what_it_leaves_out_in_the_right_place():
    rows = [np.eye(3) * n for n in range(9)]
    lines = [line.strip() for line in words(rows).lines]
    assert lines.count("…") == 1
    assert lines.index("…") == 9
    assert len(lines) == 19


@given(st.lists(st.text(max_size=200) | st.floats() | st.integers(), max_size=30))
def test_nothing_is_wider_than_a_report_or_longer_than_can_be_read(value):
    lines = words(value).lines
    assert all(len(line) <= WIDE for line in lines)
    assert len(lines) <= MOST


@given(st.floats())
def test_a_figure_has_seven_digits_or_all(value):
    shown = float(figure(value))
    assert shown == pytest.approx(value, rel=1e-6, abs=0, nan_ok=True)


def test_what_was_printed_is_shown_as_it_was_but_not_without_end():
    assert printed_words("a\n  b\n").lines == ("a", "  b")
    lines = printed_words("\n".join(map(str, range(100)))).lines
    assert len(lines) == MOST
    assert lines[-1] == "… 61 more lines"


def error_of(call):
    try:
        call()
    except Exception as error:
        return "\n".join(error_words(error).lines)


def test_an_error_keeps_the_lesson_and_drops_links_and_paths():
    def branch():
        jax.jit(lambda x: 1 if x > 0 else 2)(1.0)

    said = error_of(branch)
    assert said.startswith("TracerBoolConversionError: Attempted boolean conversion")
    assert "traced array with shape bool[]" in said
    for pointer in ("http", ".py", "See ", "/", "----"):
        assert pointer not in said


def test_an_error_about_assignment_keeps_the_cure():
    def assign():
        jnp.arange(3)[0] = 1

    said = " ".join(error_of(assign).split())
    assert "immutable" in said
    assert ".at[idx].set(y)" in said
    assert "http" not in said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError(), "ValueError"),
        (ValueError("  \n"), "ValueError"),
        (KeyError("x"), "KeyError: 'x'"),
        (ValueError("a\n  b"), "ValueError: a b"),
        (ValueError("in f at /a/b.py:3:4 (f)"), "ValueError: in f"),
        (ValueError("two, see https://x.org/a#b"), "ValueError: two"),
        (ValueError("five: 3 / 4 at 5:6"), "ValueError: five: 3 / 4"),
    ],
)
def test_errors_in_short(error, said):
    assert error_words(error).lines == (said,)


def test_an_error_that_cannot_say_what_it_is():
    class MuteError(Exception):
        def __str__(self):
            raise SystemExit

    assert error_words(MuteError()).lines == (
        "MuteError, whose text raises SystemExit",
    )
