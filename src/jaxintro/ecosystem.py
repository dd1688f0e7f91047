"""The ecosystem: libraries around JAX, each of them functions over pytrees.

Flax and Haiku make the layers of networks, Optax optimises, Chex tests, RLax is for
reinforcement learning, and Jraph for graphs. Two more that you will meet are not shown
here: Equinox for layers, and Orbax for saving. What goes into them and comes out is
mostly what you know: pytrees of arrays. So you can read code that uses them, check
their numbers in NumPy, and leave a library without losing your numbers. What is said of
the state of a library was looked up in November 2026. Read first: pytrees and
neural_network.
"""

import jax
import jax.numpy as jnp
import numpy as np

ORDER = 190
NEEDS = "ecosystem"


def flax_layer_holds_its_parameters(seed=0):
    """A layer of Flax is an object that holds its weights and offsets.

    Flax is a library for neural networks. Its form of today is called NNX, and came out
    in 2024. The one before, Linen, still works; many old pages use it.

    `nnx.Linear(2, 3, …)` makes a layer from two numbers to three. The layer draws its
    own random weights: `nnx.Rngs` holds a seed, and hands out a key wherever one is
    needed. Flax calls the weights `kernel` and the offsets `bias`. Each is a box with
    an array in it, and `[...]` takes the array out.
    """
    from flax import nnx

    layer = nnx.Linear(2, 3, rngs=nnx.Rngs(seed))
    w = layer.kernel[...]
    b = layer.bias[...]
    x = jnp.array([1.0, 2.0])
    y = layer(x)
    return w, b, y


def check_flax_layer_multiplies_and_adds():
    """The layer gives x @ w + b, and its offsets b begin as 0."""
    for seed in (0, 7):
        w, b, y = flax_layer_holds_its_parameters(seed)
        np.testing.assert_allclose(y, np.float64([1, 2]) @ np.float64(w) + b, 1e-5)
        np.testing.assert_array_equal(b, 0)


def two_layers(seed):
    """A network of Flax: from two numbers by way of three to one."""
    from flax import nnx

    class Network(nnx.Module):
        def __init__(self, rngs):
            self.hidden = nnx.Linear(2, 3, rngs=rngs)
            self.out = nnx.Linear(3, 1, rngs=rngs)

        def __call__(self, x):
            return self.out(jnp.tanh(self.hidden(x)))

    return Network(nnx.Rngs(seed))


def flax_network_is_a_class(seed=0):
    """A network of Flax is a class that has its layers as attributes.

    The class derives from `nnx.Module`. Its `__init__` makes the layers, and `__call__`
    says what the network does with x. `nnx.state` collects the arrays of all layers,
    and `nnx.to_pure_dict` makes dicts of them, named as the attributes are. (Flax 0.12
    refuses a plain list of layers as an attribute, and takes an `nnx.List` of them.)

    Predict: how many arrays does this network hold?
    """
    from flax import nnx

    network = two_layers(seed)
    params = nnx.to_pure_dict(nnx.state(network))
    x = jnp.array([[1.0, 2.0], [0.0, -1.0]])
    y = network(x)
    return params, y


def check_flax_network_is_two_layers_in_numpy():
    """Two layers hold four arrays, and NumPy finds the same outputs from them."""
    for seed in (0, 7):
        params, y = flax_network_is_a_class(seed)
        assert {name: sorted(layer) for name, layer in params.items()} == {
            "hidden": ["bias", "kernel"],
            "out": ["bias", "kernel"],
        }
        x = np.array([[1.0, 2.0], [0.0, -1.0]])
        for name in ("hidden", "out"):
            x = np.tanh(x) if name == "out" else x
            x = x @ np.float64(params[name]["kernel"]) + params[name]["bias"]
        np.testing.assert_allclose(y, x, 1e-5)


