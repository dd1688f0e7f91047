"""Is `audit` silent about code in the wild, and does it leave the world alone?

Run it as it is: `python benchmarks/audit_corpus.py [--show] [package ...]`. Packages
that are not installed are skipped. Each is copied out of site-packages first, so that
its source counts as the reader's own and is searched, as a maintainer's would be.

The bars: no report raises; findings that a maintainer would not call one in at most
1 % of the functions; no audit changes globals, files, processes or the environment.
"""

import gc
import importlib
import importlib.util
import multiprocessing
import os
import pickle
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import audit

X = jnp.array([0.1, 0.5, 0.9])
Y = jnp.array([0.3, 0.2, 0.7])
M = jnp.array([[0.2, 0.3, 0.5], [0.1, 0.7, 0.2]])
KEY = jax.random.key(0)
RAW = jax.random.PRNGKey(0)
PARAMS = {"w": M, "b": X}
GRADS = {"w": M * 2, "b": Y}
IMAGE = jnp.linspace(0.0, 1.0, 64).reshape(1, 8, 8, 1)
SEQUENCE = jnp.linspace(0.0, 1.0, 24).reshape(2, 4, 3)

Case = tuple[str, Callable[..., Any], tuple[Any, ...], dict[str, Any]]
COUNTED = (
    "functions",
    "traced",
    "findings",
    "looked_at",
    "raised",
    "changed",
    "unmade",
)
STATIC = "static_argnums"  # handed on to audit

# What was found, looked at, and is there on purpose: the file, the name, and why. A
# maintainer would answer such a finding with `# audit: allow mutation`.
KNOWN = {
    ("asserts.py", "TRACE_COUNTER"): "chex counts traces, and raises at too many",
    ("asserts.py", "DISABLE_ASSERTIONS"): "chex reads a switch while tracing",
    ("dynamic_hmc.py", "uses a key"): "blackjax draws from a key, and then splits it",
    ("_embedding.py", "internal_rope_embedding_cache"): "equinox keeps a table",
}


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


