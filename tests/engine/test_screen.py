"""What a page looks like: its width, its signs, its colours."""

import io
import re
import sys

import lessons
import pytest

from jaxintro._engine import lines, report, screen, text
from jaxintro._engine.outcome import Tally
from jaxintro._engine.rows import shown_rows

LONG = lessons.GOOD.replace(
    "Half of x is left. The",
    "Half of x, however long one looks at it and however long a first sentence is, is "
    "left. `a_name_that_is_longer_than_any_screen_of_forty_columns` is √(3/π) − ½. The",
).replace(
    "Twice the half is the whole.",
    "Twice the half is the whole → and that is true of numbers of either sign, and of "
    "zero as well, where 2 × ½ × 0 ≠ π.",
)
LONG = LONG.replace(
    "    y = scale(x, 0.5)\n",
    "    y = scale(x, 0.5)\n"
    "    many = list(range(100))\n"
    "    words = 'some words, ' * 20\n"
    "    table = np.arange(1.0, 41.0).reshape(4, 10) / 3\n"
    "    try:\n"
    "        1 / 0\n"
    "    except ZeroDivisionError as error:\n"
    "        oops = error\n"
    "    for i in range(20):\n"
    "        y = y + i\n"
    "    y = scale(x, 0.5)\n"
    "    figure = picture()\n",
).replace(
    "def half(",
    "def picture():\n"
    "    from matplotlib import pyplot\n\n"
    "    figure, axes = pyplot.subplots()\n"
    "    axes.plot([1, 2], label='a line with a name that is rather long, is it not')\n"
    "    return figure\n\n\n"
    "def half(",
)
ABOUT = {"jax": "0.10.2", "platform": "cpu"}
ASIDE = {"jax_enable_x64": True, "jax_numpy_dtype_promotion": "strict"}


class Console(io.StringIO):
    """A standard output of some encoding."""

    def __init__(self, encoding, *, terminal=False):
        super().__init__()
        self._encoding, self._terminal = encoding, terminal

    @property
    def encoding(self):
        return self._encoding

    def isatty(self):
        return self._terminal


@pytest.fixture
def console(monkeypatch):
    """Write lines to a console of this kind, and give what it shows."""

    def show(found, encoding="utf-8", terminal=False, **environment):
        for name in ("NO_COLOR", "TERM", "COLUMNS", "FORCE_COLOR"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        out = Console(encoding, terminal=terminal)
        monkeypatch.setattr(sys, "stdout", out)
        screen.Screen().write(found)
        return out.getvalue()

    return show


def page_lines(folder, width):
    """Every line of a page, with those that only some pages have."""
    found = lessons.read(folder, LONG)
    results = lessons.run(folder, LONG)
    shown = text.opening(found, "3 of 17", width)
    tally = Tally()
    for number, result in enumerate(results, 1):
        tally.add(result)
        shown += text.question(result.section, number, width)
        shown += text.guess("I think it is " * 12, width)
        shown += text.code(shown_rows(result.section), width)
        shown += report.answer(result, width)
    shown += report.aside(ASIDE, width)
    return shown + report.closing(tally, ABOUT, "python -m jaxintro.lesson grad", width)


CODE_OF_LONG = {line.strip() for line in LONG.split("\n")}


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_nothing_but_code_is_wider_than_the_screen(tmp_path, console, width, encoding):
    found = page_lines(tmp_path, width)
    for line in found:
        if line.text.strip() in CODE_OF_LONG:
            continue
        if encoding == "ascii" and "…" in line.text:  # three points for one
            continue
        for shown in console([line], encoding, COLUMNS=str(width)).split("\n"):
            assert len(shown) <= width
            if line.style not in ("code", "below", "drawing"):
                assert len(shown) <= 88


@pytest.mark.parametrize("width", [40, 80, 120])
def test_values_beside_code_fit_where_the_code_does(tmp_path, console, width):
    shown = console(page_lines(tmp_path, width), COLUMNS=str(width)).split("\n")
    for line in shown:
        code, bar, _ = line.partition(" │ ")
        if bar and code.strip() in CODE_OF_LONG:
            assert len(line) <= width


def test_bars_of_one_block_stand_below_each_other(tmp_path, console):
    (result,) = lessons.run(tmp_path, lessons.demo("x = 1\nlonger = x + 1\nreturn x"))
    first, second = console(report.answer(result, 80)[:2]).split("\n")[:2]
    assert first == "     x = 1          │ 1"
    assert second == "     longer = x + 1 │ 2"


def test_an_ascii_console_reads_ascii(tmp_path, console):
    shown = console(page_lines(tmp_path, 80), encoding="ascii")
    assert shown.isascii()
    assert re.search(r"y = scale\(x, 0\.5\) +\| 2\.0\n", shown)
    assert "ok Twice the half is the whole" in shown
    assert "sqrt(3/pi) - 1/2." in shown
    questions = ["is taken?", "? What", "of 4?"]
    assert shown.count("?") == sum(shown.count(words) for words in questions)


def test_stand_ins_make_no_line_too_long(console):
    claim = lines.Line("holds", "   ✓ " + "√ " * 17 + "√")  # 40 columns, or 92
    shown = console([claim], encoding="ascii", COLUMNS="40").rstrip("\n").split("\n")
    assert max(map(len, shown)) <= 40
    assert " ".join(shown).split() == ["ok", *["sqrt"] * 18]


SIGNS = "│✓✗→…─┌┐└┘├┤┬┴┼•▖▗▘▝▀▄▌▐▙▛▜▟▚▞█"


def test_every_sign_that_the_engine_draws_has_a_stand_in():
    assert SIGNS.translate(screen.ASCII).isascii()


@pytest.mark.parametrize(
    ("environment", "terminal"),
    [
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, True),
        ({"TERM": "dumb"}, True),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-256color", "FORCE_COLOR": "1"}, False),
    ],
)
def test_no_escape_codes_where_none_are_wanted(
    tmp_path, console, environment, terminal
):
    shown = console(page_lines(tmp_path, 80), terminal=terminal, **environment)
    assert "\x1b" not in shown
    assert "Half of x" in shown


