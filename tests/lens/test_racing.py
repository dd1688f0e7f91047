"""`race` refuses what cannot be compared, and tells what a fake clock says."""

import functools
import inspect
import traceback

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from fake_clock import FakeClock

from jaxintro.lens import Race, race

X = np.linspace(-1, 1, 8, dtype=np.float32)
QUICK = {"seconds": 0.001}


def cube(x):
    return x * x * x


def test_the_first_call_is_timed_apart():
    clock = FakeClock()
    slow_start = clock.contestant(0.001, first=5.0)
    result = race({"jit": slow_start}, clock=clock)
    assert result.first_seconds == pytest.approx((5.0,))
    assert result.seconds == pytest.approx((0.001,))


def test_ratios_and_names_follow_the_order_given():
    clock = FakeClock(noise=0.1)
    named = {"slow": clock.contestant(0.007), "fast": clock.contestant(0.001)}
    result = race(named, clock=clock, seconds=1.0)
    assert result.names == ("slow", "fast")
    assert result.fastest == "fast"
    assert result.ratios == pytest.approx((7, 1), rel=0.05)
    assert result.told_apart("slow", "fast")
    assert result.checked


@pytest.mark.parametrize("seed", range(20))
def test_two_copies_are_not_told_apart(seed):
    clock = FakeClock(noise=0.3, seed=seed)
    result = race([clock.contestant(1e-4)] * 2, clock=clock)
    assert not result.told_apart("work", "work 2")
    assert result.verdict.startswith("no difference can be told between")


@pytest.mark.parametrize("seed", range(20))
def test_half_the_work_wins(seed):
    clock = FakeClock(noise=0.3, seed=seed)
    named = {"n": clock.contestant(1e-4), "2n": clock.contestant(2e-4)}
    result = race(named, clock=clock)
    assert result.told_apart("n", "2n")
    assert result.fastest == "n"


def test_time_stays_within_the_limit():
    clock = FakeClock()
    race([clock.contestant(0.01), clock.contestant(0.03)], clock=clock, seconds=2.0)
    first_calls = 0.04
    assert clock.now <= first_calls + 2.0


def test_a_slow_contestant_is_called_only_once_more():
    clock = FakeClock()
    result = race([clock.contestant(60.0), clock.contestant(1e-3)], clock=clock)
    assert result.rounds == 1
    assert 120 < clock.now < 121
    assert result.told_apart("work", "work 2")


def test_a_race_goes_on_until_there_is_a_verdict():
    """A round of two takes 0.02 s: in 0.1 s there are too few to tell 1.5 from 1."""
    clock = FakeClock(noise=0.05)
    contestants = [clock.contestant(0.008), clock.contestant(0.012)]
    result = race(contestants, clock=clock, seconds=0.1)
    assert result.told_apart("work", "work 2")
    assert 0.1 < clock.now - sum(result.first_seconds) <= 0.8 + 0.1


def test_a_race_without_a_verdict_comes_to_an_end():
    clock = FakeClock(noise=0.5)
    result = race([clock.contestant(0.01)] * 2, clock=clock, seconds=0.2)
    assert not result.told_apart("work", "work 2")
    assert clock.now - sum(result.first_seconds) <= 8 * 0.2 + 0.1


def test_a_race_that_has_its_verdict_takes_no_longer():
    clock = FakeClock(noise=0.05)
    race([clock.contestant(1e-3), clock.contestant(9e-3)], clock=clock, seconds=0.5)
    assert clock.now <= 0.6


@pytest.mark.parametrize("seed", range(10))
def test_work_at_two_speeds_has_both_in_its_interval(seed):
    clock = FakeClock(noise=0.02, seed=seed)
    named = {"steady": clock.contestant(0.01), "fickle": clock.contestant([0.02, 0.4])}
    result = race(named, clock=clock, seconds=60)
    low, high = result.interval("fickle", "steady")
    assert low < 2.1
    assert high > 38
    assert "fickle runs at two speeds, 20" in " ".join(result.notes)


@pytest.mark.parametrize("seed", range(10))
def test_noise_is_no_second_speed(seed):
    clock = FakeClock(noise=0.3, seed=seed)
    assert race([clock.contestant(1e-4)] * 2, clock=clock).notes == ()


def test_results_that_differ_in_dtype_alone_are_told():
    named = {"single": cube, "double": lambda x: cube(x).astype(np.float64)}
    result = race(named, X, **QUICK)
    said = "the results differ in dtype: single float32 and double float64"
    assert result.notes == (said,)
    assert said in str(result)
    assert said in result._repr_html_()
    assert race([cube, cube], X, **QUICK).notes == ()
    assert race([lambda: 1.0, lambda: np.float32(1)], **QUICK).notes != ()


def test_a_program_that_was_compiled_before_is_told():
    before, new = jax.jit(lambda x: x * x * x), jax.jit(lambda x: x * (x * x))
    before(X)
    result = race({"before": before, "new": new, "numpy": cube}, X, **QUICK)
    said = "the first call of before compiled nothing: its program ran before the race"
    assert result.notes == (said,)
    again = race([before, new], X, **QUICK)
    assert "calls of <lambda> and <lambda> 2 compiled nothing" in again.notes[0]


