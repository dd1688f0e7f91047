"""Transformations: functions of functions, and how to write your own.

`jax.grad`, `jax.vmap` and `jax.jit` are ordinary programs: they follow the operations
of your function and do something with each. You can do so too, for the operations are
written in the jaxpr. After this lesson you can read a jaxpr in Python, run it, print
its steps, count in it and go through it backwards. You can build, in two ways, the
derivative that goes forwards: with dual numbers, and with a jaxpr. You can also give a
function a rule of your own, and test it. Read first: derivatives, vmap,
shapes_and_branches.
"""

import io
from contextlib import redirect_stdout
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal
from jax.test_util import check_grads

ORDER = 140


def wave(x):
    """A wave that fades away on both sides."""
    return jnp.exp(-x * x) * jnp.sin(3 * x)


def a_jaxpr_is_a_list_of_equations(x=0.5):
    """A jaxpr is an ordinary Python object, with a list of equations.

    `jax.make_jaxpr(wave)` traces `wave` and returns its program, the jaxpr. This is the
    door to transformations of your own. `program.eqns` is the list of the equations, in
    the order in which they run. Each has a *primitive*: one of the operations that JAX
    itself knows, and of which all others are made. `primitive.name` is the name that
    stands in the printed jaxpr.

    Predict: how many of the names are `mul`?
    """
    program = jax.make_jaxpr(wave)(x)
    names = [eqn.primitive.name for eqn in program.eqns]
    return names


def check_an_equation_for_each_operation_of_wave():
    """Each operation of `wave` is an equation: −, exp and sin once, × three times."""
    for x in (0.5, -2.0):
        names = a_jaxpr_is_a_list_of_equations(x)
        assert sorted(names) == ["exp", "mul", "mul", "mul", "neg", "sin"]
        assert names.index("neg") < names.index("exp")


def what_stands_in_an_equation(numbers=(1.0, 2.0, 3.0)):
    """An equation has a primitive, inputs and parameters.

    `invars` are the inputs. An input is a variable, or a `Literal`: a number that
    stands in the program itself, here the 4, with its value in `.val`. `params` is a
    dictionary with what else the primitive must know, such as the axes of a sum.
    (`out_sharding` is for arrays that lie on several devices.)

    The letters are given only when something is printed. So an equation that is printed
    alone begins at `a` again, as you see beside `product` and `total`.
    """
    program = jax.make_jaxpr(lambda x: jnp.sum(4 * x))(jnp.array(numbers))
    product, total = program.eqns
    literal = product.invars[0].val
    axes = total.params["axes"]
    return literal, axes


def check_the_four_is_a_literal():
    """The 4 is a literal, and the sum goes over axis 0."""
    for numbers in ((1.0, 2.0, 3.0), (0.5, -1.0)):
        literal, axes = what_stands_in_an_equation(numbers)
        assert literal == 4
        assert axes == (0,)


def variables_link_the_equations(numbers=(1.0, 2.0, 3.0)):
    """A variable has a type, but no value and no letter.

    No number has been computed yet. A variable only says the type of the array that
    will be there: `.aval.shape` and `.aval.dtype`. (`aval` is short for abstract
    value.)

    What links the equations are the variables themselves. `outvars` are the outputs of
    an equation. Where the second equation takes what the first gave, it holds the same
    Python object.
    """
    program = jax.make_jaxpr(lambda x: jnp.sum(4 * x))(jnp.array(numbers))
    product, total = program.eqns
    shape = product.outvars[0].aval.shape
    same_object = product.outvars[0] is total.invars[0]
    return shape, same_object


def check_the_equations_are_linked():
    """The product has the shape of x, and the sum takes the variable of the product."""
    for numbers in ((1.0, 2.0, 3.0), (0.5, -1.0)):
        shape, same_object = variables_link_the_equations(numbers)
        assert shape == (len(numbers),)
        assert same_object is True


def arrays_from_outside_are_constants(weights=(1.0, 10.0, 100.0)):
    """A JAX array from outside is a constant of the program that uses it.

    `scaled` uses the array `w`, which is not an argument. So there is a variable more,
    printed before the semicolon, and its value stands in `program.consts`. What
    `jax.make_jaxpr` returns is the bare jaxpr, which is `program.jaxpr`, together with
    these values. The variables of such constants are `program.jaxpr.constvars`, those
    of the arguments `program.jaxpr.invars`, and those of the results
    `program.jaxpr.outvars`.
    """
    w = jnp.array(weights)

    def scaled(x):
        return w * x

    program = jax.make_jaxpr(scaled)(w[0])
    constants = program.consts
    arguments = len(program.jaxpr.invars)
    variables = len(program.jaxpr.constvars)
    return constants, arguments, variables


