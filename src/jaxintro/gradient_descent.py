"""Gradient descent: walk downhill, one small step at a time.

This last lesson brings in little that is new. It puts `grad`, `vmap`, `jit`, loops and
random keys to work on one task: to find the lowest point of a function. You will see
why a step can be too long, why some walks never settle, how to make a walk many
times as fast, and how to fit a line to points, the way large models are trained.
Read first: grad, vmap and jit.
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
    much of the slope we subtract. (Many people call it the *learning rate*.) The lowest
    point of x² is at x = 0.

    Predict: `step` is 0.1 all the way. Does x change by the same amount each time?
    """
    slope = jax.grad(lambda x: x**2)
    x = start
    for _ in range(count):
        x = x - step * slope(x)
    return x


def check_every_step_takes_the_same_fraction():
    """Each step multiplies x by 1 − 2 · step, so the steps get shorter and shorter."""
    for start, step, count in ((4.0, 0.1, 20), (-3.0, 0.3, 5), (2.0, 0.6, 7)):
        expected = start * (1 - 2 * step) ** count
        x = steps_down_a_parabola(start, step, count)
        np.testing.assert_allclose(x, expected, rtol=5e-6)


def walk_that_stands_still(step=0.1, count=500):
    """After a few hundred steps, x does not change any more.

    With a step of 0.1, each step leaves 8/10 of x. With pencil and paper, x would come
    nearer and nearer to 0 and never be 0. But a float32 cannot be as small as we like.
    We take 500 steps, and then look at how far the next step would move x. (We call the
    slope 500 times, so we compile it with `jax.jit`.)

    Predict: is x exactly 0 after 500 steps?
    """
    slope = jax.jit(jax.grad(lambda x: x**2))
    x = 4.0
    for _ in range(count):
        x = x - step * slope(x)
    next_move = step * slope(x)
    return x, next_move


def check_walk_stands_still_above_zero():
    """The next move is rounded to 0, so x stands still at a tiny number above 0."""
    smallest = np.finfo(np.float32).tiny  # with all its digits: 1.2e-38
    for step, count in ((0.1, 500), (0.2, 250)):
        x, next_move = map(float, walk_that_stands_still(step, count))
        expected = 4.0
        while 2 * step * expected >= smallest:
            expected *= 1 - 2 * step
        # a CPU rounds what is below `smallest` to 0, a GPU goes on to the last bit
        on_cpu = abs(x / expected - 1) < 1e-4
        assert on_cpu or 0 < x <= 2**-149 / (4 * step)
        assert next_move == 0


def walk_until_it_is_flat(step=0.1, flat=0.001):
    """Let the slope decide when to stop.

    A fixed number of steps may be too few or too many. `jax.lax.while_loop` repeats a
    step for as long as a condition holds. It takes three things: the condition, the
    step, and the state at the start. The state is what goes from round to round. Here
    it is a pair: x, and the number of steps so far.
    """
    slope = jax.grad(lambda x: x**2)

    def is_steep(state):
        x, _ = state
        return abs(slope(x)) >= flat

    def take_step(state):
        x, count = state
        return x - step * slope(x), count + 1

    state = (4.0, 0)
    x, count = jax.lax.while_loop(is_steep, take_step, state)
    return x, count


def check_number_of_steps_follows_from_the_factor():
    """The walk stops as soon as the slope, 8 · (1 − 2 · step)ⁿ, is less than `flat`."""
    for step, flat in ((0.1, 0.001), (0.25, 0.01), (0.02, 0.5)):
        expected = int(np.ceil(np.log(flat / 8) / np.log(1 - 2 * step)))
        x, count = walk_until_it_is_flat(step, flat)
        assert count == expected
        np.testing.assert_allclose(x, 4 * (1 - 2 * step) ** expected, rtol=1e-5)


def step_too_long(short=0.4, long=1.1, curvature=2.0):
    """A step that is too long makes x worse, faster and faster.

    Take ½ · curvature · x². Its slope is curvature · x, so one step multiplies x by the
    factor 1 − step · curvature. (The curvature says how fast the slope changes.) If the
    factor lies between −1 and 1, x shrinks. If step is more than 2 / curvature, the
    factor is below −1: each step jumps past 0 and lands further away than before.

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


def rms_error(x, y):
    """How far x is from y: the root of the mean of the squares."""
    return jnp.sqrt(jnp.mean((x - y) ** 2))  # ([n], [n]) -> []


def two_hundred_fixed_steps(step=0.05, count=200):
    """Three numbers walk to a target, and the error shows how far they are.

    Now x holds three numbers, and we want them to become those of `TARGET`. The
    function to make small is `rms_error` (RMS stands for root mean square). `jax.grad`
    gives one slope for each number in x. The picture shows the error after each step.

    Predict: on the parabola, the steps became shorter near the bottom. Which shape will
    the curve of the error have here?
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


