"""A value in words, at once: what is said keeps neither array nor tracer alive."""

import io
import numbers
import reprlib
import sys
from contextlib import ContextDecorator, redirect_stdout
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from jaxintro.lens.follow.containers import Parts, Several, parts_of
from jaxintro.lens.follow.digits import (
    EDGE,
    WHOLE,
    aval,
    jax_array,
    number,
    numpy_array,
    torch_tensor,
)
from jaxintro.lens.follow.errors import error_words
from jaxintro.lens.follow.kinds import (
    DEPTH,
    first_entries,
    is_a,
    is_array,
    is_tensor,
    is_tracer,
    wrapped_by,
)
from jaxintro.lens.follow.said import (
    LONGEST,
    MOST,
    NOTHING,
    WIDE,
    Words,
    capped,
    clean,
    cut,
    folded,
    printed_words,
    without_addresses,
)

LONG = 6  # lines of a container after which the kinds of its parts say more


def words(value: Any, depth: int = DEPTH) -> Words:
    """What a page says of a value; a value that cannot say what it is, is named."""
    try:
        return _words(value, depth)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # even one that would end the program
        kind = type(value).__name__
        return Words(f"<{kind}: its repr raises {type(error).__name__}>")


def _words(value: Any, depth: int) -> Words:
    if is_a(value, str):
        return _string(value)
    if value is None or is_a(value, (bool, numbers.Number, np.generic)):
        return number(value)
    if is_tracer(value):
        alone = depth == DEPTH
        return Words(f"{'a tracer,' if alone else 'tracer'} {aval(value)}")
    if is_array(value):
        return jax_array(value)
    if is_a(value, np.ndarray):
        return numpy_array(value)
    if is_tensor(value):
        return torch_tensor(value)
    if _is_picture(value):
        return NOTHING
    if is_a(value, BaseException):
        return error_words(value)
    if is_a(value, type):
        return Words(f"the class {type.__dict__['__name__'].__get__(value)}")
    if type(value) is ModuleType:
        return Words(f"the module {value.__name__}")
    if _is_function(value):
        return Words("a function")
    if _is_of_flax(value):
        return _a(type(value))
    if parts := parts_of(value):
        return _container(parts, depth)
    return _object(value)


def _string(value: str) -> Words:
    if len(value) <= WIDE - 2:
        return Words(clean(repr(value)))
    if "\n" in value[:LONGEST]:
        return printed_words(value)
    return Words(clean(repr(value[: WIDE - 4])) + "…")


def _is_picture(value: Any, depth: int = DEPTH) -> bool:
    """A part of a drawing, or a list of such: the drawing itself is what one sees."""
    if is_a(value, (list, tuple)):
        entries = list(first_entries(value)) if depth else []
        # `axes.set(…)` gives a list with more than parts of the drawing
        return any(_is_picture(e, depth - 1) for e in entries)
    if is_a(value, np.ndarray) and value.dtype == object:
        return bool(value.size) and all(
            _is_picture(e, depth - 1) for e in value.flat if depth
        )
    return _home(value) == "matplotlib"


def _home(value: Any) -> str:
    """The package that its class comes from."""
    return str(type(value).__module__).partition(".")[0]


def _is_function(value: Any) -> bool:
    if is_a(value, (FunctionType, MethodType, BuiltinFunctionType)):
        return True
    if not callable(value) or _is_report(value) or is_a(value, ContextDecorator):
        return False  # such as a mesh of devices
    # a pull of vjp, a partial: what they hold is long and nobody's business
    theirs = _home(value) in ("jax", "functools")
    return theirs or wrapped_by(value) is not None


def _is_report(value: Any) -> bool:
    """A report of the lens, even of a function that can still be called."""
    return _home(value) == "jaxintro" and "__str__" in vars(type(value))


