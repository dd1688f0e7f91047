"""What `explain` reports: its fields, and its page for a terminal and a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from jaxintro.lens.explain import hlo
from jaxintro.lens.page import WIDTH, plural, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LINES = 12
LABEL = 14


@dataclass(frozen=True)
class Explanation:
    """What JAX and XLA made of a function. What a backend does not tell is None.

    Attributes:
        name: of the function.
        jaxpr: the program that tracing wrote down, as text.
        equations: primitive name → how many; a `jit` inside is seen through, and what
            stands in a loop is counted once, as `"sin (in a loop)"`.
        stablehlo: the program that was handed to XLA, as text.
        compiled: the program that XLA made of it (optimised HLO), as text.
        kernels: separate pieces of work that the compiled program launches; those in
            a loop or in a branch are counted once. A copy of memory is one, a
            constant is none.
        eager_kernels: the same if each equation of the jaxpr is compiled alone, as
            when it runs op by op. A jitted function that is called inside, such as
            `jnp.where`, is compiled as a whole then too.
        flops: floating point operations, as XLA estimates them; exp, sin and the like
            are counted apart.
        transcendentals: how many values of exp, sin and the like.
        bytes: bytes read and written by the kernels, as XLA estimates them.
        temp_bytes: memory that the program needs besides arguments and results.
        turns: whether flops, transcendentals and bytes count "all" turns of the loops,
            whose lengths are known then, or each loop's body "once"; None without one.
        dead: the equations whose results nothing needs, counted as in `equations`:
            traced, then dropped on the way to machine code.
    """

    name: str
    jaxpr: str | None
    equations: dict[str, int] | None
    stablehlo: str | None
    compiled: str | None
    kernels: int | None
    eager_kernels: int | None
    flops: float | None
    transcendentals: float | None
    bytes: float | None
    temp_bytes: int | None
    turns: str | None
    dead: dict[str, int] | None
    traced: Any = field(repr=False, compare=False, default=None)

    @property
    def intensity(self) -> float | None:
        """Arithmetic intensity: flops per byte moved to or from memory."""
        if self.flops is None or not self.bytes:
            return None
        return self.flops / self.bytes

    @cached_property
    def kernel_list(self) -> tuple[hlo.Kernel, ...]:
        """Each kernel with the operations that were fused into it."""
        return hlo.kernels(self.compiled) or ()

    def __str__(self) -> str:
        return text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html(self)

    def plot(self) -> Figure:
        """The jaxpr as a graph, what XLA fused into one kernel outlined."""
        from jaxintro.lens.explain.drawing import graph

        if self.traced is None:
            raise ValueError(
                f"No jaxpr to draw: {self.name} was compiled before it was explained. "
                "Give explain the function and its arguments."
            )
        return graph(self.traced, self.name, self.kernels)


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


def facts(report: Explanation) -> list[tuple[str, str]]:
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
        once = ", those in a loop once" if report.turns and report.kernels else ""
        rows.append(("compiled", plural(report.kernels, "kernel") + once + alone))
    work = [amount(report.flops, "flop"), amount(report.bytes, "B") + " moved"]
    if report.intensity is not None:
        work.append(f"{report.intensity:.3g} flop/B")
    if report.transcendentals:
        work.insert(1, amount(report.transcendentals, "exp, sin or the like"))
    if report.turns == "once":
        work.append("each loop's body once")
    if any(not item.startswith("?") for item in work):
        rows.append(("work", "; ".join(work)))
    if report.temp_bytes is not None:
        rows.append(("extra memory", amount(report.temp_bytes, "B")))
    return rows


def texts(report: Explanation) -> list[tuple[str, str, str]]:
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


def text(report: Explanation) -> str:
    """The page for a terminal: plain text of at most 70 columns."""
    lines = [f"{report.name}: from Python to machine code"[:WIDTH], ""]
    for label, sentence in facts(report):
        lines += wrapped(sentence, f"  {label:{LABEL}}", " " * (LABEL + 2))
    for heading, body, name in texts(report):
        lines += ["", heading]
        lines += ["  " + line for line in shortened(body, name, WIDTH - 2)]
    return "\n".join(lines)


def html(report: Explanation) -> str:
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