def check_you_get_what_the_page_prints():
    """Every tenth error is a known figure: 3.6657236, 3.4990568, …, 0.49906078."""
    known = """3.6657236 3.4990568 3.3323894 3.1657221 2.9990551 2.8323882 2.665721
    2.4990537 2.3323865 2.1657195 1.9990524 1.8323854 1.6657186 1.4990516 1.3323847
    1.1657186 0.9990542 0.8323898 0.6657253 0.49906078"""
    x, axes = two_hundred_fixed_steps()
    errors = axes.lines[0].get_ydata()
    np.testing.assert_allclose(errors[::10], np.array(known.split(), float), rtol=1e-5)
    np.testing.assert_allclose(x, [0.11374928, 4.829371, 9.431246], rtol=1e-5)


def check_error_falls_by_the_same_amount():
    """The error falls by the same amount at every step: a third of `step`."""
    first = np.linalg.norm(np.subtract(START, TARGET)) / np.sqrt(3)
    for step, count in ((0.05, 200), (0.1, 60)):
        _, axes = two_hundred_fixed_steps(step, count)
        expected = first - step * np.arange(1, count + 1) / 3
        # 200 roundings of float32
        np.testing.assert_allclose(axes.lines[0].get_ydata(), expected, rtol=3e-5)


def slope_of_constant_length(near=(0.1, 5.0, 10.0)):
    """The length of the gradient tells why the error falls along a straight line.

    The gradient of the RMS error is (x − y) / (n · error), where n is how many numbers
    there are: 3. Far from the target, x − y and the error are both large. Near it, both
    are small. The length of a gradient is the root of the sum of its squares, and
    `np.linalg.norm` computes it. We look at our start, and at a point near the target.

    Predict: is the gradient at the near point shorter, and by how much?
    """
    gradient = jax.grad(rms_error)
    y = jnp.array(TARGET)
    far_gradient = gradient(jnp.array(START), y)
    near_gradient = gradient(jnp.array(near), y)
    far_length = np.linalg.norm(far_gradient)
    near_length = np.linalg.norm(near_gradient)
    return far_gradient, near_gradient, far_length, near_length


def check_gradient_is_always_one_over_root_n_long():
    """Far from the target or near it, the gradient of the RMS error is 1/√n long."""
    for near in ((0.1, 5.0, 10.0), (0.0, 5.0, 10.001), (0.01, 5.02, 9.97)):
        found = slope_of_constant_length(near)
        for point, gradient, length in zip(
            (START, near), found, found[2:], strict=False
        ):
            away = np.float32(point).astype(float) - TARGET
            by_hand = away / (3 * np.sqrt(np.mean(away**2)))
            np.testing.assert_allclose(gradient, by_hand, atol=1e-6)
            np.testing.assert_allclose(length, 1 / np.sqrt(3), rtol=1e-6)


