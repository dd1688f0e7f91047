"""What a lesson may not do to the program that runs it: end it, or silence it."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Any, NoReturn
from unittest import mock

Uncover = Callable[[], object] | None

LIMIT = 600.0  # seconds for one demo and its checks


class _Output:
    """Standard output, for a demo that closes what it prints to."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def close(self) -> None:
        """Stay open: the page goes on."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@contextmanager
def guarded() -> Iterator[None]:
    """Keep standard output, and let `os._exit` be an exception, while a block runs."""
    output, errors = sys.stdout, sys.stderr
    process, leave = os.getpid(), os._exit

    def refuse(status: int) -> NoReturn:
        if os.getpid() != process:  # a child, as of multiprocessing, ends so
            leave(status)
        raise SystemExit(f"os._exit({status})")

    try:
        sys.stdout = _Output(output)
        with mock.patch.object(os, "_exit", refuse):
            yield
    finally:
        sys.stdout, sys.stderr = output, errors


@contextmanager
def limited(
    seconds: float, what: str, option: str = "--limit", uncover: Uncover = None
) -> Iterator[None]:
    """End the program with a line where a block has not ended after this time.

    A thread does it, since neither an exception nor a signal reaches the main one
    while a compiled program runs.

    Args:
        seconds: how long the block may take.
        what: the block, in words.
        option: what the reader would set to give it longer.
        uncover: gives standard output and error back, where somebody holds them.
    """

    def end() -> None:
        words = f"jaxintro: {what} has not ended after {seconds:g} s (see {option})."
        with suppress(OSError, ValueError):
            output.flush()
        with suppress(OSError):
            if uncover:
                uncover()
            os.write(2, f"\n{words}\n".encode(errors="replace"))
        leave(1)

    output, leave, watch = sys.stdout, os._exit, Timer(seconds, end)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
