"""Pure functions: the same input gives the same output, and nothing else is touched.

Let a compiled function add 1 to a counter outside, and call it a thousand times with
numbers of one type: the counter is 1.
Most such mistakes raise no error. In this lesson you see what becomes of each kind,
and you learn the form that works. It is called pure: what the function needs comes in
as an argument, and what it makes goes out as a result.
Read first: first_steps, numpy_parity and prng_keys.
"""

import contextlib
import functools
import io

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import audit, traces

ORDER = 50


def stand_in_instead_of_numbers(x=3.0):
    """To write a function down, JAX runs your Python on a tracer, not on numbers.

    A *tracer* is a stand-in. That of `jax.make_jaxpr` and `jax.jit` has a shape and a
    dtype, but no value. It writes down each operation that is done to it. To run a
    function in this way is to *trace* it, and what was written down is the *jaxpr*. JAX
    compiles the jaxpr, and only the compiled program meets your numbers. You know this
    from first_steps, and everything in this lesson follows from it. `jax.make_jaxpr`
    traces a function and gives you the jaxpr.

    Our function also writes a line to a log file. (`io.StringIO` is Python's text file
    in memory.) This is a *side effect*: besides giving its result, the function
    changes something outside.

    Predict: the function does three things: it writes to the log, it multiplies, and
    it adds. Which of them are in the jaxpr?
    """
    log = io.StringIO()

    def double_plus_one(x):
        print("called", file=log)
        doubled = 2 * x
        return doubled + 1

    jaxpr = jax.make_jaxpr(double_plus_one)(x)
    written = log.getvalue()
    return jaxpr, written


def check_operations_are_written_down():
    """The jaxpr holds one mul and one add; the line was written during the trace."""
    for x in (3.0, -1.5):
        jaxpr, written = stand_in_instead_of_numbers(x)
        words = str(jaxpr).split()
        assert [word for word in words if word in ("mul", "add")] == ["mul", "add"]
        assert str(jaxpr).count("=") == 2
        assert written == "called\n"


def python_runs_once_per_trace(shapes=((), (), (3,), (3,), ())):
    """Your Python code runs once for each new kind of input, not once per call.

    `jax.jit` compiles a function and keeps the program. A later call goes straight to
    this program, and your Python code does not run. For that, the arguments must be
    passed in the same way (by position or by name) and have the same shapes and types,
    and no setting of JAX may have changed. (The next section says what belongs to the
    type.) An input of a new shape needs a new program, and so a new trace. The list
    `runs` gets an entry whenever the Python code runs.

    Predict: five calls, with single numbers and with vectors of three. How many
    entries has `runs` at the end?
    """
    runs = []

    @jax.jit
    def square(x):
        runs.append(x.shape)
        return x**2

    for shape in shapes:
        square(jnp.ones(shape))

    count = len(runs)
    return runs, count


def check_one_run_for_each_new_shape():
    """The Python code runs once for each new shape, however many calls there are."""
    for shapes in (((), (), (3,), (3,), ()), ((2,), (2, 1), (1, 2), (2,)), ((5,),) * 9):
        runs, count = python_runs_once_per_trace(shapes)
        assert runs == list(dict.fromkeys(shapes))
        assert count == len(set(shapes))


def dtype_and_weak_type_trace_again(numbers=(3, 4, 5)):
    """A new value of an array needs no new trace; a new type does.

    `jnp.int32(3)` and `3` both become int32 in JAX. But the type of the Python number
    is *weak*: it gives way to the type of its partner, as you saw in numpy_parity. For
    `jax.jit` these are two kinds of input. (Beside the `def`, their tracers look the
    same and are listed once.) `traces` from `jaxintro.lens` counts the traces of a
    function, and its report says why each was needed.

    Predict: nine calls below. How many traces?
    """

    @jax.jit
    @traces
    def square(x):
        return x**2

    for number in numbers:
        real = square(jnp.float32(number))
        whole = square(jnp.int32(number))
        weak = square(number)

    report = square.traces
    count = report.count
    return real, whole, weak, count


