"""Speed: find out what is slow, and why, before you change anything.

A program may be slow because it computes a lot, because it moves many numbers through
memory, or because it waits. Each of these has a cure of its own. So this lesson goes
the way that you go with a slow program. Record where the time goes. Count the work of
the slow part. Compare it with the limits of your machine. Then choose the cure: fewer
bytes, fewer transfers, donation, fewer bits, or compiling. All times on this page were
measured when it was made. On another machine they are different, and even their order
may be. Read first: arrays_at_work and jit.
"""

import gzip
import json
import math
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import sparse
from jax.experimental.compilation_cache import compilation_cache

from jaxintro.lens import race, traces

ORDER = 180


def three_parts(x):
    """Sort, add up and take the sine: three parts, each with a name."""
    with jax.profiler.TraceAnnotation("sort"):
        jnp.sort(x).block_until_ready()
    with jax.profiler.TraceAnnotation("sum"):
        jnp.sum(x).block_until_ready()
    with jax.profiler.TraceAnnotation("sine"):
        jnp.sin(x).block_until_ready()


def a_profile_is_a_recording(n=200_000):
    """A profile records what runs in a part of your program.

    `jax.profiler.trace(folder)` records what runs in its `with` block, and writes files
    into the folder. JAX calls the recording a trace. It has nothing to do with the
    tracing of `jax.jit`, so this page calls it a *profile*. With
    `jax.profiler.TraceAnnotation("sort")` you give a part of your code a name, under
    which you find it in the profile. `block_until_ready`, known from arrays_at_work,
    waits for a result.

    Of these files, the one whose name ends in `.trace.json.gz` can be looked at as a
    picture, in the browser at ui.perfetto.dev.
    """
    x = jnp.linspace(1, 0, n)
    three_parts(x)  # compiled before the profile
    with TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            three_parts(x)
        found = list(Path(folder).rglob("*.trace.json.gz"))
    names = [path.name for path in found]
    return names


def check_a_profile_is_written():
    """There is one file for ui.perfetto.dev."""
    (name,) = a_profile_is_a_recording(1000)
    assert name.endswith(".trace.json.gz")


def profile_of(function, *args):
    """What ran during a call: name, µs, and whether it is a kernel."""
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0  # leave Python's functions out
    options.host_tracer_level = 2  # and take the kernels in
    with TemporaryDirectory() as folder:
        with jax.profiler.trace(folder, profiler_options=options):
            function(*args)
        (file,) = Path(folder).rglob("*.trace.json.gz")
        text = gzip.decompress(file.read_bytes())
    return [
        (e["name"], e["dur"], "hlo_op" in e.get("args", ""))
        for e in json.loads(text)["traceEvents"]
        if "dur" in e
    ]


def find_the_slow_part(n=200_000):
    """From a profile you learn which part of your program to look at first.

    Look for the slowest part. If it takes nine tenths of the time, all the work that
    you put into the others gains a tenth at most.

    `profile_of` is a small tool for this page. It makes a profile of a call and reads
    the file, which lists what ran: name, µs, and whether it is a kernel, of which more
    in the next section. You need not read how. (`jax.profiler.ProfileOptions`, given as
    `profiler_options`, holds the settings of a profile.) Most of what is listed are
    small steps of JAX itself. `parts` has those with our names.

    Predict: 200,000 numbers are sorted, added up, and put into the sine. Which of the
    three takes most of the time?
    """
    x = jnp.linspace(1, 0, n)
    three_parts(x)  # compiled before the profile
    events = profile_of(three_parts, x)
    names = ("sort", "sum", "sine")
    parts = [(name, took) for name, took, _ in events if name in names]
    print("slowest:", max(parts, key=lambda part: part[1]))
    return [name for name, _ in parts]


def check_each_part_is_in_the_profile():
    """The profile has each of the three parts once."""
    assert sorted(find_the_slow_part(1000)) == ["sine", "sort", "sum"]


def sorted_sines(x):
    """The sines of some numbers, in order."""
    return jnp.sort(jnp.sin(x))


def kernels_in_a_profile(n=200_000):
    """The profile also shows the kernels of a compiled program, one by one.

    The three parts were parts of Python code. A compiled program runs without Python,
    and its parts are kernels, as you know from jit. XLA gives them their names. (In the
    file, a kernel has the entry "hlo_op". HLO is the language in which XLA writes its
    programs.)

    Often the name says what a kernel does. Where it does not, `explain` from
    `jaxintro.lens` lists which operations went into which kernel.

    Predict: the program computes sines and sorts them. How many kernels are there, and
    which of them is the slow one?
    """
    x = jnp.linspace(1, 0, n)
    compiled = jax.jit(sorted_sines)
    y = compiled(x).block_until_ready()  # compiled before the profile

    def waited(x):
        compiled(x).block_until_ready()

    events = profile_of(waited, x)
    kernels = [(name, took) for name, took, kernel in events if kernel]
    sorts = [name for name, _ in kernels if "sort" in name]
    return y, sorts


def check_the_sort_is_among_the_kernels():
    """One of the kernels has "sort" in its name, and the result is sorted."""
    y, sorts = kernels_in_a_profile(1000)
    assert sorts
    assert all("sort" in name for name in sorts)
    expected = np.sin(np.linspace(0, 1, 1000))
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


def ask_and_wait(x):
    """Sort, without waiting; then wait, in a part of its own."""
    with jax.profiler.TraceAnnotation("ask"):
        y = jnp.sort(x)
    with jax.profiler.TraceAnnotation("wait"):
        y.block_until_ready()


