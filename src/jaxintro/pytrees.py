"""Pytrees: nested dicts, lists and tuples are arguments like any other.

A model has many arrays, and nobody wants to hand them over one by one. `jax.grad`,
`jax.vmap` and `jax.jit` take them together, in dicts and lists. After this lesson you
can count, update, freeze and stack parameters in a few lines, and you know where a
container is not what it seems: `None`, shapes, the order of keys, and a class of your
own. Read first: pure_functions, grad, vmap, jit, shapes_and_branches and
gradient_descent.
"""

import io
import json
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import keystr

from jaxintro.lens import traces

ORDER = 130


def leaves_and_structure(scale=3.0):
    """A pytree is made of leaves and of structure, and you can have each alone.

    A *pytree* is a container, such as a dict, a list or a tuple, or containers in
    containers. An array or a number alone is a pytree, too, of one leaf. The containers
    are its *structure*. What they hold in the end, mostly arrays and numbers, are the
    *leaves*. (`None` is an exception, as section 10 shows.) `jax.tree.leaves` lists the
    leaves, and `jax.tree.structure` gives the structure, in which a star stands for
    each leaf.

    Predict: `params` holds six numbers. How many leaves has it?
    """
    weights = jnp.array([1.0, 2.0, 4.0])
    params = {"line": [0.5, weights], "other": (scale, 7)}
    leaves = jax.tree.leaves(params)
    number = len(leaves)
    structure = jax.tree.structure(params)
    return leaves, number, structure


def check_an_array_is_one_leaf():
    """An array is one leaf, however many numbers it holds, and so is each number."""
    for scale in (3.0, -1.5):
        leaves, number, structure = leaves_and_structure(scale)
        half, weights, *others = leaves
        assert number == 4
        assert (half, *others) == (0.5, scale, 7)
        assert weights.tolist() == [1, 2, 4]
        assert str(structure) == "PyTreeDef({'line': [*, *], 'other': (*, *)})"


def how_many_parameters(width=3):
    """`jax.tree.map` applies a function to each leaf.

    The results stand in a new pytree of the same structure. Here the function is
    `jnp.size`, which says how many numbers an array has. So we can count all parameters
    of a model. (In a dict that it returns, the keys stand sorted.)

    Predict: the first layer takes 2 numbers and gives 3, the next gives 1. Each has a w
    and a b. How many parameters are there in all?
    """
    hidden = {"w": jnp.ones((2, width)), "b": jnp.zeros(width)}
    out = {"w": jnp.ones((width, 1)), "b": jnp.zeros(1)}
    params = {"hidden": hidden, "out": out}
    sizes = jax.tree.map(jnp.size, params)
    count = sum(jax.tree.leaves(sizes))
    return sizes, count


def check_every_number_is_counted():
    """The layers have 2n + n and n + 1 parameters, for a width of n."""
    for n in (3, 10):
        sizes, count = how_many_parameters(n)
        assert sizes == {"hidden": {"w": 2 * n, "b": n}, "out": {"w": n, "b": 1}}
        assert count == 4 * n + 1


def paths_name_the_leaves(w=2.0):
    """Each leaf has a path: the keys and places that lead to it.

    `jax.tree.leaves_with_path` lists pairs of a path and a leaf. `keystr` makes a text
    of the path. For dicts, lists and tuples, it is what you would write behind `params`
    to get that leaf. So you can see what a large model is made of. (In a path,
    `DictKey` is a key of a dict, and `SequenceKey` a place in a list or a tuple.)
    """
    params = {"layers": [{"w": w}, {"w": 3.0, "b": 0.5}], "scale": 7.0}
    for path, leaf in jax.tree.leaves_with_path(params):
        print(keystr(path), "is", leaf)


def check_every_leaf_has_its_own_path():
    """Each of the four leaves is printed behind its own path."""
    for w in (2.0, -1.5):
        with redirect_stdout(io.StringIO()) as printed:
            paths_name_the_leaves(w)
        assert printed.getvalue().splitlines() == [
            f"['layers'][0]['w'] is {w}",
            "['layers'][1]['b'] is 0.5",
            "['layers'][1]['w'] is 3.0",
            "['scale'] is 7.0",
        ]


