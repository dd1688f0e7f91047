"""Derivatives: forwards, backwards, and with rules of your own.

`jax.grad` goes backwards through a function. JAX can also go forwards, fill a table of
all slopes, and take the slope of a slope. After this lesson you can choose the
direction that costs less, save memory on the way back, give a function a slope of your
own, find the path of a planet from its energy, and test that a gradient is right.
Read first: grad.
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


def push_a_change_forwards(point=(2.0, 3.0), direction=(1.0, 0.0)):
    """`jax.jvp` pushes a change of the inputs forwards to the outputs.

    The question is: if x moves in the direction v, how fast do the outputs move?
    `jax.jvp` (Jacobian times vector) takes the function, a tuple of inputs and a tuple
    of directions. It returns the outputs and their change, one number for each output.

    With v = (1, 0) only the first input moves. The answer is then the first column of
    the Jacobian, the `table` below. The documentation of JAX calls v a *tangent*.
    """
    x = jnp.array(point)
    v = jnp.array(direction)
    outputs, change = jax.jvp(products, (x,), (v,))

    table = jax.jacobian(products)(x)
    return outputs, change, table


def check_push_is_jacobian_times_v():
    """The change is the Jacobian times v."""
    for (a, b), v in (((2.0, 3.0), (1.0, 0.0)), ((-1.0, 0.5), (2.0, -3.0))):
        outputs, change, table = push_a_change_forwards((a, b), v)
        jacobian = np.array([[b, a], [0, 2 * b], [5, 0]])
        np.testing.assert_allclose(table, jacobian, rtol=1e-6)
        np.testing.assert_allclose(outputs, [a * b, b**2, 5 * a], rtol=1e-6)
        np.testing.assert_allclose(change, jacobian @ v, rtol=1e-6)


def pull_weights_backwards(point=(2.0, 3.0), weights=(1.0, 0.0, 0.0)):
    """`jax.vjp` pulls weights of the outputs backwards to the inputs.

    The question is the other way round: if the outputs count with the weights u, what
    is the gradient of their weighted sum? `jax.vjp` (vector times Jacobian) returns the
    outputs and a function, `pull`. `pull` takes the weights and returns a tuple, with a
    gradient for each argument.

    With u = (1, 0, 0) only the first output counts. The answer is then the first row of
    the Jacobian. `jax.grad` is this, with one output and the weight 1. The
    documentation of JAX, and its errors, call u a *cotangent*.
    """
    x = jnp.array(point)
    u = jnp.array(weights)
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

    `jax.jacfwd` goes forwards: it pushes a change of each input, and so finds a column
    for each. It is cheap for few inputs. `jax.jacrev` goes backwards: it pulls each
    output, and so finds a row for each. It is cheap for few outputs. (`jax.jacobian` is
    another name of it.) A loss has many inputs and one output. That is why `jax.grad`
    goes backwards.

    `explain` counts the flops: the additions and multiplications of numbers. This is
    the work, and not the time: a computer does much of it at once.

    Predict: `total` has 300 inputs and 1 output, `spread` has 1 input and 300 outputs.
    Which way is cheap for which? Is the other way more than 100 times the work?
    """

    def total(x):
        return jnp.sum(x**3)

    x = jnp.linspace(0, 1, 300)
    by_columns = jax.jacfwd(total)(x)
    by_row = jax.jacrev(total)(x)
    total_forwards = explain(jax.jacfwd(total), x).flops
    total_backwards = explain(jax.jacrev(total), x).flops

    def spread(t):
        return (t + x) ** 3

    spread_forwards = explain(jax.jacfwd(spread), 2.0).flops
    spread_backwards = explain(jax.jacrev(spread), 2.0).flops
    forwards_is_costly = total_forwards > 100 * total_backwards
    backwards_is_costly = spread_backwards > 100 * spread_forwards
    return by_columns, by_row, forwards_is_costly, backwards_is_costly


def check_the_wrong_way_costs_n_times_as_much():
    """Both ways give 3x², and the costly way takes over 100 times the work."""
    by_columns, by_row, *wrong_ways = forwards_or_backwards()
    expected = 3 * np.linspace(0, 1, 300) ** 2
    np.testing.assert_allclose([by_columns, by_row], [expected] * 2, rtol=1e-5)
    assert wrong_ways == [True, True]


