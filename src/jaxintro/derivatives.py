"""Derivatives: forwards, backwards, and with rules of your own.

`jax.grad` goes backwards through a function. JAX can also go forwards, fill a table of
all slopes, and slope a slope. After this lesson you can choose the direction that costs
less, save memory on the way back, give a function a slope of your own, follow a planet
with nothing but its energy, and test that a gradient is right. Read first: grad.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.test_util import check_grads

from jaxintro.lens import explain

ORDER = 70


def products(x):
    """Two numbers in, three numbers out."""
    return jnp.stack([x[0] * x[1], x[1] ** 2, 5 * x[0]])


def push_a_change_forwards(x=(2.0, 3.0), v=(1.0, 0.0)):
    """`jax.jvp` pushes a change of the inputs forwards to the outputs.

    The question is: if x moves in the direction v, how fast do the outputs move?
    `jax.jvp` takes the function, a tuple of inputs and a tuple of directions. It
    returns the outputs and their change, one number for each output.

    With v = (1, 0) only the first input moves. The answer is then the first column of
    the Jacobian, the `table` below. (`jax.jit` makes one program of its many small
    operations.)
    """
    x = jnp.array(x)
    v = jnp.array(v)
    outputs, change = jax.jvp(products, (x,), (v,))

    table = jax.jit(jax.jacobian(products))(x)
    return outputs, change, table


def check_push_is_jacobian_times_v():
    """The change is the Jacobian times v."""
    for (a, b), v in (((2.0, 3.0), (1.0, 0.0)), ((-1.0, 0.5), (2.0, -3.0))):
        outputs, change, table = push_a_change_forwards((a, b), v)
        jacobian = np.array([[b, a], [0, 2 * b], [5, 0]])
        np.testing.assert_allclose(table, jacobian, rtol=1e-6)
        np.testing.assert_allclose(outputs, [a * b, b**2, 5 * a], rtol=1e-6)
        np.testing.assert_allclose(change, jacobian @ v, rtol=1e-6)


def pull_weights_backwards(x=(2.0, 3.0), u=(1.0, 0.0, 0.0)):
    """`jax.vjp` pulls weights of the outputs backwards to the inputs.

    The question is the other way round: if the outputs count with the weights u, what
    is the gradient of their weighted sum? `jax.vjp` returns the outputs and a function,
    `pull`. It takes the weights and returns a tuple, with a gradient for each argument.

    With u = (1, 0, 0) only the first output counts. The answer is then the first row of
    the Jacobian. `jax.grad` is this, with one output and the weight 1.
    """
    x = jnp.array(x)
    u = jnp.array(u)
    outputs, pull = jax.vjp(products, x)
    (gradient,) = pull(u)
    return outputs, gradient


def check_pull_is_u_times_jacobian():
    """The gradient is u times the Jacobian."""
    for (a, b), u in (((2.0, 3.0), (1.0, 0.0, 0.0)), ((-1.0, 0.5), (2.0, -3.0, 4.0))):
        outputs, gradient = pull_weights_backwards((a, b), u)
        jacobian = np.array([[b, a], [0, 2 * b], [5, 0]])
        np.testing.assert_allclose(outputs, [a * b, b**2, 5 * a], rtol=1e-6)
        np.testing.assert_allclose(gradient, u @ jacobian, rtol=1e-6)


def forwards_or_backwards():
    """The same Jacobian can be found column by column or row by row.

    `jax.jacfwd` makes one push for each input, so it is cheap for few inputs.
    `jax.jacrev` makes one pull for each output, so it is cheap for few outputs;
    `jax.jacobian` is built that way. A loss has many inputs and one output: that
    is why `jax.grad` goes backwards.

    `explain` counts the flops: the additions and multiplications of numbers. With
    `jax.jit` each way is one compiled program.

    Predict: from 300 inputs to 1 output, is the wrong way about 3 times, 30 times or
    300 times as much work?
    """

    def total(x):
        return jnp.sum(x**3)

    x = jnp.linspace(0, 1, 300)
    forwards = jax.jit(jax.jacfwd(total))
    backwards = jax.jit(jax.jacrev(total))
    by_columns = forwards(x)
    by_row = backwards(x)
    flops_forwards = explain(forwards, x).flops
    flops_backwards = explain(backwards, x).flops
    ratio = flops_forwards / flops_backwards
    hundreds_of_times = ratio > 100
    return by_columns, by_row, hundreds_of_times


def check_the_wrong_way_costs_n_times_as_much():
    """Both ways give 3x², and the wrong one takes hundreds of times the work."""
    by_columns, by_row, hundreds_of_times = forwards_or_backwards()
    expected = 3 * np.linspace(0, 1, 300) ** 2
    np.testing.assert_allclose([by_columns, by_row], [expected] * 2, rtol=1e-5)
    assert hundreds_of_times


def the_slope_of_a_gradient(x=(2.0, 3.0)):
    """`jax.hessian` is the table of all second derivatives.

    A gradient turns n numbers into n numbers, so it has a Jacobian of its own, n by n.
    It is called the Hessian and tells how the gradient changes.
    """

    def f(x):
        a, b = x
        return a**2 * b

    x = jnp.array(x)
    gradient = jax.jit(jax.grad(f))(x)
    hessian = jax.jit(jax.hessian(f))(x)
    return gradient, hessian


def check_hessian_is_the_closed_form():
    """a²·b has the gradient (2ab, a²) and the Hessian of rows (2b, 2a), (2a, 0)."""
    for a, b in ((2.0, 3.0), (-0.5, 4.0)):
        gradient, hessian = the_slope_of_a_gradient((a, b))
        np.testing.assert_allclose(gradient, [2 * a * b, a**2], rtol=1e-6)
        np.testing.assert_allclose(hessian, [[2 * b, 2 * a], [2 * a, 0]], rtol=1e-6)


def going_back_needs_memory(steps=10):
    """Going backwards needs the numbers of the way forwards, so they are kept.

    The slope of sin(sin(…)) needs a cosine from every step. The function that
    `jax.vjp` returns second, above called `pull`, holds them. `jax.tree.leaves` lists
    the arrays in it. In a long computation these arrays fill the memory.

    `jax.checkpoint(f)` computes the same as f, but keeps only its input, and computes
    the rest again on the way back. That is less memory and more work: the last lines
    count the sines in the program of the slope. (The last sine is not needed again.)
    """

    def many_sines(x):
        for _ in range(steps):
            x = jnp.sin(x)
        return x

    thrifty = jax.checkpoint(many_sines)
    x = jnp.array(0.5)
    kept = jax.tree.leaves(jax.vjp(many_sines, x)[1])
    number_kept = len(kept)
    kept_by_thrifty = jax.tree.leaves(jax.vjp(thrifty, x)[1])

    slope = jax.grad(many_sines)
    str(jax.make_jaxpr(slope)(x)).count(" sin ")
    slope = jax.grad(thrifty)
    str(jax.make_jaxpr(slope)(x)).count(" sin ")
    return kept, number_kept, kept_by_thrifty


def check_checkpoint_trades_memory_for_work():
    """Of n steps n cosines are kept, with `jax.checkpoint` x alone."""
    for steps in (4, 10):
        kept, number_kept, kept_by_thrifty = going_back_needs_memory(steps)
        x = 0.5
        for cosine in kept:
            np.testing.assert_allclose(cosine, np.cos(x), rtol=1e-6)
            x = np.sin(x)
        np.testing.assert_allclose(kept_by_thrifty, [0.5])
        assert len(kept) == number_kept == steps


def a_rule_of_your_own(x=2.7):
    """With `jax.custom_vjp` you write the slope of a function yourself.

    Rounding is flat, so its slope is 0, and nothing before it can learn. A common way
    out is to pretend on the way back that rounding changed nothing.

    `forward` returns the value, and what `backward` will need of it: here nothing, so
    `None`. `backward` gets that, and the slope of everything that comes after the
    rounding. It returns a tuple: the slope to pass on for each argument. `defvjp` joins
    the two to the function.

    Predict: by calculus, what is the slope of round(x)² at 2.7?
    """

    @jax.custom_vjp
    def round_and_pass(x):
        return jnp.round(x)

    def forward(x):
        return jnp.round(x), None

    def backward(kept, slope):
        return (slope,)

    round_and_pass.defvjp(forward, backward)

    by_calculus = jax.grad(lambda x: jnp.round(x) ** 2)(x)
    by_our_rule = jax.grad(lambda x: round_and_pass(x) ** 2)(x)
    return by_calculus, by_our_rule


def check_own_rule_lets_the_slope_through():
    """By calculus round(x)² has slope 0, by our rule 2·round(x)."""
    for x in (2.7, -1.2, 4.4):
        found = a_rule_of_your_own(x)
        np.testing.assert_allclose(found, (0, 2 * round(x)), rtol=1e-6)


def what_stop_gradient_holds(x=3.0):
    """`jax.lax.stop_gradient` makes JAX treat a value as a constant.

    The value stays as it is. Only the slope does not go through it.

    Predict: x · x has the slope 6 at 3. What is it if the second x is held?
    """

    def held(x):
        return x * jax.lax.stop_gradient(x)

    value, slope = jax.value_and_grad(held)(x)
    return value, slope


def check_the_held_factor_is_a_constant():
    """The value is still x², and the slope is x instead of 2x."""
    for x in (3.0, -1.5):
        found = what_stop_gradient_holds(x)
        np.testing.assert_allclose(found, (x**2, x), rtol=1e-6)


def energy(q):
    """The energy of a planet at the position q, with the sun at (0, 0)."""
    return -1 / jnp.sqrt(jnp.sum(q**2))


def force_is_a_slope(q=(3.0, 4.0)):
    """A force is minus the gradient of an energy.

    Gradients are not only for learning. In physics a force pushes towards lower energy.
    The energy of a planet is −1 / distance (mass and gravity are 1 here), and from this
    alone `jax.grad` finds the force.

    Predict: the planet is at (3, 4) and the sun at (0, 0). Which signs has the force?
    """
    q = jnp.array(q)
    here = energy(q)
    force = -jax.grad(energy)(q)
    return here, force


def check_force_is_newtons():
    """The force is Newton's law, −q / |q|³: it points to the sun."""
    for q in ((3.0, 4.0), (-0.6, 0.8)):
        here, force = force_is_a_slope(q)
        distance = np.hypot(*q)
        np.testing.assert_allclose(here, -1 / distance, rtol=1e-6)
        np.testing.assert_allclose(force, -np.array(q) / distance**3, rtol=1e-6)


