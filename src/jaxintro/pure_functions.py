"""Pure functions: the same input gives the same output, and nothing else is touched.

Write `total += 1` in a compiled function, call it a thousand times, and `total` is 1.
Most such side effects bring no warning. You will see what becomes of each kind, and the
pure form: inputs come in as arguments, outputs go out as results. You need only NumPy.
"""

import contextlib
import functools
import io
import itertools
import tempfile

import jax
import jax.numpy as jnp
import numpy as np

ORDER = 30  # lessons stand in steps of ten; there is no other registry


def stand_in_instead_of_numbers(n=3):
    """Your function never sees the numbers that its compiled form works on.

    To compile it, `jax.jit` runs your Python on a tracer: a stand-in that has a shape
    and a dtype, but no values. A tracer writes down each operation done to it. The
    list, called a jaxpr, is compiled, and the machine code gets the numbers.
    """
    met, x = {}, jnp.arange(n, dtype=jnp.float32)

    def double_plus_one(x):
        met["tracer"] = isinstance(x, jax.core.Tracer)
        met["shape"], met["dtype"] = x.shape, str(x.dtype)
        return 2 * x + 1

    jaxpr = jax.make_jaxpr(double_plus_one)(x)
    met["written down"] = [equation.primitive.name for equation in jaxpr.eqns]
    return {**met, "result": jax.jit(double_plus_one)(x)}


def check_python_meets_a_tracer():
    """Python meets a tracer of the right shape and dtype."""
    for n in (3, 2):
        met = stand_in_instead_of_numbers(n)
        assert (met["tracer"], met["shape"], met["dtype"]) == (True, (n,), "float32")


def check_operations_are_written_down():
    """2x + 1 is written down as one mul and one add, and then works on numbers."""
    for n in (3, 5):
        met = stand_in_instead_of_numbers(n)
        assert met["written down"] == ["mul", "add"]
        np.testing.assert_allclose(met["result"], 2 * np.arange(n) + 1, rtol=1e-6)


def python_runs_once_per_trace(shapes=((), (), (3,), (3,), ())):
    """A side effect happens once per trace, not once per call.

    To trace a function is to run its Python on tracers. `jit` keeps what it compiled,
    and traces again for an input of a shape or dtype that it has not met.

    Predict: five calls, with scalars and vectors. How often does the Python code run?
    """
    runs, runs_so_far = 0, []

    @jax.jit
    def square(x):
        nonlocal runs
        runs += 1
        return x**2

    for shape in shapes:
        square(jnp.ones(shape, dtype=jnp.float32))
        runs_so_far.append(runs)
    return runs_so_far


def check_one_run_for_each_new_shape():
    """The Python code runs once for each new shape, however many calls there are."""
    for shapes in (((), (), (3,), (3,), ()), ((2,), (2, 1), (1, 2), (2,)), ((5,),) * 9):
        new_shapes = [len(set(shapes[: i + 1])) for i in range(len(shapes))]
        assert python_runs_once_per_trace(shapes) == new_shapes


def pure_calls_may_be_rearranged(xs=(2.0, 3.0, 2.0)):
    """A pure function is one as in mathematics: x² of 2 is 4, today and tomorrow.

    So its calls can be repeated, reordered, remembered, or made all at once (`vmap`).
    JAX does such things to your function, and trusts you that it is pure.
    """
    ways = {
        "in order": lambda f: [f(x) for x in xs],
        "backwards": lambda f: [f(x) for x in xs[::-1]][::-1],
        "remembered": lambda f: list(map(functools.cache(f), xs)),
        "all at once": lambda f: jax.jit(jax.vmap(f))(jnp.array(xs)),
    }

    def make_impure():
        calls = itertools.count(1)
        return lambda x: x**2 + next(calls)

    pure = {name: way(lambda x: x**2) for name, way in ways.items()}
    return {"pure": pure, "impure": {n: way(make_impure()) for n, way in ways.items()}}


def check_pure_calls_agree():
    """A pure function gives the same values in whatever way it is called."""
    for xs in ((2.0, 3.0, 2.0), (0.0, -1.0, 0.5, 4.0)):
        for values in pure_calls_may_be_rearranged(xs)["pure"].values():
            np.testing.assert_allclose(values, np.square(xs), rtol=1e-6)


def check_impure_calls_do_not():
    """A function that counts its calls gives four different answers."""
    answers = [[5, 11, 7], [7, 11, 5], [5, 11, 5], [5, 10, 5]]
    impure = list(pure_calls_may_be_rearranged()["impure"].values())
    np.testing.assert_allclose(impure, answers, rtol=1e-6)


