"""What a demo drew: found when it has run, and closed, so that it is shown once."""

import sys
from typing import Any


def drawn(value: object = None) -> tuple[Any, ...]:
    """Every figure that pyplot holds open, taken out of its hands, and those returned.

    Args:
        value: what the demo returned; a figure that was made without pyplot is
            found there, alone or in tuples, lists and dicts.
    """
    found: list[Any] = []
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        found += [pyplot.figure(number) for number in pyplot.get_fignums()]
        pyplot.close("all")
    if figure := sys.modules.get("matplotlib.figure"):
        found += _within(value, figure.Figure)
    return tuple({id(each): each for each in found}.values())


def _within(value: object, kind: type) -> list[object]:
    """What is of this kind, however deep; a container may hold itself."""
    found, waiting, seen = [], [value], set[int]()
    for part in waiting:
        if isinstance(part, kind):
            found.append(part)
        elif isinstance(part, tuple | list | dict) and id(part) not in seen:
            seen.add(id(part))
            entries = part.values() if isinstance(part, dict) else part
            wanted = (kind, tuple, list, dict)
            waiting += [each for each in entries if isinstance(each, wanted)]
    return found