def flax_split_gives_a_pure_function(seed=0):
    """`nnx.split` takes a network apart, into a plan and a pytree of its arrays.

    A network of Flax is itself a pytree, and `jax.grad` takes it as it is: the slopes
    come back in a network. `nnx.split` makes plain what goes in and out. It gives the
    plan of the network, a `GraphDef` without arrays, and all its arrays, a pytree named
    `State`. `nnx.merge` puts a network together from both.

    Here all arrays are parameters. With a layer such as `nnx.Dropout` the arrays are
    also those that count its random keys, and `jax.grad` refuses whole numbers.

    Predict: do both ways give the same slope for the last offset?
    """
    from flax import nnx

    network = two_layers(seed)
    x = jnp.array([[1.0, 2.0], [0.0, -1.0]])

    def loss_of_network(network):
        return jnp.mean(network(x) ** 2)

    whole = jax.grad(loss_of_network)(network)
    slope = whole.out.bias[...]

    plan, params = nnx.split(network)
    numbers = nnx.to_pure_dict(params)

    def loss(params):
        return loss_of_network(nnx.merge(plan, params))

    slopes = nnx.to_pure_dict(jax.grad(loss)(params))
    return numbers, slope, slopes


def check_flax_slopes_are_the_chain_rule():
    """Both ways give the slopes of the chain rule, written out in NumPy."""
    for seed in (0, 7):
        numbers, slope, slopes = flax_split_gives_a_pure_function(seed)

        x = np.array([[1.0, 2.0], [0.0, -1.0]])
        hidden, out = numbers["hidden"], numbers["out"]
        h = np.tanh(x @ np.float64(hidden["kernel"]) + hidden["bias"])
        to_y = 2 * (h @ np.float64(out["kernel"]) + out["bias"]) / len(x)
        to_h = to_y @ np.float64(out["kernel"]).T * (1 - h**2)
        np.testing.assert_allclose(slopes["out"]["kernel"], h.T @ to_y, 1e-5, 1e-6)
        np.testing.assert_allclose(slopes["out"]["bias"], to_y.sum(0), 1e-5, 1e-6)
        np.testing.assert_allclose(slope, to_y.sum(0), 1e-5, 1e-6)
        np.testing.assert_allclose(slopes["hidden"]["kernel"], x.T @ to_h, 1e-5, 1e-6)
        np.testing.assert_allclose(slopes["hidden"]["bias"], to_h.sum(0), 1e-5, 1e-6)


def flax_object_that_changes_itself(calls=3):
    """An object of Flax may change itself, and Flax has a `jit` of its own for that.

    This object counts its calls, in an `nnx.Variable`, a box that is no parameter.
    `nnx.jit` compiles too, and after each call it puts what has changed back into the
    object. `jax.jit` takes such an object as well, for it is a pytree.

    Predict: what does each counter say after three calls?
    """
    from flax import nnx

    class Counter(nnx.Module):
        def __init__(self):
            self.count = nnx.Variable(jnp.array(0))

    def tick(counter):
        counter.count[...] = counter.count[...] + 1

    ours = Counter()
    theirs = Counter()
    nnx_tick = nnx.jit(tick)
    jax_tick = jax.jit(tick)
    for _ in range(calls):
        nnx_tick(ours)
        jax_tick(theirs)
    with_nnx_jit = ours.count[...]
    # jax.jit counted on a copy, made anew from the leaves at each call
    with_jax_jit = theirs.count[...]

    return with_nnx_jit, with_jax_jit


def check_jax_jit_loses_the_change():
    """With `nnx.jit` the counter counts every call; with `jax.jit` it stays at 0."""
    for calls in (3, 5):
        with_nnx_jit, with_jax_jit = flax_object_that_changes_itself(calls)
        assert (int(with_nnx_jit), int(with_jax_jit)) == (calls, 0)


def haiku_layers_need_a_transform(seed=0):
    """Haiku's layers work only inside `hk.transform`, which makes functions of them.

    Haiku is an older library for networks. Its authors recommend Flax for what is new
    since 2023, and keep Haiku working without adding to it. Much published code uses
    it, so you should be able to read it.

    In Haiku you write one function that makes layers and applies them at once. Called
    as it is, it does not know where to take its parameters from. `hk.transform` makes
    two pure functions of it: `init` draws parameters with a key, `apply` uses them.
    `apply` would take a key too, for layers that need randomness;
    `hk.without_apply_rng` spares us that.
    """
    import haiku as hk

    def forward(x):
        return hk.Linear(3)(x)

    x = jnp.array([1.0, 2.0])
    try:
        forward(x)
    except ValueError as error:
        refused = error
    pair = hk.without_apply_rng(hk.transform(forward))
    params = pair.init(jax.random.key(seed), x)
    y = pair.apply(params, x)
    return refused, params, y