def slope_at_the_target_is_nan(start=4.0, target=5.0):
    """A walk that lands exactly on the target is spoilt at the next step.

    At the target, the gradient (x − y) / (n · error) is 0 / 0, which is nan: not a
    number. After one step with this gradient x is nan, and it stays nan. Here x is one
    number that walks from 4 to 5 in steps of 0.5. The cure is to leave out the root.
    The mean of the squared differences is lowest at the same place, and there its
    gradient is 0.
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


@jax.jit
def descend(x, y, steps):
    """Take a step for each size in `steps`; return end and errors."""

    def take_step(x, size):
        x = x - size * jax.grad(rms_error)(x, y)
        return x, rms_error(x, y)

    end, errors = jax.lax.scan(take_step, x, steps)
    return end, errors  # ([n], [n], [t]) -> [n], [t]


def bounce_at_the_bottom(step=0.3, start=START, target=TARGET):
    """Steps of one length cannot settle: x jumps over the target, and back.

    From here on the walk is one compiled program, `descend`. It uses `jax.lax.scan`, a
    loop over the numbers in `steps`. In each round, `take_step` gets x and one number.
    It returns two things: the new x, which goes on to the next round, and a number to
    keep, here the error. `scan` gives back the last x, and all kept numbers in an
    array.

    Why does x not settle? The gradient is 1/√n long, so a step moves x by step / √n.
    The error is the distance to the target, divided by √n. So a step changes the error
    by step / n. Once the error e is smaller than that, the step goes past the target,
    and the error on the other side is step / n − e. The next step leads back to e.

    Myth: with enough steps, the error becomes as small as you like.
    """
    x = jnp.array(start)
    y = jnp.array(target)
    _, errors = descend(x, y, jnp.full(40, step))
    last_errors = errors[-4:]
    two_in_a_row = errors[-2] + errors[-1]
    step_over_n = step / len(target)
    return last_errors, two_in_a_row, step_over_n


def check_two_errors_in_a_row_add_up_to_step_over_n():
    """At the bottom, two errors in a row add up to step / n."""
    for start, target in ((START, TARGET), ([1.0, 2.0], [0.0, 0.0]), ([2.3], [5.0])):
        for step in (0.3, 0.5):
            errors, pair, bound = bounce_at_the_bottom(step, start, target)
            expected, errors = step / len(target), np.asarray(errors, float)
            # x is near 10, and float32 knows 10 to within 1e-6
            np.testing.assert_allclose(errors[1:] + errors[:-1], expected, rtol=1e-4)
            np.testing.assert_allclose(pair, expected, rtol=1e-4)  # the same
            assert bound == expected


def annealed_steps(step=0.1, shrink=0.75):
    """The cure for the bounce is to make the steps shorter and shorter.

    This is called *annealing*: hot metal is annealed when it is cooled slowly, so that
    it can settle. Here the step shrinks by a quarter after every 50 steps. We take 1000
    steps and look at four moments: after 250, 500, 750 and all 1000. For these four,
    compare `steps_over_n` (the step at that moment, divided by n = 3) with
    `errors_then`.
    """
    steps = step * shrink ** (np.arange(1000) // 50)
    x = jnp.array(START)
    y = jnp.array(TARGET)
    end, errors = descend(x, y, steps)
    moments = np.array([249, 499, 749, 999])
    steps_over_n = steps[moments] / 3
    errors_then = errors[moments]
    return errors, steps_over_n, errors_then, end


def check_first_errors_are_those_of_the_page():
    """Before the first bounce each step lowers the error by its own step / n."""
    first = np.linalg.norm(np.subtract(START, TARGET)) / np.sqrt(3)
    for step in (0.1, 0.08):
        errors = annealed_steps(step)[0]
        expected = first - np.cumsum(step * 0.75 ** (np.arange(100) // 50)) / 3
        # 100 roundings of float32
        np.testing.assert_allclose(errors[:100], expected, rtol=3e-5)
    # two figures of the source
    errors = np.asarray(annealed_steps()[0])
    np.testing.assert_allclose(errors[[49, 99]], [2.0157194, 0.7657221], rtol=1e-5)


def check_error_is_never_more_than_a_step():
    """From the first bounce on, the error is never more than step / n."""
    bound = 0.1 * 0.75 ** (np.arange(1000) // 50) / 3
    errors, steps_over_n, errors_then, _ = annealed_steps()
    errors = np.asarray(errors)
    assert np.all(errors[150:] <= bound[150:])
    np.testing.assert_allclose(steps_over_n, bound[249::250], rtol=1e-6)
    np.testing.assert_array_equal(errors_then, errors[249::250])


def check_annealed_walk_arrives():
    """The end is nearer to the target than √n times the last step / n."""
    *_, end = annealed_steps()
    distance = np.linalg.norm(np.asarray(end, float) - TARGET)
    # Blunt: a bound, as float noise decides where in it the walk ends
    assert distance <= np.sqrt(3) * 0.1 * 0.75**19 / 3


def two_loss_curves(step=0.1, count=1000):
    """The error of fixed steps stays at one height; that of annealed steps sinks.

    A curve of the error over the steps is called a *loss curve*. The error jumps up and
    down at the bottom, so we draw the larger one of each two errors in a row. The
    vertical axis has powers of ten.
    """
    import matplotlib.pyplot as plt

    x = jnp.array(START)
    y = jnp.array(TARGET)
    fixed_steps = np.full(count, step)
    annealed = fixed_steps * 0.75 ** (np.arange(count) // 50)

    _, axes = plt.subplots()
    _, errors = descend(x, y, fixed_steps)
    larger = jnp.maximum(errors[1:], errors[:-1])
    axes.semilogy(larger, label="fixed")
    _, errors = descend(x, y, annealed)
    larger = jnp.maximum(errors[1:], errors[:-1])
    axes.semilogy(larger, label="annealed")
    axes.set(xlabel="step", ylabel="error", title="Only one sinks")
    axes.legend()
    return axes


def check_curves_part_at_the_bottom():
    """The fixed curve ends as a level line; the annealed one ends far below it."""
    fixed, annealed = (line.get_ydata() for line in two_loss_curves().lines)
    error = np.linalg.norm(np.subtract(START, TARGET)) / np.sqrt(3)
    for _ in range(1000):
        error, before = abs(error - 0.1 / 3), error
    # 110 roundings of float32 on the way down decide the last digits of the level
    np.testing.assert_allclose(fixed[-1], max(error, before), rtol=2e-3)
    # x is near 10, and float32 knows 10 to within 1e-6
    np.testing.assert_allclose(fixed[-800:], fixed[-1], rtol=1e-4)
    assert annealed[-1] <= 0.1 * 0.75**19 / 3
    np.testing.assert_allclose(annealed[:40], fixed[:40], rtol=1e-5)


def walk_across_a_valley(step=0.18, count=30):
    """In a long valley, a walk with long steps zigzags from wall to wall.

    The height is ½ (x² + 10 y²): the valley runs along x, and its walls rise along y,
    with ten times the curvature. So each direction has a factor of its own. With a step
    of 0.18, one step multiplies x by 1 − 0.18 = 0.82 and y by 1 − 1.8 = −0.8. The
    picture is a map of the valley, seen from above. The lines join points of the same
    height, and the star is the bottom. (`argnums` asks for the slopes along both x and
    y.)
    """
    import matplotlib.pyplot as plt

    def height(x, y):
        return (x**2 + 10 * y**2) / 2

    slopes = jax.jit(jax.grad(height, argnums=(0, 1)))
    x = -8.0
    y = 2.5
    xs = [x]
    ys = [y]
    for _ in range(count):
        slope_x, slope_y = slopes(x, y)
        x = x - step * slope_x
        y = y - step * slope_y
        xs.append(x)
        ys.append(y)

    _, axes = plt.subplots()
    axes.plot(xs, ys, ".-", color="tab:red")
    map_x = np.linspace(-9, 2)
    map_y = np.linspace(-3, 3)
    heights = height(map_x, map_y[:, None])
    axes.contour(map_x, map_y, heights, 15, cmap="Greys")
    axes.plot(0, 0, "k*")  # the bottom
    axes.set(xlabel="x", ylabel="y", title="A walk down a long valley")
    return axes


def check_each_direction_shrinks_by_its_own_factor():
    """One step multiplies x by 1 − step and y by 1 − 10 · step."""
    n = np.arange(31)
    for step in (0.18, 0.05):
        line = walk_across_a_valley(step).lines[0]
        # the factor is rounded once a step, 30 steps long
        np.testing.assert_allclose(line.get_xdata(), -8 * (1 - step) ** n, rtol=2e-5)
        # the same; near 0 the zigzag is smaller than what float32 can cancel
        np.testing.assert_allclose(
            line.get_ydata(), 2.5 * (1 - 10 * step) ** n, rtol=1e-4, atol=1e-7
        )


def steepest_direction_sets_the_limit(safe=0.99, unsafe=1.01):
    """The largest curvature decides how long a step may be.

    This valley is turned, so its formula does not show its curvatures. `jax.hessian`
    gives the matrix of second derivatives, and the eigenvalues of that matrix are the
    curvatures along the valley and across it. The longest step that does not explode is
    2 / (the largest of them). `np.linalg.eigvalsh` finds the eigenvalues. We try a step
    1 % shorter than this limit, and a step 1 % longer, and look at how far from the
    bottom (0, 0) each walk ends.
    """

    def height(p):
        return p[0] ** 2 + p[0] * p[1] + 1.5 * p[1] ** 2

    start = jnp.array([1.0, 2.0])
    hessian = jax.jit(jax.hessian(height))(start)
    curvatures = np.linalg.eigvalsh(hessian)
    limit = 2 / curvatures.max()

    slope = jax.jit(jax.grad(height))
    p = start
    for _ in range(200):
        p = p - safe * limit * slope(p)
    safe_distance = np.linalg.norm(p)

    p = start
    for _ in range(200):
        p = p - unsafe * limit * slope(p)
    unsafe_distance = np.linalg.norm(p)
    return curvatures, limit, safe_distance, unsafe_distance


def check_limit_is_two_over_the_largest_curvature():
    """Below 2 / (the largest curvature) the walk shrinks, and above it explodes."""
    matrix = np.array([[2.0, 1.0], [1.0, 3.0]])
    for safe, unsafe in ((0.99, 1.01), (0.5, 1.02)):
        found = steepest_direction_sets_the_limit(safe, unsafe)
        np.testing.assert_allclose(found[0], (5 + np.array([-1, 1]) * 5**0.5) / 2, 1e-6)
        np.testing.assert_allclose(found[1], 4 / (5 + 5**0.5), rtol=1e-6)
        for share, distance in zip((safe, unsafe), found[2:], strict=True):
            one_step = np.eye(2) - share * 4 / (5 + 5**0.5) * matrix
            end = np.linalg.matrix_power(one_step, 200) @ [1, 2]
            # 200 roundings; a walk that has arrived is 0 but for these
            np.testing.assert_allclose(distance, np.linalg.norm(end), 2e-4, 1e-30)


def momentum_runs_along_the_valley(step=0.015, keep=0.8, count=100):
    """With momentum, each move keeps a part of the move before it.

    The walls of a valley force a short step, and with a short step the way along the
    valley is long. The idea of *momentum*: a move is 8/10 of the last move, minus step
    · slope. Moves across the valley change their sign again and again, and they cancel
    in part. Moves along the valley add up. Here the walls have 100 times the curvature
    of the way along.
    """

    def height(p):
        return (p[0] ** 2 + 100 * p[1] ** 2) / 2

    slope = jax.jit(jax.grad(height))
    plain = jnp.array([8.0, 2.0])
    for _ in range(count):
        plain = plain - step * slope(plain)

    p = jnp.array([8.0, 2.0])
    move = jnp.zeros(2)
    for _ in range(count):
        move = keep * move - step * slope(p)
        p = p + move

    plain_distance = np.linalg.norm(plain)
    distance = np.linalg.norm(p)
    return plain, p, plain_distance, distance


def check_momentum_follows_its_recurrence():
    """Both walks end where the same steps in plain Python, with slopes by hand, end."""
    for step, keep, count in ((0.015, 0.8, 100), (0.01, 0.7, 20)):
        p, move = np.array([8.0, 2.0]), np.zeros(2)
        for _ in range(count):
            move = keep * move - step * np.array([1, 100]) * p
            p = p + move
        plain, found, *_ = momentum_runs_along_the_valley(step, keep, count)
        np.testing.assert_allclose(plain[0], 8 * (1 - step) ** count, rtol=1e-5)
        np.testing.assert_allclose(plain[1], 2 * (1 - 100 * step) ** count, atol=1e-6)
        # up to 100 roundings, while moves from 8 down to 0.0001 cancel
        np.testing.assert_allclose(found, p, rtol=1e-3, atol=1e-7)


def check_momentum_comes_much_nearer():
    """With momentum the walk ends more than a thousand times nearer to the bottom."""
    plain, p, plain_distance, distance = momentum_runs_along_the_valley()
    assert distance < plain_distance / 1000
    np.testing.assert_allclose(distance, np.hypot(*np.float64(p)), rtol=1e-6)
    np.testing.assert_allclose(plain_distance, np.hypot(*np.float64(plain)), rtol=1e-6)


def runs_of_the_loss(count=50):
    """How often Python runs through the loss depends on who drives the loop.

    We walk 50 steps in three ways. The first calls `jax.grad` as it stands. The second
    compiles the gradient with `jax.jit`. The third puts the whole walk in one `scan`.
    In machine learning, the function to make small is called the *loss*. Our loss notes
    each time that Python runs through it.

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
    """Python runs through the loss at every step as written, once if compiled."""
    for count in (50, 7):
        assert runs_of_the_loss(count) == (count, 1, 1)


