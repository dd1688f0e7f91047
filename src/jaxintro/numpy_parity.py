"""NumPy parity: the same words, other rules.

`jax.numpy` looks like NumPy, and most lines of a NumPy program need no change. But an
array of JAX cannot be changed, its numbers have 32 bits, an index past the end is often
no error, and a part of NumPy is missing. After this lesson you can move a NumPy program
to JAX, and you know which lines to look at first. In the code, `a` and `b` are arrays
of NumPy, `x` and `y` are arrays of JAX.
Read first: first_steps.
"""

import warnings

import jax
import jax.numpy as jnp
import numpy as np

ORDER = 20  # lessons stand in steps of ten; there is no other registry


def the_same_words(numbers=(0, 1, 2, 3)):
    """Write `jnp` for `np`, and the arithmetic of arrays reads the same.

    Each line for NumPy is followed by the same line for JAX. Compare the values on the
    right: the numbers agree. Only the type of the numbers differs, the *dtype*: it is
    `int64` in NumPy and `int32` in JAX. A later section is about that. A single number
    of NumPy is no array, so `np.int64` has no brackets there.
    """
    a = np.array(numbers)
    x = jnp.array(numbers)

    a_sum = 2 * a + (a + 1)
    x_sum = 2 * x + (x + 1)

    a_dot = (2 * a) @ (a + 1)
    x_dot = (2 * x) @ (x + 1)

    a_outer = np.outer(2 * a, a + 1)
    x_outer = jnp.outer(2 * x, x + 1)
    return a, x, a_sum, x_sum, a_dot, x_dot, a_outer, x_outer


def check_algebra_is_a_plain_loop():
    """NumPy and JAX both give what a plain Python loop over the numbers gives."""
    for numbers in ((0, 1, 2, 3), (5, -4, 11, 0)):
        doubled = [2 * n for n in numbers]
        raised = [n + 1 for n in numbers]
        sums = [n + m for n, m in zip(doubled, raised, strict=True)]
        dot = sum(n * m for n, m in zip(doubled, raised, strict=True))
        outer = [[n * m for m in raised] for n in doubled]
        expected = [numbers, numbers, sums, sums, dot, dot, outer, outer]
        for found, right in zip(the_same_words(numbers), expected, strict=True):
            np.testing.assert_array_equal(found, right)


def arrays_are_made_alike(count=7):
    """The functions that make arrays are called as in NumPy.

    `jnp.linspace`, `jnp.arange` and `jnp.zeros` have the names of NumPy, and `dtype=`
    is the type of the numbers, as there. Only the default type is another one, so most
    decimal numbers are rounded earlier, and `jnp.linspace` may differ from NumPy in the
    last digits. A few arguments are missing, such as the `order=` of `np.zeros`.
    """
    a_points = np.linspace(-3, 3, count)
    x_points = jnp.linspace(-3, 3, count)
    difference = x_points - a_points

    a_steps = np.arange(4)
    x_steps = jnp.arange(4)

    a_zeros = np.zeros(3, dtype="float16")
    x_zeros = jnp.zeros(3, dtype="float16")
    return a_points, x_points, difference, a_steps, x_steps, a_zeros, x_zeros


def check_arrays_are_numpys():
    """`arange` and `zeros` make NumPy's numbers; `linspace` is here within 10⁻⁶."""
    for count in (7, 100):
        points = [-3 + 6 * i / (count - 1) for i in range(count)]
        a, x, difference, *exact, a_zeros, x_zeros = arrays_are_made_alike(count)
        np.testing.assert_allclose(a, points, rtol=0, atol=1e-12)
        # float32 rounds: 4 or 5 of its steps near 3 are 10⁻⁶
        np.testing.assert_allclose(x, points, rtol=0, atol=1e-6)
        np.testing.assert_array_equal(difference, np.float32(x) - np.float32(a))
        for steps in exact:
            np.testing.assert_array_equal(steps, [0, 1, 2, 3])
        for zeros in (a_zeros, x_zeros):
            np.testing.assert_array_equal(zeros, [0, 0, 0])
            assert zeros.dtype == np.float16


def a_jax_array_has_its_own_type(numbers=(1.0, 2.0)):
    """A JAX array is a `jax.Array`, and it is not a NumPy array.

    `type(x)` gives an internal name. The name to use, for example in `isinstance`, is
    `jax.Array`. Code that asks for `np.ndarray` does not recognise a JAX array.
    """
    x = jnp.array(numbers)
    internal = type(x)
    is_jax_array = isinstance(x, jax.Array)
    is_numpy_array = isinstance(x, np.ndarray)
    return internal, is_jax_array, is_numpy_array


def check_a_jax_array_is_no_numpy_array():
    """What `jnp.array` makes is a `jax.Array`, and no `np.ndarray`."""
    internal, is_jax_array, is_numpy_array = a_jax_array_has_its_own_type()
    assert internal is not np.ndarray
    assert is_jax_array
    assert not is_numpy_array


