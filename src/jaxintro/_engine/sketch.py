"""A figure as text: its lines and points, drawn in the characters of a terminal."""

from typing import Any

import numpy as np

MARKS = (
    "hd",
    "•",
    "x",
    "o",
    "+",
    "*",
)  # one for each line; without colour, one differs
HEIGHT = 16
MOST = 2_000  # points of a line that are drawn


def sketch(figure: Any, width: int, *, colour: bool) -> list[str]:
    """The lines and points of a figure with one pair of axes, or nothing.

    Args:
        figure: a matplotlib figure.
        width: columns.
        colour: whether the terminal shows any.
    """
    drawn = [axes for axes in figure.axes if axes.lines or axes.collections]
    if len(drawn) != 1:
        return []
    axes = drawn[0]
    series = [*_lines(axes), *_points(axes)]
    if not series:
        return []
    import plotext

    canvas = plotext.figure
    canvas.clear()
    canvas.theme("simple" if colour else "colorless")
    canvas.plot_size(width, HEIGHT)
    canvas.title(axes.get_title())
    canvas.label(axes.get_xlabel(), axis="x")
    canvas.label(axes.get_ylabel(), axis="y")
    for axis in ("x", "y"):
        low, high = getattr(axes, f"get_{axis}lim")()
        ticks = [t for t in getattr(axes, f"get_{axis}ticks")() if low <= t <= high]
        ruler = canvas.ruler(axis)
        ruler.lim(*map(float, scaled(axes, axis, [low, high])))
        ruler.ticks(scaled(axes, axis, ticks).tolist(), [f"{t:.4g}" for t in ticks])
    named = []
    for (x, y, joined, label), mark in zip(series, MARKS, strict=False):
        across, up = scaled(axes, "x", x).tolist(), scaled(axes, "y", y).tolist()
        signal = canvas.signal(across, up, marker=mark)
        canvas.draw(signal.lines(True) if joined else signal)
        if label and not label.startswith("_"):
            named.append(f"{'▞' if mark == 'hd' else mark} {label}")
    built = str(canvas.build())
    canvas.clear()
    text = built if colour else plotext.uncolorize(built)
    lines = [line.rstrip() for line in text.rstrip("\n").split("\n")]
    return [*lines, *(["     " + "   ".join(named)] if named else [])]


def scaled(axes: Any, axis: str, numbers: Any) -> Any:
    """Numbers as they stand on the paper, where an axis may be logarithmic."""
    array = np.asarray(numbers, dtype=float)
    if getattr(axes, f"get_{axis}scale")() != "log":
        return array
    with np.errstate(all="ignore"):
        return np.log10(np.maximum(array, np.finfo(float).tiny))


def _lines(axes: Any) -> list[tuple[Any, Any, bool, str]]:
    found = []
    for line in axes.lines:
        x, y = (np.asarray(data, dtype=float) for data in line.get_data(orig=False))
        seen = np.isfinite(x) & np.isfinite(y)
        step = max(1, len(x) // MOST)
        joined = line.get_linestyle() not in ("None", "", " ")
        found.append((x[seen][::step], y[seen][::step], joined, line.get_label()))
    return [entry for entry in found if len(entry[0])]


def _points(axes: Any) -> list[tuple[Any, Any, bool, str]]:
    found = []
    for points in axes.collections:
        if type(points).__name__ == "PathCollection" and len(points.get_offsets()):
            x, y = np.asarray(points.get_offsets(), dtype=float).T
            found.append((x, y, False, points.get_label()))
    return found
