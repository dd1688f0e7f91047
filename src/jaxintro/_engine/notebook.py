"""A page as a notebook that runs as it is, even where jaxintro is not installed."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from jaxintro._engine.catalog import UsageError
from jaxintro._engine.page import Page, Section


def write(pages: Sequence[Page], target: Path, *, force: bool) -> Iterator[Path]:
    """Write each page into the file, or into the folder, that the reader names.

    Raises:
        UsageError: a file is there and force is off, or it cannot be written.
    """
    is_folder = len(pages) > 1 or target.is_dir()
    if is_folder and target.suffix == ".ipynb":
        raise UsageError(f"'{target}' is one file: give a folder for several lessons.")
    paths = [target / f"{p.lesson.name}.ipynb" if is_folder else target for p in pages]
    for path in paths:
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
    intro = "\n\n".join([f"# {page.lesson.title}", *page.intro.paragraphs[1:]])
    cells = [_markdown(intro), _code(page.preamble)]
    for section in page.sections:
        cells += _section(section)
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


def _section(section: Section) -> list[dict[str, object]]:
    prose = section.prose
    words = [f"## {section.title}", *prose.paragraphs]
    if prose.myth:
        words.append(f"> **Myth:** {prose.myth}")
    if prose.predict:
        words.append(f"**Predict:** {prose.predict}")
    call = f"\n\n\n{section.name}()" if section.is_demo else ""
    cells = [_markdown("\n\n".join(words)), _code(section.source + call)]
    for check in section.checks:
        cells += [
            _markdown(f"**Claim:** {check.claim}"),
            _code(f"{check.source}\n\n\n{check.name}()"),
        ]
    return cells


def _markdown(text: str) -> dict[str, object]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _code(source: str) -> dict[str, object]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source,
    }
