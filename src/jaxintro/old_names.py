"""Old names: what old pages call, and what to write today.

JAX has existed since 2018. Names have moved since then, and some are gone, but old
pages still show them. This appendix need not be read from top to bottom: look a name
up, for example with `python -m jaxintro.lesson --find tree_map`. Each section looks for
the old name in the JAX that you have, and shows the new one at work. The versions are
those of JAX's own list of changes, which leaves out only that of `PositionalSharding`.
"""

import pydoc
from importlib.metadata import version
from importlib.util import find_spec
from inspect import signature

import jax
import jax.numpy as jnp
import numpy as np

ORDER = 1000  # after all lessons, however many there will be

GONE = {
    "jax.experimental.maps.xmap": "jax.shard_map",
    "jax.numpy.trapz": "jax.numpy.trapezoid",
    "jax.numpy.in1d": "jax.numpy.isin",
    "jax.numpy.row_stack": "jax.numpy.vstack",
    "jax.numpy.product": "jax.numpy.prod",
    "jax.core.Primitive": "jax.extend.core.Primitive",
    "jax.linear_util": "jax.extend.linear_util",
    "jax.abstract_arrays.ShapedArray": "jax.core.ShapedArray",
    "jax.experimental.stax": "jax.example_libraries.stax",
    "jax.experimental.optimizers": "jax.example_libraries.optimizers",
}


def tree_map_moved(w=2.0):
    """`jax.tree_map` is now `jax.tree.map`.

    `jax.tree.map` came with JAX 0.4.25, and the old name went with 0.6.0. The same
    holds for `jax.tree_leaves` and `jax.tree_flatten`: write `jax.tree.leaves` and
    `jax.tree.flatten`. Some pages write `jax.tree_util.tree_map`, which is older than
    both and still works.

    Myth: what worked in some version of JAX works in each later one.
    """
    params = {"w": w, "b": 1.0}
    try:
        jax.tree_map(lambda p: 10 * p, params)
    except AttributeError as error:
        refused = error
    new = jax.tree.map(lambda p: 10 * p, params)
    same = jax.tree_util.tree_map(lambda p: 10 * p, params)
    return refused, new, same


def check_tree_map():
    """The old name is an AttributeError; both others multiply each leaf."""
    for w in (2.0, -0.5):
        refused, new, same = tree_map_moved(w)
        assert "tree_map" in str(refused)
        assert new == same == {"w": 10 * w, "b": 10.0}


def tree_multimap_is_tree_map(w=2.0):
    """`jax.tree_multimap` is `jax.tree.map` with several trees.

    Once there was a function for one tree and another for several. Since JAX 0.3.16
    there is only one.
    """
    params = {"w": w, "b": 1.0}
    slopes = {"w": 0.5, "b": 0.25}
    try:
        jax.tree_multimap(lambda p, g: p - g, params, slopes)
    except AttributeError as error:
        refused = error
    new = jax.tree.map(lambda p, g: p - g, params, slopes)
    return refused, new


def check_tree_multimap():
    """The old name is an AttributeError; `jax.tree.map` subtracts leaf from leaf."""
    for w in (2.0, -0.5):
        refused, new = tree_multimap_is_tree_map(w)
        assert "tree_multimap" in str(refused)
        assert new == {"w": w - 0.5, "b": 0.75}


def index_update_is_at(number=9.0):
    """`jax.ops.index_update(x, i, y)` is `x.at[i].set(y)`.

    In the same way `jax.ops.index_add` is `x.at[i].add(y)`. The old functions went with
    JAX 0.3.2. The new form is older than that, and there are more of its kind: see the
    lesson numpy_parity.
    """
    x = jnp.array([1.0, 2.0, 3.0])
    try:
        jax.ops.index_update(x, 1, number)
    except AttributeError as error:
        refused = error
    new = x.at[1].set(number)
    return refused, new


def check_index_update():
    """The old name is an AttributeError; `.at` gives the array with the new number."""
    for number in (9.0, -1.5):
        refused, new = index_update_is_at(number)
        assert "index_update" in str(refused)
        np.testing.assert_allclose(new, [1, number, 3], rtol=1e-6)


def device_is_no_method():
    """`x.device()` is now `x.devices()`, which gives a set.

    The old method went with JAX 0.4.27. Today another thing has this name. For `x`
    below it is its device; for an array that is spread over several devices it is a
    *sharding*, which says how.

    Predict: what happens if you call `x.device()` today?
    """
    x = jnp.ones(3)
    try:
        x.device()
    except TypeError as error:
        refused = error
    found = x.devices()
    device = x.device
    return refused, found, device


def check_device():
    """To call `x.device` is a TypeError; it is the one device of the set."""
    refused, found, device = device_is_no_method()
    assert "not callable" in str(refused)
    assert found == {device}


