"""Random keys: randomness is an argument, and you pass it in.

NumPy keeps a hidden state that every draw moves on. JAX keeps none: a draw is a
function of a key, so fresh numbers need a fresh key. You will split keys, use each one
once, let JAX find those used twice, and see why the numbers on older pages are not the
numbers you get. Read numpy_parity first.
"""

from statistics import NormalDist

import jax
import jax.numpy as jnp
import numpy as np

try:
    from jax import enable_x64
except ImportError:  # before jax 0.8
    from jax.experimental import enable_x64

ORDER = 20  # lessons stand in steps of ten; there is no other registry


def numpy_depends_on_the_order(seed=0):
    """a + b is b + a, but not where a and b are drawn from NumPy's hidden state.

    Each draw moves the state on, so whoever draws first gets the first number.

    Predict: uniform() + normal() and normal() + uniform(), both from seed 0: equal?
    """
    before, u, n = np.random.get_state(), np.random.uniform, np.random.normal
    sums = {}
    for name, add in {
        "uniform() + normal()": lambda: u() + n(),
        "normal() + uniform()": lambda: n() + u(),
        "uniform() + 2 * uniform()": lambda: u() + 2 * u(),
    }.items():
        np.random.seed(seed)
        sums[name] = add()
    np.random.set_state(before)  # other code may count on the hidden state
    return sums


def check_the_order_changes_the_sum():
    """From seed 0 the sum is 1.290405244736486 or 2.366815722039308, as drawn."""
    sums = list(numpy_depends_on_the_order().values())
    printed = [1.290405244736486, 2.366815722039308, 1.9791922366721637]
    np.testing.assert_allclose(sums, printed, rtol=1e-15)


def a_generator_changes_when_you_draw(seed=0):
    """NumPy's newer generator is an argument, yet drawing from it still changes it.

    So a function that takes one is not pure: the same call gives another answer.
    """

    def noise(generator):
        return generator.uniform()

    generator = np.random.default_rng(seed)
    return {"first call": noise(generator), "same call again": noise(generator)}


def check_the_generator_moved_on():
    """The same call on the same generator gives the next number of its stream."""
    for seed in (0, 1, 42):
        calls = list(a_generator_changes_when_you_draw(seed).values())
        np.testing.assert_array_equal(calls, np.random.default_rng(seed).random(2))
        assert calls[0] != calls[1]


def same_key_same_numbers(seed=21):
    """A JAX draw is a function of its key, and a function gives one answer.

    Nothing is stored, so nothing moves on.

    Predict: you draw three numbers twice with one key. Are the second three new?
    """
    key = jax.random.key(seed)
    with jax.debug_key_reuse(False):  # here the repetition is the point
        first = jax.random.normal(key, (3,), jnp.float32)
        again = jax.random.normal(key, (3,), jnp.float32)
    return {"first": first, "again": again}


def check_a_draw_repeats():
    """Drawing twice with one key gives the same numbers, bit for bit."""
    for seed in (0, 21, 42):
        drawn = same_key_same_numbers(seed)
        np.testing.assert_array_equal(drawn["first"], drawn["again"])


def a_key_is_two_numbers(seed=21):
    """A key is two 32-bit numbers: at the start, zero and your seed. It is no stream.

    JAX prints its type as `key<fry>`, after Threefry, the hash that makes random numbers
    of it. The type protects it: nobody adds 1 to a key by accident.
    """
    key = jax.random.key(seed)
    try:
        key + 1
    except TypeError as error:
        refusal = error
    return {
        "type": str(key.dtype),
        "data": jax.random.key_data(key),
        "key + 1": refusal,
    }


def check_a_key_holds_its_seed():
    """A key holds zero and the seed, has type key<fry>, and refuses to be added to."""
    for seed in (0, 21, 2**31 - 1):
        key = a_key_is_two_numbers(seed)
        np.testing.assert_array_equal(key["data"], np.array([0, seed], np.uint32))
        assert key["type"] == "key<fry>"
        assert isinstance(key["key + 1"], TypeError)
        assert "key<fry>" in str(key["key + 1"])


def a_long_seed_is_cut(seed=0x123456789):
    """A seed of more than 32 bits loses its upper bits, and nothing warns you.

    Myth: a page seeds with 0x123456789. By default that is the seed 0x23456789.
    """
    with enable_x64(False):
        short = jax.random.key_data(jax.random.key(seed))
    with enable_x64(True):
        long = jax.random.key_data(jax.random.key(seed))
    return {"32-bit mode, the default": short, "64-bit mode": long}


