"""Weighs the clues: which the trace confirms, which it refutes, what is left over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jaxintro.lens._purity.state import Change
from jaxintro.lens._purity.words import (
    ITERATOR,
    LEAK,
    MUTATION,
    OUTPUT,
    RANDOMNESS,
    Clue,
)


def weigh(
    clues: Iterable[Clue], changes: list[Change], complete: bool, home: tuple[str, int]
) -> Iterator[Clue]:
    """The clues that stand; `home` is where the audited function begins.

    What the source suggests counts at once where a trace cannot show it. What a trace
    does show (an output, a change) counts if it was seen, or if the trace was not
    completed.
    """
    clues = list(clues)
    printed = {clue[1:3] for clue in clues if clue.kind == OUTPUT and not clue.needs}
    explained: set[object] = set()
    weak: list[Clue] = []
    unsteady: list[Clue] = []
    random = False
    for clue in clues:
        random = random or clue.kind in (RANDOMNESS, ITERATOR)
        if clue.needs == "unexplained":
            weak.append(clue)
        elif clue.needs == "change":
            found = [each for each in changes if each.explains(clue.label, clue.step)]
            explained.update(each.place for each in found)
            if found or not complete:
                yield confirmed(clue, found)
        elif clue.needs == "output":
            if clue[1:3] in printed or not complete:
                yield clue
        elif clue.needs == "steady":
            unsteady.append(clue)
        elif clue.needs != "stop" or not complete:
            yield clue
    if not random:
        yield from unsteady
    left = [each for each in changes if each.own and each.place not in explained]
    if any(each.chance for each in left) and not random:
        what = "something called from here draws from a random generator"
        yield Clue(RANDOMNESS, *home, what)
    yield from unexplained([each for each in left if not each.chance], weak, home)


def confirmed(clue: Clue, changes: list[Change]) -> Clue:
    """A change that was seen: a leak, if a tracer was left behind."""
    if not any(each.leaked for each in changes):
        return clue
    what = clue.what.replace("changes ", "keeps a tracer in ", 1)
    return clue._replace(kind=LEAK, variant="", what=what)


def unexplained(
    changes: list[Change], weak: list[Clue], home: tuple[str, int]
) -> Iterator[Clue]:
    """Changes that were seen, and that no statement was found for."""
    places = {"argument": "the argument ", "global": "the global "}
    reported: set[object] = set()
    for label in dict.fromkeys(each.label for each in changes):
        same = [each for each in changes if each.label == label]
        if all(each.place in reported for each in same):
            continue
        reported.update(each.place for each in same)
        lines = [
            clue
            for clue in weak
            if clue.label == label or (clue.label or ("",))[0] == "parameter"
        ]
        for clue in lines:
            yield confirmed(clue, same)
        if not lines:
            name = f"`{label[1]}`"
            variant = "mutation of an argument" if label[0] == "argument" else ""
            what = f"changes {places.get(label[0], '')}{name}, somewhere in its calls"
            clue = Clue(MUTATION, *home, what, name, variant)
            yield confirmed(clue, same)
