"""Devices: one program on eight of them, and what has to travel between them.

You cut an array into pieces, one for each device, and call the same compiled function
as before: JAX works out what each device computes and what they must tell each other.
After this lesson you can place arrays, take a gradient over many devices, read from the
compiled program what moves between them, and start a program of several processes. Read
first: arrays_at_work, grad, vmap and jit.
"""

import math
import os
import re
import socket
import subprocess
import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

ORDER = 170

DEVICES = 8


def a_list_of_devices():
    """`jax.devices()` lists the devices; a CPU can play eight of them.

    A *device* is what computes: a GPU, a TPU or a CPU. A CPU is one device, unless you
    ask for more before JAX starts: `jax.config.update("jax_num_cpu_devices", 8)`, right
    after `import jax`. These are *virtual* devices. Each holds arrays and runs programs
    of its own, but all share one processor, so they bring no speed. They are for
    learning and for tests: the same program runs on eight GPUs.

    This page asks for them where JAX finds fewer than eight devices. `DEVICES` is how
    many it uses.
    """
    devices = jax.devices()[:DEVICES]
    platform = devices[0].platform
    numbers = [device.id for device in devices]
    return devices, platform, numbers


def check_there_are_eight():
    """There are eight devices, and each has a number of its own."""
    devices, platform, numbers = a_list_of_devices()
    assert numbers == [device.id for device in devices]
    assert len(set(numbers)) == len(devices) == 8
    assert platform in ("cpu", "gpu", "tpu")


def number_is_settled_once(wanted=2):
    """How many devices there are is settled when JAX starts.

    JAX starts when you first make an array or ask for the devices. The demo above has
    asked. `jax.device_count()` is how many there are.

    Predict: can we still change our mind, and have two devices?
    """
    before = jax.device_count()
    try:
        jax.config.update("jax_num_cpu_devices", wanted)
    except RuntimeError as error:
        refused = error
    after = jax.device_count()
    return before, refused, after


def check_the_number_stays():
    """JAX refuses another number once it has started, and keeps the one it has."""
    for wanted in (2, 3):
        before, refused, after = number_is_settled_once(wanted)
        assert before == after >= 8
        assert type(refused) is RuntimeError
        assert "before backends are initialized" in str(refused)


def computed_where_the_array_is(place=3):
    """`jax.device_put` puts an array on a device of your choice.

    A new array is on the first device, as x is here. `x.devices()` tells where an array
    is. `jax.device_put(x, device)` gives x on that device: a copy, if x is elsewhere.

    Predict: on which device is twice that copy?
    """
    x = jnp.arange(4.0)
    first = x.devices()
    chosen = jax.devices()[place]
    moved = jax.device_put(x, chosen)
    doubled = 2 * moved
    where = doubled.devices()
    return first, chosen, moved, doubled, where


def check_results_stay_with_their_array():
    """A result is on the device of the array that it is computed from."""
    for place in (3, 7):
        first, chosen, moved, doubled, where = computed_where_the_array_is(place)
        assert moved.devices() == where == {chosen}
        assert first != where
        assert moved.tolist() == [0, 1, 2, 3]
        assert doubled.tolist() == [0, 2, 4, 6]


def two_places_do_not_mix(place=3):
    """JAX does not move an array that you have put on a device.

    Such an array is *committed* to its device. An array for which no device was named,
    as x here, is not committed: where it meets a committed one, JAX moves it. (What is
    computed from a committed array is committed, too.)

    Predict: x and `here` are both on the first device. Which of them can be added to
    `there`?
    """
    home = jax.devices()[0]
    away = jax.devices()[place]
    x = jnp.arange(4.0)
    here = jax.device_put(x, home)
    there = jax.device_put(x, away)
    added = x + there
    where = added.devices()
    try:
        here + there
    except ValueError as error:
        refused = error
    brought = here + jax.device_put(there, home)
    return away, added, where, refused, brought


def check_committed_arrays_stay():
    """The free array follows; two committed ones are refused, until you move one."""
    for place in (3, 5):
        away, added, where, refused, brought = two_places_do_not_mix(place)
        assert where == {away}
        assert added.tolist() == brought.tolist() == [0, 2, 4, 6]
        assert type(refused) is ValueError
        assert "incompatible devices" in str(refused)


def devices_in_a_line(name="data"):
    """A mesh lines devices up, and gives the line a name.

    To say where the parts of an array go, you first say which devices there are to go
    to. `jax.sharding.Mesh(devices, names)` makes a *mesh* of them. The usual mesh is a
    line, and our line is called `"data"`, because data will be cut along it. (What
    `axis_types` is for, you see in `the_cut_is_in_the_type`.)
    """
    mesh = jax.sharding.Mesh(jax.devices()[:DEVICES], (name,))
    names = mesh.axis_names
    count = mesh.size
    return names, count


def check_the_line_has_eight():
    """The mesh has one name, and eight devices."""
    for name in ("data", "rows"):
        assert devices_in_a_line(name) == ((name,), 8)


def cut_in_rows(x):
    """Cut an array along its first axis, a piece for each device."""
    mesh = jax.sharding.Mesh(jax.devices()[:DEVICES], ("data",))
    return jax.device_put(x, jax.NamedSharding(mesh, jax.P("data")))


