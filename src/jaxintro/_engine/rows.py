"""What a page shows of a demo: its lines of code, each with what it gave."""

from collections.abc import Sequence

from jaxintro._engine.call import worked_example
from jaxintro._engine.page import Passage, Section
from jaxintro.lens.follow.record import Line
from jaxintro.lens.follow.table import Row, rows

EMPTY = Row(0, "", 0, ())


def shown_rows(section: Section, lines: Sequence[Line] = ()) -> list[Row]:
    """Constants, definitions, arguments and body of a demo, in the order of reading."""
    blocks = [
        [row for passage in section.constants for row in _passage(passage, ())],
        *(_passage(d.passage, lines) for d in section.definitions),
    ]
    example = worked_example(section.call, section.arguments)
    arguments = [Row(0, argument, 0, ()) for argument in example]
    body = _passage(section.body, lines)
    starts_apart = body and body[0].code.startswith(("def ", "@", "class ", "import "))
    blocks.append(arguments + [EMPTY] * bool(arguments and starts_apart) + body)
    found: list[Row] = []
    for block in filter(None, blocks):
        found += [EMPTY] * bool(found) + block
    return found


def _passage(passage: Passage, lines: Sequence[Line]) -> list[Row]:
    return rows(passage.lines, lines, passage.first) if passage.lines else []