def check_haiku_layer_multiplies_and_adds():
    """Without the transform it is an error; with it, `apply` gives x @ w + b."""
    for seed in (0, 7):
        refused, params, y = haiku_layers_need_a_transform(seed)
        assert isinstance(refused, ValueError)
        assert "hk.transform" in str(refused)
        (layer,) = params.values()
        expected = np.float64([1, 2]) @ np.float64(layer["w"]) + layer["b"]
        np.testing.assert_allclose(y, expected, 1e-5)
        np.testing.assert_array_equal(layer["b"], 0)


def haiku_parameters_fit_into_flax(seed=0):
    """The parameters of a network can move to another library: they are arrays.

    Here are parameters as Haiku makes them, and a layer of Flax with numbers of its
    own. `nnx.update` writes arrays into the boxes of the layer, by their names. It
    checks neither names nor shapes, and a misspelt name passes without a word, so
    compare an output afterwards. We add 1 to the offsets on the way, to see that they
    have arrived.
    """
    import haiku as hk
    from flax import nnx

    x = jnp.array([1.0, 2.0])
    pair = hk.without_apply_rng(hk.transform(lambda x: hk.Linear(3)(x)))
    params = pair.init(jax.random.key(seed), x)
    old = params["linear"]

    layer = nnx.Linear(2, 3, rngs=nnx.Rngs(0))
    nnx.update(layer, {"kernel": old["w"], "bias": old["b"] + 1})
    after = layer(x)
    of_haiku = pair.apply(params, x)
    return after, of_haiku


def check_flax_gives_what_haiku_gave():
    """With Haiku's weights, and offsets larger by 1, Flax gives Haiku's outputs + 1."""
    for seed in (0, 7):
        after, of_haiku = haiku_parameters_fit_into_flax(seed)
        np.testing.assert_allclose(after, np.float64(of_haiku) + 1, 1e-5)


def optax_update_is_added(rate=0.1):
    """Optax makes an update of a gradient, and you add it to the parameters.

    Optax is a library of optimisers, still worked on in 2026. An optimiser is a pair of
    functions; the page shows it under the long name that Optax gives it. `init` makes
    the state that it needs, and `update` turns a gradient into what is to be added.
    `optax.apply_updates` adds it, leaf by leaf. `optax.sgd` is the plain walk downhill
    of the lesson gradient_descent. It needs no state: it is made of two parts, and each
    has an empty one.

    Predict: the slope of w² is 2w. Where is w = 3 after one step?
    """
    import optax

    def loss(params):
        return params["w"] ** 2 + 5 * params["b"]

    params = {"w": jnp.array(3.0), "b": jnp.array(1.0)}
    slopes = jax.grad(loss)(params)
    optimizer = optax.sgd(rate)
    state = optimizer.init(params)
    updates, state = optimizer.update(slopes, state)
    params = optax.apply_updates(params, updates)
    return slopes, updates, params


def check_sgd_goes_down_by_rate_times_slope():
    """The update is −rate · slope, and each parameter changes by it."""
    for rate in (0.1, 0.03):
        slopes, updates, params = optax_update_is_added(rate)
        for name, start, slope in (("w", 3, 6), ("b", 1, 5)):
            np.testing.assert_allclose(slopes[name], slope, 1e-6)
            np.testing.assert_allclose(updates[name], -rate * slope, 1e-6)
            np.testing.assert_allclose(params[name], start - rate * slope, 1e-6)


def adam_steps_do_not_know_the_scale(rate=0.1, steps=3):
    """Adam divides the mean of the slopes by the size that they usually have.

    `optax.adam` is the optimiser that most networks are trained with. Its state holds
    two running means for each parameter: `mu` of the slopes, and `nu` of their squares.
    Both start at 0, and Adam corrects them for that. The update is −rate times the
    first, divided by the root of the second. `update` gives the new state, which you
    hand to the next step.

    Predict: y is a hundred times as steep as x. Which of them moves farther?
    """
    import optax

    def loss(params):
        return params["x"] ** 2 + 100 * params["y"] ** 2

    params = {"x": jnp.array(1.0), "y": jnp.array(1.0)}
    optimizer = optax.adam(rate)
    state = optimizer.init(params)
    for _ in range(steps):
        slopes = jax.grad(loss)(params)
        updates, state = optimizer.update(slopes, state)
        params = optax.apply_updates(params, updates)
    mu = state[0].mu
    nu = state[0].nu
    return params, mu, nu


