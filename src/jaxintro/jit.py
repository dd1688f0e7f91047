"""Compilation: trace once, run many times.

`jax.jit` runs your Python once, with stand-ins for the numbers, and keeps the program
that it saw. The rest follows: why it is fast, why an `if` is refused, why some calls
are suddenly slow. After this lesson you can count what is compiled and when, cure
each refusal, and time a function honestly. Read first: numpy_parity, pure_functions.
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
    """`jax.jit` calls your function with a tracer: a dtype and a shape, but no number.

    What is done to the tracer is written down and compiled. Later calls run that
    program, and Python is not asked again.

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
    values, seen = python_runs_once(6).values()
    assert seen == ["float32[]"]
    np.testing.assert_array_equal(values, np.arange(6) / 2)


def shifted_squares(x):
    """The sum of (x + 2)² − 4 over all numbers of an array."""
    return jnp.sum((x + 2) ** 2 - 4)


def the_program_that_is_kept(n=1_000_000):
    """What tracing writes down is a jaxpr: for each operation one equation, with types.

    A decorator or a call, `jax.jit(f)`: these are two ways to write one thing.
    """

    @jax.jit
    def decorated(x):
        return shifted_squares(x)

    x = jax.ShapeDtypeStruct((n,), jnp.float32)
    report = explain(jax.jit(shifted_squares), x)
    same = explain(decorated, x).jaxpr == report.jaxpr
    return {"jaxpr": report.jaxpr, "equations": report.equations, "decorated": same}


def check_four_equations_at_any_length():
    """Four operations are four equations, from n numbers to one, decorated or not."""
    for n in (10, 1_000_000):
        jaxpr, equations, same = the_program_that_is_kept(n).values()
        names = ["add", "integer_pow", "sub", "reduce_sum"]
        assert equations == dict.fromkeys(names, 1)
        assert all(typed in jaxpr for typed in (f"a:f32[{n}]", "e:f32[] = reduce"))
        assert same is True


def selu(x):
    """The activation SELU: 1.05 x right of zero, 1.05 · 1.67 (exp x − 1) left of it."""
    return 1.05 * jnp.where(x > 0, x, 1.67 * jnp.exp(x) - 1.67)


def standardise_rows(x):
    """Each row of x with its mean taken away, over its deviation. [n, m] -> [n, m]."""
    return (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)


def many_kernels_become_few(n=1000, seconds=0.04):
    """Without `jit` each operation is a kernel: it reads arrays and writes one back.

    XLA, the compiler behind `jit`, fuses neighbours into one kernel, so that less goes
    through memory. That is where the speed comes from. The ratios are this machine's.

    Predict: SELU is >, exp, ×, −, where, ×. How many of the six kernels are left?
    """
    x = jnp.linspace(-3, 3, n * n, dtype=jnp.float32).reshape(n, n)
    found = {}
    for function in (selu, standardise_rows, shifted_squares):
        name, report = function.__name__, explain(function, x)
        found[name] = f"{report.eager_kernels} kernels become {report.kernels}"
        rivals = {"op by op": function, "compiled": jax.jit(function)}
        found[f"{name}, race"] = race(rivals, x, seconds=seconds)
    return found


def check_six_kernels_become_one():
    """SELU's six kernels become one; rows and sums need fewer compiled than not."""
    found = many_kernels_become_few(seconds=0)
    assert found["selu"] == "6 kernels become 1"
    for name in ("standardise_rows", "shifted_squares"):
        before, after = map(int, re.findall(r"\d+", found[name]))
        assert 1 <= after < before  # Blunt: how many are left is the device's affair


def first_call_pays(x=0.5, seconds=0.06):
    """The first call traces and compiles; later ones reuse that. Warm up, then time.

    Compiling costs once, each call saves: the quotient is how many calls it takes to
    pay. Something tiny that is called once is better left alone.

    Myth: "jit made it slower, I timed it". One call times the compiler.
    """
    x, counted = jnp.float32(x), traces(selu)
    compiled = jax.jit(counted)
    timed = race({"op by op": selu, "compiled": compiled}, x, seconds=seconds)
    slow, fast = timed.seconds
    costs, saves = timed.first_seconds[1] - fast, slow - fast
    figures = {"compiling costs, ms": 1e3 * costs, "a call saves, ms": 1e3 * saves}
    figures["calls to break even"] = costs / saves if saves > 0 else math.inf
    return {"race": timed, "traces": counted.count, "value": compiled(x), **figures}