def _container(parts: Parts, depth: int) -> Words:
    if parts.kind is Several and _is_picture(parts.entries):
        return NOTHING
    if depth == 0:
        return Words(f"{parts.opening}…{parts.closing}")
    many = parts.size > WHOLE
    said = [words(entry, depth - 1) for entry in parts.entries]
    kinds = {word.kind for word in said}
    shared = kinds.pop() if len(kinds) == 1 and len(said) > 1 else ""
    labelled = [*zip(parts.labels, said, strict=True)]
    inline = [("", w) for w in said] if parts.kind is Several else labelled
    texts = [label + (w.text if shared else _within(w)) for label, w in inline]
    briefs = [label + (w.brief or w.text) for label, w in inline]
    if many:
        texts.insert(EDGE, "…")
        briefs[1:-1] = ["…"]
    kind = f"{shared.removesuffix(' each')} each" if shared else ""
    kind = f"{parts.size} of them" + f", {kind}" * bool(kind) if many else kind
    shorter = parts.opening + ", ".join(briefs) + parts.closing
    line = Words(parts.opening + ", ".join(texts) + parts.closing, kind, brief=shorter)
    whole = all(word.text or not word.block for word in said)
    if whole and len(str(line)) <= WIDE:
        if parts.kind is Several and not many and any(word.brief for word in said):
            # two keys, say: below each other rather than in short
            return line._replace(block=tuple(f"{name}{w}" for name, w in labelled))
        return line
    blocks = [word.labelled(label).lines or (label,) for label, word in labelled]
    if many:
        blocks.insert(EDGE, ("…",))
    framed = _framed([line for block in blocks for line in block], parts)
    lines = capped((part for line in framed for part in folded(line)), MOST)
    numbers_first = parts.kind is Several or len(lines) <= LONG
    if numbers_first and all(w.brief for w in said) and len(shorter) <= WIDE:
        return Words(shorter, block=lines)
    outline = ", ".join(label + (w.kind or w.brief or w.text) for label, w in inline)
    outline = f"{parts.opening}{outline}{parts.closing}"
    if len(lines) > LONG and not many and _told_in_short(said) and len(outline) <= WIDE:
        return Words(outline)
    return Words(block=lines)


def _framed(lines: list[str], parts: Parts) -> list[str]:
    """The lines of the entries between the container's brackets."""
    if not lines or len(parts.opening) > 1:  # below a name there is room for no frame
        return lines
    indent = " " * len(parts.opening)
    first, *rest = [parts.opening + lines[0], *(indent + line for line in lines[1:])]
    return [first, *rest[:-1], rest[-1] + parts.closing] if rest else [first]


def _told_in_short(said: list[Words]) -> bool:
    """Each of them can be told by its kind alone, or in short."""
    return all(word.kind or word.brief or word.text for word in said)


def _within(word: Words) -> str:
    return " ".join(filter(None, [word.text, word.kind]))


def _object(value: Any) -> Words:
    """What an object says of itself; what it prints while it does so is not heard."""
    kind = type(value)
    shown_by: Any = kind.__repr__
    if shown_by is object.__repr__:
        return _a(kind)
    with redirect_stdout(io.StringIO()) if sys.stdout else io.StringIO():
        if _is_report(value):
            return printed_words(str(value))
        # a jaxpr prints better than its repr in some versions of JAX
        text = str(value) if "Jaxpr" in kind.__name__ else _repr(value)
    text = without_addresses(text)
    return printed_words(text) if "\n" in text else Words(cut(clean(text)))


def _a(kind: type) -> Words:
    article = "an" if kind.__name__[:1] in "AEIOaeio" else "a"
    return Words(f"{article} {kind.__name__}")


def _is_of_flax(value: Any) -> bool:
    """A module of Flax, or what it is taken apart into: its repr fills a screen."""
    homes = (kind.__module__.partition(".")[0] for kind in type(value).__mro__)
    return "flax" in homes


def _repr(value: Any) -> str:
    """Its repr, without writing out all of what may be very long."""
    if is_a(value, (bytes, bytearray)):
        return repr(value[:WIDE])
    short = is_a(value, (set, frozenset)) or type(value).__name__ in ("deque", "array")
    return reprlib.repr(value) if short else repr(value)
