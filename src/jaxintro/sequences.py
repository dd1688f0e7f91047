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
    """Take 300 steps; return the parameters, and two losses of each step."""

    def step(params, _):
        loss_and_gradient = jax.value_and_grad(echo_loss)
        known, gradient = loss_and_gradient(params, x, model, delay)
        new = echo_loss(params, x_new, model, delay)
        params = jax.tree.map(lambda p, g: p - rate * g, params, gradient)
        return params, (known, new)

    return jax.lax.scan(step, params, length=300)


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
    learning rate of 0.3, and `jax.lax.scan` takes 300 of them. (`static_argnames` tells
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
    """Both losses begin above 0.5, and end below 0.01."""
    # Blunt: random weights decide how the losses fall, so only their ends are compared
    for seed in (0, 1):
        known, new, axes = it_learns_the_echo(seed)
        drawn = [line.get_ydata() for line in axes.lines]
        np.testing.assert_array_equal(drawn, [known, new])
        for losses in (known, new):
            assert 0.5 < losses[0] < 2
            assert losses[299] < 0.01


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
    score = jnp.sum(is_right) / is_right.size
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
    is_right = jnp.sign(y[3:]) == xs[:-3]
    score = jnp.sum(is_right) / is_right.size
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


def what_the_output_listens_to(seed=0):
    """The gradient shows which number the output listens to.

    A gradient can be taken along the inputs, too. `last_output` is the output at the
    last step, as a function of the whole sequence. Its slope is large, up or down, for
    a number that changes this output much, and small for one that hardly matters. The
    slopes are different for each sequence, so we take their mean size over the 200
    held-out ones.

    Predict: the last number is number 19. Where is the peak?
    """
    import matplotlib.pyplot as plt

    params, _, _, x_new = trained_network(seed)

    def last_output(xs):
        return listen(params, xs)[-1]

    slopes = jax.vmap(jax.grad(last_output))(x_new)
    sizes = jnp.mean(jnp.abs(slopes), axis=0)
    peak = jnp.argmax(sizes)

    _, axes = plt.subplots()
    axes.plot(sizes, label="last output")
    axes.set(xlabel="number", ylabel="size of slope", title="It listens to")
    return params, x_new, slopes, sizes, peak, axes


def check_it_listens_to_three_steps_ago():
    """The peak is at number 16, three steps before the last."""
    for seed in (0, 1):
        params, x_new, slopes, sizes, peak, axes = what_the_output_listens_to(seed)
        w_h, w_o, w_x = (np.float64(params[name]) for name in ("h", "o", "x"))
        for xs, found in list(zip(np.float64(x_new), slopes, strict=True))[:20]:
            hs = [np.zeros(8)]
            for x in xs:
                hs.append(np.tanh(w_x * x + w_h @ hs[-1]))
            back = (1 - np.tanh(w_o @ hs[-1]) ** 2) * w_o
            expected = []
            for h in reversed(hs[1:]):
                expected.insert(0, back * (1 - h**2) @ w_x)
                back = w_h.T @ (back * (1 - h**2))
            # 1 - tanh² of a number near 1 has lost digits in float32
            np.testing.assert_allclose(found, expected, rtol=5e-4, atol=1e-5)
        np.testing.assert_allclose(sizes, np.mean(np.abs(slopes), axis=0), rtol=1e-5)
        assert peak == np.argmax(sizes) == 16
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), sizes)


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
    """The first step goes below −100,000, and the second gives nan."""
    for w, length in ((1.2, 50), (1.15, 60)):
        gradients, ws = one_step_goes_too_far(w, length)
        first = slope_in_numpy(w, length)
        # w to the power of 49: a float32's rounding, 49 times
        np.testing.assert_allclose(gradients[0], first, rtol=2e-5)
        np.testing.assert_allclose(ws[0], w - 2e-4 * first, rtol=2e-5)
        assert ws[0] < -1e5
        assert np.all(np.isnan([*ws[1:], *gradients[1:]]))


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


