"""The process of a lesson that lives elsewhere: it answers until the pipe closes."""

import os
import pickle
import signal
import sys
import time
from _thread import interrupt_main
from contextlib import ExitStack
from queue import Queue
from threading import Thread, main_thread
from types import ModuleType
from typing import Any, BinaryIO

from jaxintro._engine import outcome, setting
from jaxintro._engine.catalog import LackingError, Lesson
from jaxintro._engine.elsewhere import GRACE, end_group

Request = tuple[Lesson, dict[str, object], Any, tuple[Any, ...], dict[str, Any]]

leave = os._exit  # while a lesson runs, os._exit is an exception


def main() -> None:
    """Answer each request in turn; end with all that was started on the way."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a lesson prints past Python spoils no answer
    requests: Queue[Request | None] = Queue()
    Thread(target=_listen, args=(requests, sys.stdin.buffer), daemon=True).start()
    try:
        with ExitStack() as stack:
            module: ModuleType | None = None
            while request := requests.get():
                lesson, values, function, args, kwargs = request
                try:
                    if module is None:
                        _refuse_too_few(lesson)
                        module = stack.enter_context(outcome.imported(lesson))
                    setting.take_over(values)
                    answer = (True, function(module, *args, **kwargs))
                except KeyboardInterrupt:
                    return
                except BaseException as error:  # even one that would end the program
                    answer = (False, _portable(error))
                answers.write(_packed(answer))
                answers.flush()
    except KeyboardInterrupt:
        pass
    finally:
        _end()


def _listen(requests: "Queue[Request | None]", pipe: BinaryIO) -> None:
    """Hand on what is asked for; once the pipe is closed, nobody waits any more."""
    try:
        while True:
            requests.put(pickle.load(pipe))
    finally:
        requests.put(None)
        _interrupt()
        time.sleep(GRACE)
        _end()


def _interrupt() -> None:
    """Ctrl-C for the main thread, also where it sleeps or waits."""
    if sys.platform == "win32":
        interrupt_main()
    else:
        signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)


def _end() -> None:
    end_group(os.getpid())
    leave(0)


def _refuse_too_few(lesson: Lesson) -> None:
    if (found := setting.devices()) < lesson.devices:
        raise LackingError(
            f"'{lesson.argument}' takes {lesson.devices} devices, and JAX makes "
            f"{found} of the CPU."
        )


def _packed(answer: tuple[bool, object]) -> bytes:
    try:
        return pickle.dumps(answer)
    except Exception as error:
        return pickle.dumps((False, RuntimeError(f"no answer to hand over: {error}")))


def _portable(error: BaseException) -> BaseException:
    """An exception as it can go to another process; some of JAX's cannot."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


if __name__ == "__main__":
    main()
