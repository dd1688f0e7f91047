"""Compilation: trace once, run many times.

`jax.jit` makes one compiled program of a Python function. The program can be many
times faster. But the first call is slow, some later calls are slow again, and JAX
does not tell you unless you ask. After this lesson you can read what is compiled,
count when it is compiled, time a function honestly, and decide what to compile.
Read first: numpy_parity, pure_functions, grad.
"""

import io
import math
import timeit
from contextlib import redirect_stdout
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import explain, race, traces

ORDER = 90  # lessons stand in steps of ten; there is no other registry


def python_runs_once(x=3.0, y=5.0):
    """Under `jax.jit`, your Python code sees a tracer instead of a number.

    You know this from first_steps and pure_functions, and this lesson stands on it.
    JAX calls your function with a *tracer*, an object that has a dtype and a shape but
    no number, and writes down each operation on it. This is called *tracing*. What was
    written down is compiled to machine code, and the machine code gets the numbers.
    (The sign `~` in what is printed marks a weak type, which a later demo explains.)
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

    `jax.make_jaxpr(f)(x)` traces `f` and shows the jaxpr. The arguments stand before
    `let`: here `a`, which is `f32[1000000]`, a million float32 numbers. Each line
    below is an *equation*: a name for the result, its type, the operation, and what
    goes in. The result of the whole stands after `in`. (What stands in brackets after
    an operation can wait.) `jaxpr.eqns` is the list of the equations.

    Predict: has the jaxpr for a million numbers more equations than the jaxpr for ten?
    """
    jaxpr = jax.make_jaxpr(shifted_squares)(jnp.ones(n))
    equations = len(jaxpr.eqns)
    jaxpr_of_ten = jax.make_jaxpr(shifted_squares)(jnp.ones(10))
    equations_for_ten = len(jaxpr_of_ten.eqns)
    return jaxpr, equations, jaxpr_of_ten, equations_for_ten


def check_four_equations_at_any_length():
    """For ten numbers or a million, the jaxpr has one equation for each operation."""
    for n in (20, 1_000_000):
        jaxpr, equations, jaxpr_of_ten, for_ten = the_program_that_is_kept(n)
        for length, found in ((n, jaxpr), (10, jaxpr_of_ten)):
            names = [equation.primitive.name for equation in found.eqns]
            assert names == ["add", "integer_pow", "sub", "reduce_sum"]
            assert f"f32[{length}]" in str(found)
        assert equations == for_ten == 4


def decorator_and_call_agree(radius=2.0):
    """`@jax.jit` above a function does the same as the call `jax.jit(f)`.

    A decorator is Python's short way to write `area = jax.jit(area)`. Use it where you
    never need the plain function. Use the call where you want both, or where the
    function is somebody else's.

    In a jaxpr, a compiled function is one equation, named `jit` (`pjit` in older
    versions of JAX). Its own jaxpr stands inside. Compare the two jaxprs: only the
    names of the functions differ.
    """

    def area(r):
        return jnp.pi * r**2

    called = jax.jit(area)

    @jax.jit
    def decorated(r):
        return jnp.pi * r**2

    by_call = called(radius)
    by_decorator = decorated(radius)
    first = jax.make_jaxpr(called)(radius)
    second = jax.make_jaxpr(decorated)(radius)
    return by_call, by_decorator, first, second


def check_both_ways_make_one_program():
    """Decorated or called, the jaxpr is the same but for the name; both give π r²."""
    by_call, by_decorator, first, second = decorator_and_call_agree(0.5)
    np.testing.assert_allclose([by_call, by_decorator], [math.pi / 4] * 2, rtol=1e-6)
    assert "name=area" in str(first)
    assert str(first).replace("name=area", "name=decorated") == str(second)


def selu(x):
    """SELU: a straight line for x > 0, and bent below it."""
    return 1.05 * jnp.where(x > 0, x, 1.67 * jnp.exp(x) - 1.67)