def check_adam_is_two_running_means():
    """Adam, written out in NumPy, takes the same steps: nearly equal for x and y."""
    for rate, steps in ((0.1, 3), (0.02, 5), (0.1, 1)):
        position, mean, square = np.ones(2), np.zeros(2), np.zeros(2)
        for n in range(1, steps + 1):
            slope = 2 * np.array([1, 100]) * position
            mean = 0.9 * mean + 0.1 * slope
            square = 0.999 * square + 0.001 * slope**2
            unbiased = mean / (1 - 0.9**n), square / (1 - 0.999**n)
            position = position - rate * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
        params, mu, nu = adam_steps_do_not_know_the_scale(rate, steps)
        found = [(given["x"], given["y"]) for given in (params, mu, nu)]
        # float32 loses digits in 1 − 0.999ⁿ
        np.testing.assert_allclose(found, (position, mean, square), rtol=3e-5)
        assert abs(position[0] - position[1]) < 1e-5


def a_long_gradient_is_shortened(largest=1.0):
    """`optax.clip_by_global_norm` shortens a gradient that is too long.

    It keeps the direction. The length is taken over all leaves together: the root of
    the sum of all squares. It is a guard against the one step that throws a network far
    away. Its form is that of an optimiser, `init` and `update`.

    Predict: the slopes are 3, 0 and 4. How long is the gradient, and what is left?
    """
    import optax

    slopes = {"w": jnp.array([3.0, 0.0]), "b": jnp.array(4.0)}
    length = jnp.sqrt(jnp.sum(slopes["w"] ** 2) + slopes["b"] ** 2)
    clip = optax.clip_by_global_norm(largest)
    state = clip.init(slopes)
    shorter, state = clip.update(slopes, state)
    return length, shorter


def check_the_length_over_all_leaves_is_clipped():
    """A gradient that is too long is shortened to the largest length, others stay."""
    for largest in (1.0, 2.5, 10.0):
        length, shorter = a_long_gradient_is_shortened(largest)
        np.testing.assert_allclose(length, np.hypot(3, 4), 1e-6)
        part = min(1, largest / 5)
        np.testing.assert_allclose(shorter["w"], [3 * part, 0], 1e-6)
        np.testing.assert_allclose(shorter["b"], 4 * part, 1e-6)


def optax_parts_are_chained(largest=1.0):
    """`optax.chain` makes one optimiser of several parts, in their order.

    Each part gets what the one before it gave. So it makes a difference whether the
    gradient of length 5 is clipped to length 1 before `optax.sgd` multiplies it by
    −0.1, or its update of length 0.5 is clipped afterwards.

    Predict: in which of the two does clipping change nothing?
    """
    import optax

    slopes = {"w": jnp.array([3.0, 0.0]), "b": jnp.array(4.0)}
    clip = optax.clip_by_global_norm(largest)
    sgd = optax.sgd(0.1)

    before = optax.chain(clip, sgd)
    clipped_before, _ = before.update(slopes, before.init(slopes))

    after = optax.chain(sgd, clip)
    clipped_after, _ = after.update(slopes, after.init(slopes))
    return clipped_before, clipped_after


def check_the_order_of_the_chain_counts():
    """Each part works on what the part before it gave, in the order of the chain."""
    for largest in (1.0, 0.25, 10.0):
        updates = optax_parts_are_chained(largest)
        parts = min(1, largest / 5), min(1, largest / 0.5)
        for update, part in zip(updates, parts, strict=True):
            np.testing.assert_allclose(update["w"], [-0.3 * part, 0], 1e-6)
            np.testing.assert_allclose(update["b"], -0.4 * part, 1e-6)


def schedule_is_a_function_of_the_step(peak=1.0, warmup=20, steps=100):
    """A schedule is a function from the number of the step to the rate.

    Large networks are seldom trained with one rate throughout. This schedule of Optax,
    `optax.warmup_cosine_decay_schedule`, grows from 0 in the first steps, and then
    sinks along half a wave of the cosine. An optimiser takes the schedule in the place
    of a number: `optax.sgd(schedule)`.
    """
    import matplotlib.pyplot as plt
    import optax

    schedule = optax.warmup_cosine_decay_schedule(
        init_value=0.0,
        peak_value=peak,
        warmup_steps=warmup,
        decay_steps=steps,
    )
    rates = schedule(jnp.arange(steps + 1))

    _, axes = plt.subplots()
    axes.plot(rates)
    axes.set(xlabel="step", ylabel="rate", title="warm-up, then a cosine")
    return axes