def case(name: str, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Case:
    return name, f, args, kwargs


def optax() -> Iterator[Case]:
    import optax

    for name in words(
        """squared_error l2_loss huber_loss log_cosh hinge_loss cosine_similarity
sigmoid_binary_cross_entropy softmax_cross_entropy
safe_softmax_cross_entropy kl_divergence convex_kl_divergence
cosine_distance poly_loss_cross_entropy sigmoid_focal_loss safe_norm
safe_root_mean_squares"""
    ):
        if hasattr(optax, name):
            yield case(name, getattr(optax, name), M, M)
    yield case("smooth_labels", optax.smooth_labels, M, 0.1)
    labels = jnp.array([0, 2])
    integers = optax.softmax_cross_entropy_with_integer_labels
    yield case("softmax_cross_entropy_with_integer_labels", integers, M, labels)
    schedules = {
        "constant": optax.constant_schedule(0.1),
        "cosine_decay": optax.cosine_decay_schedule(0.1, 10),
        "cosine_onecycle": optax.cosine_onecycle_schedule(10, 0.1),
        "linear_onecycle": optax.linear_onecycle_schedule(10, 0.1),
        "linear": optax.linear_schedule(0.1, 0.0, 10),
        "polynomial": optax.polynomial_schedule(0.1, 0.0, 2, 10),
        "exponential_decay": optax.exponential_decay(0.1, 10, 0.9),
        "piecewise_constant": optax.piecewise_constant_schedule(0.1, {3: 0.5}),
        "piecewise_interpolate": optax.piecewise_interpolate_schedule(
            "linear", 0.1, {3: 0.5}
        ),
        "warmup_cosine": optax.warmup_cosine_decay_schedule(0.0, 0.1, 2, 10),
        "warmup_exponential": optax.warmup_exponential_decay_schedule(
            0.0, 0.1, 2, 10, 0.9
        ),
        "sgdr": optax.sgdr_schedule(
            [
                {
                    "init_value": 0.0,
                    "peak_value": 0.1,
                    "decay_steps": 5,
                    "warmup_steps": 1,
                    "end_value": 0.0,
                }
            ]
        ),
        "joined": optax.join_schedules(
            [optax.constant_schedule(0.1), optax.linear_schedule(0.1, 0.0, 5)], [3]
        ),
    }
    for name, schedule in schedules.items():
        yield case(f"{name} schedule", schedule, 3)
    rate = 0.1
    optimizers = {
        name: getattr(optax, name)
        for name in words(
            """sgd adam adamw adamax adamaxw lion lamb lars rmsprop adagrad yogi
nadam nadamw radam novograd adabelief fromage sm3 adafactor amsgrad
rprop adan optimistic_gradient_descent adadelta noisy_sgd sign_sgd
optimistic_adam"""
        )
        if hasattr(optax, name)
    }
    made = {name: make(rate) for name, make in optimizers.items()}
    made |= {
        "sgd with momentum": optax.sgd(0.1, momentum=0.9, nesterov=True),
        "adam with a schedule": optax.adam(schedules["cosine_decay"]),
        "clip": optax.clip(1.0),
        "clip_by_global_norm": optax.clip_by_global_norm(1.0),
        "clip_by_block_rms": optax.clip_by_block_rms(1.0),
        "adaptive_grad_clip": optax.adaptive_grad_clip(0.1),
        "add_decayed_weights": optax.add_decayed_weights(0.1),
        "ema": optax.ema(0.9),
        "trace": optax.trace(0.9),
        "centralize": optax.centralize(),
        "zero_nans": optax.zero_nans(),
        "keep_params_nonnegative": optax.keep_params_nonnegative(),
        "set_to_zero": optax.set_to_zero(),
        "scale": optax.scale(-0.1),
        "scale_by_rss": optax.scale_by_rss(),
        "scale_by_stddev": optax.scale_by_stddev(),
        "scale_by_trust_ratio": optax.scale_by_trust_ratio(),
        "normalize_by_update_norm": optax.normalize_by_update_norm(),
        "apply_if_finite": optax.apply_if_finite(optax.adam(0.1), 3),
        "MultiSteps": optax.MultiSteps(optax.adam(0.1), 3),
        "lookahead chain": optax.chain(optax.clip(1.0), optax.adam(0.1)),
        "masked": optax.masked(optax.adam(0.1), {"w": True, "b": False}),
        "inject_hyperparams": optax.inject_hyperparams(optax.adam)(learning_rate=0.1),
        "flatten": optax.flatten(optax.adam(0.1)),
        "add_noise": optax.add_noise(0.1, 0.5, 1),
        "multi_transform": optax.multi_transform(
            {"a": optax.adam(0.1), "s": optax.sgd(0.1)}, {"w": "a", "b": "s"}
        ),
    }
    for name, optimizer in made.items():
        yield case(f"{name} init", optimizer.init, PARAMS)
        state = optimizer.init(PARAMS)
        yield case(f"{name} update", optimizer.update, GRADS, state, PARAMS)
    yield case("apply_updates", optax.apply_updates, PARAMS, GRADS)
    yield case("incremental_update", optax.incremental_update, PARAMS, GRADS, 0.1)
    yield case("global_norm", optax.global_norm, GRADS)
    tree = optax.tree_utils
    for name in words("tree_add tree_sub tree_mul tree_div tree_vdot"):
        yield case(name, getattr(tree, name), PARAMS, GRADS)
    for name in words("tree_sum tree_zeros_like tree_ones_like tree_l2_norm"):
        if hasattr(tree, name):
            yield case(name, getattr(tree, name), PARAMS)


def rlax() -> Iterator[Case]:
    import rlax

    one, q, a = jnp.float32(0.5), jnp.array([0.1, 0.4, 0.2]), jnp.int32(1)
    p = jnp.array([0.2, 0.5, 0.3])
    yield case("td_learning", rlax.td_learning, one, one, one, one)
    yield case("td_lambda", rlax.td_lambda, X, X, X, X, 0.9)
    yield case("sarsa", rlax.sarsa, q, a, one, one, q, a)
    yield case("expected_sarsa", rlax.expected_sarsa, q, a, one, one, q, p)
    yield case("q_learning", rlax.q_learning, q, a, one, one, q)
    yield case("double_q_learning", rlax.double_q_learning, q, a, one, one, q, q)
    yield case(
        "persistent_q_learning", rlax.persistent_q_learning, q, a, one, one, q, 0.5
    )
    yield case("qv_learning", rlax.qv_learning, q, a, one, one, one)
    yield case("lambda_returns", rlax.lambda_returns, X, X, X, 0.9)
    yield case("discounted_returns", rlax.discounted_returns, X, X, one)
    yield case("n_step", rlax.n_step_bootstrapped_returns, X, X, X, 2, **{STATIC: 3})
    yield case("vtrace", rlax.vtrace, X, X, X, X, X)
    yield case("leaky_vtrace", rlax.leaky_vtrace, X, X, X, X, X)
    yield case(
        "vtrace_td_error_and_advantage",
        rlax.vtrace_td_error_and_advantage,
        X,
        X,
        X,
        X,
        X,
    )
    steps = jnp.array([0, 2])
    yield case(
        "policy_gradient_loss", rlax.policy_gradient_loss, M, steps, X[:2], Y[:2]
    )
    yield case("entropy_loss", rlax.entropy_loss, M, X[:2])
    yield case("clipped_surrogate", rlax.clipped_surrogate_pg_loss, X, Y, 0.2)
    yield case("qpg_loss", rlax.qpg_loss, M, M)
    yield case("rm_loss", rlax.rm_loss, M, M)
    yield case("rpg_loss", rlax.rpg_loss, M, M)
    yield case("dpg_loss", rlax.dpg_loss, X, Y)
    for name in words(
        """signed_logp1 signed_expm1 signed_hyperbolic signed_parabolic
hyperbolic_sin sigmoid logit l2_loss huber_loss log_loss"""
    ):
        if hasattr(rlax, name):
            args = (X, Y) if name == "log_loss" else (X,)
            yield case(name, getattr(rlax, name), *args)
    yield case(
        "transform_to_2hot", rlax.transform_to_2hot, one, 0.0, 1.0, 5, **{STATIC: 3}
    )
    yield case("batched_index", rlax.batched_index, M, steps)
    soft = rlax.softmax()
    yield case("softmax sample", soft.sample, RAW, q)
    yield case("softmax entropy", soft.entropy, q)
    greedy = rlax.epsilon_greedy(0.1)
    yield case("epsilon_greedy sample", greedy.sample, RAW, q)
    yield case("epsilon_greedy probs", greedy.probs, q)
    normal = rlax.gaussian_diagonal()
    yield case("gaussian sample", normal.sample, RAW, X, jnp.ones(3))
    yield case("gaussian logprob", normal.logprob, Y, X, jnp.ones(3))


def chex() -> Iterator[Case]:
    import chex

    for name, rest in (
        ("assert_shape", (3,)),
        ("assert_rank", 1),
        ("assert_type", float),
        ("assert_axis_dimension", 0),
    ):
        more = (3,) if name == "assert_axis_dimension" else ()
        fixed = {STATIC: tuple(range(1, 2 + len(more)))}
        yield case(name, getattr(chex, name), X, rest, *more, **fixed)
    yield case("assert_equal_shape", chex.assert_equal_shape, [X, Y])
    yield case(
        "assert_trees_all_equal_shapes",
        chex.assert_trees_all_equal_shapes,
        PARAMS,
        GRADS,
    )
    yield case(
        "assert_tree_has_only_ndarrays", chex.assert_tree_has_only_ndarrays, PARAMS
    )
    yield case("assert_max_traces", chex.assert_max_traces(lambda x: x * 2, n=9), X)
    yield case(
        "warn_deprecated", chex.warn_deprecated_function(lambda x: x * 2, "new"), X
    )

    @chex.dataclass
    class State:
        w: jax.Array
        n: int

    state = State(w=X, n=1)
    yield case("dataclass replace", state.replace, w=Y)
    yield case("dataclass to_tuple", state.to_tuple)


def distrax() -> Iterator[Case]:
    import distrax

    made = {
        "Normal": (distrax.Normal(0.0, 1.0), X),
        "Laplace": (distrax.Laplace(0.0, 1.0), X),
        "Logistic": (distrax.Logistic(0.0, 1.0), X),
        "Gumbel": (distrax.Gumbel(0.0, 1.0), X),
        "Uniform": (distrax.Uniform(0.0, 1.0), X),
        "Gamma": (distrax.Gamma(2.0, 1.0), X),
        "Beta": (distrax.Beta(2.0, 2.0), X),
        "Bernoulli": (distrax.Bernoulli(probs=0.3), jnp.array([0, 1, 1])),
        "Categorical": (distrax.Categorical(logits=X), jnp.array([0, 1, 2])),
        "OneHot": (distrax.OneHotCategorical(logits=X), jnp.array([0, 1, 0])),
        "Dirichlet": (distrax.Dirichlet(jnp.ones(3)), jnp.array([0.2, 0.3, 0.5])),
        "MvnDiag": (distrax.MultivariateNormalDiag(X, jnp.ones(3)), Y),
        "Deterministic": (distrax.Deterministic(X), X),
        "Independent": (distrax.Independent(distrax.Normal(X, jnp.ones(3)), 1), Y),
        "Mixture": (
            distrax.MixtureSameFamily(
                distrax.Categorical(logits=X), distrax.Normal(X, jnp.ones(3))
            ),
            jnp.float32(0.2),
        ),
    }
    for name, (each, value) in made.items():
        yield case(f"{name} log_prob", each.log_prob, value)
        yield case(f"{name} sample", lambda key, d=each: d.sample(seed=key), KEY)
        if name not in ("Mixture",):
            yield case(f"{name} sample itself", each.sample, seed=KEY)
    bijectors = {
        "Tanh": distrax.Tanh(),
        "Sigmoid": distrax.Sigmoid(),
        "Affine": distrax.ScalarAffine(1.0, 2.0),
        "Chain": distrax.Chain([distrax.Tanh(), distrax.ScalarAffine(0.0, 2.0)]),
        "Inverse": distrax.Inverse(distrax.Sigmoid()),
        "Block": distrax.Block(distrax.Tanh(), 1),
        "Spline": distrax.RationalQuadraticSpline(jnp.zeros(3 * 4 + 1), 0.0, 1.0),
    }
    for name, each in bijectors.items():
        yield case(f"{name} forward", each.forward_and_log_det, X)
        yield case(f"{name} inverse", each.inverse_and_log_det, X)


def haiku() -> Iterator[Case]:
    import haiku as hk

    nets: dict[str, tuple[Callable[[Any], Any], Any]] = {
        "Linear": (lambda x: hk.Linear(4)(x), M),
        "MLP": (lambda x: hk.nets.MLP([4, 2])(x), M),
        "LayerNorm": (lambda x: hk.LayerNorm(-1, True, True)(x), M),
        "RMSNorm": (lambda x: hk.RMSNorm(-1)(x), M),
        "Conv2D": (lambda x: hk.Conv2D(2, 3)(x), IMAGE),
        "MaxPool": (lambda x: hk.MaxPool(2, 2, "SAME")(x), IMAGE),
        "Embed": (lambda x: hk.Embed(5, 3)(x), jnp.array([0, 1])),
        "GRU": (lambda x: hk.GRU(3)(x, jnp.zeros((2, 3))), M),
        "LSTM": (lambda x: hk.LSTM(3)(x, hk.LSTM(3).initial_state(2)), M),
        "attention": (
            lambda x: hk.MultiHeadAttention(
                2, 4, w_init=hk.initializers.RandomNormal()
            )(x, x, x),
            SEQUENCE,
        ),
        "dropout": (lambda x: hk.dropout(hk.next_rng_key(), 0.5, x), M),
        "BatchNorm": (lambda x: hk.BatchNorm(True, True, 0.9)(x, True), M),
        "GroupNorm": (lambda x: hk.GroupNorm(1)(x), IMAGE),
        "vmap": (lambda x: hk.vmap(hk.Linear(3), split_rng=False)(x), M),
        "dynamic_unroll": (
            lambda x: hk.dynamic_unroll(hk.VanillaRNN(3), x, jnp.zeros(3)),
            M,
        ),
    }
    for name, (net, x) in nets.items():
        f = hk.transform_with_state(net)
        yield case(f"{name} init", f.init, RAW, x)
        params, state = f.init(RAW, x)
        yield case(f"{name} apply", f.apply, params, state, RAW, x)


def flax() -> Iterator[Case]:
    from flax import linen as nn

    nets: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "Dense": (nn.Dense(4), (M,)),
        "DenseGeneral": (nn.DenseGeneral((2, 2)), (M,)),
        "Conv": (nn.Conv(2, (3, 3)), (IMAGE,)),
        "ConvTranspose": (nn.ConvTranspose(2, (3, 3)), (IMAGE,)),
        "LayerNorm": (nn.LayerNorm(), (M,)),
        "RMSNorm": (nn.RMSNorm(), (M,)),
        "GroupNorm": (nn.GroupNorm(1), (IMAGE,)),
        "BatchNorm": (nn.BatchNorm(use_running_average=True), (M,)),
        "Embed": (nn.Embed(5, 3), (jnp.array([0, 1]),)),
        "attention": (nn.MultiHeadDotProductAttention(1), (SEQUENCE, SEQUENCE)),
        "SelfAttention": (nn.SelfAttention(1), (SEQUENCE,)),
        "Sequential": (nn.Sequential([nn.Dense(4), nn.relu, nn.Dense(2)]), (M,)),
        "RNN": (nn.RNN(nn.GRUCell(3)), (SEQUENCE,)),
        "LSTM": (nn.RNN(nn.OptimizedLSTMCell(3)), (SEQUENCE,)),
        "Dropout": (nn.Dropout(0.5, deterministic=True), (M,)),
        "PReLU": (nn.PReLU(), (M,)),
        "WeightNorm": (nn.WeightNorm(nn.Dense(2)), (M,)),
    }
    for name, (net, args) in nets.items():
        yield case(f"{name} init", net.init, RAW, *args)
        params = net.init(RAW, *args)
        yield case(f"{name} apply", net.apply, params, *args)
    for name in words(
        """relu gelu silu softmax log_softmax tanh elu selu swish softplus"""
    ):
        yield case(name, getattr(nn, name), X)
    yield case("max_pool", nn.max_pool, IMAGE, (2, 2), **{STATIC: 1})
    yield case("avg_pool", nn.avg_pool, IMAGE, (2, 2), **{STATIC: 1})
    yield case(
        "dot_product_attention",
        nn.dot_product_attention,
        SEQUENCE[..., None, :],
        SEQUENCE[..., None, :],
        SEQUENCE[..., None, :],
    )


