"""Compilation: trace once, run many times.

`jax.jit` runs your Python once, with stand-ins for the numbers, and keeps the program
that it saw. Everything else follows from that: why it is fast, why `print` goes quiet,
why an `if` is refused, why some calls are suddenly slow. After this lesson you can
count what is compiled and when, cure each refusal, and time a function honestly.
Read first: numpy_parity and pure_functions.
"""

import math
import re
import time

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import explain, race, traces

ORDER = 60  # lessons stand in steps of ten; there is no other registry


def python_runs_once(calls=3):
    """`jax.jit` calls your function with a tracer: a stand-in for the argument that has
    a dtype and a shape, but no number. What is done to the tracer is written down and
    compiled. Later calls run that program. Python is not asked again.

    Predict: three calls, three numbers. How often does `seen.append` run?
    """
    seen = []

    @jax.jit
    def half(x):
        seen.append(f"{x.dtype}{list(x.shape)}")
        return x / 2

    values = [half(jnp.float32(i)) for i in range(calls)]
    return {"values": values, "what Python saw": seen}


def check_python_sees_one_tracer():
    """However many calls, Python runs once, and sees a dtype and a shape, no number."""
    for calls in (1, 3, 6):
        result = python_runs_once(calls)
        assert result["what Python saw"] == ["float32[]"]
        np.testing.assert_array_equal(result["values"], np.arange(calls) / 2)


def shifted_squares(x):
    """The sum of (x + 2)² − 4 over all numbers of an array."""
    return jnp.sum((x + 2) ** 2 - 4)


def the_program_that_is_kept(n=1_000_000):
    """What tracing writes down is called a jaxpr: one equation for each operation, with
    the dtype and shape of every value. Here it is for sum((x + 2)² − 4). Written as a
    call, `jax.jit(f)`, or as `@jax.jit` above a definition: it is the same program.

    Predict: how many equations? And how many for twice as long an array?
    """

    @jax.jit
    def decorated(x):
        return shifted_squares(x)

    x = jax.ShapeDtypeStruct((n,), jnp.float32)
    report = explain(jax.jit(shifted_squares), x)
    return {
        "jaxpr": report.jaxpr,
        "equations": report.equations,
        "same if decorated": explain(decorated, x).jaxpr == report.jaxpr,
    }


def check_four_equations_at_any_length():
    """Four operations are four equations, for ten numbers as for a million."""
    for n in (10, 1_000_000):
        result = the_program_that_is_kept(n)
        names = ["add", "integer_pow", "sub", "reduce_sum"]
        assert result["equations"] == dict.fromkeys(names, 1)
        assert re.search(rf"a:f32\[{n}\][^=]+= add a", result["jaxpr"])
        assert "e:f32[] = reduce_sum" in result["jaxpr"]


def check_decorator_is_a_call():
    """A decorated function and a call of `jax.jit` give the same program."""
    assert the_program_that_is_kept()["same if decorated"] is True


def selu(x):
    """The activation SELU: 1.05 x right of zero, 1.05 · 1.67 (eˣ − 1) left of it."""
    return 1.05 * jnp.where(x > 0, x, 1.67 * jnp.exp(x) - 1.67)


def standardise_rows(x):
    """Each row of x with its mean taken away, over its deviation. [n, m] -> [n, m]."""
    return (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)


def many_kernels_become_few(n=1000, seconds=0.06):
    """Without `jit`, each operation is a kernel: a small program that reads arrays from
    memory and writes one back. XLA, the compiler behind `jit`, fuses neighbours into
    one. That is where the speed comes from. The ratios are this machine's.

    Predict: SELU is >, exp, ×, −, where, ×. How many kernels are left of the six?
    """
    x = jnp.linspace(-3, 3, n * n, dtype=jnp.float32).reshape(n, n)
    found = {}
    for function in (selu, standardise_rows, shifted_squares):
        name, report = function.__name__, explain(function, x)
        found[name] = f"{report.eager_kernels} kernels become {report.kernels}"
        rivals = {"op by op": function, "compiled": jax.jit(function)}
        found[f"{name} race"] = race(rivals, x, seconds=seconds)
    return found


def check_selu_is_one_kernel():
    """SELU is six kernels op by op, and one when compiled."""
    assert many_kernels_become_few(seconds=0)["selu"] == "6 kernels become 1"


