"""A figure has a title that is no mathematics.

Status: 1
Says: ValueError
Options: --figures pictures
"""

from matplotlib import pyplot


def demo():
    """A demo."""
    _, axes = pyplot.subplots()
    axes.set_title(r"$\frac{$")
