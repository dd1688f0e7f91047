"""Batches: write it for one example, get it for many.

You write a function of one example. `jax.vmap` returns a function of a whole batch, and
your function stays as it is. Instead of looping, `vmap` replaces almost every operation
by one, or by a few, that work on the whole batch. After this lesson you can batch
layers, losses and gradients, say which axis is the batch, and read the errors of
batches that do not fit. Read first: prng_keys, grad and derivatives.
"""

from contextlib import redirect_stdout
from functools import partial
from io import StringIO

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import explain, race

ORDER = 80


def three_ways_to_a_batch(points=((3.0, 4.0), (5.0, 12.0), (8.0, 15.0))):
    """A loop, a batch by hand and `jax.vmap` give the same numbers.

    A *batch* is an array of examples, stacked along one axis. Here each example is a
    point, and `length` is written for one point.

    For a batch of points you can loop in Python. You can rewrite the function by hand:
    find each sum in it and add `axis=1`. Or you can leave `length` as it is, and
    `jax.vmap(length)` is a function of a whole batch. The name stands for *vectorizing
    map*.
    """

    def length(point):
        return jnp.sqrt(jnp.sum(point**2))

    batch = jnp.array(points)
    loop = jnp.stack([length(point) for point in batch])
    by_hand = jnp.sqrt(jnp.sum(batch**2, axis=1))
    vmapped = jax.vmap(length)(batch)
    return loop, by_hand, vmapped


def check_three_ways_agree():
    """The loop, the batch by hand and `vmap` all give √(x² + y²) for each point."""
    for points in (
        ((3.0, 4.0), (5.0, 12.0), (8.0, 15.0)),
        ((0.5, 2.0), (7.0, 1.0), (-1.0, 3.0)),
    ):
        expected = np.hypot(*np.transpose(points))
        for lengths in three_ways_to_a_batch(points):
            np.testing.assert_allclose(lengths, expected, rtol=1e-6)


def add_two_to_each(numbers=(1, 2, 3, 4, 5, 6, 7)):
    """`jax.vmap` takes a function and returns a new function for a batch.

    `jax.grad` does the same: function in, function out. Nothing is computed until you
    call the new function. It takes its argument apart along the first axis, and it
    puts the results together along the first axis.

    (A function as small as this one needs no `vmap`: `x + 2` gives the same for an
    array of any shape. `vmap` is for functions such as `length`, which would add up all
    numbers of a whole batch.)
    """

    def add_two(x):
        return x + 2

    x = jnp.array(numbers)
    batched_add_two = jax.vmap(add_two)
    y = batched_add_two(x)
    return y


def check_two_is_added_to_each():
    """Each number comes back two larger."""
    for numbers in ((1, 2, 3, 4, 5, 6, 7), (-5, 40)):
        y = add_two_to_each(numbers)
        np.testing.assert_array_equal(y, [n + 2 for n in numbers])


def shape_that_is_printed(numbers=((1, 2, 3), (10, 20, 30))):
    """Python runs the function once for the whole batch.

    You might expect a call for each example. But `vmap` calls the function only once.
    It hands over a *tracer*: a stand-in that has a shape and a dtype, but no number
    that Python could read. `vmap` uses it to follow what the function does.

    Here the examples are the rows of a table, and `total` prints the shape that it
    sees. `jax.vmap(total)(table)` makes the new function and calls it in one line, as
    most people write it. (Without `jax.jit` nothing is kept: each call of the function
    that `vmap` made runs yours once more.)

    Predict: the table has shape (2, 3). Which shape is printed?
    """

    def total(row):
        print(row.shape)
        return jnp.sum(row)

    table = jnp.array(numbers)
    totals = jax.vmap(total)(table)
    return totals


def check_function_runs_once_on_one_example():
    """The function runs once, and what it sees has the shape of one example."""
    for numbers in (((1, 2, 3), (10, 20, 30)), ((5, 6), (7, 8), (9, 10))):
        with redirect_stdout(StringIO()) as printed:
            totals = shape_that_is_printed(numbers)
        assert printed.getvalue() == f"({len(numbers[0])},)\n"
        np.testing.assert_array_equal(totals, [sum(row) for row in numbers])


def parabola(x):
    """Three operations: a square, a product and a sum."""
    return 3 * x**2 + x


def same_operations_for_a_batch(size=1000):
    """`vmap` batches the operations, instead of looping over the examples.

    A *jaxpr* is JAX's own list of what a function does, one operation on each line.
    `jax.make_jaxpr` shows it. Here is the jaxpr for one number, and then the jaxpr for
    a batch of 1000 numbers. (Python runs `parabola` once for `y` and once for each of
    them.) Compare the operations, then the shapes. (`integer_pow[y=2]` is `**2`.)
    """
    x = jnp.linspace(0, 1, size)
    y = jax.vmap(parabola)(x)
    one = jax.make_jaxpr(parabola)(x[0])
    many = jax.make_jaxpr(jax.vmap(parabola))(x)
    return y, one, many


def check_batch_takes_the_same_operations():
    """Here a batch of any size takes the same three operations as one number."""
    for size in (1000, 3):
        y, one, many = same_operations_for_a_batch(size)
        assert str(one).count(" = ") == 3
        assert str(many).replace(f"f32[{size}]", "f32[]") == str(one)
        x = np.linspace(0, 1, size)
        np.testing.assert_allclose(y, 3 * x**2 + x, rtol=1e-6)


