"""NumPy parity: the same words, other rules.

`jax.numpy` reads like NumPy, yet an array cannot be changed, numbers have 32 bits, an
index out of bounds is no error, and a part of NumPy is missing. After this lesson you
can move a NumPy program over and know which lines to look at. Read first: nothing.
"""

import warnings
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import explain, race

try:
    from jax import enable_x64
except ImportError:  # before jax 0.8
    from jax.experimental import enable_x64

ORDER = 10  # lessons stand in steps of ten; there is no other registry

WHY_MISSING = {
    "writes in place": ["copyto", "putmask"],
    "is about memory": ["shares_memory", "may_share_memory", "ascontiguousarray"],
    "is text or files": ["loadtxt", "savetxt", "genfromtxt", "array2string"],
    "is about dates": ["busday_count", "busday_offset", "is_busday", "isnat"],
    "dtype depends on values": ["min_scalar_type", "real_if_close"],
}


def arrays_read_alike(numbers=(0, 1, 2, 3)):
    """Write jnp for np, name the dtype, and arrays and algebra carry over unchanged."""
    x = jnp.array(numbers, dtype="int32")
    a, b = 2 * x, x + 1
    algebra = {"x": x, "2x": a, "x + 1": b, "sum": a + b, "dot": a @ b}
    algebra["outer"] = jnp.outer(a, b)
    whole, zeros = jnp.arange(4, dtype="int32"), jnp.zeros((2, 5), "float16")
    points = jnp.linspace(-3, 3, 100, dtype="float32")
    return algebra | {"arange": whole, "zeros": zeros, "linspace": points}


def check_algebra_is_a_plain_loop():
    """Each result is what a plain Python loop over the numbers gives, in int32."""
    for numbers in ([0, 1, 2, 3], [5, -4, 11, 0]):
        a, b = [2 * x for x in numbers], [x + 1 for x in numbers]
        sums = [3 * x + 1 for x in numbers]
        dot = sum(2 * x * (x + 1) for x in numbers)
        outer = [[x * y for y in b] for x in a]
        found = list(arrays_read_alike(numbers).values())[:6]
        assert [y.tolist() for y in found] == [numbers, a, b, sums, dot, outer]
        assert {y.dtype.name for y in found} == {"int32"}


def check_arrays_are_numpys():
    """arange, zeros and linspace have NumPy's shape, dtype and numbers."""
    *_, whole, zeros, points = arrays_read_alike().values()
    numpys = [np.arange(4, dtype="int32"), np.zeros((2, 5), "float16")]
    numpys += [np.linspace(-3, 3, 100, dtype="float32")]
    for array, expected in zip((whole, zeros, points), numpys, strict=True):
        assert array.dtype == expected.dtype
        np.testing.assert_allclose(array, expected, rtol=1e-6, atol=1e-6)


def numbers_have_32_bits(value=0.1):
    """NumPy's numbers have 64 bits, JAX's have 32, until a switch gives them 64.

    A float64 asked for by name is cut with a warning, one from NumPy without a word.

    Predict: which dtypes does JAX give to [1] and to [0.1]?
    """
    with enable_x64(False), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dtypes = [jnp.array([x]).dtype.name for x in (1, value)]
        given = jnp.asarray(np.array(value))
        silent = len(caught)
        named = jnp.array(value, dtype="float64")
    with enable_x64(True):
        wide = [np.asarray(jnp.array([x])) for x in (1, value)]
    cut = {"given": given, "named": named, "warnings": [silent, len(caught) - silent]}
    return {"default": dtypes, **cut, "x64 enabled": wide}


def check_defaults_are_32_bits():
    """From a list JAX makes int32 or float32; with x64 enabled, NumPy's dtypes."""
    for value in (0.1, -1 / 3):
        default, *_, wide = numbers_have_32_bits(value).values()
        assert default == ["int32", "float32"]
        for array, number in zip(wide, (1, value), strict=True):
            assert array.dtype == np.array([number]).dtype
            assert array.tolist() == [number]