def check_values_are_free_and_types_are_not():
    """There are three traces for three types, and none for a new value."""
    for numbers in ((3, 4, 5), (7, -2), (1,)):
        real, whole, weak, count = dtype_and_weak_type_trace_again(numbers)
        np.testing.assert_allclose(real, numbers[-1] ** 2, rtol=1e-6)
        assert whole == weak == numbers[-1] ** 2
        assert count == 3


def pure_calls_may_be_rearranged(xs=(2.0, 3.0, 2.0)):
    """However you call a pure function, it gives the same answers, up to rounding.

    A function is *pure* if the same input always gives the same output, and if it
    changes nothing outside itself. It is a function as in mathematics: the square of
    2 is 4, today and tomorrow. So a call may be replaced by the answer that it gave
    before: `functools.cache` of Python does this. And all calls may be made at once:
    `jax.vmap` does this, along the first axis of an array. JAX keeps
    traces and makes calls at once, and it trusts you that the function is pure.
    """

    def square(x):
        return x * x

    one_by_one = [square(x) for x in xs]
    remember = functools.cache(square)
    remembered = [remember(x) for x in xs]
    at_once = jax.vmap(square)(jnp.array(xs))
    return one_by_one, remembered, at_once


def check_pure_calls_agree():
    """One by one, remembered or all at once, a pure function gives the squares."""
    for xs in ((2.0, 3.0, 2.0), (0.0, -1.0, 0.5, 4.0)):
        for answers in pure_calls_may_be_rearranged(xs):
            np.testing.assert_allclose(answers, np.square(xs), rtol=1e-6)


def impure_calls_may_not(xs=(2.0, 3.0, 2.0)):
    """An impure function answers differently when its calls are made differently.

    This function adds the number of calls so far, which it keeps in a list outside.
    So it is not pure: it changes the list, and what it answers depends on the list.
    `calls.clear()` empties the list before each of the three ways.

    Predict: what does each of the three ways add to the squares 4, 9 and 4?
    """
    calls = []

    def square_plus_calls(x):
        calls.append("call")
        return x * x + len(calls)

    one_by_one = [square_plus_calls(x) for x in xs]
    calls.clear()
    remember = functools.cache(square_plus_calls)
    remembered = [remember(x) for x in xs]
    calls.clear()
    at_once = jax.vmap(square_plus_calls)(jnp.array(xs))
    return one_by_one, remembered, at_once


def check_impure_calls_do_not_agree():
    """One by one adds 1, 2, 3; a remembered answer repeats; all at once adds 1 each."""
    for xs in ((2.0, 3.0, 2.0), (5.0, 0.5, 5.0)):
        one_by_one, remembered, at_once = impure_calls_may_not(xs)
        np.testing.assert_allclose(one_by_one - np.square(xs), [1, 2, 3], rtol=1e-6)
        np.testing.assert_allclose(remembered - np.square(xs), [1, 2, 1], rtol=1e-6)
        np.testing.assert_allclose(at_once - np.square(xs), [1, 1, 1], rtol=1e-6)


def output_while_tracing(numbers=(1.0, 2.0, 3.0)):
    """`print` belongs to the trace; `jax.debug.print` belongs to the program.

    Python's `print` is no operation of JAX, so it is not in the compiled program.
    `jax.debug.print` is an operation that is written down: the program prints the
    number that takes the place of `{}`. (The `~` in the tracer below says that its type
    is weak.) The program may still be running when Python is at the next line;
    `jax.effects_barrier()` waits until everything is printed.

    Predict: three calls. How many lines come from `print`, and what do they show?
    """

    @jax.jit
    def double(x):
        print("print shows", x)
        jax.debug.print("jax.debug.print shows {}", x)
        return 2 * x

    doubled = [double(x) for x in numbers]
    jax.effects_barrier()
    return doubled


def check_output_happens_once():
    """`print` shows one tracer and no number; `jax.debug.print` shows every number."""
    for numbers in ((1.0, 2.0, 3.0), (0.5, 0.25)):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            doubled = output_while_tracing(numbers)
        first, *others = printed.getvalue().splitlines()
        assert "Tracer" in first
        assert sorted(others) == sorted(f"jax.debug.print shows {x}" for x in numbers)
        np.testing.assert_allclose(doubled, np.multiply(numbers, 2), rtol=1e-6)


