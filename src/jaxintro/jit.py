"""Compilation: trace once, run many times.

`jax.jit` makes one compiled program of a Python function. The program can be many
times faster. But the first call is slow, and some later calls are slow again, and
nothing tells you so. After this lesson you can read what is compiled, count when it
is compiled, time a function honestly, and decide what to compile and what not.
Read first: numpy_parity, pure_functions, grad.
"""

import io
import math
import time
from contextlib import redirect_stdout
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import explain, race, traces

ORDER = 90  # lessons stand in steps of ten; there is no other registry


def python_runs_once(x=3.0, y=5.0):
    """Under `jax.jit`, your Python code sees a tracer instead of a number.

    JAX cannot compile Python code itself. It calls your function with a *tracer*, an
    object that has a dtype and a shape but no number, and writes down each operation
    on it. This is called *tracing*. What was written down is compiled to machine code,
    and the machine code gets the numbers. (The sign `~` in what is printed says that x
    came from a Python number, and not from an array.)

    Predict: the function is called three times. How often does `print` run, and what
    does it print?
    """

    @jax.jit
    def half(x):
        print("Python sees", x)
        return x / 2

    first = half(x)
    second = half(y)
    third = half(x + y)
    return first, second, third


def check_python_runs_for_the_first_call_only():
    """Three calls give three right results, but Python ran once, and saw no number."""
    for x, y in ((3.0, 5.0), (-1.0, 0.5)):
        with redirect_stdout(io.StringIO()) as printed:
            results = python_runs_once(x, y)
        np.testing.assert_allclose(results, [x / 2, y / 2, (x + y) / 2], rtol=1e-7)
        assert printed.getvalue().count("Python sees") == 1
        assert "float32[]" in printed.getvalue()


def shifted_squares(x):
    """The sum of (x + 2)² − 4 over all numbers x of an array."""
    return jnp.sum((x + 2) ** 2 - 4)


def the_program_that_is_kept(n=1_000_000):
    """What tracing writes down is called a jaxpr.

    `jax.make_jaxpr(f)(x)` traces `f` and shows the jaxpr. Read it from the top. The
    arguments stand before `let`: here `a`, which is `f32[1000000]`, a million float32
    numbers. Each line below is an *equation*: a name for the result, its type, the
    operation, and what goes in. The result of the whole stands after `in`.
    `jaxpr.eqns` is the list of the equations.

    Predict: `shifted_squares` has four operations: +, **, − and the sum. How many
    equations do they need for a million numbers?
    """
    x = jnp.ones(n)
    jaxpr = jax.make_jaxpr(shifted_squares)(x)
    equations = len(jaxpr.eqns)
    return jaxpr, equations


def check_four_equations_at_any_length():
    """For ten numbers or 1,000, the jaxpr has four equations, one an operation."""
    for n in (10, 1000):
        jaxpr, equations = the_program_that_is_kept(n)
        names = [equation.primitive.name for equation in jaxpr.eqns]
        assert names == ["add", "integer_pow", "sub", "reduce_sum"]
        assert f"f32[{n}]" in str(jaxpr)
        assert equations == 4


def decorator_and_call_agree(radius=2.0):
    """`@jax.jit` above a function does the same as the call `jax.jit(f)`.

    A decorator is Python's short way to write `area = jax.jit(area)`. Use it where you
    never need the plain function. Use the call where you want both, or where the
    function is somebody else's.

    In the jaxpr, a compiled function is one equation, named `jit` (`pjit` in older
    versions of JAX). Its own jaxpr stands inside.
    """

    def area(r):
        return jnp.pi * r**2

    called = jax.jit(area)

    @jax.jit
    def area(r):
        return jnp.pi * r**2

    by_call = called(radius)
    decorated = area(radius)
    program = str(jax.make_jaxpr(called)(radius))
    same = program == str(jax.make_jaxpr(area)(radius))
    return by_call, decorated, program, same


def check_both_ways_make_one_program():
    """Decorated or called, the jaxpr is the same, letter by letter, and so is π r²."""
    by_call, decorated, program, same = decorator_and_call_agree(0.5)
    np.testing.assert_allclose([by_call, decorated], [math.pi / 4] * 2, rtol=1e-6)
    assert same is True
    assert "name=area" in program


