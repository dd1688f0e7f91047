"""Does a check judge JAX by JAX? Its syntax tree tells."""

import ast
from dataclasses import dataclass

from jaxintro._engine.extras import guests
from jaxintro._engine.page import Check, Page, Section, names_in

JUDGED = {"jax", "jaxintro"}


@dataclass(frozen=True)
class Uses:
    """What a check leans on."""

    names: frozenset[str]  # every name that it mentions
    judged: tuple[str, ...]  # those that reach JAX, other than through its demo


def borrowed(page: Page, demo: Section, check: Check) -> Uses:
    """The names in a check, and in the functions of the lesson that it calls."""
    judged = JUDGED | guests(page)  # a library of an extra is judged as JAX is
    imported = _judged_imports(page.preamble, judged)
    sources = {section.name: section.source for section in page.sections}
    sources |= {d.name: d.source for d in page.definitions}
    direct = names_in(check.source)
    seen, waiting = {demo.name}, set(direct)
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in imported:
            reached.add(name)
        waiting |= names_in(sources.get(name, ""))
    reached |= _judged_imports(check.source, judged)
    return Uses(frozenset(direct), tuple(sorted(reached)))


def _judged_imports(source: str, judged: set[str]) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                modules = [(alias.name, alias.asname or alias.name) for alias in names]
            case ast.ImportFrom(module, names):
                modules = [
                    (module or "", alias.asname or alias.name) for alias in names
                ]
            case _:
                continue
        for module, name in modules:
            if module.partition(".")[0] in judged:
                found.add(name.partition(".")[0])
    return found