def jax_numbers_have_32_bits(value=0.1):
    """NumPy gives a number 64 bits, and JAX gives it 32.

    A bit is one binary digit. Half the bits need half the memory: `nbytes` counts the
    bytes, of 8 bits each. The price is precision. A `float32` is right to about 7
    decimal digits, a `float64` to about 16. The page prints only a few digits;
    `.item()` takes the number out of the array, so that you see all of them.
    """
    a = np.array([value])
    x = jnp.array([value])
    a_bytes = a.nbytes
    x_bytes = x.nbytes
    a_number = a.item()
    x_number = x.item()
    return a, x, a_bytes, x_bytes, a_number, x_number


def check_defaults_are_32_bits():
    """A decimal number has 8 bytes in NumPy and 4 in JAX: the nearest float32."""
    for value in (0.1, -1 / 3):
        a, x, *sizes, a_number, x_number = jax_numbers_have_32_bits(value)
        assert sizes == [8, 4]
        np.testing.assert_array_equal(a, [value])
        np.testing.assert_array_equal(x, [np.float32(value)])
        assert a_number == value
        assert x_number == float(np.float32(value))


def float64_is_shortened(value=0.1):
    """A float64 that you give to JAX, or ask for, becomes a float32.

    In the first case a NumPy array with 64-bit numbers is given to JAX. In the second,
    `dtype="float64"` asks for 64 bits by name. `warnings.catch_warnings` is Python's
    own way to collect warnings in a list, so that the page can show them.

    Predict: in which of the two cases does JAX warn you?
    """
    with warnings.catch_warnings(record=True, action="always") as caught:
        given = jnp.array(np.array([value]))
    warnings_if_given = len(caught)

    with warnings.catch_warnings(record=True, action="always") as caught:
        asked = jnp.array([value], dtype="float64")
    warnings_if_asked = len(caught)
    warning = caught[0].message
    return given, asked, warnings_if_given, warnings_if_asked, warning


def check_a_float64_is_cut():
    """Both numbers become the nearest float32; JAX warns in the second case only."""
    for value in (0.1, -1 / 3):
        given, asked, *counts, warning = float64_is_shortened(value)
        assert counts == [0, 1]
        assert given.dtype == asked.dtype == np.float32
        np.testing.assert_array_equal(given, [np.float32(value)])
        np.testing.assert_array_equal(asked, [np.float32(value)])
        assert type(warning) is UserWarning
        assert "float64" in str(warning)
        assert "jax_enable_x64" in str(warning)


def a_time_stamp_from_numpy(milliseconds=1_700_000_000_000):
    """A whole number from NumPy may not fit into the 32 bits of JAX.

    Computers often count the milliseconds since 1970. Such a number needs more than 32
    bits, and the int64 of NumPy has them. As a number of Python it is refused by
    `jnp.array`, with an OverflowError. Here it comes in a NumPy array.

    Predict: what does JAX make of it: an error, a warning, or another number?
    """
    a = np.array([milliseconds])
    with warnings.catch_warnings(record=True, action="always") as caught:
        x = jnp.array(a)
    number = x.item()
    number_of_warnings = len(caught)

    try:
        jnp.array([milliseconds])
    except OverflowError as error:
        refused = error
    return a, x, number, number_of_warnings, refused


def check_a_time_stamp_is_cut():
    """The NumPy array keeps its last 32 bits, with no warning; Python's is refused."""
    for milliseconds in (1_700_000_000_000, 2**31):
        a, x, number, count, refused = a_time_stamp_from_numpy(milliseconds)
        assert a.tolist() == [milliseconds]
        assert x.tolist() == [(milliseconds + 2**31) % 2**32 - 2**31] == [number]
        assert count == 0
        assert type(refused) is OverflowError


def sixty_four_bits_are_a_setting(value=0.1):
    """One line gives you 64 bits: `jax.config.update("jax_enable_x64", True)`.

    `jax.config.update` changes a setting of JAX. This one holds for the whole program,
    so put the line at the top, directly after the imports: arrays that exist already
    keep their 32 bits. Here the last line switches back, because the rest of this
    course uses the default.
    """
    jax.config.update("jax_enable_x64", True)
    whole = jnp.array([1])
    x = jnp.array([value])
    number = x.item()
    jax.config.update("jax_enable_x64", False)
    return whole, x, number


def check_x64_gives_numpys_types():
    """With the setting on, `jnp.array` gives int64 and float64, with all digits."""
    for value in (0.1, -1 / 3):
        whole, x, number = sixty_four_bits_are_a_setting(value)
        assert (whole.dtype, x.dtype) == (np.int64, np.float64)
        np.testing.assert_array_equal(whole, [1])
        np.testing.assert_array_equal(x, [value])
        assert number == value