def equinox() -> Iterator[Case]:
    import equinox as eqx

    nets: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "Linear": (eqx.nn.Linear(3, 4, key=RAW), (X,)),
        "MLP": (eqx.nn.MLP(3, 2, 8, 2, key=RAW), (X,)),
        "Conv1d": (eqx.nn.Conv1d(3, 2, 2, key=RAW), (SEQUENCE[0].T,)),
        "MaxPool1d": (eqx.nn.MaxPool1d(2), (SEQUENCE[0].T,)),
        "LayerNorm": (eqx.nn.LayerNorm(3), (X,)),
        "RMSNorm": (eqx.nn.RMSNorm(3), (X,)),
        "GroupNorm": (eqx.nn.GroupNorm(1, 3), (SEQUENCE[0].T,)),
        "GRUCell": (eqx.nn.GRUCell(3, 2, key=RAW), (X, jnp.zeros(2))),
        "LSTMCell": (eqx.nn.LSTMCell(3, 2, key=RAW), (X, (jnp.zeros(2), jnp.zeros(2)))),
        "attention": (eqx.nn.MultiheadAttention(1, 3, key=RAW), (SEQUENCE[0],) * 3),
        "Embedding": (eqx.nn.Embedding(5, 3, key=RAW), (jnp.int32(1),)),
        "Dropout": (eqx.nn.Dropout(0.5, inference=True), (X,)),
        "Sequential": (
            eqx.nn.Sequential([eqx.nn.Linear(3, 2, key=RAW), eqx.nn.Lambda(jnp.tanh)]),
            (X,),
        ),
        "RotaryPositionalEmbedding": (
            eqx.nn.RotaryPositionalEmbedding(2),
            (SEQUENCE[0][:, :2],),
        ),
    }
    for name, (net, args) in nets.items():
        yield case(name, net, *args)
    model = eqx.nn.MLP(3, 1, 4, 1, key=RAW)
    arrays, static = eqx.partition(model, eqx.is_array)

    def loss(arrays: Any, x: Any) -> Any:
        return jnp.sum(eqx.combine(arrays, static)(x) ** 2)

    yield case("filter_jit", eqx.filter_jit(loss), arrays, X)
    yield case("filter_grad", eqx.filter_grad(loss), arrays, X)
    yield case("filter_vmap", eqx.filter_vmap(model), M)
    yield case("tree_equal", eqx.tree_equal, PARAMS, GRADS)
    yield case("error_if", lambda x: eqx.error_if(x, x > 2, "large"), X)