def test_numpy_and_jax_race_each_other():
    result = race({"numpy": cube, "jit": jax.jit(cube)}, X, **QUICK)
    assert isinstance(result, Race)
    assert set(result.ranking) == {"numpy", "jit"}


def test_pytorch_races_numpy():
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(X.copy())

    def in_place(x):
        return x.mul_(x * x)

    race(
        {"PyTorch": cube, "in place": in_place, "NumPy": lambda _: cube(X)}, x, **QUICK
    )
    np.testing.assert_array_equal(x.numpy(), X)
    with pytest.raises(ValueError, match=r"result\[1\] is"):
        race({"PyTorch": cube, "NumPy": lambda _: X}, x)


def test_numba_races_numpy():
    numba = pytest.importorskip("numba")
    result = race({"NumPy": cube, "Numba": numba.njit(cube)}, X, **QUICK)
    assert result.names == ("NumPy", "Numba")


def test_pytrees_come_and_go():
    def step(params, x):
        return {"w": params["w"] + x, "n": (params["n"],)}

    params = {"w": jnp.ones(8, X.dtype), "n": 2}
    assert race([step, jax.jit(step)], params, X, **QUICK).checked


def test_typed_keys_may_be_raced_under_the_key_reuse_checker():
    def draw(key):
        return jax.random.normal(key, (3,))

    with jax.debug_key_reuse(True):
        race([jax.jit(draw), jax.jit(draw)], jax.random.key(0), **QUICK)


def test_a_contestant_may_donate_its_argument():
    x = jnp.asarray(X)
    donating = jax.jit(cube, donate_argnums=0)
    race({"donating": donating, "plain": cube}, x, **QUICK)
    assert not x.is_deleted()


def test_a_contestant_may_change_its_argument():
    def in_place(x):
        x *= x * x
        return x

    x = X.copy()
    race({"in place": in_place, "plain": cube}, x, **QUICK)
    np.testing.assert_array_equal(x, X)


def test_different_results_are_refused():
    def wrong(x):
        return {"cube": cube(x) + 0.25 * (np.arange(8) == 5)}

    message = r"'right' and 'wrong' do not .*result\['cube'\]\[5\] is 0\.07.* 0\.3"
    with pytest.raises(ValueError, match=message):
        race({"right": lambda x: {"cube": cube(x)}, "wrong": wrong}, X)


def test_check_and_tolerance_waive_the_refusal():
    near = {"exact": cube, "near": lambda x: cube(x) * np.float32(1.01)}
    assert not race(near, X, check=False, **QUICK).checked
    assert race(near, X, tolerance=0.02, **QUICK).checked
    with pytest.raises(ValueError, match="do not compute the same"):
        race(near, X)


@pytest.mark.parametrize("nothing", [None, (), {"loss": None}])
def test_a_result_of_nothing_is_refused(nothing):
    with pytest.raises(ValueError, match=r"'f' returned .*: nothing to wait for"):
        race({"f": lambda: nothing})


@pytest.mark.parametrize(
    ("contestants", "args", "message"),
    [
        ({}, (), "at least one contestant"),
        ([], (), "at least one contestant"),
        ({"f": 3}, (), "contestant 'f' is not callable: 3"),
        ({1: cube}, (X,), "name is a string, not 1"),
        (3, (), "a dict or a sequence of callables, not int"),
        ("cube", (), "a dict or a sequence of callables, not str"),
        (cube, (cube, X), r"together: race\(\[f, g\], x\)"),
        ([cube], (), r"contestant cube\(x\) .* race\(contestants\): missing"),
        ([cube], (X, X), r"race\(contestants, ..., ...\): too many"),
    ],
)
def test_a_wrong_call_gets_one_sentence(contestants, args, message):
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        race(contestants, *args)
    assert "\n" not in str(caught.value)
    assert len(traceback.extract_tb(caught.tb)) == 2  # this line, and race


def test_names_are_made_unique():
    partial = functools.partial(cube)
    result = race([cube, cube, partial, jax.jit(cube), np.positive], X[:1], **QUICK)
    assert result.names == ("cube", "cube 2", "cube 3", "cube 4", "positive")


def test_one_callable_may_run_alone():
    assert race(cube, X, **QUICK).names == ("cube",)


def fails(x):
    return np.linalg.inv(x.reshape(2, 4))


def fails_later(calls=[]):  # noqa: B006
    calls.append(1)
    if len(calls) > 1:
        raise RuntimeError("no more")
    return 1.0


@pytest.mark.parametrize(
    ("function", "args", "error"),
    [
        (fails, (X,), np.linalg.LinAlgError),
        (jax.jit(lambda x: jnp.reshape(x, 3)), (X,), TypeError),
        (fails_later, (), RuntimeError),
    ],
)
def test_an_error_is_theirs_with_name_and_line(function, args, error):
    with pytest.raises(error) as caught:
        race({"mine": function}, *args)
    (note,) = [n for n in caught.value.__notes__ if "contestant" in n]
    code = inspect.unwrap(function).__code__
    start = code.co_firstlineno
    lines = [f"{code.co_filename}, line {start + i}" for i in range(5)]
    assert note.startswith("raised by contestant 'mine' of the race, ")
    assert any(note.endswith(line) for line in lines)
    frames = traceback.extract_tb(caught.tb)
    assert sum("lens" in frame.filename for frame in frames[1:]) <= 2
