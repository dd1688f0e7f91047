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


def test_several_lessons_want_a_folder(tmp_path):
    pages = [lessons.read(tmp_path)] * 2
    with pytest.raises(UsageError, match="give a folder"):
        list(notebook.write(pages, tmp_path / "mine.ipynb", force=False))