def global_is_frozen(counter=10):
    """A variable from outside is read while tracing; what changes must be an argument.

    Myth: it is never read again. A call with another dtype, 12.0, traces and reads it.

    Predict: `counter` becomes 0. What does the compiled function make of 12?
    """
    add = jax.jit(lambda x: x + counter)
    pure = jax.jit(lambda x, counter: x + counter)
    before = add(10)
    counter = 0
    after = {"12 after": add(12), "12.0 after": add(12.0), "pure": pure(12, counter)}
    return {"10 before": before, **after}


def check_the_old_value_is_used():
    """The compiled function goes on adding the value from the time of its trace."""
    for counter in (10, 7):
        outcome = global_is_frozen(counter)
        assert (outcome["10 before"], outcome["12 after"]) == (
            10 + counter,
            12 + counter,
        )
        assert outcome["pure"] == 12


def check_a_new_dtype_sees_the_new_value():
    """A call with another dtype traces again, and sees the variable as it is now."""
    for counter in (10, 7):
        assert global_is_frozen(counter)["12.0 after"] == 12.0


def recurrent_step(params, x, h):
    """One step of a recurrent network: (params, x, memory h) -> (output y, new h)."""
    h = jnp.tanh(params["x"] * x + params["h"] * h)
    return jnp.tanh(params["y"] * h), h


def memory_in_an_object(inputs=(1.0, 0.0, -1.0), w_x=0.5, w_h=0.9, w_y=1.5):
    """A network that keeps its memory in `self.h` forgets, once it is compiled.

    It is traced when h is 0, so each call starts from 0, and `self.h` is left with a
    tracer. The pure step takes h and returns the new h; `scan` repeats it over time.
    """
    pure = functools.partial(recurrent_step, {"x": w_x, "h": w_h, "y": w_y})

    class Network:
        h = 0.0

        def step(self, x):
            y, self.h = pure(x, self.h)
            return y

    plain, traced = Network(), Network()
    compiled, xs = jax.jit(traced.step), jnp.array(inputs, dtype=jnp.float32)
    outputs = {"plain": [plain.step(x) for x in inputs]}
    outputs["compiled"] = [compiled(x) for x in inputs]
    outputs["tracer in self.h"] = isinstance(traced.h, jax.core.Tracer)
    h, scanned = jax.lax.scan(lambda h, x: pure(x, h)[::-1], jnp.float32(0), xs)
    return {**outputs, "scan": scanned, "final h": h}


def check_a_compiled_method_forgets():
    """Compiled, the method answers each input as if it were the first."""
    for inputs in ((1.0, 0.0, -1.0), (0.5, 2.0)):
        outcome = memory_in_an_object(inputs)
        forgetful = np.tanh(1.5 * np.tanh(np.multiply(0.5, inputs)))
        np.testing.assert_allclose(outcome["compiled"], forgetful, rtol=1e-5)
        assert outcome["tracer in self.h"] is True


def check_the_pure_step_remembers():
    """A `scan` of the pure step remembers, as a loop in plain Python does."""
    for inputs in ((1.0, 0.0, -1.0), (0.5, 2.0)):
        outcome, h, outputs = memory_in_an_object(inputs), 0.0, []
        for x in inputs:
            h = np.tanh(0.5 * x + 0.9 * h)
            outputs.append(np.tanh(1.5 * h))
        for name in ("plain", "scan"):
            np.testing.assert_allclose(outcome[name], outputs, rtol=1e-5)
        np.testing.assert_allclose(outcome["final h"], h, rtol=1e-5)


def list_collects_a_tracer(numbers=(1.0, 2.0, 3.0)):
    """A list that collects values inside a compiled function collects one tracer.

    It has leaked, and is dead once the trace is over. Return the values instead.

    Predict: three calls. What does the list hold?
    """
    seen = []

    @jax.jit
    def half(x):
        seen.append(x / 2)
        return x / 2

    returned = [half(x) for x in numbers]
    try:
        with jax.debug_key_reuse(False):  # it would refuse first, in other words
            seen[0] + 1
    except jax.errors.UnexpectedTracerError as error:
        refused = error
    return {"in the list": len(seen), "used later": refused, "returned": returned}


def check_a_leaked_tracer_is_dead():
    """The list holds one tracer, which can't be used; what is returned arrives."""
    for numbers in ((1.0, 2.0, 3.0), (4.0, 0.5)):
        outcome = list_collects_a_tracer(numbers)
        assert outcome["in the list"] == 1
        assert type(outcome["used later"]).__name__ == "UnexpectedTracerError"
        assert "unexpected tracer" in str(outcome["used later"])
        np.testing.assert_allclose(outcome["returned"], np.divide(numbers, 2), 1e-6)


