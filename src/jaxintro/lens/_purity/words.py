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
    MUTATION: Words(
        "Under jit this happens once per trace, not once per call.",
        "Take {name} as an argument and return its new value.",
    ),
    "mutation of an argument": Words(
        "Under jit the function gets a copy: the caller's {name} stays as it was. "
        "Without jit it changes.",
        "Change a copy and return it.",
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
        "Use the function of the same name in jax.numpy.",
    ),
    UNSTEADY: Words(
        "What is computed depends on when the function was traced, not on its "
        "arguments alone.",
        "Pass in what changes as an argument.",
    ),
}


class Clue(NamedTuple):
    """Something seen, before it is weighed.

    `variant` is the key of WORDS; `needs` says what must be seen as well: "" nothing,
    "output" or "change" the same thing while tracing, "stop" a trace that came to no
    end, "steady" nothing random, "unexplained" a change that no other clue explains.
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
