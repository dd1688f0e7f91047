"""Control flow: branches and loops as parts of a compiled program.

The lesson shapes_and_branches showed how to get an `if` or a loop into a compiled
program. Here you learn to use them well: a choice among many, what a loop carries from
turn to turn, sequences of different lengths, loops in parallel, and what a slope
through a loop costs. In the end, a diffusion model makes data out of noise, in one
loop. Read first: shapes_and_branches, vmap and derivatives.
"""

import io
import re
from contextlib import redirect_stdout
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import explain, race

ORDER = 120


def switch_picks_one_of_many(x=0.5):
    """`jax.lax.switch` picks one of several functions by a number.

    `jax.lax.cond` has two branches. `jax.lax.switch(number, functions, x)` has a list
    of them: 0 picks the first, 1 the second, and so on. The number may be a tracer.
    All functions must give the same shape and dtype, as the branches of a `cond`.
    """

    @jax.jit
    def activate(number, x):
        functions = [jax.nn.relu, jnp.tanh, jnp.sin]
        return jax.lax.switch(number, functions, x)

    from_relu = activate(0, x)
    from_tanh = activate(1, x)
    from_sin = activate(2, x)
    return from_relu, from_tanh, from_sin


def check_each_number_has_its_function():
    """The numbers 0, 1 and 2 pick relu, which is max(x, 0), tanh and sin."""
    for x in (0.5, -1.2):
        expected = [max(x, 0), np.tanh(x), np.sin(x)]
        np.testing.assert_allclose(switch_picks_one_of_many(x), expected, rtol=1e-6)


def switch_has_no_index_error(x=0.5):
    """A number without a function is no error for `jax.lax.switch`.

    A list in Python raises an IndexError. The cure here is one more function,
    `unknown`, which gives nan. `jnp.where` leads every other number to it.

    Predict: there are three functions. What do you get for −1, and for 7?
    """
    functions = [jax.nn.relu, jnp.tanh, jnp.sin]
    below = jax.lax.switch(-1, functions, x)
    above = jax.lax.switch(7, functions, x)

    def unknown(x):
        return jnp.nan * x

    @jax.jit
    def activate(number, x):
        known = (number >= 0) & (number <= 2)
        number = jnp.where(known, number, 3)
        return jax.lax.switch(number, [*functions, unknown], x)

    cured_below = activate(-1, x)
    cured_above = activate(7, x)
    return below, above, cured_below, cured_above


def check_the_nearest_function_is_taken():
    """−1 takes the first function and 7 the last, silently; the cure gives nan."""
    below, above, *cured = switch_has_no_index_error(1.2)
    np.testing.assert_allclose([below, above], [1.2, np.sin(1.2)], rtol=1e-6)
    assert np.isnan(cured).all()


def select_asks_one_after_the_other(weights=(0.5, 3.0, 12.0, 40.0)):
    """`jnp.select` makes a choice among many, number by number.

    Like `np.select`, it takes a list of conditions and a list of values. The third
    argument stands where no condition is true. As with `jnp.where`, all values are
    computed. Use it where a `jnp.where` would need another one inside.

    Predict: the letter of 0.5 kg fulfils all three conditions. What does it cost?
    """

    @jax.jit
    def postage(kg):
        conditions = [kg <= 1, kg <= 5, kg <= 20]
        return jnp.select(conditions, [2.0, 6.0, 9.0], jnp.nan)

    prices = postage(jnp.array(weights))
    return prices


def check_the_first_true_condition_decides():
    """The first condition that is true decides, so 0.5 kg cost 2; 40 kg give nan."""
    for weights in ((0.5, 3.0, 12.0, 40.0), (20.0, 1.0, 5.0)):
        expected = []
        for kg in weights:
            price = 2 if kg <= 1 else 6 if kg <= 5 else 9 if kg <= 20 else np.nan
            expected.append(price)
        np.testing.assert_array_equal(
            select_asks_one_after_the_other(weights), expected
        )


def lax_select_is_strict(numbers=(-1.0, 2.0, 3.0)):
    """`jax.lax.select` is a strict `jnp.where`: the shapes and dtypes must agree.

    You will meet `jax.lax.select` in other people's code. It does not stretch a number
    to an array, and it does not turn an integer into a float. Zeros of the shape and
    the dtype of x are `jnp.zeros_like(x)`.
    """
    x = jnp.array(numbers)
    try:
        jax.lax.select(x > 0, x, 0.0)
    except TypeError as error:
        one_number = error
    try:
        jax.lax.select(x > 0, x, jnp.zeros(len(x), dtype=int))
    except TypeError as error:
        integers = error
    y = jax.lax.select(x > 0, x, jnp.zeros_like(x))
    return one_number, integers, y


def check_a_number_is_not_stretched():
    """A single 0.0 and zeros that are integers are refused; fitting zeros do it."""
    one_number, integers, y = lax_select_is_strict((0.5, -0.5, 2.0))
    assert isinstance(one_number, TypeError)
    assert "same shapes" in str(one_number)
    assert isinstance(integers, TypeError)
    assert "same dtypes" in str(integers)
    np.testing.assert_array_equal(y, [0.5, 0, 2])


def root_or_zero(x):
    """The root of a positive x, else 0; a branch that runs prints."""

    def root(x):
        jax.debug.print("root of {}", x)
        return jnp.sqrt(x)

    def zero(x):
        jax.debug.print("zero for {}", x)
        return jnp.zeros_like(x)

    return jax.lax.cond(x > 0, root, zero, x)


