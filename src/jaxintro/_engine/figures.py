"""What a demo drew: found when it has run, and closed, so that nobody shows it twice."""

import sys
from typing import Any


def open_figures() -> tuple[Any, ...]:
    """Every figure that pyplot holds open, taken out of its hands."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return ()
    found = tuple(pyplot.figure(number) for number in pyplot.get_fignums())
    pyplot.close("all")
    return found