def one_query_looks_up(query=(1.0, 0.0), factor=3.0):
    """Attention is a look-up that mixes what fits.

    A dict finds the one entry whose key is equal to what you ask for. *Attention* asks
    with an array, the *query*. Each entry has a key, which is an array too, and a
    value. The product of query and key is the *score* of the entry: it is large where
    both point the same way. `jax.nn.softmax` turns the scores into *weights*: it takes
    e to the power of each score, and divides by their sum. So the weights add up to 1.
    The answer is the mean of the values with these weights.

    Here the first key fits the query, the second has nothing to do with it, and the
    third is its opposite. The answer is close to the value of the first.
    """
    keys = factor * jnp.array([[1, 0], [0, 1.0], [-1, 0]])
    values = jnp.array([10.0, 20.0, 30.0])
    scores = keys @ jnp.array(query)
    weights = jax.nn.softmax(scores)
    answer = weights @ values
    return scores, weights, answer


def check_answer_is_a_weighted_mean():
    """Each weight is e to the power of its score, divided by the sum of all three."""
    for (a, b), factor in (((1.0, 0.0), 3.0), ((0.3, -2.0), 0.7)):
        scores, weights, answer = one_query_looks_up((a, b), factor)
        expected = [factor * a, factor * b, -factor * a]
        np.testing.assert_allclose(scores, expected, rtol=1e-6)
        powers = np.exp(expected)
        np.testing.assert_allclose(weights, powers / sum(powers), rtol=1e-5)
        mean = (10 * powers[0] + 20 * powers[1] + 30 * powers[2]) / sum(powers)
        np.testing.assert_allclose(answer, mean, rtol=1e-5)


def scores_are_scaled(seed=0, few=4, many=400):
    """Longer queries and keys have larger scores, so scores are divided by √d.

    With d random numbers in query and key, a score is a sum of d products. Its typical
    size grows like √d. Large scores are a problem: softmax then gives nearly all the
    weight to one entry. So one divides the scores by √d. We draw 1000 queries and keys,
    first with 4 numbers each and then with 400, and look at the spread of their scores.
    """
    key = jax.random.key(seed)
    pairs = jax.random.normal(key, (2, 1000, many))
    q, k = pairs
    spread_of_few = np.std(jnp.sum(q[:, :few] * k[:, :few], axis=1))
    spread_of_many = np.std(jnp.sum(q * k, axis=1))
    scaled = spread_of_many / many**0.5
    return pairs, spread_of_few, spread_of_many, scaled


def check_spread_is_the_root_of_the_length():
    """The spread is near √4 and √400, and divided by √d it is near 1."""
    for seed, many in ((0, 400), (1, 100)):
        pairs, of_few, of_many, scaled = scores_are_scaled(seed, 4, many)
        q, k = np.float64(pairs)
        for found, d in ((of_few, 4), (of_many, many)):
            expected = np.std([np.dot(a[:d], b[:d]) for a, b in zip(q, k, strict=True)])
            np.testing.assert_allclose(found, expected, rtol=1e-5)
            # the spread of 1000 sums is known to a few per cent
            np.testing.assert_allclose(found, d**0.5, rtol=0.12)
        np.testing.assert_allclose(scaled, of_many / many**0.5, rtol=1e-6)


def init_attention(key, size, inner):
    """Random parameters for queries, keys and values."""
    keys = jax.random.split(key, 3)
    return {
        "k": jax.random.normal(keys[0], (size, inner)) / inner**0.5,
        "q": jax.random.normal(keys[1], (size, inner)) / inner**0.5,
        "v": jax.random.normal(keys[2], (size, size)) / size**0.5,
    }


def attention(params, x, mask=True):
    """Each row of x asks all the rows; a mask may forbid some."""
    q = x @ params["q"]  # [length, inner]
    k = x @ params["k"]  # [length, inner]
    v = x @ params["v"]  # [length, size]
    scores = q @ k.T / jnp.sqrt(q.shape[1])  # [length, length]
    scores = jnp.where(mask, scores, -jnp.inf)
    weights = jax.nn.softmax(scores)
    return weights @ v