def the_slope_of_a_gradient(point=(2.0, 3.0)):
    """`jax.hessian` is the table of all second derivatives.

    A gradient turns n numbers into n numbers, so it has a Jacobian of its own, n by n.
    It is called the Hessian and tells how the gradient changes.
    """

    def f(x):
        a, b = x
        return a**2 * b

    x = jnp.array(point)
    gradient = jax.grad(f)(x)
    hessian = jax.hessian(f)(x)
    return gradient, hessian


def check_hessian_is_the_closed_form():
    """a²·b has the gradient (2ab, a²) and the Hessian of rows (2b, 2a), (2a, 0)."""
    for a, b in ((2.0, 3.0), (-0.5, 4.0)):
        gradient, hessian = the_slope_of_a_gradient((a, b))
        np.testing.assert_allclose(gradient, [2 * a * b, a**2], rtol=1e-6)
        np.testing.assert_allclose(hessian, [[2 * b, 2 * a], [2 * a, 0]], rtol=1e-6)


def going_back_needs_memory(steps=10):
    """Going backwards may need numbers of the way forwards, so these are kept.

    The slope of sin(sin(…)) is a product of cosines, one from every step. The function
    `pull`, which `jax.vjp` returns, holds them. For JAX `pull` is a pytree too, and
    `jax.tree.leaves` lists the arrays in it. In a long computation such arrays can fill
    the memory. (What is only added up keeps nothing.)
    """

    def many_sines(x):
        for _ in range(steps):
            x = jnp.sin(x)
        return x

    x = jnp.array(0.5)
    _, pull = jax.vjp(many_sines, x)
    kept = jax.tree.leaves(pull)
    number_kept = len(kept)
    return kept, number_kept


def check_every_step_keeps_a_cosine():
    """Of n steps n cosines are kept."""
    for steps in (4, 10):
        kept, number_kept = going_back_needs_memory(steps)
        x = 0.5
        for cosine in kept:
            np.testing.assert_allclose(cosine, np.cos(x), rtol=1e-6)
            x = np.sin(x)
        assert len(kept) == number_kept == steps


def keep_less_and_compute_again(steps=5):
    """`jax.checkpoint` keeps less, and computes more on the way back.

    `jax.checkpoint(f)` computes the same as f. But only what goes into f is kept (also
    an array that f uses from outside), and on the way back f is computed again. That
    takes less memory and more work.

    Put it around each step of a long computation. Around the whole it helps little: on
    the way back all numbers of the whole would be there again at once. (Under `jax.jit`
    the compiler for a CPU may undo it. Around the step of a `scan` it pays there, too:
    control_flow shows that.)

    Predict: here a step is two sines, so five steps are the ten sines from above. How
    many numbers are kept for the way back now?
    """

    def two_sines(x):
        return jnp.sin(jnp.sin(x))

    step = jax.checkpoint(two_sines)

    def many_sines(x):
        for _ in range(steps):
            x = step(x)
        return x

    x = jnp.array(0.5)
    _, pull = jax.vjp(many_sines, x)
    kept = jax.tree.leaves(pull)
    slope = jax.grad(many_sines)(x)
    return kept, slope


def check_checkpoint_trades_memory_for_work():
    """Of n steps the n inputs are kept; the slope is still the product of cosines."""
    for steps in (2, 5):
        kept, slope = keep_less_and_compute_again(steps)
        x, inputs, product = 0.5, [], 1.0
        for _ in range(steps):
            inputs.append(x)
            product *= np.cos(x) * np.cos(np.sin(x))
            x = np.sin(np.sin(x))
        np.testing.assert_allclose(kept, inputs, rtol=1e-6)
        np.testing.assert_allclose(slope, product, rtol=1e-5)


def a_rule_of_your_own(x=2.7):
    """With `jax.custom_vjp` you write the slope of a function yourself.

    Some functions have a slope that is of no use for learning; rounding is one. A
    common way out is to pretend on the way back that rounding changed nothing. (Its
    usual name is *straight-through estimator*.)

    An ordinary call runs `round_and_pass` itself. `jax.grad` runs `forward` in its
    place, which returns the value and what `backward` will need: here nothing, so
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
    value = round_and_pass(x)

    by_calculus = jax.grad(lambda x: jnp.round(x) ** 2)(x)
    by_our_rule = jax.grad(lambda x: round_and_pass(x) ** 2)(x)
    return value, by_calculus, by_our_rule


def check_own_rule_lets_the_slope_through():
    """The value is round(x); round(x)² has slope 0, and by our rule 2·round(x)."""
    for x in (2.7, -1.2, 4.4):
        found = a_rule_of_your_own(x)
        np.testing.assert_allclose(found, (round(x), 0, 2 * round(x)), rtol=1e-6)


def what_stop_gradient_holds(x=3.0):
    """`jax.lax.stop_gradient` makes JAX treat a value as a constant.

    The value stays as it is. Only the slope does not go through it. You use it for a
    number that a loss needs and that must not learn, such as a target that your own
    model has computed.

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
    """The potential energy of a planet at q, with the sun at (0, 0)."""
    return -1 / jnp.sqrt(jnp.sum(q**2))