def global_is_frozen(x=12, counter=10):
    """A variable outside the function is read while the function is traced.

    A tracer stands for the argument `x` only. `counter` is an ordinary Python number
    that Python looks up when it runs the line. The cure is to hand in as an argument
    whatever may change.

    Predict: `counter` becomes 1. What does `add_counter` make of 12 after that?
    """

    @jax.jit
    def add_counter(x):
        return x + counter

    before = add_counter(x)
    counter = 1
    after = add_counter(x)

    @jax.jit
    def add(x, counter):  # the cure: an argument
        return x + counter

    cured = add(x, counter)
    return before, after, cured


def check_the_old_value_is_used():
    """The compiled function goes on adding the old number; an argument has the new."""
    for x, counter in ((12, 10), (5, 7)):
        before, after, cured = global_is_frozen(x, counter)
        assert before == after == x + counter
        assert cured == x + 1


def new_dtype_reads_it_again(counter=10):
    """A new trace reads the variable again, so one function gives two answers.

    It is the same with a global variable of a file or of a notebook. The number 12 is
    an integer and 12.0 is a float. These are two dtypes, so the function is traced
    twice, and each trace keeps the value that it met.

    Myth: once frozen, the variable is never read again.
    """

    @jax.jit
    def add_counter(x):
        return x + counter

    first = add_counter(12)
    counter = 0
    whole = add_counter(12)
    real = add_counter(12.0)
    whole_again = add_counter(12)
    return first, whole, real, whole_again


def check_a_new_dtype_sees_the_new_value():
    """After the change, 12 still gets the old value, and 12.0 gets the new one."""
    for counter in (10, 7):
        first, whole, real, whole_again = new_dtype_reads_it_again(counter)
        assert first == whole == whole_again == 12 + counter
        np.testing.assert_allclose(real, 12.0, rtol=1e-6)


def random_numbers_frozen(seeds=(0, 1, 0)):
    """NumPy draws while tracing; JAX draws with a key, which is an argument.

    `rng.random()` is no operation on a tracer. Python draws one number in the trace,
    and this number becomes part of the program. `jax.random.uniform(key)` draws with a
    key, and here the key is an argument of the compiled function. Another key gives
    another number, and the same key gives the same one, as you know from prng_keys.
    """
    rng = np.random.default_rng(seed=0)

    @jax.jit
    def noisy(x):
        return x + rng.random()

    frozen = [noisy(0.0) for _ in seeds]

    @jax.jit
    def noisy_with_key(x, key):  # the cure
        return x + jax.random.uniform(key)

    keys = [jax.random.key(seed) for seed in seeds]
    drawn = [noisy_with_key(0.0, key) for key in keys]
    return frozen, drawn


def check_draws_and_keys():
    """These calls all give NumPy's first draw, and each key a number of its own."""
    first = np.random.default_rng(0).random()
    for seeds in ((0, 1, 0), (7, 8, 9, 8)):
        frozen, drawn = random_numbers_frozen(seeds)
        np.testing.assert_allclose(frozen, [first] * len(seeds), rtol=1e-6)
        assert len({float(number) for number in drawn}) == len(set(seeds))
        assert 0 <= min(drawn) < max(drawn) < 1


def iterator_is_read_once(numbers=(1, 2, 3, 4)):
    """An iterator does not work inside a compiled loop; an array does.

    `jax.lax.fori_loop(0, n, step, start)` is a compiled loop. It begins with `total =
    start`, and for i = 0, 1, … n − 1 it does `total = step(i, total)`. Python runs
    `step` only to trace it. So `next(iterator)` is called in the trace, and the number
    that it gave stands in the program. The array is read from outside as well, which
    does no harm, as nobody changes it. To take its item i is an operation that is
    written down.

    Predict: 1 + 2 + 3 + 4 is 10. What is the total with the iterator?
    """
    iterator = iter(numbers)
    n = len(numbers)

    def add_next(i, total):
        return total + next(iterator)

    wrong = jax.lax.fori_loop(0, n, add_next, 0)
    never_read = list(iterator)

    array = jnp.array(numbers)

    def add_item(i, total):  # the cure: an array
        return total + array[i]

    right = jax.lax.fori_loop(0, n, add_item, 0)
    return wrong, never_read, right


