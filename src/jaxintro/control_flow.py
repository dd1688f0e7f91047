"""Control flow: branches and loops as parts of a compiled program.

The lesson shapes_and_branches showed how to get an `if` or a loop into a compiled
program. Here you learn to use them well: a choice among many, what a loop carries from
turn to turn, sequences of different lengths, loops in parallel, and what a slope
through a loop costs. In the end, a diffusion model makes data out of noise, in one
loop. Read first: shapes_and_branches, vmap and derivatives. (The last three sections
also need a little statistics: the mean, the variance, and the bell curve.)
"""

import io
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
    `unknown`, which gives nan. It stands behind the three, at place 3. `jnp.where` puts
    3 in place of each number that is not 0, 1 or 2.

    Predict: there are three functions. What do you get for −1, and for 7?
    """
    functions = [jax.nn.relu, jnp.tanh, jnp.sin]
    below = jax.lax.switch(-1, functions, x)
    above = jax.lax.switch(7, functions, x)

    def unknown(x):
        return jnp.nan * x

    @jax.jit
    def activate(number, x):
        known = (number >= 0) & (number < len(functions))
        number = jnp.where(known, number, len(functions))
        return jax.lax.switch(number, [*functions, unknown], x)

    cured_below = activate(-1, x)
    cured_above = activate(7, x)
    return below, above, cured_below, cured_above


def check_the_nearest_function_is_taken():
    """−1 takes the first function and 7 the last, silently; the cure gives nan."""
    below, above, *cured = switch_has_no_index_error(1.2)
    np.testing.assert_allclose([below, above], [1.2, np.sin(1.2)], rtol=1e-6)
    assert np.isnan(cured).all()


def select_chooses_among_many(weights=(0.5, 3.0, 12.0, 40.0)):
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
    weights = (0.5, 40.0, 20.0, 5.0, 1.0)
    expected = []
    for kg in weights:
        price = 2 if kg <= 1 else 6 if kg <= 5 else 9 if kg <= 20 else np.nan
        expected.append(price)
    np.testing.assert_array_equal(select_chooses_among_many(weights), expected)


def lax_select_is_strict(numbers=(-1.0, 2.0, 3.0)):
    """`jax.lax.select` is a strict `jnp.where`: both values must be of one type.

    You will meet `jax.lax.select` in other people's code. The two values that it
    chooses from must have the same shape and dtype. It stretches neither to an array,
    and it does not turn an integer into a float. Zeros of the shape and the dtype of x
    are `jnp.zeros_like(x)`. (The condition has that shape too, or is a single yes or
    no. The messages name the value for no first.)
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
    """A single 0.0 and zeros that are integers are refused; `zeros_like(x)` is not."""
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
    a test of its own. `jax.lax.map(f, x)` takes one example after the other. This can
    save time if one branch is expensive and rarely needed. (With `batch_size=2` it
    takes two at a time, by `jax.vmap`, and the choice is lost again.) `jax.jit` makes
    one program of the batch, as `jax.lax.map` does by itself. `jax.effects_barrier`
    waits until everything is printed. (Under `jax.vmap`, the order of the lines may
    change.)

    Predict: there are two examples. How many lines does each of the two ways print?
    """
    x = jnp.array(numbers)
    at_once = jax.jit(jax.vmap(root_or_zero))(x)
    jax.effects_barrier()
    one_by_one = jax.lax.map(root_or_zero, x)
    jax.effects_barrier()
    return at_once, one_by_one


def check_only_map_runs_one_branch_each():
    """Four lines for two examples under `jax.vmap`, two lines by `jax.lax.map`."""
    numbers = (-3.0, 6.25)
    with redirect_stdout(io.StringIO()) as printed:
        results = map_keeps_the_choice(numbers)
    np.testing.assert_allclose(results, [[0, 2.5]] * 2, rtol=1e-6)
    lines = printed.getvalue().splitlines()
    both = sorted(f"{name} {x}" for name in ("root of", "zero for") for x in numbers)
    assert sorted(lines[:4]) == both
    assert lines[4:] == ["zero for -3.0", "root of 6.25"]


def the_body_is_traced_without_jit(amounts=(100.0, -30.0, 50.0)):
    """JAX traces the body of a loop, also where you compile nothing.

    The function that makes one turn is called the *body* of the loop. `jax.lax.scan`
    and the other loops trace it, and compile the loop. The same holds for the branches
    of a `cond`. So the rules of shapes_and_branches hold inside: there is no `jax.jit`
    here, and yet an `if` is refused. (The next section shows how to switch this off.)
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
    amounts = (-1.0, 2.5, -3.0, 4.0)
    refused, totals = the_body_is_traced_without_jit(amounts)
    assert type(refused).__name__ == "TracerBoolConversionError"
    np.testing.assert_allclose(totals, [0, 2.5, 2.5, 6.5], rtol=1e-6)