def same_walk_three_ways(count=20):
    """One walk can be driven in three ways, and they cost very different times.

    In `plain_loop`, Python differentiates the loss anew at each step, and hands JAX one
    small operation after the other. In `jitted_gradient`, Python still hands over every
    step. In `one_scan` the whole walk is one program, and Python calls it once. `race`
    calls the three with the same x, checks that they agree, and shows what a call
    takes. The first call of each is shown apart, for it may compile.
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

    contestants = [plain_loop, jitted_gradient, one_scan]
    race(contestants, x, seconds=0.1)
    plain_end = plain_loop(x)
    jit_end = jitted_gradient(x)
    scan_end = one_scan(x)
    return plain_end, jit_end, scan_end


def check_all_three_end_where_numpy_ends():
    """All three walks end where the same loop in NumPy, with slopes by hand, ends."""
    for count in (20, 3):
        x, y = np.array(START), np.array(TARGET)
        for _ in range(count):
            x = x - 0.05 * (x - y) / (3 * np.sqrt(np.mean((x - y) ** 2)))
        for end in same_walk_three_ways(count):
            np.testing.assert_allclose(end, x, rtol=5e-6)


def whole_sweep_in_one_call(sizes=(0.01, 0.03, 0.1, 0.3, 1.0), count=100):
    """With `jax.vmap`, one call tries many steps, and we can choose the best.

    `last_error` takes one size of the step, walks, and returns the error at the end.
    `jax.vmap` makes of it a function that takes many sizes at once. To try many values
    of a setting like this is called a *sweep*.

    Predict: the walk has 100 steps. Which of the five sizes ends nearest to the target?
    """
    x = jnp.array(START)
    y = jnp.array(TARGET)

    def last_error(size):
        _, errors = descend(x, y, jnp.full(count, size))
        return errors[-1]

    last_errors = jax.vmap(last_error)(jnp.array(sizes))
    best = sizes[jnp.argmin(last_errors)]
    return last_errors, best


def check_each_walk_of_the_sweep_has_its_own_step():
    """A small step does not arrive in time, a long one bounces: the best is between."""
    for sizes, count in (((0.01, 0.03, 0.1, 0.3, 1.0), 100), ((0.2, 0.15, 2.0), 60)):
        errors = np.full(
            len(sizes), np.linalg.norm(np.subtract(START, TARGET)) / 3**0.5
        )
        for _ in range(count):
            errors = abs(errors - np.array(sizes) / 3)
        last_errors, best = whole_sweep_in_one_call(sizes, count)
        # up to 100 roundings of float32, of numbers near 10
        np.testing.assert_allclose(last_errors, errors, rtol=1e-4, atol=1e-5)
        assert best == sizes[np.argmin(errors)]


def where_you_end_depends_on_where_you_start(starts=(-2.0, -0.1, 0.0, 0.1, 2.0)):
    """Where a walk starts decides in which valley it ends.

    The curve x⁴ − 2x² has two valleys, with their bottoms at −1 and at 1, and a hilltop
    between them at 0. Five walkers start at once, with `jax.vmap`. Each takes 300 steps
    in a `jax.lax.fori_loop`, which calls a function of (number of the round, x) and
    hands its result on.

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
    """Each walker ends at −1 or 1, on its own side; on the hilltop it stays."""
    for starts in ((-2.0, -0.1, 0.0, 0.1, 2.0), (0.5, 0.0, -0.5)):
        ends = where_you_end_depends_on_where_you_start(starts)
        np.testing.assert_allclose(ends, np.sign(starts), rtol=1e-6)


