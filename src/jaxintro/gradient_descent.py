"""Gradient descent: walk downhill, one small step at a time.

The lesson on `grad` took one step downhill. Here are whole walks, to find the lowest
point of a function. You will see why a step can be too long, why some walks never
settle, how to choose a step, how to make a walk many times as fast, and how to fit a
line to points, the way large models are trained. Read first: prng_keys, grad,
derivatives, vmap, jit and shapes_and_branches.
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import race

ORDER = 110

START = [1.2, 3.2, 4.0]
TARGET = [0.0, 5.0, 10.0]


def steps_down_a_parabola(start=4.0, step=0.1, count=20):
    """To walk downhill, subtract a little of the slope, and do it again.

    The slope of x² at x is 2x. `jax.grad` finds it for us. Where the slope is positive,
    the curve rises to the right, so we go left: we subtract. The number `step` says how
    much of the slope we subtract. (It is called the *learning rate*.) The lowest
    point of x² is at x = 0.

    Predict: `step` is 0.1 all the way. Does x change by the same amount each time?
    """
    slope = jax.grad(lambda x: x**2)
    x = start
    for _ in range(count):
        x = x - step * slope(x)
    return x


def check_every_step_takes_the_same_fraction():
    """Each step multiplies x by 1 − 2 · step, here 0.8, so the steps get shorter."""
    for start, step, count in ((4.0, 0.1, 20), (-3.0, 0.3, 5), (2.0, 0.6, 7)):
        expected = start * (1 - 2 * step) ** count
        x = steps_down_a_parabola(start, step, count)
        np.testing.assert_allclose(x, expected, rtol=5e-6)


def step_too_long(short=0.4, long=1.1, curvature=2.0):
    """A step that is too long makes x worse, faster and faster.

    The *curvature* of a curve says how fast its slope changes. We take the curve
    ½ · curvature · x². Its slope is curvature · x, so one step multiplies x by the
    factor 1 − step · curvature. If the factor lies between −1 and 1, x shrinks. If step
    is more than 2 / curvature, the factor is below −1: each step jumps past 0 and lands
    further away than before.

    Myth: a step against the slope always brings us lower.
    """
    slope = jax.jit(jax.grad(lambda x: curvature * x**2 / 2))
    x_short = 1.0
    for _ in range(10):
        x_short = x_short - short * slope(x_short)

    x_long = 1.0
    for _ in range(10):
        x_long = x_long - long * slope(x_long)
    return x_short, x_long


def check_walk_shrinks_or_explodes_by_its_factor():
    """Each step multiplies x by 1 − step · curvature, whether that helps or not."""
    # in the third case the factor is just −1: x jumps between 1 and −1 for ever
    for short, long, curvature in ((0.4, 1.1, 2.0), (0.01, 0.5, 10.0), (0.5, 1, 2)):
        ends = step_too_long(short, long, curvature)
        expected = (1 - np.array([short, long]) * curvature) ** 10
        # x² / 2 · curvature is rounded several times a step
        np.testing.assert_allclose(ends, expected, rtol=2e-5)


def walk_until_it_is_flat(step=0.1, flat=0.001, most=1000):
    """The slope can decide when to stop.

    A fixed number of steps may be too few or too many. `jax.lax.while_loop`, known from
    shapes_and_branches, repeats a step for as long as a condition holds. Here the state
    that goes from round to round is a pair: x, and the number of steps so far.

    With a step of 1, this x would jump between 4 and −4 for ever. So that the loop ends
    in any case, the condition also has a greatest number of steps, `most`.
    """
    slope = jax.grad(lambda x: x**2)

    def goes_on(state):
        x, count = state
        steep = abs(slope(x)) >= flat
        return steep & (count < most)

    def take_step(state):
        x, count = state
        return x - step * slope(x), count + 1

    state = (4.0, 0)
    x, count = jax.lax.while_loop(goes_on, take_step, state)
    return x, count


def check_number_of_steps_follows_from_the_factor():
    """It stops when the slope, here 8 · 0.8ⁿ, is below `flat`, or at `most` steps."""
    # in the last case the factor is just −1: x jumps between 4 and −4
    cases = ((0.1, 0.001, 1000), (0.25, 0.01, 99), (0.1, 0.001, 7), (1.0, 0.001, 30))
    for step, flat, most in cases:
        expected = 0
        while 8 * abs(1 - 2 * step) ** expected >= flat and expected < most:
            expected += 1
        x, count = walk_until_it_is_flat(step, flat, most)
        assert count == expected
        np.testing.assert_allclose(x, 4 * (1 - 2 * step) ** expected, rtol=1e-5)


def rms_error(x, y):
    """How far x is from y: the root of the mean of the squares."""
    return jnp.sqrt(jnp.mean((x - y) ** 2))


def two_hundred_fixed_steps(step=0.05, count=200):
    """Three numbers walk to a target, and the error shows how far they are.

    In `grad` we asked for the gradient of three numbers. Now we let them walk: they
    start at `START` and should end at those of `TARGET`. The function to make small is
    `rms_error` (RMS stands for root mean square). `jax.grad` gives one slope for each
    number in x. The picture shows the error after each step.
    """
    import matplotlib.pyplot as plt

    x = jnp.array(START)
    y = jnp.array(TARGET)
    gradient = jax.jit(jax.grad(rms_error))
    errors = []
    for _ in range(count):
        x = x - step * gradient(x, y)
        errors.append(rms_error(x, y))

    _, axes = plt.subplots()
    axes.plot(errors)
    axes.set(xlabel="step", ylabel="RMS error", title="Straight down")
    return x, axes


def check_error_falls_by_the_same_amount():
    """The error falls by the same amount at every step: a third of `step`."""
    first = np.linalg.norm(np.subtract(START, TARGET)) / np.sqrt(3)
    for step, count in ((0.05, 200), (0.1, 60)):
        _, axes = two_hundred_fixed_steps(step, count)
        expected = first - step * np.arange(1, count + 1) / 3
        # 200 roundings of float32
        np.testing.assert_allclose(axes.lines[0].get_ydata(), expected, rtol=3e-5)


def check_you_get_what_the_page_prints():
    """The walk goes straight: after 200 steps, x is (0.1137, 4.829, 9.431)."""
    # what the first form of this walk printed, after every tenth step
    known = """3.6657236 3.4990568 3.3323894 3.1657221 2.9990551 2.8323882 2.665721
    2.4990537 2.3323865 2.1657195 1.9990524 1.8323854 1.6657186 1.4990516 1.3323847
    1.1657186 0.9990542 0.8323898 0.6657253 0.49906078"""
    x, axes = two_hundred_fixed_steps()
    errors = axes.lines[0].get_ydata()
    np.testing.assert_allclose(errors[::10], np.array(known.split(), float), rtol=1e-5)
    np.testing.assert_allclose(x, [0.11374928, 4.829371, 9.431246], rtol=1e-5)
    away = np.subtract(START, TARGET)
    share = 1 - 200 * 0.05 / 3 / (np.linalg.norm(away) / np.sqrt(3))
    # 200 roundings of float32
    np.testing.assert_allclose(x, TARGET + share * away, rtol=3e-5)


def gradient_far_and_near(near=(0.1, 5.0, 10.0)):
    """How long is the gradient, far from the target and near it?

    The length of the gradient is the root of the sum of its squares, which
    `np.linalg.norm` computes. It says how steep the RMS error is. We look at the start,
    which is far from the target, and at a point near it.

    Predict: near the bottom of a parabola, the slope is small. Is the gradient of the
    RMS error shorter at the near point, too?
    """
    gradient = jax.grad(rms_error)
    y = jnp.array(TARGET)
    far_gradient = gradient(jnp.array(START), y)
    far_length = np.linalg.norm(far_gradient)

    near_gradient = gradient(jnp.array(near), y)
    near_length = np.linalg.norm(near_gradient)
    return far_gradient, near_gradient, far_length, near_length


def check_gradient_is_always_one_over_root_n_long():
    """Both gradients are 1/√3 = 0.577 long, so both steps have the length step/√3."""
    for near in ((0.1, 5.0, 10.0), (0.0, 5.0, 10.001), (0.01, 5.02, 9.97)):
        found = gradient_far_and_near(near)
        for point, gradient, length in zip(
            (START, near), found, found[2:], strict=False
        ):
            away = np.float32(point).astype(float) - TARGET
            by_hand = away / (3 * np.sqrt(np.mean(away**2)))
            np.testing.assert_allclose(gradient, by_hand, atol=1e-6)
            np.testing.assert_allclose(length, 1 / np.sqrt(3), rtol=1e-6)


def slope_at_the_target_is_nan(start=4.0, target=5.0):
    """With a root in the loss, a walk that lands on the target becomes nan.

    The RMS error is the distance to the target, divided by √3. So it is not like a
    bowl, which is flat at the bottom, but like a funnel with straight walls. A step
    moved x by step/√3, and so the error fell by a third of `step`, as you have seen.

    At the tip of the funnel, the root is √0, whose slope is infinite, and what is under
    the root has the slope 0. JAX multiplies the two, and infinity times 0 is nan: not a
    number. After one step with this gradient x is nan, and it stays nan. Here x is one
    number that walks from 4 to 5 in steps of 0.5.

    The cure is to leave out the root. The mean of the squared differences is lowest at
    the same place, and there its gradient is 0.
    """
    gradient = jax.grad(rms_error)
    x = start
    for _ in range(4):
        x = x - 0.5 * gradient(x, target)
    at_target = gradient(target, target)

    def squared_error(x, y):
        return jnp.mean((x - y) ** 2)

    cured = jax.grad(squared_error)(target, target)
    return x, at_target, cured


def check_root_has_no_slope_at_zero():
    """At the target the RMS error has slope nan, and the squared error has slope 0."""
    for start, target in ((4.0, 5.0), (1.0, 0.0), (-3.0, -2.0)):
        x, at_target, cured = slope_at_the_target_is_nan(start, target)
        assert np.isnan(x)
        assert np.isnan(at_target)
        assert cured == 0


def bounce_at_the_bottom(step=0.3, start=4.0, target=5.0):
    """Steps of one length do not settle: x jumps over the target, and back.

    For one number, the RMS error is the distance to the target, and its slope is 1 or
    −1. So each step is 0.3 long, however near the target is.

    Myth: with enough steps, the error becomes as small as you like.
    """
    slope = jax.grad(rms_error)
    x = start
    walk = []
    for _ in range(8):
        x = x - step * slope(x, target)
        walk.append(x)

    walk = np.array(walk)
    errors = abs(walk - target)
    return walk, errors


def check_two_errors_in_a_row_add_up_to_the_step():
    """Once x jumps to and fro, two errors in a row add up to the step, here 0.3."""
    for step, start, target in ((0.3, 4.0, 5.0), (0.7, 5.0, 3.2), (0.4, -1.1, 0.0)):
        expected = [start]
        for _ in range(8):
            x = expected[-1]
            expected.append(x + step if x < target else x - step)
        walk, errors = bounce_at_the_bottom(step, start, target)
        np.testing.assert_allclose(walk, expected[1:], rtol=2e-6)
        # the error is a small difference of numbers near 5
        np.testing.assert_allclose(errors, abs(walk - target), rtol=1e-5)
        np.testing.assert_allclose(errors[-1] + errors[-2], step, rtol=1e-5)


@jax.jit
def descend(x, y, steps):
    """Take a step for each size in `steps`; return end and errors."""

    def take_step(x, size):
        x = x - size * jax.grad(rms_error)(x, y)
        return x, rms_error(x, y)

    end, errors = jax.lax.scan(take_step, x, steps)
    return end, errors


def whole_walk_in_one_scan(step=0.05, count=200):
    """With `jax.lax.scan`, the whole walk is one compiled program.

    `descend` is a walk without a loop of Python. `jax.lax.scan` goes through the sizes
    in `steps`, and calls `take_step` with x and one size. `take_step` returns two
    things: the new x, which goes on to the next turn, and the error, which is kept. In
    the end we have the last x, and all errors in one array. Here it walks from `START`
    again, with 200 steps of 0.05.
    """
    x = jnp.array(START)
    y = jnp.array(TARGET)
    steps = jnp.full(count, step)
    end, errors = descend(x, y, steps)
    return end, errors


def check_scan_walks_like_the_python_loop():
    """The end and the errors are those of the loop in two_hundred_fixed_steps."""
    away = np.subtract(START, TARGET)
    first = np.linalg.norm(away) / np.sqrt(3)
    for step, count in ((0.05, 200), (0.1, 60)):
        end, errors = whole_walk_in_one_scan(step, count)
        expected = first - step * np.arange(1, count + 1) / 3
        # 200 roundings of float32
        np.testing.assert_allclose(errors, expected, rtol=3e-5)
        straight = TARGET + expected[-1] / first * away
        # the same roundings
        np.testing.assert_allclose(end, straight, rtol=3e-5)


def runs_of_the_loss(count=50):
    """How often Python runs through the loss depends on what is compiled.

    In machine learning, the function to make small is called the *loss*. Our loss notes
    each time that Python runs through it. We walk 50 steps in three ways. The first
    calls `jax.grad` as it stands. The second compiles the gradient with `jax.jit`. The
    third puts the whole walk in one `scan`.

    Predict: how often does Python run through `noted_loss` in each of the three walks?
    """
    start = jnp.array(START)
    y = jnp.array(TARGET)
    runs = []

    def noted_loss(x):
        runs.append("Python was here")
        return rms_error(x, y)

    x = start
    for _ in range(count):
        x = x - 0.05 * jax.grad(noted_loss)(x)
    plain_runs = len(runs)

    runs.clear()
    gradient = jax.jit(jax.grad(noted_loss))
    x = start
    for _ in range(count):
        x = x - 0.05 * gradient(x)
    jit_runs = len(runs)

    def take_step(x, step):
        return x - step * jax.grad(noted_loss)(x), None

    runs.clear()
    steps = jnp.full(count, 0.05)
    x, _ = jax.lax.scan(take_step, start, steps)
    scan_runs = len(runs)
    return plain_runs, jit_runs, scan_runs


def check_python_runs_once_a_step_or_once_in_all():
    """Python runs through the loss 50 times as written, and once in the other two."""
    for count in (50, 7):
        assert runs_of_the_loss(count) == (count, 1, 1)


def same_walk_three_ways(count=5):
    """The same walk takes very different times in these three ways.

    In `plain_loop`, Python differentiates the loss anew at each step, and hands JAX one
    small operation after the other. In `jitted_gradient`, Python starts three programs
    at each step: the gradient, a multiplication and a subtraction. In `one_scan` the
    whole walk is one program, and Python starts it once. A walk has only five steps.
    We call each of them once, so that all is compiled. Then `race` shows what a further
    call takes. (`jax.jit` around the whole Python loop gives one program, too, but with
    every step written out: see shapes_and_branches.)
    """
    x = jnp.array(START)
    y = jnp.array(TARGET)

    def plain_loop(x):
        for _ in range(count):
            x = x - 0.05 * jax.grad(rms_error)(x, y)
        return x

    gradient = jax.jit(jax.grad(rms_error))

    def jitted_gradient(x):
        for _ in range(count):
            x = x - 0.05 * gradient(x, y)
        return x

    @jax.jit
    def one_scan(x):
        end, _ = descend(x, y, jnp.full(count, 0.05))
        return end

    plain_end = plain_loop(x)
    jit_end = jitted_gradient(x)
    scan_end = one_scan(x)
    race([plain_loop, jitted_gradient, one_scan], x, seconds=0.5)
    return plain_end, jit_end, scan_end


def check_all_three_end_where_numpy_ends():
    """All three walks end at the same place, that of a loop in NumPy."""
    for count in (20, 3):
        x, y = np.array(START), np.array(TARGET)
        for _ in range(count):
            x = x - 0.05 * (x - y) / (3 * np.sqrt(np.mean((x - y) ** 2)))
        for end in same_walk_three_ways(count):
            np.testing.assert_allclose(end, x, rtol=5e-6)


def annealed_steps(step=0.1, shrink=0.75):
    """If the steps slowly shrink, the walk can settle.

    This is called *annealing*: hot metal is annealed when it is cooled slowly, so that
    it can settle. Here the step shrinks by a quarter after every 50 steps. (The numbers
    `np.arange(1000) // 50` are 0 for the first 50 steps, 1 for the next 50, and so on.)
    We look at the error after 100 steps. When a step jumps over the target, the errors
    before and after it add up to a third of the step (for one number, in
    bounce_at_the_bottom, it was the whole step). So neither of them is larger than a
    third of the step. Compare the last two values.
    """
    steps = step * shrink ** (np.arange(1000) // 50)
    x = jnp.array(START)
    y = jnp.array(TARGET)
    end, errors = descend(x, y, steps)
    after_hundred = errors[99]
    last_error = errors[-1]
    a_third = steps[-1] / 3
    return end, after_hundred, last_error, a_third


def check_first_errors_are_those_of_the_page():
    """The first 100 steps lower the error by a third of each step, to 0.7657."""
    first = np.linalg.norm(np.subtract(START, TARGET)) / np.sqrt(3)
    for step, shrink in ((0.1, 0.75), (0.08, 0.75), (0.1, 0.8)):
        _, after_hundred, *_ = annealed_steps(step, shrink)
        expected = first - step * 50 * (1 + shrink) / 3
        # 100 roundings of float32, from 3.7 down
        np.testing.assert_allclose(after_hundred, expected, rtol=3e-5)


def check_annealed_walk_arrives():
    """In the end the error is here no more than a third of the last step."""
    for step, shrink in ((0.1, 0.75), (0.1, 0.8)):
        end, _, last_error, a_third = annealed_steps(step, shrink)
        np.testing.assert_allclose(a_third, step * shrink**19 / 3, rtol=1e-6)
        # Blunt: a bound, as float noise decides where in it the walk ends
        assert last_error <= a_third
        distance = np.linalg.norm(np.asarray(end, float) - TARGET)
        # float32 knows numbers near 10 to within 1e-6
        np.testing.assert_allclose(last_error, distance / np.sqrt(3), atol=2e-6)


def three_loss_curves(step=0.1, count=1000):
    """A loss curve shows whether a walk arrives.

    A curve of the error over the steps is called a *loss curve*. We draw three: with
    fixed steps; with steps that shrink slowly, by a quarter after every 50; and with
    steps that shrink fast, by half after every 50. At the bottom the error jumps up and
    down, so we draw the larger one of each two errors in a row. The vertical axis has
    powers of ten. (Beside `errors_with` stand its three runs, in the order fixed,
    slowly, fast.)

    Predict: does the third walk come nearer to the target than the second?
    """
    import matplotlib.pyplot as plt

    x = jnp.array(START)
    y = jnp.array(TARGET)

    def errors_with(steps):
        _, errors = descend(x, y, steps)
        return jnp.maximum(errors[1:], errors[:-1])

    fixed = np.full(count, step)
    slowly = fixed * 0.75 ** (np.arange(count) // 50)
    fast = fixed * 0.5 ** (np.arange(count) // 50)

    _, axes = plt.subplots()
    axes.semilogy(errors_with(fixed), label="fixed")
    axes.semilogy(errors_with(slowly), label="shrink slowly")
    axes.semilogy(errors_with(fast), label="shrink fast")
    axes.set(xlabel="step", ylabel="error", title="One goes on sinking")
    axes.legend()
    return axes


def check_curves_part_at_the_bottom():
    """Fixed steps end as a level line, and steps that shrink slowly far below it."""
    fixed, slowly, _ = (line.get_ydata() for line in three_loss_curves().lines)
    error = np.linalg.norm(np.subtract(START, TARGET)) / np.sqrt(3)
    for _ in range(1000):
        error, before = abs(error - 0.1 / 3), error
    # 110 roundings of float32 on the way down decide the last digits of the level
    np.testing.assert_allclose(fixed[-1], max(error, before), rtol=2e-3)
    # x is near 10, and float32 knows 10 to within 1e-6
    np.testing.assert_allclose(fixed[-800:], fixed[-1], rtol=1e-4)
    assert slowly[-1] <= 0.1 * 0.75**19 / 3
    np.testing.assert_allclose(slowly[:40], fixed[:40], rtol=1e-5)


def check_fast_shrinking_steps_stop_on_the_way():
    """Steps that shrink fast stop at an error of 0.349: together they are too short."""
    first = np.linalg.norm(np.subtract(START, TARGET)) / np.sqrt(3)
    for step in (0.1, 0.08):
        fast = three_loss_curves(step).lines[2].get_ydata()
        falls = step * 0.5 ** (np.arange(1000) // 50) / 3
        expected = first - np.cumsum(falls)
        # a thousand roundings of float32
        np.testing.assert_allclose(fast, expected[:-1], rtol=1e-4)
    assert first - np.sum(falls) > 0


def valley(p):
    """The height in a long valley, at p[0] along it and p[1] across."""
    return (p[0] ** 2 + 10 * p[1] ** 2) / 2


def walk_across_a_valley(step=0.18, count=30):
    """In a long valley, a walk with long steps zigzags from wall to wall.

    Now p holds two numbers, a place in a valley. The curvature across the valley is 10
    times the curvature along it. So each direction has a factor of its own: with a step
    of 0.18, one step multiplies the first number by 1 − 0.18 = 0.82, and the second by
    1 − 1.8 = −0.8. The picture is a map, seen from above. All points of the ring have
    the same height, and the bottom of the valley is in its middle. (Matplotlib's
    `contour` can draw such rings of any function.) Follow the signs of the second
    number in the values.
    """
    import matplotlib.pyplot as plt

    slope = jax.jit(jax.grad(valley))
    p = jnp.array([-8.0, 2.5])
    path = [p]
    for _ in range(count):
        p = p - step * slope(p)
        path.append(p)

    _, axes = plt.subplots()
    along, across = np.array(path).T
    axes.plot(along, across, ".-", label="the walk")
    angle = np.linspace(0, 2 * np.pi, 150)
    ring = 8 * np.cos(angle), 8 * np.sin(angle) / 10**0.5
    axes.plot(*ring, ":", label="all at a height of 32")
    axes.legend()
    axes.set(xlim=(-9, 3), ylim=(-3, 3), title="A long valley")
    axes.set(xlabel="along", ylabel="across")
    return axes


def check_each_direction_shrinks_by_its_own_factor():
    """One step multiplies the first number by 1 − step, the second by 1 − 10 · step."""
    n = np.arange(31)
    for step in (0.18, 0.05):
        walk, ring = walk_across_a_valley(step).lines
        along, across = walk.get_data()
        # the factor is rounded once a step, 30 steps long
        np.testing.assert_allclose(along, -8 * (1 - step) ** n, rtol=2e-5)
        expected = 2.5 * (1 - 10 * step) ** n
        # the same; near 0 the zigzag is smaller than what float32 can cancel
        np.testing.assert_allclose(across, expected, rtol=1e-4, atol=1e-7)
        x, y = ring.get_data()
        np.testing.assert_allclose((x**2 + 10 * y**2) / 2, 32, rtol=1e-6)


def steepest_direction_sets_the_limit(safe=0.99, unsafe=1.01):
    """The largest curvature decides how long a step may be.

    `jax.hessian` gives the matrix of second derivatives. On its diagonal stand the
    curvatures along the valley, 1, and across it, 10. For a step of more than 2 / 10
    the factor across is below −1, although the one along is not. We try a step 1 %
    shorter than this limit, and a step 1 % longer.
    """
    start = jnp.array([-8.0, 2.5])
    curvatures = jax.hessian(valley)(start)
    limit = 2 / curvatures[1, 1]

    slope = jax.jit(jax.grad(valley))
    p = start
    for _ in range(200):
        p = p - safe * limit * slope(p)
    safe_end = p

    p = start
    for _ in range(200):
        p = p - unsafe * limit * slope(p)
    unsafe_end = p
    return curvatures, limit, safe_end, unsafe_end


def check_limit_is_two_over_the_largest_curvature():
    """Below the limit of 0.2 both numbers shrink; above it, the second one grows."""
    for safe, unsafe in ((0.99, 1.01), (0.5, 1.02)):
        found = steepest_direction_sets_the_limit(safe, unsafe)
        np.testing.assert_array_equal(found[0], [[1, 0], [0, 10]])
        np.testing.assert_allclose(found[1], 0.2, rtol=1e-6)
        for share, end in zip((safe, unsafe), found[2:], strict=True):
            factors = 1 - share * 0.2 * np.array([1, 10])
            expected = np.array([-8.0, 2.5]) * factors**200
            # 200 roundings; a walk that has arrived is 0 but for these
            np.testing.assert_allclose(end, expected, rtol=5e-4, atol=1e-15)


def last_height(size, count):
    """Walk with steps of one size; return the height at the end."""

    def take_step(i, p):
        return p - size * jax.grad(valley)(p)

    start = jnp.array([-8.0, 2.5])
    end = jax.lax.fori_loop(0, count, take_step, start)
    return valley(end)


def whole_sweep_in_one_call(sizes=(0.001, 0.01, 0.1, 1.0), count=15):
    """To choose a step, try powers of ten and look at the losses.

    For a large model one rarely computes curvatures: one tries. To try many values of a
    setting is called a *sweep*. `last_height` walks with one size, in a
    `jax.lax.fori_loop`, which calls `take_step` with (number of the turn, p). With
    `jax.vmap`, one call walks with all four sizes. (In `in_axes`, None says that all
    share `count`.) All start at a height of 63.25.

    Predict: which of the four sizes ends lowest after 15 steps?
    """
    walks = jax.vmap(last_height, in_axes=(0, None))
    heights = walks(jnp.array(sizes), count)
    best = sizes[jnp.argmin(heights)]
    return heights, best


def check_each_walk_of_the_sweep_has_its_own_step():
    """Here 0.1 is best: shorter steps are still on the way, and 1.0 has exploded."""
    for sizes, count in (((0.001, 0.01, 0.1, 1.0), 15), ((0.05, 0.15, 0.3), 9)):
        factors = 1 - np.outer(sizes, [1, 10])
        expected = (factors ** (2 * count)) @ [64, 10 * 2.5**2] / 2
        heights, best = whole_sweep_in_one_call(sizes, count)
        # 15 roundings, squared
        np.testing.assert_allclose(heights, expected, rtol=2e-5)
        assert best == sizes[np.argmin(expected)]


def exploded_walk_in_a_sweep(sizes=(0.001, 0.01, 0.1, 1.0), count=100):
    """With more steps, the exploded walk becomes nan.

    With 100 steps of 1.0, the place in the valley grows beyond the range of float32. It
    becomes infinite, and infinite minus infinite is nan. When the loss of a training
    keeps rising or becomes nan, first try a step ten times shorter.

    Predict: the last of the four heights is nan. Which size does `jnp.argmin` choose?
    """
    walks = jax.vmap(last_height, in_axes=(0, None))
    heights = walks(jnp.array(sizes), count)
    chosen = sizes[jnp.argmin(heights)]
    best = sizes[jnp.nanargmin(heights)]  # without the nan
    return heights, chosen, best


def check_argmin_chooses_nan():
    """`jnp.argmin`, like NumPy's, chooses the nan; without the nan, 0.1 is the best."""
    for sizes in ((0.001, 0.01, 0.1, 1.0), (2.0, 0.15, 0.02)):
        numbers = np.array([s for s in sizes if s < 1])
        factors = 1 - np.outer(numbers, [1, 10])
        expected = (factors**200) @ [64, 10 * 2.5**2] / 2
        heights, chosen, best = exploded_walk_in_a_sweep(sizes)
        heights = np.asarray(heights)
        assert np.isnan(heights[np.array(sizes) >= 1]).all()
        # 100 roundings, squared
        np.testing.assert_allclose(heights[np.isfinite(heights)], expected, rtol=2e-4)
        assert chosen == sizes[np.argmin(heights)] >= 1
        assert best == numbers[np.argmin(expected)]