def vmap_is_not_jit(size=4):
    """`jax.jit` compiles a function as a whole, and `vmap` does not.

    What `jax.jit` compiles as a whole stands in a jaxpr as one operation, `jit[…]`,
    with the three operations inside it. With `vmap` the three stand by themselves. They
    run one after the other, and JAX compiles each of them when it first meets a new
    shape, as it does without `vmap`. (Some functions of `jnp`, such as `jnp.where`,
    bring a small `jit[…]` of their own, with `vmap` and without.)

    Myth: `vmap` compiles the function.
    """
    x = jnp.linspace(0, 1, size)
    y = jax.vmap(parabola)(x)
    compiled = jax.make_jaxpr(jax.jit(parabola))(x)
    vmapped = jax.make_jaxpr(jax.vmap(parabola))(x)
    return y, compiled, vmapped


def check_only_jit_makes_one_program():
    """Here there is one `jit[…]` with `jax.jit`, and there is none with `vmap`."""
    for size in (4, 9):
        y, compiled, vmapped = vmap_is_not_jit(size)
        x = np.linspace(0, 1, size)
        np.testing.assert_allclose(y, 3 * x**2 + x, rtol=1e-6)
        assert str(compiled).count("jit[") == 1
        assert str(vmapped).count("jit") == 0


def loop_writes_each_example_down(size=3):
    """A Python loop repeats the operations for each example.

    The loop below takes each number out of the batch and calls `jnp.sin` on it. Its
    jaxpr has a `sin` for each number, and lines that take the number out (`slice` and
    `squeeze`). With `vmap` there is one `sin` for all.
    """

    def loop(batch):
        return [jnp.sin(x) for x in batch]

    batch = jnp.arange(size) / size
    waves = jax.vmap(jnp.sin)(batch)
    looped = jax.make_jaxpr(loop)(batch)
    vmapped = jax.make_jaxpr(jax.vmap(jnp.sin))(batch)
    return waves, looped, vmapped


def check_loop_grows_and_batch_does_not():
    """The loop takes as many sines as there are examples; `vmap` takes one."""
    for size in (3, 6):
        waves, looped, vmapped = loop_writes_each_example_down(size)
        assert str(looped).count("= sin") == size
        assert str(vmapped).count("= sin") == 1
        np.testing.assert_allclose(waves, np.sin(np.arange(size) / size), rtol=1e-6)


def loop_against_vmap(few=50, many=200, seconds=0.2):
    """The larger a batch of small operations, the more `vmap` gains over a loop.

    To start an operation takes JAX some microseconds, even for a single number. The
    loop starts several for every example: to take it out, to square it and to add it.
    `vmap` has Python run `square` on a tracer, and starts one square and one sum,
    whatever the size. So it gains more on the larger batch, until the work on the
    numbers counts more than the starts. (Where each example is much work, as a product
    of large matrices is, there is little to gain.)

    `race` times functions against each other on the same arguments. Here it does so for
    a batch of 50 and for a batch of 200. Compare the two ratios. The first call of
    `vmap` can be slow: JAX compiles each operation for the new shape.
    """

    def square(x):
        return x**2

    def loop(batch):
        total = 0.0
        for i in range(len(batch)):
            x = batch[i]
            total = total + square(x)
        return total

    def vmapped(batch):
        return jnp.sum(jax.vmap(square)(batch))

    small = jnp.arange(float(few))
    large = jnp.arange(float(many))
    by_loop = loop(small)
    by_vmap = vmapped(small)
    race({"loop": loop, "vmap": vmapped}, small, seconds=seconds)
    race({"loop": loop, "vmap": vmapped}, large, seconds=seconds)
    return by_loop, by_vmap


def check_loop_and_vmap_agree():
    """The loop and `vmap` give the same total: the sum of the squares."""
    for total in loop_against_vmap(few=6, many=6, seconds=0):
        assert total == sum(n**2 for n in range(6))


def squared_error(prediction, target):
    """The loss of one prediction: how far it is off, squared."""
    return (prediction - target) ** 2


def loss_of_one_and_of_many(predictions=(0.5, 2.0, -1.0), targets=(0.0, 2.0, 1.0)):
    """With two arguments, `vmap` pairs them up, as `zip` does.

    A loss is easiest to write for one prediction and one target. `vmap` takes the first
    of both, then the second of both, and so on, and gives a loss for each pair.
    Training usually needs one number for the batch: the mean of the losses.
    """
    one = squared_error(predictions[0], targets[0])
    p = jnp.array(predictions)
    t = jnp.array(targets)
    losses = jax.vmap(squared_error)(p, t)
    mean = jnp.mean(losses)
    return one, losses, mean


def check_each_pair_has_its_own_loss():
    """Each pair has its own squared difference, and the mean is their sum over 3."""
    for p, t in (
        ((0.5, 2.0, -1.0), (0.0, 2.0, 1.0)),
        ((3.0, 1.5, 0.0), (1.0, -1.0, 2.0)),
    ):
        one, losses, mean = loss_of_one_and_of_many(p, t)
        expected = (np.array(p) - np.array(t)) ** 2
        np.testing.assert_allclose(one, expected[0], rtol=1e-6)
        np.testing.assert_allclose(losses, expected, rtol=1e-6)
        np.testing.assert_allclose(mean, expected.mean(), rtol=1e-6)


