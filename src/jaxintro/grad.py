"""Gradients: a function in, its derivative out.

`jax.grad` does not return a number. It takes a function and returns a new function,
which you can call, plot, compile or differentiate again. It takes no small steps: it
applies the rules of calculus to the operations that your function runs.
After this lesson you can differentiate losses, dicts and loops, improve a parameter by
one step, and find and cure a nan.
Read first: pure_functions.
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import explain

ORDER = 60


def slope_of_a_parabola(x=3.0):
    """`jax.grad` takes a function and returns another function: its slope.

    The slope tells how fast the result changes when x changes a little. In books it is
    called the *derivative*.

    Predict: what is the slope at x = 3?
    """

    def square(x):
        return x**2

    slope = jax.grad(square)
    return slope(x)


def check_slope_is_twice_x():
    """The slope of x² is 2x, on both sides of zero and at zero."""
    for x in (-2.0, 0.0, 3.0):
        np.testing.assert_allclose(slope_of_a_parabola(x), 2 * x, rtol=1e-6)


def a_slope_is_a_program(x=3.0):
    """JAX makes the slope from the operations of your function.

    A tracer (a stand-in for a number) goes through your function, and JAX notes each
    operation. For almost every one it knows a rule of calculus, and so it writes a
    second program, the slope. `jax.make_jaxpr` prints that program, one operation a
    line.

    In the printed program `a` is x. The line with `cos` is the slope of sin. It is
    multiplied by 1.0, the slope of the result with respect to itself. The line with
    `sin` is the function's own value. Nothing uses it here, so its name is `_`.

    Myth: a computer finds a derivative from a difference over a small step.
    """
    slope = jax.grad(jnp.sin)
    program = jax.make_jaxpr(slope)(x)
    value = slope(x)
    return program, value


def check_sine_becomes_cosine():
    """The slope of sin is cos, and the program has no subtraction and no division."""
    for x in (-1.0, 0.0, 3.0):
        program, value = a_slope_is_a_program(x)
        np.testing.assert_allclose(value, np.cos(x), rtol=1e-6)
        assert " cos " in str(program)
        assert " sub " not in str(program)
        assert " div " not in str(program)


def a_slope_can_be_compiled(x=3.0):
    """The slope is an ordinary function, so `jax.jit` can compile it.

    `jax.jit` turns a function into machine code. On the way, work that nobody needs is
    dropped, such as the unused `sin` of the demo above. `explain` finds such work:
    its `dead` counts the operations whose results nobody needs.
    """
    slope = jax.grad(jnp.sin)
    fast_slope = jax.jit(slope)
    value = fast_slope(x)
    dropped = explain(slope, x).dead
    return value, dropped


def check_compiled_slope_has_no_sine():
    """The compiled slope of sin is cos, and the one sin is dropped."""
    for x in (-1.0, 0.0, 3.0):
        value, dropped = a_slope_can_be_compiled(x)
        np.testing.assert_allclose(value, np.cos(x), rtol=1e-6)
        assert dropped == {"sin": 1}


def slopes_of_slopes(x=0.5, order=4):
    """The result of `jax.grad` is a function, so `jax.grad` can take it again.

    The slope of the slope tells how the curve bends. You can go on, but only for a few
    orders: for most functions each order makes the program larger.

    Predict: take four derivatives of sin, one after the other. Which function is each?
    """
    start = jnp.sin(x)
    derivative = jnp.sin
    slopes = []
    for _ in range(order):
        derivative = jax.grad(derivative)
        slope = derivative(x)
        slopes.append(slope)
    return start, slopes


def check_sine_returns_after_four():
    """The derivatives of sin are cos, −sin, −cos and then sin again."""
    for x in (-2.0, 0.5, 1.0):
        start, slopes = slopes_of_slopes(x)
        expected = [np.cos(x), -np.sin(x), -np.cos(x), np.sin(x)]
        np.testing.assert_allclose(slopes, expected, rtol=1e-5)
        np.testing.assert_allclose(start, np.sin(x), rtol=1e-5)


def a_slope_for_each_argument(a=2.0, b=3.0):
    """A function of two arguments has two slopes; `argnums` says which you want.

    Arguments are counted from 0, and `jax.grad` takes the slope along argument 0 unless
    you say otherwise. Pass them by position: `jax.grad` counts places, not names. With
    `argnums=(0, 1)` you get a tuple of both. (Beside the `def`, an argument that is not
    listed came in as it is, and not as a tracer.)
    """

    def f(a, b):
        return 2 * a**3 - b**2

    along_a = jax.grad(f)(a, b)
    along_b = jax.grad(f, argnums=1)(a, b)
    both = jax.grad(f, argnums=(0, 1))(a, b)
    return along_a, along_b, both


def check_each_argument_has_its_slope():
    """2a³ − b² has the slope 6a² along a and −2b along b, alone or together."""
    for a, b in ((2.0, 3.0), (-1.5, 0.5)):
        along_a, along_b, both = a_slope_for_each_argument(a, b)
        expected = [6 * a**2, -2 * b]
        np.testing.assert_allclose([along_a, along_b], expected, rtol=1e-6)
        np.testing.assert_allclose(both, expected, rtol=1e-6)


def one_slope_for_each_number(guess=(1.2, 3.2, 4.0), target=(0.0, 5.0, 10.0)):
    """The gradient of an array is an array: one slope for each number in it.

    Many slopes together are called a gradient. An entry is positive if the error grows
    when that number grows, and negative if the error falls.

    Predict: the guess 4 is too small for 10. Is the last entry positive or negative?
    """

    def rms_error(x, y):
        return jnp.sqrt(jnp.mean((x - y) ** 2))

    x = jnp.array(guess)
    y = jnp.array(target)
    gradient = jax.grad(rms_error)(x, y)
    return gradient


def check_gradient_is_the_closed_form():
    """The gradient is (x − y) / (n · error): negative where x is too small."""
    for x in ((1.2, 3.2, 4.0), (7.0, -2.0, 0.5)):
        gap = np.subtract(x, (0.0, 5.0, 10.0))
        expected = gap / gap.size / np.sqrt(np.mean(gap**2))
        np.testing.assert_allclose(one_slope_for_each_number(x), expected, rtol=1e-6)


def a_slope_for_each_parameter(w=0.5, b=-1.0, x=2.0, y=1.0):
    """The gradient of a dict is a dict with the same keys.

    Parameters are the numbers that you want to improve. They often live in a pytree, as
    in the last lesson. `jax.grad` gives each number its slope, in its own place. All of
    them must be floats (or complex numbers).

    The function here is one neuron and its error. `jax.nn.sigmoid` is 1 / (1 + e⁻ᶻ).
    """

    def loss(params, x, y):
        z = params["w"] * x + params["b"]
        return (jax.nn.sigmoid(z) - y) ** 2

    params = {"w": w, "b": b}
    gradient = jax.grad(loss)(params, x, y)
    return gradient


def check_neuron_has_its_closed_form():
    """The slope along b is 2(s − y)·s(1 − s), s the sigmoid; along w, x times that."""
    for w, b, x, y in ((0.5, -1.0, 2.0, 1.0), (-1.0, 0.7, 3.0, 0.0)):
        gradient = a_slope_for_each_parameter(w, b, x, y)
        s = 1 / (1 + np.exp(-w * x - b))
        g = 2 * (s - y) * s * (1 - s)
        found = [gradient["w"], gradient["b"]]
        np.testing.assert_allclose(found, [g * x, g], rtol=1e-5)


def one_step_downhill(step=0.1):
    """A small step against the gradient makes the loss smaller.

    This is how networks learn. The loss says how wrong the parameters are, the gradient
    says which way is uphill, and you move each parameter a little the other way.
    `jax.tree.map` applies a function to each parameter and its slope. The step must be
    small: with 0.5 in place of 0.1 the loss would be 215, ten times what it was.

    The points lie on the line 2x + 1. We start from w = 0 and b = 0. (For the gradient
    of each single point instead of their mean, see the lesson on `vmap`.)
    """

    def loss(params, x, y):
        prediction = params["w"] * x + params["b"]
        return jnp.mean((prediction - y) ** 2)

    x = jnp.array([0.0, 1.0, 2.0, 3.0])
    y = jnp.array([1.0, 3.0, 5.0, 7.0])
    params = {"w": 0.0, "b": 0.0}
    before = loss(params, x, y)

    gradient = jax.grad(loss)(params, x, y)
    params = jax.tree.map(lambda p, g: p - step * g, params, gradient)
    after = loss(params, x, y)
    return before, params, after


def check_one_step_lowers_the_loss():
    """The step moves w and b by −step times their slopes −17 and −8; the loss falls."""
    x, y = np.arange(4.0), 2 * np.arange(4.0) + 1
    for step in (0.1, 0.01):
        before, params, after = one_step_downhill(step)
        expected = np.mean((17 * step * x + 8 * step - y) ** 2)
        moved = [params["w"], params["b"]]
        np.testing.assert_allclose(moved, [17 * step, 8 * step], rtol=1e-6)
        np.testing.assert_allclose([before, after], [21, expected], rtol=1e-5)
        assert after < before


def value_and_slope_together(w=2.0):
    """`jax.value_and_grad` gives the value and the slope from one run.

    A training loop wants both: the loss to print, the slope to move. The list `runs`
    counts how often Python runs the loss.
    """
    runs = []

    def loss(w):
        runs.append("a run")
        return (w - 5) ** 2

    value, slope = jax.value_and_grad(loss)(w)
    runs_together = len(runs)

    loss(w)
    jax.grad(loss)(w)
    runs_apart = len(runs) - runs_together
    return value, slope, runs_together, runs_apart


def check_value_and_slope_come_from_one_run():
    """Together, (w − 5)² and its slope 2(w − 5) take one run; asked for apart, two."""
    for w in (2.0, -1.5):
        value, slope, runs_together, runs_apart = value_and_slope_together(w)
        np.testing.assert_allclose([value, slope], [(w - 5) ** 2, 2 * (w - 5)])
        assert (runs_together, runs_apart) == (1, 2)


def a_loss_can_return_more(w=2.0, x=3.0, y=4.0):
    """With `has_aux=True` a loss may return something besides its value.

    You often want to see what was computed on the way, such as the prediction. Return a
    pair: first the number to differentiate, then what else you want, in a pytree ("aux"
    is short for auxiliary). The second part is handed out as it is. With
    `jax.value_and_grad` it comes beside the value.
    """

    def loss(w):
        prediction = w * x
        return (prediction - y) ** 2, prediction

    slope, prediction = jax.grad(loss, has_aux=True)(w)

    (value, prediction), slope = jax.value_and_grad(loss, has_aux=True)(w)
    return value, prediction, slope


def check_the_prediction_comes_out_too():
    """Beside the value (wx − y)² and the slope 2x(wx − y) comes the prediction wx."""
    for w, x, y in ((2.0, 3.0, 4.0), (-1.0, 0.5, 2.0)):
        found = a_loss_can_return_more(w, x, y)
        gap = w * x - y
        np.testing.assert_allclose(found, [gap**2, w * x, 2 * x * gap], rtol=1e-6)


def the_slope_at_a_kink(x=0.0):
    """Where a curve has a kink, somebody must choose its slope.

    ReLU is max(0, x), written `jnp.maximum(0, x)` or `jax.nn.relu(x)`. Its slope is 0
    on the left and 1 on the right. At the kink calculus has no answer, and the two
    spellings choose differently.

    To draw the slope we need it at 200 points. `jax.vmap` turns a function of one
    number into a function of many. The two single marks are the choices at 0.

    Predict: which two slopes at 0 do they choose?
    """
    import matplotlib.pyplot as plt

    def relu(x):
        return jnp.maximum(0, x)

    with_maximum = jax.grad(relu)(x)
    with_relu = jax.grad(jax.nn.relu)(x)

    points = jnp.linspace(-3, 3, 200)
    slopes = jax.vmap(jax.grad(relu))(points)
    _, axes = plt.subplots()
    axes.plot(points, relu(points), label="ReLU")
    axes.plot(points, slopes, "--", label="its slope")
    axes.plot([x, x], [with_maximum, with_relu], "o", label="choices")
    axes.set(xlabel="x", ylabel="value", title="ReLU and its slope")
    axes.legend()
    return with_maximum, with_relu, axes


def check_slope_of_relu_is_a_step():
    """The slope of ReLU is 0 at 100 points left of zero and 1 at 100 right of it."""
    curve, slope, _ = the_slope_at_a_kink()[2].lines
    x = np.linspace(-3, 3, 200)
    np.testing.assert_allclose(curve.get_ydata(), x * (x > 0), rtol=1e-5)
    np.testing.assert_allclose(slope.get_ydata(), x > 0)


def check_kink_is_a_choice():
    """At 0 `jnp.maximum` has the mean, ½, and `jax.nn.relu` 0; elsewhere they agree."""
    for x, expected in ((0.0, (0.5, 0)), (-1.0, (0, 0)), (2.0, (1, 1))):
        with_maximum, with_relu, axes = the_slope_at_a_kink(x)
        np.testing.assert_allclose((with_maximum, with_relu), expected)
        np.testing.assert_allclose(axes.lines[2].get_ydata(), expected)


def many_outputs_are_refused(numbers=(1.0, 2.0, 3.0)):
    """`jax.grad` wants a result of shape (); else there is `jax.jacobian`.

    With three outputs there are three slopes along each input, and `jax.grad` refuses.
    (It also refuses an array of shape (1,).)
    `jax.jacobian` gives them all as a table: a row for each output, a column for each
    input. Square works on each number alone, so all slopes off the diagonal are 0.
    """
    x = jnp.array(numbers)
    try:
        jax.grad(jnp.square)(x)
    except TypeError as error:
        refused = error

    table = jax.jacobian(jnp.square)(x)
    return refused, table


def check_refused_and_cured_by_the_jacobian():
    """Three outputs are a TypeError; the Jacobian of x² has 2x on its diagonal."""
    for x in ((1.0, 2.0, 3.0), (-4.0, 0.5, 7.0)):
        refused, table = many_outputs_are_refused(x)
        assert type(refused) is TypeError
        assert "scalar-output functions" in str(refused)
        np.testing.assert_allclose(table, 2 * np.diag(x), rtol=1e-6)


def the_sum_is_not_always_a_cure(numbers=(1.0, 2.0, 3.0)):
    """Summing the outputs first gives each one's slope where they are separate.

    `jax.grad` of the sum of the outputs is allowed, for a sum is one number. If each
    output depends on its own input alone, as in the first case, that is the diagonal of
    the Jacobian. If the inputs are mixed, it is the sum of each column, which is
    something else.

    Myth: to get the slope of each output, sum them and take the gradient.
    """
    x = jnp.array(numbers)
    separate = jax.grad(lambda x: jnp.sum(x**2))(x)

    def mixed(x):
        return x * jnp.sum(x)

    of_the_sum = jax.grad(lambda x: jnp.sum(mixed(x)))(x)
    table = jax.jacobian(mixed)(x)
    diagonal = jnp.diag(table)
    return separate, of_the_sum, table, diagonal


def check_the_sum_cures_only_separate_outputs():
    """For x² the sum gives 2x; for x·Σx it gives 2Σx, and the diagonal is x + Σx."""
    for x in ((1.0, 2.0, 3.0), (0.5, -4.0, 2.0)):
        separate, of_the_sum, table, diagonal = the_sum_is_not_always_a_cure(x)
        x, total = np.array(x), np.sum(x)
        np.testing.assert_allclose(separate, 2 * x, rtol=1e-6)
        np.testing.assert_allclose(of_the_sum, [2 * total] * 3, rtol=1e-6)
        np.testing.assert_allclose(diagonal, x + total, rtol=1e-6)
        expected = np.diag([total] * 3) + x[:, None]
        np.testing.assert_allclose(table, expected, rtol=1e-6)


def integers_are_refused(x=3):
    """An integer has no slope: it cannot change by a little.

    So `jax.grad` refuses it. Write 3.0, not 3. (A function whose result is an integer,
    such as a count of mistakes, is refused too.)
    """
    try:
        jax.grad(jnp.square)(x)
    except TypeError as error:
        refused = error

    slope = jax.grad(jnp.square)(float(x))
    return refused, slope


def check_integer_is_refused_and_float_is_not():
    """An integer is a TypeError; the same number as a float has the slope 2x."""
    for x in (3, -7):
        refused, slope = integers_are_refused(x)
        assert type(refused) is TypeError
        assert "real- or complex-valued inputs" in str(refused)
        np.testing.assert_allclose(slope, 2 * x, rtol=1e-6)


def python_may_decide_under_grad(x=9.0):
    """Under `jax.grad` your function may use `if` and `while`.

    The tracer that `jax.grad` sends through your function carries the real number, so
    Python can compare it. (Under `jax.jit` the number is not there yet; a later lesson
    tells what to do.) But the slope belongs to the path that was taken, and this can be
    a wrong one.

    `root` is an old recipe for √x: average a guess g with x / g until g · g is almost
    x. The first guess is x. Below zero it returns 0. The slope of √x is 1 / (2√x).

    Predict: at x = 1 the first guess is right, and the loop does not run. By calculus
    the slope there is ½. What does `jax.grad` find? (For such a function, write a rule
    of your own: the lesson derivatives.)
    """

    def root(x):
        if x < 0:
            return 0.0 * x
        g = x
        while abs(g * g - x) > 1e-6 * x:
            g = (g + x / g) / 2
        return g

    value, slope = jax.value_and_grad(root)(x)
    slope_at_one = jax.grad(root)(1.0)
    return value, slope, slope_at_one


def check_slope_goes_through_if_and_while():
    """The slope is 1 / (2√x) at 9 and 2, 0 below zero; at 1 it is that of g = x: 1."""
    for x, root, slope in ((9.0, 3, 1 / 6), (2.0, 2**0.5, 8**-0.5), (-4.0, 0, 0)):
        found = python_may_decide_under_grad(x)
        np.testing.assert_allclose(found, (root, slope, 1), rtol=1e-5)


def nan_from_the_branch_not_taken(x=0.0):
    """`jnp.where` computes both sides, and the unused one can spoil the slope.

    `root` is √x for x > 0 and 0 elsewhere. Its value at 0 is right. For the slope JAX
    uses the chain rule on both sides: 0 for the side that was not taken, times the
    slope of √x. At 0 that slope is 1/(2·√0), infinite, and 0 times infinity is nan.

    The cure is a second `jnp.where` inside, which gives √ a harmless number.

    Myth: `jnp.where` picks one side, so the other one cannot matter.
    """

    def root(x):
        return jnp.where(x > 0, jnp.sqrt(x), 0.0)

    def safe_root(x):
        harmless = jnp.where(x > 0, x, 1.0)
        return jnp.where(x > 0, jnp.sqrt(harmless), 0.0)

    value = root(x)
    slope = jax.grad(root)(x)
    slope_inside = jax.grad(jnp.sqrt)(x)

    safe_value = safe_root(x)
    safe_slope = jax.grad(safe_root)(x)
    return value, slope, slope_inside, safe_value, safe_slope


def check_double_where_cures_the_nan():
    """At 0 and below the slope is nan, and 0 with the cure; above, both are 1/(2√x)."""
    nan, infinity = np.nan, np.inf
    for x, expected in (
        (0.0, (0, nan, infinity, 0, 0)),
        (-1.0, (0, nan, nan, 0, 0)),
        (4.0, (2, 0.25, 0.25, 2, 0.25)),
    ):
        found = nan_from_the_branch_not_taken(x)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def a_length_of_zero_has_no_slope(x=0.0):
    """Where `jnp.linalg.norm` or `jnp.std` is 0, its gradient is nan.

    By default both are square roots: `norm` is a length, and `std` is the standard
    deviation. Both are common in a loss, and both can become exactly 0. The cure is
    that of the demo above: where the root is not wanted, give it a harmless number.
    (For equal numbers, rounding can leave a `std` just above 0. So the nan may come
    only sometimes.)
    """

    def safe_norm(point):
        squares = jnp.sum(point**2)
        harmless = jnp.where(squares > 0, squares, 1.0)
        return jnp.where(squares > 0, jnp.sqrt(harmless), 0.0)

    point = jnp.array([x, 0.0])
    of_norm = jax.grad(jnp.linalg.norm)(point)
    of_std = jax.grad(jnp.std)(point)
    of_safe_norm = jax.grad(safe_norm)(point)
    return of_norm, of_std, of_safe_norm


def check_lengths_are_nan_at_zero():
    """At (0, 0) length and deviation have the gradient nan, the safe length 0."""
    for x, norm, safe in ((0.0, np.nan, 0), (-1.0, -1, -1), (4.0, 1, 1)):
        of_norm, of_std, of_safe_norm = a_length_of_zero_has_no_slope(x)
        np.testing.assert_allclose(of_norm, [norm, norm * 0], rtol=1e-6)
        np.testing.assert_allclose(of_std, [norm / 2, -norm / 2], rtol=1e-6)
        np.testing.assert_allclose(of_safe_norm, [safe, 0], rtol=1e-6)


def jax_can_stop_at_a_nan():
    """JAX can stop at the first nan and say which operation made it.

    A nan spreads: soon every parameter is nan, and nothing says where it began. The
    setting `jax_debug_nans` makes JAX look at results. `jax.debug_nans(True)` switches
    it on for the lines of a `with`. It costs time, so use it only to search.

    Here it names a multiplication, `mul`: the 0 times infinity that you saw two demos
    ago. The traceback of the error, if you do not catch it, leads to the line in
    `root`. Search without `jax.jit`, for in a compiled function JAX looks only at what
    comes out.
    """

    def root(x):
        return jnp.where(x > 0, jnp.sqrt(x), 0.0)

    silent = jax.grad(root)(0.0)
    try:
        with jax.debug_nans(True):
            jax.grad(root)(0.0)
    except FloatingPointError as error:
        found = error
    return silent, found


def check_the_nan_is_found():
    """By itself the nan is silent; here the error's traceback leads to `root`."""
    import traceback

    silent, found = jax_can_stop_at_a_nan()
    assert np.isnan(silent)
    assert type(found) is FloatingPointError
    assert "nan" in str(found)
    assert "in root" in "".join(traceback.format_exception(found))