def check_a_float64_is_cut():
    """The nearest float32 comes back: silently, or, if named, with a warning."""
    for value in (0.1, -1 / 3):
        _, given, named, warned, _ = numbers_have_32_bits(value).values()
        assert np.float32(value) == given == named
        assert (given.dtype, named.dtype, warned) == (np.float32, np.float32, [0, 1])


def numbers_end_without_an_error(integer=46341, whole=2**24):
    """Past 2³¹ an int32 turns negative; from 2²⁴ on a float32 does not notice + 1.

    Predict: what is 46341 · 46341 in int32? (46340² is the last square that fits.)
    """
    x, y = jnp.array(integer, dtype="int32"), jnp.array(whole, dtype="float32")
    return {"square": x * x, "growth": (y + 1) - y}


def check_int32_wraps_and_float32_sticks():
    """An int32 square wraps into −2³¹ … 2³¹ − 1; float32 counts in ones up to 2²⁴."""
    for integer, whole, growth in ((46340, 2**24 - 1, 1), (99999, 2**24, 0)):
        square, grown = numbers_end_without_an_error(integer, whole).values()
        assert square == (integer**2 + 2**31) % 2**32 - 2**31
        assert grown == growth


def most_of_numpy_is_there():
    """What JAX leaves out has a reason: its arrays never change and may be on a GPU.

    Myth: "All NumPy functions are available, with the exact same API." Most are.
    """

    def functions(module):
        public = [(n, getattr(module, n)) for n in dir(module) if n[0] != "_"]
        return {n for n, f in public if callable(f) and not isinstance(f, type)}

    missing = functions(np) - functions(jnp)
    return {
        "there": len(functions(np)) - len(missing),
        "missing": len(missing),
        "ufuncs missing": [n for n in missing if isinstance(getattr(np, n), np.ufunc)],
        "linalg": list(functions(np.linalg) - functions(jnp.linalg)),
        "fft": list(functions(np.fft) - functions(jnp.fft)),
        **{why: [n for n in WHY_MISSING[why] if n in missing] for why in WHY_MISSING},
    }


def check_functions_add_up():
    """There and missing add up to NumPy's own list; 10 to 15 % of it are missing."""
    public = [getattr(np, name) for name in dir(np) if name[0] != "_"]
    total = len([f for f in public if callable(f) and not isinstance(f, type)])
    there, missing, *_ = most_of_numpy_is_there().values()
    assert there + missing == total
    assert 0.10 < missing / total < 0.15


def check_what_is_missing_is_known():
    """The one ufunc missing is isnat; linalg and fft lack only NumPy's self-test."""
    ufuncs, linalg, fft, *named = list(most_of_numpy_is_there().values())[2:]
    assert (ufuncs, linalg, fft) == (["isnat"], ["test"], ["test"])
    assert named == list(WHY_MISSING.values())


def arrays_do_not_change(row=1, value=1.0):
    """A JAX array is immutable: `x[row] = value` is refused, and so is `jnp.put`.

    `x.at[row].set(value)` returns a new array; alone on a line it is lost. `y += 1` too
    makes a new array: a second name for y still holds the old one.

    Myth: old pages write `jax.ops.index_update(x, row, value)`. It is gone; use `.at`.
    """
    x = jnp.zeros((2, 3), dtype="float32")
    try:
        x[row, :] = value
    except TypeError as error:
        refused = error
    try:
        jnp.put(x, row, value)
    except ValueError as error:
        put = error
    x.at[row, :].set(value)
    y = second_name = x.at[row, :].set(value)
    y += 1
    old = hasattr(jax.ops, "index_update")
    found = {"x[row] = value": refused, "jnp.put": put, "index_update exists": old}
    return {**found, "x": x, "second name": second_name, "y": y}


def check_writing_is_refused():
    """Assigning is a TypeError that names `.at`, jnp.put a ValueError, as it writes."""
    refused, put, exists, *_ = arrays_do_not_change().values()
    assert repr(refused).startswith("TypeError('JAX arrays are immutable")
    assert repr(put).startswith("ValueError('jax.numpy.put cannot modify")
    assert (".at[" in str(refused), exists) == (True, False)