def batches_that_do_not_fit(predictions=4, targets=5):
    """All mapped axes must have the same length.

    Four predictions cannot be paired with five targets. `zip` would silently drop one;
    `vmap` raises a ValueError. Below its first line, each line of this message gives a
    length, the axis, the name of the argument and its type.

    NumPy's rule that a length of 1 fits any other does not count here: 4 and 1 are
    refused, too.
    """
    try:
        jax.vmap(squared_error)(jnp.zeros(predictions), jnp.zeros(targets))
    except ValueError as error:
        refused = error

    fits = jax.vmap(squared_error)(jnp.zeros(targets), jnp.ones(targets))
    return refused, fits


def check_refusal_names_both_sizes():
    """The lengths 4 and 5 are refused, so are 4 and 1, and the error names both."""
    for predictions, targets in ((4, 5), (4, 1)):
        refused, fits = batches_that_do_not_fit(predictions, targets)
        assert type(refused) is ValueError
        for fragment in ("inconsistent sizes", f"[{predictions}]", f"[{targets}]"):
            assert fragment in str(refused)
        np.testing.assert_array_equal(fits, np.ones(targets))


def layer_for_a_batch(inputs=((1.0, 2.0), (3.0, 4.0), (5.0, 6.0))):
    """`in_axes` says which arguments are a batch and which are shared.

    A linear layer computes `x @ w + b`. A batch has many x, but all of them share the
    weights w and the offsets b. Here three x of two numbers each go through a w of
    shape (2, 4), and b has four numbers. Without `in_axes`, `vmap` tries to take w and
    b apart too.

    `in_axes` has an entry for each argument: 0 if its axis 0 is the batch, 1 if its
    axis 1 is, and `None` if every example gets the argument whole.

    Predict: which three lengths does the error list, when `in_axes` is missing?
    """

    def linear(x, w, b):
        return x @ w + b

    x = jnp.array(inputs)
    w = jnp.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
    b = jnp.array([100.0, 200.0, 300.0, 400.0])
    try:
        jax.vmap(linear)(x, w, b)
    except ValueError as error:
        refused = error

    y = jax.vmap(linear, in_axes=(0, None, None))(x, w, b)
    return refused, y


def check_layer_gives_one_row_an_example():
    """With `in_axes` each example has its row of x w + b; without it, an error."""
    w = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
    b = np.array([100.0, 200.0, 300.0, 400.0])
    for x in (((1.0, 2.0), (3.0, 4.0), (5.0, 6.0)), ((0.5, -1.0),) * 5):
        refused, y = layer_for_a_batch(x)
        assert type(refused) is ValueError
        assert "inconsistent sizes" in str(refused)
        np.testing.assert_allclose(y, [row @ w + b for row in np.array(x)], rtol=1e-6)


def noise_for_a_batch(seed=0, count=3):
    """A random function needs a batch of keys.

    `noisy` adds a random number to x. A key is an argument like any other: you can
    share one, or give each example its own. The lesson prng_keys showed that
    `jax.random.split(key, n)` makes a batch of n keys. (Beside the `def`, an argument
    that is not listed came in as it is, and not as a tracer: in the first run, the
    shared key.)

    Predict: three examples share one key. How many different numbers come out?
    """

    def noisy(key, x):
        return x + jax.random.normal(key)

    x = jnp.zeros(count)
    key = jax.random.key(seed)
    mistaken = jax.vmap(noisy, in_axes=(None, 0))(key, x)

    keys = jax.random.split(key, count)
    cured = jax.vmap(noisy)(keys, x)
    return mistaken, cured


def check_a_shared_key_repeats_its_noise():
    """With one key all examples get the same noise; with keys of their own, another."""
    for seed, count in ((0, 3), (7, 5)):
        mistaken, cured = noise_for_a_batch(seed, count)
        assert len(np.unique(mistaken)) == 1
        assert len(mistaken) == len(np.unique(cured)) == count
    mistaken, cured = noise_for_a_batch(0)
    # today's random bits, the same on every machine
    np.testing.assert_allclose(mistaken[0], 1.6226422, rtol=1e-5)
    np.testing.assert_allclose(cured[:2], [1.0040143, -2.4424558], rtol=1e-5)


def matrix_vector_becomes_matrix_matrix(batch=5):
    """Many matrix-vector products become one matrix-matrix product.

    In a jaxpr, a product of matrices or vectors is called `dot_general`. Look for it in
    both jaxprs, for one vector and for a batch of five, and read only that word and the
    shapes. (The lists in the brackets say which axes are multiplied and summed.) In the
    second, its second input, b, is the whole batch, of shape [5,2]. A `transpose` may
    follow, which only moves the batch axis of the result to the front. By hand you
    would write `x @ w.T`, which gives the same numbers.
    """

    def multiply(w, x):
        return w @ x

    w = jnp.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    x = jnp.arange(2.0 * batch).reshape(batch, 2)
    batched = jax.vmap(multiply, in_axes=(None, 0))
    y = batched(w, x)
    by_hand = x @ w.T
    one = jax.make_jaxpr(multiply)(w, x[0])
    many = jax.make_jaxpr(batched)(w, x)
    return y, by_hand, one, many


