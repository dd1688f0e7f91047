"""A standard output that is listened to while a function runs."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any


class Listener:
    """What is written goes where it always went, and to whoever listens."""

    def __init__(self, real: Any, hear: Callable[[str], None], *, quiet: bool) -> None:
        self._real, self._hear, self._quiet = real, hear, quiet

    def write(self, text: str) -> int:
        """Write, and tell."""
        if not isinstance(text, str):
            return int(self._real.write(text))  # which says what is wrong with it
        self._hear(text)
        return len(text) if self._quiet else self._real.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write one after the other, and tell."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@contextmanager
def listening(hear: Callable[[str], None], *, quiet: bool) -> Iterator[None]:
    """Hear what is printed while the block runs; one that it put there itself stays."""
    real = sys.stdout
    if real is None:  # a program without a console
        yield
        return
    sys.stdout = Listener(real, hear, quiet=quiet)
    try:
        yield
    finally:
        if isinstance(sys.stdout, Listener):
            sys.stdout = real
