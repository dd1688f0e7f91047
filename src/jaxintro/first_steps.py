"""First steps: what JAX is for, in half an hour.

JAX looks like NumPy, and it can also turn functions that you write into other ones: a
function into the function of its slope, a function for one thing into a function for
many things, a function into a compiled one, which is often faster. All of this works on
a CPU, a GPU or a TPU, with the same code. You need to know Python, NumPy, and what the
slope of a curve is. Beside each line of code stands what it gave just now, on your
machine. A question mark asks you to guess before you read on. A ✓ marks a sentence that
was proved just now.
"""

import inspect

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import explain, follow, race

ORDER = 0  # the lessons after this one stand in steps of ten


def arrays_are_made_as_in_numpy(numbers=(1.0, 2.0, 3.0)):
    """A JAX array is made and used like a NumPy array.

    `jax.numpy` has most functions of NumPy, under the same names. It is usually
    imported as `jnp`. The arrays that it makes are of the type `jax.Array`.

    Beside a line you see the values of an array, then the type of its numbers and, in
    brackets, its shape; `1.` is 1.0. Empty brackets stand for a single number. The type
    of a NumPy array begins with `np.` here. The numbers of JAX have 32 bits where those
    of NumPy have 64; the next lesson says why.

    The name of a section stands beside its heading, below it, or above its code.
    """
    a = np.array(numbers)
    x = jnp.array(numbers)
    is_jax_array = isinstance(x, jax.Array)
    y = 10 * x + jnp.sum(x)
    return a, x, is_jax_array, y


def check_arrays_compute_as_in_numpy():
    """Both arrays hold the same numbers, and JAX computes with them as NumPy does."""
    for numbers in ((1.0, 2.0, 3.0), (0.5, -4.0)):
        a, x, _, y = arrays_are_made_as_in_numpy(numbers)
        np.testing.assert_array_equal(a, numbers)
        np.testing.assert_array_equal(x, numbers)
        np.testing.assert_allclose(y, 10 * np.array(numbers) + sum(numbers), rtol=1e-6)


def check_a_jax_array_has_32_bits():
    """`jnp.array` makes a `jax.Array` with 32 bits a number, where NumPy has 64."""
    a, x, is_jax_array, _ = arrays_are_made_as_in_numpy()
    assert is_jax_array
    assert (8 * a.itemsize, 8 * x.itemsize) == (64, 32)


def slope_of_a_square(x=3.0):
    """`jax.grad` turns a function into the function of its slope.

    The slope says how fast the result grows when x grows. `jax.grad(square)` is not yet
    a number. It is a new function: call it with an x, and it returns the slope there.
    You do not write down a formula for the slope. JAX finds the slope by following what
    `square` does. Write 3.0 and not 3: JAX takes slopes at floats, not at integers.

    Inside `square` the page shows *a tracer* where you may expect a number. This is
    what JAX puts in place of x in order to follow it. Beside the `def`, "ran once"
    says how often Python went through the lines below.

    Predict: what is the slope of x² at x = 3?
    """

    def square(x):
        return x**2

    slope = jax.grad(square)
    return slope(x)


def check_slope_is_twice_x():
    """The slope of x² at x is 2x."""
    for x in (3.0, 0.0, -2.5):
        np.testing.assert_allclose(slope_of_a_square(x), 2 * x, rtol=1e-6)


def distance_from_three(x):
    """The squared differences of the numbers in x from 3, added up."""
    return jnp.sum((x - 3) ** 2)


def a_slope_for_each_number(numbers=(1.0, 2.0, 5.0)):
    """A function of many numbers has a slope for each of them: the gradient.

    `distance_from_three` takes an array and returns one number, as `jax.grad` demands.
    Its gradient is an array of the same shape as x. Each entry answers one question: if
    only this number of x grows a little, how fast does the result grow? A negative
    slope means that the result gets smaller.

    Predict: for which of the numbers 1, 2 and 5 is the slope negative?
    """
    x = jnp.array(numbers)
    gradient = jax.grad(distance_from_three)(x)
    return gradient


