"""The outcome of a race: medians, ratios, what can be told apart."""

import html
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Interval = tuple[float, float]


@dataclass(frozen=True)
class Race:
    """How fast each contestant was, and which differences can be told.

    Attributes:
        names: of the contestants, in the order given.
        first_seconds: seconds of each one's first call, compilation included.
        seconds: median seconds of a later call.
        ratios: median over the fastest median, at least 1.
        intervals: (low, high) of each ratio, (1, 1) for the fastest.
        rounds: how often all were timed in turn.
        calls: how many calls made one timing.
        samples: seconds a call, [round, contestant].
        pairs: interval of the ratio of medians, [contestant, contestant].
        confidence: that all intervals hold together.
        checked: whether the results were compared.
    """

    names: tuple[str, ...]
    first_seconds: tuple[float, ...]
    seconds: tuple[float, ...]
    ratios: tuple[float, ...]
    intervals: tuple[Interval, ...]
    rounds: int
    calls: tuple[int, ...]
    samples: tuple[tuple[float, ...], ...] = field(repr=False)
    pairs: tuple[tuple[Interval, ...], ...] = field(repr=False)
    confidence: float
    checked: bool

    @property
    def fastest(self) -> str:
        """The name of the contestant with the smallest median."""
        return self.ranking[0]

    @property
    def ranking(self) -> tuple[str, ...]:
        """The names, fastest first."""
        seconds = dict(zip(self.names, self.seconds, strict=True))
        return tuple(sorted(self.names, key=seconds.__getitem__))

    def ratio(self, slower: str, faster: str) -> float:
        """Return how many times as long a call of `slower` takes as one of `faster`."""
        return self.seconds[self._index(slower)] / self.seconds[self._index(faster)]

    def interval(self, slower: str, faster: str) -> Interval:
        """Return the interval (low, high) of `ratio(slower, faster)`."""
        return self.pairs[self._index(slower)][self._index(faster)]

    def told_apart(self, a: str, b: str) -> bool:
        """Return whether the interval of the ratio of `a` and `b` leaves out 1."""
        low, high = self.interval(a, b)
        return not low <= 1 <= high

    def _index(self, name: str) -> int:
        if name not in self.names:
            known = ", ".join(map(repr, self.names))
            raise ValueError(f"no contestant {name!r} in this race: there are {known}")
        return self.names.index(name)

    @property
    def verdict(self) -> str:
        """What the race has shown, in words."""
        first, *others = self.ranking
        if not others:
            return f"{first} takes {duration(self.seconds[0])} a call"
        tied = [name for name in others if not self.told_apart(name, first)]
        if tied:
            return f"no difference can be told between {listed([first, *tied])}"
        second = others[0]
        low, high = self.interval(second, first)
        bounds = f"[{number(low)}, {number(high)}]"
        times = number(self.ratio(second, first))
        return f"{first} is {times} times as fast as {second} {bounds}"

    def rows(self) -> list[tuple[str, ...]]:
        """Return the table, fastest first, its first row the headings."""
        share = f"{self.confidence:.0%}".replace("%", " %")
        table: list[tuple[str, ...]] = []
        table.append(("", "a call", "first call", "ratio", f"{share} interval"))
        for name in self.ranking:
            at = self._index(name)
            low, high = self.intervals[at]
            spread = f"{number(low)} to {number(high)}" if name != self.fastest else ""
            times = (duration(self.seconds[at]), duration(self.first_seconds[at]))
            table.append((name, *times, number(self.ratios[at]), spread))
        return table

    def __str__(self) -> str:
        rows = [
            (textwrap.shorten(r[0], 26, placeholder="…"), *r[1:]) for r in self.rows()
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = []
        for name, *cells in rows:
            right = [c.rjust(w) for c, w in zip(cells, widths[1:], strict=True)]
            lines.append("  ".join([name.ljust(widths[0]), *right]).rstrip())
        return "\n".join([*lines, *textwrap.wrap(self.verdict, 72)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *body = [[html.escape(cell) for cell in row] for row in self.rows()]
        lines = ["<tr><th>" + "</th><th>".join(head) + "</th></tr>"]
        lines += ["<tr><td>" + "</td><td>".join(row) + "</td></tr>" for row in body]
        table = "<table>" + "".join(lines) + "</table>"
        return f"{table}<p>{html.escape(self.verdict)}</p>"

    def plot(self) -> "Figure":
        """Return a figure of all timings and their medians, fastest on top."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7, 1.2 + 0.5 * len(self.names)), layout="constrained")
        axes = figure.subplots()
        for height, name in enumerate(reversed(self.ranking)):
            at = self._index(name)
            samples = [row[at] for row in self.samples]
            axes.plot(samples, [height] * len(samples), "|", color="C0", alpha=0.4)
            axes.plot([self.seconds[at]], [height], "o", color="C1")
        axes.set_yticks(range(len(self.names)), list(reversed(self.ranking)))
        axes.set_xscale("log")
        axes.set_xlabel("seconds a call: each round, and the median")
        axes.set_title(self.verdict, fontsize="medium", wrap=True)
        return figure


def duration(seconds: float) -> str:
    """Return a time with three digits in the unit that suits it."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= 0.9995 * scale:
            return f"{number(seconds / scale, 3)} {unit}"
    return f"{number(seconds / 1e-9, 3)} ns"


def number(value: float, digits: int = 2) -> str:
    """Return a number with that many significant digits, or all before the point."""
    if value >= 10**digits:
        return f"{value:,.0f}".replace(",", " ") if value >= 1e4 else f"{value:.0f}"
    return f"{value:#.{digits}g}".rstrip(".")


def listed(names: list[str]) -> str:
    """Return names as a phrase: a, b and c."""
    return " and ".join([", ".join(names[:-1]), names[-1]])