def kernels_of_selu(n=1000):
    """XLA joins operations into fewer kernels, where it can.

    Without `jax.jit`, a function runs *op by op*, which is also called *eager*: Python
    starts one operation after the other. A *kernel* is a piece of machine code that
    reads whole arrays from memory, computes, and writes an array back. XLA, the
    compiler behind `jax.jit`, can join kernels: each number is read once, goes through
    all the steps, and is written once. (1.05 and 1.67 are the two constants of SELU,
    rounded.)

    `explain` from `jaxintro.lens`, known from first_steps, counts kernels: its field
    `eager_kernels` counts them op by op, its field `kernels` counts them compiled.

    Predict: SELU has six operations: >, exp, ×, −, `where`, ×. How many kernels are
    left?
    """
    x = jnp.linspace(-3, 3, n)
    op_by_op = explain(selu, x).eager_kernels
    compiled = explain(selu, x).kernels
    return op_by_op, compiled


def check_six_kernels_become_one():
    """The six kernels of SELU become one."""
    for n in (10, 50):
        assert kernels_of_selu(n) == (6, 1)


def fewer_kernels_are_faster(n=1_000_000):
    """On a large array, one kernel is faster than six.

    `race` from `jaxintro.lens` calls each function again and again for as many
    `seconds` as you allow, and waits for every result. The column "a call" is the time
    of one call, "ratio" says how many times as long as the fastest it takes, and the
    last column how sure that is. (The column "first call" is the subject of a later
    demo.) On a busy machine, or between two that are equally fast, the last line may
    say that no difference can be told. Then allow more `seconds`, or race again when
    the machine has less to do.
    """
    x = jnp.linspace(-3, 3, n)
    compiled = jax.jit(selu)
    race({"op by op": selu, "compiled": compiled}, x, seconds=0.3)
    y = compiled(x)
    return y


def check_compiled_selu_is_selu():
    """The compiled SELU gives the numbers of NumPy in float64, up to rounding."""
    y = fewer_kernels_are_faster()
    x = np.linspace(-3, 3, 1_000_000)
    expected = np.where(x > 0, 1.05 * x, 1.05 * 1.67 * np.expm1(x))
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


def selu_of_one_number(x=0.5):
    """Op by op, Python starts each operation; compiled, it starts one program.

    For a single number there is next to no memory to read, so joining the kernels saves
    no reading. But op by op, Python still starts six operations, and each start takes a
    few µs.

    Predict: does a single number gain more by compiling than the million numbers above,
    or less?
    """
    x = jnp.float32(x)
    starts = explain(selu, x).eager_kernels
    compiled = jax.jit(selu)
    race({"op by op": selu, "compiled": compiled}, x, seconds=0.3)
    y = compiled(x)
    return starts, y


def check_selu_of_one_number():
    """One number needs six starts op by op; SELU of a positive x is 1.05 x."""
    for x in (0.5, 2.0):
        starts, y = selu_of_one_number(x)
        assert starts == 6
        np.testing.assert_allclose(y, 1.05 * x, rtol=1e-6)


def sums_keep_kernels_apart(n=3):
    """Not every function becomes one kernel: a mean comes before its use.

    In `centred`, the mean must be complete before the first subtraction. In
    `standardised`, the deviation waits for the mean, and the last step waits for the
    deviation. Compare the numbers of kernels for two rows of three numbers. The field
    `kernel_list` says what each kernel does. On a CPU, the first adds up the rows, the
    second finds the deviation, and the third does the last step.

    How many kernels there are also depends on the shape of x, on the device, and on the
    version of JAX. With two rows of 100 numbers, a CPU needed 3, 3 and 6.
    """

    def centred(x):
        return x - jnp.mean(x)

    def standardised(x):
        mean = x.mean(1, keepdims=True)
        return (x - mean) / x.std(1, keepdims=True)

    x = jnp.arange(2.0 * n).reshape(2, n)
    for_squares = explain(shifted_squares, x).kernels
    print("centred:", explain(centred, x).kernels)
    operations_of_each = [
        kernel.operations for kernel in explain(standardised, x).kernel_list
    ]
    for_rows = len(operations_of_each)
    rows_op_by_op = explain(standardised, x).eager_kernels
    fewer = for_rows < rows_op_by_op
    return for_squares, fewer


def check_fewer_kernels_with_sums_too():
    """`shifted_squares` needs one kernel, `standardised` fewer than op by op."""
    for n in (3, 10):
        for_squares, fewer = sums_keep_kernels_apart(n)
        assert for_squares == 1
        assert fewer is True