def keys_are_sorted(w=2.0, b=1.0):
    """The leaves of a dict come in the order of its sorted keys.

    The order in which you wrote the keys does not count: two dicts with the same keys,
    and one leaf under each key, have the same structure. So never pair leaves with the
    names in a dict. Take the paths of the last section instead. Note that texts are
    compared letter by letter. (A list keeps its order, and so does an `OrderedDict`.
    Keys that cannot be sorted, such as 1 and "a" in one dict, are a ValueError.)

    Predict: which comes first in `in_order`: the leaf of layer2, or that of layer10?
    """
    params = {"w": w, "b": b}
    leaves = jax.tree.leaves(params)
    mistaken = dict(zip(params, leaves, strict=True))
    one = jax.tree.structure(params)
    other = jax.tree.structure({"b": b, "w": w})
    equal = one == other
    layers = {"layer2": 2, "layer10": 10}
    in_order = jax.tree.leaves(layers)
    return leaves, mistaken, equal, in_order


def check_leaves_come_by_the_alphabet():
    """As b comes before w, the names are swapped; the two structures are equal."""
    for w, b in ((2.0, 1.0), (0.0, -3.0)):
        leaves, mistaken, equal, in_order = keys_are_sorted(w, b)
        assert leaves == [b, w]
        assert mistaken == {"w": b, "b": w}
        assert equal is True
        assert in_order == [10, 2]


def two_trees_at_once(w=2.0, b=1.0):
    """`jax.tree.map` takes several trees, and pairs the leaves in the same place.

    `jax.grad` gives a gradient with the structure of the parameters. So the step
    downhill is one line of code, for two parameters and for a large network. (For
    `jax.grad`, the leaves must be floats, or complex numbers: a whole number, such as
    the 7 in the first section, is a TypeError.)
    """

    def loss(params):
        return (params["w"] * 3 + params["b"] - 5) ** 2

    params = {"w": w, "b": b}
    gradient = jax.grad(loss)(params)
    params = jax.tree.map(lambda p, g: p - 0.1 * g, params, gradient)
    return gradient, params


def check_each_parameter_meets_its_slope():
    """With e = 3w + b − 5 the slopes are 6e and 2e; a tenth of each is taken off."""
    for w, b in ((2.0, 1.0), (-1.0, 0.5)):
        gradient, params = two_trees_at_once(w, b)
        e = 3 * w + b - 5
        for name, value, slope in (("w", w, 6 * e), ("b", b, 2 * e)):
            np.testing.assert_allclose(gradient[name], slope, rtol=1e-6)
            np.testing.assert_allclose(params[name], value - slope / 10, rtol=1e-6)


def trees_must_fit(w=2.0):
    """Two dicts with different keys do not fit together.

    JAX compares the trees before it calls your function, and raises a `ValueError`.
    Read its long message from the end. The "symmetric difference on key sets" is what
    only one of the two dicts has: here the key b.
    """

    def add(a, b):
        return a + b

    try:
        jax.tree.map(add, {"w": w, "b": 1.0}, {"w": 0.5})
    except ValueError as error:
        missing = error
    fits = jax.tree.map(add, {"w": w, "b": 1.0}, {"w": 0.5, "b": 0.5})
    return missing, fits


def check_misfits_are_value_errors():
    """The missing key b is a ValueError; with it, the numbers are added."""
    for w in (2.0, -1.0):
        missing, fits = trees_must_fit(w)
        assert isinstance(missing, ValueError)
        assert "b" in str(missing).split("key")[-1]
        assert fits == {"w": w + 0.5, "b": 1.5}


def a_list_is_not_a_tuple(w=2.0):
    """A list and a tuple do not fit together, even with the same leaves.

    The kinds of the containers belong to the structure. Say that parameters are saved
    as JSON, a text which has lists but no tuples. What was a tuple comes back as a
    list, with the same numbers in it. The message names the two kinds.
    """

    def add(a, b):
        return a + b

    params = (w, 1.0)
    loaded = json.loads(json.dumps(params))
    try:
        jax.tree.map(add, loaded, (0.5, 0.5))
    except ValueError as error:
        other_kind = error
    fits = jax.tree.map(add, tuple(loaded), (0.5, 0.5))
    return loaded, other_kind, fits


