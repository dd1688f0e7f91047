"""A value in words, at once: what is said keeps neither array nor tracer alive."""

import dataclasses
import math
import numbers
import re
import reprlib
import sys
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

WIDE = 72  # columns of a text that stands below its line
WHOLE = 8  # so many numbers of a row are all shown
EDGE = 3  # otherwise, so many at either end
DEPTH = 3  # containers within containers
MOST = 40  # lines of one value; a whole compiled program is no reading matter
LONGEST = 4_000  # characters of a text that are looked at


class Words(NamedTuple):
    """A value in words: its numbers or text, and what type JAX or NumPy gives them."""

    text: str = ""  # one line, or empty where only a block can show it
    kind: str = ""  # such as "float32[3]"; empty for what Python itself writes so
    block: tuple[str, ...] = ()  # several lines, where one does not do it justice
    brief: str = ""  # a shorter text, for where there is little room

    def __str__(self) -> str:
        return "  ".join(filter(None, [self.text, self.kind]))

    @property
    def shorts(self) -> tuple[str, ...]:
        """Ways to say it in one line, the longest first."""
        said = [self.text, self.brief]
        return tuple(
            dict.fromkeys(f"{text}  {self.kind}".strip() for text in said if text)
        )

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it, as it stands below a line of code."""
        return self.block or ((str(self),) if self.text else ())


NOTHING = Words()


def words(value: Any) -> Words:
    """What a page says of a value; a value that cannot say what it is, is named."""
    try:
        return _words(value, DEPTH)
    except Exception as error:
        kind = type(value).__name__
        return Words(f"<{kind}: its repr raises {type(error).__name__}>")


def error_words(error: BaseException) -> Words:
    """An exception: its type and what it says, without the pointers to elsewhere."""
    name = type(error).__name__
    try:
        said = str(error)[:LONGEST]
    except Exception as raised:
        return Words(f"{name}, whose text raises {type(raised).__name__}")
    paragraphs = [line.strip() for line in _without_pointers(said).splitlines()]
    text = f"{name}: {' '.join(filter(None, paragraphs))}" if said.strip() else name
    if len(text) <= WIDE:
        return Words(text)
    lines = [f"{name}:"]
    for line in _without_pointers(said).splitlines():
        starts_anew = re.match(r"\s|[-*•]|$", line) or lines[-1].endswith(("  ", "."))
        if starts_anew and lines != [f"{name}:"]:
            lines.append(line)
        else:  # only the width of somebody's page broke it here
            lines[-1] += " " + line.strip()
    return Words(block=_capped(filter(str.strip, lines), 14))


def _without_pointers(said: str) -> str:
    """An error's text without links, file paths and JAX's words about tracebacks."""
    said = re.sub(r"\n-{5,}.*", "", said, flags=re.DOTALL)
    said = re.sub(r"\n?See \S*https?://\S+[^\n]*", "", said)
    said = re.sub(r" at [^\s:]+:\d+(?::\d+)?(?: \([^)\n]*\))?", "", said)
    said = re.sub(r" \(https?://[^)\s]+\)|[,:]?\s*(?:see )?https?://\S+", "", said)
    said = re.sub(r"[.;,]?\s*For more information\W*$", ".", said)
    return said.strip("\n")


def printed_words(text: str) -> Words:
    """What was printed, as it was printed."""
    lines = [_clean(line) for line in text[:LONGEST].rstrip("\n").split("\n")]
    if len(lines) == 1 and len(lines[0]) <= WIDE:
        return Words(lines[0])
    wrapped = [part for line in lines for part in _folded(line)]
    return Words(block=_capped(wrapped, MOST))


def is_tracer(value: Any) -> bool:
    """The value stands in for numbers while JAX traces."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.core.Tracer)


