import sys
from pathlib import Path

import lessons
import pytest

from jaxintro._engine import outcome, report
from jaxintro._engine.catalog import UsageError


def run_one(folder, *arguments, **options):
    (result,) = lessons.run(folder, lessons.demo(*arguments), **options)
    return result


def test_values_and_verdicts_come_back(tmp_path):
    half, count = lessons.run(tmp_path)
    assert half.value == 2.0
    assert count.value == (["one"] * 3, 3)
    assert all(result.holds for result in (half, count))
    assert [len(result.verdicts) for result in (half, count)] == [1, 2]


def test_each_line_says_what_it_gave(tmp_path):
    half, count = lessons.run(tmp_path)
    assert lessons.beside(half) == {
        "return x * factor": "2.0",
        "y = scale(x, 0.5)": "2.0",
        'print("there is", y)': "there is 2.0",
    }
    assert lessons.beside(count) == {
        'words = ["one"] * n': "['one', 'one', 'one']",
        "numbers = np.arange(n)": "[0 1 2]  np.int64[3]",
        "words, len(numbers)": "(['one', 'one', 'one'], 3)",
    }


def test_lines_stand_in_the_order_of_reading_and_know_their_place(tmp_path):
    half, count = lessons.run(tmp_path)
    assert [row.code.strip() for row in half.rows] == [
        "def scale(x, factor):",
        '"""A definition: shown, not run by itself."""',
        "return x * factor",
        "",
        "x = 4.0",
        "y = scale(x, 0.5)",
        'print("there is", y)',
    ]
    assert [row.code for row in count.rows][:3] == ["LIMIT = 3", "", "n = LIMIT"]
    file = lessons.GOOD.split("\n")
    for row in (*half.rows, *count.rows):
        if row.number:
            assert file[row.number - 1].endswith(row.code.strip())


def test_what_was_printed_stands_at_its_line_and_nowhere_else(tmp_path, capsys):
    body = "print('one')\nfor i in range(2):\n    print(i)"
    result = run_one(tmp_path, body)
    assert lessons.beside(result)["print('one')"] == "one"
    (loop,) = (row for row in result.rows if row.code.strip() == "print(i)")
    assert loop.pieces[0].block == ("0", "1")
    assert capsys.readouterr() == ("", "")


def test_what_a_check_prints_is_not_shown(tmp_path, capfd):
    body = "import jax\njax.debug.print('from jax {x}', x=1)\nprint('from python')"
    result = run_one(tmp_path, body, reading=False)
    assert result.holds
    assert not result.rows
    assert capfd.readouterr().out == ""


def test_an_exception_that_is_caught_stands_at_its_line(tmp_path):
    body = "try:\n    x = 1 / 0\nexcept ArithmeticError as error:\n    x = error"
    result = run_one(tmp_path, body)
    assert result.holds
    assert lessons.beside(result)["x = 1 / 0"] == "ZeroDivisionError: division by zero"


def test_a_claim_that_fails_says_where(tmp_path):
    source = lessons.GOOD.replace('== {"one"}', '== {"two"}')
    verdict = lessons.run(tmp_path, source)[-1].verdicts[-1]
    assert not verdict.holds
    assert "(my_lesson.py, line 54: assert set(count()" in verdict.message
    assert "\n" not in verdict.message


def test_a_demo_that_raises_is_reported_and_the_others_run(tmp_path):
    source = lessons.GOOD.replace("y = scale(x, 0.5)", "y = x / 0")
    half, count = lessons.run(tmp_path, source)
    assert half.error.startswith("ZeroDivisionError: ")
    assert "y = x / 0" in half.error
    assert lessons.beside(half)["y = x / 0"].startswith("ZeroDivisionError")
    assert not half.verdicts[0].holds
    assert not half.holds
    assert count.holds


def test_a_demo_that_exits_is_a_demo_that_raises(tmp_path):
    source = lessons.GOOD.replace("y = scale(x, 0.5)", "raise SystemExit(3)")
    assert lessons.run(tmp_path, source)[0].error.startswith("SystemExit: 3")


def test_a_check_that_exits_does_not_hold(tmp_path):
    check = "\n\n\ndef check_it():\n    demo()\n    raise SystemExit(0)\n"
    result = run_one(tmp_path, "return 1", "", "", check)
    assert result.verdicts[0].message.endswith("ends with SystemExit: 0")


@pytest.mark.parametrize("ending", ["return half() == 3", "yield half() == 3"])
def test_a_check_that_asserts_nothing_does_not_hold(tmp_path, ending):
    source = lessons.GOOD.replace('assert set(count()[0]) == {"one"}', ending)
    verdict = lessons.run(tmp_path, source)[-1].verdicts[-1]
    assert not verdict.holds
    assert "a check asserts" in verdict.message


def test_a_demo_without_checks_runs_where_only_verdicts_are_asked_for(tmp_path):
    assert run_one(tmp_path, "return 1 / 0", "", "", "\n", reading=False).error


def test_arguments_are_those_of_the_reader(tmp_path):
    found, module = lessons.load(tmp_path)
    section = found.only("half", "x=5.0").sections[0]
    result = outcome.run_section(module, section)
    assert result.value == 2.5
    assert result.verdicts == ()
    assert "x = 5.0" in [row.code for row in result.rows]
    assert lessons.beside(result)["y = scale(x, 0.5)"] == "2.5"


