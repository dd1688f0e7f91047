"""Random keys: randomness is an argument, and you pass it in.

NumPy keeps a hidden state that every draw changes. JAX keeps none: you hand a key to
each draw, and the same draw with the same key gives the same numbers, whatever was
drawn before. You will learn to make new keys from a key, to give one to every part of a
program, and to recognise the mistakes that JAX does not report.
Read first: first_steps and numpy_parity. Read next: pure_functions.
"""

from statistics import NormalDist

import jax
import jax.numpy as jnp
import numpy as np

ORDER = 40


def two_draws_in_two_orders(seed=0):
    """NumPy draws from a state that it keeps hidden.

    `np.random.seed` sets that state.

    Predict: both halves start from the same seed and add one uniform number `u` and
    one normal number `z`. Only the order of the draws differs. Are the sums equal?
    """
    np.random.seed(seed)
    u = np.random.uniform()
    z = np.random.normal()
    u_first = u + z

    np.random.seed(seed)
    z = np.random.normal()
    u = np.random.uniform()
    z_first = z + u
    return u_first, z_first


def check_the_order_changes_the_sum():
    """From seed 0 the sum is 1.2904… with the uniform number first, else 2.3668…."""
    sums = two_draws_in_two_orders(0)
    np.testing.assert_allclose(sums, [1.290405244736486, 2.366815722039308], rtol=1e-15)
    for seed in (1, 7):
        a, b = np.random.RandomState(seed), np.random.RandomState(seed)
        alone = [a.uniform() + a.normal(), b.normal() + b.uniform()]
        np.testing.assert_allclose(two_draws_in_two_orders(seed), alone, rtol=1e-15)


def a_generator_changes_when_you_draw(seed=0):
    """A NumPy Generator carries a state too, and drawing changes it.

    `np.random.default_rng` returns a `Generator`. You can pass it to a function, so the
    state is no longer hidden. But every draw still changes it, and so the draws from
    one generator have to happen one after the other, in one fixed order, if you want
    the same numbers again. JAX avoids that, because it wants to run your code on whole
    batches and on many devices at once.
    """
    generator = np.random.default_rng(seed)
    first = generator.uniform()
    second = generator.uniform()
    return first, second


def check_the_generator_moved_on():
    """The same call on the same generator gives the next number of its stream."""
    for seed in (0, 7):
        calls = a_generator_changes_when_you_draw(seed)
        np.testing.assert_array_equal(calls, np.random.default_rng(seed).random(2))


def same_key_same_numbers(seed=21):
    """A JAX draw needs a key, and does not change it.

    `jax.random.key(seed)` makes a key from a whole number. You pass the key as the
    first argument: `jax.random.normal(key, (3,))` draws three normal numbers with it.
    When you print a key, you see its type and the two numbers that it holds. In the
    type, `key<fry>`, fry is short for Threefry, the method that makes the numbers. It
    is the usual one. The word `overlaying` is only how JAX prints a key.

    Compare the key before and after, and the two draws. What you want is usually
    *other* numbers. For these you need another key: see below.
    """
    key = jax.random.key(seed)
    print(key)
    first = jax.random.normal(key, (3,))
    again = jax.random.normal(key, (3,))
    print(key)
    return first, again


def check_a_draw_repeats():
    """Drawing twice with one key gives the same numbers, bit for bit."""
    for seed in (0, 21, 42):
        first, again = same_key_same_numbers(seed)
        np.testing.assert_array_equal(first, again)


def check_key_21_draws_these_numbers():
    """With JAX's usual settings, key 21 draws 0.5006109, 0.3763011, -0.2896132."""
    first, _ = same_key_same_numbers(21)
    np.testing.assert_allclose(first, [0.5006109, 0.3763011, -0.2896132], rtol=1e-5)


def a_seed_is_not_a_key(seed=0):
    """A seed is not a key: JAX refuses it, and a missing key too.

    You will meet these two errors. PRNG stands for *pseudorandom number generator*, and
    in the second message the tuple is the shape, which stands where the key should be.
    """
    try:
        jax.random.normal(seed, (3,))
    except TypeError as error:
        no_key = error

    try:
        jax.random.normal((3,))
    except TypeError as error:
        forgotten = error

    numbers = jax.random.normal(jax.random.key(seed), (3,))
    return no_key, forgotten, numbers


def check_only_a_key_will_do():
    """A seed in place of a key is a TypeError, and so is a shape."""
    for seed in (0, 21):
        *refused, numbers = a_seed_is_not_a_key(seed)
        for error in refused:
            assert type(error) is TypeError
            assert "PRNG key" in str(error)
    # today's random bits, the same on every machine
    np.testing.assert_allclose(numbers, [0.5006109, 0.3763011, -0.2896132], rtol=1e-5)