def useless_work_is_dropped(x=1.0):
    """Tracing writes down more work than is computed in the end.

    Tracing writes down every operation on a tracer, needed or not; in the jaxpr, `_`
    stands for a result that nobody uses. In the report of `explain`, the line "dropped"
    says what was left out. The line "work" counts the exp and sin that are computed. (A
    flop is one +, −, × or ÷, and "B moved" are the bytes read and written; both can
    wait.)

    Predict: `wasteful` has one sin and two exp. How many of each are left?
    """

    def wasteful(x):
        jnp.sin(x)  # the result is not used
        return jnp.exp(x) + jnp.exp(x)

    x = jnp.float32(x)
    y = jax.jit(wasteful)(x)
    report = explain(wasteful, x)
    return y, report


def check_one_exponential_is_left():
    """The unused sin is left out, and of two equal exp one is computed."""
    for x in (1.0, -0.5):
        y, report = useless_work_is_dropped(x)
        np.testing.assert_allclose(y, 2 * math.exp(x), rtol=1e-5)
        assert [report.jaxpr.count(f" {name} ") for name in ("sin", "exp")] == [1, 2]
        assert report.compiled.count(" sine(") == 0
        assert report.compiled.count(" exponential(") == 1


def calls_return_early(n=300_000):
    """A call may return before its result is ready.

    You know this from arrays_at_work: JAX starts the work and goes on with the next
    line of Python, and `y.block_until_ready()` waits until y is ready. If you time a
    call, wait before you stop the clock. `timeit.timeit(f, number=1)` is Python's
    clock: it calls f once and gives the seconds that it took.

    Myth: the time that a call takes is the time that the work takes.
    """
    x = jnp.linspace(1, 0, n)
    y = jnp.sort(x).block_until_ready()  # compiled before the clock

    waited = timeit.timeit(
        lambda: jnp.sort(x).block_until_ready(),
        number=1,
    )
    not_waited = timeit.timeit(lambda: jnp.sort(x), number=1)
    print(f"{1000 * not_waited:.2f} ms without waiting")
    print(f"{1000 * waited:.2f} ms with waiting")
    return y


def check_the_numbers_are_sorted():
    """The result is sorted: from 0 up to 1."""
    y = calls_return_early(1000)
    np.testing.assert_allclose(y, np.linspace(0, 1, 1000), rtol=1e-6, atol=1e-7)


def first_call_pays(n=1000):
    """The first call of a compiled function is slow, because it compiles.

    Later calls run what was compiled. So warm up before you time: call the function
    once, and start the clock after that. By default, what was compiled is kept only
    until your Python ends: the next run of your script compiles again.
    """

    @jax.jit
    def wave(x):
        return jnp.sin(x) * jnp.exp(-x)

    x = jnp.linspace(0, 3, n)
    first = timeit.timeit(lambda: wave(x).block_until_ready(), number=1)
    second = timeit.timeit(lambda: wave(x).block_until_ready(), number=1)
    print(f"first call: {1000 * first:.2f} ms")
    print(f"second call: {1000 * second:.2f} ms")
    y = wave(x)
    return y


def check_both_calls_give_the_wave():
    """What was timed gives the wave of NumPy."""
    for n in (7, 20):
        x = np.linspace(0, 3, n)
        expected = np.sin(x) * np.exp(-x)
        np.testing.assert_allclose(first_call_pays(n), expected, rtol=1e-5, atol=1e-6)


def op_by_op_compiles_too(n=1001):
    """Without `jax.jit`, each operation is compiled by itself at its first call.

    JAX keeps a small compiled program for each operation that Python calls, such as
    `jnp.sin` or `*`, and for each shape and dtype. When it meets a new one, it
    compiles. Here the array has a new length, 1001, so all operations of `wave` are
    new, and there is no `jax.jit`. They are four: sin, −, exp and ×. So four small
    programs are compiled here, and for the compiled `wave` above it was one. Compare
    the first call with the second.

    Myth: without `jax.jit` nothing is compiled.
    """

    def wave(x):
        return jnp.sin(x) * jnp.exp(-x)

    x = jnp.linspace(0, 3, n)
    first = timeit.timeit(lambda: wave(x).block_until_ready(), number=1)
    second = timeit.timeit(lambda: wave(x).block_until_ready(), number=1)
    print(f"first call: {1000 * first:.2f} ms")
    print(f"second call: {1000 * second:.2f} ms")
    y = wave(x)
    return y