def check_the_array_is_a_constant():
    """The program has one argument, and one constant, which holds the array."""
    for weights in ((1.0, 10.0, 100.0), (-0.5,)):
        constants, arguments, variables = arrays_from_outside_are_constants(weights)
        (constant,) = constants
        np.testing.assert_array_equal(constant, weights)
        assert (arguments, variables) == (1, 1)


def run(eqn, inputs):
    """Do what the equation says."""
    return eqn.primitive.bind(*inputs, **eqn.params)


def equations_run_by_hand(x=0.5):
    """One equation can be run by hand, with numbers for its inputs.

    `primitive.bind` does what the primitive says, with the inputs and the parameters.
    Here `run` does the first two equations of `wave`. What the first gives is an input
    of the second. (For a function such as `jax.nn.relu`, which has a rule of its own,
    `run` raises an error. A section near the end shows one.)
    """
    program = jax.make_jaxpr(wave)(x)
    minus_x = run(program.eqns[0], [x])
    exponent = run(program.eqns[1], [minus_x, x])
    return minus_x, exponent


def check_the_first_two_equations():
    """The first equation gives −x, and the second −x²."""
    for x in (0.5, -1.5):
        minus_x, exponent = equations_run_by_hand(x)
        assert minus_x == -x
        np.testing.assert_allclose(exponent, -x * x, rtol=1e-6)


def walk(program, args, step):
    """Go through a program; `step` says what each equation gives."""
    jaxpr = program.jaxpr
    values = {}

    def read(entry):
        if isinstance(entry, Literal):
            return entry.val
        return values[entry]

    values.update(zip(jaxpr.constvars, program.consts, strict=True))
    values.update(zip(jaxpr.invars, args, strict=True))
    for eqn in jaxpr.eqns:
        outputs = step(eqn, [read(entry) for entry in eqn.invars])
        if not eqn.primitive.multiple_results:
            outputs = [outputs]
        values.update(zip(eqn.outvars, outputs, strict=True))
    return [read(entry) for entry in jaxpr.outvars]


def an_interpreter_is_a_loop(x=0.5):
    """An interpreter runs a jaxpr, one equation after the other.

    `walk` is such an interpreter. It has a dictionary from variables to values. At
    first it holds the constants and the arguments. For each equation, `walk` reads the
    inputs, asks `step` for the outputs, and stores them. Some primitives, such as `jit`
    and `cond`, give a list of outputs, which is what `multiple_results` says; the
    others give one. `walk` takes the arguments as a flat list, and returns the results
    as one. (For a dict of parameters, hand it `jax.tree.leaves(params)`.)

    With `run` as its step, `walk` gives what `wave` gives. Sections below use `walk`
    with other steps. `Literal` is imported from `jax.extend.core`.
    """
    (y,) = walk(jax.make_jaxpr(wave)(x), [x], run)
    return y


def check_the_interpreter_runs_the_wave():
    """The interpreter gives e^(−x²)·sin 3x, as `wave` does."""
    for x in (0.5, -0.2, 1.3):
        expected = np.exp(-x * x) * np.sin(3 * x)
        np.testing.assert_allclose(an_interpreter_is_a_loop(x), expected, rtol=1e-5)


def jax_transforms_your_interpreter(x=0.5):
    """Your interpreter can itself be compiled, mapped and differentiated.

    `again` runs the program of `wave` with the interpreter. (To trace `wave`,
    `jax.make_jaxpr` needs only the type of x.) `bind` takes tracers as well as numbers:
    it hands each operation on to the transformation that is at work. Beside `again` you
    see what comes in.

    """

    def again(x):
        return walk(jax.make_jaxpr(wave)(x), [x], run)[0]

    compiled = jax.jit(again)(x)
    mapped = jax.vmap(again)(jnp.array([0.0, x]))
    slope = jax.grad(again)(x)
    return compiled, mapped, slope


def check_transformations_accept_the_interpreter():
    """All three do: the slope is e^(−x²)·(3 cos 3x − 2x sin 3x)."""
    for x in (0.5, -0.2):
        compiled, mapped, slope = jax_transforms_your_interpreter(x)
        y = np.exp(-x * x) * np.sin(3 * x)
        expected = np.exp(-x * x) * (3 * np.cos(3 * x) - 2 * x * np.sin(3 * x))
        np.testing.assert_allclose(compiled, y, rtol=1e-5)
        np.testing.assert_allclose(mapped, [0, y], rtol=1e-5)
        np.testing.assert_allclose(slope, expected, rtol=1e-5)


