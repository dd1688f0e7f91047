"""`traces_of_program` lists what a region compiles, with its seconds and its cause."""

import contextlib
import inspect
import logging
import threading
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxintro.lens import traces_of_program
from jaxintro.lens.traces.cache_miss import causes_of

X = np.ones(3, np.float32)
SWITCHES = ("jax_explain_cache_misses", "jax_log_compiles")


def new_function():
    """A jitted function that JAX has not met: of a pytree, a number, a static value."""

    @partial(jax.jit, static_argnames="n")
    def scale(params, x, n=2):
        return params["w"] * x * jnp.asarray(n, jnp.float32)

    return scale


CALLS = {
    "shape": (({"w": X}, X[:1]), {}, "x: shape (3,) -> (1,)"),
    "dtype": (({"w": X}, X.astype(np.int16)), {}, "x: dtype float32 -> int16"),
    "weak type": (({"w": X}, 2.0), {}, "x: weak type False -> True"),
    "structure": (({"w": X, "b": X}, X), {}, "args[0]: structure dict with 1 child"),
    "way given": (({"w": X},), {"x": X}, "x: by position before, by keyword now"),
}


@pytest.mark.parametrize("kind", CALLS)
def test_the_cause_of_a_compilation(kind):
    args, kwargs, said = CALLS[kind]
    scale = new_function()
    start = X if kind != "weak type" else X[0]
    with jax.numpy_dtype_promotion("standard"), traces_of_program() as seen:
        scale({"w": X}, start)
        scale({"w": X}, start)
        scale(*args, **kwargs)
        scale(*args, **kwargs)
    assert [each.name for each in seen] == ["scale", "scale"]
    first, second = seen
    assert first.kinds in (("first",), ("function object",))
    assert second.kinds == (kind,)
    assert said in str(seen)


def test_a_static_value_that_was_left_out():
    scale = new_function()
    with traces_of_program() as seen:
        scale({"w": X}, X)
        scale({"w": X}, X, n=3)
    (cause,) = seen.log[-1].causes
    assert cause.kind in ("static value", "left out")  # old and new versions of JAX
    assert "n" in str(cause)


def test_a_lambda_in_a_loop_is_a_new_function_each_time():
    with traces_of_program() as seen:
        for _ in range(3):
            jax.jit(lambda x: x + 1)(X)
    assert [each.kinds for each in seen] == [("first",)] + 2 * [("function object",)]


def test_an_operation_outside_jit_is_a_program_of_its_own():
    x = jnp.ones(17)
    jax.clear_caches()
    with traces_of_program() as seen:
        jnp.tanh(x)
    (one,) = seen
    assert (one.name, one.kinds, one.types) == ("tanh", ("op by op",), ("float32[17]",))


def test_a_switched_setting_is_told():
    scale = new_function()
    with traces_of_program() as seen:
        for mode in ("standard", "strict"):
            with jax.numpy_dtype_promotion(mode):
                scale({"w": X}, X)
    (cause,) = seen.log[-1].causes
    assert (cause.kind, cause.before, cause.after) == ("setting", "standard", "strict")


def test_a_cleared_cache_is_no_first_trace():
    scale = new_function()
    with traces_of_program() as seen:
        scale({"w": X}, X)
        jax.clear_caches()
        scale({"w": X}, X)
    assert [each.kinds for each in seen] == [("first",), ("cache",)]


def test_a_new_batch_size_under_vmap():
    batched = jax.vmap(partial(new_function(), {"w": X}))
    with traces_of_program() as seen:
        for size in (2, 5):
            batched(np.ones((size, 3), np.float32))
    assert "shape" in seen.log[-1].kinds
    assert "shape (2, 3) -> (5, 3)" in str(seen)


def test_the_line_that_asked_for_it():
    scale = new_function()
    line = inspect.currentframe().f_lineno + 2
    with traces_of_program() as seen:
        scale({"w": X}, X)
    assert [(each.file, each.line) for each in seen] == [(__file__, line)]


def test_seconds_add_up():
    with traces_of_program() as seen:
        new_function()({"w": X}, X)
        new_function()({"w": X}, X[:1])
    assert seen.count == len(seen) == 2
    assert all(each.seconds > 0 for each in seen)
    assert seen.seconds == sum(each.seconds for each in seen)


def test_nothing_compiled():
    with traces_of_program() as seen:
        pass
    assert str(seen) == "0 compilations"


def test_nothing_is_printed_and_the_switches_stay_as_they_were(capfd, caplog):
    before = [getattr(jax.config, name) for name in SWITCHES]
    with contextlib.suppress(KeyError), traces_of_program() as seen:
        new_function()({"w": X}, X)
        raise KeyError
    assert seen.count == 1
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert [getattr(jax.config, name) for name in SWITCHES] == before
    assert not any(
        logging.getLogger(name).filters
        for name in logging.root.manager.loggerDict
        if name.startswith("jax.")
    )


def test_a_log_that_the_user_has_switched_on_goes_on(caplog):
    jax.config.update("jax_log_compiles", True)
    logger = logging.getLogger("jax")
    logger.addHandler(caplog.handler)
    try:
        with traces_of_program():
            new_function()({"w": X}, X)
    finally:
        jax.config.update("jax_log_compiles", False)
        logger.removeHandler(caplog.handler)
    messages = [record.getMessage() for record in caplog.records]
    assert any(message.startswith("Compiling") for message in messages)
    assert not any("CACHE MISS" in message for message in messages)


def test_regions_within_each_other():
    with traces_of_program() as outer:
        new_function()({"w": X}, X)
        with traces_of_program() as inner:
            new_function()({"w": X}, X)
        new_function()({"w": X}, X)
    assert (outer.count, inner.count) == (3, 1)


def test_what_another_thread_compiles_is_listed():
    with traces_of_program() as seen:
        worker = threading.Thread(target=lambda: new_function()({"w": X}, X))
        worker.start()
        worker.join()
    assert [each.kinds for each in seen] == [("first",)]


def test_the_report_fits_a_terminal():
    with traces_of_program() as seen:
        new_function()({f"name_{i}": X for i in range(30)} | {"w": X}, X)
        new_function()({"w": X}, X)
        jnp.sin(jnp.ones(23)) + 1
    lines = str(seen).splitlines()
    assert lines[0].startswith(f"{seen.count} compilations, ")
    assert max(map(len, lines)) <= 70
    assert repr(seen) == str(seen)
    assert seen._repr_html_().startswith("<pre>")


def test_an_account_that_is_not_understood_is_handed_on():
    message = (
        "TRACING CACHE MISS at f.py:1:1 (<module>):\n  for f defined at f.py:1\n"
        "  all previously seen cache keys differ. For the closest previous key:\n"
        "  the moon is another"
    )
    assert [str(cause) for cause in causes_of(message)] == ["the moon is another"]
