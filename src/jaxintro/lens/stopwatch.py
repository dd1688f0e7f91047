"""Timing calls fairly: waiting, calibrated blocks, interleaved rounds."""

import gc
import itertools
import operator
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from jaxintro.lens.contestants import blamed

Clock = Callable[[], float]

# Long against the clock's tick and the loop around the calls, short enough that
# most blocks escape what else the machine does.
BLOCK_SECONDS = 0.0005
SURELY_LONG = 0.02
MOST_ROUNDS = 500


@dataclass
class Entrant:
    """A contestant with all that is needed to time it.

    Attributes:
        wait: what must be done to a result before the clock may be read.
        spends: whether a call deletes (donates) or changes its arguments, so that
            each call needs its own copy, made while the clock stands.
        calls: how many calls make one timed block.
    """

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    wait: Callable[[Any], Any] | None = None
    spends: bool = False
    calls: int = 1

    def block(self, clock: Clock) -> float:
        """Return the seconds that one block takes."""
        arguments: Iterable[tuple[Any, ...]]
        if self.spends:
            arguments = [fresh(self.args) for _ in range(self.calls)]
        else:
            arguments = itertools.repeat(self.args, self.calls)
        function, wait = self.function, self.wait
        with blamed(self.name, function):
            start = clock()
            if wait is None:
                for args in arguments:
                    function(*args)
            else:
                for args in arguments:
                    wait(function(*args))
            return clock() - start

    def calibrate(self, clock: Clock) -> float:
        """Set `calls` so that a block lasts BLOCK_SECONDS; return seconds a block."""
        while True:
            taken = self.block(clock)
            if taken < SURELY_LONG:  # else an interruption would pass for work
                taken = min(taken, self.block(clock))
            if taken >= BLOCK_SECONDS / 2:
                return taken
            scale = BLOCK_SECONDS / max(taken, BLOCK_SECONDS / 10)
            self.calls = max(self.calls + 1, round(self.calls * scale))


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
    entrants: list[Entrant], seconds: float, clock: Clock
) -> NDArray[np.float64]:
    """Return seconds a call, [round, contestant], of rounds in shuffled order.

    Stops when the next round would pass `seconds`. Where calibration alone took
    that long, it is the one round.
    """
    shuffled = random.Random(0)
    order = list(range(len(entrants)))
    rows: list[list[float]] = []
    start = clock()
    with steady(), progress() as show:
        trial = [entrant.calibrate(clock) for entrant in entrants]
        round_cost = sum(trial)
        while len(rows) < MOST_ROUNDS:
            began = clock()
            if began - start + round_cost > seconds:
                break
            show((began - start) / seconds)
            shuffled.shuffle(order)
            row = [0.0] * len(entrants)
            for index in order:
                entrant = entrants[index]
                row[index] = entrant.block(clock) / entrant.calls
            rows.append(row)
            round_cost = clock() - began
    trial = [taken / e.calls for taken, e in zip(trial, entrants, strict=True)]
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