def one_array_in_pieces(rows=16):
    """A sharding can cut an array into pieces, one for each device.

    A *sharding* says how an array lies on a mesh. `jax.P("data")` cuts the first axis
    of the array into as many pieces as there are devices along `"data"`.
    `jax.NamedSharding` joins a mesh and a `jax.P`, and `device_put` deals out the
    pieces.

    For your program it is still one array with one shape. `addressable_shards` are its
    pieces: *shard* is the usual word for a piece.

    Predict: 16 numbers on eight devices. What is in the piece of device 3?
    """
    x = jnp.arange(float(rows))
    cut = cut_in_rows(x)
    shard = cut.addressable_shards[3]
    owner = shard.device
    piece = shard.data
    return cut, owner, piece


def check_pieces_are_rows():
    """The array is whole to look at; device 3 has the fourth of eight equal parts."""
    for rows in (16, 24):
        cut, owner, piece = one_array_in_pieces(rows)
        np.testing.assert_array_equal(cut, np.arange(rows))
        np.testing.assert_array_equal(piece, np.split(np.arange(rows), 8)[3])
        assert piece.devices() == {owner}


def copy_to_all(x):
    """Put a copy of an array on each device."""
    mesh = jax.sharding.Mesh(jax.devices()[:DEVICES], ("data",))
    return jax.device_put(x, jax.NamedSharding(mesh, jax.P()))


def a_copy_on_each_device(size=16):
    """With `jax.P()` nothing is cut: each device holds a copy of the whole array.

    A copy is called *replicated*. Data is usually cut, and the parameters of a model,
    which each device needs, are usually copied. `nbytes` counts the bytes of an array's
    numbers, once, however many copies there are.

    Predict: x takes 64 bytes. How many bytes do the eight devices hold, if x is cut,
    and if it is copied?
    """
    x = jnp.arange(float(size))
    cut = cut_in_rows(x)
    copied = copy_to_all(x)
    held_cut = sum(s.data.nbytes for s in cut.addressable_shards)
    held_copied = sum(s.data.nbytes for s in copied.addressable_shards)
    return held_cut, held_copied


def check_copies_cost_memory():
    """Cut, an array takes its own size in all; copied, it takes eight times that."""
    for size in (16, 80):
        assert a_copy_on_each_device(size) == (4 * size, 8 * 4 * size)


def a_mesh_with_two_axes():
    """A mesh can have two axes, and cut an array both ways.

    Here the devices form a table, four by two, with names for both axes.
    `jax.P("rows", "columns")` cuts the first axis of the array along the one and the
    second along the other. `jax.debug.visualize_array_sharding` draws which device has
    which part.

    Predict: the first row of the table has the devices 0 and 1, the second 2 and 3.
    Which numbers of x does device 3 have?
    """
    mesh = jax.sharding.Mesh(
        np.reshape(jax.devices()[:DEVICES], (4, 2)),
        ("rows", "columns"),
    )
    cut = jax.P("rows", "columns")
    x = jnp.arange(16.0).reshape(4, 4)
    tiles = jax.device_put(x, jax.NamedSharding(mesh, cut))
    jax.debug.visualize_array_sharding(tiles)
    tile = tiles.addressable_shards[3].data
    return tile


def check_a_tile_is_cut_both_ways():
    """Device 3 holds the right half of the second row."""
    np.testing.assert_array_equal(a_mesh_with_two_axes(), [[6, 7]])


def uneven_pieces_are_refused(rows=6):
    """`jax.device_put` refuses to cut an array into unequal pieces.

    Six numbers cannot be dealt out to eight devices. The cure is padding, as in the
    lesson shapes_and_branches: `jnp.pad` adds zeros up to the next multiple of eight,
    of which `-rows % DEVICES` are needed, and we divide by how many numbers are real.
    """
    x = jnp.arange(1.0, rows + 1)
    try:
        cut_in_rows(x)
    except ValueError as error:
        refused = error

    padded = jnp.pad(x, (0, -rows % DEVICES))
    cut = cut_in_rows(padded)
    mean = jnp.sum(cut) / rows
    return refused, cut, mean


def check_padding_makes_it_fit():
    """Uneven rows raise a ValueError; padded with zeros they fit, and keep the mean."""
    for rows in (6, 11):
        refused, cut, mean = uneven_pieces_are_refused(rows)
        assert isinstance(refused, ValueError)
        assert "divi" in str(refused)
        assert cut.tolist() == [*range(1, rows + 1), *[0] * (len(cut) - rows)]
        assert len(cut) % 8 == 0
        np.testing.assert_allclose(mean, (rows + 1) / 2, rtol=1e-6)


def the_program_follows_its_data(rows=16):
    """A compiled function runs where the pieces of its argument are.

    The function knows nothing of devices. `jax.jit` looks at the sharding of the
    arguments and compiles one program that every device runs on its own piece.
    `y.sharding.spec` is the `jax.P` of an array: it tells how the result is cut.
    (`wave` is traced twice: for `jit`, an array on a mesh is another kind of argument
    than one on a single device.)
    """

    @jax.jit
    def wave(x):
        return jnp.sin(x)

    x = jnp.linspace(0, 1, rows)
    one = wave(x)
    many = wave(cut_in_rows(x))
    spec = many.sharding.spec
    used = len(many.devices())
    return one, many, spec, used


