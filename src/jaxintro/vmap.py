"""Batches: write it for one, get it for many.

You write a function of one example. `jax.vmap` returns the function of a whole batch,
and no line of yours changes. It is no loop in disguise: each operation is replaced by
its batched self, so that a thousand examples cost one operation and not a thousand.
You will batch layers, losses and gradients, say which axis is the batch, and see what
batching makes of a branch. Read grad first.
"""

import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import explain, race

ORDER = 50  # lessons stand in steps of ten; there is no other registry


def add_two_to_each(numbers=(1, 2, 3, 4, 5, 6, 7)):
    """A function of one number. Seven numbers come back.

    `jax.vmap` takes a function and returns a function, as `jax.grad` does. The new one
    maps over the first axis of its argument.

    Predict: what does `add_two` see as the shape of its x?
    """
    shapes = []

    def add_two(x):
        shapes.append(x.shape)
        return x + 2

    batched = jax.vmap(add_two)(jnp.array(numbers, jnp.int32))  # [n] -> [n]
    return {"result": batched, "shape of x inside": shapes}


def check_two_is_added_to_each():
    """Each number comes back two larger."""
    for numbers in ((1, 2, 3, 4, 5, 6, 7), (-5, 40)):
        result = add_two_to_each(numbers)["result"]
        np.testing.assert_array_equal(result, [number + 2 for number in numbers])


def check_function_runs_once_on_one_example():
    """Python runs the function once for the whole batch, on an x of shape ()."""
    for numbers in ((1, 2, 3), (5, 6, 7, 8, 9)):
        assert add_two_to_each(numbers)["shape of x inside"] == [()]


def no_loop_and_no_compilation(size=1000):
    """Python ran once, so who did the other 999? Nobody had to.

    `vmap` follows the function and swaps each operation for its batched self: an `add`
    of two numbers becomes an `add` of two arrays. `jit` may compile that, or not.

    Myth: vmap compiles the function beforehand.
    """

    def parabola(x):
        return 3 * x**2 + x

    one = jax.make_jaxpr(parabola)(jnp.float32(0))
    many = jax.make_jaxpr(jax.vmap(parabola))(jnp.zeros(size, jnp.float32))
    return {
        "operations on one": [equation.primitive.name for equation in one.eqns],
        "operations on many": [equation.primitive.name for equation in many.eqns],
        "shape of the result": many.out_avals[0].shape,
    }


def check_batch_takes_the_same_operations():
    """A batch of any size takes the very operations of one example."""
    for size in (1000, 2):
        seen = no_loop_and_no_compilation(size)
        assert seen["operations on many"] == seen["operations on one"]
        assert sorted(seen["operations on one"])[0] == "add"
        assert "jit" not in " ".join(seen["operations on many"])
        assert seen["shape of the result"] == (size,)


def linear(x, w, b):
    """One example through a linear layer."""
    return x @ w + b  # ([in], [in, out], [out]) -> [out]


def layer_for_a_batch(batch=5, inputs=4, outputs=3):
    """A layer is written for one example. A batch has an axis more; weights do not.

    `in_axes` says, for each argument, which axis is the batch. None means: the same for
    every example.

    Myth: a slide says that this maps inputs [5, 4] to outputs [4, 3].
    """
    x = jnp.ones((batch, inputs), jnp.float32)
    w = jnp.ones((inputs, outputs), jnp.float32)
    b = jnp.ones(outputs, jnp.float32)
    return jax.vmap(linear, in_axes=(0, None, None))(x, w, b)


def check_layer_gives_one_row_an_example():
    """With ones everywhere each entry is inputs + 1, with one row an example."""
    for batch, inputs, outputs in ((5, 4, 3), (2, 7, 1)):
        y = layer_for_a_batch(batch, inputs, outputs)
        np.testing.assert_array_equal(y, np.full((batch, outputs), inputs + 1.0))


def matrix_vector_becomes_matrix_matrix(batch=5):
    """What is the batched self of a matrix-vector product? A matrix-matrix product.

    It is one call of the routine that the hardware does best. You did not write it.

    Predict: five matrix-vector products, how many `dot_general`?
    """
    w = jnp.arange(12, dtype=jnp.float32).reshape(3, 4)
    x = jnp.arange(4 * batch, dtype=jnp.float32).reshape(batch, 4)
    multiply = jax.vmap(lambda x: jnp.matmul(w, x, precision="highest"))
    products = explain(multiply, x).equations["dot_general"]
    return {"y": multiply(x), "dot_general": products}