def check_reductions_are_fused_too():
    """Standardised rows and summed squares need fewer kernels compiled than not."""
    found = many_kernels_become_few(seconds=0)
    for name in ("standardise_rows", "shifted_squares"):
        before, after = map(int, re.findall(r"\d+", found[name]))
        assert 1 <= after < before  # Blunt: how many are left is the device's affair


def first_call_pays(x=0.5, seconds=0.06):
    """The first call traces and compiles; later ones reuse the program. So warm up
    before you time. And divide: what compiling costs over what a call then saves is
    how often you must call before it pays. Something tiny, called once, never does.

    Myth: "jit made it slower, I timed it". One call times the compiler.
    """
    x, counted = jnp.float32(x), traces(selu)
    compiled = jax.jit(counted)
    timed = race({"op by op": selu, "compiled": compiled}, x, seconds=seconds)
    slow, fast = timed.seconds
    costs, saves = timed.first_seconds[1] - fast, slow - fast
    return {
        "race": timed,
        "traces in the race": counted.count,
        "value": compiled(x),
        "compiling costs, ms": 1e3 * costs,
        "a call saves, ms": 1e3 * saves,
        "calls to break even": costs / saves if saves > 0 else math.inf,
    }


def check_one_trace_for_all_calls():
    """Hundreds of calls need one trace, and compiled SELU is SELU."""
    for x in (-1.5, 0.5):
        result = first_call_pays(x, seconds=0)
        assert result["race"].calls[1] > 1 and result["traces in the race"] == 1
        wanted = 1.05 * x if x > 0 else 1.05 * 1.67 * math.expm1(x)
        np.testing.assert_allclose(result["value"], wanted, rtol=1e-5)


def check_break_even_is_cost_over_saving():
    """The calls needed are the cost of compiling over what one call saves."""
    *_, costs, saves, calls = first_call_pays().values()
    np.testing.assert_allclose(calls, costs / saves if saves > 0 else math.inf)


def calls_return_early(n=512):
    """A call may return before its work is done: JAX hands the work to the device, and
    Python goes on. A stopwatch must wait: `y.block_until_ready()`. The wait changes
    nothing but the time.

    Myth: "the call took 0.1 ms". It took that long to ask.
    """
    work = jax.jit(lambda x: x @ x @ x)
    x = jnp.full((n, n), 1 / n, dtype=jnp.float32)
    work(x).block_until_ready()
    start = time.perf_counter()
    y = work(x)
    returned = time.perf_counter() - start
    value = y.block_until_ready()[0, 0]
    ready = time.perf_counter() - start
    stopwatch = f"returned after {returned:.6f} s, ready after {ready:.6f} s"
    return {"stopwatch": stopwatch, "value": value, "value, not waited for": y[0, 0]}


def check_waiting_changes_only_the_time():
    """Waited for or not, the value is 1/n: n² terms of (1/n)³; ready is never first."""
    for n in (64, 512):
        stopwatch, *values = calls_return_early(n).values()
        returned, ready = map(float, re.findall(r"[\d.]+", stopwatch))
        assert returned <= ready
        np.testing.assert_allclose(values, [1 / n, 1 / n], rtol=1e-6)


def what_traces_again():
    """The program fits one kind of argument: its shapes, dtypes and structure. Values
    are free. An argument may be any tree of dicts and lists. A Python number is a
    kind of its own, "weakly typed": it takes on its partner's dtype.

    Predict: read down the calls. At which does the number of traces rise?
    """
    counted = traces(lambda tree: jax.tree.map(lambda leaf: 2 * leaf, tree))
    compiled, x, so_far = jax.jit(counted), jnp.zeros(3, dtype=float), {}
    for name, argument in {
        "an array": x,
        "other values": x + 1,
        "other shape": jnp.zeros(4, dtype=float),
        "other dtype": jnp.zeros(4, dtype=int),
        "scalar array": jnp.array(1.0, dtype=float),
        "Python number": 1.0,
        "dict": {"w": x},
        "dict, other values": {"w": x + 1},
        "dict, other key": {"v": x},
    }.items():
        compiled(argument)
        so_far[name] = counted.count
    return so_far