def print_each_step(x=2.0):
    """A step that also prints shows every number on the way.

    The result of `height` at 2 is nan, "not a number". Which operation made it? The
    step prints the name of each primitive and what it gave. Then it passes the value
    on. A transformation takes a function and returns a function: this is what `loud`
    does, and you can copy it.

    Predict: which of the operations −, ×, + and √ gives the first nan?
    """

    def loud(f):
        def step(eqn, inputs):
            output = run(eqn, inputs)
            print(eqn.primitive.name, output)
            return output

        def f_loud(x):
            return walk(jax.make_jaxpr(f)(x), [x], step)[0]

        return f_loud

    def height(x):
        return 1 + jnp.sqrt(1 - x * x)

    y = loud(height)(x)
    return y


def check_loud_gives_the_height():
    """The root of 1 − x² is nan at 2; inside the circle the height is 1 + √(1 − x²)."""
    for x in (0.6, -0.8, 0.0):
        expected = 1 + np.sqrt(1 - x * x)
        np.testing.assert_allclose(print_each_step(x), expected, rtol=1e-6)
    assert np.isnan(print_each_step(2.0))


def multiplications(f):
    """A function that counts the equations of f named `mul`."""

    def count(*args):
        program = jax.make_jaxpr(f)(*args)
        names = [eqn.primitive.name for eqn in program.eqns]
        return names.count("mul")

    return count


def count_before_you_run(many=1000):
    """A transformation need not compute anything; this one only counts.

    `multiplications` counts the equations of the jaxpr with the name `mul`. (So `x**2`,
    `x @ x` and a loop of JAX count 0: they are equations with other names.) The
    function runs once, on tracers, so that there is a jaxpr. Here is one polynomial, 1
    + x + x² + x³, written twice: term by term, and by the rule of Horner. The count
    works on transformed functions, too: the last line is for `jax.vmap` over a thousand
    numbers.

    Predict: Horner's rule has two multiplications. What is the count for a thousand
    numbers?
    """

    def by_powers(x):
        return 1 + x + x * x + x * x * x

    def by_horner(x):
        return 1 + x * (1 + x * (1 + x))

    of_powers = multiplications(by_powers)(0.5)
    of_horner = multiplications(by_horner)(0.5)
    mapped = multiplications(jax.vmap(by_horner))(jnp.ones(many))
    return of_powers, of_horner, mapped


def check_horner_multiplies_less():
    """Powers take 1 + 2 multiplications, and Horner takes two, mapped or not."""
    for many in (1000, 7):
        assert count_before_you_run(many) == (1 + 2, 2, 2)


def equations_can_hold_programs(x=2.0):
    """An equation can hold a whole program.

    Where your function calls a compiled one, its jaxpr has a single equation for that
    call, `jit`. What the compiled function does is a program in `params["jaxpr"]`.

    `multiplications_in` goes into each `jit`: it calls itself for the program that it
    finds there, which may hold further ones.

    Predict: `cube` multiplies twice. What does `multiplications` from above find in
    `compiled`?
    """

    def cube(x):
        return x * x * x

    compiled = jax.jit(cube)
    program = jax.make_jaxpr(compiled)(x)
    overlooked = multiplications(compiled)(x)

    def multiplications_in(program):
        total = 0
        for eqn in program.eqns:
            if eqn.primitive.name == "jit":
                total += multiplications_in(eqn.params["jaxpr"])
            if eqn.primitive.name == "mul":
                total += 1
        return total

    found = multiplications_in(program)
    return overlooked, found


def check_stepping_in_finds_them():
    """Without stepping in none is found, and with it both are."""
    assert equations_can_hold_programs() == (0, 2)
    assert equations_can_hold_programs(0.5) == (0, 2)


def halve_or_negate(x):
    """A half of what is positive, and minus what is not."""
    return jax.lax.cond(x > 0, lambda x: x / 2, lambda x: -x, x)


def pick(eqn, inputs):
    """Do what the equation says; of a `cond` walk into one branch."""
    if eqn.primitive.name != "cond":
        return run(eqn, inputs)
    index, *args = inputs
    branch = eqn.params["branches"][int(index)]
    return walk(branch, args, pick)


def step_into_a_branch(x=4.0):
    """A `cond` holds a program for each of its branches.

    They stand in `params["branches"]`. The first input of the equation is the number of
    the branch, and the others are passed to the branch. So the step `pick` finds the
    branch, and walks into it.

    Predict: in your code, the function for True comes first. Which branch has the
    number 0: `div`, which is for True, or `neg`?
    """
    program = jax.make_jaxpr(halve_or_negate)(x)
    (y,) = walk(program, [x], pick)
    return y