def argument_changed_in_place(w=3.0):
    """A compiled function can't change a dict of yours: `jit` hands it a new one.

    An array refuses at once. Make a new dict or a new array, and return it.
    """

    def halve(params):
        params["w"] = params["w"] / 2

    plain, compiled, x = {"w": w}, {"w": w}, jnp.zeros(3, dtype=jnp.float32)
    halve(plain)
    jax.jit(halve)(compiled)
    pure = jax.jit(lambda params: {**params, "w": params["w"] / 2})({"w": w})
    try:
        x[1] = w
    except TypeError as error:
        refused = error
    dicts = {"plain": plain["w"], "compiled": compiled["w"], "pure": pure["w"]}
    return {**dicts, "x[1] = w": refused, "x and x.at": [x, jax.jit(x.at[1].set)(w)]}


def check_a_dict_is_not_changed():
    """Plain Python halves w in place; compiled code does not, and returns the half."""
    for w in (3.0, -8.0):
        outcome = argument_changed_in_place(w)
        result = [outcome[name] for name in ("plain", "compiled", "pure")]
        np.testing.assert_allclose(result, [w / 2, w, w / 2], rtol=1e-6)


def check_an_array_is_not_changed():
    """`x[1] = w` is a TypeError that names `x.at`, which leaves x as it was."""
    for w in (3.0, -8.0):
        outcome = argument_changed_in_place(w)
        assert type(outcome["x[1] = w"]).__name__ == "TypeError"
        assert "x.at[idx].set(y)" in str(outcome["x[1] = w"])
        np.testing.assert_array_equal(outcome["x and x.at"], [[0, 0, 0], [0, w, 0]])


def iterator_is_read_once(start=0, stop=10):
    """An iterator gives its next number to the trace, and none to the later steps.

    `fori_loop` is a compiled loop: its body is traced once. An array comes in whole.

    Predict: what is the sum of 0 to 9, taken from an iterator in such a loop?
    """
    n, iterator, array = stop - start, iter(range(start, stop)), jnp.arange(start, stop)
    return {
        "iterator": jax.lax.fori_loop(0, n, lambda i, total: total + next(iterator), 0),
        "unread": len(list(iterator)),
        "array": jax.lax.fori_loop(0, n, lambda i, total: total + array[i], 0),
    }


def check_the_first_number_is_added_each_time():
    """The loop adds the iterator's first number each time; the array gives the sum."""
    for start, stop, n in ((0, 10, 10), (3, 7, 4)):
        outcome = iterator_is_read_once(start, stop)
        assert (outcome["iterator"], outcome["unread"]) == (start * n, n - 1)
        assert outcome["array"] == sum(range(start, stop))


def random_numbers_frozen(seeds=(0, 1, 0)):
    """NumPy draws its random number while tracing: one draw for all calls.

    In JAX the randomness is an argument, a key. Another key gives another number.
    """
    generator = np.random.default_rng(0)
    frozen = jax.jit(lambda x: x + generator.random())
    pure = jax.jit(lambda x, key: x + jax.random.uniform(key))
    draws = [pure(0.0, jax.random.key(seed)) for seed in seeds]
    return {"numpy": [frozen(0.0) for _ in seeds], "keys": draws}


def check_draws_and_keys():
    """Every call gives NumPy's first draw, while each key gives a number of its own."""
    for seeds in ((0, 1, 0), (7, 8, 9, 8)):
        outcome, first = random_numbers_frozen(seeds), np.random.default_rng(0).random()
        np.testing.assert_allclose(outcome["numpy"], [first] * len(seeds), rtol=1e-6)
        assert len({float(number) for number in outcome["keys"]}) == len(set(seeds))


def output_while_tracing(numbers=(1.0, 2.0, 3.0)):
    """`print` in a compiled function prints a tracer, once; a file gets one line.

    `jax.debug.print` prints at each call. What belongs in a file is returned.
    """

    @jax.jit
    def double(x):
        print("print:", x)
        jax.debug.print("debug: {}", x)
        file.write("traced\n")
        return 2 * x

    printed = io.StringIO()
    with tempfile.TemporaryFile("w+") as file, contextlib.redirect_stdout(printed):
        file.writelines([f"{double(x)}\n" for x in numbers])
        jax.effects_barrier()  # a device may print after Python has gone on
        file.seek(0)
        return {"printed": printed.getvalue(), "file": file.read()}


def check_output_happens_once():
    """`print` shows one tracer, a file gets one line; `jax.debug.print` shows all."""
    for numbers in ((1.0, 2.0, 3.0), (0.5, 0.25)):
        outcome = output_while_tracing(numbers)
        first, *others = outcome["printed"].splitlines()
        assert first.startswith("print: JitTracer")
        assert sorted(others) == sorted(f"debug: {x}" for x in numbers)
        assert outcome["file"].split() == ["traced", *(str(2 * x) for x in numbers)]


