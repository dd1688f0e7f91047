"""A figure as text: its lines and points, drawn in the characters of a terminal."""

from collections.abc import Iterator
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np

# One for each line, one for each set of points: without colour, they tell.
LINES, POINTS = ("hd", "•", "-", "*"), ("x", "o", "+", "#")
HEIGHT = 16
FRAME = 14  # columns beside the plot; a title that is wider would not be shown
MOST = 2_000  # points of a line that are drawn


class Series(NamedTuple):
    """Points as they lie on the paper, where an axis may be logarithmic."""

    x: Any
    y: Any
    joined: bool
    label: str


def sketch(figure: Any, width: int, *, colour: bool) -> list[str]:
    """The lines and points of a figure with one pair of axes, or nothing.

    Args:
        figure: a matplotlib figure.
        width: columns.
        colour: whether the terminal shows any.
    """
    if len(figure.axes) != 1:
        return []
    (axes,) = figure.axes
    series = [*_lines(axes), *_points(axes)]
    if axes.images or not series:
        return []
    import plotext

    canvas = plotext.figure
    canvas.clear()
    canvas.theme("simple" if colour else "colorless")
    canvas.plot_size(width, HEIGHT)
    canvas.title(_cut(axes.get_title(), width - FRAME))
    canvas.label(axes.get_xlabel(), axis="x")
    for axis in ("x", "y"):
        low, high = sorted(getattr(axes, f"get_{axis}lim")())
        ticks = [t for t in getattr(axes, f"get_{axis}ticks")() if low <= t <= high]
        ruler = canvas.ruler(axis)
        ruler.lim(*map(float, scaled(axes, axis, [low, high])))
        ruler.ticks(scaled(axes, axis, ticks).tolist(), [f"{t:.4g}" for t in ticks])
    named = []
    marks = {True: cycle(LINES), False: cycle(POINTS)}
    for each in series:
        mark = next(marks[each.joined])
        signal = canvas.signal(each.x.tolist(), each.y.tolist(), marker=mark)
        canvas.draw(signal.lines(True) if each.joined else signal)
        if each.label and not each.label.startswith("_"):
            named.append(f"{'▞' if mark == 'hd' else mark} {each.label}")
    built = str(canvas.build())
    canvas.clear()
    text = built if colour else plotext.uncolorize(built)
    lines = [line.rstrip() for line in text.rstrip("\n").split("\n")]
    if upwards := axes.get_ylabel():  # above its axis, where one looks for it
        lines.insert(bool(axes.get_title()), f"  {_cut(upwards, width - 2)}")
    return [*lines, *_legend(named, width)]


def _cut(text: str, width: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def _legend(named: list[str], width: int) -> list[str]:
    """The names of the lines, as many in a row as there is room for."""
    rows: list[str] = []
    for name in named:
        if rows and len(rows[-1]) + len(name) + 3 <= width:
            rows[-1] += f"   {name}"
        else:
            rows.append(f"     {name}"[:width])
    return rows


def scaled(axes: Any, axis: str, numbers: Any) -> Any:
    """Numbers as they lie on the paper; nan for what a logarithm does not have."""
    array: np.ndarray[Any, Any] = np.ma.filled(
        np.ma.asarray(numbers, dtype=float), np.nan
    )
    if getattr(axes, f"get_{axis}scale")() != "log":
        return array
    with np.errstate(all="ignore"):
        return np.log10(np.where(array > 0, array, np.nan))


def _series(axes: Any, points: Any, *, joined: bool, label: str) -> Iterator[Series]:
    x, y = (scaled(axes, axis, points[:, i]) for i, axis in enumerate("xy"))
    seen = np.isfinite(x) & np.isfinite(y)
    step = max(1, int(seen.sum()) // MOST)
    if seen.any():
        yield Series(x[seen][::step], y[seen][::step], joined, label)


def _lines(axes: Any) -> Iterator[Series]:
    for line in axes.lines:
        points = np.ma.column_stack(line.get_data(orig=False))
        if line.get_transform() != axes.transData:  # axhline's x is no datum
            to_data = line.get_transform() + axes.transData.inverted()
            points = to_data.transform(points)
        joined = line.get_linestyle() not in ("None", "", " ")
        yield from _series(axes, points, joined=joined, label=str(line.get_label()))


def _points(axes: Any) -> Iterator[Series]:
    for points in axes.collections:
        if type(points).__name__ == "PathCollection" and len(points.get_offsets()):
            label = str(points.get_label())
            yield from _series(axes, points.get_offsets(), joined=False, label=label)
