"""Whose frame an error came from: a reader's traceback shows none of the lens."""

from pathlib import Path
from types import TracebackType

OURS = Path(__file__).parent


def theirs(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback without our own frames at its head."""
    while traceback and OURS in Path(traceback.tb_frame.f_code.co_filename).parents:
        traceback = traceback.tb_next
    return traceback
