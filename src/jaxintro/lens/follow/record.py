"""What the lines of a function gave while it ran, written down as they gave it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import get_ident
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from jaxintro.lens.follow.rewrite import (
    Place,
    Rewritten,
    rewritten,
    rewritten_cell,
    with_recorder,
)
from jaxintro.lens.follow.words import (
    NOTHING,
    Words,
    error_words,
    is_array,
    is_tracer,
    several_words,
    words,
)

KEPT = 3  # values of a line that runs often: so many from the first on, and the last
LATEST = 0  # the slot of the last value, where the first ones are 1, 2, 3
PATIENCE = 2_000  # looks, about a millisecond, at an array that is not ready


@dataclass
class Line:
    """What one statement gave, each time that it ran."""

    place: Place
    runs: int = 0
    first: list[Words] = field(default_factory=list)
    latest: Words | None = None  # of a run after those
    printed: list[str] = field(default_factory=list)
    raised: list[Words] = field(default_factory=list)
    traced: bool = False  # a tracer was among the values
    calls: int = 0  # of a def: how often its function was called by name

    @property
    def values(self) -> list[Words]:
        """The first few, and the last."""
        return [*self.first, *([self.latest] if self.latest else [])]


class Recorder:
    """Takes reports from rewritten code. It keeps words, and arrays only until read."""

    def __init__(self, source: Rewritten, root: CodeType | None = None) -> None:
        self.source = source
        self.places = source.places
        self.lines: dict[int, Line] = {}
        self.root = root
        self.output: list[str] = []  # printed since the last report
        self.unread: dict[tuple[int, int], Any] = {}  # (statement, run): an array
        self.codes: dict[int, int] = {}  # the statement of each def, by its code's id
        self.thread = get_ident()
        self.unwinding: int | None = None  # the exception that has been noted
        self.open = True

    # called from rewritten code

    def bound(self, number: int, value: Any) -> Any:
        """An assignment."""
        if self.open:
            self._note(number, value)
        return value

    def gave(self, number: int, value: Any) -> Any:
        """An expression that stands alone."""
        if self.open:
            self._note(number, value, silent=value is None)
        return value

    returned = bound

    def lambda_returned(self, number: int, value: Any) -> Any:
        """The value of a lambda, where it is the lambda that is followed."""
        if self.open and sys._getframe(1).f_code is self.root:
            self._note(number, value)
        return value

    def tested(self, number: int, value: Any) -> Any:
        """The condition of an `if`."""
        if self.open and isinstance(value, bool | np.bool_):
            self._note(number, bool(value))
        return value

    def unpacked(self, number: int, values: tuple[Any, ...]) -> None:
        """The names of `a, b = …`, or of a loop."""
        if not self.open:
            return
        # what `with … as x` enters is mostly empty, and filled in its body
        silent = self.places[number].kind == "entering" and not any(
            isinstance(value, int | float | str) or is_array(value) for value in values
        )
        value = values[0] if len(values) == 1 else Several(values)
        self._note(number, value, silent=silent)

    def attribute(self, number: int, holder: Any, name: str) -> None:
        """`holder.name += …`, where the attribute is no property."""
        if self.open and name in getattr(holder, "__dict__", ()):
            self._note(number, vars(holder)[name])

    def item(self, number: int, holder: Any, key: Any) -> None:
        """`holder[key] += …`, where looking again has no effect."""
        if self.open and type(holder) in (dict, list, np.ndarray):
            with suppress(Exception):
                self._note(number, holder[key])

    def entered(self, number: int, arguments: tuple[Any, ...]) -> None:
        """A function begins."""
        if not self.open:
            return
        line = self._line(number)
        line.runs += 1
        if any(map(is_tracer, _leaves(arguments))):
            line.traced = True
            if len(line.first) < KEPT:
                line.first.append(_arguments(line.place.label, arguments))

    def left(self, number: int) -> None:
        """A function ends, one way or another: its last values are read now."""
        if self.open:
            for key in list(self.unread):
                if self.places[key[0]].scope == number:
                    self._read(*key, self.unread.pop(key))

    def calling(self, scope: int, function: Any) -> Any:
        """A call by name: a compiled function may be called and not run."""
        if self.open:
            if type(function).__name__ == "PjitFunction":
                code = getattr(function.__wrapped__, "__code__", None)
                if (number := self.codes.get(id(code))) is not None:
                    self._line(number).calls += 1
        return function

    def raised(self, scope: int) -> None:
        """An exception passes; note it where it first is seen."""
        error = sys.exc_info()[1]
        if not self.open or error is None or isinstance(error, GeneratorExit):
            return
        trace = error.__traceback__
        if trace is None or self.unwinding == id(error):
            return
        self.unwinding = id(error)
        self._raised(scope, trace.tb_lineno, error)

    def caught(self, scope: int) -> None:
        """An exception ends here, in an `except`."""
        self.raised(scope)
        self.unwinding = None

    @property
    def shown(self) -> tuple[list[str], list[Line], int]:
        """The root function: its lines of code, what they gave, and where they begin."""
        assert self.root is not None
        head = self.root.co_firstlineno
        end = max(p.end for p in self.places if p.kind == "def" and p.head == head)
        return list(self.source.lines[head - 1 : end]), self.list, head

    @property
    def list(self) -> list[Line]:
        """What each statement gave, in the order in which they first ran."""
        return [*self.lines.values()]

    def know(self, code: CodeType) -> None:
        """Remember which def a code object belongs to, and those inside it."""
        for place in self.places:
            if (
                place.kind == "def"
                and code.co_name != "<lambda>"
                and place.head == code.co_firstlineno
            ):
                self.codes[id(code)] = place.number
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self.know(constant)

    # what is made of it

    def _line(self, number: int) -> Line:
        if number not in self.lines:
            self.lines[number] = Line(self.places[number])
        return self.lines[number]

    def _note(self, number: int, value: Any, *, silent: bool = False) -> None:
        line = self._line(number)
        line.runs += 1
        self.unwinding = None
        if self.unread:
            self._read_what_is_ready(number)
        if not silent and not _is_handled(value):
            self._take(line, value)
        self._drain(line)

    def _take(self, line: Line, value: Any) -> None:
        """Read a value; one of many that may be read later waits for the next."""
        slot = line.runs if line.runs <= KEPT else LATEST
        if slot != LATEST:
            line.first.append(NOTHING)
        if (is_array(value) and (slot == LATEST or not is_ready(value))) or (
            slot == LATEST and type(value) in (bool, int, float, str)
        ):
            self.unread[line.place.number, slot] = value
        else:
            self.unread.pop((line.place.number, slot), None)
            self._read(line.place.number, slot, value)

    def _read_what_is_ready(self, number: int) -> None:
        for key, value in list(self.unread.items()):
            waits = key[1] == LATEST and self.places[key[0]].scope >= 0
            if key[0] != number and not waits and is_ready(value, patience=1):
                self._read(*key, self.unread.pop(key))

    def _read(self, number: int, slot: int, value: Any) -> None:
        line = self.lines[number]
        line.traced |= any(map(is_tracer, _leaves(value)))
        said = several_words(value) if isinstance(value, Several) else words(value)
        if line.place.kind == "walrus":
            said = said._replace(text=f"{line.place.label} = {said.text}")
        if slot == LATEST:
            line.latest = said
        else:
            line.first[slot - 1] = said

    def _raised(self, scope: int, lineno: int, error: BaseException) -> None:
        inside = [
            place
            for place in self.places
            if place.first <= lineno <= place.last
            and (place.scope == scope or place.number == scope)
            and place.kind != "walrus"
        ]
        if inside:
            place = min(inside, key=lambda place: place.last - place.first)
            line = self._line(place.number)
            if len(line.raised) < KEPT:
                line.raised.append(error_words(error))
            self._drain(line)

    def _drain(self, line: Line) -> None:
        if get_ident() == self.thread and (jax := sys.modules.get("jax")):
            jax.effects_barrier()  # what jax.debug.print owes
        if self.output:
            if len(line.printed) < 40:
                line.printed.append("".join(self.output))
            self.output.clear()

    def close(self) -> None:
        """Read what is still to be read; later reports are not heard."""
        for (number, run), value in self.unread.items():
            self._read(number, run, value)
        self.unread.clear()
        self.open = False


_active: list[Recorder] = []


@contextmanager
def paused() -> Iterator[None]:
    """Nothing is noted while the block runs: what a tool of the lens runs is not seen."""
    listening = [recorder for recorder in _active if recorder.open]
    for recorder in listening:
        recorder.open = False
    try:
        yield
    finally:
        for recorder in listening:
            recorder.open = True


class Several(tuple[Any, ...]):
    """The values of several names."""


def is_ready(value: Any, patience: int = PATIENCE) -> bool:
    """An array has its numbers, or has them in a moment; long work is not waited for."""
    try:
        return value.is_deleted() or any(value.is_ready() for _ in range(patience))
    except Exception:
        return True


def _is_handled(value: Any) -> bool:
    """The exception that an `except` is dealing with: it stands there already."""
    return isinstance(value, BaseException) and value is sys.exc_info()[1]


def _arguments(names: str, values: tuple[Any, ...]) -> Words:
    said = [
        f"{name}: {str(words(value)).replace('a tracer,', 'tracer')}"
        for name, value in zip(names.split(", "), values, strict=True)
        if any(map(is_tracer, _leaves(value)))
    ]
    return Words("; ".join(said))


def _leaves(value: Any, depth: int = 3) -> Iterator[Any]:
    """What a value holds, through a few layers of plain containers."""
    if depth and isinstance(value, dict):
        for entry in value.values():
            yield from _leaves(entry, depth - 1)
    elif depth and isinstance(value, list | tuple):
        for entry in value[:100]:
            yield from _leaves(entry, depth - 1)
    else:
        yield value


class Listener:
    """A standard output that also tells the recorder; all else is the real one's."""

    def __init__(self, real: Any, recorder: Recorder, *, quiet: bool) -> None:
        self._real, self._recorder, self._quiet = real, recorder, quiet

    def write(self, text: str) -> int:
        """Write, and remember."""
        self._recorder.output.append(text)
        return len(text) if self._quiet else self._real.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@contextmanager
