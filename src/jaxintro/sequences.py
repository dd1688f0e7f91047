"""Sequences: networks with a memory, attention, and masks.

In a sequence the order counts, and what matters now may have come long ago. A recurrent
network carries a memory from step to step, and `scan` is its loop. You will train one
on a task where the present number is of no help. Then you will see what becomes of a
gradient on its way back through many steps, and what keeps it in bounds. Last comes
attention, which has no memory and looks at all places at once, and the masks that it
needs. Read first: grad, vmap, jit, control_flow and neural_network.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

ORDER = 160

FOUR_PLACES = ((0.6, -1.2), (1.1, 0.3), (-0.8, 0.9), (-0.4, -0.5))
SIGNS = ((1.0, -1.0, -1.0, 1.0, 1.0, 1.0), (1.0, 1.0, -1.0, 1.0, -1.0, -1.0))


def listen(params, xs):
    """The outputs of a recurrent network for one sequence."""

    def step(h, x):
        h = jnp.tanh(params["x"] * x + params["h"] @ h)
        return h, h

    start = jnp.zeros(len(params["x"]))
    hs = jax.lax.scan(step, start, xs)[1]
    return jnp.tanh(hs @ params["o"])


def handmade(w):
    """Parameters that hand the numbers on from cell to cell."""
    first = jnp.array([w, 0, 0, 0])
    last = jnp.array([0, 0, 0, w])
    shift = jnp.array(w * np.eye(4, k=-1))
    params = {"h": shift, "o": last, "x": first}
    return params


def echo_built_by_hand(w=2.0, xs=(1.0, -1.0, -1.0, 1.0, 1.0, 1.0, -1.0)):
    """A network can remember: each cell hands its number on to the next.

    A *recurrent network* (an RNN) reads a sequence one number after the other, and
    keeps a memory h, its *hidden state*. Here h has four numbers, which we call
    *cells*. In this network, which is made by hand, the weights `params["x"]` put the
    new number into the first cell at each step, and `params["h"]` moves the content of
    each cell to the next. The function tanh keeps all of them between −1
    and 1. `params["o"]` makes the output: it reads the last cell.

    The loop is `jax.lax.scan(step, start, xs)`. It calls `step(h, x)` for each x in
    `xs`. `step` returns two things: the new h for the next call, and what is to be
    collected. We collect all memories in `hs`: its rows are the steps, its columns the
    cells. Follow the first 0.964 through the rows.

    Predict: after how many steps does the first number come out?
    """
    params = handmade(w)
    y = listen(params, jnp.array(xs))
    return params, y


def check_first_number_comes_out_three_steps_later():
    """Each number comes out three steps later, a bit smaller; three 0s come first."""
    for w, last in ((2.0, -1.0), (3.0, 1.0)):
        xs = (*SIGNS[1], last)
        params, y = echo_built_by_hand(w, xs)
        np.testing.assert_array_equal(params["h"], w * np.eye(4, k=-1))
        np.testing.assert_array_equal([params["x"], params["o"]], w * np.eye(4)[[0, 3]])
        one = 1.0
        for _ in range(5):
            one = np.tanh(w * one)
        expected = [0, 0, 0, *(x * one for x in xs[:-3])]
        np.testing.assert_allclose(y, expected, rtol=1e-6)


def the_task_is_an_echo(seed=0):
    """Our task is an echo: say the number that was heard three steps ago.

    We hear numbers that are +1 or −1 by chance. At each step the network shall say the
    number of three steps ago. (At the first three steps there is nothing to say.)
    `jax.random.rademacher(key, shape, dtype)` draws such numbers. Each row of x is a
    sequence.

    Could this be done without a memory? If you knew only the present number, you could
    repeat it, say its opposite, always say +1, or always say −1. These are all the
    fixed rules that look only at the present number. We count how often each of them is
    right. (There are 164 sequences: later, 64 are for training, and 100 for a test.)

    Predict: how often is the best of the four right?
    """
    key = jax.random.key(seed)
    x = jax.random.rademacher(key, (164, 20), "float32")
    now = x[:, 3:]
    wanted = x[:, :-3]
    repeat = jnp.mean(now == wanted)
    opposite = jnp.mean(now == -wanted)
    plus = jnp.mean(wanted == 1)
    minus = jnp.mean(wanted == -1)
    return x, repeat, opposite, plus, minus


def check_all_four_are_right_half_the_time():
    """Each of the four is right for about half of the 2,788 answers."""
    for seed in (0, 1):
        x, repeat, opposite, plus, minus = the_task_is_an_echo(seed)
        same = above = 0
        for row in x.tolist():
            assert set(row) <= {1.0, -1.0}
            same += sum(row[n] == row[n - 3] for n in range(3, 20))
            above += sum(row[n - 3] == 1 for n in range(3, 20))
        np.testing.assert_allclose([repeat, plus], [same / 2788, above / 2788], 1e-6)
        np.testing.assert_allclose([repeat + opposite, plus + minus], 1, rtol=1e-6)
        # the share of n tosses is known to about 0.5 / √n
        assert np.all(np.abs(np.array([repeat, plus]) - 0.5) < 2.5 / np.sqrt(2788))


@partial(jax.jit, static_argnames="model")
def outputs(params, x, model):
    """What the model says to each sequence of a batch."""
    return jax.vmap(model, in_axes=(None, 0))(params, x)


def listen_in_numpy(params, xs):
    """`listen` once more, as a plain loop in NumPy with 64 bits."""
    w_h, w_o, w_x = (np.float64(params[name]) for name in "hox")
    h = np.zeros(len(w_x))
    ys = []
    for x in xs:
        h = np.tanh(w_x * x + w_h @ h)
        ys.append(np.tanh(w_o @ h))
    return np.array(ys)


def many_sequences_at_once(w=2.0):
    """`listen` is for one sequence; with `jax.vmap` it takes a batch.

    In `outputs`, `jax.vmap` makes a function for many sequences of `listen`.
    `in_axes=(None, 0)` says that all of them use the same parameters, and that each row
    of x is a sequence. (`model` is `listen` here, and will be another function later.
    `static_argnames` tells `jax.jit` that it is no array.)

    So there is a loop over the steps, in `scan`, and no loop over the sequences. For
    comparison, `listen_in_numpy` is a plain loop over the steps in Python, and we call
    it for one sequence after the other.
    """
    params = handmade(w)
    x = jnp.array(SIGNS)
    y = outputs(params, x, listen)
    by_loops = np.array([listen_in_numpy(params, xs) for xs in SIGNS])
    return params, x, y, by_loops


def check_batch_is_two_plain_loops():
    """The batch gives what two plain loops give."""
    for w in (2.0, 0.7):
        params, x, y, by_loops = many_sequences_at_once(w)
        w_h, w_o, w_x = (np.float64(params[name]) for name in "hox")
        for row, said, by_loop in zip(x.tolist(), y.tolist(), by_loops, strict=True):
            h = 0 * w_x
            for n, number in enumerate(row):
                h = np.tanh([w_x[i] * number + np.dot(w_h[i], h) for i in range(4)])
                out = np.tanh(sum(w_o * h))
                np.testing.assert_allclose(by_loop[n], out, rtol=1e-12)
                np.testing.assert_allclose(said[n], out, rtol=1e-5, atol=1e-6)


@partial(jax.jit, static_argnames="model")
def echo_loss(params, x, model, delay):
    """How far the outputs are from the numbers of `delay` steps ago."""
    wanted = jnp.roll(x, delay, axis=1)
    error = outputs(params, x, model) - wanted
    is_known = jnp.arange(x.shape[1]) >= delay
    return jnp.mean(error**2, where=is_known)


def loss_of_silence(w=2.0):
    """The loss says how far the outputs are from the echo.

    In `echo_loss`, `jnp.roll` moves the numbers of each sequence three places to the
    right, so that each output can be compared with the number of three steps ago. What
    falls off at the end comes in again at the front, where it means nothing. So `where`
    leaves the first three places out of the mean. (A slice such as `x[:, :-delay]`
    would be refused: inside `jax.jit` the delay is a tracer.)

    We compare two networks: the one made by hand, and a silent one, with the output 0
    at every step.

    Predict: the numbers are +1 and −1. What is the loss of the silent network?
    """
    params = handmade(w)
    x = jnp.array(SIGNS)
    small = echo_loss(params, x, listen, delay=3)

    silent = params | {"o": jnp.zeros(4)}
    of_silence = echo_loss(silent, x, listen, delay=3)
    return params, x, small, of_silence


def check_loss_is_a_mean_of_squares():
    """The loss is the mean of the squared differences, and that of silence is 1."""
    for w in (2.0, 0.7):
        params, x, small, of_silence = loss_of_silence(w)
        squares = []
        for xs in x.tolist():
            y = listen_in_numpy(params, xs)
            squares += [(y[n] - xs[n - 3]) ** 2 for n in (3, 4, 5)]
        # a small difference of numbers near 1 has fewer digits
        np.testing.assert_allclose(small, np.mean(squares), rtol=2e-5)
        np.testing.assert_allclose(of_silence, 1, rtol=1e-6)


@jax.jit
def last_output(params, xs):
    """What the network says at the end of a sequence."""
    return listen(params, xs)[-1]


@jax.jit
def last_output_by_copies(copies, params, xs):
    """The same, but each step has its own copy of `params["x"]`."""

    def step(h, pair):
        x, w_x = pair
        return jnp.tanh(w_x * x + params["h"] @ h), None

    h = jax.lax.scan(step, jnp.zeros(4), (xs, copies))[0]
    return jnp.tanh(params["o"] @ h)


def gradient_goes_back_through_time(w=1.0):
    """`jax.grad` goes back through all the steps of a `scan`.

    The same weights work at each step, so a weight changes the output in many ways: by
    the last step, by the step before, and so on. The gradient adds them all up. With
    pencil and paper you would go back from the last step to the first; this is called
    *backpropagation through time*. `jax.grad` does it for you.

    To see the parts, we give each step a copy of the weights `params["x"]`. (`scan`
    takes a pair of arrays, and `step` gets a row of each.) `parts` has a row for each
    step. In the last step, only the weight to the last cell changes the last output; in
    the step before, only the weight to the third cell. (−0 is 0.) The sum of the rows
    is the gradient for weights that all the steps share.

    Predict: there are six steps. How many of them have a part that is not 0?
    """
    params = handmade(w)
    xs = jnp.array(SIGNS[0])

    copies = jnp.tile(params["x"], (6, 1))
    slope = jax.grad(last_output_by_copies)
    parts = slope(copies, params, xs)
    added = jnp.sum(parts, axis=0)

    gradient = jax.grad(last_output)(params, xs)
    of_x = gradient["x"]
    return params, copies, parts, added, gradient, of_x


def check_gradient_is_that_of_going_back_by_hand():
    """The four parts and their sum are those of going back by hand, in NumPy."""
    for w in (1.0, 0.7):
        found = gradient_goes_back_through_time(w)
        params, copies, parts, added, gradient, of_x = found
        np.testing.assert_array_equal(copies, [np.asarray(params["x"])] * 6)
        w_h, w_o, w_x = (np.float64(params[name]) for name in "hox")
        hs = [np.zeros(4)]
        for number in SIGNS[0]:
            hs.append(np.tanh(w_x * number + w_h @ hs[-1]))
        slope = 1 - np.tanh(hs[-1] @ w_o) ** 2
        back, of_h, rows = slope * w_o, 0.0, []
        for n in reversed(range(6)):
            back = back * (1 - hs[n + 1] ** 2)
            rows.insert(0, back * SIGNS[0][n])
            of_h = of_h + np.outer(back, hs[n])
            back = w_h.T @ back
        np.testing.assert_allclose(parts, rows, rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(np.asarray(parts) != 0, np.eye(6, 4, k=-2))
        by_hand = {"h": of_h, "o": slope * hs[-1], "x": np.sum(rows, axis=0)}
        for name, expected in by_hand.items():
            np.testing.assert_allclose(gradient[name], expected, rtol=1e-5, atol=1e-7)
        for found in (added, of_x):
            np.testing.assert_allclose(found, by_hand["x"], rtol=1e-5)


@partial(jax.jit, static_argnames="cells")
def init_params(key, cells):
    """Random parameters, for a memory with so many cells."""
    rows = jax.random.normal(key, (cells + 2, cells)) / cells**0.5
    params = {"h": rows[2:], "o": rows[1], "x": rows[0]}
    return params


def sequences_and_params(seed):
    """Sequences for training and for testing, and random parameters."""
    key_x, key_params = jax.random.split(jax.random.key(seed))
    numbers = jax.random.rademacher(key_x, (164, 20), "float32")
    x = numbers[:64]
    x_test = numbers[64:]
    params = init_params(key_params, cells=20)
    return x, x_test, params


@partial(jax.jit, static_argnames="model")
def train(params, x, x_test, model, delay, rate):
    """Take 100 steps; return the parameters and all losses."""

    def step(params, _):
        slope = jax.value_and_grad(echo_loss)
        loss, gradient = slope(params, x, model, delay)
        test_loss = echo_loss(params, x_test, model, delay)
        shorter = jax.tree.map(lambda g: rate * g, gradient)
        params = jax.tree.map(jnp.subtract, params, shorter)
        return params, (loss, test_loss)

    return jax.lax.scan(step, params, length=100)


def it_learns_the_echo(seed=0):
    """From random weights, the network learns to say the echo.

    The memory has twenty cells. (The random weights are divided by √20. So a sum over
    twenty cells is about as large as one of them.) The training is that of
    neural_network: a step goes against the gradient, with a learning rate of 0.3, and
    `jax.lax.scan` takes 100 of them. 64 sequences are for training. From the 100 others
    nothing is learned: they are *held out*, for a test, and we note their loss as well.

    Remember that the silent network has a loss of 1. The vertical axis has powers of
    ten. The two curves nearly lie on each other.
    """
    import matplotlib.pyplot as plt

    x, x_test, params = sequences_and_params(seed)
    loss, test_loss = train(params, x, x_test, listen, 3, rate=0.3)[1]

    _, axes = plt.subplots()
    axes.semilogy(loss, label="training")
    axes.semilogy(test_loss, label="held out")
    axes.set(xlabel="step", ylabel="loss", title="Learning the echo")
    axes.legend()
    return loss, test_loss, axes


def check_both_losses_fall_together():
    """Both losses begin above 0.5, and end below 0.01."""
    # Blunt: random weights decide how the losses fall, so only their ends are compared
    for seed in (0, 1):
        loss, test_loss, axes = it_learns_the_echo(seed)
        drawn = [line.get_ydata() for line in axes.lines]
        np.testing.assert_array_equal(drawn, [loss, test_loss])
        for losses in drawn:
            assert losses[0] > 0.5
            assert losses[99] < 0.01


@jax.jit
def share_right(y, x, delay):
    """The share of the outputs that have the right sign."""
    is_right = jnp.sign(y) == jnp.roll(x, delay, axis=1)
    is_known = jnp.arange(x.shape[1]) >= delay
    return jnp.mean(is_right, where=is_known)


def honest_score(seed=0):
    """What counts is how it does on sequences that it has never heard.

    We let the trained network listen to the held-out sequences. An output counts as
    right if it has the sign of the number of three steps ago. `share_right` gives the
    share of the outputs that are right; whoever guesses has about 0.5. `in_both`
    collects the sequences that are in both parts.

    Below you see one of the held-out sequences: what was heard and, under it, what was
    said. The first three signs mean nothing. From there on, the lower line repeats the
    upper one, three steps later.
    """
    x, x_test, params = sequences_and_params(seed)
    params = train(params, x, x_test, listen, 3, rate=0.3)[0]
    in_both = set(map(tuple, x.tolist())) & set(map(tuple, x_test.tolist()))
    y = outputs(params, x_test, listen)
    test_score = share_right(y, x_test, 3)

    heard = "".join("+" if n > 0 else "-" for n in x_test[0].tolist())
    said = "".join("+" if n > 0 else "-" for n in y[0].tolist())
    print(heard)
    print(said)
    return params, x, x_test, in_both, test_score, y, heard, said


def check_new_sequences_are_echoed():
    """No sequence is in both parts, and over 99 % of the held-out steps are right."""
    for seed in (0, 1):
        params, x, x_test, in_both, found, y, heard, said = honest_score(seed)
        old = x.tolist()
        assert in_both == set()
        assert {number for row in old for number in row} == {-1, 1}
        assert not any(row in old for row in x_test.tolist())
        right = 0
        for row, outs in zip(np.float64(x_test), np.float64(y), strict=True):
            expected = listen_in_numpy(params, row)
            # sums of twenty products, in float32
            np.testing.assert_allclose(outs, expected, rtol=1e-4, atol=1e-4)
            right += sum(expected[n] * row[n - 3] > 0 for n in range(3, 20))
        np.testing.assert_allclose(found, right / (100 * 17), rtol=1e-6)
        assert found > 0.99
        assert heard == "".join("-+"[n > 0] for n in x_test[0].tolist())
        assert said[3:] == heard[:-3]
        assert said == "".join("-+"[n > 0] for n in y[0].tolist())


@jax.jit
def last_slopes(params, xs):
    """How the last output changes with each number of the sequence."""
    return jax.grad(last_output, argnums=1)(params, xs)


def what_the_output_listens_to(seed=0):
    """The gradient shows which number the output listens to.

    A gradient can be taken along the inputs, too. `last_slopes` takes the last output
    as a function of the sequence. The slope says how much this output changes when a
    number changes a little. (An output near 1 or −1 has small slopes everywhere,
    because tanh is flat there, so only compare.) Each sequence has slopes of its own,
    so we take their mean size over the 100 held-out sequences.

    Predict: the last number is number 19. Where is the peak?
    """
    import matplotlib.pyplot as plt

    x, x_test, params = sequences_and_params(seed)
    params = train(params, x, x_test, listen, 3, rate=0.3)[0]
    slopes = jax.vmap(last_slopes, in_axes=(None, 0))(params, x_test)
    sizes = jnp.mean(jnp.abs(slopes), axis=0)
    peak = jnp.argmax(sizes)

    _, axes = plt.subplots()
    axes.plot(sizes, label="mean size")
    axes.set(xlabel="number", ylabel="slope")
    axes.set_title("How much the last output listens")
    return params, x_test, slopes, sizes, peak, axes


def check_it_listens_to_three_steps_ago():
    """The peak is at number 16, three steps before the last."""
    for seed in (0, 1):
        params, x_test, slopes, sizes, peak, axes = what_the_output_listens_to(seed)
        w_h, w_o, w_x = (np.float64(params[name]) for name in ("h", "o", "x"))
        hs = [np.zeros((100, 20))]
        for x in np.float64(x_test).T:
            hs.append(np.tanh(x[:, None] * w_x + hs[-1] @ w_h.T))
        back = (1 - np.tanh(hs[-1] @ w_o) ** 2)[:, None] * w_o
        expected = []
        for h in reversed(hs[1:]):
            expected.insert(0, back * (1 - h**2) @ w_x)
            back = back * (1 - h**2) @ w_h
        # 1 - tanh² of a number near 1 has lost digits in float32
        np.testing.assert_allclose(slopes, np.transpose(expected), 5e-4, atol=1e-5)
        np.testing.assert_allclose(sizes, np.mean(np.abs(slopes), axis=0), rtol=1e-5)
        assert int(peak) == np.argmax(np.asarray(sizes)) == 16
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), sizes)


@jax.jit
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
    for w, length in ((0.5, 6), (-3.0, 6)):
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
    """The lines are powers of w: 99 steps back they are 1/33,900, 1 and 12,500."""
    for factors, length in (((0.9, 1.0, 1.1), 100), ((0.8, 0.95, 1.2), 100)):
        slopes, of_first, axes = slopes_shrink_or_grow(factors, length)
        w = np.float64(np.float32(factors))
        expected = w[:, None] ** np.arange(length)
        np.testing.assert_allclose(slopes, expected[:, ::-1], rtol=1e-5)
        np.testing.assert_allclose(of_first, expected[:, -1], rtol=1e-5)
        if factors[1] == 1:
            # the claim gives three digits
            np.testing.assert_allclose(of_first, [1 / 33_900, 1, 12_500], rtol=5e-3)
        drawn = [line.get_ydata() for line in axes.lines]
        np.testing.assert_array_equal(drawn, np.asarray(slopes)[:, ::-1])


def tanh_changes_the_factor(w=2.0, start=0.5, length=20):
    """With tanh, the factor of a step depends on the memory.

    Now each step is h = tanh(w·h). Its slope is w·(1 − h²), with the new h. Where h is
    close to 0, this factor is about w. But where h is close to 1 or −1, the curve of
    tanh is flat, and the factor is small.

    The loop computes the factor of each step, and multiplies them all. Then `jax.grad`
    goes back through the same twenty steps: once from the memory 0.5, and once from 0.
    Without tanh, the slope would be 2²⁰ = 1,048,576.

    Myth: if w is larger than 1, the slopes explode.
    """
    h = start
    product = 1.0
    for _ in range(length):
        h = jnp.tanh(w * h)
        factor = w * (1 - h**2)
        product = factor * product

    def with_tanh(h):
        for _ in range(length):
            h = jnp.tanh(w * h)
        return h

    slope = jax.grad(with_tanh)(start)
    slope_at_zero = jax.grad(with_tanh)(0.0)
    return h, factor, product, slope, slope_at_zero


def check_tanh_slope_is_a_product_of_factors():
    """The slope is the product of all the factors; from 0, each factor is w."""
    for w, start, length in ((2.0, 0.5, 20), (1.5, -0.2, 10)):
        results = tanh_changes_the_factor(w, start, length)
        last, factor, product, slope, at_zero = results
        h, expected = start, 1.0
        for _ in range(length):
            h = np.tanh(w * h)
            expected *= w * (1 - h**2)
        np.testing.assert_allclose(last, h, rtol=1e-6)
        # 1 - h² with h near 1 loses a digit in float32, at each of the steps
        np.testing.assert_allclose(factor, w * (1 - h**2), rtol=1e-4)
        # and twenty of them multiply
        np.testing.assert_allclose([product, slope], expected, rtol=1e-4)
        np.testing.assert_allclose(at_zero, w**length, rtol=1e-6)
        assert float(slope) < 0.1 < 10 < float(at_zero)


def forgotten(w, xs):
    """How far the last memory is from 1, squared."""
    return (remember(w, xs) - 1) ** 2


@jax.jit
def slope_of(w, xs):
    """The slope of `forgotten`, along w."""
    return jax.grad(forgotten)(w, xs)


@jax.jit
def fit(w, xs, rate):
    """Take 1000 steps against the slope, and return w."""

    def step(w, _):
        return w - rate * slope_of(w, xs), None

    return jax.lax.scan(step, w, length=1000)[0]


def too_long_to_learn(w=0.5, few=5, many=50):
    """How far the gradient reaches decides what can be learned.

    Let us teach the smallest memory to remember. It hears a 1 and then only zeros, and
    at the end its memory shall still be 1. (So w should become 1: then nothing is
    forgotten.) We begin at w = 0.5. One sequence has 5 numbers, the other has 50.

    Predict: where does w end in the two cases?
    """
    short = jnp.array([1.0] + [0.0] * (few - 1))
    long = jnp.array([1.0] + [0.0] * (many - 1))
    slope_short = slope_of(w, short)
    slope_long = slope_of(w, long)
    learned_short = fit(w, short, 0.01)
    learned_long = fit(w, long, 0.01)
    return slope_short, slope_long, learned_short, learned_long


def check_only_the_short_one_is_learned():
    """With 5 numbers w ends at 1; with 50 the gradient has vanished, and w stays."""
    for w, few, many in ((0.5, 5, 50), (0.4, 5, 50)):
        slope_short, slope_long, short, long = too_long_to_learn(w, few, many)
        for slope, n in ((slope_short, few - 1), (slope_long, many - 1)):
            expected = 2 * (w**n - 1) * n * w ** (n - 1)
            np.testing.assert_allclose(slope, expected, rtol=1e-5)
        np.testing.assert_allclose(short, 1, rtol=1e-5)
        np.testing.assert_allclose(long, w, rtol=1e-6)


def one_step_goes_too_far(w=1.2, length=50, rate=2e-4):
    """With an exploding gradient, one step can ruin everything.

    Now we begin at w = 1.2, only a little above 1. There are 50 numbers, and the
    learning rate is small. Look at the gradient of the first step, and at the w that
    comes next. The 49th power of this w is larger than any float32, so it is infinite.
    On the way back, infinity meets the memory of the start, which is 0, and infinity
    times 0 is nan.

    Predict: the learning rate is 0.0002. How far does the first step go?
    """
    xs = jnp.array([1.0] + [0.0] * (length - 1))
    ws = []
    gradients = []
    for _ in range(3):
        gradient = slope_of(w, xs)
        w = w - rate * gradient
        gradients.append(gradient)
        ws.append(w)
    return gradients, ws


def check_the_second_step_gives_nan():
    """The first step goes below −100,000, and the second gives nan."""
    for w, length in ((1.2, 50), (1.25, 50)):
        gradients, ws = one_step_goes_too_far(w, length)
        n = length - 1
        first = 2 * (w**n - 1) * n * w ** (n - 1)
        # w to the power of 49: a float32's rounding, 49 times
        np.testing.assert_allclose(gradients[0], first, rtol=2e-5)
        # and so does the next w
        np.testing.assert_allclose(ws[0], w - 2e-4 * first, rtol=2e-5)
        assert ws[0] < -1e5
        assert np.all(np.isnan([*ws[1:], *gradients[1:]]))


@jax.jit
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

    `jnp.clip` limits each number by itself. Compare the ratios: the gradient (30, 0.4)
    has y/x = 0.0133. The clipped one has the same ratio. The other one does not.
    """
    x, y = gradient
    gradient = {"x": jnp.array(x), "y": jnp.array(y)}
    clipped = clip(gradient, limit)
    ratio = clipped["y"] / clipped["x"]
    unchanged = clip(clipped, 2 * limit)

    def cut(g):
        return jnp.clip(g, -limit, limit)

    one_by_one = jax.tree.map(cut, gradient)
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