def each_place_asks_all(seed=0, length=4):
    """In an attention layer, each place of the sequence asks all places.

    The sequence x has a row of numbers at each place. From each row, three matrices
    make a query, a key and a value. Row i of `scores` holds the scores of query i with
    all keys, and row i of `weights` says how much place i takes from each place: each
    row adds up to 1. There is no loop over the places, and no memory.

    (The argument `mask` will forbid some scores later. `True` forbids none.)
    """
    key_x, key_params = jax.random.split(jax.random.key(seed))
    x = jax.random.normal(key_x, (length, 2))
    params = init_attention(key_params, 2, 3)
    y = attention(params, x)
    return params, x, y


def attention_in_numpy(params, x, allowed):
    """`attention` once more, as plain loops with 64 bits."""
    x = np.float64(x)
    w_q, w_k, w_v = (np.float64(params[name]) for name in "qkv")
    rows = []
    for i in range(len(x)):
        total = 0.0
        row = np.zeros(w_v.shape[1])
        for j in range(len(x)):
            if allowed(i, j):
                score = np.dot(x[i] @ w_q, x[j] @ w_k) / np.sqrt(w_q.shape[1])
                total += np.exp(score)
                row += np.exp(score) * (x[j] @ w_v)
        rows.append(row / total if total else row)
    return np.array(rows)


def everywhere(i, j):
    """Every place may ask every place."""
    return True


def check_layer_is_a_plain_loop():
    """The layer gives what plain loops over queries and keys give."""
    for seed, length in ((0, 4), (1, 7)):
        params, x, y = each_place_asks_all(seed, length)
        expected = attention_in_numpy(params, x, everywhere)
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
        assert y.shape == (length, 2)


def a_batch_of_sequences(seed=0, count=3):
    """The layer is written for one sequence; `jax.vmap` makes it one for a batch.

    With `in_axes=(None, 0)`, all sequences share the parameters. Inside, `k.T` is the
    transpose for one sequence, and it stays right: written for a batch by hand, it
    would have to swap the last two of three axes.
    """
    key_x, key_params = jax.random.split(jax.random.key(seed))
    x = jax.random.normal(key_x, (count, 4, 2))
    params = init_attention(key_params, 2, 3)
    y = jax.vmap(attention, in_axes=(None, 0))(params, x)
    loop = jnp.stack([attention(params, one) for one in x])
    return params, x, y, loop


def check_batch_is_a_loop_over_sequences():
    """The batch gives what a loop over the sequences gives."""
    for seed, count in ((0, 3), (1, 5)):
        params, x, y, loop = a_batch_of_sequences(seed, count)
        expected = [attention_in_numpy(params, one, everywhere) for one in x]
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(loop, expected, rtol=1e-5, atol=1e-6)


def several_heads(seed=0, count=2):
    """Several heads are a second `jax.vmap`, over the parameters.

    A row of weights can look mainly at one kind of place. So layers have several
    *heads*: attention with different parameters, over the same sequence. Here `params`
    holds the matrices of all heads, stacked along a new first axis, as `jax.vmap` of
    `init_attention` makes them from a batch of keys. Now `in_axes` is `(0, None)`: the
    parameters are mapped, and the sequence is shared. At the end, the outputs of the
    heads are put side by side.
    """
    key_x, *keys = jax.random.split(jax.random.key(seed), count + 1)
    x = jax.random.normal(key_x, (4, 2))
    init = partial(init_attention, size=2, inner=3)
    params = jax.vmap(init)(jnp.stack(keys))
    heads = jax.vmap(attention, in_axes=(0, None))(params, x)
    y = jnp.concatenate(heads, axis=1)
    return params, x, heads, y