def unawaited_work_is_not_counted(n=300_000):
    """A part that does not wait for its work may end before the work is done.

    In `three_parts`, each part waits for its own work. Here is why. A call may return
    before its result is ready: this is called *asynchronous dispatch*. It fools a
    stopwatch, as you saw in arrays_at_work and jit, and it fools a profile as well. The
    part "ask" calls `jnp.sort`, and the part "wait" does nothing but wait.

    Predict: to which of the two parts does the profile give the time of the sort?
    """
    x = jnp.linspace(1, 0, n)
    ask_and_wait(x)  # compiled before the profile
    events = profile_of(ask_and_wait, x)
    names = ("ask", "wait")
    parts = [(name, took) for name, took, _ in events if name in names]
    return [name for name, _ in parts]


def check_both_parts_are_in_the_profile():
    """The profile has both parts, once each."""
    assert sorted(unawaited_work_is_not_counted(1000)) == ["ask", "wait"]


def a_program_knows_its_work(n=1000):
    """A compiled program can tell how much it computes and how much it moves.

    Once you know what is slow, the question is why, and for that we count. A *flop* is
    one +, −, × or ÷ of floating point numbers. The bytes that count are those that a
    program reads from memory and writes to memory. A float32 has 4 of them.

    `jax.jit(f).lower(x)` traces f, and `.compile()` compiles it, without running it.
    What you get is the compiled program. You can call it, and you can ask it:
    `.cost_analysis()` is a dict of counts, as XLA estimates them. (It counts exp, sin
    and the like apart, and the body of a loop only once. It also counts some steps that
    are no flops in our sense: a maximum, or an addition of integers. The line "work" of
    `explain` from `jaxintro.lens` has the same counts.)

    Predict: how many flops and how many bytes does 2 x + 1 need for a thousand numbers?
    """

    def line(x):
        return 2 * x + 1

    x = jnp.ones(n)
    program = jax.jit(line).lower(x).compile()
    flops = program.cost_analysis()["flops"]
    moved = program.cost_analysis()["bytes accessed"]
    y = program(x)
    return flops, moved, y


def check_two_flops_and_eight_bytes_a_number():
    """For each number there are two flops, 4 bytes to read and 4 to write."""
    for n in (10, 5000):
        flops, moved, y = a_program_knows_its_work(n)
        assert flops == 2 * n
        assert moved == 4 * n + 4 * n
        np.testing.assert_array_equal(y, np.full(n, 3.0))


def work(function, *args):
    """The flops of a compiled function, and the bytes that it moves."""
    program = jax.jit(function).lower(*args).compile()
    flops = program.cost_analysis()["flops"]
    return flops, program.cost_analysis()["bytes accessed"]


def intensities(n):
    """For x + y, a matrix by a vector, and a matrix by a matrix."""
    vector = jax.ShapeDtypeStruct((n,), jnp.float32)
    matrix = jax.ShapeDtypeStruct((n, n), jnp.float32)
    flops, moved = work(jnp.add, vector, vector)
    adding = flops / moved
    flops, moved = work(jnp.matmul, matrix, vector)
    by_vector = flops / moved
    flops, moved = work(jnp.matmul, matrix, matrix)
    by_matrix = flops / moved
    return adding, by_vector, by_matrix


def flops_for_each_byte(n=100):
    """The arithmetic intensity says how much is computed for each byte moved.

    Flops divided by bytes is called the *arithmetic intensity*. To add two arrays takes
    one flop for 12 bytes: two numbers are read and one is written. To multiply a matrix
    by a vector, each number of the matrix is read for two flops, × and +. To multiply
    two matrices, each number is used n times.

    No numbers are needed for counting. `jax.ShapeDtypeStruct(shape, dtype)` is a shape
    and a dtype alone, which is all that tracing and compiling look at.

    Predict: what becomes of the three intensities if n is ten times as large?
    """
    small = intensities(n)
    large = intensities(10 * n)
    return small, large


def check_only_one_intensity_grows():
    """They are 1/12, almost 1/2, and n/6: only that of two matrices grows with n."""
    small, large = flops_for_each_byte(40)
    for n, found in ((40, small), (400, large)):
        by_vector = 2 * n**2 / (4 * (n**2 + 2 * n))
        np.testing.assert_allclose(found, [1 / 12, by_vector, n / 6], rtol=1e-12)


def seconds_for(function, *args):
    """The time of one call, once the function is compiled."""
    racers = {function.__name__: jax.jit(function)}
    timed = race(racers, *args, seconds=0.05)
    return timed.seconds[0]


def limits(x, a):
    """Bytes read a second, and flops a second, on this machine."""
    bandwidth = x.nbytes / seconds_for(jnp.sum, x)
    flops, _ = work(jnp.matmul, a, a)
    speed = flops / seconds_for(jnp.matmul, a, a)
    return bandwidth, speed


def two_limits_of_a_machine(n=2_000_000, size=512):
    """A machine has two limits: how fast it computes and how fast memory is.

    How many bytes a second come from memory is called the *bandwidth*. To measure it,
    we time a sum, which reads each number and does little else. How many flops a second
    the machine can do, we measure with the product of two matrices, which needs many
    flops for each byte. (`race` from `jaxintro.lens`, known from first_steps, calls a
    function again and again; `.seconds` are the times of one call.)

    Flops a second divided by bytes a second are flops for each byte. We call this
    number the balance. A program with a lower intensity is *memory-bound*: it waits for
    memory. A program with a higher one is *compute-bound*: it waits for the arithmetic.
    Compare the balance of this machine with the 1/12 of adding and the n/6 of two
    matrices.

    (A processor has a small and fast memory of its own, called cache. Our array for the
    sum has 8 MB, and may fit into it. Then the bandwidth that we measure is that of the
    cache. An array that does not fit is read more slowly, and for it the balance is
    higher.)
    """
    bandwidth, speed = limits(jnp.ones(n), jnp.ones((size, size)))
    print(f"{bandwidth / 1e9:.0f} GB a second")
    print(f"{speed / 1e9:.0f} billion flops a second")
    balance = speed / bandwidth
    print(f"balance: {balance:.1f} flops for each byte")
    return bandwidth, speed, balance


