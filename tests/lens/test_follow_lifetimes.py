"""After the call nothing is kept, and everything is put back, whatever happens."""

import gc
import io
import sys
import threading
import weakref
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from followed import beside, compared

from jaxintro.lens import follow
from jaxintro.lens.follow import record
from jaxintro.lens.follow.record import recording


class Thing:
    """It can be watched."""


class WatchedError(ValueError):
    """So can this; a plain ValueError cannot."""


def watching(dead):
    """A function that makes a value, and says when it is gone."""

    def watch(value):
        weakref.finalize(value, dead.append, type(value).__name__)
        return value

    return watch


def test_nothing_of_a_call_is_kept():
    dead = []
    watch = watching(dead)

    def function(n):
        thing = watch(Thing())
        array = watch(jnp.ones(3))
        for i in range(n):
            array = watch(array + i)
            pair = {"a": array, "b": [watch(Thing())]}
        try:
            raise watch(WatchedError("caught", thing))
        except WatchedError as error:
            same = error
        del same
        return len(pair)

    report = follow(function, 9)
    gc.collect()
    assert sorted(set(dead)) == ["ArrayImpl", "Thing", "WatchedError"]
    assert len(dead) == 1 + 1 + 9 + 9 + 1
    assert report.result == 2


def test_tracers_are_not_kept():
    dead = []
    watch = watching(dead)

    def function():
        @jax.jit
        def inner(x):
            for _ in range(5):
                x = watch(x + 1)
                both = (x, [x])
            return both

        return inner(1.0)[0] + 1

    report = follow(function)
    jax.clear_caches()
    gc.collect()
    assert len(dead) == 5
    assert report.result == 7


@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit, jax.vmap])
def test_no_tracer_leaks(wrap):
    def function(x):
        both = [x, {"x": x}]

        @jax.jit
        def inner(y):
            z = y * 2
            for _ in range(5):
                z = z + 1
                kept = (z, [z])
            return kept[0]

        def step(carry, x):
            carry = carry + x
            return carry, x

        total, _ = jax.lax.scan(step, jnp.float32(0), jnp.ones(3))
        return inner(both[0]) + total

    with jax.checking_leaks():
        report = follow(wrap(function), np.ones(2, np.float32))
    assert report.error is None
    assert report.result.shape == (2,)


def test_no_frame_is_kept_by_an_error():
    dead = []
    watch = watching(dead)

    def function():
        array = watch(jnp.ones(3))
        try:
            print(array.missing)
        except AttributeError as error:
            raise ValueError("second") from error

    report = follow(function)
    gc.collect()
    assert isinstance(report.error, ValueError)
    assert isinstance(report.error.__cause__, AttributeError)
    assert report.error.__traceback__ is None
    assert report.error.__cause__.__traceback__ is None
    assert dead or report.error.__cause__.obj is not None  # Python's own reference


def test_a_tracer_in_an_error_is_not_kept():
    dead = []
    watch = watching(dead)

    @jax.jit
    def function(x):
        y = watch(x + 1)
        if y > 0:
            return y

    report = follow(function, 1.0)
    gc.collect()
    assert isinstance(report.error, jax.errors.TracerBoolConversionError)
    assert dead


def test_the_result_may_go_too():
    dead = []
    report = follow(watching(dead), jnp.ones(3))
    del report
    gc.collect()
    assert dead == ["ArrayImpl"]


def plain(x=0):
    y = 1 / x
    return y


@pytest.mark.parametrize("raised", [ValueError, KeyboardInterrupt, SystemExit])
def test_the_code_is_put_back(raised):
    def function():
        during.append(function.__code__)
        raise raised("now")

    during, before, out = [], function.__code__, sys.stdout
    if raised is ValueError:
        assert isinstance(follow(function).error, ValueError)
    else:
        with pytest.raises(raised, match="now"):
            follow(function)
    assert during[0] is not before
    assert function.__code__ is before
    assert sys.stdout is out
    assert record._active == []


def test_the_code_is_put_back_where_it_cannot_be_exchanged(monkeypatch):
    before = plain.__code__

    def fail(code, recorder):
        raise ValueError("cannot")

    monkeypatch.setattr(record, "with_recorder", fail)
    report = follow(plain, 2)
    assert report.result == 0.5
    assert "cannot be shown: cannot" in report.note
    assert plain.__code__ is before
    assert record._active == []


