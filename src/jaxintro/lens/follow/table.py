"""Code and values side by side: rows of lines, and a page of them as plain text."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from jaxintro.lens.follow.recorder import KEPT, Line
from jaxintro.lens.follow.said import MOST, Words, capped, clean

BAR = "│ "
VALUES = 30  # columns that the values are to have, at least
STACKED = 8  # lines of a block that may stand beside code


class Piece(NamedTuple):
    """One thing to say of a line of code: in one line, or in several."""

    style: str  # value, printed, raised, ran
    shorts: tuple[str, ...]  # ways to say it in one line, the longest first
    block: tuple[str, ...] = ()
    each: tuple[str, ...] = ()  # of several runs: the first few values, …, the last

    @property
    def values(self) -> tuple[str, ...]:
        """The values one by one, in words."""
        return self.each or self.shorts[:1] or ("\n".join(self.block),)


class Row(NamedTuple):
    """A line of code, and what there is to say of it."""

    number: int  # in its file; 0 for a line that stands in none
    code: str
    runs: int
    pieces: tuple[Piece, ...]


class Cells(NamedTuple):
    """One line of a table: code on the left, a value on the right or alone."""

    code: str
    value: str | None  # None: nothing stands beside it, not even the bar
    style: str = "value"


def rows(source: Sequence[str], lines: Iterable[Line], first: int = 1) -> list[Row]:
    """Lines of code, of which the first has this number, each with its pieces."""
    said: dict[int, list[Line]] = {}
    for line in lines:
        said.setdefault(line.place.last, []).append(line)
    code = textwrap.dedent("\n".join(source).expandtabs(4)).split("\n")
    found = []
    for number, text in enumerate(code, first):
        there = sorted(said.get(number, []), key=lambda line: line.place.number)
        pieces = tuple(piece for line in there for piece in describe(line))
        runs = max((line.runs for line in there), default=0)
        found.append(Row(number, text, runs, pieces))
    return found


def describe(line: Line) -> Iterator[Piece]:
    """All that one statement gave."""
    if line.place.kind == "def":
        yield from _describe_function(line)
    elif len(line.raised) < line.runs or not line.raised:
        yield from _describe_values(line)
    if line.printed:
        said = "".join(line.printed).rstrip("\n").split("\n")
        text = capped(map(clean, said), MOST)
        yield Piece("printed", text if len(text) == 1 else (), text)
    for words in line.raised[:1]:
        yield Piece("raised", words.shorts, words.lines)


def _describe_function(line: Line) -> Iterator[Piece]:
    if not (line.tracings or line.unseen or line.calls > line.runs):
        return
    arguments = list(dict.fromkeys(str(words) for words in line.first))
    ran = [_times_ran(line)] if line.runs or not line.unseen else []
    tool = ["ran in a tool"] * bool(line.unseen)
    if 0 < line.tracings < line.runs:
        said = [f"{ran[0]}, {_times(line.tracings)} on tracers", *arguments, *tool]
    else:
        said = [*arguments, *ran, *tool]
    yield Piece("ran", (", ".join(said),) if len(arguments) < 2 else (), tuple(said))


def _times_ran(line: Line) -> str:
    if not line.runs:
        return "did not run: it was compiled before"
    ran = f"ran {_times(line.runs)}"
    missed = line.calls > line.runs and not line.unseen
    return f"{ran} for {line.calls} calls" if missed else ran


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _describe_values(line: Line) -> Iterator[Piece]:
    values = [words for words in line.values if words.lines]
    if not values:
        return
    if len(set(values)) > 1 or not line.alike:
        yield _listed(values, line.runs)
        return
    shorts, block = values[0].shorts, values[0].lines
    if line.runs > 1 and not line.traced:
        shorts = (*(f"{short}  ({line.runs} times)" for short in shorts), *shorts)
    yield Piece("value", shorts, block)


def _listed(values: list[Words], runs: int) -> Piece:
    """The first values of a loop, and its last."""
    kinds = {words.kind for words in values}
    alike = len(kinds) == 1 and not any("tracer" in words.text for words in values)
    shared = kinds.pop() if alike else ""
    texts = [briefly(words.text) for words in values]
    skipped = runs > KEPT + 1
    if skipped:
        texts[KEPT - 1 :] = [" … ".join(texts[KEPT - 1 :])]
    times = f"({runs} times)" if skipped else ""
    row = "  ".join(texts)
    ways = [[row, shared, times], [row, shared], [row, times], [row]]
    shorts = tuple("  ".join(filter(None, way)) for way in ways if alike)
    block: list[str] = []
    for index, words in enumerate(values):
        if skipped and index == KEPT:
            block.append(f"… {runs - KEPT - 1} more …")
        block += words.lines
    all_short = all(words.text for words in values)
    each = ["\n".join(words.lines) for words in values]
    each[KEPT:KEPT] = ["…"] * skipped
    return Piece("value", shorts if all_short else (), tuple(block), tuple(each))


def briefly(text: str) -> str:
    """The text with every long number shortened to four digits."""

    def shorten(match: re.Match[str]) -> str:
        number = match.group()
        digits = len(re.sub(r"[-.]|e.*", "", number).lstrip("0"))
        if digits <= 5 or "." not in number:
            return number
        short = f"{float(number):.4g}"
        return short if any(c in short for c in ".e") else short + ".0"

    return re.sub(r"-?\d+\.\d*(?:e[-+]?\d+)?", shorten, text)


def table(found: Sequence[Row], width: int) -> list[Cells]:
    """The rows as lines of at most this width, save code that is wider itself."""
    speaking = [len(row.code) for row in found if row.pieces]
    if not speaking:
        return [Cells(row.code, None) for row in found]
    limit = max(width - len(BAR) - 1 - VALUES, 20)
    split = max((length for length in speaking if length <= limit), default=limit)
    cells: list[Cells] = []
    for row in found:
        cells += _cells(row, split, width)
    return cells


def _cells(row: Row, split: int, width: int) -> Iterator[Cells]:
    room = width - split - len(BAR) - 1
    beside: list[tuple[str, str]] = []
    below: list[tuple[str, str]] = []
    for piece in row.pieces:
        short = next((way for way in piece.shorts if len(way) <= room), None)
        stacks = _stacks(piece.block, room)
        if short and (row.runs > 1 or short == piece.shorts[0] or not stacks):
            beside.append((short, piece.style))
        elif stacks:
            beside += [(line, piece.style) for line in piece.block]
        else:
            lines = piece.block or piece.shorts[:1]
            below += [(line, piece.style) for line in lines]
    fits = len(row.code) <= split
    if fits and beside:
        first, *beside = beside
        yield Cells(row.code, *first)
    else:
        yield Cells(row.code, "" if fits else None)
    for value, style in beside:
        yield Cells("", value, style)
    indent = len(row.code) - len(row.code.lstrip())
    for value, style in below:
        room_below = width - indent - 2 - len(BAR)
        hang = " " * min(len(value) - len(value.lstrip()) + 2, 24)
        wrapped = textwrap.wrap(
            value, max(room_below, 20), subsequent_indent=hang, break_on_hyphens=False
        )
        for part in wrapped or [""]:
            yield Cells("", " " * (indent + 2) + BAR + part, "below " + style)


def _stacks(block: tuple[str, ...], room: int) -> bool:
    return 0 < len(block) <= STACKED and all(len(line) <= room for line in block)


def split_of(cells: Sequence[Cells]) -> int:
    """The column at which the bar stands."""
    return max(
        (len(c.code) for c in cells if c.value is not None and not _is_below(c)),
        default=0,
    )


def _is_below(cells: Cells) -> bool:
    return cells.style.startswith("below ")


def plain(cells: Sequence[Cells]) -> list[str]:
    """The table as text."""
    split = split_of(cells)
    lines = []
    for each in cells:
        if each.value is None:
            lines.append(each.code)
        elif _is_below(each):
            lines.append(each.value)
        else:
            lines.append(f"{each.code:{split}} {BAR}{each.value}".rstrip())
    return lines
