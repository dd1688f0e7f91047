"""PyTorch and JAX: the same function in both, and where they part.

If you come from PyTorch, or have a network written in it, this lesson is the bridge.
PyTorch has a gradient, a `vmap` and a compiler in the form that you know from JAX, and
they give the same numbers. A network of PyTorch can be turned into a pure function, and
its parameters carried over to JAX. On the way stand the places where the same words
give other numbers, without an error. Read first: pytrees, jit and neural_network.
"""

import jax
import jax.numpy as jnp
import numpy as np

ORDER = 200
NEEDS = "pytorch"


def tensors_and_arrays(start=1.5):
    """An array of NumPy becomes a tensor of PyTorch, or an array of JAX.

    What JAX calls an array, PyTorch calls a tensor. `torch.from_numpy` makes one of an
    array of NumPy, and `.numpy()` leads back. `torch.tensor` makes one of a list. Of
    plain floats both make float32.

    Predict: which types do the two get from these two arrays of NumPy?
    """
    import torch

    floats = np.array([start, 2.5])
    integers = np.array([1, 2])
    torch_floats = torch.from_numpy(floats)
    jax_floats = jnp.array(floats)
    torch_integers = torch.from_numpy(integers)
    jax_integers = jnp.array(integers)
    plain = torch.tensor([start, 2.5])
    return torch_floats, jax_floats, torch_integers, jax_integers, plain


def check_pytorch_keeps_64_bits():
    """PyTorch keeps the 64 bits of NumPy, JAX makes 32; plain floats are float32."""
    for start in (1.5, -3.0):
        floats, jax_floats, integers, jax_integers, plain = tensors_and_arrays(start)
        assert str(floats.dtype).endswith("float64")
        assert str(plain.dtype).endswith("float32")
        assert str(integers.dtype).endswith("int64")
        assert str(jax_floats.dtype) == "float32"
        assert str(jax_integers.dtype) == "int32"
        for found in (floats, jax_floats, plain):
            np.testing.assert_array_equal(np.asarray(found), [start, 2.5])
        for found in (integers, jax_integers):
            np.testing.assert_array_equal(np.asarray(found), [1, 2])


def gradients_of_a_function(points=9):
    """`torch.func.grad` takes a function and gives its slope, as `jax.grad` does.

    It stands in `torch.func`, which was written after JAX's example. `torch.func.vmap`
    is there as well. In the picture, the two curves are JAX's, and the single marks on
    them are PyTorch's.
    """
    import matplotlib.pyplot as plt
    import torch
    from torch.func import grad, vmap

    x = np.linspace(0, 6, points, dtype=np.float32)
    once = vmap(grad(torch.sin))(torch.from_numpy(x))
    twice = vmap(grad(grad(torch.sin)))(torch.from_numpy(x))
    jax_once = jax.vmap(jax.grad(jnp.sin))(x)
    jax_twice = jax.vmap(jax.grad(jax.grad(jnp.sin)))(x)

    _, axes = plt.subplots()
    axes.plot(x, jax_once, label="JAX, slope")
    axes.plot(x, jax_twice, label="JAX, its slope")
    axes.plot(x, once.numpy(), "o", label="PyTorch, slope")
    axes.plot(x, twice.numpy(), "o", label="PyTorch, its slope")
    axes.set(xlabel="x", title="the sine: PyTorch's marks on JAX's curves")
    axes.legend()
    return axes


def check_slopes_of_the_sine():
    """In both, the slope of the sine is the cosine, and the next slope is −sine."""
    for points in (9, 20):
        x = np.linspace(0, 6, points)
        lines = [line.get_ydata() for line in gradients_of_a_function(points).lines]
        for found, expected in zip(lines, 2 * [np.cos(x), -np.sin(x)], strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-6)


def dot_relu_for_one_and_many(scale=1.0):
    """`torch.func.vmap` works like `jax.vmap`; its `in_dims` are JAX's `in_axes`.

    This function takes one weight vector and one example. `torch.func.vmap` makes one
    for many examples of it: None says that all share the weights, 0 that each row of x
    is an example. While it does so, x stands for one example, as a tracer does in JAX.
    """
    import torch

    def model(w, x):
        return torch.relu(torch.dot(w, x))

    def jax_model(w, x):
        return jax.nn.relu(jnp.dot(w, x))

    w = np.array([1.0, -2.0, 0.5], dtype=np.float32)
    rows = [[1, 0, 4], [0, 1, 0], [2, 1, 2]]
    x = scale * np.array(rows, dtype=np.float32)
    batched = torch.func.vmap(model, in_dims=(None, 0))
    of_torch = batched(torch.from_numpy(w), torch.from_numpy(x))
    of_jax = jax.vmap(jax_model, in_axes=(None, 0))(w, x)
    return of_torch, of_jax