def force_is_a_slope(place=(3.0, 4.0)):
    """A force is minus the gradient of a potential energy.

    Gradients are not only for learning. In physics the slope of the potential energy
    gives the force. For a planet this energy is −1 / distance (mass and gravity are 1
    here), and from this `jax.grad` finds the force.

    Predict: the planet is at (3, 4) and the sun at (0, 0). Which signs has the force?
    """
    q = jnp.array(place)
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
    """With the force from `jax.grad` we follow a planet around the sun.

    The force changes the velocity v, and the velocity moves the position q. In each
    step v changes for half the time, then q moves, then v changes for the other half.
    This recipe is called *leapfrog*. If the step is small it keeps the energy, of
    motion and of position together, almost the same. `jax.lax.scan` hands the pair of q
    and v from step to step. There are no inputs to loop over, so `length` says how many
    steps there are, and the second argument of `leapfrog`, here called `_`, is None.
    Its output is a pair as well: the position and the energy. `nearest` is the smallest
    distance to the sun.

    Predict: at distance 1 a circle around the sun needs the speed 1. Our planet starts
    at (1, 0) with 0.8. Will it come nearer to the sun or go further away?
    """
    import matplotlib.pyplot as plt

    def force(q):
        return -jax.grad(energy)(q)

    def leapfrog(state, _):
        q, v = state
        v = v + step / 2 * force(q)
        q = q + step * v
        v = v + step / 2 * force(q)
        total = jnp.sum(v**2) / 2 + energy(q)
        return (q, v), (q, total)

    q = jnp.array([1.0, 0.0])
    v = jnp.array([0.0, speed])
    _, path = jax.lax.scan(leapfrog, (q, v), length=steps)
    places, energies = path
    nearest = jnp.min(jnp.linalg.norm(places, axis=1))

    _, axes = plt.subplots()
    axes.plot(places[:, 0], places[:, 1], label="planet")
    axes.plot([0], [0], "o", label="sun")
    axes.set(xlabel="across", ylabel="up", title="Around the sun")
    axes.set_aspect("equal")
    axes.legend()
    return energies, nearest, axes


def check_orbit_is_that_of_newtons_force():
    """The planet flies as under Newton's force −q/|q|³, written by hand in NumPy."""
    for speed, steps in ((0.8, 80), (1.1, 60)):
        q, v, path = np.array([1.0, 0.0]), np.array([0.0, speed]), []
        for _ in range(steps):
            v = v - 0.025 * q / np.dot(q, q) ** 1.5
            q = q + 0.05 * v
            v = v - 0.025 * q / np.dot(q, q) ** 1.5
            path.append(q)
        _, nearest, axes = an_energy_makes_an_orbit(speed, 0.05, steps)
        # 1e-4: float32 rounds at every step of the flight
        np.testing.assert_allclose(axes.lines[0].get_xydata(), path, atol=1e-4)
        np.testing.assert_allclose(nearest, np.min(np.hypot(*np.transpose(path))), 1e-4)


def check_energy_is_kept():
    """At every step the energy is speed²/2 − 1, the start's, to within a hundredth."""
    for speed in (0.8, 1.1):
        energies, *_ = an_energy_makes_an_orbit(speed)
        # Blunt: leapfrog keeps the energy but for a few step², here 1/400
        np.testing.assert_allclose(energies, speed**2 / 2 - 1, rtol=1e-2)