def check_a_branch_is_walked():
    """Branch 1 is for True, and halves a positive x; branch 0 negates any other."""
    for x in (4.0, -3.0):
        expected = x / 2 if x > 0 else -x
        np.testing.assert_allclose(step_into_a_branch(x), expected, rtol=1e-6)


def a_tracer_cannot_choose(x=4.0):
    """A tracer of `jax.jit` has no value by which to choose a branch.

    So `int(index)` in `pick` raises an error there, a ConcretizationTypeError, which is
    a kind of TypeError. Under `jax.grad` alone, the index has a value, and `pick`
    works.
    """

    def by_pick(x):
        return walk(jax.make_jaxpr(halve_or_negate)(x), [x], pick)[0]

    slope = jax.grad(by_pick)(x)
    try:
        jax.jit(by_pick)(x)
    except TypeError as error:
        refused = error
    return slope, refused


def check_only_jit_hides_the_index():
    """Under `jax.grad` the slope is ½ or −1, and under `jax.jit` there is an error."""
    for x in (4.0, -3.0):
        slope, refused = a_tracer_cannot_choose(x)
        np.testing.assert_allclose(slope, 0.5 if x > 0 else -1, rtol=1e-6)
        assert isinstance(refused, TypeError)
        assert "concrete value" in str(refused)


def a_choice_is_handed_back(x=4.0):
    """Under `jax.jit`, an interpreter can go into both branches.

    The plain `run` would do the `cond` as a whole, and no step of ours would see what
    is in its branches. The step `look` goes into both, and prints the name of each
    primitive. It does not choose. It hands the choice back to JAX, with a
    `jax.lax.cond` of its own, whose test may be 1 or 0 in place of True or False. JAX
    traces both `if_true` and `if_false`, and each of them walks through a branch.
    """

    def look(eqn, inputs):
        print(eqn.primitive.name)
        if eqn.primitive.name != "cond":
            return run(eqn, inputs)
        index, *args = inputs
        no, yes = eqn.params["branches"]

        def if_true(*args):
            return walk(yes, args, look)

        def if_false(*args):
            return walk(no, args, look)

        return jax.lax.cond(index, if_true, if_false, *args)

    def by_look(x):
        return walk(jax.make_jaxpr(halve_or_negate)(x), [x], look)[0]

    looked = jax.jit(by_look)(x)
    return looked


def check_branches_are_walked():
    """The step sees `div` and `neg`, and compiled, JAX takes the right one of them."""
    for x in (4.0, -3.0):
        with redirect_stdout(io.StringIO()) as printed:
            looked = a_choice_is_handed_back(x)
        assert {"cond", "div", "neg"} <= set(printed.getvalue().split())
        expected = x / 2 if x > 0 else -x
        np.testing.assert_allclose(looked, expected, rtol=1e-6)


def inverse(f):
    """The function that leads back from f(x) to x."""
    back = {
        "exp": jnp.log,
        "log": jnp.exp,
        "sin": jnp.arcsin,
        "tanh": jnp.arctanh,
        "neg": jnp.negative,
    }

    def f_back(y):
        program = jax.make_jaxpr(f)(y)
        for eqn in reversed(program.eqns):
            y = back[eqn.primitive.name](y)
        return y

    return f_back


def go_through_a_program_backwards(x=0.3):
    """A program that is a chain can be gone through backwards.

    `chain` does one thing after the other, each with one input. To lead back from the
    result, go through the equations from the last to the first, and for each do the
    opposite: a logarithm for an `exp`, and so on. `inverse` does this with the help of
    a table, `back`. What is not in the table is a KeyError. (`inverse` traces f with y,
    where f wants an x: for a trace, only the type counts.)

    Nothing checks that f is a chain. Where f also computes an `exp` that it does not
    use, `inverse` undoes the `exp` as well, and gives a wrong number without an error.
    So test a transformation with numbers. Here f and its inverse together must change
    nothing.
    """

    def chain(x):
        return jnp.exp(-jnp.tanh(jnp.sin(x)))

    y = chain(x)
    x_again = inverse(chain)(y)
    return y, x_again


def check_the_inverse_leads_back():
    """The inverse leads from e^(−tanh(sin x)) back to x."""
    for x in (0.3, -1.0, 1.2):
        y, x_again = go_through_a_program_backwards(x)
        np.testing.assert_allclose(y, np.exp(-np.tanh(np.sin(x))), rtol=1e-5)
        # 1e-4: near its top the sine is flat, and float32 has few digits there
        np.testing.assert_allclose(x_again, x, rtol=1e-4)