def momentum_runs_along_the_valley(step=0.019, keep=0.8, count=60):
    """With momentum, moves that point the same way add up.

    The steep walls of a narrow valley force a short step, and with a short step the way
    along the valley is long. Here the curvature across is 100, so a plain step of more
    than 2 / 100 would explode. We take 0.019, close to that limit, for both walks.

    With *momentum*, a move is 8/10 of the last move, minus step · slope. As long as the
    slope stays the same, a move grows towards 1 + 0.8 + 0.8² + … = 5 times its first
    length. This helps along the valley, where the slope changes slowly. Compare the two
    ends: the first number is the place along the valley, and the second is the place
    across it. Momentum also allows longer steps: with 8/10, here a step is too long
    only from 3.6 / 100 on. (In a wide valley, where longer steps are allowed, a good
    plain step can do as well.)
    """

    def narrow_valley(p):
        return (p[0] ** 2 + 100 * p[1] ** 2) / 2

    slope = jax.jit(jax.grad(narrow_valley))
    plain = jnp.array([-8.0, 2.5])
    for _ in range(count):
        plain = plain - step * slope(plain)

    p = jnp.array([-8.0, 2.5])
    move = jnp.zeros(2)
    for _ in range(count):
        move = keep * move - step * slope(p)
        p = p + move
    return plain, p


