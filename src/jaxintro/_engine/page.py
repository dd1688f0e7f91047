"""A lesson as pure data: what its syntax tree says, in the order of the file.

Names come from the syntax tree, not from the imported module: there a decorated
function may be an object of any kind, and its place on the page would be lost.
"""

import ast
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, replace

from jaxintro._engine.catalog import Lesson, UsageError, nearest, read_text

Function = ast.FunctionDef | ast.ClassDef


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
class Passage:
    """Lines of the file that are shown together."""

    first: int  # the number of the first line
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines without their common indent."""
        return textwrap.dedent("\n".join(self.lines))


@dataclass(frozen=True)
class Definition:
    """A function or a class that demos use; its lines get values when they do."""

    name: str
    passage: Passage

    @property
    def source(self) -> str:
        """All of it, as Python."""
        return self.passage.text


@dataclass(frozen=True)
class Constant:
    """What a lesson says once for all its functions, such as `STEPS = 1000`."""

    binds: frozenset[str]
    passage: Passage


@dataclass(frozen=True)
class Section:
    """A demo: what is said of it, what it runs, and what is claimed of it."""

    name: str
    heading: str  # the first sentence of its docstring
    prose: Prose  # the rest
    arguments: tuple[str, ...]  # its worked example, such as "x = 3.0"
    constants: tuple[Passage, ...]  # of the lesson, that are first used here
    definitions: tuple[Definition, ...]  # that stand above it
    body: Passage
    source: str  # the function without its docstring
    checks: tuple[Check, ...] = ()
    call: str = ""  # arguments that the reader gave, such as "x=5.0"


@dataclass(frozen=True)
class Page:
    """A whole lesson: its opening words, then its demos."""

    lesson: Lesson
    intro: Prose  # what its docstring says below the title
    imports: str  # all that stand at the head of the file
    shown_imports: str  # those that a demo uses, without what only a check needs
    constants: tuple[Constant, ...]
    sections: tuple[Section, ...]
    following: str = ""  # the demo after this one, where the page has one demo only

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """All that the demos share, in the order of the file."""
        return tuple(d for section in self.sections for d in section.definitions)

    @property
    def preamble(self) -> str:
        """Imports and constants, as a notebook needs them."""
        constants = "\n".join(constant.passage.text for constant in self.constants)
        return f"{self.imports}\n\n{constants}" if constants else self.imports

    def only(self, demo: str, call: str = "") -> "Page":
        """The page with this one demo, and the definitions and constants it needs.

        Args:
            demo: its name.
            call: arguments for it, in place of its worked example.

        Raises:
            UsageError: there is no such demo; the message names the nearest.
        """
        names = [section.name for section in self.sections]
        if demo not in names:
            where = f"There is no demo called '{demo}' in '{self.lesson.name}'."
            raise UsageError(where + nearest(demo, names))
        section = self.sections[names.index(demo)]
        used = names_in(section.source).union(
            *(names_in(c.source) for c in section.checks)
        )
        needed = with_what_they_use(self.definitions, used)
        shown = names_in(section.source).union(*(names_in(d.source) for d in needed))
        alone = replace(
            section,
            definitions=needed,
            constants=tuple(c.passage for c in needed_constants(self.constants, shown)),
            call=call,
        )
        after = names[names.index(demo) + 1 :]
        following = after[0] if after else ""
        return replace(self, sections=(alone,), following=following)


def with_what_they_use(
    definitions: tuple[Definition, ...], used: set[str]
) -> tuple[Definition, ...]:
    """The definitions that are used, by name or by one another."""
    found: set[str] = set()
    while more := {d.name for d in definitions if d.name in used} - found:
        found |= more
        used = used.union(*(names_in(d.source) for d in definitions if d.name in more))
    return tuple(d for d in definitions if d.name in found)


def needed_constants(
    constants: Iterable[Constant], used: set[str]
) -> tuple[Constant, ...]:
    """The constants that are used, by name or by a later one of them."""
    needed: list[Constant] = []
    for constant in reversed(list(constants)):
        if constant.binds & used:
            needed.insert(0, constant)
            used = used | names_in(constant.passage.text)
    return tuple(needed)


def names_in(source: str) -> set[str]:
    """Every name that the source mentions."""
    return {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name)}


def _bound_by(statement: ast.stmt) -> frozenset[str]:
    names = [n for n in ast.walk(statement) if isinstance(n, ast.Name)]
    return frozenset(n.id for n in names if isinstance(n.ctx, ast.Store))


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
    return Reader(lesson, tree, source).page()


class Reader:
    """Reads the syntax tree of one lesson file, top to bottom."""

    def __init__(self, lesson: Lesson, tree: ast.Module, source: str) -> None:
        self.lesson, self.tree = lesson, tree
        self.lines = source.split("\n")
        self.constants: list[Constant] = []
        self.shown: set[int] = set()  # the lines of constants that a demo has shown
        self.sections: list[Section] = []
        self.waiting: list[Definition] = []  # for the demo below them
        self.names: set[str] = set()

    def page(self) -> Page:
        """All of it."""
        imports: list[str] = []
        for node in self.tree.body[1 if ast.get_docstring(self.tree) else 0 :]:
            match node:
                case ast.AsyncFunctionDef():
                    raise self._refusal(node, f"'{node.name}' is async; use def")
                case ast.FunctionDef() | ast.ClassDef():
                    self._function(node)
                case ast.Import() | ast.ImportFrom() | ast.Try():
                    imports += self._passage(node).lines
                case _ if not ast.unparse(node).startswith(("ORDER =", "NEEDS =")):
                    passage = self._passage(node)
                    self.constants.append(Constant(_bound_by(node), passage))
        if not self.sections:
            raise UsageError(self._why_no_demo())
        if self.waiting:  # below the last demo: they are shown with it
            last = self.sections[-1]
            together = (*last.definitions, *self.waiting)
            self.sections[-1] = replace(last, definitions=together)
        return Page(
            self.lesson,
            _prose((ast.get_docstring(self.tree) or "").partition("\n")[2]),
            "\n".join(imports),
            self._shown_imports(),
            tuple(self.constants),
            tuple(self.sections),
        )

    def _shown_imports(self) -> str:
        shown = [section.source for section in self.sections]
        shown += [d.source for section in self.sections for d in section.definitions]
        shown += [c.text for section in self.sections for c in section.constants]
        used = set[str]().union(*map(names_in, shown))
        kept: list[str] = []
        for node in self.tree.body:
            bound = {
                (alias.asname or alias.name).partition(".")[0]
                for part in ast.walk(node)
                if isinstance(part, ast.Import | ast.ImportFrom)
                for alias in part.names
            }
            if isinstance(node, ast.Import | ast.ImportFrom | ast.Try) and bound & used:
                kept += self._passage(node).lines
        return "\n".join(kept)

    def _why_no_demo(self) -> str:
        needs = (
            "a lesson needs a public function that can be called with no arguments, "
            "and a check_… function below it."
        )
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef) and _is_public(node):
                named = f"'{node.name}' needs arguments"
                return f"'{self.lesson.path}' holds no demo, for {named}: {needs}"
        return f"'{self.lesson.path}' holds no demo: {needs}"

    def _refusal(self, node: ast.stmt, why: str) -> UsageError:
        return UsageError(f"'{self.lesson.path}', line {node.lineno}: {why}.")

    def _function(self, node: Function) -> None:
        if node.name in self.names:
            raise self._refusal(node, f"there is a '{node.name}' already")
        self.names.add(node.name)
        if node.name.startswith("check_"):
            self._check(node)
        elif isinstance(node, ast.FunctionDef) and _is_demo(node):
            self.sections.append(self._section(node))
            self.waiting = []
        else:
            self.waiting.append(Definition(node.name, self._passage(node)))

    def _check(self, node: Function) -> None:
        if not self.sections:
            if self._has_demo():
                why = f"'{node.name}' stands above the first demo, not below"
                raise self._refusal(node, why)
            raise UsageError(self._why_no_demo())
        claim = " ".join((ast.get_docstring(node) or node.name).split())
        check = Check(node.name, claim, self._without_docstring(node))
        last = self.sections[-1]
        self.sections[-1] = replace(last, checks=(*last.checks, check))

    def _has_demo(self) -> bool:
        functions = [n for n in self.tree.body if isinstance(n, ast.FunctionDef)]
        return any(_is_public(each) and _is_demo(each) for each in functions)

    def _section(self, node: ast.FunctionDef) -> Section:
        heading, prose = _headed(ast.get_docstring(node) or "", node.name)
        source = self._without_docstring(node)
        used = names_in(source).union(*(names_in(d.source) for d in self.waiting))
        constants = [
            constant
            for constant in needed_constants(self.constants, used)
            if constant.passage.first not in self.shown
        ]
        self.shown |= {constant.passage.first for constant in constants}
        return Section(
            name=node.name,
            heading=heading,
            prose=prose,
            arguments=_defaults(node.args, self.lines),
            constants=tuple(constant.passage for constant in constants),
            definitions=tuple(self.waiting),
            body=self._body(node),
            source=source,
        )

    def _body(self, node: ast.FunctionDef) -> Passage:
        """What a reader sees of a demo: no last `return` of what is shown already."""
        statements = node.body[_has_docstring(node) :]
        begin = self._docstring_end(node) + 1
        if not statements:
            return Passage(begin, ())
        last, end = statements[-1], node.end_lineno or begin
        if isinstance(last, ast.Return) and _hands_out_names(last, statements):
            end = statements[-2].end_lineno or begin
        lines = self.lines[begin - 1 : end]
        if isinstance(last, ast.Return) and end >= last.lineno:
            at = last.lineno - begin  # there is no `def` on the page to return from
            lines[at] = re.sub(r"^(\s*)return ", r"\1", lines[at])
        while lines and not lines[0].strip():
            lines.pop(0)
            begin += 1
        return Passage(begin, tuple(lines))

    def _passage(self, node: ast.stmt) -> Passage:
        return self._lines(_first_line(node), node.end_lineno or node.lineno)

    def _lines(self, first: int, last: int) -> Passage:
        return Passage(first, tuple(self.lines[first - 1 : last]))

    def _docstring_end(self, node: Function) -> int:
        """The number of the last line of the docstring, or of the signature."""
        first, *others = node.body
        if not _has_docstring(node):
            return _first_line(first) - 1
        ends = first.end_lineno or first.lineno
        return min([ends, *(_first_line(other) - 1 for other in others)])

    def _without_docstring(self, node: Function) -> str:
        """The function, but for a docstring that has lines of its own."""
        begin, (docstring, *others) = _first_line(node), node.body
        end = self._docstring_end(node)
        apart = node.lineno < docstring.lineno <= end and others
        if not _has_docstring(node) or not apart:
            return "\n".join(self.lines[begin - 1 : node.end_lineno])
        rest = self.lines[end : node.end_lineno]
        while not rest[0].strip():
            rest.pop(0)
        return "\n".join(self.lines[begin - 1 : docstring.lineno - 1] + rest)


def _first_line(node: ast.stmt) -> int:
    """The number of its first line, decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _is_public(node: Function) -> bool:
    return not node.name.startswith(("_", "check_"))