def check_balance_is_the_quotient():
    """The balance is flops a second divided by bytes a second."""
    bandwidth, speed, balance = two_limits_of_a_machine(1000, 32)
    assert min(bandwidth, speed) > 0
    np.testing.assert_allclose(balance * bandwidth, speed, rtol=1e-12)


def one_step(x):
    """One multiplication and one addition."""
    return x * x + 1


def four_steps(x):
    """Four multiplications and four additions."""
    y = x
    for _ in range(4):
        y = y * x + 1
    return y


def more_flops_for_the_same_bytes(n=2_000_000, seconds=0.2):
    """Four times the arithmetic need not take four times as long.

    Both functions read each number once and write one number for it. But `four_steps`
    does four times the flops on the way. That is one flop for each byte: compare it
    with the balance above. While memory is the limit, the arithmetic has time to spare.
    (`check=False` allows the racers to compute different things.)

    Predict: for four times the flops, how many times as long does it take?
    """
    x = jnp.linspace(0, 0.5, n)
    few, moved_by_few = work(one_step, x)
    many, moved_by_many = work(four_steps, x)
    long = jax.jit(four_steps)
    racers = {"one step": jax.jit(one_step), "four steps": long}
    race(racers, x, seconds=seconds, check=False)
    y = long(x)
    return few, moved_by_few, many, moved_by_many, y


def check_four_times_the_flops_and_no_more_bytes():
    """The flops are four times as many, the bytes as many as before."""
    n = 100
    few, moved_by_few, many, moved_by_many, y = more_flops_for_the_same_bytes(n, 0.01)
    assert (few, many) == (2 * n, 8 * n)
    assert moved_by_few == moved_by_many == 8 * n
    x = np.linspace(0, 0.5, n)
    expected = x**5 + sum(x**i for i in range(4))
    np.testing.assert_allclose(y, expected, rtol=1e-5)


def roofline(n=2_000_000, size=512):
    """The roofline shows at a glance which limit holds for a program.

    Each point of the picture is a program: to the right its flops for each byte, and
    upwards the flops a second that it reaches. Both axes are logarithmic. The slanted
    roof is the bandwidth: with twice the flops for each byte, twice as many flops can
    be done in a second. The level roof is the speed of the arithmetic. They meet at the
    balance, so what is memory-bound stands to the left of it.

    The picture tells what to do. Under the slanted roof, move fewer bytes. Under the
    level roof, do fewer flops, or cheaper ones, as with fewer bits. A point far below
    both roofs has another reason to be slow. Our small matrices are an example:
    starting their program takes longer than the program itself. (A point may also lie
    above a roof. Our roofs are what a sum and a product of matrices reached, and not
    the best that your machine can do.)
    """
    import matplotlib.pyplot as plt

    x = jnp.linspace(0, 0.5, n)
    a = jnp.ones((16, 16))
    b = jnp.ones((size, size))
    bandwidth, speed = limits(x, b)
    programs = {
        "one step": (one_step, x),
        "matrix by vector": (jnp.matmul, b, b[0]),
        "small matrices": (jnp.matmul, a, a),
        "large matrices": (jnp.matmul, b, b),
    }

    _, axes = plt.subplots()
    intensity = speed / bandwidth * np.logspace(-2, 2)
    roof = np.minimum(bandwidth * intensity, speed)
    axes.loglog(intensity, roof, label="two roofs")
    for name, (function, *args) in programs.items():
        flops, moved = work(function, *args)
        reached = flops / seconds_for(function, *args)
        axes.scatter(flops / moved, reached, label=name)
    axes.set(xlabel="flops for each byte", ylabel="flops a second")
    axes.set_title("The roofline of this machine")
    axes.legend()
    return bandwidth, speed, axes


def check_roofs_and_points():
    """The roofs are the two limits, and each point stands at its intensity."""
    bandwidth, speed, axes = roofline(1000, 64)
    (line,) = axes.lines
    x, y = line.get_data()
    np.testing.assert_allclose(y, np.minimum(x * bandwidth, speed), rtol=1e-12)
    points = [points.get_offsets()[0] for points in axes.collections]
    by_vector = 2 * 64**2 / (4 * (64**2 + 2 * 64))
    expected = [2 / 8, by_vector, 16 / 6, 64 / 6]
    np.testing.assert_allclose([x for x, _ in points], expected, rtol=1e-12)
    assert min(y for _, y in points) > 0


def joining_saves_bytes(n=1000):
    """Two functions compiled as one program move fewer bytes.

    For what is memory-bound, the cure is to move less. `add_one` writes its numbers to
    memory, and `double` reads them again. In one program, XLA joins the two into one
    kernel, and the numbers between them never go through memory.

    Predict: which is saved, flops or bytes?
    """

    def add_one(x):
        return x + 1

    def double(x):
        return 2 * x

    def both(x):
        return double(add_one(x))

    x = jnp.ones(n)
    first_flops, first_moved = work(add_one, x)
    second_flops, second_moved = work(double, x)
    apart = (first_flops + second_flops, first_moved + second_moved)
    together = work(both, x)
    return apart, together


def check_half_the_bytes_and_all_the_flops():
    """Both ways do 2 flops a number; together they move 8 bytes and apart 16."""
    for n in (10, 3000):
        apart, together = joining_saves_bytes(n)
        assert apart == (2 * n, 16 * n)
        assert together == (2 * n, 8 * n)