def check_the_upper_bits_are_lost():
    """In 32-bit mode a key keeps the seed modulo 2³², in 64-bit mode all of it."""
    for seed in (7, 0x123456789, 2**40 + 5):
        short, long = a_long_seed_is_cut(seed).values()
        np.testing.assert_array_equal(short, np.array([0, seed % 2**32], np.uint32))
        np.testing.assert_array_equal(long, np.array(divmod(seed, 2**32), np.uint32))


def threefry(key, n):
    """Threefry in NumPy: hash the counters 0 to n−1 with a key, ([2], n) -> [n, 2].

    Twenty rounds of add, rotate, xor (Salmon and others, SC 2011): our referee.
    """
    a, b = np.array(key, np.uint32)
    words = a, b, a ^ b ^ np.uint32(0x1BD11BDA)
    x, y = np.zeros(n, np.uint32) + a, np.arange(n, dtype=np.uint32) + b
    for block in range(5):
        for turn in ((13, 15, 26, 6), (17, 29, 16, 24))[block % 2]:
            x = x + y
            y = x ^ (y << np.uint32(turn) | y >> np.uint32(32 - turn))
        x = x + words[(block + 1) % 3]
        y = y + words[(block + 2) % 3] + np.uint32(block + 1)
    return np.stack([x, y], axis=1)


def uniform_by_hand(key, n):
    """Numbers in [0, 1): xor the two words, keep 23 bits, divide by 2²³."""
    x, y = threefry(key, n).T
    return ((x ^ y) >> np.uint32(9)) / 2.0**23


def normal_by_hand(key, n):
    """Normal numbers: Φ, the normal distribution function, inverted at the uniforms."""
    uniforms = uniform_by_hand(key, n) + 2.0**-25  # JAX shifts them: Φ⁻¹(0) = −∞
    return np.array([NormalDist().inv_cdf(u) for u in uniforms])


def a_draw_is_a_hash(seed=21, n=4):
    """Number i of a draw is the hash of the key and the counter i. That is all of it.

    So the NumPy above predicts every number of JAX. `clone` says that a key is used
    again on purpose.
    """
    key = jax.random.key(seed)
    with jax.threefry_partitionable(True):  # today's default; older bits: see below
        uniform = jax.random.uniform(jax.random.clone(key), (n,), jnp.float32)
        normal = jax.random.normal(jax.random.clone(key), (n,), jnp.float32)
    return {"uniform": uniform, "normal": normal}


def check_uniform_is_predicted():
    """NumPy predicts JAX's uniform numbers to the last bit."""
    for seed, n in ((21, 4), (0, 4), (7, 999)):
        uniform = a_draw_is_a_hash(seed, n)["uniform"]
        np.testing.assert_array_equal(uniform, uniform_by_hand((0, seed), n))


def check_normal_is_predicted():
    """NumPy predicts JAX's normal numbers within float32 rounding."""
    for seed, n in ((21, 4), (0, 4), (7, 999)):
        normal = a_draw_is_a_hash(seed, n)["normal"]
        np.testing.assert_allclose(normal, normal_by_hand((0, seed), n), rtol=1e-5)


def split_makes_new_keys(seed=21, n=5):
    """`split` hashes a key into n new keys: child i is the hash of the counter i.

    The parent is used up, for a draw from it would hash the very same counters.
    """
    with jax.threefry_partitionable(True):
        keys = jax.random.split(jax.random.key(seed), n)
        draws = [jax.random.uniform(key, (2, 2), jnp.float32) for key in keys]
    return {"keys": jax.random.key_data(keys), "draws": jnp.stack(draws)}


def check_children_are_hashes():
    """Child i of a key is the hash of that key and i, for 2 children and for 5."""
    for seed, n in ((21, 2), (0, 5), (42, 5)):
        keys = split_makes_new_keys(seed, n)["keys"]
        np.testing.assert_array_equal(keys, threefry((0, seed), n))


def check_each_child_draws_for_itself():
    """Each child gives a draw of its own, and no number comes twice."""
    draws = split_makes_new_keys(42)["draws"]
    expected = [uniform_by_hand(key, 4) for key in threefry((0, 42), 5)]
    np.testing.assert_array_equal(draws, np.reshape(expected, (5, 2, 2)))
    assert len(np.unique(draws)) == 20