def jraph() -> Iterator[Case]:
    import jraph

    n = jnp.array([3])
    graph = jraph.GraphsTuple(
        nodes=SEQUENCE[0, :3],
        edges=SEQUENCE[1, :2],
        senders=jnp.array([0, 1]),
        receivers=jnp.array([1, 2]),
        n_node=n,
        n_edge=jnp.array([2]),
        globals=jnp.ones((1, 3)),
    )
    ids = jnp.array([0, 1, 1])
    for name in words(
        """segment_sum segment_mean segment_max segment_min segment_variance
segment_normalize segment_softmax segment_max_or_constant
segment_min_or_constant"""
    ):
        yield case(name, getattr(jraph, name), X, ids, 2, **{STATIC: 2})
    update = lambda *each: each[0]  # noqa: E731
    yield case("GraphNetwork", jraph.GraphNetwork(update, update), graph)
    yield case("InteractionNetwork", jraph.InteractionNetwork(update, update), graph)
    yield case(
        "GraphConvolution", jraph.GraphConvolution(lambda nodes: nodes * 2), graph
    )
    yield case(
        "GraphMapFeatures", jraph.GraphMapFeatures(update, update, update), graph
    )
    yield case(
        "GAT",
        jraph.GAT(lambda x: x, lambda s, r, e: s.sum(-1, keepdims=True)),
        graph._replace(edges=None),
    )
    yield case("DeepSets", jraph.DeepSets(update, update), graph)
    yield case("RelationNetwork", jraph.RelationNetwork(update, update), graph)
    yield case("batch", jraph.batch, [graph, graph])
    yield case("get_node_padding_mask", jraph.get_node_padding_mask, graph)
    yield case("get_graph_padding_mask", jraph.get_graph_padding_mask, graph)
    yield case("concatenated_args", jraph.concatenated_args(lambda x: x * 2), X, Y)
    yield case(
        "partition_softmax",
        jraph.partition_softmax,
        X,
        jnp.array([1, 2]),
        3,
        **{STATIC: 2},
    )