def an_energy_makes_an_orbit(speed=0.8, step=0.05, steps=80):
    """From the energy alone we can follow the planet around the sun.

    In each step the velocity v changes by force times time, for half the time, then the
    position q moves, then v changes for the other half. This recipe is called leapfrog.
    It keeps the total energy, of motion and of position, almost the same.
    """
    import matplotlib.pyplot as plt

    force = jax.jit(lambda q: -jax.grad(energy)(q))
    q = jnp.array([1.0, 0.0])
    v = jnp.array([0.0, speed])
    before = jnp.sum(v**2) / 2 + energy(q)
    path = []
    for _ in range(steps):
        v = v + step / 2 * force(q)
        q = q + step * v
        v = v + step / 2 * force(q)
        path.append(q)
    after = jnp.sum(v**2) / 2 + energy(q)

    across, up = np.array(path).T
    _, axes = plt.subplots()
    axes.plot(across, up, label="planet")
    axes.plot([0], [0], "o", label="sun")
    axes.set(xlabel="across", ylabel="up", title="Around the sun")
    axes.set_aspect("equal")
    axes.legend()
    return before, after, axes


def check_orbit_is_that_of_newtons_force():
    """The planet flies as under Newton's force −q/|q|³, written by hand in NumPy."""
    for speed, steps in ((0.8, 80), (1.1, 60)):
        q, v, path = np.array([1.0, 0.0]), np.array([0.0, speed]), []
        for _ in range(steps):
            v = v - 0.025 * q / np.dot(q, q) ** 1.5
            q = q + 0.05 * v
            v = v - 0.025 * q / np.dot(q, q) ** 1.5
            path.append(q)
        line = an_energy_makes_an_orbit(speed, 0.05, steps)[2].lines[0]
        # 1e-4: float32 rounds at every step of the flight
        np.testing.assert_allclose(line.get_xydata(), path, atol=1e-4)