def check_the_first_number_is_added_each_time():
    """The loop adds the iterator's first number each time; the array gives the sum."""
    for numbers in ((1, 2, 3, 4), (5, -1, 7)):
        wrong, never_read, right = iterator_is_read_once(numbers)
        assert wrong == len(numbers) * numbers[0]
        assert never_read == list(numbers[1:])
        assert right == sum(numbers)


def list_collects_a_tracer(numbers=(1.0, 2.0, 3.0)):
    """A list outside a compiled function is filled while tracing.

    What is appended is what Python saw there. A tracer that is kept when its trace is
    over has *leaked*. Here it has no value that you could look up, and to compute with
    it raises `jax.errors.UnexpectedTracerError`.

    Predict: `half` calls `append`, and you call `half` three times. How many entries
    has the list?
    """
    seen = []

    @jax.jit
    def half(x):
        y = x / 2
        seen.append(y)
        return y

    returned = [half(x) for x in numbers]
    length = len(seen)
    kept = seen[0]
    try:
        kept + 1
    except jax.errors.UnexpectedTracerError as error:
        refused = error
    return returned, length, refused


def check_a_leaked_tracer_is_dead():
    """The list holds one tracer, which can't be used; what is returned arrives."""
    for numbers in ((1.0, 2.0, 3.0), (4.0, 0.5)):
        returned, length, refused = list_collects_a_tracer(numbers)
        np.testing.assert_allclose(returned, np.divide(numbers, 2), rtol=1e-6)
        assert length == 1
        assert type(refused).__name__ == "UnexpectedTracerError"
        assert "unexpected tracer" in str(refused)


def extra_outputs_are_returned(scores=(1.0, 2.0, 0.0), values=(3.0, 1.0, 2.0)):
    """What you want to look at later is returned, as one more result.

    This is the cure for the list. The function below takes a weighted mean of some
    values, where a higher score gives a higher weight. You want the mean, and you are
    curious about the weights. So return both, as a tuple. What comes back are arrays
    with numbers, and no tracers. (`jax.nn.softmax(scores)` gives these weights as
    well.)
    """

    @jax.jit
    def weighted_mean(scores, values):
        weights = jnp.exp(scores) / jnp.sum(jnp.exp(scores))
        mean = jnp.sum(weights * values)
        return mean, weights

    mean, weights = weighted_mean(jnp.array(scores), jnp.array(values))
    return mean, weights


def check_the_extra_output_arrives():
    """The weights are the exp(score), divided by their sum, and give the mean."""
    for scores, values in (
        ((1.0, 2.0, 0.0), (3.0, 1.0, 2.0)),
        ((0.0, 0.5), (-1.0, 4.0)),
    ):
        mean, weights = extra_outputs_are_returned(scores, values)
        expected = np.exp(scores) / np.sum(np.exp(scores))
        np.testing.assert_allclose(weights, expected, rtol=1e-5)
        np.testing.assert_allclose(mean, expected @ values, rtol=1e-5)


def argument_changed_in_place(w=3.0):
    """A pure function does not change its arguments; it returns new ones.

    To change an argument in place is a side effect too: the caller's dict changes. But
    a compiled function does not get the caller's dict. It is traced with a dict of its
    own, filled with tracers, and changes that one. `{**params, "w": …}` is a new dict
    with the entries of `params`, and with a new entry for "w". (In a dict that comes
    out of a compiled function, JAX has sorted the keys.)

    `mine` goes to the plain function, `yours` to the compiled one.
    """

    def halve(params):
        params["w"] = params["w"] / 2

    mine = {"w": w, "b": 1.0}
    yours = {"w": w, "b": 1.0}
    halve(mine)
    jax.jit(halve)(yours)
    my_w = mine["w"]
    your_w = yours["w"]

    @jax.jit
    def halved(params):  # the cure: a new dict
        new = {**params, "w": params["w"] / 2}
        return new

    new = halved(yours)
    return my_w, your_w, new


