"""Arrays at work: where they live, when they are ready, and what makes them fast.

An array of JAX lives on a device, and a call may return before its numbers are there.
With few numbers, JAX is slower than NumPy; with many, a compiled function that joins
several operations can be faster.
After this lesson you can bring numbers back to NumPy, time JAX without being fooled,
and say where the speed comes from. Read first: first_steps and numpy_parity.
"""

import timeit

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import explain, race

ORDER = 30


def arrays_live_on_a_device(numbers=(1.0, 4.0)):
    """A JAX array lives on a device, and `x.devices()` says on which.

    A *device* is what computes: a CPU, a GPU or a TPU. `jax.devices()` lists those that
    JAX uses, and `x.devices()` holds the one where x is. A new array is put on the
    first device of the list, and you need not do anything for it. If JAX has found a
    GPU, the list holds GPUs. `root`, which is computed from x, is on the device of x.
    The lesson devices shows how to move an array to another device.
    """
    found = jax.devices()
    x = jnp.array(numbers)
    device_of_x = x.devices()
    root = jnp.sqrt(x)
    device_of_root = root.devices()
    return found, device_of_x, root, device_of_root


def check_an_array_is_on_the_first_device():
    """A new array, and what is computed from it, are on the first device."""
    for numbers in ((1.0, 4.0), (0.25, 9.0)):
        found, device_of_x, root, device_of_root = arrays_live_on_a_device(numbers)
        assert device_of_x == device_of_root == {found[0]}
        np.testing.assert_allclose(root, np.sqrt(numbers), rtol=1e-6)


def back_to_numpy(numbers=(1.0, 4.0)):
    """Three functions make a NumPy array of a JAX array.

    `jax.device_get`, `np.asarray` and `np.array` bring the numbers from the device to
    NumPy. What the first two give may share the memory of the JAX array, and JAX relies
    on this memory not to change. So you can read it, but you cannot write into it.
    `np.array` makes a copy of your own. Take `np.asarray` if you only want to read.
    """
    x = jnp.array(numbers)
    a = jax.device_get(x)
    b = np.asarray(x)
    try:
        b[0] = 9.0
    except ValueError as error:
        refused = error

    mine = np.array(x)
    mine[0] = 9.0
    print(mine)
    return a, b, refused, mine, x


def check_numpy_brings_an_array_back():
    """All three give a NumPy array; you can write into that of `np.array`."""
    for numbers in ((1.0, 4.0), (0.25, -9.0)):
        a, b, refused, mine, x = back_to_numpy(numbers)
        assert type(a) is type(b) is type(mine) is np.ndarray
        assert a.tolist() == b.tolist() == x.tolist() == list(numbers)
        assert mine.tolist() == [9.0, numbers[1]]
        assert type(refused) is ValueError
        assert "read-only" in str(refused)
        assert not a.flags.writeable


def numpy_functions_on_jax_arrays(numbers=(1.0, 2.0, 3.0, 4.0)):
    """Most of NumPy's functions accept a JAX array, and some give one back.

    Some of them leave the work to a method of x, and you get a JAX array. Others make a
    NumPy array of x first, and you get a NumPy array. The name of a function does not
    tell you which. So look at the type, and write `jnp` where you want to be sure to
    stay in JAX. Functions that write into their argument, such as `np.put`, raise an
    error.

    Predict: which of the five functions below give a JAX array?
    """
    x = jnp.array(numbers)
    total = np.sum(x)
    table = np.reshape(x, (2, 2))
    wave = np.sin(x)
    stacked = np.stack([x, x])
    ordered = np.sort(x)
    return total, table, wave, stacked, ordered


def check_some_numpy_functions_stay_in_jax():
    """`np.sum` and `np.reshape` give JAX arrays; the other three give NumPy arrays."""
    for numbers in ((1.0, 2.0, 3.0, 4.0), (0.5, -4.0, 3.0, 8.0)):
        results = numpy_functions_on_jax_arrays(numbers)
        total, table, wave, stacked, ordered = results
        for result in (total, table):
            assert not isinstance(result, np.ndarray | np.generic)
        assert type(wave) is type(stacked) is type(ordered) is np.ndarray
        assert total == sum(numbers)
        assert table.tolist() == [list(numbers[:2]), list(numbers[2:])]
        np.testing.assert_allclose(wave, np.sin(numbers), rtol=1e-6)
        assert stacked.tolist() == [list(numbers)] * 2
        assert ordered.tolist() == sorted(numbers)