def test_a_terminal_gets_colours_and_the_same_words(tmp_path, console):
    found = page_lines(tmp_path, 80)
    plain = console(found)
    coloured = console(found, terminal=True, TERM="xterm-256color", COLUMNS="80")
    assert "\x1b[" in coloured
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    # a terminal has other means than the marks of `code` and *emphasis*
    plain = re.sub(r"[`*]| {2,}", "", plain)
    assert re.sub(r"[`*]| {2,}", "", bare).split() == plain.split()


def test_control_characters_do_not_reach_the_console(console):
    assert console([lines.Line("prose", "a\x1b[31mb\x07")]) == "a�[31mb�\n"
    ascii_console = console([lines.Line("prose", "a\x07")], encoding="ascii")
    assert ascii_console == "a?\n"


def test_code_that_is_indented_by_tabs_is_shown_so(tmp_path, console):
    source = lessons.demo("x = 1\nfor i in range(2):\n\tx = x + i\nreturn x")
    (result,) = lessons.run(tmp_path, source.replace("    ", "\t"))
    shown = console(report.answer(result, 80))
    assert "�" not in shown
    assert "         x = x + i      │ 1  2" in shown


def test_a_figure_that_cannot_be_drawn_as_text_says_how_to_see_it(tmp_path, console):
    body = "from matplotlib import pyplot\npyplot.imshow([[1, 2], [3, 4]])"
    (result,) = lessons.run(tmp_path, lessons.demo(body))
    shown = console(report.answer(result, 80))
    assert "a figure: --figures DIR saves the picture, a notebook shows it" in shown


def test_a_drawing_says_how_to_see_the_picture(tmp_path, console):
    body = "from matplotlib import pyplot\npyplot.plot([1, 2], label='rise')"
    (result,) = lessons.run(tmp_path, lessons.demo(body))
    shown = console(report.answer(result, 80))
    assert "▞ rise\n     --figures DIR saves the picture" in shown


def test_a_demo_with_the_readers_arguments_says_that_claims_are_left_out(
    tmp_path, console
):
    from jaxintro._engine import outcome

    found, module = lessons.load(tmp_path)
    section = found.only("half", "5.0").sections[0]
    result = outcome.run_section(module, section)
    assert report.LEFT_OUT in console(report.answer(result, 80))
    tally = Tally()
    tally.add(result)
    assert console(report.closing(tally, ABOUT, "", 80)).startswith("\n1 demo: jax")


def test_a_demo_that_raises_says_so(tmp_path, console):
    (result,) = lessons.run(tmp_path, lessons.demo("x = 1 / 0\nreturn x"))
    shown = console(report.answer(result, 80))
    assert "x = 1 / 0 │ ZeroDivisionError: division by zero" in shown
    assert "✗ raised ZeroDivisionError: division by zero (my_lesson.py, line 6" in shown
    assert "✗ It holds. Not here: ZeroDivisionError" in shown


def test_the_opening_shows_title_place_words_and_imports(tmp_path, console):
    shown = console(text.opening(lessons.read(tmp_path), "3 of 17", 60))
    assert shown == (
        "Halves: a small lesson                               3 of 17\n"
        "\n"
        "What is left when half is taken?\n"
        "\n"
        "     import numpy as np\n"
    )


def test_the_list_of_lessons_is_cut_at_the_screen():
    from jaxintro._engine import catalog

    for width in (40, 80):
        listed = text.listing(catalog.course(), width)
        assert all(len(line.text) <= width for line in listed)
