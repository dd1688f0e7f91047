"""Code that reports on itself: each statement says what it gave, and does no more.

The syntax tree of the file is rewritten as pytest does for `assert`: lines, names and
the order of evaluation stay, and each statement hands its value to a recorder on the
way. The recorder is a constant of the new code, so no namespace knows of it.
"""

import __future__

import ast
import linecache
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any

RECORDER = "\N{INFORMATION SOURCE} the recorder stands here"
FUTURES = sum(
    getattr(__future__, f).compiler_flag for f in __future__.all_feature_names
)


@dataclass(frozen=True)
class Place:
    """A statement: where it stands, and how its values are to be read."""

    number: int
    first: int  # line numbers in the file
    last: int
    kind: str  # "bound", "gave", "returned", "tested", "def", … or "" for silent ones
    label: str = ""  # a walrus names what it binds, a def its arguments
    scope: int = -1  # the number of the def that it stands in
    head: int = 0  # of a def: the line that its code object is known by
    end: int = 0  # of a def: its last line


@dataclass(frozen=True)
class Rewritten:
    """All of a file, rewritten: pairs of code objects, as it was and as it reports."""

    pairs: tuple[tuple[CodeType, CodeType], ...]
    places: tuple[Place, ...]
    lines: tuple[str, ...]

    def counterpart(self, code: CodeType) -> CodeType | None:
        """The reporting code for a function's own, or None if the file has changed."""
        same = [new for old, new in self.pairs if old == code]
        name = (code.co_qualname, code.co_firstlineno)
        named = [
            new
            for old, new in self.pairs
            if (old.co_qualname, old.co_firstlineno) == name
            and old.co_freevars == code.co_freevars
        ]
        found = same or (named if len(named) == 1 else [])
        return found[0] if found else None


def rewritten(filename: str, flags: int = 0) -> Rewritten:
    """The file, rewritten once for each of its contents.

    Raises:
        SyntaxError, OSError: it has no source, or none that is Python.
    """
    linecache.checkcache(filename)
    source = "".join(linecache.getlines(filename))
    if not source:
        raise OSError(f"there is no source of {filename}")
    return _rewritten(source, filename, flags & FUTURES)


@lru_cache(maxsize=64)
def _rewritten(source: str, filename: str, flags: int) -> Rewritten:
    tree, rewriter = ast.parse(source), Rewriter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the author has heard them already
        plain = compile(source, filename, "exec", flags, dont_inherit=True)
        tree.body = [rewriter.visit(node) for node in tree.body]
        ast.fix_missing_locations(tree)
        reporting = compile(tree, filename, "exec", flags, dont_inherit=True)
    pairs = tuple(_paired(_inner(plain), _inner(reporting)))
    return Rewritten(pairs, tuple(rewriter.places), tuple(source.splitlines()))


def rewritten_cell(source: str, filename: str) -> tuple[CodeType, Rewritten]:
    """A whole notebook cell that reports: its code, and where its statements stand.

    Raises:
        SyntaxError: it is not Python.
    """
    tree, rewriter = ast.parse(source, filename), Rewriter()
    lines = tuple(source.splitlines())
    if tree.body:
        rewriter.scope = rewriter.place(tree.body[0], "cell")
        imports = [n for n in tree.body if _is_future(n)]
        rest = rewriter.block(n for n in tree.body if not _is_future(n))
        if rest:
            handler = rewriter.handler(rest[0], rewriter.scope)
            guarded = ast.copy_location(ast.Try(rest, [handler], [], []), rest[0])
            tree.body = [*imports, guarded]
        ast.fix_missing_locations(tree)
    code = compile(tree, filename, "exec", dont_inherit=True)
    return code, Rewritten((), tuple(rewriter.places), lines)


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _paired(
    plain: Iterator[CodeType], reporting: Iterator[CodeType]
) -> Iterator[tuple[CodeType, CodeType]]:
    """The two codes of each function; several on one line come in their order."""
    waiting: dict[tuple[str, int], list[CodeType]] = {}
    for code in reporting:
        waiting.setdefault((code.co_qualname, code.co_firstlineno), []).append(code)
    for code in plain:
        if same := waiting.get((code.co_qualname, code.co_firstlineno)):
            yield code, same.pop(0)