def a_wrong_way_back_raises_no_error():
    """Where a function takes a value at many places, its inverse picks one.

    The sine takes the same value at many places, and no function can lead back to all
    of them. `jnp.arcsin` picks the place between −π/2 and π/2. Nothing warns you.
    `jax.vmap` takes `inverse(jnp.sin)` to many points at once: where the two lines of
    the picture agree, it leads back to x.

    Predict: we go from x = 2 to sin 2 and back. Where do we arrive: at 2, above it, or
    below it?
    """
    import matplotlib.pyplot as plt

    there_and_back = inverse(jnp.sin)(jnp.sin(2.0))

    x = jnp.linspace(-4, 4, 41)
    back = jax.vmap(inverse(jnp.sin))(jnp.sin(x))
    _, axes = plt.subplots()
    axes.plot(x, back, label="from sin x back")
    axes.plot(x, x, label="x")
    axes.set(xlabel="x", title="There and back again")
    axes.legend()
    return there_and_back, axes


def check_the_way_back_is_a_zigzag():
    """From 2 we arrive at π − 2; only between −π/2 and π/2 do we come back to x."""
    there_and_back, axes = a_wrong_way_back_raises_no_error()
    np.testing.assert_allclose(there_and_back, np.pi - 2, rtol=1e-6)
    back, straight = axes.lines
    x = np.linspace(-4, 4, 41)
    np.testing.assert_allclose(straight.get_ydata(), x, atol=1e-6)
    zigzag = np.abs((x - np.pi / 2) % (2 * np.pi) - np.pi) - np.pi / 2
    # 1e-4: near its tops the sine is flat, and float32 has few digits there
    np.testing.assert_allclose(back.get_ydata(), zigzag, atol=1e-4)


def transformations_in_either_order(x=(0.5, 1.0, 1.5)):
    """Transformations can be combined, and often the order does not matter.

    Here `log_back` is made with our own transformation, and JAX takes it like any other
    function. To compile and then to map gives the same numbers as to map and then to
    compile. The same is true of compiling and the slope. The slope of a logarithm at x
    is 1 / x.

    With `jax.vmap` and `jax.grad` the order matters, as you know. Here
    `jax.vmap(log_back)` has three results, and `jax.grad` wants a function with one.

    Myth: transformations can be combined in any order.
    """
    x = jnp.array(x)
    log_back = inverse(jnp.exp)

    jit_of_vmap = jax.jit(jax.vmap(log_back))(x)
    vmap_of_jit = jax.vmap(jax.jit(log_back))(x)

    grad_of_jit = jax.grad(jax.jit(log_back))(x[0])
    jit_of_grad = jax.jit(jax.grad(log_back))(x[0])

    vmap_of_grad = jax.vmap(jax.grad(log_back))(x)
    try:
        jax.grad(jax.vmap(log_back))(x)
    except TypeError as error:
        refused = error
    return (
        jit_of_vmap,
        vmap_of_jit,
        grad_of_jit,
        jit_of_grad,
        vmap_of_grad,
        refused,
    )


def check_both_orders_agree():
    """Both orders give log x and 1 / x; `jax.grad` of three results is refused."""
    for x in ((0.5, 1.25, 1.5), (3.0, 0.2)):
        *results, vmap_of_grad, refused = transformations_in_either_order(x)
        np.testing.assert_allclose(results[:2], [np.log(x)] * 2, rtol=1e-6)
        np.testing.assert_allclose(results[2:], [1 / x[0]] * 2, rtol=1e-6)
        np.testing.assert_allclose(vmap_of_grad, 1 / np.array(x), rtol=1e-6)
        assert "scalar" in str(refused)


def dual_numbers(x=2.0):
    """A dual number is a value and its change, and it carries a slope forwards.

    This is `jax.jvp` in plain Python. `Dual` knows two rules, one for sums and one for
    products. Python calls `__add__` for + and `__mul__` for ×. The function f knows
    nothing of derivatives: each operation passes the change on. There is no rule for a
    `Dual` and a plain number, so `2 * x` or `x + 1` in f would be an error.

    `jax.jvp` does the same. It takes the function, a tuple of inputs and a tuple of
    their changes, and returns the value and its change.
    """

    @dataclass
    class Dual:
        value: float
        change: float

        def __add__(self, other):
            change = self.change + other.change
            return Dual(self.value + other.value, change)

        def __mul__(self, other):
            change = self.change * other.value + self.value * other.change
            return Dual(self.value * other.value, change)

    def f(x):
        return x * x + x

    ours = f(Dual(x, 1.0))
    jaxs = jax.jvp(f, (x,), (1.0,))
    return ours, jaxs