def check_a_list_does_not_fit_a_tuple():
    """A list with a tuple is a ValueError; two tuples are added."""
    for w in (2.0, -1.0):
        loaded, other_kind, fits = a_list_is_not_a_tuple(w)
        assert loaded == [w, 1.0]
        assert isinstance(other_kind, ValueError)
        assert "list" in str(other_kind)
        assert fits == (w + 0.5, 1.5)


def first_tree_decides(slow=0.1, fast=1.0):
    """The first tree of `jax.tree.map` decides what is a leaf.

    The trees behind it may be deeper. Where the first tree has a leaf, the function
    gets all that the others have there, even a whole dict. In `met` you see what meets
    what.

    Say that we want one learning rate for each layer, and a rate times each slope. A
    rate times a whole dict would be an error of Python. `jax.tree.broadcast(rates,
    gradient)` repeats each rate for all leaves below it, and then both trees have the
    same structure.
    """
    gradient = {"hidden": {"w": 2.0, "b": 4.0}, "out": {"w": 6.0}}
    rates = {"hidden": slow, "out": fast}

    def show(r, g):
        return f"{r} meets {g}"

    met = jax.tree.map(show, rates, gradient)
    repeated = jax.tree.broadcast(rates, gradient)
    steps = jax.tree.map(lambda r, g: r * g, repeated, gradient)
    return met, repeated, steps


def check_rates_reach_every_leaf():
    """Each rate meets a whole dict; the repeated rates multiply each slope."""
    for slow, fast in ((0.1, 1.0), (0.5, -2.0)):
        met, repeated, steps = first_tree_decides(slow, fast)
        assert met["hidden"] == f"{slow} meets {{'w': 2.0, 'b': 4.0}}"
        assert met["out"] == f"{fast} meets {{'w': 6.0}}"
        assert repeated == {"hidden": {"w": slow, "b": slow}, "out": {"w": fast}}
        expected = {"hidden": {"w": 2 * slow, "b": 4 * slow}, "out": {"w": 6 * fast}}
        assert steps == expected


def shapes_are_containers(rows=2):
    """A shape is a tuple, and so it is structure and not a leaf.

    From a dict of shapes we want to make a dict of arrays. But `jax.tree.map` goes into
    the tuples, and `jnp.zeros(2)` is no error. The cure is `is_leaf`: a function that
    says at which containers to stop. It is asked of the whole dict first, and then of
    each shape.

    Predict: what stands under "w" in `mistaken`?
    """
    shapes = {"w": (rows, 3), "b": (3,)}
    mistaken = jax.tree.map(jnp.zeros, shapes)

    def is_shape(x):
        return isinstance(x, tuple)

    cured = jax.tree.map(jnp.zeros, shapes, is_leaf=is_shape)
    return mistaken, cured


def check_is_leaf_stops_at_a_shape():
    """Without `is_leaf` each length makes a vector, with it each shape an array."""
    for rows in (2, 5):
        mistaken, cured = shapes_are_containers(rows)
        assert [vector.tolist() for vector in mistaken["w"]] == [[0] * rows, [0] * 3]
        assert [vector.tolist() for vector in mistaken["b"]] == [[0] * 3]
        assert cured["w"].tolist() == [[0] * 3] * rows
        assert cured["b"].tolist() == [0] * 3


def none_is_no_leaf(w=2.0):
    """`None` is no leaf, but a part of the structure.

    People put `None` where a layer has no b. Here we want a 0.0 in its place. With
    `is_leaf`, known from the last section, a `None` counts as a leaf.

    Myth: `jax.tree.map` calls the function for everything that stands in the dict.
    """

    def fill(leaf):
        return 0.0 if leaf is None else leaf

    params = {"w": w, "b": None}
    leaves = jax.tree.leaves(params)
    structure = jax.tree.structure(params)
    unchanged = jax.tree.map(fill, params)

    def is_none(x):
        return x is None

    cured = jax.tree.map(fill, params, is_leaf=is_none)
    return leaves, structure, unchanged, cured


