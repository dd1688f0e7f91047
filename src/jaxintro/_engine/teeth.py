"""Has a check teeth? Bend what its demo returns, and see whether the check fails.

The smallest nudge that a check notices is its sharpness. A demo runs once: bent copies
of what it returned then are replayed to the check, so that measuring costs next to
nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from jaxintro._engine.bend import (
    ALTERATIONS,
    Change,
    alter,
    entries,
    is_number,
    leaves,
    mapped,
    nudge,
)
from jaxintro._engine.elsewhere import at_home
from jaxintro._engine.page import Check, Section

SMALLEST, LARGEST = 1e-9, 1.0


@dataclass(frozen=True)
class Teeth:
    """What a check notices."""

    alterations: frozenset[str]
    sharpness: float | None  # None: it speaks of something exact

    @property
    def bites(self) -> bool:
        """There is a mistake that this check would notice."""
        return bool(self.alterations) or (self.sharpness or LARGEST) < LARGEST


@at_home
def measure(module: ModuleType, section: Section, check: Check) -> Teeth:
    """The teeth of one check that holds."""
    replay = Replay(module, section.name, check.name)
    noticed = {kind for kind in ALTERATIONS if replay.notices(alter(kind))}
    sharpness = None
    if replay.has(is_number):
        sharpness = _bisect(lambda size: replay.notices(nudge(size)))
        if sharpness == LARGEST and noticed - {"order"}:
            sharpness = None
    if not noticed and sharpness is None:
        sharpness = LARGEST  # it notices nothing at all
    return Teeth(frozenset(noticed), sharpness)


@at_home
def unguarded(module: ModuleType, section: Section) -> list[str]:
    """The parts of a demo's result that could change without any check noticing.

    An entry may not be off by 1 %; what is inside of an entry, not by all of itself.
    """
    replays = [Replay(module, section.name, check.name) for check in section.checks]
    result = getattr(module, section.name)()

    def free(part: Any, place: str, size: float) -> bool:
        changes = [*map(alter, ALTERATIONS), nudge(size)]
        able = [
            change
            for change in changes
            if any(change(leaf, 0) is not leaf for leaf in leaves(part).values())
        ]
        return bool(able) and not any(
            replay.notices(change, place) for replay in replays for change in able
        )

    found = []
    for place, entry in entries(result) or [("", result)]:
        if free(entry, place, 1e-2):
            found.append(place)
        elif (inside := leaves(entry, place)).keys() != {place}:
            found += [p for p, leaf in inside.items() if free(leaf, p, LARGEST)]
    return [section.name + place for place in found]


class Replay:
    """A check, and what its demo returned to it when it held."""

    def __init__(self, module: ModuleType, demo: str, check: str) -> None:
        self.module, self.demo = module, demo
        self.check: Callable[[], object] = getattr(module, check)
        self.original: Callable[..., Any] = getattr(module, demo)
        self.calls: list[tuple[str, Any]] = []
        with self._demo_replaced(self._record):
            self.check()

    def has(self, kind: Callable[[Any], bool]) -> bool:
        """Some result holds a leaf of this kind."""
        return any(
            kind(leaf) for _, value in self.calls for leaf in leaves(value).values()
        )

    def notices(self, change: Change, only: str = "") -> bool:
        """The check fails once results are changed (one part, where it is named)."""
        recorded = iter(self.calls)
        unbent: list[Exception] = []

        def bent_demo(*args: Any, **kwargs: Any) -> Any:
            arguments, value = next(recorded, ("", None))
            if arguments != repr((args, kwargs)):
                value = self.original(*args, **kwargs)
            try:
                return mapped(change, value, only)
            except Exception as error:  # which is no failure of the check
                unbent.append(error)
                raise

        with self._demo_replaced(bent_demo):
            try:
                self.check()
            except Exception:
                if unbent:
                    raise
                return True
        return False

    def _record(self, *args: Any, **kwargs: Any) -> Any:
        value = self.original(*args, **kwargs)
        self.calls.append((repr((args, kwargs)), value))
        return value

    @contextmanager
    def _demo_replaced(self, demo: Callable[..., Any]) -> Iterator[None]:
        setattr(self.module, self.demo, demo)
        try:
            yield
        finally:
            setattr(self.module, self.demo, self.original)


def _bisect(notices: Callable[[float], bool]) -> float:
    """The smallest nudge that is noticed, within a quarter of itself."""
    low, high = SMALLEST, LARGEST
    if not notices(high):
        return LARGEST
    while high / low > 1.25:
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if notices(middle) else (middle, high)
    return high
