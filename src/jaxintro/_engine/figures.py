"""What a demo drew: found when it has run, and closed, so that it is shown once."""

import sys
from typing import Any


def drawn(value: object = None) -> tuple[Any, ...]:
    """Every figure that pyplot holds open, taken out of its hands, and those returned.

    Args:
        value: what the demo returned; a figure that was made without pyplot is
            found there, alone or in a tuple or list.
    """
    found: list[Any] = []
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        found += [pyplot.figure(number) for number in pyplot.get_fignums()]
        pyplot.close("all")
    if figure := sys.modules.get("matplotlib.figure"):
        parts = value if isinstance(value, tuple | list) else (value,)
        returned = [part for part in parts if isinstance(part, figure.Figure)]
        found += [part for part in returned if all(part is not f for f in found)]
    return tuple(found)