def check_batched_dots_are_a_loop():
    """Both give what a loop over the examples gives."""
    for scale in (1.0, -2.0):
        examples = ((1, 0, 4), (0, 1, 0), (2, 1, 2))
        expected = [
            max(0, scale * sum(a * b for a, b in zip((1, -2, 0.5), row, strict=True)))
            for row in examples
        ]
        for found in dot_relu_for_one_and_many(scale):
            np.testing.assert_allclose(np.asarray(found), expected, 1e-6)


def gradients_add_up(calls=2):
    """The older way of PyTorch leaves the gradients in the tensors.

    Most PyTorch code does not use `torch.func`. It marks a tensor with
    `requires_grad=True`, computes with it, and calls `.backward()` on the result. That
    returns nothing: it writes the slopes into `.grad` of the tensor. `.item()` gives
    the Python number in a tensor, and `.zero_()` sets a tensor to zero.

    Predict: the slope of x² at 3 is 6. What is in `.grad` after two calls?
    """
    import torch

    x = torch.tensor(3.0, requires_grad=True)
    slopes = []
    for _ in range(calls):
        y = x**2
        y.backward()
        slope = x.grad.item()
        slopes.append(slope)
    x.grad.zero_()
    y = x**2
    y.backward()
    after_zero = x.grad.item()
    return slopes, after_zero


def check_slopes_add_up_until_set_to_zero():
    """Each call adds 6, until `.grad` is set to zero."""
    for calls in (2, 4):
        slopes, after_zero = gradients_add_up(calls)
        np.testing.assert_allclose(slopes, [6 * (n + 1) for n in range(calls)], 1e-6)
        np.testing.assert_allclose(after_zero, 6, 1e-6)