FIGURES = {
    "pyplot": "from matplotlib import pyplot\npyplot.figure()\npyplot.figure()",
    "returned": (
        "from matplotlib.figure import Figure\n"
        "first = Figure()\nsecond = Figure()\nreturn first, second"
    ),
    "both": (
        "from matplotlib import pyplot\n"
        "first = pyplot.figure()\nsecond = pyplot.figure()\nreturn first, second"
    ),
    "nested": (
        "from matplotlib.figure import Figure\n"
        "result = [({'a': [Figure()], 'b': {1: (Figure(),)}},)]\n"
        "result.append(result)\nreturn result"
    ),
    "raising": "from matplotlib import pyplot\npyplot.figure()\npyplot.figure()\n1 / 0",
}


@pytest.mark.parametrize("way", FIGURES)
def test_figures_are_found_once_and_closed(tmp_path, way):
    assert len(run_one(tmp_path, FIGURES[way]).figures) == 2
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert not pyplot or pyplot.get_fignums() == []


def test_figures_that_a_check_draws_are_not_the_next_demos(tmp_path):
    draws = "\n\n\ndef check_it():\n    demo()\n\n\ndef later():\n    return 1\n"
    source = lessons.demo(FIGURES["pyplot"], check=draws)
    assert [len(r.figures) for r in lessons.run(tmp_path, source)] == [2, 0]


def test_a_file_that_exits_at_import_is_refused(tmp_path):
    source = lessons.GOOD.replace("LIMIT = 3", "raise SystemExit(0)")
    with pytest.raises(UsageError, match="SystemExit"):
        lessons.run(tmp_path, source)


def test_ctrl_c_goes_through(tmp_path):
    source = lessons.GOOD.replace("y = scale(x, 0.5)", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        lessons.run(tmp_path, source)


@pytest.mark.parametrize("relative", [True, False])
def test_a_file_that_cannot_be_imported_says_where(tmp_path, monkeypatch, relative):
    lessons.write(tmp_path, lessons.GOOD.replace("LIMIT = 3", "LIMIT = 1 / 0"))
    monkeypatch.chdir(tmp_path)
    path = "my_lesson.py" if relative else str(tmp_path / "my_lesson.py")
    lesson = outcome.Lesson("my_lesson", "T: c", None, Path(path), False)
    with pytest.raises(UsageError, match=r"ZeroDivisionError.*line 10: LIMIT = 1 / 0"):
        outcome.load(lesson)


def test_lines_of_a_file_named_by_a_relative_path_say_what_they_gave(
    tmp_path, monkeypatch
):
    lessons.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    lesson = outcome.Lesson("my_lesson", "T: c", None, Path("my_lesson.py"), False)
    module = outcome.load(lesson)
    (half, _) = lessons.read(tmp_path).sections
    assert lessons.beside(outcome.run_section(module, half))


def test_a_compiled_demo_shows_what_jax_saw(tmp_path):
    source = lessons.demo("y = jax.numpy.sin(x)\nreturn y", "x=1.0", "import jax\n")
    source = source.replace("def demo(", "@jax.jit\ndef demo(")
    (result,) = lessons.run(tmp_path, source)
    assert result.holds
    assert lessons.beside(result) == {"y = jax.numpy.sin(x)": "a tracer, float32[]"}


def test_a_demo_that_cannot_be_followed_runs_all_the_same(tmp_path, monkeypatch):
    found, module = lessons.load(tmp_path)
    lessons.write(tmp_path, "# another file by now\n" + lessons.GOOD)
    result = outcome.run_section(module, found.sections[1])
    assert result.holds
    assert result.value == (["one"] * 3, 3)
    assert not any(row.pieces for row in result.rows)


def test_tally_counts_claims_and_what_broke(tmp_path):
    tally = outcome.Tally()
    source = lessons.GOOD.replace('== {"one"}', '== {"two"}')
    for result in lessons.run(tmp_path, source):
        tally.add(result)
    assert (tally.demos, tally.claims, tally.broken) == (2, 3, 1)


def test_sharpness_is_measured_when_asked_for(tmp_path):
    check = (
        "\n\n\ndef check_it():\n    import numpy as np\n\n"
        "    np.testing.assert_allclose(demo(), 2.0)\n"
    )
    arguments = ("return 2.0", "", "", check)
    assert run_one(tmp_path, *arguments).verdicts[0].sharpness is None
    sharpness = run_one(tmp_path, *arguments, sharpness=True).verdicts[0].sharpness
    assert 1e-8 < sharpness < 1e-6  # assert_allclose's own tolerance is 1e-7


DEEP = "value = []\nfor _ in range(10_000):\n    value = [value]\nreturn value"
CIRCLE = "value = [1.0]\nvalue.append(value)\nreturn value"
SUBCLASS = """\
class Pair(list):
    def __init__(self, a, b):
        super().__init__((a, b))

return Pair(1.0, 2.0)"""
COUNTS = "CALLS.append(1)\nreturn float(len(CALLS))"
ONCE = '\n\n\ndef check_it():\n    """It holds."""\n    assert demo() == 1.0\n'
TWICE = '\n\n\ndef check_more():\n    """It holds again."""\n    assert demo() == 2.0\n'


@pytest.mark.parametrize("body", [DEEP, CIRCLE, SUBCLASS, COUNTS])
def test_sharpness_never_makes_a_true_claim_false(tmp_path, body):
    check = ONCE + TWICE if body == COUNTS else lessons.CHECK
    source = lessons.demo(body, before="CALLS = []", check=check)
    (result,) = lessons.run(tmp_path, source, reading=False, sharpness=True)
    assert all(verdict.holds for verdict in result.verdicts)
    assert all(verdict.unmeasured for verdict in result.verdicts)
    assert all(verdict.sharpness is None for verdict in result.verdicts)
    said = report.claims(lessons.read(tmp_path, source), result, sharpness=True)
    assert all("[not to be measured]" in line.text for line in said)
