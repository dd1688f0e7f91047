"""Functions that are impure on purpose, and their cured twins.

In the files listed here, a comment that begins with `!` marks the line of each finding
that `audit` must give, with its kind; a function without one is clean. The defaults of
the parameters are the arguments that a function is audited with.
"""

import types
from pathlib import Path

import impure_changes
import impure_effects
import impure_keys
import impure_reads
import impure_tracers

FILES = [impure_reads, impure_changes, impure_effects, impure_keys, impure_tracers]

# What the functions call; not audited by themselves.
HELPERS = {
    "change_the_rate",
    "change_the_rest",
    "change_the_scale",
    "helper",
    "change_it",
    "draw",
    "batches",
    "frequencies",
    "noise",
}


def functions_of(file):
    """The functions of a file, and the methods and closures in its list MADE."""
    plain = [
        value
        for name, value in vars(file).items()
        if isinstance(getattr(value, "__wrapped__", value), types.FunctionType)
        and value.__module__ == file.__name__
        and not name.startswith("make_")
        and name not in HELPERS
    ]
    return [*plain, *file.MADE]


def marks_of(file):
    """Line -> kinds, from the comments of a file."""
    lines = Path(file.__file__).read_text(encoding="utf-8").split("\n")
    marked = enumerate((line.partition("# ! ")[2] for line in lines), start=1)
    return {number: kinds.split(", ") for number, kinds in marked if kinds}


FUNCTIONS = [function for file in FILES for function in functions_of(file)]
MARKS = {
    (file.__file__, line): kinds
    for file in FILES
    for line, kinds in marks_of(file).items()
}
