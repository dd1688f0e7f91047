"""What the lines of a function gave while it ran, written down as they gave it."""

import sys
from contextlib import suppress
from dataclasses import dataclass, field
from threading import get_ident
from types import CodeType, MethodType
from typing import Any

import numpy as np

from jaxintro.lens.follow.containers import Several
from jaxintro.lens.follow.errors import error_words
from jaxintro.lens.follow.kinds import entry_of, holds_tracer, is_a
from jaxintro.lens.follow.rewrite import Place
from jaxintro.lens.follow.said import NOTHING, Words
from jaxintro.lens.follow.source import Rewritten
from jaxintro.lens.follow.waiting import (
    MOVES,
    UNCHANGING,
    is_large,
    is_ready,
    stays,
    still,
)
from jaxintro.lens.follow.words import words

KEPT = 3  # values of a line that runs often: so many from the first on, and the last
PRINTS = 40  # times that a line's output is kept
MOST = 4_000  # characters of output that are kept of one time
OFTEN = 200  # runs after which even a value that may change is read at the end


@dataclass
class Line:
    """What one statement gave, each time that it ran."""

    place: Place
    runs: int = 0
    first: list[Words] = field(default_factory=list)  # of a def: its tracers, by run
    latest: Words | None = None  # of a run after those
    waiting: Any = MOVES  # the value of the latest run, while it is not read
    printed: list[str] = field(default_factory=list)
    raised: list[Words] = field(default_factory=list)
    alike: bool = True  # each was looked at, and was as the one before
    traced: bool = False  # a tracer was among the values
    calls: int = 0  # of a def: how often its function was called by name
    tracings: int = 0  # of a def: runs on tracers
    unseen: int = 0  # of a def: runs in a tool of the lens, such as a race

    @property
    def values(self) -> list[Words]:
        """The first few, and the last."""
        return [*self.first, *([self.latest] if self.latest else [])]

    def wait(self, value: Any) -> None:
        """The newest value; to compare it with the one before must cost nothing."""
        if self.alike and (self.waiting is not MOVES or self.latest):
            same_kind = type(value) is type(self.waiting)
            simple = same_kind and type(value) in UNCHANGING
            self.alike = simple and bool(value == self.waiting)
        self.waiting = value

    def say(self, said: Words) -> None:
        """The newest value, in words since it could not wait."""
        before = self.latest or said
        self.alike = self.alike and self.waiting is MOVES and before == said
        self.waiting, self.latest = MOVES, said


