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
    """Every draw moves NumPy's hidden state on, so even a sum depends on its order.

    Predict: uniform() + normal() and normal() + uniform(), both from seed 0: equal?
    """
    before, draw = np.random.get_state(), np.random
    np.random.seed(seed)
    sums = {"uniform() + normal()": draw.uniform() + draw.normal()}
    np.random.seed(seed)
    sums["normal() + uniform()"] = draw.normal() + draw.uniform()
    np.random.seed(seed)
    sums["uniform() + 2 * uniform()"] = draw.uniform() + 2 * draw.uniform()
    np.random.set_state(before)  # other code may count on the hidden state
    return sums


def check_the_order_changes_the_sum():
    """From seed 0 the sum is 1.290405244736486 or 2.366815722039308, as drawn."""
    sums = list(numpy_depends_on_the_order().values())
    printed = [1.290405244736486, 2.366815722039308, 1.9791922366721637]
    np.testing.assert_allclose(sums, printed, rtol=1e-15)


def a_generator_changes_when_you_draw(seed=0):
    """You pass NumPy's newer generator in, yet the same call gives another answer."""
    generator = np.random.default_rng(seed)
    return {"first call": generator.uniform(), "same call again": generator.uniform()}


def check_the_generator_moved_on():
    """The same call on the same generator gives the next number of its stream."""
    calls = list(a_generator_changes_when_you_draw(7).values())
    np.testing.assert_array_equal(calls, np.random.default_rng(7).random(2))


def same_key_same_numbers(seed=21):
    """A JAX draw is a function of its key. Nothing is stored, so nothing moves on.

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


def a_key_is_two_numbers(seed=0x123456789):
    """A key is two 32-bit numbers, made from your seed. It is no stream.

    Its type prints as `key<fry>`, after Threefry, the hash that makes random numbers of
    it. Seeds count as 32-bit integers unless 64 bits are switched on.

    Myth: a page seeds with 0x123456789. By default the leading 1 is lost, silently.
    """
    with enable_x64(False):
        key = jax.random.key(seed)
    with enable_x64(True):
        long = jax.random.key_data(jax.random.key(seed))
    short = jax.random.key_data(key)
    return {"type": str(key.dtype), "32-bit mode": short, "64-bit mode": long}


def check_a_key_holds_its_seed():
    """By default a key<fry> holds zero and the seed modulo 2³²."""
    for seed in (0, 21, 0x123456789):
        kind, short, _ = a_key_is_two_numbers(seed).values()
        np.testing.assert_array_equal(short, np.array([0, seed % 2**32], np.uint32))
        assert kind == "key<fry>"


def check_64_bits_keep_the_whole_seed():
    """In 64-bit mode a key holds the seed's upper half and its lower half."""
    for seed in (21, 0x123456789):
        long = a_key_is_two_numbers(seed)["64-bit mode"]
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
    """Normal numbers: the quantiles of the normal distribution at the uniforms."""
    uniforms = uniform_by_hand(key, n) + 2.0**-25  # JAX never asks for that of 0
    return np.array([NormalDist().inv_cdf(u) for u in uniforms])


def a_draw_is_a_hash(seed=21, n=3):
    """Number i of a draw is the hash of the key and the counter i. That is all of it.

    So NumPy can predict JAX. `clone` says that a key is used again on purpose.
    """
    key = jax.random.key(seed)
    with jax.threefry_partitionable(True):  # today's default; older bits: see below
        uniform = jax.random.uniform(jax.random.clone(key), (n,), jnp.float32)
        normal = jax.random.normal(jax.random.clone(key), (n,), jnp.float32)
    return {"uniform": uniform, "normal": normal}


def check_uniform_is_predicted():
    """NumPy predicts JAX's uniform numbers to the last bit."""
    for seed, n in ((21, 3), (0, 3), (7, 6)):
        uniform = a_draw_is_a_hash(seed, n)["uniform"]
        np.testing.assert_array_equal(uniform, uniform_by_hand((0, seed), n))


