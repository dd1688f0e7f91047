"""Small fake lessons, for tests of the engine: each with one thing to see."""

import re
import subprocess
import sys
from pathlib import Path

from jaxintro._engine import catalog, outcome, page

HOSTILE = Path(__file__).parents[1] / "hostile"

GOOD = '''\
"""Halves: a small lesson.

What is left when half is taken?
"""

from fractions import Fraction

import numpy as np

LIMIT = 3


def scale(x, factor):
    """A definition: shown, not run by itself."""
    return x * factor


def half(x=4.0):
    """Half of x is left. The other half is gone.

    It does not come back.

    Predict: what is half of 4?

    Myth: half of it is nothing.
    """
    y = scale(x, 0.5)
    print("there is", y)
    return y


def check_half():
    """Twice the half is the whole."""
    for x in (4.0, -3.0):
        assert Fraction(2 * half(x)) == Fraction(x)


def count(n=LIMIT):
    """As many words are made as one asks for."""
    words = ["one"] * n
    numbers = np.arange(n)
    return words, len(numbers)


def check_count():
    """There are as many words as counted."""
    for n in (3, 5):
        words, number = count(n)
        assert len(words) == number == n


def check_words():
    """Each word is the same."""
    assert set(count()[0]) == {"one"}
'''

HEAD = '"""Topic: a clause."""\n\n'
CHECK = '\n\n\ndef check_it():\n    """It holds."""\n    demo()\n'


def demo(body, signature="", before="", check=CHECK):
    """A lesson whose one demo has this body."""
    lines = "\n".join(f"    {line}" if line else "" for line in body.split("\n"))
    return f"{HEAD}{before}\n\ndef demo({signature}):\n{lines}{check}"


def write(folder, source=GOOD, name="my_lesson"):
    path = folder / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    return path


def read(folder, source=GOOD):
    return page.read(catalog.find(str(write(folder, source))))


def load(folder, source=GOOD):
    found = read(folder, source)
    return found, outcome.load(found.lesson)


def run(folder, source=GOOD, **options):
    """The outcome of each demo."""
    found, module = load(folder, source)
    return [outcome.run_section(module, s, **options) for s in found.sections]


def beside(result):
    """Each line of code that said something, with what it said in one line."""
    return {
        row.code.strip(): "; ".join(
            p.shorts[0] if p.shorts else "…" for p in row.pieces
        )
        for row in result.rows
        if row.pieces
    }


def called(folder, module, *arguments, environment):
    """A module run as a program in a folder, and what came of it."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def hostile():
    """The lessons that would end, silence or outlast the program.

    Each with the options, the status and the words that its docstring promises.
    """
    for path in sorted(HOSTILE.glob("*.py")):
        head = path.read_text(encoding="utf-8").partition('\n"""\n')[0]
        said = dict(re.findall(r"^(Status|Says|Options): (.*)$", head, re.MULTILINE))
        if said:  # a helper promises nothing
            options = said.get("Options", "").split()
            yield path, options, int(said["Status"]), said["Says"]
