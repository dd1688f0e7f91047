"""Do two contestants give one answer? Leaf by leaf, to half the digits."""

import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import DictKey, keystr, tree_leaves_with_path

Array = np.ndarray[Any, Any]


def to_numpy(leaf: Any) -> Array:
    """Return a leaf as a NumPy array: of NumPy, JAX (keys too), PyTorch, or Python."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(leaf, torch.Tensor):
        leaf = leaf.detach().cpu().resolve_conj().resolve_neg()
        return np.asarray(leaf.float() if leaf.dtype == torch.bfloat16 else leaf)
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    return np.asarray(leaf)


def default_tolerance(*arrays: Array) -> float:
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
    leaves_a, leaves_b = tree_leaves_with_path(a), tree_leaves_with_path(b)
    if len(leaves_a) != len(leaves_b):
        return f"{len(leaves_a)} arrays against {len(leaves_b)}"
    for (path_a, leaf_a), (path_b, leaf_b) in zip(leaves_a, leaves_b, strict=True):
        if _keys(path_a) != _keys(path_b):
            return f"result{keystr(path_a)} against result{keystr(path_b)}"
        found = _leaf_difference(leaf_a, leaf_b, tolerance)
        if found:
            return f"result{keystr(path_a)}{found}"
    return None


def dtypes(result: Any) -> str:
    """Return the dtypes of a result, each once; of Python's numbers, as JAX has them.

    A number of Python takes the dtype of what it meets, so that it differs from none.
    """
    leaves = [leaf for leaf in jax.tree.leaves(result) if hasattr(leaf, "dtype")]
    found = dict.fromkeys(str(leaf.dtype).removeprefix("torch.") for leaf in leaves)
    return " and ".join(found)


def _keys(path: tuple[Any, ...]) -> list[Any]:
    return [entry.key for entry in path if isinstance(entry, DictKey)]


def _leaf_difference(leaf_a: Any, leaf_b: Any, tolerance: float | None) -> str | None:
    a, b = to_numpy(leaf_a), to_numpy(leaf_b)
    if a.shape != b.shape:
        return f" has shape {a.shape} against {b.shape}"
    if not (_is_number(a) and _is_number(b)):
        same = bool(np.all(a == b))
        return None if same else f" is {leaf_a!r} against {leaf_b!r}"
    tolerance = default_tolerance(a, b) if tolerance is None else tolerance
    gap = _gap(a, b)
    allowed = tolerance * max(_largest(a), _largest(b))
    wrong = int(np.sum(gap > allowed))
    if not wrong:
        return None
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(gap)), gap.shape))
    place = f"[{', '.join(map(str, index))}]" if index else ""
    return (
        f"{place} is {a[index]!s} against {b[index]!s}, the largest difference; "
        f"{wrong} of {gap.size} elements differ by more than {allowed:.2g}"
    )


def _is_number(array: Array) -> bool:
    return bool(jnp.issubdtype(array.dtype, jnp.number) or array.dtype == bool)


def _wide(array: Array) -> Array:
    is_complex = jnp.issubdtype(array.dtype, jnp.complexfloating)
    return array.astype(np.complex128 if is_complex else np.float64)


def _gap(a: Array, b: Array) -> Array:
    """Return |a - b|: 0 where both are NaN or the same infinity, inf where one is."""
    wide_a, wide_b = _wide(a), _wide(b)
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.abs(wide_a - wide_b)
    if not any(jnp.issubdtype(array.dtype, jnp.inexact) for array in (a, b)):
        # Large integers may differ by less than float64 can tell.
        return np.where(a == b, 0.0, np.maximum(gap, 1.0))
    same = (wide_a == wide_b) | (np.isnan(wide_a) & np.isnan(wide_b))
    return np.where(same, 0.0, np.where(np.isnan(gap), np.inf, gap))


def _largest(array: Array) -> float:
    wide = np.abs(_wide(array))
    return float(np.max(wide, where=np.isfinite(wide), initial=0.0))