def check_normal_is_predicted():
    """NumPy predicts JAX's normal numbers within float32 rounding."""
    for seed, n in ((21, 3), (0, 3), (7, 6)):
        normal = a_draw_is_a_hash(seed, n)["normal"]
        np.testing.assert_allclose(normal, normal_by_hand((0, seed), n), rtol=1e-5)


def split_makes_new_keys(seed=21, n=3):
    """`split` hashes a key into n new keys: child i is the hash of the counter i.

    The parent is used up, for a draw from it would hash the very same counters.
    """
    with jax.threefry_partitionable(True):
        return jax.random.key_data(jax.random.split(jax.random.key(seed), n))  # [n, 2]


def check_children_are_hashes():
    """Child i of a key is the hash of that key and i, for 2 children, 3 and 6."""
    for seed, n in ((21, 2), (0, 3), (42, 6)):
        keys = split_makes_new_keys(seed, n)
        np.testing.assert_array_equal(keys, threefry((0, seed), n))


def the_tree_of_keys(seed=21, depth=3):
    """Splitting grows a tree of keys: split at the branches, draw at the leaves."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 4))
    keys = [jax.random.key(seed)]
    for level in range(depth + 1):
        for i, key in enumerate(keys):
            x, above = (i + 0.5) / 2**level, max(level - 1, 0)
            axes.plot([(i // 2 + 0.5) / 2**above, x], [above, level], color="C0")
            high, low = jax.random.key_data(key).tolist()
            label = f"{high:08x}\n{low:08x}"
            axes.text(x, level, label, ha="center", va="center", backgroundcolor="w")
        with jax.threefry_partitionable(True):
            keys = [child for key in keys for child in jax.random.split(key)]
    axes.set(xlim=(0, 1), ylim=(depth + 0.4, -0.4), xticks=[], yticks=range(depth + 1))
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
        levels = [line.get_ydata()[1] for line in axes.lines]
        np.testing.assert_array_equal(levels, np.repeat(range(4), [1, 2, 4, 8]))


def pass_the_new_key_on(seed=0, steps=3):
    """A pure sampler splits its key, draws, and returns the draw and the new key.

    Myth: slides return the draw alone. Then the caller can only pass the old key again,
    and gets the old number again.
    """

    def sample(key):
        key, subkey = jax.random.split(key)
        return jax.random.uniform(subkey, (), jnp.float32), key

    key, kept, dropped = jax.random.key(seed), [], []
    with jax.threefry_partitionable(True):
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
    """Two draws from one key hash the same counters: one number in two disguises.

    `normal` is the normal quantile of `uniform`: they correlate as √(3/π) = 0.977.

    Myth: slides offer uniform(key) + normal(key) as the cure, for its order is free.
    """

    def draw(left, right):
        uniform = jax.random.uniform(left, (), jnp.float32)
        return jnp.stack([uniform, jax.random.normal(right, (), jnp.float32)])

    with jax.threefry_partitionable(True), jax.debug_key_reuse(False):
        keys = jax.random.split(jax.random.key(seed), n)
        pairs = jax.vmap(jax.random.split)(keys)  # [n, 2]
        split = jax.vmap(draw)(pairs[:, 0], pairs[:, 1])
        return {"one key": jax.vmap(draw)(keys, keys), "split": split}  # [n, 2] each


def check_one_key_gives_one_number():
    """From one key normal is the quantile of uniform; after a split each is its own."""
    draws = one_key_for_two_draws()
    for i, key in enumerate(threefry((0, 0), 100)):
        for name, two in (("one key", (key, key)), ("split", threefry(key, 2))):
            pair = [*uniform_by_hand(two[0], 1), *normal_by_hand(two[1], 1)]
            np.testing.assert_allclose(draws[name][i], pair, rtol=1e-5)


def check_the_correlations():
    """Over 10,000 keys the correlation is √(3/π) with one key, and 0 with a split."""
    # Blunt: a correlation of n pairs is known to about 1/√n.
    draws = one_key_for_two_draws(1)
    one, two = (np.corrcoef(x, rowvar=False)[0, 1] for x in draws.values())
    assert abs(one - np.sqrt(3 / np.pi)) < 2e-3
    assert abs(two) < 0.04


def check_means_and_variances():
    """Siblings' draws have mean 1/2 and variance 1/12, or mean 0 and variance 1."""
    # Blunt: a mean of n draws is known to about 1/√n.
    draws = np.asarray(one_key_for_two_draws(2)["split"], np.float64)
    np.testing.assert_allclose(draws.mean(axis=0), [1 / 2, 0], atol=0.03)  # 3/√n
    np.testing.assert_allclose(draws.var(axis=0), [1 / 12, 1], rtol=0.06)  # 6/√n