def device_array_is_array():
    """`jnp.DeviceArray` is now `jax.Array`.

    Since JAX 0.4.1 all arrays of JAX have this type, wherever they live, and the old
    name is gone since 0.4.14. A tracer is a `jax.Array` too, and so is a key: its old
    type `jax.random.KeyArray` is gone since 0.4.24.

    Predict: and a list of numbers, is that a `jax.Array`?
    """
    x = jnp.ones(3)
    key = jax.random.key(0)
    try:
        isinstance(x, jnp.DeviceArray)
    except AttributeError as error:
        refused = error
    array_is_one = isinstance(x, jax.Array)
    key_is_one = isinstance(key, jax.Array)
    list_is_one = isinstance([1.0], jax.Array)
    return refused, array_is_one, key_is_one, list_is_one


def check_device_array():
    """The old name is an AttributeError; arrays and keys are `jax.Array`, lists not."""
    refused, *answers = device_array_is_array()
    assert "DeviceArray" in str(refused)
    assert answers == [True, True, False]


def shuffle_is_permutation(seed=0):
    """`jax.random.shuffle` is now `jax.random.permutation`.

    The old function went with JAX 0.4.31. The new one takes an array, or a whole number
    n for the numbers 0 to n − 1.
    """
    key = jax.random.key(seed)
    x = jnp.array([10, 20, 30, 40])
    try:
        jax.random.shuffle(key, x)
    except AttributeError as error:
        refused = error
    new = jax.random.permutation(key, x)
    return refused, new


def check_shuffle():
    """The old name is an AttributeError; the new one only reorders the entries."""
    for seed in (0, 7):
        refused, new = shuffle_is_permutation(seed)
        assert "shuffle" in str(refused)
        np.testing.assert_array_equal(np.sort(new), [10, 20, 30, 40])


def xla_computation_is_lower(x=2.0):
    """`jax.xla_computation(f)(x)` is now `jax.jit(f).lower(x)`.

    What `lower` gives is the program before it is compiled. `as_text` shows it in a
    language named StableHLO, and `compile` compiles it. The old function went with JAX
    0.4.34; it wrote the program in another language, HLO.

    Predict: how often does the word `sine` stand in the text?
    """
    try:
        jax.xla_computation(jnp.sin)(x)
    except AttributeError as error:
        refused = error
    lowered = jax.jit(jnp.sin).lower(x)
    text = lowered.as_text()
    y = lowered.compile()(x)
    return refused, text, y


def check_xla_computation():
    """The old name is an AttributeError; the text has one sine, and it is NumPy's."""
    for x in (2.0, -0.5):
        refused, text, y = xla_computation_is_lower(x)
        assert "xla_computation" in str(refused)
        assert text.count("sine") == 1
        np.testing.assert_allclose(y, np.sin(x), rtol=1e-6)


def xla_bridge_is_gone():
    """`jax.lib.xla_bridge.get_backend().platform` is now `jax.default_backend()`.

    `jax.lib.xla_bridge` went with JAX 0.8.0. `jax.devices()` lists the devices, and
    `jax.device_count()` counts them.
    """
    old_is_there = hasattr(jax.lib, "xla_bridge")
    platform = jax.default_backend()
    first = jax.devices()[0].platform
    return old_is_there, platform, first


def check_xla_bridge():
    """The old module is gone since JAX 0.8; both others name the same platform."""
    old_is_there, platform, first = xla_bridge_is_gone()
    before_0_8 = [int(part) for part in version("jax").split(".")[:2]] < [0, 8]
    assert old_is_there is before_0_8
    assert platform == first != ""


def config_is_an_object():
    """`from jax.config import config` is now `jax.config`, after `import jax`.

    The module of this name went with JAX 0.4.29. The object stayed, and so did
    `jax.config.update`. Below it switches the numbers of 64 bits on and off again.
    """
    try:
        from jax.config import config

        config.update("jax_enable_x64", True)
    except ImportError as error:
        refused = error
    jax.config.update("jax_enable_x64", True)
    bytes_on = jnp.array(0.5).nbytes
    jax.config.update("jax_enable_x64", False)
    bytes_off = jnp.array(0.5).nbytes
    return refused, bytes_on, bytes_off


def check_config():
    """The module is a ModuleNotFoundError; the object sets 64 bits, and 32 again."""
    refused, bytes_on, bytes_off = config_is_an_object()
    assert "jax.config" in str(refused)
    assert (bytes_on, bytes_off) == (8, 4)


def positional_sharding_is_named(count=4):
    """`PositionalSharding` is now `NamedSharding`, with a mesh whose axes have names.

    The old class went with JAX 0.7.0. A *mesh* is a grid of devices, and its axes have
    names; `jax.make_mesh` makes one. `jax.sharding.NamedSharding` says along which of
    its axes an array is cut, by a `jax.sharding.PartitionSpec`. This mesh has one
    device, so nothing is cut here, and `y.sharding` tells that `y` lies on it. The
    lesson devices goes on with several.
    """
    try:
        jax.sharding.PositionalSharding(jax.devices())
    except AttributeError as error:
        refused = error
    mesh = jax.make_mesh((1,), ("rows",))
    rows = jax.sharding.PartitionSpec("rows")
    x = jnp.arange(float(count))
    y = jax.device_put(x, jax.sharding.NamedSharding(mesh, rows))
    spec = y.sharding.spec
    return refused, y, spec