def check_none_stays_unless_it_is_a_leaf():
    """`None` stands in the structure and stays; with `is_leaf` it is replaced by 0."""
    for w in (2.0, -1.0):
        leaves, structure, unchanged, cured = none_is_no_leaf(w)
        assert leaves == [w]
        assert str(structure) == "PyTreeDef({'b': None, 'w': *})"
        assert unchanged == {"w": w, "b": None}
        assert cured == {"w": w, "b": 0.0}


def many_models_one_vmap(tilts=(1.0, -1.0, 0.5)):
    """To run many models at once, stack their leaves.

    `jax.vmap` goes along an axis of arrays, not along a list. So we stack the three w
    to one array, and the three b to another. `*models` hands the three dicts over as
    three trees, and `*leaves` collects the three leaves of each place. With
    `in_axes=(0, None)`, `jax.vmap` takes the models one by one, and all x for each. To
    get a single model back, index each leaf.
    """
    import matplotlib.pyplot as plt

    def line(params, x):
        return params["w"] * x + params["b"]

    def stack(*leaves):
        return jnp.stack(leaves)

    models = [{"w": tilt, "b": tilt**2} for tilt in tilts]
    stacked = jax.tree.map(stack, *models)
    x = jnp.linspace(-2, 2, 5)
    y = jax.vmap(line, in_axes=(0, None))(stacked, x)
    last = jax.tree.map(lambda leaf: leaf[-1], stacked)

    _, axes = plt.subplots()
    axes.plot(x, y.T, label=[f"w = {tilt}" for tilt in tilts])
    axes.set(xlabel="x", ylabel="y", title="Three models, one call")
    axes.legend()
    return stacked, y, last, axes


def check_each_model_draws_its_line():
    """Row i is the line of model i, w x + w², and the last model comes back."""
    for tilts in ((1.0, -1.0, 0.5), (2.0, 0.25)):
        stacked, y, last, axes = many_models_one_vmap(tilts)
        w = np.array(tilts)
        expected = w[:, None] * np.linspace(-2, 2, 5) + w[:, None] ** 2
        np.testing.assert_allclose(stacked["w"], w)
        np.testing.assert_allclose(stacked["b"], w**2)
        np.testing.assert_allclose(y, expected, atol=1e-6)
        np.testing.assert_allclose([last["w"], last["b"]], [w[-1], w[-1] ** 2])
        drawn = [drawing.get_ydata() for drawing in axes.lines]
        np.testing.assert_allclose(drawn, expected, atol=1e-6)


def a_tree_of_pairs_is_a_pair_of_trees(values=(3.0, -1.0, 2.0)):
    """`jax.tree.transpose` turns a tree of pairs into a pair of trees.

    A function that gives two results makes a tree of pairs. Mostly you want two trees.
    `jax.tree.transpose` takes the outer structure, the inner structure, and the tree.
    The inner one is the structure of a pair. Any tuple of two leaves has it, here `(0,
    0)`.
    """

    def lowest_and_highest(leaf):
        return leaf.min(), leaf.max()

    params = {"w": jnp.array(values), "b": jnp.array([0.5, 0.25])}
    pairs = jax.tree.map(lowest_and_highest, params)
    outer = jax.tree.structure(params)
    inner = jax.tree.structure((0, 0))
    lowest, highest = jax.tree.transpose(outer, inner, pairs)
    return pairs, lowest, highest


def check_lowest_and_highest_are_apart():
    """One dict holds the lowest number of each leaf, the other the highest."""
    for values in ((3.0, -1.0, 2.0), (0.0, 7.0)):
        pairs, lowest, highest = a_tree_of_pairs_is_a_pair_of_trees(values)
        assert pairs == {"w": (min(values), max(values)), "b": (0.25, 0.5)}
        assert lowest == {"w": min(values), "b": 0.25}
        assert highest == {"w": max(values), "b": 0.5}


def a_gradient_is_clipped(largest=1.0):
    """One number can be made of all leaves together, such as a length.

    The length of a gradient is the root of the sum of all squares, over all leaves. A
    gradient that is longer than `largest` is made shorter, which is called clipping.
    """
    gradient = {"w": jnp.array([2.0, 4.0]), "b": 4.0}
    leaves = jax.tree.leaves(gradient)
    squares = sum(jnp.sum(leaf**2) for leaf in leaves)
    length = jnp.sqrt(squares)
    factor = jnp.minimum(1, largest / length)
    clipped = jax.tree.map(lambda leaf: factor * leaf, gradient)
    return length, clipped