def check_dual_numbers_are_jvp():
    """Both give x² + x and its slope, 2x + 1."""
    for x in (2.0, -0.7):
        ours, jaxs = dual_numbers(x)
        expected = [x * x + x, 2 * x + 1]
        np.testing.assert_allclose([ours.value, ours.change], expected, rtol=1e-12)
        np.testing.assert_allclose(jaxs, expected, rtol=1e-5)


def ripples(x):
    """A wave that becomes shorter and shorter on both sides."""
    return jnp.sin(x * x)


def push(f):
    """The function that pushes a value and its change through f."""
    rules = {
        "mul": lambda a, b: a[1] * b[0] + a[0] * b[1],
        "sin": lambda a: jnp.cos(a[0]) * a[1],
    }

    def step(eqn, pairs):
        value = run(eqn, [pair[0] for pair in pairs])
        return value, rules[eqn.primitive.name](*pairs)

    def f_pushed(x, change):
        program = jax.make_jaxpr(f)(x)
        return walk(program, [(x, change)], step)[0]

    return f_pushed


def your_own_jvp(x=0.5):
    """With pairs instead of numbers, the interpreter is a `jax.jvp` of your own.

    `push` uses the `walk` from above. Each value is now a pair, of the value and its
    change. `rules` has a rule for the change of each primitive that `ripples` needs. (A
    literal would need a pair, too, with the change 0. There is none in `ripples`.)

    JAX has such a rule for nearly all its primitives. `jax.jvp` applies them at once,
    while your function runs, and needs no jaxpr.
    """
    ours = push(ripples)(x, 1.0)
    jaxs = jax.jvp(ripples, (x,), (1.0,))
    return ours, jaxs


def check_own_jvp_is_jaxs():
    """Ours and JAX's give sin x² and its slope, 2x·cos x²."""
    for x in (0.5, -1.2):
        ours, jaxs = your_own_jvp(x)
        expected = [np.sin(x * x), 2 * x * np.cos(x * x)]
        np.testing.assert_allclose([ours, jaxs], [expected] * 2, rtol=1e-5)


def own_transformation_and_grad(x=0.5):
    """A transformation that is made of JAX's functions can be differentiated.

    `push` is written with functions of JAX, so `jax.grad` goes through it. `slope` is
    the slope of `ripples` by our `push`, and the last line is the slope of that slope.
    """

    def slope(x):
        return push(ripples)(x, 1.0)[1]

    first = slope(x)
    second = jax.grad(slope)(x)
    return first, second


def check_second_derivative_by_both():
    """The slope is 2x·cos x², and its slope 2·cos x² − 4x²·sin x²."""
    for x in (0.5, -1.2):
        first, second = own_transformation_and_grad(x)
        sin, cos = np.sin(x * x), np.cos(x * x)
        np.testing.assert_allclose(first, 2 * x * cos, rtol=1e-5)
        np.testing.assert_allclose(second, 2 * cos - 4 * x * x * sin, rtol=1e-5)


def many_pushes_are_prepared(x=0.5, changes=(1.0, 2.0, -3.0)):
    """`jax.linearize` prepares a function for many pushes.

    `jax.jvp` pushes one change in each call. `jax.linearize` takes no change. It
    returns the value and a function, here `tangent`, which turns a change of x into the
    change of the result.

    Look at the jaxpr of `tangent`: it has no `sin` and no `cos`. What does not depend
    on the change was computed before. The cosine is a JAX array, and so it is a
    constant, in front of the semicolon. x is a plain number, here 0.5, and so it stands
    in the equations. It is there twice: by the product rule, x · x has a term for each
    factor. (`add_any` is how JAX writes a + that it made itself, for a derivative.)

    Predict: how often does Python run `by_jvp` and `by_linearize` for three pushes?
    """

    def by_jvp(x):
        return ripples(x)

    def by_linearize(x):
        return ripples(x)

    anew = [jax.jvp(by_jvp, (x,), (v,))[1] for v in changes]

    y, tangent = jax.linearize(by_linearize, x)
    kept = [tangent(v) for v in changes]
    program = jax.make_jaxpr(tangent)(1.0)
    names = [eqn.primitive.name for eqn in program.eqns]
    return anew, y, kept, names