def check_all_products_are_one():
    """However large the batch, one `dot_general` gives w times each row of x."""
    w = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    for batch in (5, 50):
        y, by_hand, one, many = matrix_vector_becomes_matrix_matrix(batch)
        assert str(one).count("dot_general[") == str(many).count("dot_general[") == 1
        x = np.arange(2.0 * batch).reshape(batch, 2)
        np.testing.assert_allclose(y, [w @ row for row in x], rtol=1e-6)
        np.testing.assert_allclose(by_hand, [w @ row for row in x], rtol=1e-6)


def axis_in_and_axis_out(numbers=((1.0, 2.0, 3.0), (10.0, 20.0, 30.0))):
    """`in_axes` says where the batch comes in, `out_axes` where it goes out.

    If `in_axes` is a single number, it counts for each argument passed by position.

    `jnp.cumsum` gives the running sums of a vector. First we map it over the rows of x
    (axis 0), then over its columns (axis 1). `vmap` puts the batch axis of the result
    first, unless `out_axes` names another place.

    Predict: x has two rows and three columns. Which shape does `columns` have?
    """
    x = jnp.array(numbers)
    rows = jax.vmap(jnp.cumsum, in_axes=0)(x)
    columns = jax.vmap(jnp.cumsum, in_axes=1)(x)
    as_columns = jax.vmap(jnp.cumsum, in_axes=1, out_axes=1)(x)
    return rows, columns, as_columns


def check_axes_come_in_and_go_out():
    """The sums of a column come out as a row, and as a column with `out_axes=1`."""
    for numbers in (((1.0, 2.0, 3.0), (10.0, 20.0, 30.0)), ((4.0, 1.0), (0.5, 7.0))):
        rows, columns, as_columns = axis_in_and_axis_out(numbers)
        x = np.array(numbers)
        np.testing.assert_allclose(rows, np.cumsum(x, axis=1), rtol=1e-6)
        np.testing.assert_allclose(as_columns, np.cumsum(x, axis=0), rtol=1e-6)
        np.testing.assert_allclose(columns, np.cumsum(x, axis=0).T, rtol=1e-6)


def take_apart_call_and_stack(in_axis=1, out_axis=1):
    """You can think of `vmap` as taking apart, calling and stacking.

    The first lines do that with a loop in NumPy: take each example out along an axis,
    call the function on it, and stack the results along an axis. When you are not sure
    what `vmap` does with an axis, write this loop. (The numbers are the same up to
    rounding.)
    """
    x = np.arange(6).reshape(2, 3)
    count = x.shape[in_axis]
    examples = [np.take(x, i, axis=in_axis) for i in range(count)]
    results = [np.cumsum(example) for example in examples]
    stacked = np.stack(results, axis=out_axis)

    batched = jax.vmap(jnp.cumsum, in_axes=in_axis, out_axes=out_axis)
    vmapped = batched(x)
    return stacked, vmapped


def check_every_choice_of_axes_is_its_loop():
    """Here `vmap` is equal to that loop, for every axis in and every axis out."""
    x = np.arange(6).reshape(2, 3)
    for in_axis in (0, 1):
        for out_axis in (0, 1):
            sums = np.cumsum(x, axis=1 - in_axis)
            expected = sums if in_axis == out_axis else sums.T
            for result in take_apart_call_and_stack(in_axis, out_axis):
                np.testing.assert_array_equal(result, expected)


def vmap_of_vmap(rows=(1.0, 2.0, 3.0), columns=(10.0, 20.0)):
    """A `vmap` of a `vmap` gives a table of all pairs.

    `distance` takes two numbers. The inner `vmap` shares a and maps over b: one a
    against every b. The outer `vmap` maps over a and shares b. The axis of the outer
    `vmap` comes first in the shape.

    Predict: there are three a and two b. Which shape does `table` have, and which
    shape does it have with the two `vmap` exchanged?
    """

    def distance(a, b):
        return jnp.abs(a - b)

    a = jnp.array(rows)
    b = jnp.array(columns)
    one_a = jax.vmap(distance, in_axes=(None, 0))
    table = jax.vmap(one_a, in_axes=(0, None))(a, b)

    one_b = jax.vmap(distance, in_axes=(0, None))
    exchanged = jax.vmap(one_b, in_axes=(None, 0))(a, b)
    return table, exchanged


def check_table_holds_every_pair():
    """The table holds |a − b| for every pair; exchanged, it is transposed."""
    for rows, columns in (((1.0, 2.0, 3.0), (10.0, 20.0)), ((5.0,), (1.0, 7.0, 9.0))):
        table, exchanged = vmap_of_vmap(rows, columns)
        expected = np.abs(np.subtract.outer(rows, columns))
        np.testing.assert_allclose(table, expected, rtol=1e-6)
        np.testing.assert_allclose(exchanged, expected.T, rtol=1e-6)