def check_gradient_is_cut_to_the_length():
    """The length is √(2² + 4² + 4²) = 6, and it is cut to `largest` if longer."""
    for largest in (1.0, 3.0, 10.0):
        length, clipped = a_gradient_is_clipped(largest)
        np.testing.assert_allclose(length, 6, rtol=1e-6)
        factor = min(1, largest / 6)
        np.testing.assert_allclose(clipped["w"], [2 * factor, 4 * factor], rtol=1e-6)
        np.testing.assert_allclose(clipped["b"], 4 * factor, rtol=1e-6)


def apart_and_together(seed=0, size=3):
    """A tree can be taken apart into a list of leaves, and built again.

    `jax.tree.flatten` gives the leaves and the structure. `jax.tree.unflatten` takes a
    structure and a row of new leaves, one for each star, and gives a tree. Here we want
    random numbers in each leaf, and so a key for each leaf. `jax.random.split` gives
    the keys in a row, and `jax.tree.unflatten` puts them into a tree like `params`.
    """
    params = {"w": jnp.zeros(size), "b": jnp.zeros(size)}
    leaves, structure = jax.tree.flatten(params)
    row = jax.random.split(jax.random.key(seed), len(leaves))
    keys = jax.tree.unflatten(structure, row)

    def noise(key, leaf):
        return jax.random.normal(key, leaf.shape)

    noisy = jax.tree.map(noise, keys, params)
    return row, keys, noisy


def check_each_leaf_has_its_own_key():
    """Each leaf gets a key of its own, and so the numbers of w and b differ."""
    # Blunt: of a million random numbers we know the spread to a thousandth
    for seed in (0, 5):
        row, keys, noisy = apart_and_together(seed, 1_000_000)
        assert list(keys) == ["b", "w"]
        assert (keys["b"] == row[0], keys["w"] == row[1]) == (True, True)
        assert keys["b"] != keys["w"]
        w, b = np.asarray(noisy["w"]), np.asarray(noisy["b"])
        # a million draws: spread and correlation are known to about 0.001
        np.testing.assert_allclose([w.std(), b.std()], 1, atol=0.005)
        assert abs(np.corrcoef(w, b)[0, 1]) < 0.005


def a_step_keeps_the_structure(turns=4):
    """A compiled step should return the structure that it takes.

    `jax.jit` keeps a program for each structure, as the lesson on jit has shown. This
    `move` takes a list and returns a tuple. Its numbers are right, so nobody notices.
    (`traces` counts.)

    Predict: `move` is called four times. How often is it traced?
    """

    @traces
    @jax.jit
    def move(state):
        x, speed = state
        return x + speed, speed  # the mistake: a tuple

    state = [0.0, 1.0]
    for _ in range(turns):
        state = move(state)
    count = move.count
    return state, count


def check_a_tuple_costs_a_second_trace():
    """There are two traces: one for the list, and one for the tuples after it."""
    for turns in (4, 2):
        state, count = a_step_keeps_the_structure(turns)
        assert count == 2
        assert state == (turns, 1)


def a_loop_demands_the_structure(turns=4):
    """A loop of JAX refuses a step that returns another structure.

    What such a loop hands from turn to turn is its *carry*, and the carry must keep its
    structure. The message speaks of a scan, for JAX has made one of this
    `jax.lax.fori_loop`. In `loop_carry`, place 0 is the counter, and place 1 is our
    state. The cure is to return a list.
    """
    start = [jnp.array(0.0), jnp.array(1.0)]

    def mistaken(i, state):
        x, speed = state
        return x + speed, speed

    try:
        jax.lax.fori_loop(0, turns, mistaken, start)
    except TypeError as error:
        refused = error

    def cured(i, state):
        x, speed = state
        return [x + speed, speed]

    state = jax.lax.fori_loop(0, turns, cured, start)
    return refused, state


def check_the_loop_refuses_the_tuple():
    """The tuple is a TypeError; with the list, x grows by its speed in each turn."""
    for turns in (4, 2):
        refused, state = a_loop_demands_the_structure(turns)
        assert isinstance(refused, TypeError)
        assert "structure" in str(refused)
        assert state == [turns, 1]


