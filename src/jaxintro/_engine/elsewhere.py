"""A lesson that takes more devices than there are here runs where there are as many.

How many devices a CPU is to be is settled when JAX starts, once for a process. A lesson
that says `DEVICES = 8` cannot count on that: under pytest, after other lessons and in a
notebook JAX runs already, and a machine with one GPU has one. To end JAX here and start
it anew would leave everybody else's arrays and compiled programs without a device. So
the module of such a lesson lives in a child, a process with that many virtual devices
of the CPU. An `Elsewhere` stands here in its place: a function of the engine that takes
a module, and is marked `at_home`, runs where the module lives, and what it gives comes
back. Whoever loads a lesson, command, review, pytest or test, need not know.

The child ends when the pipe to it closes, however that comes about: the lesson is over,
Ctrl-C, this process was killed. It interrupts what it runs, so that a demo can clear
up, then takes everything that it started with it.
"""

import atexit
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from types import ModuleType
from typing import Any, Concatenate, ParamSpec, TypeGuard, TypeVar

from jaxintro._engine import setting
from jaxintro._engine.catalog import Lesson, RefusalError

P = ParamSpec("P")
T = TypeVar("T")
OfModule = Callable[Concatenate[ModuleType, P], T]

GRACE = 5.0  # seconds for a demo that is interrupted to clear up


def at_home(function: OfModule[P, T]) -> OfModule[P, T]:
    """Let a function of a lesson's module run where the module lives."""

    @wraps(function)
    def called(module: ModuleType, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if is_elsewhere(module):
            answer: T = module.call(called, *args, **kwargs)
            return answer
        return function(module, *args, **kwargs)

    return called


class Elsewhere(ModuleType):
    """The module of a lesson that lives in a process of its own."""

    def __init__(self, lesson: Lesson) -> None:
        here = setting.devices()
        words = (
            f"This lesson takes {lesson.devices} devices, and JAX has {here} here: it "
            f"runs in a process of its own, on {lesson.devices} virtual devices of the "
            "CPU."
        )
        super().__init__(lesson.module, words)
        self._lesson = lesson
        self._child: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What the function gives for the module, under the settings of here.

        Raises:
            RefusalError: the process ended before it could answer.
            Exception: what the function raised, or a RuntimeError that names it.
        """
        child = self._child = self._child or _start(self._lesson.devices)
        assert child.stdin
        assert child.stdout
        try:
            request = (self._lesson, setting.current(), function, args, kwargs)
            pickle.dump(request, child.stdin)
            child.stdin.flush()
            holds, answer = pickle.load(child.stdout)
        except (EOFError, BrokenPipeError):
            status = self.close()
            raise RefusalError(
                f"The process of '{self._lesson.argument}' ended with status {status}."
            ) from None
        except BaseException:  # Ctrl-C: its answer would be taken for the next one
            self.close()
            raise
        if not holds:
            raise answer
        return answer

    def close(self) -> int | None:
        """End the process, with all that it started; return its status."""
        child, self._child = self._child, None
        if child is None:
            return None
        try:
            with suppress(OSError):
                child.communicate(timeout=2 * GRACE)  # closes the pipe to it, and waits
        except subprocess.TimeoutExpired:
            child.kill()
        finally:
            end_group(child.pid)
            status = child.wait()
        return status


def is_elsewhere(module: ModuleType) -> TypeGuard[Elsewhere]:
    """The module lives in another process."""
    return isinstance(module, Elsewhere)


def where(module: ModuleType) -> str:
    """That a module lives in another process, and why, in words; "" if it does not."""
    return str(module.__doc__) if is_elsewhere(module) else ""


_away: dict[Lesson, Elsewhere] = {}


def is_for(lesson: Lesson) -> bool:
    """The lesson takes more devices than there are in this process."""
    return lesson.devices > 1 and lesson.devices > setting.devices()


def home(lesson: Lesson) -> Elsewhere:
    """The module of such a lesson, the same until one leaves it."""
    if lesson not in _away:
        _away[lesson] = Elsewhere(lesson)
    return _away[lesson]


def leave(lesson: Lesson) -> None:
    """End the process of a lesson, if it has one."""
    if module := _away.pop(lesson, None):
        module.close()
        atexit.unregister(module.close)


def end_group(leader: int) -> None:
    """End a child with all that it has started, where a system has groups."""
    if sys.platform != "win32":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def _start(devices: int) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "JAX_NUM_CPU_DEVICES": str(devices),  # stronger than a count in XLA_FLAGS
        "MPLBACKEND": "Agg",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "jaxintro._engine.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # Ctrl-C is ours to hand on, and once
    )