def training_step_in_both(steps=3, rate=0.1):
    """A training step: PyTorch changes the parameter, JAX makes a new one.

    Both look for the w with which w x is nearest to y. In PyTorch an *optimizer*, such
    as `torch.optim.SGD`, holds the parameters. `zero_grad` empties their `.grad`, as
    the section before has shown to be needed, `loss.backward()` fills them, and `step`
    changes the parameters in place. In JAX, `jax.value_and_grad` returns the loss and
    the slope, and you write the step, or take it from Optax (see ecosystem).
    """
    import torch

    x = np.array([0.0, 1.0, 2.0], dtype=np.float32)
    y = 2 * x
    torch_x = torch.from_numpy(x)
    torch_y = torch.from_numpy(y)
    torch_w = torch.tensor(0.0, requires_grad=True)
    optimizer = torch.optim.SGD([torch_w], lr=rate)
    torch_path = []
    for _ in range(steps):
        loss = torch.mean((torch_w * torch_x - torch_y) ** 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        torch_path.append(torch_w.item())

    def jax_loss(w):
        return jnp.mean((w * x - y) ** 2)

    loss_and_slope = jax.jit(jax.value_and_grad(jax_loss))
    w = 0.0
    path = []
    for _ in range(steps):
        loss, slope = loss_and_slope(w)
        w = w - rate * slope
        path.append(w)
    return torch_path, path


def check_both_take_the_steps_of_gradient_descent():
    """Both take the same steps, those of gradient descent towards 2."""
    for steps, rate in ((3, 0.1), (2, 0.2)):
        # the slope is 10/3 · (w − 2)
        left = 1 - rate * 10 / 3
        expected = [2 - 2 * left ** (n + 1) for n in range(steps)]
        for found in training_step_in_both(steps, rate):
            np.testing.assert_allclose(found, expected, 1e-5)


def tensors_change_in_place(value=99.0):
    """A tensor may be changed in place, and a slice of it changes the whole.

    A slice of a tensor is a view, as in NumPy: it shares the memory. An array of JAX
    cannot be changed, and `.at` makes a new one. So code that writes in place has to be
    written anew for JAX. Look at `tensor` and at `array` after the change.
    """
    import torch

    tensor = torch.arange(4.0)
    view = tensor[:2]
    view[0] = value
    print(tensor)

    array = jnp.arange(4.0)
    part = array[:2]
    part = part.at[0].set(value)
    print(array)
    return tensor, array, part


def check_the_tensor_changes_and_the_array_stays():
    """The tensor has the new number; of the arrays, only the new one has."""
    for value in (99.0, -1.0):
        tensor, array, part = tensors_change_in_place(value)
        np.testing.assert_array_equal(np.asarray(tensor), [value, 1, 2, 3])
        np.testing.assert_array_equal(array, [0, 1, 2, 3])
        np.testing.assert_array_equal(part, [value, 1])


def memory_shared_with_numpy(value=9.0):
    """A tensor can share its memory with an array of NumPy.

    `torch.from_numpy` did not copy the numbers in the sections above: its tensor uses
    the memory of the NumPy array. `jnp.array` makes a copy, and so does `torch.tensor`.

    Predict: the 9 is written into `shared`. Which of the other three have it, too?
    """
    import torch

    floats = np.array([1.0, 2.0])
    shared = torch.from_numpy(floats)
    copied = torch.tensor(floats)
    array = jnp.array(floats)
    shared[0] = value
    print(floats)
    print(copied)
    print(array)
    return floats, copied, array


def check_only_from_numpy_shares():
    """The array of NumPy has it; the copies keep their 1."""
    for value in (9.0, -4.0):
        floats, copied, array = memory_shared_with_numpy(value)
        np.testing.assert_array_equal(floats, [value, 2])
        np.testing.assert_array_equal(np.asarray(copied), [1, 2])
        np.testing.assert_array_equal(array, [1, 2])


def random_numbers_have_a_state(seed=0):
    """A generator of PyTorch changes with every draw; a key of JAX does not.

    `torch.Generator` is an object with a state, as NumPy's is, and `.manual_seed`
    sets it. `torch.rand` draws with it. Most code uses a generator that is shared by
    all of PyTorch.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    first = torch.rand(2, generator=generator)
    second = torch.rand(2, generator=generator)

    key = jax.random.key(seed)
    jax_first = jax.random.uniform(key, 2)
    jax_second = jax.random.uniform(key, 2)
    repeats = bool((first == second).all())
    jax_repeats = bool((jax_first == jax_second).all())
    return repeats, jax_repeats


def check_only_the_key_repeats_itself():
    """PyTorch draws new numbers from one generator, JAX the same from one key."""
    for seed in (0, 5):
        assert random_numbers_have_a_state(seed) == (False, True)


def std_divides_by_another_number(x=(1.0, 2.0, 4.0)):
    """`std` has the same name in both, and is not the same.

    The standard deviation is the root of a mean: the squared distances of n numbers
    from their mean are added up, and the sum is divided by n, or by n − 1. One library
    does the one, and one the other, and nothing complains if you copy the line. The
    argument `correction`, which both have, says what is subtracted from n.

    Predict: which of the two divides by n − 1, and so gives the larger number?
    """
    import torch

    of_torch = torch.std(torch.tensor(x))
    of_jax = jnp.std(jnp.array(x))
    mended = torch.std(torch.tensor(x), correction=0)
    return of_torch, of_jax, mended


def check_std_by_its_definition():
    """PyTorch divides by n − 1, JAX by n, and PyTorch too with `correction=0`."""
    for x in ((1.0, 2.0, 4.0), (3.0, -1.0, 0.0, 8.0)):
        squares = sum((number - sum(x) / len(x)) ** 2 for number in x)
        for found, divisor in zip(
            std_divides_by_another_number(x), (len(x) - 1, len(x), len(x)), strict=True
        ):
            np.testing.assert_allclose(
                np.asarray(found), (squares / divisor) ** 0.5, 1e-6
            )


def linear_layer_is_stored_sideways(seed=0):
    """PyTorch stores the weights of a layer with a row for each output.

    `torch.nn.Linear(2, 3)` leads from 2 numbers to 3. Where we would have weights of
    shape [2, 3] and write `x @ w + b`, PyTorch has [3, 2], and multiplies by the
    transpose. The layer below has two inputs and two outputs: its weights are square,
    so no shape betrays the mistake. `torch.manual_seed` fixes the random weights.
    `.numpy()` refuses a tensor that requires a gradient, and `.detach()` gives its
    numbers without that.

    Myth: if the shapes fit, the parameters have been carried over rightly.
    """
    import torch

    torch.manual_seed(seed)
    layer = torch.nn.Linear(2, 2)
    x = np.array([1.0, 2.0], dtype=np.float32)
    of_torch = layer(torch.from_numpy(x)).detach().numpy()
    w = jnp.array(layer.weight.detach().numpy())
    b = jnp.array(layer.bias.detach().numpy())
    right = x @ w.T + b
    wrong = x @ w + b
    return w, b, of_torch, right, wrong


def check_the_transpose_is_right():
    """With `.T` JAX gives PyTorch's outputs; without, other ones, and no error."""
    for seed in (0, 3):
        w, b, of_torch, right, wrong = linear_layer_is_stored_sideways(seed)
        expected = [sum(w[i, j] * (1, 2)[j] for j in (0, 1)) + b[i] for i in (0, 1)]
        np.testing.assert_allclose(of_torch, expected, 1e-5, atol=1e-6)
        np.testing.assert_allclose(right, expected, 1e-5, atol=1e-6)
        mixed = [sum(w[j, i] * (1, 2)[j] for j in (0, 1)) + b[i] for i in (0, 1)]
        np.testing.assert_allclose(wrong, mixed, 1e-5, atol=1e-6)
        assert np.abs(np.subtract(expected, mixed)).max() > 0.01


def two_layers(seed):
    """A network of PyTorch: from two numbers by way of three to one."""
    import torch

    torch.manual_seed(seed)
    hidden = torch.nn.Linear(2, 3)
    out = torch.nn.Linear(3, 1)
    return torch.nn.Sequential(hidden, torch.nn.Tanh(), out)


def module_becomes_a_pure_function(seed=0):
    """`functional_call` makes a network of PyTorch a function of its parameters.

    An `nn.Module`, such as the one that `torch.nn.Sequential` makes of some layers and
    of `torch.nn.Tanh`, holds its parameters itself. `named_parameters` gives pairs of a
    name and a tensor, of which we make a dict. In a name such as `0.weight`, 0 is the
    first layer. (We detach the tensors, or the slopes would require a gradient as
    well.) `torch.func.functional_call` runs the network with the dict that it is given.
    So `loss` is a function of its parameters, and `torch.func.grad` gives a dict of
    slopes, as `jax.grad` would.
    """
    import torch
    from torch.func import functional_call, grad

    network = two_layers(seed)
    named = network.named_parameters()
    params = {name: tensor.detach() for name, tensor in named}
    x = torch.tensor([[1.0, 2.0], [0.0, -1.0]])

    def loss(params):
        y = functional_call(network, params, x)
        return torch.mean(y**2)

    value = loss(params)
    slopes = grad(loss)(params)
    return params, value, slopes


def check_pytorchs_slopes_are_the_chain_rule():
    """Loss and slopes are those of the chain rule, in NumPy with 64 bits."""
    for seed in (0, 3):
        params, value, slopes = module_becomes_a_pure_function(seed)
        w, b, out, c = (np.asarray(tensor, float) for tensor in params.values())
        x = np.array([[1.0, 2.0], [0.0, -1.0]])
        h = np.tanh(x @ w.T + b)
        y = h @ out.T + c
        to_h = y @ out * (1 - h**2)  # y is the slope of the mean of two squares
        expected = [to_h.T @ x, to_h.sum(0), y.T @ h, y.sum(0)]
        np.testing.assert_allclose(np.asarray(value), np.mean(y**2), 1e-5)
        for found, right in zip(slopes.values(), expected, strict=True):
            # some slopes are near 0
            np.testing.assert_allclose(np.asarray(found), right, 1e-4, atol=1e-6)


def network_carried_over_to_jax(seed=0):
    """The same parameters in JAX give the same outputs, and the same gradient.

    Each tensor becomes an array, and the weights are transposed on the way. The network
    itself is written once more, in three lines. The last four lines show the outputs of
    both, and the slopes of both for the first weights.

    Larger networks have more differences. The convolutions of PyTorch take an image as
    channels, height, width, those of Flax as height, width, channels. Dropout is on or
    off by `network.train()` and `network.eval()`. And tensors and parameters go to a
    GPU when you say so, as by `.to("cuda")`; JAX takes one by itself if it can use it.
    """
    import torch

    network = two_layers(seed)
    x = np.array([[1.0, 2.0], [0.0, -1.0]], dtype=np.float32)
    of_torch = network(torch.from_numpy(x))
    torch.mean(of_torch**2).backward()

    params = []
    for layer in (network[0], network[2]):
        w = jnp.array(layer.weight.detach().numpy().T)
        b = jnp.array(layer.bias.detach().numpy())
        params.append({"w": w, "b": b})

    def forward(params, x):
        first, last = params
        h = jnp.tanh(x @ first["w"] + first["b"])
        return h @ last["w"] + last["b"]

    def loss(params, x):
        return jnp.mean(forward(params, x) ** 2)

    outputs = forward(params, x)
    torch_outputs = of_torch.detach().numpy()
    slopes = jax.jit(jax.grad(loss))(params, x)[0]["w"]
    torch_slopes = network[0].weight.grad.numpy().T
    return params, outputs, torch_outputs, slopes, torch_slopes


def check_the_carried_network_is_the_same():
    """Outputs and slopes of both are those of NumPy with 64 bits."""
    for seed in (0, 3):
        first, *found = network_carried_over_to_jax(seed)
        (w, b), (out, c) = ((np.float64(p["w"]), np.float64(p["b"])) for p in first)
        x = np.array([[1.0, 2.0], [0.0, -1.0]])
        h = np.tanh(x @ w + b)
        y = h @ out + c
        slopes = x.T @ (y @ out.T * (1 - h**2))
        for one, right in zip(found, (y, y, slopes, slopes), strict=True):
            np.testing.assert_allclose(one, right, 1e-4, atol=1e-6)  # near 0


def noting(graphs):
    """A backend that notes what is in each graph, and runs it."""

    def backend(module, examples):
        nodes = module.graph.nodes
        names = [str(node) for node in nodes if node.op[:4] == "call"]
        graphs.append(names)
        return module.forward

    return backend


def what_torch_compile_is_told(n=1000):
    """`torch.compile` hands a program of operations to a compiler, as `jax.jit` does.

    Without it PyTorch is *eager*: it carries out each operation when Python comes to
    it. `torch.compile` watches a function run, and writes down its operations, which it
    calls a graph. A *backend* then makes a program of the graph. You would take the
    usual one, `inductor`: it writes C++, needs a compiler for it, and its first call
    can take many seconds. So here we give a backend of our own, `noting`. PyTorch hands
    it a `module` with the graph inside (`.graph`, of which it notes the calls). Its
    `.forward` runs the graph, and we return it unchanged.

    For JAX, `jax.make_jaxpr` shows the same. PyTorch keeps what it has compiled;
    `torch.compiler.reset` makes it forget.

    Predict: how many operations is each of the two told?
    """
    import torch

    def wave(x):
        return torch.sin(x) * 2 + torch.cos(x)

    def jax_wave(x):
        return jnp.sin(x) * 2 + jnp.cos(x)

    x = np.linspace(0, 3, n, dtype=np.float32)
    graphs = []
    compiled = torch.compile(wave, backend=noting(graphs))
    of_torch = compiled(torch.from_numpy(x))
    print(graphs)
    of_jax = jax.jit(jax_wave)(x)
    jaxpr = jax.make_jaxpr(jax_wave)(x)
    equations = len(jaxpr.eqns)
    torch.compiler.reset()
    return graphs, equations, of_torch, of_jax


def check_both_compilers_are_told_four_operations():
    """Each is told four operations, and both results are those of NumPy."""
    for n in (1000, 7):
        graphs, equations, *results = what_torch_compile_is_told(n)
        assert graphs == [["sin", "mul", "cos", "add"]]
        assert equations == 4
        x = np.linspace(0, 3, n)
        for found in results:
            expected = np.sin(x) * 2 + np.cos(x)
            np.testing.assert_allclose(np.asarray(found), expected, atol=1e-6)


def graphs_for_other_lengths(lengths=(3, 4, 5)):
    """At other lengths both compile again, but not equally often.

    You know that `jax.jit` makes a program for each length. The first graph of
    `torch.compile`, too, is for the length that it meets.

    Predict: after three lengths, how many graphs has PyTorch made?
    """
    import torch

    def double(x):
        return 2 * x

    graphs = []
    traced = []

    @jax.jit
    def jax_double(x):
        traced.append(x.shape)
        return 2 * x

    compiled = torch.compile(double, backend=noting(graphs))
    for n in lengths:
        compiled(torch.ones(n))
        jax_double(jnp.ones(n))
    of_torch = len(graphs)
    of_jax = len(traced)
    torch.compiler.reset()
    return of_torch, of_jax


def check_pytorch_leaves_the_length_open():
    """JAX makes three; PyTorch two, for its second graph leaves the length open."""
    for lengths in ((3, 4, 5), (5, 9, 6)):
        assert graphs_for_other_lengths(lengths) == (2, len(lengths))


def branches_on_numbers(value=2.0):
    """An `if` on the numbers cuts PyTorch's graph in pieces; `jax.jit` refuses it.

    Which way the `if` goes depends on the numbers in the tensor. There the graph of
    `torch.compile` ends. Python decides, and another graph begins behind the `if`.
    Nothing is refused, but the pieces cannot be compiled as a whole. (With
    `fullgraph=True`, `torch.compile` refuses as well.) JAX compiles one program for all
    numbers, and so cannot decide; with `jnp.where` both ways are in the program.

    The words that the backend notes are the operations: `gt` is x > 0, `neg` is −x.
    """
    import torch

    def size(x):
        if x > 0:
            return x
        return -x

    graphs = []
    compiled = torch.compile(size, backend=noting(graphs))
    of_torch = compiled(torch.tensor(-value))
    print(graphs)
    torch.compiler.reset()

    try:
        jax.jit(size)(-value)
    except jax.errors.TracerBoolConversionError as error:
        refused = error

    @jax.jit
    def jax_size(x):
        return jnp.where(x > 0, x, -x)

    of_jax = jax_size(-value)
    return of_torch, graphs, refused, of_jax


def check_pytorch_takes_the_branch_and_jax_refuses():
    """PyTorch makes two graphs; JAX refuses the `if`, and takes the `where`."""
    for value in (2.0, 0.5):
        of_torch, graphs, refused, of_jax = branches_on_numbers(value)
        np.testing.assert_allclose(of_torch.item(), value, 1e-6)
        np.testing.assert_allclose(of_jax, value, 1e-6)
        assert graphs == [["gt"], ["neg"]]
        assert type(refused).__name__ == "TracerBoolConversionError"


def side_effects_are_repeated(calls=3):
    """A function that fills a list can be compiled in both.

    To fill a list is a side effect. You know that `jax.jit` runs a function of Python
    once for each kind of argument, and afterwards only its program. The three calls
    below have the same kind of argument. The backend `"eager"` is PyTorch's own backend
    that runs a graph as it is.

    Predict: how long are the two lists after three calls?
    """
    import torch

    seen = []
    jax_seen = []

    def double(x):
        seen.append("called")
        return 2 * x

    @jax.jit
    def jax_double(x):
        jax_seen.append("called")
        return 2 * x

    compiled = torch.compile(double, backend="eager")
    for _ in range(calls):
        compiled(torch.ones(2))
        jax_double(jnp.ones(2))
    torch.compiler.reset()
    length = len(seen)
    jax_length = len(jax_seen)
    return length, jax_length


def check_only_pytorch_repeats_them():
    """PyTorch makes its list grow at each call, JAX only at the first, which traces."""
    for calls in (3, 5):
        assert side_effects_are_repeated(calls) == (calls, 1)


def torchscript_reads_the_source(value=2.0):
    """TorchScript, the older compiler of PyTorch, is deprecated.

    `torch.jit.script` does not run the function: it reads its source, and makes a
    program in a small language of its own, which has an `if`. `.code` shows it. You
    meet it in older code. What stands in its place are `torch.compile`, and
    `torch.export` to save a program. We let `warnings` collect what PyTorch has to say.
    """
    import warnings

    import torch

    def size(x):
        if x > 0:
            y = x * 1
        else:
            y = x * -1
        return y

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scripted = torch.jit.script(size)
    said = str(caught[0].message)
    print(scripted.code)
    sizes = [scripted(torch.tensor(v)).item() for v in (value, -value)]
    return said, sizes


def check_torchscript_keeps_the_branch():
    """PyTorch says that it is deprecated, and the program gives both sizes."""
    for value in (2.0, -0.5):
        said, sizes = torchscript_reads_the_source(value)
        assert "deprecated" in said
        np.testing.assert_allclose(sizes, 2 * [abs(value)], 1e-6)
