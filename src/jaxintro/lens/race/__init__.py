"""`race`: same answer first, then interleaved rounds, then what can be told.

`contestants.py` says who races, `agreement.py` whether they agree, `stopwatch.py` times
them, `bootstrap.py` judges, `report.py` tells.
"""

import time
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from jaxintro.lens.compilations import Stage, stages
from jaxintro.lens.files import theirs
from jaxintro.lens.follow.record import paused
from jaxintro.lens.race.agreement import difference, dtypes, to_numpy
from jaxintro.lens.race.bootstrap import (
    CONFIDENCE,
    pairwise_intervals,
    settled,
    slower_speed,
    typical,
)
from jaxintro.lens.race.contestants import Contestants, blamed, named
from jaxintro.lens.race.report import Race, brief, duration, listed
from jaxintro.lens.race.stopwatch import Clock, Entrant, fresh, interleave, waiter

__all__ = ["Race", "race"]


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
    same values. Then rounds are timed until `seconds` are used up, or up to 8 times as
    long while they show no verdict: in each round every contestant runs once, in
    shuffled order, as many calls as fill half a millisecond, and each result is waited
    for. Compared are medians of the fastest fifth of the timings (the others show what
    else the machine did), with an interval of their ratio from a bootstrap over rounds.
    It is never narrower than 3 % on either side, by which two copies of one program may
    differ, wider where there was time for fewer than 50 rounds, and holds the ratios at
    both speeds where a contestant was seen at two. On a busy machine calls of many
    milliseconds are always interrupted and short ones are not: between those, trust the
    order rather than the ratio.

    Args:
        contestants: name → callable, or callables, which go by their `__name__`.
            JAX, NumPy, PyTorch and Numba may race each other.
        *args: given to each. A contestant that donates or changes them gets a fresh
            copy for each call, made while the clock stands.
        check: compare the results first. False waives that.
        tolerance: largest difference that passes, relative to the largest magnitude
            in an array; by default half the digits of the less precise dtype.
        seconds: time of all rounds, first calls not counted, if it is enough for a
            verdict; every contestant is called at least once more.
        clock: what is read for all timings, in seconds.

    Raises:
        TypeError: something is not callable, or does not take these arguments.
        ValueError: no contestants, a result of None, or results that differ.
        Exception: whatever a contestant raises, with a note that says which.

    Example:
        >>> import numpy as np
        >>> x = np.linspace(0, 1, 100_000)
        >>> result = race({"sum": np.sum, "sort": lambda x: np.sort(x)}, x, check=False)
        >>> result.told_apart("sum", "sort"), result.fastest
        (True, 'sum')
    """
    try:
        entrants = [Entrant(*each, args) for each in named(contestants, args).items()]
        # A race calls with the same key again and again, and knows it.
        with paused(), jax.debug_key_reuse(False):
            first_seconds, dtypes = _first_calls(entrants, check, tolerance, clock)
            samples = interleave(entrants, seconds, clock, settled)
    except Exception as error:
        raise error.with_traceback(theirs(error.__traceback__)) from error.__cause__
    return _report(entrants, first_seconds, samples, check, dtypes)


def _first_calls(
    entrants: list[Entrant], check: bool, tolerance: float | None, clock: Clock
) -> tuple[list[float], list[str]]:
    """Return the seconds of each first call, once the results are seen to agree.

    Also return the dtypes of the results where they are not the same.
    """
    found: list[float] = []
    results: list[Any] = []
    for entrant in entrants:
        seconds, result = _first_call(entrant, clock)
        if check and results:
            where = difference(results[0], result, tolerance)
            if where:
                raise ValueError(
                    f"{entrants[0].name!r} and {entrant.name!r} do not compute the "
                    f"same (check=False waives this): {where}"
                )
        results.append(result)
        found.append(seconds)
    kinds = [dtypes(result) for result in results]
    return found, kinds if len(set(kinds)) > 1 else []


def _first_call(entrant: Entrant, clock: Clock) -> tuple[float, Any]:
    """Return the seconds and the result of the first call; set `wait`, `spends`."""
    own = fresh(entrant.args)
    start = clock()
    compiled: list[Stage] = []
    with blamed(entrant.name, entrant.function), stages(compiled.append):
        result = entrant.function(*own)
        entrant.wait = waiter(result)
        if entrant.wait:
            entrant.wait(result)
    seconds = clock() - start
    if any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(result)):
        entrant.compiles = any(each.stage == "compiling" for each in compiled)
    if not jax.tree.leaves(result):
        raise ValueError(
            f"contestant {entrant.name!r} returned {result!r}: "
            "nothing to wait for or compare"
        )
    entrant.spends = any(
        map(_spent, jax.tree.leaves(own), jax.tree.leaves(entrant.args))
    )
    return seconds, result


def _spent(after: Any, before: Any) -> bool:
    """Return whether a call deleted or changed an array it was given."""
    if isinstance(after, jax.Array):
        return after.is_deleted()
    if isinstance(after, np.ndarray) or hasattr(after, "detach"):
        return to_numpy(after).tobytes() != to_numpy(before).tobytes()
    return False


def _report(
    entrants: list[Entrant],
    first_seconds: list[float],
    samples: NDArray[np.float64],
    check: bool,
    kinds: list[str],
) -> Race:
    seconds = typical(samples)
    fastest = int(np.argmin(seconds))
    pairs = pairwise_intervals(samples).tolist()
    names = [entrant.name for entrant in entrants]
    return Race(
        names=tuple(names),
        first_seconds=tuple(first_seconds),
        seconds=tuple(seconds.tolist()),
        ratios=tuple((seconds / seconds[fastest]).tolist()),
        intervals=tuple(tuple(row[fastest]) for row in pairs),
        rounds=len(samples),
        calls=tuple(entrant.calls for entrant in entrants),
        samples=tuple(map(tuple, samples.tolist())),
        pairs=tuple(tuple(map(tuple, row)) for row in pairs),
        confidence=CONFIDENCE,
        checked=check and len(entrants) > 1,
        notes=tuple(_notes(entrants, samples, kinds)),
    )


def _notes(
    entrants: list[Entrant], samples: NDArray[np.float64], kinds: list[str]
) -> Iterator[str]:
    """What a reader of the table should know of it, a sentence each."""
    for entrant, column in zip(entrants, samples.T, strict=True):
        slow = slower_speed(column)
        if slow is not None:
            speeds = [duration(float(typical(column[mask]))) for mask in (~slow, slow)]
            yield f"{brief(entrant.name)} runs at two speeds, {' and '.join(speeds)}"
    if kinds:
        each = [f"{e.name} {kind}" for e, kind in zip(entrants, kinds, strict=True)]
        yield f"the results differ in dtype: {listed(each)}"
    before = [entrant.name for entrant in entrants if entrant.compiles is False]
    if before:
        if len(before) == 1:
            which, what = f"call of {brief(before[0])}", "its program"
        else:
            which, what = f"calls of {listed(before)}", "their programs"
        yield f"the first {which} compiled nothing: {what} ran before the race"