def map_keeps_the_choice(numbers=(4.0, -9.0)):
    """`jax.lax.map` keeps a `cond`, where `jax.vmap` computes both branches.

    vmap has shown that a batch under `jax.vmap` runs both branches, if each example has
    a test of its own. `jax.lax.map(f, x)` takes one example after the other, so each
    runs the branch that it needs. This can
    be worth it if one branch is expensive and rarely needed. With `batch_size=2` it
    takes two examples at a time, and for these two it uses `jax.vmap`.
    `jax.effects_barrier` waits until everything is printed.

    Predict: there are two examples. How many lines does each of the three ways print?
    """
    x = jnp.array(numbers)
    at_once = jax.jit(jax.vmap(root_or_zero))(x)
    jax.effects_barrier()
    one_by_one = jax.lax.map(root_or_zero, x)
    jax.effects_barrier()
    two_by_two = jax.lax.map(root_or_zero, x, batch_size=2)
    jax.effects_barrier()
    return at_once, one_by_one, two_by_two


def check_only_map_runs_one_branch_each():
    """Four, two and four lines for two examples; the results are equal."""
    numbers = (-3.0, 6.25)
    with redirect_stdout(io.StringIO()) as printed:
        results = map_keeps_the_choice(numbers)
    np.testing.assert_allclose(results, [[0, 2.5]] * 3, rtol=1e-6)
    lines = printed.getvalue().splitlines()
    both = sorted(f"{name} {x}" for name in ("root of", "zero for") for x in numbers)
    assert sorted(lines[:4]) == sorted(lines[6:]) == both
    assert lines[4:6] == ["zero for -3.0", "root of 6.25"]


def the_body_is_always_traced(amounts=(100.0, -30.0, 50.0)):
    """JAX traces the body of a loop, also where you compile nothing.

    The function that makes one turn is called the *body* of the loop. `jax.lax.scan`
    and the other loops trace it, and compile the loop. The same holds for the branches
    of a `cond`. So the rules of shapes_and_branches hold inside.

    Predict: there is no `jax.jit` here. Does the `if` in the body work?
    """
    amounts = jnp.array(amounts)

    def add_deposits(total, amount):
        if amount > 0:
            total = total + amount
        return total, total

    try:
        jax.lax.scan(add_deposits, 0.0, amounts)
    except TypeError as error:
        refused = error

    def add_deposits(total, amount):
        total = total + jnp.where(amount > 0, amount, 0)
        return total, total

    _, totals = jax.lax.scan(add_deposits, 0.0, amounts)
    return refused, totals


def check_an_if_in_the_body_is_refused():
    """The `if` is a TracerBoolConversionError; with `jnp.where` the totals come out."""
    for amounts in ((100.0, -30.0, 50.0), (-1.0, 2.5)):
        refused, totals = the_body_is_always_traced(amounts)
        assert type(refused).__name__ == "TracerBoolConversionError"
        expected = np.cumsum(np.maximum(amounts, 0))
        np.testing.assert_allclose(totals, expected, rtol=1e-6)


def a_loop_in_slow_motion(amounts=(100.0, 20.0, 50.0)):
    """`jax.disable_jit` turns a loop of JAX into a loop of Python, for debugging.

    You know `with jax.disable_jit():` from jit: Python runs each operation with
    numbers. It works for `jax.lax.scan` and the other loops, too. So the body can be
    looked at with `print`, or with a debugger.
    """

    def add(total, amount):
        print("total:", total, "amount:", amount)
        return total + amount, None

    amounts = jnp.array(amounts)
    with jax.disable_jit():
        slowly, _ = jax.lax.scan(add, 0.0, amounts)
    total, _ = jax.lax.scan(add, 0.0, amounts)
    return slowly, total


def check_numbers_are_printed_in_slow_motion():
    """In slow motion each turn prints its numbers; else one trace prints tracers."""
    with redirect_stdout(io.StringIO()) as printed:
        slowly, total = a_loop_in_slow_motion((1.5, -2.0))
    assert (slowly, total) == (-0.5, -0.5)
    first, second, traced = printed.getvalue().splitlines()
    assert first == "total: 0.0 amount: 1.5"
    assert second == "total: 1.5 amount: -2.0"
    assert "float32[]" in traced


def a_new_body_is_a_new_loop(calls=3):
    """Outside `jax.jit`, a loop whose body is a new function is compiled anew.

    JAX keeps a compiled loop, and finds it by its body. But `def` makes a new function
    each time that it runs, and so does `lambda`. So the loop in `total` below is new in
    each call. The cure is to compile the function around the loop: then all of it is
    traced once.

    Predict: for three calls of `total`, and three of `compiled`, how often does Python
    run the body, `add`?
    """
    runs = []

    def total(xs):
        def add(carry, x):
            runs.append("Python was here")
            return carry + x, None

        end, _ = jax.lax.scan(add, 0.0, xs)
        return end

    xs = jnp.arange(4.0)
    for _ in range(calls):
        total(xs)
    anew = len(runs)

    runs.clear()
    compiled = jax.jit(total)
    for _ in range(calls):
        compiled(xs)
    once = len(runs)
    return anew, once


def check_the_body_runs_in_each_call_or_once():
    """It runs the body in each call of `total`, and once for all of `compiled`."""
    assert a_new_body_is_a_new_loop(5) == (5, 1)