def check_one_device_and_eight_agree():
    """The sines are the same, and those of a cut array are cut over eight devices."""
    for rows in (16, 40):
        one, many, spec, used = the_program_follows_its_data(rows)
        expected = np.sin(np.linspace(0, 1, rows))
        np.testing.assert_allclose(one, expected, atol=1e-6)
        np.testing.assert_allclose(many, expected, atol=1e-6)
        assert tuple(spec) == ("data",)
        assert used == 8


def made_in_pieces(rows=1600):
    """An array can be made in pieces, so that no device has to hold all of it.

    So far an array was whole in one place first, and was then cut. A large one may fit
    in no single place. With `out_shardings` you tell `jax.jit` how the result shall be
    cut. Here each device makes its own piece only.

    At the end you may want the numbers in NumPy. `np.asarray`, or `jax.device_get`,
    brings all pieces together, if they are in the same process.

    Predict: x has 1600 numbers. How many bytes does each device make?
    """
    mesh = jax.sharding.Mesh(jax.devices()[:DEVICES], ("data",))
    cut = jax.NamedSharding(mesh, jax.P("data"))

    def make():
        return jnp.arange(rows, dtype="float32")

    x = jax.jit(make, out_shardings=cut)()
    made = [shard.data.nbytes for shard in x.addressable_shards]
    in_numpy = np.asarray(x)
    return made, in_numpy


def check_each_device_makes_its_piece():
    """Each device makes an eighth of the bytes, and NumPy gets all numbers."""
    for rows in (16, 1600):
        made, in_numpy = made_in_pieces(rows)
        assert made == [4 * rows / 8] * 8
        assert type(in_numpy) is np.ndarray
        np.testing.assert_array_equal(in_numpy, np.arange(rows))


def a_sum_over_all_devices(rows=64):
    """Where a result needs all pieces, the compiled program makes devices talk.

    Each row of x is whole on one device, but a column is spread over all eight. To add
    up the columns, each device adds up its own part of them first. Then the partial
    sums meet in an *all-reduce*: all devices hand in an array, and all receive the sum.

    An operation in which devices send each other something is called a *collective*.
    Our function does not ask for one: the compiler put it in. So we look for it in the
    text of the compiled program, `jax.jit(f).lower(x).compile().as_text()`. After the =
    stands the type of the result, where `f32` is float32.

    Predict: x has shape (64, 2). What is the shape of the array that is sent?
    """

    def sum_of_columns(x):
        return jnp.sum(x, axis=0)

    x = cut_in_rows(np.ones((rows, 2), "float32"))
    compiled = jax.jit(sum_of_columns).lower(x).compile()
    found = [
        line.strip()
        for line in compiled.as_text().splitlines()
        if " all-reduce" in line
    ]
    total = compiled(x)
    return found, total


def check_partial_sums_are_reduced():
    """Two numbers go into the all-reduce, and the sums of the columns come out."""
    for rows in (16, 64):
        found, total = a_sum_over_all_devices(rows)
        assert "f32[2]" in found[0]
        np.testing.assert_array_equal(total, [rows, rows])


MOVES = (
    r"(\w+\[[\d,]*\])[^ ]* (all-reduce|all-gather|all-to-all"
    r"|reduce-scatter|collective-permute)(?:-start)?\("
)


def collectives(function, *arguments):
    """List what a compiled program sends between devices."""
    compiled = jax.jit(function).lower(*arguments).compile()
    return re.findall(MOVES, compiled.as_text())


def not_every_sum_is_sent(rows=64):
    """Which axis you add up decides whether anything is sent.

    `collectives` does the search for us, now and in the rest of this lesson: it lists
    the name of each collective in a compiled program, with the type of its result.
    (Where XLA has joined several results in one line, it gives only one of them.) You
    need not read `MOVES`. It is a pattern for the names, made for `re.findall`.

    Predict: for which of the two sums is the list empty?
    """

    def sum_of_rows(x):
        return jnp.sum(x, axis=1)

    def sum_of_columns(x):
        return jnp.sum(x, axis=0)

    x = cut_in_rows(np.ones((rows, 2), "float32"))
    along_rows = collectives(sum_of_rows, x)
    along_columns = collectives(sum_of_columns, x)
    return along_rows, along_columns


def check_only_partial_sums_travel():
    """Sums of rows move nothing; sums of columns move two numbers, for any rows."""
    for rows in (16, 64):
        along_rows, along_columns = not_every_sum_is_sent(rows)
        assert along_rows == []
        assert along_columns == [("f32[2]", "all-reduce")]


def wave_data(rows, waves):
    """Make heights of waves, points and targets, in NumPy."""
    w = np.ones(waves, "float32")
    x = np.linspace(0, 3, rows, dtype="float32")
    targets = np.sqrt(x)
    return w, x, targets