def a_difference_tests_a_slope(k=1.0, steps=20):
    """A central difference is a test of a gradient that needs no calculus.

    Call the function a little right and a little left of the point, at equal distances
    (this is what *central* means), and divide the difference by the distance between
    them. That is not exact, but it shows large mistakes, such as a wrong sign or a lost
    factor.

    The function here is a whole flight: a ball on a spring of stiffness k. A step takes
    the time dt. In it the velocity v changes by the pull of the spring, −k·q, times dt,
    and the position q by v times dt. The slope tells how the end moves if the spring is
    a little stiffer. Called with Python numbers, `fly` is plain Python, so the
    difference owes nothing to JAX. Its values stand first below, and then the tracers
    of `jax.grad`.
    """
    dt = 0.3

    def fly(k):
        q = 1.0
        v = 0.0
        for _ in range(steps):
            v = v - k * q * dt
            q = q + v * dt
        return q

    h = 0.001
    difference = (fly(k + h) - fly(k - h)) / (2 * h)
    slope = jax.grad(fly)(k)
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

    A large step h does not see how the curve changes in between. A small one subtracts
    two numbers that are almost equal, and little more than rounding errors is left. A
    step in between is best, and you would have to find it. The error of `jax.grad` is
    the flat line at the bottom: here it is only that of rounding a number to float32.
    """
    import matplotlib.pyplot as plt

    h = jnp.logspace(-6, 0, 49)
    difference = (jnp.sin(x + h) - jnp.sin(x - h)) / (2 * h)
    slope = jax.grad(jnp.sin)(x)

    exact = np.cos(x)
    of_difference = abs(np.array(difference) - exact)
    of_grad = abs(float(slope) - exact)
    _, axes = plt.subplots()
    axes.loglog(h, of_difference, label="difference")
    axes.loglog([1e-6, 1], [of_grad, of_grad], label="jax.grad")
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


def a_gradient_is_rounded_too(x=0.001):
    """The gradient of a function that loses digits can lose digits, too.

    `jax.grad` has no step, but it computes in float32 as your function does. Near 0,
    cos x is almost 1, so 1 − cos x keeps only a digit or two. The slope subtracts such
    numbers again, and divides by x³. The right slope of (1 − cos x) / x² near 0 is
    almost exactly −x / 12.

    Myth: what `jax.grad` returns is exact.
    """

    def f(x):
        return (1 - jnp.cos(x)) / x**2

    slope = jax.grad(f)(x)
    right = -x / 12
    lost = abs(slope - right) > 1
    return right, lost


def check_the_slope_is_lost():
    """The right slope is −x/12, smaller than 0.001; `jax.grad` errs by more than 1."""
    for x in (0.001, 0.002):
        right, lost = a_gradient_is_rounded_too(x)
        np.testing.assert_allclose(right, -x / 12)
        assert lost


def jax_tests_a_gradient_for_you(x=0.5):
    """`check_grads` raises an error if a gradient and a difference differ.

    It is imported from `jax.test_util`. It takes the function, a tuple of arguments,
    which must be arrays, and the `order` of the derivatives to test, and says nothing
    if all is well. (To test, it calls the function a few times, which is why several
    values stand beside the lines of `cube`.) Use it whenever you write a rule of your
    own, with `modes=["rev"]`: `jax.custom_vjp` gives a rule for the way backwards only.

    The rule here has a mistake: the slope of x³ is 3x², not 2x². The test multiplies
    both sides by the same random numbers, so look at the ratio of ACTUAL to DESIRED: it
    is 2 to 3.

    It looks only at the x that you give it. At x = 0 both 2x² and 3x² are 0, so there
    the mistake is not seen. Very near 0 it is smaller than the tolerance, and is not
    seen either.

    Where to go next: the lesson on `vmap` takes the gradients of many examples at once,
    and the lesson on gradient descent repeats the step that lowers the loss.
    """
    x = jnp.array(x)
    check_grads(lambda x: x**3, (x,), order=1)  # right: no error

    @jax.custom_vjp
    def cube(x):
        return x**3

    def forward(x):
        return x**3, x

    def backward(x, slope):
        return (2 * x**2 * slope,)  # the mistake

    cube.defvjp(forward, backward)
    try:
        check_grads(cube, (x,), order=1, modes=["rev"])
    except AssertionError as error:
        caught = error

    zero = jnp.array(0.0)
    check_grads(cube, (zero,), order=1, modes=["rev"])  # not seen
    return caught


def check_the_wrong_rule_is_caught():
    """The wrong rule is an AssertionError; the right one passes, and so does x = 0."""
    for x in (0.5, -2.0):
        caught = jax_tests_a_gradient_for_you(x)
        assert isinstance(caught, AssertionError)
        assert "Not equal to tolerance" in str(caught)