def selu(x):
    """SELU: a straight line for x > 0, and bent below it."""
    return 1.05 * jnp.where(x > 0, x, 1.67 * jnp.exp(x) - 1.67)


def many_kernels_become_few(n=1000):
    """XLA joins operations that follow each other.

    Without `jax.jit`, a function runs *op by op*: each operation is a small program of
    its own, a *kernel*, which reads whole arrays from memory and writes a whole array
    back. XLA, the compiler behind `jax.jit`, joins neighbours: each number is read
    once, goes through all the steps, and is written once.

    `explain` from `jaxintro.lens` counts kernels: its field `eager_kernels` counts
    them op by op, its field `kernels` counts them compiled.

    Predict: SELU has six operations: >, exp, ×, −, `where`, ×. How many kernels are
    left?
    """
    x = jnp.linspace(-3, 3, n)
    op_by_op = explain(selu, x).eager_kernels
    compiled = explain(selu, x).kernels
    return op_by_op, compiled


def check_six_kernels_become_one():
    """The six kernels of SELU become one."""
    assert many_kernels_become_few(10) == (6, 1)


def fewer_kernels_are_faster(n=1_000_000):
    """On a large array, one kernel is faster than six.

    `race` from `jaxintro.lens` calls each function again and again for as many
    `seconds` as you allow, and waits for every result. The column "a call" is the time
    of one call, "ratio" says how many times as long as the fastest it takes, and the
    last column how sure that is. (The column "first call" is the subject of a later
    demo.)
    """
    x = jnp.linspace(-3, 3, n)
    compiled = jax.jit(selu)
    race({"op by op": selu, "compiled": compiled}, x, seconds=0.1)
    y = compiled(x)
    return y


def check_compiled_selu_is_selu():
    """The compiled SELU gives the numbers of NumPy in float64."""
    y = fewer_kernels_are_faster()
    x = np.linspace(-3, 3, 1_000_000)
    expected = np.where(x > 0, 1.05 * x, 1.05 * 1.67 * np.expm1(x))
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


def one_number_gains_too(x=0.5):
    """Op by op, Python starts each operation; compiled, it starts one program.

    For a single number there is next to no memory to read, so joining the kernels
    saves no memory. But there are still six starts.

    Predict: does SELU of a single number gain by compiling, and by how much?
    """
    compiled = jax.jit(selu)
    race({"op by op": selu, "compiled": compiled}, x, seconds=0.05)
    y = compiled(x)
    return y


def check_selu_of_one_number():
    """The compiled SELU of a positive number x is 1.05 x."""
    for x in (0.5, 2.0):
        np.testing.assert_allclose(one_number_gains_too(x), 1.05 * x, rtol=1e-6)


def standardise_rows(x):
    """Each row minus its mean, divided by its standard deviation."""
    return (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)


def sums_keep_kernels_apart(n=3):
    """How many kernels are left depends on the function.

    In `shifted_squares` the sum comes last, so its four steps can be joined. In
    `standardise_rows` the mean must be complete before the first subtraction, so the
    numbers are read once for the mean and again for the rest. The counts here are
    those of your device and your version of JAX.
    """
    x = jnp.ones((2, n))
    squares = explain(shifted_squares, x).kernels
    rows = explain(standardise_rows, x).kernels
    rows_op_by_op = explain(standardise_rows, x).eager_kernels
    return squares < 4, rows < rows_op_by_op


def check_fewer_kernels_with_sums_too():
    """The four steps need fewer than four kernels, and the rows fewer than op by op."""
    # Blunt: how many are left is the affair of the device
    for n in (3, 10):
        assert sums_keep_kernels_apart(n) == (True, True)


def useless_work_is_dropped(n=4):
    """Work that nobody needs is traced, but not computed.

    Tracing writes down everything that Python does; in the jaxpr, `_` stands for a
    result that nobody uses. The compiler then leaves out what is not needed, and
    computes only once what is asked for twice. The field `compiled` of `explain` is
    the text of the compiled program, in XLA's words: `sine(` and `exponential(`.

    Predict: `wasteful` has one sin and two exp. How many of each are left?
    """

    def wasteful(x):
        jnp.sin(x)  # the result is not used
        return jnp.exp(x) + jnp.exp(x)

    x = jnp.arange(n, dtype=jnp.float32)
    jaxpr = jax.make_jaxpr(wasteful)(x)
    sines = explain(wasteful, x).compiled.count(" sine(")
    exponentials = explain(wasteful, x).compiled.count(" exponential(")
    return jaxpr, sines, exponentials