def check_momentum_comes_much_nearer():
    """Along it, momentum ends over 1,000 times nearer than plain steps do."""
    for step, keep, count in ((0.019, 0.8, 60), (0.01, 0.7, 20)):
        plain, found = momentum_runs_along_the_valley(step, keep, count)
        p, move = np.array([-8.0, 2.5]), np.zeros(2)
        for _ in range(count):
            move = keep * move - step * np.array([1, 100]) * p
            p = p + move
        factors = 1 - step * np.array([1, 100])
        # up to 60 roundings of 1 minus a number near 2
        np.testing.assert_allclose(plain, [-8, 2.5] * factors**count, 1e-4, 1e-12)
        # the same, while moves of different signs cancel
        np.testing.assert_allclose(found, p, rtol=1e-3, atol=1e-6)
    _, found = np.abs(momentum_runs_along_the_valley())
    best_plain = 8 * (1 - 2 / 100) ** 60  # with the longest step that is allowed
    assert found[0] < best_plain / 1000
    # Momentum has a limit of 2 · 1.8 / 100, and not of 2 / 100
    ends = [momentum_runs_along_the_valley(s, 0.8, 99)[1] for s in (0.035, 0.037)]
    assert np.abs(ends[0]).max() < 0.1
    assert np.abs(ends[1]).max() > 1e3


