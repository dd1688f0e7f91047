"""On which line of the user's something changes: a trace, watched line by line."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from jaxintro.lens.audit.trace.state import Spot, Watch
from jaxintro.lens.files import is_user_file, user_frame

MOST = 20_000  # lines that are watched


class Lines:
    """Looks at some watched spots after every line of the user's that runs."""

    def __init__(self, watch: Watch, spots: Collection[Spot]) -> None:
        self.watch = watch
        self.left = set(spots)
        self.found: dict[Spot, tuple[str, int]] = {}
        self.here: tuple[str, int] | None = None
        self.seen = 0

    def _called(self, frame: FrameType, event: str, _: Any) -> Any:
        if not is_user_file(frame.f_code.co_filename):
            return None
        self._look(frame)
        return self._step

    def _step(self, frame: FrameType, event: str, _: Any) -> Any:
        self._look(frame.f_back if event == "return" else frame)
        return self._step

    def _look(self, following: FrameType | None) -> None:
        """Blame the line that has just run, and remember the one that follows."""
        self.seen += 1
        if self.left and self.seen < MOST:
            changed = self.watch.differing(self.left)
            self.left -= changed
            if self.here is not None:
                self.found.update(dict.fromkeys(changed, self.here))
        frame = user_frame(following)
        if frame is not None:
            self.here = (frame.f_code.co_filename, frame.f_lineno)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look while the block runs; whoever traced this thread goes on after it."""
        if not self.left:
            yield
            return
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            yield
        finally:
            sys.settrace(before)
            self._look(None)
