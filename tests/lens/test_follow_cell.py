"""`%%follow`: a cell of a notebook shows its lines, and runs as it would."""

import sys

import pytest

pytest.importorskip("IPython")

import IPython.display
from IPython.core.interactiveshell import InteractiveShell

from jaxintro.lens.follow.magic import follow_cell


@pytest.fixture
def shown(monkeypatch):
    """What is displayed."""
    found = []
    monkeypatch.setattr(IPython.display, "display", found.append)
    return found


@pytest.fixture
def shell():
    made = InteractiveShell()
    made.user_ns["a"] = 2
    return made


def test_the_lines_of_a_cell_have_their_values(shell, shown):
    out = sys.stdout
    source = "b = a + 1\nfor i in range(2):\n    b += i\nprint(b)\nb"
    follow_cell(shell, source)
    assert str(shown[0]).split("\n") == [
        "b = a + 1          │ 3",
        "for i in range(2): │ 0  1",
        "    b += i         │ 3  4",
        "print(b)           │ 4",
        "b                  │ 4",
    ]
    assert shell.user_ns["b"] == 4
    assert sys.stdout is out
    assert "<table" in shown[0]._repr_html_()


def test_a_cell_that_raises_shows_where(shell, shown):
    with pytest.raises(ZeroDivisionError):
        follow_cell(shell, "x = 1\ny = x / 0")
    lines = str(shown[0]).split("\n")
    assert lines == ["x = 1     │ 1", "y = x / 0 │ ZeroDivisionError: division by zero"]


def test_functions_of_a_cell_are_followed_while_it_runs(shell, shown):
    follow_cell(shell, "def f(x):\n    return x + 1\n\nf(1)")
    assert "    return x + 1 │ 2" in str(shown[0])
    assert shell.user_ns["f"](2) == 3


def test_a_function_made_beside_its_imports_in_a_cell_is_followed(shell):
    shell.run_cell(
        "import jax.numpy as jnp\n"
        "from jaxintro.lens import follow\n"
        "def double(x):\n"
        "    y = jnp.abs(x)\n"
        "    return 2 * y\n"
        "report = str(follow(double, -1.0))",
        store_history=True,
    ).raise_error()
    assert "│ 1.0" in shell.user_ns["report"]
