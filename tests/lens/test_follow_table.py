"""Code and values side by side: in columns that fit, and the code as it was written."""

import textwrap

import numpy as np
import pytest
from followed_control import a_long_loop, a_try, comprehensions
from followed_jax import jitted_for_two_shapes, pytrees
from followed_names import many_lines

from jaxintro.lens import follow
from jaxintro.lens.follow.html import code_table
from jaxintro.lens.follow.recorder import Line
from jaxintro.lens.follow.rewrite import Place
from jaxintro.lens.follow.said import Words
from jaxintro.lens.follow.table import BAR, briefly, plain, rows, table


def line(number, *values, **fields):
    place = Place(number, number, number, fields.pop("kind", "bound"))
    kept = [*values[:3]]
    latest = values[-1] if len(values) > 3 else None
    runs = fields.pop("runs", len(values))
    return Line(place, runs, kept, latest, **fields)


def page(code, *lines, width=80):
    return plain(table(rows(code.split("\n"), lines), width))


def test_values_stand_in_one_column():
    shown = page("x = 1\nlonger = 22", line(1, Words("1")), line(2, Words("22")))
    assert shown == ["x = 1       │ 1", "longer = 22 │ 22"]


def test_a_line_that_says_nothing_has_the_bar_alone():
    shown = page("x = 1\npass", line(1, Words("1")))
    assert shown == ["x = 1 │ 1", "pass  │"]
    assert page("pass\npass") == ["pass", "pass"]


def test_the_column_is_as_wide_as_code_that_says_something():
    shown = page("x = 1\n" + "y" * 60, line(1, Words("1")))
    assert shown == ["x = 1 │ 1", "y" * 60]


def test_a_short_block_stands_beside_and_a_long_one_below():
    low = Words(block=("[1 2]", "[3 4]"))
    assert page("m = eye", line(1, low)) == ["m = eye │ [1 2]", "        │ [3 4]"]
    high = Words(block=tuple(map(str, range(20))))
    shown = page("m = eye", line(1, high))
    assert shown[0] == "m = eye │"
    assert shown[1] == "  │ 0"
    assert len(shown) == 21


def test_what_does_not_fit_beside_goes_below():
    wide = Words(("word " * 10).strip())
    shown = page("x = call(a, b, c, d, e)", line(1, wide), width=60)
    assert shown[0] == "x = call(a, b, c, d, e) │"
    assert all(each.startswith("  │ word") for each in shown[1:])


def test_the_shorter_way_is_taken_where_the_longer_does_not_fit():
    both = Words("key<fry> [1797259609 2579123966]", "", (), "key<fry>")
    code = "key = split(a_key)"
    assert page(code, line(1, both), width=90)[0].endswith("2579123966]")
    assert page(code, line(1, both), width=50)[0].endswith("│ key<fry>")


FUNCTIONS = [a_long_loop, a_try, comprehensions, pytrees, many_lines]


@pytest.mark.parametrize("function", [*FUNCTIONS, jitted_for_two_shapes])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_code_is_whole_and_nothing_else_is_too_wide(function, width):
    report = follow(function)
    shown = report.lines(width)
    code = [row.code.rstrip() for row in report.rows]
    left = [each.partition(" │")[0].rstrip() for each in shown]
    there = iter(left)
    assert all(each in there for each in code)  # in their order
    for each in shown:
        assert len(each) <= width or each in code
    beside = {
        each.index("│") for each in shown if "│" in each and each.strip()[0] != "│"
    }
    assert len(beside) <= 1


def test_text_that_stands_further_left_is_not_moved():
    def function():
        words = """a
b"""
        return words

    report = follow(function)
    assert "\n".join(row.code for row in report.rows).splitlines()[2] == 'b"""'
    assert report.rows[2].pieces[0].shorts == ("'a\\nb'",)


def test_a_loop_shows_the_first_values_and_the_last():
    values = [Words(str(n), "int32[]") for n in range(4)]
    (row,) = rows(["x = f(x)"], [line(1, *values, runs=20)])
    (piece,) = row.pieces
    assert piece.shorts[0] == "0  1  2 … 3  int32[]  (20 times)"
    assert piece.each == ("0  int32[]", "1  int32[]", "2  int32[]", "…", "3  int32[]")
    same = [Words("7")] * 4
    (row,) = rows(["x = 7"], [line(1, *same, runs=20)])
    assert row.pieces[0].shorts == ("7  (20 times)", "7")


@pytest.mark.parametrize(
    ("runs", "calls", "said"),
    [
        (1, 0, "ran once"),
        (2, 2, "ran twice"),
        (1, 3, "ran once for 3 calls"),
        (5, 9, "ran 5 times for 9 calls"),
        (0, 2, "did not run: it was compiled before"),
    ],
)
def test_how_often_a_function_ran(runs, calls, said):
    ran = line(1, runs=runs, calls=calls, tracings=runs, kind="def")
    (row,) = rows(["def f(x):"], [ran])
    assert row.pieces[0].shorts == (said,)


def test_runs_with_numbers_and_with_tracers_are_told_apart():
    ran = line(1, Words("x: tracer float32[]"), runs=3, tracings=1, kind="def")
    (row,) = rows(["def f(x):"], [ran])
    said = "ran 3 times, once on tracers, x: tracer float32[]"
    assert row.pieces[0].shorts == (said,)


def test_each_kind_of_tracers_has_a_line_of_its_own():
    kinds = Words("x: tracer float32[2]"), Words("x: tracer float32[3]")
    (row,) = rows(["def f(x):"], [line(1, *kinds, runs=2, tracings=2, kind="def")])
    assert row.pieces[0].shorts == ()
    assert row.pieces[0].block == (*map(str, kinds), "ran twice")


@pytest.mark.parametrize(
    ("runs", "said"), [(0, "ran in a tool"), (2, "ran twice, ran in a tool")]
)
def test_runs_inside_a_tool_are_not_counted_and_that_is_said(runs, said):
    ran = line(1, runs=runs, tracings=runs, unseen=5, calls=9, kind="def")
    (row,) = rows(["def f(x):"], [ran])
    assert row.pieces[0].shorts == (said,)


def test_a_function_that_ran_as_ever_says_nothing():
    (row,) = rows(["def f(x):"], [line(1, runs=3, calls=3, kind="def")])
    assert row.pieces == ()


def test_what_a_line_printed_stands_below_what_it_gave_and_has_an_end():
    noisy = line(1, Words("1"), printed=["a\n", "b\x1b\n"] * 100)
    (row,) = rows(["x = f()"], [noisy])
    value, printed = row.pieces
    assert value.shorts == ("1",)
    assert printed.block[:2] == ("a", "b\N{REPLACEMENT CHARACTER}")
    assert len(printed.block) == 40


def test_long_numbers_are_shortened_in_a_list():
    assert briefly("0.1234567 1.5 1234567.5 12 nan") == "0.1235 1.5 1.235e+06 12 nan"


def test_a_page_for_a_notebook():
    def function(x):
        y = x < 3
        return y

    found = follow(function, np.float32(1)).rows
    html = code_table(found)
    assert html.count("<tr") == len(found)
    assert "y = x &lt; 3" in html
    assert textwrap.dedent(BAR) not in html