def the_tree_of_keys(seed=21, depth=3):
    """Splitting grows a tree from one seed: split at the branches, draw at the leaves.

    Each label is a key, two words in hexadecimal. No two are the same.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 4))
    keys = [jax.random.key(seed)]
    for level in range(depth + 1):
        for i, key in enumerate(keys):
            x, above = (i + 0.5) / 2**level, max(level - 1, 0)
            axes.plot([(i // 2 + 0.5) / 2**above, x], [above, level], "o-", color="C0")
            words = "\n".join(
                f"{word:08x}" for word in jax.random.key_data(key).tolist()
            )
            axes.text(x, level + 0.15, words, va="top", ha="center", family="monospace")
        with jax.threefry_partitionable(True):
            keys = [child for key in keys for child in jax.random.split(key)]
    axes.set(ylim=(depth + 0.8, -0.2), xticks=[], yticks=range(depth + 1))
    axes.set(title=f"jax.random.key({seed}), split again and again", ylabel="splits")
    plt.close(figure)  # returned, not shown twice
    return figure


def check_the_tree():
    """Level d holds 2^d keys, each the hash of the key above it with 0 or with 1."""
    for seed in (21, 5):
        axes = the_tree_of_keys(seed).axes[0]
        keys = [[int(w, 16) for w in text.get_text().split()] for text in axes.texts]
        hashed = [child for key in keys[:7] for child in threefry(key, 2).tolist()]
        assert keys == [[0, seed], *hashed]
        ends = [line.get_ydata() for line in axes.lines]
        levels = np.repeat([0, 1, 2, 3], [1, 2, 4, 8])
        np.testing.assert_array_equal(
            ends, np.stack([levels - (levels > 0), levels], 1)
        )


def pass_the_new_key_on(seed=0, steps=3):
    """A pure sampler splits its key, draws, and returns the draw and the new key.

    Without the new key the caller can only pass the old one, and gets the old number.

    Myth: slides split inside the function and return the draw alone.
    """

    def sample(key):
        key, subkey = jax.random.split(key)
        return jax.random.uniform(subkey, (), jnp.float32), key

    with jax.threefry_partitionable(True):
        key, kept, dropped = jax.random.key(seed), [], []
        for _ in range(steps):
            draw, key = sample(key)
            kept.append(draw)
            dropped.append(sample(jax.random.key(seed))[0])
    return {"key passed on": jnp.stack(kept), "key dropped": jnp.stack(dropped)}


def check_only_a_new_key_gives_a_new_number():
    """With the key passed on each draw is new; with it dropped, each is the first."""
    draws, key, expected = pass_the_new_key_on(0, 4), (0, 0), []
    for _ in range(4):
        key, subkey = threefry(key, 2)
        expected += uniform_by_hand(subkey, 1).tolist()
    np.testing.assert_array_equal(draws["key passed on"], expected)
    np.testing.assert_array_equal(draws["key dropped"], expected[:1] * 4)


def one_key_for_two_draws(seed=0, n=10_000):
    """Two draws from one key are one draw in two disguises: both hash the same counters.

    `normal` is Φ⁻¹ of `uniform`, so over many keys they correlate as √(3/π) = 0.977.

    Myth: slides offer uniform(key) + normal(key) as the cure, for its order is free.
    """
    uniform = jax.vmap(lambda key: jax.random.uniform(key, (), jnp.float32))
    normal = jax.vmap(lambda key: jax.random.normal(key, (), jnp.float32))
    with jax.threefry_partitionable(True):
        keys = jax.random.split(jax.random.key(seed), n)
        pairs = jax.vmap(jax.random.split)(jax.random.clone(keys))  # [n, 2]
        same = uniform(jax.random.clone(keys)), normal(jax.random.clone(keys))
        apart = uniform(pairs[:, 0]), normal(pairs[:, 1])
    return {"one key": jnp.stack(same), "split": jnp.stack(apart)}  # [2, n] each


def check_one_key_gives_one_number():
    """From one key normal is Φ⁻¹ of uniform; a split key's halves are each their own."""
    draws = one_key_for_two_draws()
    for i, key in enumerate(threefry((0, 0), 100)):
        left, right = threefry(key, 2)
        same = uniform_by_hand(key, 1)[0], normal_by_hand(key, 1)[0]
        apart = uniform_by_hand(left, 1)[0], normal_by_hand(right, 1)[0]
        np.testing.assert_allclose(draws["one key"][:, i], same, rtol=1e-5)
        np.testing.assert_allclose(draws["split"][:, i], apart, rtol=1e-5)