def an_int32_grows_too_large(number=46_341):
    """A whole number can grow too large for its 32 bits.

    An `int32` holds whole numbers from −2147483648 to 2147483647. The square of 46340
    still fits, the square of 46341 does not. NumPy does what JAX does if you ask it for
    `int32`. In JAX you meet this more often, because `int32` is the default.

    Predict: what is 46341 times 46341 in JAX?
    """
    a = np.array([number])
    a_square = a * a

    x = jnp.array([number])
    x_square = x * x

    b = np.array([number], dtype="int32")
    b_square = b * b
    return a_square, x_square, b_square


def check_int32_wraps():
    """An int32 that grows past 2³¹ − 1 starts again at −2³¹, in JAX and in NumPy."""
    for number in (46_340, 46_341, 99_999):
        a_square, x_square, b_square = an_int32_grows_too_large(number)
        wrapped = (number**2 + 2**31) % 2**32 - 2**31
        assert a_square.tolist() == [number**2]
        assert x_square.tolist() == b_square.tolist() == [wrapped]


def one_more_than_a_large_float32(start=16_777_216.0):
    """A float32 does not know every large whole number.

    A `float32` keeps 24 binary digits. So it knows every whole number up to 16777216,
    which is 2 to the power of 24. After that there are gaps. A sum is rounded to the
    nearest number that it knows. If two are equally near, the one is taken whose last
    digit, of the 24, is 0.

    Predict: what is left in JAX if you add 1 to 16777216.0 and subtract 16777216.0?
    """
    a = np.array([start])
    a_left = (a + 1) - a

    x = jnp.array([start])
    x_left = (x + 1) - x

    y = x - 1
    y_left = (y + 1) - y
    return a_left, x_left, y_left


def check_float32_counts_to_two_to_the_24():
    """In float32, adding 1 to 2²⁴ is lost, and adding 1 to 2²⁴ − 1 is not."""
    for start, left in ((16_777_216.0, 0), (16_777_215.0, 1), (0.0, 1)):
        a_left, x_left, y_left = one_more_than_a_large_float32(start)
        assert a_left.tolist() == y_left.tolist() == [1]
        assert x_left.tolist() == [left]


def a_plot_takes_a_jax_array(center=134_217_728.0):
    """Matplotlib plots a JAX array as it is: here, the gaps of float32.

    You need not convert anything before you plot. This picture shows which numbers a
    float32 leaves out. To 134217728, which is 2 to the power of 27, we add the whole
    numbers from −20 to 40, and then subtract 134217728 again. Computed exactly, that
    would give back what was added, in a straight line. In float32 it is a staircase: a
    step is as high as the gap between one float32 and the next, and that gap doubles at
    0.
    """
    import matplotlib.pyplot as plt

    added = jnp.arange(-20.0, 41.0)
    left = (center + added) - center

    _, axes = plt.subplots()
    axes.plot(added, left)
    axes.set_xlabel("added")
    axes.set_title("What is left of it, near 2 to the power of 27")
    return axes


def check_the_staircase_is_float32():
    """The steps in the picture are 8 high up to 2²⁷ and 16 high after it."""
    for center in (134_217_728.0, 2.0**24):
        (stairs,) = a_plot_takes_a_jax_array(center).lines
        added = np.arange(-20.0, 41.0)
        gap = np.where(added <= 0, center * 2.0**-24, center * 2.0**-23)
        np.testing.assert_array_equal(stairs.get_xdata(), added)
        # np.rint takes the even neighbour where two are equally near, as float32 does
        np.testing.assert_array_equal(stairs.get_ydata(), gap * np.rint(added / gap))


def arrays_do_not_change(row=1, value=1.0):
    """JAX arrays cannot be changed; `.at` makes a new one.

    A JAX array is *immutable*: you cannot write into it. JAX relies on this when it
    compiles and transforms your functions. `x.at[1, :].set(1.0)` returns a copy of x in
    which row 1 holds ones. Give the copy a name, or give it the name x. The copy costs
    time and memory, also for one number. In a compiled function, JAX can leave it out
    for an array that the function itself has made and no longer needs.
    """
    x = jnp.zeros((3, 2))
    try:
        x[row, :] = value
    except TypeError as error:
        refused = error

    x = x.at[row, :].set(value)
    return refused, x


def check_writing_is_refused():
    """Writing into a JAX array is a TypeError that names `.at`; `.at` does the work."""
    for row, value in ((1, 1.0), (0, -2.5)):
        refused, x = arrays_do_not_change(row, value)
        assert type(refused) is TypeError
        assert "immutable" in str(refused)
        assert ".at[" in str(refused)
        expected = np.zeros((3, 2))
        expected[row, :] = value
        np.testing.assert_array_equal(x, expected)


def a_forgotten_result_is_lost(value=9.0):
    """`.at` returns its result and does nothing else.

    This mistake is easy to make: the line with `.at` stands alone, nothing takes its
    result, and no error tells you.
    """
    x = jnp.zeros(3)
    x.at[1].set(value)
    print(x)

    y = x.at[1].set(value)
    return x, y