def jax_does_not_wait(n=1000):
    """JAX may return an array before its numbers are computed.

    A large matrix product takes a while. JAX starts it and returns early, and Python
    goes on while the device still computes. This is called *asynchronous dispatch*.
    When you print the numbers or convert them, JAX waits until they are computed. But a
    time that is taken before may be too short. `x.block_until_ready()` waits until x is
    ready; `race` does this for you, and where nothing is timed you need not wait at
    all. `timeit.timeit(f, number=1)` calls f once and returns the seconds that it took.
    The first product is not timed, because a first call is slower.

    Times differ from machine to machine, so the sentences after a ✓ are about the
    results and not about times.

    Myth: a clock around a call of JAX says how long the calculation takes.
    """
    x = jnp.ones((n, n))
    y = (x @ x)[0, 0]

    waited = timeit.timeit(lambda: (x @ x).block_until_ready(), number=1)
    not_waited = timeit.timeit(lambda: x @ x, number=1)
    print(f"{waited / not_waited:.0f} times as long")
    return y


def check_the_product_is_right():
    """The number that was read from the product of n times n ones is right: it is n."""
    for n in (1000, 64):
        assert jax_does_not_wait(n) == n


def give_jax_a_copy(tries=30):
    """Give JAX a copy of a NumPy array that you want to go on changing.

    JAX does not wait when it reads your NumPy array either. `jnp.array(a)` may return
    before everything is read, and if you write into a at that moment, the new numbers
    may end up in x. Each turn of the first loop gives zeros to JAX, and then writes
    sevens into a. It went wrong if the largest number of x is 7, and `wrong` counts
    such turns. How often this happens depends on luck and on the version of JAX, and it
    may not happen at all. In the second loop this cannot happen, because nobody writes
    into the copy that `a.copy()` makes. (For `jnp.array(a)` it would also do to call
    `x.block_until_ready()` before you write. Not so for `jnp.asarray(a)` and
    `jax.device_put(a)`: what they return may use the memory of a for good, so there you
    need the copy.)
    """
    wrong = 0
    for _ in range(tries):
        a = np.zeros(1_000_000, dtype="float32")
        x = jnp.array(a)
        a[:] = 7.0
        largest = x.max()
        wrong += int(largest == 7.0)

    wrong_with_copy = 0
    for _ in range(tries):
        a = np.zeros(1_000_000, dtype="float32")
        x = jnp.array(a.copy())
        a[:] = 7.0
        largest = x.max()
        wrong_with_copy += int(largest == 7.0)
    return wrong_with_copy, a


def check_the_copy_stays():
    """With a copy, no turn goes wrong, though the sevens are in a."""
    for tries in (30, 3):
        wrong_with_copy, a = give_jax_a_copy(tries)
        assert wrong_with_copy == 0
        assert np.all(a == 7)


def small_arrays_are_faster_in_numpy(count=4, seconds=0.05):
    """With few numbers NumPy is faster than JAX.

    To add four numbers is almost no work. What takes time is everything before it: to
    find out which types and shapes there are, and to hand the work to the device. JAX
    takes longer for this than NumPy. If you have many small operations, put them into
    one compiled function, which is started only once. (With four numbers even that may
    take longer than NumPy.)

    Predict: how many times faster is NumPy?
    """
    a = np.arange(count, dtype="float32")
    x = jnp.array(a)
    total = x + x
    timed = race(
        {"NumPy": lambda: a + a, "JAX": lambda: x + x},
        seconds=seconds,
    )
    return total, timed


def check_the_sums_are_the_same():
    """Both add the same numbers and get the same sums, in float32."""
    for count in (4, 9):
        total, timed = small_arrays_are_faster_in_numpy(count, seconds=0.01)
        assert total.dtype == np.float32
        assert total.tolist() == [2 * n for n in range(count)]
        assert timed.checked  # race refuses functions whose results differ


