"""What a value is, found out without asking it: looking must not be noticed.

`isinstance` and `hasattr` may run a value's own `__class__` or `__getattr__`; its type,
and what lies in its `__dict__`, can be read past them.
"""

import dataclasses
import inspect
import sys
from collections.abc import Iterator
from itertools import islice
from types import FunctionType
from typing import Any

DEPTH = 3  # containers within containers
BREADTH = 100  # entries of one container

_LASTING = ("builtins", "jax", "jaxlib", "numpy")  # whose classes live as long as we
_known: dict[type, str] = {}


def is_a(value: Any, kinds: type | tuple[type, ...]) -> bool:
    """As `isinstance`, but a value that claims to be of another class is not heard."""
    return issubclass(type(value), kinds)


def is_tracer(value: Any) -> bool:
    """The value stands in for numbers while JAX traces."""
    return _jax_kind(type(value)) == "tracer"


def is_array(value: Any) -> bool:
    """The value is a JAX array with numbers in it (or was, before it was donated)."""
    return _jax_kind(type(value)) == "array"


def _jax_kind(kind: type) -> str:
    """What a class is to JAX. JAX itself takes microseconds to tell."""
    if (known := _known.get(kind)) is not None:
        return known
    jax = sys.modules.get("jax")
    if jax is None:
        return ""
    found = ""
    if issubclass(kind, jax.core.Tracer):
        found = "tracer"
    elif issubclass(kind, jax.Array):
        found = "array"
    if kind.__module__.partition(".")[0] in _LASTING:
        _known[kind] = found
    return found


def is_tensor(value: Any) -> bool:
    """The value is a tensor of PyTorch with one number after the other in it."""
    torch = sys.modules.get("torch")
    if torch is None or not issubclass(type(value), torch.Tensor):
        return False
    dense = value.layout is torch.strided and not value.is_quantized
    return dense and value.device.type != "meta"


def is_plain_dataclass(value: Any) -> bool:
    """A dataclass that shows itself as dataclasses do."""
    kind = type(value)
    return dataclasses.is_dataclass(kind) and hasattr(kind.__repr__, "__wrapped__")


def entry_of(value: Any, name: str) -> Any:
    """What an object holds under a name, read past properties and `__getattr__`.

    Raises:
        KeyError: it holds nothing there itself.
    """
    try:
        return object.__getattribute__(value, "__dict__")[name]
    except AttributeError:
        raise KeyError(name) from None


def field_of(value: Any, name: str) -> Any:
    """A field of a dataclass, with slots or without."""
    return object.__getattribute__(value, name)


def wrapped_by(value: Any) -> Any:
    """What a decorator, or JAX, has wrapped; None if nothing."""
    found = inspect.getattr_static(value, "__wrapped__", None)
    if hasattr(type(found), "__get__") and not isinstance(found, FunctionType):
        try:  # a property of a wrapper, which is there to be read
            return getattr(value, "__wrapped__", None)
        except Exception:
            return None
    return found


def holds_tracer(value: Any, depth: int = DEPTH) -> bool:
    """A tracer is the value, or in it, through a few layers of plain containers."""
    if depth and issubclass(type(value), dict | list | tuple):
        return any(holds_tracer(entry, depth - 1) for entry in first_entries(value))
    return is_tracer(value)


def first_entries(value: Any) -> Iterator[Any]:
    """The first entries of a dict, list or tuple, past any `__iter__` of its own."""
    if issubclass(type(value), dict):
        return islice(dict.values(value), BREADTH)
    if issubclass(type(value), list):
        return islice(list.__iter__(value), BREADTH)
    return islice(tuple.__iter__(value), BREADTH)
