import errno
import os
import warnings
from pathlib import Path

import lessons
import nbformat
import pytest

from jaxintro._engine import catalog, notebook, page
from jaxintro._engine.catalog import UsageError


def book_of(found):
    book = nbformat.reads(notebook.render(found), as_version=4)
    nbformat.validate(book)
    return book


def code_of(found):
    return [cell for cell in book_of(found).cells if cell.cell_type == "code"]


def run(book, folder):
    """The book after its cells ran in a kernel; a cell that raises raises here."""
    environment = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the kernel's client warns of
        from nbclient import NotebookClient

        client = NotebookClient(book, timeout=120, kernel_name="python3")
        client.execute(env=environment, cwd=str(folder))
    return book


def test_notebook_is_valid_and_the_same_each_time(tmp_path):
    book_of(lessons.read(tmp_path))
    texts = [notebook.render(lessons.read(tmp_path)) for _ in range(2)]
    assert texts[0] == texts[1]
    assert "outputs" in texts[0]
    assert all(not cell.outputs for cell in code_of(lessons.read(tmp_path)))


def test_the_first_cells_say_how_to_and_set_up(tmp_path):
    words, setup, preamble, *_ = book_of(lessons.read(tmp_path)).cells
    assert words.source.startswith("# Halves: a small lesson\n\nWhat is left when")
    assert "Shift+Enter" in words.source
    assert "%pip install --quiet jaxintro" in setup.source
    assert setup.source.endswith("%load_ext jaxintro")
    assert preamble.source == lessons.read(tmp_path).preamble


def test_a_demo_is_one_open_cell_with_all_that_it_needs_and_its_call(tmp_path):
    cell = code_of(lessons.read(tmp_path))[2]
    assert cell.source == (
        "%%follow\n"
        "def scale(x, factor):\n"
        '    """A definition: shown, not run by itself."""\n'
        "    return x * factor\n\n\n"
        "def half(x=4.0):\n"
        "    y = scale(x, 0.5)\n"
        '    print("there is", y)\n'
        "    return y\n\n\n"
        "half()"
    )
    assert "jupyter" not in cell.metadata


def test_a_call_with_arguments_is_the_readers(tmp_path):
    found = lessons.read(tmp_path).only("half", "x=5.0")
    assert code_of(found)[2].source.endswith("\n\n\nhalf(x=5.0)")


def test_claims_are_one_closed_cell(tmp_path):
    *_, cell = code_of(lessons.read(tmp_path))
    assert cell.metadata.jupyter.source_hidden is True
    assert cell.source.startswith("def check_count():\n    for n in (3, 5):")
    assert cell.source.endswith("check_words()\nprint('✓ Each word is the same.')")
    assert "def check_words():" in cell.source


def test_headings_are_numbered_and_marked_paragraphs_stand_out(tmp_path):
    words = [
        cell.source
        for cell in book_of(lessons.read(tmp_path)).cells
        if cell.cell_type == "markdown"
    ]
    assert [text.partition("\n")[0] for text in words[1:]] == [
        "## 1. Half of x is left.",
        "## 2. As many words are made as one asks for.",
    ]
    assert "> **Myth:** half of it is nothing." in words[1]
    assert "**Predict:** what is half of 4?" in words[1]


def test_a_lesson_of_the_course_leads_to_the_next():
    first, second, *_, last = catalog.course()
    *_, link = book_of(page.read(first)).cells
    assert link.source == f"Next: [{second.title}]({second.name}.ipynb)"
    assert "Next: [" not in notebook.render(page.read(last))


def test_a_lesson_of_ones_own_leads_nowhere(tmp_path):
    assert "Next: [" not in notebook.render(lessons.read(tmp_path))


def test_it_runs_shows_values_beside_lines_and_proves_each_claim(tmp_path):
    cells = run(book_of(lessons.read(tmp_path)), tmp_path).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    (report,) = code[2].outputs
    plain = report.data["text/plain"]
    assert 'print("there is", y)' in plain
    assert "│ there is 2.0" in plain
    assert "<table" in report.data["text/html"]
    said = "".join(
        output.text
        for cell in code
        for output in cell.outputs
        if output.output_type == "stream"
    )
    assert said.count("✓ ") == 3


