import lessons
import pytest

from jaxintro._engine.catalog import UsageError


def test_sections_stand_in_the_order_of_the_file(tmp_path):
    found = lessons.read(tmp_path)
    assert [section.name for section in found.sections] == ["scale", "half", "count"]
    assert [section.is_demo for section in found.sections] == [False, True, True]


def test_checks_belong_to_the_demo_above(tmp_path):
    checks = {s.name: [c.name for c in s.checks] for s in lessons.read(tmp_path).demos}
    assert checks == {"half": ["check_half"], "count": ["check_count", "check_words"]}


def test_docstring_is_told_apart(tmp_path):
    prose = lessons.read(tmp_path).demos[0].prose
    assert prose.paragraphs == ("Half of x is left.",)
    assert prose.predict == "what is half of 4?"
    assert prose.myth == "half of it is nothing."


def test_claim_is_the_docstring_of_the_check(tmp_path):
    assert lessons.read(tmp_path).demos[0].checks[0].claim == (
        "Twice the half is the whole."
    )


def test_code_is_the_body_and_source_is_the_function(tmp_path):
    demo = lessons.read(tmp_path).demos[0]
    assert demo.code == "return scale(x, 0.5)"
    assert demo.source == "def half(x=4.0):\n    return scale(x, 0.5)"
    assert demo.arguments == "x = 4.0"


def test_preamble_is_what_a_notebook_needs_first(tmp_path):
    assert lessons.read(tmp_path).preamble == "import numpy as np\nLIMIT = 3"


def test_a_decorated_demo_keeps_its_place(tmp_path):
    source = lessons.GOOD.replace(
        "def half(", "@np.vectorize\ndef half("
    )  # which makes it an object that is no Python function
    found = lessons.read(tmp_path, source)
    assert [demo.name for demo in found.demos] == ["half", "count"]
    assert found.demos[0].checks[0].name == "check_half"
    assert found.demos[0].source.startswith("@np.vectorize\ndef half")


@pytest.mark.parametrize(
    ("signature", "is_demo"),
    [
        ("", True),
        ("x=1", True),
        ("*, x=1", True),
        ("*args, **kwargs", True),
        ("x=1, /", True),
        ("x", False),
        ("x, y=1", False),
        ("*, x", False),
    ],
)
def test_a_demo_can_be_called_with_no_arguments(tmp_path, signature, is_demo):
    source = f"{lessons.GOOD}\n\ndef other({signature}):\n    return 1\n"
    assert lessons.read(tmp_path, source).sections[-1].is_demo is is_demo


@pytest.mark.parametrize(
    ("demo", "sections"), [("half", ["scale", "half"]), ("count", ["count"])]
)
def test_one_demo_comes_with_the_definitions_it_needs(tmp_path, demo, sections):
    alone = lessons.read(tmp_path).only(demo)
    assert [section.name for section in alone.sections] == sections


def test_wrong_demo_gets_the_nearest_right_one(tmp_path):
    with pytest.raises(UsageError, match="Did you mean 'half'"):
        lessons.read(tmp_path).only("hlaf")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('"""T: c."""\ndef f(:\n', "line 2, is not Python"),
        ('"""T: c."""\nx = 1\n', "holds no demo"),
        ('"""T: c."""\ndef check_x():\n    pass\n', "stands above the first demo"),
        ("x = '\0'\n", "is not Python"),
        ("async def f():\n    pass\n", "Line 1: 'f' is async"),
        ("def f():\n    pass\n\n\ndef f():\n    pass\n", "Line 5: there is a 'f'"),
    ],
)
def test_what_is_no_lesson_is_refused_in_one_line(tmp_path, source, message):
    with pytest.raises(UsageError, match=message) as refusal:
        lessons.read(tmp_path, source)
    assert "\n" not in str(refusal.value)