def check_one_trace_for_all_calls():
    """All calls of the race needed one trace, and compiled SELU is SELU."""
    for x in (-1.5, 0.5):
        result = first_call_pays(x, seconds=0)
        assert result["traces"] == 1
        wanted = 1.05 * x if x > 0 else 1.05 * 1.67 * math.expm1(x)
        np.testing.assert_allclose(result["value"], wanted, rtol=1e-5)


def check_break_even_is_cost_over_saving():
    """The calls needed are the cost of compiling over what one call saves."""
    *_, costs, saves, calls = first_call_pays().values()
    np.testing.assert_allclose(calls, costs / saves if saves > 0 else math.inf)


def calls_return_early(n=512):
    """A call may return before its work is done: Python goes on, the device computes.

    A stopwatch must wait: `y.block_until_ready()`. Nothing but the time changes.

    Myth: "the call took 0.1 ms". That is how long it took to ask.
    """
    work = jax.jit(lambda x: x @ x @ x)
    x = jnp.full((n, n), 1 / n, dtype=jnp.float32)
    early = work(x)[0, 0]
    start = time.perf_counter()
    y = work(x)
    returned = time.perf_counter() - start
    y.block_until_ready()
    ready = time.perf_counter() - start
    stopwatch = f"returned after {1e3 * returned:.2f} ms, ready after {1e3 * ready:.2f}"
    return {"stopwatch": stopwatch, "not waited for": early, "waited for": y[0, 0]}


def check_waiting_changes_only_the_time():
    """Waited for or not, the value is n² terms of 1/n³; no call is ready early."""
    stopwatch, *values = calls_return_early(64).values()
    returned, ready = map(float, re.findall(r"[\d.]+", stopwatch))
    assert returned <= ready
    np.testing.assert_allclose(values, [1 / 64, 1 / 64], rtol=1e-6)