def carry_of_several_things(rates=(0.1, 0.2, 0.3), deposits=(50.0, 0.0, 20.0)):
    """The carry, the inputs and the outputs of a scan may each be a pytree.

    `jax.lax.scan(body, carry, xs)` calls `body(carry, x)` for each x, and the body
    returns the new carry and an output. A loop often has to remember several things, so
    the carry may be a tuple or a dict. The inputs may be a dict of arrays, too: each
    turn gets a dict with one number from each array, so they must be equally long.
    """

    def one_year(account, year):
        interest = account["balance"] * year["rate"]
        balance = account["balance"] + interest + year["deposit"]
        earned = account["earned"] + interest
        account = {"balance": balance, "earned": earned}
        return account, balance

    start = {"balance": 100.0, "earned": 0.0}
    years = {"rate": jnp.array(rates), "deposit": jnp.array(deposits)}
    account, balances = jax.lax.scan(one_year, start, years)
    return account, balances


def check_the_account_is_that_of_a_plain_loop():
    """The balances and the interest earned are those of a loop in plain Python."""
    for rates, deposits in (
        ((0.1, 0.2, 0.3), (50.0, 0.0, 20.0)),
        ((0.5, 0.0), (-20.0, 7.0)),
    ):
        account, balances = carry_of_several_things(rates, deposits)
        balance, earned, expected = 100, 0, []
        for rate, deposit in zip(rates, deposits, strict=True):
            earned += balance * rate
            balance += balance * rate + deposit
            expected.append(balance)
        np.testing.assert_allclose(balances, expected, rtol=1e-6)
        np.testing.assert_allclose(account["balance"], balance, rtol=1e-6)
        np.testing.assert_allclose(account["earned"], earned, rtol=1e-6)


def start_with_the_type_that_comes_out(rows=((1.5, 2.0), (3.0, 4.0), (0.5, 1.0))):
    """The start of a loop must have the type that a turn gives.

    You want the sum of some rows. A start of 0.0 is one number, but after a turn it is
    two. Zeros made with `dtype=int` are integers, and after a turn they are floats.
    Both are refused: the carry must keep its type.

    If you do not know what a turn gives, ask `jax.eval_shape`. It traces the function,
    computes nothing, and says what shape and dtype would come out.
    """
    rows = jnp.array(rows)

    def add(total, row):
        return total + row, None

    try:
        jax.lax.scan(add, 0.0, rows)
    except TypeError as error:
        other_shape = error
    try:
        jax.lax.scan(add, jnp.zeros(2, dtype=int), rows)
    except TypeError as error:
        other_dtype = error

    out, _ = jax.eval_shape(add, 0.0, rows[0])
    start = jnp.zeros(out.shape, out.dtype)
    total, _ = jax.lax.scan(add, start, rows)
    return other_shape, other_dtype, start, total


def check_shape_and_dtype_must_be_right():
    """Both starts are TypeErrors; zeros of the asked type give the sum of the rows."""
    for rows in (((1.5, 2.0), (3.0, 4.0), (0.5, 1.0)), ((-0.5, 2.0),)):
        other_shape, other_dtype, start, total = start_with_the_type_that_comes_out(
            rows
        )
        assert isinstance(other_shape, TypeError)
        assert "shapes do not match" in str(other_shape)
        assert isinstance(other_dtype, TypeError)
        assert "dtypes do not match" in str(other_dtype)
        assert str(start.dtype) == "float32"
        assert start.tolist() == [0, 0]
        np.testing.assert_allclose(total, np.sum(rows, axis=0), rtol=1e-6)


def values_from_outside(w=2.0, turns=3):
    """A body may read values from outside.

    What stays the same in all turns needs no place in the carry. The body simply uses
    it, here the number w. A function that uses a variable of the function around it is
    said to *close over* it. With `length=3` the scan makes three turns and has no
    inputs, so the second argument of the body is `None`.

    Predict: does `jax.grad` see that `power` depends on w?
    """

    def power(w):
        def turn(y, _):
            return w * y, None

        y, _ = jax.lax.scan(turn, 1.0, length=turns)
        return y

    y = power(w)
    slope = jax.grad(power)(w)
    return y, slope


def check_the_slope_sees_what_is_closed_over():
    """It does: n turns give wⁿ, with the slope n·wⁿ⁻¹."""
    for w, turns in ((2.0, 3), (-1.5, 4)):
        y, slope = values_from_outside(w, turns)
        np.testing.assert_allclose(y, w**turns, rtol=1e-6)
        np.testing.assert_allclose(slope, turns * w ** (turns - 1), rtol=1e-6)


def a_mask_beside_the_outputs(degrees=(12.0, 15.0, 11.0, 18.0, 16.0)):
    """A turn of a scan cannot leave its output out; a mask says which ones count.

    You look for the days that were warmer than all days before. In Python you would
    call `append` on those days only. In a scan each turn gives an output, because the
    length of the result must be known. So give a yes or a no for each day. Outside the
    compiled function the mask has values, and `degrees[is_record]` works as in NumPy.
    The carry is the highest value so far. It starts with minus infinity.
    """

    @jax.jit
    def find_records(degrees):
        def day(highest, today):
            is_record = today > highest
            highest = jnp.maximum(highest, today)
            return highest, is_record

        _, is_record = jax.lax.scan(day, -jnp.inf, degrees)
        return is_record

    degrees = jnp.array(degrees)
    is_record = find_records(degrees)
    records = degrees[is_record]
    return is_record, records


def check_records_are_found():
    """The mask is true for each day that beats all days before it."""
    degrees = (3.0, 3.0, -1.0, 4.0, 9.0)
    is_record, records = a_mask_beside_the_outputs(degrees)
    assert is_record.tolist() == [True, False, False, True, True]
    assert records.tolist() == [3, 4, 9]


