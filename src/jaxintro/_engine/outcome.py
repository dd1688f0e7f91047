"""Running a page: every demo is called, every claim is proved. Nothing prints."""

import importlib
import importlib.util
import io
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import (
    ExitStack,
    contextmanager,
    nullcontext,
    redirect_stdout,
    suppress,
)
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from jaxintro._engine import elsewhere, setting
from jaxintro._engine.call import literals
from jaxintro._engine.catalog import Lesson, UsageError
from jaxintro._engine.elsewhere import at_home
from jaxintro._engine.figures import drawn
from jaxintro._engine.guard import guarded
from jaxintro._engine.page import Check, Section
from jaxintro._engine.rows import shown_rows
from jaxintro._engine.teeth import measure
from jaxintro.lens.follow import python_function
from jaxintro.lens.follow.record import Recorder, recording
from jaxintro.lens.follow.said import LONGEST, Words
from jaxintro.lens.follow.table import Row
from jaxintro.lens.follow.words import words


@dataclass(frozen=True)
class Verdict:
    """What became of one claim."""

    check: Check
    holds: bool
    seconds: float
    message: str = ""  # why it does not hold
    sharpness: float | None = None  # smallest relative error that it would notice
    unmeasured: str = ""  # why its sharpness is not to be had, where it was asked for


@dataclass(frozen=True)
class Outcome:
    """What one demo gave."""

    section: Section
    value: object = None
    rows: tuple[Row, ...] = ()  # its lines, each with what it gave
    figures: tuple[Any, ...] = ()  # what it drew
    error: str = ""  # what the demo raised, where it should not have
    seconds: float = 0.0
    verdicts: tuple[Verdict, ...] = ()

    @property
    def holds(self) -> bool:
        """The demo ran, and each of its claims holds."""
        return not self.error and all(verdict.holds for verdict in self.verdicts)

    @property
    def said(self) -> Words:
        """What there is to say of the value."""
        return self.value if isinstance(self.value, Words) else words(self.value)

    def __getstate__(self) -> dict[str, object]:
        """To another process go words in the place of the value, as no array could."""
        return {**vars(self), "value": self.said}


@dataclass
class Tally:
    """The count that the last line of a page gives."""

    demos: int = 0
    claims: int = 0
    broken: int = 0  # claims that do not hold and demos that raised
    skipped: int = 0  # lessons that could not run here
    started: float = field(default_factory=time.perf_counter)

    def add(self, outcome: Outcome) -> None:
        """Count one more section."""
        self.demos += 1
        self.claims += len(outcome.verdicts)
        failed = sum(not verdict.holds for verdict in outcome.verdicts)
        self.broken += failed or bool(outcome.error)

    @property
    def seconds(self) -> float:
        """Wall time since counting began."""
        return time.perf_counter() - self.started


@contextmanager
def imported(lesson: Lesson) -> Iterator[ModuleType]:
    """A lesson, with its folder on the path and with the settings that it makes.

    Raises:
        UsageError: the file cannot be imported; the message says where, and why.
    """
    with setting.kept(), nullcontext() if lesson.ours else on_path(lesson.path):
        try:
            yield load(lesson)
        finally:
            elsewhere.leave(lesson)