def a_loop_in_slow_motion(amounts=(100.0, 20.0, 50.0)):
    """`jax.disable_jit` turns a loop of JAX into a loop of Python, for debugging.

    You know `with jax.disable_jit():` from jit: Python runs each operation with
    numbers. It works for `jax.lax.scan` and the other loops, too. So the body can be
    looked at with `print`, or with a debugger. (Under `jax.vmap` and `jax.grad`, you
    still see tracers.)
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
    each time that it runs, and so does `lambda`. So for JAX, the loop in `total` below
    is a new one in each call: it is traced, which runs the body in Python, and then
    compiled. The cure is to compile the function around the loop. (Another cure is to
    define `add` outside `total`, so that it is the same function in each call.) The
    race shows what the compiling costs.

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

    race({"total": total, "compiled": compiled}, xs, seconds=0.1)
    return anew, once


def check_the_body_runs_in_each_call_or_once():
    """It runs the body in each call of `total`, and once for all of `compiled`."""
    with redirect_stdout(io.StringIO()):
        assert a_new_body_is_a_new_loop(5) == (5, 1)


def carry_of_several_things(rates=(0.1, 0.2, 0.3), deposits=(50.0, 0.0, 20.0)):
    """The carry, the inputs and the outputs of a scan may each be a pytree.

    `jax.lax.scan(body, carry, xs)` calls `body(carry, x)` for each x, and the body
    returns the new carry and an output. A loop often has to remember several things, so
    the carry may be a tuple or a dict. The inputs may be a dict of arrays, too: each
    turn gets a dict with one entry of each array (a row, if the array is a table). So
    the arrays must be equally long.
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
    rates, deposits = (0.1, 0.5, 0.2), (50.0, -20.0, 7.0)
    account, balances = carry_of_several_things(rates, deposits)
    balance, earned, expected = 100, 0, []
    for rate, deposit in zip(rates, deposits, strict=True):
        earned += balance * rate
        balance += balance * rate + deposit
        expected.append(balance)
    np.testing.assert_allclose(balances, expected, rtol=1e-6)
    np.testing.assert_allclose(account["balance"], balance, rtol=1e-6)
    np.testing.assert_allclose(account["earned"], earned, rtol=1e-6)


def a_start_of_zero(numbers=(1.5, 2.0)):
    """A start of 0 becomes a float where a turn gives floats; an int array does not.

    The carry must come out of each turn with the shape and dtype that it had. The
    Python number 0 is weakly typed, as you know from jit. So JAX traces the body with
    an integer, sees a float come out, and traces the body again with a float. An array
    that was made with a dtype is not weakly typed. Such a start is refused: this is the
    third and last run of `add`.
    """
    x = jnp.array(numbers)

    def add(total, x):
        return total + x, None

    total, _ = jax.lax.scan(add, 0, x)
    try:
        jax.lax.scan(add, jnp.zeros((), dtype=int), x)
    except TypeError as error:
        refused = error
    return total, refused


def check_only_the_python_number_adapts():
    """From 0 the total is a float32; the array of integers is a TypeError."""
    numbers = (0.25, -3.0, 1.0)
    total, refused = a_start_of_zero(numbers)
    assert str(total.dtype) == "float32"
    np.testing.assert_allclose(total, sum(numbers), rtol=1e-6)
    assert isinstance(refused, TypeError)
    assert "dtypes do not match" in str(refused)


