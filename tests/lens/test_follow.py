"""Each line shows what it gave, and the call is the plain call.

The files listed here are ordinary code; what a line shows stands in its comment.
"""

import inspect

import followed_classes
import followed_control
import followed_jax
import followed_names
import pytest
from followed import compared, said

FILES = [followed_control, followed_names, followed_classes, followed_jax]
FUNCTIONS = [
    function
    for file in FILES
    for name, function in vars(file).items()
    if inspect.isfunction(function)
    and function.__module__ == file.__name__
    and name not in ("announced", "event")
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_lines_show_what_their_comments_say(function):
    report = compared(function)
    for row in report.rows:
        expected, cut, _ = row.code.partition("#: ")[2].partition("...")
        words = said(row)
        assert (words[: len(expected)] if cut else words) == expected, row.code


def test_the_comments_are_read():
    marks = [inspect.getsource(function).count("#: ") for function in FUNCTIONS]
    assert len(FUNCTIONS) >= 55
    assert sum(marks) >= 220