def velocity_beside_the_parameters(rate=0.02, count=60):
    """What an optimizer remembers is a tree like the parameters.

    An *optimizer* is a rule that makes new parameters from a gradient. Many optimizers
    remember something from step to step, and this is called their state. Here it is a
    *velocity*: at each step, a part of it is kept and the gradient is added. It points
    uphill, and so it is subtracted. (This is the momentum of gradient_descent, whose
    "move" is −rate times our velocity.) Each parameter has a velocity, so the state has
    the structure of the parameters, and `jax.tree.map` makes the first one, all zeros.
    `jax.lax.scan`, known from gradient_descent, runs `update` again and again: it hands
    on the pair of parameters and velocity, and collects the losses. `partial(update,
    kept)` fills in the first argument.

    If nothing is kept, this is plain gradient descent. In the picture, the walk that
    keeps 0.9 of its velocity swings to and fro, but ends lower.
    """
    import matplotlib.pyplot as plt

    def loss(params):
        return params["w"] ** 2 / 2 + 10 * params["b"] ** 2

    def update(kept, state, _):
        params, velocity = state
        slopes = jax.grad(loss)(params)
        velocity = jax.tree.map(lambda v, g: kept * v + g, velocity, slopes)
        params = jax.tree.map(lambda p, v: p - rate * v, params, velocity)
        return (params, velocity), loss(params)

    params = {"w": jnp.array(3.0), "b": jnp.array(1.0)}
    velocity = jax.tree.map(jnp.zeros_like, params)
    start = (params, velocity)
    _, axes = plt.subplots()
    for kept in (0.0, 0.9):
        step = partial(update, kept)
        end, losses = jax.lax.scan(step, start, length=count)
        axes.plot(losses, label=f"keeps {kept}")
    axes.set(xlabel="step", ylabel="loss", ylim=0)
    axes.set_title("A walk that remembers its velocity")
    axes.legend()
    return velocity, end, axes


