"""Put everything that is made from the lessons in step with them.

`python docs/in_step.py` writes docs/SOURCES.md and the table of lessons in README.md.
In examples/ it runs each notebook whose lesson has changed, and stores what it gave.
`--run` runs them all (this takes minutes); `--picture` draws the README's picture anew.
"""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import sources
from nbclient import NotebookClient

from jaxintro._engine import catalog, notebook, page

ROOT = Path(__file__).parents[1]
TABLE = re.compile(r"(?<=\| --- \| --- \| --- \|\n)(?:\| \d+ \| `.*\n)+")


def table() -> str:
    """The rows of the README's table, one for each lesson."""
    rows = [
        f"| {number} | `{lesson.name}` | {lesson.title} |\n"
        for number, lesson in enumerate(catalog.course(), 1)
    ]
    return "".join(rows)


def in_step(readme: str) -> str:
    """The README with the table that the lessons ask for."""
    return TABLE.sub(lambda _: table(), readme)


def run_notebooks(*, every: bool) -> None:
    """Run the notebooks that their lessons left behind, and store what they gave."""
    for lesson in catalog.course():
        path = ROOT / "examples" / f"{lesson.name}.ipynb"
        fresh = notebook.render(page.read(lesson))
        if every or not _says(path, fresh):
            book = nbformat.reads(fresh, as_version=4)
            client = NotebookClient(book, kernel_name="python3", record_timing=False)
            gave = nbformat.writes(client.execute())
            # where Python stands here is nobody else's business
            text = gave.replace(sys.executable, "python") + "\n"
            path.write_text(text, encoding="utf-8", newline="\n")


def _says(path: Path, fresh: str) -> bool:
    if not path.exists():
        return False
    return notebook.cells(path.read_text(encoding="utf-8")) == notebook.cells(fresh)


def main() -> None:
    """Write all that is derived."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(in_step(text), encoding="utf-8", newline="\n")
    sources_page = ROOT / "docs" / "SOURCES.md"
    sources_page.write_text(sources.render(), encoding="utf-8", newline="\n")
    run_notebooks(every="--run" in sys.argv)
    if "--picture" in sys.argv:
        subprocess.run([sys.executable, str(ROOT / "docs" / "picture.py")], check=True)


if __name__ == "__main__":
    main()