def a_weight_that_equals_an_input(seed=42):
    """A key split twice gives the same children twice, to two parts of a program.

    An official JAX page makes data from a key, then hands that key to a model.

    Predict: how far is the model's first weight from its first input?
    """
    with jax.threefry_partitionable(True), jax.debug_key_reuse(False):
        key = jax.random.key(seed)
        data, weight = (jax.random.split(key)[0] for _ in range(2))  # the mistake
        cured = jax.random.split(key, 3)[2]  # the cure: split once, into enough
        inputs = jax.random.normal(data, (3,), jnp.float32)
        weights = [jax.random.normal(k, (), jnp.float32) for k in (weight, cured)]
    return {"first input": inputs[0], "first weight": weights[0], "cured": weights[1]}


def check_the_weight_is_the_input():
    """The first weight is the first input, until it has a key of its own."""
    for seed in (42, 0):
        drawn = list(a_weight_that_equals_an_input(seed).values())
        twin, _, fresh = (normal_by_hand(key, 1)[0] for key in threefry((0, seed), 3))
        np.testing.assert_allclose(drawn, [twin, twin, fresh], rtol=1e-5)


def jax_finds_keys_used_twice(seed=0):
    """Use a key once: draw from it or split it. JAX can watch over that rule for you.

    Put `jax.config.update("jax_debug_key_reuse", True)` at the top of your tests.
    """
    draw = jax.jit(lambda key: jax.random.uniform(key))  # jax 0.7 skips code it knows
    use, found = {"draw": draw, "split": jax.random.split}, {}
    with jax.debug_key_reuse(True):
        for first, second in (("draw", "draw"), ("split", "draw"), ("split", "split")):
            key = jax.random.key(seed)
            use[first](key)
            try:
                use[second](key)
            except jax.errors.KeyReuseError as error:
                found[f"{first}, then {second}"] = error
        found["cured"] = [draw(k).shape for k in use["split"](jax.random.key(seed))]
    return found


def check_reuse_is_an_error():
    """Drawing from a used key, or splitting it, is a KeyReuseError."""
    *refusals, cured = jax_finds_keys_used_twice().values()
    assert [type(refusal).__name__ for refusal in refusals] == ["KeyReuseError"] * 3
    assert all("consumed key" in str(refusal) for refusal in refusals)
    assert cured == [(), ()]


def a_loop_a_batch_or_all_devices(seed=0):
    """A number depends on its key and counter, not on who draws it, or when.

    `fold_in` gives a loop the key of any step, without the steps before. `vmap` draws a
    batch from split keys. All devices of this machine can share in it.
    """
    key, n = jax.random.key(seed), 4 * len(jax.devices())
    batch = jax.vmap(lambda key: jax.random.uniform(key, (), jnp.float32))
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("keys",))
    spread = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("keys"))
    with jax.threefry_partitionable(True):
        steps = [jax.random.fold_in(key, step) for step in range(n)]
        loop = [jax.random.uniform(step, (), jnp.float32) for step in steps]
        keys = jax.random.split(key, n)
        devices = batch(jax.device_put(jax.random.clone(keys), spread))
        return {"loop": jnp.array(loop), "vmap": batch(keys), "all devices": devices}


def check_who_draws_does_not_matter():
    """A loop, a batch and all devices draw the same numbers, no number twice."""
    for seed in (0, 21):
        for draws in a_loop_a_batch_or_all_devices(seed).values():
            keys = threefry((0, seed), len(draws))
            expected = [uniform_by_hand(key, 1)[0] for key in keys]
            np.testing.assert_array_equal(draws, expected)
            assert len(set(expected)) == len(draws)


