"""What the pages of all tools share: their width, and how words are set in it."""

import textwrap
from html import escape

WIDTH = 70  # columns of a report: so much room is there below a line of a page


def plural(number: int, noun: str) -> str:
    """A number and its noun: `1 kernel`, `2 kernels`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def wrapped(
    text: str, first: str = "", rest: str = "", width: int = WIDTH
) -> list[str]:
    """A paragraph in lines; a longer word, such as a URL, stays whole.

    Args:
        text: the words.
        first: what the first line begins with.
        rest: what the others begin with.
        width: columns, of the indented lines.
    """
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def preformatted(text: str) -> str:
    """Plain text as HTML."""
    return f"<pre>{escape(text)}</pre>"