def check_a_dict_is_not_changed():
    """Only the plain call changes its dict; the cure returns a new dict with w / 2."""
    for w in (3.0, -8.0):
        my_w, your_w, new = argument_changed_in_place(w)
        assert (my_w, your_w) == (w / 2, w)
        np.testing.assert_allclose(new["w"], w / 2, rtol=1e-6)
        np.testing.assert_allclose(new["b"], 1.0, rtol=1e-6)


def new_array_inside(numbers=(1.0, 2.0, 3.0)):
    """An array is not changed either: `.at` makes a new one, under `jit` too.

    An array cannot be changed at all, as you know from
    numpy_parity, and a tracer refuses the assignment too. `x.at[0].set(0.0)` gives a
    new array, and the array of the caller stays as it was.
    """

    @jax.jit
    def clear_first_in_place(x):
        x[0] = 0.0
        return x

    @jax.jit
    def clear_first(x):  # the cure
        return x.at[0].set(0.0)

    x = jnp.array(numbers)
    try:
        clear_first_in_place(x)
    except TypeError as error:
        refused = error
    cleared = clear_first(x)
    return refused, cleared, x


def check_an_array_is_not_changed():
    """`x[0] = 0.0` is a TypeError; `.at` gives the new array and leaves x as it was."""
    for x in ((1.0, 2.0, 3.0), (-4.0, 0.5)):
        refused, cleared, kept = new_array_inside(x)
        assert type(refused).__name__ == "TypeError"
        assert "item assignment" in str(refused)
        np.testing.assert_array_equal(cleared, [0, *x[1:]])
        np.testing.assert_array_equal(kept, x)


def numpy_on_a_tracer(numbers=(0.5, 2.0)):
    """`np.sin` does not accept a tracer; `jnp.sin` does.

    `np.sin` asks the tracer for its numbers, and the tracer raises
    `jax.errors.TracerArrayConversionError`. The cure is the function of the same name
    in `jnp`: it is an operation that the tracer can write down. Some functions of NumPy
    do work, as `np.sum(x)`, which only calls `x.sum()`. Do not rely on it: use `jnp`.
    """

    @jax.jit
    def numpy_sine(x):
        return np.sin(x)

    @jax.jit
    def jax_sine(x):  # the cure
        return jnp.sin(x)

    x = jnp.array(numbers)
    try:
        numpy_sine(x)
    except jax.errors.TracerArrayConversionError as error:
        refused = error
    sine = jax_sine(x)
    return refused, sine


def check_numpy_refuses_a_tracer():
    """`np.sin` of a tracer is an error, and `jnp.sin` gives the sine."""
    for x in ((0.5, 2.0), (-1.0, 0.25, 3.0)):
        refused, sine = numpy_on_a_tracer(x)
        assert type(refused).__name__ == "TracerArrayConversionError"
        assert "__array__() was called" in str(refused)
        np.testing.assert_allclose(sine, np.sin(x), rtol=1e-5)


def counter_object_is_frozen(calls=3):
    """An object that counts its calls stops counting once it is compiled.

    `step` changes `self.count`. That is a side effect, so it happens in the trace. The
    number that `step` returned in the trace is part of the program, and every call
    gives this number again.
    """

    class Counter:
        def __init__(self):
            self.count = 0

        def step(self):
            self.count = self.count + 1
            return self.count

    plain = Counter()
    right = [plain.step() for _ in range(calls)]

    compiled = Counter()
    step = jax.jit(compiled.step)
    wrong = [step() for _ in range(calls)]
    return right, wrong


def check_a_compiled_counter_stands_still():
    """Plain Python counts 1, 2, 3; the compiled method gives 1 at every call."""
    for calls in (3, 5):
        right, wrong = counter_object_is_frozen(calls)
        assert right == list(range(1, calls + 1))
        assert wrong == [1] * calls