def split_gives_fresh_numbers(seed=21):
    """For fresh numbers, split the key and draw with the new subkey.

    The rule is: use a key once, either to draw or to split. `jax.random.split(key)`
    makes two new keys from one. The usual line stores the first in `key` again and the
    second in `subkey`. You draw with `subkey`, once, and keep `key` for the next split.
    The name `key` now stands for a new key, so you cannot use the old one again by
    mistake. Below, the page writes the name before each of the two keys. Compare the
    two numbers of `key` from line to line.
    """
    key = jax.random.key(seed)

    key, subkey = jax.random.split(key)
    first = jax.random.normal(subkey, (3,))

    key, subkey = jax.random.split(key)
    second = jax.random.normal(subkey, (3,))
    return first, second


def check_every_split_gives_new_numbers():
    """Each split gives new numbers; with usual settings, key 21 gives those above."""
    numbers = np.ravel([split_gives_fresh_numbers(seed) for seed in range(10)])
    assert len(np.unique(numbers)) == 60
    first, second = split_gives_fresh_numbers(21)  # today's bits, on every machine
    np.testing.assert_allclose(first, [0.7715323, 0.0127152, 0.1001583], rtol=1e-5)
    np.testing.assert_allclose(second, [0.685798, -2.0606947, -0.4637967], rtol=1e-5)


def order_is_free_with_keys(seed=0):
    """A draw with a key does not depend on the draws before it.

    `jax.random.uniform(key)` draws one number between 0 and 1. Here `u` and `z` have a
    key each. The second half draws them again in the other order, as we did with NumPy
    above, and this time the sum is the same.
    """
    key_u, key_z = jax.random.split(jax.random.key(seed))

    u = jax.random.uniform(key_u)
    z = jax.random.normal(key_z)
    u_first = u + z

    z = jax.random.normal(key_z)
    u = jax.random.uniform(key_u)
    z_first = z + u
    return u_first, z_first


def check_the_sum_does_not_depend_on_the_order():
    """With a key for each draw, both orders give the same sum, bit for bit."""
    for seed in (0, 1, 21):
        u_first, z_first = order_is_free_with_keys(seed)
        np.testing.assert_array_equal(u_first, z_first)


def split_into_many(seed=0, n=4):
    """`split(key, n)` makes n keys at once.

    The result is an array of keys, `key<fry>[4]`. You can loop over it, take one key
    out with `keys[0]`, or unpack it: `key_a, key_b, key_c = jax.random.split(key, 3)`.
    Do not split one key twice: with JAX's usual settings, `split(key, 2)` makes again
    the first two keys of `split(key, 4)`.
    """
    key = jax.random.key(seed)
    keys = jax.random.split(key, n)

    draws = []
    for subkey in keys:
        draw = jax.random.uniform(subkey)
        draws.append(draw)
    return draws


def check_every_key_draws_its_own_number():
    """The keys of this split draw numbers that are all different."""
    for n in (4, 6):
        draws = split_into_many(0, n)
        assert len(np.unique(draws)) == n
        # today's random bits, the same on every machine
        digits = [0.8423141, 0.0072938, 0.9024495, 0.2669895]
        np.testing.assert_allclose(draws[:4], digits, rtol=1e-5)


def the_shape_says_how_many(seed=0):
    """The argument `shape` says how many numbers you get.

    One key is enough for an array of any size. Without a shape you get one number.
    """
    key_a, key_b, key_c = jax.random.split(jax.random.key(seed), 3)
    number = jax.random.normal(key_a)
    row = jax.random.normal(key_b, (3,))
    table = jax.random.normal(key_c, shape=(2, 3))
    return number.shape, row.shape, table.shape


def check_the_shapes():
    """Without a shape there is one number, else an array of just that shape."""
    assert the_shape_says_how_many(0) == ((), (3,), (2, 3))


def other_distributions(seed=0, low=-1.0, high=1.0, chance=0.5):
    """Other distributions work the same way: the key comes first.

    `uniform` takes the ends of an interval, `minval` and `maxval`. `bernoulli` is True
    with the given chance, which stands before the shape. For whole numbers there is
    `randint`: `jax.random.randint(key, (3,), 0, 10)` draws three from 0 to 9.
    """
    key = jax.random.key(seed)
    key_u, key_a, key_b, key_c = jax.random.split(key, 4)
    place = jax.random.uniform(key_u, (3,), minval=low, maxval=high)
    heads = jax.random.bernoulli(key_a, chance, (5,))
    never = jax.random.bernoulli(key_b, 0.0, (5,))
    always = jax.random.bernoulli(key_c, 1.0, (5,))
    return place, heads, never, always


