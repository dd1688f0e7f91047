"""How a value reads on a page: lines of plain text."""

import textwrap
from typing import Any

import numpy as np

FIGURE = "a figure: --figures DIR saves it, a notebook shows it"
LONGEST = 40  # lines of one value; a whole compiled program is no reading matter


def show(value: Any, width: int = 80) -> list[str]:
    """The lines that stand for a demo's value, whatever it is."""
    try:
        return _shorten(_show(value, width))
    except Exception as error:  # a value that cannot say what it is
        kind = type(value).__name__
        return textwrap.wrap(
            f"<{kind}: not to be shown, {type(error).__name__}>", width
        )


def _show(value: Any, width: int) -> list[str]:
    if isinstance(value, type):
        return textwrap.wrap(repr(value), width)
    if hasattr(value, "_asdict"):  # a named tuple
        value = value._asdict()
    if isinstance(value, dict):
        return _show_entries(value, width)
    if isinstance(value, list | tuple) and any(map(_is_large, value)):
        return _show_entries(dict(enumerate(value)), width)
    if isinstance(value, BaseException):
        return _show_error(value, width)
    if hasattr(value, "savefig"):
        return textwrap.wrap(FIGURE, width)
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return _show_array(value, width)
    if isinstance(value, list | tuple | set | float | int | complex | None):
        return textwrap.wrap(_plain(value), width)
    return [part for line in str(value).splitlines() for part in _wrap(line, width)]


def figures(value: Any) -> dict[str, Any]:
    """The figures in a demo's value, by their name in it ("" where it has none)."""
    entries: Any = [("", value)]
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list | tuple):
        entries = enumerate(value, 1)
    return {str(key): entry for key, entry in entries if hasattr(entry, "savefig")}


def _is_large(value: Any) -> bool:
    return np.ndim(value) > 0 if hasattr(value, "shape") else not _is_scalar(value)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | complex | str)


def _plain(value: Any) -> str:
    """A value on one line, arrays of one number as that number."""
    if isinstance(value, list | tuple | set):
        brackets = {list: "[]", set: "{}"}.get(type(value), "()")
        return ", ".join(map(_plain, value)).join(brackets)
    if hasattr(value, "shape") and np.shape(value) == ():
        return str(value)
    return repr(value)


def _show_entries(entries: dict[Any, Any], width: int) -> list[str]:
    shown = {str(key): show(value, width - 4) for key, value in entries.items()}
    column = max((len(key) for key in shown), default=0) + 2
    lines = []
    for key, block in shown.items():
        if len(block) == 1 and column + len(block[0]) <= width:
            lines.append(f"{key:{column}}{block[0]}")
        else:
            lines += [*textwrap.wrap(key, width), *(f"    {line}" for line in block)]
    return lines or ["{}"]


def _show_array(array: Any, width: int) -> list[str]:
    if str(array.dtype).startswith("key<") or np.ndim(array) == 0:
        return str(array).splitlines()
    body = np.array2string(
        np.asarray(array), max_line_width=width, threshold=60, edgeitems=3
    )
    shape = ", ".join(map(str, array.shape))
    lines, kind = body.splitlines(), f"{array.dtype}[{shape}]"
    if len(lines) == 1 and len(body) + len(kind) + 3 <= width:
        return [f"{body}   {kind}"]
    return [*lines, kind]


def _show_error(error: BaseException, width: int) -> list[str]:
    first = next(iter(str(error).strip().splitlines()), "")
    return textwrap.wrap(f"{type(error).__name__}: {first}", width)[:4]


def _wrap(line: str, width: int) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    if len(line) <= width:
        return [line]
    return textwrap.wrap(
        line, width, subsequent_indent=indent, break_on_hyphens=False
    ) or [""]


def _shorten(lines: list[str]) -> list[str]:
    if len(lines) <= LONGEST:
        return lines
    hidden = len(lines) - LONGEST + 1
    return [*lines[: LONGEST - 1], f"… {hidden} more lines"]