@jax.jit
def fit_clipped(w, xs, rate, limit):
    """Take 200 steps with a clipped gradient, and return all w."""

    def step(w, _):
        w = w - rate * clip(slope_of(w, xs), limit)
        return w, w

    return jax.lax.scan(step, w, length=200)[1]


def clipping_saves_the_training(w=1.2, length=50, limit=10.0, rate=2e-4):
    """With a limit for its gradient, the same training succeeds.

    We repeat the training that ended with nan, and clip the gradient to a length of at
    most 10. With our rate, a step is then at most 0.002 long. As long as the steps are
    cut to that length, the line is straight. Close to 1 the gradient is shorter than
    the limit, and nothing is cut any more.

    Clipping cannot save a gradient that is infinite or nan already. And it makes
    nothing longer, so it is no help against a vanished gradient. For that there are
    other cells: an *LSTM* or a *GRU* can hold the factor of a step close to 1.
    """
    import matplotlib.pyplot as plt

    xs = jnp.array([1.0] + [0.0] * (length - 1))
    ws = fit_clipped(w, xs, rate, limit)
    learned = ws[-1]

    _, axes = plt.subplots()
    axes.plot(ws, label="w")
    axes.set(xlabel="step", ylabel="w", title="Clipped")
    return learned, ws, axes