def check_one_exponential_is_left():
    """The jaxpr has a sin and two exp; the compiled program has one exponential."""
    jaxpr, sines, exponentials = useless_work_is_dropped(10)
    names = [equation.primitive.name for equation in jaxpr.eqns]
    assert names == ["sin", "exp", "exp", "add"]
    assert (sines, exponentials) == (0, 1)


def calls_return_early(n=300_000):
    """A call may return before its result is ready.

    JAX starts the work and goes on with the next line of Python. The array that you
    get is filled in later. `y.block_until_ready()` waits for it, and so does anything
    that needs the numbers, such as `print(y)`. If you time a call, wait before you
    stop the clock.

    Myth: the time that a call takes is the time that the work takes.
    """
    x = jnp.linspace(1, 0, n)
    jnp.sort(x).block_until_ready()  # compile before the clock starts

    start = time.perf_counter()
    y = jnp.sort(x)
    print(f"returned after {1000 * (time.perf_counter() - start):.2f} ms")
    y.block_until_ready()
    print(f"ready after {1000 * (time.perf_counter() - start):.2f} ms")
    return y


def check_the_numbers_are_sorted():
    """Once it is waited for, the result is sorted: from 0 up to 1."""
    y = calls_return_early(1000)
    np.testing.assert_allclose(y, np.linspace(0, 1, 1000), rtol=1e-6, atol=1e-7)


def wave(x):
    """A wave that dies away."""
    return jnp.sin(x) * jnp.exp(-x)


def first_call_pays(n=1000):
    """The first call of a compiled function is slow, because it compiles.

    Later calls run what was compiled. So warm up before you time: call the function
    once, and start the clock after that.
    """
    x = jnp.linspace(0, 3, n)
    compiled = jax.jit(lambda x: wave(x))

    start = time.perf_counter()
    first = compiled(x).block_until_ready()
    print(f"first call: {1000 * (time.perf_counter() - start):.3f} ms")

    start = time.perf_counter()
    second = compiled(x).block_until_ready()
    print(f"second call: {1000 * (time.perf_counter() - start):.3f} ms")
    return first, second


def check_both_calls_give_the_wave():
    """The slow call and the fast call give the same wave."""
    x = np.linspace(0, 3, 7)
    expected = np.sin(x) * np.exp(-x)
    for result in first_call_pays(7):
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def op_by_op_compiles_too(n=1001):
    """Without `jax.jit`, each operation is compiled by itself at its first call.

    JAX keeps a small compiled program for each operation, shape and dtype. When it
    meets a new one, it compiles. Here the array has a new length, 1001, so all
    operations of `wave` are new.

    Myth: without `jax.jit` nothing is compiled. Compare the column "first call" with
    the column "a call", in the row "op by op".
    """
    x = jnp.linspace(0, 3, n)
    compiled = jax.jit(lambda x: wave(x))
    race({"op by op": wave, "compiled": compiled}, x, seconds=0.05)
    y = compiled(x)
    return y


def check_the_racers_give_the_wave():
    """What the race compared is the wave of NumPy."""
    x = np.linspace(0, 3, 1001)
    expected = np.sin(x) * np.exp(-x)
    y = op_by_op_compiles_too()
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


def what_traces_again(n=3):
    """A compiled program fits one shape and one dtype.

    An array of another shape or dtype needs another program, so JAX traces and
    compiles again. You are not told, but that call is slow. `traces` from
    `jaxintro.lens`, put around a compiled function, counts its traces in `.count` and
    notes why each was needed.

    Predict: there are four calls. After which of them has the count grown?
    """

    @traces
    @jax.jit
    def double(x):
        return 2 * x

    double(jnp.zeros(n))
    at_first = double.count
    double(jnp.ones(n))
    other_values = double.count
    double(jnp.ones(n + 1))
    other_shape = double.count
    double(jnp.ones(n + 1, dtype=int))
    other_dtype = double.count
    print(double)
    return at_first, other_values, other_shape, other_dtype


