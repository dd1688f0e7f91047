"""PyTorch and JAX: the same function in both, and where they part.

If you come from PyTorch, or have a network written in it, this lesson is the bridge.
PyTorch has a gradient, a `vmap` and a compiler in the form that you know from JAX, and
they give the same numbers. A network of PyTorch can be turned into a pure function, and
its parameters carried over to JAX. Then come the places where one who goes from one to
the other gets wrong numbers without an error. Read first: pytrees, jit and
neural_network.
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
    """From NumPy, PyTorch takes 64 bits, JAX makes 32; plain floats are float32."""
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

    It stands in `torch.func`, which was written after JAX's example. There are
    `torch.func.vmap`, `torch.func.jacrev` and others as well. The lines of the picture
    are JAX's, the dots PyTorch's.
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
    axes.plot(x, jax_once, label="slope of the sine")
    axes.plot(x, jax_twice, label="slope of the slope")
    axes.plot(x, once.numpy(), "o")
    axes.plot(x, twice.numpy(), "o")
    axes.set(xlabel="x", title="the dots of PyTorch on the lines of JAX")
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
    """`torch.func.vmap` writes the batch for you; its `in_dims` are JAX's `in_axes`.

    This function takes one weight vector and one example. `torch.func.vmap` makes one
    for many examples of it: None says that all share the weights, 0 that each row of x
    is an example.
    """
    import torch

    def model(w, x):
        return torch.relu(torch.dot(w, x))

    def jax_model(w, x):
        return jax.nn.relu(jnp.dot(w, x))

    w = np.array([1.0, -2.0, 0.5], dtype=np.float32)
    x = scale * np.array([[1, 0, 4], [0, 1, 0], [2, 1, 2.0]])
    x = x.astype(np.float32)
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
    returns nothing: it writes the slopes into `.grad` of the tensor.

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


def tensors_change_in_place(value=99.0):
    """A tensor may be changed in place, and a view of it changes the whole.

    A slice of a tensor is a view, as in NumPy: it shares the memory. An array of JAX
    cannot be changed, and `.at` makes a new one. So code that writes in place has to be
    written anew for JAX, and whoever held the old array still has it.
    """
    import torch

    tensor = torch.arange(4.0)
    view = tensor[:2]
    view[0] = value
    changed = tensor.numpy()

    array = jnp.arange(4.0)
    part = array[:2]
    part = part.at[0].set(value)
    return changed, array, part


def check_the_tensor_changes_and_the_array_stays():
    """The tensor has the new number; of the arrays, only the new one has."""
    for value in (99.0, -1.0):
        tensor, array, part = tensors_change_in_place(value)
        np.testing.assert_array_equal(tensor, [value, 1, 2, 3])
        np.testing.assert_array_equal(array, [0, 1, 2, 3])
        np.testing.assert_array_equal(part, [value, 1])


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

    The standard deviation is the root of the mean squared distance from the mean. In
    `torch.std`, the sum of n squares is divided by n − 1, in `jnp.std` by n, as in
    NumPy. Nothing complains if you copy the one for the other. The argument
    `correction` says what is subtracted from n.

    Predict: which of the first two is larger?
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
    transpose. `torch.manual_seed` fixes the random weights, and `.detach()` gives their
    numbers without the wish for a gradient.

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
    of `torch.nn.Tanh`, holds its parameters itself. `named_parameters` gives them by
    their names, as one dict. `torch.func.functional_call` runs the network with the
    dict that it is given. So `loss` is a pure function, and `torch.func.grad` gives a
    dict of slopes, as `jax.grad` would.
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
    itself is written once more, in three lines.
    """
    import torch

    network = two_layers(seed)
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

    x = np.array([[1.0, 2.0], [0.0, -1.0]], dtype=np.float32)
    outputs = forward(params, x)
    slopes = jax.grad(loss)(params, x)[0]["w"]

    of_torch = network(torch.from_numpy(x))
    torch.mean(of_torch**2).backward()
    torch_outputs = of_torch.detach().numpy()
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