def loss(params, x, y):
    """The mean of the squares of how far the points miss the line."""
    line = params["slope"] * x + params["offset"]
    return jnp.mean((line - y) ** 2)


def slope_for_each_parameter(slope=1.0, offset=0.0):
    """If the parameters are a dict, their gradient is a dict with the same keys.

    We want the line slope · x + offset that lies nearest to some points. The numbers to
    find are called *parameters*, and we keep them in a dict. The loss says how badly
    the line fits. `jax.value_and_grad` gives the loss and its gradient in one call: one
    slope for each parameter.

    Predict: the line 1 · x + 0 is nowhere above the three points. Are the two slopes of
    the loss positive or negative?
    """
    params = {"slope": slope, "offset": offset}
    x = jnp.array([0.0, 1.0, 2.0])
    y = jnp.array([1.0, 3.0, 5.0])
    value, gradient = jax.value_and_grad(loss)(params, x, y)
    return value, gradient


def check_gradient_of_the_line_is_that_by_hand():
    """The slopes are the means of 2 · (line − y) · x and of 2 · (line − y)."""
    x, y = np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0])
    for slope, offset in ((1.0, 0.0), (2.5, -1.5)):
        miss = slope * x + offset - y
        value, gradient = slope_for_each_parameter(slope, offset)
        np.testing.assert_allclose(value, np.mean(miss**2), rtol=1e-6)
        np.testing.assert_allclose(gradient["slope"], np.mean(2 * miss * x), rtol=1e-6)
        np.testing.assert_allclose(gradient["offset"], np.mean(2 * miss), rtol=1e-6)


