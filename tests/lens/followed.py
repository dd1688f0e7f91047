"""Following a call, and holding it against the plain call."""

import io
from contextlib import redirect_stdout
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxintro.lens import follow
from jaxintro.lens.follow import Followed

EVENTS: list[Any] = []


def event(*what):
    """Leave a trace."""
    EVENTS.append(what)


class Seen(NamedTuple):
    """All that can be seen of a call."""

    result: Any
    error: str
    printed: str
    events: tuple[Any, ...]


def seen(call):
    """Call, and note what can be seen of it; the value of the call itself too."""
    EVENTS.clear()
    result, error, out = None, "", io.StringIO()
    with redirect_stdout(out):
        try:
            result = call()
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"
        jax.effects_barrier()
    return Seen(result, error, out.getvalue(), tuple(EVENTS))


def compared(function, *args, **kwargs) -> Followed:
    """Follow a function, and find that the call was in all the plain call."""
    plain = seen(lambda: function(*args, **kwargs))
    looked = seen(lambda: follow(function, *args, **kwargs))
    report = looked.result
    assert looked.error == ""
    error = f"{type(report.error).__name__}: {report.error}" if report.error else ""
    assert same(report.result, plain.result)
    assert (error, looked.printed) == (plain.error, plain.printed)
    assert same(looked.events, plain.events)
    return report


def same(one, other) -> bool:
    """Equal, or of one kind where equality has no meaning."""
    if isinstance(one, jax.Array | np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same([*one.items()], [*other.items()])
    plain = isinstance(one, str | int | float | None)
    return one == other if plain else type(one).__name__ == type(other).__name__


def beside(report) -> dict[str, str]:
    """Code without its comment -> what stands beside it, where something does."""
    lines = ((row.code.partition("  #")[0].strip(), said(row)) for row in report.rows)
    return {code: words for code, words in lines if words}


def said(row) -> str:
    """What is said of a row: pieces are parted by |, the lines of a block by /."""
    return " | ".join(
        piece.shorts[0] if piece.shorts else " / ".join(piece.block)
        for piece in row.pieces
    )
