"""Sequences: networks with a memory, attention, and masks.

In a sequence the order counts, and what matters now may have come long ago. A recurrent
network carries a memory from step to step, and `scan` is its loop. You will train one on
a task that nobody can do without a memory. Then you will see what becomes of a gradient
on its way back through many steps, and what keeps it in bounds. Last comes attention,
which has no memory and looks at all places at once, and the masks that it needs. Read
first: pure_functions, grad, vmap and neural_network.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

ORDER = 160


def listen(params, xs):
    """The outputs of a recurrent network for one sequence."""

    def step(h, x):
        h = jnp.tanh(params["x"] * x + params["h"] @ h)
        return h, h

    start = jnp.zeros(len(params["x"]))
    hs = jax.lax.scan(step, start, xs)[1]
    return jnp.tanh(hs @ params["o"])


def echo_built_by_hand(xs=(1.0, -1.0, -1.0, 1.0, 1.0, 1.0, -1.0)):
    """A network can remember: each cell hands its number on to the next.

    A *recurrent network* reads a sequence one number after the other, and keeps a
    memory h. Here h has four numbers, which we call *cells*. At each step, the weights
    `params["x"]` put the new number into the first cell, and `params["h"]` moves the
    content of each cell to the next. The function tanh keeps all of them between −1
    and 1. `params["o"]` makes the output: it reads the last cell.

    The loop is `jax.lax.scan(step, start, xs)`. It calls `step(h, x)` for each x in
    `xs`. `step` returns two things: the new h for the next call, and what is to be
    collected. We collect all memories in `hs`: its rows are the steps, its columns the
    cells. Follow the first 0.964 through the rows.

    Predict: after how many steps does the first number come out?
    """
    xs = jnp.array(xs)
    params = {
        "h": 2 * jnp.eye(4, k=-1),
        "o": jnp.array([0, 0, 0, 2.0]),
        "x": jnp.array([2.0, 0, 0, 0]),
    }
    y = listen(params, xs)
    return y


def check_first_number_comes_out_three_steps_later():
    """Each number comes out three steps later, a little smaller; first come three 0s."""
    one = 1.0
    for _ in range(5):
        one = np.tanh(2 * one)
    for xs in ((1.0, -1.0, -1.0, 1.0, 1.0, 1.0, -1.0), (-1.0, 1.0, 1.0, 1.0, -1.0)):
        y = echo_built_by_hand(xs)
        expected = [0, 0, 0, *(x * one for x in xs[:-3])]
        np.testing.assert_allclose(y, expected, rtol=1e-6)


def one_input_tells_nothing(seed=0):
    """Who hears only the present number can only guess.

    This is our task: we hear numbers that are +1 or −1 by chance, and at each step we
    say the number of three steps ago. Let us call it the *echo*. (At the first three
    steps there is nothing to say.) `jax.random.rademacher(key, shape, dtype)` draws
    such numbers. Each row of x is a sequence.

    Suppose you knew only the present number. Then you could repeat it, say its
    opposite, always say +1, or always say −1. There is no fifth way without chance. We
    count how often each of them is right.

    Predict: how often is the best of the four right?
    """
    key = jax.random.key(seed)
    x = jax.random.rademacher(key, (500, 20), "float32")
    now = x[:, 3:]
    wanted = x[:, :-3]
    repeat = np.mean(now == wanted)
    opposite = np.mean(-now == wanted)
    plus = np.mean(wanted == 1)
    minus = np.mean(wanted == -1)
    return x, repeat, opposite, plus, minus


def check_all_four_are_right_half_the_time():
    """Each of the four is right for about half of the 8,500 answers."""
    for seed in (0, 1):
        x, repeat, opposite, plus, minus = one_input_tells_nothing(seed)
        same = above = 0
        for row in x.tolist():
            assert set(row) <= {1.0, -1.0}
            same += sum(row[n] == row[n - 3] for n in range(3, 20))
            above += sum(row[n - 3] == 1 for n in range(3, 20))
        np.testing.assert_allclose([repeat, plus], [same / 8500, above / 8500])
        np.testing.assert_allclose([repeat + opposite, plus + minus], 1)
        # the share of n tosses is known to about 0.5 / √n
        assert np.all(np.abs(np.array([repeat, plus]) - 0.5) < 2.5 / np.sqrt(8500))


def init_params(key, cells):
    """Random parameters, for a memory with so many cells."""
    key_h, key_o, key_x = jax.random.split(key, 3)
    return {
        "h": jax.random.normal(key_h, (cells, cells)) / cells**0.5,
        "o": jax.random.normal(key_o, (cells,)) / cells**0.5,
        "x": jax.random.normal(key_x, (cells,)),
    }


def echo_loss(params, x, model, delay):
    """How far the outputs are from the numbers of `delay` steps ago."""
    y = jax.vmap(model, in_axes=(None, 0))(params, x)
    error = y[:, delay:] - x[:, :-delay]
    return jnp.mean(error**2)


def loss_of_many_sequences(seed=1, count=5, cells=3):
    """`listen` is for one sequence; with `jax.vmap` it takes a batch.

    `jax.vmap` makes a function for many sequences of `listen`: `in_axes=(None, 0)` says
    that all of them use the same parameters, and that each row of x is a sequence. The
    loss compares each output with the number of three steps ago. (`model` will be
    another network later.)

    The parameters are random now, and the network has learned nothing. For comparison,
    `silent` is a network that always says 0.

    Predict: what is the loss of the silent network?
    """
    key_x, key_params = jax.random.split(jax.random.key(seed))
    x = jax.random.rademacher(key_x, (count, 8), "float32")
    params = init_params(key_params, cells)
    value = echo_loss(params, x, listen, 3)

    silent = params | {"o": jnp.zeros(cells)}
    value_of_silence = echo_loss(silent, x, listen, 3)
    return params, x, value, value_of_silence


def listen_in_numpy(params, xs):
    """`listen` once more, as a plain loop in NumPy with 64 bits."""
    h = np.zeros(len(params["x"]))
    hs = []
    for x in xs:
        h = np.tanh(np.float64(params["x"]) * x + np.float64(params["h"]) @ h)
        hs.append(h)
    return np.tanh(np.array(hs) @ np.float64(params["o"]))


def check_loss_is_that_of_a_plain_loop():
    """The loss is that of a plain loop over sequences and steps; silence has 1."""
    for seed, count, cells in ((1, 5, 3), (2, 7, 2)):
        params, x, value, of_silence = loss_of_many_sequences(seed, count, cells)
        squares = []
        for row in np.float64(x):
            y = listen_in_numpy(params, row)
            squares += [(y[n] - row[n - 3]) ** 2 for n in range(3, len(row))]
        assert len(squares) == 5 * count
        np.testing.assert_allclose(value, np.mean(squares), rtol=1e-5)
        np.testing.assert_allclose(of_silence, 1, rtol=1e-6)


def gradient_goes_back_through_time(seed=1, length=8):
    """`jax.grad` goes back through all the steps of a `scan`.

    The same weights work at each step, so a weight changes the loss in many ways: by
    the last step, by the step before, and so on. The gradient adds them all up. With
    pencil and paper you would go back from the last step to the first; this is called
    *backpropagation through time*. `jax.grad` does it for you, and the gradient has the
    form of the parameters.
    """
    key_x, key_params = jax.random.split(jax.random.key(seed))
    x = jax.random.rademacher(key_x, (5, length), "float32")
    params = init_params(key_params, 3)
    gradient = jax.grad(echo_loss)(params, x, listen, 3)
    return params, x, gradient


def check_gradient_is_that_of_going_back_by_hand():
    """The gradient is that of going back step by step, written out in NumPy."""
    for seed, length in ((1, 8), (2, 12)):
        params, x, gradient = gradient_goes_back_through_time(seed, length)
        w_h, w_o, w_x = (np.float64(params[name]) for name in ("h", "o", "x"))
        slope_h, slope_o, slope_x = 0, 0, 0
        for row in np.float64(x):
            hs = [np.zeros(3)]
            for number in row:
                hs.append(np.tanh(w_x * number + w_h @ hs[-1]))
            back = np.zeros(3)
            for n in reversed(range(length)):
                y = np.tanh(hs[n + 1] @ w_o)
                error = 2 * (y - row[n - 3]) / (5 * (length - 3)) if n >= 3 else 0
                slope_o = slope_o + error * (1 - y**2) * hs[n + 1]
                back = (back + error * (1 - y**2) * w_o) * (1 - hs[n + 1] ** 2)
                slope_x = slope_x + back * row[n]
                slope_h = slope_h + np.outer(back, hs[n])
                back = w_h.T @ back
        for name, by_hand in (("h", slope_h), ("o", slope_o), ("x", slope_x)):
            np.testing.assert_allclose(gradient[name], by_hand, rtol=1e-4, atol=1e-6)


@partial(jax.jit, static_argnames=("model", "delay"))
def train(params, x, x_new, model, delay, rate):
    """Take 500 steps; return the parameters, and two losses of each step."""

    def step(params, _):
        loss_and_gradient = jax.value_and_grad(echo_loss)
        known, gradient = loss_and_gradient(params, x, model, delay)
        new = echo_loss(params, x_new, model, delay)
        params = jax.tree.map(lambda p, g: p - rate * g, params, gradient)
        return params, (known, new)

    return jax.lax.scan(step, params, length=500)


def trained_network(seed):
    """A network with eight cells, trained with 64 sequences."""
    keys = jax.random.split(jax.random.key(seed), 3)
    x = jax.random.rademacher(keys[0], (64, 20), "float32")
    x_new = jax.random.rademacher(keys[1], (200, 20), "float32")
    params = init_params(keys[2], 8)
    params, losses = train(params, x, x_new, listen, 3, 0.3)
    return params, losses, x, x_new


def it_learns_the_echo(seed=0):
    """From random weights, the network learns to say the echo.

    The training is that of neural_network: a step goes against the gradient, with a
    learning rate of 0.3, and `jax.lax.scan` takes 500 of them. (`static_argnames` tells
    `jax.jit` that `model` and `delay` are fixed while it compiles.) 64 sequences are
    for training. From 200 others nothing is learned: these are *held out*, and we note
    their loss as well.

    Remember that the silent network has a loss of 1. The vertical axis has powers of
    ten.
    """
    import matplotlib.pyplot as plt

    _, (known, new), _, _ = trained_network(seed)

    _, axes = plt.subplots()
    axes.semilogy(known, label="training")
    axes.semilogy(new, label="held out")
    axes.set(xlabel="step", ylabel="loss", title="Learning the echo")
    axes.legend()
    return known, new, axes


def check_both_losses_fall_together():
    """Both losses begin near 1 and end below 0.01."""
    # Blunt: random weights decide how the losses fall, so only their ends are compared
    for seed in (0, 1):
        known, new, axes = it_learns_the_echo(seed)
        drawn = [line.get_ydata() for line in axes.lines]
        np.testing.assert_array_equal(drawn, [known, new])
        for losses in (known, new):
            assert 0.8 < losses[0] < 2
            assert losses[499] < 0.01


def honest_score(seed=0):
    """What counts is the score on sequences that it has never heard.

    We let the trained network listen to the held-out sequences. A step counts as right
    if the output has the sign of the number of three steps ago. The score is the share
    of the steps that are right; whoever guesses has about 0.5.

    `signs` shows one of the sequences: what was heard and, below, what was said. The
    first three signs mean nothing. From there on, the lower line repeats the upper one.

    Predict: we count how many sequences are in both parts. How many will it be?
    """
    params, _, x, x_new = trained_network(seed)
    in_both = set(map(bytes, x)) & set(map(bytes, x_new))
    y = jax.vmap(listen, in_axes=(None, 0))(params, x_new)

    def signs(numbers):
        print("".join("+" if n > 0 else "-" for n in numbers))

    signs(x_new[0])
    signs(y[0])
    is_right = jnp.sign(y[:, 3:]) == x_new[:, :-3]
    score = np.mean(is_right)
    return params, x, x_new, in_both, y, score


def check_new_sequences_are_echoed():
    """No sequence is in both parts, and over 99 % of the held-out steps are right."""
    for seed in (0, 1):
        params, x, x_new, in_both, y, score = honest_score(seed)
        known = set(map(tuple, x.tolist()))
        assert in_both == set()
        assert not known & set(map(tuple, x_new.tolist()))
        right = 0
        for row, said in zip(np.float64(x_new), y, strict=True):
            expected = listen_in_numpy(params, row)
            np.testing.assert_allclose(said, expected, rtol=1e-4, atol=1e-4)
            right += sum(expected[n] * row[n - 3] > 0 for n in range(3, 20))
        np.testing.assert_allclose(score, right / (200 * 17), rtol=1e-6)
        assert score > 0.99


def it_can_listen_longer(seed=0, length=500):
    """It was trained on 20 numbers, and it can listen to 500.

    The step is the same everywhere, and the parameters do not depend on the length. So
    the trained network takes sequences of any length. This one is 25 times as long as
    those of the training.

    Predict: does it lose the thread?
    """
    params = trained_network(seed)[0]
    key = jax.random.key(seed + 100)
    xs = jax.random.rademacher(key, (length,), "float32")
    y = listen(params, xs)
    score = np.mean(jnp.sign(y[3:]) == xs[:-3])
    return params, xs, y, score


def check_the_long_sequence_is_echoed():
    """Over 99 % of the steps of the long sequence are right."""
    for seed, length in ((0, 500), (1, 300)):
        params, xs, y, score = it_can_listen_longer(seed, length)
        expected = listen_in_numpy(params, np.float64(xs))
        np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
        right = [expected[n] * xs[n - 3] > 0 for n in range(3, length)]
        np.testing.assert_allclose(score, np.mean(right), rtol=1e-6)
        assert score > 0.99


def what_the_output_listens_to(seed=0, which=0):
    """The gradient shows which number the output listens to.

    A gradient can be taken along the inputs, too. `last_output` is the output at the
    last step, as a function of the whole sequence. Its slope is large for a number that
    changes this output much, and small for one that hardly matters.

    Predict: of the 20 slopes, which one is the largest?
    """
    params, _, _, x_new = trained_network(seed)

    def last_output(xs):
        return listen(params, xs)[-1]

    xs = x_new[which]
    slopes = jax.grad(last_output)(xs)
    strongest = jnp.argmax(jnp.abs(slopes))
    return params, xs, slopes, strongest


def check_it_listens_to_three_steps_ago():
    """The largest slope is that of number 16, three steps before the last."""
    for seed, which in ((0, 0), (1, 3)):
        params, xs, slopes, strongest = what_the_output_listens_to(seed, which)
        w_h, w_o, w_x = (np.float64(params[name]) for name in ("h", "o", "x"))
        h, hs = np.zeros(8), []
        for x in np.float64(xs):
            h = np.tanh(w_x * x + w_h @ h)
            hs.append(h)
        back = (1 - np.tanh(w_o @ h) ** 2) * w_o
        expected = []
        for h in reversed(hs):
            back = back * (1 - h**2)
            expected.append(back @ w_x)
            back = w_h.T @ back
        # 1 - tanh² of a number near 1 has lost digits in float32
        np.testing.assert_allclose(slopes, expected[::-1], rtol=5e-4, atol=1e-6)
        assert strongest == 16


def remember(w, xs):
    """Each step multiplies the memory by w, and adds a number."""

    def step(h, x):
        h = w * h + x
        return h, h

    return jax.lax.scan(step, 0.0, xs)[0]


def each_step_multiplies_the_slope(w=0.5, length=6):
    """On its way back, a gradient is multiplied at each step.

    To see how a gradient goes back through time, we take the smallest memory there is:
    one number, without tanh. Each step multiplies it by w and adds a number. The last
    memory is then a sum, in which the number of n steps ago has the factor wⁿ. So wⁿ is
    its slope.

    Predict: w is 0.5. What is the slope for the first of six numbers?
    """
    xs = jnp.ones(length)
    last = remember(w, xs)
    slopes = jax.grad(remember, argnums=1)(w, xs)
    return last, slopes


def check_slope_is_a_power_of_w():
    """The slope for the number of n steps ago is wⁿ."""
    for w, length in ((0.5, 6), (3.0, 4), (-1.5, 9)):
        last, slopes = each_step_multiplies_the_slope(w, length)
        expected = [w**n for n in reversed(range(length))]
        np.testing.assert_allclose(slopes, expected, rtol=1e-6)
        np.testing.assert_allclose(last, sum(expected), rtol=1e-6)


def slopes_shrink_or_grow(factors=(0.9, 1.0, 1.1), length=100):
    """A slope shrinks or grows with each step that it goes back.

    With many steps, the powers of w become very small or very large, even if w is close
    to 1. Here are three factors w and a hundred steps. `jax.vmap` takes the slopes for
    all of them. On a vertical axis with powers of ten, the powers of w are a straight
    line. One speaks of *vanishing* and *exploding* gradients.

    Predict: 0.9 and 1.1 are both 0.1 away from 1. How many times is a slope smaller or
    larger after 99 steps: ten times, a hundred times, or more?
    """
    import matplotlib.pyplot as plt

    xs = jnp.zeros(length)
    slope = jax.grad(remember, argnums=1)
    slopes = jax.vmap(slope, in_axes=(0, None))(jnp.array(factors), xs)
    of_first = slopes[:, 0]

    _, axes = plt.subplots()
    for w, row in zip(factors, slopes, strict=True):
        axes.semilogy(row[::-1], label=f"w = {w}")
    axes.set(xlabel="steps back", ylabel="slope", title="Through time")
    axes.legend()
    return slopes, of_first, axes


def check_lines_are_powers():
    """The three lines are the powers 0.9ⁿ, 1ⁿ and 1.1ⁿ."""
    for factors, length in (((0.9, 1.0, 1.1), 100), ((0.5, 2.0), 30)):
        slopes, of_first, axes = slopes_shrink_or_grow(factors, length)
        w = np.float64(np.float32(factors))
        expected = w[:, None] ** np.arange(length)
        np.testing.assert_allclose(slopes, expected[:, ::-1], rtol=1e-5)
        np.testing.assert_allclose(of_first, expected[:, -1], rtol=1e-5)
        drawn = [line.get_ydata() for line in axes.lines]
        np.testing.assert_array_equal(drawn, np.asarray(slopes)[:, ::-1])


def tanh_changes_the_factor(w=2.0, start=0.5, length=20):
    """With tanh, the factor of a step depends on the memory.

    The slope of tanh(w·h) is w·(1 − tanh²(w·h)). Where h is close to 0, it is about w.
    But where tanh comes close to 1, its curve is flat, and the factor becomes small.

    Myth: if w is larger than 1, the slopes explode.
    """

    def linear(h):
        for _ in range(length):
            h = w * h
        return h

    def with_tanh(h):
        for _ in range(length):
            h = jnp.tanh(w * h)
        return h

    slope_linear = jax.grad(linear)(start)
    slope_with_tanh = jax.grad(with_tanh)(start)
    slope_at_zero = jax.grad(with_tanh)(0.0)
    return slope_linear, slope_with_tanh, slope_at_zero


def check_tanh_slope_is_a_product_of_factors():
    """The slope with tanh is the product of w·(1 − h²); from 0, it is that without."""
    for w, start, length in ((2.0, 0.5, 20), (1.5, -0.2, 10)):
        linear, with_tanh, at_zero = tanh_changes_the_factor(w, start, length)
        h, product = start, 1.0
        for _ in range(length):
            h = np.tanh(w * h)
            product *= w * (1 - h**2)
        np.testing.assert_allclose(linear, w**length, rtol=1e-6)
        np.testing.assert_allclose(at_zero, w**length, rtol=1e-6)
        # 1 - h² with h near 1 loses a digit in float32, at each of the steps
        np.testing.assert_allclose(with_tanh, product, rtol=1e-4)
        assert with_tanh < 0.1 < 10 < linear


def forgotten(w, xs):
    """How far the last memory is from 1, squared."""
    return (remember(w, xs) - 1) ** 2


@jax.jit
def fit(w, xs, rate):
    """Take 1000 steps against the slope, and return w."""

    def step(w, _):
        return w - rate * jax.grad(forgotten)(w, xs), None

    return jax.lax.scan(step, w, length=1000)[0]


def too_long_to_learn(w=0.5, few=5, many=50):
    """With a vanished gradient, nothing is learned.

    Let us teach the smallest memory to remember. It hears a 1 and then only zeros, and
    at the end its memory shall still be 1. (So w should become 1: then nothing is
    forgotten.) We begin at w = 0.5. One sequence has 5 numbers, the other has 50.

    Predict: where does w end in the two cases?
    """
    short = jnp.zeros(few).at[0].set(1)
    long = jnp.zeros(many).at[0].set(1)
    slope_short = jax.grad(forgotten)(w, short)
    slope_long = jax.grad(forgotten)(w, long)
    learned_short = fit(w, short, 0.01)
    learned_long = fit(w, long, 0.01)
    return slope_short, slope_long, learned_short, learned_long


def slope_in_numpy(w, length):
    """The slope of (wⁿ − 1)², with n = length − 1, by a rule of calculus."""
    n = length - 1
    return 2 * (w**n - 1) * n * w ** (n - 1)


def check_only_the_short_one_is_learned():
    """The slopes are 2 (wⁿ − 1) n wⁿ⁻¹, and only with few steps does w become 1."""
    for w, few, many in ((0.5, 5, 50), (0.4, 4, 60)):
        slope_short, slope_long, short, long = too_long_to_learn(w, few, many)
        np.testing.assert_allclose(slope_short, slope_in_numpy(w, few), rtol=1e-5)
        np.testing.assert_allclose(slope_long, slope_in_numpy(w, many), rtol=1e-5)
        np.testing.assert_allclose(short, 1, rtol=1e-5)
        np.testing.assert_allclose(long, w, rtol=1e-6)


def one_step_goes_too_far(w=1.2, length=50, rate=2e-4):
    """With an exploding gradient, one step can ruin everything.

    Now we begin at w = 1.2, only a little above 1. There are 50 numbers, and the
    learning rate is small. Look at the gradient of the first step, and at the w that
    comes next. With this w the memory is too large for a float32, and becomes infinite.

    Predict: how many steps does it take until w is no number (nan)?
    """
    xs = jnp.zeros(length).at[0].set(1)
    slope = jax.jit(jax.grad(forgotten))
    ws = []
    gradients = []
    for _ in range(3):
        gradient = slope(w, xs)
        w = w - rate * gradient
        gradients.append(gradient)
        ws.append(w)
    return gradients, ws


def check_the_second_step_gives_nan():
    """The first step goes to −10⁶, and the second gives nan."""
    for w, length in ((1.2, 50), (1.3, 40)):
        gradients, ws = one_step_goes_too_far(w, length)
        first = slope_in_numpy(w, length)
        # w to the power of 49: a float32's rounding, 49 times
        np.testing.assert_allclose(gradients[0], first, rtol=2e-5)
        np.testing.assert_allclose(ws[0], w - 2e-4 * first, rtol=2e-5)
        assert -1e8 < ws[0] < -1e6
        assert np.all(np.isnan([ws[1], ws[2], gradients[2]]))
        assert not np.isfinite(gradients[1])


def clip(gradient, limit):
    """Shorten a gradient to the limit, if it is longer."""
    squares = jax.tree.map(lambda g: jnp.sum(g**2), gradient)
    length = jnp.sqrt(sum(jax.tree.leaves(squares)))
    factor = jnp.minimum(1, limit / length)
    return jax.tree.map(lambda g: factor * g, gradient)


def clipping_keeps_the_direction(gradient=(30.0, 0.4), limit=1.0):
    """Clipping shortens a gradient that is too long, and keeps its direction.

    The cure is to limit the length of the gradient: the root of the sum of all squares,
    over all parameters together. `clip` multiplies all slopes by one factor, so that
    the length is the limit. A shorter gradient stays as it is. `jax.tree.map` and
    `jax.tree.leaves` go through a gradient with several arrays.

    `jnp.clip` limits each number by itself. Compare the ratios: a point on the old line
    has y/x = 0.0133. The clipped gradient still points there. The other one does not.
    """
    x, y = gradient
    gradient = {"x": jnp.array(x), "y": jnp.array(y)}
    clipped = clip(gradient, limit)
    ratio = clipped["y"] / clipped["x"]
    unchanged = clip(clipped, 2 * limit)

    one_by_one = jax.tree.map(lambda g: jnp.clip(g, -limit, limit), gradient)
    other_ratio = one_by_one["y"] / one_by_one["x"]
    return clipped, ratio, unchanged, one_by_one, other_ratio


def check_clipped_gradient_has_the_limit_as_length():
    """The clipped gradient has the limit as its length, and the old ratio y/x."""
    for (x, y), limit in (((30.0, 0.4), 1.0), ((-3.0, 4.0), 2.0)):
        clipped, ratio, unchanged, one_by_one, other = clipping_keeps_the_direction(
            (x, y), limit
        )
        factor = limit / np.hypot(x, y)
        for name, number in (("x", x), ("y", y)):
            np.testing.assert_allclose(clipped[name], factor * number, rtol=1e-6)
            np.testing.assert_allclose(unchanged[name], factor * number, rtol=1e-6)
            cut = max(-limit, min(limit, number))
            np.testing.assert_allclose(one_by_one[name], cut, rtol=1e-6)
        np.testing.assert_allclose(ratio, y / x, rtol=1e-6)
        cut = [max(-limit, min(limit, number)) for number in (x, y)]
        np.testing.assert_allclose(other, cut[1] / cut[0], rtol=1e-6)


def clipping_saves_the_training(w=1.2, length=50, limit=10.0, rate=2e-4):
    """With a limit for its gradient, the same training succeeds.

    We repeat the training that ended with nan, and clip the gradient to a length of at
    most 10. With our rate, a step is then at most 0.002 long. The first hundred steps
    are all cut to that length: the line is straight. Then w is close to 1, the gradient
    is shorter than the limit, and nothing is cut any more.

    Clipping makes nothing longer. So it is no help against a vanished gradient.
    """
    import matplotlib.pyplot as plt

    xs = jnp.zeros(length).at[0].set(1)

    @jax.jit
    def step(w, _):
        gradient = jax.grad(forgotten)(w, xs)
        w = w - rate * clip(gradient, limit)
        return w, w

    learned, ws = jax.lax.scan(step, w, length=200)

    _, axes = plt.subplots()
    axes.plot(ws, label="w")
    axes.set(xlabel="step", ylabel="w", title="Clipped")
    return learned, ws, axes


def check_clipped_training_finds_one():
    """Clipped, w falls by 0.002 at each step, until it has found 1."""
    for w, length in ((1.2, 50), (1.15, 60)):
        learned, ws, axes = clipping_saves_the_training(w, length)
        np.testing.assert_allclose(ws[:60], w - 0.002 * np.arange(1, 61), rtol=1e-5)
        np.testing.assert_allclose(learned, 1, rtol=1e-5)
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), ws)
        assert ws[199] == learned
        # where the cut ends, float32 and float64 may be a digit apart
        expected = []
        for _ in range(200):
            w -= 2e-4 * max(-10, min(10, slope_in_numpy(w, length)))
            expected.append(w)
        np.testing.assert_allclose(ws, expected, rtol=1e-4)
