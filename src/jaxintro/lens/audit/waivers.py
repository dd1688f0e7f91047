"""Comments that allow a finding on their line: `# audit: allow output`."""

from __future__ import annotations

import ast
import linecache
import re

from jaxintro.lens.audit.kinds import KINDS
from jaxintro.lens.audit.source.function import UserFunction
from jaxintro.lens.audit.source.lines import at
from jaxintro.lens.audit.source.syntax import last_line

COMMENT = re.compile(r"#\s*audit:\s*allow\s+([A-Za-z][A-Za-z ,-]*)")


def allowed(functions: list[UserFunction], filename: str, line: int) -> set[str]:
    """The kinds, in small letters, that comments at a statement allow."""
    _, statement = at(functions, filename, line)
    last = line
    if isinstance(statement, ast.stmt) and statement.lineno == line:
        body = getattr(statement, "body", None)
        last = body[0].lineno - 1 if body else last_line(statement)
    kinds: set[str] = set()
    for number in range(line, max(line, last) + 1):
        found = COMMENT.search(linecache.getline(filename, number))
        if found is not None:
            kinds |= {each.strip().lower() for each in found[1].split(",")}
    return kinds


def unknown(kinds: set[str]) -> list[str]:
    """Those that no finding can have."""
    return sorted(kinds - {each.lower() for each in KINDS} - {""})
