"""Where lines go: a terminal in colour, or anything else as plain text."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from jaxintro._engine.lines import INDENT, Line

if TYPE_CHECKING:
    from rich.console import Console

WIDEST, NARROWEST = 88, 30

STYLES = {
    "title": "bold",
    "heading": "bold cyan",
    "question": "yellow",
    "myth": "magenta",
    "result": "bold",
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
        "⁵": "^5", "⁶": "^6", "⁷": "^7", "⁸": "^8", "⁹": "^9",
        "₀": "_0", "₁": "_1", "₂": "_2", "₃": "_3", "ₙ": "_n", "ᵢ": "_i", "ᵀ": "^T",
        "√": "sqrt", "∂": "d", "∇": "grad ", "Σ": "sum", "∑": "sum", "∫": "integral ",
        "½": "1/2", "¼": "1/4", "∞": "infinity", "±": "+-", "≈": "~", "≠": "!=",
        "≤": "<=", "≥": ">=", "′": "'", "’": "'", "‘": "'", "“": '"', "”": '"',
        "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon",
        "η": "eta", "θ": "theta", "λ": "lambda", "μ": "mu", "µ": "u", "π": "pi",
        "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "ω": "omega", "Δ": "Delta",
        "ŷ": "y^", "∈": "in", "⊗": "(x)", "┤": "|", "├": "|", "╌": "-", "█": "#",
    }
)  # fmt: skip


class Screen:
    """Standard output, and what it can show."""

    def __init__(self, *, plain: bool = False) -> None:
        dumb = os.environ.get("TERM") == "dumb"
        self.rich = sys.stdout.isatty() and not plain and not dumb
        columns = shutil.get_terminal_size((WIDEST, 24)).columns
        self.width = max(NARROWEST, min(WIDEST, columns))

    @cached_property
    def console(self) -> "Console":
        """The terminal, by way of rich."""
        from rich.console import Console

        return Console(highlight=False, soft_wrap=True)

    def write(self, lines: list[Line]) -> None:
        """Show lines, at once."""
        for line in lines:
            if self.rich:
                self._write_styled(line)
            else:
                margin = f"{INDENT}  " if line.style == "code" else ""
                print(encodable((margin + line.text).rstrip()))
        sys.stdout.flush()

    def _write_styled(self, line: Line) -> None:
        from rich.text import Text

        if line.style != "code":
            style = STYLES.get(line.style, "")
            self.console.print(Text(encodable(line.text), style=style))
            return
        from rich.syntax import Syntax

        code = Syntax("", "python", background_color="default", theme="ansi_dark")
        highlighted = code.highlight(encodable(line.text))
        highlighted.rstrip()
        bar = encodable(f"{INDENT}│ ")
        self.console.print(Text.assemble((bar, "dim"), highlighted))

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show, on a terminal, that something slow runs."""
        if not self.rich:
            yield
            return
        with self.console.status(encodable(f"[dim]{what} …[/dim]"), spinner="line"):
            yield


def encodable(text: str) -> str:
    """The text as this console can show it."""
    text = CONTROLS.sub("�", text)
    encoding = sys.stdout.encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(ASCII).encode(encoding, "replace").decode(encoding)
    return text
