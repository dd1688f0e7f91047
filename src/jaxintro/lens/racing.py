"""Race candidates honestly: same answer first, then interleaved rounds."""

import functools
import inspect
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from jaxintro.lens.agreement import difference, to_numpy
from jaxintro.lens.bootstrap import CONFIDENCE, pairwise_intervals
from jaxintro.lens.standings import Race
from jaxintro.lens.stopwatch import Clock, Entrant, fresh, interleave, waiter

__all__ = ["Race", "race"]

Contestants = (
    Mapping[str, Callable[..., Any]] | Sequence[Callable[..., Any]] | Callable[..., Any]
)


def race(
    contestants: Contestants,
    *args: Any,
    check: bool = True,
    tolerance: float | None = None,
    seconds: float = 0.4,
    clock: Clock = time.perf_counter,
) -> Race:
    """Time callables against each other on the same arguments.

    The first call of each is timed apart, since it may compile. All must return the
    same values. Then rounds are timed until `seconds` are used up: in each round
    every contestant runs once, in shuffled order, as many calls as fill about 2 ms,
    and each call is waited for until its result is really there. What is told is
    the ratio of medians, with a bootstrap interval over rounds that is never
    narrower than 3 % on either side: two copies of one program differ that much.

    Args:
        contestants: name → callable, or callables, which go by their `__name__`.
            JAX, NumPy, PyTorch and Numba may race each other.
        *args: given to each. A contestant that donates or changes them gets a fresh
            copy for each call, made while the clock stands.
        check: compare the results first. False waives that.
        tolerance: largest difference that passes, relative to the largest magnitude
            in an array; by default half the digits of the less precise dtype.
        seconds: limit on the time of all rounds, first calls not counted; one round
            is always made.
        clock: read for all timings, in seconds.

    Raises:
        TypeError: something is not callable, or does not take these arguments.
        ValueError: no contestants, a result of None, or results that differ.
    """
    entrants = [
        Entrant(name, function, args)
        for name, function in _named(contestants, args).items()
    ]
    first_seconds, reference = [], None
    for entrant in entrants:
        taken, result = _first_call(entrant, clock)
        first_seconds.append(taken)
        if reference is None:
            reference = result
        elif check:
            found = difference(reference, result, tolerance)
            if found:
                raise ValueError(
                    f"{entrants[0].name!r} and {entrant.name!r} differ, "
                    f"so their times cannot be compared: {found}"
                )
        del result
    del reference
    samples = interleave(entrants, seconds, clock)
    return _standings(entrants, first_seconds, samples, check)


def _standings(
    entrants: list[Entrant], first_seconds: list[float], samples: Any, check: bool
) -> Race:
    medians = np.median(samples, axis=0)
    fastest = int(np.argmin(medians))
    pairs = pairwise_intervals(samples)
    return Race(
        names=tuple(entrant.name for entrant in entrants),
        first_seconds=tuple(first_seconds),
        seconds=tuple(medians.tolist()),
        ratios=tuple((medians / medians[fastest]).tolist()),
        intervals=tuple((low, high) for low, high in pairs[:, fastest].tolist()),
        rounds=len(samples),
        calls=tuple(entrant.calls for entrant in entrants),
        samples=tuple(map(tuple, samples.tolist())),
        pairs=tuple(tuple((x, y) for x, y in row) for row in pairs.tolist()),
        confidence=CONFIDENCE,
        checked=check and len(entrants) > 1,
    )


def _named(contestants: Contestants, args: tuple[Any, ...]) -> dict[str, Any]:
    """Return name → callable, or say what is wrong with the contestants."""
    if callable(contestants):
        if any(map(callable, args)):
            raise TypeError("race takes its contestants together: race([f, g], x)")
        contestants = [contestants]
    if isinstance(contestants, Mapping):
        named = dict(contestants)
    elif isinstance(contestants, Sequence) and not isinstance(contestants, str):
        named = {}
        for function in contestants:
            named[_unused(_name_of(function), named)] = function
    else:
        raise TypeError(
            "race takes a dict of callables or a sequence of callables, "
            f"not {type(contestants).__name__}"
        )
    if not named:
        raise ValueError("race needs at least one contestant, and was given none")
    for name, function in named.items():
        if not isinstance(name, str):
            raise TypeError(f"a contestant's name is a string, not {name!r}")
        if not callable(function):
            raise TypeError(f"contestant {name!r} is not callable: {function!r}")
        _accepts(name, function, args)
    return named


def _name_of(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def _unused(name: str, taken: dict[str, Any]) -> str:
    number, unused = 1, name
    while unused in taken:
        number += 1
        unused = f"{name} {number}"
    return unused


def _accepts(name: str, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # built-in functions need not tell
        return
    try:
        signature.bind(*args)
    except TypeError as error:
        raise TypeError(
            f"contestant {name!r} takes {signature}, but the race has {len(args)} "
            f"arguments to give ({error}): race(contestants, *args)"
        ) from None


def _first_call(entrant: Entrant, clock: Clock) -> tuple[float, Any]:
    """Return the seconds and the result of the first call; set `wait`, `spends`."""
    own = fresh(entrant.args)
    start = clock()
    try:
        result = entrant.function(*own)
        entrant.wait = waiter(result)
        if entrant.wait:
            entrant.wait(result)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)[1:]
        place = f" at {frames[0].filename}:{frames[0].lineno}" if frames else ""
        error.add_note(f"raised by contestant {entrant.name!r} of the race{place}")
        raise
    taken = clock() - start
    if not jax.tree.leaves(result):
        raise ValueError(
            f"contestant {entrant.name!r} returned {result!r}: "
            "nothing to wait for or compare"
        )
    entrant.spends = any(
        map(_spent, jax.tree.leaves(own), jax.tree.leaves(entrant.args))
    )
    return taken, result


def _spent(after: Any, before: Any) -> bool:
    """Return whether a call deleted or changed an array it was given."""
    if isinstance(after, jax.Array):
        return after.is_deleted()
    if isinstance(after, np.ndarray) or hasattr(after, "detach"):
        return to_numpy(after).tobytes() != to_numpy(before).tobytes()
    return False