def check_energy_is_kept():
    """The energy starts as speed²/2 − 1, and changes by less than a thousandth."""
    for speed in (0.8, 1.1):
        before, after, _ = an_energy_makes_an_orbit(speed)
        np.testing.assert_allclose(before, speed**2 / 2 - 1, rtol=1e-6)
        # 1e-3: leapfrog keeps the energy but for step², here 1/400
        np.testing.assert_allclose(after, before, rtol=1e-3)


def a_difference_tests_a_slope(k=1.0, steps=20):
    """A central difference is a test of a gradient that needs no calculus.

    Call the function a little right and a little left of k, and divide the difference
    by the distance. That is not exact, but it would show a mistake at once.

    The function here is a whole flight: a ball on a spring of stiffness k. In each step
    its velocity v changes by the pull of the spring, −k·q, and its position q by the
    velocity. The slope tells how the end moves if the spring is a little stiffer.
    Called with Python numbers, `fly` is plain Python, so the difference owes nothing to
    JAX.
    """

    def fly(k):
        q = 1.0
        v = 0.0
        for _ in range(steps):
            v = v - 0.3 * k * q
            q = q + 0.3 * v
        return q

    slope = jax.grad(fly)(k)
    h = 0.001
    difference = (fly(k + h) - fly(k - h)) / (2 * h)
    return slope, difference