def check_gradient_is_twice_the_difference():
    """The slope for each number of x is twice its difference from 3."""
    for numbers in ((1.0, 2.0, 5.0), (3.0, -7.5)):
        expected = 2 * (np.array(numbers) - 3)
        found = a_slope_for_each_number(numbers)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def a_step_against_the_gradient(numbers=(1.0, 2.0, 5.0), size=0.25):
    """Where the gradient is not 0, a small step against it makes the result smaller.

    The gradient says how the result grows. If you subtract a part of the gradient from
    x, here a quarter, the result gets smaller. This step halves each difference from 3,
    and a quarter is left of the squares. Doing this again and again is called *gradient
    descent*. This is how neural networks learn, and how the last section of this lesson
    fits a straight line to points.

    A large step goes too far, and the result may grow. Try a step of 1.5: a section can
    be run alone, by its name, and with other arguments in brackets: `python -m
    jaxintro.lesson "first_steps.a_step_against_the_gradient(size=1.5)"`.
    """
    x = jnp.array(numbers)
    before = distance_from_three(x)
    x = x - size * jax.grad(distance_from_three)(x)
    after = distance_from_three(x)
    return before, after


def check_a_step_shrinks_the_distance():
    """A step of 0.25 leaves a quarter of the result; one of 1.5 makes it larger."""
    for size in (0.25, 1.5):
        before, after = a_step_against_the_gradient((1.0, 2.0, 5.0), size)
        np.testing.assert_allclose(before, 2**2 + 1**2 + 2**2, rtol=1e-6)
        # each difference from 3 is multiplied by 1 - 2 * size
        np.testing.assert_allclose(after, 9 * (1 - 2 * size) ** 2, rtol=1e-6)


def written_for_one_used_for_many(arrows=((3.0, 4.0), (6.0, 8.0), (5.0, 12.0))):
    """`jax.vmap` turns a function for one thing into a function for many.

    `length` is written for one arrow, which is given by two numbers. `table` holds
    three arrows, one in each row. `jax.vmap(length)` is a new function. It takes the
    table, applies `length` to each row, and returns an array with a length for each.

    Several values beside one line mean that the line ran several times, and they stand
    in the order of the runs. Python runs `length` three times: for `one`, for `whole`,
    and for `each`. Only the last of these runs is on a tracer, and beside the `def` you
    see which: it has the shape of one row and stands for all three rows. There is no
    loop.

    Predict: what does `length` return for the whole table without `jax.vmap`: three
    lengths, one number, or an error?
    """
    table = jnp.array(arrows)

    def length(arrow):
        return jnp.sqrt(jnp.sum(arrow**2))

    one = length(table[0])
    whole = length(table)
    each = jax.vmap(length)(table)
    return one, whole, each


def check_each_arrow_has_its_length():
    """With `jax.vmap` each arrow gets its length √(x² + y²)."""
    for arrows in (((3.0, 4.0), (6.0, 8.0), (5.0, 12.0)), ((1.0, 1.0), (0.0, 2.0))):
        one, _, each = written_for_one_used_for_many(arrows)
        expected = [np.hypot(x, y) for x, y in arrows]
        np.testing.assert_allclose(each, expected, rtol=1e-6)
        np.testing.assert_allclose(one, expected[0], rtol=1e-6)


def check_without_vmap_all_arrows_are_mixed():
    """Without it, all six numbers go into one sum, and no error is raised."""
    _, whole, _ = written_for_one_used_for_many()
    np.testing.assert_allclose(whole, np.sqrt(5**2 + 10**2 + 13**2), rtol=1e-6)


def random_numbers_need_a_key(seed=0):
    """JAX draws random numbers with a key, and you pass the key in.

    You make a key from a whole number, the seed, with `jax.random.key`. Beside that
    line stands the type of the key, `key<fry>`, and then the two numbers that it holds.
    `jax.random.normal(key, (3,))` draws three numbers with the key. NumPy needs no key,
    because its generator keeps a hidden state. The lesson prng_keys shows how to make
    many keys of one.

    Predict: `first` and `second` are drawn with the same key. Are they equal?
    """
    key = jax.random.key(seed)
    first = jax.random.normal(key, (3,))
    second = jax.random.normal(key, (3,))

    other_key = jax.random.key(seed + 1)
    third = jax.random.normal(other_key, (3,))
    return first, second, third


def check_same_key_same_numbers():
    """The same key gives the same numbers, and another key gives other numbers."""
    for seed in (0, 1, 2024):
        first, second, third = random_numbers_need_a_key(seed)
        assert np.shape(first) == np.shape(third) == (3,)
        np.testing.assert_array_equal(first, second)
        assert not np.any(np.equal(first, third))
        next_first, _, _ = random_numbers_need_a_key(seed + 1)
        np.testing.assert_array_equal(third, next_first)


