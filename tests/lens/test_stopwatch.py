"""Blocks long enough, rounds interleaved, results waited for."""

import gc
import io
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from fake_clock import FakeClock

from jaxintro.lens.race import stopwatch
from jaxintro.lens.race.stopwatch import (
    BLOCK_SECONDS,
    Entrant,
    calibrate,
    fresh,
    interleave,
    waiter,
)


def enough(samples):
    """Whatever the rounds, there is a verdict."""
    return True


def entrant(clock, seconds):
    return Entrant("f", clock.contestant(seconds), ())


@pytest.mark.parametrize("seconds", [1e-7, 1e-5, 3e-4, 0.1])
def test_a_block_is_long_enough_but_one_call_at_least(seconds):
    clock = FakeClock()
    timed = entrant(clock, seconds)
    timed.calibrate(clock)
    block = timed.block(clock)
    assert block >= BLOCK_SECONDS / 2
    assert timed.calls == 1 or block <= 2 * BLOCK_SECONDS


def test_an_interruption_does_not_pass_for_work():
    clock = FakeClock()
    timed = Entrant("f", clock.contestant(1e-6, first=0.004), ())
    timed.calibrate(clock)
    assert timed.calls > 100


def test_contestants_of_similar_speed_are_measured_alike():
    clock = FakeClock()
    entrants = [entrant(clock, seconds) for seconds in (1e-4, 1e-6, 1.4e-4, 1e-3)]
    seconds = calibrate(entrants, clock)
    np.testing.assert_allclose(seconds, [1e-4, 1e-6, 1.4e-4, 1e-3])
    a, micro, b, milli = [entrant.calls for entrant in entrants]
    assert micro > a == b > milli == 1


def test_a_short_block_is_rehearsed_and_a_long_one_is_not():
    clock, log = FakeClock(), []
    work = clock.contestant(1e-4)
    short = Entrant("f", lambda: (log.append(1), work()), ())
    short.calibrate(clock)
    log.clear()
    assert short.block(clock) == pytest.approx(1e-4 * short.calls)
    assert len(log) == short.calls + 1
    long = entrant(clock, 0.01)
    long.calibrate(clock)
    assert not long.rehearses


def test_rounds_hold_each_contestant_once_in_shuffled_order():
    clock, log = FakeClock(), []

    def logged(name):
        work = clock.contestant(0.05)
        return Entrant(name, lambda: (log.append(name), work()), ())

    samples = interleave([logged("a"), logged("b"), logged("c")], 10.0, clock, enough)
    turns = [tuple(log[i : i + 3]) for i in range(3, len(log), 3)]
    assert len(turns) == len(samples)
    assert {tuple(sorted(turn)) for turn in turns} == {("a", "b", "c")}
    assert len(set(turns)) == 6


def test_samples_are_seconds_a_call():
    clock = FakeClock()
    samples = interleave(
        [entrant(clock, 1e-5), entrant(clock, 0.02)], 1.0, clock, enough
    )
    np.testing.assert_allclose(samples, [[1e-5, 0.02]] * len(samples))


def test_the_garbage_collector_is_off_only_while_timing():
    seen = []
    clock = FakeClock()
    work = clock.contestant(1.0)
    interleave(
        [Entrant("f", lambda: (seen.append(gc.isenabled()), work()), ())],
        2,
        clock,
        enough,
    )
    assert seen
    assert not any(seen)
    assert gc.isenabled()


def test_only_arrays_in_flight_are_waited_for():
    x = jnp.ones(3)
    assert waiter(np.ones(3)) is None
    assert waiter({"loss": 1.0}) is None
    assert waiter(x)(x) is x
    assert waiter((x, 1.0)) is jax.block_until_ready
    assert waiter([np.ones(3), x]) is jax.block_until_ready


class Tensor:
    """What the stopwatch needs of a PyTorch tensor."""

    def __init__(self, device):
        self.device = types.SimpleNamespace(type=device)


def test_a_tensor_on_a_device_is_synchronised(monkeypatch):
    seen = []
    cuda = types.SimpleNamespace(synchronize=lambda: seen.append("cuda"))
    torch = types.SimpleNamespace(Tensor=Tensor, cuda=cuda)
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert waiter(Tensor("cpu")) is None
    waiter({"y": Tensor("cuda")})({})
    assert seen == ["cuda"]


def test_fresh_copies_arrays_and_keeps_the_rest():
    tree = {"numpy": np.ones(2), "jax": jnp.ones(2), "n": 3, "none": None}
    copy = fresh(tree)
    assert jax.tree.structure(copy) == jax.tree.structure(tree)
    assert copy["numpy"] is not tree["numpy"]
    assert copy["jax"].unsafe_buffer_pointer() != tree["jax"].unsafe_buffer_pointer()
    np.testing.assert_array_equal(copy["jax"], tree["jax"])


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def shown_on(stream, monkeypatch):
    monkeypatch.setattr(stopwatch.sys, "stderr", stream)
    clock = FakeClock()
    interleave([entrant(clock, 0.1)], 1.0, clock, enough)
    return stream.getvalue()


def test_progress_is_shown_on_a_terminal_and_erased(monkeypatch):
    text = shown_on(Terminal(), monkeypatch)
    assert "racing  50%" in text
    assert "\x1b" not in text
    *_, blank, after = text.split("\r")
    assert (blank.strip(), after) == ("", "")


def test_no_progress_elsewhere(monkeypatch):
    assert shown_on(io.StringIO(), monkeypatch) == ""