def recording(
    functions: list[FunctionType], *, quiet: bool = False
) -> Iterator[Recorder]:
    """Let functions of one file report while the block runs.

    Their code is exchanged and put back: they stay the objects that they are, so that
    recursion, decorators and JAX's caches see nothing new.

    Raises:
        OSError: there is no source to follow.
    """
    source = rewritten(
        functions[0].__code__.co_filename, functions[0].__code__.co_flags
    )
    new = [source.counterpart(function.__code__) for function in functions]
    if new[0] is None:
        raise OSError("the file is not what it was when it was imported")
    recorder = Recorder(source)
    exchanged = []
    out = sys.stdout
    try:
        for function, code in zip(functions, new, strict=True):
            if code is not None:
                exchanged.append((function, function.__code__))
                function.__code__ = with_recorder(code, recorder)
        recorder.root = functions[0].__code__
        for function in functions:
            recorder.know(function.__code__)
        sys.stdout = Listener(out, recorder, quiet=quiet)
        _active.append(recorder)
        yield recorder
    finally:
        if recorder in _active:
            _active.remove(recorder)
        if isinstance(sys.stdout, Listener):
            sys.stdout = out
        for function, plain in exchanged:
            function.__code__ = plain
        recorder.close()


@contextmanager
def recording_cell(source: str, filename: str) -> Iterator[tuple[CodeType, Recorder]]:
    """The code of a notebook cell that reports while the block runs.

    Raises:
        SyntaxError: the cell is not Python.
    """
    code, places = rewritten_cell(source, filename)
    recorder = Recorder(places)
    reporting = with_recorder(code, recorder)
    recorder.know(reporting)
    out = sys.stdout
    sys.stdout = Listener(out, recorder, quiet=True)
    _active.append(recorder)
    try:
        yield reporting, recorder
    finally:
        if isinstance(sys.stdout, Listener):
            sys.stdout = out
        _active.remove(recorder)
        recorder.close()