def loss(w, x, targets):
    """Average the squared error of a sum of sine waves."""
    waves = jnp.sin(x[:, None] * jnp.arange(1, len(w) + 1))
    return jnp.mean((jnp.sum(w * waves, axis=1) - targets) ** 2)


def closed_form(w, x, targets):
    """Work out the gradient of `loss` by hand, in float64."""
    waves = np.sin(np.outer(np.float64(x), np.arange(1, len(w) + 1)))
    return 2 * waves.T @ (waves @ np.float64(w) - targets) / len(x)


def gradient_on_eight_devices(rows=16, waves=4):
    """The same gradient function runs on one device and on eight.

    This is *data-parallel* training: each device has a copy of the weights and its
    share of the rows. Nothing in `loss` says so. We only place the arguments.
    (`closed_form` is the same gradient worked out by hand, for the claim below.)
    """
    w, x, targets = wave_data(rows, waves)
    slope = jax.jit(jax.grad(loss))
    one = slope(w, x, targets)
    many = slope(copy_to_all(w), cut_in_rows(x), cut_in_rows(targets))
    used = len(many.devices())
    return w, x, targets, one, many, used


def check_both_gradients_are_the_closed_form():
    """The gradient is the same on one device and on eight, as worked out by hand."""
    for rows, waves in ((80, 3),):
        *data, one, many, used = gradient_on_eight_devices(rows, waves)
        for each in (one, many):
            # sums of float32 numbers, in another order for each way
            np.testing.assert_allclose(each, closed_form(*data), rtol=1e-4, atol=1e-5)
        assert used == 8


def placed_data(rows, waves):
    """Make the same data, with w copied and the rest cut."""
    w, x, targets = wave_data(rows, waves)
    return copy_to_all(w), cut_in_rows(x), cut_in_rows(targets)


def training_on_eight_devices(rows=16, waves=4, steps=20):
    """To train on eight devices, you write the loop as for one.

    As in the lesson jit, `donate_argnums=0` lets the new weights take the memory of the
    old. Only the arrays are placed, once, before the loop. `is_fully_replicated` tells
    that each device has a copy of the whole array.

    Predict: after the steps, are the weights still copied to each device?
    """

    @partial(jax.jit, donate_argnums=0)
    def step(w, x, targets):
        return w - 0.1 * jax.grad(loss)(w, x, targets)

    w, x, targets = placed_data(rows, waves)
    before = loss(w, x, targets)
    for _ in range(steps):
        w = step(w, x, targets)
    after = loss(w, x, targets)
    copied = w.sharding.is_fully_replicated
    used = len(w.devices())
    return before, after, w, copied, used


def check_training_is_gradient_descent():
    """The weights are those of gradient descent by hand, and stay on all devices."""
    for rows, waves, steps in ((80, 3, 5),):
        *losses, w, copied, used = training_on_eight_devices(rows, waves, steps)
        by_hand, x, targets = wave_data(rows, waves)
        heights = np.sin(np.outer(np.float64(x), np.arange(1, waves + 1)))
        found = [np.mean((heights @ by_hand - targets) ** 2)]
        for _ in range(steps):
            by_hand = by_hand - 0.1 * closed_form(by_hand, x, targets)
        found.append(np.mean((heights @ by_hand - targets) ** 2))
        # float32, in another order
        np.testing.assert_allclose(w, by_hand, rtol=1e-4)
        # float32, in another order
        np.testing.assert_allclose(losses, found, rtol=1e-4)
        assert copied is True
        assert used == 8


def what_a_gradient_moves(rows=16, waves=4):
    """A data-parallel gradient is added up in an all-reduce.

    Each device works out the gradient of its own rows, and an all-reduce adds the eight
    together. (How often the numbers go over a wire depends on the machine.)

    Predict: with a hundred times as many rows, how much more is sent?
    """
    slope = jax.grad(loss)
    few = collectives(slope, *placed_data(rows, waves))
    many = collectives(slope, *placed_data(100 * rows, waves))
    return few, many


def check_a_gradient_sends_the_weights_size():
    """The all-reduce has one number for each weight, however many rows there are."""
    for rows, waves in ((8, 10),):
        few, many = what_a_gradient_moves(rows, waves)
        assert few == many == [(f"f32[{waves}]", "all-reduce")]


def bytes_sent(function, *arguments):
    """Add up the bytes of the results that `collectives` lists."""
    total = 0
    for kind, _ in collectives(function, *arguments):
        lengths = re.findall(r"\d+", kind.removeprefix("f32"))
        total += 4 * math.prod(int(length) for length in lengths)
    return total


