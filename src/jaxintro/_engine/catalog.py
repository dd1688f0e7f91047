"""Which lessons there are, read from their source. Nothing is imported or run."""

import ast
import difflib
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
PACKAGE = Path(__file__).parents[1]
# A lesson of such a name would be imported by whoever means the module.
TAKEN = sys.stdlib_module_names | {"jax", "jaxlib", "numpy", "matplotlib", "rich"}


class RefusalError(Exception):
    """One line for the reader, and the exit status that goes with it."""

    status = 1


class UsageError(RefusalError):
    """What the reader asked for makes no sense; the line says what would."""

    status = 2


class LackingError(RefusalError):
    """The machine does not have what was asked for."""

    status = 3


@dataclass(frozen=True)
class Lesson:
    """One lesson, known by what stands before the first function of its file."""

    name: str
    title: str  # the docstring's first line, "Topic: one clause."
    order: int | None  # None in a lesson of one's own that does not ask for a place
    path: Path
    ours: bool  # part of the course, not a file of the reader's
    needs: str | None = None  # the extra whose packages it imports, such as "pytorch"
    devices: int = 1  # how many devices of JAX it takes

    @property
    def module(self) -> str:
        """The name to import it by."""
        return f"jaxintro.{self.name}" if self.ours else self.name

    @property
    def argument(self) -> str:
        """What a reader types to open it again."""
        return self.name if self.ours else str(self.path)


@cache
def course() -> tuple[Lesson, ...]:
    """The lessons of the course, in the order in which they are read."""
    found = (read_head(path, ours=True) for path in PACKAGE.glob("*.py"))
    lessons = [lesson for lesson in found if lesson and lesson.order is not None]
    return tuple(sorted(lessons, key=lambda lesson: (lesson.order, lesson.name)))


def read_head(path: Path, *, ours: bool = False) -> Lesson | None:
    """The lesson in this file, or None if its head has no docstring to name it."""
    head = re.split(r"^(?:def |class |@)", read_text(path), maxsplit=1, flags=re.M)[0]
    try:
        tree = ast.parse(head)
    except SyntaxError:
        return None
    title = (ast.get_docstring(tree) or "").partition("\n")[0].rstrip(".")
    order, needs = _declared(tree, "ORDER", int), _declared(tree, "NEEDS", str)
    devices = _declared(tree, "DEVICES", int) or 1
    lesson = Lesson(path.stem, title, order, path, ours, needs, devices)
    return lesson if title else None


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        UsageError: it is not text, or not ours to read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"'{path}' cannot be read: {error}.") from error


def _declared(tree: ast.Module, name: str, kind: type[T]) -> T | None:
    for node in tree.body:
        match node:
            case ast.Assign([ast.Name(bound)], ast.Constant(value)):
                if bound == name and isinstance(value, kind):
                    return value
    return None


def find(name: str) -> Lesson:
    """The lesson that the reader means by a name or a path.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    if is_path(name):
        return _find_file(name)
    for lesson in course():
        if lesson.name == name:
            return lesson
    if name and Path(name).is_dir():
        return _find_file(name)
    names = [lesson.name for lesson in course()]
    beside = Path(f"{name}.py")
    hint = f" Did you mean the file '{beside}'?" if beside.is_file() else ""
    hint = hint or nearest(name, names)
    raise UsageError(f"There is no lesson called '{name}'.{hint}")


def template() -> Path:
    """The lesson that others are copied from, in a wheel or in a clone."""
    found = PACKAGE / "_engine" / "template" / "my_lesson.py"
    return found if found.exists() else PACKAGE.parents[1] / "examples" / found.name


def is_path(name: str) -> bool:
    """The reader means a file of their own, not a lesson by its name."""
    return name.endswith((".py", "..")) or "/" in name or "\\" in name or name == "."


def _find_file(name: str) -> Lesson:
    path = Path(name)
    if "://" in name:
        raise UsageError(f"'{name}' is an address: save the file, and give its path.")
    if path.is_dir():
        raise UsageError(f"'{path}' is a folder: give the path of a lesson file in it.")
    if not path.is_file():
        raise UsageError(f"There is no file '{path}': give the path of a lesson file.")
    if path.stem in TAKEN:
        raise UsageError(f"'{path}' stands in the way of '{path.stem}': rename it.")
    lesson = read_head(path)
    return lesson or Lesson(path.stem, path.stem, None, path, ours=False)


def nearest(name: str, names: list[str]) -> str:
    """The end of a message about a wrong name: the right one, if one is near."""
    if close := difflib.get_close_matches(name, names, n=1, cutoff=0.5):
        return f" Did you mean '{close[0]}'?"
    return f" There are: {', '.join(names)}."
