"""Figures are returned in containers in containers.

Status: 0
Says: Saved
Options: --figures pictures
"""

from matplotlib.figure import Figure


def demo():
    """A demo."""
    return {"a/b": [Figure()], "a_b": ({"c": Figure()},)}