def data_or_gradient(all_rows=(64, 512, 1024), waves=4):
    """To bring the data to each device costs more, the more rows there are.

    Instead of an all-reduce of gradients, one could bring all rows to each device, and
    let each take the gradient of all of them. How much would each device have then?
    `gather` changes nothing about x but its place: it was cut, and becomes a copy on
    each device. The collective for it is an *all-gather*. The picture compares the
    bytes of its result, for x alone, with those of the all-reduced gradient.
    """
    import matplotlib.pyplot as plt

    mesh = jax.sharding.Mesh(jax.devices()[:DEVICES], ("data",))
    copies = jax.NamedSharding(mesh, jax.P())
    gather = jax.jit(lambda x: x, out_shardings=copies)
    data = []
    gradient = []
    for rows in all_rows:
        w, x, targets = placed_data(rows, waves)
        data.append(bytes_sent(gather, x))
        gradient.append(bytes_sent(jax.grad(loss), w, x, targets))
    moved = collectives(gather, x)

    _, axes = plt.subplots()
    axes.plot(all_rows, data, label="the data")
    axes.plot(all_rows, gradient, label="the gradient")
    axes.set(xlabel="rows", ylabel="bytes", title="What has to travel")
    axes.legend()
    return axes, moved


def check_data_grows_and_the_gradient_does_not():
    """The data takes four bytes a number; the gradient four a weight, for all rows."""
    for all_rows, waves in (((8, 80), 3),):
        axes, moved = data_or_gradient(all_rows, waves)
        data, gradient = (line.get_ydata() for line in axes.lines)
        # exact, but a drawing holds floats
        np.testing.assert_allclose(data, 4 * np.array(all_rows))
        np.testing.assert_allclose(gradient, [4 * waves] * len(all_rows))
        assert moved == [(f"f32[{all_rows[-1]}]", "all-gather")]


def cut_in_columns(x):
    """Cut a matrix along its second axis, a piece for each device."""
    mesh = jax.sharding.Mesh(jax.devices()[:DEVICES], ("data",))
    cut = jax.NamedSharding(mesh, jax.P(None, "data"))
    return jax.device_put(x, cut)


def three_ways_to_cut_a_product(size=16):
    """How two matrices are cut decides what their product must send.

    Each entry of the product is a sum over one row of a and one column of b. A device
    that has this row and this column whole needs nothing from the others. If each row
    of a and each column of b is cut in pieces, each device has a part of every sum, and
    an all-reduce adds the parts. If a device has whole rows of a, but only some rows of
    b, all of b is gathered first. In `jax.P(None, "data")`, `None` leaves the first
    axis whole.

    Predict: what is sent if a is cut in rows and b is copied? If a is cut in columns
    and b in rows? If both are cut in rows?
    """
    a = np.ones((8, size), "float32")
    b = np.ones((size, 64), "float32")
    copied_b = collectives(jnp.dot, cut_in_rows(a), copy_to_all(b))
    cut_sums = collectives(jnp.dot, cut_in_columns(a), cut_in_rows(b))
    gathered_b = collectives(jnp.dot, cut_in_rows(a), cut_in_rows(b))
    return copied_b, cut_sums, gathered_b


def check_the_cut_decides_what_is_sent():
    """Nothing is sent, or the product is all-reduced, or b is gathered."""
    for size in (32,):
        copied_b, cut_sums, gathered_b = three_ways_to_cut_a_product(size)
        assert copied_b == []
        assert cut_sums == [("f32[8,64]", "all-reduce")]
        assert gathered_b == [(f"f32[{size},64]", "all-gather")]


def a_function_of_one_piece(rows=16):
    """`jax.shard_map` gives your function the piece of one device.

    So far we wrote for the whole array, and JAX divided the work. `jax.shard_map` is
    the other way round: you write what one device does with its piece, and each device
    does it. `mesh` says on which devices, `in_specs` how the arguments are cut, and
    `out_specs` how the results are put together again; both are of the kind `jax.P`.
    Python runs your function with a tracer, and does so at each call, unless you put
    `jax.jit` around it all.

    Predict: `centre` subtracts a mean. Which numbers are averaged?
    """
    mesh = jax.sharding.Mesh(jax.devices()[:DEVICES], ("data",))
    cut = jax.P("data")

    def centre(piece):
        return piece - jnp.mean(piece)

    centre_each = jax.shard_map(
        centre,
        mesh=mesh,
        in_specs=cut,
        out_specs=cut,
    )
    x = jnp.arange(float(rows))
    y = centre_each(x)
    return x, y


def check_each_piece_has_its_own_mean():
    """Each device subtracts the mean of its own piece."""
    for rows in (24,):
        x, y = a_function_of_one_piece(rows)
        pieces = np.float64(x).reshape(8, -1)
        expected = pieces - pieces.mean(axis=1, keepdims=True)
        np.testing.assert_array_equal(x, np.arange(rows))
        np.testing.assert_allclose(y, expected.ravel(), atol=1e-6)


def devices_that_talk(rows=16):
    """Inside `shard_map` you write the collectives yourself.

    `jax.lax.pmean(value, "data")` is the mean of a value over the devices along
    `"data"`, as it was the mean over a batch in the lesson vmap. `jax.lax.psum` is the
    sum. Both become an all-reduce. Now `centre` subtracts the mean of all rows.
    """
    mesh = jax.sharding.Mesh(jax.devices()[:DEVICES], ("data",))
    cut = jax.P("data")

    def centre(piece):
        return piece - jax.lax.pmean(jnp.mean(piece), "data")

    centre_all = jax.shard_map(
        centre,
        mesh=mesh,
        in_specs=cut,
        out_specs=cut,
    )
    x = jnp.arange(float(rows))
    y = centre_all(x)
    moved = collectives(centre_all, cut_in_rows(x))
    return x, y, moved


