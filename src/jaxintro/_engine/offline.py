"""Lessons as web pages that need nothing else: no network, no other file."""

import datetime
import os
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from jaxintro._engine import extras, fragments
from jaxintro._engine.catalog import Lesson, UsageError, course
from jaxintro._engine.files import put
from jaxintro._engine.outcome import Outcome
from jaxintro._engine.page import Page

CONTENTS = "index.html"


def places(pages: Sequence[Page], folder: Path, *, force: bool) -> list[Path]:
    """The file of each page, and last that of the contents where there are several.

    Raises:
        UsageError: the folder is a file, or a page is there and force is off.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"'{folder}' is a file: --html needs a folder.")
    paths = [folder / f"{page.lesson.name}.html" for page in pages]
    if len(pages) > 1:
        paths.append(folder / CONTENTS)
    if len(set(paths)) < len(paths):
        raise UsageError("Two of these lessons have one name: write them one by one.")
    for path in paths:
        if path.exists() and not force:
            raise UsageError(f"'{path}' is there already: --force overwrites it.")
    return paths


def today() -> str:
    """The day of the build, or the one that a reproducible build asks for."""
    asked = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.datetime.fromtimestamp(int(asked), datetime.UTC) if asked else now
    return day.date().isoformat()


def save(path: Path, text: str) -> None:
    """Write one page.

    Raises:
        UsageError: it cannot be written; the message says why.
    """
    put(path, _writer(text))


def _writer(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text, encoding="utf-8", newline="\n")


def lesson(
    page: Page,
    outcomes: Sequence[Outcome],
    about: dict[str, object],
    others: Sequence[Lesson],
    apart: str = "",
) -> str:
    """A whole lesson as one HTML text.

    Args:
        page: the lesson.
        outcomes: what each of its demos gave, in order.
        about: where they ran.
        others: the lessons that are written into the same folder, in order.
        apart: what is special about how it ran.
    """
    title, headings = page.lesson.title, []
    parts = [fragments.opening(page, apart)]
    for number, outcome in enumerate(outcomes, 1):
        name, heading = (
            outcome.section.name,
            fragments.inline(outcome.section.heading),
        )
        headings.append(f'<li><a href="#{name}">{heading}</a></li>')
        head = f'<h2 id="{name}"><a href="#{name}">{number}. {heading}</a></h2>'
        parts += [head, fragments.demo(page, outcome)]
    parts.append(fragments.closing(outcomes, about, today()))
    contents = (
        '<nav class="ji-contents" aria-label="On this page"><details>'
        f"<summary>On this page</summary><ol>{''.join(headings)}</ol></details></nav>"
    )
    place = _place(page.lesson)
    up = f'<a href="{CONTENTS}">All lessons</a>' if len(others) > 1 else "jaxintro"
    head = f"<header>{up}{f', {place}' * bool(place)}</header>"
    main = f"<main><h1>{fragments.inline(title)}</h1>{contents}{''.join(parts)}</main>"
    return framed(title, head + main + _foot(page.lesson, others))


def contents(pages: Sequence[Page], skipped: Sequence[Lesson] = ()) -> str:
    """The page that leads to the lessons, and names those that could not run."""
    rows = "".join(
        f'<li><a href="{page.lesson.name}.html">'
        f"{fragments.inline(page.lesson.title)}</a></li>"
        for page in pages
    )
    words = (
        "<p>A JAX course in which nothing is said that is not checked. Each page shows "
        "what every line of code gave when the page was made.</p>"
    )
    left_out = "".join(
        f"<li>{fragments.inline(each.title)} ({escape(each.name)}) "
        f"{escape(extras.reason(each), quote=False)}</li>"
        for each in skipped
    )
    if left_out:
        left_out = f"<p>Left out, since it could not run:</p><ul>{left_out}</ul>"
    main = f"<main><h1>The lessons</h1>{words}<ol>{rows}</ol>{left_out}</main>"
    return framed("jaxintro: the lessons", main)


def framed(title: str, body: str) -> str:
    """A whole HTML text around what it is to show, with style and script inside."""
    style = (fragments.ASSETS / "page.css").read_text(encoding="utf-8")
    script = (fragments.ASSETS / "page.js").read_text(encoding="utf-8")
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title.replace("`", ""))}</title>
<style>
{style}</style>
<script>
{script}</script>
</head>
<body class="ji-page">
{body}
</body>
</html>
"""


def _place(lesson: Lesson) -> str:
    lessons = course()
    if lesson not in lessons:
        return ""
    return f"lesson {lessons.index(lesson) + 1} of {len(lessons)}"


def _foot(lesson: Lesson, others: Sequence[Lesson]) -> str:
    at = others.index(lesson)
    before, after = others[:at][-1:], others[at + 1 :][:1]
    links = [
        f'<a rel="prev" href="{each.name}.html">← {fragments.inline(each.title)}</a>'
        for each in before
    ]
    links += [
        f'<a rel="next" href="{each.name}.html">{fragments.inline(each.title)} →</a>'
        for each in after
    ]
    nav = f'<nav aria-label="Lessons">{"".join(links)}</nav>' if links else ""
    return f"<footer>{nav}</footer>"