def where_you_end_depends_on_where_you_start(starts=(-2.0, -0.1, 0.0, 0.1, 2.0)):
    """With short steps, where a walk starts decides in which valley it ends.

    The curve x⁴ − 2x² has two valleys, with their bottoms at −1 and at 1, and a hilltop
    between them at 0. Five walkers start at once, with `jax.vmap`. Each takes 300
    steps in a `jax.lax.fori_loop`.

    Predict: one of them starts exactly on the hilltop. Where does it go?
    """
    slope = jax.grad(lambda x: x**4 - 2 * x**2)

    def take_step(i, x):
        return x - 0.05 * slope(x)

    def walk(x):
        return jax.lax.fori_loop(0, 300, take_step, x)

    ends = jax.vmap(walk)(jnp.array(starts))
    return ends


def check_walkers_end_in_the_valley_on_their_side():
    """Of these five, four end at −1 or 1 on their own side, and one stays at 0."""
    for starts in ((-2.0, -0.1, 0.0, 0.1, 2.0), (0.5, 0.0, -0.5)):
        ends = where_you_end_depends_on_where_you_start(starts)
        np.testing.assert_allclose(ends, np.sign(starts), rtol=1e-6)


def loss(params, x, y):
    """The mean of the squares of how far the points miss the line."""
    line = params["w"] * x + params["b"]
    return jnp.mean((line - y) ** 2)