def check_the_racers_give_the_wave():
    """Op by op, the wave is that of NumPy, too."""
    x = np.linspace(0, 3, 1001)
    expected = np.sin(x) * np.exp(-x)
    y = op_by_op_compiles_too()
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


def what_traces_again(n=3):
    """For another shape or another dtype, JAX compiles another program.

    A JAX array of another shape or dtype needs another program, so JAX traces and
    compiles again, and that call is slow. (An array of NumPy is first made an array of
    JAX, so a float64 array becomes float32, and then the same rule holds.) JAX itself
    tells you of each compilation if you write `jax.config.update("jax_log_compiles",
    True)`. `traces` from `jaxintro.lens`, put around a function, compiled or not,
    counts its traces in `.count` and notes why each was needed.

    Predict: there are five calls. After which of them has the count grown?
    """

    @traces
    @jax.jit
    def double(x):
        return 2 * x

    double(jnp.zeros(n))
    at_first = double.count
    double(jnp.ones(n))
    other_values = double.count
    double(np.ones(n))  # np.float64
    from_numpy = double.count
    double(jnp.ones(n + 1))
    other_shape = double.count
    double(jnp.ones(n + 1, dtype=int))
    other_dtype = double.count
    print(double)
    return at_first, other_values, from_numpy, other_shape, other_dtype


def check_shape_and_dtype_decide():
    """New values use the old program; another shape or int32 needs a new trace."""
    with redirect_stdout(io.StringIO()) as printed:
        assert what_traces_again(5) == (1, 1, 1, 2, 3)
    assert "shape (5,) -> (6,)" in printed.getvalue()
    assert "dtype float32 -> int32" in printed.getvalue()


def python_numbers_trace_again(x=2.0):
    """A Python number and a `jnp.float32` are two kinds of argument.

    A Python number is *weakly typed*: it takes on the dtype of what it meets, as you
    saw in numpy_parity. Where a tracer is printed, `~` marks a weak type. A program for
    a weak type is not the one for a float32, so if you mix both, you compile twice.
    Take care: an array can be weakly typed as well, if it is made of a Python number
    alone and without a `dtype`. So `jnp.full(3, 2.0)` is weak, but `jnp.array([2.0])`,
    made of a list, is not. And if `a` is weak, so is `2 * a`.

    Predict: `double` is called with 2.0, with `jnp.array(2.0)` and with
    `jnp.float32(2.0)`. Which of these calls need a new trace?
    """

    @traces
    @jax.jit
    def double(x):
        print("tracing with", x)
        return 2 * x

    double(x)
    python_number = double.count
    double(jnp.array(x))
    an_array = double.count
    double(jnp.float32(x))
    a_float32 = double.count
    print(double)
    return python_number, an_array, a_float32


def check_weak_types_are_a_kind_of_their_own():
    """A float and `jnp.array` of it share a trace; `jnp.float32` needs its own."""
    with redirect_stdout(io.StringIO()) as printed:
        assert python_numbers_trace_again(-7.0) == (1, 1, 2)
    assert printed.getvalue().count("tracing with") == 2
    assert "weak type" in printed.getvalue()