@jax.jit
def update(params, batch):
    """Take one step down the loss; return the loss before it, too."""
    x, y = batch
    value, gradient = jax.value_and_grad(loss)(params, x, y)
    params = jax.tree.map(lambda p, g: p - 0.3 * g, params, gradient)
    return params, value


def one_update_moves_every_parameter(slope=1.0, offset=0.0):
    """One update moves every parameter against its own slope.

    Training programs are built around a function like `update`: parameters and data go
    in, and new parameters come out. `jax.tree.map` goes through the two dicts at once.
    It calls the small function with each parameter p and its slope g, and makes a dict
    of the results. The data for one update are called a *batch*. `update` returns a new
    dict, which we keep in place of the old one. Both slopes were negative, so both
    parameters grow.
    """
    params = {"slope": jnp.array(slope), "offset": jnp.array(offset)}
    x = jnp.array([0.0, 1.0, 2.0])
    y = jnp.array([1.0, 3.0, 5.0])
    params, value = update(params, (x, y))
    after = loss(params, x, y)
    return params, value, after


def check_update_is_a_step_against_the_gradient():
    """Each parameter loses 0.3 times its slope, and here the loss falls."""
    x, y = np.arange(3.0), np.arange(1.0, 7.0, 2.0)
    for slope, offset in ((1.0, 0.0), (2.5, -1.5)):
        params, value, after = one_update_moves_every_parameter(slope, offset)
        miss = slope * x + offset - y
        slope, offset = slope - 0.6 * np.mean(miss * x), offset - 0.6 * np.mean(miss)
        np.testing.assert_allclose(params["slope"], slope, rtol=1e-6)
        np.testing.assert_allclose(params["offset"], offset, rtol=1e-6)
        np.testing.assert_allclose(value, np.mean(miss**2), rtol=1e-6)
        np.testing.assert_allclose(after, np.mean((slope * x + offset - y) ** 2), 1e-5)
        assert after < value