def compiled_gives_the_same(x=0.5):
    """`jax.jit` turns a function into a compiled one.

    To compile means to translate into a program for the processor of your machine.
    `jax.jit(bell)` returns the compiled `bell`. You can also write `@jax.jit` above the
    `def` of a function. Then its name stands for the compiled function from the start.
    A compiled function may round at other places. So its results can differ in the last
    digits.

    The last line of `bell` ran twice: with a number, and then with a tracer, when
    `bell` was compiled.
    """

    def bell(x):
        return jnp.exp(-x * x)

    @jax.jit
    def decorated(x):
        return jnp.exp(-x * x)

    compiled = jax.jit(bell)
    y = bell(x)
    y_compiled = compiled(x)
    y_decorated = decorated(x)
    return y, y_compiled, y_decorated


def check_all_three_are_the_bell_curve():
    """Plain, compiled by a call and compiled by a decorator, all three give e^(−x²)."""
    for x in (0.5, 0.0, -1.5):
        expected = [np.exp(-x * x)] * 3
        np.testing.assert_allclose(compiled_gives_the_same(x), expected, rtol=1e-6)


def smooth_step(t):
    """A curve that rises from 0 to 1 and is flat at both ends."""
    return t * t * t * (10 - 15 * t + 6 * t * t)


def a_million_numbers(count=1_000_000, seconds=0.3):
    """`race` shows how much faster a compiled function is.

    `race` is a tool of this course. It takes a dict with a name for each function. It
    calls the functions in turn, again and again, and measures how long a call takes. It
    refuses to time functions whose results differ by more than rounding can explain.
    Here `smooth_step` gets a million numbers. The page shows the first and the last of
    them, and three dots for those between.

    The fastest function stands first in the table. `a call` is the time of one call.
    `first call` is the time of the first one in the race. A `ratio` of 5 means: 5 times
    as long as the fastest. `99% sure` gives bounds for the ratio, and they are wide if
    the machine is busy. The `def` says "ran in a tool": the many runs inside the race
    are neither counted nor shown.

    Predict: how many times as fast as the plain function is the compiled one: about
    twice, about ten times, or more?
    """
    t = jnp.linspace(0, 1, count)
    compiled = jax.jit(smooth_step)
    y = smooth_step(t)
    y_compiled = compiled(t)
    timed = race(
        {
            "plain": lambda: smooth_step(t),
            "compiled": lambda: compiled(t),
        },
        seconds=seconds,
    )
    return y, y_compiled, timed


def check_the_race_is_between_equals():
    """Both functions of the race give 10t³ − 15t⁴ + 6t⁵."""
    y, y_compiled, timed = a_million_numbers(count=1_000, seconds=0.01)
    t = np.linspace(0, 1, 1_000)
    expected = 10 * t**3 - 15 * t**4 + 6 * t**5
    np.testing.assert_allclose(y, expected, rtol=1e-5)
    np.testing.assert_allclose(y_compiled, expected, rtol=1e-5)
    assert timed.checked  # the race has compared the results of both


def python_runs_on_a_tracer(x=3.0):
    """To compile a function, JAX runs it with a stand-in instead of numbers.

    The stand-in is a *tracer*. That of `jax.jit` knows its shape and its type, but it
    has no value, as there is no number yet. JAX writes down each operation that is done
    with it. This is called *tracing*. What was written down is then compiled, and the
    compiled program gets the numbers. Below, the list `runs` grows each time when
    Python runs the lines of `half`. Beside the `def` the page counts the runs, too, and
    also the calls where there were more calls than runs. An argument of another shape
    or kind would make Python run them once more, as the lesson jit shows.

    After `Myth:` stands what many people believe, and what is wrong.

    Predict: `half` is called three times. How often does Python run its lines?

    Myth: `jax.jit` makes Python run your lines faster.
    """
    runs = []

    @jax.jit
    def half(x):
        runs.append("Python was here")
        return x / 2

    a = half(x)
    b = half(10.0)
    c = half(-8.0)
    times = len(runs)
    return a, b, c, times


def check_python_ran_once():
    """Python ran the lines of `half` once, and yet each call gave its own half."""
    for x in (3.0, -0.5):
        a, b, c, times = python_runs_on_a_tracer(x)
        np.testing.assert_allclose([a, b, c], [x / 2, 5, -4], rtol=1e-6)
        assert times == 1