def check_only_the_result_is_new():
    """`.at` leaves x as it was, and only what it returns has the new number."""
    for value in (9.0, -0.5):
        x, y = a_forgotten_result_is_lost(value)
        np.testing.assert_array_equal(x, [0, 0, 0])
        np.testing.assert_array_equal(y, [0, value, 0])


def plus_equals_and_a_second_name(amount=1.0):
    """`x += 1` is allowed, although x cannot be changed.

    In NumPy, `a += 1` changes the array itself, so a second name for the same array
    shows the change.

    Predict: what does the second name of the JAX array show?
    """
    a = np.zeros(3)
    b = a
    a += amount
    print(b)

    x = jnp.zeros(3)
    y = x
    x += amount
    print(y)
    return b, y, x


def check_the_old_array_stays():
    """In JAX `x += 1` means `x = x + 1`: a second name of x shows the old numbers."""
    for amount in (1.0, -2.5):
        b, y, x = plus_equals_and_a_second_name(amount)
        np.testing.assert_array_equal(b, [amount] * 3)
        np.testing.assert_array_equal(y, [0, 0, 0])
        np.testing.assert_array_equal(x, [amount] * 3)


def a_slice_is_no_view(value=9.0):
    """Writing into a slice changes the array in NumPy; JAX refuses it.

    In NumPy `a[1:3]` is a *view*: it looks at the memory of a, and what you write
    into the view is written into a. In JAX a slice is an array like any other, which
    cannot be changed. To change x, use `.at` on x itself.
    """
    a = np.arange(4.0)
    view = a[1:3]
    view[0] = value
    print(a)

    x = jnp.arange(4.0)
    part = x[1:3]
    try:
        part[0] = value
    except TypeError as error:
        refused = error
    x = x.at[1].set(value)
    return a, refused, x


def check_jax_has_no_views():
    """Writing into a slice reaches the array of NumPy, and is a TypeError in JAX."""
    for value in (9.0, -1.5):
        a, refused, x = a_slice_is_no_view(value)
        np.testing.assert_array_equal(a, [0, value, 2, 3])
        assert type(refused) is TypeError
        assert "immutable" in str(refused)
        np.testing.assert_array_equal(x, [0, value, 2, 3])


def at_has_a_family(number=10.0):
    """`.at` can also add, multiply, and more.

    Each line works on the one number `x[2]`, which is 9. `.get` only reads it. `.add`,
    `.subtract`, `.multiply`, `.divide` and `.power` calculate with it. `.max` keeps the
    larger of the old number and the new one, `.min` the smaller. `.apply` takes a
    function. Take care with `.set(2.5)`: in an array of whole numbers it writes 2, with
    a warning that this may become an error.
    """
    x = jnp.array([1.0, 4.0, 9.0])
    read = x.at[2].get()
    added = x.at[2].add(number)
    subtracted = x.at[2].subtract(number)
    multiplied = x.at[2].multiply(number)
    divided = x.at[2].divide(number)
    tenth_power = x.at[2].power(number)
    smaller = x.at[2].min(number)
    larger = x.at[2].max(number)
    root = x.at[2].apply(jnp.sqrt)
    return (
        read,
        added,
        subtracted,
        multiplied,
        divided,
        tenth_power,
        smaller,
        larger,
        root,
    )


def check_at_changes_one_number():
    """Each gives what plain arithmetic gives, and leaves the other numbers alone."""
    for y in (2.0, 20.0):
        read, *arrays = at_has_a_family(y)
        assert read == 9
        new = [9 + y, 9 - y, 9 * y, 9 / y, 9**y, min(9, y), max(9, y), 9**0.5]
        for array, number in zip(arrays, new, strict=True):
            np.testing.assert_allclose(array, [1, 4, number], rtol=1e-5)


def an_index_may_be_given_twice(votes=(0, 2, 2, 1, 2)):
    """Where an index is given twice, NumPy and JAX count differently.

    Five people vote for the candidates 0, 2, 2, 1 and 2. The array of votes is used as
    an index, and each vote adds 1. In NumPy `a[index] += 1` means `a[index] = a[index]
    + 1`. Right of the `=` stand five old counts, all 0, plus 1. So NumPy writes five
    ones, and candidate 2 gets 1. NumPy counts every vote with `np.add.at`.

    Predict: how many votes does candidate 2 get in JAX?
    """
    index = np.array(votes)
    a = np.zeros(3)
    print(a[index] + 1)
    a[index] += 1
    print(a)

    b = np.zeros(3)
    np.add.at(b, index, 1)
    print(b)

    x = jnp.zeros(3)
    x = x.at[index].add(1)
    return a, b, x


def check_every_vote_counts():
    """`.at[index].add(1)` counts every vote, as `np.add.at` does, and `+=` does not."""
    for votes in ((0, 2, 2, 1, 2), (1, 1)):
        a, b, x = an_index_may_be_given_twice(votes)
        assert a.tolist() == [float(i in votes) for i in range(3)]
        assert x.tolist() == b.tolist() == [votes.count(i) for i in range(3)]


