"""Do two contestants give one answer? Leaf by leaf, to half the digits."""

import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import DictKey, keystr


def to_numpy(leaf: Any) -> np.ndarray[Any, Any]:
    """Return a leaf as a NumPy array: of NumPy, JAX (keys too), PyTorch, or Python."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(leaf, torch.Tensor):
        leaf = leaf.detach().cpu().resolve_conj().resolve_neg()
        return np.asarray(leaf.float() if leaf.dtype == torch.bfloat16 else leaf)
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    return np.asarray(leaf)


def default_tolerance(*arrays: np.ndarray[Any, Any]) -> float:
    """Return the root of the machine epsilon of the least precise dtype.

    That asks for half of its digits: 1.5e-8 in float64, 3.5e-4 in float32, 0.03 in
    float16, and 0 between integers.
    """
    finfo: Any = jnp.finfo  # knows bfloat16, which NumPy's does not
    inexact = [a.dtype for a in arrays if jnp.issubdtype(a.dtype, jnp.inexact)]
    return max((float(finfo(dtype).eps) ** 0.5 for dtype in inexact), default=0.0)


def difference(a: Any, b: Any, tolerance: float | None = None) -> str | None:
    """Return where and how much two pytrees differ, or None if they agree.

    Leaves are taken in order, so a list agrees with a tuple; keys of dicts must be
    equal. An element may differ by `tolerance` times the largest magnitude in its
    leaf; NaN agrees with NaN. Without a tolerance, see `default_tolerance`.
    """
    leaves_a = jax.tree_util.tree_leaves_with_path(a)
    leaves_b = jax.tree_util.tree_leaves_with_path(b)
    if len(leaves_a) != len(leaves_b):
        return f"{len(leaves_a)} arrays against {len(leaves_b)}"
    for (path_a, leaf_a), (path_b, leaf_b) in zip(leaves_a, leaves_b, strict=True):
        if _keys(path_a) != _keys(path_b):
            return f"result{keystr(path_a)} against result{keystr(path_b)}"
        found = _leaf_difference(keystr(path_a), leaf_a, leaf_b, tolerance)
        if found:
            return found
    return None


def _keys(path: tuple[Any, ...]) -> list[Any]:
    return [entry.key for entry in path if isinstance(entry, DictKey)]


def _leaf_difference(
    path: str, leaf_a: Any, leaf_b: Any, tolerance: float | None
) -> str | None:
    a, b = to_numpy(leaf_a), to_numpy(leaf_b)
    where = f"result{path}"
    if a.shape != b.shape:
        return f"{where} has shape {a.shape} against {b.shape}"
    if not (_is_number(a) and _is_number(b)):
        same = bool(np.all(a == b))
        return None if same else f"{where} is {leaf_a!r} against {leaf_b!r}"
    if tolerance is None:
        tolerance = default_tolerance(a, b)
    if tolerance == 0.0:
        gap = (a != b).astype(float) * np.abs(_wide(a) - _wide(b)).clip(min=1.0)
        allowed = 0.0
    else:
        a, b = _wide(a), _wide(b)
        gap = _gap(a, b)
        finite = np.concatenate([np.abs(a[np.isfinite(a)]), np.abs(b[np.isfinite(b)])])
        allowed = tolerance * float(finite.max(initial=0.0))
    return _worst(where, leaf_a, leaf_b, gap, allowed)


def _is_number(array: np.ndarray[Any, Any]) -> bool:
    return bool(jnp.issubdtype(array.dtype, jnp.number) or array.dtype == bool)


def _wide(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    complex_ = jnp.issubdtype(array.dtype, jnp.complexfloating)
    return array.astype(np.complex128 if complex_ else np.float64)


def _gap(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return |a - b|: 0 where both are NaN or the same infinity, inf where one is."""
    with np.errstate(invalid="ignore"):
        gap = np.abs(a - b)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(same, 0.0, np.where(np.isnan(gap), np.inf, gap))


def _worst(
    where: str, leaf_a: Any, leaf_b: Any, gap: np.ndarray[Any, Any], allowed: float
) -> str | None:
    wrong = int(np.sum(gap > allowed))
    if not wrong:
        return None
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(gap)), gap.shape))
    a, b = to_numpy(leaf_a)[index], to_numpy(leaf_b)[index]
    place = f"{where}[{', '.join(map(str, index))}]" if index else where
    return (
        f"{place} is {a} against {b}, the largest difference "
        f"({wrong} of {gap.size} elements differ by more than {allowed:.2g})"
    )