def check_kind_decides_not_value():
    """New shape, dtype, weak type or structure: a new trace. New values: none."""
    assert list(what_traces_again().values()) == [1, 1, 2, 3, 4, 5, 6, 6, 7]


def new_function_new_trace(turns=5):
    """Traces are kept for each function object. A lambda written in a loop is a new one
    every time, and so is a bound method such as `model.predict`: all compile anew,
    silently. The cure is one `jax.jit`, outside the loop.
    """
    named, inner, method, once = (traces(lambda x: x + 1) for _ in range(4))

    class Model:
        def predict(self, x):
            return method(x)

    model, compiled = Model(), jax.jit(lambda x: once(x))
    for i in range(turns):
        x = jnp.float32(i)
        jax.jit(named)(x)
        jax.jit(lambda x: inner(x))(x)
        jax.jit(model.predict)(x)
        compiled(x)
    counts = [counted.count for counted in (named, inner, method, once)]
    return dict(zip(["named", "lambda", "method", "jit outside"], counts, strict=True))


def check_lambda_and_method_retrace_each_turn():
    """In a loop, a named function traces once, a lambda or a method at each turn."""
    for turns in (2, 5):
        wanted = {"named": 1, "lambda": turns, "method": turns, "jit outside": 1}
        assert new_function_new_trace(turns) == wanted


def if_needs_a_number(x=-3.0):
    """Python's `if` wants a yes or no now. A tracer has no number, so it refuses. Either
    make the argument static: Python gets its value, and each new one is compiled
    anew. Or say `lax.cond`, which compiles both branches and chooses when run.
    """

    def wave(x):
        return jnp.sin(x) if x > 0 else jnp.cos(x)

    try:
        jax.jit(wave)(jnp.float32(x))
    except TypeError as error:
        refused = error
    static = jax.jit(wave, static_argnums=0)
    cond = jax.jit(lambda x: jax.lax.cond(x > 0, jnp.sin, jnp.cos, x))
    both = explain(cond, jnp.float32(x)).equations
    return {
        "refused": refused,
        "static": static(x),
        "cond": cond(jnp.float32(x)),
        "equations, static": explain(wave, x, static_argnums=0).equations,
        "equations, cond": {name: both[name] for name in ("sin", "cos")},
    }


def check_if_is_refused_and_cured():
    """`if` on a tracer is a TracerBoolConversionError; both cures take the branch."""
    for x in (-3.0, 2.0):
        result = if_needs_a_number(x)
        assert type(result["refused"]).__name__ == "TracerBoolConversionError"
        assert "boolean conversion" in str(result["refused"])
        wanted = math.sin(x) if x > 0 else math.cos(x)
        np.testing.assert_allclose(result["static"], wanted, rtol=1e-5)
        np.testing.assert_allclose(result["cond"], wanted, rtol=1e-5)


def check_cond_holds_both_branches():
    """A static argument leaves one branch in the program, `cond` keeps both."""
    for x, branch in ((-3.0, "cos"), (2.0, "sin")):
        result = if_needs_a_number(x)
        assert result["equations, static"] == {branch: 1}
        assert result["equations, cond"] == {"sin": 1, "cos": 1}


def masks_have_no_shape(x=(-1.0, 2.0, -3.0, 4.0, 5.0)):
    """How long is x[x > 0]? That hangs on the values, and a program needs its shapes
    beforehand. Keep the length: mask what does not count, or pad to a fixed size.
    """
    x = jnp.array(x, dtype=jnp.float32)
    try:
        jax.jit(lambda x: x[x > 0])(x)
    except IndexError as error:
        refused = error
    masked = jax.jit(lambda x: jnp.sum(x, where=x > 0))
    padded = jax.jit(lambda x: jnp.nonzero(x > 0, size=x.size, fill_value=-1)[0])
    return {"refused": refused, "masked sum": masked(x), "padded places": padded(x)}


def check_mask_is_refused_and_cured():
    """A boolean mask is a NonConcreteBooleanIndexError; a masked sum is not, nor is a
    list of places padded with −1.
    """
    for x in ((-1.0, 2.0, -3.0, 4.0, 5.0), (1.5, -2.0)):
        refused, total, places = masks_have_no_shape(x).values()
        assert type(refused).__name__ == "NonConcreteBooleanIndexError"
        assert "boolean indices must be concrete" in str(refused)
        np.testing.assert_allclose(total, sum(v for v in x if v > 0), rtol=1e-6)
        wanted = [i for i, v in enumerate(x) if v > 0]
        wanted += [-1] * (len(x) - len(wanted))
        np.testing.assert_array_equal(places, wanted)


