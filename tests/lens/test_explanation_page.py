"""The page of an explanation reads well in a terminal and in a notebook."""

from html.parser import HTMLParser

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxintro.lens import explain

X = np.ones(1000, np.float32)


def long_function(x):
    """Forty lines of jaxpr."""
    for _ in range(40):
        x = jnp.sin(x)
    return x


def function_with_a_name_that_is_longer_than_a_terminal_is_wide_so_that_it_must_be_cut(
    x,
):
    """The identity."""
    return x


REPORTS = {
    "short": lambda: explain(lambda x: 2 * jnp.exp(x), X),
    "long": lambda: explain(long_function, X),
    "softmax": lambda: explain(jax.grad(lambda x: jax.nn.softmax(x)[0]), X),
    "long name": lambda: explain(
        function_with_a_name_that_is_longer_than_a_terminal_is_wide_so_that_it_must_be_cut,
        X,
    ),
    "compiled": lambda: explain(jax.jit(long_function).lower(X).compile()),
}


@pytest.fixture(params=REPORTS)
def report(request):
    """Reports of several kinds."""
    return REPORTS[request.param]()


def test_at_most_70_columns(report):
    assert max(map(len, str(report).splitlines())) <= 70


def test_at_most_45_lines(report):
    assert len(str(report).splitlines()) <= 45


def test_plain_text(report):
    assert str(report).isascii()
    assert str(report).replace("\n", " ").isprintable()


def test_repr_is_the_page(report):
    assert repr(report) == str(report)


def test_the_html_is_well_formed(report):
    open_tags = []

    class Parser(HTMLParser):
        """Checks that every tag is closed in its turn."""

        def handle_starttag(self, tag, attrs):
            open_tags.append(tag)

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

    Parser().feed(report._repr_html_())
    assert open_tags == []


def test_the_html_escapes_the_name():
    assert "<lambda>" not in explain(lambda x: x, X)._repr_html_()


@pytest.mark.parametrize(
    "line",
    [
        "  traced        2 equations: 1 exp, 1 mul",
        "  compiled      1 kernel; run op by op, 2",
        "  work          1 kflop; 1 k exp, sin or the like; 8 kB moved; 0.125",
        "                flop/B",
        "  extra memory  0 B",
    ],
)
def test_the_page_tells(line):
    assert line in str(REPORTS["short"]()).splitlines()


def test_dead_equations_are_told():
    report = explain(lambda x: (jnp.exp(x), x)[1] + 1, X)
    assert "  dropped       1 exp: nothing needs the result" in str(report)


def test_a_long_text_is_shortened_and_says_where_the_rest_is():
    report = REPORTS["long"]()
    rest = len(report.jaxpr.splitlines()) - 12
    assert f"... {rest} more lines, in .jaxpr" in str(report)
    assert len(report.jaxpr.splitlines()) > 40
