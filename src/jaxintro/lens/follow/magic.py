"""`%%follow`: a notebook cell shows its lines, and beside each what it gave."""

from typing import Any

from jaxintro.lens.follow.html import code_table
from jaxintro.lens.follow.record import recording_cell
from jaxintro.lens.follow.table import plain, rows, table


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
            show(CellReport(rows(lines, recorder.list)))


def register(shell: Any) -> None:
    """Give a notebook the magic."""

    def follow(line: str, cell: str) -> None:
        """Run the cell and show beside each line what it gave."""
        follow_cell(shell, cell)

    shell.register_magic_function(follow, "cell", "follow")