def _inner(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inner(constant)


def with_recorder(code: CodeType, recorder: object) -> CodeType:
    """The code with this recorder in the place that was kept for it."""
    constants = tuple(
        recorder
        if constant == RECORDER and isinstance(constant, str)
        else with_recorder(constant, recorder)
        if isinstance(constant, CodeType)
        else constant
        for constant in code.co_consts
    )
    return code.replace(co_consts=constants)


class Rewriter(ast.NodeTransformer):
    """Rewrites functions, wherever they stand; all else stays as it is."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.scope = -1  # no function yet: at module level nothing reports

    # what reports, and how

    def place(self, node: Any, kind: str = "", label: str = "", last: int = 0) -> int:
        number = len(self.places)
        decorators = getattr(node, "decorator_list", [])
        head = min([node.lineno, *(each.lineno for each in decorators)])
        last = last or node.end_lineno
        self.places.append(
            Place(
                number,
                node.lineno,
                last,
                kind,
                label,
                self.scope,
                head,
                node.end_lineno,
            )
        )
        return number

    def report(self, where: ast.AST, method: str, number: int, *values: Any) -> Any:
        """The expression `recorder.method(number, *values)`, at the place of `where`."""
        recorder = ast.Constant(RECORDER)
        call = ast.Call(
            ast.Attribute(recorder, method, ast.Load()),
            [ast.Constant(number), *values],
            [],
        )
        for node in (call, call.func, recorder, call.args[0]):
            ast.copy_location(node, where)
        return call

    def statement(self, where: ast.AST, method: str, number: int, *values: Any) -> Any:
        return ast.copy_location(
            ast.Expr(self.report(where, method, number, *values)), where
        )

    # functions and classes

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        outer, first_body = self.scope, node.body[0].lineno
        head = node.args
        arguments = [*head.posonlyargs, *head.args, *head.kwonlyargs]
        names = [a.arg for a in arguments if a.arg not in ("self", "cls")]
        last = (
            max(node.lineno, first_body - 1) if first_body > node.lineno else first_body
        )
        number = self.place(node, "def", ", ".join(names), last)
        if outer >= 0:
            node.decorator_list = [self.visit(d) for d in node.decorator_list]
        self.scope = number
        given = ast.Tuple([_load(name, node) for name in names], ast.Load())
        docstring = node.body[:1] if ast.get_docstring(node) is not None else []
        body = self.block(node.body[len(docstring) :])
        entered = self.statement(
            node, "entered", number, ast.copy_location(given, node)
        )
        guarded = ast.Try(
            [entered, *body],
            [self.handler(node, number)],
            [],
            [self.statement(node, "left", number)],
        )
        node.body = [*docstring, ast.copy_location(guarded, node)]
        self.scope = outer
        return node

    def handler(self, node: ast.AST, number: int) -> ast.ExceptHandler:
        """Whatever is raised is noted where it was raised, and raised on."""
        body = [self.statement(node, "raised", number), ast.Raise()]
        everything = ast.Name("BaseException", ast.Load())
        return ast.copy_location(ast.ExceptHandler(everything, None, body), node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """A lambda reports only when it is itself what one follows."""
        outer, self.scope = self.scope, self.place(node, "def")
        number = self.place(node, "lambda")
        node.body = self.report(node.body, "lambda_returned", number, node.body)
        self.scope = outer
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = [
            self.visit(part) if isinstance(part, _DEFINITIONS) else part
            for part in node.body
        ]
        return node

    # statements

    def block(self, statements: Iterable[ast.stmt]) -> list[ast.stmt]:
        """Statements with their reports between them."""
        done: list[ast.stmt] = []
        for statement in statements:
            done += self.one(statement)
        return done

    def one(self, node: Any) -> list[ast.stmt]:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return [self.visit(node)]
            case ast.Expr():
                return [self.expression(node)]
            case ast.Return(value=None):
                self.place(node)
            case ast.Return():
                number = self.place(node, "returned")
                node.value = self.report(
                    node.value, "returned", number, self.visit(node.value)
                )
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                return self.assignment(node)
            case ast.If():
                number = self.place(node, "tested", last=_header_end(node))
                node.test = self.visit(node.test)
                if not _is_settled(node.test):
                    node.test = self.report(node.test, "tested", number, node.test)
                node.body, node.orelse = self.block(node.body), self.block(node.orelse)
            case ast.For():
                self.loop(node)
            case ast.While():
                self.place(node, last=_header_end(node))
                node.test = self.visit(node.test)
                node.body, node.orelse = self.block(node.body), self.block(node.orelse)
            case ast.With():
                self.context(node)
            case ast.Try() | ast.TryStar():
                self.attempt(node)
            case ast.Match():
                self.place(node, last=node.subject.end_lineno or node.lineno)
                node.subject = self.visit(node.subject)
                for each in node.cases:
                    each.body = self.block(each.body)
            case _:
                self.place(node)
                if isinstance(node, ast.Assert | ast.Raise | ast.Delete):
                    self.generic_visit(node)
        return [node]

    def expression(self, node: ast.Expr) -> ast.stmt:
        if isinstance(node.value, ast.Constant):
            self.place(node)
            return node
        number = self.place(node, "gave")
        inner = node.value
        if isinstance(inner, ast.Yield) and inner.value is not None:
            inner.value = self.report(
                inner.value, "gave", number, self.visit(inner.value)
            )
        elif not isinstance(inner, ast.Yield | ast.YieldFrom | ast.Await):
            node.value = self.report(inner, "gave", number, self.visit(inner))
        return node

    def assignment(self, node: Any) -> list[ast.stmt]:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        number = self.place(node, "bound")
        if node.value is None:  # an annotation alone
            return [node]
        several = [t for t in targets if isinstance(t, ast.Tuple | ast.List)]
        node.value = self.visit(node.value)
        if isinstance(node, ast.AugAssign):
            report = self.afterwards(node, node.target, number)
            return [node, *report]
        if several:
            # what was assigned may be an iterator: look at the names instead
            names = [_load(n, node) for n in _names(several[-1])]
            given = ast.copy_location(ast.Tuple(names, ast.Load()), node)
            return [node, self.statement(node, "unpacked", number, given)]
        node.value = self.report(node.value, "bound", number, node.value)
        return [node]

    def afterwards(self, node: Any, target: Any, number: int) -> list[ast.stmt]:
        """What `x += 1` made of x; for x.n and x[i], where to look does nothing else."""
        match target:
            case ast.Name(name):
                return [self.statement(node, "bound", number, _load(name, node))]
            case ast.Attribute(ast.Name(name), attribute):
                label = ast.copy_location(ast.Constant(attribute), node)
                given = (_load(name, node), label)
                return [self.statement(node, "attribute", number, *given)]
            case ast.Subscript(ast.Name(name), ast.Name(index)):
                given = (_load(name, node), _load(index, node))
                return [self.statement(node, "item", number, *given)]
            case ast.Subscript(ast.Name(name), ast.Constant(key)):
                constant = ast.copy_location(ast.Constant(key), node)
                given = (_load(name, node), constant)
                return [self.statement(node, "item", number, *given)]
        return []

    def loop(self, node: ast.For) -> None:
        names = [n for n in _names(node.target) if not n.startswith("_")]
        kind = "looped" if names else ""
        number = self.place(node, kind, last=_header_end(node))
        node.iter = self.visit(node.iter)
        node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        if names:
            loads = [_load(name, node) for name in names]
            given = ast.copy_location(ast.Tuple(loads, ast.Load()), node)
            node.body.insert(0, self.statement(node, "unpacked", number, given))

    def context(self, node: ast.With) -> None:
        names = [
            n for i in node.items if i.optional_vars for n in _names(i.optional_vars)
        ]
        number = self.place(node, "entering" if names else "", last=_header_end(node))
        for item in node.items:
            item.context_expr = self.visit(item.context_expr)
        body = self.block(node.body)
        if names:
            loads = [_load(name, node) for name in names]
            given = ast.copy_location(ast.Tuple(loads, ast.Load()), node)
            body.insert(0, self.statement(node, "unpacked", number, given))
        # the context may swallow what its body raises
        guarded = ast.Try(body, [self.handler(node, self.scope)], [], [])
        node.body = [ast.copy_location(guarded, node)]

    def attempt(self, node: Any) -> None:
        node.body = self.block(node.body)
        for handler in node.handlers:
            noted = self.statement(handler, "caught", self.scope)
            handler.body = [noted, *self.block(handler.body)]
        node.orelse = self.block(node.orelse)
        node.finalbody = self.block(node.finalbody)

    # expressions

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        if self.scope < 0:
            return node
        number = self.place(node, "walrus", node.target.id)
        node.value = self.report(node.value, "bound", number, self.visit(node.value))
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if self.scope < 0:
            return self.generic_visit(node)
        if isinstance(node.func, ast.Name | ast.Attribute | ast.Call):
            called = self.visit(node.func)
            node.func = self.report(node.func, "calling", self.scope, called)
        else:
            node.func = self.visit(node.func)
        node.args = [self.visit(argument) for argument in node.args]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
        return node


_DEFINITIONS = ast.FunctionDef | ast.ClassDef


def _load(name: str, where: ast.AST) -> ast.Name:
    return ast.copy_location(ast.Name(name, ast.Load()), where)


def _names(target: ast.AST) -> list[str]:
    """The plain names that a target binds, in order."""
    match target:
        case ast.Name(name):
            return [name]
        case ast.Starred(value):
            return _names(value)
        case ast.Tuple(parts) | ast.List(parts):
            return [name for part in parts for name in _names(part)]
    return []


def _header_end(node: Any) -> int:
    """The last line of `if …:`, `for …:` or `with …:` itself."""
    first = node.body[0]
    start = min(
        [first.lineno, *(d.lineno for d in getattr(first, "decorator_list", []))]
    )
    return int(max(node.lineno, start - 1))


def _is_settled(test: ast.expr) -> bool:
    """The compiler decides it, and drops the branch that cannot be reached."""
    return all(
        isinstance(part, ast.Constant | ast.UnaryOp | ast.BoolOp | ast.operator)
        or (isinstance(part, ast.Name) and part.id == "__debug__")
        for part in ast.walk(test)
        if not isinstance(part, ast.expr_context | ast.unaryop | ast.boolop)
    )