def count_before_you_run(n=100_000):
    """You can estimate how long a program takes before you run it.

    A program that would take hours is better judged before it starts. Two matrices of
    100,000 × 100,000 and their product take 120 GB. But to count the work of the
    program takes no memory, and the two limits of the machine can be measured with
    small arrays.

    A program has to do its flops and has to move its bytes. So at the speeds measured
    just now, it needs about as long as the longer of these two, or longer. (On a busy
    machine, the measured speeds are too low. XLA adds up its counts in float32, so
    their last digits are not exact.)
    """
    matrix = jax.ShapeDtypeStruct((n, n), jnp.float32)
    flops, moved = work(jnp.matmul, matrix, matrix)
    x = jnp.ones(2_000_000)
    bandwidth, speed = limits(x, jnp.ones((512, 512)))
    at_least = max(flops / speed, moved / bandwidth)
    print(f"about {at_least / 60:.0f} minutes or more")
    return flops, moved


def check_work_of_a_large_product():
    """Two n × n matrices need 2 n³ flops and 12 n² bytes."""
    n = 20_000
    flops, moved = count_before_you_run(n)
    # XLA adds up its counts in float32
    np.testing.assert_allclose([flops, moved], [2 * n**3, 12 * n**2], rtol=1e-6)


def numpy_arrays_travel_each_time(n=2_000_000, seconds=0.2):
    """An array of NumPy is made an array of JAX at each call.

    A compiled function takes arrays of NumPy, too. But they belong to the host, which
    is the computer where Python runs. At each call JAX makes an array on the device
    from them. For a GPU or TPU, the numbers go from one memory to another. On a CPU,
    too, they have to become float32 if they are NumPy's usual float64, as here. (A
    float32 array of NumPy may be used on a CPU as it is, if it begins at a good place
    in memory. Then there is no such work.)

    `jax.device_put` sends an array once. Use it for whatever is used again: data,
    parameters.

    Predict: how much does it save here?
    """
    data = np.ones(n)
    on_device = jax.device_put(data)
    total = jax.jit(jnp.sum)

    def sent_each_time():
        return total(data)

    def sent_once():
        return total(on_device)

    race([sent_each_time, sent_once], seconds=seconds)
    return sent_each_time(), sent_once()


def check_both_sums_are_n():
    """Sent each time or once, the sum of n ones is n."""
    for n in (10, 3000):
        assert numpy_arrays_travel_each_time(n, 0.01) == (n, n)


def transfers_can_be_forbidden(n=3):
    """In a block where transfers are forbidden, JAX tells you where they are.

    A transfer is easily overlooked. In a block `with jax.transfer_guard("disallow"):` a
    transfer that you did not ask for is an error, and the message says in which
    direction it goes: here from the host to the device. (On a CPU, reading a result
    back is not refused.) `jax.device_put` asks for one, so it is allowed.

    Predict: x is an array of JAX. Which of these is refused: `double(x)`,
    `double(from_numpy)`, `x + 1`?
    """
    double = jax.jit(lambda x: 2 * x)
    x = jnp.ones(n)
    from_numpy = np.ones(n, dtype=np.float32)
    refused = []
    with jax.transfer_guard("disallow"):
        y = double(x)
        cured = double(jax.device_put(from_numpy))
        try:
            double(from_numpy)
        except RuntimeError as error:
            refused.append(error)
        try:
            x + 1  # op by op, the 1 is sent
        except RuntimeError as error:
            refused.append(error)
    return y, refused, cured


def check_two_of_three_lines_transfer():
    """The array of NumPy and the number 1 are refused; the rest gives 2 · 1."""
    for n in (2, 5):
        y, refused, cured = transfers_can_be_forbidden(n)
        np.testing.assert_array_equal([y, cured], np.full((2, n), 2.0))
        assert len(refused) == 2
        for error in refused:
            assert isinstance(error, RuntimeError)
            assert "host-to-device transfer" in str(error)


def reading_a_number_waits(turns=10, n=100_000):
    """To read a number, Python must wait until it is there.

    As long as you read nothing, Python can run ahead of the device and ask for the next
    steps, so that the device need not wait for Python. `y.is_ready()` says whether the
    numbers of y are there, without waiting. `float(y)` needs the number, and so it
    waits, as do `print(y)`, `if y > 0:` and `np.asarray(y)`. So in a training loop, do
    not read the loss at each step. Keep it as an array, and read it now and then.

    Predict: when Python has asked for all ten steps, has the device done them?
    """
    step = jax.jit(lambda x: jnp.sort(-x))
    x = jnp.linspace(1, 2, n)
    step(x).block_until_ready()  # compiled before the clock starts
    start = time.perf_counter()
    for _ in range(turns):
        x = step(x)
    asked = time.perf_counter() - start
    print("ready:", x.is_ready())
    number = float(x[0])  # waits
    read = time.perf_counter() - start
    print(f"asked after {1000 * asked:.2f} ms")
    print(f"read after {1000 * read:.2f} ms")
    return number


def check_each_step_turns_the_numbers_round():
    """The number that is read is right: the smallest is −2 and 1 by turns."""
    for turns, smallest in ((1, -2), (2, 1), (5, -2)):
        assert reading_a_number_waits(turns, 100) == smallest


def chunks(count, size):
    """Numbers that come piece by piece, as from a file."""
    for i in range(count):
        yield np.arange(i * size, (i + 1) * size, dtype=np.float32)


def data_in_a_stream(count=10, size=10_000):
    """Data that are too large for the memory can go through it in pieces.

    Here `chunks` gives the data piece by piece, as it could from a file. What stays is
    a single number, the sum so far. All pieces have the same shape, so that one
    compiled program serves them all: `traces` from `jaxintro.lens` counts. Nothing in
    the loop waits, so Python can prepare the next piece while the device adds up.
    """

    @traces
    @jax.jit
    def add(total, chunk):
        return total + jnp.sum(chunk)

    total = jnp.float32(0)
    for chunk in chunks(count, size):
        total = add(total, chunk)
    mean = float(total) / (count * size)
    traced = add.count
    return mean, traced


