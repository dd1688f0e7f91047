import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxintro._engine import call
from jaxintro._engine.catalog import UsageError


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        ("grad", ("grad", "", "")),
        ("all", ("all", "", "")),
        ("grad.demo", ("grad", "demo", "")),
        ("grad.demo(x=5.0)", ("grad", "demo", "x=5.0")),
        ("grad.demo(steps=(0.3, 1.0))", ("grad", "demo", "steps=(0.3, 1.0)")),
        ("grad.demo()", ("grad", "demo", "")),
        ("grad.demo( )", ("grad", "demo", "")),
        ("grad::demo(1)", ("grad", "demo", "1")),
        ("mine.py", ("mine.py", "", "")),
        ("mine.py.demo(x=5.0)", ("mine.py", "demo", "x=5.0")),
        ("mine.py::demo(x=5.0)", ("mine.py", "demo", "x=5.0")),
        ("../some.where/mine.py::demo", ("../some.where/mine.py", "demo", "")),
        ("./a copy (1).py", ("./a copy (1).py", "", "")),
        ("a/b.py.c/mine.py", ("a/b.py.c/mine.py", "", "")),
    ],
)
def test_a_name_has_three_parts(asked, parts):
    assert call.split_name(asked) == parts


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("grad.demo(x=5.0", "lacks its closing bracket"),
        ("grad.demo(x=y)", "arguments are literals"),
        ("grad.demo(jnp.ones(3))", "arguments are literals"),
        ("grad.demo(x=[1, 2)", "arguments are literals"),
        ("grad.demo(*[1])", "arguments are literals"),
        ("grad.demo({[1]: 2})", "arguments are literals"),
        ("grad.demo(1)(2)", "arguments are literals"),
        ("grad.demo(1) + g(2)", "arguments are literals"),
        ("grad.demo(" + 99 * "(" + "1" + 99 * ")" + ",)(2)", "arguments are literals"),
        ("grad.demo(**{'x': 1})", "given once, by its name"),
        ("grad.demo(x=1, x=2)", "given once, by its name"),
        ("grad(x=1)", "only a demo takes arguments"),
        ("all(x=1)", "only a demo takes arguments"),
        ("mine.py(x=1)", "only a demo takes arguments"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(asked, says):
    with pytest.raises(UsageError, match=says) as refusal:
        call.split_name(asked)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("y=1", r"'demo' does not take 'y'\. It takes x = 3\.0, n = 2\."),
        ("1, 2, 3", r"'demo' does not take 3 arguments\. It takes x = 3\.0, n = 2\."),
        ("1, x=2", r"'demo' does not take 'x' twice\."),
    ],
)
def test_arguments_that_a_demo_does_not_take_are_refused(given, says):
    with pytest.raises(UsageError, match=says):
        call.refuse_misfit(given, ("x = 3.0", "n = 2"), "demo")


def test_a_demo_without_arguments_says_so():
    with pytest.raises(UsageError, match="It takes none"):
        call.refuse_misfit("1", (), "demo")


LITERALS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=6,
)


@given(st.lists(LITERALS, max_size=2), LITERALS)
def test_every_literal_arrives_and_is_shown_as_it_was_given(positional, named):
    typed = ", ".join([*map(repr, positional), f"last={named!r}"])
    _, _, between = call.split_name(f"grad.demo({typed})")
    assert call.literals(between) == (positional, {"last": named})
    example = call.worked_example(between, ("a = 1", "b = 2", "last = 3"))
    values = [*map(repr, positional), "1", "2"][: len(positional)]
    values += ["1", "2"][len(positional) :]
    assert example == (f"a = {values[0]}", f"b = {values[1]}", f"last = {named!r}")


def test_what_is_not_given_stays_as_it_was():
    assert call.worked_example("", ("x = N", "n = 2")) == ("x = N", "n = 2")
    assert call.worked_example("n=5", ("x = N", "n = 2")) == ("x = N", "n = 5")