def noisy_points(key):
    """Forty points near the line 2x − 1, moved by chance."""
    x = jnp.linspace(-1, 1, 40)
    y = 2 * x - 1 + 0.3 * jax.random.normal(key, (40,))
    return x, y


def line_through_points(seed=0, count=100):
    """A hundred updates find the line that lies nearest to the points.

    `noisy_points` makes the data: it takes a random key (made by `jax.random.key`), and
    `jax.random.normal` moves each point a little off the line with slope 2 and offset
    −1. We start with slope 0 and offset 0 and update again and again. Each update uses
    all the points. The slope that we find is not quite 2, because chance has moved the
    points. The picture shows the points and the line.
    """
    import matplotlib.pyplot as plt

    x, y = noisy_points(jax.random.key(seed))
    params = {"slope": jnp.array(0.0), "offset": jnp.array(0.0)}
    for _ in range(count):
        params, _ = update(params, (x, y))

    _, axes = plt.subplots()
    axes.plot(x, y, "o", label="points")
    line = params["slope"] * x + params["offset"]
    axes.plot(x, line, label="line")
    axes.set(xlabel="x", ylabel="y", title="The line that was found")
    axes.legend()
    return params, axes


def check_descent_finds_the_least_squares_line():
    """Descent arrives at the line that linear algebra finds without any steps."""
    for seed in (0, 7):
        params, axes = line_through_points(seed)
        points, line = axes.lines
        x, y = np.asarray(points.get_data(), float)
        slope, offset = np.polyfit(x, y, 1)
        np.testing.assert_allclose(params["slope"], slope, rtol=5e-6)
        np.testing.assert_allclose(params["offset"], offset, rtol=5e-6)
        np.testing.assert_allclose(line.get_ydata(), slope * x + offset, atol=5e-6)


def loss_stops_at_the_noise(seed=0, count=40):
    """The loss curve shows how the training goes.

    These are the same points and the same updates. Now we collect the loss that each
    update returns, and draw the curve.

    Predict: does the loss go down to 0?
    """
    import matplotlib.pyplot as plt

    x, y = noisy_points(jax.random.key(seed))
    params = {"slope": jnp.array(0.0), "offset": jnp.array(0.0)}
    losses = []
    for _ in range(count):
        params, value = update(params, (x, y))
        losses.append(value)
    last_loss = losses[-1]

    _, axes = plt.subplots()
    axes.plot(losses)
    axes.set(xlabel="update", ylabel="loss", title="Loss curve of the line")
    return x, y, last_loss, axes


def check_loss_ends_at_what_no_line_can_fit():
    """The loss falls to that of the best line, above 0, for the points lie off it."""
    for seed in (0, 7):
        x, y, last_loss, axes = loss_stops_at_the_noise(seed)
        x, y, losses = np.float64(x), np.float64(y), axes.lines[0].get_ydata()
        slope, offset = np.polyfit(x, y, 1)
        left = np.mean((slope * x + offset - y) ** 2)
        np.testing.assert_allclose(losses[0], np.mean(y**2), rtol=1e-5)
        # after 40 updates 0.8⁸⁰ of the way is still to go
        np.testing.assert_allclose([losses[-1], last_loss], left, rtol=1e-4)
        assert np.all(np.diff(losses) < 1e-6)


def small_batches_point_the_same_way_on_average(size=8):
    """A gradient over a few points is cheap, and right on average.

    With millions of points, an update over all of them takes long. So we cut the points
    into small batches, and compute the gradient of each batch alone. These gradients
    differ a lot. But if the batches have the same size, the mean of their gradients is
    the gradient over all points. (In `in_axes`, None says that all share `params`. To
    keep the page short, we look at the entry `slope` only.)
    """
    x, y = noisy_points(jax.random.key(0))
    params = {"slope": 0.0, "offset": 0.0}
    batches_x = x.reshape(-1, size)
    batches_y = y.reshape(-1, size)
    gradient = jax.jit(jax.grad(loss))
    for_each = jax.vmap(gradient, in_axes=(None, 0, 0))
    each = for_each(params, batches_x, batches_y)["slope"]
    mean = jnp.mean(each)
    whole = gradient(params, x, y)["slope"]
    return x, y, each, mean, whole