def check_uniform_stays_inside():
    """Uniform numbers lie between `minval` and `maxval`."""
    for low, high in ((-1.0, 1.0), (3.0, 3.00001)):
        place = np.asarray(other_distributions(0, low, high)[0])
        assert ((low <= place) & (place <= high + 1e-6)).all()


def check_coins():
    """With the chance 0 every draw is False, with the chance 1 every draw is True."""
    for chance in (0.0, 1.0):
        _, heads, never, always = other_distributions(chance=chance)
        np.testing.assert_array_equal(heads, [chance == 1.0] * 5)
        np.testing.assert_array_equal(never, [False] * 5)
        np.testing.assert_array_equal(always, [True] * 5)


def shuffles_and_hands(seed=0):
    """JAX shuffles and picks with a key, too.

    `permutation(key, 5)` shuffles the numbers 0 to 4. `choice` picks from an array;
    with `replace=False` it takes no entry twice.
    """
    key_p, key_c = jax.random.split(jax.random.key(seed))
    order = jax.random.permutation(key_p, 5)
    hand = jax.random.choice(key_c, order, (2,), replace=False)
    return order, hand


def check_shuffles_and_hands():
    """A permutation holds each number once, and a hand holds no number twice."""
    hands = []
    for seed in range(20):
        order, hand = shuffles_and_hands(seed)
        np.testing.assert_array_equal(np.sort(order), range(5))
        assert len(np.unique(hand)) == 2
        hands += hand.tolist()
    assert set(hands) == {0, 1, 2, 3, 4}


def sample(key):
    """Draw one number; return it and the next key."""
    key, subkey = jax.random.split(key)
    return jax.random.uniform(subkey), key


def pass_the_new_key_on(seed=0):
    """A function that splits its key returns the new key, too.

    `sample` splits the key that it gets. It cannot change the caller's key, so it
    returns the new one beside the number, and the caller passes it to the next call.
    """
    key = jax.random.key(seed)
    first, key = sample(key)
    second, key = sample(key)
    return first, second


def check_a_kept_key_gives_new_numbers():
    """Each call with a new key draws another number."""
    for seed in (0, 7):
        first, second = pass_the_new_key_on(seed)
        assert first != second
    # today's random bits, the same on every machine
    np.testing.assert_allclose(
        pass_the_new_key_on(0), [0.00729382, 0.10429037], rtol=1e-5
    )


def the_new_key_is_lost(seed=0):
    """A program has to keep the new key that it is given.

    This program calls `sample` from above. It stores the number, but not the new key.
    Compare the two numbers.
    """
    key = jax.random.key(seed)
    first, _ = sample(key)
    second, _ = sample(key)  # the mistake: key is still the old one
    return first, second


def check_only_a_new_key_gives_a_new_number():
    """With the new key lost, every call draws the first number again."""
    for seed in (0, 7):
        first, second = the_new_key_is_lost(seed)
        np.testing.assert_array_equal(first, second)
    # today's random bits, the same on every machine
    np.testing.assert_allclose(the_new_key_is_lost(0), [0.00729382] * 2, rtol=1e-5)


def one_key_for_two_draws(seed=0):
    """Draws of two kinds need two keys, too.

    `np.corrcoef` measures how closely two lists of numbers are related: 1 means that
    one follows from the other along a straight line, and 0 that they are not
    correlated.

    Predict: u and z look nothing alike. How strongly are they correlated?
    """
    key = jax.random.key(seed)
    u = jax.random.uniform(key, (10_000,))
    z = jax.random.normal(key, (10_000,))  # the mistake: the same key
    mistaken = np.corrcoef(u, z)[0, 1]

    key_u, key_z = jax.random.split(key)  # the cure: a key for each draw
    u = jax.random.uniform(key_u, (10_000,))
    z = jax.random.normal(key_z, (10_000,))
    cured = np.corrcoef(u, z)[0, 1]
    return mistaken, u, z, cured


def check_one_key_correlates_two_draws():
    """Uniform and normal from one key correlate as √(3/π) = 0.977, from two about 0."""
    for seed in (0, 1, 2):
        mistaken, u, z, cured = one_key_for_two_draws(seed)
        # 10,000 draws: this correlation is known to about 0.0005, that of 0 to 0.01
        np.testing.assert_allclose(mistaken, np.sqrt(3 / np.pi), rtol=2e-3)
        assert abs(cured) < 0.05
        u, z = np.asarray(u, float), np.asarray(z, float)
        np.testing.assert_allclose(cured, np.corrcoef(u, z)[0, 1], atol=1e-6)


