import lessons
import nbformat
import pytest

from jaxintro._engine import notebook
from jaxintro._engine.catalog import UsageError


def test_notebook_is_valid_and_the_same_each_time(tmp_path):
    text = notebook.render(lessons.read(tmp_path))
    nbformat.validate(nbformat.reads(text, as_version=4))
    assert text == notebook.render(lessons.read(tmp_path))


def test_cells_run_as_they_are(tmp_path):
    cells = nbformat.reads(notebook.render(lessons.read(tmp_path)), as_version=4).cells
    scope = {}
    for cell in cells:
        if cell.cell_type == "code":
            exec(cell.source, scope)
    assert scope["half"](8.0) == 4.0


def test_an_existing_notebook_is_never_overwritten(tmp_path):
    target = tmp_path / "mine.ipynb"
    target.write_text("my work")
    with pytest.raises(UsageError, match="--force overwrites it"):
        list(notebook.write([lessons.read(tmp_path)], target, force=False))
    assert target.read_text() == "my work"


def test_a_lesson_is_never_overwritten_by_its_notebook(tmp_path):
    page = lessons.read(tmp_path)
    with pytest.raises(UsageError, match=r"end in \.ipynb"):
        list(notebook.write([page], page.lesson.path, force=True))
    assert page.lesson.path.read_text() == lessons.GOOD


def test_several_lessons_want_a_folder(tmp_path):
    pages = [lessons.read(tmp_path)] * 2
    with pytest.raises(UsageError, match="give a folder"):
        list(notebook.write(pages, tmp_path / "mine.ipynb", force=False))
    with pytest.raises(UsageError, match="have one name"):
        list(notebook.write(pages, tmp_path, force=False))


def test_every_sign_of_a_sentence_is_shown_and_code_stays_code(tmp_path):
    source = lessons.GOOD.replace("Twice the half", "For n < 3 and `x**2 < 9`, 2*h*1")
    cells = nbformat.reads(notebook.render(lessons.read(tmp_path, source)), 4).cells
    claims = [cell.source for cell in cells if cell.source.startswith("**Claim:**")]
    assert claims[0].startswith(r"**Claim:** For n &lt; 3 and `x**2 < 9`, 2\*h\*1")


def test_a_cell_that_proves_a_claim_says_so(tmp_path, capsys):
    cells = nbformat.reads(notebook.render(lessons.read(tmp_path)), 4).cells
    scope = {}
    for cell in cells:
        if cell.cell_type == "code":
            exec(cell.source, scope)
    assert capsys.readouterr().out.count("It holds here.") == 3


def test_a_figure_among_other_results_is_shown(tmp_path):
    change = '"words": ["one"] * n}', '"words": ["one"] * n, "curve": figure}'
    page = lessons.read(tmp_path, lessons.GOOD.replace(*change))
    cells = nbformat.reads(notebook.render(page), as_version=4).cells
    (shown,) = (cell.source for cell in cells if "display(" in cell.source)
    assert shown.endswith("found = count()\ndisplay(found['curve'])\nfound")


def test_no_gap_is_left_where_the_docstring_stood(tmp_path):
    source = lessons.GOOD.replace("    return scale", "\n    return scale")
    text = notebook.render(lessons.read(tmp_path, source))
    assert r"def half(x=4.0):\n    return scale" in text
