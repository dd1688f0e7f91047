"""Where each name of JAX is taught: read from the pages, in the order of the course."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from jaxintro._engine.catalog import UsageError, nearest
from jaxintro._engine.extras import guests, imported
from jaxintro._engine.page import Page, Section

# What only JAX's arrays and programs have, so that it needs a word before it is used.
OF_ARRAYS = {
    "addressable_shards", "at", "block_until_ready", "delete", "devices", "eqns",
    "is_deleted", "is_ready", "sharding", "weak_type",
}  # fmt: skip
OF_NUMPY = {"axis", "dtype", "keepdims", "shape"}  # keywords that NumPy has as well


@dataclass
class Entry:
    """A name: the demos whose words name it, and those whose code uses it."""

    name: str  # in full: jax.lax.scan, jaxintro.lens.race, in_axes, .at
    named: list[tuple[Page, Section]] = field(default_factory=list)
    used: list[tuple[Page, Section]] = field(default_factory=list)

    @property
    def short(self) -> str:
        """What one would type to look it up."""
        return self.name.rpartition(".")[2]


def entries(pages: Iterable[Page]) -> dict[str, Entry]:
    """Every name that a demo's code uses, in the order in which the course does."""
    found: dict[str, Entry] = {}
    seen: dict[str, list[tuple[Page, Section]]] = {}
    for page in pages:
        for section in page.sections:
            for word in words_of(page, section):
                seen.setdefault(word, []).append((page, section))
            for name in dict.fromkeys(names_of(page, section)):
                found.setdefault(name, Entry(name)).used.append((page, section))
    for entry in found.values():
        there = seen.get(entry.short, [])
        # a short name may be that of several: rather where the code has it, too
        entry.named = [place for place in there if place in entry.used] or there
    return found


def unintroduced(pages: Iterable[Page]) -> list[str]:
    """What code uses before any words have named it; NumPy's names are known."""
    import numpy

    missing, known = [], set[str]()
    for page in pages:
        for section in page.sections:
            known |= words_of(page, section)
            missing += [
                f"{page.lesson.name}.{section.name} uses {name}"
                for name in dict.fromkeys(names_of(page, section))
                if name.rpartition(".")[2] not in known and not _is_numpys(name, numpy)
            ]
    return missing


def _is_numpys(name: str, numpy: object) -> bool:
    home, *path = name.removeprefix("jax.").split(".")
    there: object | None = numpy
    for part in path:
        there = getattr(there, part, None)
    # jnp.sin, torch.sin: a guest's function at its top level that NumPy has as well
    of_arrays = home == "numpy" if name.startswith("jax.") else len(path) == 1
    return home != "jaxintro" and of_arrays and there is not None


def words_of(page: Page, section: Section) -> set[str]:
    """The names between backticks in a demo's words, and in the lesson's opening."""
    texts = [section.heading, *section.prose.paragraphs, section.prose.predict or ""]
    texts += [section.prose.myth or ""]
    if section is page.sections[0]:
        texts += [page.lesson.title, *page.intro.paragraphs]
    quoted = [code for text in texts for code in re.findall(r"`([^`]+)`", text)]
    return {word for code in quoted for word in re.findall(r"\w+", code)}


def names_of(page: Page, section: Section) -> Iterator[str]:
    """The names of JAX and of the lens in a demo's code and its definitions."""
    tops = {"jax", "jaxintro"} | guests(page)
    aliases = dict(_aliases(page.imports, tops))
    sources = [section.source, *(d.source for d in section.definitions)]
    for source in sources:
        tree = ast.parse(source)
        modules = {module for _, module in imported(tree)}
        known = aliases | dict(_aliases(source, tops))
        inner = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        for node in ast.walk(tree):
            match node:
                case ast.Attribute() | ast.Name() if name := _dotted(node, known):
                    whole = id(node) not in inner and name not in known.values()
                    is_module = _is_module(name) or name in modules
                    if whole or (isinstance(node, ast.Name) and not is_module):
                        yield name
                case ast.Attribute(attr=attribute) if attribute in OF_ARRAYS:
                    yield f".{attribute}"
                case ast.Call(func, arguments, keywords):
                    target = _dotted(func, known)
                    if not target and arguments:  # partial(jax.jit, static_argnames=…)
                        target = _dotted(arguments[0], known)
                    if target.startswith("jax.") and "numpy" not in target:
                        given = (k.arg for k in keywords if k.arg)
                        yield from (word for word in given if word not in OF_NUMPY)
                case ast.Constant(str(text)) if re.fullmatch(r"jax_\w+", text):
                    yield text


def _is_module(name: str) -> bool:
    return name in ("jax", "jax.numpy", "jax.random", "jax.lax", "jax.nn")


def _dotted(node: ast.expr, aliases: dict[str, str]) -> str:
    """`jnp.linalg.norm` as jax.numpy.linalg.norm; "" for what is not JAX's."""
    match node:
        case ast.Name(name):
            return aliases.get(name, "")
        case ast.Attribute(value, attribute):
            before = _dotted(value, aliases)
            return f"{before}.{attribute}" if before else ""
    return ""


def _aliases(source: str, tops: set[str]) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                for alias in names:
                    top = alias.name.partition(".")[0]
                    if top in tops - {"jaxintro"}:
                        whole = alias.name if alias.asname else top
                        yield alias.asname or top, whole
            case ast.ImportFrom(str(module), names):
                if module.partition(".")[0] in tops:
                    for alias in names:
                        yield alias.asname or alias.name, f"{module}.{alias.name}"


def find(pages: Iterable[Page], wanted: str) -> list[Entry]:
    """The entries that a reader means by a name, with or without what stands before it.

    Raises:
        UsageError: no demo uses it; the message names the nearest.
    """
    found = entries(pages)
    asked = wanted.removeprefix("jnp.").strip("`.()")
    same = [
        e
        for e in found.values()
        if asked in (e.name, e.short) or e.name.endswith(f".{asked}")
    ]
    if not same:
        names = sorted({entry.short for entry in found.values()})
        close = nearest(asked.rpartition(".")[2], names)
        hint = close if "Did you mean" in close else ""
        raise UsageError(f"No demo uses '{wanted}'.{hint}")
    return same