def check_products_are_those_of_numpy():
    """Each row is w times that row of x, as NumPy multiplies them one at a time."""
    for batch in (5, 2):
        w, x = np.arange(12.0).reshape(3, 4), np.arange(4.0 * batch).reshape(batch, 4)
        expected = np.stack([w @ row for row in x])
        np.testing.assert_allclose(
            matrix_vector_becomes_matrix_matrix(batch)["y"], expected, rtol=1e-6
        )


def check_all_products_are_one():
    """However large the batch, there is one dot_general."""
    for batch in (5, 50):
        assert matrix_vector_becomes_matrix_matrix(batch)["dot_general"] == 1


def loss_of_one_and_of_many(predicted=(0.5, 2.0, -1.0), wanted=(0.0, 2.0, 1.0)):
    """A loss is clearest for one prediction: (p − w)². Batched, it gives one loss each.

    Two arguments, two batches: without `in_axes` each is mapped over its first axis.
    """

    def squared_error(predicted, wanted):
        return (predicted - wanted) ** 2  # ([], []) -> []

    p, w = jnp.array(predicted, jnp.float32), jnp.array(wanted, jnp.float32)
    return jax.vmap(squared_error)(p, w)


def check_each_pair_has_its_own_loss():
    """The losses are the squared differences, pair by pair."""
    for p, w in (((0.5, 2.0, -1.0), (0.0, 2.0, 1.0)), ((3.0, 1.5), (1.0, -1.0))):
        expected = [(a - b) ** 2 for a, b in zip(p, w, strict=True)]
        np.testing.assert_allclose(loss_of_one_and_of_many(p, w), expected, rtol=1e-6)


def slopes_at_two_hundred_points(count=200):
    """A gradient wants one number out, so it takes one point in. A curve wants 200.

    `jax.vmap(jax.grad(f))` is the derivative that you can plot. It stands where a list
    comprehension with 200 calls stood.
    """
    slope = jax.grad(lambda x: jnp.maximum(x, 0.0))
    return jax.vmap(slope)(jnp.linspace(-2, 3, count, dtype=jnp.float32))


def check_slope_is_a_step():
    """The slope of max(x, 0) is 0 at each point on the left and 1 on the right."""
    for count in (200, 50):
        expected = np.where(np.linspace(-2, 3, count) > 0, 1.0, 0.0)
        np.testing.assert_array_equal(slopes_at_two_hundred_points(count), expected)


def any_order(count=5):
    """Transformations take functions and return functions, so they nest in any order.

    Each example has its own slope, whichever comes first; and `jit` may stand outside,
    inside or nowhere.
    """
    x = jnp.linspace(0, 2, count, dtype=jnp.float32)
    return {
        "vmap of grad": jax.vmap(jax.grad(jnp.sin))(x),
        "grad of vmap": jax.grad(lambda x: jnp.sum(jax.vmap(jnp.sin)(x)))(x),
        "jit of vmap": jax.jit(jax.vmap(jax.grad(jnp.sin)))(x),
        "vmap of jit": jax.vmap(jax.jit(jax.grad(jnp.sin)))(x),
    }


def check_order_does_not_matter():
    """All four orders give cos(x)."""
    for count in (5, 12):
        for slopes in any_order(count).values():
            expected = np.cos(np.linspace(0, 2, count))
            np.testing.assert_allclose(slopes, expected, rtol=2e-6, atol=1e-7)


def vmap_of_vmap(rows=(1.0, 2.0, 3.0), columns=(10.0, 20.0)):
    """Two numbers to one. Map it twice, and you have the whole table.

    The inner `vmap` runs along the columns and keeps the row; the outer one runs along
    the rows. What the outer one maps comes first in the shape.

    Predict: three rows, two columns: which shape has the table, and which with the two
    `vmap` exchanged?
    """

    def distance(a, b):
        return jnp.abs(a - b)

    a, b = jnp.array(rows, jnp.float32), jnp.array(columns, jnp.float32)
    along_columns = jax.vmap(distance, in_axes=(None, 0))
    along_rows = jax.vmap(distance, in_axes=(0, None))
    return {
        "rows outside": jax.vmap(along_columns, in_axes=(0, None))(a, b),
        "columns outside": jax.vmap(along_rows, in_axes=(None, 0))(a, b),
    }


def check_table_holds_every_pair():
    """Mapped twice, the table is the outer difference; exchanged, its transpose."""
    for rows, columns in (((1.0, 2.0, 3.0), (10.0, 20.0)), ((5.0,), (1.0, 7.0, 9.0))):
        tables = vmap_of_vmap(rows, columns)
        expected = np.abs(np.subtract.outer(rows, columns))
        np.testing.assert_allclose(tables["rows outside"], expected, rtol=1e-6)
        np.testing.assert_allclose(tables["columns outside"], expected.T, rtol=1e-6)