def is_array(value: Any) -> bool:
    """The value is a JAX array with numbers in it (or was, before it was donated)."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.Array) and not is_tracer(value)


def _words(value: Any, depth: int) -> Words:
    if isinstance(value, str):
        return _string(value)
    if value is None or isinstance(value, bool | numbers.Number):
        return _number(value)
    if is_tracer(value):
        alone = depth == DEPTH
        return Words(f"{'a tracer,' if alone else 'tracer'} {_aval(value)}")
    if is_array(value):
        return _jax_array(value)
    if isinstance(value, np.ndarray):
        return _numpy_array(value)
    if _is_picture(value):
        return NOTHING
    if isinstance(value, BaseException):
        return error_words(value)
    if isinstance(value, type):
        return Words(f"the class {value.__name__}")
    if type(value).__module__.startswith("jaxintro.") and "__str__" in vars(
        type(value)
    ):
        return printed_words(str(value))
    if callable(value) and _is_function(value):
        return Words("a function")
    if callable(value) and type(value).__module__.startswith(("jax.", "functools")):
        return Words("a function")  # a pull of vjp, a partial: their insides are long
    if parts := _parts(value):
        return _container(*parts, depth)
    if type(value).__repr__ is object.__repr__:
        name = type(value).__name__
        return Words(f"{'an' if name[:1] in 'AEIOaeio' else 'a'} {name}")
    return _anything(value)


def _string(value: str) -> Words:
    if len(value) <= WIDE - 2:
        return Words(_clean(repr(value)) if "\n" not in value else repr(value))
    if "\n" in value:
        return printed_words(value)
    return Words(_clean(repr(value[: WIDE - 4])) + "…")


def _number(value: Any) -> Words:
    if isinstance(value, np.generic):
        text = figure(value.item()) if value.dtype.kind in "fc" else str(value)
        return Words(_own_digits(value) or text, f"np.{value.dtype}")
    return Words(figure(value) if isinstance(value, float) else _short(value))


def figure(value: Any) -> str:
    """A Python number with seven digits, or all of them where that would hide some."""
    if not isinstance(value, float) or not math.isfinite(value):
        return repr(value)
    whole = repr(value)
    short = f"{value:.7g}"
    hides = len(short.rstrip("0").replace("-", "").replace(".", "")) < 6
    if len(whole) <= 10 or hides:
        return whole
    return short if any(c in short for c in ".e") else short + ".0"


def _own_digits(value: np.generic) -> str:
    """A float32 or narrower has few digits, and NumPy knows how few."""
    narrow = value.dtype.kind == "f" and value.dtype.itemsize < 8
    return str(value) if narrow or value.dtype.kind == "V" else ""


def _aval(value: Any) -> str:
    """Type and shape, as a jaxpr writes them but in full: float32[3,4]."""
    shape = ",".join(str(n) for n in value.shape)
    return f"{value.dtype}[{shape}]"


def _jax_array(array: Any) -> Words:
    kind = _aval(array)
    if array.is_deleted():
        return Words("donated: its memory is gone", kind)
    if kind.startswith("key<"):
        return _key(array, kind)
    return _array(numbers_of(array), kind)


def numbers_of(array: Any) -> np.ndarray[Any, Any]:
    """The numbers of a JAX array, or of its ends if it is very long.

    `np.asarray` would leave a view with the array, and its memory could then no longer
    be donated; a buffer that is read and let go leaves no trace.
    """
    try:
        return _ends(np.asarray(memoryview(array))).copy()
    except (BufferError, ValueError, RuntimeError, NotImplementedError, TypeError):
        return np.asarray(array)


def _ends(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if array.ndim == 1 and array.size > 1000:
        return np.concatenate([array[:500], array[-500:]])
    return array


def _key(array: Any, kind: str) -> Words:
    data = getattr(array, "_base_array", None)
    if data is None or array.ndim:
        return Words(kind)
    entries = " ".join(str(n) for n in numbers_of(data).ravel())
    name = kind.removesuffix("[]")
    return Words(f"{name} [{entries}]", brief=name)  # two in a row: the data is much


def _numpy_array(array: np.ndarray[Any, Any]) -> Words:
    if array.dtype == object:
        return Words(_cut(" ".join(repr(array).split())))
    shape = ",".join(str(n) for n in array.shape)
    return _array(_ends(array), f"np.{array.dtype}[{shape}]")


def _array(array: np.ndarray[Any, Any], kind: str) -> Words:
    if array.ndim == 0:
        return Words(_number(array[()]).text, kind)
    if array.size == 0:
        return Words("[]", kind)
    if array.ndim == 1:
        return Words(_row(array, EDGE, EDGE), kind, brief=_row(array, 2, 1))
    text = np.array2string(
        array,
        max_line_width=WIDE,
        precision=4,
        threshold=WHOLE * WHOLE,
        edgeitems=EDGE,
    )
    lines = text.replace("...", "…").splitlines()
    block = (*lines[:-1], f"{lines[-1]}  {kind}")
    if array.ndim > 2 or array.size <= WHOLE:
        joined = " ".join(line.strip() for line in lines)
        return Words(joined if array.size <= WHOLE else "", kind, _capped(block, MOST))
    ends = " … ".join(_row(row, 1, 1) for row in (array[0], array[-1]))
    large = array.size > WHOLE * WHOLE
    return Words("", kind, _capped(block, MOST), f"[{ends}]" if large else "")


def _row(array: np.ndarray[Any, Any], start: int, end: int) -> str:
    """The numbers of one row: all of a short one, both ends of a long one."""
    shown, long = array, array.size > WHOLE
    if long:
        shown = np.concatenate([array[:start], array[-end:]])
    entries = [_entry(number) for number in shown]
    if long:
        entries.insert(start, "…")
    return f"[{' '.join(entries)}]"


def _entry(number: Any) -> str:
    """A number as one among others, with four digits."""
    if isinstance(number, np.floating) or "float" in str(number.dtype):
        value = float(number)
        if value.is_integer() and abs(value) < 1e9:
            return f"{value:.0f}."
        short = f"{value:.4g}" if math.isfinite(value) else str(value)
        return short if any(c in short for c in ".en") else short + "."
    return str(number)


def _is_picture(value: Any) -> bool:
    """A part of a drawing, or a list of such: the drawing itself is what one sees."""
    if isinstance(value, list | tuple):
        return any(map(_is_picture, value))  # a part of it says nothing either
    if isinstance(value, np.ndarray):
        return value.dtype == object and all(map(_is_picture, value.ravel()))
    return type(value).__module__.partition(".")[0] == "matplotlib"


def _is_function(value: Any) -> bool:
    return hasattr(value, "__code__") or hasattr(value, "__wrapped__")


def _parts(value: Any) -> tuple[str, list[tuple[str, Any]], str] | None:
    """A container's brackets, and its entries with the labels that Python writes."""
    kind = type(value)
    if isinstance(value, Mapping) and kind.__repr__ in _PLAIN:
        return "{", [(f"{key!r}: ", entry) for key, entry in value.items()], "}"
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        named = zip(value._fields, value, strict=True)
        return f"{kind.__name__}(", [(f"{n}=", entry) for n, entry in named], ")"
    if isinstance(value, list | tuple) and kind.__repr__ in _PLAIN:
        bracket, close = "[]" if isinstance(value, list) else "()"
        comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
        return bracket, [("", entry) for entry in value], comma + close
    if dataclasses.is_dataclass(value) and hasattr(kind.__repr__, "__wrapped__"):
        fields = [f for f in dataclasses.fields(value) if f.repr]
        named_fields = [(f"{f.name}=", getattr(value, f.name)) for f in fields]
        return f"{kind.__name__}(", named_fields, ")"
    return None