def an_if_needs_a_value(x=-3.0):
    """When a function is compiled, an `if` on a tracer is an error.

    Python must know which way to go, and a stand-in without a value cannot tell. So the
    first function that you compile yourself may fail with a
    `jax.errors.TracerBoolConversionError`. `jax.grad` alone has no trouble with the
    same `if`: it computes with the number that you pass in, and its tracer carries that
    number along. The name `refused` keeps the error, so that the ✓ below can look at
    it.

    `jnp.where(x > 0, x, -x)` needs no such decision: it computes both, and takes x
    where x > 0, and −x elsewhere. The lesson shapes_and_branches is about this.
    """

    def size(x):
        if x > 0:
            return x
        return -x

    slope = jax.grad(size)(x)
    compiled = jax.jit(size)
    try:
        compiled(x)
    except jax.errors.TracerBoolConversionError as error:
        refused = error

    @jax.jit
    def size_by_where(x):
        return jnp.where(x > 0, x, -x)

    y = size_by_where(x)
    return slope, refused, y


def check_where_finds_the_size():
    """Compiled, the `if` is an error, and `jnp.where` gives the size of the number."""
    for x in (-3.0, 0.5):
        slope, refused, y = an_if_needs_a_value(x)
        assert slope == (1 if x > 0 else -1)
        assert "bool" in str(refused)
        np.testing.assert_allclose(y, abs(x), rtol=1e-6)


def the_program_that_jax_writes_down(t=0.5):
    """What JAX writes down while tracing is a small program, the jaxpr.

    `jax.make_jaxpr(smooth_step)` is a function that traces `smooth_step` and returns
    its jaxpr. Read it from top to bottom. `lambda ; a:f32[]` says that there is one
    argument, called a. (Before the `;` arrays from outside would stand; here there are
    none.) `f32` is short for float32, and the empty brackets mean a single number.
    After `let`, each line here is one equation: it gives a new name and a type to the
    result of one operation. The operations `mul`, `sub` and `add` are ×, − and +, and
    `10.0:f32[]` is the number 10 with its type. After `in` stands what is returned.
    `jaxpr.eqns` is the list of the equations.

    Predict: count the ×, − and + in `smooth_step`. How many equations will there be?
    """
    jaxpr = jax.make_jaxpr(smooth_step)(t)
    equations = len(jaxpr.eqns)
    return jaxpr, equations


def check_an_equation_for_each_operation():
    """The jaxpr has an equation for each ×, − and + that stands in `smooth_step`."""
    jaxpr, equations = the_program_that_jax_writes_down()
    formula = inspect.getsource(smooth_step).splitlines()[-1]
    assert equations == sum(map(formula.count, "*-+"))
    for name, sign in (("mul", "*"), ("sub", "-"), ("add", "+")):
        assert str(jaxpr).count(f" {name} ") == formula.count(sign)


def operations_and_kernels(count=1_000_000):
    """`explain` shows what the compiler made of the operations of a function.

    Here is a part of the reason why the compiled function won the race. A *kernel* is a
    piece of machine code that reads arrays from memory, computes, and writes an array
    back. Without `jax.jit`, each ×, − and + here is a kernel of its own, and each goes
    through the million numbers once more. A compiler can join them.

    `explain` is a tool of this course, too. In its report, look at the line `compiled`.
    First it says how many kernels the compiled function has. Then, after the words "run
    op by op", it says how many there are without `jax.jit`. `report.kernels` and
    `report.eager_kernels` are the same two numbers. The other lines can wait.

    Predict: there are eight operations. How many kernels are left when they are joined?
    """
    t = jnp.linspace(0, 1, count)
    report = explain(smooth_step, t)
    kernels = report.kernels
    without_jit = report.eager_kernels
    return kernels, without_jit


def check_eight_kernels_become_one():
    """Compiled, it is one kernel; without `jax.jit`, one for each ×, − and +."""
    formula = inspect.getsource(smooth_step).splitlines()[-1]
    operations = sum(map(formula.count, "*-+"))
    assert operations_and_kernels(count=1_000) == (1, operations)


def transformations_combine(count=41):
    """`jax.grad`, `jax.vmap` and `jax.jit` can be combined.

    Each of them takes a function and returns a function. That is why they are called
    *transformations*, and why the result of one can be given to the next. Here
    `jax.grad` makes a function for the slope at one t. `jax.vmap` makes of it a
    function for the slopes at many t, and `jax.jit` compiles that.

    Predict: `smooth_step` is flat at both ends. Where is its slope the largest?
    """
    import matplotlib.pyplot as plt

    slope = jax.grad(smooth_step)
    slopes = jax.jit(jax.vmap(slope))
    t = jnp.linspace(0, 1, count)

    _, axes = plt.subplots()
    axes.plot(t, smooth_step(t), label="smooth step")
    axes.plot(t, slopes(t), label="its slope")
    axes.set_xlabel("t")
    axes.set_title("The smooth step and its slope")
    axes.legend()
    return axes