def trees_trace_again(n=3):
    """An argument may be a tree of arrays, and a new structure traces again.

    A *pytree* is any nesting of dicts, lists and tuples with arrays in it, such as the
    parameters of a model. Its structure and the shapes and types of its arrays decide
    which program fits. `jax.tree.leaves` gives what it holds, here arrays, as a list.

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
    total({"b": 2 * x, "w": 3 * x})  # JAX sorts the keys
    other_values = total.count
    total({"w": x, "bias": x})
    other_key = total.count
    total([x, x])
    a_list = total.count
    return a_dict, other_values, other_key, a_list


def check_structure_decides():
    """Other values or another order need no new trace; another key or a list does."""
    assert trees_trace_again(4) == (1, 1, 2, 3)


def names_trace_again(x=3.0):
    """An argument given by name and given by place makes two programs.

    In `power(x, 2)` the 2 stands at its place, and in `power(x, n=2)` it has its name.
    Both are right, but JAX traces and compiles for each of them. (`print(power)` says
    "position" for the place and "keyword" for the name.) So always call a compiled
    function in the same way.
    """

    @traces
    @jax.jit
    def power(x, n):
        return x**n

    by_place = power(x, 2)
    by_name = power(x, n=2)
    by_place_again = power(x, 2)
    count = power.count
    print(power)
    return by_place, by_name, by_place_again, count


def check_by_name_and_by_place_are_two():
    """All three calls give x², with one trace for each of the two ways."""
    for x in (3.0, -1.5):
        *results, count = names_trace_again(x)
        np.testing.assert_allclose(results, [x * x] * 3, rtol=1e-6)
        assert count == 2


def a_function_made_in_a_loop(turns=5):
    """JAX keeps compiled programs for a function object, not for its code.

    A `lambda` or a `def` inside a loop makes a new object at each turn, even if the
    code is the same. Here both loops call `jax.jit` at each turn. `traces` counts how
    often the functions are traced. (The simplest habit is to call `jax.jit` once,
    before the loop.)

    Predict: how often is `slow` traced in five turns, and how often `fast`?
    """

    @traces
    def slow(x):
        return x + 1

    for i in range(turns):
        jax.jit(lambda x: slow(x))(i)  # a new function each time
    with_lambda = slow.count

    @traces
    def fast(x):
        return x + 1

    for i in range(turns):
        jax.jit(fast)(i)  # the same function each time
    with_name = fast.count
    return with_lambda, with_name


def check_a_lambda_in_a_loop_traces_each_turn():
    """A new `lambda` is traced at each turn, and the same function once in all."""
    assert a_function_made_in_a_loop(3) == (3, 1)


def new_method_new_trace(turns=5):
    """`jax.jit(model.predict)` in a loop is traced at each turn, too.

    Each time you write `model.predict`, Python makes a new method object. JAX forgets a
    trace when its function is gone, and here nothing keeps the old method, so it traces
    again.

    To call `jax.jit` once helps here, too: before the loop, or in `__init__` with
    `self.predict = jax.jit(self.predict)`. But such a method does not see a weight
    that is changed later, as pure_functions shows. The better cure is a plain
    function: what was in `self` becomes an argument.
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
    of `step`, and `in_parts.eqns` is the list of them. (What stands inside `jit[…]` is
    one program. It is the gradient, although it says `name=loss`: JAX names it after
    the function that you wrote.)

    Predict: `whole` is `step`, compiled. How many things does Python start for it?
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
    race({"in parts": step, "whole": whole}, w, seconds=0.3)
    new_w = whole(w)
    return new_w, starts_in_parts, starts_as_whole


def check_three_starts_become_one():
    """Three equations become one, as the inner program joins in: w becomes 0.9 w."""
    new_w, in_parts, as_whole = compile_the_whole_step(8)
    assert (in_parts, as_whole) == (3, 1)
    np.testing.assert_allclose(new_w, 0.9 * np.arange(1, 9), rtol=1e-6)