def check_shape_and_dtype_decide():
    """New values use the old program; a new shape or dtype needs a new trace."""
    with redirect_stdout(io.StringIO()) as printed:
        assert what_traces_again(5) == (1, 1, 2, 3)
    assert "shape (5,) -> (6,)" in printed.getvalue()
    assert "dtype float32 -> int32" in printed.getvalue()


def python_numbers_trace_again(x=2.0):
    """A Python number and an array of one number are two kinds of argument.

    A Python number is *weakly typed*: it takes on the dtype of what it meets, as you
    saw in numpy_parity. So the program for a Python float is not the one for a float32
    array. If you mix both, you compile twice. A Python int has yet another dtype.
    """

    @traces
    @jax.jit
    def double(x):
        return 2 * x

    double(x)
    a_float = double.count
    double(x + 1)
    another_float = double.count
    double(int(x))
    an_int = double.count
    double(jnp.float32(x))
    an_array = double.count
    print(double)
    return a_float, another_float, an_int, an_array


def check_weak_types_are_a_kind_of_their_own():
    """A Python float, a Python int and a float32 array need a trace each."""
    with redirect_stdout(io.StringIO()) as printed:
        assert python_numbers_trace_again(-7.0) == (1, 1, 2, 3)
    assert "weak type" in printed.getvalue()


def trees_trace_again(n=3):
    """An argument may be a tree of arrays, and a new structure traces again.

    A *pytree* is any nesting of dicts, lists and tuples with arrays in it, such as the
    parameters of a model. Its structure and the shapes and dtypes of its arrays decide
    which program fits. `jax.tree.leaves` gives its arrays as a list.

    Predict: the second dict has other values and another order, the third another
    key. Which of them needs a new trace?
    """

    @traces
    @jax.jit
    def total(params):
        leaves = jax.tree.leaves(params)
        return sum(jnp.sum(leaf) for leaf in leaves)

    x = jnp.ones(n)
    total({"w": x, "b": x})
    a_dict = total.count
    total({"b": 2 * x, "w": 3 * x})
    other_values = total.count
    total({"w": x, "bias": x})
    other_key = total.count
    total([x, x])
    a_list = total.count
    return a_dict, other_values, other_key, a_list


def check_structure_decides():
    """Other values in a dict need no new trace; another key or a list needs one."""
    assert trees_trace_again(4) == (1, 1, 2, 3)


def new_function_new_trace(turns=5):
    """JAX keeps compiled programs for a function object, not for its code.

    A `lambda` or a `def` inside a loop makes a new object at each turn, even if the
    code is the same. The cure is to call `jax.jit` once, before the loop. Here
    `traces` stands on the inner function and counts how often that is traced.

    Predict: how often is `slow` traced in five turns, and how often `fast`?
    """

    @traces
    def slow(x):
        return x + 1

    for i in range(turns):
        compiled = jax.jit(lambda x: slow(x))  # the mistake
        compiled(i)
    in_the_loop = slow.count

    @traces
    def fast(x):
        return x + 1

    compiled = jax.jit(lambda x: fast(x))  # the cure
    for i in range(turns):
        compiled(i)
    before_the_loop = fast.count
    return in_the_loop, before_the_loop


def check_a_lambda_in_a_loop_traces_each_turn():
    """In the loop it is traced once a turn, before the loop once in all."""
    assert new_function_new_trace(3) == (3, 1)


def new_method_new_trace(turns=5):
    """A method is a new function object each time you write its name.

    Python makes `model.predict` when it reads the dot. So `jax.jit(model.predict)` is
    the same mistake as the `lambda` in the loop, and harder to see. The cure is a
    plain function: what was in `self` becomes an argument.
    """

    class Model:
        weight = 2.0

        @traces
        def predict(self, x):
            return self.weight * x

    model = Model()
    for i in range(turns):
        slow = jax.jit(model.predict)(i)  # the mistake
    as_method = Model.predict.count

    @traces
    @jax.jit
    def predict(weight, x):
        return weight * x

    for i in range(turns):
        fast = predict(model.weight, i)  # the cure
    as_function = predict.count
    return slow, as_method, fast, as_function


def check_a_method_traces_each_turn():
    """The method is traced once a turn, the function once; both give weight · x."""
    slow, as_method, fast, as_function = new_method_new_trace(3)
    assert slow == fast == 2.0 * 2  # the weight times the last of 0, 1, 2
    assert (as_method, as_function) == (3, 1)


