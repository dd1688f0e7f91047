"""Settings of the whole process that a function may change, and that are put back."""

from __future__ import annotations

import gc
import locale
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from jaxintro.lens.audit.trace.boxes import Box, Contents, Held


class Setting(NamedTuple):
    """How a setting is read, as something that can be compared, and how it is set."""

    read: Callable[[], Any]
    write: Callable[[Any], Any]


def set_loggers(before: list[tuple[Any, ...]]) -> None:
    """Give every logger the level, the handlers and the filters that it had."""
    for each, level, disabled, propagate, handlers, filters in before:
        each.level, each.disabled, each.propagate = level, disabled, propagate
        each.handlers[:], each.filters[:] = handlers, filters
    logging.root.manager._clear_cache()  # type: ignore[attr-defined]


def loggers() -> list[tuple[Any, ...]]:
    """What every logger is set to."""
    return [
        (
            each,
            each.level,
            each.disabled,
            each.propagate,
            (*each.handlers,),
            (*each.filters,),
        )
        for each in (logging.root, *logging.root.manager.loggerDict.values())
        if isinstance(each, logging.Logger)
    ]


SETTINGS = {
    "numpy.seterr": Setting(np.geterr, lambda rules: np.seterr(**rules)),
    "numpy.seterrcall": Setting(np.geterrcall, np.seterrcall),
    "numpy.set_printoptions": Setting(
        np.get_printoptions, lambda how: np.set_printoptions(**how)
    ),
    "sys.setrecursionlimit": Setting(sys.getrecursionlimit, sys.setrecursionlimit),
    "sys.path": Setting(
        lambda: [*sys.path], lambda path: sys.path.__setitem__(slice(None), path)
    ),
    "sys.excepthook": Setting(
        lambda: sys.excepthook, lambda hook: setattr(sys, "excepthook", hook)
    ),
    "threading.excepthook": Setting(
        lambda: threading.excepthook,
        lambda hook: setattr(threading, "excepthook", hook),
    ),
    "gc.isenabled": Setting(
        gc.isenabled, lambda on: gc.enable() if on else gc.disable()
    ),
    "gc.set_threshold": Setting(gc.get_threshold, lambda held: gc.set_threshold(*held)),
    "locale.setlocale": Setting(
        lambda: locale.setlocale(locale.LC_ALL),
        lambda held: locale.setlocale(locale.LC_ALL, held),
    ),
    "logging": Setting(loggers, set_loggers),
}


def settings_box() -> Box:
    """The box of all settings."""

    def read() -> Contents:
        return {name: Held(setting.read()) for name, setting in SETTINGS.items()}

    def write(held: Contents) -> None:
        for name, setting in SETTINGS.items():
            if Held(setting.read()) != held[name]:
                setting.write(held[name].value)

    return Box(read, write)