def donated_array_is_deleted(size=3):
    """The result may take the memory of a donated array, which is then deleted.

    A training step needs its old parameters no longer. With `donate_argnums=0` you
    donate the first argument: XLA may write the result into its memory. This saves the
    memory of a second array. Give the result the old name, and this name no longer
    leads to what is gone. A second name still does: here it is `old`. (Where no result
    can take the memory, nothing is deleted, and mostly JAX warns.)

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

    In 32 bits, 0.1 is really 0.10000000149. Ten times that is 1.0000000149. A float32
    cannot hold so many digits, so it is rounded to 1. A compiled program may multiply
    and subtract in one step, without rounding in between. Whether it does, depends on
    the processor. So compare with a tolerance: `np.allclose(a, b, atol=1e-6)`.

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
    """Op by op, both steps are rounded; compiled, both are, or only the last."""
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

    When a result is wrong, you want to see the numbers on the way. But while a function
    is traced, what `jnp` computes is a tracer, and has no number. `jax.debug.print`,
    known from pure_functions, prints a value that you name. In a block
    `with jax.disable_jit():` every `jax.jit` is ignored: Python runs the function on
    the real arrays, and both `print` and a debugger work. (Under `jax.vmap` or
    `jax.grad`, you still meet tracers.) Here it shows why one result is `inf`.
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


def one_number_in_numpy_and_jax(x=0.5):
    """To call a compiled program takes time as well.

    At each call, JAX looks up the program that fits the arguments and hands it to the
    device. In arrays_at_work, NumPy was faster than JAX with one operation on few
    numbers. Here NumPy has six operations to do. JAX starts one program, and has to
    take over x from NumPy as well.

    Predict: for one number, which is faster: six operations of NumPy or one compiled
    program?
    """
    x = np.float32(x)
    compiled = jax.jit(selu)
    race({"NumPy": numpy_selu, "compiled": compiled}, x, seconds=0.3)
    y = compiled(x)
    return y


def check_numpy_and_jax_agree_on_one_number():
    """The compiled SELU gives what NumPy gives in float64."""
    y = one_number_in_numpy_and_jax(-1.5)
    np.testing.assert_allclose(y, numpy_selu(-1.5), rtol=1e-5)


def compiling_must_be_paid_back(n=2_000_000):
    """Compiling costs time once, and each later call gives some of it back.

    `race` returns its table, too: `timed.first_seconds` is the column "first call" and
    `timed.seconds` the column "a call", in seconds, NumPy before JAX as we named them.
    From these, the picture adds up the time of 1, 2, 3, … calls. NumPy has nothing to
    compile. (Its first call is slower because it must first get memory. The picture
    leaves that out.) The line of JAX starts higher, because the first call compiles,
    and rises more slowly. Where the lines cross, compiling has been paid back.

    `calls_needed` says after how many calls that is: what the first call of JAX costs
    more than a later one, divided by what each later call saves. If it is negative,
    NumPy is faster on your machine, and the lines never cross.

    So, what should you compile? In JAX, whatever is called often: a compiled function
    has fewer starts, and often fewer kernels, and op by op the first call compiles as
    well. Compared with NumPy, compile what is large, or called often, or made of many
    operations: a training step, a simulation, a loss. What is tiny, or runs only once,
    can stay in NumPy. What a compiled function cannot do, and what to do instead, is
    the next lesson.
    """
    import matplotlib.pyplot as plt

    x = np.linspace(-3, 3, n, dtype=np.float32)
    compiled = jax.jit(selu)  # not compiled yet for this length
    timed = race({"NumPy": numpy_selu, "JAX": compiled}, x, seconds=0.6)
    jax_first = timed.first_seconds[1]
    numpy_later, jax_later = timed.seconds
    saved = numpy_later - jax_later  # by each later call
    calls_needed = (jax_first - jax_later) / saved

    most = int(np.clip(2 * calls_needed, 40, 1000))
    calls = np.arange(1, most + 1)
    _, axes = plt.subplots()
    axes.plot(calls, calls * numpy_later, label="NumPy")
    axes.plot(calls, jax_first + (calls - 1) * jax_later, label="JAX")
    axes.set(xlabel="calls", ylabel="seconds in all")
    axes.set_title("Compiling must be paid back")
    axes.legend()
    return timed, calls_needed, axes


def check_lines_add_up_the_calls():
    """The lines add up call by call, and they cross at `calls_needed`."""
    timed, needed, axes = compiling_must_be_paid_back(100_000)
    numpy_later, jax_later = timed.seconds
    jax_first = timed.first_seconds[1]
    in_numpy, in_jax = (line.get_ydata() for line in axes.lines)
    calls = len(in_numpy)
    np.testing.assert_allclose(in_numpy, np.cumsum([numpy_later] * calls), rtol=1e-9)
    expected = np.cumsum([jax_first, *[jax_later] * (calls - 1)])
    np.testing.assert_allclose(in_jax, expected, rtol=1e-9)
    at_needed = jax_first + (needed - 1) * jax_later
    np.testing.assert_allclose(needed * numpy_later, at_needed, rtol=1e-6)