def check_the_schedule_is_a_line_and_a_cosine():
    """The rate grows along a line, then sinks as (1 + cos) / 2 from the peak to 0."""
    for peak, warmup, steps in ((1.0, 20, 100), (0.3, 10, 50)):
        rates = schedule_is_a_function_of_the_step(peak, warmup, steps)
        n = np.arange(steps + 1.0)
        sinking = (1 + np.cos(np.pi * (n - warmup) / (steps - warmup))) / 2
        expected = peak * np.where(n < warmup, n / warmup, sinking)
        np.testing.assert_allclose(rates.lines[0].get_ydata(), expected, atol=1e-6)


def training_with_flax_and_optax(steps=60, rate=0.3):
    """Flax, Optax and `jax.jit` together make the train step that you know.

    A layer learns to give 2a − b + 0.5 for the numbers a and b. The step is a pure
    function of the parameters and of the optimiser's state, and compiled as a whole.
    `jax.value_and_grad` gives it the loss and the slopes. Much code with Flax writes
    the same with `nnx.value_and_grad` and `nnx.Optimizer`, which changes the network in
    place. At the end the loss is as small as 32 bits let it become.
    """
    import matplotlib.pyplot as plt
    import optax
    from flax import nnx

    layer = nnx.Linear(2, 1, rngs=nnx.Rngs(0))
    start = nnx.to_pure_dict(nnx.state(layer))
    plan, params = nnx.split(layer)
    optimizer = optax.sgd(rate)
    state = optimizer.init(params)
    x = jax.random.normal(jax.random.key(0), (500, 2))
    y = x @ jnp.array([2.0, -1.0]) + 0.5

    def loss(params):
        outputs = nnx.merge(plan, params)(x)[:, 0]
        return jnp.mean((outputs - y) ** 2)

    @jax.jit
    def step(params, state):
        value, slopes = jax.value_and_grad(loss)(params)
        updates, state = optimizer.update(slopes, state)
        return optax.apply_updates(params, updates), state, value

    losses = []
    for _ in range(steps):
        params, state, value = step(params, state)
        losses.append(value)
    found = nnx.to_pure_dict(params)

    _, axes = plt.subplots()
    axes.semilogy(losses)
    axes.set(xlabel="step", ylabel="loss", title="a layer learns a plane")
    return x, start, found, axes


def check_the_plane_is_found():
    """The layer finds 2, −1 and 0.5, and its losses are those of a loop in NumPy."""
    for steps, rate in ((60, 0.3), (100, 0.2)):
        x, start, found, axes = training_with_flax_and_optax(steps, rate)
        x, kernel, bias = np.float64(x), start["kernel"][:, 0], start["bias"][0]
        np.testing.assert_allclose(found["kernel"], [[2], [-1]], 1e-5)
        np.testing.assert_allclose(found["bias"], [0.5], 1e-5)
        for loss in axes.lines[0].get_ydata():
            error = x @ np.subtract(kernel, [2, -1]) + bias - 0.5
            # 32 bits: the errors of outputs near 1 are rounded to some 1e-7
            np.testing.assert_allclose(loss, np.mean(error**2), 1e-4, atol=1e-9)
            kernel = kernel - rate * 2 * np.mean(error[:, None] * x, axis=0)
            bias = bias - rate * 2 * np.mean(error)


def chex_catches_a_broadcast(n=4):
    """Chex states shapes, and catches the mistake that broadcasting hides.

    The predictions are a column of n rows, the targets a row. Subtracting them is no
    error: broadcasting makes all n² pairs. The loss is a number, it can be
    differentiated, and it is wrong.

    Chex is a library of assertions for JAX, still worked on in 2026.
    `chex.assert_equal_shape` takes a list of arrays.

    Predict: every prediction is right. What is the loss?
    """
    import chex

    targets = jnp.arange(1.0, n + 1)
    predictions = targets[:, None]
    loss = jnp.mean((predictions - targets) ** 2)
    try:
        chex.assert_equal_shape([predictions, targets])
    except AssertionError as error:
        caught = error
    return loss, caught


