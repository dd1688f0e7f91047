"""What a name or a place stands for, found without running the user's code."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import types
import warnings
from collections import defaultdict
from types import ModuleType
from typing import Any

from jaxintro.lens.audit.source.writes import UNKNOWN, Step

MISSING = object()  # what cannot be known without running the function


def contents(cell: Any) -> object:
    """What a closure cell holds."""
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


def known_module(name: str) -> object:
    """A module that is already imported, or one of the standard library."""
    if name in sys.modules:
        return sys.modules[name]
    if name.split(".")[0] not in sys.stdlib_module_names:
        return MISSING
    return importlib.import_module(name)


def follow(value: object, steps: tuple[Step, ...]) -> object:
    """The value some attributes and items below `value`, running no property."""
    for kind, key in steps:
        if value is MISSING:
            break
        value = attribute(value, str(key)) if kind == "attr" else item(value, key)
    return value


def attribute(value: object, name: str) -> object:
    """An attribute, without running the user's properties."""
    if type(value) is ModuleType and name in vars(value):
        return vars(value)[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated names of a module warn
        try:
            if isinstance(value, ModuleType | type):
                return getattr(value, name, MISSING)
            found = inspect.getattr_static(value, name, MISSING)
            return MISSING if runs_code(found) else getattr(value, name, MISSING)
        except Exception:  # a module's lazy attribute may raise anything
            return MISSING


def runs_code(found: object) -> bool:
    """Whether reading a class attribute runs a function of the user's."""
    if isinstance(found, property | functools.cached_property):
        return True
    return isinstance(getattr(type(found), "__get__", None), types.FunctionType)


def item(value: object, key: object) -> object:
    """An item of a list, tuple or dict; the first one where the key is unknown."""
    if not isinstance(value, list | tuple | dict):
        return MISSING
    if isinstance(value, defaultdict) and key not in value:
        made = value.default_factory
        return made() if made in (list, dict, set) else MISSING
    try:
        if key is UNKNOWN:
            return next(iter(value.values() if isinstance(value, dict) else value))
        return value[key]  # type: ignore[call-overload]
    except (LookupError, StopIteration, TypeError):
        return MISSING
