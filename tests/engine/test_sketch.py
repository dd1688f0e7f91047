"""Figures drawn as text."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from jaxintro._engine.sketch import sketch


def drawing(draw, width=60, *, colour=False):
    figure = Figure()
    draw(figure.subplots())
    return sketch(figure, width, colour=colour)


def waves(axes):
    x = np.linspace(0, 10, 200)
    axes.plot(x, np.sin(x), label="sine")
    axes.plot(x, np.cos(x), label="cosine")
    axes.set_title("Two waves")
    axes.set_xlabel("time")
    axes.set_ylabel("height")


def test_a_figure_of_lines_has_title_ticks_labels_and_legend():
    lines = drawing(waves)
    assert lines[0].strip() == "Two waves"
    assert lines[-3].split() == ["0", "2", "4", "6", "8", "10"]
    assert lines[1].strip() == "height"
    assert lines[-2].strip() == "time"
    assert lines[-1].strip() == "▞ sine   • cosine"
    ticks = [line.split("┤")[0].strip() for line in lines if "┤" in line]
    assert (ticks[0], ticks[-1]) == ("1", "-1")
    assert any("•" in line for line in lines[2:-4])
    assert any(set("▖▗▘▙▚▛▜▝▞▟▀▄▌▐█") & set(line) for line in lines[2:-4])


@pytest.mark.parametrize("width", [25, 35, 72])
def test_it_is_no_wider_than_asked_for(width):
    lines = drawing(waves, width)
    assert lines
    assert max(map(len, lines)) <= width


def test_a_long_title_is_cut_and_a_long_legend_folded():
    def draw(axes):
        for number in range(8):
            axes.plot([0, 1], [number, number], label=f"the line number {number}")
        axes.set_title("a title of many words " * 5)

    lines = drawing(draw, 50)
    assert lines[0].strip().startswith("a title of many words a title")
    assert lines[0].endswith("…")
    assert max(map(len, lines)) <= 50
    legend = " ".join(line.strip() for line in lines[-4:])
    assert all(f"the line number {number}" in legend for number in range(8))


def test_logarithmic_axes_are_logarithmic():
    def draw(axes):
        axes.loglog([1, 10, 100], [1, 1e-3, 1e-6], ".")

    lines = drawing(draw)
    columns, rows = [], []
    for i, line in enumerate(lines):
        inside = line.partition("┤")[2] or line.partition("│")[2]
        for j, sign in enumerate(inside):
            if sign == "x":
                rows.append(i)
                columns.append(j)
    assert len(rows) == 3
    assert rows[1] - rows[0] == pytest.approx(rows[2] - rows[1], abs=1)
    assert columns[1] - columns[0] == pytest.approx(columns[2] - columns[1], abs=1)
    assert lines[-1].split() == ["1", "10", "100"]


def test_what_a_logarithm_does_not_have_is_left_out():
    assert drawing(lambda axes: axes.semilogy([0, 1, 2, 3], [1.0, 0.1, 0.0, -1.0]))


def test_a_line_across_stands_where_it_belongs():
    def draw(axes):
        axes.plot([0, 100], [0, 1])
        axes.axhline(0.5)

    lines = drawing(draw)
    (across,) = (i for i, line in enumerate(lines) if line.count("•") > 30)
    (above,) = (i for i, line in enumerate(lines) if line.startswith("0.6┤"))
    (below,) = (i for i, line in enumerate(lines) if line.startswith("0.4┤"))
    assert above < across < below


def test_points_are_drawn():
    lines = drawing(lambda axes: axes.scatter([1, 2, 3], [3, 1, 2], label="three"))
    assert lines[-1].strip() == "x three"


@pytest.mark.parametrize(
    "draw",
    [
        lambda axes: None,
        lambda axes: axes.imshow(np.eye(3)),
        lambda axes: (axes.imshow(np.eye(3)), axes.plot([0, 1])),
        lambda axes: axes.contour(np.eye(3)),
        lambda axes: axes.bar([1, 2], [3, 4]),
        lambda axes: axes.plot([np.nan], [np.nan]),
        lambda axes: (axes.plot([0, 1]), axes.figure.add_subplot(2, 2, 4).plot([0, 1])),
    ],
    ids=["empty", "image", "line on an image", "contours", "bars", "nan", "two axes"],
)
def test_what_cannot_be_drawn_gives_nothing(draw):
    assert drawing(draw) == []


def test_colour_only_where_there_is_some():
    assert "\x1b[" in "".join(drawing(waves, colour=True))
    assert "\x1b" not in "".join(drawing(waves))


def test_one_drawing_leaves_nothing_in_the_next():
    assert drawing(waves) == drawing(waves)
    assert "sine" not in " ".join(drawing(lambda axes: axes.plot([0, 1])))


NUMBERS = st.lists(st.floats(width=32), min_size=1, max_size=5)


@given(NUMBERS, NUMBERS, st.sampled_from(["linear", "log"]), st.integers(25, 72))
@settings(max_examples=40, deadline=None)
@pytest.mark.filterwarnings("ignore")  # matplotlib's own, of axes that it must widen
def test_any_numbers_are_drawn_or_left(x, y, scale, width):
    count = min(len(x), len(y))

    def draw(axes):
        axes.plot(x[:count], y[:count])
        axes.set_xscale(scale)
        axes.set_yscale(scale)

    assert all(len(line) <= width for line in drawing(draw, width))


def test_plotext_is_imported_only_when_a_figure_is_drawn():
    code = (
        "import sys; import jaxintro._engine.session, jaxintro._engine.report; "
        "sys.exit('plotext' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