def check_mean_of_the_stream():
    """The mean of 0, 1, …, n − 1 is (n − 1) / 2, and one trace was enough."""
    for count, size in ((10, 10_000), (3, 100)):
        mean, traced = data_in_a_stream(count, size)
        np.testing.assert_allclose(mean, (count * size - 1) / 2, rtol=1e-6)
        assert traced == 1


def donated_memory_is_used_again(n=2_000_000, seconds=0.2):
    """A program that may write over its argument needs less memory.

    With `donate_argnums=0`, known from jit, the first argument is *donated*: the result
    may take its memory. `.memory_analysis()` of a compiled program tells the bytes of
    the arguments (`argument_size_in_bytes`), of the result (`output_size_in_bytes`),
    and of what they share (`alias_size_in_bytes`).

    It can save time as well, because no new memory has to be found. The race shows
    whether it does here. (It makes a fresh copy of x for each call that deletes its
    own, and stops the clock meanwhile.)

    Predict: x has 8 MB. How many MB does each of the two programs need?
    """

    def shrink(x):
        return 0.9 * x

    def bytes_needed(function, x):
        memory = function.lower(x).compile().memory_analysis()
        both = memory.argument_size_in_bytes + memory.output_size_in_bytes
        return both - memory.alias_size_in_bytes

    x = jnp.ones(n)
    plain = jax.jit(shrink)
    donating = jax.jit(shrink, donate_argnums=0)
    by_plain = bytes_needed(plain, x)
    by_donating = bytes_needed(donating, x)
    race({"plain": plain, "donating": donating}, x, seconds=seconds)
    return by_plain, by_donating


def check_half_the_memory_is_needed():
    """Without donating, it needs the memory of two arrays, and with it of one."""
    for n in (10, 5000):
        assert donated_memory_is_used_again(n, 0.01) == (2 * 4 * n, 4 * n)


def second_name_is_gone_too(size=3):
    """Where donated memory is taken, the array is gone under every name.

    In a training loop you may want to keep the best parameters so far. But `best =
    params` makes only a second name for the same arrays. When `params` is donated,
    `best` is gone as well. `x.is_deleted()` tells, and to use x is an error. The cure
    is a copy, made before the step: `jnp.copy`, for each array of the pytree. (A
    donated array stays if no result has the same size.)

    Myth: what I have kept under another name is safe.
    """

    @partial(jax.jit, donate_argnums=0)
    def step(params):
        return jax.tree.map(lambda w: 0.9 * w, params)

    params = {"w": jnp.ones(size)}
    best = params  # the mistake: a second name
    params = step(params)
    gone = best["w"].is_deleted()
    try:
        best["w"] + 1
    except RuntimeError as error:
        refused = error

    best = jax.tree.map(jnp.copy, params)  # the cure
    params = step(params)
    kept = best["w"]
    return gone, refused, params, kept


def check_only_the_copy_stays():
    """The second name is deleted, the copy keeps 0.9, and the step goes on to 0.81."""
    gone, refused, params, kept = second_name_is_gone_too(4)
    assert gone is True
    assert isinstance(refused, RuntimeError)
    assert "deleted" in str(refused)
    np.testing.assert_allclose(kept, np.full(4, 0.9), rtol=1e-6)
    np.testing.assert_allclose(params["w"], np.full(4, 0.81), rtol=1e-6)


def largest_error(found, exact):
    """The largest error, as a part of the largest number."""
    found = np.asarray(found, dtype=np.float64)
    return np.max(np.abs(found - exact)) / np.max(np.abs(exact))


def fewer_bits_cost_digits(n=1000):
    """With half the bits, a number takes half the bytes, and has fewer digits.

    A *bfloat16* has 16 bits. It can be about as large and as small as a float32, but
    has only 8 bits for its digits, where a float32 has 24. So fewer bytes go through
    memory. What does it cost? Both x and its exp are rounded. We compare with NumPy in
    float64, whose own error is so small that it does not count here. (For 64 bits in
    JAX, the setting `jax_enable_x64` is turned on, and off again at the end. An error
    of 1e-3 means: three digits are right.)

    Predict: how many digits are right in bfloat16, how many in float32, in float64?
    """
    exact = np.exp(np.linspace(0, 1, n))
    jax.config.update("jax_enable_x64", True)
    results = []
    for dtype in ("bfloat16", "float32", "float64"):
        x = jnp.linspace(0, 1, n).astype(dtype)
        y = jnp.exp(x)
        error = largest_error(y, exact)
        print(f"{y.nbytes} bytes, error {error:.0e}")
        results.append(y)
    jax.config.update("jax_enable_x64", False)
    return results


def check_errors_against_float64():
    """At least 2 digits are right in bfloat16, 6 in float32, and 14 in float64."""
    for n in (100, 1000):
        exact = [math.exp(i / (n - 1)) for i in range(n)]
        low, middle, high = fewer_bits_cost_digits(n)
        # the digits of a bfloat16 and of a float32 reach no further
        np.testing.assert_allclose(low.astype(float), exact, rtol=1e-2)
        np.testing.assert_allclose(middle, exact, rtol=1e-6)
        np.testing.assert_allclose(high, exact, rtol=1e-14)
        sizes = [np.asarray(each).nbytes for each in (low, middle, high)]
        assert sizes == [2 * n, 4 * n, 8 * n]