def check_only_the_result_is_new():
    """What `.at` and `+=` return is NumPy's result; x and the second name stay."""
    for row, value in ((1, 1.0), (0, -2.5)):
        *_, x, second_name, y = arrays_do_not_change(row, value).values()
        expected = np.zeros((2, 3))
        np.testing.assert_array_equal(x, expected)
        expected[row, :] = value
        np.testing.assert_array_equal(second_name, expected)
        np.testing.assert_array_equal(y, expected + 1)


def at_has_a_family(index=2, y=2.0):
    """`.at` also reads, and it combines the old number with a new one.

    An index given twice counts twice; NumPy's `x[[i, i]] += y` adds y once.

    Predict: x[i] is 9. What is it after y = 2 was added at [i, i], in JAX?
    """
    x = jnp.array([1, 4, 9, 16], dtype="float32")
    at, twice = x.at[index], x.at[jnp.array([index, index], dtype="int32")]
    names = ["set", "add", "subtract", "multiply", "divide", "power", "min", "max"]
    results = {name: getattr(at, name)(y) for name in names}
    more = {"apply sqrt": at.apply(jnp.sqrt), "add at [i, i]": twice.add(y)}
    numpys = np.array(x)
    numpys[[index, index]] += y
    return {"get": at.get(), **results, **more, "NumPy's += at [i, i]": numpys}


def check_at_changes_one_number():
    """Each member of the family changes one number, as plain arithmetic does."""
    for index, y in ((2, 2.0), (-1, 20.0)):
        x = [1.0, 4.0, 9.0, 16.0]
        old = x[index]
        new = [y, old + y, old - y, old * y, old / y, old**y, min(old, y), max(old, y)]
        new += [old**0.5, old + 2 * y, old + y]
        got, *arrays = at_has_a_family(index, y).values()
        assert got == old
        for array, x[index] in zip(arrays, new, strict=True):
            np.testing.assert_allclose(array, x, rtol=1e-5)


def out_of_bounds_is_no_error(index=10):
    """NumPy stops with an IndexError. Compiled work on a GPU cannot stop halfway.

    So it reads the nearest number and drops what is written; with `mode=` you choose.

    Predict: what is x[10] for an x of five numbers?
    """
    x, whole = jnp.arange(5, dtype="float32"), jnp.arange(5, dtype="int32")
    return {
        "x[index]": x[index],
        "set": x.at[index].set(9.0),
        "set, clip": x.at[index].set(9.0, mode="clip"),
        "get, fill": x.at[index].get(mode="fill", fill_value=-1.0),
        "take": jnp.take(x, index),
        "take of integers": jnp.take(whole, index),
    }


def check_reading_clamps_and_writing_drops():
    """Beyond the end, x[index] is the last number and a write is dropped."""
    for index in (5, 10, 1000):
        read, dropped, clipped, filled, *_ = out_of_bounds_is_no_error(index).values()
        assert (read, filled) == (4, -1)
        assert dropped.tolist() == [0, 1, 2, 3, 4]
        assert clipped.tolist() == [0, 1, 2, 3, 9]


def check_take_marks_what_is_not_there():
    """Beyond either end, `take` gives nan for floats and −2³¹ for int32."""
    for index in (5, 10, -6):
        *_, taken, integer = out_of_bounds_is_no_error(index).values()
        assert np.isnan(taken)
        assert integer == -(2**31)


def lists_are_refused(numbers=(3, 1, 2)):
    """NumPy makes an array of any list it meets. JAX refuses, as that can be slow.

    A list of JAX numbers is joined one by one; start from a NumPy array if you can.
    """
    try:
        jnp.sum(list(numbers))
    except TypeError as error:
        refused = error
    cured = jnp.sum(jnp.array(numbers, dtype="int32"))
    jaxpr = str(jax.make_jaxpr(lambda x: jnp.array([x for _ in numbers]))(1.0))
    operations = jaxpr.count("broadcast_in_dim")
    return {"sum of a list": refused, "of an array": cured, "operations": operations}


