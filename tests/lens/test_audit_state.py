"""`audit` leaves everything as it was."""

import builtins
import io
import logging
import random
import sys
import threading
from unittest import mock

import jax
import numpy as np

from jaxintro.lens import audit, traces

X = np.arange(3.0, dtype=np.float32)
counter = 0
history = [1.0]
stream = iter([1.0, 2.0])
LOG = io.StringIO("")


class Model:
    calls = 0

    def __init__(self):
        self.h = 0.0
        self.seen = []

    def step(self, x):
        self.h = self.h + x
        self.seen.append(x)
        Model.calls += 1
        self.fresh = True
        return self.h


def change_everything(x, params, model):
    global counter, appeared
    counter += 1
    appeared = x
    history.append(x)
    history.sort(key=str)
    LOG.write("x")
    params["w"] = x
    params.setdefault("new", x)
    model.step(x)
    change_everything.calls = counter
    print("printed")
    print("printed", file=sys.stderr)
    logging.getLogger("user").error("logged")
    random.random()
    np.random.normal()
    with open("never_written.txt", "w") as file:
        file.write("never")
    return x + next(stream)


def test_the_state_is_as_it_was(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, params = Model(), {"w": X}
    seen = model.seen
    states = random.getstate(), np.random.get_state()[1].tobytes()
    streams = sys.stdout, sys.stderr, builtins.open, io.open, logging.Logger.handle
    found = audit(change_everything, 1.0, params, model)

    kinds = {each.kind for each in found}
    assert {"mutation", "leaked tracer", "output", "randomness", "iterator"} <= kinds
    assert counter == 0
    assert "appeared" not in globals()
    assert history == [1.0]
    assert LOG.getvalue() == ""
    assert params == {"w": X}
    assert vars(model) == {"h": 0.0, "seen": seen}
    assert seen == []
    assert Model.calls == 0
    assert not hasattr(change_everything, "calls")
    assert (random.getstate(), np.random.get_state()[1].tobytes()) == states
    assert next(iter([next(stream)])) == 1.0
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []
    now = sys.stdout, sys.stderr, builtins.open, io.open, logging.Logger.handle
    assert all(a is b for a, b in zip(streams, now, strict=True))


def test_closures_and_slots_are_as_they_were():
    class Slotted:
        __slots__ = ("n",)

    total, slotted = 0, Slotted()

    def count(x):
        nonlocal total
        total += 1
        slotted.n = 1
        return x

    assert [each.kind for each in audit(count, X)] == ["mutation", "mutation"]
    assert total == 0
    assert not hasattr(slotted, "n")


def test_generators_and_files_are_not_used_up(tmp_path):
    items = (each for each in (1.0, 2.0))
    path = tmp_path / "data.txt"
    path.write_text("1\n2\n")
    with open(path) as file:
        assert audit(lambda x, it, f: x + next(it) + float(next(f)), X, items, file)
        assert file.tell() == 0
        assert list(items) == [1.0, 2.0]


def test_a_generator_of_the_users_goes_on_where_it_was():
    rng = np.random.default_rng(3)
    expected_draw = np.random.default_rng(3).normal()
    found = audit(lambda x, rng: x + rng.normal(), X, rng)
    assert [each.kind for each in found] == ["randomness"]
    assert rng.normal() == expected_draw


def test_the_caches_of_jit_are_neither_used_nor_filled():
    runs = []

    @jax.jit
    def helper(x):
        runs.append(0)
        return x * 2

    def step(x):
        return helper(x) + 1

    first = audit(step, X)
    assert [each.kind for each in first] == ["mutation"]
    assert runs == []
    jax.jit(step)(X)
    assert runs == [0]  # traced for the program, though the audit had traced it
    assert audit(step, X) == first
    jax.jit(lambda x: helper(x))(X)
    assert runs == [0]  # and what the program has traced is still there


def test_a_counted_function_counts_no_trace_of_the_audit():
    counted = traces(lambda x: x * 2)
    audit(counted, X)
    assert counted.count == 0


def test_other_threads_still_print(capsys):
    begin, end = threading.Event(), threading.Event()

    def prints():
        begin.wait(10)
        print("from a thread")
        end.set()

    def waits_for_the_thread(x):
        begin.set()
        end.wait(10)
        return x

    thread = threading.Thread(target=prints)
    thread.start()
    audit(waits_for_the_thread, X)
    thread.join()
    assert set(capsys.readouterr().out.split("\n")) == {"from a thread", ""}


def test_nothing_is_run_on_the_data():
    spy = mock.Mock()  # an object of a library: no audit resets its count

    def look(x):
        spy(isinstance(x, jax.core.Tracer))
        return x * 2

    assert not audit(look, X)
    assert spy.call_args_list == [mock.call(True), mock.call(True)]


class Stubborn(list):
    """Takes what it is told, and gives nothing back."""

    def clear(self):
        raise RuntimeError("no")


def test_what_cannot_be_put_back_is_told_and_the_rest_is_put_back():
    stubborn, plain = Stubborn(), [1]

    def appends(x):
        stubborn.append(2)
        plain.append(2)
        return x

    told = audit(appends, X).untold
    assert "`stubborn` was changed and could not be put back." in told
    assert plain == [1]