def reading_past_the_end(index=10):
    """For an index past the end, JAX has another rule than NumPy.

    NumPy stops with an IndexError. A program on a GPU cannot easily stop and raise an
    error in Python. So JAX has a rule for such an index, with and without `jax.jit`. It
    is meant for arrays that are not empty, and for an index that fits into an int32.
    `x[-1]` to `x[-5]` count from the end, as in NumPy; `x[-10]` stands before the
    start.

    Predict: x holds the numbers 0 to 4. What is x[10]: a number, nan, or an error?
    """
    a = np.arange(5.0)
    try:
        a[index]
    except IndexError as error:
        refused = error

    x = jnp.arange(5.0)
    read = x[index]
    second_last = x[-2]
    before_the_start = x[-index]
    return refused, read, second_last, before_the_start


def check_reading_takes_the_nearest():
    """Past the end JAX reads the last number, before the start it reads the first."""
    for index in (10, 6, 1000):
        refused, read, second_last, before_the_start = reading_past_the_end(index)
        assert type(refused) is IndexError
        assert "out of bounds" in str(refused)
        assert read == 4
        assert second_last == 3
        assert before_the_start == 0


def writing_past_the_end(index=10, value=9.0):
    """For writing past the end, JAX has a rule of its own.

    Reading took the nearest number there is. That hides mistakes: a wrong index gives a
    number that looks good. For writing, the rule is another one, for the same arrays
    and indices.

    Predict: x holds the numbers 0 to 4. What does y hold?
    """
    x = jnp.arange(5.0)
    y = x.at[index].set(value)
    before_the_start = x.at[-index].set(value)
    return y, before_the_start


def check_writing_past_the_end_is_dropped():
    """A write past the end or before the start is left out: no number changes."""
    for index, value in ((10, 9.0), (6, -1.0), (-1000, 3.0)):
        y, before_the_start = writing_past_the_end(index, value)
        np.testing.assert_array_equal(y, [0, 1, 2, 3, 4])
        np.testing.assert_array_equal(before_the_start, [0, 1, 2, 3, 4])


def you_choose_with_mode(index=10):
    """With `mode=` you say what an index past the end shall do.

    `mode="fill"` reads a mark that you choose with `fill_value=`. Without `fill_value`
    the mark for decimal numbers is `nan`, "not a number". So a test with `mode="fill"`
    can find a wrong index. `mode="clip"` uses the nearest index, also for writing.
    """
    x = jnp.arange(5.0)
    marked = x.at[index].get(mode="fill", fill_value=-1.0)
    nan = x.at[index].get(mode="fill")
    written = x.at[index].set(9.0, mode="clip")
    return marked, nan, written


def check_mode_is_obeyed():
    """`mode="fill"` reads the mark, and `mode="clip"` writes to the last place."""
    for index in (10, 5):
        marked, nan, written = you_choose_with_mode(index)
        assert marked == -1
        assert np.isnan(nan)
        np.testing.assert_array_equal(written, [0, 1, 2, 3, 9])


def take_marks_what_is_not_there(index=10):
    """`jnp.take(x, 10)` and `x[10]` differ past the end.

    `jnp.take` has `mode="fill"` as its default. For decimal numbers the mark is nan.
    Whole numbers have no nan. For int32 the mark is the smallest int32, which may go
    unnoticed in a calculation. Other dtypes have other marks.
    """
    x = jnp.arange(5.0)
    taken = jnp.take(x, index)
    y = jnp.arange(5)
    taken_whole = jnp.take(y, index)
    nearest = jnp.take(y, index, mode="clip")
    return taken, taken_whole, nearest


def check_take_marks_what_is_not_there():
    """Past the end `jnp.take` gives nan, for int32 −2³¹, and with "clip" the last."""
    for index in (10, 5):
        taken, taken_whole, nearest = take_marks_what_is_not_there(index)
        assert np.isnan(taken)
        assert taken_whole == -(2**31)
        assert nearest == 4


def lists_are_refused():
    """Most JAX functions want an array, where NumPy also takes a list.

    To make an array of a list takes time. NumPy does it without telling you. JAX
    wants you to write `jnp.array` yourself, so that you see it. Numbers and NumPy
    arrays need no `jnp.array`, but they are shortened to 32 bits, as above.
    """
    numbers = [3, 1, 2]
    a_sum = np.sum(numbers)
    try:
        jnp.sum(numbers)
    except TypeError as error:
        refused = error

    x_sum = jnp.sum(jnp.array(numbers))
    b_sum = jnp.sum(np.array(numbers))
    return a_sum, refused, x_sum, b_sum


def check_lists_must_become_arrays():
    """The sum of a list is a TypeError in JAX; as an array the list is summed."""
    a_sum, refused, x_sum, b_sum = lists_are_refused()
    assert type(refused) is TypeError
    assert "list" in str(refused)
    assert a_sum == x_sum == b_sum == 3 + 1 + 2