def slope_for_each_parameter(w=1.0, b=0.0):
    """If the parameters are a dict, their gradient is a dict with the same keys.

    We want the line w · x + b that lies nearest to some points. The numbers to find are
    called *parameters*, and we keep them in a dict. The loss says how badly the line
    fits. `jax.value_and_grad` gives the loss and its gradient in one call: an entry for
    each parameter.

    Predict: the line 1 · x + 0 is nowhere above the three points. Are the two entries
    of the gradient positive or negative?
    """
    params = {"w": w, "b": b}
    x = jnp.array([0.0, 1.0, 2.0])
    y = jnp.array([1.0, 3.0, 5.0])
    value, gradient = jax.value_and_grad(loss)(params, x, y)
    return value, gradient


def check_gradient_of_the_line_is_that_by_hand():
    """The entry for w is the mean of 2(line − y)x, and that for b of 2(line − y)."""
    x, y = np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0])
    for w, b in ((1.0, 0.0), (2.5, -1.5)):
        miss = w * x + b - y
        value, gradient = slope_for_each_parameter(w, b)
        np.testing.assert_allclose(value, np.mean(miss**2), rtol=1e-6)
        np.testing.assert_allclose(gradient["w"], np.mean(2 * miss * x), rtol=1e-6)
        np.testing.assert_allclose(gradient["b"], np.mean(2 * miss), rtol=1e-6)