def related_and_unrelated_pairs(seed=0, n=300):
    """Pairs from one key lie on a curve; pairs from two keys form a cloud.

    Each point of the picture is a pair of draws, with the uniform number `u` along and
    the normal number `z` up. With one key, z is large where u is large. (Other kinds
    of draws can be related as closely, or hardly at all.)

    Why a curve? From one key, `uniform` and `normal` get the same random bits, and each
    makes a number of them in its own way. Half of all normal numbers are below 0, so
    the curve passes through z = 0 at u = 0.5. And 90 % are below 1.28, so it passes
    through z = 1.28 at u = 0.9. Such a z is called the normal quantile at u. In the
    terminal, `o` marks the pairs from one key.
    """
    import matplotlib.pyplot as plt

    _, axes = plt.subplots()
    key, key_u, key_z = jax.random.split(jax.random.key(seed), 3)
    u = jax.random.uniform(key_u, (100,))
    z = jax.random.normal(key_z, (100,))
    axes.plot(u, z, ".", label="two keys")
    same_u = jax.random.uniform(key, (n,))
    same_z = jax.random.normal(key, (n,))
    axes.plot(same_u, same_z, ".", label="one key")
    axes.set(title="Pairs of draws", xlabel="uniform u", ylabel="normal z")
    axes.legend()
    return axes


def check_related_pairs_lie_on_the_curve():
    """With one key, each normal number is the normal quantile at the uniform one."""
    for seed in (0, 5):
        two_keys, one_key = related_and_unrelated_pairs(seed).get_lines()
        u = one_key.get_xdata().astype(float) + 2.0**-25  # half of the last bit of u
        quantiles = [NormalDist().inv_cdf(x) for x in u]
        # JAX works the quantile out in float32
        np.testing.assert_allclose(one_key.get_ydata(), quantiles, rtol=1e-4)
        assert abs(np.corrcoef(*two_keys.get_data())[0, 1]) < 0.4


def two_shapes_from_one_key(seed=21):
    """Every array needs a key of its own.

    It is tempting to use one key for several arrays when their shapes differ.

    Predict: `short` has three numbers, `long` has six, both from the same key. Do they
    share any?
    """
    key = jax.random.key(seed)
    short = jax.random.normal(key, (3,))
    long = jax.random.normal(key, (6,))
    table = jax.random.normal(key, (2, 3))
    return short, long, table


def check_a_longer_draw_begins_with_the_shorter():
    """With usual settings, `long` begins with `short`, and `table` holds `long`."""
    for seed in (0, 21):
        short, long, table = two_shapes_from_one_key(seed)
        np.testing.assert_array_equal(short, long[:3])
        np.testing.assert_array_equal(long, np.ravel(table))


def make_data(key):
    """Draw inputs x, and targets y: twice x plus a little noise."""
    key_x, key_noise = jax.random.split(key)
    x = jax.random.normal(key_x, (3,))
    noise = jax.random.normal(key_noise, (3,))
    y = 2 * x + 0.1 * noise
    return x, y


def init_model(key):
    """Draw the weights and the bias that a model starts from."""
    key_w, key_b = jax.random.split(key)
    w = jax.random.normal(key_w, (3,))
    b = jax.random.normal(key_b)
    return w, b


def one_key_for_two_parts(seed=0):
    """Every part of a program needs a key of its own, too.

    `make_data` and `init_model` are right, each for itself: they split their key and
    draw once with every subkey. The program calls them one after the other.

    Predict: `x` and `w` come from two functions, and from subkeys with different names.
    How far is `w` from `x`?
    """
    key = jax.random.key(seed)
    x, y = make_data(key)
    w, b = init_model(key)  # the mistake: both parts get the same key
    difference = w - x
    return x, y, w, b, difference


def check_the_weights_are_the_inputs():
    """A key split twice gives the same subkeys: w equals x, and b the first noise."""
    for seed in (0, 1, 42):
        x, y, w, b, difference = one_key_for_two_parts(seed)
        np.testing.assert_array_equal(w, x)
        np.testing.assert_array_equal(difference, [0.0, 0.0, 0.0])
        noise = (np.asarray(y, float) - 2 * np.asarray(x, float)) / 0.1
        # y is rounded to float32, and the noise is a tenth of it
        np.testing.assert_allclose(noise[0], b, atol=1e-5)