def check_heads_are_single_layers():
    """Each head is an attention layer of its own, and y holds them side by side."""
    for seed, count in ((0, 2), (1, 3)):
        params, x, heads, y = several_heads(seed, count)
        for n in range(count):
            one = {name: params[name][n] for name in "qkv"}
            expected = attention_in_numpy(one, x, everywhere)
            np.testing.assert_allclose(heads[n], expected, rtol=1e-5, atol=1e-6)
            np.testing.assert_array_equal(y[:, 2 * n : 2 * n + 2], heads[n])
        assert y.shape == (4, 2 * count)


def order_is_not_seen(seed=0, order=(2, 0, 3, 1)):
    """By itself, attention does not know the order of the places.

    A score depends on the two rows only, and not on where they stand. We put the rows
    of x into another order. For a recurrent network this would be a different sequence.

    Predict: what becomes of the output rows?
    """
    key_x, key_params = jax.random.split(jax.random.key(seed))
    x = jax.random.normal(key_x, (4, 2))
    params = init_attention(key_params, 2, 3)
    order = jnp.array(order)
    y = attention(params, x)
    y_reordered = attention(params, x[order])
    difference = jnp.max(jnp.abs(y_reordered - y[order]))
    return params, x, y, y_reordered, difference


def check_output_is_reordered_like_the_input():
    """The same rows come out, in the new order."""
    for seed, order in ((0, (2, 0, 3, 1)), (1, (3, 2, 1, 0))):
        params, x, y, y_reordered, difference = order_is_not_seen(seed, order)
        expected = attention_in_numpy(params, x, everywhere)
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(
            y_reordered, expected[[*order]], rtol=1e-5, atol=1e-6
        )
        assert difference < 1e-6


def causal_mask(seed=0, place=3):
    """A causal mask lets each place see only itself and what came before.

    A network that shall say what comes next must not look at it. `jnp.tril` keeps the
    lower triangle of a table, so `mask[i, j]` is True where j is not after i. In
    `attention`, a forbidden score becomes −∞, and softmax gives it the weight 0, since
    e to the power of −∞ is 0.

    To test it, we change the last row of x, and see by how much the rows of the output
    change.

    Predict: which rows change with the mask, and which without?
    """
    key_x, key_params = jax.random.split(jax.random.key(seed))
    x = jax.random.normal(key_x, (4, 2))
    params = init_attention(key_params, 2, 3)
    mask = jnp.tril(jnp.ones((4, 4), dtype=bool))
    other_x = x.at[place].add(1.0)

    y = attention(params, x, mask)
    other_y = attention(params, other_x, mask)
    change = jnp.max(jnp.abs(other_y - y), axis=1)
    open_y = attention(params, x)
    other_open_y = attention(params, other_x)
    open_change = jnp.max(jnp.abs(other_open_y - open_y), axis=1)
    return params, mask, x, other_x, y, change, open_change