def check_lists_must_become_arrays():
    """Summing a list is a TypeError; making it an array costs an operation a number."""
    for numbers in ((3, 1, 2), range(10)):
        refused, total, operations = lists_are_refused(numbers).values()
        assert repr(refused).startswith('TypeError("sum requires ndarray')
        assert (total, operations) == (sum(numbers), len(numbers))


def mixed_types_stay_narrow(integers=(0, 1, 2)):
    """Where int32 meets float32, NumPy widens to float64; JAX stays at float32.

    The one loses no digits, the other no speed. A strict mode makes you say which.
    """
    x, y = jnp.array(integers, dtype="int32"), jnp.ones(3, dtype="float32")
    pairs = ["int32 float32", "int16 float16", "int8 uint8"]
    with jax.numpy_dtype_promotion("standard"):
        dtypes = {pair: jnp.promote_types(*pair.split()).name for pair in pairs}
    with jax.numpy_dtype_promotion("strict"):
        try:
            x + y
        except ValueError as error:
            refused = error
        cured = x.astype("float32") + y
    return {**dtypes, "strict": refused, "strict, converted": cured}


def check_integers_do_not_widen_floats():
    """Integers widen NumPy's floats, not JAX's, and strict mode refuses the mixture."""
    for integers in ((0, 1, 2), (-7, 5, 40)):
        *found, refused, cured = mixed_types_stay_narrow(integers).values()
        pairs = (("int32", "float32"), ("int16", "float16"), ("int8", "uint8"))
        assert [np.result_type(*p) for p in pairs] == ["float64", "float32", "int16"]
        assert found == ["float32", "float16", "int16"]
        assert repr(refused).startswith("TypePromotionError(")
        assert cured.tolist() == [integer + 1 for integer in integers]


def small_arrays_are_faster_in_numpy(seconds=0.1):
    """Four products take nanoseconds; starting them takes longer, in JAX longest.

    The start is paid once an operation, and a thousand dot products can be one too.
    """
    numbers = np.arange(4, dtype=np.int32)
    x, thousand = jnp.asarray(numbers), jnp.ones((1000, 4), dtype="int32")
    contestants = {"numpy": lambda: numbers @ numbers, "jax": lambda: x @ x}
    times = race(contestants, seconds=seconds)
    operations = [explain(jnp.vecdot, each, each).equations for each in (x, thousand)]
    return {"race": times, "dot product": x @ x, "operations": operations}


def check_one_start_serves_a_thousand():
    """0·0 + 1·1 + 2·2 + 3·3 = 14 is one operation, and so are a thousand of them."""
    _, dot, operations = small_arrays_are_faster_in_numpy(seconds=0.01).values()
    assert dot == sum(x * x for x in range(4))
    assert operations == [{"dot_general": 1}, {"dot_general": 1}]


def standardise_rows(x):  # [rows, columns] -> the same
    """Give each row mean 0 and standard deviation 1, for arrays of either kind."""
    return (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)


def what_makes_large_arrays_fast(n=1000, seconds=0.2):
    """The same line on n² numbers: in NumPy twice, in JAX op by op, and compiled.

    JAX is named for it: Just-in-time compilation, Autodiff, and XLA, the compiler,
    which joins operations into fewer kernels: fewer passes over the memory.

    Myth: "On large arrays JAX beats NumPy." A part of that is float32 against float64.
    """
    wide = np.random.default_rng(0).normal(size=(n, n))
    narrow = wide.astype(np.float32)
    x, compiled = jnp.asarray(narrow), jax.jit(standardise_rows)
    plain = {"numpy float64": wide, "numpy float32": narrow, "jax": x}
    contestants = {name: partial(standardise_rows, plain[name]) for name in plain}
    contestants["jax compiled"] = partial(compiled, x)
    times, seen = race(contestants, seconds=seconds), explain(compiled, x)
    kernels = f"{seen.kernels} compiled, {seen.eager_kernels} one by one"
    return {"race": times, "bytes": [wide.nbytes, x.nbytes], "kernels": kernels}


def check_half_the_bytes_and_fewer_kernels():
    """float32 halves the bytes; compiled together, operations need fewer kernels."""
    _, moved, kernels = what_makes_large_arrays_fast(64, seconds=0.01).values()
    assert moved == [8 * 64 * 64, 4 * 64 * 64]
    compiled, _, one_by_one, *_ = kernels.split()
    assert int(compiled) < int(one_by_one)


