"""An explanation as a page: for the terminal, and for a notebook."""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxintro.lens.explanation import Explanation

WIDTH = 70  # columns of a report: so much room is there below a line of a page
LINES = 12
LABEL = 14


def amount(value: float | None, unit: str) -> str:
    """A number with its unit, in thousands: `5.2 Mflop`."""
    if value is None:
        return f"? {unit}"
    power = 0
    while abs(value) >= 1000 and power < 4:
        value, power = value / 1000, power + 1
    number = f"{value:.4g}" if power == 0 else f"{value:.3g}"
    prefix = ("", "k", "M", "G", "T")[power]
    # A symbol takes the prefix (`Mflop`), words stand apart (`M exp or the like`).
    return f"{number} {prefix}{' ' if prefix and ' ' in unit else ''}{unit}"


def counted(counts: Mapping[str, int]) -> str:
    """Counts by name, the most frequent first: `2 mul, 1 exp`."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{times} {name}" for name, times in ordered)


def plural(number: int, noun: str) -> str:
    """A number and its noun: `1 kernel`, `2 kernels`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def facts(report: "Explanation") -> list[tuple[str, str]]:
    """What there is to say, as pairs of a label and a sentence."""
    rows = []
    if report.equations is not None:
        total = sum(report.equations.values())
        what = f"{plural(total, 'equation')}: {counted(report.equations)}"
        rows.append(("traced", what if total else "no equations"))
    if report.dead:
        rows.append(("dropped", f"{counted(report.dead)}: nothing needs the result"))
    if report.kernels is not None:
        eager = report.eager_kernels
        alone = "" if eager is None else f"; run op by op, {eager}"
        rows.append(("compiled", plural(report.kernels, "kernel") + alone))
    work = [amount(report.flops, "flop"), amount(report.bytes, "B") + " moved"]
    if report.intensity is not None:
        work.append(f"{report.intensity:.3g} flop/B")
    if report.transcendentals:
        work.insert(1, amount(report.transcendentals, "exp, sin or the like"))
    if any(not item.startswith("?") for item in work):
        rows.append(("work", "; ".join(work)))
    if report.temp_bytes is not None:
        rows.append(("extra memory", amount(report.temp_bytes, "B")))
    return rows


def texts(report: "Explanation") -> list[tuple[str, str, str]]:
    """The long texts: a heading, the text, and the field that holds all of it."""
    found = []
    if report.jaxpr is not None:
        found.append(("The jaxpr", report.jaxpr, "jaxpr"))
    if report.kernel_list:
        lines = [
            f"{number:3}  {item.name}: {', '.join(item.operations)}"
            for number, item in enumerate(report.kernel_list, 1)
        ]
        found.append(("The kernels", "\n".join(lines), "kernel_list"))
    return found


def wrapped(words: str, width: int) -> list[str]:
    """Words in lines no longer than `width`."""
    lines = [""]
    for word in words.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [line[:width] for line in lines]


def shortened(text: str, name: str, width: int = WIDTH) -> list[str]:
    """The first lines of a text, each cut to the width, and where the rest is."""
    lines = text.splitlines()
    rest = len(lines) - LINES
    kept = [
        line if len(line) <= width else line[: width - 3] + "..."
        for line in (lines[:LINES] if rest > 1 else lines)
    ]
    if rest > 1:
        kept.append(f"... {rest} more lines, in .{name}")
    return kept


def text(report: "Explanation") -> str:
    """The page for a terminal: plain text of at most 70 columns."""
    lines = [f"{report.name}: from Python to machine code"[:WIDTH], ""]
    for label, sentence in facts(report):
        first, *more = wrapped(sentence, WIDTH - LABEL - 2)
        lines.append(f"  {label:{LABEL}}{first}")
        lines += [" " * (LABEL + 2) + line for line in more]
    for heading, body, name in texts(report):
        lines += ["", heading]
        lines += ["  " + line for line in shortened(body, name, WIDTH - 2)]
    return "\n".join(lines)


def html(report: "Explanation") -> str:
    """The page for a notebook: a table, and the long texts folded away."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(label)}</th>"
        f"<td style='text-align:left'>{escape(sentence)}</td></tr>"
        for label, sentence in facts(report)
    )
    long = [*texts(report)]
    if report.stablehlo is not None:
        long.append(("StableHLO, as handed to XLA", report.stablehlo, "stablehlo"))
    if report.compiled is not None:
        long.append(("The compiled program", report.compiled, "compiled"))
    folded = "".join(
        f"<details><summary>{escape(heading)}</summary>"
        f"<pre>{escape(body)}</pre></details>"
        for heading, body, _ in long
    )
    return (
        f"<div><p><b>{escape(report.name)}</b>: from Python to machine code</p>"
        f"<table>{rows}</table>{folded}</div>"
    )