def a_key_for_each_part(seed=0):
    """The program splits first, and gives each part its key.

    This is the cure. `make_data` and `init_model` stay as they are.
    """
    key_data, key_model = jax.random.split(jax.random.key(seed))
    x, _ = make_data(key_data)
    w, _ = init_model(key_model)
    difference = w - x
    return x, w, difference


def check_parts_draw_their_own_numbers():
    """With a key for each part, no weight equals its input."""
    for seed in (0, 1, 42):
        x, w, difference = a_key_for_each_part(seed)
        assert (np.abs(difference) > 1e-3).all()
        expected = np.asarray(w, float) - np.asarray(x, float)
        np.testing.assert_allclose(difference, expected, rtol=1e-6)


def fold_in_gives_each_step_its_key(seed=0, steps=4):
    """`fold_in` makes a key from a key and a whole number, such as a step number.

    A loop that splits its key in every step has to hand the new key on to the next.
    With `jax.random.fold_in(key, step)` it does not: `key` stays the same, and each
    step makes a key of its own. So a program that was stopped can resume at any step,
    and it draws the number that the loop drew there.

    `fold_in` does not use a key up: you may fold many numbers into one key. But do not
    draw with that key or split it. Use `split(key, n)` when you need n keys now, and
    `fold_in` when a number, such as a step, says which key you need.
    """
    key = jax.random.key(seed)
    draws = []
    for step in range(steps):
        step_key = jax.random.fold_in(key, step)
        draw = jax.random.uniform(step_key)
        draws.append(draw)

    resumed_key = jax.random.fold_in(key, steps - 1)
    resumed = jax.random.uniform(resumed_key)
    return draws, resumed


def check_a_step_needs_no_steps_before_it():
    """Each step draws another number; resumed, the last step draws the same again."""
    for steps in (4, 20):
        draws, resumed = fold_in_gives_each_step_its_key(0, steps)
        assert len(np.unique(draws)) == steps
        np.testing.assert_array_equal(resumed, draws[-1])
        digits = [0.8423141, 0.0072938, 0.9024495]  # those of split(key, n)
        np.testing.assert_allclose(draws[:3], digits, rtol=1e-5)


def fold_in_twice_for_two_numbers(seed=0, epochs=3, steps=3):
    """For two numbers, an epoch and a step, use `fold_in` twice.

    An epoch is one pass over all data, in several steps. Fold the epoch into the key
    first, and then fold the step into the key that you got. A tempting short cut is to
    fold in the sum of the two numbers.

    Predict: 3 epochs of 3 steps make 9 draws. How many different numbers come from the
    short cut?
    """
    key = jax.random.key(seed)
    right = []
    mistaken = []
    for epoch in range(epochs):
        epoch_key = jax.random.fold_in(key, epoch)
        for step in range(steps):
            step_key = jax.random.fold_in(epoch_key, step)
            right.append(jax.random.uniform(step_key))
            sum_key = jax.random.fold_in(key, epoch + step)
            mistaken.append(jax.random.uniform(sum_key))

    different = len(np.unique(right))
    different_by_sum = len(np.unique(mistaken))
    return different, different_by_sum


def check_sums_collide():
    """Folded in twice, every step has its own number; the sums share them."""
    for epochs, steps in ((3, 3), (2, 5)):
        different, different_by_sum = fold_in_twice_for_two_numbers(0, epochs, steps)
        assert different == epochs * steps
        assert different_by_sum == epochs + steps - 1


def a_long_step_is_cut(step=1):
    """A number for `fold_in` should lie between 0 and 2³² − 1.

    JAX refuses a number of Python that is larger. But it does not check a number of
    NumPy: of that it keeps 32 bits and drops the rest, and two steps can get the same
    key.
    """
    key = jax.random.key(0)
    step_key = jax.random.fold_in(key, step)
    draw = jax.random.uniform(step_key)

    long_step = 2**32 + step
    try:
        jax.random.fold_in(key, long_step)
    except OverflowError as error:
        refused = error

    cut_key = jax.random.fold_in(key, np.int64(long_step))
    draw_again = jax.random.uniform(cut_key)
    return draw, refused, draw_again


def check_only_32_bits_of_a_step_count():
    """A Python number that is too long is an error; of NumPy's, 32 bits count."""
    digits = (0.0072938, 0.9024495)  # those of steps 1 and 2 above
    for step, expected in zip((1, 2), digits, strict=True):
        draw, refused, draw_again = a_long_step_is_cut(step)
        assert type(refused) is OverflowError
        np.testing.assert_array_equal(draw, draw_again)
        np.testing.assert_allclose(draw, expected, rtol=1e-5)


