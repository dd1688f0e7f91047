"""Gradients: a function in, its derivative out.

`jax.grad` does not return a number. It returns a new function, ready to be called,
plotted, or differentiated again. And it takes no small steps: it applies the rules of
calculus to the very operations that your function runs.
After this lesson you can differentiate dicts, loops and whole flights, cure a nan, and
pick the cheap way round. Read first: pure_functions.
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import explain

try:
    from jax import enable_x64
except ImportError:  # before jax 0.8
    from jax.experimental import enable_x64

ORDER = 40  # lessons stand in steps of ten; there is no other registry


def slope_of_a_parabola(x=3.0):
    """Calculus says that the slope of x² is 2x.

    Predict: what is the slope at x = 3?
    """

    def square(x):
        return x**2

    slope = jax.grad(square)
    return slope(x)


def check_slope_is_twice_x():
    """The slope of x² is 2x, on both sides of zero and at zero."""
    for x in (-2.0, 0.0, 3.0):
        np.testing.assert_allclose(slope_of_a_parabola(x), 2 * x)


def a_slope_is_a_program(x=3.0):
    """How does it know? Where your function says sin, it writes cos.

    It follows your operations one at a time and makes a second program of them. That
    one is yours too: `explain` lists what it does, `jax.jit` compiles it.

    Myth: a derivative by computer is a difference over a small step.
    """
    slope = jax.grad(jnp.sin)
    operations = explain(slope, x).equations
    return {"slope": slope(x), "jit": jax.jit(slope)(x), "operations": operations}


def check_sine_becomes_cosine():
    """The slope of sin is cos, compiled or not: one cos, no difference, no division."""
    for x in (-1.0, 0.0, 3.0):
        slope, compiled, operations = a_slope_is_a_program(x).values()
        np.testing.assert_allclose([slope, compiled], np.cos(x), rtol=1e-6)
        assert operations["cos"] == 1
        assert not operations.keys() & {"sub", "div"}


def slopes_of_slopes(x=0.5, order=4):
    """A function came out, so it can go in again: the slope of the slope, and so on.

    Predict: after four derivatives of sin, which function are you back at?
    """
    derivative, found = jnp.sin, []
    for _ in range(order):
        derivative = jax.grad(derivative)
        found.append(derivative(x))
    return found


def check_sine_returns_after_four():
    """The derivatives of sin are cos, −sin, −cos, sin: order n is sin(x + n·π/2)."""
    for x in (-2.0, 0.5, 1.0):
        turned = x + np.pi / 2 * np.arange(1, 5)
        np.testing.assert_allclose(slopes_of_slopes(x), np.sin(turned), rtol=1e-5)


def a_slope_for_each_argument(a=2.0, b=3.0):
    """2a³ − b² has a slope along a and another along b: `argnums` says which.

    Myth: the variable is picked by `static_argnums`. That one belongs to `jax.jit`.
    """

    def f(a, b):
        return 2 * a**3 - b**2

    try:
        jax.grad(f, static_argnums=1)
    except TypeError as error:
        refused = error
    alone = [jax.grad(f)(a, b), jax.grad(f, argnums=1)(a, b)]
    both = jax.grad(f, argnums=(0, 1))(a, b)
    return {"alone": alone, "both": both, "static_argnums": refused}


def check_each_argument_has_its_slope():
    """2a³ − b² has slopes 6a² and −2b, asked for alone or together."""
    for a, b in ((2.0, 3.0), (-1.5, 0.5)):
        alone, both, _ = a_slope_for_each_argument(a, b).values()
        np.testing.assert_allclose([alone, both], [[6 * a**2, -2 * b]] * 2, rtol=1e-6)


def check_static_argnums_is_refused():
    """`grad` with `static_argnums` is a TypeError that names it."""
    refused = a_slope_for_each_argument()["static_argnums"]
    assert (type(refused), "static_argnums" in str(refused)) == (TypeError, True)


def one_slope_for_each_number(x=(1.2, 3.2, 4.0), y=(0.0, 5.0, 10.0)):
    """A function of many numbers has a slope along each: the gradient, shaped like x.

    Predict: 4 is too small for 10. Is the last entry positive or negative?
    """

    def rms_error(x, y):
        return jnp.sqrt(jnp.mean((x - y) ** 2))

    return jax.grad(rms_error)(jnp.float32(x), jnp.float32(y))


def check_gradient_is_the_closed_form():
    """The gradient of the RMS error is (x − y) / (n · error)."""
    for x in ((1.2, 3.2, 4.0), (7.0, -2.0, 0.5)):
        gap = np.subtract(x, (0.0, 5.0, 10.0))
        expected = gap / gap.size / np.sqrt(np.mean(gap**2))
        np.testing.assert_allclose(one_slope_for_each_number(x), expected, rtol=1e-6)


def all_slopes_in_one_pass(w=0.5, b=-1.0, xs=(-1.0, 0.5, 2.0), ys=(0.0, 1.0, 0.0)):
    """Parameters live in dicts, lists, tuples; their gradient has the same structure.

    `value_and_grad` adds the value, from the same pass, and `has_aux=True` what else
    you computed, here σ. Write it for one example; `vmap` gives each its own slopes.

    Predict: asked for value and slopes apart, how often does σ run?
    """

    def error(params, x, y):
        s = jax.nn.sigmoid(params["w"] * x + params["b"])
        return (s - y) ** 2, s

    def apart(*args):
        return error(*args), jax.grad(error, has_aux=True)(*args)

    params, xs, ys = {"w": w, "b": b}, jnp.float32(xs), jnp.float32(ys)
    one = jax.value_and_grad(error, has_aux=True)
    values, slopes = jax.vmap(one, (None, 0, 0))(params, xs, ys)  # None: shared
    first = params, xs[0], ys[0]
    sigmas = [explain(f, *first).equations["logistic"] for f in (one, apart)]
    found = {"error, σ": values, "slopes": slopes, "the first, alone": one(*first)[1]}
    return {**found, "σ in one pass, in two": sigmas}


def check_neuron_has_its_closed_form():
    """(s − y)², s = σ(w·x + b), has slopes g·x and g, where g = 2(s − y)·s(1 − s)."""
    x, y = np.array([[-1.0, 0.5, 3.0], [0.0, 1.0, 1.0]])
    for w, b in ((0.5, 0.0), (-1.0, 0.7)):
        values, slopes, one, _ = all_slopes_in_one_pass(w, b, x, y).values()
        s = 1 / (1 + np.exp(-w * x - b))
        g = 2 * (s - y) * s * (1 - s)
        found = [*values, slopes["w"], slopes["b"]]
        np.testing.assert_allclose(found, [(s - y) ** 2, s, g * x, g], rtol=1e-5)
        np.testing.assert_allclose([one["w"], one["b"]], [g[0] * x[0], g[0]], rtol=1e-5)


def check_one_pass_computes_sigma_once():
    """Value and slopes need one σ in one pass, and two when asked for apart."""
    assert all_slopes_in_one_pass()["σ in one pass, in two"] == [1, 2]


def the_slope_at_a_kink(x=0.0):
    """ReLU's slope is a step, 0 and then 1. What it is at 0, somebody must choose.

    `maximum` takes the middle, `jax.nn.relu` the left side. It matters: r(x) − r(−x)
    is x, and should have slope 1. Here are both slopes, of r and of that.

    Predict: what is the slope of max(0, x) at 0?
    """
    import matplotlib.pyplot as plt

    def relu(x):
        return jnp.maximum(0, x)

    def both(r):
        return [jax.grad(r)(x), jax.grad(lambda x: r(x) - r(-x))(x)]

    points = jnp.float32(np.linspace(-3, 3, 200))
    figure, axes = plt.subplots()
    axes.plot(points, relu(points), points, jax.vmap(jax.grad(relu))(points), "--")
    axes.set(xlabel="x", ylabel="value", title="ReLU and its slope")
    axes.legend(["ReLU", "its slope"])
    plt.close(figure)  # returned, not shown twice
    return {"picture": figure, "maximum": both(relu), "jax.nn.relu": both(jax.nn.relu)}


def check_slope_of_relu_is_a_step():
    """The slope of ReLU is 0 at 100 points left of zero and 1 at 100 right of it."""
    curve, slope = the_slope_at_a_kink()["picture"].axes[0].lines
    x = np.linspace(-3, 3, 200)
    np.testing.assert_allclose(curve.get_ydata(), x * (x > 0), rtol=1e-5)
    np.testing.assert_allclose(slope.get_ydata(), x > 0)


def check_kink_is_a_choice():
    """At 0 `maximum` has slope ½ and r(x) − r(−x) slope 1; `jax.nn.relu` 0 and 0."""
    cases = {0.0: [0.5, 1, 0, 0], -1.0: [0, 1, 0, 1], 2.0: [1, 1, 1, 1]}
    for x, expected in cases.items():
        _, shared, left = the_slope_at_a_kink(x).values()
        assert [*shared, *left] == expected


def what_grad_refuses(x=3):
    """A slope is how one number answers a small change. Of three outputs, which one?

    Sum them, or ask `jax.jacobian` for a row each. And an integer has no small change.
    """

    def attempt(x):
        try:
            return jax.grad(jnp.square)(x)
        except TypeError as error:
            return error

    row = jnp.float32([1, 2, x])
    found = {"three outputs": attempt(row), "an integer": attempt(x)}
    cures = {"a float": attempt(float(x)), "jacobian": jax.jacobian(jnp.square)(row)}
    return {**found, **cures, "sum": jax.grad(lambda row: jnp.sum(row**2))(row)}


def check_refusals_and_their_cures():
    """Three outputs are a TypeError, so is an integer; each cure gives 2x."""
    for x in (3, -7):
        vector, integer, number, rows, total = what_grad_refuses(x).values()
        assert type(vector) is type(integer) is TypeError
        assert "scalar-output functions" in str(vector)
        assert "real- or complex-valued inputs" in str(integer)
        assert (number, total.tolist()) == (2 * x, [2, 4, 2 * x])
        np.testing.assert_array_equal(rows, np.diag([2, 4, 2 * x]))


def nan_from_the_branch_not_taken(x=0.0):
    """√x where x > 0, else 0: its slope at 0 is nan, and so is that of a norm of zeros.

    `where` computes both sides, and sends the slope 0 back into the one not taken. The
    slope there is ∞, and 0 · ∞ is nan. Cure: a `where` inside, with a harmless number.

    Myth: `where` picks a branch, so the other one cannot matter.
    """

    def root(x):
        return jnp.where(x > 0, jnp.sqrt(x), 0.0)

    def safe_root(x):
        return jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0)

    x, line = jnp.float32(x), jnp.float32([x, 0.0])
    return {
        "root": [root(x), jax.grad(root)(x)],
        "safe root": [safe_root(x), jax.grad(safe_root)(x)],
        "norm": jax.grad(jnp.linalg.norm)(line),
        "standard deviation": jax.grad(jnp.std)(line),
        "safe norm": jax.grad(lambda line: safe_root(jnp.sum(line**2)))(line),
    }


def check_double_where_cures_the_nan():
    """At 0 and below the root's slope is nan and the safe root's 0; above, 1/(2√x)."""
    for x, root, slope in ((0.0, 0, np.nan), (-1.0, 0, np.nan), (4.0, 2, 0.25)):
        found = list(nan_from_the_branch_not_taken(x).values())[:2]
        expected = [[root, slope], [root, np.nan_to_num(slope)]]
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def check_lengths_are_nan_at_zero():
    """At 0 norm and deviation have slope nan, the safe norm 0; elsewhere all hold."""
    for x, norm, safe in ((0.0, np.nan, 0), (-1.0, -1, -1), (4.0, 1, 1)):
        _, _, *found = nan_from_the_branch_not_taken(x).values()
        expected = [[norm, norm * 0], [norm / 2, -norm / 2], [safe, 0]]
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def the_slope_of_a_gradient(x=(1.0, 2.0), v=(1.0, -1.0), u=(0.5, 2.0)):
    """A gradient turns n numbers into n; all its slopes fill a matrix, the Hessian H.

    `jvp` pushes a change forwards, H·v; `vjp` pulls weights back, u·H: both without H.
    """

    def f(x):
        return jnp.sum(x * x) ** 2

    x, v, u = jnp.float32(x), jnp.float32(v), jnp.float32(u)
    _, pushed = jax.jvp(jax.grad(f), (x,), (v,))
    _, pull = jax.vjp(jax.grad(f), x)
    return {"H": jax.jit(jax.hessian(f))(x), "H·v": pushed, "u·H": pull(u)[0]}


def check_push_and_pull_are_products_with_h():
    """For |x|⁴, H is 4·|x|²·I + 8·x·xᵀ, and H·v and u·H are its products."""
    for x in ((1.0, 2.0), (-0.5, 3.0)):
        h = 4 * np.dot(x, x) * np.eye(2) + 8 * np.outer(x, x)
        expected = [*h, h @ (1.0, -1.0), (0.5, 2.0) @ h]
        found = the_slope_of_a_gradient(x, (1.0, -1.0), (0.5, 2.0)).values()
        np.testing.assert_allclose(np.vstack(list(found)), expected, rtol=1e-5)


def multiplications(function, *args):
    """How many pairs of numbers are multiplied in the program that JAX writes down."""
    equations = jax.make_jaxpr(function)(*args).eqns
    return sum(e.outvars[0].aval.size for e in equations if e.primitive.name == "mul")


def forwards_or_backwards(n=100):
    """`jacfwd` pushes once for each input, `jacrev` pulls once for each output.

    A loss has a million inputs and one output: that is why `grad` goes backwards.

    Predict: from 1 number to 100, which of the two multiplies less?
    """

    def tall(t):  # [] -> [n]
        return jnp.sin(jnp.broadcast_to(t, (n,)))

    def wide(x):  # [n] -> []
        return jnp.sum(jnp.sin(x))

    found = {}
    for f, x in ((tall, jnp.float32(0.5)), (wide, jnp.ones(n, "float32"))):
        found[f"{f.__name__}, jacfwd"] = multiplications(jax.jacfwd(f), x)
        found[f"{f.__name__}, jacrev"] = multiplications(jax.jacrev(f), x)
    return found


def check_the_wrong_way_costs_n_times_as_much():
    """The right way round takes n multiplications, the wrong one n²."""
    for n in (7, 100):
        assert list(forwards_or_backwards(n).values()) == [n, n**2, n**2, n]


def a_rule_of_your_own(x=2.7):
    """Rounding is flat, so no slope gets through, and nothing before it can learn.

    With `custom_vjp` you say what goes back: here, the slope as it came. Or hide the
    rounding from `grad`: what `stop_gradient` holds is a constant.

    Predict: by calculus, what is the slope of round(x)² at 2.7?
    """
    passing = jax.custom_vjp(lambda x: jnp.round(x))
    passing.defvjp(lambda x: (jnp.round(x), None), lambda _, slope: (slope,))
    ways = {"calculus": jnp.round, "custom_vjp": passing}
    ways["stop_gradient"] = lambda x: x + jax.lax.stop_gradient(jnp.round(x) - x)
    square = jax.value_and_grad(lambda x, way: ways[way](x) ** 2)
    return {way: square(x, way) for way in ways}


def check_own_rules_let_the_slope_through():
    """All three have the value r² with r = round(x); the slopes are 0, 2r and 2r."""
    for x in (2.7, -1.2, 4.4):
        r = round(x)
        found = list(a_rule_of_your_own(x).values())
        expected = [(r**2, 0), (r**2, 2 * r), (r**2, 2 * r)]
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def force_is_a_slope(stiffness=1.0, step=0.3, steps=20):
    """A ball on a spring has the energy k·q²/2, and a force: minus its slope.

    Half a kick, a drift, half a kick, over and over, is a flight. That is a function
    too: `grad` tells how its end moves if the spring is a little stiffer.
    """

    def fly(k):
        force = jax.grad(lambda q: -k / 2 * q**2)
        q, v = 1.0, step / 2 * force(1.0)
        for _ in range(steps):
            q = q + step * v
            v = v + step * force(q)
        return q, k / 2 * q**2 + (v - step / 2 * force(q)) ** 2 / 2

    (end, energy), slope = jax.value_and_grad(fly, has_aux=True)(stiffness)
    return {"end": end, "its slope along k": slope, "energy": energy}


def check_flight_is_the_closed_form():
    """After n steps, q is cos nθ with cos θ = 1 − k·h²/2, and the slope is dq/dk."""
    for k, h, n in ((1.0, 0.3, 20), (2.0, 0.2, 9)):
        angle = np.arccos(1 - k * h**2 / 2)
        end, slope, _ = force_is_a_slope(k, h, n).values()
        turned = -n * np.sin(n * angle) * h**2 / 2 / np.sin(angle)
        # 1e-4: float32 rounds at every step of the flight
        np.testing.assert_allclose([end, slope], [np.cos(n * angle), turned], rtol=1e-4)


def check_energy_does_not_drift():
    """For k = 1 the energy is ½ − (1 − q²)·h²/8, however long the flight."""
    for n in (1, 30):
        q, _, energy = force_is_a_slope(1.0, 0.3, n).values()
        np.testing.assert_allclose(energy, 0.5 - (1 - q**2) * 0.3**2 / 8, rtol=1e-5)


def three_referees(x=0.5):
    """Trust no derivative untested: here is `grad`, in float64, before three referees.

    The closed form; the difference of f(x ± h), over 2h, which drowns in rounding if h
    is small; the complex step, Im f(x + ih) over h, which cannot. `grad` has no h.

    Predict: how many of its 16 digits does `grad` get right?
    """
    import matplotlib.pyplot as plt

    def bell(x):
        return 1 / (1 + x**2)

    with enable_x64(True):
        slope = float(jax.grad(bell)(x))
    exact, h = -2 * x * bell(x) ** 2, np.logspace(-15, -1, 57)
    figure, axes = plt.subplots()
    difference = (bell(x + h) - bell(x - h)) / (2 * h)
    rivals = {"difference": difference, "complex step": bell(x + 1j * h).imag / h}
    for name, found in {**rivals, "jax.grad": np.full_like(h, slope)}.items():
        axes.loglog(h, np.maximum(abs(found / exact - 1), 1e-17), label=name)
    axes.set(xlabel="step h", ylabel="relative error", title="Three referees")
    axes.legend()
    plt.close(figure)  # returned, not shown twice
    return {"jax.grad": slope, "closed form": exact, "errors": figure}


def check_grad_is_exact():
    """`grad` gives the closed form −2x/(1 + x²)² to the last digits of float64."""
    for x in (0.5, -2.0):
        found = list(three_referees(x).values())[:2]
        np.testing.assert_allclose(found, -2 * x / (1 + x**2) ** 2, rtol=2e-15)


def check_errors_follow_their_laws():
    """Near h = 0.002 both steps err by 2h²|1 − x²|/(1 + x²)², below 1e-8 only one."""
    for x in (0.5, -2.0):
        lines = three_referees(x)["errors"].axes[0].lines
        h, curves = lines[0].get_xdata(), [line.get_ydata() for line in lines]
        large, small = (h > 9e-4) & (h < 4e-3), h < 1e-8
        law = 2 * h[large] ** 2 * abs(1 - x**2) / (1 + x**2) ** 2
        # 1e-4: the law leaves h⁴ out
        np.testing.assert_allclose([c[large] for c in curves[:2]], [law] * 2, rtol=1e-4)
        assert np.median(curves[0][small]) > 1e-8
        assert max(curves[1][small].max(), curves[2].max()) < 2e-15
