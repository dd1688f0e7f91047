"""`%%follow`: a notebook cell shows its lines, and beside each what it gave."""

import re
from typing import Any

from jaxintro.lens.follow.html import code_table
from jaxintro.lens.follow.record import recording_cell
from jaxintro.lens.follow.table import Row, plain, rows, table


class CellReport:
    """The lines of a cell and what they gave, for whatever shows the notebook."""

    def __init__(self, found: list[Any]) -> None:
        self.rows = found

    def __repr__(self) -> str:
        return "\n".join(plain(table(self.rows, 100)))

    def _repr_html_(self) -> str:
        return code_table(self.rows)


def follow_cell(shell: Any, source: str) -> None:
    """Run a cell in the notebook's own namespace, then show what its lines gave.

    Raises:
        SyntaxError: the cell is not Python.
        Exception: whatever the cell raises, once its lines are shown.
    """
    from IPython.display import display

    python = shell.transform_cell(source)
    filename = shell.compile.cache(python, shell.execution_count, raw_code=source)
    flags = shell.compile.flags  # what earlier cells imported from __future__
    with recording_cell(python, filename, flags) as (code, recorder):
        try:
            exec(code, shell.user_ns)
        finally:
            recorder.close()
            lines = python.rstrip("\n").split("\n")
            show: Any = display
            show(CellReport(without_repeats(rows(lines, recorder.list))))


def without_repeats(found: list[Row]) -> list[Row]:
    """The rows without what they have said before.

    `return a, b` gives what the lines of a and b gave, and a call of a function of the
    cell what the function's own lines gave.
    """
    defined = {m[1] for row in found if (m := re.match(r"def (\w+)", row.code))}
    shown = []
    for row in found:
        call = re.fullmatch(r"(\w+)\(.*\)", row.code)
        again = re.fullmatch(r"\s+return \w+(, \w+)*", row.code)
        raised = any(piece.style == "raised" for piece in row.pieces)
        if (again or (call and call[1] in defined)) and not raised:
            row = row._replace(pieces=())
        shown.append(row)
    while len(shown) > 1 and not shown[-1].pieces and shown[-1].code.strip() == "":
        shown.pop()
    return shown


def register(shell: Any) -> None:
    """Give a notebook the magic."""

    def follow(line: str, cell: str) -> None:
        """Run the cell and show beside each line what it gave."""
        follow_cell(shell, cell)

    shell.register_magic_function(follow, "cell", "follow")