def numpyro() -> Iterator[Case]:
    import numpyro
    import numpyro.distributions as dist
    from numpyro import handlers
    from numpyro.infer import util

    made = {
        "Normal": (dist.Normal(0.0, 1.0), X),
        "LogNormal": (dist.LogNormal(0.0, 1.0), X),
        "HalfNormal": (dist.HalfNormal(1.0), X),
        "Cauchy": (dist.Cauchy(0.0, 1.0), X),
        "StudentT": (dist.StudentT(3.0), X),
        "Gamma": (dist.Gamma(2.0, 1.0), X),
        "Beta": (dist.Beta(2.0, 2.0), X),
        "Exponential": (dist.Exponential(1.0), X),
        "Uniform": (dist.Uniform(0.0, 1.0), X),
        "Laplace": (dist.Laplace(0.0, 1.0), X),
        "Bernoulli": (dist.Bernoulli(0.3), jnp.array([0, 1])),
        "Poisson": (dist.Poisson(2.0), jnp.array([0, 1])),
        "Categorical": (dist.Categorical(logits=X), jnp.array([0, 2])),
        "Dirichlet": (dist.Dirichlet(jnp.ones(3)), M),
        "MultivariateNormal": (dist.MultivariateNormal(X, jnp.eye(3)), Y),
        "VonMises": (dist.VonMises(0.0, 1.0), X),
    }
    for name, (each, value) in made.items():
        yield case(f"{name} log_prob", each.log_prob, value)
        yield case(f"{name} sample", each.sample, RAW)

    def model(x: Any, y: Any = None) -> Any:
        w = numpyro.sample("w", dist.Normal(0.0, 1.0))
        with numpyro.plate("data", 3):
            return numpyro.sample("y", dist.Normal(w * x, 1.0), obs=y)

    yield case(
        "log_density",
        lambda w, x: util.log_density(model, (x, Y), {}, {"w": w})[0],
        0.5,
        X,
    )
    yield case("seed", handlers.seed(model, RAW), X)
    yield case(
        "substitute", handlers.seed(handlers.substitute(model, {"w": 0.5}), RAW), X
    )
    yield case(
        "potential_energy",
        lambda w: util.potential_energy(model, (X, Y), {}, {"w": w}),
        0.5,
    )