def check_clipped_training_finds_one():
    """Clipped, w falls by 0.002 at each of the first steps, and ends at 1."""
    for w, length in ((1.2, 50), (1.15, 50)):
        learned, ws, axes = clipping_saves_the_training(w, length)
        ws = np.asarray(ws)
        np.testing.assert_allclose(ws[:60], w - 0.002 * np.arange(1, 61), rtol=1e-5)
        np.testing.assert_allclose(learned, 1, rtol=1e-5)
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), ws)
        assert ws[199] == learned
        n = length - 1
        expected = []
        for _ in range(200):
            slope = 2 * (w**n - 1) * n * w ** (n - 1)
            w -= 2e-4 * max(-10, min(10, slope))
            expected.append(w)
        # where the cut ends, float32 and float64 may be a digit apart
        np.testing.assert_allclose(ws, expected, rtol=1e-4)


def one_query_looks_up(query=(1.0, 0.0), size=3.0):
    """Attention is a look-up that mixes what fits.

    A dict finds the one entry whose key is equal to what you ask for. *Attention* asks
    with an array, the *query*. Each entry has a *key*, which is an array too, and a
    *value*. (This key is no random key.) The dot product of query and key is the
    *score* of the entry: it is large where both point the same way. As in
    neural_network,
    `jax.nn.softmax` turns the scores into numbers that add up to 1: e to the power of
    each score, divided by their sum. These are the *weights* of the entries. (They are
    computed, and are no parameters.) The answer is the mean of the values with these
    weights.

    Here the first key fits the query, the second has nothing to do with it, and the
    third is its opposite. The answer is close to the value of the first.
    """
    keys = jnp.array([[size, 0], [0, size], [-size, 0]])
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