def check_velocity_is_that_of_a_plain_loop():
    """The losses, the end and the velocity are those of a loop with plain numbers."""
    for rate, count in ((0.02, 60), (0.01, 20)):
        zeros, (params, velocity), axes = velocity_beside_the_parameters(rate, count)
        assert zeros == {"w": 0, "b": 0}
        for line, share in zip(axes.lines, (0, 0.9), strict=True):
            p, v, losses = np.array([3.0, 1.0]), np.zeros(2), []
            for _ in range(count):
                v = share * v + p * [1, 20]
                p = p - rate * v
                losses.append(p[0] ** 2 / 2 + 10 * p[1] ** 2)
            # the swings cancel, so that what was rounded weighs more
            np.testing.assert_allclose(line.get_ydata(), losses, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose([params["w"], params["b"]], p, atol=1e-5)
        np.testing.assert_allclose([velocity["w"], velocity["b"]], v, atol=1e-5)


def a_part_is_frozen(rate=0.1):
    """To freeze some parameters, give `jax.tree.map` a tree of booleans.

    `jax.tree.map_with_path` calls the function with the path and the leaf. Here it asks
    whether the first key of the path is "out". In the update, a leaf that is not
    trained stays as it is. The booleans are Python's own, so `if` works. `update` takes
    them from outside, and they are fixed in its program when it is traced. As an
    argument they would become tracers, and the `if` would be an error.
    """
    params = {"hidden": {"w": 1.0, "b": 2.0}, "out": {"w": 3.0}}
    gradient = {"hidden": {"w": 5.0, "b": 5.0}, "out": {"w": 5.0}}

    def is_out(path, leaf):
        return path[0].key == "out"

    trained = jax.tree.map_with_path(is_out, params)

    @jax.jit
    def update(params, gradient):
        def new(p, g, train):
            return p - rate * g if train else p

        return jax.tree.map(new, params, gradient, trained)

    params = update(params, gradient)
    return trained, params


def check_only_the_last_layer_moves():
    """The layer hidden stays, and out moves by the rate times its slope."""
    for rate in (0.1, 0.5):
        trained, params = a_part_is_frozen(rate)
        assert trained == {"hidden": {"w": False, "b": False}, "out": {"w": True}}
        assert params["hidden"] == {"w": 1.0, "b": 2.0}
        np.testing.assert_allclose(params["out"]["w"], 3 - 5 * rate, rtol=1e-6)


def own_class_is_refused(x=3.0):
    """`jax.jit` refuses an object of your own class.

    JAX looks only into containers of a kind that it knows: dicts, lists, tuples, named
    tuples and a few more. What `jax.jit` traces must have arrays and numbers as leaves.
    `jax.grad` refuses the object, too, where it should give slopes for it. (As a static
    argument, `jax.jit` takes this object, but then its numbers are fixed in the
    program.) The next section has the cure.

    Predict: the object holds two numbers. How many leaves has it?
    """

    class Line:
        def __init__(self, w, b):
            self.w = w
            self.b = b

    def height(line, x):
        return line.w * x + line.b

    line = Line(2.0, 1.0)
    number = len(jax.tree.leaves(line))
    plain = height(line, x)
    try:
        jax.jit(height)(line, x)
    except TypeError as error:
        refused = error
    return number, plain, refused


def check_own_class_is_refused():
    """The object is one leaf: Python gets 2x + 1, and `jax.jit` a TypeError."""
    for x in (3.0, -1.0):
        number, plain, refused = own_class_is_refused(x)
        assert number == 1
        assert plain == 2 * x + 1
        assert isinstance(refused, TypeError)
        assert "Line" in str(refused)


def dataclasses_are_registered(x=3.0):
    """`jax.tree_util.register_dataclass` makes a container of a dataclass.

    Each field then holds a leaf, or a tree of leaves. An object of the class goes
    through `jax.jit`, and its gradient is an object of the same class. (Beside `def
    height` the page lists only x. But `line` is traced, too: its w is a tracer.)
    """

    @jax.tree_util.register_dataclass
    @dataclass
    class Line:
        w: jax.Array
        b: jax.Array

    @jax.jit
    def height(line, x):
        w = line.w
        return w * x + line.b

    line = Line(jnp.array(2.0), jnp.array(1.0))
    leaves = jax.tree.leaves(line)
    y = height(line, x)
    slopes = jax.grad(height)(line, x)
    return leaves, y, slopes


def check_a_line_has_a_line_of_slopes():
    """The leaves are 2 and 1, the height is 2x + 1, and the slopes are x and 1."""
    for x in (3.0, -1.0):
        leaves, y, slopes = dataclasses_are_registered(x)
        assert [float(leaf) for leaf in leaves] == [2, 1]
        assert y == 2 * x + 1
        assert type(slopes).__name__ == "Line"
        assert (slopes.w, slopes.b) == (x, 1)


def meta_fields_are_static(x=-3.0):
    """A field in `meta_fields` is no leaf: it is static, a part of the structure.

    So it is not traced, and an `if` on it works, as with `static_argnames`. Settings
    such as a flag or a text belong there. Arrays belong in `data_fields`: JAX compares
    meta fields, and what comes of comparing two arrays is an array, not a yes or no.
    Name both `data_fields` and `meta_fields`, or none of them.

    The lesson neural_network has lists and dicts of parameters at work.

    Predict: there are three calls. How often is `height` traced?
    """

    @partial(
        jax.tree_util.register_dataclass,
        data_fields=["w"],
        meta_fields=["positive"],
    )
    @dataclass
    class Line:
        w: float
        positive: bool

    @traces
    @jax.jit
    def height(line, x):
        y = line.w * x
        if line.positive:
            y = jnp.maximum(y, 0)
        return y

    as_it_is = height(Line(2.0, False), x)
    steeper = height(Line(5.0, False), x)
    cut = height(Line(2.0, True), x)
    count = height.count
    structure = jax.tree.structure(Line(2.0, True))
    return as_it_is, steeper, cut, count, structure


def check_each_setting_is_traced_once():
    """2x, 5x and the positive part of 2x need two traces; True is in the structure."""
    for x in (-3.0, 1.5):
        as_it_is, steeper, cut, count, structure = meta_fields_are_static(x)
        assert (as_it_is, steeper, cut) == (2 * x, 5 * x, max(2 * x, 0))
        assert count == 2
        assert "True" in str(structure)
