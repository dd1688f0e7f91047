"""A page as a notebook that runs as it is: prose, demos, and claims one by one."""

import ast
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from jaxintro._engine.catalog import UsageError
from jaxintro._engine.page import Check, Page, Section

HOW_TO = """\
> Run a cell with Shift+Enter. Where it says **Predict**, answer before you run. Then
> call the function with other arguments: it holds for more than its defaults. Each
> **Claim** is proved by the cell below it, on your machine."""


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
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(render(page), encoding="utf-8", newline="\n")
        except OSError as error:
            why = error.strerror
            raise UsageError(f"'{path}' cannot be written: {why}.") from error
        yield path


def render(page: Page) -> str:
    """The notebook's JSON; the same page gives the same text."""
    words = [f"# {page.lesson.title}", *map(escape, page.intro.paragraphs[1:])]
    cells = [_markdown(*words, HOW_TO), _code(page.preamble)]
    for section in page.sections:
        cells += _section(section)
        for check in section.checks:
            cells += _claim(check)
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


def escape(text: str) -> str:
    """Text as Markdown that shows every sign; code between backticks stays as it is."""
    parts = text.split("`")
    for i in range(0, len(parts), 2):
        parts[i] = parts[i].replace("*", "\\*").replace("<", "&lt;")
    return "`".join(parts)


def _section(section: Section) -> list[dict[str, object]]:
    prose = section.prose
    title = section.title if section.is_demo else f"`{section.name}`"
    words = [f"## {title}", *map(escape, prose.paragraphs)]
    if prose.myth:
        words.append(f"> **Myth:** {escape(prose.myth)}")
    if prose.predict:
        words.append(f"**Predict:** {escape(prose.predict)}")
    source = section.source.replace(":\n\n", ":\n", 1)  # where the docstring stood
    call = f"\n\n\n{_call(section)}" if section.is_demo else ""
    return [_markdown(*words), _code(source + call)]


def _call(section: Section) -> str:
    """A notebook shows a figure by itself, but not one among other results."""
    call = f"{section.name}()"
    if names := _figures(ast.parse(section.source)):
        shown = [f"display(found[{name!r}])" for name in names]
        return "\n".join([f"found = {call}", *shown, "found"])
    return call


def _figures(tree: ast.Module) -> list[str]:
    """The names under which a demo returns its `figure` in a dict."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Return(ast.Dict(keys, values)):
                for pair in zip(keys, values, strict=True):
                    match pair:
                        case ast.Constant(str(name)), ast.Name("figure"):
                            found.append(name)
    return found


def _claim(check: Check) -> list[dict[str, object]]:
    call = f'{check.name}()\nprint("✓ It holds here.")'
    return [
        _markdown(f"**Claim:** {escape(check.claim)}"),
        _code(f"{check.source}\n\n\n{call}"),
    ]


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