def blackjax() -> Iterator[Case]:
    import blackjax

    def density(x: Any) -> Any:
        return -jnp.sum(x**2)

    kernels = {
        "hmc": blackjax.hmc(density, 0.1, jnp.ones(3), 3),
        "nuts": blackjax.nuts(density, 0.1, jnp.ones(3)),
        "mala": blackjax.mala(density, 0.1),
        "rmh": blackjax.rmh(density, blackjax.mcmc.random_walk.normal(jnp.eye(3))),
        "dynamic_hmc": blackjax.dynamic_hmc(density, 0.1, jnp.ones(3)),
        "barker": blackjax.barker_proposal(density, 0.1),
        "mclmc": blackjax.mclmc(density, 0.5, 0.1),
        "ghmc": blackjax.ghmc(density, 0.1, jnp.ones(3), 0.5, 0.1),
    }
    for name, kernel in kernels.items():
        args = (X, RAW) if name in ("mclmc", "ghmc", "dynamic_hmc") else (X,)
        yield case(f"{name} init", kernel.init, *args)
        yield case(f"{name} step", kernel.step, RAW, kernel.init(*args))


def jaxopt() -> Iterator[Case]:
    import jaxopt

    for name in words(
        """projection_non_negative projection_simplex projection_l2_ball
projection_l1_ball projection_l2_sphere"""
    ):
        yield case(name, getattr(jaxopt.projection, name), X)
    yield case("projection_box", jaxopt.projection.projection_box, X, (0.0, 1.0))
    for name in words("prox_none prox_lasso prox_ridge prox_group_lasso"):
        yield case(name, getattr(jaxopt.prox, name), X)
    yield case("prox_elastic_net", jaxopt.prox.prox_elastic_net, X, (0.1, 0.1))
    yield case("binary_logistic_loss", jaxopt.loss.binary_logistic_loss, 1, 0.5)
    yield case("multiclass_logistic_loss", jaxopt.loss.multiclass_logistic_loss, 1, X)
    yield case("huber_loss", jaxopt.loss.huber_loss, 1.0, 0.5)
    residuals = jaxopt.objective.least_squares
    yield case("least_squares", residuals, X, (M, Y[:2]))

    def objective(x: Any) -> Any:
        return jnp.sum((x - Y) ** 2)

    solvers = {
        "GradientDescent": jaxopt.GradientDescent(objective, maxiter=3),
        "LBFGS": jaxopt.LBFGS(objective, maxiter=3),
        "BFGS": jaxopt.BFGS(objective, maxiter=3),
        "NonlinearCG": jaxopt.NonlinearCG(objective, maxiter=3),
        "PolyakSGD": jaxopt.PolyakSGD(objective, maxiter=3),
        "ArmijoSGD": jaxopt.ArmijoSGD(objective, maxiter=3),
        "GaussNewton": jaxopt.GaussNewton(lambda x: x - Y, maxiter=3),
        "LevenbergMarquardt": jaxopt.LevenbergMarquardt(lambda x: x - Y, maxiter=3),
        "FixedPoint": jaxopt.FixedPointIteration(lambda x: x / 2 + Y, maxiter=3),
        "Bisection": None,
    }
    for name, solver in solvers.items():
        if solver is not None:
            yield case(f"{name} run", solver.run, X)
    roots = jaxopt.Bisection(lambda x: x**3 - 0.5, 0.0, 1.0, check_bracket=False)
    yield case("Bisection run", roots.run)