def what_traces_again():
    """A program fits one kind of argument: its shapes, dtypes and structure.

    Values are free. An argument may be any tree of dicts and lists. A Python number is
    a kind of its own, "weakly typed": it takes on its partner's dtype.

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
    """New shape, dtype, weak type or structure: a new trace; new values: none."""
    assert list(what_traces_again().values()) == [1, 1, 2, 3, 4, 5, 6, 6, 7]


def new_function_new_trace(turns=5):
    """Traces are kept for each function object. Some code makes a new one each time.

    A lambda in a loop does, and so does a bound method such as `model.predict`: they
    compile anew at every turn, silently. The cure is one `jax.jit`, outside the loop.
    """
    kinds = ("named", "lambda", "method", "jit outside")
    counted = {kind: traces(lambda x: x + 1) for kind in kinds}

    class Model:
        def predict(self, x):
            return counted["method"](x)

    model, compiled = Model(), jax.jit(lambda x: counted["jit outside"](x))
    for i in range(turns):
        x = jnp.float32(i)
        jax.jit(counted["named"])(x)
        jax.jit(lambda x: counted["lambda"](x))(x)
        jax.jit(model.predict)(x)
        compiled(x)
    return {kind: counted[kind].count for kind in kinds}


def check_lambda_and_method_retrace_each_turn():
    """In a loop, a named function traces once, a lambda or a method at each turn."""
    assert [*new_function_new_trace(2).values()] == [1, 2, 2, 1]


def if_needs_a_number(x=-3.0):
    """Python's `if` wants a yes or no now, and a tracer has no number: it refuses.

    A static argument shows Python its value, and each new value traces anew.
    `lax.cond` compiles both branches and chooses when it runs.
    """

    def wave(x):
        return jnp.sin(x) if x > 0 else jnp.cos(x)

    try:
        jax.jit(wave)(jnp.float32(x))
    except TypeError as error:
        found = {"refused": error}
    counted = traces(wave)
    static = jax.jit(counted, static_argnums=0)
    cond = jax.jit(lambda x: jax.lax.cond(x > 0, jnp.sin, jnp.cos, x))
    found["static"] = [static(value) for value in (x, x, -x)]
    found["traces"] = counted.count
    found["cond"] = [cond(jnp.float32(value)) for value in (x, x, -x)]
    equations = explain(cond, jnp.float32(x)).equations
    return {**found, "cond holds": [n for n in equations if n in ("cos", "sin")]}


def check_if_is_refused():
    """`if` on a tracer is a TracerBoolConversionError."""
    refused = if_needs_a_number()["refused"]
    assert type(refused).__name__ == "TracerBoolConversionError"
    assert "boolean conversion" in str(refused)


def check_both_cures_take_the_branch():
    """Each static value is a trace; `cond` holds both branches, and takes one."""
    for x in (-3.0, 2.0):
        _, static, count, cond, holds = if_needs_a_number(x).values()
        wanted = [math.sin(v) if v > 0 else math.cos(v) for v in (x, x, -x)]
        np.testing.assert_allclose([static, cond], [wanted, wanted], rtol=1e-5)
        assert (count, sorted(holds)) == (2, ["cos", "sin"])


def shapes_come_before_values(x=(-1.0, 2.0, -3.0, 4.0, 5.0)):
    """How long is x[x > 0]? That hangs on the values, and a program has fixed shapes.

    Mask what does not count, or pad to a fixed length. A length that is an argument
    must be static. Static values are looked up as in a dict, so no list: a tuple.
    """
    x, block = jnp.array(x, jnp.float32), jax.jit(jnp.ones, static_argnums=0)
    found = {}
    for name, function, argument in (
        ("mask", jax.jit(lambda x: x[x > 0]), x),
        ("length", jax.jit(lambda n: jnp.ones(n)), len(x)),
        ("static list", block, [len(x)]),
    ):
        try:
            function(argument)
        except (IndexError, TypeError, ValueError) as error:
            found[name] = error
    found["masked sum"] = jax.jit(lambda x: jnp.sum(x, where=x > 0))(x)
    places = jax.jit(lambda x: jnp.nonzero(x > 0, size=len(x), fill_value=-1)[0])
    return {**found, "padded places": places(x), "static tuple": block((len(x),))}


def check_three_refusals():
    """A mask, a traced length and a static list are refused, each in its own words."""
    mask, length, unhashable, *_ = shapes_come_before_values().values()
    assert type(mask).__name__ == "NonConcreteBooleanIndexError"
    assert "boolean indices must be concrete" in str(mask)
    assert [type(length), type(unhashable)] == [TypeError, ValueError]
    assert "Shapes must be" in str(length)
    assert "Non-hashable static" in str(unhashable)


def check_mask_pad_and_tuple_cure():
    """The masked sum adds the positive numbers; their places are padded with −1."""
    *_, total, places, ones = shapes_come_before_values((1.5, -2.0, 3.0)).values()
    np.testing.assert_allclose(total, 4.5, rtol=1e-6)
    assert [places.tolist(), ones.tolist()] == [[0, 2, -1], [1, 1, 1]]


def padding_bounds_compilation(lengths=(3, 5, 6, 7, 9, 12)):
    """Each new length is a new program. Padded to a power of two, each power is.

    Zeros do not change the sum. Pad with NumPy: `jnp.pad` compiles for each length too.
    """
    plain, padded = (traces(lambda x: jnp.sum(x**2)) for _ in range(2))
    as_is, in_sizes, sums = jax.jit(plain), jax.jit(padded), []
    for n in lengths:
        x = np.arange(n, dtype=np.float32)
        whole = np.pad(x, (0, 2 ** math.ceil(math.log2(n)) - n))
        sums += [as_is(x), in_sizes(whole)]
    return {"as is": plain.count, "padded": padded.count, "sums": sums}


def check_few_sizes_few_programs():
    """One program a length, or one a power of two; the sums are the same."""
    lengths = (2, 3, 4, 7)
    as_is, padded, sums = padding_bounds_compilation(lengths).values()
    assert (as_is, padded) == (4, 3)  # 2, 3, 4 and 7 themselves; 2, 4 and 8
    assert sums == [sum(i * i for i in range(n)) for n in lengths for _ in "ab"]


def python_loops_unroll(turns=10):
    """Tracing walks through a Python loop and writes down every turn.

    Compile time grows with it. `fori_loop`, `scan`, `while_loop` write the body once.
    """

    def python(x):
        for _ in range(turns):
            x = jnp.sin(x)
        return x

    x, once = jnp.float32(0.01), lambda i, x: jnp.sin(x)
    loops = jax.jit(python), jax.jit(lambda x: jax.lax.fori_loop(0, turns, once, x))
    python_loop, fori_loop = (explain(loop, x).equations for loop in loops)
    values = [loop(x) for loop in loops]
    return {"Python": python_loop, "fori_loop": fori_loop, "values": values}


def check_loop_is_written_out_or_once():
    """Python's loop gives an equation a turn, `fori_loop` one sin and its own i + 1."""
    for turns in (3, 10):
        unrolled, rolled, values = python_loops_unroll(turns).values()
        assert unrolled == {"sin": turns}
        assert rolled == {"scan": 1, "add (in a loop)": 1, "sin (in a loop)": 1}
        wanted = 0.01 - turns * 0.01**3 / 6  # sin x is x - x³/6, to 1e-10 here
        np.testing.assert_allclose(values, [wanted, wanted], rtol=1e-6)


