"""Timing calls fairly: waiting, calibrated blocks, interleaved rounds."""

import gc
import itertools
import operator
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from jaxintro.lens.race.contestants import blamed

Clock = Callable[[], float]

# Long against the clock's tick and the loop around the calls, short enough that
# most blocks escape what else the machine does.
BLOCK_SECONDS = 0.0005
# From here on caches that another contestant has filled make no difference.
LONG_SECONDS = 0.002
# From here on an interruption cannot pass for work.
SURELY_LONG = 0.02
# Times within this factor are near enough to be measured alike.
ALIKE = 1.5
MOST_ROUNDS = 500
# How many times as long as asked for a race may last to reach a verdict.
MOST_TIMES = 8


@dataclass
class Entrant:
    """A contestant with all that is needed to time it.

    Attributes:
        compiles: whether JAX compiled something in the first call; None if the result
            was not of JAX.
        wait: what must be done to a result before the clock may be read.
        spends: whether a call deletes (donates) or changes its arguments, so that
            each call needs its own copy, made while the clock stands.
        calls: how many calls make one timed block.
        rehearses: whether a call that is not timed goes before each block, so that
            it does not begin with the caches as the contestant before left them.
    """

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    wait: Callable[[Any], Any] | None = None
    compiles: bool | None = None
    spends: bool = False
    calls: int = 1
    rehearses: bool = True

    def block(self, clock: Clock) -> float:
        """Return the seconds that one block takes."""
        function, wait = self.function, self.wait
        arguments = self.arguments()
        with blamed(self.name, function):
            if self.rehearses:
                result = function(*next(arguments))
                if wait:
                    wait(result)
            start = clock()
            if wait is None:
                for args in arguments:
                    function(*args)
            else:
                for args in arguments:
                    wait(function(*args))
            return clock() - start

    def arguments(self) -> Iterator[tuple[Any, ...]]:
        """Return the arguments of each call of a block."""
        number = self.calls + self.rehearses
        if self.spends:
            return iter([fresh(self.args) for _ in range(number)])
        return itertools.repeat(self.args, number)

    def calibrate(self, clock: Clock) -> float:
        """Set `calls` so that a block lasts BLOCK_SECONDS; return seconds a call."""
        self.rehearses = False  # the first call was one
        while True:
            taken = self.block(clock)
            if taken < SURELY_LONG:
                taken = min(taken, self.block(clock))
            if taken >= BLOCK_SECONDS / 2:
                break
            scale = BLOCK_SECONDS / max(taken, BLOCK_SECONDS / 10)
            self.calls = max(self.calls + 1, round(self.calls * scale))
        self.rehearses = taken < LONG_SECONDS
        return taken / self.calls


def calibrate(entrants: list[Entrant], clock: Clock) -> list[float]:
    """Calibrate all, those of similar speed alike; return seconds a call.

    A mean of more calls varies less, so that its lowest decile lies higher: two
    copies must not differ in their number of calls.
    """
    seconds = [entrant.calibrate(clock) for entrant in entrants]
    ranked = sorted(zip(seconds, entrants, strict=True), key=operator.itemgetter(0))
    for (faster, model), (slower, entrant) in itertools.pairwise(ranked):
        if slower < ALIKE * faster:
            entrant.calls, entrant.rehearses = model.calls, model.rehearses
    return seconds


def fresh(tree: Any) -> Any:
    """Return a copy of a pytree with its arrays copied."""

    def copied(leaf: Any) -> Any:
        if isinstance(leaf, jax.Array):
            return leaf.copy().block_until_ready()
        if isinstance(leaf, np.ndarray):
            return leaf.copy()
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(leaf, torch.Tensor):
            return leaf.detach().clone().requires_grad_(leaf.requires_grad)
        return leaf

    return jax.tree.map(copied, tree)


def waiter(result: Any) -> Callable[[Any], Any] | None:
    """Return what must be done to such a result before the clock may be read.

    Nothing (None) for NumPy, Numba and PyTorch on a CPU, which return when the work
    is done: to wait for them would cost as much as a small operation.
    """
    if isinstance(result, jax.Array):
        return operator.methodcaller("block_until_ready")
    torch = sys.modules.get("torch")
    for leaf in jax.tree.leaves(result):
        if torch is not None and isinstance(leaf, torch.Tensor):
            if leaf.device.type != "cpu":
                device = getattr(torch, leaf.device.type)
                return lambda _: device.synchronize()
        elif hasattr(leaf, "block_until_ready"):
            return jax.block_until_ready
    return None


def interleave(
    entrants: list[Entrant],
    seconds: float,
    clock: Clock,
    settled: Callable[[NDArray[np.float64]], bool],
) -> NDArray[np.float64]:
    """Return seconds a call, [round, contestant], of rounds in shuffled order.

    Stops when the next round would pass `seconds`; where these rounds have `settled`
    nothing, when it would pass twice, four times, and at last `MOST_TIMES` as long.
    Where calibration alone took that long, it is the one round.
    """
    shuffled = random.Random(0)
    order = list(range(len(entrants)))
    rows: list[list[float]] = []
    start = clock()
    limit = seconds
    with steady(), progress() as show:
        trial = calibrate(entrants, clock)
        round_cost = sum(t * e.calls for t, e in zip(trial, entrants, strict=True))
        while len(rows) < MOST_ROUNDS:
            began = clock()
            if began - start + round_cost > limit:
                if limit >= MOST_TIMES * seconds or settled(np.array(rows or [trial])):
                    break
                limit *= 2
                continue
            show((began - start) / limit)
            shuffled.shuffle(order)
            row = [0.0] * len(entrants)
            for index in order:
                entrant = entrants[index]
                row[index] = entrant.block(clock) / entrant.calls
            rows.append(row)
            round_cost = clock() - began
    return np.array(rows or [trial])


@contextmanager
def steady() -> Iterator[None]:
    """Keep the garbage collector out of the timings."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def progress() -> Iterator[Callable[[float], None]]:
    """Yield a function that shows a share done on a terminal, erased at the end."""
    stream = sys.stderr
    if stream is None or not stream.isatty():
        yield lambda share: None
        return
    shown = ""

    def show(share: float) -> None:
        nonlocal shown
        text = f"racing {share:4.0%}"
        if text != shown:
            stream.write("\r" + text)
            stream.flush()
            shown = text

    try:
        yield show
    finally:
        stream.write("\r" + " " * len(shown) + "\r")
        stream.flush()
