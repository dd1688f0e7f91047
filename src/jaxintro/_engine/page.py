"""A lesson as pure data: what its syntax tree says, in the order of the file.

Names come from the syntax tree, not from the imported module: there a decorated
function may be an object of any kind, and its place on the page would be lost.
"""

import ast
import textwrap
from dataclasses import dataclass, replace

from jaxintro._engine.catalog import Lesson, UsageError, nearest, read_text


@dataclass(frozen=True)
class Prose:
    """A docstring: paragraphs, and the two kinds of paragraph that stand apart."""

    paragraphs: tuple[str, ...]
    predict: str | None = None
    myth: str | None = None


@dataclass(frozen=True)
class Check:
    """One claim, and the function that proves it."""

    name: str
    claim: str
    source: str


@dataclass(frozen=True)
class Section:
    """A public function of the lesson: a demo if it can run as it stands."""

    name: str
    title: str
    prose: Prose
    code: str  # the body alone, as the page shows it
    source: str  # the function without its docstring
    arguments: str  # a demo's worked example, such as "x = 3.0"
    is_demo: bool
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Page:
    """A whole lesson: its opening words, then its sections."""

    lesson: Lesson
    intro: Prose
    preamble: str  # imports and constants, as a notebook needs them
    sections: tuple[Section, ...]

    @property
    def demos(self) -> tuple[Section, ...]:
        """The sections that run."""
        return tuple(section for section in self.sections if section.is_demo)

    def only(self, demo: str) -> "Page":
        """The page with this one demo, and the definitions that it needs.

        Raises:
            UsageError: there is no such demo; the message names the nearest.
        """
        names = [section.name for section in self.demos]
        if demo not in names:
            where = f"There is no demo called '{demo}' in '{self.lesson.name}'."
            raise UsageError(where + nearest(demo, names))
        kept = [self.sections[[s.name for s in self.sections].index(demo)]]
        for section in reversed(self.sections):
            needed = set().union(*(names_in(other.source) for other in kept))
            if not section.is_demo and section.name in needed:
                kept.insert(0, section)
        return replace(self, sections=tuple(kept))


def names_in(source: str) -> set[str]:
    """Every name that the source mentions."""
    return {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name)}


def read(lesson: Lesson) -> Page:
    """The page of a lesson.

    Raises:
        UsageError: the file is not a lesson; the message says which line, and why.
    """
    source = read_text(lesson.path)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:  # ValueError: a null byte, before 3.12
        place = f"'{lesson.path}', line {getattr(error, 'lineno', 1)}"
        raise UsageError(f"{place}, is not Python: {error.args[0]}.") from error
    page = Page(
        lesson,
        _prose(ast.get_docstring(tree) or ""),
        _preamble(tree, source),
        tuple(_sections(tree, source)),
    )
    if not page.demos:
        raise UsageError(
            f"'{lesson.path}' holds no demo: a lesson needs a public function that can "
            "be called with no arguments, and a check_… function below it."
        )
    return page


def _sections(tree: ast.Module, source: str) -> list[Section]:
    sections: list[Section] = []
    checks: dict[str, list[Check]] = {}
    demo = ""
    seen: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.AsyncFunctionDef):
            raise UsageError(f"Line {node.lineno}: '{node.name}' is async; use def.")
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        if node.name in seen:
            raise UsageError(f"Line {node.lineno}: there is a '{node.name}' already.")
        seen.add(node.name)
        if node.name.startswith("check_"):
            checks.setdefault(demo, []).append(_check(node, source))
        elif not node.name.startswith("_"):
            sections.append(section := _section(node, source))
            demo = section.name if section.is_demo else demo
    orphans = checks.pop("", [])
    if orphans:
        raise UsageError(f"'{orphans[0].name}' stands above the first demo, not below.")
    return [
        replace(section, checks=tuple(checks.get(section.name, ())))
        for section in sections
    ]


def _section(node: ast.FunctionDef | ast.ClassDef, source: str) -> Section:
    is_demo = isinstance(node, ast.FunctionDef) and _needs_no_arguments(node.args)
    return Section(
        name=node.name,
        title=node.name.replace("_", " ").capitalize() if is_demo else node.name,
        prose=_prose(ast.get_docstring(node) or ""),
        code=_body(node, source) if is_demo else _without_docstring(node, source),
        source=_without_docstring(node, source),
        arguments=_defaults(node.args) if isinstance(node, ast.FunctionDef) else "",
        is_demo=is_demo,
    )


def _check(node: ast.FunctionDef | ast.ClassDef, source: str) -> Check:
    claim = " ".join((ast.get_docstring(node) or node.name).split())
    return Check(node.name, claim, _without_docstring(node, source))


def _needs_no_arguments(args: ast.arguments) -> bool:
    positional = [*args.posonlyargs, *args.args]
    return len(positional) == len(args.defaults) and None not in args.kw_defaults


def _defaults(args: ast.arguments) -> str:
    positional = [*args.posonlyargs, *args.args]
    last = positional[len(positional) - len(args.defaults) :]
    arguments = [*last, *args.kwonlyargs]
    defaults = [*args.defaults, *args.kw_defaults]
    named = zip(arguments, defaults, strict=True)
    return ", ".join(f"{a.arg} = {ast.unparse(d)}" for a, d in named if d is not None)


def _prose(docstring: str) -> Prose:
    paragraphs = []
    marked: dict[str, str] = {}
    for block in filter(None, docstring.split("\n\n")):
        mark, colon, rest = block.strip().partition(":")
        if colon and mark in ("Predict", "Myth"):
            marked[mark] = " ".join(rest.split())
        else:
            paragraphs.append(" ".join(block.split()))
    return Prose(tuple(paragraphs), marked.get("Predict"), marked.get("Myth"))


def _preamble(tree: ast.Module, source: str) -> str:
    """Everything at module level that is neither docstring, function nor ORDER."""
    lines = source.split("\n")
    kept = []
    for node in tree.body[1:] if ast.get_docstring(tree) else tree.body:
        is_function = isinstance(node, ast.FunctionDef | ast.ClassDef)
        if not is_function and not ast.unparse(node).startswith("ORDER ="):
            kept.append("\n".join(lines[node.lineno - 1 : node.end_lineno]))
    return "\n".join(kept)


def _lines_after_docstring(node: ast.FunctionDef | ast.ClassDef) -> int:
    """The number of the last line of the docstring, or of the signature."""
    if ast.get_docstring(node) is not None:
        return node.body[0].end_lineno or node.lineno
    return node.body[0].lineno - 1


def _body(node: ast.FunctionDef | ast.ClassDef, source: str) -> str:
    lines = source.split("\n")[_lines_after_docstring(node) : node.end_lineno]
    return textwrap.dedent("\n".join(lines)).strip("\n")


def _without_docstring(node: ast.FunctionDef | ast.ClassDef, source: str) -> str:
    lines = source.split("\n")
    first = min(n.lineno for n in [node, *node.decorator_list])
    head_end = node.body[0].lineno - 1
    head = lines[first - 1 : head_end]
    return "\n".join(head + lines[_lines_after_docstring(node) : node.end_lineno])
