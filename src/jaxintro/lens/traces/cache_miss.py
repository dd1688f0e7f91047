"""JAX's own account of a trace that it did not find, as causes.

The account is text, and worded a little otherwise in each version of JAX. What is not
recognised is handed on in JAX's words.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from jaxintro.lens.traces.causes import ABSENT, Cause, shortened, type_changes

DEFINED = re.compile(r"^\s+(?:for )?(\S+) (?:id=\d+ )?defined at .*$", re.M)
DIFFERENCE = re.compile(r"(?:at (?:input path )?(\S+?),? )?now (.+?) and before (.+)")
SETTING = re.compile(r"(?:\* (\w+) differs|\[\d+\]): now (.+) and before (.+)")
KEYS = re.compile(r"(now|before) \d+ args and kwargs with keys \[(.*)\]")
OTHER_KEYS = re.compile(r"difference of key sets: \{(.*)\}")
SHORT = {"f": "float", "bf": "bfloat", "i": "int", "u": "uint", "c": "complex"}
DTYPE = re.compile(r"\b(bf|[fiuc])(\d+)(?=\[)")
KINDS = {  # a word of the account -> the kind of what follows
    "static_argnums": "places",
    "static": "static value",
    "number of args": "way given",
    "input pytree": "structure",
    "input types": "types",
    "context": "setting",
}
POSITION, KEYWORD = "by position", "by keyword"


class Change(NamedTuple):
    """One difference, in JAX's words."""

    kind: str
    path: str
    before: str
    after: str


def function_of(message: str) -> tuple[str, str]:
    """The name of the function that an account is about, and which one it is."""
    found = DEFINED.search(message)
    return (found[1], found[0].strip()) if found else ("", "")


def causes_of(message: str) -> list[Cause]:
    """The causes that an account names; none where there is none."""
    if "seen another function defined on the same line" in message:
        return [Cause("function object")]
    if "never seen function" in message:
        return [Cause("first")]
    lines = nearest(message)
    ways = [*ways_given(lines)]
    changes = [change for change in changes_in(lines) if change.kind != "places"]
    causes = [cause for change in changes for cause in cause_of(change, bool(ways))]
    if lines and not ways and not causes:
        causes = [Cause(shortened(lines[0]))]
    return list(dict.fromkeys([*ways, *causes]))


def nearest(message: str) -> list[str]:
    """The lines about one earlier call: the first where several are as near."""
    _, _, told = message.partition("losest")
    lines = [line.strip() for line in told.splitlines()[1:]]
    if "Several" not in message:
        return lines
    heads = [at for at, line in enumerate(lines) if line.startswith("* key with")]
    return lines[: heads[1]] if len(heads) > 1 else lines


def ways_given(lines: list[str]) -> Iterator[Cause]:
    """Which arguments came by keyword and now by position, or the other way."""
    keys = {m[1]: re.findall(r"'(\w+)'", m[2]) for m in map(KEYS.match, lines) if m}
    for name in keys.get("now", []):
        yield Cause("way given", name, POSITION, KEYWORD)
    for name in set(keys.get("before", [])) - set(keys.get("now", [])):
        yield Cause("way given", name, KEYWORD, POSITION)
    # In newer versions: fewer in the tuple of arguments, more in the dict of keywords.
    tuples = [line for line in lines if "path [0], now tuple of length" in line]
    dicts = [line for line in lines if "path [1], now <class 'dict'>" in line]
    for one, other in zip(tuples, dicts, strict=False):
        after, before = map(int, re.findall(r"of length (\d+)", one)[:2])
        ways = (POSITION, KEYWORD) if after < before else (KEYWORD, POSITION)
        for name in names_in(other):
            yield Cause("way given", name, *ways)


def names_in(line: str) -> list[str]:
    """The keys that one dict has and the other has not."""
    keys = OTHER_KEYS.search(line)
    return re.findall(r"'(\w+)'", keys[1]) if keys else []


def changes_in(lines: list[str]) -> Iterator[Change]:
    """Each difference in these lines."""
    kind = ""
    for line in lines:
        kind = next((k for word, k in KINDS.items() if word in line), kind)
        pattern = SETTING if kind == "setting" else DIFFERENCE
        if match := pattern.search(line):
            yield Change(kind, match[1] or "", match[3], match[2])


def cause_of(change: Change, way: bool) -> Iterator[Cause]:
    """A difference as causes; `way`: that arguments came another way is told."""
    kind, path, before, after = change
    if kind == "types":
        before = before.partition("https://")[0]
        yield from type_changes((named(before),), (named(after),), path)
        return
    if path in ("[0]", "[1]", "args", "kwargs"):
        if way:
            return
        if names := names_in(before):
            more = int(after.split()[-2]) > int(before.split("with ")[1].split()[0])
            ways = (ABSENT, KEYWORD) if more else (KEYWORD, ABSENT)
            yield from (Cause("left out", name, *ways) for name in names)
            return
    path = re.sub(r"^\[0\]", "args", re.sub(r"^\[1\]", "kwargs", path))
    keys = OTHER_KEYS.search(before)
    texts = [re.sub(r"<class '([\w.]+)'>", r"\1", text) for text in (before, after)]
    texts[0] = re.sub(r", so the .*$", "", texts[0])
    texts[1] += f" (not in both: {keys[1]})" if keys else ""
    yield Cause(kind, path, *map(shortened, texts))


def named(text: str) -> str:
    """A type with the full name of its dtype: `float32[3]`, with a tilde if weak."""
    weak = "~" if "weak_type=True" in text else ""
    text = re.sub(r"\(\{\}\)|\{weak_type=\w+\}", "", text).strip()
    return weak + DTYPE.sub(lambda found: SHORT[found[1]] + found[2], text)