def a_list_of_jax_numbers_is_slow(count=50, seconds=0.1):
    """A loop that makes a list of JAX numbers is slow.

    Each turn of such a loop starts operations for one number, and `jnp.array` has to
    start more of them to join the numbers. `jax.vmap`, which you know from first_steps,
    gives the array at once. For a function as simple as this one, `square(x)` would do
    as well, and would be faster still.

    Predict: how many times as fast as the loop is `jax.vmap` here?
    """

    def square(number):
        return number * number

    x = jnp.arange(float(count))
    listed = jnp.array([square(number) for number in x])
    mapped = jax.vmap(square)(x)
    timed = race(
        {
            "list": lambda: jnp.array([square(number) for number in x]),
            "vmap": lambda: jax.vmap(square)(x),
        },
        seconds=seconds,
    )
    return listed, mapped, timed


def check_both_lists_give_the_same():
    """The loop and `jax.vmap` give the same squares."""
    for count in (50, 7):
        listed, mapped, timed = a_list_of_jax_numbers_is_slow(count, seconds=0.01)
        squares = [n * n for n in range(count)]
        np.testing.assert_array_equal(listed, squares)
        np.testing.assert_array_equal(mapped, squares)
        assert timed.checked  # race refuses functions whose results differ


def half_the_bytes_are_faster(count=100_000, seconds=0.05):
    """Numbers of 32 bits are often faster than of 64, in NumPy as well.

    If JAX beats your NumPy program, a part of that may have nothing to do with JAX.
    float32 has half as many bytes to move, and a processor works on more numbers at
    once. Both functions in this race are NumPy's. How much there is to gain depends on
    the operation; a square root gains much.
    """
    a = np.linspace(0, 1, count)
    b = a.astype("float32")
    a_bytes = a.nbytes
    b_bytes = b.nbytes
    timed = race(
        {"float64": lambda: np.sqrt(a), "float32": lambda: np.sqrt(b)},
        seconds=seconds,
    )
    return a_bytes, b_bytes, timed


def check_float32_has_half_the_bytes():
    """float64 takes 8 bytes a number, float32 takes 4."""
    for count in (100_000, 10):
        a_bytes, b_bytes, timed = half_the_bytes_are_faster(count, seconds=0.01)
        assert (a_bytes, b_bytes) == (8 * count, 4 * count)
        assert timed.checked  # race refuses functions whose results differ


def compiled_operations_are_joined(count=1_000_000, seconds=0.3):
    """Compiled, several operations on a large array become one.

    This formula has five operations. Without `jax.jit` each of them is a kernel, a
    piece of machine code that goes through all the numbers in memory. Compiled, the
    five are joined into one. `explain`, which you know from first_steps, counts them:
    `.eager_kernels` is their number without `jax.jit`, `.kernels` when compiled. This
    is where JAX gains on large arrays. Look at `JAX` in the table, too: without
    `jax.jit` it may be slower than NumPy even here. From how many numbers on the
    compiled function wins, a race on your machine can tell. If the race tells no
    difference, give it more `seconds`. Each of the three is called once before the
    race, so nothing is compiled during the race. (A first call in the race may still be
    slow, because it must first get memory.)

    The lesson jit says more about this. The next lesson, prng_keys, is about random
    numbers.
    """

    def polynomial(x):
        return ((x + 1) * x + 2) * x + 3

    compiled = jax.jit(polynomial)
    x = jnp.linspace(0, 1, count)
    a = np.asarray(x)
    y_numpy = polynomial(a)
    y_plain = polynomial(x)
    y = compiled(x)
    without_jit = explain(polynomial, x).eager_kernels
    with_jit = explain(polynomial, x).kernels
    timed = race(
        {
            "NumPy": lambda: polynomial(a),
            "JAX": lambda: polynomial(x),
            "compiled": lambda: compiled(x),
        },
        seconds=seconds,
    )
    return y_numpy, y_plain, y, without_jit, with_jit, timed


def check_five_operations_become_one_kernel():
    """Five operations are five kernels, and one when compiled; the numbers agree."""
    for count in (1_000_000, 10):
        *results, without_jit, with_jit, timed = compiled_operations_are_joined(
            count, seconds=0.01
        )
        x = np.linspace(0, 1, count)
        for y in results:
            np.testing.assert_allclose(y, x**3 + x**2 + 2 * x + 3, rtol=1e-6)
        assert (without_jit, with_jit) == (5, 1)
        assert timed.checked  # race refuses functions whose results differ