def low_precision_is_not_always_faster(n=256, seconds=0.1):
    """Fewer bits are not always faster: that depends on the processor.

    Newer GPUs and TPUs have circuits for bfloat16. Many CPUs have none, and then the
    numbers may be made float32 first. So measure, on the machine where the program is
    to run. The race below says what it is like here.

    Myth: half the bits, twice the speed.
    """
    x = jnp.ones((n, n), dtype="float32")
    half = x.astype("bfloat16")
    product = jax.jit(jnp.matmul)

    def in_float32():
        return product(x, x)

    def in_bfloat16():
        return product(half, half)

    race([in_float32, in_bfloat16], seconds=seconds)
    return in_float32(), in_bfloat16()


def check_products_of_ones():
    """In both dtypes, the product of n × n ones is n, if n is a power of 2."""
    for n in (4, 64):
        for product in low_precision_is_not_always_faster(n, 0.01):
            np.testing.assert_array_equal(product, np.full((n, n), n))


def long_sum_in_bfloat16(n=1000):
    """A long sum in bfloat16 stops growing: keep sums in float32.

    With 8 bits for the digits, the next number after 256 is 258. 257 lies in the
    middle, and is rounded to 256. `jax.lax.scan(add, start, numbers)`, known from
    shapes_and_branches, goes through the numbers and carries a total along.
    `jnp.bfloat16(0)` is the number 0 in this type. The cure is a total in float32.
    (`jnp.sum` does not stop: it rounds only its result.)

    Predict: what is the total when 1 is added a thousand times in bfloat16?
    """

    def add(total, x):
        return total + x, None

    ones = jnp.ones(n, dtype="bfloat16")
    in_bfloat16, _ = jax.lax.scan(add, jnp.bfloat16(0), ones)
    in_float32, _ = jax.lax.scan(add, jnp.float32(0), ones)
    by_sum = jnp.sum(ones)
    return in_bfloat16, in_float32, by_sum


def check_the_sum_stops_at_256():
    """In bfloat16 it stops at 256; in float32, and here with `jnp.sum`, it is n."""
    for n in (200, 600):
        found = [float(each) for each in long_sum_in_bfloat16(n)]
        assert found == [min(n, 256), n, n]


def a_short_format_drops_what_is_small(n=12):
    """A format with few bits loses what is small beside 1.

    In binary, a float32 has 1 digit before the point and 23 after it, together the 24
    of `fewer_bits_cost_digits`. *TF32* is a format of newer GPUs that keeps 10 of the
    23. `jax.lax.reduce_precision` rounds to as many bits as you name, on any device:
    `mantissa_bits` is how many are kept after the point, and `exponent_bits` how many
    say where the point is, 8 in both formats.

    Predict: 1 + 2⁻¹² has its last digit at the twelfth place after the point. What does
    each format make of it?
    """
    x = jnp.float32(1 + 2**-n)
    above_one = x - 1
    as_tf32 = jax.lax.reduce_precision(x, exponent_bits=8, mantissa_bits=10)
    left = as_tf32 - 1
    return above_one, left


def check_tf32_keeps_ten_places():
    """Float32 keeps 2⁻¹² above 1, and TF32 makes 1 of it; 2⁻¹⁰ is kept by both."""
    for n in (10, 12):
        above_one, left = a_short_format_drops_what_is_small(n)
        assert above_one == 2**-n
        assert left == (2**-n if n <= 10 else 0)


def a_product_may_be_rounded_first(n=64):
    """Some devices round the numbers of a float32 product before they multiply.

    JAX's documentation says that for speed, a TPU rounds them to bfloat16 by default,
    and newer GPUs to TF32. The result has the dtype float32 all the same. With
    `precision="highest"` you ask for all bits in one product, and in a block
    `with jax.default_matmul_precision("highest"):` in all.

    All numbers of our matrix are 1 + 2⁻¹². With all bits, an entry of the product is
    64 (1 + 2⁻¹²)², which is a little more than 64. If they are rounded first, it is 64.

    Predict: does the device that made this page round by default?
    """
    x = jnp.full((n, n), 1 + 2**-12)
    all_bits = jnp.matmul(x, x, precision="highest")[0, 0]
    by_default = (x @ x)[0, 0]
    return all_bits, by_default


def check_rounding_loses_the_rest():
    """With all bits it is n (1 + 2⁻¹²)², and by default that or a rounded n."""
    for n in (16, 64):
        all_bits, by_default = a_product_may_be_rounded_first(n)
        np.testing.assert_allclose(all_bits, n * (1 + 2**-12) ** 2, rtol=1e-6)
        assert by_default in (all_bits, n)


def rewrite_what_loses_digits(x=0.1, s=1e-8):
    """Where nearly equal numbers are subtracted, only their last digits are left.

    In jit you saw that a compiled program may round less often, so that its last digits
    differ. Mostly that does not matter. But in (x (1 + s))² − x² with a small s, the
    first digits are equal and vanish, and what is left is mostly the rounding. (With
    the s of this page, 1 + s is even rounded to 1.) Whether you compile is not the
    point. The cure is a formula without the subtraction: here x² s (2 + s), which is
    the same by algebra.

    Myth: if op by op and compiled differ, one of them is right.
    """

    def difference(x, s):
        return (x * (1 + s)) ** 2 - x**2

    def rewritten(x, s):
        return x**2 * s * (2 + s)

    x = jnp.float32(x)
    s = jnp.float32(s)
    op_by_op = difference(x, s)
    compiled = jax.jit(difference)(x, s)
    cured = jax.jit(rewritten)(x, s)
    exact = float(x) ** 2 * float(s) * (2 + float(s))
    return op_by_op, compiled, cured, exact


