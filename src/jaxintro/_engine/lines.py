"""What a page is made of on a screen: lines, each with the style it deserves."""

import textwrap
from typing import NamedTuple

INDENT = "   "
EMPHASIS = r"(?<![\w*])\*[^*\s][^*]*\*(?![\w*])"  # *such* words in prose


class Line(NamedTuple):
    """One line of a page. The screen knows what a style looks like."""

    style: str  # title, heading, prose, question, myth, code, result, holds, fails, dim
    text: str
    beside: str | None = None  # of code: a value, past a bar; "" for the bar alone
    value_style: str = "value"


BLANK = Line("prose", "")


def wrapped(style: str, words: str, width: int, indent: str = "") -> list[Line]:
    """A paragraph; lines after the first stand under the first's words."""
    lines = textwrap.wrap(
        words,
        width,
        initial_indent=indent,
        subsequent_indent=" " * len(indent),
        break_on_hyphens=False,
    )
    return [Line(style, line) for line in lines]