@jax.jit
def update(params, x, y, step=0.3):
    """Take a step down the loss; return the old loss, too."""
    value, gradient = jax.value_and_grad(loss)(params, x, y)
    params = jax.tree.map(lambda p, g: p - step * g, params, gradient)
    return params, value


def one_update_moves_every_parameter(w=1.0, b=0.0):
    """One update moves every parameter against its entry of the gradient.

    Training programs are built around a function like `update`: parameters and data go
    in, and new parameters come out. `jax.tree.map` goes through the two dicts at once.
    It calls the small function with each parameter p and its entry g of the gradient,
    and makes a dict of the results. The step is 0.3, unless you hand over another.
    `update` returns a new dict, which we keep in place of the old one. Both entries of
    the gradient were negative, so both parameters grow.
    """
    params = {"w": jnp.array(w), "b": jnp.array(b)}
    x = jnp.array([0.0, 1.0, 2.0])
    y = jnp.array([1.0, 3.0, 5.0])
    params, value = update(params, x, y)
    after = loss(params, x, y)
    return params, value, after


def check_update_is_a_step_against_the_gradient():
    """Each parameter loses 0.3 times its entry, and here the loss falls."""
    x, y = np.arange(3.0), np.arange(1.0, 7.0, 2.0)
    for w, b in ((1.0, 0.0), (2.5, -1.5)):
        params, value, after = one_update_moves_every_parameter(w, b)
        miss = w * x + b - y
        w, b = w - 0.6 * np.mean(miss * x), b - 0.6 * np.mean(miss)
        np.testing.assert_allclose(params["w"], w, rtol=1e-6)
        np.testing.assert_allclose(params["b"], b, rtol=1e-6)
        np.testing.assert_allclose(value, np.mean(miss**2), rtol=1e-6)
        np.testing.assert_allclose(after, np.mean((w * x + b - y) ** 2), 1e-5)
        assert after < value