def fold_in_collides_with_split(seed=0):
    """Use `split` or `fold_in` on a key, but never both.

    Look back: with seed 0, the loop over four subkeys and the loop over four steps drew
    the same numbers. The program below splits its key to draw a model's first weights.
    Later it folds a step number into the same key, and no error warns you. The cure is
    to split off a key that is only used with `fold_in`.

    Myth: `split` and `fold_in` make different keys, so one key can serve both.
    """
    key = jax.random.key(seed)
    key_w, _ = jax.random.split(key)
    w = jax.random.normal(key_w, (3,))
    step_key = jax.random.fold_in(key, 0)  # the mistake: key was split
    noise = jax.random.normal(step_key, (3,))

    key = jax.random.key(seed)  # the cure: begin anew, and only split
    key_w, key_steps = jax.random.split(key)
    step_key = jax.random.fold_in(key_steps, 0)
    noise_cured = jax.random.normal(step_key, (3,))
    same = np.array_equal(w, noise_cured)
    return w, noise, same


def check_step_0_is_the_first_subkey():
    """With usual settings `fold_in(key, 0)` is the first key of `split(key)`."""
    for seed in (0, 21):
        w, noise, same = fold_in_collides_with_split(seed)
        np.testing.assert_array_equal(w, noise)
        assert not same


def jax_finds_keys_used_twice(seed=0):
    """JAX can watch for keys that are used twice.

    `jax.config.update("jax_debug_key_reuse", True)` switches that on. A key from
    `jax.random.key` then counts as used when you have split it or drawn with it, and to
    split it again or to draw with it again is a `KeyReuseError`. (`fold_in` is not
    watched.) Switch it on in your tests, before anything else.

    Below it finds the mistake from above, one key for both `make_data` and
    `init_model`. Then it finds a compiled function that is called twice with one key.
    In the messages, *consumed* means used, and `random_split` is JAX's inner name for
    `split`.
    """
    jax.config.update("jax_debug_key_reuse", True)
    key = jax.random.key(seed)
    make_data(key)
    try:
        init_model(key)  # splits the key again
    except jax.errors.KeyReuseError as error:
        split_twice = error

    @jax.jit
    def draw(key):
        return jax.random.uniform(key)

    key = jax.random.key(seed)
    draw(key)
    try:
        draw(key)
    except jax.errors.KeyReuseError as error:
        drawn_twice = error

    jax.config.update("jax_debug_key_reuse", False)
    return split_twice, drawn_twice


def check_reuse_is_an_error():
    """Here splitting a key twice, or drawing with it twice, is a KeyReuseError."""
    for error in jax_finds_keys_used_twice(7):
        assert type(error).__name__ == "KeyReuseError"
        assert "consumed key" in str(error)


def what_the_checker_does_not_see(seed=0, n=2):
    """The checker does not see every mistake.

    It finds `keys[0]` when it is used twice, but not a second loop over the same array
    of keys. And it does not watch `fold_in`, which can make the same key as `split`. So
    you still need the rules.

    Have a key for each purpose. Split it once, or draw with it once, or only fold
    numbers into it, and no number twice.

    Myth: a program that raises no `KeyReuseError` never draws the same number twice.
    """
    jax.config.update("jax_debug_key_reuse", True)
    keys = jax.random.split(jax.random.key(seed), n)
    first = [jax.random.uniform(key) for key in keys]
    again = [jax.random.uniform(key) for key in keys]  # no error

    key = jax.random.key(seed)
    step_key = jax.random.fold_in(key, 0)
    folded = jax.random.uniform(step_key)
    key_a, _ = jax.random.split(key)
    split = jax.random.uniform(key_a)  # no error
    jax.config.update("jax_debug_key_reuse", False)
    return first, again, folded, split


def check_equal_numbers_without_an_error():
    """Two loops over the same keys draw the same, and so do `fold_in` and `split`."""
    for seed, n in ((0, 2), (21, 3)):
        first, again, folded, split = what_the_checker_does_not_see(seed, n)
        np.testing.assert_array_equal(first, again)
        np.testing.assert_array_equal(folded, split)
        assert len(np.unique(first)) == n


def a_loop_and_a_batch(seed=0, n=4):
    """A loop over keys and a batch over keys draw the same numbers.

    `jax.vmap(f)` is f for a whole batch at once. Here it draws one number with each key
    of an array of keys. With keys of the type `key<fry>` it does not matter whether a
    loop or a batch draws with them.
    """
    keys = jax.random.split(jax.random.key(seed), n)
    loop = []
    for key in keys:
        draw = jax.random.uniform(key)
        loop.append(draw)

    batch = jax.vmap(jax.random.uniform)(keys)
    return loop, batch