def a_list_is_no_index():
    """A list as the only index is refused too.

    `a[[0, 2]]` picks two elements in NumPy. In JAX, make an array of the list first.
    Beside another index, as in `table[[0, 2], :]`, a list is allowed.
    """
    places = [0, 2]
    a = np.array([10.0, 20.0, 30.0])
    a_picked = a[places]

    x = jnp.array([10.0, 20.0, 30.0])
    try:
        x[places]
    except TypeError as error:
        refused = error
    x_picked = x[jnp.array(places)]

    table = jnp.array([[10.0, 1.0], [20.0, 2.0], [30.0, 3.0]])
    rows = table[places, :]
    return a_picked, refused, x_picked, rows


def check_an_array_is_an_index():
    """A list as the only index is a TypeError; an array picks what NumPy picks."""
    a_picked, refused, x_picked, rows = a_list_is_no_index()
    assert type(refused) is TypeError
    assert "sequence" in str(refused)
    np.testing.assert_array_equal(a_picked, [10, 30])
    np.testing.assert_array_equal(x_picked, [10, 30])
    np.testing.assert_array_equal(rows, [[10, 1], [30, 3]])


def lists_of_arrays_are_welcome(numbers=(1.0, 2.0)):
    """Functions that join arrays take a list of arrays.

    `jnp.stack` makes rows of them, `jnp.concatenate` puts them end to end.
    """
    x = jnp.array(numbers)
    stacked = jnp.stack([x, 10 * x])
    joined = jnp.concatenate([x, 10 * x])
    return stacked, joined


def check_a_list_of_arrays_is_joined():
    """`jnp.stack` and `jnp.concatenate` take a list of arrays, as in NumPy."""
    for numbers in ((1.0, 2.0), (0.5, -4.0, 3.0)):
        a = np.array(numbers)
        stacked, joined = lists_of_arrays_are_welcome(numbers)
        np.testing.assert_allclose(stacked, [a, 10 * a], rtol=1e-6)
        np.testing.assert_allclose(joined, [*a, *(10 * a)], rtol=1e-6)


def integers_do_not_widen_floats(integers=(1, 2, 16_777_217)):
    """Where an int32 array meets a float32 array, JAX stays at 32 bits.

    NumPy takes float64 here, which knows every int32 and every float32. JAX takes
    float32. That saves memory, but a large int32 may be rounded: float32 does not know
    16777217, which is 2 to the power of 24, plus 1.
    """
    a = np.array(integers, dtype="int32")
    b = np.ones(3, dtype="float32")
    a_product = a * b
    print(int(a_product[2]))

    x = jnp.array(integers, dtype="int32")
    y = jnp.ones(3, dtype="float32")
    x_product = x * y
    print(int(x_product[2]))
    return a_product, x_product


def check_integers_do_not_widen_floats():
    """int32 times float32 is float64 in NumPy; in JAX it is float32, and rounded."""
    for integers in ((1, 2, 16_777_217), (-7, 5, 40)):
        a_product, x_product = integers_do_not_widen_floats(integers)
        assert (a_product.dtype, x_product.dtype) == (np.float64, np.float32)
        assert a_product.tolist() == list(integers)
        assert x_product.tolist() == [float(np.float32(n)) for n in integers]


def python_numbers_are_weak(number=3):
    """A Python number takes the type of an array of its own kind.

    A `3` or `0.5` in your code has no number of bits. JAX calls its type *weak*: the
    array decides. So an int8 array plus 3 stays int8, and a float16 array plus 0.5
    stays float16. An array of whole numbers cannot hold 0.5, so int8 plus 0.5 becomes
    float32. `np.float32(0.5)` is a number with a dtype of its own, and it is not weak.
    """
    x = jnp.ones(2, dtype="int8")
    x_more = x + number
    x_decimal = x + 0.5

    y = jnp.ones(2, dtype="float16")
    y_more = y + 0.5
    y_wider = y + np.float32(0.5)
    return x_more, x_decimal, y_more, y_wider


def check_arrays_keep_their_type():
    """int8 + 3 is int8, float16 + 0.5 is float16; int8 + 0.5 is float32."""
    for number in (3, -5):
        x_more, x_decimal, y_more, y_wider = python_numbers_are_weak(number)
        assert x_more.dtype == np.int8
        assert y_more.dtype == np.float16
        assert x_decimal.dtype == y_wider.dtype == np.float32
        assert x_more.tolist() == [1 + number] * 2
        for array in (x_decimal, y_more, y_wider):
            assert array.tolist() == [1.5, 1.5]