@contextmanager
def on_path(file: Path) -> Iterator[None]:
    """What stands beside a file can be imported, as Python does for a script."""
    folder = str(file.resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(folder)


def load(lesson: Lesson) -> ModuleType:
    """Import a lesson, here or where it finds the devices that it takes.

    Raises:
        UsageError: the file cannot be imported; the message says where, and why.
    """
    if elsewhere.is_for(lesson):
        return elsewhere.home(lesson)
    if lesson.ours:
        return importlib.import_module(lesson.module)
    name = f"lesson_{lesson.name}"
    spec = importlib.util.spec_from_file_location(name, lesson.path)
    if spec is None or spec.loader is None:
        raise UsageError(f"'{lesson.path}' is not a Python file.")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        with guarded():
            spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # even one that would end the program
        why = explain_failure(error, str(module.__file__))
        raise UsageError(f"'{lesson.path}' cannot be imported: {why}") from error
    return module


@at_home
def run_section(
    module: ModuleType,
    section: Section,
    *,
    reading: bool = True,
    sharpness: bool = False,
    as_is: bool = False,
) -> Outcome:
    """Run a demo and its checks; what they raise is part of the outcome.

    Args:
        module: the lesson.
        section: one demo of it. If the reader gave arguments, its checks are left
            out: they are about the worked example.
        reading: let each line say what it gave. Without it only the checks run.
        sharpness: measure how small an error each check would notice.
        as_is: leave JAX's settings as the reader has them.
    """
    outcome = Outcome(section)
    if reading or not section.checks:
        with setting.pinned(as_is=as_is), guarded():
            outcome = _run_demo(module, section)
    if section.call:
        return outcome
    verdicts = []
    for check in section.checks:
        with setting.pinned(as_is=as_is), guarded():
            verdicts.append(_verdict(module, section, check))
    if sharpness:  # at the end: a demo may count its calls
        with setting.pinned(as_is=as_is), guarded():
            verdicts = [_measured(module, section, each) for each in verdicts]
    return replace(outcome, verdicts=tuple(verdicts))


def _run_demo(module: ModuleType, section: Section) -> Outcome:
    args, kwargs = literals(section.call)
    value, error, start = None, "", time.perf_counter()
    recorder: Recorder | None = None
    with ExitStack() as stack:
        with suppress(OSError, SyntaxError, ValueError, TypeError):
            recorder = stack.enter_context(
                recording(_functions(module, section), quiet=True)
            )
        try:
            value = getattr(module, section.name)(*args, **kwargs)
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # even one that would end the program
            error = explain_failure(raised, str(module.__file__))
    seconds = time.perf_counter() - start
    rows = tuple(shown_rows(section, recorder.list if recorder else ()))
    return Outcome(section, value, rows, drawn(value), error, seconds)


def _functions(module: ModuleType, section: Section) -> list[FunctionType]:
    """The demo, and what it may call of the definitions on the page above it."""
    found: list[FunctionType] = []
    for name in (section.name, *(d.name for d in section.definitions)):
        thing = getattr(module, name)
        parts = list(vars(thing).values()) if isinstance(thing, type) else [thing]
        for part in parts:
            function = python_function(part) if callable(part) else None
            if function and function.__code__.co_filename == module.__file__:
                found.append(function)
    return found


def _verdict(module: ModuleType, section: Section, check: Check) -> Verdict:
    start = time.perf_counter()
    try:
        with unheard():
            prove(getattr(module, check.name))
        seconds = time.perf_counter() - start
    except Exception as raised:
        seconds = time.perf_counter() - start
        why = explain_failure(raised, str(module.__file__))
        return Verdict(check, False, seconds, why)
    finally:
        drawn()
    return Verdict(check, True, seconds)


def _measured(module: ModuleType, section: Section, verdict: Verdict) -> Verdict:
    if not verdict.holds:
        return verdict
    try:
        with unheard():
            bite = measure(module, section, verdict.check)
        return replace(verdict, sharpness=bite.sharpness)
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # the claim holds all the same
        return replace(verdict, unmeasured=explain_failure(raised, ""))
    finally:
        drawn()


@contextmanager
def unheard() -> Iterator[None]:
    """What a check's demo prints was on the page already."""
    import jax

    barrier: Callable[[], None] = jax.effects_barrier
    with redirect_stdout(io.StringIO()):
        try:
            yield
        finally:
            with suppress(Exception):
                barrier()  # what jax.debug.print owes


@at_home
def prove_by_name(module: ModuleType, name: str) -> None:
    """Run a check of a module under JAX's default settings.

    Raises:
        AssertionError: it does not hold; the message says where, and why.
    """
    try:
        with setting.pinned():
            prove(getattr(module, name))
    except Exception as raised:
        why = explain_failure(raised, str(module.__file__))
        raise AssertionError(why) from None


def prove(check: Callable[[], object]) -> None:
    """Run a check.

    Raises:
        Exception: it does not hold, or it does something else than assert.
    """
    try:
        returned = check()
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as ended:  # sys.exit, or pytest.skip
        kind, said = type(ended).__name__, _text(ended)
        raise AssertionError(
            f"a check asserts, this one ends with {kind}: {said}"
        ) from ended
    if returned is not None:
        given = words(returned)
        raise AssertionError(f"a check asserts, this one returns {given!s:.60}")


def explain_failure(error: BaseException, path: str) -> str:
    """One line: what was raised, where in the lesson, and what stands there."""
    said = _text(error)
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if f.filename == path
    ]
    place = ""
    if frames:
        line = f"line {frames[-1].lineno}: {frames[-1].line}"
        place = f" ({Path(path).name}, {line})"
    name = "" if isinstance(error, AssertionError) else type(error).__name__
    what = ": ".join(filter(None, [name, said])) or "the assertion does not hold"
    return (what if len(what) <= 300 else what[:299] + "…") + place


def _text(error: BaseException) -> str:
    """What an exception says, in one line; it may be unable to say it."""
    try:
        return " ".join(str(error)[:LONGEST].split())
    except KeyboardInterrupt:
        raise
    except BaseException as raised:
        return f"its text raises {type(raised).__name__}"
