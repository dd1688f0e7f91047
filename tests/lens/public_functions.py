"""Public functions to try the lens on: a name, the function, and arguments for it.

All of them are pure, and each can be traced with the arguments that stand beside it.
"""

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.scipy.signal
import jax.scipy.special
import jax.scipy.stats
import numpy as np

X = np.array([0.1, 0.5, 0.9], np.float32)
Y = np.array([0.3, 0.2, 0.7], np.float32)
M = np.array([[2.0, 0.5], [0.5, 3.0]], np.float32)
BITS = np.array([0, 2, 1], np.int32)
TRUTH = np.array([True, False, True])


class Case(NamedTuple):
    """A function, the name it is known by, and arguments it takes."""

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]


# Where to look the names up, the arguments that all of them take, and the names.
GROUPS = [
    (
        "jax.numpy",
        (X,),
        """abs absolute acos all amax amin angle any arccos arcsin arcsinh arctan
        arctanh argmax argmin argsort around atleast_1d atleast_2d atleast_3d average
        cbrt ceil clip conj copy cos cosh count_nonzero cov cumprod cumsum deg2rad diag
        diagflat diff ediff1d exp exp2 expm1 fabs flip floor frexp gradient i0 imag
        isfinite isinf isnan isneginf log log10 log1p log2 max mean median min modf
        nan_to_num nanargmax nancumsum nanmax nanmean nanmin nanprod nanstd nansum
        nanvar negative ones_like positive prod ptp rad2deg ravel real reciprocal rint
        round sign signbit sin sinc sinh size sort sqrt square squeeze std sum tan tanh
        trapezoid trunc unwrap vander var zeros_like""",
    ),
    (
        "jax.numpy",
        (X, Y),
        """add allclose append arctan2 array_equal convolve copysign correlate cross
        digitize divide divmod dot equal float_power floor_divide fmax fmin fmod
        greater greater_equal heaviside histogram hypot inner isclose kron
        less less_equal logaddexp logaddexp2 maximum minimum mod multiply
        nextafter not_equal outer polyadd polymul polysub polyval power remainder
        searchsorted subtract true_divide vdot""",
    ),
    (
        "jax.numpy",
        (M,),
        """corrcoef diagonal fliplr flipud rot90 trace transpose tril triu
        linalg.cholesky linalg.cond linalg.det linalg.eigh linalg.inv linalg.norm
        linalg.pinv linalg.qr
        linalg.slogdet linalg.svd fft.fft fft.ifft fft.rfft""",
    ),
    ("jax.numpy", (M, M), "matmul linalg.solve linalg.lstsq linalg.matmul"),
    ("jax.numpy", (BITS,), "invert bitwise_not bitwise_count"),
    (
        "jax.numpy",
        (BITS, BITS),
        "bitwise_and bitwise_or bitwise_xor gcd lcm left_shift right_shift take",
    ),
    ("jax.numpy", (TRUTH, X, Y), "where"),
    (
        "jax.nn",
        (M,),
        """celu elu gelu glu hard_sigmoid hard_silu hard_tanh leaky_relu log_sigmoid
        log_softmax logsumexp mish relu relu6 selu sigmoid silu soft_sign softmax
        softplus sparse_plus squareplus standardize swish""",
    ),
    (
        "jax.scipy.special",
        (X,),
        "digamma entr erf erfc erfinv expit gammaln i0e i1 log_ndtr logit ndtr ndtri",
    ),
    ("jax.scipy.special", (X, Y), "betaln gammainc rel_entr xlog1py xlogy"),
    (
        "jax.scipy.stats",
        (X,),
        """cauchy.logpdf expon.logpdf laplace.logpdf logistic.logpdf norm.cdf
        norm.logpdf norm.ppf uniform.logpdf""",
    ),
    ("jax.scipy.stats", (X, Y), "gamma.logpdf pareto.logpdf t.logpdf"),
    ("jax.scipy.linalg", (M,), "cholesky det expm inv lu qr"),
    ("jax.scipy.signal", (X, Y), "convolve correlate fftconvolve"),
    (
        "jax.lax",
        (X,),
        """abs asin bessel_i0e cbrt cumlogsumexp cummax cumsum digamma erf erf_inv exp
        expm1 floor is_finite lgamma log log1p logistic neg reciprocal rsqrt sign sin
        sort square stop_gradient tan tanh""",
    ),
    (
        "jax.lax",
        (X, Y),
        "add atan2 complex div eq ge igamma lt max min mul ne nextafter pow rem sub",
    ),
    ("jax.lax", (BITS,), "bitwise_not clz population_count"),
    ("jax.lax", (TRUTH, X, Y), "select"),
]


LOSSES = """l2_loss huber_loss log_cosh cosine_similarity cosine_distance squared_error
    hinge_loss softmax_cross_entropy kl_divergence sigmoid_binary_cross_entropy
    generalized_kl_divergence"""
OPTIMIZERS = """adabelief adagrad adam adamax adamw amsgrad fromage lamb lion nadam
    novograd radam rmsprop sgd sm3 yogi"""


