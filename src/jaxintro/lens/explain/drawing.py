"""An explanation as a picture: equations from top to bottom, kernels around them.

Each equation has a row of its own. What goes to the next row is an arrow straight down;
what goes further takes a lane at the right, so that no arrow crosses an equation.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from jaxintro.lens.explain.rows import Row, Table, listed, table
from jaxintro.lens.page import plural
from jaxintro.lens.picture import Picture

# inches
ROW, HEADER, LANE, LETTER, MARGIN = 0.36, 0.26, 0.13, 0.075, 0.2
FUSED, LOOSE = "#1f77b4", "#999999"
COLOURS = ("#444444", "#2a7f62", "#a0522d", "#6a51a3", "#b8860b")
LONGEST = 34  # letters of a label


class Lane(NamedTuple):
    """A line down the right side: from a row to others, and how far to the right."""

    start: int
    ends: list[int]
    place: int


def graph(jaxpr: Any, name: str, kernels: int | None) -> Picture:
    """The jaxpr from top to bottom, what is computed in one kernel outlined.

    An equation without an outline is computed in no kernel of its own: it was dropped,
    or merged with another. In more than 30 equations what repeats is drawn once, with
    a bracket that says how often.
    """
    shown = table(jaxpr)
    heights = [*heights_of(shown.rows)]
    lanes = lanes_of(shown.edges)
    letters = max([len(cut(row.label)) for row in shown.rows] + [14])
    heading = max(len(f"kernels {span(row.kernels)}") for row in shown.rows)
    half = max(letters * LETTER / 2 + 0.1, heading * 0.058)
    names = [cut(listed([*row.arguments])) for row in shown.rows]
    right = half + MARGIN + LANE * (1 + max([lane.place for lane in lanes], default=0))
    left = half + MARGIN + 0.45 + max(map(len, names), default=0) * LETTER
    width, height = left + right + 1.0, (heights or [0])[-1] + 2 * ROW + 0.5
    figure = Picture(figsize=(max(width, 3.5), height), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlim=(-left, right + 1.0), ylim=((heights or [0])[-1] + ROW, -ROW))
    axes.set_axis_off()
    said = title(shown, name, kernels)
    axes.set_title(said, fontsize=9, loc="left", parse_math=False)
    outlines(axes, shown.rows, heights, half)
    nodes(axes, shown.rows, heights, half)
    for y, text in zip(heights, names, strict=True):
        if text:
            start = -half - MARGIN - 0.35
            write(axes, start, y, text, ha="right", va="center", fontsize=8)
            arrow(axes, [(start + 0.05, y), (-half, y)], COLOURS[0])
    wires(axes, shown, heights, lanes, half)
    for fold in shown.folds:
        bracket(axes, right, heights[fold.first], heights[fold.last], fold.times)
    return figure


def heights_of(rows: list[Row]) -> Iterator[float]:
    """How far down each row stands; a new outline needs room for its heading."""
    down, band = 0.0, None
    for row in rows:
        if row.band != band:
            down += HEADER if row.kernels else HEADER / 2
        yield down
        down, band = down + ROW, row.band


def lanes_of(edges: list[tuple[int, int]]) -> list[Lane]:
    """A lane for each row whose values go elsewhere than to the next one.

    The shorter a lane, the further inside it is.
    """
    far: dict[int, list[int]] = {}
    for start, end in edges:
        if end != start + 1:
            far.setdefault(start, []).append(end)
    lanes: list[Lane] = []
    spans = {start: (min([start, *e]), max([start, *e])) for start, e in far.items()}
    for start in sorted(far, key=lambda start: spans[start][1] - spans[start][0]):
        top, bottom = spans[start]
        beside = [s for s in lanes if spans[s.start][0] <= bottom]
        taken = {lane.place for lane in beside if top <= spans[lane.start][1]}
        place = min(set(range(len(lanes) + 1)) - taken)
        lanes.append(Lane(start, sorted(far[start]), place))
    return lanes


def wires(
    axes: Axes, shown: Table, heights: list[float], lanes: list[Lane], half: float
) -> None:
    """The arrows from row to row: straight down, or by a lane."""
    for start, end in shown.edges:
        if end == start + 1:
            ends = [(0.0, heights[start] + 0.1), (0.0, heights[end] - 0.1)]
            arrow(axes, ends, COLOURS[0])
    ports = dict[int, list[tuple[int, bool]]]()  # row → its lanes, and whether they end
    for number, lane in enumerate(lanes):
        ports.setdefault(lane.start, []).append((number, False))
        for end in lane.ends:
            ports.setdefault(end, []).append((number, True))

    def port(row: int, number: int, ends: bool) -> float:
        """Where on the side of a row a lane begins or ends: each at its own height."""
        order = sorted(ports[row], key=lambda each: (not each[1], lanes[each[0]].place))
        share = (order.index((number, ends)) + 1) / (len(order) + 1)
        return heights[row] + (share - 0.5) * 0.2

    for number, lane in enumerate(lanes):
        x = half + MARGIN + LANE * (lane.place + 1)
        colour = COLOURS[lane.place % len(COLOURS)]
        begin = port(lane.start, number, False)
        for end in lane.ends:
            y = port(end, number, True)
            arrow(axes, [(half, begin), (x, begin), (x, y), (half, y)], colour)


def arrow(axes: Axes, points: list[tuple[float, float]], colour: str) -> None:
    """A line along these points with a head at its end."""
    across, down = zip(*points, strict=True)
    axes.plot(across, down, color=colour, linewidth=0.8, gid="arrow")
    style = {"arrowstyle": "-|>", "color": colour, "linewidth": 0.8, "shrinkB": 0}
    axes.annotate("", points[-1], points[-2], arrowprops={**style, "shrinkA": 0})


def frame(
    axes: Axes, half: float, top: float, bottom: float, *, rounded: float, **looks: Any
) -> None:
    """A box with round corners, as wide to the left of the middle as to the right."""
    style = f"round,pad=0,rounding_size={rounded}"
    size = 2 * half, bottom - top
    box = FancyBboxPatch((-half, top), *size, boxstyle=style, linewidth=0.8, **looks)
    axes.add_patch(box)


def outlines(axes: Axes, rows: list[Row], heights: list[float], half: float) -> None:
    """A box around the rows of each kernel, with its number."""
    for band in dict.fromkeys(row.band for row in rows if row.kernels):
        inside = [at for at, row in enumerate(rows) if row.band == band]
        kernels = tuple(dict.fromkeys(k for at in inside for k in rows[at].kernels))
        top = heights[inside[0]] - HEADER - 0.12
        bottom = heights[inside[-1]] + 0.16
        colours = {"facecolor": "#e8f1fa", "edgecolor": FUSED}
        frame(axes, half + 0.1, top, bottom, rounded=0.06, gid="kernel", **colours)
        label = f"kernel{'s' if len(kernels) > 1 else ''} {span(kernels)}"
        place = (-half - 0.04, top + 0.04)
        write(axes, *place, label, va="top", fontsize=6.5, color=FUSED)


def nodes(axes: Axes, rows: list[Row], heights: list[float], half: float) -> None:
    """A box for each equation; results are plain words."""
    for row, y in zip(rows, heights, strict=True):
        if row.band >= 0:
            edge = FUSED if row.kernels else LOOSE
            colours = {"facecolor": "white", "edgecolor": edge}
            frame(axes, half, y - 0.1, y + 0.1, rounded=0.05, gid="equation", **colours)
        weight = "normal" if row.band >= 0 else "bold"
        centred = {"ha": "center", "va": "center", "fontsize": 8, "weight": weight}
        write(axes, 0, y, cut(row.label), **centred)


def bracket(axes: Axes, x: float, top: float, bottom: float, times: int) -> None:
    """A bracket at the right of rows that stand for several times as many."""
    x, top, bottom = x + 0.12, top - 0.12, bottom + 0.12
    across, down = [x - 0.06, x, x, x - 0.06], [top, top, bottom, bottom]
    axes.plot(across, down, color="#c0392b", linewidth=1.2, gid="fold")
    style = {"va": "center", "fontsize": 8, "color": "#c0392b"}
    write(axes, x + 0.06, (top + bottom) / 2, f"{times} times", **style)


def write(axes: Axes, x: float, y: float, text: str, **style: Any) -> None:
    """Words as they are: a dollar sign begins no formula."""
    axes.text(x, y, text, parse_math=False, **style)


def cut(text: str) -> str:
    """A label short enough to stand in the picture."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def span(numbers: tuple[int, ...]) -> str:
    """Numbers in few words: `3`, `3 to 7`, `3, 5, … 21`."""
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    if len(numbers) > 3:
        return f"{numbers[0]}, {numbers[1]}, … {numbers[-1]}"
    return ", ".join(map(str, numbers))


def title(shown: Table, name: str, kernels: int | None) -> str:
    """What the picture shows, and what it leaves out."""
    copies = {number for row in shown.rows for number in row.equations}
    lines = [f"{name}: {plural(len(copies), 'equation')}"]
    if kernels is not None:
        lines[0] += f", {plural(kernels, 'kernel')}"
    if shown.left_out:
        lines.append(f"(without the last {plural(shown.left_out, 'row')})")
    if any(not row.kernels and row.band >= 0 for row in shown.rows):
        lines.append("grey: dropped, or merged with another")
    return "\n".join(lines)