def what_torch_compile_is_told(n=1000):
    """`torch.compile` hands a program of operations to a compiler, as `jax.jit` does.

    Without it PyTorch is *eager*: it carries out each operation when Python comes to
    it. `torch.compile` watches a function run, and writes down its operations, which it
    calls a graph. A *backend* then makes a program of the graph. We give it a backend
    of our own, which only notes the operations: `graph.graph.nodes` holds them, between
    the input and the output. For JAX, `jax.make_jaxpr` shows the same. PyTorch keeps
    what it has compiled; `torch.compiler.reset` makes it forget.

    Predict: how many operations is each of the two told?

    The usual backend, `inductor`, writes C++ and needs a compiler for it. Its first
    call can take many seconds, so this lesson does without it.
    """
    import torch

    operations = []

    def note(graph, examples):
        operations.extend(str(node) for node in graph.graph.nodes)
        return graph.forward

    def wave(x):
        return torch.sin(x) * 2 + torch.cos(x)

    def jax_wave(x):
        return jnp.sin(x) * 2 + jnp.cos(x)

    x = np.linspace(0, 3, n, dtype=np.float32)
    compiled = torch.compile(wave, backend=note)
    of_torch = compiled(torch.from_numpy(x))
    told = operations[1:-1]
    of_jax = jax.jit(jax_wave)(x)
    jaxpr = jax.make_jaxpr(jax_wave)(x)
    equations = len(jaxpr.eqns)
    torch.compiler.reset()
    return told, equations, of_torch, of_jax


def check_both_compilers_are_told_four_operations():
    """Each is told four operations, and both results are those of NumPy."""
    for n in (1000, 7):
        told, equations, *results = what_torch_compile_is_told(n)
        assert told == ["sin", "mul", "cos", "add"]
        assert equations == 4
        x = np.linspace(0, 3, n)
        for found in results:
            expected = np.sin(x) * 2 + np.cos(x)
            np.testing.assert_allclose(np.asarray(found), expected, atol=1e-6)


def branches_on_numbers(value=2.0):
    """PyTorch's compiler lets Python decide an `if`; JAX's wants to know all ways.

    Where a function asks for a number, the graph of `torch.compile` ends. Python goes
    on, with the number, and another graph begins behind the `if`. So nothing is
    refused, but a program in pieces cannot be made fast as a whole. JAX compiles one
    program for all numbers, and therefore refuses; with `jnp.where` both ways are in
    the program. The backend `"eager"` runs each graph as it is.
    """
    import torch

    def size(x):
        if x > 0:
            return x * 1
        return x * -1

    def jax_size(x):
        return jnp.where(x > 0, x, -x)

    compiled = torch.compile(size, backend="eager")
    of_torch = [compiled(torch.tensor(v)).item() for v in (value, -value)]
    torch.compiler.reset()

    try:
        jax.jit(size)(value)
    except jax.errors.TracerBoolConversionError as error:
        refused = error
    of_jax = [jax.jit(jax_size)(v) for v in (value, -value)]
    return of_torch, refused, of_jax


def check_pytorch_takes_the_branch_and_jax_refuses():
    """PyTorch gives both sizes; JAX refuses the `if`, and gives them with `where`."""
    for value in (2.0, -0.5):
        of_torch, refused, of_jax = branches_on_numbers(value)
        np.testing.assert_allclose(of_torch, 2 * [abs(value)], 1e-6)
        np.testing.assert_allclose(of_jax, 2 * [abs(value)], 1e-6)
        assert type(refused).__name__ == "TracerBoolConversionError"


def side_effects_are_repeated(calls=3):
    """A compiled function may fill a list, and the two compilers part over it.

    You know that JAX runs a function of Python once, and then only its program.
    `torch.compile` looks at the same line of the function, and sees that a list grows.

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
    """PyTorch's list grows at every call, JAX's only at the first, which traces."""
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