def check_positional_sharding():
    """The old class is an AttributeError; the new one puts the numbers on the mesh."""
    for count in (4, 6):
        refused, y, spec = positional_sharding_is_named(count)
        assert "PositionalSharding" in str(refused)
        np.testing.assert_array_equal(y, np.arange(count))
        assert tuple(spec) == y.sharding.mesh.axis_names == ("rows",)


def clip_has_min_and_max(low=1.0):
    """`jnp.clip(x, a_min=…)` is now `jnp.clip(x, min=…)`.

    The old names of the arguments, `a_min` and `a_max`, went with JAX 0.10.0; JAX 0.7
    still takes them, with a warning. `signature` of Python lists the names that a
    function takes. By place, `jnp.clip(x, 0, 1)` reads as ever. NumPy takes the new
    names too since its version 2.1.
    """
    x = jnp.array([0.0, 1.0, 2.0])
    names = list(signature(jnp.clip).parameters)
    new = jnp.clip(x, min=low)
    by_place = jnp.clip(x, low, 1.5)
    return names, new, by_place


def check_clip():
    """JAX 0.10 has no `a_min`; `min` and the arguments by place cut as NumPy does."""
    before_0_10 = [int(part) for part in version("jax").split(".")[:2]] < [0, 10]
    for low in (1.0, 0.25):
        names, new, by_place = clip_has_min_and_max(low)
        assert names[:3] == ["arr", "min", "max"]
        assert ("a_min" in names) is before_0_10

        np.testing.assert_allclose(new, np.clip([0.0, 1.0, 2.0], low, None), 1e-6)
        np.testing.assert_allclose(by_place, np.clip([0.0, 1.0, 2.0], low, 1.5), 1e-6)


def host_callback_is_pure_callback(x=2.0):
    """`jax.experimental.host_callback` is now `jax.pure_callback`, or one of two.

    The old module went with JAX 0.8.0. `jax.pure_callback(f, like, x)` lets a compiled
    program call a pure function of Python, here one of NumPy. `like` is the shape and
    dtype of what comes back, a `jax.ShapeDtypeStruct`. For a function with side effects
    there is `jax.experimental.io_callback`, and for printing `jax.debug.print`. JAX
    cannot look into the function of Python: `jax.grad` refuses it, and `jax.vmap` does
    unless `vmap_method` says how. `find_spec` of Python gives None for a module that is
    not there.
    """
    old_is_there = find_spec("jax.experimental.host_callback") is not None
    like = jax.ShapeDtypeStruct((), jnp.float32)

    def sine(x):
        return np.sin(x).astype("float32")

    @jax.jit
    def numpy_sine(x):
        return jax.pure_callback(sine, like, x)

    y = numpy_sine(x)
    return old_is_there, y


def check_host_callback():
    """The old module is gone since JAX 0.8; the new function gives NumPy's sine."""
    before_0_8 = [int(part) for part in version("jax").split(".")[:2]] < [0, 8]
    for x in (2.0, -0.5):
        old_is_there, y = host_callback_is_pure_callback(x)
        assert old_is_there is before_0_8
        np.testing.assert_allclose(y, np.sin(x), 1e-6)


def more_names_that_are_gone():
    """More old names, and for each the one to look at today.

    `xmap` went with JAX 0.4.31, `trapz`, `in1d`, `row_stack` and `jax.linear_util` with
    0.4.24, `jax.abstract_arrays` with 0.4.17, `product` with 0.4.16,
    `jax.core.Primitive` with 0.6.0, and `stax` and `optimizers` with 0.3.16. For `stax`
    and `optimizers` there are better libraries today: Flax and Optax, as the lesson
    ecosystem shows. `jax.shard_map` is not called as `xmap` was: see the lesson
    devices. `pydoc.locate` of Python looks a name up, and gives None if nothing has it.

    Other old names still work: `jax.random.PRNGKey` (lesson prng_keys), `jax.pmap`
    (devices), and, with a warning since JAX 0.8, `jax.experimental.pjit.pjit` and
    `jax.experimental.shard_map.shard_map`, which are `jax.jit` and `jax.shard_map` now.
    """
    still_there = [old for old in GONE if pydoc.locate(old)]
    missing = [n for n in GONE.values() if not pydoc.locate(n)]
    return still_there, missing


def check_names_are_gone():
    """None of the old names can be found, and each of the new ones can."""
    assert more_names_that_are_gone() == ([], [])