def any_axis_in_any_axis_out(in_a=0, in_b=1, out=1):
    """`in_axes` says where the batch comes in, `out_axes` where it goes out.

    Here a is taken apart by rows, b by columns, and the results stand side by side as
    columns. The function treats its arguments differently, so that a mix-up shows.
    """

    def two_sums(a, b):
        return jnp.stack([jnp.sum(a), 2 * jnp.sum(b)])

    a = jnp.arange(9, dtype=jnp.float32).reshape(3, 3)
    return jax.vmap(two_sums, in_axes=(in_a, in_b), out_axes=out)(a, a[::-1] ** 2)


def check_every_choice_of_axes_is_its_loop():
    """Whatever the axes, `vmap` gives what a loop over them and a stack give."""
    a = np.arange(9.0).reshape(3, 3)
    b = a[::-1] ** 2
    for i, j, out in itertools.product((0, 1, None), (0, 1, None), (0, 1)):
        each_a = [a if i is None else a.take(n, i) for n in range(3)]
        each_b = [b if j is None else b.take(n, j) for n in range(3)]
        rows = [[x.sum(), 2 * y.sum()] for x, y in zip(each_a, each_b, strict=True)]
        if (i, j) != (None, None):  # which would leave nothing to map
            result = any_axis_in_any_axis_out(i, j, out)
            np.testing.assert_allclose(result, np.stack(rows, out), rtol=1e-6)


def axes_of_a_dict(shifts=(0.0, 10.0, 20.0)):
    """Parameters come as a dict, and so may `in_axes`: the same keys, an axis for each.

    Three models share their weights, and each has a shift of its own. One axis for the
    whole dict would be refused here: the weights have no axis to spare.
    """

    def model(params, x):
        return jnp.sum(params["weights"] * x) + params["shift"]

    weights = jnp.array([1.0, 2.0], jnp.float32)
    params = {"weights": weights, "shift": jnp.array(shifts, jnp.float32)}
    x = jnp.array([3.0, 4.0], jnp.float32)
    axes = {"weights": None, "shift": 0}
    return jax.vmap(model, in_axes=(axes, None))(params, x)


def check_each_model_has_its_own_shift():
    """Every model gives 1 · 3 + 2 · 4 and its own shift."""
    for shifts in ((0.0, 10.0, 20.0), (-1.0, 0.5)):
        np.testing.assert_allclose(axes_of_a_dict(shifts), 11 + np.array(shifts))


def keyword_is_always_mapped(scales=(1.0, 10.0, 100.0)):
    """`in_axes` counts positions. An argument passed by its name has none.

    So it is mapped over its first axis, always, and `in_axes` cannot say otherwise. To
    share it, bind it first with `functools.partial`.

    Myth: what `in_axes` does not mention stays whole.
    """

    def scaled_sum(x, scale):
        return jnp.sum(x * scale)

    x = jnp.ones((3, 3), jnp.float32)
    scale = jnp.array(scales, jnp.float32)
    shared = functools.partial(scaled_sum, scale=scale)
    return {
        "by its name": jax.vmap(scaled_sum, in_axes=0)(x, scale=scale),
        "bound before": jax.vmap(shared)(x),
    }


def check_keyword_is_mapped_unless_bound():
    """By its name, each row gets one scale; bound before, each row gets all of them."""
    for scales in ((1.0, 10.0, 100.0), (2.0, 0.5, -4.0)):
        sums = keyword_is_always_mapped(scales)
        expected = 3 * np.array(scales)
        np.testing.assert_allclose(sums["by its name"], expected, rtol=1e-6)
        np.testing.assert_allclose(sums["bound before"], [sum(scales)] * 3, rtol=1e-6)


def batches_that_do_not_fit():
    """Two batches must have one length, and something must be mapped at all.

    Both are refused by name and number, before anything is computed.
    """
    refusals = {}
    four, five = jnp.zeros(4, jnp.float32), jnp.zeros(5, jnp.float32)
    for name, axes in {"4 and 5": (0, 0), "nothing mapped": (None, None)}.items():
        try:
            jax.vmap(jnp.add, in_axes=axes)(four, five)
        except ValueError as error:
            refusals[name] = error
    refusals["shared"] = jax.vmap(jnp.add, in_axes=(None, 0))(jnp.float32(1), five)
    return refusals


def check_refusals_name_the_sizes():
    """Batches of 4 and 5 are refused as inconsistent; None for every argument, too."""
    refusals = batches_that_do_not_fit()
    assert isinstance(refusals["4 and 5"], ValueError)
    assert "inconsistent sizes" in str(refusals["4 and 5"])
    assert isinstance(refusals["nothing mapped"], ValueError)
    assert "non-None" in str(refusals["nothing mapped"])
    np.testing.assert_array_equal(refusals["shared"], np.ones(5))