def check_pushes_are_slope_times_change():
    """Each push is the slope times the change, and no `sin` or `cos` is left."""
    for x, changes in ((0.5, (1.0, 2.0, -3.0)), (-1.2, (0.5,))):
        anew, y, kept, names = many_pushes_are_prepared(x, changes)
        slope = 2 * x * np.cos(x * x)
        np.testing.assert_allclose(y, np.sin(x * x), rtol=1e-5)
        np.testing.assert_allclose(anew, slope * np.array(changes), rtol=1e-5)
        np.testing.assert_allclose(kept, slope * np.array(changes), rtol=1e-5)
        assert set(names) == {"mul", "add_any"}


def newton(x):
    """The root of a positive x, by a loop that ends when it is near."""

    def not_yet(y):
        return jnp.abs(y * y - x) > 1e-6 * x

    def better(y):
        return (y + x / y) / 2

    return jax.lax.while_loop(not_yet, better, x)


def a_loop_that_grad_refuses(x=2.0):
    """`jax.jvp` goes through a `while_loop`, and `jax.grad` refuses it.

    `newton` finds the root of x with `jax.lax.while_loop`. A change can be pushed
    forwards with the loop, turn by turn. To come back, `jax.grad` would have to keep
    numbers of every turn, and JAX does not know in advance how many turns there are.
    (Take no negative x: the loop would never end. And at x = 1 the loop takes no turn,
    so the change comes out as it went in: 1, and not ½. The next section has a cure.)
    """
    y, pushed = jax.jvp(newton, (x,), (1.0,))
    try:
        jax.grad(newton)(x)
    except ValueError as error:
        refused = error
    return y, pushed, refused


def check_the_loop_goes_forwards_only():
    """Pushed forwards it gives √x and here 1/(2√x); `jax.grad` is a ValueError."""
    for x in (2.0, 0.3):
        y, pushed, refused = a_loop_that_grad_refuses(x)
        np.testing.assert_allclose(y, x**0.5, rtol=1e-6)
        np.testing.assert_allclose(pushed, 0.5 * x**-0.5, rtol=1e-5)
        assert isinstance(refused, ValueError)
        assert "while_loop" in str(refused)


def a_forward_rule_of_your_own(x=2.0):
    """`jax.custom_jvp` gives a function your own rule for the change.

    Calculus tells us the slope of a root y, however it was found: it is 1 / (2y).
    `defjvp` takes the rule. It gets a tuple of the inputs and a tuple of their changes,
    and returns the value and its change.

    `jax.grad` then follows the rule instead of the loop. Beside `rule` you see how it
    is called: x has its value, and only the change is a tracer. The rule must be linear
    in the change, as here, where it only divides it. Then JAX can go through the rule
    backwards for `jax.grad`. With `jnp.sin(change)` in it, `jax.grad` raises a
    NotImplementedError. The lesson derivatives has `jax.custom_vjp`, for a rule that
    goes backwards only.
    """
    x = jnp.array(x)
    root = jax.custom_jvp(newton)

    @root.defjvp
    def rule(inputs, changes):
        (x,) = inputs
        (change,) = changes
        y = root(x)
        return y, change / (2 * y)

    slope = jax.grad(root)(x)
    return slope


def check_the_rule_serves_for_grad():
    """With the rule, `jax.grad` gives the slope of the root, 1/(2√x), at x = 1 too."""
    for x in (2.0, 0.3, 1.0):
        slope = a_forward_rule_of_your_own(x)
        np.testing.assert_allclose(slope, 0.5 * x**-0.5, rtol=1e-6)


def any_rule_is_believed(x=1.3):
    """JAX believes any rule, even a wrong one; a difference shows the mistake.

    The rule below has a mistake: the change of x³ is 3x² times the change of x. JAX
    uses it without a word. A central difference needs no rule: call the function a
    little right and a little left.
    """
    x = jnp.array(x)

    @jax.custom_jvp
    def cube(x):
        return x**3

    @cube.defjvp
    def wrong(inputs, changes):
        (x,) = inputs
        (change,) = changes
        return cube(x), 2 * x**2 * change

    believed = jax.grad(cube)(x)
    h = 0.01
    difference = (cube(x + h) - cube(x - h)) / (2 * h)
    return believed, difference


def check_the_wrong_rule_is_believed():
    """The wrong rule gives 2x², and the difference about 3x²."""
    for x in (1.3, -0.8):
        believed, difference = any_rule_is_believed(x)
        np.testing.assert_allclose(believed, 2 * x**2, rtol=1e-6)
        # 1e-3: the difference errs by h², here 0.0001
        np.testing.assert_allclose(difference, 3 * x**2, rtol=1e-3)


