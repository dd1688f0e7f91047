import lessons
import pytest

from jaxintro._engine.catalog import UsageError


def only_demo(folder, source):
    (section,) = lessons.read(folder, source).sections
    return section


def shown(passage):
    return passage.text.strip("\n")


def test_demos_stand_in_the_order_of_the_file_and_definitions_with_the_demo_below(
    tmp_path,
):
    half, count = lessons.read(tmp_path).sections
    assert (half.name, count.name) == ("half", "count")
    assert [d.name for d in half.definitions] == ["scale"]
    assert count.definitions == ()


def test_checks_belong_to_the_demo_above(tmp_path):
    checks = {
        s.name: [c.name for c in s.checks] for s in lessons.read(tmp_path).sections
    }
    assert checks == {"half": ["check_half"], "count": ["check_count", "check_words"]}


def test_heading_is_the_first_sentence_and_the_rest_is_prose(tmp_path):
    half, _ = lessons.read(tmp_path).sections
    assert half.heading == "Half of x is left."
    assert half.prose.paragraphs == (
        "The other half is gone.",
        "It does not come back.",
    )
    assert half.prose.predict == "what is half of 4?"
    assert half.prose.myth == "half of it is nothing."


@pytest.mark.parametrize(
    ("docstring", "heading", "paragraphs"),
    [
        ("`x.at` makes 0.5 of it.", "`x.at` makes 0.5 of it.", ()),
        ("What is it? A half.", "What is it?", ("A half.",)),
        ("No full stop", "No full stop", ()),
        ("Predict: what now?", "Demo", ()),
        ("It goes\n    over lines. And on.", "It goes over lines.", ("And on.",)),
    ],
)
def test_first_sentence(tmp_path, docstring, heading, paragraphs):
    section = only_demo(tmp_path, lessons.demo(f'"""{docstring}"""\nreturn 1'))
    assert (section.heading, section.prose.paragraphs) == (heading, paragraphs)


def test_the_opening_is_all_that_stands_below_the_title(tmp_path):
    source = lessons.GOOD.replace("lesson.\n", "lesson.\nAnd so on.\n", 1)
    found = lessons.read(tmp_path, source)
    assert found.lesson.title == "Halves: a small lesson"
    assert found.intro.paragraphs == ("And so on.", "What is left when half is taken?")


def test_a_demo_without_a_docstring_is_headed_by_its_name(tmp_path):
    source = lessons.demo("return 1").replace("demo(", "half_of_it(")
    assert only_demo(tmp_path, source).heading == "Half of it"


def test_claim_is_the_docstring_of_the_check(tmp_path):
    claim = lessons.read(tmp_path).sections[0].checks[0].claim
    assert claim == "Twice the half is the whole."


def test_arguments_are_the_worked_example(tmp_path):
    section = only_demo(
        tmp_path, lessons.demo("return a", "a=1, /, b=(2, 3), *rest, c='x', **more")
    )
    assert section.arguments == ("a = 1", "b = (2, 3)", "c = 'x'")


def test_body_is_what_the_function_does(tmp_path):
    body = lessons.read(tmp_path).sections[0].body
    assert shown(body) == 'y = scale(x, 0.5)\nprint("there is", y)'
    lines = lessons.GOOD.split("\n")
    assert lines[body.first - 1] == body.lines[0]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("x = 1\nreturn x", "x = 1"),
        ("x = y = 1\nreturn x, y", "x = y = 1"),
        ("x = 1\nreturn (\n    x,\n    x,\n)", "x = 1"),
        ("x = 1\n\n# why\nreturn x", "x = 1"),
        ("x = 1\nreturn", "x = 1"),
        ("x = 1\nreturn x + 1", "x = 1\nx + 1"),
        ("x = 1\nreturn x, x + 1", "x = 1\nx, x + 1"),
        ("return int(\n    1\n)", "int(\n    1\n)"),
        ("x = 1\nreturn  # nothing", "x = 1"),
        ("if 1:\n    return 2\nreturn 3", "if 1:\n    return 2\n3"),
        ("return LIMIT", "LIMIT"),
        ('"""Words."""\n\n# why\nx = 1\nreturn x', "# why\nx = 1"),
        ("@property\ndef f():\n    pass\n\nreturn f", "@property\ndef f():\n    pass"),
        ('"""Words only."""', ""),
    ],
)
def test_a_last_return_shows_what_is_not_shown_yet(tmp_path, body, code):
    assert shown(only_demo(tmp_path, lessons.demo(body)).body) == code


@pytest.mark.parametrize(
    "gap", ["", "\n", "\n\n"], ids=["no gap", "one line", "two lines"]
)
def test_source_is_the_function_without_its_docstring_or_a_gap(tmp_path, gap):
    source = lessons.demo(f'"""Words.\n\nMore words.\n"""{gap}\nx = 1\n\nreturn x')
    found = only_demo(tmp_path, source).source
    assert found == "def demo():\n    x = 1\n\n    return x"


@pytest.mark.parametrize(
    "function",
    [
        'def demo():\n    """Words only."""',
        'def demo(): """Words."""; return 1',
        'def demo():\n    """Words."""; return 1',
        "def demo(): return 1",
        "@staticmethod\ndef demo():\n    return 1",
    ],
)
def test_source_is_python_however_short_the_function(tmp_path, function):
    source = only_demo(tmp_path, f"{lessons.HEAD}{function}{lessons.CHECK}").source
    assert source == function


def test_constants_are_shown_where_they_are_first_used_and_once(tmp_path):
    source = lessons.demo(
        "return TWICE",
        before="import math\nLIMIT = 3\nTWICE = LIMIT * 2\nPI = math.pi\n",
    )
    source += (
        "\n\ndef later():\n    return TWICE, math.e\n\n\ndef last():\n    return PI\n"
    )
    first, later, last = lessons.read(tmp_path, source).sections
    assert list(map(shown, first.constants)) == ["LIMIT = 3", "TWICE = LIMIT * 2"]
    assert later.constants == ()
    assert list(map(shown, last.constants)) == ["PI = math.pi"]