def check_pmean_is_the_mean_of_all():
    """Each device subtracts the mean of all rows, for one number that is reduced."""
    for rows in (24,):
        x, y, moved = devices_that_talk(rows)
        np.testing.assert_array_equal(x, np.arange(rows))
        np.testing.assert_allclose(y, np.arange(rows) - (rows - 1) / 2, rtol=1e-6)
        assert moved == [("f32[]", "all-reduce")]


def shared_loss(w, x, targets):
    """Average the losses of all devices."""
    return jax.lax.pmean(loss(w, x, targets), "data")


def gradient_of_a_shard_map(rows=16, waves=4):
    """`jax.grad` goes through `jax.shard_map`.

    `shared_loss` is the loss of one device's rows, averaged over the devices. All rows
    count the same, as every device has as many. `jax.P()` says that w is copied and
    that the loss is the same on all devices.
    """
    mesh = jax.sharding.Mesh(jax.devices()[:DEVICES], ("data",))
    cut = jax.P("data")
    copied = jax.P()

    whole_loss = jax.shard_map(
        shared_loss,
        mesh=mesh,
        in_specs=(copied, cut, cut),
        out_specs=copied,
    )
    w, x, targets = wave_data(rows, waves)
    gradient = jax.jit(jax.grad(whole_loss))(w, x, targets)
    return w, x, targets, gradient


def check_the_gradient_goes_through():
    """The gradient of the `shard_map` is that of the whole loss."""
    for rows, waves in ((80, 3),):
        *data, gradient = gradient_of_a_shard_map(rows, waves)
        expected = closed_form(*data)
        # sums of float32 numbers, in another order
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


def averaged_gradient(w, x, targets):
    """Average the gradients of all devices."""
    return jax.lax.pmean(jax.grad(loss)(w, x, targets), "data")


def pmap_is_the_older_way(rows=16, waves=4):
    """`jax.pmap` is the older way to run a function on each device.

    It works like `vmap`, but each example goes to a device of its own. You cut the data
    yourself: the first axis may be at most as long as the number of devices, and the
    result has that axis, too. `axis_name` names it, for `pmean`.

    Since JAX 0.8, `pmap` is built from `jit` and `shard_map`, and JAX's documentation
    advises `shard_map` for new programs. You will still meet `pmap` in older ones.

    Myth: you need `pmap` to use several devices.
    """
    w, x, targets = wave_data(rows, waves)
    x_by_device = x.reshape(DEVICES, -1)
    targets_by_device = targets.reshape(DEVICES, -1)
    by_pmap = jax.pmap(
        averaged_gradient,
        axis_name="data",
        in_axes=(None, 0, 0),
    )
    copies = by_pmap(w, x_by_device, targets_by_device)
    by_jit = jax.jit(jax.grad(loss))(*placed_data(rows, waves))
    return w, x, targets, copies, by_jit


def check_pmap_gives_the_same():
    """`pmap` gives the gradient that `jit` gives for cut rows, once for each device."""
    for rows, waves in ((80, 3),):
        *data, copies, by_jit = pmap_is_the_older_way(rows, waves)
        expected = closed_form(*data)
        assert copies.shape == (8, waves)
        for each in (*copies, by_jit):
            # sums of float32 numbers, in another order
            np.testing.assert_allclose(each, expected, rtol=1e-4, atol=1e-5)


def summed_by_shard_map(rows=16, waves=4):
    """The same function means something else under `jax.shard_map`.

    From `jax.P()` in `in_specs`, `shard_map` knows that w is one array, the same on all
    devices. So a gradient with respect to w, taken inside, counts the rows of *all*
    devices: JAX adds up the gradients of the eight. (So it is by default;
    `check_vma=False` turns it off.) Then `averaged_gradient` takes the mean of eight
    equal sums, which is that sum again.

    Predict: by how much is the result too large?
    """
    mesh = jax.sharding.Mesh(jax.devices()[:DEVICES], ("data",))
    cut = jax.P("data")
    copied = jax.P()
    taken_inside = jax.shard_map(
        averaged_gradient,
        mesh=mesh,
        in_specs=(copied, cut, cut),
        out_specs=copied,
    )
    w, x, targets = wave_data(rows, waves)
    right = jax.jit(jax.grad(loss))(w, x, targets)
    inside = jax.jit(taken_inside)(w, x, targets)
    ratio = inside / right
    return right, inside, ratio


def check_the_gradient_inside_is_a_sum():
    """Taken inside, the gradient is the sum over eight devices, not their mean."""
    for rows, waves in ((80, 3),):
        right, inside, ratio = summed_by_shard_map(rows, waves)
        # sums of float32 numbers, in another order
        np.testing.assert_allclose(inside, 8 * np.float64(right), rtol=1e-4)
        # sums of float32 numbers, in another order
        np.testing.assert_allclose(ratio, [8] * waves, rtol=1e-4)