def from_the_last_to_the_first(rewards=(1.0, 0.0, 0.0, 10.0)):
    """With `reverse=True` a scan goes from the last input to the first.

    A player gets a reward at each move. What is a move worth? Its own reward, plus 0.9
    times the worth of the next move. So you must begin at the end, and the carry is the
    worth of the next move.

    Predict: the turn for the last reward runs first. At which place does its output
    stand?
    """

    def move(worth_of_next, reward):
        worth = reward + 0.9 * worth_of_next
        return worth, worth

    rewards = jnp.array(rewards)
    _, worths = jax.lax.scan(move, 0.0, rewards, reverse=True)
    return worths


def check_each_output_stands_at_its_input():
    """At the last place: each output stands where its input stood."""
    for rewards in ((1.0, 0.0, 0.0, 10.0), (2.0, -1.0)):
        expected = [
            sum(0.9**k * reward for k, reward in enumerate(rewards[place:]))
            for place in range(len(rewards))
        ]
        worths = from_the_last_to_the_first(rewards)
        np.testing.assert_allclose(worths, expected, rtol=1e-6)


def padded_sequences(
    padded=((4.0, 2.0, 1.0), (8.0, 0.0, 0.0), (2.0, 6.0, 0.0)), lengths=(3, 1, 2)
):
    """Sequences of different lengths: pad them, and let a mask hold the carry.

    `memory` goes through a sequence. At each turn its memory h is halved, and the input
    is added. Here are three sequences, of 3, 1 and 2 numbers. To have them in one
    array, they were filled up with zeros, so that `jax.vmap` can take all at once.

    `masked_memory` also gets the length. Its scan has a tuple of inputs: the number t
    of the turn, and x. Once t has reached the length, `jnp.where` keeps h as it is.

    Myth: zeros as padding do no harm, because 0 is added.
    """

    def memory(xs):
        def turn(h, x):
            return 0.5 * h + x, None

        h, _ = jax.lax.scan(turn, 0.0, xs)
        return h

    def masked_memory(xs, length):
        def turn(h, inputs):
            t, x = inputs
            h = jnp.where(t < length, 0.5 * h + x, h)
            return h, None

        turns = jnp.arange(len(xs))
        h, _ = jax.lax.scan(turn, 0.0, (turns, xs))
        return h

    padded = jnp.array(padded)
    wrong = jax.vmap(memory)(padded)
    right = jax.vmap(masked_memory)(padded, jnp.array(lengths))
    return wrong, right


def check_padding_halves_the_memory():
    """Each turn of padding halves the memory; with the mask it stays right."""
    padded, lengths = ((1.0, 3.0, 2.0, 0.0), (5.0, 0.0, 0.0, 0.0)), (3, 1)
    wrong, right = padded_sequences(padded, lengths)
    np.testing.assert_allclose(right, [3.75, 5], rtol=1e-6)
    np.testing.assert_allclose(wrong, [3.75 / 2, 5 / 8], rtol=1e-6)


def nested_loops_multiply(n=20):
    """Nested Python loops multiply the size of a program; nested scans do not.

    A Python loop is unrolled: each turn is written into the program. For a loop in a
    loop this makes n times n turns, and the longer a program, the longer it takes to
    compile. A `jax.lax.scan` is one equation, however many turns it makes, and so is a
    scan that holds a scan.
    """

    def by_python(x):
        for _ in range(n):
            for _ in range(n):
                x = jnp.sin(x)
        return x

    def by_scan(x):
        def inner(x, _):
            return jnp.sin(x), None

        def outer(x, _):
            return jax.lax.scan(inner, x, length=n)

        x, _ = jax.lax.scan(outer, x, length=n)
        return x

    long = len(jax.make_jaxpr(by_python)(0.5).eqns)
    short = len(jax.make_jaxpr(by_scan)(0.5).eqns)
    y = by_scan(0.5)
    return long, short, y


def check_n_squared_equations_or_one():
    """The Python loops make n² equations, the scans one; the sine is taken n² times."""
    for n in (20, 3):
        long, short, y = nested_loops_multiply(n)
        assert (long, short) == (n * n, 1)
        expected = 0.5
        for _ in range(n * n):
            expected = np.sin(expected)
        # hundreds of roundings of float32
        np.testing.assert_allclose(y, expected, rtol=3e-5)


def turns_when_compiled(f, x):
    """How many turns the compiled loop of f makes; 0: no loop."""
    report = explain(f, x)
    found = re.search(r"known_trip_count\D+(\d+)", report.compiled)
    return int(found[1]) if found else 0


def a_few_turns_at_a_time(n=100_000):
    """`unroll=4` makes a scan do four turns in one.

    shapes_and_branches has shown that a short loop can be faster if it is unrolled:
    written out, turn by turn. With `unroll=4`, each turn of the compiled loop does four
    of yours. This is a middle way between a scan and a Python loop. Which number is
    fastest depends on the body and on the machine: race a few, as in the last line.

    XLA writes the number of turns into the compiled program, behind the word
    `known_trip_count`. `turns_when_compiled` reads it there: `explain` has the text of
    the compiled program in `compiled`.

    Predict: how many of the 100 turns are left with `unroll=4`, and with `unroll=100`?
    """

    def hundred_turns(x, unroll):
        def turn(x, _):
            return 0.5 * x + 1, None

        y, _ = jax.lax.scan(turn, x, length=100, unroll=unroll)
        return y

    one = jax.jit(partial(hundred_turns, unroll=1))
    four = jax.jit(partial(hundred_turns, unroll=4))
    hundred = jax.jit(partial(hundred_turns, unroll=100))
    x = jnp.zeros(n)
    y = four(x)
    turns_of_four = turns_when_compiled(four, x)
    turns_of_hundred = turns_when_compiled(hundred, x)
    race({"1": one, "4": four, "100": hundred}, x, seconds=0.1)
    return y, turns_of_four, turns_of_hundred