def values_and_slopes_at_once(count=200):
    """If a function returns several results, each comes back as a batch.

    `jax.value_and_grad(f)` returns two numbers, the value of f and its slope at one
    point. To plot both as curves you need them at many points. `vmap` gives all of them
    in one call: an array of values, and an array of slopes. (`out_axes` then may have
    an entry for each result. A dict of results becomes a dict of batches. A result that
    does not depend on x is repeated for each example.)
    """
    import matplotlib.pyplot as plt

    def bell(x):
        return jnp.exp(-(x**2))

    x = jnp.linspace(-3, 3, count)
    values, slopes = jax.vmap(jax.value_and_grad(bell))(x)

    _, axes = plt.subplots()
    axes.plot(x, values, label="value")
    axes.plot(x, slopes, label="slope")
    axes.set_xlabel("x")
    axes.set_title("A bell and its slope")
    axes.legend()
    return values, slopes, axes


def check_slopes_are_the_closed_form():
    """Both curves are right at every point: exp(−x²), and its slope −2x exp(−x²)."""
    for count in (200, 50):
        values, slopes, axes = values_and_slopes_at_once(count)
        curve, slope = [line.get_ydata() for line in axes.lines]
        x = np.linspace(-3, 3, count)
        bell = np.exp(-(x**2))
        for found in (values, curve):
            np.testing.assert_allclose(found, bell, rtol=4e-6)
        for found in (slopes, slope):
            np.testing.assert_allclose(found, -2 * x * bell, rtol=5e-6, atol=1e-6)


def gradient_of_a_batch_needs_a_sum(count=4):
    """`grad` of `vmap` needs one number: sum the results.

    The order of the two matters. `vmap` of `grad` is fine. The other way round,
    `jax.vmap(f)` returns many numbers, and `jax.grad` needs a function that returns
    one.

    The sum of the results is one number. Each x has a part in one result only, its
    own, so the slope of the sum along that x is the slope of f there. (Where the
    results mix the x, a sum does not give that: see the lesson grad.)
    """
    x = jnp.linspace(0, 2, count)
    try:
        jax.grad(jax.vmap(jnp.sin))(x)
    except TypeError as error:
        refused = error

    def total(x):
        return jnp.sum(jax.vmap(jnp.sin)(x))

    with_sum = jax.grad(total)(x)
    vmap_of_grad = jax.vmap(jax.grad(jnp.sin))(x)
    return refused, with_sum, vmap_of_grad


def check_sum_makes_the_order_free():
    """`grad` of `vmap` is a TypeError; with a sum both orders give cos x."""
    for count in (4, 12):
        refused, *slopes = gradient_of_a_batch_needs_a_sum(count)
        assert type(refused) is TypeError
        assert "scalar-output" in str(refused)
        for slope in slopes:
            expected = np.cos(np.linspace(0, 2, count))
            np.testing.assert_allclose(slope, expected, rtol=2e-6, atol=1e-7)


def jit_outside_or_inside(count=4, seconds=0.1):
    """`jax.jit` may stand inside `vmap`, but outside it saves work at each call.

    `vmap`, `grad` and `jit` all take a function and return a function, so you can stack
    them. Here the results are the same. But what stands outside of `jit` is done anew
    at each call: `vmap` makes a batched form of the compiled program, without running
    your lines again. With `jit` outermost, this is done and compiled at the first call.
    The time saved does not grow with the arrays. Here they are small, and it counts;
    where a call computes for a long time, you do not notice it. (If the report has a
    line about two speeds, it can wait.)

    Predict: how many times faster is `outside`?
    """
    x = jnp.linspace(0, 2, count)
    outside = jax.jit(jax.vmap(jax.grad(jnp.sin)))
    inside = jax.vmap(jax.jit(jax.grad(jnp.sin)))
    slopes = outside(x)
    same_slopes = inside(x)
    race({"outside": outside, "inside": inside}, x, seconds=seconds)
    return slopes, same_slopes


def check_jit_goes_anywhere():
    """With `jit` outside or inside, the slopes of sin x are cos x."""
    for count in (4, 12):
        for slopes in jit_outside_or_inside(count, seconds=0):
            expected = np.cos(np.linspace(0, 2, count))
            np.testing.assert_allclose(slopes, expected, rtol=2e-6, atol=1e-7)


def per_example_gradients(
    w=0.5, inputs=(1.0, 2.0, -1.0, 4.0), targets=(1.0, 1.0, 0.0, 0.0)
):
    """Each example can have its own gradient: share w, map the data.

    In training you take the gradient of the mean loss, one number for each weight.
    Sometimes you want the gradient of each example's own loss, for example to limit
    how much a single example can change the weights. Take the gradient of the loss of
    one example, then `vmap` it with `in_axes=(None, 0, 0)`: w is shared.

    The model is `jax.nn.sigmoid(w * x)`, a number between 0 and 1. It has one weight w,
    and there are four examples.

    Predict: which shape do the gradients have?
    """

    def loss(w, x, y):
        return (jax.nn.sigmoid(w * x) - y) ** 2

    x = jnp.array(inputs)
    y = jnp.array(targets)
    per_example = jax.vmap(jax.grad(loss), in_axes=(None, 0, 0))
    gradients = per_example(w, x, y)
    mean = jnp.mean(gradients)

    def mean_loss(w):
        losses = jax.vmap(loss, in_axes=(None, 0, 0))(w, x, y)
        return jnp.mean(losses)

    of_mean_loss = jax.grad(mean_loss)(w)
    return gradients, mean, of_mean_loss


