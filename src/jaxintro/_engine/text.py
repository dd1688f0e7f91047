"""A page as lines: its words, and its code with or without what it gave."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jaxintro._engine.catalog import Lesson
from jaxintro._engine.lines import BLANK, INDENT, Line, wrapped
from jaxintro._engine.page import Page, Prose, Section

if TYPE_CHECKING:
    from jaxintro._engine.index import Entry
    from jaxintro.lens.follow.table import Row

PROSE = 88  # columns; longer lines of prose are hard to read
CODE = INDENT + "  "


def listing(lessons: tuple[Lesson, ...], width: int) -> list[Line]:
    """The lessons in order, one line each."""
    column = max(len(lesson.name) + bool(lesson.needs) for lesson in lessons) + 2
    head = wrapped("title", "The lessons, in the order in which they are read:", width)
    lines = [*head, BLANK]
    for number, lesson in enumerate(lessons, 1):
        mark = "*" if lesson.needs else ""
        name = f"{number:2}  {lesson.name + mark:{column}}"
        lines.append(Line("prose", _cut(name + lesson.title, width)))
    read = f"python -m jaxintro.lesson {lessons[0].name}"
    lines += [BLANK, *wrapped("dim", f"Read one:  {read}", width)]
    if extra := next((lesson.needs for lesson in lessons if lesson.needs), None):
        words = f'* needs an extra, such as:  python -m pip install "jaxintro[{extra}]"'
        lines += wrapped("dim", words, width)
    return lines


def places(entry: "Entry", width: int) -> list[Line]:
    """Where a name is taught, and where it is used."""
    lines = [Line("title", entry.name)]
    first = entry.named[:1] or entry.used[:1]
    for page, section in first:
        lines += wrapped("prose", section.heading, width, INDENT)
        read = f"python -m jaxintro.lesson {page.lesson.argument}.{section.name}"
        lines += wrapped("dim", read, width, INDENT)
    others = [f"{p.lesson.name}.{s.name}" for p, s in entry.used if (p, s) not in first]
    if others:
        lines += wrapped("prose", f"also in {', '.join(others)}", width, INDENT)
    return [*lines, BLANK]


def opening(page: Page, place: str, width: int) -> list[Line]:
    """The title, its place in the course, the words before the first demo, imports."""
    head = _apart("title", page.lesson.title, place, min(width, PROSE))
    words = _prose(page.intro, min(width, PROSE), "")
    imports = [Line("code", line) for line in page.shown_imports.splitlines()]
    return [*head, BLANK, *words, *[BLANK] * bool(words and imports), *imports]


def question(section: Section, number: int | None, width: int) -> list[Line]:
    """All of a section that is known before it runs."""
    width = min(width, PROSE)
    label = f"{number:<3}" if number is not None else INDENT
    lines = _apart("heading", section.heading, section.name, width, label)
    lines += _prose(section.prose, width, INDENT)
    return [BLANK, *lines, BLANK]


def code(rows: "Sequence[Row]", width: int) -> list[Line]:
    """Code, and beside each line or below it what the line gave."""
    from jaxintro.lens.follow.table import table  # the lens imports JAX

    lines = []
    for cells in table(rows, width - len(CODE)):
        if cells.style.startswith("below "):
            style = cells.style.removeprefix("below ")
            lines.append(Line("below", cells.value or "", value_style=style))
        else:
            shown = cells.code.expandtabs(4)
            lines.append(Line("code", shown, cells.value, cells.style))
    return lines


def guess(words: str, width: int) -> list[Line]:
    """What the reader expected, to stand beside what came."""
    return [
        *wrapped("question", f"you said: {words}", min(width, PROSE), INDENT),
        BLANK,
    ]


def _apart(
    style: str, left: str, right: str, width: int, label: str = ""
) -> list[Line]:
    """Two texts at the two ends of a line, or the second below the first."""
    gap = width - len(label) - len(left) - len(right)
    if gap >= 2 or not right:
        return [Line(style, label + left, " " * gap + right if right else None, "dim")]
    indent = " " * len(label)
    first = wrapped(style, left, width, label)
    return [*first, *wrapped("dim", right, width, indent)]


def _prose(prose: Prose, width: int, indent: str) -> list[Line]:
    lines: list[Line] = []
    for paragraph in prose.paragraphs:
        if lines:
            lines.append(BLANK)
        lines += wrapped("prose", paragraph, width, indent)
    if prose.myth:
        lines += wrapped("myth", f"Myth: {prose.myth}", width, indent)
    if prose.predict:
        lines += wrapped("question", _sentence(prose.predict), width, indent + "? ")
    return lines


def _sentence(words: str) -> str:
    """The words with a capital, unless they begin with a name such as x."""
    first = words.split()[0]
    return (
        words[:1].upper() + words[1:] if first.isalpha() and len(first) > 1 else words
    )


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