def check_slope_of_the_flight():
    """Slope and difference are what the product rule gives, step by step."""
    for k, steps in ((1.0, 20), (2.0, 9)):
        q, v, slope_of_q, slope_of_v = 1.0, 0.0, 0.0, 0.0
        for _ in range(steps):
            slope_of_v -= 0.3 * (q + k * slope_of_q)
            v -= 0.3 * k * q
            slope_of_q += 0.3 * slope_of_v
            q += 0.3 * v
        found = a_difference_tests_a_slope(k, steps)
        # 1e-4: float32 rounds at every step, and a difference is not exact
        np.testing.assert_allclose(found, [slope_of_q] * 2, rtol=1e-4)


def a_difference_has_a_best_step(x=1.0):
    """A difference errs at large and at small steps; `jax.grad` has no step.

    A large step h misses the bend of the curve. A small one subtracts two numbers that
    are almost equal, and little more than rounding errors is left. A step in between is
    best, and you would have to find it. The error of `jax.grad` is the flat line at the
    bottom.
    """
    import matplotlib.pyplot as plt

    h = jnp.logspace(-6, 0, 49)
    difference = (jnp.sin(x + h) - jnp.sin(x - h)) / (2 * h)
    slope = jax.grad(jnp.sin)(x)

    exact = np.cos(x)
    of_difference = abs(np.array(difference) - exact)
    of_grad = abs(np.full(49, slope) - exact)
    _, axes = plt.subplots()
    axes.loglog(h, of_difference, label="difference")
    axes.loglog(h, of_grad, label="jax.grad")
    axes.set(xlabel="step h", ylabel="error", title="Error of the slope")
    axes.legend()
    return axes


def check_errors_follow_their_laws():
    """A large step errs by cos x·(1 − sin(h)/h), `jax.grad` by less than 1e-7."""
    for x in (1.0, -0.7):
        difference, grad = a_difference_has_a_best_step(x).lines
        h, error = difference.get_xdata(), difference.get_ydata()
        large, small = h > 0.3, h < 1e-5
        law = np.cos(x) * (1 - np.sin(h[large]) / h[large])
        # 2e-4: in float32 the rounding is still seen
        np.testing.assert_allclose(error[large], law, rtol=2e-4)
        assert np.median(error[small]) > 1e-4
        assert max(grad.get_ydata()) < 1e-7


def jax_tests_a_gradient_for_you(x=0.5):
    """`check_grads` tests a gradient, and raises an error if it is wrong.

    It is imported from `jax.test_util`. It takes the function, a tuple of arguments and
    the `order` of the derivatives to test, compares the gradient with a difference, and
    says nothing if all is well. Use it in your tests whenever you write a rule of your
    own, with `modes=["rev"]`, for `jax.custom_vjp` knows only the way backwards.

    The rule here has a mistake: the slope of x³ is 3x², not 2x².

    Where to go next: the lesson on `vmap` takes the gradients of many examples at once,
    and the lesson on gradient descent repeats the step that lowers the loss.
    """
    x = jnp.array(x)
    check_grads(lambda x: x**3, (x,), order=1)

    @jax.custom_vjp
    def cube(x):
        return x**3

    def forward(x):
        return x**3, x

    def backward(x, slope):
        return (2 * x**2 * slope,)

    cube.defvjp(forward, backward)
    try:
        check_grads(cube, (x,), order=1, modes=["rev"])
    except AssertionError as error:
        caught = error
    return caught


def check_the_wrong_rule_is_caught():
    """The right slope passes, and the wrong rule is an AssertionError."""
    for x in (0.5, -2.0):
        caught = jax_tests_a_gradient_for_you(x)
        assert isinstance(caught, AssertionError)
        assert "Not equal to tolerance" in str(caught)
