"""examples/: a notebook for each lesson, one on the lens, a lesson of one's own."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import nbformat
import pytest

from jaxintro._engine import catalog, extras, notebook, outcome, page, rules, teeth

EXAMPLES = Path(__file__).parents[1] / "examples"
LESSONS = [pytest.param(lesson, id=lesson.name) for lesson in catalog.course()]
OWN = EXAMPLES / "my_lesson.py"
LENS = EXAMPLES / "lens.ipynb"  # written by hand


def notebook_of(lesson):
    return EXAMPLES / f"{lesson.name}.ipynb"


def run(path):
    """The notebook after its cells ran in a kernel; a cell that raises raises here."""
    # a kernel draws into its notebook, unless it inherits the backend of these tests
    environment = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"}
    with warnings.catch_warnings():
        # what the kernel's client warns of is its own affair, on each system another
        warnings.simplefilter("ignore")
        from nbclient import NotebookClient

        book = nbformat.read(path, as_version=4)
        NotebookClient(book, timeout=120, kernel_name="python3").execute(
            env=environment
        )
    return book


def outputs(book):
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    return [output for cell in cells for output in cell.outputs]


@pytest.mark.parametrize("lesson", LESSONS)
def test_notebook_is_in_step_with_its_lesson(lesson):
    path = notebook_of(lesson)
    written = notebook.cells(path.read_text("utf-8")) if path.exists() else []
    fresh = notebook.cells(notebook.render(page.read(lesson)))
    assert written == fresh, "run `python docs/in_step.py`"


@pytest.mark.parametrize("lesson", LESSONS)
def test_notebook_is_stored_with_what_its_cells_gave(lesson):
    book, sections = nbformat.read(notebook_of(lesson), 4), page.read(lesson).sections
    proves_each_claim_and_shows_each_figure(book, sections)


def test_every_other_notebook_belongs_to_a_lesson():
    names = {path.stem for path in EXAMPLES.glob("*.ipynb") if path != LENS}
    wanted = {lesson.name for lesson in catalog.course()}
    assert names == wanted, "run `python docs/in_step.py`, remove the others"


# What is stored has run where it was made; one of each kind runs here, too.
KINDS = {"first_steps", "devices", "ecosystem", "pytorch", "compilers"}


@pytest.mark.parametrize("lesson", [each for each in LESSONS if each.id in KINDS])
def test_notebook_runs_proves_each_claim_and_shows_each_figure(lesson):
    if why := extras.reason(lesson):
        pytest.skip(why)
    book, sections = run(notebook_of(lesson)), page.read(lesson).sections
    proves_each_claim_and_shows_each_figure(book, sections)


def proves_each_claim_and_shows_each_figure(book, sections):
    found = outputs(book)
    said = "".join(output.text for output in found if output.output_type == "stream")
    claims = [f"✓ {check.claim}" for each in sections for check in each.checks]
    assert [line for line in said.split("\n") if line in claims] == claims
    reports = [o for o in found if "<table" in o.get("data", {}).get("text/html", "")]
    assert len(reports) == len(sections)
    pictures = [output for output in found if "image/png" in output.get("data", {})]
    assert len(pictures) == sum(".subplots(" in each.source for each in sections)


def test_the_notebook_on_the_lens_runs_and_is_stored_without_results():
    stored = nbformat.read(LENS, as_version=4)
    nbformat.validate(stored)
    assert not outputs(stored)
    found = outputs(run(LENS))
    said = "".join(output.text for output in found if output.output_type == "stream")
    assert said.count("It holds here.") == 1
    assert sum("image/png" in output.get("data", {}) for output in found) == 1


def test_some_lessons_draw():  # or the count of pictures above would prove nothing
    for name in ("gradient_descent", "grad"):
        assert ".subplots(" in catalog.find(name).path.read_text(encoding="utf-8")


def test_a_notebook_that_fails_is_noticed(tmp_path):
    from nbclient.exceptions import CellExecutionError

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("assert False")])
    nbformat.write(book, tmp_path / "broken.ipynb")
    with pytest.raises(CellExecutionError):
        run(tmp_path / "broken.ipynb")


def command(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=EXAMPLES.parent,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_lesson_of_ones_own_runs_like_ours():
    shown = command("jaxintro.lesson", "examples/my_lesson.py", "--check")
    sections = page.read(catalog.find(str(OWN))).sections
    claims = sum(len(section.checks) for section in sections)
    assert f"{len(sections)} demos, {claims} claims, all hold here" in shown


def test_pytest_collects_its_claims():
    own = page.read(catalog.find(str(OWN)))
    checks = [check.name for demo in own.sections for check in demo.checks]
    shown = command("pytest", "-v", "-p", "no:cacheprovider", "examples/my_lesson.py")
    assert [name for name in checks if f"::{name} PASSED" in shown] == checks
    assert f"{len(checks)} passed" in shown


def test_it_keeps_the_house_rules():
    own = page.read(catalog.find(str(OWN)))
    assert rules.complaints(own, OWN.read_text("utf-8")) == []


def test_its_checks_have_teeth():
    own = page.read(catalog.find(str(OWN)))
    module = outcome.load(own.lesson)
    for demo in own.sections:
        assert not teeth.unguarded(module, demo)
        assert all(teeth.measure(module, demo, check).bites for check in demo.checks)
