"""Catches what a trace would print, log or write to a file."""

from __future__ import annotations

import builtins
import contextlib
import io
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any
from unittest import mock

from jaxintro.lens.audit.kinds import OUTPUT, Diagnostic
from jaxintro.lens.audit.trace.guards import is_for_a_library
from jaxintro.lens.audit.trace.stand_ins import Seen
from jaxintro.lens.files import is_user_file, user_place


class Deaf:
    """Stands in for sys.stdout or sys.stderr: notes who writes, and writes nothing.

    What other threads write, and what libraries log, goes where it went before.
    """

    def __init__(self, stream: Any, seen: Seen) -> None:
        self._stream = stream
        self._seen = seen
        self._thread = threading.get_ident()

    def write(self, text: str) -> int:
        """Note the line of the user's that prints."""
        frame = sys._getframe(1)
        logged = frame.f_code.co_filename == logging.__file__
        if threading.get_ident() != self._thread or logged:
            return int(self._stream.write(text))
        what = "{} runs while the function is traced"
        self._seen.note(OUTPUT, what, "", user_place(frame))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Note the line of the user's that prints."""
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> Deaf:
        """Bytes are caught like text."""
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def deaf_open(seen: Seen) -> Any:
    """An `open` that gives a file in memory where the real one would write."""
    real, thread = builtins.open, threading.get_ident()

    def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        frame = sys._getframe(1)
        reads = not set("wax+") & set(mode) or threading.get_ident() != thread
        if reads or is_for_a_library(frame):
            return real(file, mode, *args, **kwargs)
        what, place = "{} opens a file while the function is traced", user_place(frame)
        seen.note(OUTPUT, what, "output to a file", place)
        return io.BytesIO() if "b" in mode else io.StringIO()

    return opened


def deaf_log(seen: Seen) -> Any:
    """A `Logger.handle` that notes the user's messages, and passes on all others."""
    real, thread = logging.Logger.handle, threading.get_ident()

    def handle(logger: logging.Logger, record: logging.LogRecord) -> None:
        if not is_user_file(record.pathname) or threading.get_ident() != thread:
            real(logger, record)
            return
        what = "{} runs while the function is traced"
        seen.diagnostics.append(
            Diagnostic(OUTPUT, record.pathname, record.lineno, what)
        )

    return handle


@contextlib.contextmanager
def silence(seen: Seen) -> Iterator[None]:
    """Let nothing out while a function is traced; note in `seen` what wanted to."""
    out, error = Deaf(sys.stdout, seen), Deaf(sys.stderr, seen)
    opened = deaf_open(seen)
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(error),
        mock.patch.object(builtins, "open", opened),
        mock.patch.object(io, "open", opened),
        mock.patch.object(logging.Logger, "handle", deaf_log(seen)),
    ):
        yield