_PLAIN: tuple[Callable[..., str], ...] = (dict.__repr__, list.__repr__, tuple.__repr__)


def _container(
    opening: str, entries: list[tuple[str, Any]], closing: str, depth: int
) -> Words:
    if depth == 0:
        return Words(f"{opening}…{closing}")
    many = len(entries) > WHOLE
    kept = entries[:EDGE] + entries[-EDGE:] if many else entries
    said = [(label, _words(entry, depth - 1)) for label, entry in kept]
    kinds = {word.kind for _, word in said}
    shared = kinds.pop() if len(kinds) == 1 and len(said) > 1 else ""
    texts = [label + (w.text if shared else _within(w)) for label, w in said]
    briefs = [label + (w.brief or w.text) for label, w in said]
    if many:
        texts.insert(EDGE, "…")
        briefs[1:-1] = ["…"]
    kind = f"{shared} each" if shared else ""
    kind = f"{len(entries)} of them" + f", {kind}" * bool(kind) if many else kind
    shorter = opening + ", ".join(briefs) + closing
    line = Words(opening + ", ".join(texts) + closing, kind, brief=shorter)
    whole = all(word.text or not word.block for _, word in said)
    if whole and len(str(line)) <= WIDE:
        return line
    block: list[str] = []
    for (label, _), (_, word) in zip(kept, said, strict=True):
        first, *rest = word.lines or ("",)
        head = label
        block += [head + first, *(" " * len(head) + line for line in rest)]
        if many and len(block) == EDGE:
            block.append("…")
    lines = _capped([p for b in block for p in _folded(b)], MOST)
    if all(word.brief for _, word in said) and len(shorter) <= WIDE:
        return Words(shorter, block=lines)
    return Words(block=lines)


def several_words(values: tuple[Any, ...]) -> Words:
    """The values of several names, side by side."""
    if all(map(_is_picture, values)):
        return NOTHING
    return _container("", [("", value) for value in values], "", DEPTH)


def _within(word: Words) -> str:
    return " ".join(filter(None, [word.text, word.kind]))


def _anything(value: Any) -> Words:
    text = reprlib.repr(value) if isinstance(value, set | frozenset) else ""
    text = text or (str(value) if _is_program(value) else repr(value))
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text[:LONGEST])
    return printed_words(text) if "\n" in text else Words(_cut(_clean(text)))


def _is_program(value: Any) -> bool:
    """A jaxpr prints better than its repr in some versions of JAX."""
    return "Jaxpr" in type(value).__name__


def _short(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        if value.bit_length() > 200:  # to write it all out would take its time
            return f"an int of {value.bit_length()} bits"
        return repr(value)
    return _cut(repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= WIDE else text[: WIDE - 1] + "…"


def _folded(line: str) -> list[str]:
    if len(line) <= WIDE:
        return [line]
    indent = " " * min(len(line) - len(line.lstrip()) + 4, 24)
    return textwrap.wrap(
        line, WIDE, subsequent_indent=indent, break_on_hyphens=False
    ) or [""]


def _clean(text: str) -> str:
    """Control characters would move the cursor; nobody returns them to be shown."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\N{REPLACEMENT CHARACTER}", text)


def _capped(lines: Any, most: int) -> tuple[str, ...]:
    kept = tuple(lines)
    if len(kept) <= most:
        return kept
    return (*kept[: most - 1], f"… {len(kept) - most + 1} more lines")
