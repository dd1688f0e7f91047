"""The code of functions as it was written, and as it reports.

Both are compiled from the file that a function came from, so that one can be exchanged
for the other; a function whose file has changed since is not touched.
"""

import __future__

import ast
import linecache
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType

from jaxintro.lens.follow.foreign import read_by_others
from jaxintro.lens.follow.rewrite import RECORDER, Place, Rewriter, head_of

FUTURES = sum(
    getattr(__future__, f).compiler_flag for f in __future__.all_feature_names
)


@dataclass(frozen=True)
class Rewritten:
    """All of a file, rewritten: pairs of code objects, as it was and as it reports."""

    pairs: tuple[tuple[CodeType, CodeType], ...]
    places: tuple[Place, ...]
    lines: tuple[str, ...]

    def counterpart(self, code: CodeType) -> CodeType | None:
        """The reporting code for a function's own, or None if the file has changed."""
        for old, new in self.pairs:
            if _same(old, code):
                return new
        if not _is_rewritten(code):
            return None
        name = (code.co_qualname, code.co_firstlineno, code.co_freevars)
        named = {
            id(new): new
            for old, new in self.pairs
            if (old.co_qualname, old.co_firstlineno, old.co_freevars) == name
        }
        return next(iter(named.values())) if len(named) == 1 else None


def _same(one: object, other: object) -> bool:
    """The same code, whether it has run or not: Python 3.11 changes code that runs."""
    if isinstance(one, CodeType) and isinstance(other, CodeType):
        return _face(one) == _face(other) and all(
            map(_same, one.co_consts, other.co_consts)
        )
    return type(one) is type(other) and one == other


def _face(code: CodeType) -> tuple[object, ...]:
    names = (code.co_names, code.co_varnames, code.co_cellvars, code.co_freevars)
    place = (code.co_qualname, code.co_firstlineno, len(code.co_consts))
    return (*names, *place, code.co_code, code.co_flags)


def _is_rewritten(code: CodeType) -> bool:
    """It was compiled from this source, and made to report or to explain itself.

    By us, when a followed function made it; or by pytest, of whose names all begin so.
    """
    ours = any(type(constant).__name__ == "Recorder" for constant in code.co_consts)
    return ours or any(name.startswith("@py") for name in code.co_names + _locals(code))


def _locals(code: CodeType) -> tuple[str, ...]:
    return code.co_varnames + code.co_cellvars


def rewritten(filename: str, codes: Iterable[CodeType]) -> Rewritten:
    """What a file says of some functions, rewritten once for each of its contents.

    Raises:
        SyntaxError, OSError: it has no source, or none that is Python.
    """
    linecache.checkcache(filename)
    source = "".join(linecache.getlines(filename))
    if not source:
        raise OSError(f"there is no source of {filename}")
    flags, heads = 0, set()
    for code in codes:
        flags |= code.co_flags & FUTURES
        heads.add(code.co_firstlineno)
    return _rewritten(source, filename, flags, frozenset(heads))


@lru_cache(maxsize=64)
def _rewritten(
    source: str, filename: str, flags: int, heads: frozenset[int]
) -> Rewritten:
    lines = tuple(source.split("\n"))
    tree = ast.parse(_with_only(heads, source, lines))
    rewriter = Rewriter(lines, _outline(source)[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the author has heard them already
        plain = compile(tree, filename, "exec", flags, dont_inherit=True)
        # a notebook compiles each statement by itself, so there it does not show
        rest = [n for n in tree.body if not isinstance(n, ast.Import | ast.ImportFrom)]
        alone = compile(
            ast.Module(rest, []), filename, "exec", flags, dont_inherit=True
        )
        tree.body = [rewriter.visit(node) for node in tree.body]
        ast.fix_missing_locations(tree)
        reporting = compile(tree, filename, "exec", flags, dont_inherit=True)
    pairs = [p for c in (plain, alone) for p in _paired(_inner(c), _inner(reporting))]
    return Rewritten(tuple(pairs), tuple(rewriter.places), lines)


def _with_only(heads: frozenset[int], source: str, lines: tuple[str, ...]) -> str:
    """The file without the functions that are not asked for, each line in its place.

    What is imported shows in the code of functions; other functions do not.
    """
    kept = list(lines)
    for first, last in _outline(source)[0]:
        if not any(first <= head <= last for head in heads):
            kept[first - 1 : last] = [""] * (last - first + 1)
    return "\n".join(kept)


@lru_cache(maxsize=16)
def _outline(source: str) -> tuple[list[tuple[int, int]], set[int]]:
    """From where to where its functions go, and the lines of those that others read."""
    tree = ast.parse(source)
    spans = [
        (head_of(node), node.end_lineno or node.lineno)
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    return spans, read_by_others(tree)


def rewritten_cell(
    source: str, filename: str, flags: int = 0
) -> tuple[CodeType, Rewritten]:
    """A whole notebook cell that reports: its code, and where its statements stand.

    Raises:
        SyntaxError: it is not Python.
    """
    tree, lines = ast.parse(source, filename), tuple(source.split("\n"))
    rewriter = Rewriter(lines, read_by_others(tree))
    if tree.body:
        rewriter.scope = rewriter.place(tree.body[0], "cell")
        imports = [n for n in tree.body if _is_future(n)]
        rest = rewriter.block(n for n in tree.body if not _is_future(n))
        if rest:
            handler = rewriter.handler(rest[0], rewriter.scope)
            guarded = ast.copy_location(ast.Try(rest, [handler], [], []), rest[0])
            tree.body = [*imports, guarded]
        ast.fix_missing_locations(tree)
    code = compile(tree, filename, "exec", flags, dont_inherit=True)
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


def reports(code: CodeType) -> bool:
    """There is a place for a recorder in the code."""
    return any(isinstance(c, str) and c == RECORDER for c in code.co_consts)


def with_recorder(code: CodeType, recorder: object) -> CodeType:
    """The code with this recorder in the place that was kept for it."""
    constants = tuple(
        recorder
        if isinstance(constant, str) and constant == RECORDER
        else with_recorder(constant, recorder)
        if isinstance(constant, CodeType)
        else constant
        for constant in code.co_consts
    )
    return code.replace(co_consts=constants)
