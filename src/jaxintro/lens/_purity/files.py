"""Which code is the user's own: files, classes, frames."""

from __future__ import annotations

import functools
import sys
import sysconfig
import traceback
from pathlib import Path
from types import FrameType, ModuleType, TracebackType

import jax

PACKAGE = Path(__file__).resolve().parents[2]
OURS = (PACKAGE / "lens", PACKAGE / "_engine")
STDLIB = {Path(sysconfig.get_paths()[each]) for each in ("stdlib", "platstdlib")}
LIBRARIES = tuple(path.resolve() for path in (*STDLIB, Path(jax.__file__).parent))
TYPED_IN = ("<ipython-input", "<python-input", "<doctest", "<stdin>", "<console>")


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


def user_line(frame: FrameType | None) -> tuple[str, int] | None:
    """File and line of the innermost frame of the user's, from `frame` outwards."""
    while frame is not None:
        if is_user_file(frame.f_code.co_filename):
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return None


def user_line_of_traceback(tb: TracebackType | None) -> tuple[str, int] | None:
    """File and line of the innermost frame of the user's in a traceback."""
    found = None
    for frame, line in traceback.walk_tb(tb):
        if is_user_file(frame.f_code.co_filename):
            found = (frame.f_code.co_filename, line)
    return found