def check_slopes_of_the_smooth_step():
    """The slope of `smooth_step` at t is 30t²(1 − t)²."""
    curve, slopes = transformations_combine(count=8).lines
    t = np.linspace(0, 1, 8)
    expected = 10 * t**3 - 15 * t**4 + 6 * t**5
    np.testing.assert_allclose(curve.get_ydata(), expected, rtol=1e-5)
    # near t = 1, a small slope is the difference of two numbers near 3
    expected = 30 * t**2 * (1 - t) ** 2
    np.testing.assert_allclose(slopes.get_ydata(), expected, atol=5e-6)


def follow_shows_each_line(x=2.0):
    """`follow` shows what each line of a function of yours gave.

    `root` looks for the square root of x: five times, it takes the mean of y and x / y.
    `follow(root, x)` calls `root` once and shows its code with a value beside each
    line, as this page does. Use it when you want to see what your own function does.

    The line in the loop has a value for each turn. The page shows the first ones, three
    dots for those between, the last one, and in brackets how often the line ran. What
    is the same in every turn stands there once. After the reports, the last line shows
    both results.

    Predict: what will stand beside the lines when `jax.jit(root)` is followed?
    """

    def root(x):
        y = x
        for _ in range(5):
            y = (y + x / y) / 2
        return y

    plain = follow(root, x)
    compiled = follow(jax.jit(root), x)
    return plain.result, compiled.result


def check_both_find_the_square_root():
    """Plain and compiled, five turns find √2 to six digits; √10000 needs more turns."""
    for x in (2.0, 3.0, 0.5):
        results = follow_shows_each_line(x)
        np.testing.assert_allclose(results, [np.sqrt(x)] * 2, rtol=1e-6)
    assert min(follow_shows_each_line(10_000.0)) > 3 * np.sqrt(10_000)


def a_straight_line(seed=0, steps=40):
    """Loss, gradient, step, loop: this is how JAX fits a straight line to points.

    We make 50 points near the line 2x + 1, and then pretend not to know the 2 and the
    1. `line` holds two numbers in their place, and both start at 0. `loss` says how
    badly they fit: it is the mean of the squared differences between the line and the
    points. The line with the smallest loss is called the line of *least squares*. NumPy
    has a function for it, `np.polyfit`. Here we find it with gradients.

    In each step, `jax.grad(loss)` gives a slope for each number of the first argument,
    `line`, while x and y stay as they are. Half of this gradient is subtracted. Beside
    the line in the loop stand the first values and the last, and how many the page
    leaves out between them. The height is found in the first step. The steepness of the
    line needs more steps: each corrects about a third of what is missing.

    You have now seen what JAX is for. The next lesson, numpy_parity, looks closely at
    its arrays.

    Predict: the points are noisy. Will the two numbers end exactly at 2 and 1?
    """
    import matplotlib.pyplot as plt

    noise = jax.random.normal(jax.random.key(seed), (50,))
    x = jnp.linspace(-1, 1, 50)
    y = 2 * x + 1 + 0.3 * noise

    def loss(line, x, y):
        steepness, height = line
        return jnp.mean((steepness * x + height - y) ** 2)

    @jax.jit
    def step(line, x, y):
        return line - 0.5 * jax.grad(loss)(line, x, y)

    line = jnp.array([0.0, 0.0])
    for _ in range(steps):
        line = step(line, x, y)
    numpys_line = np.polyfit(x, y, 1)

    _, axes = plt.subplots()
    axes.plot(x, line[0] * x + line[1], label="fitted line")
    axes.plot(x, y, "o", label="points")
    axes.set_xlabel("x")
    axes.set_title("A straight line through 50 noisy points")
    axes.legend()
    return line, numpys_line, axes


def check_steps_end_at_least_squares():
    """The steps end at the line of least squares, the same that `np.polyfit` finds."""
    for seed in (0, 1):
        line, numpys_line, axes = a_straight_line(seed)
        fitted, points = axes.lines
        x, y = np.float64(points.get_data())
        expected = np.polyfit(x, y, 1)
        np.testing.assert_allclose(line, expected, rtol=1e-5)
        np.testing.assert_allclose(numpys_line, expected, rtol=1e-6)
        np.testing.assert_allclose(fitted.get_ydata(), np.polyval(expected, x), 1e-5)