def values_from_outside(w=2.0, turns=3):
    """A body may read values from outside.

    What stays the same in all turns needs no place in the carry. The body simply uses
    it, here the number w. A function that uses a variable of the function around it is
    said to *close over* it. With `length=turns` the scan makes so many turns and has no
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
    w, turns = -1.5, 4
    y, slope = values_from_outside(w, turns)
    np.testing.assert_allclose(y, w**turns, rtol=1e-6)
    np.testing.assert_allclose(slope, turns * w ** (turns - 1), rtol=1e-6)


def a_mask_beside_the_outputs(degrees=(12.0, 15.0, 11.0, 18.0, 16.0)):
    """A scan cannot append in some turns only; a mask says which turns count.

    You look for the days that were warmer than all days before. In Python you would
    call `append` on those days only. A scan cannot give an output in some turns and
    none in others, because the length of the result must be known. So give a yes or a
    no for each day. Outside the compiled function the mask has values, and
    `degrees[is_record]` works as in NumPy. The carry is the highest value so far. It
    starts with minus infinity.
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
    rewards = (2.0, -1.0, 5.0)
    worths = from_the_last_to_the_first(rewards)
    expected = [2 - 0.9 + 0.81 * 5, -1 + 0.9 * 5, 5]
    np.testing.assert_allclose(worths, expected, rtol=1e-6)


def padded_sequences(
    padded=((4.0, 2.0, 1.0), (8.0, 0.0, 0.0), (2.0, 6.0, 0.0)), lengths=(3, 1, 2)
):
    """Sequences of different lengths: pad them, and let a mask keep the carry.

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


def a_few_turns_at_a_time(n=100_000):
    """With `unroll=4`, the compiled scan does four turns in one.

    shapes_and_branches has shown that a short loop can be faster if it is unrolled:
    written out, turn by turn. `unroll=4` is a middle way. The jaxpr still has the body
    once, and notes `unroll=4`. From it JAX makes a loop of 25 turns, each of which does
    the body four times. What is gained depends on the body and on the machine, so race
    it.
    """

    def hundred_turns(x, unroll):
        def turn(x, _):
            return 0.5 * x + 1, None

        y, _ = jax.lax.scan(turn, x, length=100, unroll=unroll)
        return y

    x = jnp.zeros(n)
    jaxpr = jax.make_jaxpr(partial(hundred_turns, unroll=4))(x)

    one = jax.jit(partial(hundred_turns, unroll=1))
    four = jax.jit(partial(hundred_turns, unroll=4))
    race({"unroll=1": one, "unroll=4": four}, x, seconds=0.1)
    y = four(x)
    return jaxpr, y


def check_the_body_is_written_once():
    """The jaxpr has one product and `unroll=4`; the hundred turns bring 0 to 2."""
    jaxpr, y = a_few_turns_at_a_time(1000)
    assert str(jaxpr).count(" mul ") == 1
    assert "unroll=4" in str(jaxpr)
    np.testing.assert_allclose(y, np.full(1000, 2.0), rtol=1e-6)


def totals_in_few_rounds(n=16):
    """`jax.lax.associative_scan` computes running totals in a few rounds.

    A loop adds one number after the other. But many hands can add pairs at the same
    time: first the 8 pairs of neighbours, then the 4 pairs of these sums, then 2, then
    1. Call each of these steps a *round*. Now the totals of the first 2, 4, 8 and 16
    numbers are known. As many rounds again go back and fill in the totals in between.
    Between 8 and 16 nothing is missing at first; then the total of 12 is filled in,
    then those of 6, 10 and 14, and then the seven odd ones, from 3 to 15.

    This is what `jax.lax.associative_scan(add, x)` does. It calls `add` once for each
    round, with arrays, to add many pairs at once. `pairs` notes how many. In all there
    are more additions: here 26, and not 15. So it is not always faster than a scan:
    race the two.

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
    print(len(pairs), "calls:", pairs)
    return totals, pairs