def a_python_number_may_not_fit(number=300):
    """A Python number may be too large for an int8 array.

    The array keeps its type, as in the last section, and an int8 holds whole numbers
    from −128 to 127. NumPy refuses to add 300. If you need more, give the array a
    larger type first, with `x.astype("int32")`.

    Predict: x holds two ones. What is x + 300 in JAX?
    """
    a = np.ones(2, dtype="int8")
    try:
        a + number
    except OverflowError as error:
        refused = error

    x = jnp.ones(2, dtype="int8")
    x_more = x + number
    right = x.astype("int32") + number
    return refused, x_more, right


def check_an_int8_keeps_its_last_8_bits():
    """An int8 of JAX keeps the last 8 bits of the sum; NumPy makes it an error."""
    for number in (300, 128, -1000):
        refused, x_more, right = a_python_number_may_not_fit(number)
        assert type(refused) is OverflowError
        assert (x_more.dtype, right.dtype) == (np.int8, np.int32)
        assert x_more.tolist() == [(1 + number + 128) % 256 - 128] * 2
        assert right.tolist() == [1 + number] * 2


def one_element_is_still_an_array(numbers=(2.5, 4.0)):
    """`x[0]` is an array too, of shape `()`.

    In NumPy, `a[0]` is a number, and a float64 even counts as a Python `float`. In JAX,
    `x[0]` is an array without axes. You can calculate with it, but it cannot be the key
    of a dict. `float(x[0])` makes a Python number of it, and so does `x[0].item()`.
    """
    a = np.array(numbers)
    a_is_float = isinstance(a[0], float)

    x = jnp.array(numbers)
    shape = x[0].shape
    x_is_float = isinstance(x[0], float)
    try:
        {x[0]: "name"}
    except TypeError as error:
        refused = error

    number = float(x[0])
    names = {number: "name"}
    return a_is_float, shape, x_is_float, refused, number, names


def check_an_element_becomes_a_number():
    """`x[0]` is no float and no key of a dict; `float(x[0])` can be both."""
    for numbers in ((2.5, 4.0), (-0.25,)):
        results = one_element_is_still_an_array(numbers)
        a_is_float, shape, x_is_float, refused, number, names = results
        assert a_is_float
        assert shape == ()
        assert not x_is_float
        assert type(refused) is TypeError
        assert "unhashable" in str(refused)
        assert type(number) is float
        assert names == {numbers[0]: "name"} == {number: "name"}


def most_of_numpy_is_there():
    """Most names of NumPy are in `jax.numpy` as well.

    `np.__all__` lists the public names of NumPy, and `dir(jnp)` those of `jax.numpy`.
    Among the missing are `copyto` and `putmask`, which change an array in place,
    `loadtxt`, which reads a file, and `shares_memory`, which asks about views. A name
    that is there may still refuse to work, such as `jnp.fromfile`.

    Myth: JAX has all of NumPy.
    """
    total = len(np.__all__)
    there = len(set(np.__all__) & set(dir(jnp)))
    missing = len(set(np.__all__) - set(dir(jnp)))

    looked_for = {"copyto", "loadtxt", "putmask", "shares_memory"}
    not_there = looked_for - set(dir(jnp))

    try:
        jnp.fromfile("numbers.bin")
    except NotImplementedError as error:
        refused = error
    return total, there, missing, not_there, refused


def check_functions_add_up():
    """More than 70 % of the names of NumPy are there, and the four named are not."""
    total, there, missing, not_there, refused = most_of_numpy_is_there()
    assert "fromfile" in str(refused)
    assert total == len(np.__all__) == there + missing
    assert 0.7 < there / total < 0.9
    assert not_there == {"copyto", "loadtxt", "putmask", "shares_memory"}


def what_to_write_instead(numbers=(3.0, 1.0, 2.0)):
    """Where NumPy changes an array in place, JAX returns a new one.

    The comment on each line is the line of NumPy that it replaces. Take care with
    `x.sort()`: it looks the same in both, but in JAX it returns the sorted array, and x
    stays as it was. To read a file, use NumPy, and give what was read to `jnp.array`.
    """
    x = jnp.array(numbers)
    ordered = x.sort()  # a.sort()
    filled = jnp.full_like(x, 7.0)  # a.fill(7.0)
    replaced = x.at[0].set(9.0)  # a[0] = 9.0
    increased = x.at[0].add(1.0)  # a[0] += 1.0
    doubled = 2 * x  # np.multiply(a, 2, out=a)
    cut = jnp.where(x > 1.5, 1.5, x)  # a[a > 1.5] = 1.5
    cut_again = x.at[x > 1.5].set(1.5)  # the same
    return ordered, filled, replaced, increased, doubled, cut, cut_again


def check_the_lines_do_the_same():
    """Each line of JAX gives what the line of NumPy leaves in the array."""
    for numbers in ((3.0, 1.0, 2.0), (0.5, 8.0, -1.0)):
        arrays = [np.array(numbers) for _ in range(6)]
        arrays[0].sort()
        arrays[1].fill(7.0)
        arrays[2][0] = 9.0
        arrays[3][0] += 1.0
        np.multiply(arrays[4], 2, out=arrays[4])
        arrays[5][arrays[5] > 1.5] = 1.5
        arrays.append(arrays[5])
        for found, a in zip(what_to_write_instead(numbers), arrays, strict=True):
            np.testing.assert_array_equal(found, a)


