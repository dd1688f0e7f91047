"""The house rules for lessons, as functions from a page to complaints."""

import ast
import builtins
import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

from jaxintro._engine import extras
from jaxintro._engine.page import Page
from jaxintro._engine.screen import ASCII

WIDEST_CODE = 72  # columns: on a page of 80 a line of code stands whole
WIDEST = 88
LOOSEST = 1e-5  # a looser tolerance says why


class Complaint(NamedTuple):
    """What is wrong, where, and what would be right."""

    line: int
    words: str
    cure: str


def complaints(page: Page, source: str) -> list[Complaint]:
    """All that is against the house rules in one lesson, in the order of its lines."""
    tree = ast.parse(source)
    places = lines_of(tree)
    return sorted(
        [
            *widths(page, source),
            *headings(page, places),
            *questions(page),
            *opening(page, tree),
            *signs(source),
            *claims(page, places),
            *statements(tree),
            *bodies(tree),
            *imports(tree, page.lesson.needs),
            *tolerances(tree, source),
            *shadows(tree),
        ]
    )


def lines_of(tree: ast.Module) -> dict[str, int]:
    """The line of each function and class."""
    kinds = ast.FunctionDef | ast.ClassDef
    return {node.name: node.lineno for node in tree.body if isinstance(node, kinds)}


def widths(page: Page, source: str) -> Iterator[Complaint]:
    """A line has at most 88 columns, and code that a page shows at most 72."""
    for number, line in enumerate(source.splitlines(), 1):
        if len(line) > WIDEST:
            yield Complaint(number, "the line is too long", f"fold it at {WIDEST}")
    for section in page.sections:
        for passage in (section.body, *(d.passage for d in section.definitions)):
            for number, line in enumerate(passage.text.splitlines(), passage.first):
                if len(line) > WIDEST_CODE:
                    words = f"code of {len(line)} columns"
                    cure = f"a page shows {WIDEST_CODE}: make two lines of it"
                    yield Complaint(number, words, cure)


def headings(page: Page, places: dict[str, int]) -> Iterator[Complaint]:
    """A demo's first sentence is its heading: whole, and of at most 88 signs."""
    for section in page.sections:
        line, name = places[section.name], section.name
        if section.heading == name.replace("_", " ").capitalize():
            cure = "say in its docstring what it shows"
            yield Complaint(line, f"{name} has no prose", cure)
        elif len(section.heading) > WIDEST or not section.heading.endswith((".", "?")):
            cure = f"one whole sentence of at most {WIDEST} signs"
            yield Complaint(line, f"the first sentence of {name} is no heading", cure)


def questions(page: Page) -> Iterator[Complaint]:
    """A lesson asks three questions (`Predict:`), and clears up a belief (`Myth:`)."""
    if sum(section.prose.predict is not None for section in page.sections) < 3:
        cure = "let a paragraph of a docstring begin 'Predict:'"
        yield Complaint(1, "fewer than three questions", cure)
    if not any(section.prose.myth for section in page.sections):
        cure = "let a paragraph of a docstring begin 'Myth:'"
        yield Complaint(1, "no belief is cleared up", cure)


def opening(page: Page, tree: ast.Module) -> Iterator[Complaint]:
    """A file begins with `Topic: one clause.`, then two to eight lines of words."""
    if not re.fullmatch(r"[^:]+: [^.]+", page.lesson.title):
        cure = "begin the file with 'Topic: one clause.'"
        yield Complaint(1, "the first line is no title", cure)
    if not 2 <= len((ast.get_docstring(tree) or "").splitlines()) - 2 <= 8:
        cure = "below the title, write two to eight lines"
        yield Complaint(1, "the opening words are too few or too many", cure)


def signs(source: str) -> Iterator[Complaint]:
    """Every sign has a stand-in for a console that knows nothing but ASCII."""
    for number, line in enumerate(source.splitlines(), 1):
        if strange := sorted({c for c in line.translate(ASCII) if ord(c) > 127}):
            words = f"no ASCII stand-in for {', '.join(strange)}"
            yield Complaint(number, words, "write it in other signs")


def claims(page: Page, places: dict[str, int]) -> Iterator[Complaint]:
    """Every demo has a check, and every check claims something in one sentence."""
    for section in page.sections:
        if not section.checks:
            cure = "write a check_… function below it that calls it"
            yield Complaint(places[section.name], f"{section.name} has no check", cure)
        for check in section.checks:
            cure = "its docstring is the claim: one sentence, true or false"
            if check.claim == check.name:
                yield Complaint(
                    places[check.name], f"{check.name} claims nothing", cure
                )
            elif not check.claim.endswith("."):
                words = f"the claim of {check.name} is not a sentence"
                yield Complaint(places[check.name], words, cure)