def compile_the_whole_step(size=3):
    """Compile the largest piece that you can: a whole training step.

    Here only the gradient is compiled, so Python starts three things: the gradient, a
    multiplication and a subtraction. These are the three outer equations of the jaxpr
    of `step`, and `in_parts.eqns` is the list of them. (What stands inside
    `jit[…]` is one program.) A compiled function that is called inside another
    compiled function becomes a part of it.

    Predict: `whole` is `step`, compiled. How many outer equations has it?
    """

    def loss(w):
        return jnp.sum(w**2) / 2

    gradient = jax.jit(jax.grad(loss))

    def step(w):
        return w - 0.1 * gradient(w)

    whole = jax.jit(step)

    w = jnp.arange(1.0, size + 1)
    in_parts = jax.make_jaxpr(step)(w)
    starts_in_parts = len(in_parts.eqns)
    starts_as_whole = len(jax.make_jaxpr(whole)(w).eqns)
    race({"in parts": step, "whole": whole}, w, seconds=0.05)
    new_w = whole(w)
    return new_w, starts_in_parts, starts_as_whole


def check_three_starts_become_one():
    """Three equations become one, and the step makes 0.9 w of w."""
    new_w, in_parts, as_whole = compile_the_whole_step(8)
    assert (in_parts, as_whole) == (3, 1)
    np.testing.assert_allclose(new_w, 0.9 * np.arange(1, 9), rtol=1e-6)


def donated_array_is_deleted(size=3):
    """A donated argument is used up: its array is deleted by the call.

    A training step needs its old parameters no longer. With `donate_argnums=0` you
    donate the first argument: XLA may write the result into its memory, so that old
    and new need not both have room. Give the result the old name, and you never touch
    what is gone.

    `partial(jax.jit, donate_argnums=0)` is `jax.jit` with this option filled in, so
    that it can stand as a decorator. `partial` is Python's own, from `functools`.
    """

    @partial(jax.jit, donate_argnums=0)
    def step(params):
        return 0.9 * params

    params = jnp.ones(size)
    old = params  # a second name for the first array
    params = step(params)
    params = step(params)
    try:
        old + 1
    except RuntimeError as error:
        refused = error
    return params, refused


def check_donated_array_cannot_be_read():
    """Two steps make 0.81 of 1, and to use the donated array is a RuntimeError."""
    params, refused = donated_array_is_deleted(8)
    np.testing.assert_allclose(params, np.full(8, 0.81), rtol=1e-6)
    assert isinstance(refused, RuntimeError)
    assert "deleted" in str(refused)


def last_digits_may_change(x=0.1):
    """Compiled and op by op, the last digits may differ.

    In 32 bits, 0.1 is really 0.10000000149. Ten times that is 1.0000000149, which has
    no room in 32 bits, so it is rounded to 1. A compiled program may multiply and
    subtract in one step, without rounding in between. Whether it does, depends on the
    processor. Compare with a tolerance: `np.allclose(a, b, atol=1e-6)`.

    Myth: compiling a function never changes its result.
    """

    def excess(x):
        return x * 10 - 1

    x = jnp.float32(x)
    op_by_op = excess(x)
    compiled = jax.jit(excess)(x)
    equal = op_by_op == compiled
    close = np.allclose(op_by_op, compiled, atol=1e-6)
    return op_by_op, compiled, equal, close


def check_the_difference_is_one_rounding():
    """The compiled result is rounded after each operation, or only at the end."""
    for x in (0.1, 0.7, 0.9):
        op_by_op, compiled, equal, close = last_digits_may_change(x)
        each_time = np.float32(x) * np.float32(10) - np.float32(1)
        at_the_end = np.float32(float(np.float32(x)) * 10 - 1)
        assert op_by_op == each_time
        assert compiled in (each_time, at_the_end)
        assert equal == (float(op_by_op) == float(compiled))
        assert close is True