def noisy_points(key):
    """Forty points near the line 2x − 1, moved by chance."""
    x = jnp.linspace(-1, 1, 40)
    y = 2 * x - 1 + 0.3 * jax.random.normal(key, (40,))
    return x, y


def line_through_points(seed=0, count=100):
    """A hundred updates find the line that lies nearest to the points.

    `noisy_points` makes the data: it takes a random key (made by `jax.random.key`), and
    `jax.random.normal` moves each point a little off the line 2x − 1. We start with w =
    0 and b = 0, and update again and again with all the points. `value` is the loss
    before each update. `np.polyfit` finds the best line by linear algebra, without any
    steps.

    Predict: does the loss go down to 0?
    """
    import matplotlib.pyplot as plt

    x, y = noisy_points(jax.random.key(seed))
    params = {"w": jnp.array(0.0), "b": jnp.array(0.0)}
    for _ in range(count):
        params, value = update(params, x, y)
    numpys_line = np.polyfit(x, y, 1)

    _, axes = plt.subplots()
    axes.plot(x, y, "o", label="points")
    axes.plot(x, params["w"] * x + params["b"], label="line")
    axes.set(xlabel="x", ylabel="y", title="The line that was found")
    axes.legend()
    return params, value, numpys_line, axes


def check_descent_finds_the_least_squares_line():
    """Descent arrives at the line of `np.polyfit`."""
    for seed in (0, 7):
        params, _, numpys_line, axes = line_through_points(seed)
        points, line = axes.lines
        x, y = np.asarray(points.get_data(), float)
        w, b = np.polyfit(x, y, 1)
        np.testing.assert_allclose(numpys_line, [w, b], rtol=1e-6)
        np.testing.assert_allclose([params["w"], params["b"]], [w, b], rtol=5e-6)
        np.testing.assert_allclose(line.get_ydata(), w * x + b, atol=5e-6)


def check_loss_ends_at_what_no_line_can_fit():
    """The last loss, 0.089, is that of the best line: no line meets all the points."""
    for seed in (0, 7):
        _, value, _, axes = line_through_points(seed)
        x, y = np.asarray(axes.lines[0].get_data(), float)
        w, b = np.polyfit(x, y, 1)
        left = np.mean((w * x + b - y) ** 2)
        assert left > 0.01
        np.testing.assert_allclose(value, left, rtol=5e-6)


def small_batches_point_the_same_way_on_average(size=8, seed=0):
    """Over batches of equal size, the mean of the gradients is the whole gradient.

    With millions of points, the gradient over all of them takes long. So one takes a
    few points at a time, a *batch*. We cut the 40 points into 5 batches, and compute
    the gradient of each batch, with `jax.vmap`. These gradients differ a lot. But as
    the batches have the same size, the mean of their gradients is the gradient over all
    points. (To keep the page short, we look at the entry for w only.)
    """
    x, y = noisy_points(jax.random.key(seed))
    params = {"w": 0.0, "b": 0.0}
    gradient = jax.jit(jax.grad(loss))
    whole = gradient(params, x, y)["w"]

    for_each = jax.vmap(gradient, in_axes=(None, 0, 0))
    found = for_each(params, x.reshape(-1, size), y.reshape(-1, size))
    slopes = found["w"]
    mean = jnp.mean(slopes)
    return x, y, whole, slopes, mean