def statements(tree: ast.Module) -> Iterator[Complaint]:
    """Nothing is computed at import, no name hides, a check takes no arguments."""
    plain = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.Try
    cure = "move it into the demo that needs it"
    for node in tree.body[1:]:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            if any(isinstance(part, ast.Call) for part in ast.walk(node)):
                yield Complaint(node.lineno, "the line computes at import", cure)
        elif not isinstance(node, plain):
            yield Complaint(node.lineno, "the line runs at import", cure)
        named: str = getattr(node, "name", "")
        if named.startswith("_"):
            better = "every function is on the page: drop the underscore"
            yield Complaint(node.lineno, f"{named} hides", better)
        match node:
            case ast.ClassDef(name) if name.startswith("check_"):
                better = "a check is a function"
                yield Complaint(node.lineno, f"{name} is a class", better)
            case ast.FunctionDef(name, args):
                if name.startswith("check_") and ast.unparse(args):
                    better = "let it loop over its cases"
                    yield Complaint(node.lineno, f"{name} takes arguments", better)


def bodies(tree: ast.Module) -> Iterator[Complaint]:
    """A demo returns no dict of results, and assigns one thing a line."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    demos = [each for each in functions if not each.name.startswith("check_")]
    for node in (part for demo in demos for part in ast.walk(demo)):
        match node:
            case ast.Return(ast.Dict(keys=[_, *_])):
                cure = "return one value, or a tuple of those that matter"
                yield Complaint(node.lineno, "a bag of results is returned", cure)
            case ast.Assign([ast.Tuple()], ast.Tuple()):
                words = "several things are assigned at once"
                yield Complaint(node.lineno, words, "one assignment a line")


def imports(tree: ast.Module, extra: str | None) -> Iterator[Complaint]:
    """A lesson imports jax, numpy, the standard library, the lens; others late."""
    allowed = extras.CORE | sys.stdlib_module_names
    for line, module in extras.imported(tree):
        top = module.partition(".")[0]
        if top == "jaxintro" and not module.startswith("jaxintro.lens"):
            cure = "a lesson uses the lens alone of what is ours"
            yield Complaint(line, f"the line imports {module}", cure)
        elif top not in allowed and not (extra and extras.is_of(top, extra)):
            has = f", and what the extra '{extra}' has" if extra else " alone"
            cure = f"a lesson needs jax, numpy, matplotlib and the lens{has}"
            yield Complaint(line, f"the line imports {module}", cure)
    head = ast.Module([n for n in tree.body if not _is_function(n)], [])
    for line, module in extras.imported(head):
        if (top := module.partition(".")[0]) == "matplotlib":
            words = "matplotlib waits for a figure"
            yield Complaint(line, words, "import it in the demo that draws")
        elif top not in allowed:
            words = f"{module} waits for a demo"
            yield Complaint(line, words, "import it in the demo that uses it")


def _is_function(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.ClassDef)


def tolerances(tree: ast.Module, source: str) -> Iterator[Complaint]:
    """A tolerance looser than 1e-5 has a comment beside it, or above, that says why."""
    lines = source.splitlines()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        near = lines[node.lineno - 2 : node.end_lineno]
        for keyword in node.keywords:
            if keyword.arg not in ("rtol", "atol", "abs_tol", "rel_tol"):
                continue
            if _is_loose(keyword.value) and not any("#" in line for line in near):
                words = "a loose tolerance without a reason"
                yield Complaint(node.lineno, words, "say why in a comment above it")


def _is_loose(value: ast.expr) -> bool:
    match value:
        case ast.Constant(int() | float() as number):
            return number > LOOSEST
    return True


def shadows(tree: ast.Module) -> Iterator[Complaint]:
    """No name of Python's own is used for something else."""
    taken = set(dir(builtins))
    for node in ast.walk(tree):
        names: list[str] = []
        line = getattr(node, "lineno", 1)
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            names = [node.name, *(a.arg for a in arguments)]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names = [node.id]
        for name in names:
            if name in taken:
                cure = "Python has a thing of this name: take another"
                yield Complaint(line, f"the line shadows {name}", cure)