def test_a_constant_of_a_definition_is_shown_with_it(tmp_path):
    before = "LIMIT = 3\n\n\ndef scale(x):\n    return LIMIT * x\n"
    section = only_demo(tmp_path, lessons.demo("return scale(1)", before=before))
    assert list(map(shown, section.constants)) == ["LIMIT = 3"]


def test_order_is_no_constant(tmp_path):
    found = lessons.read(tmp_path, lessons.demo("return 1", before="ORDER = 7\n"))
    assert found.constants == ()


def test_preamble_is_what_a_notebook_needs_first(tmp_path):
    assert lessons.read(tmp_path).preamble == (
        "from fractions import Fraction\nimport numpy as np\n\nLIMIT = 3"
    )


def test_imports_are_shown_without_what_only_checks_need(tmp_path):
    assert lessons.read(tmp_path).shown_imports == "import numpy as np"


def test_imports_that_definitions_and_constants_need_are_shown(tmp_path):
    before = (
        "import math\nimport os.path\nimport sys\n"
        "try:\n    import this_one as one\nexcept ImportError:\n    one = None\n"
        "PI = math.pi\n\n\nclass Thing:\n    where = os.path\n"
    )
    found = lessons.read(tmp_path, lessons.demo("return PI, one", before=before))
    assert found.shown_imports == (
        "import math\nimport os.path\n"
        "try:\n    import this_one as one\nexcept ImportError:\n    one = None"
    )


def test_a_hidden_function_is_a_definition_too(tmp_path):
    before = "def _hidden():\n    return 1\n"
    section = only_demo(tmp_path, lessons.demo("return _hidden()", before=before))
    assert [d.name for d in section.definitions] == ["_hidden"]


def test_a_class_and_a_decorated_definition_are_shown_whole(tmp_path):
    before = "class A:\n    x = 1\n\n\n@staticmethod\ndef f(x):\n    return x\n"
    section = only_demo(tmp_path, lessons.demo("return f(A)", before=before))
    assert [shown(d.passage) for d in section.definitions] == [
        "class A:\n    x = 1",
        "@staticmethod\ndef f(x):\n    return x",
    ]


def test_a_definition_below_the_last_demo_is_shown_with_it(tmp_path):
    source = lessons.demo("return last(1)") + "\n\ndef last(x):\n    return x\n"
    assert [d.name for d in only_demo(tmp_path, source).definitions] == ["last"]


def test_a_decorated_demo_keeps_its_place(tmp_path):
    source = lessons.GOOD.replace(
        "def half(", "@np.vectorize\ndef half("
    )  # which makes it an object that is no Python function
    half, count = lessons.read(tmp_path, source).sections
    assert (half.name, count.name) == ("half", "count")
    assert half.checks[0].name == "check_half"
    assert half.source.startswith("@np.vectorize\ndef half")


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
    names = [section.name for section in lessons.read(tmp_path, source).sections]
    assert ("other" in names) is is_demo


LINKED = """\
A = 1
B = A + 1
C = 5


def outer(x):
    return inner(x) + B


def inner(x):
    return x


def by_hand(x):
    return x * C


def unused(x):
    return x
"""


def test_one_demo_comes_with_what_it_needs_and_no_more(tmp_path):
    check = "\n\n\ndef check_it():\n    assert demo() == by_hand(1)\n"
    source = lessons.demo("return outer(1)", before=LINKED, check=check)
    source = source.replace("def demo(", "def first():\n    return 1\n\n\ndef demo(")
    alone = lessons.read(tmp_path, source).only("demo")
    (section,) = alone.sections
    assert [d.name for d in section.definitions] == ["outer", "inner", "by_hand"]
    assert list(map(shown, section.constants)) == ["A = 1", "B = A + 1", "C = 5"]
    assert section.call == ""


def test_one_demo_keeps_the_arguments_that_it_is_given(tmp_path):
    assert lessons.read(tmp_path).only("half", "x=5").sections[0].call == "x=5"


def test_wrong_demo_gets_the_nearest_right_one(tmp_path):
    with pytest.raises(UsageError, match="Did you mean 'half'"):
        lessons.read(tmp_path).only("hlaf")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('"""T: c."""\ndef f(:\n', r"my_lesson\.py', line 2, is not Python"),
        ('"""T: c."""\nx = 1\n', "holds no demo: a lesson needs"),
        ('"""T: c."""\ndef check_x():\n    pass\n', "holds no demo: a lesson needs"),
        (
            '"""T: c."""\ndef f(x):\n    pass\n\n\ndef check_x():\n    pass\n',
            r"holds no demo, for 'f' needs arguments: .* no arguments",
        ),
        ('"""T: c."""\nclass A:\n    pass\n', "holds no demo: a lesson needs"),
        (
            "def check_x():\n    pass\n\n\ndef f():\n    pass\n",
            r"my_lesson\.py', line 1: 'check_x' stands above the first demo",
        ),
        ("x = '\0'\n", "is not Python"),
        ("async def f():\n    pass\n", r"my_lesson\.py', line 1: 'f' is async"),
        (
            "def f():\n    pass\n\n\ndef f():\n    pass\n",
            r"my_lesson\.py', line 5: there is a 'f' already",
        ),
    ],
)
def test_what_is_no_lesson_is_refused_in_one_line(tmp_path, source, message):
    with pytest.raises(UsageError, match=message) as refusal:
        lessons.read(tmp_path, source)
    assert "\n" not in str(refusal.value)