def a_square_hides_the_wrong_axis(rows=((1.0, 3.0), (10.0, 30.0))):
    """A row mean without keepdims is taken from columns; on a square nothing complains.

    Myth: a slide standardises rows as `(x - x.mean(1)) / x.std(1)`.
    """
    x = jnp.array(rows, dtype="float32")
    with jax.numpy_rank_promotion("allow"):
        wrong = (x - x.mean(1)) / x.std(1)
    with jax.numpy_rank_promotion("raise"):
        try:
            x - x.mean(1)
        except ValueError as error:
            refused = error
    return {"wrong": wrong, "right": standardise_rows(x), "told to complain": refused}


def check_columns_lose_the_means_of_rows():
    """Column j wrongly loses the mean of row j, until JAX is told to refuse that."""
    for rows in (((1.0, 3.0), (10.0, 30.0)), ((0.0, 2.0), (5.0, 9.0))):
        x, means, stds = np.array(rows), np.mean(rows, axis=1), np.std(rows, axis=1)
        wrong, right, refused = a_square_hides_the_wrong_axis(rows).values()
        for i in (0, 1):
            columns, own = (x[:, i] - means[i]) / stds[i], (x[i] - means[i]) / stds[i]
            np.testing.assert_allclose(wrong[:, i], columns, rtol=1e-5)
            np.testing.assert_allclose(right[i], own, rtol=1e-5)
        assert "rank_promotion='raise'" in str(refused)


def arrays_live_on_a_device(numbers=(1.0, 4.0)):
    """An array is put on the accelerator by itself, if there is one.

    `jax.device_get` brings it back. So does, unseen, any function of NumPy.

    Myth: old pages call `x.device()`. That is no function now; ask `x.devices()`.
    """
    x = jnp.array(numbers, dtype="float32")
    return {
        "platform": x.device.platform,
        "on the first device": x.devices() == {jax.devices()[0]},
        "x.device is a function": callable(x.device),
        "jnp.sqrt stays there": isinstance(jnp.sqrt(x), jax.Array),
        "jax.device_get": jax.device_get(x),
        "np.sqrt": np.sqrt(x),
    }


def check_an_array_is_on_the_first_device():
    """A new array is on the first device alone, and `x.device` is no function."""
    platform, first, function, stays, *_ = arrays_live_on_a_device().values()
    assert platform in ("cpu", "gpu", "tpu")
    assert (first, function, stays) == (True, False, True)


def check_numpy_brings_an_array_back():
    """What `device_get` and NumPy's functions give is a numpy.ndarray."""
    for numbers in ((1.0, 4.0), (0.25, 9.0)):
        *_, back, root = arrays_live_on_a_device(numbers).values()
        assert type(back) is type(root) is np.ndarray
        assert back.tolist() == list(numbers)
        np.testing.assert_allclose(root, np.sqrt(numbers), rtol=1e-6)


def a_plot_takes_a_jax_array(cycles=1.0):
    """Matplotlib asks an array for its numbers, and a JAX array gives them as it is."""
    import matplotlib.pyplot as plt

    x = jnp.linspace(-3, 3, 100, dtype="float32")
    figure, axes = plt.subplots()
    axes.plot(x, jnp.sin(cycles * x))
    axes.set(xlabel="x", ylabel="sin x", title="jnp.sin over jnp.linspace(-3, 3, 100)")
    plt.close(figure)  # returned, not shown twice
    return figure


def check_the_curve_is_a_sine():
    """The curve drawn is sin x over 100 points from −3 to 3, as NumPy has it."""
    points = np.linspace(-3, 3, 100)
    for cycles in (1.0, 2.0):
        line = a_plot_takes_a_jax_array(cycles).axes[0].lines[0]
        np.testing.assert_allclose(line.get_xdata(), points, atol=1e-6)
        np.testing.assert_allclose(line.get_ydata(), np.sin(cycles * points), atol=1e-6)