def check_the_correlations():
    """Over 10,000 keys the correlation is √(3/π) with one key, and 0 with a split."""
    # Blunt: a correlation of n pairs is known to about 1/√n.
    draws = one_key_for_two_draws(1)
    assert abs(np.corrcoef(draws["one key"])[0, 1] - np.sqrt(3 / np.pi)) < 2e-3
    assert abs(np.corrcoef(draws["split"])[0, 1]) < 0.04


def check_mean_and_variance():
    """Siblings' draws have mean 1/2 and variance 1/12, or mean 0 and variance 1."""
    # Blunt: a mean of n draws is known to about 1/√n.
    uniform, normal = np.asarray(one_key_for_two_draws(2)["split"], np.float64)
    for draws, mean, variance in ((uniform, 1 / 2, 1 / 12), (normal, 0, 1)):
        assert abs(draws.mean() - mean) < 0.04 * np.sqrt(variance)
        assert abs(draws.var() / variance - 1) < 0.06


def a_weight_that_equals_an_input(seed=42):
    """A key split twice gives the same children twice, and two parts of a program agree.

    An official JAX page makes data from a key, then hands that key to a model.

    Predict: how far is the model's first weight from its first input?
    """
    with jax.threefry_partitionable(True), jax.debug_key_reuse(False):
        key = jax.random.key(seed)
        data_key = jax.random.split(key)[0]
        weight_key = jax.random.split(key)[0]  # again: this is the mistake
        inputs = jax.random.normal(data_key, (8,), jnp.float32)
        weight = jax.random.normal(weight_key, (), jnp.float32)
        third = jax.random.split(key, 3)[2]  # the cure: one split, each child used once
        cured = jax.random.normal(third, (), jnp.float32)
    return {"first input": inputs[0], "first weight": weight, "cured": cured}


def check_the_weight_is_the_input():
    """The first weight is the first input, until it has a key of its own."""
    for seed in (42, 0):
        first, weight, cured = a_weight_that_equals_an_input(seed).values()
        twin, _, fresh = (normal_by_hand(k, 1)[0] for k in threefry((0, seed), 3))
        np.testing.assert_allclose(
            [first, weight, cured], [twin, twin, fresh], rtol=1e-5
        )


def jax_finds_keys_used_twice(seed=0):
    """Use a key once: draw from it or split it. JAX can watch over that rule for you.

    Put `jax.config.update("jax_debug_key_reuse", True)` at the top of your tests.
    """
    draw, split, found = jax.random.normal, jax.random.split, {}
    with jax.debug_key_reuse(True):
        for first, second in ((draw, draw), (split, draw), (split, split)):
            key = jax.random.key(seed)
            first(key)
            try:
                second(key)
            except jax.errors.KeyReuseError as error:
                found[f"{first.__name__}, then {second.__name__}"] = error
        left, right = split(jax.random.key(seed))
        found["cured"] = [bool(jnp.isfinite(draw(key))) for key in (left, right)]
    return found


def check_reuse_is_an_error():
    """Drawing from a used key, or splitting it, is a KeyReuseError."""
    *refusals, cured = jax_finds_keys_used_twice().values()
    assert [type(refusal).__name__ for refusal in refusals] == ["KeyReuseError"] * 3
    assert all("consumed key" in str(refusal) for refusal in refusals)
    assert cured == [True, True]


def a_key_for_every_step(seed=0, steps=(1000, 0)):
    """`fold_in` makes a key from a key and a number. Step 1000 does not wait for 999.

    A loop that stops can go on where it was, with nothing to save but the seed.
    """
    key = jax.random.key(seed)
    with jax.threefry_partitionable(True):
        keys = [jax.random.fold_in(key, step) for step in steps]
        return jnp.stack([jax.random.uniform(key, (), jnp.float32) for key in keys])


def check_each_step_has_its_own_key():
    """The number of step i comes from the hash of the key and i, in any order."""
    for seed, steps in ((0, (1000, 0)), (21, (3, 4, 2))):
        keys = threefry((0, seed), 1001)[list(steps)]
        expected = [uniform_by_hand(key, 1)[0] for key in keys]
        np.testing.assert_array_equal(a_key_for_every_step(seed, steps), expected)


def a_loop_a_batch_or_all_devices(seed=0):
    """A number depends on its key and counter, not on who draws it.

    Draw key by key, as a batch with `vmap`, or spread over this machine's devices.
    """

    def draw(key):
        return jax.random.uniform(key, (3,), jnp.float32)

    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("keys",))
    spread = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("keys"))
    with jax.threefry_partitionable(True):
        keys = jax.random.split(jax.random.key(seed), 4 * len(jax.devices()))
        return {
            "loop": jnp.stack([draw(key) for key in jax.random.clone(keys)]),
            "vmap": jax.vmap(draw)(jax.random.clone(keys)),
            "all devices": jax.jit(jax.vmap(draw), out_shardings=spread)(keys),
        }


