"""Which diagnostics the trace confirms, which it refutes, and what is left over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from jaxintro.lens.audit.kinds import (
    ITERATOR,
    LEAK,
    MUTATION,
    OUTPUT,
    RANDOMNESS,
    Diagnostic,
)
from jaxintro.lens.audit.trace.state import SETTING, Change, Spot

Where = tuple[str, int]
CHANGED = ("change", "counter")


def confirm(
    diagnostics: Iterable[Diagnostic],
    changes: list[Change],
    complete: bool,
    home: Where,
    located: Mapping[Any, Where],
    placed: Callable[[Diagnostic], Diagnostic],
) -> Iterator[Diagnostic]:
    """The diagnostics that stand; `home` is where the audited function begins.

    What the source suggests counts at once where a trace cannot show it. What a trace
    does show (an output, a change) counts if it was seen, or if the trace was not
    completed. A change that no statement explains was `located` by its line.
    """
    diagnostics = list(diagnostics)
    printed = {each[1:3] for each in diagnostics if shows(each, OUTPUT)}
    kept = {each[1:3] for each in diagnostics if shows(each, LEAK)}
    weak: list[Diagnostic] = []
    unsteady: list[Diagnostic] = []
    differ = any(each.needs == "steady" for each in diagnostics)
    random = any(each.kind in (RANDOMNESS, ITERATOR) for each in diagnostics)
    known = random or bool(counted(diagnostics, changes))
    for each in diagnostics:
        if each.needs == "unexplained":
            weak.append(each)
        elif each.needs in CHANGED:
            if each.needs == "counter" and complete and not differ:
                continue
            found = [one for one in changes if one.explains(each.label, each.step)]
            if each.kind == MUTATION and (found or not complete):
                yield confirmed(each, found)
            elif found or not complete:
                yield each
        elif each.needs == "output":
            if each[1:3] in printed or not complete:
                yield each
        elif each.needs == "differs":
            if differ or not complete:
                yield each
        elif each.needs == "no leak":
            if each[1:3] not in kept:
                yield each
        elif each.needs == "steady":
            unsteady.append(each)
        elif each.needs != "stop" or not complete:
            yield each
    if not known:
        yield from unsteady
    left = unexplained(diagnostics, changes)
    if any(each.chance for each in left) and not random:
        what = "something called from here draws from a random generator"
        yield Diagnostic(RANDOMNESS, *home, what)
    left = [each for each in left if not each.chance]
    yield from leftover(left, weak, home, located, placed)


def shows(diagnostic: Diagnostic, kind: str) -> bool:
    """Whether a diagnostic of a kind was seen in the trace itself."""
    return diagnostic.kind == kind and not diagnostic.needs


def unexplained(
    diagnostics: Iterable[Diagnostic], changes: list[Change]
) -> list[Change]:
    """The changes of the user's own data for which no statement was found."""
    explained = {
        change.place
        for each in diagnostics
        if each.needs in CHANGED and each.kind == MUTATION
        for change in changes
        if change.explains(each.label, each.step)
    }
    return [each for each in changes if each.own and each.place not in explained]


def counted(diagnostics: Iterable[Diagnostic], changes: list[Change]) -> set[Spot]:
    """Where numbers are counted up to be given out: they go on in a second trace."""
    return {
        change.spot
        for each in diagnostics
        if each.needs == "counter"
        for change in changes
        if change.explains(each.label, each.step)
    }


def confirmed(diagnostic: Diagnostic, changes: list[Change]) -> Diagnostic:
    """A change that was seen: a leak, if a tracer was left behind."""
    leaks = [each for each in changes if each.leaked]
    if not leaks:
        return diagnostic
    what = diagnostic.what.replace("changes ", "keeps a tracer in ", 1)
    chain = next((each.chain for each in leaks if each.chain), "")
    if chain and f"`{chain}`" not in what.replace('"', "'"):
        what += f": it is `{chain}`"
    return diagnostic._replace(kind=LEAK, variant="", what=what)


def leftover(
    changes: list[Change],
    weak: list[Diagnostic],
    home: Where,
    located: Mapping[Any, Where],
    placed: Callable[[Diagnostic], Diagnostic],
) -> Iterator[Diagnostic]:
    """Changes that were seen, at the lines at which they were made."""
    reported: set[object] = set()
    for label in dict.fromkeys(each.label for each in changes):
        same = [each for each in changes if each.label == label]
        if all(each.place in reported for each in same):
            continue
        reported.update(each.place for each in same)
        for line in dict.fromkeys(located.get(each.spot) for each in same):
            there = [each for each in same if located.get(each.spot) == line]
            made = placed(change_at(label, line, home))
            known = [each for each in weak if each[1:3] == made[1:3]]
            for each in known or [made]:
                yield confirmed(each, there)


def change_at(label: tuple[str, str], line: Where | None, home: Where) -> Diagnostic:
    """The diagnostic of a change that was seen on a line, or somewhere."""
    places = {"argument": "the argument ", "global": "the global ", "closure": ""}
    name = f"`{label[1]}`"
    what = f"changes {places.get(label[0], '')}{name}"
    what = f"{what}, somewhere in its calls" if line is None else f"{{}} {what}"
    variant = "mutation of an argument" if label[0] == "argument" else ""
    if label[0] == SETTING:
        what, variant = what.replace("changes ", "changes the setting "), "setting"
    return Diagnostic(MUTATION, *(line or home), what, name, variant)