def check_only_the_rewritten_one_is_right():
    """The rewritten form has 6 right digits; the others have what rounding left."""
    for x, s in ((0.7, 1e-8), (0.3, 1e-7)):
        op_by_op, compiled, cured, exact = rewrite_what_loses_digits(x, s)
        x, s = np.float32(x), np.float32(s)
        right = float(x) ** 2 * float(s) * (2 + float(s))
        np.testing.assert_allclose([cured, exact], [right] * 2, rtol=1e-6)
        y = x * (1 + s)
        assert op_by_op == y * y - x * x
        # one of the two squares may be left without rounding
        left_over = [
            float(y * y) - float(x * x),
            float(y) ** 2 - float(x * x),
            float(y * y) - float(x) ** 2,
        ]
        assert any(np.isclose(compiled, each, rtol=1e-5, atol=0) for each in left_over)


def multiply(matrix, v):
    """A matrix, dense or sparse, by a vector."""
    return matrix @ v


def sparse_keeps_what_is_not_zero(places=((0, 1), (3, 0), (3, 2))):
    """A sparse matrix keeps the numbers that are not zero, and where they stand.

    A matrix in which almost all numbers are zero is called *sparse*, and one that keeps
    its zeros *dense*. `sparse.BCOO` from `jax.experimental` is a format for sparse
    ones: an array of numbers, and for each number its row and its column.
    `.todense()` fills in the zeros, and `@` multiplies. (`sparse.BCOO.fromdense(m)`
    makes a sparse matrix of a dense one. The module is experimental, and its own
    documentation does not recommend it where speed matters most.)

    Predict: 13 of 16 numbers are zero. How many of the 64 bytes are saved?
    """
    indices = jnp.array(places)
    data = jnp.arange(1.0, len(places) + 1)
    matrix = sparse.BCOO((data, indices), shape=(4, 4))
    dense = matrix.todense()
    bytes_dense = dense.nbytes
    bytes_sparse = data.nbytes + indices.nbytes
    product = jax.jit(multiply)(matrix, jnp.ones(4))
    return dense, bytes_dense, bytes_sparse, product


def check_twelve_bytes_for_each_number():
    """Each number takes 12 bytes: 4 for itself, 4 for its row and 4 for its column."""
    for places in (((0, 1), (3, 0), (3, 2)), ((2, 2), (1, 3))):
        expected = np.zeros((4, 4))
        for number, (row, column) in enumerate(places, start=1):
            expected[row, column] = number
        dense, bytes_dense, kept, product = sparse_keeps_what_is_not_zero(places)
        np.testing.assert_array_equal(dense, expected)
        assert (bytes_dense, kept) == (64, 12 * len(places))
        np.testing.assert_array_equal(product, expected.sum(axis=1))


def when_sparse_pays(n=1000, densities=(0.001, 0.01, 0.1)):
    """Whether a sparse product is faster depends on how many zeros there are.

    So 12 bytes for each number that is kept, against 4 for every number: in memory,
    sparse pays where fewer than a third are kept. The share that is kept is called the
    *density*. In time it is another matter. A dense product reads the matrix from one
    end to the other, and a sparse product looks up two places for each number. Where
    the line of "sparse" lies above that of "dense", the dense product was faster.
    """
    import matplotlib.pyplot as plt

    chance = np.random.default_rng(0).random(size=(n, n))
    v = jnp.ones(n)
    products = []
    seconds = []
    for density in densities:
        places = jnp.array(np.argwhere(chance < density))
        matrix = sparse.BCOO((jnp.ones(len(places)), places), shape=(n, n))
        products.append(jax.jit(multiply)(matrix, v))
        seconds.append(seconds_for(multiply, matrix, v))
    seconds_dense = seconds_for(multiply, matrix.todense(), v)
    for density, each in zip(densities, seconds, strict=True):
        print(f"density {density}: {1e6 * each:.0f} µs")
    print(f"dense: {1e6 * seconds_dense:.0f} µs")

    _, axes = plt.subplots()
    axes.loglog(densities, seconds, label="sparse")
    axes.loglog(densities, [seconds_dense] * len(densities), label="dense")
    axes.set(xlabel="density", ylabel="seconds for a product")
    axes.set_title("A sparse and a dense product")
    axes.legend()
    return products, seconds, seconds_dense, axes


def check_sparse_products_are_right():
    """The sparse products are those of NumPy, and the lines are the measured times."""
    products, seconds, seconds_dense, axes = when_sparse_pays(60, (0.05, 0.2, 0.5))
    chance = np.random.default_rng(0).random(size=(60, 60))
    for product, density in zip(products, (0.05, 0.2, 0.5), strict=True):
        np.testing.assert_array_equal(product, np.sum(chance < density, axis=1))
    lines = [line.get_ydata() for line in axes.lines]
    np.testing.assert_allclose(lines, [seconds, [seconds_dense] * 3], rtol=1e-12)


def zeros_cost_accuracy(n=200, seed=0):
    """To set small weights to zero changes the matrix.

    The weights of a network are rarely zero by themselves. *Pruning* sets the smallest
    to zero. Here the weights are normal random numbers. We keep the larger half, and
    then the largest tenth. The error is the length of what was lost (the root of
    the sum of its squares, `jnp.linalg.norm`), as a part of the length of the whole.

    Predict: the smaller half is set to zero. Is the error more or less than a half?
    """
    w = np.random.default_rng(seed).normal(size=(n, n))
    errors = []
    for kept in (0.5, 0.1):
        smallest = np.quantile(np.abs(w), 1 - kept)
        pruned = jnp.where(np.abs(w) >= smallest, w, 0)
        lost = jnp.linalg.norm(w - pruned) / jnp.linalg.norm(w)
        errors.append(lost)
    return errors


