"""Where lines go: a terminal in colour, or anything else as plain text."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from jaxintro._engine.lines import EMPHASIS, INDENT, Line, wrapped

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WIDEST, NARROWEST = 120, 30
ASSUMED = 88  # columns, where nobody says how many there are

STYLES = {
    "title": "bold",
    "heading": "bold cyan",
    "question": "yellow",
    "myth": "magenta",
    "value": "bold",
    "printed": "bold",
    "ran": "bold yellow",
    "raised": "bold red",
    "holds": "green",
    "fails": "bold red",
    "dim": "dim",
}

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # a demo may return them; never print

# What an ASCII console reads instead; accents and the rest fall back on "?".
ASCII = str.maketrans(
    {
        "→": "->", "←": "<-", "✓": "ok", "✗": "FAILS", "│": "|", "…": "...",
        "—": "-", "–": "-", "−": "-", "×": "x", "·": "*", "∘": "o", "÷": "/",
        "²": "^2", "³": "^3", "⁴": "^4", "⁻": "^-", "ⁿ": "^n", "¹": "^1", "⁰": "^0",
        "⁵": "^5", "⁶": "^6", "⁷": "^7", "⁸": "^8", "⁹": "^9", "ᶻ": "^z",
        "₀": "_0", "₁": "_1", "₂": "_2", "₃": "_3", "ₙ": "_n", "ᵢ": "_i", "ᵀ": "^T",
        "√": "sqrt", "∂": "d", "∇": "grad ", "Σ": "sum", "∑": "sum", "∫": "integral ",
        "½": "1/2", "¼": "1/4", "∞": "infinity", "±": "+-", "≈": "~", "≠": "!=",
        "≤": "<=", "≥": ">=", "′": "'", "’": "'", "‘": "'", "“": '"', "”": '"',
        "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon",
        "η": "eta", "θ": "theta", "λ": "lambda", "μ": "mu", "µ": "u", "π": "pi",
        "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "ω": "omega", "Δ": "Delta",
        "ŷ": "y^", "∈": "in", "⊗": "(x)", "┤": "|", "├": "|", "╌": "-", "█": "#",
        "┌": "+", "┐": "+", "└": "+", "┘": "+", "─": "-", "┬": "+", "┴": "+", "•": "o",
        "▀": '"', "▄": "_", "▌": "|", "▐": "|", "▖": ".", "▗": ".", "▘": "'", "▝": "'",
        "▚": "\\", "▞": "/", "▙": "#", "▛": "#", "▜": "#", "▟": "#", "┼": "+", "�": "?",
    }
)  # fmt: skip


class Screen:
    """Standard output, and what it can show."""

    def __init__(self, *, plain: bool = False) -> None:
        bare = os.environ.get("TERM") == "dumb" or os.environ.get("NO_COLOR")
        self.rich = sys.stdout.isatty() and not plain and not bare
        columns = shutil.get_terminal_size((ASSUMED, 24)).columns
        self.width = max(NARROWEST, min(WIDEST, columns))

    @cached_property
    def console(self) -> "Console":
        """The terminal, by way of rich."""
        from rich.console import Console

        return Console(highlight=False, soft_wrap=True)

    def write(self, lines: list[Line], *, fold: bool = True) -> None:
        """Show lines, at once.

        Args:
            lines: laid out for this width.
            fold: fold a line that stand-ins for its signs have made too long.
        """
        lines = [part for each in lines for part in self._folded(each, fold)]
        split = 0
        for number, line in enumerate(lines):
            if line.style == "code" and (
                number == 0 or not _is_code(lines[number - 1])
            ):
                split = _split(lines[number:])
            self._write(line, split)
        sys.stdout.flush()

    def _folded(self, line: Line, fold: bool) -> list[Line]:
        words, width = encodable(line.text), min(self.width, ASSUMED)
        fits = len(words) <= max(width, len(line.text))
        if (
            not fold
            or fits
            or line.beside
            or line.style in ("code", "below", "drawing")
        ):
            return [line]
        indent = " " * (len(words) - len(words.lstrip()))
        return wrapped(line.style, words.lstrip(), width, indent)

    def _write(self, line: Line, split: int) -> None:
        margin = f"{INDENT}  " if _is_code(line) else ""
        value = line.beside
        if line.style == "code" and value is not None:
            gap, bar = " " * (split - len(line.text)), "│ "
        else:
            gap, bar = "", ""
        if line.style == "drawing" and self.rich:  # it brings its own colours
            print(encodable(line.text, keep="\x1b"))
            return
        if not self.rich:
            shown = margin + line.text + gap + bar + (value or "")
            print(encodable(shown).rstrip())
            return
        from rich.text import Text

        left, lost = _marked_up(line)
        if line.style == "heading":  # its name stands at the right edge
            gap = " " * lost
        if line.style == "code":
            left = self._highlighted(line.text)
        elif line.style == "below":
            head, _, rest = line.text.partition("│ ")
            style = STYLES.get(line.value_style, "")
            shown_bar = (encodable(f"{head}│ "), "dim")
            left = Text.assemble(shown_bar, (encodable(rest), style))
        style = STYLES.get(line.value_style, "")
        right = (encodable(value or ""), style)
        self.console.print(
            Text.assemble(margin, left, gap, (encodable(bar), "dim"), right)
        )

    def _highlighted(self, text: str) -> "Text":
        from rich.syntax import Syntax

        code = Syntax("", "python", background_color="default", theme="ansi_dark")
        highlighted = code.highlight(encodable(text))
        highlighted.rstrip()
        return highlighted

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show, on a terminal, that something slow runs."""
        if not self.rich:
            yield
            return
        with self.console.status(encodable(f"[dim]{what} …[/dim]"), spinner="line"):
            yield


def _marked_up(line: Line) -> tuple["Text", int]:
    """Words with `code` and *emphasis* as a terminal shows them.

    With them comes the number of signs that this took away. A mark that only the next
    line closes stays as it is.
    """
    from rich.text import Text

    shown, style = Text(), STYLES.get(line.style, "")
    text, taken = encodable(line.text), 0
    if line.style in ("code", "below", "drawing", "dim"):
        return Text(text, style=style), 0
    for part in re.split(rf"(`[^`]+`|{EMPHASIS})", text):
        mark = part[:1] if len(part) > 2 and part[0] == part[-1] else ""
        if mark in ("`", "*"):
            extra = "italic" if mark == "*" else "bold"
            shown.append(part[1:-1], style=f"{style} {extra}".strip())
            taken += 2
        else:
            shown.append(part, style=style)
    return shown, taken


def _is_code(line: Line) -> bool:
    return line.style in ("code", "below")


def _split(lines: list[Line]) -> int:
    """The column of the bar in the block of code that begins here."""
    widths = []
    for line in lines:
        if not _is_code(line):
            break
        if line.style == "code" and line.beside is not None:
            widths.append(len(line.text) + 1)
    return max(widths, default=0)


def encodable(text: str, keep: str = "") -> str:
    """The text as this console can show it."""
    text = CONTROLS.sub(lambda sign: sign[0] if sign[0] in keep else "�", text)
    encoding = sys.stdout.encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(ASCII).encode(encoding, "replace").decode(encoding)
    return text
