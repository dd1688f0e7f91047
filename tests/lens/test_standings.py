"""A race reads well: units, digits, order, a verdict in words."""

import dataclasses
import subprocess
import sys
from itertools import pairwise

import pytest

from jaxintro.lens.race.report import Race, duration, number

SECONDS = {"numpy": 1.02e-3, "jit": 264e-6, "loop": 3.2}


def standings(seconds=SECONDS, spread=1.05):
    """A race whose intervals are all as wide as `spread` either way."""
    times = tuple(seconds.values())
    best = min(times)
    pairs = tuple(
        tuple((a / b / spread, a / b * spread) if a != b else (1.0, 1.0) for b in times)
        for a in times
    )
    return Race(
        names=tuple(seconds),
        first_seconds=tuple(50 * t for t in times),
        seconds=times,
        ratios=tuple(t / best for t in times),
        intervals=tuple(row[times.index(best)] for row in pairs),
        rounds=2,
        calls=(1,) * len(times),
        samples=(times, times),
        pairs=pairs,
        confidence=0.99,
        checked=True,
    )


def test_the_table_is_plain_and_the_verdict_comes_last():
    assert str(standings()).splitlines() == [
        "        a call  first call   ratio          99% sure",
        "jit     264 µs     13.2 ms    1.00",
        "numpy  1.02 ms     51.0 ms     3.9        3.7 to 4.1",
        "loop    3.20 s       160 s  12,100  11,500 to 12,700",
        "jit is 3.9 times as fast as numpy [3.7, 4.1]",
    ]
    assert repr(standings()) == str(standings())


def test_no_difference_is_said_in_words():
    result = standings({"a": 1.0, "b": 1.04, "c": 1.03, "d": 9.0})
    assert result.verdict == "no difference can be told between a, c and b"
    assert not result.told_apart("a", "b")
    assert result.told_apart("d", "a")


def test_one_alone_has_a_time_and_no_rival():
    assert standings({"f": 1e-5}).verdict == "f takes 10.0 µs a call"


@pytest.mark.parametrize("length", [1, 30, 200])
def test_no_line_is_wider_than_a_narrow_terminal(length):
    long = {f"{'name' * length}{i}": 1e-3 * 11.1**i for i in range(4)}
    assert max(map(len, str(standings(long)).splitlines())) <= 70


def test_ratio_and_interval_go_both_ways():
    result = standings()
    assert result.ratio("numpy", "jit") == pytest.approx(
        1 / result.ratio("jit", "numpy")
    )
    assert result.interval("numpy", "jit")[0] < result.ratio("numpy", "jit")
    assert result.ranking == ("jit", "numpy", "loop")


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(
        ValueError, match=r"'torch' in this race: there are 'numpy', 'j"
    ):
        standings().ratio("torch", "jit")


def test_a_race_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        standings().rounds = 3


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3.14e-9, "3.14 ns"),
        (999.4e-9, "999 ns"),
        (999.7e-9, "1.00 µs"),
        (4.3e-6, "4.30 µs"),
        (12.34e-6, "12.3 µs"),
        (264e-6, "264 µs"),
        (1.02e-3, "1.02 ms"),
        (1.8, "1.80 s"),
        (61.0, "61.0 s"),
        (3661.0, "3,660 s"),
    ],
)
def test_a_time_has_three_digits_and_the_unit_that_suits_it(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.031, "0.031"),
        (0.96, "0.96"),
        (1.0, "1.00"),
        (1.064, "1.06"),
        (2.04, "2.0"),
        (7.43, "7.4"),
        (9.96, "10"),
        (46.3, "46"),
        (99.96, "100"),
        (40123.0, "40,100"),
    ],
)
def test_a_ratio_has_two_digits_or_three(value, text):
    assert number(value) == text


def test_html_escapes_names():
    text = standings({"<lambda>": 1.0, "f": 9.0})._repr_html_()
    assert "&lt;lambda&gt;" in text
    assert "<lambda>" not in text


def test_a_figure_shows_every_contestant():
    result = standings({"jit": 1e-3, "with $ and _": 1e-2})
    figure = result.plot()
    labels = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert labels == ["with $ and _", "jit"]
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("slowest", [1.1e-4, 1.7e-4, 2.4e-4, 6e-4, 6e-3, 50.0])
def test_marks_of_a_figure_do_not_touch(slowest):
    figure = standings({"jit": 1e-4, "op by op": slowest}).plot()
    figure.draw_without_rendering()
    axis = figure.axes[0].xaxis
    low, high = figure.axes[0].get_xlim()
    marks = [
        mark.label1.get_window_extent()
        for mark in [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        if low <= mark.get_loc() <= high and mark.label1.get_text()
    ]
    marks.sort(key=lambda box: box.x0)
    assert len(marks) >= 2
    for left, right in pairwise(marks):
        assert left.x1 + 2 < right.x0


def test_a_figure_leaves_no_pyplot_behind_and_a_race_no_matplotlib():
    code = """if True:
        import sys
        from jaxintro.lens import race
        result = race([float], 1, seconds=0.01)
        assert "matplotlib" not in sys.modules
        result.plot()
        assert "matplotlib.pyplot" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", code], check=True)
