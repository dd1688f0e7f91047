"""What each kind of finding means: the consequence and the cure, in plain words."""

from __future__ import annotations

from typing import NamedTuple

OUTSIDE = "outside state"
OUTPUT = "output"
MUTATION = "mutation"
ITERATOR = "iterator"
RANDOMNESS = "randomness"
KEY_REUSE = "key reuse"
LEAK = "leaked tracer"
IN_PLACE = "in-place assignment"
BRANCH = "value-dependent branch"
SHAPE = "value-dependent shape"
NUMPY = "NumPy on a tracer"
UNSTEADY = "non-deterministic trace"
KINDS = (
    OUTSIDE,
    OUTPUT,
    MUTATION,
    ITERATOR,
    RANDOMNESS,
    KEY_REUSE,
    LEAK,
    IN_PLACE,
    BRANCH,
    SHAPE,
    NUMPY,
    UNSTEADY,
)
TRACER = (
    "A tracer is what stands for an array while JAX traces a function: it has a shape "
    "and a dtype, but no numbers."
)


class Words(NamedTuple):
    """A consequence and a cure.

    `{name}` stands for the user's own variable in backquotes, `{bare}` without them.
    """

    consequence: str
    cure: str


FRESH_DRAW = "Both draws come from the same random bits: they are not independent."

WORDS = {
    OUTSIDE: Words(
        "jit bakes in the value it finds while tracing: later calls do not see a "
        "change to {name}.",
        "Pass {name} as an argument.",
    ),
    "file": Words(
        "Under jit the file is read once, while tracing: later calls do not see a "
        "change to it.",
        "Read the file outside and pass in what it holds.",
    ),
    "environment": Words(
        "jit bakes in what it finds while tracing: later calls do not see a change.",
        "Read it outside, and pass in the value.",
    ),
    "module with state": Words(
        "jit bakes in the arrays that {name} holds while tracing: later calls do not "
        "see an update of it.",
        "Pass {name} as an argument, or use flax.nnx.jit and pass it there.",
    ),
    OUTPUT: Words(
        "Under jit this happens once per trace, shows tracers instead of numbers, and "
        "does not happen on later calls.",
        'Use jax.debug.print("{}", value), or return the value and print it outside.',
    ),
    "format of a tracer": Words(
        "A tracer has no digits to format: jit raises TypeError.",
        'Use jax.debug.print("{:.2f}", value), or format the result outside.',
    ),
    "output to a file": Words(
        "Under jit this happens once per trace, not once per call, and there are no "
        "numbers yet.",
        "Return the value and write it outside, or write it from jax.debug.callback.",
    ),
    "outside world": Words(
        "Under jit this happens once per trace, not once per call. It was not done "
        "here.",
        "Do it outside, with what the function returns, or from jax.debug.callback.",
    ),
    MUTATION: Words(
        "Under jit this happens once per trace, not once per call.",
        "Take {name} as an argument and return its new value.",
    ),
    "mutation of an argument": Words(
        "Under jit the function gets a copy: the caller's {name} stays as it was. "
        "Without jit it changes.",
        "Change a copy and return it.",
    ),
    "mutation in a body": Words(
        "JAX runs this Python once, to trace it: not in every round, nor only where a "
        "condition holds.",
        "Carry {name} through the loop, or return it.",
    ),
    "setting": Words(
        "Under jit this happens once per trace, and stays as it is for all the code "
        "that runs later.",
        "Change it outside, before the function is called.",
    ),
    ITERATOR: Words(
        "Under jit items are taken once per trace; later calls use the same items "
        "again.",
        "Take the item outside, `next({bare})`, and pass it in.",
    ),
    RANDOMNESS: Words(
        "Under jit the number is drawn once, while tracing; every later call uses "
        "that same number.",
        "Take a key as an argument and draw with jax.random.",
    ),
    "time": Words(
        "Under jit this runs once, while tracing; later calls reuse what it gave then.",
        "Read the clock outside and pass the number in.",
    ),
    KEY_REUSE: Words(
        FRESH_DRAW,
        "Split first, `key, subkey = jax.random.split({bare})`, and draw with subkey.",
    ),
    "key reuse in a loop": Words(
        "Every round of the loop draws the same random numbers.",
        "Draw with `jax.random.fold_in({bare}, i)`, or carry the key and split it.",
    ),
    LEAK: Words(
        "The tracer is dead when the trace ends: using it later raises "
        "UnexpectedTracerError.",
        "Return the value instead of keeping it in {name}.",
    ),
    "use of a leaked tracer": Words(
        "jit raises UnexpectedTracerError.",
        "Return the value from the inner function instead of storing it.",
    ),
    IN_PLACE: Words(
        "JAX arrays are immutable: this raises TypeError.",
        "Use `{bare} = {bare}.at[...].set(...)`.",
    ),
    "discarded update": Words(
        "{name} stays as it was: .at gives a new array and changes nothing.",
        "Keep the result: `{bare} = {bare}.at[...].set(...)`.",
    ),
    BRANCH: Words(
        "While tracing there is a type but no value: jit raises {error}.",
        "Keep it an array; if it is a Python number, name it in static_argnames.",
    ),
    SHAPE: Words(
        "Shapes must be known while tracing: jit raises {error}.",
        "Keep the shape fixed: jnp.where(mask, x, 0), or a size= argument; name a "
        "Python size in static_argnames.",
    ),
    NUMPY: Words(
        "NumPy and Python functions need numbers, and a tracer has none: jit raises "
        "{error}.",
        "Write it with jax.numpy, or call it through jax.pure_callback.",
    ),
    UNSTEADY: Words(
        "What is computed depends on when the function was traced, not on its "
        "arguments alone.",
        "Pass in what changes as an argument.",
    ),
}


class Diagnostic(NamedTuple):
    """Something that the source or the trace shows, not yet confirmed.

    `variant` is the key of WORDS; `column` tells statements on one line apart. `needs`
    says what must be seen as well: "" nothing, "output" or "change" the same thing
    while tracing, "counter" a change and two traces that differ, "differs" such traces,
    "stop" a trace that came to no end, "steady" nothing random, "no leak" no leak on
    this line, "unexplained" a change that nothing else explains, "untold" what neither
    can show: `what` is a place that a note will name.
    """

    kind: str
    filename: str
    line: int
    what: str
    name: str = ""
    variant: str = ""
    cure: str = ""
    needs: str = ""
    label: tuple[str, str] | None = None
    step: object = None
    error: str = ""
    column: int = -1