def _has_docstring(node: Function) -> bool:
    return ast.get_docstring(node) is not None


def _is_demo(node: ast.FunctionDef) -> bool:
    """A public function that can be called with no arguments."""
    args = node.args
    positional = [*args.posonlyargs, *args.args]
    needs_none = len(positional) == len(args.defaults) and None not in args.kw_defaults
    return needs_none and not node.name.startswith("_")


def _hands_out_names(last: ast.Return, statements: list[ast.stmt]) -> bool:
    """`return a, b` after lines that have shown what a and b are."""
    value = last.value
    if value is None:
        return len(statements) > 1
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    return len(statements) > 1 and all(isinstance(part, ast.Name) for part in parts)


def _defaults(args: ast.arguments, lines: list[str]) -> tuple[str, ...]:
    positional = [*args.posonlyargs, *args.args]
    last = positional[len(positional) - len(args.defaults) :]
    named = zip(
        [*last, *args.kwonlyargs], [*args.defaults, *args.kw_defaults], strict=True
    )
    return tuple(
        f"{a.arg} = {_as_written(d, lines)}" for a, d in named if d is not None
    )


def _as_written(node: ast.expr, lines: list[str]) -> str:
    """An expression as its author wrote it, 1_000_000 and all, on one line."""
    end = node.end_lineno or node.lineno
    written = [line.encode() for line in lines[node.lineno - 1 : end]]
    written[-1] = written[-1][: node.end_col_offset]
    written[0] = written[0][node.col_offset :]
    return " ".join(b" ".join(written).decode().split())


def _headed(docstring: str, name: str) -> tuple[str, Prose]:
    """A docstring's first sentence, and what is left of it."""
    first, _, rest = docstring.strip().partition("\n\n")
    sentence = re.split(r"(?<=[.!?])\s", first.replace("\n", " "), maxsplit=1)
    heading = " ".join(sentence[0].split())
    if not heading or heading.startswith(("Predict:", "Myth:")):
        return name.replace("_", " ").capitalize(), _prose(docstring)
    return heading, _prose("\n\n".join([*sentence[1:], rest]))


def _prose(docstring: str) -> Prose:
    paragraphs = []
    marked: dict[str, str] = {}
    for block in filter(str.strip, docstring.split("\n\n")):
        mark, colon, rest = block.strip().partition(":")
        if colon and mark in ("Predict", "Myth"):
            marked[mark] = " ".join(rest.split())
        else:
            paragraphs.append(" ".join(block.split()))
    return Prose(tuple(paragraphs), marked.get("Predict"), marked.get("Myth"))