def check_who_draws_does_not_matter():
    """The loop, the batch and all devices together draw the same numbers."""
    for seed in (0, 21):
        for draws in a_loop_a_batch_or_all_devices(seed).values():
            expected = [uniform_by_hand(k, 3) for k in threefry((0, seed), len(draws))]
            np.testing.assert_array_equal(draws, expected)


def numbers_on_older_pages():
    """JAX 0.5 changed its default bits, so pages of 2023 print numbers that are gone.

    One setting brings them back, to the last digit.

    Myth: the same seed gives the same numbers in every version of JAX.
    """
    with jax.threefry_partitionable(False):  # what every JAX before 0.5 did
        key = jax.random.key(42)
        left, right = jax.random.split(jax.random.key(0x23456789))
        uniform = jax.random.uniform(jax.random.clone(key), (), jnp.float32)
        return {
            "normal, key 21": jax.random.normal(jax.random.key(21), (3,), jnp.float32),
            "split, key 21": jax.random.key_data(jax.random.split(jax.random.key(21))),
            "uniform, key 42": uniform,
            "plus normal": uniform + jax.random.normal(key, (), jnp.float32),
            "normal, left key": jax.random.normal(left, (2,), jnp.float32),
            "uniform, right key": jax.random.uniform(right, (5,), jnp.float32),
        }


def check_the_printed_numbers_come_back():
    """With the old bits, 12 numbers and 2 keys printed in 2023 come back."""
    printed = [
        [-2.6825788, -0.7566388, -0.29570565],
        [[15689208, 2943087094], [1648097174, 339021355]],
        0.42672753,
        0.24201576,
        [-0.67039955, 0.02259737],
        [0.2918682, 0.90834665, 0.13555491, 0.08107758, 0.9746183],
    ]
    for drawn, figures in zip(numbers_on_older_pages().values(), printed, strict=True):
        np.testing.assert_allclose(drawn, figures, rtol=1e-6)


def compiled_code_knows_its_bits(seed=21):
    """The setting is part of what `jit` remembers, so compiled code is never stale.

    Predict: one function, called with the old bits, the new, the old. How many traces?
    """
    traced = []

    def draw(key):
        traced.append("once more")
        return jax.random.normal(key, (3,), jnp.float32)

    compiled, draws = jax.jit(draw), []
    for partitionable in (False, True, False):
        with jax.threefry_partitionable(partitionable):
            draws.append(compiled(jax.random.key(seed)))
    return {"old, new, old": jnp.stack(draws), "traces": len(traced)}


def check_each_setting_is_traced_once():
    """Three calls with two settings are two traces, each with its own numbers."""
    result = compiled_code_knows_its_bits()
    old = [-2.6825788, -0.7566388, -0.29570565]
    new = [0.5006109, 0.37630108, -0.2896132]
    np.testing.assert_allclose(result["old, new, old"], [old, new, old], rtol=1e-6)
    assert result["traces"] == 2


def why_the_bits_changed(seed=21):
    """Before, number i depended on how many you drew. Now it depends on i alone.

    So a device can make its own part of a long draw without making the rest.
    """
    facts = {}
    for name, partitionable in {"today": True, "before 0.5": False}.items():
        with jax.threefry_partitionable(partitionable), jax.debug_key_reuse(False):
            key = jax.random.key(seed)
            folded = jnp.stack([jax.random.fold_in(key, i) for i in range(6)])
            keys = {n: jax.random.split(key, n) for n in (3, 6)}
            draws = {n: jax.random.normal(key, (n,), jnp.float32) for n in (3, 6)}
            facts[name] = {
                "split(key, 6)[i] is fold_in(key, i)": bool((keys[6] == folded).all()),
                "3 keys begin 6 keys": bool((keys[6][:3] == keys[3]).all()),
                "3 numbers begin 6": bool((draws[6][:3] == draws[3]).all()),
            }
    return facts


def check_counters_replaced_lengths():
    """Three facts about the beginnings of draws hold today; none held before 0.5."""
    for seed in (21, 0):
        today, before = why_the_bits_changed(seed).values()
        assert list(today.values()) == [True, True, True]
        assert list(before.values()) == [False, False, False]
