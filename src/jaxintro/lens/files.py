"""Which code is the user's own: files, classes, frames, tracebacks."""

from __future__ import annotations

import functools
import itertools
import sys
import sysconfig
from pathlib import Path
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import NamedTuple

import jax

PACKAGE = Path(__file__).resolve().parents[1]
OURS = (PACKAGE / "lens", PACKAGE / "_engine")
STDLIB = {Path(sysconfig.get_paths()[each]) for each in ("stdlib", "platstdlib")}
LIBRARIES = tuple(path.resolve() for path in (*STDLIB, Path(jax.__file__).parent))
TYPED_IN = ("<ipython-input", "<python-input", "<doctest", "<stdin>", "<console>")


class Place(NamedTuple):
    """A place in the source; the column tells statements on one line apart."""

    file: str
    line: int
    column: int = -1


@functools.lru_cache(maxsize=4096)
def is_user_file(filename: str) -> bool:
    """Whether a file is the user's own, not a library's.

    The lessons of this package count as the user's own, wherever it is installed:
    they hand their own functions to the lens.
    """
    if filename.startswith("<"):
        return filename.startswith(TYPED_IN)
    path = Path(filename).resolve()
    if path.is_relative_to(PACKAGE):
        return not any(path.is_relative_to(each) for each in OURS)
    if {"site-packages", "dist-packages"} & set(path.parts):
        return False
    return not any(path.is_relative_to(each) for each in LIBRARIES)


def is_user_module(module: ModuleType) -> bool:
    """Whether a module is the user's own; `__main__` always is."""
    filename = getattr(module, "__file__", None)
    if module.__name__ == "__main__":
        return True
    return filename is not None and is_user_file(filename)


def is_user_class(cls: type) -> bool:
    """Whether a class was written by the user."""
    module = sys.modules.get(cls.__module__)
    return module is not None and is_user_module(module)


def user_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame of the user's, from `frame` outwards."""
    while frame is not None and not is_user_file(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def user_place(frame: FrameType | None) -> Place | None:
    """Where the innermost frame of the user's stands, from `frame` outwards."""
    frame = user_frame(frame)
    if frame is None:
        return None
    return Place(
        frame.f_code.co_filename, frame.f_lineno, column(frame.f_code, frame.f_lasti)
    )


def user_place_of_traceback(tb: TracebackType | None) -> Place | None:
    """Where the innermost frame of the user's in a traceback stands."""
    found = None
    while tb is not None:
        code = tb.tb_frame.f_code
        if is_user_file(code.co_filename):
            found = Place(code.co_filename, tb.tb_lineno, column(code, tb.tb_lasti))
        tb = tb.tb_next
    return found


def theirs(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback without our own frames at its head."""
    lens = OURS[0]
    while traceback and lens in Path(traceback.tb_frame.f_code.co_filename).parents:
        traceback = traceback.tb_next
    return traceback


def column(code: CodeType, instruction: int) -> int:
    """The column at which an instruction's source begins, -1 if it is not known."""
    at = itertools.islice(code.co_positions(), instruction // 2, None)
    begin = next(at, (None, None, None, None))[2]
    return -1 if begin is None else begin
