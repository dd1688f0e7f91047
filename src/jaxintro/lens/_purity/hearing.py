"""One audit, from the function to the clues that stand."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from types import FunctionType
from typing import Any

import jax

from jaxintro.lens._purity.changes import rule_changes, rule_reads, unsure
from jaxintro.lens._purity.clues import code
from jaxintro.lens._purity.equations import (
    first_difference,
    line_of,
    line_of_constant,
)
from jaxintro.lens._purity.errors import clue_of
from jaxintro.lens._purity.files import user_line_of_traceback
from jaxintro.lens._purity.keys import reused_keys
from jaxintro.lens._purity.lines import at, first_line, key_at
from jaxintro.lens._purity.rules import (
    drastic,
    rule_chance,
    rule_discarded,
    rule_files,
    rule_iterators,
    rule_output,
)
from jaxintro.lens._purity.source import Reader, is_library, layers
from jaxintro.lens._purity.state import Change, Watch
from jaxintro.lens._purity.streams import Consumed, Seen
from jaxintro.lens._purity.trace import Call
from jaxintro.lens._purity.weigh import weigh
from jaxintro.lens._purity.words import KEY_REUSE, LEAK, UNSTEADY, Clue

RULES = (
    rule_reads,
    rule_changes,
    rule_chance,
    rule_output,
    rule_discarded,
    rule_files,
    rule_iterators,
)


class Hearing:
    """Hears both witnesses; `untold` is what neither could tell."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        static: Collection[int | str],
    ) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self.static = static
        self.untold: list[str] = []
        self.complete = False
        self.reader = Reader()
        self.reader.read(function, args, kwargs)
        begin = getattr(layers_end(function), "__code__", None)
        self.home = ("", 0)
        if begin is not None:
            self.home = (begin.co_filename, begin.co_firstlineno)

    def clues(self) -> Iterator[Clue]:
        """The clues that stand, from the source and from the trace."""
        seen: list[Clue] = []
        changes: list[Change] = []
        outside = [clue for each in self.reader.functions for clue in drastic(each)]
        if outside:
            self.untold.append(
                f"not traced, because of what line {outside[0].line} would do."
            )
        elif self._runs_later():
            self.untold.append("a generator or coroutine function cannot be traced.")
        else:
            seen, changes = self._traced()
        read = [
            clue
            for rule in RULES
            for each in self.reader.functions
            for clue in rule(each)
        ]
        seen = [self._placed(clue) for clue in seen]
        clues = [*outside, *seen, *read]
        library = is_library(self.function) and not self.reader.functions
        if not library:
            yield from weigh(clues, changes, self.complete, self.home)
        self._say_what_is_untold()

    def _runs_later(self) -> bool:
        last = layers_end(self.function)
        return inspect.isgeneratorfunction(last) or inspect.iscoroutinefunction(last)

    def _traced(self) -> tuple[list[Clue], list[Change]]:
        """Trace once or twice: what was seen, and what was changed."""
        seen, changes = Seen(), list[Change]()
        watch = Watch(seen)
        try:
            for each in self.reader.functions:
                watch.add_function(each)
            for layer in layers(self.function):
                watch.add(("object", "self"), layer.first)
                if not isinstance(layer.callable, FunctionType):
                    watch.add(("object", "self"), layer.callable)
            try:
                call = Call(self.function, self.args, self.kwargs, self.static, watch)
            except (TypeError, ValueError) as refusal:
                self.untold.append(f"the arguments are no pytree: {refusal}.")
                return seen.clues, changes
            first, error = call.trace()
            changes = watch.changes()
            if error is not None:
                self._stopped(error, seen.clues, call.begun)
                return seen.clues, changes
            self.complete = True
            watch.reset()
            noted = len(seen.clues)
            second, _ = call.trace()
            del seen.clues[noted:]
            if watch.full:
                self.untold.append("it reaches more than could be watched for changes.")
        finally:
            for name in watch.restore():
                self.untold.append(f"`{name}` was changed and could not be put back.")
        found = [*seen.clues, *self._in_jaxpr(first)]
        if not any(each.chance for each in changes):
            found += self._unsteady(first, second)
        return found, changes

    def _stopped(self, error: BaseException, seen: list[Clue], begun: bool) -> None:
        """Note why and where a trace came to no end."""
        where = user_line_of_traceback(error.__traceback__)
        at = f"line {where[1]}" if where is not None else "library code"
        if isinstance(error, Consumed):
            why = f"`{error}` cannot be copied, and is not used up here"
        else:
            clue = clue_of(error, self.reader.functions)
            if clue is not None:
                seen.append(clue)
            text = str(error).split("\n")[0]
            why = f"{type(error).__name__}: {text}"[:160]
        if not begun:
            self.untold.append(f"it could not be traced with these arguments ({why}).")
            return
        self.untold.append(
            f"tracing stopped at {at} ({why}); the rest was only read in the source."
        )

    def _in_jaxpr(self, closed: Any) -> Iterator[Clue]:
        """What the jaxpr itself shows: dead tracers, and keys used twice."""
        tracers = [each for each in closed.consts if isinstance(each, jax.core.Tracer)]
        for tracer in tracers:
            where = line_of_constant(closed, tracer) or self.home
            what = "{} uses a tracer that has left its function"
            yield Clue(LEAK, *where, what, variant="use of a leaked tracer")
        for reuse in reused_keys(closed):
            name = key_at(self.reader.functions, *reuse.line)
            if reuse.first is None:
                what = f"uses {name} again in every round of a loop"
                yield Clue(KEY_REUSE, *reuse.line, what, name, "key reuse in a loop")
                continue
            before = f"line {reuse.first[1]}"
            if reuse.first == reuse.line:
                before = "this line"
            what = f"uses {name}, which {before} has already used"
            yield Clue(KEY_REUSE, *reuse.line, what, name)

    def _unsteady(self, first: Any, second: Any) -> Iterator[Clue]:
        """The first place where two traces differ, if they do."""
        where, differs = self.home, second is None
        if second is not None:
            differs, equation = first_difference(first, second)
            where = (equation and line_of(equation)) or self.home
        if differs:
            what = "two traces of the same arguments differ here"
            yield Clue(UNSTEADY, *where, what, needs="steady")

    def _placed(self, clue: Clue) -> Clue:
        """A clue at the first line of its statement, with the statement quoted."""
        functions = self.reader.functions
        line = first_line(functions, clue.filename, clue.line)
        _, statement = at(functions, clue.filename, clue.line)
        quoted = "a call on this line" if statement is None else code(statement)
        what = clue.what.replace("{}", quoted)
        return clue._replace(line=line, what=what)

    def _say_what_is_untold(self) -> None:
        if is_library(self.function) and not self.reader.functions:
            self.untold.append("library code: traced, its source not searched.")
        for name in self.reader.unread:
            self.untold.append(f"the source of {name} cannot be read; it was traced.")
        for each in self.reader.functions:
            self.untold += unsure(each)


def layers_end(function: object) -> Any:
    """The innermost callable of a function that may be wrapped."""
    return [layer.callable for layer in layers(function)][-1]
