"""A page as a notebook that runs as it is: prose, demos, and claims one by one."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from jaxintro._engine.catalog import UsageError, course
from jaxintro._engine.extras import guests
from jaxintro._engine.files import put
from jaxintro._engine.lines import EMPHASIS
from jaxintro._engine.page import Definition, Page, Section, names_in

HOW_TO = """\
> Run a cell with Shift+Enter: below it you see its lines again, and beside each what it
> gave. Where it says **Predict**, answer before you run. Then change something, and run
> it again. The closed cell below a demo proves what is claimed of it, on your
> machine."""

SETUP = """\
try:
    import {modules}
except ImportError:
    %pip install --quiet {name}
%load_ext jaxintro"""

NO_COLOUR = """
jax.config.update("jax_pprint_use_color", False)  # a jaxpr as plain text"""

MANY = """
# Where JAX has {0} devices of its own, leave out these two lines.
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", {0})"""

NO_PICTURE_TWICE = """\
import matplotlib.pyplot

matplotlib.pyplot.close("all")  # the picture stands above"""

CLOSED = {"jupyter": {"source_hidden": True}, "tags": ["hide-input"]}


def write(pages: Sequence[Page], target: Path, *, force: bool) -> Iterator[Path]:
    """Write each page into the file, or into the folder, that the reader names.

    Raises:
        UsageError: a file is there and force is off, or it cannot be written.
    """
    is_folder = len(pages) > 1 or target.is_dir()
    if is_folder and target.suffix == ".ipynb":
        raise UsageError(f"'{target}' is one file: give a folder for several lessons.")
    paths = [target / f"{p.lesson.name}.ipynb" if is_folder else target for p in pages]
    if len(set(paths)) < len(paths):
        raise UsageError("Two of these lessons have one name: write them one by one.")
    for path in paths:
        if path.suffix != ".ipynb":
            raise UsageError(f"'{path}' is no notebook: let its name end in .ipynb.")
        if path.exists() and not force:
            raise UsageError(f"'{path}' is there already: --force overwrites it.")
    for page, path in zip(pages, paths, strict=True):
        put(path, _writer(render(page)))
        yield path


def _writer(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text, encoding="utf-8", newline="\n")


def render(page: Page) -> str:
    """The notebook's JSON; the same page gives the same text."""
    words = [f"# {page.lesson.title}", *map(escape, page.intro.paragraphs)]
    setup = _setup(page)
    cells = [_markdown(*words, HOW_TO), _code(setup), _code(page.preamble)]
    known = set[str]()
    for number, section in enumerate(page.sections, 1):
        cells += _section(section, number)
        known |= {d.name for d in section.definitions}
        if section.checks:
            below = [d for d in page.definitions if d.name not in known]
            cells.append(_claims(section, below))
    cells += _next(page)
    notebook = {
        "cells": [{**cell, "id": f"cell-{n}"} for n, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {
                "display_name": "Python 3",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _setup(page: Page) -> str:
    """What installs the course and the extra of the lesson, and the settings for it."""
    modules = "\n    import ".join(["jaxintro", *sorted(guests(page))])
    extra = page.lesson.needs
    name = f'"jaxintro[{extra}]"' if extra else "jaxintro"
    prints_programs = any("jaxpr" in section.source for section in page.sections)
    many = MANY.format(page.lesson.devices) if page.lesson.devices > 1 else ""
    settings = NO_COLOUR * prints_programs + many
    install = SETUP.format(modules=modules, name=name)
    return install + ("\n\nimport jax\n" + settings if settings else "")


def cells(notebook: str) -> list[tuple[str, str]]:
    """What a notebook's JSON says: kind and source of each cell, not what it gave."""
    found = json.loads(notebook)["cells"]
    return [(cell["cell_type"], "".join(cell["source"])) for cell in found]


def escape(text: str) -> str:
    """Text as Markdown that shows every sign but those of `code` and *emphasis*."""
    parts = text.split("`")
    for i in range(0, len(parts), 2):
        pieces = re.split(f"({EMPHASIS})", parts[i])  # every second one is emphasis
        pieces[::2] = [piece.replace("*", "\\*") for piece in pieces[::2]]
        parts[i] = "".join(pieces).replace("<", "&lt;")
    return "`".join(parts)


def _section(section: Section, number: int) -> list[dict[str, object]]:
    prose = section.prose
    words = [f"## {number}. {escape(section.heading)}", *map(escape, prose.paragraphs)]
    if prose.myth:
        words.append(f"> **Myth:** {escape(prose.myth)}")
    if prose.predict:
        words.append(f"**Predict:** {escape(prose.predict)}")
    parts = [d.source for d in section.definitions]
    parts += [section.source, f"{section.name}({section.call})"]
    return [_markdown(*words), _code("%%follow\n" + "\n\n\n".join(parts))]


def _claims(section: Section, below: Sequence[Definition]) -> dict[str, object]:
    """One closed cell that proves all that is claimed of a demo.

    Checks may need what the page defines only further down.
    """
    used = set().union(*(names_in(check.source) for check in section.checks))
    needed = [d.source for d in below if d.name in used]
    proofs = [f"{c.name}()\nprint({'✓ ' + c.claim!r})" for c in section.checks]
    parts = [*needed, *(check.source for check in section.checks), *proofs]
    drawing = [section.source, *(d.source for d in section.definitions)]
    parts += [NO_PICTURE_TWICE] * any("pyplot" in source for source in drawing)
    return {**_code("\n\n\n".join(parts)), "metadata": CLOSED}


def _next(page: Page) -> list[dict[str, object]]:
    """A link to the lesson that follows."""
    lessons = course()
    if page.lesson not in lessons[:-1]:
        return []
    after = lessons[lessons.index(page.lesson) + 1]
    return [_markdown(f"Next: [{after.title}]({after.name}.ipynb)")]


def _markdown(*paragraphs: str) -> dict[str, object]:
    source = "\n\n".join(paragraphs)
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(source: str) -> dict[str, object]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source,
    }