def check_gradients_are_the_closed_form():
    """Each is 2(s − y)s(1 − s)x, s the sigmoid; their mean is the mean loss's."""
    y = (1.0, 1.0, 0.0, 0.0)
    for w, x in ((0.5, (1.0, 2.0, -1.0, 4.0)), (-1.2, (0.3, 3.0, 1.0, -2.0))):
        gradients, mean, of_mean_loss = per_example_gradients(w, x, y)
        s = 1 / (1 + np.exp(-w * np.array(x)))
        expected = 2 * (s - y) * s * (1 - s) * x
        np.testing.assert_allclose(gradients, expected, rtol=2e-6)
        np.testing.assert_allclose(mean, expected.mean(), rtol=5e-6)
        np.testing.assert_allclose(of_mean_loss, expected.mean(), rtol=5e-6)


def model(params, x):
    """A model whose parameters are a dict: weights, and a shift."""
    return jnp.sum(params["weights"] * x) + params["shift"]


def axes_of_a_dict(shifts=(0.0, 10.0, 20.0)):
    """For a dict of parameters, an entry of `in_axes` may be a dict of axes.

    We want three models that share their weights but have a shift each. So the entry
    for `params` is a dict with the same keys: 0 for what is mapped, `None` for what is
    shared.
    """
    weights = jnp.array([1.0, 2.0])
    params = {"weights": weights, "shift": jnp.array(shifts)}
    x = jnp.array([3.0, 4.0])
    axes = {"weights": None, "shift": 0}
    y = jax.vmap(model, in_axes=(axes, None))(params, x)
    return y


def check_each_model_has_its_own_shift():
    """Every model gives 1 · 3 + 2 · 4 and its own shift."""
    for shifts in ((0.0, 10.0, 20.0), (-1.0, 0.5)):
        np.testing.assert_allclose(axes_of_a_dict(shifts), 11 + np.array(shifts))


def one_axis_for_a_whole_dict(weights=(1.0, 2.0), shifts=(0.0, 10.0)):
    """One number in `in_axes` maps every array of a dict.

    Now there are two weights and two shifts. The right answer is 11 for the first
    model and 21 for the second. `in_axes=(0, None)` is shorter than a dict of axes: the
    0 counts for the whole dict.

    Predict: is that an error, the right answer, or a wrong one?
    """
    params = {"weights": jnp.array(weights), "shift": jnp.array(shifts)}
    x = jnp.array([3.0, 4.0])
    axes = {"weights": None, "shift": 0}
    right = jax.vmap(model, in_axes=(axes, None))(params, x)
    mistaken = jax.vmap(model, in_axes=(0, None))(params, x)
    return right, mistaken


def check_one_axis_is_wrong_without_an_error():
    """The lengths fit by accident: 7 is 1 · 3 + 1 · 4, and 24 is 2 · 3 + 2 · 4 + 10."""
    for weights, shifts in (((1.0, 2.0), (0.0, 10.0)), ((0.5, -3.0), (4.0, 1.0))):
        right, mistaken = one_axis_for_a_whole_dict(weights, shifts)
        w, shift = np.array(weights), np.array(shifts)
        np.testing.assert_allclose(right, w @ [3.0, 4.0] + shift, rtol=1e-6)
        np.testing.assert_allclose(mistaken, w * (3.0 + 4.0) + shift, rtol=1e-6)


def keyword_is_always_mapped(scale=2.0):
    """An argument passed by its name is always mapped over axis 0.

    `in_axes` has an entry for each argument passed by position. An argument passed by
    its name has no entry: it is always mapped. So an array of two scales gives each of
    two rows its own scale. If you write `None` for it, JAX raises an error: there is
    one argument by position, `len(args)=1`, and there are two entries.

    The cure is to pass it by position, with `None` in `in_axes`. Or fix it before
    `vmap` sees the function, with `partial` of Python's functools.

    Myth: `None` in `in_axes` also shares an argument that you pass by its name.
    """

    def scaled_sum(x, scale):
        return scale * jnp.sum(x)

    x = jnp.array([[1.0, 2.0], [3.0, 4.0]])
    scales = jnp.array([scale, 10 * scale])
    each = jax.vmap(scaled_sum)(x, scale=scales)
    try:
        jax.vmap(scaled_sum, in_axes=(0, None))(x, scale=scale)
    except ValueError as error:
        refused = error

    shared = jax.vmap(scaled_sum, in_axes=(0, None))(x, scale)
    fixed = jax.vmap(partial(scaled_sum, scale=scale))(x)
    return each, refused, shared, fixed


def check_keyword_is_mapped_unless_fixed():
    """By name a scale is mapped; by position with `None`, or fixed, it is shared."""
    for scale in (2.0, -0.5):
        each, refused, shared, fixed = keyword_is_always_mapped(scale)
        np.testing.assert_allclose(each, [3 * scale, 70 * scale], rtol=1e-6)
        assert type(refused) is ValueError
        assert "positional arguments" in str(refused)
        assert "len(in_axes)=2, len(args)=1" in str(refused)
        np.testing.assert_allclose(shared, [3 * scale, 7 * scale], rtol=1e-6)
        np.testing.assert_allclose(fixed, [3 * scale, 7 * scale], rtol=1e-6)