def diffrax() -> Iterator[Case]:
    import diffrax

    term = diffrax.ODETerm(lambda t, y, args: -y)
    for name in words("Euler Heun Midpoint Ralston Bosh3 Tsit5 Dopri5 Dopri8"):
        solver = getattr(diffrax, name)()

        def solve(y: Any, solver: Any = solver) -> Any:
            found = diffrax.diffeqsolve(term, solver, 0.0, 1.0, 0.1, y, max_steps=16)
            return found.ys

        yield case(f"diffeqsolve {name}", solve, X)
    times = jnp.linspace(0.0, 1.0, 3)
    yield case(
        "LinearInterpolation",
        lambda ys, t: diffrax.LinearInterpolation(times, ys).evaluate(t),
        X,
        0.3,
    )
    yield case(
        "backward_hermite_coefficients", diffrax.backward_hermite_coefficients, times, X
    )


def lineax() -> Iterator[Case]:
    import lineax

    square = M @ M.T + jnp.eye(2)
    for name in words("LU QR SVD Cholesky"):
        tags = lineax.positive_semidefinite_tag if name == "Cholesky" else frozenset()

        solver = getattr(lineax, name)()

        def solve(a: Any, b: Any, solver: Any = solver, tags: Any = tags) -> Any:
            operator = lineax.MatrixLinearOperator(a, tags)
            return lineax.linear_solve(operator, b, solver).value

        yield case(f"linear_solve {name}", solve, square, X[:2])


def optimistix() -> Iterator[Case]:
    import optimistix

    def f(x: Any, _: Any) -> Any:
        return jnp.tanh(x) - Y

    for name in words("Newton Chord LevenbergMarquardt Dogleg"):
        solver = getattr(optimistix, name)(rtol=1e-3, atol=1e-3)
        run = (
            optimistix.root_find
            if name in ("Newton", "Chord")
            else optimistix.least_squares
        )
        yield case(
            name,
            lambda x, run=run, solver=solver: (
                run(f, solver, x, max_steps=4, throw=False).value
            ),
            X,
        )


PACKAGES = (
    optax,
    rlax,
    chex,
    distrax,
    haiku,
    flax,
    equinox,
    jraph,
    numpyro,
    blackjax,
    jaxopt,
    diffrax,
    lineax,
    optimistix,
)


