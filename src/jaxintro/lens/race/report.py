"""The outcome of a race: times, ratios, what can be told apart."""

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jaxintro.lens.page import WIDTH, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Interval = tuple[float, float]
NARROW = 5  # times the fastest: a picture up to there needs no logarithm
WIDE = 50  # times the fastest: from there on powers of ten are marks enough


@dataclass(frozen=True, repr=False)
class Race:
    """How fast each contestant was, and which differences can be told.

    Attributes:
        names: of the contestants, in the order given.
        first_seconds: seconds of each one's first call, compilation included.
        seconds: seconds of a later call: the median of the fastest fifth.
        ratios: the same over that of the fastest, at least 1.
        intervals: (low, high) of each ratio, (1, 1) for the fastest.
        rounds: how often all were timed in turn.
        calls: how many calls made one timing.
        samples: seconds a call, [round, contestant].
        pairs: intervals of all ratios, [contestant, contestant].
        confidence: that all intervals hold together.
        checked: whether the results were compared.
        notes: what to know of the table: results of other dtypes, programs that were
            compiled before, work at two speeds.
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
    notes: tuple[str, ...] = ()

    @property
    def fastest(self) -> str:
        """The name of the contestant with the smallest time."""
        return self.ranking[0]

    @property
    def ranking(self) -> tuple[str, ...]:
        """The names, fastest first."""
        seconds = dict(zip(self.names, self.seconds, strict=True))
        return tuple(sorted(self.names, key=seconds.__getitem__))

    def ratio(self, slower: str, faster: str) -> float:
        """Return how many times as long a call of `slower` takes as one of `faster`."""
        return self.seconds[self._at(slower)] / self.seconds[self._at(faster)]

    def interval(self, slower: str, faster: str) -> Interval:
        """Return the interval (low, high) of `ratio(slower, faster)`."""
        return self.pairs[self._at(slower)][self._at(faster)]

    def told_apart(self, a: str, b: str) -> bool:
        """Return whether the interval of the ratio of `a` and `b` leaves out 1."""
        low, high = self.interval(a, b)
        return not low <= 1 <= high

    def _at(self, name: str) -> int:
        if name not in self.names:
            known = ", ".join(map(repr, self.names))
            raise ValueError(f"no contestant {name!r} in this race: there are {known}")
        return self.names.index(name)

    @property
    def verdict(self) -> str:
        """What the race has shown, in words."""
        first, *others = self.ranking
        if not others:
            return f"{brief(first)} takes {duration(self.seconds[0])} a call"
        tied = [name for name in others if not self.told_apart(name, first)]
        if tied:
            return f"no difference can be told between {listed([first, *tied])}"
        low, high = self.interval(others[0], first)
        times = number(self.ratio(others[0], first))
        bounds = f"[{number(low)}, {number(high)}]"
        return f"{brief(first)} is {times} times as fast as {brief(others[0])} {bounds}"

    def table(self) -> list[tuple[str, ...]]:
        """Return the cells, fastest first, below a row of headings."""
        rows: list[tuple[str, ...]] = []
        rows.append(
            ("", "a call", "first call", "ratio", f"{self.confidence:.0%} sure")
        )
        for name in self.ranking:
            at = self._at(name)
            low, high = self.intervals[at]
            spread = f"{number(low)} to {number(high)}" if name != self.fastest else ""
            times = (duration(self.seconds[at]), duration(self.first_seconds[at]))
            rows.append((name, *times, number(self.ratios[at]), spread))
        return rows

    def __str__(self) -> str:
        rows = self.table()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        widths[0] = min(widths[0], WIDTH - sum(widths[1:]) - 2 * len(widths[1:]))
        lines = []
        for name, *cells in rows:
            if len(name) > widths[0]:
                name = name[: widths[0] - 1] + "…"
            right = [c.rjust(w) for c, w in zip(cells, widths[1:], strict=True)]
            lines.append("  ".join([name.ljust(widths[0]), *right]).rstrip())
        lines += wrapped(self.verdict)
        return "\n".join(
            [*lines, *(w for n in self.notes for w in wrapped(n, "", "  "))]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *body = [[html.escape(cell) for cell in row] for row in self.table()]
        lines = ["<tr><th>" + "</th><th>".join(head) + "</th></tr>"]
        lines += ["<tr><td>" + "</td><td>".join(row) + "</td></tr>" for row in body]
        table = "<table>" + "".join(lines) + "</table>"
        said = "".join(f"<p>{html.escape(x)}</p>" for x in (self.verdict, *self.notes))
        return f"<div>{table}{said}</div>"

    def plot(self) -> "Figure":
        """Return a figure with a line for each contestant, fastest on top.

        Ticks are timings of one round each, the dot is the time of the table.
        """
        from jaxintro.lens.picture import Picture

        figure = Picture(figsize=(7, 1.5 + 0.4 * len(self.names)), layout="constrained")
        axes = figure.subplots()
        slowest_first = self.ranking[::-1]
        for height, name in enumerate(slowest_first):
            at = self._at(name)
            timings = [row[at] for row in self.samples]
            axes.plot(timings, [height] * len(timings), "|", color="C0", alpha=0.4)
            axes.plot([self.seconds[at]], [height], "o", color="C1")
        axes.set_yticks(range(len(self.names)), slowest_first)
        _mark_time(axes)
        title = "\n".join(wrapped(self.verdict))
        axes.set_title(title, fontsize="medium", parse_math=False)
        return figure


def _mark_time(axes: Any) -> None:
    """Give the axis of time a few marks that do not touch: 100 µs and 200 µs."""
    from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator

    low, high = axes.dataLim.intervalx
    if high < NARROW * low:
        axes.xaxis.set_major_locator(MaxNLocator(6))
    else:
        axes.set_xscale("log")
        between = (1, 2, 5) if high < WIDE * low else (1,)
        axes.xaxis.set_major_locator(LogLocator(subs=between, numticks=8))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(EngFormatter(unit="s"))
    axes.set_xlabel("time of a call")


def duration(seconds: float) -> str:
    """Return a time with three digits in the unit that suits it."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= 0.9995 * scale:
            return f"{number(seconds / scale, 3)} {unit}"
    return f"{number(seconds / 1e-9, 3)} ns"


def number(value: float, digits: int = 2) -> str:
    """Return a number with that many digits; one more near 1 and above 100."""
    if value >= 99.95:
        return f"{float(f'{value:.3g}'):,.0f}"
    if 0.0995 <= value < 1.995:
        return f"{value:.2f}"
    return f"{value:#.{digits}g}".rstrip(".")


def listed(names: list[str]) -> str:
    """Return two or more names as a phrase: a, b and c."""
    names = [brief(name) for name in names]
    return " and ".join([", ".join(names[:-1]), names[-1]])


def brief(name: str) -> str:
    """Return a name that fits in a line with others."""
    return name if len(name) <= 40 else name[:39] + "…"