def counter_as_a_function(calls=3):
    """State goes in as an argument and comes out as a result.

    *State* is what an object remembers from one call to the next: here the count. A
    pure function cannot remember. So it takes the old state and returns the new state
    beside its value: (state) → (state, value). The caller keeps the state and hands it
    in again. You know this form from `key, subkey = jax.random.split(key)`.
    """

    @jax.jit
    def step(count):
        value = 10 * count
        return count + 1, value

    count = 0
    values = []
    for _ in range(calls):
        count, value = step(count)
        values.append(value)
    return count, values


def check_the_state_moves_on():
    """Compiled, the state counts on, and a value is 10 times the count before."""
    for calls in (3, 5):
        count, values = counter_as_a_function(calls)
        assert count == calls
        assert values == list(range(0, 10 * calls, 10))


def memory_in_an_object(numbers=(2.0, 3.0, 1.0, 4.0)):
    """An object that adds up its inputs forgets them once it is compiled.

    The method is traced when `self.total` is 0. So the program computes 0 + x, and it
    answers each number as if it were the first. After the trace `self.total` holds a
    tracer (a `jax.core.Tracer`): an object leaks in the same way as a list.
    """
    import matplotlib.pyplot as plt

    class RunningTotal:
        def __init__(self):
            self.total = 0.0

        def add(self, x):
            self.total = self.total + x
            return self.total

    plain = RunningTotal()
    right = [plain.add(x) for x in numbers]

    compiled = RunningTotal()
    add = jax.jit(compiled.add)
    wrong = [add(x) for x in numbers]
    leaked = isinstance(compiled.total, jax.core.Tracer)

    _, axes = plt.subplots()
    axes.plot(right, "o-", label="plain Python")
    axes.plot(wrong, "o-", label="compiled method")
    axes.set(title="A running total", xlabel="call", ylabel="total")
    axes.legend()
    return axes, right, wrong, leaked


def check_a_compiled_method_forgets():
    """In plain Python the totals add up; compiled, each total is its input alone."""
    for numbers in ((2.0, 3.0, 1.0, 4.0), (0.5, -2.0)):
        axes, right, wrong, leaked = memory_in_an_object(numbers)
        np.testing.assert_allclose(right, np.cumsum(numbers), rtol=1e-6)
        np.testing.assert_allclose(wrong, numbers, rtol=1e-6)
        drawn = [line.get_ydata() for line in axes.lines]
        np.testing.assert_allclose(drawn, [np.cumsum(numbers), numbers], rtol=1e-6)
        assert leaked is True


def state_over_time(numbers=(2.0, 3.0, 1.0, 4.0)):
    """`scan` hands the state from one step to the next, in one compiled loop.

    `jax.lax.scan(step, start, xs)` gives what a loop gives that calls `step(state, x)`
    for each x in `xs`. The function returns two things: the new state, which is handed
    on and is called the *carry*, and an output. Python runs it only to trace it. At the
    end `scan` gives you the last carry, and all outputs, stacked. Here the carry is the
    total so far.
    """

    def add(total, x):
        total = total + x
        return total, 10 * total

    start = jnp.array(0.0)
    xs = jnp.array(numbers)
    last, outputs = jax.lax.scan(add, start, xs)
    return last, outputs


def check_scan_is_a_running_total():
    """The outputs are 10 times the running totals; the last carry is the sum of all."""
    for numbers in ((2.0, 3.0, 1.0, 4.0), (0.5, -2.0)):
        last, outputs = state_over_time(numbers)
        np.testing.assert_allclose(outputs, 10 * np.cumsum(numbers), rtol=1e-6)
        np.testing.assert_allclose(last, np.sum(numbers), rtol=1e-6)


