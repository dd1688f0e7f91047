"""Code and values side by side for a notebook, in the colours that it has already."""

from collections.abc import Iterable
from html import escape

from jaxintro.lens.follow.table import Piece, Row

# A notebook may drop style sheets but keeps these; the colours read on white and black.
CELL = "text-align:left;vertical-align:top;background:none;padding:0 0.8em;border:0;"
CODE = f"{CELL}white-space:pre;border-right:2px solid rgba(128,128,128,0.45);"
VALUE = f"{CELL}white-space:pre-wrap;font-weight:600;color:#1a8f7d;"
RAISED = f"{CELL}white-space:pre-wrap;color:#d0473d;"
TABLE = "font-family:monospace;border-collapse:collapse;margin:0.3em 0;"


def code_table(rows: Iterable[Row]) -> str:
    """The rows as an HTML table: code on the left, what it gave on the right."""
    lines = "".join(
        f'<tr style="background:none"><td style="{CODE}">{escape(row.code) or " "}</td>'
        f'<td style="{RAISED if _raised(row) else VALUE}">{_said(row)}</td></tr>'
        for row in rows
    )
    return f'<table style="{TABLE}"><tbody>{lines}</tbody></table>'


def _raised(row: Row) -> bool:
    return any(piece.style == "raised" for piece in row.pieces)


def _said(row: Row) -> str:
    return "\n".join(escape(_text(piece, row.runs)) for piece in row.pieces)


def _text(piece: Piece, runs: int) -> str:
    if piece.shorts and (runs > 1 or len(piece.block) <= 1):
        return piece.shorts[0]
    return "\n".join(piece.block or piece.shorts[:1])