def talk_across_the_batch(values=(1.0, 2.0, 6.0)):
    """If you name the batch axis, an example can use the whole batch.

    We want to subtract the mean of the batch from each example. But inside the
    function, x is one example.

    Give the batch axis a name with `axis_name`. Then `jax.lax.pmean(x, name)` is the
    mean over that axis (p stands for *parallel*). If you forget `axis_name`, the error
    is a NameError, `unbound axis name`. (What it says about `jax.shard_map` is for
    another case.)

    Predict: what does the function with `jnp.mean` give for 1, 2 and 6?
    """

    def mistaken(x):
        return x - jnp.mean(x)

    def centred(x):
        return x - jax.lax.pmean(x, "batch")

    x = jnp.array(values)
    y = jax.vmap(mistaken)(x)
    z = jax.vmap(centred, axis_name="batch")(x)
    return y, z


def check_mean_of_the_batch_is_taken_off():
    """The mean of one number is itself, and leaves 0; `pmean` is the mean of all."""
    for values in ((1.0, 2.0, 6.0), (-3.0, 5.0)):
        y, z = talk_across_the_batch(values)
        np.testing.assert_array_equal(y, np.zeros(len(values)))
        np.testing.assert_allclose(z, np.array(values) - np.mean(values), rtol=1e-6)


def if_has_no_single_answer(numbers=(3, -4)):
    """Under `vmap`, an `if` on an example is an error.

    Python runs the function once for the whole batch, with a tracer. This tracer stands
    for all examples at once, so `x > 0` is neither true nor false for Python: 3 and −4
    need different answers. But JAX refuses also where all would agree.

    A choice without `if` is `jnp.where(test, a, b)`: it takes a where the test is true,
    and b where it is not.
    """

    def double_or_turn(x):
        if x > 0:
            return 2 * x
        return -x

    x = jnp.array(numbers)
    try:
        jax.vmap(double_or_turn)(x)
    except jax.errors.TracerBoolConversionError as error:
        refused = error

    one_by_one = [double_or_turn(number) for number in numbers]

    def with_where(x):
        return jnp.where(x > 0, 2 * x, -x)

    y = jax.vmap(with_where)(x)
    return refused, one_by_one, y


def check_if_is_refused_under_vmap():
    """For each number alone `if` works, for a batch it fails and `where` works."""
    for numbers in ((3, -4), (5, 0, -1), (3, 4)):
        refused, one_by_one, y = if_has_no_single_answer(numbers)
        np.testing.assert_array_equal(y, [2 * n if n > 0 else -n for n in numbers])
        assert type(refused).__name__ == "TracerBoolConversionError"
        assert "boolean conversion" in str(refused)
        assert one_by_one == [2 * n if n > 0 else -n for n in numbers]


def double_or_negate(x):
    """A choice between two branches; each prints when it runs."""

    def double(x):
        jax.debug.print("double {}", x)
        return 2 * x

    def negate(x):
        jax.debug.print("negate {}", x)
        return -x

    return jax.lax.cond(x > 0, double, negate, x)


def cond_runs_one_branch(x=3):
    """For one example, `jax.lax.cond` runs one of two branches.

    JAX has a function for a choice between two branches: `jax.lax.cond(test, f, g, x)`
    gives f(x) if the test is true, and g(x) if it is not.

    Python runs both branches once, with tracers, to write them down as a program. When
    the program runs, only one branch runs. `jax.debug.print` prints at that time, so it
    shows which one. `jax.effects_barrier` waits until everything is printed.
    """
    y = double_or_negate(x)
    jax.effects_barrier()
    return y


def check_one_branch_runs():
    """A positive number is doubled, another is negated; only that branch prints."""
    for x, expected, line in ((3, 6, "double 3"), (-4, 4, "negate -4")):
        with redirect_stdout(StringIO()) as printed:
            assert cond_runs_one_branch(x) == expected
        assert printed.getvalue().split("\n") == [line, ""]


def branch_becomes_a_choice(numbers=(3, -4)):
    """Under `vmap`, `cond` gives each example the result of its own branch.

    One example of the batch needs the first branch, and the other needs the second. So
    `vmap` puts both branches into the program, without a `cond`, and picks the right
    result for each example. The answers are right, but the work is that of both
    branches. Look at what is printed (the order of the lines means nothing).

    Myth: under `vmap` each example still runs only the branch that it needs.
    """
    y = jax.vmap(double_or_negate)(jnp.array(numbers))
    jax.effects_barrier()
    return y


def check_both_branches_run_for_the_batch():
    """Every example goes through both branches, and keeps the right result."""
    for numbers in ((3, -4), (5, 0, -1)):
        with redirect_stdout(StringIO()) as printed:
            y = branch_becomes_a_choice(numbers)
        np.testing.assert_array_equal(y, [2 * n if n > 0 else -n for n in numbers])
        expected = [f"{name} {n}" for name in ("double", "negate") for n in numbers]
        assert sorted(printed.getvalue().split("\n")) == sorted([*expected, ""])