def check_mean_of_the_batches_is_the_whole():
    """The gradients of the batches differ, and their mean is the gradient by hand."""
    for size in (8, 4):
        x, y, each, mean, whole = small_batches_point_the_same_way_on_average(size)
        terms = -2 * np.float64(x) * np.float64(y)
        by_hand = terms.reshape(-1, size).mean(axis=1)
        assert np.ptp(by_hand) > 1
        np.testing.assert_allclose(each, by_hand, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(mean, terms.mean(), rtol=1e-5)
        np.testing.assert_allclose(whole, terms.mean(), rtol=1e-5)


def shuffled_batches(seed=0, epochs=20):
    """Stochastic gradient descent makes one update for each small batch.

    *Stochastic* means by chance. We go through all points again and again, and each
    pass is called an *epoch*. Neighbouring points are alike, so a batch of neighbours
    knows only one part of the line. Therefore each epoch first shuffles:
    `jax.random.permutation(subkey, 40)` gives the numbers 0 to 39 in random order, and
    `jax.random.split` makes a new key for each epoch. The row `batch` then says which 8
    points to take.

    Predict: will the line be exactly the one that we found with all points?
    """
    x, y = noisy_points(jax.random.key(0))
    params = {"slope": jnp.array(0.0), "offset": jnp.array(0.0)}
    key = jax.random.key(seed)
    orders = []
    for _ in range(epochs):
        key, subkey = jax.random.split(key)
        order = jax.random.permutation(subkey, 40)
        orders.append(order)
        for batch in order.reshape(5, 8):
            params, _ = update(params, (x[batch], y[batch]))

    best_slope, best_offset = np.polyfit(x, y, 1)
    return x, y, orders, params, best_slope, best_offset


def check_training_is_the_same_loop_in_numpy():
    """Each epoch uses every point once, and the end is that of the loop in NumPy."""
    for seed, epochs in ((0, 20), (3, 4)):
        x, y, orders, params, *_ = shuffled_batches(seed, epochs)
        x, y, w, b = np.float64(x), np.float64(y), 0.0, 0.0
        for order in np.asarray(orders):
            np.testing.assert_array_equal(np.sort(order), np.arange(40))
            for batch in order.reshape(5, 8):
                miss = w * x[batch] + b - y[batch]
                w, b = w - 0.6 * np.mean(miss * x[batch]), b - 0.6 * np.mean(miss)
        np.testing.assert_allclose([params["slope"], params["offset"]], [w, b], 1e-5)


def check_small_batches_come_near():
    """Small batches lead near to the best line, but not exactly onto it."""
    x, y, _, params, *best = shuffled_batches()
    found = np.array([params["slope"], params["offset"]])
    np.testing.assert_allclose(best, np.polyfit(np.float64(x), y, 1), rtol=1e-5)
    assert 1e-3 < np.max(abs(found - best)) < 0.3


def thousand_fits_in_one_call(count=1000, noise=0.3):
    """A thousand lines are fitted to a thousand sets of points, in one call.

    Here is the whole course on one page: a random key, a gradient (inside `update`),
    `jax.lax.fori_loop`, `jax.vmap` and `jax.jit`. Each row of y belongs to 20 points
    around the line 2x − 1. `fit` is written for one row, and finds its slope.

    How far does chance move the slope? Statistics has a formula: the spread (the
    standard deviation) of the slopes is the noise, divided by the root of the sum of
    x². The last two lines compare.

    Where to go from here: the library Optax holds the rules of descent that people use
    today (momentum, Adam, steps that shrink). They have the form of our `update`: state
    in, state out.
    """
    key = jax.random.key(0)
    x = jnp.linspace(-1, 1, 20)
    chance = jax.random.normal(key, (count, 20))
    y = 2 * x - 1 + noise * chance  # [count, 20]

    def fit(y):
        def take_step(i, params):
            params, _ = update(params, (x, y))
            return params

        params = {"slope": jnp.array(0.0), "offset": jnp.array(0.0)}
        params = jax.lax.fori_loop(0, 100, take_step, params)
        return params["slope"]

    slopes = jax.jit(jax.vmap(fit))(y)
    spread = jnp.std(slopes)
    expected = noise / np.sqrt(np.sum(x**2))
    return slopes, y, spread, expected


def check_every_fit_is_the_least_squares_line():
    """Each of the thousand slopes is that of the line which linear algebra finds."""
    slopes, y, *_ = thousand_fits_in_one_call()
    best, _ = np.polyfit(np.linspace(-1, 1, 20), np.asarray(y, float).T, 1)
    np.testing.assert_allclose(slopes, best, rtol=5e-6)


def check_spread_of_the_slopes_follows_the_formula():
    """The slopes lie around 2, and their spread is that of the formula."""
    slopes, _, spread, expected = thousand_fits_in_one_call(1000, 0.1)
    by_hand = 0.1 / np.sqrt(np.sum(np.linspace(-1, 1, 20) ** 2))
    np.testing.assert_allclose(expected, by_hand, rtol=1e-6)
    np.testing.assert_allclose(spread, np.std(np.float64(slopes)), rtol=1e-5)
    # the spread of 1000 slopes is known to about 2 %
    np.testing.assert_allclose(spread, by_hand, rtol=0.1)
    assert abs(np.mean(slopes) - 2) < 5 * by_hand / np.sqrt(1000)
