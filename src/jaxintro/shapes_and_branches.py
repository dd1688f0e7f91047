"""Shapes and branches: what a compiled program must know in advance.

A program is compiled before it gets its numbers. So an `if` on a number, a length
that depends on a number, or `x[x > 0]` is refused, in words that puzzle newcomers.
Most refusals have a cure of one line. After this lesson you know the cures, and
also the cases in which JAX says nothing and is slow, or gives a wrong answer.
Read first: jit.
"""

import io
import math
import timeit
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import race, traces

ORDER = 100


def shapes_are_known(n=5):
    """While a function is traced, shapes are known and values are not.

    A tracer has a shape and a dtype. So `len(x)`, `x.shape`, `x.ndim` and `x.dtype`
    are ordinary Python values, and you may use them in an `if`, in a `for` loop or in
    a slice. Most of this lesson is about what a tracer does not have: the numbers.
    """

    @jax.jit
    def last_half(x):
        length = len(x)
        if length % 2 == 1:
            x = x[1:]
        return x[length // 2 :]

    y = last_half(jnp.arange(n))
    return y


def check_half_is_cut_by_the_length():
    """An `if` on the length works: of 5 and of 8 numbers, the last 2 and 4 are kept."""
    for n, expected in ((5, [3, 4]), (8, [4, 5, 6, 7])):
        assert shapes_are_known(n).tolist() == expected


def if_needs_a_number(price=200.0):
    """Python's `if` on a traced value is refused.

    `if` needs a yes or a no while Python runs, and Python runs while the function is
    traced. At that time `price > 100` is a tracer, which is neither yes nor no. JAX
    could only guess, so it raises an error. The error is a kind of `TypeError`, as are
    most errors of this lesson, so `except TypeError` catches it.

    In the messages of this lesson, a *concrete* value is one that is known, and an
    *abstract* value is a tracer. Most of these refusals come with `jax.jit`, with
    `jax.vmap`, and with the loops below; under `jax.grad` alone, such an `if` works, as
    grad has shown.

    For an array of several numbers, `if x > 100` is a `ValueError`, as it is in NumPy.
    And `if x is None` asks for no number, so it works.
    """

    @jax.jit
    def discounted(price):
        if price > 100:
            return 0.9 * price
        return price

    try:
        discounted(price)
    except TypeError as error:
        refused = error
    return refused


def check_if_is_refused():
    """For one traced number, `if` is a TracerBoolConversionError, whatever it is."""
    for price in (50.0, 200.0):
        refused = if_needs_a_number(price)
        assert type(refused).__name__ == "TracerBoolConversionError"
        assert "boolean conversion" in str(refused)


def float_needs_a_number_too(x=2.5):
    """`float(x)` and `int(x)` need a number, too, and are refused.

    `x.item()` is refused, too. Mostly there is no need for these: compute with x
    itself. Where you want whole numbers, write `x.astype(jnp.int32)`. It cuts off what
    stands after the point, as `int` does.
    """

    @jax.jit
    def whole_part(x):
        return int(x)

    try:
        whole_part(x)
    except TypeError as error:
        refused = error

    @jax.jit
    def whole_part(x):
        return x.astype(jnp.int32)

    cured = whole_part(x)
    return refused, cured


def check_int_is_refused_and_astype_works():
    """`int` of a tracer is a ConcretizationTypeError; `astype` makes an int32."""
    for x in (2.5, -2.5):
        refused, cured = float_needs_a_number_too(x)
        assert type(refused).__name__ == "ConcretizationTypeError"
        assert str(cured.dtype) == "int32"
        assert cured == int(x)


def known_numbers_become_tracers(weights=(0.5, 0.25, 0.5)):
    """Under `jax.jit`, a sum of `jnp` is a tracer, even a sum of known numbers.

    Operations of `jnp` are written down while `jax.jit` traces, and not computed. So
    where a shape or an `if` depends on numbers that you know, compute them with NumPy.
    Here `weights` is an ordinary tuple, and Python prints both sums while it traces.
    """

    @jax.jit
    def weighted(x):
        in_jax = jnp.sum(jnp.array(weights))
        in_numpy = np.sum(weights)
        print("in JAX:", in_jax)
        print("in NumPy:", in_numpy)
        if in_numpy > 1:
            return x / in_jax
        return x

    y = weighted(8.0)
    return y


def check_numpy_sees_known_numbers():
    """The sum of `jnp` is a tracer; the sum of NumPy is a number, and `if` sees it."""
    for weights, expected in (((0.5, 0.25, 0.5), 6.4), ((0.5, 0.25), 8)):
        with redirect_stdout(io.StringIO()) as printed:
            y = known_numbers_become_tracers(weights)
        np.testing.assert_allclose(y, expected, rtol=1e-6)
        in_jax, in_numpy = printed.getvalue().splitlines()
        assert "float32[]" in in_jax
        assert str(sum(weights)) in in_numpy


def where_is_the_usual_cure(prices=(50.0, 200.0)):
    """`jnp.where` chooses number by number, and needs no `if`.

    `jnp.where(condition, a, b)` takes `a` where the condition is true and `b` where it
    is false. It works under `jax.jit`, and on a whole array. Both are computed, and a
    nan in the one that is not taken can spoil a slope, as grad has shown.
    """

    @jax.jit
    def discounted(price):
        return jnp.where(price > 100, 0.9 * price, price)

    one = discounted(prices[1])
    many = discounted(jnp.array(prices))
    return one, many


def check_only_high_prices_are_discounted():
    """Prices above 100 lose a tenth, the others stay as they are."""
    for prices in ((50.0, 200.0), (100.0, 110.0, 30.0)):
        expected = [0.9 * price if price > 100 else price for price in prices]
        one, many = where_is_the_usual_cure(prices)
        np.testing.assert_allclose(many, expected, rtol=1e-6)
        np.testing.assert_allclose(one, expected[1], rtol=1e-6)


def comparisons_hide_an_if(x=-0.5):
    """`0 < x < 1` hides an `if`, and so do `and`, `or`, `not`, `max` and `assert`.

    Python makes `0 < x and x < 1` of `0 < x < 1`, and `and` needs a yes or a no. Use
    `&` for "and", `|` for "or", `~` for "not", and `jnp.maximum` instead of Python's
    `max`. (Use `~` on arrays only: for Python's own `True`, `~True` is −2.) Put
    parentheses around each comparison, because Python reads `x > 0 & x < 1` as `x > (0
    & x) < 1`. What you want to `assert`, check before the compiled function is called.
    """

    @jax.jit
    def is_inside(x):
        return 0 < x < 1

    try:
        is_inside(x)
    except TypeError as error:
        refused = error

    @jax.jit
    def is_inside(x):
        return (x > 0) & (x < 1)

    @jax.jit
    def positive_part(x):
        return jnp.maximum(x, 0)

    inside = is_inside(x)
    part = positive_part(x)
    return refused, inside, part


def check_ampersand_and_maximum():
    """The chain is refused; `&` says whether x is inside, `jnp.maximum` cuts at 0."""
    for x in (0.5, 1.5, -0.25):
        refused, inside, part = comparisons_hide_an_if(x)
        assert type(refused).__name__ == "TracerBoolConversionError"
        assert bool(inside) is (0 < x < 1)
        np.testing.assert_allclose(part, max(x, 0), rtol=1e-6)


def cond_keeps_two_branches(x=2.0):
    """`jax.lax.cond` keeps the choice in the program; `jnp.where` computes both.

    `jax.lax.cond(condition, if_true, if_false, x)` gives `if_true(x)` or `if_false(x)`.
    You know it from vmap. Compare the two jaxprs. The first has `sin` and `cos` side by
    side, and then `jit[name=_where`: `jnp.where` is itself compiled, and picks one of
    both results. The second has an equation `cond` with both branches, and only one of
    them runs. (The first branch is the one for false.)
    """

    def by_where(x):
        return jnp.where(x > 0, jnp.sin(x), jnp.cos(x))

    def by_cond(x):
        return jax.lax.cond(x > 0, jnp.sin, jnp.cos, x)

    both = jax.make_jaxpr(by_where)(x)
    branches = jax.make_jaxpr(by_cond)(x)
    from_where = jax.jit(by_where)(x)
    from_cond = jax.jit(by_cond)(x)
    return both, branches, from_where, from_cond


def check_both_ways_choose_alike():
    """Both programs hold sin and cos, one has a `cond`, and both choose by the sign."""
    for x in (2.0, -3.0):
        both, branches, *results = cond_keeps_two_branches(x)
        names = [[e.primitive.name for e in jaxpr.eqns] for jaxpr in (both, branches)]
        assert names[0][:3] == ["gt", "sin", "cos"]
        assert names[1][-1] == "cond"
        assert " sin " in str(branches)
        assert " cos " in str(branches)
        expected = math.sin(x) if x > 0 else math.cos(x)
        np.testing.assert_allclose(results, [expected] * 2, rtol=1e-6)


def both_branches_have_one_type(x=2.0):
    """Both branches of `jax.lax.cond` must give the same shape and dtype.

    The program has one place for the result, whichever branch is taken. So both results
    must have the same shape and the same type, and also the same structure if they are
    pytrees.
    """

    def positive_part(x):
        return jax.lax.cond(x > 0, lambda x: x, lambda x: 0, x)

    try:
        positive_part(x)
    except TypeError as error:
        refused = error

    def positive_part(x):
        return jax.lax.cond(x > 0, lambda x: x, lambda x: 0.0, x)

    cured = positive_part(x)
    return refused, cured


def check_zero_must_be_a_float():
    """Branches that give a float and 0 are a TypeError; with 0.0 they work."""
    for x in (2.0, -1.0):
        refused, cured = both_branches_have_one_type(x)
        assert isinstance(refused, TypeError)
        assert "equal output types" in str(refused)
        assert cured == max(x, 0)


def cond_saves_the_other_branch(n=10_000):
    """Use `jax.lax.cond` where one side is expensive.

    The condition is one yes or no for the whole array; for a choice number by number,
    take `jnp.where`. Under `jax.vmap` nothing is saved if each example has a condition
    of its own: then both branches are computed, as vmap has shown. For three branches
    or more, control_flow has `jax.lax.switch`.

    Predict: `expensive` computes twenty sines, and here `cheap` is chosen. How much
    does `jax.lax.cond` save?
    """

    def expensive(x):
        for _ in range(20):
            x = jnp.sin(x)
        return x

    def cheap(x):
        return 2 * x

    @jax.jit
    def by_where(careful, x):
        return jnp.where(careful, expensive(x), cheap(x))

    @jax.jit
    def by_cond(careful, x):
        return jax.lax.cond(careful, expensive, cheap, x)

    x = jnp.linspace(0, 1, n)
    y = by_cond(False, x)
    z = by_where(False, x)
    race([by_where, by_cond], False, x, seconds=0.3)
    return y, z


def check_the_cheap_branch_is_taken():
    """The cheap side was chosen, in both ways: each number is doubled."""
    for result in cond_saves_the_other_branch(50):
        np.testing.assert_allclose(result, np.linspace(0, 2, 50), rtol=1e-6)


def a_flag_is_static(values=(1.0, 2.0, 3.0)):
    """A flag that switches code on or off should be a static argument.

    A *static* argument is not traced: Python sees its value, so `if` works. Give its
    name in `static_argnames`; several names go in a tuple. The caller may pass it by
    name or by place. With `partial`, known from jit, this can stand as a decorator.
    (Other people may write `static_argnums=1`: the argument at place 1 is static.)
    """

    @partial(jax.jit, static_argnames="squared")
    def total(x, squared):
        if squared:
            x = x**2
        return jnp.sum(x)

    x = jnp.array(values)
    plain = total(x, squared=False)
    of_squares = total(x, squared=True)
    return plain, of_squares


def check_the_flag_switches():
    """Without the flag the numbers are added, with it their squares."""
    plain, of_squares = a_flag_is_static((1.5, -2.0))
    assert (plain, of_squares) == (-0.5, 6.25)


def each_static_value_compiles(x=3.0):
    """A static value is a fixed part of the compiled program.

    It stands in the program as if you had typed it there.

    Predict: `traces` counts. How often is `power` traced for the exponents 2, 2, 3 and
    2 again?
    """

    @traces
    @partial(jax.jit, static_argnames="n")
    def power(x, n):
        return x**n

    power(x, n=2)
    power(x + 1, n=2)
    two = power.count
    power(x, n=3)
    three = power.count
    result = power(x, n=2)
    two_again = power.count
    return two, three, two_again, result


def check_a_trace_for_each_static_value():
    """Two exponents need two traces, and the old program for 2 is used again."""
    for x in (3.0, -1.5):
        two, three, two_again, result = each_static_value_compiles(x)
        assert (two, three, two_again) == (1, 2, 2)
        np.testing.assert_allclose(result, x**2, rtol=1e-6)


def static_arguments_are_hashable(n=3):
    """A static argument must be hashable: a tuple, not a list and not an array.

    JAX looks the compiled program up by the static value, much as you look up a key in
    a dict. A list or an array cannot be such a key. Numbers, strings, functions and
    `None` can, and tuples of these.

    As each new value is a new program, static suits what takes few values: a flag, a
    shape, the number of layers. It does not suit a learning rate or a step number.
    """

    @partial(jax.jit, static_argnames="shape")
    def ones(shape):
        return jnp.ones(shape)

    try:
        ones(shape=[2, n])
    except ValueError as error:
        refused = error
    block = ones(shape=(2, n))
    return refused, block


def check_a_list_is_refused_and_a_tuple_works():
    """A static list is a ValueError; the tuple (2, n) gives 2 rows of n ones."""
    for n in (3, 4):
        refused, block = static_arguments_are_hashable(n)
        assert isinstance(refused, ValueError)
        assert "Non-hashable static" in str(refused)
        assert block.tolist() == [[1.0] * n] * 2


def settings_can_be_static(width=3):
    """An object with settings can be static if it is hashable: a frozen dataclass.

    Python makes a dataclass hashable if you write `frozen=True` and its fields are
    hashable.

    Predict: two calls get two new objects with equal settings. How often is `window`
    traced?
    """

    @dataclass(frozen=True)
    class Settings:
        width: int

    @traces
    @partial(jax.jit, static_argnames="settings")
    def window(x, settings):
        return x[: settings.width]

    x = jnp.arange(10)
    first = window(x, settings=Settings(width))
    second = window(x + 1, settings=Settings(width))
    count = window.count
    return first, second, count


def check_equal_settings_share_a_program():
    """Two objects with equal settings share one trace, and the window is cut."""
    for width in (3, 5):
        first, second, count = settings_can_be_static(width)
        assert first.tolist() == [*range(width)]
        assert second.tolist() == [*range(1, width + 1)]
        assert count == 1


def equal_settings_may_differ(n=3):
    """Settings that are equal share a program, so give each setting one type.

    JAX asks whether it has a program for settings that are equal to these. In Python 1
    == 1.0, so `Settings(1)` and `Settings(1.0)` are equal. So always give a setting the
    same type, for example with `float(…)`. (Static tuples are compared in the same way:
    `(1,)` and `(1.0,)` share a program. For a static number by itself, it depends on
    the version of JAX.) `jnp.full(n, a)` is an array of n numbers, each of them a.

    Predict: the second call fills an array with 1.0. Which dtype does it have?
    """

    @dataclass(frozen=True)
    class Settings:
        height: float

    @partial(jax.jit, static_argnames="settings")
    def level(settings):
        return jnp.full(n, settings.height)

    of_whole = level(settings=Settings(1))
    of_float = level(settings=Settings(1.0))  # no error
    not_compiled = jnp.full(n, 1.0)
    return of_whole, of_float, not_compiled


def check_the_first_type_is_kept():
    """1.0 makes a float32 array, but the program for 1 makes an int32 array of it."""
    for n in (3, 5):
        results = equal_settings_may_differ(n)
        assert [str(y.dtype) for y in results] == ["int32", "int32", "float32"]
        for result in results:
            assert result.tolist() == [1] * n


def lengths_come_before_values(n=4):
    """The shape of an array cannot depend on a traced value.

    A compiled program is made for fixed lengths. Inside `countdown`, `n` has no value,
    so `jnp.arange(n)` has no length, and JAX refuses. Make the length static. Each new
    length is then a new program.
    """

    @jax.jit
    def countdown(n):
        return jnp.arange(n)[::-1]

    try:
        countdown(n)
    except TypeError as error:
        refused = error

    @partial(jax.jit, static_argnames="n")
    def countdown(n):
        return jnp.arange(n)[::-1]

    cured = countdown(n)
    return refused, cured


def check_a_static_length_works():
    """A traced n in `jnp.arange` is a ConcretizationTypeError; a static n works."""
    for n in (4, 6):
        refused, cured = lengths_come_before_values(n)
        assert type(refused).__name__ == "ConcretizationTypeError"
        assert cured.tolist() == [*range(n)][::-1]


def slices_need_known_ends(start=1):
    """A slice `x[i : i + 2]` needs a known i; `jax.lax.dynamic_slice` does not.

    JAX does not work out how long a slice with tracers would be, and refuses it. In
    `jax.lax.dynamic_slice(x, (i,), (2,))`, the start i may be a tracer; the length 2 is
    fixed. (`x[i]` works as well, because its shape is always the same. For `x[:n]`,
    make n static, or keep the full length and mask, as padding_must_not_count does.)

    Predict: x has five numbers. What are the two numbers from place 4 on?
    """

    @jax.jit
    def pair(x, i):
        return x[i : i + 2]

    x = 10 * jnp.arange(5)
    try:
        pair(x, start)
    except IndexError as error:
        refused = error

    @jax.jit
    def pair(x, i):
        return jax.lax.dynamic_slice(x, (i,), (2,))

    cured = pair(x, start)
    past_the_end = pair(x, 4)  # no error
    return refused, cured, past_the_end


def check_dynamic_slice_moves_back():
    """The traced slice is an IndexError; past the end, the last two are taken."""
    for start in (1, 2):
        refused, cured, past_the_end = slices_need_known_ends(start)
        assert isinstance(refused, IndexError)
        assert "static" in str(refused)
        assert cured.tolist() == [10 * start, 10 * start + 10]
        assert past_the_end.tolist() == [30, 40]


def masks_have_no_length(values=(-1.0, 2.0, -3.0, 4.0, 5.0)):
    """`x[x > 0]` is refused, because its length depends on the values.

    The cure is to keep the full length, and to replace what you do not want by a number
    that does no harm: 0 in a sum, 1 in a product. (`x.at[x > 0].set(0)` is refused,
    too; `jnp.where(x > 0, 0, x)` does the same.) The error is a kind of `IndexError`.
    """

    @jax.jit
    def keep_positive(x):
        return x[x > 0]

    @jax.jit
    def sum_positive(x):
        return jnp.sum(jnp.where(x > 0, x, 0))

    x = jnp.array(values)
    try:
        keep_positive(x)
    except IndexError as error:
        refused = error
    total = sum_positive(x)
    return refused, total


def check_the_mask_is_refused_and_where_adds():
    """The mask is a NonConcreteBooleanIndexError; `where` adds the positive numbers."""
    for values in ((-1.0, 2.0, -3.0, 4.0, 5.0), (1.5, -2.0, 3.0)):
        refused, total = masks_have_no_length(values)
        assert type(refused).__name__ == "NonConcreteBooleanIndexError"
        assert total == sum(value for value in values if value > 0)


def size_fixes_the_length(values=(-1.0, 2.0, -3.0, 4.0, 5.0)):
    """With `size`, functions such as `jnp.flatnonzero` work under `jax.jit`.

    `jnp.flatnonzero(x > 0)` gives the places where x is positive. How many these are
    depends on the values, so under `jax.jit` you must fix their number with `size`.
    Places left over get the number `fill_value`. We take the length of x, as it is no
    place in x. (Without `fill_value` they would be 0, which is one.) To use the places,
    write `x.at[places].get(mode="fill", fill_value=0)`, known from numpy_parity: it
    gives 0 for what is no place, where `x[places]` would repeat the last number of x.
    Choose `size` large enough, and look what happens otherwise.

    Predict: x has three positive numbers. What do you get for a size of 4, and of 2?
    """

    @partial(jax.jit, static_argnames="size")
    def places(x, size):
        return jnp.flatnonzero(x > 0, size=size, fill_value=len(x))

    x = jnp.array(values)
    enough = places(x, size=4)
    found = x.at[enough].get(mode="fill", fill_value=0)
    too_few = places(x, size=2)  # no error
    return enough, found, too_few


def check_places_are_filled_or_cut():
    """Too large a size is filled with the length; too small a size loses places."""
    for values in ((-1.0, 2.0, -3.0, 4.0, 5.0), (1.0, -1.0, 1.0, 1.0)):
        enough, found, too_few = size_fixes_the_length(values)
        places = [place for place, value in enumerate(values) if value > 0]
        assert enough.tolist() == [*places, len(values)]
        assert found.tolist() == [*(values[place] for place in places), 0]
        assert too_few.tolist() == places[:2]


def padding_bounds_compilation(lengths=(3, 5, 6, 7)):
    """Padding to a few lengths means compiling a few times.

    Each new length is a new program. If your data come in all lengths, add zeros up to
    the next power of two, with NumPy, before the compiled function is called.
    (`jnp.pad` would itself be compiled for each length.)

    Predict: how often is each function traced for the lengths 3, 5, 6 and 7?
    """

    @traces
    @jax.jit
    def as_it_is(x):
        return jnp.sum(x**2)

    @traces
    @jax.jit
    def padded(x):
        return jnp.sum(x**2)

    for length in lengths:
        x = np.arange(length, dtype=np.float32)
        first = as_it_is(x)
        size = 2 ** math.ceil(math.log2(length))
        longer = np.pad(x, (0, size - length))
        second = padded(longer)
    each_length = as_it_is.count
    each_power = padded.count
    return each_length, each_power, first, second


def check_few_sizes_few_programs():
    """There is a trace for each length, or for each power of two, and equal sums."""
    lengths = (2, 3, 4, 7)
    each_length, each_power, *sums = padding_bounds_compilation(lengths)
    assert (each_length, each_power) == (4, 3)  # 2, 3, 4 and 7 themselves; 2, 4 and 8
    assert sums == [sum(i * i for i in range(7))] * 2


def padding_must_not_count(n=3):
    """Padding that is counted gives a wrong answer, silently.

    Zeros do no harm to a sum, but a mean divides by the length, padding included. Hand
    the true length over as an ordinary argument, and mask what lies beyond it. In the
    mask, the length is only a number, and no shape.

    Predict: the mean of n threes is 3. What is the mean of the padded array?
    """

    @traces
    @jax.jit
    def mean_of_first(x, n):
        inside = jnp.arange(len(x)) < n
        return jnp.sum(jnp.where(inside, x, 0)) / n

    x = np.full(n, 3.0, dtype=np.float32)
    padded = np.pad(x, (0, 8 - n))
    wrong = jnp.mean(padded)
    right = mean_of_first(padded, n)
    of_two = mean_of_first(padded, 2)
    count = mean_of_first.count
    return wrong, right, of_two, count


def check_the_padding_is_masked():
    """The plain mean is 3n/8, the masked one 3, and two lengths share one trace."""
    for n in (3, 6):
        wrong, right, of_two, count = padding_must_not_count(n)
        np.testing.assert_allclose(wrong, 3 * n / 8, rtol=1e-6)
        np.testing.assert_allclose([right, of_two], [3, 3], rtol=1e-6)
        assert count == 1


def python_loops_unroll(turns=3):
    """Python's `for` runs while the function is traced.

    JAX does not see the loop. It sees only the operations on the tracer, one after
    the other. If a loop is written out turn by turn, it is called *unrolled*.
    Count the `sin` in the jaxpr.
    """

    def sines(x):
        for _ in range(turns):
            x = jnp.sin(x)
        return x

    jaxpr = jax.make_jaxpr(sines)(0.5)
    equations = len(jaxpr.eqns)
    return jaxpr, equations


def check_an_equation_for_each_turn():
    """The jaxpr has as many equations as the loop has turns, and each is a sin."""
    for turns in (3, 10):
        jaxpr, equations = python_loops_unroll(turns)
        assert [e.primitive.name for e in jaxpr.eqns] == ["sin"] * turns
        assert equations == turns


def fori_loop_is_written_once(turns=3):
    """`jax.lax.fori_loop` keeps the loop a loop: its body is written once.

    `jax.lax.fori_loop(start, stop, body, x)` computes `x = body(i, x)` for each i. In
    the jaxpr you find the word `scan`: that is how JAX writes a loop whose length is
    known while tracing, as `turns` is here. Beside your `sin`, its body adds 1 to the
    counter i, and `length` is the number of turns. The other entries can wait.
    """

    def sine(i, x):
        return jnp.sin(x)

    def sines(x):
        return jax.lax.fori_loop(0, turns, sine, x)

    jaxpr = jax.make_jaxpr(sines)(0.5)
    equations = len(jaxpr.eqns)
    y = sines(0.5)
    return jaxpr, equations, y


def check_one_equation_for_all_turns():
    """For 3 turns or 100, the jaxpr has one equation and one sin; the values agree."""
    for turns in (3, 100):
        jaxpr, equations, y = fori_loop_is_written_once(turns)
        assert equations == 1
        assert str(jaxpr).count(" sin ") == 1
        assert f"length={turns}" in str(jaxpr)
        expected = 0.5
        for _ in range(turns):
            expected = math.sin(expected)
        np.testing.assert_allclose(y, expected, rtol=1e-5)


def long_loops_compile_slowly(longest=600):
    """The longer a Python loop, the longer it takes to compile.

    The picture shows the time of the first call, which compiles, against the number of
    turns. The unrolled program grows with each turn. The program of
    `jax.lax.fori_loop` does not.
    """
    import matplotlib.pyplot as plt

    @partial(jax.jit, static_argnames="turns")
    def unrolled(x, turns):
        for _ in range(turns):
            x = jnp.sin(x)
        return x

    @partial(jax.jit, static_argnames="turns")
    def rolled(x, turns):
        return jax.lax.fori_loop(0, turns, lambda i, x: jnp.sin(x), x)

    def seconds(compiled, turns):
        return timeit.timeit(
            lambda: compiled(1.0, turns).block_until_ready(),
            number=1,
        )

    seconds(unrolled, 2)  # the very first call does more than to compile
    seconds(rolled, 2)
    turns = [longest // 10, longest // 2, longest]
    of_unrolled = [seconds(unrolled, n) for n in turns]
    of_rolled = [seconds(rolled, n) for n in turns]
    y = unrolled(1.0, longest)
    z = rolled(1.0, longest)

    _, axes = plt.subplots()
    axes.plot(turns, of_unrolled, label="Python loop")
    axes.plot(turns, of_rolled, label="fori_loop")
    axes.set(xlabel="turns", ylabel="seconds of the first call", ylim=0)
    axes.set_title("A long Python loop compiles slowly")
    axes.legend()
    return y, z, of_unrolled, of_rolled, axes


def check_both_loops_end_alike():
    """Both loops give the same sine of sines."""
    y, z, *seconds, axes = long_loops_compile_slowly(20)
    expected = 1.0
    for _ in range(20):
        expected = math.sin(expected)
    np.testing.assert_allclose([y, z], [expected] * 2, rtol=1e-5)
    for line, times in zip(axes.lines, seconds, strict=True):
        assert line.get_xdata().tolist() == [2, 10, 20]
        assert line.get_ydata().tolist() == times


def the_number_of_turns_may_be_traced(turns=3):
    """`range(n)` needs a number, but `jax.lax.fori_loop` takes a tracer.

    If the number of turns is an ordinary argument, it is a tracer, and Python's `range`
    refuses it. `jax.lax.fori_loop` accepts it, but look at the price two demos below.

    Predict: after calls for two different numbers of turns, how often was it traced?
    """

    @jax.jit
    def doubled(x, turns):
        for _ in range(turns):
            x = 2 * x
        return x

    try:
        doubled(1.0, turns)
    except TypeError as error:
        refused = error

    @traces
    @jax.jit
    def doubled(x, turns):
        return jax.lax.fori_loop(0, turns, lambda i, x: 2 * x, x)

    some = doubled(1.0, turns)
    more = doubled(1.0, turns + 7)
    count = doubled.count
    return refused, some, more, count


def check_one_program_for_all_numbers_of_turns():
    """`range` is a TracerIntegerConversionError; one loop serves 0, 3, 7, 10 turns."""
    for turns in (3, 0):
        refused, some, more, count = the_number_of_turns_may_be_traced(turns)
        assert type(refused).__name__ == "TracerIntegerConversionError"
        assert (some, more, count) == (2**turns, 2 ** (turns + 7), 1)


def while_needs_a_number_too(limit=100.0):
    """`while` is refused like `if`; the cure is `jax.lax.while_loop`.

    `jax.lax.while_loop(goes_on, turn, x)`, known from vmap, computes `x = turn(x)` as
    long as `goes_on(x)` is true. The number of turns may depend on the values.
    """

    @jax.jit
    def double_up_to_limit(x):
        while x < limit:
            x = 2 * x
        return x

    try:
        double_up_to_limit(3.0)
    except TypeError as error:
        refused = error

    def goes_on(x):
        return x < limit

    def turn(x):
        return 2 * x

    @jax.jit
    def double_up_to_limit(x):
        return jax.lax.while_loop(goes_on, turn, x)

    cured = double_up_to_limit(3.0)
    return refused, cured


def check_while_loop_doubles_up_to_the_limit():
    """`while` is a TracerBoolConversionError; the cure gives what Python would give."""
    for limit in (100.0, 2.0):
        refused, cured = while_needs_a_number_too(limit)
        assert type(refused).__name__ == "TracerBoolConversionError"
        expected = 3.0
        while expected < limit:
            expected = 2 * expected
        assert cured == expected


def no_gradient_with_unknown_turns(x=2.0, turns=3):
    """`jax.grad` cannot go back through a loop with a traced number of turns.

    The gradient goes back through the loop and needs the values of all turns, so their
    number must be known. If the number of turns is static, it works. (In the message,
    *reverse-mode* means going back, and *dynamic* means traced.) If the slope has to go
    back through a `jax.lax.while_loop`, `jax.grad` always refuses. (Forward, with
    `jax.jvp` or `jax.jacfwd`, all these loops have a derivative.)
    """

    def power(x, turns):
        return jax.lax.fori_loop(0, turns, lambda i, y: x * y, 1.0)

    traced = jax.jit(power)
    static = jax.jit(power, static_argnames="turns")
    y = traced(x, turns)
    try:
        jax.grad(traced)(x, turns)
    except ValueError as error:
        refused = error
    slope = jax.grad(static)(x, turns)
    return y, refused, slope


def check_static_turns_have_a_gradient():
    """Traced turns give xⁿ but no gradient; static turns give the slope n xⁿ⁻¹."""
    for x, turns in ((2.0, 3), (-1.5, 4)):
        y, refused, slope = no_gradient_with_unknown_turns(x, turns)
        np.testing.assert_allclose(y, x**turns, rtol=1e-6)
        assert isinstance(refused, ValueError)
        assert "Reverse-mode differentiation does not work" in str(refused)
        np.testing.assert_allclose(slope, turns * x ** (turns - 1), rtol=1e-6)


def most_turns_and_a_mask(x=2.0, turns=3):
    """A loop of fixed length with a mask has a gradient, up to that length.

    Where the number of turns must stay traced, say how many there can be at most, and
    go through all of these. `jnp.where` lets the turns beyond the wanted number change
    nothing. They are computed all the same: that is the price.

    Predict: `turns` is no longer static. How often is `power` traced for two numbers
    of turns?
    """

    @traces
    def power(x, turns):
        def turn(i, y):
            return jnp.where(i < turns, x * y, y)

        return jax.lax.fori_loop(0, 10, turn, 1.0)

    slope = jax.jit(jax.grad(power))
    some = slope(x, turns)
    more = slope(x, turns + 2)
    count = power.count
    too_many = slope(x, 99)  # no error, but only ten turns
    return some, more, count, too_many


def check_masked_turns_have_a_gradient():
    """One trace gives the slopes n xⁿ⁻¹; beyond ten turns, it stays that of x¹⁰."""
    for x, turns in ((2.0, 3), (-1.5, 4)):
        *slopes, count, too_many = most_turns_and_a_mask(x, turns)
        expected = [n * x ** (n - 1) for n in (turns, turns + 2, 10)]
        np.testing.assert_allclose([*slopes, too_many], expected, rtol=1e-6)
        assert count == 1


def carry_keeps_its_type(start=100.0, rates=(0.1, 0.2, 0.3)):
    """What a loop carries must keep its shape: it cannot grow.

    `jax.lax.scan(turn, carry, xs)`, known from pure_functions, calls `turn(carry, x)`
    for each x of the array `xs`. `turn` returns the new *carry*, which goes to the next
    turn, and an output. You get the last carry, and all outputs, stacked.

    The loop is compiled for one shape and one dtype of the carry. So a carry cannot
    grow, as a list does with `append`: let the outputs be your list.
    `jax.lax.fori_loop` and `jax.lax.while_loop` refuse a growing carry as well. They
    also refuse an int32 that becomes a float32. (The Python number 0 is only weakly
    typed, so as a start it may become a float32.) control_flow, the next lesson but
    one, says more about this.
    """

    def grow(balances, rate):
        balance = balances[-1] * (1 + rate)
        return jnp.append(balances, balance), balance

    rates = jnp.array(rates)
    try:
        jax.lax.scan(grow, jnp.array([start]), rates)
    except TypeError as error:
        refused = error

    def one_year(balance, rate):
        balance = balance * (1 + rate)
        return balance, balance  # the new carry, and the output

    last, balances = jax.lax.scan(one_year, start, rates)
    return refused, last, balances


def check_scan_is_a_loop_with_a_list():
    """A growing carry is a TypeError; the outputs are what a list would hold."""
    for start, rates in ((100.0, (0.1, 0.2, 0.3)), (50.0, (0.0, -0.5, 1.0, 0.1))):
        refused, last, balances = carry_keeps_its_type(start, rates)
        assert isinstance(refused, TypeError)
        assert "equal types" in str(refused)
        expected = start * np.cumprod([1 + rate for rate in rates])
        np.testing.assert_allclose(balances, expected, rtol=1e-6)
        np.testing.assert_allclose(last, expected[-1], rtol=1e-6)


def short_loops_may_unroll(n=1_000_000):
    """A short loop with a small body can run faster unrolled.

    Unrolled, all turns can be joined into one kernel, which reads and writes the array
    once. A loop reads and writes it at each turn. So write a few turns as a Python
    loop, and hundreds as `jax.lax.fori_loop` or `jax.lax.scan`. (With `unroll=True`,
    `jax.lax.fori_loop` is unrolled for you, unless the number of turns is traced.) The
    next lesson, gradient_descent, puts loops to work.

    Myth: `jax.lax.fori_loop` is always faster than a Python loop.
    """

    @jax.jit
    def unrolled(x):
        for _ in range(10):
            x = 0.5 * x + 1
        return x

    @jax.jit
    def rolled(x):
        return jax.lax.fori_loop(0, 10, lambda i, x: 0.5 * x + 1, x)

    x = jnp.ones(n)
    y = unrolled(x)
    z = rolled(x)
    race([unrolled, rolled], x, seconds=0.3)
    return y, z


def check_both_loops_approach_two():
    """Ten turns bring 1 to 2 − 1/2¹⁰, unrolled and rolled."""
    for result in short_loops_may_unroll(1000):
        np.testing.assert_allclose(result, np.full(1000, 2 - 0.5**10), rtol=1e-6)
