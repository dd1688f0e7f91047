"""What in Python is different at every call: random numbers and clocks."""

from __future__ import annotations

import ast
import datetime
import random

import numpy as np

GENERATORS = (random.Random, np.random.Generator, np.random.RandomState)
CLOCKS = frozenset({"now", "today", "utcnow"})
ONLY_SOME = {  # modules of which only some functions draw
    "uuid": {"uuid1", "uuid4"},
    "os": {"urandom", "getrandom"},
    "posix": {"urandom", "getrandom"},
    "nt": {"urandom"},
}


def chance(function: object, call: ast.Call) -> str:
    """What a call draws from: "randomness", "time", or "" for neither."""
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__name__", "")
    module = str(
        getattr(function, "__module__", None) or getattr(owner, "__name__", "")
    )
    if isinstance(owner, GENERATORS):
        return "randomness"
    if isinstance(owner, type) and issubclass(owner, datetime.date):
        return "time" if name in CLOCKS else ""
    if module == "time":
        return "time"
    if any(function is each for each in GENERATORS) or name in (
        "default_rng",
        "SeedSequence",
    ):
        return "" if seeded(call) else "randomness"
    if module in ("random", "secrets", "numpy.random") or name in ONLY_SOME.get(
        module, ()
    ):
        return "randomness"
    return ""


def seeded(call: ast.Call) -> bool:
    """Whether a generator is made from a seed, and so gives the same every time."""
    given = [*call.args, *(each.value for each in call.keywords)]
    return any(
        not (isinstance(each, ast.Constant) and each.value is None) for each in given
    )