def each_place_asks_all(numbers=(5.0, 8.0, 3.0, 2.0)):
    """In an attention layer, each place of a sequence asks all places.

    Here the sequence x has four places. (A place is also called a *position* or a
    *token*, and the layer *self-attention*, as the places ask one another.) Each place
    is of one of two kinds, and has a number: its row begins with 1, 0 or with 0, 1, and
    then comes the number. From each row, three matrices make a query, a key and a
    value. Here we make them by hand. The key is the kind, and so is the query, but ten
    times as large. The value is the number.

    Row i of `scores` holds the scores of query i with all the keys: 10 where the kinds
    are the same, and 0 where they are not. Row i of `weights` says how much place i
    takes from each place, and adds up to 1. There is no loop over the places, and no
    memory.

    Predict: what are the four numbers of y?
    """
    kinds = jnp.array([[1, 0], [0, 1.0], [1, 0], [0, 1]])
    x = jnp.column_stack([kinds, jnp.array(numbers)])
    q = x @ jnp.array([[10.0, 0], [0, 10], [0, 0]])
    k = x @ jnp.array([[1.0, 0], [0, 1], [0, 0]])
    v = x @ jnp.array([0.0, 0, 1])
    scores = q @ k.T
    weights = jax.nn.softmax(scores)
    y = weights @ v
    return x, q, k, v, scores, weights, y


