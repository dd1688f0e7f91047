"""The glossary: each word in the sentence of the course that introduces it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple

from jaxintro._engine.fragments import inline
from jaxintro._engine.page import Page, Section

END = re.compile(r"(?<=[.!?:])\s+(?=[A-Z`(])|(?<=[.!?]\))\s+")


class Entry(NamedTuple):
    """A word, and the demo that teaches it."""

    word: str
    sentence: str
    page: Page
    demo: Section


def entries(
    lines: Iterable[str], pages: Sequence[Page]
) -> tuple[list[Entry], list[str]]:
    """The words that the course says, and those that it does not.

    Args:
        lines: `word`, or `word: lesson.demo` where the first sentence that says it is
            not the one that explains it. A word in the plural, and a capital, count.
        pages: the course, in its order.
    """
    found, missing = [], []
    for line in filter(str.strip, lines):
        word, _, place = (part.strip() for part in line.partition(":"))
        said = next(_said(word, place, pages), None)
        if said:
            found.append(said)
        else:
            missing.append(line)
    return sorted(found, key=lambda entry: entry.word.lower()), missing


def _said(word: str, place: str, pages: Sequence[Page]) -> Iterator[Entry]:
    """Where a word is said: first where it stands out as new, then in order."""
    word_ = rf"{re.escape(word)}(?:s|es|ed|d)?"
    ways = rf"\*{word_}\*", rf"(?<![\w.]){word_}(?!\w)"
    for way in (re.compile(way, re.IGNORECASE) for way in ways):
        for page in pages:
            for demo in page.sections:
                if place in ("", f"{page.lesson.name}.{demo.name}"):
                    for sentence in _sentences(page, demo):
                        if way.search(sentence):
                            yield Entry(word, sentence, page, demo)


def _sentences(page: Page, demo: Section) -> Iterator[str]:
    """Each sentence; with the one before it, where it begins by pointing there."""
    opening = page.intro.paragraphs if demo is page.sections[0] else ()
    for paragraph in (*opening, demo.heading, *demo.prose.paragraphs):
        before = ""
        for sentence in END.split(paragraph):
            points = sentence.startswith(("This ", "It ", "That ", "Such ", "They "))
            yield f"{before} {sentence}" if points and before else sentence
            before = sentence


def html(found: Iterable[Entry], base: str) -> str:
    """A list of words.

    Args:
        found: the entries, in order.
        base: the folder of the lessons' pages.
    """
    rows = "".join(
        f'<dt id="{escape(each.word.replace(" ", "-"))}">{escape(each.word)}</dt>'
        f"<dd>{inline(each.sentence)} "
        f'<a href="{base}/{each.page.lesson.name}.html#{each.demo.name}">'
        f"{escape(each.page.lesson.title.partition(':')[0])}: "
        f"{escape(each.demo.name.replace('_', ' '))}</a></dd>"
        for each in found
    )
    return f'<dl class="ji-words">{rows}</dl>'
