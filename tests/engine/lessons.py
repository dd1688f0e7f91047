"""Small fake lessons, for tests of the engine: each with one thing to see."""

from jaxintro._engine import catalog, outcome, page

GOOD = '''\
"""Halves: a small lesson.

What is left when half is taken?
"""

import numpy as np

LIMIT = 3


def scale(x, factor):
    """A definition: shown, not run."""
    return x * factor


def half(x=4.0):
    """Half of x is left.

    Predict: what is half of 4?

    Myth: half of it is nothing.
    """
    return scale(x, 0.5)


def check_half():
    """Twice the half is the whole."""
    for x in (4.0, -3.0):
        np.testing.assert_allclose(2 * half(x), x)


def count(n=LIMIT):
    """A count."""
    return {"n": n, "words": ["one"] * n}


def check_count():
    """There are as many words as counted."""
    for n in (3, 5):
        assert len(count(n)["words"]) == count(n)["n"] == n


def check_words():
    """Each word is the same."""
    assert set(count()["words"]) == {"one"}
'''


def write(folder, source=GOOD, name="my_lesson"):
    path = folder / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    return path


def read(folder, source=GOOD):
    return page.read(catalog.find(str(write(folder, source))))


def load(folder, source=GOOD):
    found = read(folder, source)
    return found, outcome.load(found.lesson)
