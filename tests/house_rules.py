"""The house rules for lessons, as functions from source to complaints."""

import ast
import re
from pathlib import Path

from jaxintro._engine.page import Page
from jaxintro._engine.screen import ASCII

ALLOWED_IMPORTS = {"jax", "numpy", "matplotlib", "jaxintro"}
WIDEST_CODE = 72  # columns: on a page of 80 a line of code stands whole
LOOSEST = 1e-5  # a looser tolerance says why


def complaints(page: Page, source: str) -> list[str]:
    """All that is against the house rules in one lesson."""
    tree = ast.parse(source)
    return [
        *sizes(page, source),
        *words(page, source),
        *checks_of_demos(page),
        *statements(tree),
        *bodies(tree),
        *imports(tree),
        *tolerances(tree, source),
        *shadows(tree),
    ]


def sizes(page: Page, source: str) -> list[str]:
    """Lines that fit a page of 80 columns; predictions and myths."""
    found = []
    lines = source.splitlines()
    found += [f"line {n} is too long" for n, x in enumerate(lines, 1) if len(x) > 88]
    for section in page.sections:
        passages = [section.body, *(d.passage for d in section.definitions)]
        for line in (x for p in passages for x in p.text.splitlines()):
            if len(line) > WIDEST_CODE:
                found.append(
                    f"{section.name}: '{line.strip()}' has {len(line)} columns"
                )
        if len(section.heading) > 88 or not section.heading.endswith((".", "?")):
            found.append(f"{section.name}: its first sentence is no heading")
    if sum(section.prose.predict is not None for section in page.sections) < 3:
        found.append("fewer than three questions (Predict:)")
    if not any(section.prose.myth for section in page.sections):
        found.append("no Myth:")
    return found


def words(page: Page, source: str) -> list[str]:
    """The opening, a docstring for each function, a claim of one sentence, in ASCII."""
    found = []
    if not re.fullmatch(r"[^:]+: [^.]+", page.lesson.title):
        found.append("the first line is not 'Topic: one clause.'")
    if not 2 <= len((ast.get_docstring(ast.parse(source)) or "").splitlines()) - 2 <= 8:
        found.append("the opening words are not two to eight lines")
    for section in page.sections:
        if section.heading == section.name.replace("_", " ").capitalize():
            found.append(f"{section.name} has no prose")
        for check in section.checks:
            if check.claim == check.name:
                found.append(f"{check.name} claims nothing: it has no docstring")
            elif not check.claim.endswith("."):
                found.append(f"{check.name}: the claim is not a sentence")
    strange = {c for c in source.translate(ASCII) if ord(c) > 127}
    return found + [f"no ASCII stand-in for {sorted(strange)}"] * bool(strange)


def checks_of_demos(page: Page) -> list[str]:
    """Every demo has a check; no check waits for an argument or hides in a class."""
    return [
        f"{section.name} has no check"
        for section in page.sections
        if not section.checks
    ]


def statements(tree: ast.Module) -> list[str]:
    """At import nothing happens; no function hides; demos never print."""
    found = []
    plain = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.Try
    for node in tree.body[1:]:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            if any(isinstance(n, ast.Call) for n in ast.walk(node)):
                found.append(f"line {node.lineno} computes at import")
        elif not isinstance(node, plain):
            found.append(f"line {node.lineno} runs at import")
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if node.name.startswith("_"):
                found.append(f"{node.name} hides: every function is on the page")
            if node.name.startswith("check_") and ast.unparse(node.args):
                found.append(f"{node.name} takes arguments")
    return found


def bodies(tree: ast.Module) -> list[str]:
    """A demo is ordinary code: no bag of results, no two assignments in a line."""
    found = []
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    demos = [each for each in functions if not each.name.startswith("check_")]
    for node in (part for demo in demos for part in ast.walk(demo)):
        match node:
            case ast.Return(ast.Dict(keys=[_, *_])):
                found.append(f"line {node.lineno} returns a bag of results")
            case ast.Assign([ast.Tuple()], ast.Tuple()):
                found.append(f"line {node.lineno} assigns several things at once")
    return found


def imports(tree: ast.Module) -> list[str]:
    """Lessons import jax, numpy, matplotlib, the standard library and the lens."""
    import sys

    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            continue
        for module in modules:
            top = module.partition(".")[0]
            ours = top == "jaxintro" and not module.startswith("jaxintro.lens")
            if ours or top not in ALLOWED_IMPORTS | sys.stdlib_module_names:
                found.append(f"line {node.lineno} imports {module}")
    early = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    return found + [
        f"line {node.lineno}: matplotlib waits for a figure"
        for node in early
        if "matplotlib" in ast.unparse(node)
    ]


def tolerances(tree: ast.Module, source: str) -> list[str]:
    """A tolerance looser than 1e-5 has a comment beside it or above."""
    lines = source.splitlines()
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            if keyword.arg not in ("rtol", "atol", "abs_tol", "rel_tol"):
                continue
            value = keyword.value
            loose = not isinstance(value, ast.Constant) or value.value > LOOSEST
            near = lines[node.lineno - 2 : node.end_lineno]
            if loose and not any("#" in line for line in near):
                found.append(f"line {node.lineno}: a loose tolerance without a reason")
    return found


def shadows(tree: ast.Module) -> list[str]:
    """No name of Python's own is used for something else."""
    import builtins

    taken = set(dir(builtins))
    found = []
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            names = [node.name, *(a.arg for a in arguments)]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names = [node.id]
        found += [f"line {node.lineno} shadows {n}" for n in names if n in taken]
    return found


def read(path: Path) -> str:
    """The source of a lesson."""
    return path.read_text(encoding="utf-8")
