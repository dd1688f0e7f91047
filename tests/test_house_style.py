"""The house rules hold in every lesson, and each rule can be broken."""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jaxintro._engine import catalog, extras, page, rules
from jaxintro._engine.rules import Complaint

GOOD = '''\
"""Topic: one clause.

Words that say what the surprise is.
Words that say what to read first.
"""

import jax
import numpy as np

ORDER = 10


def double(x=1.0):
    """Twice as much.

    Myth: it is thrice.
    """
    return jax.numpy.multiply(x, 2)


def check_double():
    """It doubles."""
    np.testing.assert_allclose(double(3.0), 6.0)
''' + "".join(
    f'''

def demo_{n}():
    """Words.

    Predict: what is it?
    """
    return 1


def check_demo_{n}():
    """It is one."""
    assert demo_{n}() == 1
'''
    for n in range(4)
)

# a lesson with an extra imports the packages of that extra, where it uses them
NEEDY = GOOD.replace("ORDER = 10", 'ORDER = 10\nNEEDS = "odd"').replace(
    "    return jax", "    import rich\n\n    assert rich\n    return jax"
)

BROKEN = {
    "too long": GOOD + "# " + "x" * 90,
    "columns": GOOD.replace(
        "    return jax", f"    y = {'x + ' * 18}x\n    return jax"
    ),
    "no heading": GOOD.replace("Twice as much.", "Twice as much"),
    "bag of results": GOOD.replace("return 1", 'return {"one": 1}', 1),
    "several things": GOOD.replace("    return jax", "    a, b = 1, 2\n    return jax"),
    "fewer than three questions": GOOD.replace("Predict:", "Wonder:"),
    "no belief": GOOD.replace("Myth:", "Truth:"),
    "no title": GOOD.replace("Topic: one", "One"),
    "too few or too many": GOOD.replace("what to read first.\n", "x.\n" + "more\n" * 9),
    "has no prose": GOOD.replace('    """Words.\n\n    Predict', '    """Predict'),
    "claims nothing": GOOD.replace('    """It doubles."""\n', ""),
    "not a sentence": GOOD.replace("It doubles.", "It doubles"),
    "no ASCII stand-in": GOOD.replace("It doubles", "It \u2603 doubles"),
    "has no check": GOOD + '\n\ndef lonely():\n    """Words."""\n    return 1\n',
    "computes at import": GOOD.replace("ORDER = 10", "ORDER = 10\nX = np.zeros(3)"),
    "runs at import": GOOD.replace("ORDER = 10", "ORDER = 10\nnp.seterr(all='raise')"),
    "hides": GOOD + "\n\ndef _helper(x):\n    return x\n",
    "takes arguments": GOOD.replace("check_double()", "check_double(x)"),
    "imports scipy": GOOD.replace("import jax\n", "import jax\nimport scipy\n"),
    "imports jaxintro._engine": GOOD.replace(
        "import jax\n", "import jax\nfrom jaxintro._engine import page\n"
    ),
    "matplotlib waits": GOOD.replace("import jax\n", "import jax\nimport matplotlib\n"),
    "loose tolerance": GOOD.replace("3.0), 6.0)", "3.0), 6.0, rtol=1e-2)"),
    "imports pytest": NEEDY.replace("    import rich\n", "    import pytest\n"),
    "rich waits": NEEDY.replace("import jax\n", "import jax\nimport rich\n"),
    "shadows": GOOD.replace("def double(x=1.0)", "def double(x=1.0, list=0)"),
}


def complaints_about(source, folder):
    path = folder / "sample.py"
    path.write_text(source, encoding="utf-8")
    lesson = catalog.read_head(path) or catalog.Lesson("sample", "", 10, path, False)
    return rules.complaints(page.read(lesson), source)


@pytest.mark.parametrize("lesson", catalog.course(), ids=lambda lesson: lesson.name)
def test_lesson_keeps_the_house_rules(lesson):
    source = catalog.read_text(lesson.path)
    assert rules.complaints(page.read(lesson), source) == []


@pytest.mark.parametrize("lesson", catalog.course(), ids=lambda lesson: lesson.name)
def test_lesson_never_shadows_the_standard_library(lesson):
    assert lesson.name not in sys.stdlib_module_names


def test_orders_are_tens_and_no_two_are_the_same():
    orders = [lesson.order for lesson in catalog.course()]
    wrong = [
        lesson.name
        for lesson in catalog.course()
        if lesson.order % 10 or orders.count(lesson.order) > 1
    ]
    assert wrong == [], "give each of them an ORDER of its own, a multiple of ten"


def house_rules():
    functions = [f for f in vars(rules).values() if inspect.isfunction(f)]
    return [
        f for f in functions if f.__annotations__.get("return") == Iterator[Complaint]
    ]


def test_each_rule_can_be_broken(tmp_path, monkeypatch):
    unbroken = []
    for rule in house_rules():
        monkeypatch.setattr(rules, rule.__name__, lambda *given: ())
        samples = BROKEN.items()
        kept = [
            w
            for w, s in samples
            if not any(w in c.words for c in complaints_about(s, tmp_path))
        ]
        unbroken += [rule.__name__] * (not kept)
        monkeypatch.undo()
    assert unbroken == []


def test_contributing_names_each_rule():
    text = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"^- ((?:.|\n  )+)$", text, re.MULTILINE)
    assert named[:-1] == [rule.__doc__ for rule in house_rules()]
    assert named[-1].startswith("In the course: ")


@pytest.fixture
def odd_extra(monkeypatch):
    """Let there be an extra `odd`, which is the package rich."""
    wanted = [extras.Requirement("rich; extra == 'odd'")]
    monkeypatch.setattr(extras, "_requirements", lambda extra: wanted)


@pytest.mark.usefixtures("odd_extra")
@pytest.mark.parametrize("source", [GOOD, NEEDY])
def test_a_good_lesson_raises_no_complaint(source, tmp_path):
    assert complaints_about(source, tmp_path) == []


def test_without_its_extra_it_may_not_import_the_same(tmp_path):
    plain = NEEDY.replace('NEEDS = "odd"\n', "")
    (complaint,) = complaints_about(plain, tmp_path)
    assert complaint.words == "the line imports rich"


@pytest.mark.usefixtures("odd_extra")
@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_noticed(rule, tmp_path):
    assert any(rule in c.words for c in complaints_about(BROKEN[rule], tmp_path))
