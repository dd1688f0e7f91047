"""Extras: what a lesson needs beside the course, and whether it is here.

Which packages an extra has is said in pyproject.toml alone. It is read from what pip
has installed; a lesson says only which extra it needs.
"""

import ast
import re
import sys
from functools import cache
from importlib import metadata

from packaging.requirements import Requirement

from jaxintro._engine.catalog import LackingError, Lesson
from jaxintro._engine.page import Page

CORE = {"jax", "numpy", "matplotlib", "jaxintro"}  # what a lesson has without extras


def install(extra: str) -> str:
    """The command that installs an extra."""
    return f'python -m pip install "jaxintro[{extra}]"'


def known() -> tuple[str, ...]:
    """The extras of the installed course; none where it was never installed."""
    try:
        found = metadata.metadata("jaxintro").get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return ()
    return tuple(str(extra) for extra in found)


def core() -> list[str]:
    """What the course itself needs, by the names that pip knows."""
    try:
        lines = metadata.requires("jaxintro") or []
    except metadata.PackageNotFoundError:
        return []
    return [Requirement(line).name for line in lines if "extra ==" not in line]


@cache
def lacks(extra: str) -> tuple[str, ...]:
    """What of an extra is not here, each with the reason where it is a special one."""
    if extra not in known():
        return (f"the extra '{extra}', of which this installation knows nothing",)
    missing = (_lack(each, extra) for each in _requirements(extra))
    return tuple(words for words in missing if words)


def _requirements(extra: str) -> list[Requirement]:
    """The packages of an extra, also those that another Python alone would take."""
    lines = metadata.requires("jaxintro") or []
    named = re.compile(rf"""extra == ["']{re.escape(extra)}["']""")
    return [Requirement(line) for line in lines if named.search(line)]


def _lack(requirement: Requirement, extra: str) -> str:
    """Why a package does not do; "" where it does."""
    name, marker = requirement.name, requirement.marker
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        if marker and not marker.evaluate({"extra": extra}):
            return f"{name}, of which there is none for this Python on this machine"
        return name
    fits = requirement.specifier.contains(version, prereleases=True)
    return "" if fits else f"{name}{requirement.specifier} (here is {version})"


def reason(lesson: Lesson) -> str:
    """Why a lesson cannot run here, and the cure; "" where it can."""
    if not lesson.needs or not (missing := lacks(lesson.needs)):
        return ""
    *first, last = missing
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"needs {listed}: {install(lesson.needs)}"


def refuse(lesson: Lesson) -> None:
    """Go no further with a lesson that cannot run here.

    Raises:
        LackingError: its extra is not installed; the message says what would do it.
    """
    if why := reason(lesson):
        raise LackingError(f"The lesson '{lesson.argument}' {why}")


def guests(page: Page) -> set[str]:
    """The packages that a lesson imports by grace of its extra, by their import names.

    A lesson without an extra has none.
    """
    if not page.lesson.needs:
        return set()
    sources = [page.imports, *(section.source for section in page.sections)]
    sources += [d.source for d in page.definitions]
    sources += [check.source for section in page.sections for check in section.checks]
    modules = {name for source in sources for _, name in imported(ast.parse(source))}
    return {name.partition(".")[0] for name in modules} - CORE - sys.stdlib_module_names


def imported(tree: ast.AST) -> list[tuple[int, str]]:
    """Each import below a node: its line, and the module that it names."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            continue
        found += [(node.lineno, module) for module in modules]
    return found


def is_of(module: str, extra: str) -> bool:
    """A package belongs to an extra; one that is not installed may."""
    owners = metadata.packages_distributions().get(module, [])
    names = {_plain(requirement.name) for requirement in _requirements(extra)}
    return any(_plain(owner) in names for owner in owners) or not owners


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
