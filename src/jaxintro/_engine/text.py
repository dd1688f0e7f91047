"""A page before it runs: its words and its code as lines."""

import textwrap

from jaxintro._engine.catalog import Lesson
from jaxintro._engine.lines import BLANK, INDENT, Line, wrapped
from jaxintro._engine.page import Page, Prose, Section


def listing(lessons: tuple[Lesson, ...], width: int) -> list[Line]:
    """The lessons in order, one line each."""
    column = max(len(lesson.name) for lesson in lessons) + 2
    lines = [Line("title", "The lessons, in the order in which they are read:"), BLANK]
    for number, lesson in enumerate(lessons, 1):
        head = f"{number:2}  {lesson.name:{column}}"
        lines.append(Line("prose", _cut(head + lesson.title, width)))
    read = f"python -m jaxintro.lesson {lessons[0].name}"
    return [*lines, BLANK, *wrapped("dim", f"Read one:  {read}", width)]


def opening(page: Page, place: str, width: int) -> list[Line]:
    """The title, its place in the course, and the words before the first demo."""
    title = page.lesson.title
    gap = width - len(title) - len(place)
    if gap >= 2:
        head = [Line("title", title + " " * gap + place)]
    else:
        head = wrapped("title", f"{title} ({place})" if place else title, width)
    rest = Prose(page.intro.paragraphs[1:], page.intro.predict, page.intro.myth)
    return [*head, BLANK, *_prose(rest, width, "")]


def question(section: Section, number: int | None, width: int) -> list[Line]:
    """All of a section that is known before it runs."""
    label = f"{number:<3}" if number is not None else INDENT
    lines = wrapped("heading", section.title, width, label)
    lines += _prose(section.prose, width, INDENT)
    code = _code(section.code.splitlines(), width)
    code = _with_arguments(code, section.arguments, width)
    return [BLANK, *lines, BLANK, *code, *[BLANK] * section.is_demo]


def guess(words: str, width: int) -> list[Line]:
    """What the reader expected, to stand beside what came."""
    return [BLANK, *wrapped("question", f"you said: {words}", width, INDENT)]


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


def _code(source: list[str], width: int) -> list[Line]:
    """Code behind a bar; a line too long for the screen goes on below, indented."""
    lines = []
    for line in source:
        indent = " " * (len(line) - len(line.lstrip()))
        parts = textwrap.wrap(
            line,
            max(width - len(INDENT) - 2, 20),
            subsequent_indent=indent + "    ",
            break_on_hyphens=False,
        )
        lines += [Line("code", part) for part in parts or [""]]
    return lines


def _with_arguments(code: list[Line], arguments: str, width: int) -> list[Line]:
    """The worked example stands to the right of the last line, or below it."""
    if not arguments or not code:
        return code
    gap = width - len(INDENT) - 2 - len(code[-1].text) - len(arguments)
    if gap >= 2:
        return [*code[:-1], Line("code", code[-1].text + " " * gap + arguments)]
    return [*code, BLANK, *wrapped("dim", f"with {arguments}", width, INDENT)]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