def check_each_output_is_a_mean_of_values():
    """Each place gets the mean of the numbers of its kind, to three digits."""
    for numbers in ((5.0, 8.0, 3.0, 2.0), (1.0, -4.0, 7.0, 6.0)):
        x, q, k, v, scores, weights, y = each_place_asks_all(numbers)
        a, b, c, d = numbers
        np.testing.assert_array_equal(x, [[1, 0, a], [0, 1, b], [1, 0, c], [0, 1, d]])
        np.testing.assert_array_equal(q, 10 * np.asarray(k))
        np.testing.assert_array_equal(k, np.asarray(x)[:, :2])
        np.testing.assert_array_equal(v, numbers)
        same = np.array([[1, 0, 1, 0], [0, 1, 0, 1]] * 2)
        np.testing.assert_array_equal(scores, 10 * same)
        powers = np.exp(10.0 * same)
        np.testing.assert_allclose(weights, powers / (2 * np.exp(10) + 2), rtol=1e-5)
        means = [(a + c) / 2, (b + d) / 2] * 2
        # each place also takes e⁻¹⁰ = 0.00005 from the others
        np.testing.assert_allclose(y, means, rtol=2e-4)
        np.testing.assert_allclose(y, weights @ np.float64(numbers), rtol=1e-5)


def scores_are_divided_by_a_root(seed=0, d=1000):
    """Scores are divided by √d, so that long queries do not make them larger.

    A score is a sum of d products, if queries and keys have d numbers. The longer the
    sum is, the further it may be from 0: for numbers that are drawn by chance, about √d
    times as large as one product. So one divides by √d.

    Below are a query and five keys of a thousand numbers each. All of them are drawn
    by chance, so there is no reason to prefer one key.

    Predict: without the division, how large is the largest of the five weights?
    """
    rows = jax.random.normal(jax.random.key(seed), (6, d))
    query = rows[0]
    keys = rows[1:]

    scores = keys @ query
    weights = jax.nn.softmax(scores)
    divided = scores / jnp.sqrt(d)
    shared = jax.nn.softmax(divided)
    return query, keys, scores, weights, divided, shared


def check_divided_scores_share_the_weight():
    """Here one key has nearly all the weight; divided, the five share it."""
    for seed, d in ((0, 1000), (2, 1000)):
        results = scores_are_divided_by_a_root(seed, d)
        query, keys, scores, weights, divided, shared = results
        expected = np.float64(keys) @ np.float64(query)
        # a sum of a thousand products, in float32
        np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)
        # the same sum
        np.testing.assert_allclose(divided, expected / d**0.5, rtol=1e-4, atol=1e-5)
        for found, size in ((weights, 1), (shared, d**0.5)):
            powers = np.exp((expected - expected.max()) / size)
            powers /= powers.sum()
            # e to the power of a number near 30 has two digits less
            np.testing.assert_allclose(found, powers, rtol=1e-3, atol=1e-9)
        assert max(shared.tolist()) < 0.7 < 0.95 < max(weights.tolist())


@jax.jit
def weights_of(params, x, mask=True):
    """How much each row of x takes from each row of x: a table."""
    q = x @ params["q"]  # [length, inner]
    k = x @ params["k"]  # [length, inner]
    scores = q @ k.T / jnp.sqrt(q.shape[1])  # [length, length]
    scores = jnp.where(mask, scores, -jnp.inf)
    return jax.nn.softmax(scores)


@jax.jit
def attention(params, x, mask=True):
    """Each row of x asks those rows that the mask allows."""
    v = x @ params["v"]  # [length, inner]
    return weights_of(params, x, mask) @ v


def attention_in_numpy(params, x, mask):
    """`attention` once more, as plain loops in NumPy with 64 bits."""
    x = np.float64(x)
    q, k, v = (x @ np.float64(params[name]) for name in "qkv")
    y = np.zeros_like(v)
    for i in range(len(x)):
        total = 0.0
        for j in range(len(x)):
            if mask[i][j]:
                power = np.exp(q[i] @ k[j] / len(q[i]) ** 0.5)
                y[i] += power * v[j]
                total += power
        y[i] /= total
    return y


@partial(jax.jit, static_argnames=("size", "inner"))
def init_attention(key, size, inner):
    """Random matrices that make queries, keys and values."""
    rows = jax.random.normal(key, (3 * size, inner)) / inner**0.5
    q, k, v = jnp.split(rows, 3)
    params = {"k": k, "q": q, "v": v}
    return params


def example(seed):
    """Random parameters, and a sequence of four places."""
    params = init_attention(jax.random.key(seed), size=2, inner=3)
    x = jnp.array(FOUR_PLACES)
    return params, x


def attention_as_a_function(seed=0):
    """The whole layer is a function of a few lines.

    `weights_of` and `attention` have the steps of the last two demos. (Their `mask`
    will forbid some questions later. With True, all are allowed.) In a network, nobody
    makes the matrices by hand: they are parameters, begin at random, and are learned.
    Here x has two numbers at each place, and queries, keys and values have three.

    `attention_in_numpy` says the same with plain loops, for comparison.
    """
    params, x = example(seed)
    y = attention(params, x)
    by_loops = attention_in_numpy(params, x, np.ones((4, 4)))
    return params, x, y, by_loops


def check_attention_is_plain_loops():
    """The layer gives what plain loops over queries and keys give."""
    for seed in (0, 1):
        params, x, y, by_loops = attention_as_a_function(seed)
        q, k, v = (np.float64(x) @ np.float64(params[name]) for name in "qkv")
        powers = np.exp(q @ k.T / np.sqrt(3))
        expected = powers / powers.sum(axis=1, keepdims=True) @ v
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(by_loops, expected, rtol=1e-10)


def attention_for_a_batch(seed=0):
    """The layer is written for one sequence; `jax.vmap` makes it one for a batch.

    `attention` knows nothing of a batch: x has a row for each place. `jax.vmap` with
    `in_axes=(None, 0)` shares the parameters; each sequence of the batch is an x of its
    own. Compare the output for the second sequence, which has the squares of the
    numbers of x, with that for the same sequence alone.
    """
    params, x = example(seed)
    squares = x**2
    batch = jnp.stack([x, squares])
    y = jax.vmap(attention, in_axes=(None, 0))(params, batch)
    alone = attention(params, squares)
    return params, batch, y, alone


def check_batch_of_attention_is_plain_loops():
    """The batch gives what plain loops give for one sequence after the other."""
    for seed in (0, 1):
        params, batch, y, alone = attention_for_a_batch(seed)
        expected = [
            attention_in_numpy(params, x, np.ones((4, 4))) for x in np.asarray(batch)
        ]
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(alone, expected[1], rtol=1e-5, atol=1e-6)