def check_earlier_rows_do_not_change():
    """With the mask no earlier row changes at all; without it, every row does."""
    for seed, place in ((0, 3), (1, 2)):
        params, mask, x, other_x, y, change, open_change = causal_mask(seed, place)
        for i in range(4):
            assert mask[i].tolist() == [j <= i for j in range(4)]
        expected = attention_in_numpy(params, x, lambda i, j: j <= i)
        other = attention_in_numpy(params, other_x, lambda i, j: j <= i)
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
        moved = np.abs(other - expected).max(axis=1)
        np.testing.assert_allclose(change, moved, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(change[:place], 0)
        expected = attention_in_numpy(params, x, everywhere)
        other = attention_in_numpy(params, other_x, everywhere)
        moved = np.abs(other - expected).max(axis=1)
        np.testing.assert_allclose(open_change, moved, rtol=1e-4, atol=1e-6)
        assert np.all(open_change > 1e-3)


def mask_after_softmax_is_too_late(scores=(1.0, 2.0, 5.0), other_last=7.0):
    """A mask belongs before the softmax, not after it.

    One could also compute all the weights, and then multiply the forbidden ones by 0.
    Here are three scores, and the third is forbidden. Then we change the third score.

    Myth: multiplied by 0, the third entry has no influence.
    """
    allowed = jnp.array([True, True, False])
    s = jnp.array(scores)
    other_s = s.at[2].set(other_last)

    before = jax.nn.softmax(jnp.where(allowed, s, -jnp.inf))
    other_before = jax.nn.softmax(jnp.where(allowed, other_s, -jnp.inf))
    after = jax.nn.softmax(s) * allowed
    other_after = jax.nn.softmax(other_s) * allowed
    total = jnp.sum(after)
    return before, other_before, after, other_after, total


def check_only_the_mask_before_has_no_influence():
    """Masked before, the others share the weight 1; after, they depend on the third."""
    for scores, other_last in (((1.0, 2.0, 5.0), 7.0), ((0.3, -1.0, 0.5), 0.0)):
        before, other_before, after, other_after, total = (
            mask_after_softmax_is_too_late(scores, other_last)
        )
        a, b, c = np.exp(scores)
        expected = [a / (a + b), b / (a + b), 0]
        np.testing.assert_allclose(before, expected, rtol=1e-5)
        np.testing.assert_array_equal(other_before, before)
        expected = np.array([a, b, 0])
        np.testing.assert_allclose(after, expected / (a + b + c), rtol=1e-5)
        np.testing.assert_allclose(
            other_after, expected / (a + b + np.exp(other_last)), rtol=1e-5
        )
        np.testing.assert_allclose(total, (a + b) / (a + b + c), rtol=1e-5)


def zeros_are_not_harmless(seed=0, length=2):
    """Sequences of different lengths are padded, and the padding needs a mask.

    An array needs rows of one length. So shorter sequences are *padded*: filled up, for
    instance with zeros. Our sequence has two places, and is padded to four.
    `jnp.arange(4) < length` is True where there is something real. This row is used for
    each query: nobody may ask the padding.

    Myth: padding with zeros needs no mask, since zeros add nothing.
    """
    key_x, key_params = jax.random.split(jax.random.key(seed))
    x = jax.random.normal(key_x, (length, 2))
    params = init_attention(key_params, 2, 3)
    padded = jnp.zeros((4, 2)).at[:length].set(x)
    real = jnp.arange(4) < length

    alone = attention(params, x)
    without_mask = attention(params, padded)[:length]
    with_mask = attention(params, padded, real)[:length]
    return params, x, padded, real, alone, without_mask, with_mask


def check_only_the_mask_undoes_the_padding():
    """With the mask, the padding changes nothing; without it, all weights are wrong."""
    for seed, length in ((0, 2), (1, 3)):
        params, x, padded, real, alone, without, with_mask = zeros_are_not_harmless(
            seed, length
        )
        assert real.tolist() == [n < length for n in range(4)]
        np.testing.assert_array_equal(padded[:length], x)
        np.testing.assert_array_equal(padded[length:], 0)
        expected = attention_in_numpy(params, x, everywhere)
        np.testing.assert_allclose(alone, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(with_mask, expected, rtol=1e-5, atol=1e-6)
        wrong = attention_in_numpy(params, padded, everywhere)[:length]
        np.testing.assert_allclose(without, wrong, rtol=1e-5, atol=1e-6)
        assert np.max(np.abs(wrong - expected)) > 0.01


def batch_of_different_lengths(seed=0, lengths=(2, 4, 3)):
    """With `jax.vmap`, each sequence of a batch gets a mask of its own.

    The mask depends on the length, and each sequence has its own. So `layer` takes the
    length as an argument, and `in_axes=(None, 0, 0)` maps sequences and lengths
    together. Inside, the length is a tracer, so no array may have this length, but a
    mask can depend on it. Both masks are joined by `&`: no place may look ahead, and
    nobody may ask the padding.
    """
    key_x, key_params = jax.random.split(jax.random.key(seed))
    x = jax.random.normal(key_x, (len(lengths), 4, 2))
    params = init_attention(key_params, 2, 3)

    def layer(params, x, length):
        causal = jnp.tril(jnp.ones((4, 4), dtype=bool))
        real = jnp.arange(4) < length
        return attention(params, x, causal & real)

    batched = jax.vmap(layer, in_axes=(None, 0, 0))
    y = batched(params, x, jnp.array(lengths))
    return params, x, y


def check_each_sequence_is_as_if_alone():
    """Up to its length, each sequence gives what it gives alone."""
    for seed, lengths in ((0, (2, 4, 3)), (1, (1, 3))):
        params, x, y = batch_of_different_lengths(seed, lengths)
        for one, found, length in zip(x, y, lengths, strict=True):
            alone = attention_in_numpy(params, one[:length], lambda i, j: j <= i)
            np.testing.assert_allclose(found[:length], alone, rtol=1e-5, atol=1e-6)
            rest = attention_in_numpy(params, one, lambda i, j, n=length: j < n)
            assert np.all(np.isfinite(rest))
            both = attention_in_numpy(
                params, one, lambda i, j, n=length: j <= i and j < n
            )
            np.testing.assert_allclose(found, both, rtol=1e-5, atol=1e-6)


def a_query_with_nothing_to_see(scores=(1.0, 3.0)):
    """If a mask forbids a query everything, softmax has nothing to share out.

    That happens: in a sequence of length 0, or if the padding may ask, but not be
    asked. Then there are three usual ways, and three different results. With −∞ in
    place of each score, softmax divides 0 by 0. Some take a large negative number
    instead. And `jax.nn.softmax` has an argument `where`: it leaves out all entries
    where the mask is False.

    Predict: which of the three give nan?
    """
    s = jnp.array(scores)
    mask = jnp.array([False, False])
    with_infinity = jax.nn.softmax(jnp.where(mask, s, -jnp.inf))
    with_large_number = jax.nn.softmax(jnp.where(mask, s, -1e30))
    with_where = jax.nn.softmax(s, where=mask)
    return with_infinity, with_large_number, with_where


def check_three_ways_give_nan_shares_and_zero():
    """With −∞ the weights are nan, with −10³⁰ all are equal, and with `where` all 0."""
    for scores in ((1.0, 3.0), (-2.0, 0.5)):
        infinity, large, where = a_query_with_nothing_to_see(scores)
        assert np.all(np.isnan(infinity))
        np.testing.assert_allclose(large, [1 / 2, 1 / 2], rtol=1e-6)
        np.testing.assert_array_equal(where, [0, 0])


def safe_attention(params, x, mask):
    """`attention`, but a query that may ask nobody gets zeros."""
    q = x @ params["q"]
    k = x @ params["k"]
    v = x @ params["v"]
    scores = q @ k.T / jnp.sqrt(q.shape[1])
    weights = jax.nn.softmax(scores, where=mask)
    return weights @ v


def padded_loss(layer, params, x, real):
    """A loss of the real rows; the padding may neither ask nor be asked."""
    mask = real[:, None] & real
    y = layer(params, x, mask)
    y = jnp.where(real[:, None], y, 0.0)
    return jnp.sum(y**2)


def nan_spoils_the_gradient(seed=0, length=2):
    """A nan that you throw away still spoils the gradient.

    Here the padding may neither ask nor be asked: `mask[i, j]` is True where both i and
    j are real. With `attention`, the rows of the padding become nan. We do not need
    these rows, so `padded_loss` puts 0 in their place with `jnp.where`, and the loss is
    right. But on the way back to the values, each weight is multiplied by the slope of
    its row, and nan times 0 is nan.

    The cure is not to let nan arise: `safe_attention` uses `where`.

    Predict: will the gradient for `v` have some nan, or nothing but nan?
    """
    key_x, key_params = jax.random.split(jax.random.key(seed))
    x = jax.random.normal(key_x, (4, 2))
    params = init_attention(key_params, 2, 3)
    real = jnp.arange(4) < length

    loss_and_gradient = jax.value_and_grad(padded_loss, argnums=1)
    value, gradient = loss_and_gradient(attention, params, x, real)
    safe_value, safe_gradient = loss_and_gradient(safe_attention, params, x, real)
    return params, x, value, gradient, safe_value, safe_gradient


def check_only_the_safe_gradient_is_right():
    """Both losses are right; the gradient for `v` is all nan, or, safe, the true one."""
    for seed, length in ((0, 2), (1, 3)):
        params, x, value, gradient, safe_value, safe_gradient = nan_spoils_the_gradient(
            seed, length
        )
        real = np.asarray(x)[:length]
        alone = attention_in_numpy(params, real, everywhere)
        np.testing.assert_allclose([value, safe_value], np.sum(alone**2), rtol=1e-5)
        assert np.all(np.isnan(gradient["v"]))
        for name in "qkv":
            slopes = np.zeros(params[name].shape)
            for place in np.ndindex(slopes.shape):
                for nudge in (1e-6, -1e-6):
                    nudged = {n: np.array(params[n], dtype="float64") for n in "qkv"}
                    nudged[name][place] += nudge
                    y = attention_in_numpy(nudged, real, everywhere)
                    slopes[place] += np.sum(y**2) / (2 * nudge)
            # sums of a few products that nearly cancel in float32
            found = safe_gradient[name]
            np.testing.assert_allclose(found, slopes, rtol=1e-4, atol=1e-6)
            if name != "v":
                np.testing.assert_allclose(gradient[name], slopes, rtol=1e-4, atol=1e-6)


def memory_waits_at_the_padding(number=1.0, length=3):
    """A recurrent network needs a mask, too: at the padding its memory must wait.

    `scan` goes on to the end of the array. At the padding, the numbers are 0, but the
    memory still changes at each step: here it fades, as each step halves it. The mask
    goes into the loop as a second sequence. (`jax.lax.scan` takes a pair of arrays, and
    `step` gets a pair of numbers.) Where the mask is False, `jnp.where` keeps the old
    memory.
    """
    real = jnp.arange(6) < length
    xs = jnp.where(real, number, 0.0)

    def step(h, x):
        return 0.5 * h + x, None

    def waiting_step(h, x_and_real):
        x, is_real = x_and_real
        return jnp.where(is_real, 0.5 * h + x, h), None

    alone, _ = jax.lax.scan(step, 0.0, xs[:length])
    faded, _ = jax.lax.scan(step, 0.0, xs)
    waited, _ = jax.lax.scan(waiting_step, 0.0, (xs, real))
    return real, alone, faded, waited


def check_the_memory_waits():
    """With the mask the last memory is as if alone; without it, it fades."""
    for number, length in ((1.0, 3), (-2.0, 4)):
        real, alone, faded, waited = memory_waits_at_the_padding(number, length)
        assert real.tolist() == [n < length for n in range(6)]
        expected = sum(number * 0.5**n for n in range(length))
        np.testing.assert_allclose([alone, waited], expected, rtol=1e-6)
        np.testing.assert_allclose(faded, expected * 0.5 ** (6 - length), rtol=1e-6)


def look_back(params, xs):
    """An attention layer for a sequence of numbers that knows their places."""
    places = jnp.eye(len(xs))
    x = jnp.concatenate([xs[:, None], places], axis=1)
    mask = jnp.tril(jnp.ones(places.shape, dtype=bool))
    return jnp.tanh(attention(params, x, mask)[:, 0])


def a_long_way_back(seed=0):
    """Attention learns an echo from far away, where the recurrent network guesses.

    Back to the echo, but now of fifteen steps ago. The recurrent network gets twenty
    cells. On the way back, its gradient has to go through fifteen steps. In an
    attention layer, every place can ask every earlier one directly.

    Attention does not see the order, so `look_back` adds it: to each number it appends
    a row of the identity matrix, with a 1 that marks the place. Both networks get the
    same sequences and the same 300 steps, and are judged by the 200 held-out sequences.
    (The learning rates are those that we found to work well.)

    Attention has its price: its table of scores grows with the square of the length.
    And this `look_back` knows twenty places only. It cannot listen longer.
    """
    keys = jax.random.split(jax.random.key(seed), 4)
    x = jax.random.rademacher(keys[0], (64, 20), "float32")
    x_new = jax.random.rademacher(keys[1], (200, 20), "float32")

    def score(model, params):
        y = jax.vmap(model, in_axes=(None, 0))(params, x_new)
        is_right = jnp.sign(y[:, 15:]) == x_new[:, :-15]
        return jnp.sum(is_right) / is_right.size

    recurrent = init_params(keys[2], 20)
    recurrent, _ = train(recurrent, x, x_new, listen, 15, 0.3)
    recurrent_score = score(listen, recurrent)
    looking = init_attention(keys[3], 21, 8)
    looking, _ = train(looking, x, x_new, look_back, 15, 3.0)
    looking_score = score(look_back, looking)
    return x_new, recurrent, recurrent_score, looking, looking_score


def check_attention_learns_what_the_other_guesses():
    """Attention is right for over 99 % of the new steps, the other for under 70 %."""
    # Blunt: a score counts signs; one of 1000 may be a close call in 32 bits
    for seed in (0, 1):
        x_new, recurrent, of_recurrent, looking, of_looking = a_long_way_back(seed)
        right, right_looking = 0, 0
        for xs in np.float64(x_new):
            y = listen_in_numpy(recurrent, xs)
            right += sum(y[n] * xs[n - 15] > 0 for n in range(15, 20))
            x = np.hstack([xs[:, None], np.eye(20)])
            y = attention_in_numpy(looking, x, lambda i, j: j <= i)[:, 0]
            right_looking += sum(y[n] * xs[n - 15] > 0 for n in range(15, 20))
        np.testing.assert_allclose(of_recurrent, right / 1000, atol=1.1e-3)
        np.testing.assert_allclose(of_looking, right_looking / 1000, atol=1.1e-3)
        assert of_looking > 0.99
        assert 0.3 < of_recurrent < 0.7


def attention_is_built_in(seed=0, heads=2):
    """JAX has attention built in: `jax.nn.dot_product_attention`.

    It takes the queries, keys and values of all heads, with the shape [length, heads,
    numbers], and divides the scores by √d as we did. `is_causal=True` is the causal
    mask. Its argument `mask` takes masks of your own. On some GPUs it can use faster
    programs for this.

    Where to go from here: libraries such as Flax have ready-made layers for recurrent
    networks and attention, and Optax has `optax.clip_by_global_norm`, which is our
    `clip`.
    """
    pairs = jax.random.normal(jax.random.key(seed), (3, 4, heads, 5))
    q, k, v = pairs
    y = jax.nn.dot_product_attention(q, k, v, is_causal=True)

    def head(q, k, v):
        mask = jnp.tril(jnp.ones((4, 4), dtype=bool))
        scores = q @ k.T / jnp.sqrt(q.shape[1])
        return jax.nn.softmax(scores, where=mask) @ v

    ours = jax.vmap(head, in_axes=1, out_axes=1)(q, k, v)
    return pairs, y, ours


def check_built_in_attention_is_a_plain_loop():
    """The built-in function and ours both give what plain loops give."""
    for seed, heads in ((0, 2), (1, 3)):
        pairs, y, ours = attention_is_built_in(seed, heads)
        q, k, v = np.float64(pairs)
        for n in range(heads):
            for i in range(4):
                powers = [np.exp(q[i, n] @ k[j, n] / 5**0.5) for j in range(i + 1)]
                total = sum(powers[j] * v[j, n] for j in range(i + 1))
                expected = total / sum(powers)
                np.testing.assert_allclose(y[i, n], expected, rtol=1e-5, atol=1e-6)
                np.testing.assert_allclose(ours[i, n], expected, rtol=1e-5, atol=1e-6)
