"""What a reader sees and answers, from the first word to the exit status."""

import json

import lessons
import pytest

from jaxintro._engine import session as session_module
from jaxintro._engine.catalog import UsageError
from jaxintro._engine.session import Session


@pytest.fixture
def read(tmp_path, capsys):
    """Read a lesson with these options: its exit status, and what was shown."""

    def show(source=lessons.GOOD, way="read", only=None, **options):
        found = lessons.read(tmp_path, source)
        pages = [found.only(*only) if only else found]
        status = getattr(Session(**options), way)(pages)
        return status, capsys.readouterr()

    return show


@pytest.fixture
def answers(monkeypatch):
    """What the reader types, in turn; the questions that were asked."""
    asked = []

    def prepare(*words):
        waiting = iter(words)

        def reply(prompt=""):
            asked.append(prompt)
            word = next(waiting)
            if isinstance(word, BaseException):
                raise word
            return word

        monkeypatch.setattr("builtins.input", reply)
        return asked

    return prepare


def test_step_asks_only_where_the_page_has_a_question(read, answers):
    asked = answers("two, I think")
    status, shown = read(step=True)
    assert status == 0
    assert asked == ["   What do you expect? "]
    assert shown.out.count("you said:") == 1


def test_step_shows_code_then_the_guess_then_the_values(read, answers):
    answers("two, I think")
    _, shown = read(step=True)
    before, _, after = shown.out.partition("   you said: two, I think\n")
    assert "? What is half of 4?" in before
    assert "     y = scale(x, 0.5)\n" in before
    assert "│" not in before
    assert "     y = scale(x, 0.5)     │ 2.0\n" in after
    assert after.index("│ 2.0") < after.index("✓ Twice the half is the whole.")


def test_without_step_nothing_is_asked(read, answers):
    asked = answers()
    _, shown = read()
    assert asked == []
    assert shown.out.count("y = scale(x, 0.5)") == 1


@pytest.mark.parametrize(
    "word",
    ["", "  ", EOFError(), RuntimeError(), UnicodeDecodeError("utf-8", b"", 0, 1, "")],
)
def test_no_guess_is_no_guess(read, answers, word):
    answers(word)
    status, shown = read(step=True)
    assert status == 0
    assert "you said" not in shown.out
    assert "│ 2.0" in shown.out


def test_ctrl_c_at_the_question_goes_through(read, answers):
    answers(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        read(step=True)


def test_what_does_not_hold_has_status_1(read):
    source = lessons.GOOD.replace('== {"one"}', '== {"two"}')
    assert read(source)[0] == read(source, "prove")[0] == 1
    assert read(source, "answer_json")[0] == 1
    assert read()[0] == read(way="prove")[0] == read(way="answer_json")[0] == 0


def test_check_is_one_line_a_claim(read):
    _, shown = read(way="prove")
    assert [line for line in shown.out.split("\n") if "✓" in line] == [
        "✓ my_lesson: Twice the half is the whole.",
        "✓ my_lesson: There are as many words as counted.",
        "✓ my_lesson: Each word is the same.",
    ]
    assert "2 demos, 3 claims, all hold here" in shown.out


def test_json_keeps_its_fields_and_says_what_the_page_says(read):
    _, shown = read(way="answer_json")
    answer = json.loads(shown.out)
    assert set(answer) == {
        "jaxintro", "jax", "numpy", "python", "platform", "devices", "set_aside",
        "lessons", "skipped",
    }  # fmt: skip
    assert answer["skipped"] == []
    (lesson,) = answer["lessons"]
    assert set(lesson) == {"name", "title", "seconds", "demos"}
    half, count = lesson["demos"]
    assert set(half) == {
        "name", "heading", "prose", "question", "myth", "seconds", "output", "lines",
        "checks",
    }  # fmt: skip
    assert half["heading"] == "Half of x is left."
    assert half["prose"] == ["The other half is gone.", "It does not come back."]
    assert half["question"] == "what is half of 4?"
    assert half["myth"] == "half of it is nothing."
    assert half["output"] == "2.0"
    assert count["question"] is count["myth"] is None
    (check,) = half["checks"]
    assert set(check) == {"name", "claim", "holds", "seconds", "message"}


def test_json_gives_each_line_of_code_what_it_gave(read):
    source = lessons.demo("x = 0\nfor i in range(9):\n    x = x + i\nreturn x")
    lines = json.loads(read(source, "answer_json")[1].out)["lessons"][0]["demos"][0]
    assert lines["lines"] == [
        {"line": 6, "code": "x = 0", "runs": 1, "values": ["0"]},
        {
            "line": 7,
            "code": "for i in range(9):",
            "runs": 9,
            "values": ["0", "1", "2", "…", "8"],
        },
        {
            "line": 8,
            "code": "    x = x + i",
            "runs": 9,
            "values": ["0", "1", "3", "…", "36"],
        },
    ]


def test_json_gives_an_exception_and_what_was_printed(read):
    source = lessons.demo("print('one')\n1 / 0")
    demo = json.loads(read(source, "answer_json")[1].out)["lessons"][0]["demos"][0]
    assert demo["error"].startswith("ZeroDivisionError")
    assert demo["output"] is None
    assert [line["values"] for line in demo["lines"]] == [
        ["one"],
        ["ZeroDivisionError: division by zero"],
    ]


DRAWS = lessons.demo("from matplotlib import pyplot\npyplot.plot([1, 2])")
DRAWS_TWICE = lessons.demo(
    "from matplotlib import pyplot\n"
    "pyplot.figure().gca().plot([1, 2])\npyplot.figure().gca().plot([1, 2])"
)


@pytest.mark.parametrize("way", ["read", "prove", "answer_json"])
def test_figures_are_saved_and_named(tmp_path, read, way):
    _, shown = read(DRAWS_TWICE, way, figures=tmp_path / "new" / "folder")
    names = ["my_lesson.demo.1.png", "my_lesson.demo.2.png"]
    saved = sorted((tmp_path / "new" / "folder").iterdir())
    assert [path.name for path in saved] == names
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in saved)
    assert all(f"Saved {path}" in shown.err for path in saved)
    assert "No figure" not in shown.err