def several_heads(seed=0):
    """Several heads are a second `jax.vmap`, over the parameters.

    One query for each place asks one kind of question. So layers have several *heads*:
    attention with different parameters, over the same sequence. `jax.tree.map` with
    `jnp.stack` puts the matrices of two heads on top of each other, along a new first
    axis. Then `in_axes` is `(0, None)`: the parameters are a batch, and the sequence is
    shared. At the end, the outputs of the heads are put side by side. (In most networks
    one more matrix follows, which mixes them.)
    """
    one, x = example(seed)
    other = example(seed + 1)[0]

    both = jax.tree.map(lambda a, b: jnp.stack([a, b]), one, other)
    heads = jax.vmap(attention, in_axes=(0, None))(both, x)
    y = jnp.hstack([heads[0], heads[1]])
    return one, other, x, both, heads, y


def check_heads_are_single_layers():
    """Each head is an attention layer of its own, and y holds them side by side."""
    for seed in (0, 1):
        one, other, x, both, heads, y = several_heads(seed)
        for n, params in enumerate((one, other)):
            for name in "qkv":
                np.testing.assert_array_equal(np.asarray(both[name])[n], params[name])
            expected = attention_in_numpy(params, x, np.ones((4, 4)))
            found = np.asarray(heads)[n]
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(y, np.hstack(np.asarray(heads)))


def order_is_not_seen(seed=0, order=(2, 0, 3, 1)):
    """Without a mask, attention does not know the order of the places.

    A score depends on the two rows only, and not on where they stand. We put the rows
    of x into another order. For a recurrent network this would be another sequence.

    Predict: what becomes of the rows of the output?
    """
    params, x = example(seed)
    y = attention(params, x)
    reordered_x = x[jnp.array(order)]
    reordered_y = attention(params, reordered_x)
    return params, x, y, reordered_x, reordered_y


def check_output_is_reordered_like_the_input():
    """The same rows come out, in the new order."""
    for seed, order in ((0, (2, 0, 3, 1)), (1, (3, 2, 1, 0))):
        params, x, y, reordered_x, reordered_y = order_is_not_seen(seed, order)
        expected = attention_in_numpy(params, x, np.ones((4, 4)))
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
        order = list(order)
        np.testing.assert_array_equal(reordered_x, np.asarray(x)[order])
        np.testing.assert_allclose(reordered_y, expected[order], rtol=1e-5, atol=1e-6)


def causal_mask(seed=0, place=2):
    """With a causal mask, each place asks only itself and the places before it.

    A network that shall say what comes next must not look at it. `jnp.tril` keeps the
    lower triangle of a table, so `mask[i, j]` is True where j is not after i. In
    `attention`, the other scores become −∞. As e to the power of −∞ is 0, softmax gives
    them the weight 0.

    To test it, we change one row of x, and see by how much each row of the output
    changes: first with the mask, then without.

    Predict: we change row 2 of the rows 0 to 3. With the mask, which rows of the output
    change?
    """
    params, x = example(seed)
    other_x = x.at[place].add(1.0)
    mask = jnp.tril(jnp.ones((4, 4), dtype=bool))

    change = attention(params, other_x, mask) - attention(params, x, mask)
    open_change = attention(params, other_x) - attention(params, x)
    return params, mask, x, other_x, change, open_change


def check_earlier_rows_do_not_change():
    """With the mask no earlier row changes at all; without it, every row does."""
    for seed, place in ((0, 2), (1, 1)):
        params, mask, x, other_x, change, open_change = causal_mask(seed, place)
        np.testing.assert_array_equal(
            mask, [[j <= i for j in range(4)] for i in range(4)]
        )
        moved = np.asarray(other_x) - np.asarray(x)
        np.testing.assert_allclose(moved[place], 1, rtol=1e-5)
        np.testing.assert_array_equal(np.delete(moved, place, axis=0), 0)
        for found, allowed in ((change, np.tri(4)), (open_change, np.ones((4, 4)))):
            expected = attention_in_numpy(params, other_x, allowed)
            expected -= attention_in_numpy(params, x, allowed)
            # differences of numbers near 1, in float32
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(np.asarray(change)[:place], 0)
        assert np.all(np.abs(np.asarray(open_change)).max(axis=1) > 1e-3)


def mask_after_softmax_is_too_late(scores=(1.0, 2.0, 5.0), other_last=7.0):
    """A mask belongs before the softmax, not after it.

    One could also compute all the weights, and then multiply the forbidden ones by 0.
    Here are three scores, and the third is forbidden. Then we change the third score.
    (To divide by the sum once more does not always help: beside a score of 200, softmax
    gives 0 to the two others, and 0 divided by 0 is nan.)

    Myth: multiplied by 0, the third entry has no influence.
    """
    allowed = jnp.array([True, True, False])
    s = jnp.array(scores)
    other_s = s.at[2].set(other_last)

    masked = jnp.where(allowed, s, -jnp.inf)
    masked_first = jax.nn.softmax(masked)
    other_masked = jnp.where(allowed, other_s, -jnp.inf)
    other_masked_first = jax.nn.softmax(other_masked)
    masked_last = jax.nn.softmax(s) * allowed
    other_masked_last = jax.nn.softmax(other_s) * allowed
    return masked_first, other_masked_first, masked_last, other_masked_last


def check_only_the_mask_before_has_no_influence():
    """Masked before, two entries share the weight 1; after, the third takes from it."""
    for scores, changed in (((1.0, 2.0, 5.0), 7.0), ((0.3, -1.0, 0.5), 0.0)):
        results = mask_after_softmax_is_too_late(scores, changed)
        first, other_first, last, other_last = (np.asarray(r) for r in results)
        a, b, c = np.exp(scores)
        for found in (first, other_first):
            np.testing.assert_allclose(found, [a / (a + b), b / (a + b), 0], rtol=1e-5)
        np.testing.assert_allclose(last[:2], [a, b] / (a + b + c), rtol=1e-5)
        total = a + b + np.exp(changed)
        np.testing.assert_allclose(other_last[:2], [a, b] / total, rtol=1e-5)
        assert last[2] == other_last[2] == 0


def zeros_are_not_harmless(seed=0, length=2):
    """Sequences of different lengths are padded, and the padding needs a mask.

    An array needs rows of one length. So shorter sequences are *padded*: filled up, for
    instance with zeros. Our sequence has two places, and is padded to four.
    `jnp.arange(4) < length` is True where there is something real. As a mask, this one
    row counts for every query: nobody may ask the padding. A row of zeros has the score
    0 with each query, and e⁰ is 1, not 0.

    Myth: padding with zeros needs no mask, since zeros add nothing.
    """
    params, x = example(seed)
    x = x[:length]
    padded = jnp.zeros((4, 2)).at[:length].set(x)
    real = jnp.arange(4) < length

    alone = attention(params, x)
    without_mask = attention(params, padded)[:length]
    with_mask = attention(params, padded, real)[:length]
    return params, x, padded, real, alone, without_mask, with_mask