def check_who_draws_does_not_matter():
    """The batch draws what the loop draws, bit for bit, and here no number twice."""
    for seed, n in ((0, 4), (21, 6)):
        loop, batch = a_loop_and_a_batch(seed, n)
        np.testing.assert_array_equal(loop, batch)
        assert len(np.unique(loop)) == n


def draws_have_the_right_statistics(seed=0):
    """Draws have the right mean and variance, and subkeys do not correlate.

    Uniform numbers have the mean 1/2 and the variance 1/12 = 0.0833, normal numbers the
    mean 0 and the variance 1. Numbers drawn with two subkeys of one key are not
    correlated. 10,000 draws show that to about 0.01 or 0.02, sometimes 0.03.
    """
    key_u, key_z = jax.random.split(jax.random.key(seed))
    u = jax.random.uniform(key_u, (10_000,))
    mean_u = jnp.mean(u)
    variance_u = jnp.var(u)

    z = jax.random.normal(key_z, (10_000,))
    mean_z = jnp.mean(z)
    variance_z = jnp.var(z)
    correlation = np.corrcoef(u, z)[0, 1]
    return u, mean_u, variance_u, z, mean_z, variance_z, correlation


def check_means_and_variances():
    """Here each mean, variance and correlation is within 0.04 of what it should be."""
    for seed in (0, 1, 2):
        u, mean_u, variance_u, z, *found = draws_have_the_right_statistics(seed)
        found = [mean_u, variance_u, *found]
        # 10,000 draws tell a mean to 0.01, and four times that is rarely missed
        np.testing.assert_allclose(found, [1 / 2, 1 / 12, 0, 1, 0], atol=0.04)
        u, z = np.asarray(u, float), np.asarray(z, float)
        again = [u.mean(), u.var(), z.mean(), z.var(), np.corrcoef(u, z)[0, 1]]
        np.testing.assert_allclose(found, again, atol=1e-5)


def a_key_holds_two_numbers(seed=21):
    """A key holds its seed, and a subkey holds numbers that look random.

    `jax.random.key_data(key)` shows what is inside: two whole numbers of 32 bits. They
    are an ordinary array, which you can save in a file. `jax.random.wrap_key_data`
    makes a key of them again.
    """
    key = jax.random.key(seed)
    inside = jax.random.key_data(key)
    key_a, key_b = jax.random.split(key)
    inside_a = jax.random.key_data(key_a)
    inside_b = jax.random.key_data(key_b)

    key_again = jax.random.wrap_key_data(inside_a)
    draw = jax.random.uniform(key_a)
    draw_again = jax.random.uniform(key_again)
    return inside, inside_a, inside_b, draw, draw_again


def check_what_keys_hold():
    """A new key holds 0 and its seed, if that lies between 0 and 2³² − 1."""
    for seed in (0, 21, 2**32 - 1):
        inside = a_key_holds_two_numbers(seed)[0]
        np.testing.assert_array_equal(inside, [0, seed])


def check_what_subkeys_hold():
    """With JAX's usual settings, key 21 splits into the two subkeys above."""
    # today's random bits: they are the same on every machine since JAX 0.5
    _, inside_a, inside_b, _, _ = a_key_holds_two_numbers(21)
    np.testing.assert_array_equal(inside_a, [2350560007, 1024160832])
    np.testing.assert_array_equal(inside_b, [549268965, 2234923354])


def check_a_saved_key_draws_the_same():
    """The key that was made of the two numbers of `key_a` draws what `key_a` draws."""
    for seed in (0, 21):
        _, _, _, draw, draw_again = a_key_holds_two_numbers(seed)
        np.testing.assert_array_equal(draw, draw_again)


def a_long_seed_is_cut(seed=21):
    """A seed of 33 bits loses the first one, without a warning.

    Whole numbers in JAX have 32 bits by default, and of a seed 32 are kept. (A number
    of Python from 2⁶³ on is refused.) The seeds 21 and 2³² + 21 therefore make the same
    key. With `jax.config.update("jax_enable_x64", True)` you switch to 64 bits, and
    then they make different keys.
    """
    long_seed = 2**32 + seed
    short = jax.random.key_data(jax.random.key(seed))
    cut = jax.random.key_data(jax.random.key(long_seed))

    jax.config.update("jax_enable_x64", True)
    whole = jax.random.key_data(jax.random.key(long_seed))
    jax.config.update("jax_enable_x64", False)
    return short, cut, whole