def talk_across_the_batch(values=(1.0, 2.0, 6.0)):
    """An example may need to know of the others: to subtract their mean, say.

    Give the batch axis a name, and a collective such as `jax.lax.pmean` speaks to it.
    """

    def centred(x):
        return x - jax.lax.pmean(x, "batch")

    return jax.vmap(centred, axis_name="batch")(jnp.array(values, jnp.float32))


def check_mean_of_the_batch_is_taken_off():
    """Each value comes back less the mean of all."""
    for values in ((1.0, 2.0, 6.0), (-3.0, 5.0)):
        expected = np.array(values) - np.mean(values)
        np.testing.assert_allclose(talk_across_the_batch(values), expected, rtol=1e-6)


def branch_becomes_a_choice(values=(-2.0, 0.5, 3.0)):
    """`jax.lax.cond` runs one of two branches. For one example, that is a saving.

    A batch may need both. So `vmap` runs both on every example and then selects. The
    answers are right; the saving is gone.

    Predict: under `vmap`, is there still a `cond` in the program?
    """

    def bent(x):
        return jax.lax.cond(x > 0, jnp.sin, jnp.exp, x)

    x = jnp.array(values, jnp.float32)
    programs = {"one": jax.make_jaxpr(bent)(x[0])}
    programs["batch"] = jax.make_jaxpr(jax.vmap(bent))(x)
    result = {"result": jax.vmap(bent)(x)}
    for name, program in programs.items():
        found = [equation.primitive.name for equation in program.eqns]
        result[name] = {p: p in found for p in ("cond", "sin", "exp", "select_n")}
    return result


def check_both_branches_run_for_the_batch():
    """One example has a cond; the batch has a sin, an exp and a selection instead."""
    seen = branch_becomes_a_choice()
    assert seen["one"] == {"cond": True, "sin": False, "exp": False, "select_n": False}
    assert seen["batch"] == {"cond": False, "sin": True, "exp": True, "select_n": True}


def check_each_example_gets_its_branch():
    """Above zero each example gets its sine, elsewhere its exponential."""
    for values in ((-2.0, 0.5, 3.0), (0.0, -1.0)):
        expected = [math.sin(v) if v > 0 else math.exp(v) for v in values]
        result = branch_becomes_a_choice(values)["result"]
        np.testing.assert_allclose(result, expected, rtol=2e-6)


def loop_waits_for_the_last(starts=(1, 6, 27)):
    """Halve an even number, else take 3n + 1. How many steps until 1?

    Each start takes its own number of steps. Batched, the loop goes on until the last
    has arrived; those that are done are carried along and left as they are.
    """

    def steps_to_one(start):
        def take(state):
            n, count = state
            return jnp.where(n % 2 == 0, n // 2, 3 * n + 1), count + 1

        return jax.lax.while_loop(lambda s: s[0] != 1, take, (start, jnp.int32(0)))[1]

    return jax.vmap(steps_to_one)(jnp.array(starts, jnp.int32))


def check_each_start_counts_its_own_steps():
    """Each count is that of a plain Python loop from that start alone."""
    for starts in ((1, 6, 27), (7, 2)):
        expected = []
        for n in starts:
            expected.append(0)
            while n != 1:
                n = n // 2 if n % 2 == 0 else 3 * n + 1
                expected[-1] += 1
        np.testing.assert_array_equal(loop_waits_for_the_last(starts), expected)


def loop_against_batch(size=50, seconds=0.2):
    """A Python loop hands over each example; `vmap` hands over the batch, once.

    The handing over is what costs here, so the gain grows with the batch. Try a size of
    10, then of 500.
    """

    def energy(x):
        return jnp.sum(jnp.sin(x) ** 2)  # [8] -> []

    def loop(batch):
        return jnp.stack([energy(x) for x in batch])

    batch = jnp.ones((size, 8), jnp.float32)
    result = {}
    for name, way in {"loop": loop, "vmap": jax.vmap(energy)}.items():
        equations = jax.make_jaxpr(way)(batch).eqns
        result[f"sines, {name}"] = [e.primitive.name for e in equations].count("sin")
    return {**result, "race": race([loop, jax.vmap(energy)], batch, seconds=seconds)}


def check_loop_grows_and_batch_does_not():
    """The loop takes as many sines as there are examples, the batch takes one."""
    for size in (9, 3):
        counts = loop_against_batch(size, seconds=0)
        assert (counts["sines, loop"], counts["sines, vmap"]) == (size, 1)