def look_inside_without_jit(values=(1.0, 2.0, 3.0)):
    """`jax.disable_jit` lets you debug a compiled function with ordinary tools.

    When a result is wrong, you want to see the numbers on the way, but inside a
    compiled function there are only tracers. In a block `with jax.disable_jit():`
    every `jax.jit` is ignored. Python runs the function on the real arrays, and both
    `print` and a debugger work. Here it shows why one result is `inf`.
    """

    @jax.jit
    def inverse_gaps(x):
        gap = x - jnp.mean(x)
        print("gap is", gap)
        return 1 / gap

    x = jnp.array(values)
    compiled = inverse_gaps(x)
    with jax.disable_jit():
        plain = inverse_gaps(x)
    return compiled, plain


def check_numbers_are_printed_without_jit():
    """Both ways give 1 / (x − mean), but only without `jit` are numbers printed."""
    with redirect_stdout(io.StringIO()) as printed:
        results = look_inside_without_jit((1.0, 2.0, 6.0, 3.0))
    np.testing.assert_allclose(results, [[-0.5, -1, 1 / 3, np.inf]] * 2, rtol=1e-6)
    first, second = printed.getvalue().splitlines()
    assert "float32[4]" in first
    assert second == "gap is [-2. -1.  3.  0.]"


def numpy_selu(x):
    """SELU again, in NumPy."""
    return 1.05 * np.where(x > 0, x, 1.67 * np.exp(x) - 1.67)


def small_arrays_are_faster_in_numpy(x=0.5):
    """To call a compiled program takes some microseconds, however small the work.

    At each call, JAX looks up the program that fits the arguments and hands it to the
    device. NumPy just computes.

    Predict: SELU has six operations. For one number, which is faster: six operations
    of NumPy or one compiled program?
    """
    x = np.float32(x)
    compiled = jax.jit(selu)
    race({"NumPy": numpy_selu, "compiled": compiled}, x, seconds=0.05)
    y = compiled(x)
    return y


def check_numpy_and_jax_agree_on_one_number():
    """The compiled SELU gives what NumPy gives in float64."""
    y = small_arrays_are_faster_in_numpy(-1.5)
    np.testing.assert_allclose(y, numpy_selu(-1.5), rtol=1e-5)


def compiling_must_be_paid_back(n=4_000_000):
    """Compiling costs time once, and each later call gives some of it back.

    The picture adds up the time of 1, 2, 3, … calls. NumPy has nothing to compile. The
    line of JAX starts higher, because the first call compiles, and rises more slowly.
    Where the lines cross, compiling has been paid back; `calls_needed` says after how
    many calls. (Where it is negative, NumPy is faster on your machine.)

    So compile what is large, or called often, or made of many operations: a training
    step, a simulation, a loss. Leave alone what is tiny, or runs only once. What a
    compiled function cannot do, and what to do instead, is the next lesson.
    """
    import matplotlib.pyplot as plt

    x = np.linspace(-3, 3, n, dtype=np.float32)
    compiled = jax.jit(lambda x: selu(x))  # new, so not compiled yet
    timed = race({"NumPy": numpy_selu, "JAX": compiled}, x, seconds=0.2)
    _, jax_first = timed.first_seconds
    numpy_later, jax_later = timed.seconds
    saved = numpy_later - jax_later  # by each later call
    calls_needed = (jax_first - jax_later) / saved

    calls = np.arange(1, 41)
    _, axes = plt.subplots()
    axes.plot(calls, calls * numpy_later, label="NumPy")
    axes.plot(calls, jax_first + (calls - 1) * jax_later, label="JAX")
    axes.set(xlabel="calls", ylabel="seconds in all")
    axes.set_title("Compiling must be paid back")
    axes.legend()
    return timed, calls_needed, axes


def check_lines_add_up_the_calls():
    """The lines add up call by call, and they would cross at `calls_needed`."""
    timed, needed, axes = compiling_must_be_paid_back(100_000)
    numpy_later, jax_later = timed.seconds
    jax_first = timed.first_seconds[1]
    in_numpy, in_jax = (line.get_ydata() for line in axes.lines)
    np.testing.assert_allclose(in_numpy, np.cumsum([numpy_later] * 40), rtol=1e-9)
    expected = np.cumsum([jax_first, *[jax_later] * 39])
    np.testing.assert_allclose(in_jax, expected, rtol=1e-9)
    at_needed = jax_first + (needed - 1) * jax_later
    np.testing.assert_allclose(needed * numpy_later, at_needed, rtol=1e-6)