def check_only_32_bits_of_a_seed_count():
    """By default 21 and 2³² + 21 give the same key; with 64 bits, not."""
    for seed in (21, 0x23456789):
        short, cut, whole = a_long_seed_is_cut(seed)
        np.testing.assert_array_equal(short, [0, seed])
        np.testing.assert_array_equal(cut, [0, seed])
        np.testing.assert_array_equal(whole, [1, seed])


def old_code_says_prngkey(seed=21):
    """In old code, keys come from `PRNGKey` and are plain arrays.

    `jax.random.PRNGKey(seed)` makes the same key as `jax.random.key(seed)`, but as an
    ordinary array of two whole numbers, and it draws the same numbers. So JAX lets you
    compute with it as with any array: `old_key + 1` is another key, made by accident. A
    key from `jax.random.key` refuses that. And `jax_debug_key_reuse` does not watch old
    keys. Use `key` in new code.
    """
    old_key = jax.random.PRNGKey(seed)
    key = jax.random.key(seed)
    old_draw = jax.random.normal(old_key, (3,))
    draw = jax.random.normal(key, (3,))

    accident = old_key + 1
    try:
        key + 1
    except TypeError as error:
        refused = error
    return old_draw, draw, accident, refused


def check_old_keys_draw_the_same():
    """An old key draws the same numbers and allows + 1; a new key refuses it."""
    for seed in (0, 21):
        old_draw, draw, accident, refused = old_code_says_prngkey(seed)
        np.testing.assert_array_equal(old_draw, draw)
        np.testing.assert_array_equal(accident, [1, seed + 1])
        assert type(refused).__name__ == "TypeError"
        assert "key<fry>" in str(refused)


def numbers_before_jax_0_5(seed=21, shape=(3,)):
    """`jax_threefry_partitionable` chooses between new and old random numbers.

    Since JAX 0.5 this setting is on. When you switch it off, you get the numbers of
    older versions: other draws, and other subkeys. So a page from before JAX 0.5 prints
    other numbers than you get, and neither is wrong. Compare the numbers of today with
    those before.

    Myth: the same seed gives the same numbers in every version of JAX.
    """
    key = jax.random.key(seed)
    today = jax.random.normal(key, shape)
    subkeys = jax.random.split(key)
    inside_today = jax.random.key_data(subkeys)

    jax.config.update("jax_threefry_partitionable", False)
    before = jax.random.normal(key, shape)
    subkeys = jax.random.split(key)
    inside_before = jax.random.key_data(subkeys)
    jax.config.update("jax_threefry_partitionable", True)
    return today, inside_today, before, inside_before


def check_the_printed_numbers_come_back():
    """Off, the setting brings back what key 21 drew and split into before JAX 0.5."""
    today, inside_today, before, inside = numbers_before_jax_0_5(21)
    expected = [[2350560007, 1024160832], [549268965, 2234923354]]
    np.testing.assert_array_equal(inside_today, expected)
    np.testing.assert_allclose(today, [0.5006109, 0.3763011, -0.2896132], rtol=1e-5)
    printed = [-2.6825788, -0.7566388, -0.29570565]
    np.testing.assert_allclose(before, printed, rtol=1e-5)
    printed = [[15689208, 2943087094], [1648097174, 339021355]]
    np.testing.assert_array_equal(inside, printed)
    z = numbers_before_jax_0_5(42, ())[2]  # another printed number
    u = NormalDist().cdf(float(z))  # from one key, normal is the quantile at uniform
    np.testing.assert_allclose([u, u + z], [0.42672753, 0.24201576], rtol=1e-5)


def numbers_of_an_old_page(seed=0x23456789):
    """With the setting off, the printed numbers of an old page come back.

    `printed` holds five numbers from an introduction to JAX, written before JAX 0.5,
    which drew them with the second subkey of this seed. `u` is what you draw today,
    with the setting off.
    """
    printed = [0.2918682, 0.90834665, 0.13555491, 0.08107758, 0.9746183]
    jax.config.update("jax_threefry_partitionable", False)
    _, subkey = jax.random.split(jax.random.key(seed))
    u = jax.random.uniform(subkey, (5,))
    jax.config.update("jax_threefry_partitionable", True)
    u - np.array(printed)
    return u


def check_more_printed_numbers_come_back():
    """The five printed numbers come back."""
    u = numbers_of_an_old_page()
    printed = [0.2918682, 0.90834665, 0.13555491, 0.08107758, 0.9746183]
    np.testing.assert_allclose(u, printed, rtol=1e-6)