def sizes_must_be_static(rows=2):
    """A shape computed from an argument needs that argument's value: mark it static.
    Static values are looked up like the keys of a dict, so they must be hashable: a
    tuple, not a list. Each new one compiles anew.
    """
    counted = traces(lambda shape: jnp.full(shape, 0.5, dtype=jnp.float32))
    compiled = jax.jit(counted, static_argnums=0)
    blocks = [compiled(shape) for shape in ((rows, 3), (rows, 3), (rows, 4))]
    found = {"last block": blocks[-1], "traces": counted.count}
    try:
        jax.jit(counted)((rows, 3))
    except TypeError as error:
        found["refused as a tracer"] = error
    try:
        compiled([rows, 3])
    except ValueError as error:
        found["refused as a list"] = error
    return found


def check_static_sizes_compile_once_each():
    """Two of three static shapes differ: two traces. Tracers and lists are refused."""
    for rows in (2, 5):
        block, count, tracer, unhashable = sizes_must_be_static(rows).values()
        assert count == 2
        np.testing.assert_array_equal(block, np.full((rows, 4), 0.5))
        assert isinstance(tracer, TypeError) and "Shapes must be" in str(tracer)
        assert isinstance(unhashable, ValueError)
        assert "Non-hashable static" in str(unhashable)


def padding_bounds_compilation(lengths=(3, 5, 6, 7, 9, 12)):
    """Data of many lengths compiles once for each length. Padded with zeros to the next
    power of two, it compiles once for each power. Zeros do not change a sum of
    squares. Pad with NumPy: `jnp.pad` would itself compile for each length.

    Predict: six lengths from 3 to 12. How many programs are left?
    """
    plain, padded = (traces(lambda x: jnp.sum(x**2)) for _ in range(2))
    as_is, in_sizes = jax.jit(plain), jax.jit(padded)
    sums = []
    for n in lengths:
        x = np.arange(n, dtype=np.float32)
        whole = np.pad(x, (0, 2 ** math.ceil(math.log2(n)) - n))
        sums.append((as_is(x), in_sizes(whole)))
    return {"as is": plain.count, "padded": padded.count, "sums": sums}


def check_few_sizes_few_programs():
    """Lengths 3 to 12 need a program each, or one for 4, 8 and 16; the sums agree."""
    for lengths in ((3, 5, 6, 7, 9, 12), (2, 3, 4)):
        as_is, padded, sums = padding_bounds_compilation(lengths).values()
        assert as_is == len(lengths)
        assert padded == len({(n - 1).bit_length() for n in lengths})
        for pair, n in zip(sums, lengths, strict=True):
            assert list(pair) == [(n - 1) * n * (2 * n - 1) / 6] * 2


def python_loops_unroll(turns=10):
    """Tracing walks through a Python loop turn by turn and writes down each. The program
    grows with the loop, and so does the time to compile it. `lax.fori_loop` writes
    the body once; so do `scan` and `while_loop`.
    """

    def python(x):
        for _ in range(turns):
            x = jnp.sin(x)
        return x

    def fori(x):
        return jax.lax.fori_loop(0, turns, lambda i, x: jnp.sin(x), x)

    x = jnp.float32(1)
    return {
        "Python": explain(python, x).equations,
        "fori_loop": explain(fori, x).equations,
        "values": [jax.jit(python)(x), jax.jit(fori)(x)],
    }


def check_loop_is_written_out_or_once():
    """n turns of Python are n equations; of `fori_loop`, one that is used n times."""
    for turns in (3, 10):
        unrolled, rolled, values = python_loops_unroll(turns).values()
        assert unrolled == {"sin": turns}
        assert rolled["sin (in a loop)"] == 1 and sum(rolled.values()) == 3
        wanted = 1.0
        for _ in range(turns):
            wanted = math.sin(wanted)
        np.testing.assert_allclose(values, [wanted, wanted], rtol=1e-5)


