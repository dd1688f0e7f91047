"""The lens is a house in order: a folder a tool, no circle of imports."""

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import jaxintro.lens

ROOT = Path(jaxintro.lens.__file__).parent
TOOLS = ("audit", "explain", "follow", "race", "traces")


def module_of(path):
    """The name by which a file is imported."""
    parts = path.relative_to(ROOT.parents[1]).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in ROOT.rglob("*.py")}


def imported(tree, known):
    """The modules that a file imports, at any place in it, types included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [name for name in inner if name in known]
            yield from found
            if len(found) < len(inner) and node.module in known:
                yield node.module


def graph(sources):
    """Module -> the modules that it imports; of texts by module."""
    trees = {name: ast.parse(text) for name, text in sources.items()}
    return {name: set(imported(tree, sources)) for name, tree in trees.items()}


def circle(imports):
    """A circle of imports, or nothing."""
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return None


SOURCES = {name: path.read_text(encoding="utf8") for name, path in MODULES.items()}


def test_no_circle_of_imports():
    assert circle(graph(SOURCES)) is None


@pytest.mark.parametrize(
    "text",
    [
        "from jaxintro.lens.audit import audit",
        "from jaxintro.lens import audit",
        "def f():\n    from jaxintro.lens.audit import audit",
        "if TYPE_CHECKING:\n    from jaxintro.lens.audit import Audit",
    ],
)
def test_a_circle_would_be_found(text):
    assert circle(graph({**SOURCES, "jaxintro.lens.page": text}))


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_is_a_folder_with_its_function_at_the_door(tool):
    tree = ast.parse((ROOT / tool / "__init__.py").read_text(encoding="utf8"))
    assert tool in {getattr(node, "name", None) for node in tree.body}
    assert tool in jaxintro.lens.__all__


def test_no_tool_knows_another():
    """What they share stands beside them; the recorder of `follow` can be paused."""
    for name, found in graph(SOURCES).items():
        own = name.split(".")[2:3]
        for other in found - {"jaxintro.lens.follow.record"}:
            tool = other.split(".")[2:3]
            assert not own or own == tool or tool[0] not in TOOLS, (name, other)


def test_importing_the_lens_loads_no_more_than_its_doors():
    """What reads jaxprs and source is loaded by the first call that needs it."""
    code = """
import sys
import jaxintro.lens
for name in ("jax.extend.core", "matplotlib", "jaxintro.lens.audit.analysis"):
    assert name not in sys.modules, name
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_door_names_files_that_are_there(tool):
    door = ast.get_docstring(ast.parse(SOURCES[f"jaxintro.lens.{tool}"]))
    named = re.findall(r"`([\w/]+\.py|\w+/)`", door)
    assert named
    for each in named:
        assert (ROOT / tool / each).exists(), each


@pytest.mark.parametrize(
    ("tool", "what", "file"),
    [
        ("audit", "kinds of findings", "kinds.py"),
        ("traces", "cause of a retrace", "causes.py"),
        ("explain", "field", "report.py"),
    ],
)
def test_a_door_says_where_something_new_goes(tool, what, file):
    door = ast.get_docstring(ast.parse(SOURCES[f"jaxintro.lens.{tool}"]))
    assert any(what in line and file in line for line in door.split("\n"))


def test_the_words_are_those_of_the_field():
    for name, text in SOURCES.items():
        assert not re.search(r"\b(hearings?|witness\w*|clues?|weighing)\b", text), name
