"""One audit: source analysis, trace, and the diagnostics that stand."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Collection, Iterator
from types import FunctionType
from typing import Any

import jax

from jaxintro.lens.audit.kinds import KEY_REUSE, LEAK, UNSTEADY, Diagnostic
from jaxintro.lens.audit.rules.bodies import rule_bodies
from jaxintro.lens.audit.rules.calls import (
    out_of_sight,
    rule_chance,
    rule_discarded,
    rule_iterators,
    rule_output,
    rule_world,
)
from jaxintro.lens.audit.rules.changes import rule_changes, rule_reads
from jaxintro.lens.audit.rules.confirm import confirm, counted, unexplained
from jaxintro.lens.audit.rules.errors import diagnostic_of, leaked
from jaxintro.lens.audit.rules.keys import reused_keys
from jaxintro.lens.audit.rules.surroundings import rule_surroundings
from jaxintro.lens.audit.source.lines import at, first_line, key_at
from jaxintro.lens.audit.source.quoting import code
from jaxintro.lens.audit.source.reader import Reader, is_library, layers
from jaxintro.lens.audit.trace.call import Call
from jaxintro.lens.audit.trace.equations import (
    first_difference,
    line_of,
    line_of_constant,
)
from jaxintro.lens.audit.trace.guards import Guards
from jaxintro.lens.audit.trace.locate import Lines
from jaxintro.lens.audit.trace.stand_ins import Consumed, Refused, Seen
from jaxintro.lens.audit.trace.state import Change, Watch
from jaxintro.lens.files import Place, user_place_of_traceback

RULES = (
    rule_reads,
    rule_changes,
    rule_chance,
    rule_output,
    rule_discarded,
    rule_iterators,
    rule_surroundings,
    rule_world,
    rule_bodies,
)


class Analysis:
    """Analyses the source and traces; `untold` is what neither could tell."""

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
        self.complete = False  # whether the trace came to its end
        self.traced = False  # and jit would take the result
        self.reader = Reader()
        self.reader.read(function, args, kwargs)
        begin = getattr(layers_end(function), "__code__", None)
        self.home = ("", 0)
        if begin is not None:
            self.home = (begin.co_filename, begin.co_firstlineno)

    def diagnostics(self) -> Iterator[Diagnostic]:
        """The diagnostics that stand, from the source and from the trace."""
        functions = self.reader.functions
        found = [one for rule in RULES for each in functions for one in rule(each)]
        read = [each for each in found if each.needs != "untold"]
        unseen = [found for each in functions for found in out_of_sight(each)]
        seen, changes, located = list[Diagnostic](), list[Change](), dict[Any, Any]()
        if unseen:
            line = unseen[0].line
            self.untold.append(f"not traced, because of what line {line} would do.")
        elif self._runs_later():
            self.untold.append("a generator or coroutine function cannot be traced.")
        else:
            seen, changes, located = self._trace(read)
        library = is_library(self.function) and not functions
        if not library:
            yield from confirm(
                [*unseen, *map(self._placed, seen), *read],
                changes,
                self.complete,
                self.home,
                located,
                self._placed,
            )
        self._say_what_is_untold([one.what for one in found if one.needs == "untold"])

    def _runs_later(self) -> bool:
        last = layers_end(self.function)
        return inspect.isgeneratorfunction(last) or inspect.iscoroutinefunction(last)

    def _trace(
        self, read: list[Diagnostic]
    ) -> tuple[list[Diagnostic], list[Change], dict[Any, Any]]:
        """Trace once or twice: what was seen, what was changed, and on which lines."""
        seen, changes, lines = Seen(), list[Change](), dict[Any, Any]()
        seen.guards = Guards(seen)
        watch = Watch(seen)
        try:
            self._watch(watch)
            try:
                call = Call(self.function, self.args, self.kwargs, self.static, watch)
            except (TypeError, ValueError) as refusal:
                self.untold.append(f"the arguments are no pytree: {refusal}.")
                return seen.diagnostics, changes, lines
            first, error = call.trace()
            changes = watch.changes()
            self.complete = error is None
            if error is not None:
                self._stopped(error, seen.diagnostics, call.begun)
            unclear = {each.spot for each in unexplained(read, changes)}
            noted = len(seen.diagnostics)
            finder = Lines(watch, unclear)
            second: Any = None
            if self.complete or unclear:
                watch.reset(counted(read, changes))
                with finder.watched():
                    second, _ = call.trace()
            lines = finder.found
            del seen.diagnostics[noted:]
            if watch.full:
                self.untold.append("it reaches more than could be watched for changes.")
        finally:
            for name in watch.restore():
                self.untold.append(f"`{name}` was changed and could not be put back.")
        found = seen.diagnostics
        if self.complete:
            self.traced = not call.refused
            self.untold += [f"jit refuses what it returns: {call.refused}."] * (
                not self.traced
            )
            found = [*found, *self._in_jaxpr(first)]
            if not any(each.chance for each in changes):
                found += self._unsteady(first, second)
        return found, changes, lines

    def _watch(self, watch: Watch) -> None:
        """Watch all that the functions, and the layers around them, can reach."""
        for each in self.reader.functions:
            watch.add_function(each)
        for layer in layers(self.function):
            if layer.receiver:
                watch.add((layer.receiver, "self"), layer.first[0])
            if not isinstance(layer.callable, FunctionType):
                watch.add(("object", "self"), layer.callable)

    def _stopped(
        self, error: BaseException, seen: list[Diagnostic], begun: bool
    ) -> None:
        """Note why and where a trace came to no end."""
        where = user_place_of_traceback(error.__traceback__)
        at = f"line {where.line}" if where is not None else "library code"
        if isinstance(error, Consumed):
            why = f"`{error}` cannot be copied, and is not used up here"
        elif isinstance(error, Refused):
            why = str(error)
        else:
            diagnostic = diagnostic_of(error, self.reader.functions)
            if diagnostic is not None:
                seen.append(diagnostic)
            text = textwrap.shorten(str(error).split("\n")[0], 160, placeholder=" …")
            why = f"{type(error).__name__}: {text}"
        if not begun:
            self.untold.append(f"it could not be traced with these arguments ({why}).")
            return
        self.untold.append(
            f"tracing stopped at {at} ({why}); the rest was only read in the source."
        )

    def _in_jaxpr(self, closed: Any) -> Iterator[Diagnostic]:
        """What the jaxpr itself shows: dead tracers, and keys used twice."""
        tracers = [each for each in closed.consts if isinstance(each, jax.core.Tracer)]
        for tracer in tracers:
            where = Place(*(line_of_constant(closed, tracer) or self.home))
            function, statement = at(self.reader.functions, *where)
            if function is not None and statement is not None:
                yield leaked(function, statement, where)
                continue
            what = "{} uses a tracer that has left its function"
            yield Diagnostic(LEAK, *where[:2], what, variant="use of a leaked tracer")
        for reuse in reused_keys(closed):
            name = key_at(self.reader.functions, *reuse.line)
            if reuse.first is None:
                what = f"uses {name} again in every round of a loop"
                yield Diagnostic(
                    KEY_REUSE, *reuse.line, what, name, "key reuse in a loop"
                )
                continue
            before = f"line {reuse.first[1]}"
            if reuse.first == reuse.line:
                before = "this line"
            what = f"uses {name}, which {before} has already used"
            yield Diagnostic(KEY_REUSE, *reuse.line, what, name)

    def _unsteady(self, first: Any, second: Any) -> Iterator[Diagnostic]:
        """The first place where two traces differ, if they do."""
        where, differs = self.home, second is None
        if second is not None:
            differs, equation = first_difference(first, second)
            where = (equation and line_of(equation)) or self.home
        if differs:
            what = "two traces of the same arguments differ here"
            yield Diagnostic(UNSTEADY, *where, what, needs="steady")

    def _placed(self, seen: Diagnostic) -> Diagnostic:
        """A diagnostic at the first line of its statement, and that quoted."""
        functions = self.reader.functions
        line = first_line(functions, seen.filename, seen.line)
        _, statement = at(functions, seen.filename, seen.line, seen.column)
        quoted = "a call on this line" if statement is None else code(statement)
        return seen._replace(line=line, what=seen.what.replace("{}", quoted))

    def _say_what_is_untold(self, loose: list[str]) -> None:
        if is_library(self.function) and not self.reader.functions:
            self.untold.append("library code: traced, its source not searched.")
        for name in self.reader.unread:
            self.untold.append(f"the source of {name} cannot be read; it was traced.")
        *first, last = [*dict.fromkeys(loose)] or [""]
        if first:
            self.untold.append(
                f"{', '.join(first)} and {last} are baked in while tracing; no change "
                f"to them was seen, but other code could make one."
            )
        elif last:
            self.untold.append(
                f"{last} is baked in while tracing; no change to it was seen, but "
                f"other code could make one."
            )


def layers_end(function: object) -> Any:
    """The innermost callable of a function that may be wrapped."""
    return [layer.callable for layer in layers(function)][-1]
