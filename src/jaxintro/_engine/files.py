"""Writing files so that a full disk costs nobody what was there before."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from jaxintro._engine.catalog import UsageError


def put(path: Path, write: Callable[[Path], object]) -> None:
    """Let a file be written beside its place, then put it there at once.

    Args:
        path: its place; what is there stays whole until the new file is.
        write: writes the file to the path that it is given, of the same name.

    Raises:
        UsageError: it cannot be written; the message says why.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        place = path.resolve()  # a link stays a link
        with tempfile.TemporaryDirectory(prefix=".jaxintro-", dir=place.parent) as new:
            written = Path(new, place.name)
            write(written)
            if place.exists():
                shutil.copymode(place, written)
            os.replace(written, place)
    except OSError as error:
        why = error.strerror or error
        raise UsageError(f"'{path}' cannot be written: {why}.") from error