def a_square_hides_the_wrong_axis(rows=((1.0, 3.0), (10.0, 30.0))):
    """On a square matrix a forgotten `keepdims` raises no error.

    We want each row to have mean 0, so we subtract its mean. `x.mean(axis=1)` has one
    number for each row, and its shape is `(2,)`. NumPy and JAX lay such an array along
    the last axis, so the mean of the first row is subtracted from the first column.
    With `keepdims=True` the shape is `(2, 1)`, and each row loses its own mean.
    """
    x = jnp.array(rows)
    wrong = x - x.mean(axis=1)
    wrong_means = wrong.mean(axis=1)

    right = x - x.mean(axis=1, keepdims=True)
    right_means = right.mean(axis=1)
    return wrong, wrong_means, right, right_means


def check_columns_lose_the_means_of_rows():
    """Without `keepdims` column j loses the mean of row j, in NumPy as well."""
    for rows in (((1.0, 3.0), (10.0, 30.0)), ((0.0, 2.0), (5.0, 9.0))):
        a = np.array(rows)
        columns = np.stack([a[:, j] - sum(a[j]) / 2 for j in (0, 1)], axis=1)
        own = np.stack([a[i] - sum(a[i]) / 2 for i in (0, 1)])
        expected = columns, columns.mean(axis=1), own, [0, 0]
        found = a_square_hides_the_wrong_axis(rows)
        for array, numbers in zip(found, expected, strict=True):
            np.testing.assert_allclose(array, numbers, rtol=1e-6)
        np.testing.assert_array_equal(a - a.mean(axis=1), columns)


def jax_can_refuse_to_guess(rows=((1.0, 3.0), (10.0, 30.0))):
    """A setting makes JAX refuse to subtract a row from a matrix.

    The number of axes is called the *rank*. To lay an array of rank 1 along a matrix is
    *rank promotion*. `jax.config.update("jax_numpy_rank_promotion", "raise")` makes it
    an error for +, −, × and /, and so finds the mistake of the last section. It looks
    at the rank only, so it does not notice a wrong axis together with `keepdims=True`.
    The default is `"allow"`, and the last line sets it again.
    """
    jax.config.update("jax_numpy_rank_promotion", "raise")
    x = jnp.array(rows)
    try:
        x - x.mean(axis=1)
    except ValueError as error:
        refused = error

    right = x - x.mean(axis=1, keepdims=True)
    unnoticed = x - x.mean(axis=0, keepdims=True)
    jax.config.update("jax_numpy_rank_promotion", "allow")
    return refused, right, unnoticed


def check_the_wrong_axis_is_refused():
    """The wrong rank is a ValueError; a wrong axis with `keepdims` goes unnoticed."""
    for rows in (((1.0, 3.0), (10.0, 30.0)), ((0.0, 2.0), (5.0, 9.0))):
        refused, right, unnoticed = jax_can_refuse_to_guess(rows)
        assert type(refused) is ValueError
        assert "rank_promotion" in str(refused)
        expected = [[(p - q) / 2, (q - p) / 2] for p, q in rows]
        np.testing.assert_allclose(right, expected, rtol=1e-6)
        a = np.array(rows)
        np.testing.assert_allclose(unnoticed, a - (a[0] + a[1]) / 2, rtol=1e-6)


def what_the_setting_still_allows(rows=((1.0, 3.0), (10.0, 30.0))):
    """With this setting, some operations still take arrays of different rank.

    A single number is allowed, also as an array of shape `()`. So is `@`, which lays no
    row along a matrix. `jnp.where` and `.at[:].add` do lay a row along a matrix, and
    JAX does not refuse it. When you move a program to JAX, look first at the lines that
    write into an array, that need 64 bits, or whose index may lie past the end.
    """
    jax.config.update("jax_numpy_rank_promotion", "raise")
    x = jnp.array(rows)
    centered = x - x.mean()
    product = x @ x[0]
    chosen = jnp.where(x > 20, x, x[0])
    added = x.at[:].add(x[0])
    jax.config.update("jax_numpy_rank_promotion", "allow")
    return centered, product, chosen, added


def check_three_operations_are_allowed():
    """A single number, `@`, `jnp.where` and `.at[:].add` give what NumPy gives."""
    for rows in (((1.0, 3.0), (10.0, 30.0)), ((0.0, 2.0), (25.0, 9.0))):
        a = np.array(rows)
        centered, product, chosen, added = what_the_setting_still_allows(rows)
        np.testing.assert_allclose(centered, a - a.mean(), rtol=1e-6)
        np.testing.assert_allclose(product, a @ a[0], rtol=1e-6)
        np.testing.assert_array_equal(chosen, np.where(a > 20, a, a[0]))
        np.testing.assert_array_equal(added, a + a[0])