def numpy_on_a_tracer(x=(0.5, 2.0)):
    """NumPy needs numbers, and a tracer has none: `np.sin` fails, `jnp.sin` works.

    Myth: no NumPy function takes a tracer. `np.sum` does: it calls the `sum` method.
    """
    x = jnp.array(x, dtype=jnp.float32)
    try:
        jax.jit(lambda x: np.sin(x))(x)
    except jax.errors.TracerArrayConversionError as error:
        refused = error
    total = jax.jit(lambda x: np.sum(x))(x)
    return {"np.sin": refused, "jnp.sin": jax.jit(jnp.sin)(x), "np.sum": total}


def check_numpy_refuses_a_tracer():
    """`np.sin` of a tracer is an error; `jnp.sin` gives the sine, `np.sum` the sum."""
    for x in ((0.5, 2.0), (-1.0, 0.25, 3.0)):
        outcome = numpy_on_a_tracer(x)
        assert type(outcome["np.sin"]).__name__ == "TracerArrayConversionError"
        assert "__array__() was called" in str(outcome["np.sin"])
        np.testing.assert_allclose(outcome["jnp.sin"], np.sin(x), rtol=1e-5)
        np.testing.assert_allclose(outcome["np.sum"], sum(x), rtol=1e-6)


def changes_kept_inside(x=2.0, n=6):
    """What is made and used up inside may change: nobody else can see it.

    Myth: in a pure function no list may grow and no variable may change.
    """

    def powers(x):
        table = [jnp.ones_like(x)]
        for _ in range(n - 1):
            table.append(table[-1] * x)
        return jnp.stack(table)

    compiled = jax.jit(powers)
    return {"first call": compiled(x), "second call": compiled(x)}


def check_the_list_inside_does_no_harm():
    """With a list that grows inside, every call gives the powers of x."""
    for x, n in ((2.0, 6), (-0.5, 3)):
        for values in changes_kept_inside(x, n).values():
            np.testing.assert_allclose(values, x ** np.arange(n), rtol=1e-6)


def extra_outputs_are_returned(logits=(1.0, 2.0, 0.0), values=(3.0, 1.0, 2.0)):
    """Attention weights that you want to look at are returned beside the result.

    With `has_aux=True`, `grad` takes (number, extra), and gives (slope, extra).
    """

    def attend(logits):
        weights = jax.nn.softmax(logits)
        return jnp.sum(weights * jnp.array(values, dtype=jnp.float32)), weights

    slope, weights = jax.grad(attend, has_aux=True)(jnp.array(logits, jnp.float32))
    return {"slope": slope, "attention weights": weights}


def check_the_extra_output_arrives():
    """The weights a are exp(z)/Σexp(z), and the slope of a·v is a(v − a·v)."""
    for logits, v in (((1.0, 2.0, 0.0), (3.0, 1.0, 2.0)), ((0.0, 0.5), (-1.0, 4.0))):
        outcome = extra_outputs_are_returned(logits, v)
        a = np.exp(logits) / np.sum(np.exp(logits))
        np.testing.assert_allclose(outcome["attention weights"], a, rtol=1e-5)
        np.testing.assert_allclose(outcome["slope"], a * (v - a @ v), rtol=1e-5)


def layer_is_data(w=(1.0, 2.0, 4.0)):
    """A layer is data, its weights w, and a function `apply(w, x)` of that data.

    An object with w inside hides an argument: w becomes a constant of its jaxpr. Both
    give the same, but only an argument can change, or be differentiated.
    """
    w, x = jnp.array(w, jnp.float32), jnp.arange(len(w), dtype=jnp.float32)

    def apply(w, x):
        return jnp.sum(w * x)

    layer = functools.partial(apply, w)  # an object: it holds w, and is called with x
    pure, hidden = jax.make_jaxpr(apply)(w, x), jax.make_jaxpr(layer)(x)
    return {
        "inputs": [len(made.jaxpr.invars) for made in (pure, hidden)],
        "constant": hidden.consts[0],
        "values": [apply(w, x), layer(x)],
        "slope": jax.grad(apply)(w, x),
    }


def check_the_hidden_argument_is_a_constant():
    """With w inside there is one input less, and w is a constant; both give Σwx."""
    for w in ((1.0, 2.0, 4.0), (0.5, -4.0)):
        outcome, x = layer_is_data(w), np.arange(len(w))
        assert outcome["inputs"] == [2, 1]
        np.testing.assert_allclose(outcome["constant"], w, rtol=1e-6)
        np.testing.assert_allclose(outcome["values"], [np.dot(w, x)] * 2, rtol=1e-6)


def check_data_can_be_differentiated():
    """The slope of `apply` in w is x."""
    for w in ((1.0, 2.0, 4.0), (0.5, -4.0)):
        np.testing.assert_allclose(layer_is_data(w)["slope"], range(len(w)), rtol=1e-6)
