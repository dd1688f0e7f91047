"""The lessons notice when JAX itself is wrong: bend it, and claims fail."""

import jax
import jax.numpy as jnp
import pytest

from jaxintro._engine import catalog, outcome, page

REAL = {name: getattr(jax, name) for name in ("grad", "vmap", "jit", "value_and_grad")}
SPLIT, FOLD_IN, NORMAL = jax.random.split, jax.random.fold_in, jax.random.normal
SCAN, COND, LINSPACE = jax.lax.scan, jax.lax.cond, jnp.linspace


def slightly_more(tree):
    return jax.tree.map(lambda leaf: leaf * jnp.asarray(1.001, leaf.dtype), tree)


def grad_slightly_off(*args, **kwargs):
    gradient = REAL["grad"](*args, **kwargs)
    if kwargs.get("has_aux"):
        return gradient
    return lambda *a, **k: slightly_more(gradient(*a, **k))


def value_and_grad_slightly_off(*args, **kwargs):
    both = REAL["value_and_grad"](*args, **kwargs)

    def bent(*a, **k):
        value, gradient = both(*a, **k)
        return value, slightly_more(gradient)

    return bent


def vmap_reversed(*args, **kwargs):
    batched = REAL["vmap"](*args, **kwargs)
    return lambda *a, **k: jax.tree.map(lambda leaf: leaf[::-1], batched(*a, **k))


def split_twins(key, num=2):
    keys = SPLIT(key, num)
    return jnp.broadcast_to(keys[:1], keys.shape)


def jit_forgetful(function=None, **options):
    if function is None:
        return lambda function: jit_forgetful(function, **options)
    return lambda *args, **kwargs: REAL["jit"](
        lambda *a, **k: function(*a, **k), **options
    )(*args, **kwargs)


def jit_slightly_off(function=None, **options):
    if function is None:
        return lambda function: jit_slightly_off(function, **options)
    compiled = REAL["jit"](function, **options)

    def bent(*args, **kwargs):
        return jax.tree.map(
            lambda leaf: leaf * 1.001 if leaf.dtype == jnp.float32 else leaf,
            compiled(*args, **kwargs),
        )

    return bent


def scan_without_the_last_step(function, init, xs=None, length=None, **options):
    if xs is None:
        return SCAN(function, init, None, length=length - 1, **options)
    return SCAN(function, init, jax.tree.map(lambda x: x[:-1], xs), **options)


BENDS = {
    "grad, 1.001 times": ("grad", jax, "grad", grad_slightly_off),
    "grad, in descent": ("gradient_descent", jax, "grad", grad_slightly_off),
    "value_and_grad": ("grad", jax, "value_and_grad", value_and_grad_slightly_off),
    "vmap, reversed": ("vmap", jax, "vmap", vmap_reversed),
    "split, the key twice": ("prng_keys", jax.random, "split", split_twins),
    "fold_in, the key itself": ("prng_keys", jax.random, "fold_in", lambda k, n: k),
    "normal, 1.01 times": (
        "prng_keys",
        jax.random,
        "normal",
        lambda *a, **k: NORMAL(*a, **k) * 1.01,
    ),
    "jit, traces at every call": ("jit", jax, "jit", jit_forgetful),
    "jit, 1.001 times": ("jit", jax, "jit", jit_slightly_off),
    "jit, in pure functions": ("pure_functions", jax, "jit", jit_forgetful),
    "scan, a step short": (
        "gradient_descent",
        jax.lax,
        "scan",
        scan_without_the_last_step,
    ),
    "cond, the other branch": (
        "vmap",
        jax.lax,
        "cond",
        lambda p, yes, no, *x: COND(p, no, yes, *x),
    ),
    "linspace, 1.001 times": (
        "numpy_parity",
        jnp,
        "linspace",
        lambda *a, **k: LINSPACE(*a, **k) * 1.001,
    ),
}


@pytest.mark.parametrize("bend", BENDS)
def test_a_claim_fails_when_jax_is_bent(bend, monkeypatch):
    name, module, attribute, bent = BENDS[bend]
    found = page.read(catalog.find(name))
    lesson = outcome.load(found.lesson)
    monkeypatch.setattr(module, attribute, bent)
    checks = [check for demo in found.sections for check in demo.checks]
    assert any(fails(getattr(lesson, check.name)) for check in checks)


def fails(check):
    try:
        check()
    except AssertionError:
        return True
    except Exception:
        return False  # a bend that breaks the demo proves nothing about the claims
    return False
