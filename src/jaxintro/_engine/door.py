"""How a command begins and ends: whatever comes, it ends in a line and a status.

It imports next to nothing, so that Ctrl-C is heard from the first moment on.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
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
        print("\nStopped.", file=sys.stderr)
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
    print(f"jaxintro: {error}", file=sys.stderr)
    return error.status


class _Ears:
    """Hears Ctrl-C, also where somebody else turns it into another exception."""

    def __init__(self) -> None:
        import signal

        self.heard, self.signal = False, signal
        self.before = signal.getsignal(signal.SIGINT)
        if self.before is signal.default_int_handler:  # not where it is ignored
            try:
                signal.signal(signal.SIGINT, self._hear)
            except ValueError:  # in a thread of its own, which no signal reaches
                self.before = None

    def _hear(self, number: int, frame: object) -> None:
        self.heard = True
        raise KeyboardInterrupt

    def close(self) -> None:
        if self.before is self.signal.default_int_handler:
            self.signal.signal(self.signal.SIGINT, self.before)


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
        print("\nStopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `| head` has read enough
        _leave_stdout_alone()
        return 0
    except OSError as error:
        _leave_stdout_alone()
        print(f"jaxintro: the output is not to be written: {error}", file=sys.stderr)
        return 3


def _leave_stdout_alone() -> None:
    """Nothing is left for Python to write when it ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # contextlib takes its time to import
        return