def recurrent_network(inputs=(1.0, 0.0, -1.0), w_x=0.5, w_h=0.9, w_o=1.5):
    """A network with a memory is a function: (params, h, x) → (h, y).

    A *recurrent network* reads its inputs one after the other and keeps a memory h: h
    becomes tanh(w_x·x + w_h·h), and its output is y = tanh(w_o·h). In a class, h would
    be `self.h`. Here the old h is an argument and the new h is a result, so h can be
    the carry of `scan`. `functools.partial(cell, params)` is Python's way to fix the
    first argument: a function of h and x is left, as `scan` wants it. (Beside the
    `def`, an argument that is not listed came in as it is, and not as a tracer: here
    `params`.)
    """
    params = {"x": w_x, "h": w_h, "o": w_o}

    def cell(params, h, x):
        h = jnp.tanh(params["x"] * x + params["h"] * h)
        y = jnp.tanh(params["o"] * h)
        return h, y

    start = jnp.array(0.0)
    xs = jnp.array(inputs)
    with_params = functools.partial(cell, params)
    last_h, outputs = jax.lax.scan(with_params, start, xs)
    return last_h, outputs


def check_the_pure_step_remembers():
    """`scan` gives what the two formulas give in a plain loop, step by step."""
    for inputs in ((1.0, 0.0, -1.0), (0.5, 2.0)):
        last_h, outputs = recurrent_network(inputs)
        h, expected = 0.0, []
        for x in inputs:
            h = np.tanh(0.5 * x + 0.9 * h)
            expected.append(np.tanh(1.5 * h))
        np.testing.assert_allclose(outputs, expected, rtol=1e-5)
        np.testing.assert_allclose(last_h, h, rtol=1e-5)


def changes_kept_inside(x=2.0, n=5):
    """What a function makes and uses up inside may change: nobody else can see it.

    A list that is made in the function is new in each trace, and it is gone when the
    function returns. It may hold tracers, because its life ends with the trace.
    `jnp.stack` makes one array of its entries.

    Myth: in a pure function no list may grow and no variable may change.
    """

    @jax.jit
    def powers(x):
        power = x
        table = [power]
        for _ in range(n - 1):
            power = power * x
            table.append(power)
        return jnp.stack(table)

    first = powers(x)
    second = powers(x + 1)
    return first, second


def check_the_list_inside_does_no_harm():
    """Although a list grows inside, each call gives the powers of its own x."""
    for x, n in ((2.0, 5), (-0.5, 3)):
        first, second = changes_kept_inside(x, n)
        np.testing.assert_allclose(first, x ** np.arange(1, n + 1), rtol=1e-6)
        np.testing.assert_allclose(second, (x + 1) ** np.arange(1, n + 1), rtol=1e-6)


def hidden_argument_is_a_constant(weights=(1.0, 2.0, 4.0)):
    """A layer that holds its weights hides them from JAX.

    `layer.apply` computes Σ w·x. Its argument is x alone, because w is in the object.
    In the first line of the jaxpr, the inputs stand between the semicolon and `let`.
    There is one, x. (What stands in brackets after `reduce_sum` can wait.) An array
    before the semicolon is a *constant*: the program keeps the numbers that w had in
    the trace, as it kept the value of `counter`. When the layer gets new weights, ten
    times as large, the compiled method does not see them.
    Nor does a second `jax.jit(layer.apply)`, as long as the first one exists.
    """
    w = jnp.array(weights)
    x = jnp.arange(len(w), dtype="float32")

    class Layer:
        def __init__(self, w):
            self.w = w

        def apply(self, x):
            return jnp.sum(self.w * x)

    layer = Layer(w)
    jaxpr = jax.make_jaxpr(layer.apply)(x)
    compiled = jax.jit(layer.apply)
    before = compiled(x)
    layer.w = 10 * w
    after = compiled(x)
    return jaxpr, before, after


def check_hidden_weights_are_frozen():
    """The only input is x, and the new weights are not seen: it stays at Σ w·x."""
    for w in ((1.0, 2.0, 4.0), (0.5, -4.0)):
        jaxpr, *answers = hidden_argument_is_a_constant(w)
        inputs = str(jaxpr).split("let")[0].split(";")[1]
        assert inputs.count(f"[{len(w)}]") == 1
        expected = np.dot(w, np.arange(len(w)))
        np.testing.assert_allclose(answers, [expected] * 2, rtol=1e-6)