@pytest.mark.parametrize("way", ["read", "prove", "answer_json"])
def test_a_page_without_figures_says_so(tmp_path, read, way):
    status, shown = read(way=way, figures=tmp_path / "pictures")
    assert status == 0
    assert shown.err == "No figure was saved: nothing here draws one.\n"
    assert list((tmp_path / "pictures").iterdir()) == []


def test_without_the_option_nothing_is_said_of_figures(read):
    assert read()[1].err == ""


def test_a_figure_that_cannot_be_saved_leaves_the_one_that_was_there(
    tmp_path, read, monkeypatch
):
    from matplotlib.figure import Figure

    def full(figure, path, **options):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    (tmp_path / "my_lesson.demo.png").write_bytes(b"before")
    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(UsageError, match="No space left"):
        read(DRAWS, figures=tmp_path)
    assert (tmp_path / "my_lesson.demo.png").read_bytes() == b"before"


def test_the_readers_arguments_are_shown_and_used(read):
    status, shown = read(only=("half", "x=5.0"))
    assert status == 0
    assert "x = 5.0 " in shown.out
    assert "│ 2.5" in shown.out
    assert "✓" not in shown.out


def test_arguments_of_one_demo_do_not_reach_the_whole_page(tmp_path, capsys):
    whole = lessons.read(tmp_path)
    pages = [whole.only("half", "5.0"), whole.only("half", "6.0"), whole]
    assert Session().read(pages) == 0
    shown = capsys.readouterr().out
    assert [n for n in ("2.5", "3.0", "2.0") if f"│ {n}\n" in shown] == [
        "2.5",
        "3.0",
        "2.0",
    ]


def test_what_is_set_aside_is_told_once_for_all_pages(tmp_path, capsys, monkeypatch):
    from jaxintro._engine import setting

    monkeypatch.setattr(setting, "set_aside", lambda: {"jax_enable_x64": True})
    Session().read([lessons.read(tmp_path)] * 2)
    assert capsys.readouterr().out.count("Set aside while this runs") == 1
    Session(as_is=True).read([lessons.read(tmp_path)])
    assert "Set aside" not in capsys.readouterr().out


def test_a_setting_that_a_lesson_makes_at_import_is_told(read):
    import jax

    before = jax.config.jax_log_compiles
    source = lessons.demo(
        "return 1", before="import jax\n\njax.config.update('jax_log_compiles', True)\n"
    )
    try:
        for way in ("read", "prove"):
            assert "jax_log_compiles=True" in read(source, way)[1].out
    finally:
        jax.config.update("jax_log_compiles", before)


def test_the_place_in_the_course_and_the_next_lesson():
    from jaxintro._engine import catalog, page

    first, second, *_, last = catalog.course()
    place, following = session_module._place, session_module._next
    assert place(page.read(first)) == f"1 of {len(catalog.course())}"
    assert following(page.read(first)).endswith(f"lesson {second.name}")
    assert following(page.read(last)) == ""


def test_one_demo_ends_with_the_next_demo(tmp_path, capsys):
    whole = lessons.read(tmp_path)
    Session().read([whole.only("half")])
    path = tmp_path / "my_lesson.py"
    shown = "".join(capsys.readouterr().out.split())
    assert shown.endswith(f"Next:python-mjaxintro.lesson{path}::count")
    Session().read([whole.only("count")])
    assert "Next:" not in capsys.readouterr().out


def test_a_figure_that_cannot_be_drawn_is_told_in_a_line(tmp_path, read):
    title = "\npyplot.title(r'$\\frac{$')"
    source = lessons.demo(f"from matplotlib import pyplot\npyplot.plot([1]){title}")
    status, shown = read(source, figures=tmp_path)
    assert status == 1
    assert "✗ raised ValueError: " in shown.out
    assert "✓ It holds." in shown.out  # the rest runs
    assert not list(tmp_path.glob("*.png"))


def test_figures_of_one_name_do_not_overwrite_each_other(tmp_path, capsys):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    whole = [lessons.read(folder, DRAWS) for folder in folders]
    pages = [*whole, whole[0].only("demo")]
    Session(figures=tmp_path / "pictures").prove(pages)
    assert len(list((tmp_path / "pictures").iterdir())) == len(pages)
    assert capsys.readouterr().err.count("Saved ") == len(pages)