def check_the_loss_is_over_all_pairs():
    """The loss is the mean over all pairs, not 0, and Chex names both shapes."""
    for n in (4, 6):
        loss, caught = chex_catches_a_broadcast(n)
        pairs = [(a - b) ** 2 for a in range(n) for b in range(n)]
        np.testing.assert_allclose(loss, sum(pairs) / n**2, 1e-6)
        assert isinstance(caught, AssertionError)
        assert f"({n}, 1)" in str(caught)
        assert f"({n},)" in str(caught)


def chex_shapes_cost_nothing(n=3):
    """An assertion about shapes is checked while JAX traces.

    A tracer has a shape, so `chex.assert_shape` can look at it. A tracer has no numbers
    yet: an assertion about numbers, such as `chex.assert_tree_all_finite`, is an error
    in a compiled function, unless `chex.chexify` wraps it.

    Predict: how many equations does the jaxpr have?
    """
    import chex

    def double(x):
        chex.assert_shape(x, (n,))
        return 2 * x

    jaxpr = jax.make_jaxpr(double)(jnp.ones(n))
    equations = len(jaxpr.eqns)
    try:
        jax.jit(double)(jnp.ones(n + 1))
    except AssertionError as error:
        caught = error
    return equations, caught


def check_the_assertion_leaves_no_equation():
    """The multiplication is the only equation, and a wrong shape is refused."""
    for n in (3, 5):
        equations, caught = chex_shapes_cost_nothing(n)
        assert equations == 1
        assert f"({n + 1},)" in str(caught)


def td_error_is_a_surprise(discount=0.9):
    """RLax has the formulas of reinforcement learning, such as the TD error.

    The *value* of a position in a game is the reward that one still expects from there.
    After a move one knows more: the reward of the move, and the value of the new
    position, which counts a little less since it lies ahead. The *TD error* (temporal
    difference) is what one now knows minus what one expected, and learning makes it
    small.

    `rlax.td_learning` gives it for one move. Its `discounts` say how much the new value
    counts. Like most of RLax it knows no batches: `jax.vmap` makes them. RLax is looked
    after, but grows little: the changes of 2026 kept it in step with JAX.
    """
    import rlax

    values = jnp.array([1.0, 2.0, 0.5])
    rewards = jnp.array([0.0, 1.0, -1.0])
    discounts = jnp.full(3, discount)
    next_values = jnp.array([2.0, 0.5, 3.0])
    td_error = jax.vmap(rlax.td_learning)
    errors = td_error(values, rewards, discounts, next_values)
    return errors


def check_td_error_is_reward_plus_discounted_value_minus_value():
    """The error is reward + discount · next value − value, for each of the moves."""
    for discount in (0.9, 0.5):
        moves = [(1, 0, 2), (2, 1, 0.5), (0.5, -1, 3)]
        expected = [r + discount * following - v for v, r, following in moves]
        np.testing.assert_allclose(td_error_is_a_surprise(discount), expected, 1e-6)


def returns_are_summed_from_the_end(discount=0.5):
    """The return of a step is its reward plus the discounted return of the next.

    So returns are computed from the end. `rlax.discounted_returns` takes the rewards of
    an *episode*, which is one game from its start to its end, a discount for each step,
    and the value of what follows the end, here 0.

    Predict: only the last of four steps is rewarded, with 8. What is the return of
    the first?
    """
    import rlax

    rewards = jnp.array([0.0, 0.0, 0.0, 8.0])
    discounts = jnp.full(4, discount)
    returns = rlax.discounted_returns(rewards, discounts, 0.0)
    return returns


def check_returns_are_a_loop_from_the_end():
    """A loop from the last step to the first gives the same returns."""
    for discount in (0.5, 0.9):
        expected, total = [], 0.0
        for reward in (8, 0, 0, 0):
            total = reward + discount * total
            expected.insert(0, total)
        np.testing.assert_allclose(
            returns_are_summed_from_the_end(discount), expected, 1e-6
        )


def graph_is_a_list_of_edges(weight=2.0):
    """A graph is three arrays: what the nodes hold, and where edges begin and end.

    Edge k leads from node `senders[k]` to node `receivers[k]`. A *message* goes along
    each edge. `jraph.segment_sum` adds up the messages that arrive at the same node, as
    JAX's own `jax.ops.segment_sum` does.

    Jraph is a small library for graphs. It is finished rather than alive: the newest
    release is from August 2022. What is shown here still works;
    `jraph.get_fully_connected_graph` no longer does, since it calls the old
    `jax.tree_leaves`.
    """
    import jraph

    nodes = jnp.array([1.0, 10.0, 100.0])
    senders = jnp.array([0, 1, 2, 0])
    receivers = jnp.array([1, 2, 1, 2])
    messages = weight * nodes[senders]
    arrived = jraph.segment_sum(messages, receivers, 3)
    return arrived


