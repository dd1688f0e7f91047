"""What an author is told of a lesson: each proof that it fails, with line and cure."""

import ast
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from types import ModuleType

from jaxintro._engine import setting
from jaxintro._engine.catalog import read_text
from jaxintro._engine.guard import LIMIT, guarded, limited
from jaxintro._engine.independence import borrowed
from jaxintro._engine.outcome import run_section, unheard
from jaxintro._engine.page import Check, Page, Section
from jaxintro._engine.rules import Complaint, complaints, lines_of
from jaxintro._engine.teeth import LARGEST, measure, unguarded

Limit = Callable[[str], AbstractContextManager[None]]
PATIENCE = partial(limited, LIMIT)

BLUNTEST = 1e-3  # an error that a check without a written reason must notice
ANYTHING = "let it assert something of what the demo returns"
BLUNT = "narrow its tolerance, or say why not in a comment: '# Blunt: …'"
ORACLE = "compare with what is not JAX: a closed form, NumPy, a loop, a count"


def review(page: Page, module: ModuleType, limit: Limit = PATIENCE) -> list[Complaint]:
    """All that is to be said against a lesson, in the order of its lines.

    Args:
        page: the lesson.
        module: the same, imported.
        limit: how long what is tried of a demo may take, made from its name.
    """
    source = read_text(page.lesson.path)
    places = lines_of(ast.parse(source))
    found = complaints(page, source)
    for section in page.sections:
        with limit(f"{page.lesson.name}.{section.name}"):
            found += _proofs(page, module, section, places)
    return sorted(found)


def _proofs(
    page: Page, module: ModuleType, section: Section, places: dict[str, int]
) -> Iterator[Complaint]:
    result = run_section(module, section)
    if result.error:
        words = f"{section.name} raises {result.error}"
        cure = "catch it, where it is the lesson"
        yield Complaint(places[section.name], words, cure)
    for verdict in result.verdicts:
        line, name = places[verdict.check.name], verdict.check.name
        yield from _dependence(page, section, verdict.check, line)
        if verdict.holds:
            yield from _bluntness(module, section, verdict.check, line)
        else:
            words = f"{name} does not hold: {verdict.message}"
            yield Complaint(line, words, "mend the demo, or the claim")
    if result.holds and result.verdicts:
        yield from _free(module, section, places[section.name])


def _dependence(
    page: Page, section: Section, check: Check, line: int
) -> Iterator[Complaint]:
    uses = borrowed(page, section, check)
    if section.name not in uses.names:
        words = f"{check.name} does not call {section.name}"
        yield Complaint(line, words, "a check judges the demo above it")
    if uses.judged:
        words = f"{check.name} judges JAX by {', '.join(uses.judged)}"
        yield Complaint(line, words, ORACLE)


def _bluntness(
    module: ModuleType, section: Section, check: Check, line: int
) -> Iterator[Complaint]:
    try:
        with setting.pinned(), guarded(), unheard():
            bite = measure(module, section, check)
    except Exception:  # not to be measured, which is no fault
        return
    if not bite.bites:
        words = f"nothing that {section.name} could return makes {check.name} fail"
        yield Complaint(line, words, ANYTHING)
    elif BLUNTEST < (bite.sharpness or 0) <= LARGEST and "# Blunt:" not in check.source:
        words = f"{check.name} would not notice an error of {bite.sharpness:.0e}"
        yield Complaint(line, words, BLUNT)


def _free(module: ModuleType, section: Section, line: int) -> Iterator[Complaint]:
    try:
        with setting.pinned(), guarded(), unheard():
            free = unguarded(module, section)
    except Exception:  # not to be measured
        return
    if free:
        words = f"no check of {section.name} looks at {', '.join(free)}"
        yield Complaint(line, words, "check it, or do not return it")
