"""An explanation as a graph."""

from typing import Any
from matplotlib.figure import Figure


def graph(report: Any) -> Figure:
    """Stub."""
    return Figure()