def test_a_picture_is_shown_once(tmp_path):
    body = "from matplotlib import pyplot as plt\n\n_, axes = plt.subplots()\n"
    source = lessons.demo(body + "axes.plot([1, 2])\nreturn axes")
    cells = run(book_of(lessons.read(tmp_path, source)), tmp_path).cells
    pictures = [
        cell.source.split("\n")[0]
        for cell in cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert pictures == ["%%follow"]


def test_a_program_is_printed_as_plain_text(tmp_path):
    body = "jaxpr = jax.make_jaxpr(lambda x: 2 * x)(1.0)\nreturn jaxpr"
    check = "\n\n\ndef check_it():\n    assert ':f32[] = mul' in str(demo())\n"
    source = lessons.demo(body, before="import jax\n", check=check)
    book = run(book_of(lessons.read(tmp_path, source)), tmp_path)
    assert r"\u001b" not in nbformat.writes(book)


def test_one_demo_alone_runs_too(tmp_path):
    check = "\n\n\ndef check_it():\n    assert demo() == by_hand(1)\n"
    before = "LIMIT = 2\n\n\ndef _twice(x):\n    return LIMIT * x\n"
    before += "\n\ndef by_hand(x):\n    return 2 * x\n"
    source = lessons.demo("return _twice(1)", before=before, check=check)
    source = source.replace("def demo(", "def first():\n    return 1\n\n\ndef demo(")
    scope = {}
    for cell in code_of(lessons.read(tmp_path, source).only("demo")):
        if "%load_ext" not in cell.source:
            exec(cell.source.removeprefix("%%follow\n"), scope)


def test_an_existing_notebook_is_never_overwritten(tmp_path):
    target = tmp_path / "mine.ipynb"
    target.write_text("my work")
    with pytest.raises(UsageError, match="--force overwrites it"):
        list(notebook.write([lessons.read(tmp_path)], target, force=False))
    assert target.read_text() == "my work"


def test_a_full_disk_leaves_the_notebook_that_was_there(tmp_path, monkeypatch):
    target = tmp_path / "mine.ipynb"
    target.write_text("my work")
    found = lessons.read(tmp_path)

    def full(path, *arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(UsageError, match="No space left"):
        list(notebook.write([found], target, force=True))
    assert target.read_text() == "my work"
    assert {path.name for path in tmp_path.iterdir()} == {"mine.ipynb", "my_lesson.py"}


def test_a_lesson_is_never_overwritten_by_its_notebook(tmp_path):
    found = lessons.read(tmp_path)
    with pytest.raises(UsageError, match=r"end in \.ipynb"):
        list(notebook.write([found], found.lesson.path, force=True))
    assert found.lesson.path.read_text() == lessons.GOOD


def test_several_lessons_want_a_folder(tmp_path):
    pages = [lessons.read(tmp_path)] * 2
    with pytest.raises(UsageError, match="give a folder"):
        list(notebook.write(pages, tmp_path / "mine.ipynb", force=False))
    with pytest.raises(UsageError, match="have one name"):
        list(notebook.write(pages, tmp_path, force=False))


def test_every_sign_of_a_sentence_is_shown_and_code_stays_code(tmp_path):
    source = lessons.GOOD.replace(
        "Half of x is left.", "If n < 3, `x**2 < 9` is 2*h*1."
    )
    book = book_of(lessons.read(tmp_path, source))
    (heading,) = (c.source for c in book.cells if c.source.startswith("## 1"))
    assert heading.startswith(r"## 1. If n &lt; 3, `x**2 < 9` is 2\*h\*1.")


def test_no_gap_is_left_where_the_docstring_stood(tmp_path):
    source = lessons.GOOD.replace("    y = scale", "\n    y = scale")
    text = notebook.render(lessons.read(tmp_path, source))
    assert r"def half(x=4.0):\n    y = scale" in text
