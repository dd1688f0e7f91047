"""Code that reports on itself: each statement says what it gave, and does no more.

The syntax tree of the file is rewritten as pytest does for `assert`: lines, names and
the order of evaluation stay, and each statement hands its value to a recorder on the
way. The recorder is a constant of the new code, so no namespace knows of it.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

RECORDER = "\N{INFORMATION SOURCE} the recorder stands here"


@dataclass(frozen=True)
class Place:
    """A statement: where it stands, and how its values are to be read."""

    number: int
    first: int  # line numbers in the file
    last: int
    kind: str  # "bound", "gave", "returned", "tested", "def", … or "" for silent ones
    label: str = ""  # the names that it binds; of a def, its arguments
    scope: int = -1  # the number of the def that it stands in
    head: int = 0  # of a def: the line that its code object is known by
    end: int = 0  # of a def: its last line

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names one by one."""
        return tuple(filter(None, self.label.split(", ")))


class Rewriter(ast.NodeTransformer):
    """Rewrites functions, wherever they stand; all else stays as it is."""

    def __init__(self, lines: tuple[str, ...], foreign: set[int]) -> None:
        self.lines = lines
        self.foreign = foreign  # lines of functions that stay as they are
        self.places: list[Place] = []
        self.scope = -1  # no function yet: at module level nothing reports

    # what reports, and how

    def place(self, node: Any, kind: str = "", label: str = "", last: int = 0) -> int:
        """The number of a new place, where this statement stands."""
        number, end = len(self.places), node.end_lineno
        where = (node.lineno, last or end, kind, label, self.scope, head_of(node), end)
        self.places.append(Place(number, *where))
        return number

    def header_end(self, node: Any) -> int:
        """The last line of `if …:`, `for …:`, `with …:` or `def …:` itself."""
        end = head_of(node.body[0]) - 1
        while end > node.lineno and self.lines[end - 1].lstrip()[:1] in ("", "#"):
            end -= 1
        return max(int(node.lineno), end)

    def report(self, where: ast.AST, method: str, number: int, *values: Any) -> Any:
        """The expression `recorder.method(number, *values)`, placed as `where` is."""
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
        """The same as a statement of its own."""
        return ast.copy_location(
            ast.Expr(self.report(where, method, number, *values)), where
        )

    # functions and classes

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A function says that it begins, what its lines give, and how it ends."""
        if node.lineno in self.foreign:
            self.place(node)
            return node
        outer, names = self.scope, _arguments(node.args)
        number = self.place(node, "def", ", ".join(names), self.header_end(node))
        if outer >= 0:
            node.decorator_list = [self.visit(d) for d in node.decorator_list]
        self.scope = number
        docstring = node.body[:1] if ast.get_docstring(node) is not None else []
        body = self.block(node.body[len(docstring) :])
        entered = self.statement(node, "entered", number, _tuple(names, node))
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
        """What waits for others is left alone."""
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """A lambda reports only when it is itself what one follows."""
        outer, self.scope = self.scope, self.place(node, "def")
        number = self.place(node, "lambda")
        node.body = self.report(node.body, "lambda_returned", number, node.body)
        self.scope = outer
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """The methods report; what else stands in a class does not."""
        if node.lineno in self.foreign:
            return node
        outer, self.scope = self.scope, -1
        node.body = [self.visit(part) for part in node.body]
        self.scope = outer
        return node

    # statements

    def block(self, statements: Iterable[ast.stmt]) -> list[ast.stmt]:
        """Statements with their reports between them."""
        done: list[ast.stmt] = []
        for statement in statements:
            done += self.one(statement)
        return done

    def one(self, node: Any) -> list[ast.stmt]:
        """One statement, and what is to be said after it."""
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return [self.visit(node)]
            case ast.ClassDef():
                self.place(node, last=self.header_end(node))
                return [self.visit(node)]
            case ast.Expr():
                return [self.expression(node)]
            case ast.Return(value=ast.expr() as value):
                number = self.place(node, "returned")
                node.value = self.report(value, "returned", number, self.visit(value))
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                return self.assignment(node)
            case ast.If():
                number = self.place(node, "tested", last=self.header_end(node))
                node.test = self.visit(node.test)
                if not _is_settled(node.test):
                    node.test = self.report(node.test, "tested", number, node.test)
                node.body, node.orelse = self.block(node.body), self.block(node.orelse)
            case ast.For():
                self.loop(node)
            case ast.While():
                self.place(node, last=self.header_end(node))
                node.test = self.visit(node.test)
                node.body, node.orelse = self.block(node.body), self.block(node.orelse)
            case ast.With():
                number = self.context(node)
                return [node, self.statement(node, "ended", number)]
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
        """A call, or another expression that stands alone."""
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
        """What a name, or several, came to stand for."""
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        several = [t for t in targets if isinstance(t, ast.Tuple | ast.List)]
        names = _names(several[-1]) if several else []
        number = self.place(node, "bound", ", ".join(names))
        if node.value is None:  # an annotation alone
            return [node]
        node.value = self.visit(node.value)
        if isinstance(node, ast.AugAssign):
            report = self.afterwards(node, node.target, number)
            return [node, *report]
        if several:
            # what was assigned may be an iterator: look at the names instead
            given = _tuple(names, node)
            return [node, self.statement(node, "unpacked", number, given)]
        node.value = self.report(node.value, "bound", number, node.value)
        return [node]

    def afterwards(self, node: Any, target: Any, number: int) -> list[ast.stmt]:
        """What `x += 1` made of x; of x.n and x[i], where looking does nothing else."""
        match target:
            case ast.Name(name):
                return [self.statement(node, "bound", number, _load(name, node))]
            case ast.Attribute(ast.Name(name), attribute):
                label = ast.copy_location(ast.Constant(attribute), node)
                given = (_load(name, node), label)
                return [self.statement(node, "attribute", number, *given)]
            case ast.Subscript(ast.Name(name), ast.Name(index)):
                holder, key = _load(name, node), _load(index, node)
                return [self.statement(node, "item", number, holder, key)]
            case ast.Subscript(ast.Name(name), ast.Constant(value)):
                constant = ast.copy_location(ast.Constant(value), node)
                holder = _load(name, node)
                return [self.statement(node, "item", number, holder, constant)]
        return []

    def loop(self, node: ast.For) -> None:
        """What the names of a loop stand for, each time round."""
        names = [n for n in _names(node.target) if not n.startswith("_")]
        kind = "looped" if names else ""
        number = self.place(node, kind, ", ".join(names), self.header_end(node))
        node.iter = self.visit(node.iter)
        node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        if names:
            given = _tuple(names, node)
            node.body.insert(0, self.statement(node, "unpacked", number, given))

    def context(self, node: ast.With) -> int:
        """What the names of a `with` stand for; the number of its place."""
        names = [
            n for i in node.items if i.optional_vars for n in _names(i.optional_vars)
        ]
        kind = "entering" if names else ""
        number = self.place(node, kind, ", ".join(names), self.header_end(node))
        for item in node.items:
            item.context_expr = self.visit(item.context_expr)
        body = self.block(node.body)
        if names:
            given = _tuple(names, node)
            body.insert(0, self.statement(node, "unpacked", number, given))
        # the context may swallow what its body raises
        guarded = ast.Try(body, [self.handler(node, self.scope)], [], [])
        node.body = [ast.copy_location(guarded, node)]
        return number

    def attempt(self, node: Any) -> None:
        """An exception that a `try` catches is noted all the same."""
        node.body = self.block(node.body)
        if isinstance(node, ast.TryStar):  # an `except*` sees a part of the group
            whole = self.handler(node, self.scope)
            guarded = ast.Try(node.body, [whole], [], [])
            node.body = [ast.copy_location(guarded, node)]
        for handler in node.handlers:
            noted = self.statement(handler, "caught", self.scope)
            handler.body = [noted, *self.block(handler.body)]
        node.orelse = self.block(node.orelse)
        node.finalbody = self.block(node.finalbody)

    # expressions

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        """A walrus says what it bound."""
        if self.scope < 0:
            return node
        number = self.place(node, "walrus", node.target.id)
        node.value = self.report(node.value, "bound", number, self.visit(node.value))
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A call says whom it calls: JAX may have the result without running it."""
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


def _arguments(head: ast.arguments) -> list[str]:
    """The names of a function's arguments, but not of the object it belongs to."""
    all_of_them = [*head.posonlyargs, *head.args, head.vararg, *head.kwonlyargs]
    names = [each.arg for each in [*all_of_them, head.kwarg] if each]
    return [name for name in names if name not in ("self", "cls")]


def _tuple(names: Iterable[str], where: ast.AST) -> ast.Tuple:
    loads: list[ast.expr] = [_load(name, where) for name in names]
    return ast.copy_location(ast.Tuple(loads, ast.Load()), where)


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


def _is_settled(test: ast.expr) -> bool:
    """The compiler decides it, and drops the branch that cannot be reached."""
    return all(
        isinstance(part, ast.Constant | ast.UnaryOp | ast.BoolOp | ast.operator)
        or (isinstance(part, ast.Name) and part.id == "__debug__")
        for part in ast.walk(test)
        if not isinstance(part, ast.expr_context | ast.unaryop | ast.boolop)
    )


def head_of(node: Any) -> int:
    """Its first line: that of its first decorator, where it has one."""
    decorators = getattr(node, "decorator_list", [])
    return int(min([node.lineno, *(each.lineno for each in decorators)]))