def check_a_quarter_of_the_turns_is_left():
    """25 are left, and none: then there is no loop. Both bring 0 to 2."""
    y, *turns = a_few_turns_at_a_time(1000)
    np.testing.assert_allclose(y, np.full(1000, 2.0), rtol=1e-6)
    assert turns == [25, 0]


def totals_in_few_rounds(n=16):
    """`jax.lax.associative_scan` computes running totals in a few rounds.

    A loop adds one number after the other. But many hands can add pairs at the same
    time: first the 8 pairs of neighbours, then the 4 pairs of these sums, and so on.
    After that, the totals in between are filled in. This is what
    `jax.lax.associative_scan(add, x)` does. It calls `add` with arrays: each call adds
    many pairs at once.

    `pairs` notes how many pairs each call adds. (One call has none.) In all there are
    more additions, so this pays where many of them are made at the same time. On a CPU,
    race it against a scan.

    Predict: 16 numbers need 15 additions one after the other. How many calls are there?
    """
    pairs = []

    def add(a, b):
        pairs.append(len(a))
        return a + b

    @jax.jit
    def running_totals(x):
        return jax.lax.associative_scan(add, x)

    totals = running_totals(jnp.arange(n))
    calls = len(pairs)
    together = sum(pairs)
    return totals, pairs, calls, together


