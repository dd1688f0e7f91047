"""Why a function was traced again: where two calls differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax

from jaxintro.lens.traces.signatures import LEFT_OUT, Array, Signature, Static

SHORT = 50
ABSENT = "left out"
NO_LEAVES = jax.tree.structure(None)
WAYS = ("left out", "way given")  # kinds of causes: how an argument came
# What there is to say where nothing that a call is looked up by has changed.
NOTES = {
    "first": "the first trace",
    "function object": "same arguments; the function object is new, or a cache cleared",
    "not jitted": "no jit around grad or vmap, so its Python runs at every call",
    "op by op": "an operation outside jit: a program of its own",
    "compiled anew": "traced before; under another transformation, or elsewhere",
    "cache": "same arguments; a cache was cleared, or the context is new",
}


@dataclass(frozen=True)
class Cause:
    """One reason for a trace.

    Attributes:
        kind: "shape", "dtype", "weak type", "sharding", "batch size" (of a vmap
            around), "static value", "structure", "left out" (an argument, before or
            now), "way given" (by position or keyword), "setting" or one of `NOTES`; or
            what JAX says where that is none of these.
        argument: the path of the argument, such as `params['w']`.
        before: what it was in the nearest earlier trace.
        after: what it is now.
    """

    kind: str
    argument: str = ""
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        change = f"{self.kind} {self.before} -> {self.after}"
        if self.kind in WAYS:
            change = f"{self.before} before, {self.after} now"
        what = NOTES.get(self.kind, change if self.after else self.kind)
        return f"{self.argument}: {what}" if self.argument else what


def differences(old: Signature, new: Signature) -> list[Cause]:
    """What changed from one call to the next, argument by argument."""
    causes = [
        cause
        for name in dict.fromkeys([*old.given, *new.given])
        for cause in argument_changes(name, old, new)
    ]
    for name, value in new.settings.items():
        if value != old.settings[name]:
            causes.append(Cause("setting", name, str(old.settings[name]), str(value)))
    return causes


def distance(causes: list[Cause]) -> int:
    """How far apart two calls are. A new structure hides what changed within."""
    hiding = ("structure", *WAYS)
    return sum(3 if cause.kind in hiding else 1 for cause in causes)


def argument_changes(name: str, old: Signature, new: Signature) -> list[Cause]:
    """How one argument changed."""
    before, after = old.given.get(name, ABSENT), new.given.get(name, ABSENT)
    optional = not {ABSENT, LEFT_OUT}.isdisjoint((before, after))
    way = Cause("left out" if optional else "way given", name, before, after)
    ways = [way] if before != after else []
    if ABSENT in (before, after):
        return ways
    trees = [old.structure[name], new.structure[name]]
    if trees[0] != trees[1]:
        texts = [argument_text(name, signature) for signature in (old, new)]
        if texts[0] == texts[1]:
            texts = []  # They differ in what their nodes hold beside the leaves.
        kind = kind_of_change(name, old, new)
        return ways if kind == "structure" and optional else [Cause(kind, name, *texts)]
    values: list[Cause] = []
    for path, leaf in new.leaves.items():
        if path == name or path.startswith((f"{name}[", f"{name}.")):
            values += leaf_changes(path, old.leaves[path], leaf)
    if not optional:
        return ways + values
    # A default is static; where another value is static too, that is the change.
    return [each for each in values if each.kind == "static value"] or ways


def kind_of_change(name: str, old: Signature, new: Signature) -> str:
    """Whether an argument of another structure is static, or None, in both calls."""
    leaves = [signature.leaves.get(name) for signature in (old, new)]
    empty = [signature.structure[name] == NO_LEAVES for signature in (old, new)]
    static = [isinstance(leaf, Static) for leaf in leaves]
    both = all(a or b for a, b in zip(static, empty, strict=True))
    return "static value" if both and any(static) else "structure"


def argument_text(name: str, signature: Signature) -> str:
    """An argument in few words: a leaf, or its pytree structure."""
    if name in signature.leaves:
        return described(signature.leaves[name])
    return shortened(tree_text(signature.structure[name]))


def tree_text(structure: Any) -> str:
    """A pytree structure in few words: `{'w': *, 'b': *}`."""
    return str(structure).removeprefix("PyTreeDef(").removesuffix(")")


def leaf_changes(path: str, old: Array | Static, new: Array | Static) -> list[Cause]:
    """How one leaf changed."""
    if isinstance(old, Array) and isinstance(new, Array):
        sizes = [" x ".join(map(str, leaf.batches)) or "none" for leaf in (old, new)]
        batch = [Cause("batch size", path, *sizes)] if sizes[0] != sizes[1] else []
        return batch + array_changes(path, old.aval, new.aval)
    texts = [described(leaf) for leaf in (old, new)]
    if not (isinstance(old, Static) and isinstance(new, Static)):
        return [Cause("structure", path, *texts)]
    if same(old.value, new.value):
        return []
    if texts[0] == texts[1]:
        texts[1] = f"another {texts[1]}, not equal to it"
    return [Cause("static value", path, *texts)]


def array_changes(path: str, old: Any, new: Any) -> list[Cause]:
    """How one array changed."""
    weak = [getattr(aval, "weak_type", False) for aval in (old, new)]
    kinds = {
        "shape": (old.shape, new.shape),
        "dtype": (old.dtype, new.dtype),
        "weak type": (weak[0], weak[1]),
    }
    causes = [
        Cause(kind, path, str(before), str(after))
        for kind, (before, after) in kinds.items()
        if before != after
    ]
    if not causes and old != new:
        causes = [Cause("sharding", path, str(old), str(new))]
    return causes


def type_changes(old: Sequence[str], new: Sequence[str], path: str = "") -> list[Cause]:
    """How types changed that are given as text: `float32[3]`, `~float32[]` if weak."""
    if len(old) != len(new):
        return [Cause("structure", path, f"{len(old)} arrays", f"{len(new)} arrays")]
    causes = []
    for at, pair in enumerate(zip(old, new, strict=True)):
        name = path or f"argument {at}"
        (weak, dtype, shape), (weak2, dtype2, shape2) = map(parts, pair)
        kinds = {"shape": (shape, shape2), "dtype": (dtype, dtype2)}
        kinds["weak type"] = (str(weak), str(weak2))
        causes += [Cause(k, name, a, b) for k, (a, b) in kinds.items() if a != b]
    return causes


def parts(text: str) -> tuple[bool, str, str]:
    """Whether a type given as text is weak, its dtype, and its shape as a tuple."""
    dtype, _, rest = text.removeprefix("~").partition("[")
    sizes = [size for size in rest.partition("]")[0].split(",") if size]
    return text.startswith("~"), dtype, f"({', '.join(sizes)}{',' * (len(sizes) == 1)})"


def same(old: Any, new: Any) -> bool:
    """Whether jit takes two static values for one."""
    if old is new:
        return True
    try:
        return type(old) is type(new) and bool(old == new)
    except Exception:  # An array, or a class whose `==` does not answer.
        return False


def described(leaf: Array | Static) -> str:
    """A leaf in few words."""
    if isinstance(leaf, Array):
        return f"array {leaf.aval}"
    value = leaf.value
    name = getattr(value, "__qualname__", None)
    if callable(value) and name:
        return f"function {name}"
    if repr(value) == object.__repr__(value):  # only a name and an address
        return f"{type(value).__name__} object"
    return shortened(repr(value))


def shortened(text: str) -> str:
    """A text on one line, cut to a length that can be read."""
    text = " ".join(text.split())
    return text if len(text) <= SHORT else text[: SHORT - 3] + "..."