def average_the_loss_instead(rows=16, waves=4):
    """Inside `jax.shard_map`, average the loss and not its gradient.

    `shared_loss` is an average over all devices already. So each device finds an eighth
    of the gradient of its own loss. JAX adds the eight, as before, and their sum is the
    gradient of the whole loss. No `pmean` is needed on top. (You may also take the
    gradient outside, as in `gradient_of_a_shard_map`.)
    """
    mesh = jax.sharding.Mesh(jax.devices()[:DEVICES], ("data",))
    cut = jax.P("data")
    copied = jax.P()
    cured = jax.shard_map(
        jax.grad(shared_loss),
        mesh=mesh,
        in_specs=(copied, cut, cut),
        out_specs=copied,
    )
    w, x, targets = wave_data(rows, waves)
    right = jax.jit(jax.grad(loss))(w, x, targets)
    inside = jax.jit(cured)(w, x, targets)
    return w, x, targets, right, inside


def check_the_averaged_loss_has_the_right_gradient():
    """Of the averaged loss, the gradient inside is that of the whole loss."""
    for rows, waves in ((80, 3),):
        *data, right, inside = average_the_loss_instead(rows, waves)
        expected = closed_form(*data)
        # sums of float32 numbers, in another order
        np.testing.assert_allclose(right, expected, rtol=1e-4, atol=1e-5)
        # sums of float32 numbers, in another order
        np.testing.assert_allclose(inside, expected, rtol=1e-4, atol=1e-5)


def explicit_mesh(name):
    """Make a mesh on which the cut of an array is part of its type."""
    explicit = jax.sharding.AxisType.Explicit
    devices = jax.devices()[:DEVICES]
    return jax.sharding.Mesh(devices, (name,), axis_types=(explicit,))


def the_cut_is_in_the_type(size=8):
    """The sharding can be part of an array's type.

    So far the compiler chose how results are cut. You may want to know it before you
    compile, and to be sure of it. `axis_types` says how a mesh is used: `Auto`, as so
    far, or `jax.sharding.AxisType.Explicit`. On an explicit mesh, the cut follows from
    the types as a shape does, and `jax.typeof(x)` shows it: in `8@data` an axis of
    length 8 is cut along `"data"`.

    Predict: x has the type float32[2,8@data]. Which type has its transpose?
    """
    mesh = explicit_mesh("data")
    cut = jax.NamedSharding(mesh, jax.P(None, "data"))
    x = jax.device_put(jnp.ones((2, size)), cut)
    of_x = str(jax.typeof(x))
    of_sine = str(jax.typeof(jnp.sin(x)))
    of_turned = str(jax.typeof(x.T))
    return of_x, of_sine, of_turned


def check_types_tell_the_cut():
    """The sine is cut as x is, and in the transpose the first axis is cut."""
    for size in (8, 16):
        of_x, of_sine, of_turned = the_cut_is_in_the_type(size)
        assert of_x == of_sine == f"float32[2,{size}@data]"
        assert of_turned == f"float32[{size}@data,2]"


def you_choose_where_types_do_not(size=8):
    """Where the types do not settle the cut of a result, you have to choose.

    In this product, each device has a part of every sum. The sums could end up copied
    on all devices, or cut among them. The message speaks of *contracting dimensions*,
    which are the axes that a product adds up over. `out_sharding` is your choice.
    """
    mesh = explicit_mesh("data")
    cut = jax.NamedSharding(mesh, jax.P(None, "data"))
    x = jax.device_put(jnp.ones((2, size)), cut)
    try:
        jnp.dot(x, x.T)
    except Exception as error:  # JAX has no public name for its type
        refused = error
    copied = jax.NamedSharding(mesh, jax.P())
    product = jnp.dot(x, x.T, out_sharding=copied)
    return refused, product


def check_an_unclear_product_is_refused():
    """Without `out_sharding` the product is refused; with it, all entries are right."""
    for size in (8, 16):
        refused, product = you_choose_where_types_do_not(size)
        assert type(refused).__name__ == "ShardingTypeError"
        assert "out_sharding" in str(refused)
        assert product.tolist() == [[size, size], [size, size]]


TOO_LATE = """
import os
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_NUM_CPU_DEVICES"] = "3"
import jax
os.environ["JAX_NUM_CPU_DEVICES"] = "5"
print(jax.device_count())
"""


def a_variable_that_comes_too_late():
    """Set environment variables for JAX before you import it.

    An *environment variable* is a setting from outside, such as `JAX_PLATFORMS=cpu`.
    JAX reads some when it is imported and others when it starts. One that comes later
    is passed over without a word. To see it we need a fresh Python: `subprocess.run`
    starts one with the program `TOO_LATE`.

    Predict: three devices, or five?
    """
    done = subprocess.run(
        [sys.executable, "-c", TOO_LATE],
        capture_output=True,
        text=True,
        check=True,
    )
    count = int(done.stdout)
    return count


def check_a_late_variable_has_no_effect():
    """The value from before the import counts."""
    assert a_variable_that_comes_too_late() == 3