class Recorder:
    """Takes reports from rewritten code. It keeps words, and arrays only until read."""

    def __init__(self, source: Rewritten) -> None:
        self.source = source
        self.places = source.places
        self.lines: dict[int, Line] = {}
        self.root: CodeType | None = None  # the code of the function that is followed
        self.head = 0  # the line where it begins
        self.output: list[str] = []  # printed since the last report
        self.unread: dict[tuple[int, int], Any] = {}  # (statement, run): not ready yet
        self.codes: dict[int, int] = {}  # the statement of each def, by its code's id
        self.thread = get_ident()
        self.readers: set[int] = set()  # threads in which a value is put into words
        self.unwinding: int | None = None  # the exception that has been noted
        self.last: Line | None = None  # that gave something
        self.open = True

    # called from rewritten code

    def bound(self, number: int, value: Any) -> Any:
        """An assignment."""
        if self.open:
            self._note(number, value)
        return value

    returned = bound

    def gave(self, number: int, value: Any) -> Any:
        """An expression that stands alone."""
        if self.open:
            self._note(number, value, silent=value is None)
        return value

    def lambda_returned(self, number: int, value: Any) -> Any:
        """The value of a lambda, where it is the lambda that is followed."""
        if self.open and sys._getframe(1).f_code is self.root:
            self._note(number, value)
        return value

    def tested(self, number: int, value: Any) -> Any:
        """The condition of an `if`."""
        if self.open and is_a(value, (bool, np.bool_)):
            self._note(number, bool(value))
        return value

    def unpacked(self, number: int, values: tuple[Any, ...]) -> None:
        """The names of `a, b = …`, or of a loop."""
        if not self.open:
            return
        place = self.places[number]
        value = values[0] if len(values) == 1 else Several((place.names, *values))
        # what `with … as x` enters is mostly empty, and filled in its body
        silent = place.kind == "entering" and is_a(value, (list, dict))
        self._note(number, value, silent=silent)

    def attribute(self, number: int, holder: Any, name: str) -> None:
        """`holder.name += …`, where the attribute is no property."""
        if self.open:
            with suppress(KeyError):
                self._note(number, entry_of(holder, name))

    def item(self, number: int, holder: Any, key: Any) -> None:
        """`holder[key] += …`, where looking again has no effect."""
        plain = type(holder) in (dict, list, np.ndarray)
        if self.open and plain and is_a(key, (int, str, np.integer)):
            with suppress(LookupError):
                self._note(number, holder[key])

    def entered(self, number: int, arguments: tuple[Any, ...]) -> None:
        """A function begins."""
        if not self.open:
            self._line(number).unseen += 1
        if not self.open or self._reads():
            return
        line = self._line(number)
        line.runs += 1
        if holds_tracer(arguments):
            line.tracings += 1
            if len(line.first) < KEPT:
                line.first.append(_arguments(line.place.names, arguments))

    def left(self, number: int) -> None:
        """A function ends: of its values, the large ones are not held for longer."""
        if self.open:
            for line in list(self.lines.values()):
                if line.waiting is MOVES or line.place.scope != number:
                    continue
                if is_large(line.waiting) and is_ready(line.waiting, patience=1):
                    self._read_latest(line)

    def ended(self, number: int) -> None:
        """A `with` is over: what its end printed stands there."""
        if self.open and not self._reads():
            self._hear(self._line(number))

    def calling(self, scope: int, function: Any) -> Any:
        """A call by name: a compiled function may be called and not run."""
        if self.open:
            bound = type(function) is MethodType
            called: Any = function.__func__ if bound else function
            if type(called).__name__ == "PjitFunction":
                code = getattr(called.__wrapped__, "__code__", None)
                if (number := self.codes.get(id(code))) is not None:
                    self._line(number).calls += 1
        return function

    def raised(self, scope: int) -> None:
        """An exception passes; note it where it first is seen."""
        error = sys.exc_info()[1]
        if not self.open or error is None or is_a(error, GeneratorExit):
            return
        trace = error.__traceback__
        if trace is None or self.unwinding == id(error) or self._reads():
            return
        self.unwinding = id(error)
        self._raised(scope, trace.tb_lineno, error)

    def caught(self, scope: int) -> None:
        """An exception ends here, in an `except`."""
        self.raised(scope)
        self.unwinding = None

    # called from around it

    def heard(self, text: str) -> None:
        """Something was printed."""
        if self.open and len(self.output) < 1_000 and not self._reads():
            self.output.append(text[:MOST])

    @property
    def shown(self) -> tuple[list[str], list[Line], int]:
        """The root function: its lines, what they gave, and where they begin."""
        ends = (p.end for p in self.places if p.kind == "def" and p.head == self.head)
        code = self.source.lines[self.head - 1 : max(ends)]
        return list(code), self.list, self.head

    @property
    def list(self) -> list[Line]:
        """What each statement gave, in the order in which they first ran."""
        return [*self.lines.values()]

    def follow(self, code: CodeType) -> None:
        """This is the function whose lines are shown."""
        self.root, self.head = code, code.co_firstlineno

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

    def close(self) -> None:
        """Read what is still to be read; later reports are not heard."""
        if self.open and self.last:
            self._hear(self.last)
        self.open = False
        self.root = (
            None  # which holds this recorder: a circle that Python does not find
        )
        for line in self.list:
            self._read_latest(line)
        for key in list(self.unread):
            self._read_first(*key)

    # what is made of it

    def _reads(self) -> bool:
        """This thread puts a value into words, and what that runs is not noted."""
        return bool(self.readers) and get_ident() in self.readers

    def _line(self, number: int) -> Line:
        line = self.lines.get(number)
        if line is None:
            line = self.lines.setdefault(number, Line(self.places[number]))
        return line

    def _note(self, number: int, value: Any, *, silent: bool = False) -> None:
        line = self.lines.get(number)
        busy = silent or self.unread or self.readers
        if line and line.runs >= KEPT and not busy and stays(value):
            # most of what a loop gives comes here, where as little as can be is done
            line.runs += 1
            line.wait(value)
            self.last, self.unwinding = line, None
            self._hear(line)
        else:
            self._look(number, value, silent=silent)

    def _look(self, number: int, value: Any, *, silent: bool) -> None:
        if self.readers and self._reads():
            return
        self.last = line = self._line(number)
        line.runs += 1
        self.unwinding = None
        if self.unread:
            self._read_what_is_ready(number)
        if not silent and not (
            issubclass(type(value), BaseException) and value is sys.exc_info()[1]
        ):  # the exception that an `except` deals with stands there already
            self._take(line, value)
        self._hear(line)

    def _take(self, line: Line, value: Any) -> None:
        """Read one of the first values; one of many waits for the next."""
        kept = still(value)
        if line.runs > KEPT:
            if kept is MOVES and line.runs > OFTEN and not holds_tracer(value):
                kept = value
            if kept is MOVES:
                line.say(self._words(line, value))
            else:
                line.wait(kept)
            return
        line.first.append(NOTHING)
        slot = len(line.first) - 1
        if kept is MOVES or is_ready(kept):
            line.first[slot] = self._words(line, value)
        else:
            self.unread[line.place.number, slot] = kept

    def _read_what_is_ready(self, number: int) -> None:
        for key, value in list(self.unread.items()):
            if key[0] != number and is_ready(value, patience=1):
                self._read_first(*key)

    def _read_first(self, number: int, slot: int) -> None:
        value = self.unread.pop((number, slot), MOVES)
        if value is not MOVES:
            line = self.lines[number]
            line.first[slot] = self._words(line, value)

    def _read_latest(self, line: Line) -> None:
        value, line.waiting = line.waiting, MOVES
        if value is not MOVES:
            line.latest = self._words(line, value)

    def _words(self, line: Line, value: Any) -> Words:
        """The value in words; what its own `__repr__` runs is not noted."""
        reader = get_ident()
        self.readers.add(reader)
        try:
            line.traced = line.traced or holds_tracer(value)
            said = words(value)
        finally:
            self.readers.discard(reader)
        if line.place.kind == "walrus":
            return said.labelled(f"{line.place.label} = ")
        return said

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
            self._hear(line)

    def _hear(self, line: Line) -> None:
        """What was printed until now was printed by this line."""
        if get_ident() == self.thread and (jax := sys.modules.get("jax")):
            try:  # noqa: SIM105 - this runs often, and suppress is slow
                jax.effects_barrier()  # what jax.debug.print owes
            except Exception:
                pass  # a callback raised it, for whoever waits for it
        if self.output:
            said = "".join(self.output)
            self.output.clear()
            if len(line.printed) < PRINTS:
                line.printed.append(said)


def _arguments(names: tuple[str, ...], values: tuple[Any, ...]) -> Words:
    said = [
        f"{name}: {_tracers(words(value))}"
        for name, value in zip(names, values, strict=True)
        if holds_tracer(value)
    ]
    return Words("; ".join(said))


def _tracers(said: Words) -> str:
    """An argument that is a tracer, or holds some, in few words."""
    return (str(said) or said.brief or "a tree of tracers").replace(
        "a tracer,", "tracer"
    )