def useless_work_is_dropped():
    """Tracing writes down all that Python does, needed or not. What nothing needs is
    left out when the program is handed to XLA, and XLA sees what is done twice.

    Predict: an unused exp, sin twice. What is left of them when compiled?
    """

    def wasteful(x):
        jnp.exp(x)
        return jnp.sin(x) + jnp.sin(x)

    report = explain(wasteful, jax.ShapeDtypeStruct((4,), jnp.float32))
    stages = {"handed to XLA": report.stablehlo, "compiled": report.compiled}
    found = {"traced": report.equations}
    for stage, text in stages.items():
        words = ["exponential", "sine"]
        found[stage] = {word: len(re.findall(rf"\b{word}\b", text)) for word in words}
    return found


def check_exp_goes_first_then_one_sin():
    """Traced: exp and two sin. Handed to XLA: two sin. Compiled: one sin."""
    traced, handed, compiled = useless_work_is_dropped().values()
    assert traced == {"exp": 1, "sin": 2, "add": 1}
    assert handed == {"exponential": 0, "sine": 2}
    assert compiled == {"exponential": 0, "sine": 1}


def compile_the_whole_step(arrays=10, seconds=0.06):
    """One step of training: a gradient, then an update of each array. If the gradient
    alone is compiled, Python still launches two kernels for each array. Compile the
    widest region that you can, here the whole step.
    """

    def loss(params):
        return sum(jnp.sum(w**2) for w in params) / 2

    def update(params, slopes):
        return [w - 0.1 * slope for w, slope in zip(params, slopes, strict=True)]

    slopes = jax.jit(jax.grad(loss))
    in_parts = lambda params: update(params, slopes(params))
    whole = jax.jit(in_parts)
    params = [jnp.full(3, i + 1, dtype=jnp.float32) for i in range(arrays)]
    launches = 1 + explain(update, params, params).eager_kernels
    return {
        "launches": f"{launches} become 1",
        "race": race({"in parts": in_parts, "whole": whole}, params, seconds=seconds),
        "params after": [w[0] for w in whole(params)],
    }


def check_step_is_launched_at_once():
    """Two launches for each array and one for the gradient become one; w becomes 0.9 w."""
    for arrays in (2, 10):
        launches, _, after = compile_the_whole_step(arrays, seconds=0).values()
        assert launches == f"{1 + 2 * arrays} become 1"
        np.testing.assert_allclose(after, 0.9 * np.arange(1, arrays + 1), rtol=1e-6)


def a_donated_array_is_gone(n=4):
    """With `donate_argnums` you give an argument's memory away, and XLA may write the
    result there. The old array is deleted: to read it is an error. Go on with the
    result, under the same name, and nothing is missed.
    """
    step = jax.jit(lambda x: x + 1, donate_argnums=0)
    x = donated = jnp.arange(n, dtype=jnp.float32)
    x = step(x)
    try:
        donated + 1
    except RuntimeError as error:
        refused = error
    return {"refused": refused, "deleted": donated.is_deleted(), "result": step(x)}


def check_donated_array_is_deleted():
    """The donated array is deleted and reading it a RuntimeError; the result is there."""
    for n in (2, 4):
        refused, deleted, result = a_donated_array_is_gone(n).values()
        assert isinstance(refused, RuntimeError) and "deleted" in str(refused)
        assert deleted is True
        np.testing.assert_array_equal(result, np.arange(n) + 2)


def last_digits_may_change(x=0.7):
    """In float32, 1 + 10⁻⁹ is 1, so (x (1 + 10⁻⁹))² − x² is 0, op by op. Compiled, a
    product and a difference may become one fused multiply-add, which does not round
    the product. Then the rounding error of x² is what is left.

    Myth: compiled code gives the same bits. It gives the same to rounding.
    """

    def change(x, s):
        return (x * (1 + s)) ** 2 - x**2

    x, s = jnp.float32(x), jnp.float32(1e-9)
    return {"op by op": change(x, s), "compiled": jax.jit(change)(x, s)}


def check_difference_is_one_rounding():
    """Op by op it is 0; compiled 0 or, exactly, x² less its float32 rounding."""
    for x in (0.3, 0.7, 0.9):
        result = last_digits_may_change(x)
        square = float(np.float32(x)) ** 2
        assert result["op by op"] == 0
        assert float(result["compiled"]) in (0, square - float(np.float32(square)))