def step(carry: Any, x: Any) -> tuple[Any, Any]:
    """A body for a scan: the running sum."""
    return carry + x, carry


SINGLE = {
    "jnp.interp": (jnp.interp, (X, X, Y)),
    "jnp.einsum": (partial(jnp.einsum, "ij,jk->ik"), (M, M)),
    "jnp.concatenate": (jnp.concatenate, ([X, Y],)),
    "jnp.stack": (jnp.stack, ([X, Y],)),
    "jnp.percentile": (jnp.percentile, (X, 50.0)),
    "jnp.reshape": (lambda x: jnp.reshape(x, (4,)), (M,)),
    "jnp.at.set": (lambda x: jnp.asarray(x).at[0].set(1.0), (X,)),
    "jnp.at.add": (lambda x: jnp.asarray(x).at[0].add(1.0), (X,)),
    "nn.one_hot": (lambda x: jax.nn.one_hot(x, 3), (BITS,)),
    "lax.scan": (lambda x: jax.lax.scan(step, 0.0, x), (X,)),
    "lax.map": (lambda x: jax.lax.map(jnp.sin, x), (X,)),
    "lax.associative_scan": (partial(jax.lax.associative_scan, jnp.add), (X,)),
    "lax.fori_loop": (
        lambda x: jax.lax.fori_loop(0, 3, lambda _, y: jnp.sin(y), x),
        (X,),
    ),
    "lax.while_loop": (
        lambda x: jax.lax.while_loop(lambda y: y < 2, lambda y: y + 1, x),
        (1.0,),
    ),
    "lax.cond": (lambda x: jax.lax.cond(x[0] > 0, jnp.sin, jnp.cos, x), (X,)),
    "lax.switch": (lambda i, x: jax.lax.switch(i, (jnp.sin, jnp.cos), x), (0, X)),
    "lax.top_k": (lambda x: jax.lax.top_k(x, 2), (X,)),
    "lax.clamp": (jax.lax.clamp, (X, X, Y)),
    "jax.grad": (jax.grad(lambda x: jnp.sum(x**2)), (X,)),
    "jax.hessian": (jax.hessian(lambda x: jnp.sum(x**3)), (X,)),
    "jax.vmap": (jax.vmap(jnp.vdot), (M, M)),
    "jax.jvp": (lambda x: jax.jvp(jnp.sin, (x,), (x,)), (X,)),
    "jax.checkpoint": (jax.grad(jax.checkpoint(lambda x: jnp.sin(x))), (1.0,)),
    "random.normal": (lambda seed: jax.random.normal(jax.random.key(seed)), (0,)),
    "random.split": (lambda seed: jax.random.split(jax.random.key(seed)), (0,)),
}


def jax_functions() -> list[Case]:
    """Functions of jax.numpy, jax.nn, jax.scipy, jax.lax, and a few of jax itself."""
    cases = []
    for place, args, names in GROUPS:
        for name in names.split():
            function = attrgetter(f"{place}.{name}".removeprefix("jax."))(jax)
            cases.append(Case(f"{place}.{name}", function, args))
    return cases + [Case(name, *rest) for name, rest in SINGLE.items()]


def update(optimizer: Any, gradient: Any, params: Any) -> Any:
    """One step of an optimizer, its state new."""
    return optimizer.update(gradient, optimizer.init(params), params)


def optax_functions() -> list[Case]:
    """Losses, schedules and optimizers of optax."""
    import optax

    cases = [Case(f"optax.{n}", getattr(optax, n), (X, Y)) for n in LOSSES.split()]
    for name in OPTIMIZERS.split():
        optimizer = getattr(optax, name)(0.1)
        cases.append(Case(f"optax.{name}", partial(update, optimizer), (X, Y)))
    return [
        *cases,
        Case("optax.tree.norm", optax.tree.norm, ({"w": X, "b": Y},)),
        Case("optax.cosine_schedule", optax.cosine_decay_schedule(0.1, 10), (3,)),
        Case("optax.linear_schedule", optax.linear_schedule(0.1, 0.0, 10), (3,)),
        Case("optax.apply_updates", optax.apply_updates, ({"w": X}, {"w": Y})),
    ]


def flax_functions() -> list[Case]:
    """Layers of flax.linen applied to parameters, and its pure functions."""
    import flax.linen as nn

    layers = [nn.Dense(3), nn.LayerNorm(), nn.RMSNorm(), nn.DenseGeneral(2)]
    layers += [nn.GroupNorm(num_groups=2), nn.Sequential([nn.Dense(3), nn.relu])]
    cases = []
    for layer in layers:
        params = layer.init(jax.random.key(0), M)
        cases.append(Case(f"flax.{type(layer).__name__}", layer.apply, (params, M)))
    image = np.ones((1, 4, 4, 1), np.float32)
    for pool in (nn.avg_pool, nn.max_pool):
        function = partial(pool, window_shape=(2, 2))
        cases.append(Case(f"flax.{pool.__name__}", function, (image,)))
    attention = nn.dot_product_attention
    heads = np.ones((1, 2, 1, 4), np.float32)
    return [*cases, Case("flax.attention", attention, (heads, heads, heads))]