def check_the_error_is_what_was_dropped():
    """The error is the root of the dropped squares over all: 0.27, and then 0.75."""
    for seed in (0, 1):
        errors = zeros_cost_accuracy(200, seed)
        squares = np.sort(np.random.default_rng(seed).normal(size=40_000) ** 2)
        for found, dropped, known in zip(
            errors, (20_000, 36_000), (0.27, 0.75), strict=True
        ):
            expected = np.sqrt(squares[:dropped].sum() / squares.sum())
            np.testing.assert_allclose(found, expected, rtol=1e-5)
            assert abs(found - known) < 0.01  # random weights


def after_how_many_calls(n=300_007, seconds=0.1):
    """Compiling has paid when the calls that follow have saved its time.

    In jit you saw this against NumPy, which compiles nothing. Op by op, JAX compiles as
    well, a small program for each kind of operation, where the array has a new length.
    So both lines begin with a first call that compiles, and the line that begins higher
    took longer for it. Where the lines cross, compiling has paid. If "compiled" begins
    lower, it has paid from the first call on. So compile what the profile shows to be
    slow, if it is called more than once.

    Predict: op by op and compiled, whose first call takes longer?
    """
    import matplotlib.pyplot as plt

    def bell(x):
        return jnp.exp(-x * x) / (1 + x * x)

    x = jnp.linspace(-3, 3, n)
    racers = {"op by op": bell, "compiled": jax.jit(bell)}
    timed = race(racers, x, seconds=seconds)
    calls = np.arange(1, 41)
    _, axes = plt.subplots()
    for name, first, later in zip(
        timed.names, timed.first_seconds, timed.seconds, strict=True
    ):
        axes.plot(calls, first + (calls - 1) * later, label=name)
    axes.set(xlabel="calls", ylabel="seconds in all")
    axes.set_title("When has compiling paid?")
    axes.legend()
    y = bell(x)
    return timed, y, axes


def check_lines_add_up_the_calls():
    """Each line is the first call plus the later ones, and the numbers are NumPy's."""
    timed, y, axes = after_how_many_calls(1001, 0.02)
    for i, line in enumerate(axes.lines):
        each = [timed.first_seconds[i], *[timed.seconds[i]] * 39]
        np.testing.assert_allclose(line.get_ydata(), np.cumsum(each), rtol=1e-9)
    x = np.linspace(-3, 3, 1001)
    np.testing.assert_allclose(y, np.exp(-x * x) / (1 + x * x), rtol=1e-5)


def each_new_shape_compiles(count=6):
    """Where each call brings a new shape, each call compiles.

    Each shape needs a program of its own. If a shape comes once, its program is used
    once, and nothing pays it back. Do such work in NumPy, or pad to a few shapes, as
    shapes_and_branches shows.

    Predict: there are six arrays of six lengths. How often is `length` traced?
    """

    @traces
    @jax.jit
    def length(x):
        return jnp.sqrt(jnp.sum(x * x))

    arrays = [np.ones(n, dtype=np.float32) for n in range(1, count + 1)]
    start = time.perf_counter()
    by_jax = [float(length(x)) for x in arrays]
    middle = time.perf_counter()
    by_numpy = [float(np.sqrt(np.sum(x * x))) for x in arrays]
    end = time.perf_counter()
    print(f"JAX {1000 * (middle - start):.2f} ms")
    print(f"NumPy {1000 * (end - middle):.2f} ms")
    traced = length.count
    return by_jax, by_numpy, traced


def check_a_trace_for_each_shape():
    """There are as many traces as shapes, and all lengths are √n."""
    for count in (2, 6):
        by_jax, by_numpy, traced = each_new_shape_compiles(count)
        expected = np.sqrt(np.arange(1, count + 1))
        np.testing.assert_allclose([by_jax, by_numpy], [expected] * 2, rtol=1e-6)
        assert traced == count


def programs_kept_on_disk(n=1003):
    """JAX can keep compiled programs in a folder, for the next run.

    A compiled program is gone when Python ends. If the setting
    `jax_compilation_cache_dir` names a folder, JAX keeps compiled programs in it, and
    looks there before it compiles. It keeps those that took a second or more to
    compile, or as many seconds as you set with
    `jax_persistent_cache_min_compile_time_secs`. Set both at the top of your program.
    (JAX keeps to the first folder that it has used. `compilation_cache.reset_cache()`
    makes it take the new one, should this page run twice.) Choose a folder into which
    nobody else can write, because JAX will run what it finds there.

    `next_run` makes a new function at each call, and JAX does not know it yet. So its
    second call stands for the next run of your program. (This is the last of the means
    that JAX itself has. The next lessons show libraries that build on JAX.)

    Predict: both calls trace `wave`. How many compiled programs are in the folder after
    the first, and after the second?
    """

    def next_run(x):
        def wave(x):
            return jnp.sin(x) * jnp.exp(-x)

        start = time.perf_counter()
        y = jax.jit(wave)(x).block_until_ready()
        print(f"{1000 * (time.perf_counter() - start):.1f} ms")
        return y

    x = jnp.linspace(0, 3, n)
    folder_before = jax.config.jax_compilation_cache_dir
    with TemporaryDirectory() as folder:
        jax.config.update("jax_compilation_cache_dir", folder)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        compilation_cache.reset_cache()
        next_run(x)
        after_one = len(list(Path(folder).glob("jit_wave*-cache")))
        y = next_run(x)
        after_two = len(list(Path(folder).glob("jit_wave*-cache")))
    jax.config.update("jax_compilation_cache_dir", folder_before)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 1)
    compilation_cache.reset_cache()
    return after_one, after_two, y


def check_one_program_is_kept():
    """The first call leaves one file, the second adds none, and the wave is NumPy's."""
    for n in (101, 1003):
        after_one, after_two, y = programs_kept_on_disk(n)
        assert (after_one, after_two) == (1, 1)
        x = np.linspace(0, 3, n)
        np.testing.assert_allclose(y, np.sin(x) * np.exp(-x), rtol=1e-5, atol=1e-6)