def check_only_the_mask_undoes_the_padding():
    """With the mask the padding changes nothing; without it, it has weights, too."""
    for seed in (0, 1):
        params, x, padded, real, alone, without, masked = zeros_are_not_harmless(seed)
        assert real.tolist() == [True, True, False, False]
        np.testing.assert_array_equal(padded, [*np.asarray(x), [0, 0], [0, 0]])
        expected = attention_in_numpy(params, x, np.ones((2, 2)))
        np.testing.assert_allclose(alone, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(masked, expected, rtol=1e-5, atol=1e-6)
        wrong = attention_in_numpy(params, padded, np.ones((4, 4)))[:2]
        np.testing.assert_allclose(without, wrong, rtol=1e-5, atol=1e-6)
        assert np.max(np.abs(wrong - expected)) > 0.01


@jax.jit
def layer_for_length(params, x, length):
    """Attention that looks neither ahead nor at the padding."""
    causal = jnp.tril(jnp.ones((4, 4), dtype=bool))
    real = jnp.arange(4) < length
    return attention(params, x, causal & real)


def batch_of_different_lengths(seed=0, lengths=(2, 4, 3)):
    """With `jax.vmap`, each sequence of a batch gets a mask of its own.

    `layer_for_length` takes the length as an argument, and `in_axes=(None, 0, 0)` maps
    sequences and lengths together. Inside, the length is a tracer. So no array may have
    this length, but a mask can depend on it. `&` joins both masks: a question is
    allowed where both are True.

    In the output, the rows behind the length of a sequence mean nothing. We compare the
    other rows of the first sequence with those that it gives alone, without padding.
    """
    params, x = example(seed)
    batch = jnp.stack([x, x**2, -x])
    batched = jax.vmap(layer_for_length, in_axes=(None, 0, 0))
    y = batched(params, batch, jnp.array(lengths))

    n = lengths[0]
    first = y[0, :n]
    causal = jnp.tril(jnp.ones((n, n), dtype=bool))
    alone = attention(params, x[:n], causal)
    return params, batch, y, first, alone


def check_each_sequence_is_as_if_alone():
    """Up to its length, each sequence gives what it gives alone."""
    for seed, lengths in ((0, (2, 4, 3)), (1, (2, 1, 4))):
        params, batch, y, first, alone = batch_of_different_lengths(seed, lengths)
        for i, (one, n) in enumerate(zip(np.asarray(batch), lengths, strict=True)):
            expected = attention_in_numpy(params, one[:n], np.tri(n))
            rows = np.asarray(y)[i, :n]
            found = [rows] if i else [rows, first, alone]
            for rows in found:
                np.testing.assert_allclose(rows, expected, rtol=1e-5, atol=1e-6)
            both = np.tri(4) * (np.arange(4) < n)
            padded = attention_in_numpy(params, one, both)
            np.testing.assert_allclose(np.asarray(y)[i], padded, rtol=1e-5, atol=1e-6)


def a_query_with_nothing_to_see(scores=(1.0, 3.0, 2.0)):
    """If a mask forbids a query everything, softmax has nothing to share out.

    That happens: in a sequence of length 0, or if the padding may not ask either. There
    are three usual ways to write the mask, and now they differ. One puts −∞ in place of
    each score, as `attention` does. One takes a large negative number instead. And
    `jax.nn.softmax` has an argument `where`: it leaves out the entries where the mask
    is False. (If you have the choice, take this one; the next demo shows why.)

    Predict: which of the three give nan?
    """
    s = jnp.array(scores)
    mask = jnp.array([False, False, False])
    infinity = jax.nn.softmax(jnp.where(mask, s, -jnp.inf))
    large_number = jax.nn.softmax(jnp.where(mask, s, -1e30))
    left_out = jax.nn.softmax(s, where=mask)
    return infinity, large_number, left_out


def check_three_ways_give_nan_shares_and_zero():
    """With −∞ the weights are nan, with −10³⁰ all are equal, and with `where` all 0."""
    for scores in ((1.0, 3.0, 2.0), (-2.0, 0.5, 0.0)):
        infinity, large_number, left_out = a_query_with_nothing_to_see(scores)
        assert np.all(np.isnan(infinity))
        np.testing.assert_allclose(large_number, [1 / 3] * 3, rtol=1e-6)
        np.testing.assert_array_equal(left_out, [0, 0, 0])


def safe_attention(params, x, mask):
    """`attention`, but a query that may ask nobody gets zeros."""
    q = x @ params["q"]
    k = x @ params["k"]
    v = x @ params["v"]
    scores = q @ k.T / jnp.sqrt(q.shape[1])
    return jax.nn.softmax(scores, where=mask) @ v


def padded_loss(params, x, real, layer):
    """A loss of the real rows; the padding is out of all questions."""
    mask = real[:, None] & real
    y = layer(params, x, mask)
    y = jnp.where(real[:, None], y, 0.0)
    return jnp.sum(y**2)


@partial(jax.jit, static_argnames="layer")
def loss_and_gradient(params, x, real, layer):
    """`padded_loss` and its gradient."""
    return jax.value_and_grad(padded_loss)(params, x, real, layer)


def nan_spoils_the_gradient(seed=0, length=2):
    """A nan that you throw away still spoils the gradient.

    In `padded_loss` the padding may neither ask nor be asked. With `attention`, the
    rows of the padding become nan. We do not need these rows, so `padded_loss` puts 0
    in their place, and the loss is right. But y is `weights @ v`. So the slopes of v
    are `weights.T @ slopes_of_y`: sums over all the rows of the table of weights. Its
    rows of the padding are nan, and there the slopes of y are 0; but nan times 0 is
    nan, and so is each sum.

    The way to q and k leads through the scores. There the `jnp.where` of the mask comes
    after q and k: where it took −∞, it sends the slope 0 back, and drops the nan.

    The cure is not to let nan arise: `safe_attention` uses `where`.
    """
    params, x = example(seed)
    real = jnp.arange(4) < length

    value, gradient = loss_and_gradient(params, x, real, attention)

    safe = loss_and_gradient(params, x, real, safe_attention)
    safe_value, safe_gradient = safe
    return params, x, value, gradient, safe_value, safe_gradient


def check_only_the_safe_gradient_is_right():
    """Both losses are right; padded, the slopes of v are all nan, or, if safe, true."""
    for seed, length in ((0, 2), (1, 3)):
        params, x, *results = nan_spoils_the_gradient(seed, length)
        value, gradient, safe_value, safe_gradient = results
        real, mask = np.asarray(x)[:length], np.ones((length, length))
        expected = np.sum(attention_in_numpy(params, real, mask) ** 2)
        np.testing.assert_allclose([value, safe_value], expected, rtol=1e-5)
        assert np.all(np.isnan(gradient["v"]))
        for name in "qkv":
            slopes = np.zeros(params[name].shape)
            for place in np.ndindex(slopes.shape):
                for nudge in (1e-6, -1e-6):
                    nudged = {n: np.array(params[n], dtype="float64") for n in "qkv"}
                    nudged[name][place] += nudge
                    y = attention_in_numpy(nudged, real, mask)
                    slopes[place] += np.sum(y**2) / (2 * nudge)
            # sums of products that nearly cancel, in float32
            np.testing.assert_allclose(safe_gradient[name], slopes, 1e-4, atol=1e-6)
            if name != "v":
                np.testing.assert_allclose(gradient[name], slopes, 1e-4, atol=1e-6)


def a_long_way_back(seed=0):
    """An echo from far away is hard for a memory.

    Back to the echo, but now of fifteen steps ago. The memory has to keep each number
    for fifteen steps, and the gradient has to go back through them. So we give the
    recurrent network more time: first 100 steps of training, as before, and then 400
    more. The learning rate is one with which it learned well. Only the last five
    outputs of a sequence have an answer now, and guessing would give 0.5.

    Predict: can the recurrent network learn it, and is 100 steps enough?
    """
    x, x_test, params = sequences_and_params(seed)
    early = train(params, x, x_test, listen, 15, rate=0.03)[0]
    y_100 = outputs(early, x_test, listen)
    score_100 = share_right(y_100, x_test, 15)

    late = early
    for _ in range(4):
        late = train(late, x, x_test, listen, 15, rate=0.03)[0]
    y_500 = outputs(late, x_test, listen)
    score_500 = share_right(y_500, x_test, 15)
    return x_test, early, y_100, score_100, late, y_500, score_500


def check_the_memory_learns_slowly():
    """After 500 steps more is right than after 100, but still not all."""
    for seed in (0, 1):
        x_test, *results = a_long_way_back(seed)
        xs = np.float64(x_test)
        scores = []
        for params, y, share in (results[:3], results[3:]):
            expected = [listen_in_numpy(params, row) for row in xs]
            # rounding, carried on through twenty steps
            np.testing.assert_allclose(y, expected, rtol=1e-3, atol=1e-3)
            right = np.asarray(y)[:, 15:] * xs[:, :5] > 0
            np.testing.assert_allclose(share, np.mean(right), rtol=1e-6)
            scores.append(share)
        assert 0.6 < scores[0] < scores[1] - 0.03 < 0.97


def with_places(xs):
    """A row for each number, with a 1 that marks its place."""
    return jnp.column_stack([xs, jnp.eye(len(xs))])


def look_back(params, xs):
    """Attention for a sequence of numbers, with their places."""
    mask = jnp.tril(jnp.ones((len(xs), len(xs)), dtype=bool))
    y = attention(params, with_places(xs), mask)
    return jnp.tanh(y @ params["o"])


def trained_look_back(seed):
    """Parameters for `look_back`, after 100 steps of training."""
    x, x_test, _ = sequences_and_params(seed)
    params = init_attention(jax.random.key(seed), size=21, inner=16)
    params["o"] = jnp.ones(16) / 4
    return train(params, x, x_test, look_back, 15, rate=3.0)[0]


def attention_has_a_short_way_back(seed=0):
    """Attention learns the far echo in fewer steps.

    In an attention layer, every place can ask every earlier one directly. So the
    gradient has no long way to go. But a score does not depend on where the rows stand.
    So `with_places` marks the places: `jnp.column_stack` appends a row of `jnp.eye` to
    each number. (Large networks add waves or learned numbers instead; all this is
    called *positional encoding*.) As before, the weights `params["o"]` make the output.

    Both networks get the same sequences and 100 steps, each with a learning rate at
    which it learns well. The race is not quite fair: attention has 1024 parameters, the
    memory 440.

    Attention has its price: the table of scores grows with the square of the length.
    And this `look_back` takes only sequences of twenty numbers, because its matrices
    have a row for each place.
    """
    x, x_test, params = sequences_and_params(seed)
    memory = train(params, x, x_test, listen, 15, rate=0.03)[0]
    y_memory = outputs(memory, x_test, listen)
    by_memory = share_right(y_memory, x_test, 15)

    params = trained_look_back(seed)
    y = outputs(params, x_test, look_back)
    by_attention = share_right(y, x_test, 15)
    return x_test, y_memory, by_memory, params, y, by_attention


def check_attention_needs_fewer_steps():
    """After 100 steps, attention has over 99 % right, and the memory less than 90 %."""
    for seed in (0, 1):
        x_test, y_memory, by_memory, *results = attention_has_a_short_way_back(seed)
        params, y, by_attention = results
        w_o = np.float64(params["o"])
        expected = []
        for row in np.float64(x_test):
            x = np.column_stack([row, np.eye(20)])
            q, k, v = (x @ np.float64(params[name]) for name in "qkv")
            powers = np.exp(q @ k.T / 16**0.5) * np.tri(20)
            expected.append(np.tanh(powers @ v @ w_o / powers.sum(axis=1)))
        # scores up to 20 with six digits, and e to the power of them
        np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
        echo = np.asarray(x_test)[:, :5]
        for said, share in ((y_memory, by_memory), (y, by_attention)):
            right = np.asarray(said)[:, 15:] * echo > 0
            np.testing.assert_allclose(share, np.mean(right), rtol=1e-6)
        assert float(by_memory) < 0.9 < 0.99 < float(by_attention)


@jax.jit
def asked_by_the_last_five(params, xs):
    """The last five rows of the table of weights in `look_back`."""
    mask = jnp.tril(jnp.ones((len(xs), len(xs)), dtype=bool))
    return weights_of(params, with_places(xs), mask)[15:]


def whom_each_place_asks(seed=0):
    """The weights of a trained layer show whom each place asks.

    The training was told only what to say, and not where to look. We take the trained
    layer and one of the held-out sequences, and compute the table of weights as
    `look_back` does. `asked` says, for each of the last five places, where its largest
    weight is, and `said` what these places say.

    Predict: where do the places 15, 16, 17, 18 and 19 look?
    """
    x_test = sequences_and_params(seed)[1]
    xs = x_test[0]
    params = trained_look_back(seed)

    weights = asked_by_the_last_five(params, xs)
    asked = jnp.argmax(weights, axis=1)
    largest = jnp.max(weights, axis=1)
    said = outputs(params, x_test, look_back)[0, 15:]
    return xs, params, weights, asked, largest, said


def check_each_place_asks_fifteen_steps_back():
    """Each of the five asks the place fifteen steps before it."""
    for seed in (0, 1):
        xs, params, weights, *rest = whom_each_place_asks(seed)
        asked, largest, said = rest
        x = np.column_stack([np.float64(xs), np.eye(20)])
        np.testing.assert_array_equal(np.abs(x[:, 0]), 1)
        q, k, v = (x @ np.float64(params[name]) for name in "qkv")
        powers = np.exp(q @ k.T / 16**0.5) * np.tri(20)
        expected = (powers / powers.sum(axis=1, keepdims=True))[15:]
        # scores up to 20 with six digits, and e to the power of them
        np.testing.assert_allclose(weights, expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(largest, np.asarray(weights).max(1), rtol=1e-6)
        np.testing.assert_array_equal(asked, [0, 1, 2, 3, 4])
        outs = np.tanh(expected @ v @ np.float64(params["o"]))
        # the weights have four digits
        np.testing.assert_allclose(said, outs, rtol=1e-4, atol=1e-4)


@jax.jit
def built_in(params, x):
    """`attention` with the causal mask, by JAX's own function."""
    q = (x @ params["q"])[:, None]
    k = (x @ params["k"])[:, None]
    v = (x @ params["v"])[:, None]
    y = jax.nn.dot_product_attention(q, k, v, is_causal=True)
    return y[:, 0]


def attention_is_built_in(seed=0):
    """JAX has attention built in: `jax.nn.dot_product_attention`.

    It takes the queries, keys and values of all heads, with the shape [length, heads,
    numbers]; for a batch, one more axis stands in front. We have one head, so
    `[:, None]` makes an axis of length 1. The scores are
    divided by √d as we did. `is_causal=True` is the causal mask, and its argument
    `mask` takes masks of your own.

    Where to go from here: libraries such as Flax have ready-made layers for recurrent
    networks and attention, and Optax has `optax.clip_by_global_norm`, which does what
    our `clip` does.
    """
    params, x = example(seed)
    ours = attention(params, x, jnp.tril(jnp.ones((4, 4), dtype=bool)))

    y = built_in(params, x)
    return params, x, ours, y


def check_built_in_attention_is_a_plain_loop():
    """The built-in function and ours both give what plain loops give."""
    for seed in (0, 1):
        params, x, ours, y = attention_is_built_in(seed)
        expected = attention_in_numpy(params, x, np.tri(4))
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