def shared_test_keeps_its_cond(numbers=(1.0, 2.0)):
    """A `cond` stays a `cond` if its test is shared by the whole batch.

    If the test is shared (`None` in `in_axes`), the whole batch takes the same branch,
    and only that one runs. The jaxpr has a `cond`, which lists the branch for False
    first. With a test for each example the jaxpr has no `cond`: both branches are in
    it, and one result is picked for each example, as in the last demo.
    """

    def wave_or_growth(test, x):
        return jax.lax.cond(test, jnp.sin, jnp.exp, x)

    x = jnp.array(numbers)
    tests = x > 1.5
    own_test = jax.vmap(wave_or_growth)
    one_test = jax.vmap(wave_or_growth, in_axes=(None, 0))
    y = own_test(tests, x)
    z = one_test(True, x)
    own_has_cond = "cond" in str(jax.make_jaxpr(own_test)(tests, x))
    jaxpr_of_one = jax.make_jaxpr(one_test)(True, x)
    return y, z, own_has_cond, jaxpr_of_one


def check_shared_test_keeps_its_cond():
    """With a test for each example there is no `cond`; with a shared one there is."""
    for numbers in ((1.0, 2.0), (3.0, 0.5, -1.0)):
        y, z, own_has_cond, one = shared_test_keeps_its_cond(numbers)
        x = np.array(numbers)
        expected = np.where(x > 1.5, np.sin(x), np.exp(x))
        np.testing.assert_allclose(y, expected, rtol=1e-6)
        np.testing.assert_allclose(z, np.sin(x), rtol=1e-6)
        assert "cond[" in str(one)
        assert own_has_cond is False


def count_halvings(x):
    """Halve x until it is below 1, and count; each round prints."""

    def not_done(state):
        x, _ = state
        return x >= 1

    def halve(state):
        x, count = state
        jax.debug.print("halve {}", x)
        return x / 2, count + 1

    x, count = jax.lax.while_loop(not_done, halve, (x, 0))
    return count


def while_loop_repeats_until_done(x=4.0):
    """`jax.lax.while_loop` repeats a step until a test says stop.

    Under `vmap` a Python `while` is refused as `if` is. In JAX you write
    `jax.lax.while_loop(test, step, state)`. As long as `test(state)` is true, the
    state becomes `step(state)`. Here the state is a pair: x, and a count.
    """
    count = count_halvings(x)
    jax.effects_barrier()
    return count


def check_halvings_of_one_are_counted():
    """The count is that of a plain Python loop, and each round prints once."""
    for x in (4.0, 0.5, 100.0):
        with redirect_stdout(StringIO()) as printed:
            count = while_loop_repeats_until_done(x)
        expected = 0
        while x >= 1:
            x, expected = x / 2, expected + 1
        assert int(count) == expected == printed.getvalue().count("halve")


def loop_waits_for_the_last(starts=(0.25, 1.0, 4.0)):
    """Under `vmap` one `while_loop` serves the whole batch.

    Alone, 0.25 needs no round, 1 needs one and 4 needs three: four rounds in all. In a
    batch there is one loop for all examples, and it stops when the last one is done.

    Predict: how many lines does this batch of three print?
    """
    counts = jax.vmap(count_halvings)(jnp.array(starts))
    jax.effects_barrier()
    return counts


def check_each_start_counts_its_own_steps():
    """Every example goes through every round; one that is done keeps its state."""
    for starts in ((0.25, 1.0, 4.0), (20.0, 3.0)):
        with redirect_stdout(StringIO()) as printed:
            counts = loop_waits_for_the_last(starts)
        expected = [int(np.log2(x)) + 1 if x >= 1 else 0 for x in starts]
        np.testing.assert_array_equal(counts, expected)
        assert printed.getvalue().count("halve") == max(expected) * len(starts)


def map_when_memory_is_short(batch=50, size=1000):
    """`jax.lax.map` is a loop: it can need less memory than `vmap`.

    `vmap` works on the whole batch at once, so it can need the intermediate results of
    all examples at the same time. Here each example needs an array of 1000 sines, and
    sorts it to find the number below which a quarter of them lies. `jax.lax.map(f, x)`
    gives the same results with a loop, and it holds one array at a time. With
    `batch_size=10` it takes ten examples at a time. If f needs no large arrays, there
    is nothing to save.

    `explain` tells, among other things, how many bytes of temporary memory a function
    needs when it is compiled: its `temp_bytes`. An array of 1000 numbers has 4000
    bytes; the loop itself needs some more.

    Predict: about how many bytes do all at once need, and ten at a time?

    The next lesson, jit, is about compiling.
    """

    def quarter(x):
        sines = jnp.sin(x * jnp.arange(size))
        return jnp.sort(sines)[size // 4]

    x = jnp.arange(batch)
    at_once = jax.vmap(quarter)
    in_tens = partial(jax.lax.map, quarter, batch_size=10)
    one_by_one = partial(jax.lax.map, quarter)
    y = at_once(x)
    y_in_tens = in_tens(x)
    z = one_by_one(x)
    bytes_at_once = explain(at_once, x).temp_bytes
    bytes_in_tens = explain(in_tens, x).temp_bytes
    bytes_one_by_one = explain(one_by_one, x).temp_bytes
    fewer_is_less = bytes_one_by_one < bytes_in_tens < bytes_at_once
    return y, y_in_tens, z, fewer_is_less


def check_map_holds_one_list():
    """All three give the same numbers; one at a time needs least, all at once most."""
    *results, fewer_is_less = map_when_memory_is_short()
    sines = np.sin(np.outer(np.arange(50), np.arange(1000)))
    expected = np.sort(sines, axis=1)[:, 250]
    for result in results:
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)
    assert fewer_is_less
