"""Put everything that is made from the lessons in step with them.

`python docs/in_step.py` writes docs/SOURCES.md, the table of lessons in README.md and
the notebooks in examples/. `--run` also runs the notebooks and stores what they gave
(this takes minutes), and `--picture` draws the README's picture anew.
"""

import re
import subprocess
import sys
from pathlib import Path

import sources

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


def main() -> None:
    """Write all that is derived."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(in_step(text), encoding="utf-8", newline="\n")
    sources_page = ROOT / "docs" / "SOURCES.md"
    sources_page.write_text(sources.render(), encoding="utf-8", newline="\n")
    pages = [page.read(lesson) for lesson in catalog.course()]
    written = [*notebook.write(pages, ROOT / "examples", force=True)]
    if "--run" in sys.argv:
        execute = ["jupyter", "execute", "--inplace", *map(str, written)]
        subprocess.run(execute, check=True)
    if "--picture" in sys.argv:
        subprocess.run([sys.executable, str(ROOT / "docs" / "picture.py")], check=True)


if __name__ == "__main__":
    main()
