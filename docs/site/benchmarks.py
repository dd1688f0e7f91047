"""The benchmarks' tables and pictures: each is run in a process of its own.

What counts as one for this page is read from its docstring: a program in `benchmarks/`
that says "`python benchmarks/name.py [seconds]`", so that its length can be chosen. One
that says "`… [seconds] [folder]`" writes name.md and name.png there: these are shown.
"""

import ast
import base64
import io
import json
import re
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from html import escape
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "benchmarks"
SECONDS = "2"
SECONDS_OF_MANY = "0.25"  # for a race of one that runs many, and writes a summary
LIMIT = 300  # seconds after which a benchmark is given up


def programs() -> Iterator[tuple[Path, str]]:
    """Each program with its docstring."""
    for path in sorted(FOLDER.glob("*.py")):
        words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        command = rf"`python benchmarks/{path.name} \[seconds\](?: \[folder\])?`"
        if re.search(command, " ".join(words.split())):
            yield path, words


def writes(words: str) -> bool:
    """Whether a program with this docstring writes a summary into a folder."""
    return "[seconds] [folder]`" in " ".join(words.split())


def summary(path: Path) -> tuple[str, list[tuple[str, str]]]:
    """The picture that one program drew, and a title with each table that it wrote.

    Whether a bar is met is left to longer races than these.

    Raises:
        CalledProcessError: it ended in a traceback.
        TimeoutExpired: it took too long.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(path), SECONDS_OF_MANY, folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
        written = Path(folder, f"{path.stem}.md")
        if not written.is_file():  # a bar that is not met is status 1 as well
            raise subprocess.CalledProcessError(
                done.returncode, command, done.stdout, done.stderr
            )
        _, *parts = written.read_text(encoding="utf-8").split("\n## ")
        points = Path(folder, f"{path.stem}.png").read_bytes()
    data = base64.b64encode(points).decode()
    label = "Picture: the time of a call against the size, for each table below."
    image = f'<img alt="{label}" src="data:image/png;base64,{data}">'
    split = [part.split("\n", 1) for part in parts]
    tables = [(title, table(text)) for title, text in split if "\n|" in text]
    return f'<figure class="ji-figure">{image}</figure>', tables


def table(markdown: str) -> str:
    """A table of Markdown as one that a phone can show."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    head, _, *rows = ([c.strip() for c in line.split("|")[1:-1]] for line in lines)
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in head[1:])
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(
            f'<td data-label="{escape(column)}">{escape(cell)}</td>'
            for column, cell in zip(head[1:], cells, strict=True)
        )
        + "</tr>"
        for name, *cells in rows
    )
    return (
        f'<table class="ji-table"><thead><tr><td></td>{columns}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def html(path: Path) -> str:
    """What one program printed, and its races as pictures.

    Raises:
        CalledProcessError: it ended in a traceback.
        TimeoutExpired: it took too long.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "told.json")
        command = [sys.executable, __file__, str(path), SECONDS, str(told)]
        subprocess.run(command, check=True, timeout=LIMIT)
        parts = json.loads(told.read_text(encoding="utf-8"))
    printed = escape(parts["printed"].strip())
    label = 'tabindex="0" aria-label="What it printed"'
    shown = f'<pre class="ji-code" {label}>{printed}</pre>'
    figures = "".join(
        f'<figure class="ji-figure">{each}</figure>' for each in parts["pictures"]
    )
    return f'<div class="ji-demo">{shown}{figures}</div>'


def main(script: str, seconds: str, told: str) -> None:
    """Run a benchmark; keep what it prints, and draw each race that it reports."""
    sys.path.insert(0, str(FOLDER))
    import bars

    from jaxintro._engine.fragments import picture

    printed, pictures = io.StringIO(), list[str]()
    report = bars.report

    def drawing_report(result: Any) -> None:
        report(result)
        if len(result.names) < 2:
            return  # nobody to race against is installed
        label = f"Picture: the timings of each contestant. {result.verdict}"
        name = f"{Path(script).stem}-{len(pictures)}"
        pictures.append(picture(result.plot(), label, name))

    bars.report = drawing_report
    sys.argv = [script, seconds]
    with (
        redirect_stdout(printed),
        suppress(SystemExit),
    ):  # a bar that is not met ends so
        runpy.run_path(script, run_name="__main__")
    kept = {"printed": printed.getvalue(), "pictures": pictures}
    Path(told).write_text(json.dumps(kept), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