def a_rule_needs_a_test(x=1.3):
    """`check_grads` compares a rule with a difference.

    `check_grads`, from `jax.test_util`, compares the derivatives with such differences,
    and raises an AssertionError if they do not agree. `order=1` stands for the first
    derivative, and `modes=["fwd"]` for the way forwards. Where it finds nothing wrong,
    it says nothing. It calls `cube` at several points, as you see. It allows for
    rounding, so a tiny mistake goes through: here, 3.003 in place of 3 would. A second
    `defjvp` takes the place of the first.

    The change that it pushes is a random number; you see it beside `wrong`. It
    multiplies both sides, so look at the ratio of ACTUAL to DESIRED. Here it is 2 to 3:
    the rule says 2x² where it should say 3x².
    """
    x = jnp.array(x)

    @jax.custom_jvp
    def cube(x):
        return x**3

    @cube.defjvp
    def wrong(inputs, changes):
        (x,) = inputs
        (change,) = changes
        return cube(x), 2 * x**2 * change

    try:
        check_grads(cube, (x,), order=1, modes=["fwd"])
    except AssertionError as error:
        caught = error

    @cube.defjvp
    def right(inputs, changes):
        (x,) = inputs
        (change,) = changes
        return cube(x), 3 * x**2 * change

    check_grads(cube, (x,), order=1, modes=["fwd"])
    mended = jax.grad(cube)(x)
    return caught, mended


def check_the_mistake_is_caught():
    """The wrong rule is an AssertionError; the right one passes and gives 3x²."""
    for x in (1.3, -0.8):
        caught, mended = a_rule_needs_a_test(x)
        assert "Not equal to tolerance" in str(caught)
        np.testing.assert_allclose(mended, 3 * x**2, rtol=1e-6)


def as_if_a_line(f):
    """Give f the rule of the line y = x, whose slope is 1."""

    @jax.custom_jvp
    def ruled(x):
        return f(x)

    @ruled.defjvp
    def rule(inputs, changes):
        return ruled(*inputs), changes[0]

    return ruled


def stepping_into_a_rule(x=2.7):
    """An interpreter can walk into a function that has a rule of its own.

    `steps` is a staircase, and its rule pretends that it is the line y = x, with the
    slope 1. In a jaxpr it is one equation, `custom_jvp_call`. The program stands in
    `params["call_jaxpr"]`, and the rule beside it. (You can pass over
    `symbolic_zeros`.) The plain `run` raises an error there, because `bind`
    wants the rule handed over in another way. So the step `go_in` walks through the
    program that stands there, and no error is raised.

    Predict: the value is right. What is the slope by `walk`?
    """
    steps = as_if_a_line(jnp.floor)
    program = jax.make_jaxpr(steps)(x)

    def go_in(eqn, inputs):
        if eqn.primitive.name == "custom_jvp_call":
            return walk(eqn.params["call_jaxpr"], inputs, go_in)
        return run(eqn, inputs)

    def by_walk(x):
        return walk(program, [x], go_in)[0]

    value, lost = jax.value_and_grad(by_walk)(x)
    return value, lost


def check_the_slope_is_that_of_the_stairs():
    """The rule never ran: stairs are flat, and so the slope is 0, and not 1."""
    for x in (2.7, -1.2):
        value, lost = stepping_into_a_rule(x)
        np.testing.assert_allclose(value, np.floor(x), rtol=1e-6)
        assert lost == 0


def jaxs_interpreter_keeps_rules(x=2.7):
    """`jax.core.eval_jaxpr` is JAX's own interpreter, and it keeps rules.

    It takes `program.jaxpr`, the constants, and the arguments. Use it where you only
    want to run a jaxpr. Here it runs the staircase of the last section. (There you saw
    2.0 and no tracer beside `run`: JAX knows that the slope of a staircase is 0, and
    drops the tracer.)

    Where to go next: "Autodidax", a page of JAX's documentation, builds a small JAX
    step by step, with `jvp`, `vmap`, `jit` and `grad`.
    """
    steps = as_if_a_line(jnp.floor)
    program = jax.make_jaxpr(steps)(x)

    def by_jax(x):
        return jax.core.eval_jaxpr(program.jaxpr, program.consts, x)[0]

    value, kept = jax.value_and_grad(by_jax)(x)
    return value, kept


def check_the_rule_is_kept():
    """The value is that of the stairs, and the slope is that of the rule, 1."""
    for x in (2.7, -1.2):
        value, kept = jaxs_interpreter_keeps_rules(x)
        np.testing.assert_allclose(value, np.floor(x), rtol=1e-6)
        assert kept == 1
