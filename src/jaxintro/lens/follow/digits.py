"""Numbers and arrays in words, NumPy's and JAX's told apart."""

import math
import sys
from typing import Any

import numpy as np

from jaxintro.lens.follow.kinds import is_a
from jaxintro.lens.follow.said import MOST, WIDE, Words, capped, cut

WHOLE = 8  # so many numbers of a row are all shown
EDGE = 3  # otherwise, so many at either end


def number(value: Any) -> Words:
    """A number, None, True or False; of NumPy's, which type it has."""
    if is_a(value, np.generic):
        text = figure(value.item()) if value.dtype.kind in "fcb" else str(value)
        return Words(_own_digits(value) or text, f"np.{value.dtype}")
    return Words(figure(value) if is_a(value, float) else _short(value))


def figure(value: Any) -> str:
    """A Python number with seven digits, or all of them where that would hide some."""
    if not isinstance(value, float) or not math.isfinite(value):
        return repr(value)
    whole = repr(value)
    short = f"{value:.7g}"
    hides = len(short.rstrip("0").replace("-", "").replace(".", "")) < 6
    if len(whole) <= 10 or hides:
        return whole
    return short if any(c in short for c in ".e") else short + ".0"


def _own_digits(value: np.generic) -> str:
    """A float32 or narrower has few digits, and NumPy knows how few."""
    narrow = value.dtype.kind == "f" and value.dtype.itemsize < 8
    return str(value) if narrow or value.dtype.kind == "V" else ""


def aval(value: Any) -> str:
    """Type and shape, as a jaxpr writes them but in full: float32[3,4]."""
    shape = ",".join(str(n) for n in value.shape)
    return f"{value.dtype}[{shape}]"


def jax_array(array: Any) -> Words:
    """An array of JAX: its numbers, or that it has them no more."""
    kind = aval(array)
    if array.is_deleted():
        return Words("donated: its memory is gone", kind)
    if kind.startswith("key<"):
        return _key(array, kind)
    return _array(_ends(numbers_of(array)), kind)


def numbers_of(array: Any) -> np.ndarray[Any, Any]:
    """A view of a JAX array's numbers, to be let go at once.

    `np.asarray` would leave a view with the array, and its memory could then no longer
    be donated; a buffer that is read and let go leaves no trace.
    """
    try:
        return np.asarray(memoryview(array))
    except (BufferError, ValueError, RuntimeError, NotImplementedError, TypeError):
        with sys.modules["jax"].transfer_guard("allow"):  # the reader asked to see it
            return np.asarray(array)


def _ends(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if array.ndim == 1 and array.size > 1000:
        return np.concatenate([array[:500], array[-500:]])
    return array


def _key(array: Any, kind: str) -> Words:
    data = getattr(array, "_base_array", None)
    if data is None or array.ndim:
        return Words(kind)
    entries = " ".join(str(n) for n in numbers_of(data).ravel())
    name = kind.removesuffix("[]")
    return Words(f"{name} [{entries}]", brief=name)  # two in a row: the data is much


def numpy_array(array: np.ndarray[Any, Any]) -> Words:
    """An array of NumPy's, whose type begins with `np.`."""
    if array.dtype == object:
        with np.printoptions(threshold=WHOLE, edgeitems=EDGE):
            return Words(cut(" ".join(repr(array).split())))
    shape = ",".join(str(n) for n in array.shape)
    return _array(_ends(array), f"np.{array.dtype}[{shape}]")


def torch_tensor(tensor: Any) -> Words:
    """A tensor of PyTorch's, or what stands for one under `torch.func`."""
    torch = sys.modules["torch"]
    shape = ",".join(str(n) for n in tensor.shape)
    kind = f"{tensor.dtype}[{shape}]"
    if tensor.requires_grad:
        kind += " requires grad"
    if torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        return Words(f"stands for a tensor, {kind}")
    plain = tensor.detach().resolve_conj().resolve_neg().cpu()
    if plain.dtype is torch.bfloat16:  # which NumPy does not have
        plain = plain.to(torch.float32)
    return _array(_ends(plain.numpy()), kind)


def _array(array: np.ndarray[Any, Any], kind: str) -> Words:
    if array.ndim == 0:
        return Words(number(array[()]).text, kind)
    if array.size == 0:
        return Words("[]", kind)
    if array.ndim == 1:
        return Words(_row(array, EDGE, EDGE), kind, brief=_row(array, 2, 1))
    text = np.array2string(
        array,
        max_line_width=WIDE,
        precision=4,
        threshold=WHOLE * WHOLE,
        edgeitems=EDGE,
    )
    lines = text.replace("...", "…").splitlines()
    block = (*lines[:-1], f"{lines[-1]}  {kind}")
    if array.ndim > 2 or array.size <= WHOLE:
        joined = " ".join(line.strip() for line in lines)
        return Words(joined if array.size <= WHOLE else "", kind, capped(block, MOST))
    ends = " … ".join(_row(row, 1, 1) for row in (array[0], array[-1]))
    large = array.size > WHOLE * WHOLE
    return Words("", kind, capped(block, MOST), f"[{ends}]" if large else "")


def _row(array: np.ndarray[Any, Any], start: int, end: int) -> str:
    """The numbers of one row: all of a short one, both ends of a long one."""
    shown, long = array, array.size > WHOLE
    if long:
        shown = np.concatenate([array[:start], array[-end:]])
    entries = [_entry(number) for number in shown]
    if long:
        entries.insert(start, "…")
    return f"[{' '.join(entries)}]"


def _entry(number: Any) -> str:
    """A number as one among others, with four digits."""
    if isinstance(number, np.floating) or "float" in str(number.dtype):
        value = float(number)
        if value.is_integer() and abs(value) < 1e9:
            return f"{value:.0f}."
        short = f"{value:.4g}" if math.isfinite(value) else str(value)
        return short if any(c in short for c in ".en") else short + "."
    return str(number)


def _short(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        if value.bit_length() > 200:  # to write it all out would take its time
            return f"an int of {value.bit_length()} bits"
        return repr(value)
    return cut(repr(value))