def layer_is_data(weights=(1.0, 2.0, 4.0)):
    """A layer is data, its weights, and a function of this data.

    `apply` takes the weights as an argument. So the jaxpr has two inputs, w and x, and
    the compiled function sees whatever weights you hand it. Weights of the same shape
    and type need no new trace. Later you will also need this for `jax.grad`: it takes
    slopes along arguments.
    """
    w = jnp.array(weights)
    x = jnp.arange(len(w), dtype="float32")

    def apply(w, x):
        return jnp.sum(w * x)

    jaxpr = jax.make_jaxpr(apply)(w, x)
    compiled = jax.jit(apply)
    before = compiled(w, x)
    after = compiled(10 * w, x)
    return jaxpr, before, after


def check_weights_as_an_argument_are_seen():
    """There are two inputs; Σ w·x is what the object gave, and new weights are seen."""
    for w in ((1.0, 2.0, 4.0), (0.5, -4.0)):
        jaxpr, before, after = layer_is_data(w)
        inputs = str(jaxpr).split("let")[0].split(";")[1]
        assert inputs.count(f"[{len(w)}]") == 2
        expected = np.dot(w, np.arange(len(w)))
        np.testing.assert_allclose([before, after], [expected, 10 * expected], 1e-6)


def parameters_in_a_pytree(b=0.5, factor=0.5):
    """All parameters of a model go into one argument, a pytree.

    A *pytree* is a container of arrays and numbers: a dict, a list or a tuple, or
    containers in containers. The arrays and numbers in it are its *leaves*.
    `jax.tree.map(f, tree)` applies f to each leaf, and gives a new pytree of the same
    form. Here it shrinks every parameter.
    """
    params = {"w": jnp.array([1.0, 2.0]), "b": jnp.array(b)}
    x = jnp.array([3.0, 4.0])

    @jax.jit
    def apply(params, x):
        return jnp.sum(params["w"] * x) + params["b"]

    before = apply(params, x)

    def shrink(leaf):
        return factor * leaf

    params = jax.tree.map(shrink, params)
    after = apply(params, x)
    return before, params, after


def check_new_parameters_are_seen():
    """Every leaf is multiplied by the factor, and so is the answer 1·3 + 2·4 + b."""
    for b, factor in ((0.5, 0.5), (-1.0, 3.0)):
        before, params, after = parameters_in_a_pytree(b, factor)
        np.testing.assert_allclose(before, 11 + b, rtol=1e-6)
        np.testing.assert_allclose(params["w"], [factor, 2 * factor], rtol=1e-6)
        np.testing.assert_allclose(params["b"], factor * b, rtol=1e-6)
        np.testing.assert_allclose(after, factor * (11 + b), rtol=1e-6)


def audit_finds_what_is_impure(x=1.0):
    """`audit` finds side effects in a function, and names the cure of each.

    The function `noisy` makes three of the mistakes of this lesson. `audit` from
    `jaxintro.lens` takes a function and its arguments. Each finding has a `kind`, and
    says what happens under `jit` and what to do instead. (It counts lines from the top
    of the file that holds the function. *Closed-over* is said of a variable outside the
    function that the function uses.) In `noisy_with_key` none of the three is left.
    When a compiled function of yours behaves strangely, begin with this. It does not
    find everything: hidden weights, as in `layer.apply` above, and an outer number that
    is read in the trace, as `counter` was, are no finding.

    What you can do with a pure function is the subject of the next lessons: take its
    gradient (grad), run it on a batch (vmap), and compile it well (jit).
    """
    log = []
    rng = np.random.default_rng(seed=0)

    def noisy(x):
        print("noisy was called")
        log.append(x)
        return x + rng.random()

    report = audit(noisy, x)
    kinds = [finding.kind for finding in report]

    def noisy_with_key(x, key):
        noise = jax.random.uniform(key)
        return x + noise, noise

    cured = audit(noisy_with_key, x, jax.random.key(0))
    left = len(cured)
    return kinds, left


def check_each_mistake_is_found():
    """`audit` finds the three mistakes in `noisy`, and nothing in the pure form."""
    for x in (1.0, 2.5):
        kinds, left = audit_finds_what_is_impure(x)
        assert kinds == ["output", "leaked tracer", "randomness"]
        assert left == 0