def check_mean_of_the_batches_is_the_whole():
    """The gradients of the batches differ, and their mean is that of all points."""
    for size, seed in ((8, 0), (4, 7)):
        x, y, whole, slopes, mean = small_batches_point_the_same_way_on_average(
            size, seed
        )
        terms = -2 * np.float64(x) * np.float64(y)
        by_hand = terms.reshape(-1, size).mean(axis=1)
        assert np.ptp(by_hand) > 1
        np.testing.assert_allclose(slopes, by_hand, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(mean, terms.mean(), rtol=1e-5)
        np.testing.assert_allclose(whole, terms.mean(), rtol=1e-5)


def an_update_for_each_batch(epochs=20):
    """An update for each batch, from left to right, can miss the best line.

    So we need not wait for the gradient over all points. We go through all points again
    and again, and each pass is called an *epoch*. Here the points lie on the curve x²,
    from left to right, and a batch is 8 neighbours. The curve is as high on the left as
    on the right, so the best line is level: its w is 0.

    Predict: is w positive or negative after 20 epochs?
    """
    x = jnp.linspace(-1, 1, 40)
    y = x**2
    params = {"w": jnp.array(0.0), "b": jnp.array(0.0)}
    for _ in range(epochs):
        for start in range(0, 40, 8):
            stop = start + 8
            params, _ = update(params, x[start:stop], y[start:stop])
    return params


def check_batches_in_order_pull_the_line():
    """In this order w ends at 0.39, and for the best line it is 0."""
    x = np.linspace(-1, 1, 40)
    np.testing.assert_allclose(np.polyfit(x, x**2, 1)[0], 0, atol=1e-12)
    for epochs in (20, 3):
        w, b = 0.0, 0.0
        for batch in np.tile(np.arange(40).reshape(5, 8), (epochs, 1)):
            miss = w * x[batch] + b - x[batch] ** 2
            w, b = w - 0.6 * np.mean(miss * x[batch]), b - 0.6 * np.mean(miss)
        params = an_update_for_each_batch(epochs)
        np.testing.assert_allclose([params["w"], params["b"]], [w, b], 1e-5)
        assert w > 0.35


def shuffled_batches(seed=0, epochs=20):
    """Shuffled before each epoch, the batches lead near to the best line.

    From left to right, the last batch of each epoch held the points on the right, where
    the curve rises, and the line followed them. So one shuffles:
    `jax.random.permutation(key, 40)` gives the numbers 0 to 39 in random order.
    `one_epoch` goes through such an order, 8 points at a time. It is compiled, so its
    five updates are one program. This is called *stochastic gradient descent*;
    stochastic means by chance: chance decides which points share a batch. (In this
    example, one shuffled order for all epochs does about as well. With a new one for
    each epoch, a bad order does not pull in every epoch.)

    Look at w after each epoch: it comes near to 0, but does not settle there, for each
    batch pulls another way. The next demo cures that.
    """
    x = jnp.linspace(-1, 1, 40)
    y = x**2

    @jax.jit
    def one_epoch(params, order):
        for rows in order.reshape(5, 8):
            params, _ = update(params, x[rows], y[rows])
        return params

    keys = jax.random.split(jax.random.key(seed), epochs)
    orders = [jax.random.permutation(key, 40) for key in keys]
    params = {"w": jnp.array(0.0), "b": jnp.array(0.0)}
    slopes = []
    for order in orders:
        params = one_epoch(params, order)
        slopes.append(params["w"])
    print(np.round(slopes, 2))
    return orders, params, slopes


def check_shuffled_batches_come_near():
    """Each epoch uses every point once, and w ends within 0.1 of 0."""
    x = np.linspace(-1, 1, 40)
    for seed in (0, 3):
        orders, params, slopes = shuffled_batches(seed)
        w, b = 0.0, 0.0
        for order, slope in zip(np.asarray(orders), slopes, strict=True):
            np.testing.assert_array_equal(np.sort(order), np.arange(40))
            for batch in order.reshape(5, 8):
                miss = w * x[batch] + b - x[batch] ** 2
                w, b = w - 0.6 * np.mean(miss * x[batch]), b - 0.6 * np.mean(miss)
            # the slope is a small difference of larger numbers
            np.testing.assert_allclose(slope, w, atol=1e-6)
        np.testing.assert_allclose(params["w"], w, atol=1e-6)
        np.testing.assert_allclose(params["b"], b, rtol=1e-5)
        assert abs(w) < 0.1  # over 200 seeds it was never more than 0.08


def shorter_steps_settle(seed=0, shrink=0.8, epochs=20):
    """Steps that shrink from epoch to epoch calm the pull of the batches.

    This is annealing again, now with batches. `one_epoch` now takes the size of the
    step, too, and hands it to `update`. The size starts at 0.3 and loses a fifth at
    each epoch.

    Predict: in the last demo w ended near 0.06. How near to 0 does it end now?
    """
    x = jnp.linspace(-1, 1, 40)
    y = x**2

    @jax.jit
    def one_epoch(params, order, step):
        for rows in order.reshape(5, 8):
            params, _ = update(params, x[rows], y[rows], step)
        return params

    keys = jax.random.split(jax.random.key(seed), epochs)
    orders = [jax.random.permutation(key, 40) for key in keys]
    params = {"w": jnp.array(0.0), "b": jnp.array(0.0)}
    step = 0.3
    for order in orders:
        params = one_epoch(params, order, step)
        step = shrink * step
    return orders, params


def check_shrinking_steps_come_nearer():
    """With steps that shrink, w ends within 0.01 of 0."""
    x = np.linspace(-1, 1, 40)
    for seed, shrink in ((0, 0.8), (3, 0.85)):
        orders, params = shorter_steps_settle(seed, shrink)
        w, b = 0.0, 0.0
        for epoch, order in enumerate(np.asarray(orders)):
            size = 0.3 * shrink**epoch
            for batch in order.reshape(5, 8):
                miss = w * x[batch] + b - x[batch] ** 2
                w = w - 2 * size * np.mean(miss * x[batch])
                b = b - 2 * size * np.mean(miss)
        # the slope is a small difference of larger numbers
        np.testing.assert_allclose(params["w"], w, atol=1e-6)
        np.testing.assert_allclose(params["b"], b, rtol=1e-5)
        assert abs(w) < 0.01


def thousand_fits_in_one_call(count=1000, noise=0.3):
    """A thousand lines are fitted to a thousand sets of points, in one call.

    Here much of the course comes together: a random key, a gradient (inside `update`),
    `jax.lax.fori_loop`, `jax.vmap` and `jax.jit`. Each row of `chance` moves 20 points
    off the line 2x − 1. `fit` is written for one row, and finds the w of the nearest
    line.

    The library Optax holds the rules of descent that people use today (momentum, Adam,
    steps that shrink). The lesson ecosystem shows it.
    """
    key = jax.random.key(0)
    x = jnp.linspace(-1, 1, 20)
    chance = jax.random.normal(key, (count, 20))

    def fit(row):
        y = 2 * x - 1 + noise * row

        def take_step(i, params):
            params, _ = update(params, x, y)
            return params

        params = {"w": jnp.array(0.0), "b": jnp.array(0.0)}
        params = jax.lax.fori_loop(0, 100, take_step, params)
        return params["w"]

    slopes = jax.jit(jax.vmap(fit))(chance)
    mean = jnp.mean(slopes)
    return chance, slopes, mean


def check_every_fit_is_the_least_squares_line():
    """Each of the thousand w is that of the line which linear algebra finds."""
    x = np.linspace(-1, 1, 20)
    for noise in (0.3, 0.1):
        chance, slopes, _ = thousand_fits_in_one_call(noise=noise)
        y = 2 * x - 1 + noise * np.asarray(chance, float)
        best, _ = np.polyfit(x, y.T, 1)
        np.testing.assert_allclose(slopes, best, rtol=5e-6)


def check_mean_of_the_slopes_is_near_two():
    """Their mean is 2 to within 0.02: what chance does to each of them averages out."""
    for noise in (0.3, 0.1):
        _, slopes, mean = thousand_fits_in_one_call(noise=noise)
        np.testing.assert_allclose(mean, np.mean(np.float64(slopes)), rtol=2e-6)
        assert abs(mean - 2) < 0.02