def check_messages_are_added_by_a_loop():
    """A loop over the edges adds up the same; nobody writes to node 0, so it gets 0."""
    for weight in (2.0, -0.5):
        expected, nodes = [0.0, 0.0, 0.0], (1, 10, 100)
        for sender, receiver in ((0, 1), (1, 2), (2, 1), (0, 2)):
            expected[receiver] += weight * nodes[sender]
        np.testing.assert_allclose(graph_is_a_list_of_edges(weight), expected, 1e-6)


def graph_network_is_two_functions(weight=2.0):
    """A graph network is one function for all edges, and one for all nodes.

    `jraph.GraphsTuple` holds a graph. `n_node` and `n_edge` say how many nodes and
    edges it has, and `globals` is for numbers of the whole graph. `jraph.GraphNetwork`
    first calls the function for edges: with the edges, with the nodes that send and
    that receive, and with `globals`. Then it calls the function for nodes: with the
    nodes, with the sum of the new edges that each node sends, with the sum of those
    that it receives, and with `globals`. In a real network both functions are layers,
    with parameters to be trained.
    """
    import jraph

    def update_edge(edge, sender, receiver, of_graph):
        return edge * sender

    def update_node(node, sent, received, of_graph):
        return node + received

    graph = jraph.GraphsTuple(
        nodes=jnp.array([1.0, 10.0, 100.0]),
        edges=jnp.array([weight, 3.0]),
        senders=jnp.array([0, 1]),
        receivers=jnp.array([1, 2]),
        n_node=jnp.array([3]),
        n_edge=jnp.array([2]),
        globals=None,
    )
    network = jraph.GraphNetwork(update_edge, update_node)
    new = network(graph)
    return new


def check_the_graph_network_is_a_loop():
    """A plain loop over the edges gives the same edges and the same nodes."""
    for weight in (2.0, -0.5):
        new = graph_network_is_two_functions(weight)
        old = [1.0, 10.0, 100.0]
        nodes, edges = list(old), []
        for sender, receiver, edge in ((0, 1, weight), (1, 2, 3.0)):
            edges.append(edge * old[sender])
            nodes[receiver] += edges[-1]
        np.testing.assert_allclose(new.edges, edges, 1e-6)
        np.testing.assert_allclose(new.nodes, nodes, 1e-6)
        np.testing.assert_array_equal((new.senders, new.receivers), [[0, 1], [1, 2]])
        np.testing.assert_array_equal((new.n_node, new.n_edge), [[3], [2]])
        assert new.globals is None


def graphs_are_padded_to_one_size(small=2, large=5):
    """Graphs of different sizes are padded, so that one program serves them all.

    `jax.jit` compiles anew for every shape. `jraph.pad_with_graphs` adds a second
    graph, of nodes that hold 0, and `n_node` then counts the nodes of both. Together
    they have the sizes that are asked for, and at least one node must be spare. We
    count how often Python runs the function, once for each program.

    Myth: graphs all differ in size, so JAX cannot be fast on them.
    """
    import jraph

    traced = []

    @jax.jit
    def total(graph):
        traced.append(graph.nodes.shape)
        return jnp.sum(graph.nodes)

    def ring(n):
        places = jnp.arange(n)
        return jraph.GraphsTuple(
            nodes=jnp.ones(n),
            edges=None,
            senders=places,
            receivers=(places + 1) % n,
            n_node=jnp.array([n]),
            n_edge=jnp.array([n]),
            globals=None,
        )

    padded = jraph.pad_with_graphs(ring(small), n_node=8, n_edge=9)
    of_small = total(padded)
    of_large = total(jraph.pad_with_graphs(ring(large), n_node=8, n_edge=9))
    programs = len(traced)
    return of_small, of_large, programs


def check_one_program_for_all_sizes():
    """One program counts the nodes of both rings: those that pad them hold 0."""
    for small, large in ((2, 5), (3, 7)):
        *totals, programs = graphs_are_padded_to_one_size(small, large)
        np.testing.assert_array_equal(totals, (small, large))
        assert programs == 1
