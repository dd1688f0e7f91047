"""Gradient descent: walk downhill, one small step at a time.

Nothing new happens here. `jax.grad` says which way is up, and a loop goes the other
way. Yet the loop has laws of its own: a fixed step may never arrive, a step too long
runs away, and the same thousand steps cost anything from seconds to microseconds.
You will see each law, where it comes from, and the loop that obeys it.
Read grad, vmap and jit first.
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import race

ORDER = 70  # lessons stand in steps of ten; there is no other registry

START = [1.2, 3.2, 4.0]
TARGET = [0.0, 5.0, 10.0]


def steps_down_a_parabola(start=4.0, step=0.1, count=20):
    """The slope of x² at x is 2x: uphill. So subtract a little of it, and repeat.

    Each step takes the same fraction off x. After n steps x · (1 − 2 · step)ⁿ is left.

    Predict: x starts at 4.0 and the step is 0.1. Is x ever exactly 0?
    """
    slope = jax.grad(lambda x: x**2)
    x = jnp.float32(start)
    for _ in range(count):
        x = x - step * slope(x)
    return x


def check_every_step_takes_the_same_fraction():
    """After n steps down x², the start has shrunk by (1 − 2 · step)ⁿ."""
    for start, step, count in ((4.0, 0.1, 20), (-3.0, 0.3, 5), (2.0, 0.6, 7)):
        expected = start * (1 - 2 * step) ** count
        x = steps_down_a_parabola(start, step, count)
        np.testing.assert_allclose(x, expected, rtol=5e-6)


def step_too_long(steps=(0.4, 1.1), curvature=2.0, count=10):
    """On ½ · curvature · x², each step multiplies x by 1 − step · curvature.

    While that factor lies between −1 and 1 the walk arrives. Past step = 2 / curvature
    every step overshoots by more than it gained, and the walk explodes.

    Myth: a step against the gradient always makes things better.
    """
    slope = jax.grad(lambda x: curvature * x**2 / 2)
    ends = []
    for step in steps:
        x = jnp.float32(1.0)
        for _ in range(count):
            x = x - step * slope(x)
        ends.append(x)
    return {"step": list(steps), "x after the walk": ends}


def check_walk_shrinks_or_explodes_by_its_factor():
    """Each step multiplies x by 1 − step · curvature, whether that helps or not."""
    for steps, curvature in (((0.4, 1.1), 2.0), ((0.01, 0.5), 10.0)):
        walked = step_too_long(steps, curvature)
        expected = [(1 - step * curvature) ** 10 for step in steps]
        np.testing.assert_allclose(walked["x after the walk"], expected, rtol=1e-5)
        assert walked["step"] == list(steps)


def rms_error(x, y):
    """The root of the mean squared difference: how far x is from y, per entry."""
    return jnp.sqrt(jnp.mean((x - y) ** 2))  # ([n], [n]) -> []


def two_hundred_fixed_steps(step=0.05, count=200):
    """A printed page walks to (0, 5, 10) in steps of 0.05, and shows every tenth error.

    Look at the column: it falls by the same amount each time. Down a parabola the steps
    grew shorter and shorter; here they do not.
    """
    x, y = jnp.array(START, jnp.float32), jnp.array(TARGET, jnp.float32)
    gradient, errors = jax.jit(jax.grad(rms_error)), []
    for _ in range(count):
        x = x - step * gradient(x, y)
        errors.append(rms_error(x, y))
    return {"every tenth error": jnp.stack(errors[::10]), "x": x}


def check_you_get_what_the_page_prints():
    """The 20 printed errors, and the last x, are what this machine gets."""
    page = """3.6657236 3.4990568 3.3323894 3.1657221 2.9990551 2.8323882 2.665721
    2.4990537 2.3323865 2.1657195 1.9990524 1.8323854 1.6657186 1.4990516 1.3323847
    1.1657186 0.9990542 0.8323898 0.6657253 0.49906078"""
    walk = two_hundred_fixed_steps()
    printed = np.array(page.split(), float)
    # float32, rounded 200 times in an order that is each machine's own
    np.testing.assert_allclose(walk["every tenth error"], printed, rtol=4e-5)
    # the same 200 roundings
    np.testing.assert_allclose(walk["x"], [0.11374928, 4.829371, 9.431246], rtol=4e-5)


def slope_of_constant_length(points=((1.2, 3.2, 4.0), (0.1, 5.0, 10.0))):
    """Why does the error fall by the same amount each time? Look at the gradient.

    It is (x − y) / (n · error). Far from y both parts are large, near y both are small.
    The direction changes. The length never does: it is 1/√n.

    Predict: the second point nearly is the target. How long is its gradient?
    """
    y = jnp.array(TARGET, jnp.float32)
    gradient = jax.grad(rms_error)
    return [jnp.linalg.norm(gradient(jnp.array(p, jnp.float32), y)) for p in points]


def check_gradient_is_always_one_over_root_n_long():
    """However near the target, the gradient of the RMS error is 1/√n long."""
    lengths = slope_of_constant_length()
    np.testing.assert_allclose(lengths, [1 / np.sqrt(3)] * 2, rtol=1e-6)
    far = slope_of_constant_length([(1e3, -1e3, 0.0), (0.0, 5.0, 10.001)])
    np.testing.assert_allclose(far, [1 / np.sqrt(3)] * 2, rtol=1e-6)


def descend(x, y, steps):
    """One step for each length in `steps`; every point and error on the way.

    `jax.lax.scan` is a loop that is compiled as a loop: it carries x along, and stacks
    what each round returns second.
    """

    def take(x, step):
        x = x - step * jax.grad(rms_error)(x, y)
        return x, (x, rms_error(x, y))

    return jax.lax.scan(take, x, steps)  # ([n], [n], [t]) -> [n], ([t, n], [t])


def bounce_at_the_bottom(step=0.3, count=40):
    """A step of constant length cannot settle. It walks up to y and jumps over it.

    Then it jumps back. Once there, two errors in a row always add up to one step.
    """
    x, y = jnp.array(START, jnp.float32), jnp.array(TARGET, jnp.float32)
    _, (_, errors) = descend(x, y, jnp.full(count, step, jnp.float32))
    return errors[-4:]


def check_two_errors_in_a_row_add_up_to_one_step():
    """At the bottom the errors of two steps in a row add up to step / n, for ever."""
    for step, count in ((0.3, 40), (0.5, 31)):
        errors = np.asarray(bounce_at_the_bottom(step, count), float)
        # x is near 10, and float32 knows 10 to within 1e-6
        np.testing.assert_allclose(errors[:-1] + errors[1:], step / 3, rtol=1e-4)


def annealed_steps(step=0.1, shrink=0.75, every=50, count=1000):
    """The cure is older than computers: shorten the step as you go.

    The page shrinks it by a quarter after each 50. Its first errors are yours. Its last
    are not: where a bounce ends is decided by the last digit of a float32. What is
    certain is the bound, step / n.
    """
    steps = step * shrink ** (np.arange(count) // every)
    x, y = jnp.array(START, jnp.float32), jnp.array(TARGET, jnp.float32)
    x, (_, errors) = descend(x, y, jnp.array(steps, jnp.float32))
    return {
        "error": errors[every - 1 :: every],
        "bound": jnp.array(steps[every - 1 :: every] / 3, jnp.float32),
        "x": x,
    }


def check_first_errors_are_those_of_the_page():
    """Before the first bounce the errors are the printed 2.0157194 and 0.7657221."""
    errors = annealed_steps()["error"]
    # 100 roundings of float32
    np.testing.assert_allclose(errors[:2], [2.0157194, 0.7657221], rtol=2e-5)


def check_error_is_never_more_than_a_step():
    """After the first bounce the error stays below the bound, step / n."""
    walk = annealed_steps()
    bound = 0.1 * 0.75 ** np.arange(20) / 3
    np.testing.assert_allclose(walk["bound"], bound, rtol=1e-6)
    assert np.all(np.asarray(walk["error"])[2:] <= bound[2:])


def check_annealed_walk_arrives():
    """In the end x is within √n times the last bound of the target."""
    distance = np.linalg.norm(np.asarray(annealed_steps()["x"], float) - TARGET)
    # Blunt: a bound; where the walk bounces to is decided by float noise
    assert distance <= np.sqrt(3) * 0.1 * 0.75**19 / 3


def two_loss_curves(step=0.1, count=1000):
    """The two walks side by side. Read the vertical axis in powers of ten.

    Both run down one wall. Then the fixed step bounces for ever at one height, and the
    annealed one goes down a staircase.
    """
    import matplotlib.pyplot as plt

    x, y = jnp.array(START, jnp.float32), jnp.array(TARGET, jnp.float32)
    fixed = np.full(count, step)
    figure, axes = plt.subplots()
    annealed = fixed * 0.75 ** (np.arange(count) // 50)
    for name, steps in {"fixed": fixed, "annealed": annealed}.items():
        _, (_, errors) = descend(x, y, jnp.array(steps, jnp.float32))
        axes.semilogy(errors, label=name, linewidth=1)
    axes.set(xlabel="step", ylabel="RMS error", title="A fixed step cannot settle")
    axes.legend()
    plt.close(figure)  # returned, not shown twice
    return figure


def check_curves_part_at_the_bottom():
    """The fixed walk ends bouncing by a step; the annealed one ends far below it."""
    fixed, annealed = two_loss_curves().axes[0].lines
    fixed, annealed = fixed.get_ydata(), annealed.get_ydata()
    # x is near 10, and float32 knows 10 to within 1e-6
    np.testing.assert_allclose(fixed[-1] + fixed[-2], 0.1 / 3, rtol=1e-4)
    assert annealed[-1] <= 0.1 * 0.75**19 / 3
    # 40 roundings of float32
    np.testing.assert_allclose(annealed[:40], fixed[:40], rtol=1e-5)


def walk_across_a_valley(step=0.18, count=30):
    """A long valley: ½ (x² + 10 y²) is ten times as steep across as along.

    Each direction has its own factor, 1 − step · curvature. With 0.18 it is 0.82 along
    the valley and −0.8 across it: the walk zigzags between the walls as it goes.
    """
    import matplotlib.pyplot as plt

    curvature = jnp.array([1.0, 10.0], jnp.float32)
    gradient = jax.grad(lambda p: jnp.sum(curvature * p**2) / 2)
    path = [jnp.array([-8.0, 2.5], jnp.float32)]
    for _ in range(count):
        path.append(path[-1] - step * gradient(path[-1]))
    across, up = np.meshgrid(np.linspace(-9, 2, 60), np.linspace(-3, 3, 60))
    figure, axes = plt.subplots()
    axes.contour(across, up, (across**2 + 10 * up**2) / 2, 15, cmap="Greys")
    axes.plot(*np.stack(path).T, ".-", color="tab:red")
    axes.set(xlabel="x", ylabel="y", title=f"Steps of {step} down a long valley")
    plt.close(figure)  # returned, not shown twice
    return figure


def check_each_direction_shrinks_by_its_own_factor():
    """Along the valley each step leaves 1 − step, across it 1 − 10 · step."""
    for step in (0.18, 0.05):
        line = walk_across_a_valley(step).axes[0].lines[0]
        n = np.arange(31)
        # the factor is rounded once a step, 30 steps long
        np.testing.assert_allclose(line.get_xdata(), -8 * (1 - step) ** n, rtol=2e-5)
        # the same; near 0 the zigzag is smaller than what float32 can cancel
        np.testing.assert_allclose(
            line.get_ydata(), 2.5 * (1 - 10 * step) ** n, rtol=1e-4, atol=1e-7
        )


def walk_step_by_step(gradient, x, y, count):
    """Python drives: one call of `gradient` for each step."""
    for _ in range(count):
        x = x - 0.05 * gradient(x, y)
    return x


def walk_as_one_program(gradient, x, y, count):
    """JAX drives: `scan` puts the whole loop into one program."""

    def take(x, _):
        return x - 0.05 * gradient(x, y), None

    return jax.lax.scan(take, x, length=count)[0]


def same_walk_three_ways(count=50, seconds=0.2):
    """One walk, written three times. All that differs is who drives the loop.

    As written, Python derives the gradient anew for each step. With `jit` it is derived
    once, but Python still hands over every step. As a `scan` the whole walk is one
    program: Python calls it and waits. The race shows what each costs here.

    Predict: how often does Python run through `loss` in each of the three?
    """
    x, y = jnp.array(START, jnp.float32), jnp.array(TARGET, jnp.float32)
    runs = []

    def loss(x, y):
        runs.append("Python was here")
        return rms_error(x, y)

    compiled = jax.jit(jax.grad(loss))
    program = jax.jit(lambda x: walk_as_one_program(jax.grad(loss), x, y, count))
    contestants = {
        "as written": lambda x: walk_step_by_step(jax.grad(loss), x, y, count),
        "jit of the gradient": lambda x: walk_step_by_step(compiled, x, y, count),
        "one scan": program,
    }
    counts = {}
    for name, walk in contestants.items():
        runs.clear()
        end = walk(x)
        counts[f"runs of loss, {name}"] = len(runs)
    return {**counts, "end": end, "race": race(contestants, x, seconds=seconds)}


def check_python_runs_once_a_step_or_once_in_all():
    """Python runs through the loss at every step as written, once if compiled."""
    for count in (9, 7):
        walk = same_walk_three_ways(count, seconds=0)
        runs = [value for key, value in walk.items() if key.startswith("runs")]
        assert runs == [count, 1, 1]


def check_all_three_end_where_numpy_ends():
    """The walk ends where the same loop in NumPy, with the gradient by hand, ends."""
    x, y = np.array(START), np.array(TARGET)
    for _ in range(50):
        x = x - 0.05 * (x - y) / (3 * np.sqrt(np.mean((x - y) ** 2)))
    # 50 roundings of float32
    np.testing.assert_allclose(same_walk_three_ways(seconds=0)["end"], x, rtol=2e-5)


def whole_sweep_in_one_call(sizes=(0.01, 0.03, 0.1), count=100):
    """Which step is best? Try them all at once: `vmap` over the lengths of the step.

    `descend` was written for one walk. `in_axes` says: x and y shared, steps its own.
    """
    x, y = jnp.array(START, jnp.float32), jnp.array(TARGET, jnp.float32)
    steps = jnp.array(sizes, jnp.float32)[:, None] * jnp.ones((1, count), jnp.float32)
    sweep = jax.vmap(descend, in_axes=(None, None, 0))
    _, (_, errors) = sweep(x, y, steps)  # [s, t]
    return errors[:, -1]


def check_each_walk_of_the_sweep_has_its_own_step():
    """Before the bottom, each walk loses its own step / n of error at every step."""
    first = np.linalg.norm(np.subtract(START, TARGET)) / np.sqrt(3)
    for sizes, count in (((0.01, 0.03, 0.1), 100), ((0.2, 0.15), 50)):
        left = first - count * np.array(sizes) / 3
        # up to 100 roundings of float32
        np.testing.assert_allclose(
            whole_sweep_in_one_call(sizes, count), left, rtol=1e-4
        )


def where_you_end_depends_on_where_you_start(starts=(-2.0, -0.1, 0.0, 0.1, 2.0)):
    """x⁴ − 2x² has two valleys, at −1 and at 1, and a hilltop between them at 0.

    Five walkers start at once, each under `vmap`. Downhill is all that they know.

    Predict: one of them starts exactly on the hilltop. Where does it go?
    """
    slope = jax.grad(lambda x: x**4 - 2 * x**2)

    def walk(x):
        return jax.lax.fori_loop(0, 300, lambda _, x: x - 0.05 * slope(x), x)

    return jax.vmap(walk)(jnp.array(starts, jnp.float32))


def check_walkers_end_in_the_valley_on_their_side():
    """Each walker ends at −1 or 1, on its own side; on the hilltop it stays."""
    for starts in ((-2.0, -0.1, 0.0, 0.1, 2.0), (0.5, 0.0, -0.5)):
        ends = where_you_end_depends_on_where_you_start(starts)
        np.testing.assert_allclose(ends, np.sign(starts), rtol=1e-6)


def line_through_points(slope=2.0, offset=-1.0, count=400):
    """Fit a line. The unknowns are a dict, and so is the gradient.

    `jax.tree.map` applies one rule to every leaf: parameter − step · gradient. Nothing
    here is about lines; the same three lines train a network.
    """
    x = jnp.linspace(-1, 1, 21, dtype=jnp.float32)
    y = slope * x + offset + jnp.sin(9 * x) / 5  # points that are not quite on a line

    def loss(params):
        return jnp.mean((params["slope"] * x + params["offset"] - y) ** 2)

    def take(params, _):
        gradient = jax.grad(loss)(params)
        return jax.tree.map(lambda p, g: p - 0.3 * g, params, gradient), None

    params = {"slope": jnp.float32(0.0), "offset": jnp.float32(0.0)}
    return jax.lax.scan(take, params, length=count)[0]


def check_descent_finds_the_least_squares_line():
    """Descent arrives at the line that linear algebra gives in closed form."""
    for slope, offset in ((2.0, -1.0), (-0.5, 3.0)):
        x = np.linspace(-1, 1, 21)
        y = slope * x + offset + np.sin(9 * x) / 5
        expected = np.linalg.lstsq(np.stack([x, np.ones(21)], 1), y, rcond=None)[0]
        line = line_through_points(slope, offset)
        np.testing.assert_allclose(line["slope"], expected[0], rtol=5e-6)
        np.testing.assert_allclose(line["offset"], expected[1], rtol=5e-6)


def small_batches_point_the_same_way_on_average(size=4):
    """A gradient over all the data is dear. One over a few points is cheap, and wrong.

    But it is wrong without a bias: the mean over equal batches is the gradient of the
    whole. That is all that stochastic gradient descent needs.
    """
    x = jnp.linspace(-1, 1, 12, dtype=jnp.float32)

    gradient = jax.grad(lambda w, x: jnp.mean((w * x - jnp.cos(3 * x)) ** 2))
    batches = x.reshape(-1, size)  # [batches, size]
    w = jnp.float32(1.5)
    each = jax.vmap(gradient, in_axes=(None, 0))(w, batches)
    return {"of each batch": each, "of the whole": gradient(w, x)}


def check_mean_of_the_batches_is_the_whole():
    """The gradients of the batches differ, and their mean is the gradient by hand."""
    x = np.linspace(-1, 1, 12)
    by_hand = np.mean(2 * (1.5 * x - np.cos(3 * x)) * x)
    for size in (4, 2):
        gradients = small_batches_point_the_same_way_on_average(size)
        each = np.asarray(gradients["of each batch"], float)
        assert np.ptp(each) > 1
        np.testing.assert_allclose(each.mean(), by_hand, rtol=1e-5)
        np.testing.assert_allclose(gradients["of the whole"], by_hand, rtol=1e-5)


def walk_until_it_is_flat(step=0.1, flat=1e-3):
    """How many steps are enough? Let the slope decide: stop once it is small.

    `jax.lax.while_loop` goes on as long as its first function says so. On x² from 4 the
    slope is 8 · (1 − 2 · step)ⁿ, so the answer can be had with pencil and paper.
    """
    slope = jax.grad(lambda x: x**2)

    def steep(state):
        return jnp.abs(slope(state[0])) >= flat

    def take(state):
        return state[0] - step * slope(state[0]), state[1] + 1

    return jax.lax.while_loop(steep, take, (jnp.float32(4.0), 0))[1]


def check_number_of_steps_follows_from_the_factor():
    """The walk stops at the first n with 8 · (1 − 2 · step)ⁿ below the mark."""
    for step, flat in ((0.1, 1e-3), (0.25, 1e-2), (0.02, 0.5)):
        expected = int(np.ceil(np.log(flat / 8) / np.log(1 - 2 * step)))
        assert walk_until_it_is_flat(step, flat) == expected