def numbers_on_older_pages():
    """JAX 0.5 switched jax_threefry_partitionable on, and the old numbers were gone.

    Myth: the same seed gives the same numbers in every version of JAX. It does not, but
    one setting brings the old ones back, to the last digit.
    """
    with jax.threefry_partitionable(False):  # what every JAX before 0.5 did
        key = jax.random.key(42)
        left, right = jax.random.split(jax.random.key(0x23456789))
        u = jax.random.uniform(jax.random.clone(key), (), jnp.float32)
        return {
            "normal, key 21": jax.random.normal(jax.random.key(21), (3,), jnp.float32),
            "split, key 21": jax.random.key_data(jax.random.split(jax.random.key(21))),
            "u and u + n, key 42": [u, u + jax.random.normal(key, (), jnp.float32)],
            "normal, left key": jax.random.normal(left, (2,), jnp.float32),
            "uniform, right key": jax.random.uniform(right, (5,), jnp.float32),
        }


def check_the_printed_numbers_come_back():
    """With the old bits, 12 numbers and 2 keys printed in 2023 come back."""
    printed = [
        [-2.6825788, -0.7566388, -0.29570565],
        [[15689208, 2943087094], [1648097174, 339021355]],
        [0.42672753, 0.24201576],
        [-0.67039955, 0.02259737],
        [0.2918682, 0.90834665, 0.13555491, 0.08107758, 0.9746183],
    ]
    for drawn, figures in zip(numbers_on_older_pages().values(), printed, strict=True):
        np.testing.assert_allclose(drawn, figures, rtol=1e-6)


def compiled_code_knows_its_bits(seed=42):
    """The setting is part of what `jit` remembers, so compiled code is never stale.

    Predict: one function, called with the old bits, the new, the old. How many traces?
    """
    traced = []

    def draw(key):
        traced.append("once more")
        return jax.random.uniform(key, (), jnp.float32)

    compiled, draws = jax.jit(draw), []
    for partitionable in (False, True, False):
        with jax.threefry_partitionable(partitionable):
            draws.append(compiled(jax.random.key(seed)))
    return {"old, new, old": draws, "traces": len(traced)}


def check_each_setting_is_traced_once():
    """Three calls with two settings are two traces, each with its own number."""
    draws, traces = compiled_code_knows_its_bits().values()
    expected = [0.42672753, *uniform_by_hand((0, 42), 1), 0.42672753]
    np.testing.assert_allclose(draws, expected, rtol=1e-7)
    assert traces == 2


def why_the_bits_changed(seed=21):
    """Before, number i depended on how many you drew. Now it depends on i alone.

    So a device can make its own part of a long draw without making the rest.
    """
    facts = {"split is fold_in": [], "3 keys begin 6": [], "3 numbers begin 6": []}
    for partitionable in (True, False):
        with jax.threefry_partitionable(partitionable), jax.debug_key_reuse(False):
            key = jax.random.key(seed)
            folded = jnp.stack([jax.random.fold_in(key, i) for i in range(3)])
            keys = [jax.random.key_data(jax.random.split(key, n)) for n in (3, 6)]
            draws = [jax.random.normal(key, (n,), jnp.float32) for n in (3, 6)]
        short, long = keys[0].tolist(), keys[1].tolist()
        facts["split is fold_in"].append(short == jax.random.key_data(folded).tolist())
        facts["3 keys begin 6"].append(short == long[:3])
        facts["3 numbers begin 6"].append(draws[0].tolist() == draws[1].tolist()[:3])
    return facts  # [today, before 0.5] each


def check_today_counters_decide():
    """Today `split` is `fold_in`, and a short split or draw begins a longer one."""
    assert [today for today, _ in why_the_bits_changed(0).values()] == [True] * 3


def check_before_the_length_decided():
    """Before 0.5 `split` was not `fold_in`, and a longer split or draw began anew."""
    assert not any(before for _, before in why_the_bits_changed(0).values())
