"""How a command begins and ends: whatever comes, it ends in a line and a status.

It imports next to nothing, so that Ctrl-C is heard from the first moment on.
"""

import _thread
import os
import sys

PATIENCE = 2.0  # seconds that an interrupted program has to end by itself

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Protocol

    class Command(Protocol):
        """A main function."""

        def __call__(self, argv: list[str] | None = None) -> int: ...


def door(command: "Command") -> "Command":
    """A command that never ends in a traceback of ours."""

    def main(argv: list[str] | None = None) -> int:
        if command.__module__ == "__main__":
            _leave_the_folder()
        ears = _Ears()
        try:
            return _ended(command, argv)
        except BaseException as error:
            if not ears.heard:
                return _refused(error)
        finally:
            ears.close()
        _say("\nStopped.")
        return 130

    return main


def _leave_the_folder() -> None:
    """A lesson `ast.py` where the reader works is not Python's own module `ast`.

    `python -m` looks there first. The folder of a lesson is on the path while that
    lesson runs.
    """
    home = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    if not sys.flags.safe_path and sys.path[0] != home:
        del sys.path[0]


def _refused(error: BaseException) -> int:
    """A refusal is told in a line; anything else goes on its way."""
    from jaxintro._engine.catalog import RefusalError

    if not isinstance(error, RefusalError):
        raise error
    _say(f"jaxintro: {error}")
    return error.status


class _Ears:
    """Hears Ctrl-C, also where nobody listens.

    Where JAX is being imported, an exception would come out as another one, or break
    it; while a compiled program runs, or Python collects garbage, none arrives. There
    the program ends at once.
    """

    def __init__(self) -> None:
        import signal

        self.heard, self.signal, self.leave = False, signal, os._exit
        self.before = signal.getsignal(signal.SIGINT)
        self.end: int | None = None  # of the pipe that tells the watch of a signal
        if self.before is not signal.default_int_handler:  # it is ignored, say
            return
        try:
            signal.signal(signal.SIGINT, self._hear)
        except ValueError:  # in a thread of its own, which no signal reaches
            self.before = None
            return
        if sys.platform != "win32":
            begin, self.end = os.pipe()
            os.set_blocking(self.end, False)
            signal.set_wakeup_fd(self.end)
            _thread.start_new_thread(self._watch, (begin,))

    def _hear(self, number: int, frame: "FrameType | None") -> None:
        self.heard = True
        while frame is not None:
            code = frame.f_code
            if "importlib" in code.co_filename or code.co_name == "_xla_gc_callback":
                self._end()
            frame = frame.f_back
        raise KeyboardInterrupt

    def _watch(self, begin: int) -> None:
        """Look out for a signal; it may begin when all is over already."""
        import time

        while sent := os.read(begin, 1):  # nothing comes once the other end is closed
            if sent[0] == self.signal.SIGINT:
                time.sleep(PATIENCE)
                if self.end is not None:
                    self._end()
        os.close(begin)

    def _end(self) -> None:
        if sys.stdout.isatty():
            os.write(1, b"\x1b[?25h")  # a cursor that was hidden
        _say("\nStopped.")
        self.leave(130)

    def close(self) -> None:
        if self.before is self.signal.default_int_handler:
            self.signal.signal(self.signal.SIGINT, self.before)
        if self.end is not None:
            self.signal.set_wakeup_fd(-1)
            end, self.end = self.end, None
            os.close(end)


def _ended(command: "Command", argv: list[str] | None) -> int:
    if sys.stdout is None or sys.stderr is None:  # closed, as by >&-
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    try:
        try:
            return command(argv)
        finally:
            if not sys.stdout.closed:
                sys.stdout.flush()
    except KeyboardInterrupt:
        _say("\nStopped.")
        return 130
    except BrokenPipeError:  # `| head` has read enough
        _leave_stdout_alone()
        return 0
    except OSError as error:
        _leave_stdout_alone()
        _say(f"jaxintro: the output is not to be written: {error}")
        return 3


def _say(words: str) -> None:
    try:
        print(words, file=sys.stderr, flush=True)
    except (OSError, ValueError, RuntimeError):  # nobody can be told
        return


def _leave_stdout_alone() -> None:
    """Nothing is left for Python to write when it ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # contextlib takes its time to import
        return
