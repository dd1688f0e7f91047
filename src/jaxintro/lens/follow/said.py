"""Something said in words: a line, or a few lines, of plain text."""

import re
import textwrap
from collections.abc import Iterable
from typing import NamedTuple

from jaxintro.lens.page import WIDTH

WIDE = WIDTH  # columns of a text that stands below its line
MOST = 40  # lines of one value; a whole compiled program is no reading matter
LONGEST = 4_000  # characters of a text that are looked at


class Words(NamedTuple):
    """A value in words: its numbers or text, and what type JAX or NumPy gives them."""

    text: str = ""  # one line, or empty where only a block can show it
    kind: str = ""  # such as "float32[3]"; empty for what Python itself writes so
    block: tuple[str, ...] = ()  # several lines, where one does not do it justice
    brief: str = ""  # a shorter text, for where there is little room

    def __str__(self) -> str:
        return "  ".join(filter(None, [self.text, self.kind]))

    def labelled(self, label: str) -> "Words":
        """The same, said of something with a name."""
        first, *rest = self.block or ("",)
        block = (label + first, *(" " * len(label) + line for line in rest))
        return Words(
            label + self.text if self.text else "",
            self.kind,
            block if self.block else (),
            label + self.brief if self.brief else "",
        )

    @property
    def shorts(self) -> tuple[str, ...]:
        """Ways to say it in one line, the longest first."""
        said = [self.text, self.brief]
        return tuple(
            dict.fromkeys(f"{text}  {self.kind}".strip() for text in said if text)
        )

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it, as it stands below a line of code."""
        return self.block or ((str(self),) if self.text else ())


NOTHING = Words()


def printed_words(text: str) -> Words:
    """What was printed, as it was printed."""
    lines = [clean(line) for line in text[:LONGEST].rstrip("\n").split("\n")]
    if len(lines) == 1 and len(lines[0]) <= WIDE:
        return Words(lines[0])
    wrapped = [part for line in lines for part in folded(line)]
    return Words(block=capped(wrapped, MOST))


def cut(text: str) -> str:
    """The text, in one line of a page."""
    return text if len(text) <= WIDE else text[: WIDE - 1] + "…"


def folded(line: str, width: int = WIDE) -> list[str]:
    """A line in as many as it needs, those after the first further in."""
    if len(line) <= width:
        return [line]
    indent = " " * min(len(line) - len(line.lstrip()) + 4, 24)
    return textwrap.wrap(
        line, width, subsequent_indent=indent, break_on_hyphens=False
    ) or [""]


def clean(text: str) -> str:
    """Control characters would move the cursor; nobody returns them to be shown."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\N{REPLACEMENT CHARACTER}", text)


def without_addresses(text: str) -> str:
    """The text without places in memory, which differ from run to run."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text[:LONGEST])


def capped(lines: Iterable[str], most: int) -> tuple[str, ...]:
    """At most so many lines, the last of which says how many more there are."""
    kept = tuple(lines)
    if len(kept) <= most:
        return kept
    return (*kept[: most - 1], f"… {len(kept) - most + 1} more lines")