def check_few_calls_give_all_totals():
    """A power of two takes 2·log₂ n calls, 8 for 16, but more additions than n − 1."""
    for n, logarithm in ((8, 3), (16, 4)):
        totals, pairs, calls, together = totals_in_few_rounds(n)
        np.testing.assert_array_equal(totals, np.cumsum(np.arange(n)))
        assert calls == 2 * logarithm
        halves = [n // 2**k for k in range(1, logarithm + 1)]
        assert pairs == [*halves, *[half - 1 for half in reversed(halves)]]
        assert together == sum(pairs) > n - 1


def brackets_must_not_matter(numbers=(10.0, 1.0, 2.0, 3.0)):
    """The operation must be *associative*: brackets must not change the result.

    `jax.lax.associative_scan` puts the brackets as it likes. For a sum they do not
    matter: (a + b) + c = a + (b + c). For the larger of two numbers they do not matter
    either. (In floats, the last digits of a sum may change.) For a difference they do
    matter. The cure is to add the negatives instead.

    Predict: the running differences of 10, 1, 2, 3 are 10, 9, 7 and 4. Will you get
    them, an error, or other numbers?
    """

    @jax.jit
    def highest_so_far(x):
        return jax.lax.associative_scan(jnp.maximum, x)

    @jax.jit
    def differences(x):
        return jax.lax.associative_scan(jnp.subtract, x)

    @jax.jit
    def sums(x):
        return jax.lax.associative_scan(jnp.add, x)

    x = jnp.array(numbers)
    highest = highest_so_far(x)
    wrong = differences(x)
    negated = x.at[1:].multiply(-1)
    right = sums(negated)
    return highest, wrong, right


def check_differences_come_out_wrong():
    """Other numbers, and no error: the last is (a − b) − (c − d). A sum is right."""
    a, b, c, d = numbers = (0.5, 4.0, -2.0, 7.0)
    highest, wrong, right = brackets_must_not_matter(numbers)
    np.testing.assert_array_equal(highest, np.maximum.accumulate(numbers))
    np.testing.assert_allclose(wrong, [a, a - b, a - b - c, (a - b) - (c - d)])
    np.testing.assert_allclose(right, [a, a - b, a - b - c, a - b - c - d])


def a_memory_in_few_rounds(
    factors=(0.5, 0.9, 0.2, 1.0), additions=(4.0, 2.0, 1.0, -3.0)
):
    """A memory that becomes a·h + b at each turn needs few rounds only, too.

    Here each turn has its own a and b. It seems that one turn must wait for the other.
    But two turns in a row are again such a turn: a₂·(a₁·h + b₁) + b₂ is the same as
    (a₂·a₁)·h + (a₂·b₁ + b₂). `join` makes one turn of two, in this way. It is
    associative: three turns in a row are the same, whichever two you join first. (One
    call has nothing to join.)

    So `jax.lax.associative_scan` joins the first turns, up to each. If h is 0 at the
    start, a·h + b is b alone: the second of the two results is the memory.
    """

    def join(first, second):
        a1, b1 = first
        a2, b2 = second
        return a2 * a1, a2 * b1 + b2

    turns = (jnp.array(factors), jnp.array(additions))
    _, memories = jax.lax.associative_scan(join, turns)
    return memories


def check_memories_are_those_of_a_loop():
    """The memories are those of a plain loop that begins with h = 0."""
    factors, additions = (0.1, -2.0, 3.0, 0.7), (1.0, 0.5, 0.25, -1.0)
    h, expected = 0, []
    for a, b in zip(factors, additions, strict=True):
        h = a * h + b
        expected.append(h)
    memories = a_memory_in_few_rounds(factors, additions)
    np.testing.assert_allclose(memories, expected, rtol=1e-6)


def is_near(y, x):
    """Whether the square of y is x, but for a millionth."""
    return jnp.abs(y * y - x) <= 1e-6 * x


def nearer(y, x):
    """A step of Newton's method: a y nearer to the root of x."""
    return (y + x / y) / 2


def stop_early_or_pass_on(x=2.0, most=10):
    """A scan cannot stop early, but its body can pass the carry on.

    To find the root of x, repeat `nearer` until `is_near`. `jax.lax.while_loop` stops
    when it is. `jax.lax.scan` always makes all turns, here ten. With a `jax.lax.cond`
    in its body, a turn that is not needed hands y on as it is. You gain two things. The
    outputs are the whole path. And `jax.grad` works; it does not go back through a
    `jax.lax.while_loop`.

    `moves` counts the places where the path changes.
    """

    def by_while(x):
        def goes_on(state):
            y, _ = state
            return ~is_near(y, x)

        def turn(state):
            y, count = state
            return nearer(y, x), count + 1

        return jax.lax.while_loop(goes_on, turn, (x, 0))

    def by_scan(x):
        def turn(y, _):
            y = jax.lax.cond(
                is_near(y, x),
                lambda y: y,
                lambda y: nearer(y, x),
                y,
            )
            return y, y

        _, path = jax.lax.scan(turn, x, length=most)
        return path

    y, count = by_while(x)
    path = by_scan(x)
    moves = np.count_nonzero(np.diff(path, prepend=x))
    slope = jax.grad(lambda x: by_scan(x)[-1])(x)
    return y, count, path, moves, slope


def check_both_loops_find_the_root():
    """Both loops move as often, and find √x; the slope is 1 / (2√x)."""
    x = 30.0
    y, count, path, moves, slope = stop_early_or_pass_on(x)
    np.testing.assert_allclose(y, x**0.5, rtol=1e-6)
    h, expected = x, []
    while abs(h * h - x) > 1e-6 * x:
        h = (h + x / h) / 2
        expected.append(h)
    assert count == moves == len(expected)
    expected.extend([h] * (10 - len(expected)))
    np.testing.assert_allclose(path, expected, rtol=1e-6)
    # near the root, the slope of the path still errs a little
    np.testing.assert_allclose(slope, 0.5 * x**-0.5, rtol=2e-5)


def a_batch_waits_for_the_worst(numbers=(2.0, 30.0, -1.0), most=40):
    """One example that never ends would hold its whole batch.

    Under `jax.vmap` a `while_loop` turns until the last example is done, as vmap has
    shown. The others wait. A negative number has no root, so its loop would run for
    ever, and you would wait without a message. So let the test of each such loop also
    have a greatest number of turns. Then `counts` tells you which examples have failed.

    Predict: 2 and 30 are done after a few turns. Do the forty turns for −1 change their
    results?
    """

    def root(x):
        def goes_on(state):
            y, count = state
            return ~is_near(y, x) & (count < most)

        def turn(state):
            y, count = state
            return nearer(y, x), count + 1

        return jax.lax.while_loop(goes_on, turn, (x, 0))

    x = jnp.array(numbers)
    y, counts = jax.vmap(root)(x)
    roots = y[counts < most]
    return counts, roots


def check_those_that_end_are_right():
    """They do not: the roots are right, and only −1 has used all its turns."""
    counts, roots = a_batch_waits_for_the_worst((0.25, -3.0, 50.0), 30)
    assert counts[1] == 30
    for x, count in ((0.25, counts[0]), (50.0, counts[2])):
        y, expected = x, 0
        while abs(y * y - x) > 1e-6 * x:
            y, expected = (y + x / y) / 2, expected + 1
        assert count == expected
    np.testing.assert_allclose(roots, [0.5, 50**0.5], rtol=1e-6)


def one_step_after_the_loop(x=2.0):
    """One more Newton step after a `while_loop` brings its slope back.

    The loop finds the root y. `jax.lax.stop_gradient` tells `jax.grad` to take what it
    is given for a constant, so `jax.grad` leaves the loop alone. Then `nearer` makes
    one more step, with the real x. If y is fixed, the slope of (y + x / y) / 2 is
    1 / (2y), by calculus, and that is the slope of the root.

    It works for a step that, at the root, does not depend on y: Newton's step is such a
    step. And it works only once, as the last line shows. For slopes of slopes, and for
    other loops, write a rule of your own: a later lesson, transformations, has one.

    Predict: the slope of the slope of √x at 2 is −0.088. What comes out?
    """

    def loop(x):
        return jax.lax.while_loop(
            lambda y: ~is_near(y, x),
            lambda y: nearer(y, x),
            x,
        )

    def root(x):
        y = loop(jax.lax.stop_gradient(x))
        return nearer(y, x)

    try:
        jax.grad(loop)(x)
    except ValueError as error:
        refused = error
    y = root(x)
    slope = jax.grad(root)(x)
    wrong = jax.grad(jax.grad(root))(x)
    return refused, y, slope, wrong


def check_the_slope_is_right_once():
    """The slope is 1 / (2√x), and right; the slope of the slope is 0, and wrong."""
    x = 30.0
    refused, y, slope, wrong = one_step_after_the_loop(x)
    assert "while_loop" in str(refused)
    np.testing.assert_allclose(y, x**0.5, rtol=1e-6)
    np.testing.assert_allclose(slope, 0.5 * x**-0.5, rtol=1e-6)
    assert wrong == 0


def three_sines(x, _):
    """A turn that takes three sines."""
    return jnp.sin(jnp.sin(jnp.sin(x))), None


def kept_for_the_way_back(f, x):
    """The shapes of what JAX keeps of f for the way back."""

    def leaves(x):
        _, pull = jax.vjp(f, x)
        return jax.tree.leaves(pull)

    return [leaf.shape for leaf in jax.eval_shape(leaves, x)]


def checkpoint_in_a_scan(turns=100, size=1000):
    """`jax.checkpoint` around the body of a scan keeps only the carry of each turn.

    To find a slope, JAX goes back through the turns, and needs numbers from the way
    forward. It keeps them for each turn: here an array of 1000 numbers for each of the
    three sines. `jax.checkpoint`, known from derivatives, keeps only the input of a
    function, and computes the rest again on the way back.

    `jax.vjp`, known from derivatives, too, gives the value and a function for the way
    back. The arrays that this function holds, its leaves, are what is kept.
    `kept_for_the_way_back` lists their shapes. As only shapes are wanted,
    `jax.eval_shape` is enough.

    Predict: the first list has three shapes of (100, 1000). What is the second?
    """

    def plain(x):
        y, _ = jax.lax.scan(three_sines, x, length=turns)
        return jnp.sum(y)

    def lean(x):
        body = jax.checkpoint(three_sines)
        y, _ = jax.lax.scan(body, x, length=turns)
        return jnp.sum(y)

    x = jnp.linspace(0, 1, size)
    much = kept_for_the_way_back(plain, x)
    less = kept_for_the_way_back(lean, x)
    slope = jax.jit(jax.grad(lean))(x)
    return much, less, slope


def check_three_arrays_a_turn_or_one():
    """One array of (100, 1000): the carry of each turn. The slope is right."""
    turns, size = 7, 5
    much, less, slope = checkpoint_in_a_scan(turns, size)
    assert much == [(turns, size)] * 3
    assert less == [(turns, size)]
    x, expected = np.linspace(0, 1, size), np.ones(size)
    for _ in range(3 * turns):
        expected *= np.cos(x)
        x = np.sin(x)
    np.testing.assert_allclose(slope, expected, rtol=1e-5)


def checkpoint_by_segments(segments=10, turns=10, size=1000):
    """A scan of scans with `jax.checkpoint` keeps only where each segment starts.

    Cut the 100 turns into 10 segments of 10 turns. The outer scan goes through the
    segments, the inner one through the turns of a segment. `jax.checkpoint` stands
    around a whole segment, so 10 starts are kept. On the way back one segment at a time
    is computed again, and its 10 turns need three arrays each. This makes about 40
    arrays, of 4000 bytes each, and not 300. The price is to compute each segment twice.

    `explain` tells how many bytes of temporary memory a compiled function needs. The 40
    arrays are 160,000 bytes, and 300 would be 1,200,000.
    """

    def segment(x, _):
        return jax.lax.scan(three_sines, x, length=turns)

    def by_segments(x):
        body = jax.checkpoint(segment)
        y, _ = jax.lax.scan(body, x, length=segments)
        return jnp.sum(y)

    x = jnp.linspace(0, 1, size)
    kept = kept_for_the_way_back(by_segments, x)
    needed = explain(jax.grad(by_segments), x).temp_bytes
    less_than_a_quarter = needed < 300 * 4000 / 4
    return kept, less_than_a_quarter


def check_one_array_a_segment():
    """Less than a quarter of the 300 arrays; one array a segment is kept."""
    kept, less_than_a_quarter = checkpoint_by_segments(segments=12)
    assert kept == [(12, 1000)]
    assert less_than_a_quarter


def a_key_for_each_turn(steps=100, seed=0):
    """A loop that draws random numbers needs a key for each turn.

    A random walk goes up or down by a random number at each turn. Make one key for each
    turn with `jax.random.split(key, steps)`, and give the keys to the scan as its
    inputs.

    Predict: `one_key` uses the same key in all turns. What does that walk look like?
    """
    import matplotlib.pyplot as plt

    key = jax.random.key(seed)

    def one_key(height, _):
        height = height + jax.random.normal(key)
        return height, height

    def own_key(height, key):
        height = height + jax.random.normal(key)
        return height, height

    keys = jax.random.split(key, steps)
    _, wrong = jax.lax.scan(one_key, 0.0, length=steps)
    _, right = jax.lax.scan(own_key, 0.0, keys)

    _, axes = plt.subplots()
    axes.plot(wrong, label="one key")
    axes.plot(right, label="a key for each turn")
    axes.set(xlabel="turn", ylabel="height", title="Two random walks")
    axes.legend()
    return wrong, right, axes


def check_one_key_walks_straight():
    """A straight line, for each turn draws the same number; own keys walk at random."""
    wrong, right, axes = a_key_for_each_turn(seed=7)
    drawn = [line.get_ydata() for line in axes.lines]
    np.testing.assert_array_equal(drawn, [wrong, right])
    # a hundred roundings of float32
    np.testing.assert_allclose(wrong, wrong[0] * np.arange(1, 101), rtol=1e-4)
    step = np.diff(right, prepend=0)
    assert len(set(step.tolist())) > 95
    assert abs(np.std(step) - 1) < 0.4


def noise_levels(turns):
    """The variance of the noise of each turn: more and more."""
    return jnp.linspace(0.001, 0.2, turns)


def data_become_noise(mean=3.0, deviation=0.5, turns=100):
    """Many small turns of noise drown the data.

    A *diffusion model* makes pictures out of noise. To see how, we first go the
    opposite way, which is easy: from data to noise. The data are numbers with mean
    3 and standard deviation 0.5. Each turn makes them a little smaller, √(1 − beta)
    times as large, and adds a little noise of variance beta. So a variance of 1 would
    stay (1 − beta)·1 + beta = 1, and any other comes nearer to 1 at each turn.

    The product of all 1 − beta up to a turn is called `kept`: the share of the data's
    variance that is left. The mean is then √kept times 3, and the variance is
    kept·0.5² + 1 − kept.

    The inputs of the scan are a tuple: a beta and a key for each turn. The outputs are
    a tuple, too: the mean and the standard deviation after each turn.
    """
    import matplotlib.pyplot as plt

    key_data, key_noise = jax.random.split(jax.random.key(0))
    x = mean + deviation * jax.random.normal(key_data, (100_000,))
    keys = jax.random.split(key_noise, turns)

    def turn(x, inputs):
        beta, key = inputs
        noise = jax.random.normal(key, x.shape)
        x = jnp.sqrt(1 - beta) * x + jnp.sqrt(beta) * noise
        return x, (jnp.mean(x), jnp.std(x))

    betas = noise_levels(turns)
    _, (means, deviations) = jax.lax.scan(turn, x, (betas, keys))

    _, axes = plt.subplots()
    axes.plot(means, label="mean")
    axes.plot(deviations, label="standard deviation")
    axes.set(xlabel="turn", title="Data become noise")
    axes.legend()
    return means, deviations, axes


def check_mean_goes_to_zero_and_deviation_to_one():
    """The mean goes from 3 to 0, the deviation from 0.5 to 1, as the formulas say."""
    means, deviations, axes = data_become_noise(-2.0, 1.5)
    drawn = [line.get_ydata() for line in axes.lines]
    np.testing.assert_array_equal(drawn, [means, deviations])
    kept = np.cumprod(1 - np.linspace(0.001, 0.2, 100))
    expected = [-2 * np.sqrt(kept), np.sqrt(1 + 1.25 * kept)]
    # Blunt: the mean and the deviation of 100,000 random numbers err by thousandths
    np.testing.assert_allclose([means, deviations], expected, atol=0.02)


def score(x, kept, mean, deviation):
    """Points to where the numbers at this turn are more frequent."""
    center = jnp.sqrt(kept) * mean
    variance = kept * deviation**2 + 1 - kept
    return (center - x) / variance


def noise_becomes_data(mean=3.0, deviation=0.5, turns=100):
    """A diffusion model goes the same way back, and makes data out of noise.

    It begins with noise alone. At each turn it moves every x a little to where the
    numbers were more frequent on the way there, at that turn. This direction is called
    the *score*: the slope of the logarithm of the density. A real model has a network
    that has learned the score from data. Of our data we know the mean and the variance
    at each turn, from the last demo, so we can write `score` down: it is positive left
    of the center, and negative right of it.

    With `reverse=True` the first turn has the last beta. After each move, fresh noise
    is added. Without it, the numbers would all end near the mean. The picture shows 20
    of the 100,000 numbers on their way.

    So a whole sampler is one compiled loop. The next lesson, pytrees, is about the
    tuples and dicts that went through these loops.
    """
    import matplotlib.pyplot as plt

    key_start, key_noise = jax.random.split(jax.random.key(1))
    start = jax.random.normal(key_start, (100_000,))
    keys = jax.random.split(key_noise, turns)
    betas = noise_levels(turns)
    kept = jnp.cumprod(1 - betas)

    def turn_back(x, inputs):
        beta, kept, key = inputs
        move = beta * score(x, kept, mean, deviation)
        x = (x + move) / jnp.sqrt(1 - beta)
        noise = jax.random.normal(key, x.shape)
        x = x + jnp.sqrt(beta) * noise
        return x, x[:20]

    inputs = (betas, kept, keys)
    x, paths = jax.lax.scan(turn_back, start, inputs, reverse=True)
    mean_of_x = jnp.mean(x)
    deviation_of_x = jnp.std(x)

    _, axes = plt.subplots()
    axes.plot(paths[::-1], linewidth=0.5)
    axes.set(xlabel="turn", ylabel="x", title="Noise becomes data")
    return mean_of_x, deviation_of_x, paths, axes


def check_noise_ends_as_the_data():
    """The noise ends with the data's mean and standard deviation, within 2 %."""
    mean_of_x, deviation_of_x, paths, axes = noise_becomes_data(mean=-2.0)
    betas = np.linspace(0.2, 0.001, 100)
    m, v, left = 0, 1, np.prod(1 - betas)
    for beta in betas:  # what each turn does to the mean and to the variance
        center, variance = -2 * left**0.5, left / 4 + 1 - left
        m = (m + beta * (center - m) / variance) / (1 - beta) ** 0.5
        v = v * (1 - beta / variance) ** 2 / (1 - beta) + beta
        left = left / (1 - beta)
    assert abs(m / -2 - 1) < 0.02
    assert abs(v**0.5 / 0.5 - 1) < 0.02
    # Blunt: the mean and the deviation of 100,000 random numbers err by thousandths
    np.testing.assert_allclose([mean_of_x, deviation_of_x], [m, v**0.5], rtol=6e-3)
    drawn = [line.get_ydata() for line in axes.lines]
    np.testing.assert_array_equal(drawn, paths[::-1].T)
    assert abs(np.mean(paths[0]) + 2) < 0.5
