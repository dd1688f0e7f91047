"""What a function reads from around the program: environment, files, the process."""

from __future__ import annotations

import ast
import builtins
import io
import os
from collections.abc import Iterator

from jaxintro.lens.audit.kinds import OUTSIDE, Diagnostic
from jaxintro.lens.audit.source.body import last_name
from jaxintro.lens.audit.source.function import UserFunction
from jaxintro.lens.audit.source.quoting import code, where
from jaxintro.lens.audit.source.writes import words

OF_OS = words(
    """getenv getenvb getpid getppid getcwd getcwdb getlogin getuid geteuid listdir
    scandir stat lstat walk times getloadavg access readlink"""
)
OF_PATH = words("exists lexists isfile isdir getsize getmtime getctime getatime islink")
OF_PATHLIB = words(
    """read_text read_bytes exists is_file is_dir is_symlink iterdir glob rglob stat
    lstat cwd home resolve"""
)
LOADERS = words("load loadtxt genfromtxt fromfile memmap")  # of NumPy
READERS = {  # of pandas and others
    "pandas": words("read_csv read_parquet read_json read_excel read_pickle read_hdf"),
    "glob": words("glob iglob"),
    "_socket": words("gethostname"),
    "socket": words("gethostname getfqdn"),
    "platform": words("node"),
    "getpass": words("getuser"),
    "psutil": words("cpu_percent virtual_memory"),
}


def rule_surroundings(function: UserFunction) -> Iterator[Diagnostic]:
    """What is read from the environment, from files, or from the process."""
    for node, value in function.calls:
        what = read_by(value, node)
        if what:
            yield Diagnostic(
                OUTSIDE,
                *where(function, node),
                f"{code(node)} reads {what}",
                variant="file" if what == "a file" else "environment",
            )


def read_by(value: object, node: ast.Call) -> str:
    """What a call reads from around the program, "" if nothing."""
    module = str(getattr(value, "__module__", None) or "")
    name = str(getattr(value, "__name__", None) or last_name(node.func))
    top = module.split(".")[0]
    if value is builtins.open or value is io.open:
        return "" if set("wax+") & set(mode_of(node)) else "a file"
    if name in ("read_text", "read_bytes"):
        return "a file"
    if value is os.getenv or name == "getenvb":
        return "the environment"
    if top in ("numpy", "jax") and name in LOADERS:
        return "a file"
    if top in ("os", "posix", "nt") and name in OF_OS:
        return "the process" if name.startswith("get") else "the file system"
    if top in ("posixpath", "ntpath", "genericpath") and name in OF_PATH:
        return "the file system"
    if top == "pathlib" and name in OF_PATHLIB:
        return "the file system"
    if name in READERS.get(top, ()):
        return "a file" if top == "pandas" else "the surroundings"
    return ""


def mode_of(node: ast.Call) -> str:
    """The mode given to `open`, "r" if none or not a constant."""
    modes = [each.value for each in node.keywords if each.arg == "mode"] + node.args[1:]
    if modes and isinstance(modes[0], ast.Constant):
        return str(modes[0].value)
    return "r"
