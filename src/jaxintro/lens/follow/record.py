"""Exchanging a function's code for one that reports, for as long as a block runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from types import CodeType, FunctionType

from jaxintro.lens.follow.listener import listening
from jaxintro.lens.follow.recorder import KEPT, Line, Recorder
from jaxintro.lens.follow.source import (
    reports,
    rewritten,
    rewritten_cell,
    with_recorder,
)

__all__ = ["KEPT", "Line", "Recorder", "paused", "recording", "recording_cell"]

TURN = 10.0  # seconds that one thread waits for another to have followed its function

_active: list[Recorder] = []
_one_thread = RLock()  # code and standard output are exchanged for all threads


@contextmanager
def paused() -> Iterator[None]:
    """Nothing is noted while the block runs: what a tool of the lens runs is unseen."""
    listeners = [recorder for recorder in _active if recorder.open]
    for recorder in listeners:
        recorder.open = False
    try:
        yield
    finally:
        for recorder in listeners:
            recorder.open = True


@contextmanager
def _in_turn() -> Iterator[None]:
    """One thread follows at a time.

    Raises:
        OSError: another does not end. It may be waiting for this one, so it gives up.
    """
    if not _one_thread.acquire(timeout=TURN):
        raise OSError("another thread is following a function")
    try:
        yield
    finally:
        _one_thread.release()


@contextmanager
def recording(
    functions: list[FunctionType], *, quiet: bool = False
) -> Iterator[Recorder]:
    """Let functions of one file report while the block runs.

    Their code is exchanged and put back: they stay the objects that they are, so that
    recursion, decorators and JAX's caches see nothing new.

    Raises:
        OSError: there is no source to follow, or another thread is following.
        SyntaxError: the source is not Python.
    """
    with _in_turn():
        plain = [function.__code__ for function in functions]
        source = rewritten(plain[0].co_filename, plain)
        new = [source.counterpart(code) for code in plain]
        if new[0] is None:
            raise OSError("the file is not what it was when it was imported")
        if not reports(new[0]):
            raise OSError("an async function is left alone")
        recorder = Recorder(source)
        try:
            for function, code in zip(functions, new, strict=True):
                if code is not None:
                    function.__code__ = with_recorder(code, recorder)
                    recorder.know(function.__code__)
            recorder.follow(functions[0].__code__)
            with listening(recorder.heard, quiet=quiet):
                _active.append(recorder)
                yield recorder
        finally:
            for function, code in zip(functions, plain, strict=True):
                function.__code__ = code
            if recorder in _active:
                _active.remove(recorder)
            recorder.close()


@contextmanager
def recording_cell(
    source: str, filename: str, flags: int = 0
) -> Iterator[tuple[CodeType, Recorder]]:
    """The code of a notebook cell that reports while the block runs.

    Raises:
        OSError: another thread is following a function.
        SyntaxError: the cell is not Python.
    """
    with _in_turn():
        code, places = rewritten_cell(source, filename, flags)
        recorder = Recorder(places)
        reporting = with_recorder(code, recorder)
        recorder.know(reporting)
        _active.append(recorder)
        try:
            with listening(recorder.heard, quiet=True):
                yield reporting, recorder
        finally:
            _active.remove(recorder)
            recorder.close()