def check_few_calls_give_all_totals():
    """8 calls: four add 8, 4, 2 and 1 pairs, and four fill in 0, 1, 3 and 7 totals."""
    for n, logarithm in ((8, 3), (16, 4)):
        with redirect_stdout(io.StringIO()):
            totals, pairs = totals_in_few_rounds(n)
        np.testing.assert_array_equal(totals, np.cumsum(np.arange(n)))
        halves = [n // 2**k for k in range(1, logarithm + 1)]
        assert pairs == [*halves, *[half - 1 for half in reversed(halves)]]


def brackets_must_not_matter(numbers=(10.0, 1.0, 2.0, 3.0)):
    """The operation must be *associative*: brackets must not change the result.

    `jax.lax.associative_scan` puts the brackets as it likes. For a sum they do not
    matter: (a + b) + c = a + (b + c). (In floats, the last digits may change.) For a
    difference they do matter. The cure is to add the negatives instead.

    Predict: the running differences of 10, 1, 2, 3 are 10, 9, 7 and 4. Will you get
    them, an error, or other numbers?
    """

    @jax.jit
    def differences(x):
        return jax.lax.associative_scan(jnp.subtract, x)

    @jax.jit
    def sums(x):
        return jax.lax.associative_scan(jnp.add, x)

    x = jnp.array(numbers)
    wrong = differences(x)
    negated = x.at[1:].multiply(-1)
    right = sums(negated)
    return wrong, right


def check_differences_come_out_wrong():
    """No error, but the last is (a − b) − (c − d); adding the negatives is right."""
    a, b, c, d = numbers = (0.5, 4.0, -2.0, 7.0)
    wrong, right = brackets_must_not_matter(numbers)
    np.testing.assert_allclose(wrong, [a, a - b, a - b - c, (a - b) - (c - d)])
    np.testing.assert_allclose(right, [a, a - b, a - b - c, a - b - c - d])


def a_memory_in_few_rounds(factors=(0.5, 0.9, 0.2), additions=(4.0, 2.0, 1.0)):
    """Turns of the form a·h + b can be joined, so they too need few rounds only.

    Some networks for long sequences have a memory h that becomes a·h + b at each turn.
    The turn "times 0.5, plus 4" and then the turn "times 0.9, plus 2" are together one
    turn: "times 0.45, plus 5.6". For 0.9·(0.5·h + 4) + 2 is 0.45·h + 5.6. `join` makes
    one turn of two, in this way. It is associative: of three turns in a row, you may
    first join the left two or the right two.

    So `jax.lax.associative_scan` can join turns 1 and 2, and turns 1 to 3. It gives
    `join` arrays, with many turns in each, so `join` must work number by number. The
    memory h is 0 at the start, so what is left of a·h + b is b. The loop in plain
    Python, for comparison, takes one turn after the other.
    """

    def join(first, second):
        a = second[0] * first[0]
        b = second[0] * first[1] + second[1]
        return a, b

    two_in_one = join((0.5, 4.0), (0.9, 2.0))

    turns = (jnp.array(factors), jnp.array(additions))
    a, b = jax.lax.associative_scan(join, turns)

    h = 0.0
    by_loop = []
    for factor, addition in zip(factors, additions, strict=True):
        h = factor * h + addition
        by_loop.append(h)
    return two_in_one, a, b, by_loop


def check_memories_are_those_of_a_loop():
    """The b of the joined turns are the memories of the loop; a is the product."""
    factors, additions = (-2.0, 3.0, 0.7), (0.5, 0.25, -1.0)
    two_in_one, a, b, by_loop = a_memory_in_few_rounds(factors, additions)
    np.testing.assert_allclose(two_in_one, [0.45, 5.6])
    expected = [0.5, 3 * 0.5 + 0.25, 0.7 * (3 * 0.5 + 0.25) - 1]
    np.testing.assert_allclose(by_loop, expected)
    np.testing.assert_allclose(b, expected, rtol=1e-6)
    np.testing.assert_allclose(a, np.cumprod(factors), rtol=1e-6)


def is_near(y, x):
    """Whether the square of y is x, to within a millionth."""
    return jnp.abs(y * y - x) <= 1e-6 * x


def nearer(y, x):
    """A step of Newton's method: a y nearer to the root of x."""
    return (y + x / y) / 2


def stop_early_or_pass_on(x=2.0, most=6):
    """A scan cannot stop early, but its body can pass the carry on.

    To find the root of x, repeat `nearer` until `is_near`. A `jax.lax.while_loop` would
    stop then. `jax.lax.scan` always makes all turns, here six. With a `jax.lax.cond` in
    its body, a turn that is not needed hands y on as it is. You gain two things: the
    outputs are the whole path, and `jax.grad` works, which does not go back through a
    `jax.lax.while_loop`. (Take care at x = 1. There the path begins at the root and no
    step is made, so the slope comes out as 1, and should be ½.)
    """

    def path(x):
        def turn(y, _):
            y = jax.lax.cond(
                is_near(y, x),
                lambda y: y,
                lambda y: nearer(y, x),
                y,
            )
            return y, y

        return jax.lax.scan(turn, x, length=most)

    _, outputs = path(x)
    slope = jax.grad(lambda x: path(x)[0])(x)
    return outputs, slope


def check_the_path_stays_at_the_root():
    """From 2 and from 30 the path stays near the root, and has the slope 1 / (2√x)."""
    for x, most in ((2.0, 6), (30.0, 10)):
        outputs, slope = stop_early_or_pass_on(x, most)
        h, expected = x, []
        for _ in range(most):
            if abs(h * h - x) > 1e-6 * x:
                h = (h + x / h) / 2
            expected.append(h)
        np.testing.assert_allclose(outputs, expected, rtol=1e-6)
        np.testing.assert_allclose(h, x**0.5, rtol=1e-6)
        # near the root, the slope of the path still errs a little
        np.testing.assert_allclose(slope, 0.5 * x**-0.5, rtol=2e-5)


def a_batch_waits_for_the_worst(numbers=(2.0, 30.0, -1.0), most=40):
    """One example that never ends would hold its whole batch.

    Under `jax.vmap` a `while_loop` turns until the last example is done, as vmap has
    shown. A negative number has no root, so its loop would run for ever, and you would
    wait without a message. So also limit the number of turns in the test of such a
    loop. Where `counts` is less than the limit, the loop has ended by itself.

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


def root_by_a_loop(x):
    """The root of x, found by a `while_loop`."""
    return jax.lax.while_loop(
        lambda y: ~is_near(y, x),
        lambda y: nearer(y, x),
        x,
    )


def one_step_after_the_loop(x=2.0):
    """One more Newton step after a `while_loop` brings its slope back.

    `jax.grad` cannot go back through a `while_loop`. But `jax.lax.stop_gradient` tells
    it to take the root y that the loop has found for a constant, so it leaves the loop
    alone. Then `nearer` makes one more step, with the real x. If y is fixed, the slope
    of (y + x / y) / 2 is 1 / (2y), by calculus, and that is the slope of the root.

    This works for Newton's step because near the root, a small change of y hardly
    changes (y + x / y) / 2. So little is lost if y is taken for a constant. For other
    loops, write a rule of your own: a later lesson, transformations, has one.
    """

    def one_step(x):
        y = root_by_a_loop(jax.lax.stop_gradient(x))
        return nearer(y, x)

    root = one_step(x)
    slope = jax.grad(one_step)(x)
    return root, slope


def check_one_step_gives_the_slope():
    """The root is √x, and its slope is 1 / (2√x)."""
    for x in (30.0, 1.0):
        root, slope = one_step_after_the_loop(x)
        np.testing.assert_allclose(root, x**0.5, rtol=1e-6)
        np.testing.assert_allclose(slope, 0.5 * x**-0.5, rtol=1e-6)


def two_steps_for_the_second_slope(x=2.0):
    """For the slope of the slope, two steps after the loop are needed.

    After one step the slope is 1 / (2y). There y is a constant for JAX, so the slope of
    this slope is 0. It should be −1 / (4x√x), which is −0.088 at 2. With two steps, the
    y that goes into the last step is no constant: it comes from the first step, and has
    the right slope.
    """

    def one_step(x):
        y = root_by_a_loop(jax.lax.stop_gradient(x))
        return nearer(y, x)

    def two_steps(x):
        return nearer(one_step(x), x)

    wrong = jax.grad(jax.grad(one_step))(x)
    right = jax.grad(jax.grad(two_steps))(x)
    return wrong, right


def check_two_steps_give_the_slope_of_the_slope():
    """The slope of the slope is 0 by one step, and −1 / (4x√x) by two."""
    x = 30.0
    wrong, right = two_steps_for_the_second_slope(x)
    assert wrong == 0
    np.testing.assert_allclose(right, -0.25 * x**-1.5, rtol=1e-5)


def three_sines(x, _):
    """A turn that takes three sines."""
    return jnp.sin(jnp.sin(jnp.sin(x))), None


def checkpoint_in_a_scan(turns=100, size=1000):
    """`jax.checkpoint` around the body of a scan keeps less for the way back.

    To find a slope, JAX goes back through the turns, and needs numbers from the way
    forward. It keeps them for each turn: here an array of 1000 numbers, 4000 bytes, for
    each of the three sines. For 100 turns this makes 300 arrays, or 1,200,000 bytes.
    `jax.checkpoint`, known from derivatives, keeps only the input of a function, and
    computes the rest again on the way back. The input of a turn is its carry.

    You know `explain(f, x).temp_bytes` from vmap: the bytes of temporary memory that f
    needs when it is compiled.

    Predict: how many bytes are needed with `jax.checkpoint`, about?
    """

    def plain(x):
        y, _ = jax.lax.scan(three_sines, x, length=turns)
        return jnp.sum(y)

    def lean(x):
        body = jax.checkpoint(three_sines)
        y, _ = jax.lax.scan(body, x, length=turns)
        return jnp.sum(y)

    x = jnp.linspace(0, 1, size)
    much = explain(jax.grad(plain), x).temp_bytes
    less = explain(jax.grad(lean), x).temp_bytes
    about_a_third = 0.3 < less / much < 0.4
    return about_a_third


def check_three_arrays_a_turn_or_one():
    """About a third, 400,000: one array a turn is kept, and not three."""
    about_a_third = checkpoint_in_a_scan(turns=50, size=3000)
    assert about_a_third


def checkpoint_by_segments(segments=10, turns=10, size=1000):
    """A scan of scans with `jax.checkpoint` needs still less memory.

    Cut the 100 turns into 10 segments of 10 turns. The outer scan goes through the
    segments, the inner one through the turns of a segment. `jax.checkpoint` stands
    around a whole segment, so for the whole way only the 10 starts are kept. On the way
    back, one segment at a time is computed again, and its 10 turns need 30 arrays.
    Together these are 40 arrays of 4000 bytes, and not 300. The price is to compute
    each segment twice.
    """

    def segment(x, _):
        return jax.lax.scan(three_sines, x, length=turns)

    def plain(x):
        y, _ = jax.lax.scan(three_sines, x, length=segments * turns)
        return jnp.sum(y)

    def by_segments(x):
        body = jax.checkpoint(segment)
        y, _ = jax.lax.scan(body, x, length=segments)
        return jnp.sum(y)

    x = jnp.linspace(0, 1, size)
    much = explain(jax.grad(plain), x).temp_bytes
    least = explain(jax.grad(by_segments), x).temp_bytes
    less_than_a_quarter = least < much / 4
    return less_than_a_quarter


def check_a_quarter_would_be_too_much():
    """Less than a quarter of the 1,200,000 bytes is needed."""
    assert checkpoint_by_segments(segments=20, turns=5)


def a_key_for_each_turn(turns=30, seed=0):
    """A loop that draws random numbers needs a key for each turn.

    A random walk goes up or down by a random step at each turn. Make one key for each
    turn with `jax.random.split(key, turns)`, and give the keys to the scan as its
    inputs. (Or carry a key, and split it in each turn: one part is used, and the other
    is carried on.)

    Predict: `one_key` uses the same key in all turns. What do its steps look like?
    """
    import matplotlib.pyplot as plt

    key = jax.random.key(seed)

    def one_key(height, _):
        step = jax.random.normal(key)
        return height + step, step

    def own_key(height, key):
        step = jax.random.normal(key)
        return height + step, step

    keys = jax.random.split(key, turns)
    far, equal = jax.lax.scan(one_key, 0.0, length=turns)
    end, random = jax.lax.scan(own_key, 0.0, keys)

    _, axes = plt.subplots()
    axes.plot(equal, label="one key")
    axes.plot(random, label="a key for each turn")
    axes.set(xlabel="turn", ylabel="step", title="The steps of two walks")
    axes.legend()
    return far, equal, end, random, axes


def check_one_key_walks_straight():
    """With one key all steps are equal; with a key for each turn they differ."""
    far, equal, end, random, axes = a_key_for_each_turn(100, seed=7)
    drawn = [line.get_ydata() for line in axes.lines]
    np.testing.assert_array_equal(drawn, [equal, random])
    np.testing.assert_array_equal(equal, np.full(100, equal[0]))
    assert len(set(random.tolist())) > 95
    assert abs(np.std(random) - 1) < 0.4
    # a hundred roundings of float32
    np.testing.assert_allclose([far, end], [100 * equal[0], sum(random)], rtol=1e-4)


def noise_levels(turns):
    """The variance of the noise of each turn: more and more."""
    return jnp.linspace(0.001, 0.2, turns)


def data_become_noise(mean=3.0, deviation=0.5, turns=100):
    """Many small turns of noise drown the data.

    A *diffusion model* makes pictures out of noise. To see how, we first go the
    opposite way, which is easy: from data to noise. The data are numbers with mean
    3 and standard deviation 0.5. Each turn makes them a little smaller, √(1 − beta)
    times as large, and adds a little noise of variance beta.

    Two rules tell what becomes of the variance, the square of the standard deviation.
    Numbers that are c times as large have c² times the variance. And if you add
    independent noise, the variances are added. So a variance v becomes
    (1 − beta)·v + beta. What it lacks to 1 becomes 1 − beta times as large: each turn
    brings it nearer to 1.

    The product of all 1 − beta up to a turn is called `kept`: the share of the data's
    variance that is left. (`jnp.cumprod` gives the running product.) The last two lines
    compute from it what the mean and the standard deviation should be.

    The inputs of the scan are a tuple: a beta and a key for each turn. The outputs are
    a tuple, too: the mean and the standard deviation after each turn.
    """
    import matplotlib.pyplot as plt

    key_data, key_noise = jax.random.split(jax.random.key(0))
    x = mean + deviation * jax.random.normal(key_data, (20_000,))
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

    kept = jnp.cumprod(1 - betas)
    mean_by_rule = jnp.sqrt(kept) * mean
    deviation_by_rule = jnp.sqrt(kept * deviation**2 + 1 - kept)
    return means, deviations, axes, mean_by_rule, deviation_by_rule


def check_mean_goes_to_zero_and_deviation_to_one():
    """The mean goes from 3 to 0, the deviation from 0.5 to 1, as the two rules say."""
    means, deviations, axes, *by_rule = data_become_noise(-2.0, 1.5)
    drawn = [line.get_ydata() for line in axes.lines]
    np.testing.assert_array_equal(drawn, [means, deviations])
    kept = np.cumprod(1 - np.linspace(0.001, 0.2, 100))
    expected = [-2 * np.sqrt(kept), np.sqrt(1 + 1.25 * kept)]
    # a hundred roundings of float32
    np.testing.assert_allclose(by_rule, expected, rtol=1e-4)
    # Blunt: the mean and the deviation of 20,000 random numbers err by a percent
    np.testing.assert_allclose([means, deviations], expected, atol=0.03)


def score(x, kept, mean, deviation):
    """Points to where the numbers at this turn are more frequent."""
    center = jnp.sqrt(kept) * mean
    variance = kept * deviation**2 + 1 - kept
    return (center - x) / variance


def noise_can_be_guessed(beta=0.2, mean=3.0, deviation=0.5):
    """Where a number lies tells what noise to expect in it.

    The way back is to take the noise off again. Nobody knows it, but it can be guessed:
    a number far to the right of the others has probably got noise to the right.

    The guess needs the *score*: a number that is positive where there are more numbers
    to the right, and negative where there are more to the left. For a bell curve it is
    (center − x) / variance. (In general it is the slope of the logarithm of the
    density, which says how frequent numbers are at a place.) A real model has a network
    that has learned the score from data. Of our data we know the mean and the variance
    at each turn, so we can write `score` down.

    Here is one turn. `np.polyfit(s, noise, 1)` fits a straight line to the noise at
    each score s, and gives its slope and its height at 0. The slope is about −beta, and
    the height is about 0. So the guess of the noise is −beta·score. The picture shows
    300 of the numbers, and this guess.
    """
    import matplotlib.pyplot as plt

    key_data, key_noise = jax.random.split(jax.random.key(2))
    x = mean + deviation * jax.random.normal(key_data, (20_000,))
    noise = jnp.sqrt(beta) * jax.random.normal(key_noise, x.shape)
    x = jnp.sqrt(1 - beta) * x + noise

    s = score(x, 1 - beta, mean, deviation)
    line = np.polyfit(s, noise, 1)

    _, axes = plt.subplots()
    axes.plot(s[:300], noise[:300], ".", label="noise")
    axes.plot(s[:300], -beta * s[:300], label="guess")
    axes.set(xlabel="score", ylabel="noise", title="Noise and its guess")
    axes.legend()
    return line, axes


def check_the_noise_is_beta_times_the_score():
    """The line through the noise has about the slope −beta and the height 0."""
    for beta in (0.2, 0.5):
        line, axes = noise_can_be_guessed(beta, -1.0, 1.5)
        drawn, guess = axes.lines
        np.testing.assert_allclose(guess.get_ydata(), -beta * drawn.get_xdata(), 1e-6)
        rest = np.std(drawn.get_ydata() - guess.get_ydata())
        v = (1 - beta) * 1.5**2 + beta
        # Blunt: what is left of 300 random numbers errs by some percent
        np.testing.assert_allclose(rest, np.sqrt(beta - beta**2 / v), rtol=0.15)
        # Blunt: a line through 20,000 random numbers errs by a percent
        np.testing.assert_allclose(line, [-beta, 0], rtol=0.04, atol=0.02)


def noise_becomes_data(mean=3.0, deviation=0.5, turns=100):
    """A diffusion model goes back turn by turn, and makes data out of noise.

    It begins with noise alone. Each turn goes back over a turn of the way there. It
    takes off the guess of the noise: x + beta·score. Then it divides by √(1 − beta),
    because the way there had multiplied by it. The guess is a mean, and on the way
    there the numbers lay around it, so fresh noise is added. Without it, all numbers
    would end near the mean.

    With `reverse=True` the first turn has the last beta, and each output stands at its
    input. So the picture takes the outputs from the end, with `[::-1]`.

    Which loop should you take? If the turns do not need each other, `jax.vmap`, or
    `jax.lax.map` if memory is short. If the turns can be joined in any brackets,
    `jax.lax.associative_scan`. If you want an output at each turn, `jax.lax.scan`. If
    only the end counts, `jax.lax.fori_loop`. If the values say when to stop,
    `jax.lax.while_loop`, which has no slope by `jax.grad`.

    The next lesson, pytrees, is about the tuples and dicts that went through these
    loops.
    """
    import matplotlib.pyplot as plt

    key_start, key_noise = jax.random.split(jax.random.key(1))
    start = jax.random.normal(key_start, (20_000,))
    keys = jax.random.split(key_noise, turns)
    betas = noise_levels(turns)
    kept = jnp.cumprod(1 - betas)

    def turn_back(x, inputs):
        beta, kept, key = inputs
        x = x + beta * score(x, kept, mean, deviation)
        x = x / jnp.sqrt(1 - beta)
        noise = jax.random.normal(key, x.shape)
        x = x + jnp.sqrt(beta) * noise
        return x, (jnp.mean(x), jnp.std(x))

    inputs = (betas, kept, keys)
    _, (means, deviations) = jax.lax.scan(
        turn_back,
        start,
        inputs,
        reverse=True,
    )

    _, axes = plt.subplots()
    axes.plot(means[::-1], label="mean")
    axes.plot(deviations[::-1], label="standard deviation")
    axes.set(xlabel="turn", title="Noise becomes data")
    axes.legend()
    return means, deviations, axes


def check_noise_ends_as_the_data():
    """After 100 turns the noise has the data's mean and deviation, within 2 %."""
    means, deviations, axes = noise_becomes_data(mean=-2.0)
    betas = np.linspace(0.2, 0.001, 100)
    m, v, left, expected = 0, 1, np.prod(1 - betas), []
    for beta in betas:  # what each turn does to the mean and to the variance
        center, variance = -2 * left**0.5, left / 4 + 1 - left
        m = (m + beta * (center - m) / variance) / (1 - beta) ** 0.5
        v = v * (1 - beta / variance) ** 2 / (1 - beta) + beta
        left = left / (1 - beta)
        expected.append((m, v**0.5))
    # a hundred turns are not endlessly many: the formulas end near the data
    np.testing.assert_allclose(expected[-1], [-2, 0.5], rtol=0.02)
    drawn = np.array([line.get_ydata() for line in axes.lines])
    np.testing.assert_array_equal(drawn[:, ::-1], [means, deviations])
    # Blunt: the mean and the deviation of 20,000 random numbers err by a percent
    np.testing.assert_allclose(drawn.T, expected, atol=0.03)