def copied(names: list[str], folder: Path) -> list[str]:
    """Copy the packages that are installed to a folder, and import them from there."""
    found = []
    for name in names:
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            print(f"{name}: not installed")
            continue
        (place,) = list(spec.submodule_search_locations)[:1]
        skip = shutil.ignore_patterns("__pycache__", "*_test.py", "tests")
        shutil.copytree(place, folder / name, ignore=skip)
        found.append(name)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    return found


def world(names: list[str], folder: Path) -> dict[str, Any]:
    """What must be as it was: globals, files, processes, the environment, settings."""
    modules = [
        module
        for name, module in sorted(sys.modules.items())
        if name.split(".")[0] in names and module is not None
    ]
    return {
        "globals": {
            (module.__name__, key): (id(value), sized(value))
            for module in modules
            for key, value in list(vars(module).items())
            if not key.startswith("__")
        },
        "modules": len(modules),
        "files": sorted(
            (str(path), path.stat().st_mtime_ns)
            for path in folder.rglob("*")
            if "__pycache__" not in path.parts
        ),
        "here": os.getcwd(),
        "processes": len(multiprocessing.active_children()),
        "threads": threading.active_count(),
        "environment": dict(os.environ),
        "numpy": (np.geterr(), str(np.get_printoptions())),
        "random": (random.getstate(), pickle.dumps(np.random.get_state())),
        "jax": str(jax.config.values),
        "path": [*sys.path],
        "streams": (sys.stdout, sys.stderr, open),
    }


def sized(value: object) -> object:
    """The size of a container, so that what is added to it shows."""
    return len(value) if isinstance(value, dict | list | set) else None


def main() -> int:
    show = "--show" in sys.argv
    asked = [each for each in sys.argv[1:] if not each.startswith("-")]
    chosen = {f.__name__: f for f in PACKAGES if not asked or f.__name__ in asked}
    folder = Path(tempfile.mkdtemp())
    totals = dict.fromkeys(COUNTED, 0)
    seconds: list[tuple[float, float]] = []
    names = copied([*chosen], folder)
    for name in names:
        found = run(name, chosen[name], names, folder, show=show, seconds=seconds)
        for key, count in found.items():
            totals[key] += count
        print(f"{name:12}", found, flush=True)
    shutil.rmtree(folder)
    print("all         ", totals)
    wrong = totals["findings"] - totals["looked_at"]
    share = 100 * wrong / max(totals["functions"], 1)
    print(f"{wrong} findings of {totals['functions']} functions are not: {share:.1f} %")
    walls, works = (
        1e3 * statistics.median(each) for each in zip(*seconds, strict=True)
    )
    print(f"median of an audit: {walls:.1f} ms, {works:.1f} ms of the processor's")
    return int(share > 1 or totals["raised"] > 0 or totals["changed"] > 0)


def run(
    name: str,
    cases: Callable[[], Iterator[Case]],
    names: list[str],
    folder: Path,
    *,
    show: bool,
    seconds: list[tuple[float, float]],
) -> dict[str, int]:
    """Audit the functions of one package."""
    count = dict.fromkeys(COUNTED, 0)
    made = cases()
    while True:
        try:
            title, f, args, kwargs = next(made)
        except StopIteration:
            break
        except Exception as error:
            print(f"  {name}: the rest could not be made: {error!r:.200}")
            count["unmade"] += 1
            break
        count["functions"] += 1
        try:
            audit(f, *args, **kwargs)  # what is imported or cached at the first call
            gc.collect()
            before = world(names, folder)
            wall, work = time.perf_counter(), time.thread_time()
            report = audit(f, *args, **kwargs)
            seconds.append((time.perf_counter() - wall, time.thread_time() - work))
            str(report)
            report._repr_html_()
        except Exception as error:
            count["raised"] += 1
            print(f"  {name} {title}: raised {error!r:.300}")
            continue
        after = world(names, folder)
        for key in before:
            if before[key] != after[key]:
                count["changed"] += 1
                print(
                    f"  {name} {title}: changed its {key}",
                    difference(before[key], after[key]),
                )
        count["traced"] += report.traced
        if not report.traced:
            print(f"  {name} {title}: {report.untold}")
        for each in report:
            count["findings"] += 1
            known = any(
                Path(each.file).name == file and mark in each.what
                for file, mark in KNOWN
            )
            count["looked_at"] += known
            if not known or show:
                print(f"  {name} {title}: {Path(each.file).name}\n{each}")
    return count


def difference(one: Any, other: Any) -> str:
    """What differs, in short."""
    if isinstance(one, dict):
        keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
        return str(keys[:5])
    return f"{one!r:.80} {other!r:.80}"


if __name__ == "__main__":
    sys.exit(main())