def test_stdout_that_the_function_replaced_stays_replaced(monkeypatch):
    other = io.StringIO()
    monkeypatch.setattr(sys, "stdout", sys.stdout)

    def function():
        sys.stdout = other
        print("to the other")

    follow(function)
    assert sys.stdout is other
    assert other.getvalue() == "to the other\n"


def test_stdout_that_the_function_closed(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)

    def function():
        print("before")
        sys.stdout.close()
        x = 1
        return x

    report = follow(function)
    assert sys.stdout is out
    assert out.closed
    assert beside(report)["return x"] == "1"


def test_stdout_that_was_kept_does_not_hold_the_recorder_open():
    kept = []

    def function():
        kept.append(sys.stdout)
        old, sys.stdout = sys.stdout, io.StringIO()
        print("unheard")
        sys.stdout = old
        print("heard")
        sys.stdout.writelines(["a", "b\n"])
        return sys.stdout.write("c\n")

    report = compared(function)
    shown = beside(report)
    assert shown['print("heard")'] == "heard"
    assert 'print("unheard")' not in shown
    assert shown['sys.stdout.writelines(["a", "b\\n"])'] == "ab"
    assert shown['return sys.stdout.write("c\\n")'] == "2 | c"
    before = str(report)
    print("later", file=kept[0])
    assert str(report) == before


def test_no_stdout_at_all(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)

    def function():
        print("nowhere")
        return 1

    assert follow(function).result == 1


def test_stdout_refuses_what_it_refuses():
    def function():
        try:
            sys.stdout.write(b"bytes")
        except TypeError:
            return "refused"

    assert compared(function).result == "refused"


def test_followed_within_followed():
    def inner(x):
        print("inner", x)
        return x + 1

    def outer(x):
        report = follow(inner, x)
        print("outer")
        y = report.result
        return report, y

    report = compared(outer, 1)
    assert beside(report)['print("outer")'] == "outer"
    assert beside(report)["y = report.result"] == "2"
    within, _ = report.result
    assert beside(within) == {'print("inner", x)': "inner 1", "return x + 1": "2"}


def test_a_function_that_follows_itself():
    def function(n):
        if n == 0:
            return 0
        report = follow(function, n - 1)
        return report.result + 1

    before = function.__code__
    report = follow(function, 2)
    assert report.result == 2
    assert function.__code__ is before
    assert beside(report)["return report.result + 1"] == "2"


def test_two_threads_follow_one_after_the_other():
    together = threading.Barrier(4)

    def function(n):
        total = 0
        for i in range(200):  # noqa: B007
            total += n
        return total

    def work(n):
        together.wait()
        reports[n] = follow(function, n)

    before, out, reports = function.__code__, sys.stdout, {}
    threads = [threading.Thread(target=partial(work, n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert function.__code__ is before
    assert sys.stdout is out
    for n, report in reports.items():
        assert report.result == 200 * n
        assert report.error is None
        assert beside(report)["return total"] == str(200 * n)
        assert beside(report)["for i in range(200):"].endswith("199  (200 times)")


def test_a_thread_that_waits_in_vain_calls_plainly(monkeypatch):
    monkeypatch.setattr(record, "TURN", 0.1)

    def inner():
        reports.append(follow(plain, 2))

    def function():
        thread = threading.Thread(target=inner)
        thread.start()
        thread.join()

    reports = []
    follow(function)
    assert reports[0].result == 0.5
    assert "another thread is following" in reports[0].note


def test_threads_of_a_followed_function_are_heard_without_harm():
    def function():
        def work(n):
            for _ in range(500):
                x = n * 2
            found.append(x)

        found = []
        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(found)

    assert compared(function).result == [0, 2, 4, 6]


def test_a_callback_in_another_thread_does_not_block():
    def function(x):
        def host(x):
            y = np.sin(x)
            print("on the host")
            return y

        kind = jax.ShapeDtypeStruct((3,), np.float32)
        y = jax.jit(lambda x: jax.pure_callback(host, kind, x))(x)
        z = [y, {"y": y}]
        return z

    report = compared(function, np.ones(3, np.float32))
    assert beside(report)["y = np.sin(x)"] == "[0.8415 0.8415 0.8415]  np.float32[3]"


def test_no_cache_keeps_the_recorder():
    def function(x):
        return x + 1

    with recording([function]) as recorder:
        function(1)
    gone = weakref.ref(recorder)
    del recorder
    gc.collect()
    assert gone() is None