def memory_in_advance():
    """On a GPU, JAX takes three quarters of the memory when it starts.

    Then it deals out pieces of it, which is fast. But a second process that wants as
    much finds no room, even if the first holds a single number. Two environment
    variables change this: `XLA_PYTHON_CLIENT_PREALLOCATE=false` takes memory only as it
    is needed, and `XLA_CLIENT_MEM_FRACTION=.30` takes 30 % in advance. Set them before
    the import.

    `device.memory_stats()` tells what a device holds, and under `"bytes_limit"` what it
    may hold. A CPU takes nothing in advance, and gives `None`. So on a CPU you see
    nothing of all this.
    """
    device = jax.devices()[0]
    platform = device.platform
    stats = device.memory_stats()
    return platform, stats


def check_a_cpu_takes_nothing():
    """A CPU gives no statistics; another device has a limit and is within it."""
    platform, stats = memory_in_advance()
    assert (platform == "cpu") == (stats is None)
    if stats is not None:
        assert 0 <= stats["bytes_in_use"] <= stats["bytes_limit"]


def each_process_brings_its_part(rows=16):
    """Each process brings its own part of the data.

    A large machine has many computers, with a *process*, a Python of its own, on each.
    All run the same program, and each process has a number, its *rank*:
    `jax.process_index()`, of `jax.process_count()` processes in all.

    So no process has to read all the data. Each reads its own part, and
    `jax.make_array_from_process_local_data` makes one array of the parts. This page has
    one process, whose part is the whole, so here the result is what `device_put` gives.
    In the next section there are two.
    """
    rank = jax.process_index()
    count = jax.process_count()
    mesh = jax.sharding.Mesh(jax.devices()[:DEVICES], ("data",))
    cut = jax.NamedSharding(mesh, jax.P("data"))
    mine = np.linspace(0, 1, rows, dtype="float32")
    x = jax.make_array_from_process_local_data(cut, mine)
    spec = x.sharding.spec
    return rank, count, x, spec


def check_one_process_brings_all():
    """One process has the rank 0, and its part makes the whole array, cut in rows."""
    for rows in (16, 40):
        rank, count, x, spec = each_process_brings_its_part(rows)
        assert (rank, count) == (0, 1)
        np.testing.assert_allclose(x, np.linspace(0, 1, rows), rtol=1e-6)
        assert tuple(spec) == ("data",)


WORKER = """
import sys
import jax
import jax.numpy as jnp
import numpy as np

rank, port, rows = [int(word) for word in sys.argv[1:]]
jax.distributed.initialize(f"127.0.0.1:{port}", 2, rank)
mesh = jax.sharding.Mesh(jax.devices(), ("data",))
cut = jax.NamedSharding(mesh, jax.P("data"))

mine = np.split(np.linspace(0, 1, rows, dtype="float32"), 2)[rank]
x = jax.make_array_from_process_local_data(cut, mine)

def loss(w, x):
    return jnp.mean((w * x - 3 * x) ** 2)

slope = jax.jit(jax.grad(loss))(1.0, x)
devices = f"{jax.local_device_count()} of {jax.device_count()} devices"
print(f"{devices}, {len(mine)} of {len(x)} rows: gradient {slope}")
"""


def run_workers(rows):
    """Run WORKER in two processes at once; return what they print."""
    with socket.socket() as ours:
        ours.bind(("127.0.0.1", 0))  # the system finds a free port
        port = ours.getsockname()[1]
    settings = {"JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "1"}
    workers = []
    try:
        for rank in (0, 1):
            words = [str(rank), str(port), str(rows)]
            worker = subprocess.Popen(
                [sys.executable, "-c", WORKER, *words],
                env=os.environ | settings,
                stdout=subprocess.PIPE,
                text=True,
            )
            workers.append(worker)
        printed = [w.communicate(timeout=120)[0] for w in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    return [re.search(r"\d of .*", output)[0] for output in printed]


def two_processes_agree_with_one(rows=16):
    """Several processes can share one mesh, and run one program together.

    Read the program `WORKER`. `jax.distributed.initialize` comes before anything else
    that starts JAX. It takes the address of the first process, how many there are, and
    the rank of this one. After that, `jax.devices()` lists the devices of all
    processes, so the mesh goes over all of them. All else is as before.

    `run_workers` only starts the program twice on this machine, with one device each,
    and takes from each the line that it prints: how many devices and rows are its own,
    of how many in all, and the gradient. (A *port* is a number for a connection.
    The lines of Gloo come from the library by which CPUs send each other numbers.)

    Predict: each process brings half of x only. Which gradient does it print?
    """
    said = run_workers(rows)
    x = jnp.linspace(0, 1, rows)
    one = jax.grad(lambda w: jnp.mean((w * x - 3 * x) ** 2))(1.0)
    return said, one


def check_both_processes_have_the_whole_gradient():
    """Both print the gradient of all rows: 2·(1 − 3) times the mean of x²."""
    for rows in (24,):
        said, one = two_processes_agree_with_one(rows)
        expected = -4 * np.mean(np.linspace(0, 1, rows) ** 2)
        np.testing.assert_allclose(one, expected, rtol=1e-6)
        assert len(said) == 2
        for words in said:
            counts, gradient = words.split(": gradient ")
            assert counts == f"1 of 2 devices, {rows // 2} of {rows} rows"
            np.testing.assert_allclose(float(gradient), expected, rtol=1e-6)