def useless_work_is_dropped():
    """Tracing writes down all that Python does, needed or not. Compiling does not.

    What nothing needs is left out when the program is handed to XLA, and what is
    computed twice, XLA computes once.
    """

    def wasteful(x):
        jnp.exp(x)
        return jnp.sin(x) + jnp.sin(x)

    report = explain(wasteful, jax.ShapeDtypeStruct((4,), jnp.float32))
    texts = report.stablehlo, report.compiled
    handed, compiled = (re.findall(r"(exponential|sine)(?: %|\()", t) for t in texts)
    return {"traced": report.equations, "handed to XLA": handed, "compiled": compiled}


def check_exp_goes_first_then_one_sin():
    """Traced: exp and two sin; handed to XLA: two sin; compiled: one sin."""
    traced, handed, compiled = useless_work_is_dropped().values()
    assert traced == {"exp": 1, "sin": 2, "add": 1}
    assert [handed, compiled] == [["sine", "sine"], ["sine"]]


def compile_the_whole_step(arrays=10, seconds=0.06):
    """If the gradient alone is compiled, Python launches two kernels more an array.

    Compile the widest region, here the whole training step. Its old arrays are not
    needed again: donate them, and XLA may write the new ones into their memory. Then
    the old are gone, so go on with the result.
    """

    def step(params):
        return [w - 0.1 * dw for w, dw in zip(params, slope(params), strict=True)]

    slope = jax.jit(jax.grad(lambda params: sum(jnp.sum(w**2) for w in params) / 2))
    whole = jax.jit(step, donate_argnums=0)
    params = [jnp.full(3, i + 1, dtype=jnp.float32) for i in range(arrays)]
    before, after = (len(jax.make_jaxpr(f)(params).eqns) for f in (step, whole))
    timed = race({"in parts": step, "whole": whole}, params, seconds=seconds)
    new = [w[0] for w in whole(params)]
    try:
        np.asarray(params[0])
    except RuntimeError as error:
        old = error
    launches = f"{before} become {after}"
    return {"launches": launches, "race": timed, "new": new, "old": old}


def check_step_is_launched_at_once():
    """Two launches an array and one for the gradient become one; w becomes 0.9 w."""
    for arrays in (2, 10):
        launches, _, new, _ = compile_the_whole_step(arrays, seconds=0).values()
        assert launches == f"{1 + 2 * arrays} become 1"
        np.testing.assert_allclose(new, 0.9 * np.arange(1, arrays + 1), rtol=1e-6)


def check_donated_array_is_deleted():
    """Reading an array that was donated is a RuntimeError: it has been deleted."""
    old = compile_the_whole_step(seconds=0)["old"]
    assert isinstance(old, RuntimeError)
    assert "deleted" in str(old)


def last_digits_may_change(x=0.7):
    """In float32, 1 + 10⁻⁹ is 1, so (x (1 + 10⁻⁹))² − x² is 0, op by op.

    XLA may make one fused multiply-add of product and difference, which does not round
    the product. What is left then is the rounding error of x².

    Myth: compiled code gives the same bits. It gives the same up to rounding.
    """

    def change(x, s):
        return (x * (1 + s)) ** 2 - x**2

    x, s = jnp.float32(x), jnp.float32(1e-9)
    return {"op by op": change(x, s), "compiled": jax.jit(change)(x, s)}


def check_difference_is_one_rounding():
    """Op by op it is 0; compiled it is 0 or, exactly, x² less x² rounded to float32."""
    for x in (0.3, 0.7, 0.9):
        result = last_digits_may_change(x)
        square = float(np.float32(x)) ** 2
        assert result["op by op"] == 0
        assert result["compiled"] in (0, square - float(np.float32(square)))
