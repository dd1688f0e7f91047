"""How many kernels stand in a compiled program: read from its HLO text."""

import re
from typing import NamedTuple

# What only names, packs or waits for memory, and starts no computation.
FREE = frozenset(
    {
        "add-dependency",
        "after-all",
        "bitcast",
        "constant",
        "get-tuple-element",
        "opt-barrier",
        "parameter",
        "partition-id",
        "replica-id",
        "tuple",
    }
)
# What launches nothing itself but runs other computations: counted through.
CONTROL = frozenset({"call", "while", "conditional", "async-start"})

COMPUTATION = re.compile(r"^(ENTRY )?%?([\w.\-]+) .*\{$")
INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?([\w.\-]+) = (.*)$")
OPCODE = re.compile(r"\s*([a-z][\w\-]*)\(")
CALLED = re.compile(
    r"(?:to_apply|calls|body|condition|true_computation|false_computation"
    r"|branch_computations|called_computations)="
    r"(?:%?([\w.\-]+)|\{([^}]*)\})"
)


class Instruction(NamedTuple):
    """One line of a computation: its name, its opcode and what it calls."""

    name: str
    opcode: str
    called: tuple[str, ...]
    text: str


def after_type(text: str) -> str:
    """What follows the type at the head of an instruction: `f32[2]{0} add(...)`."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0 and letter == " ":
            return text[place:]
    return ""


def instruction(line: str) -> Instruction | None:
    """The instruction that stands on a line of HLO, if one does."""
    match = INSTRUCTION.match(line)
    opcode = match and OPCODE.match(after_type(match[2]))
    if not match or not opcode:
        return None
    called: list[str] = []
    for single, several in CALLED.findall(line):
        names = [single] if single else several.split(",")
        called += [name.strip().lstrip("%") for name in names]
    return Instruction(match[1], opcode[1], tuple(called), line.strip())


def computations(text: str) -> tuple[dict[str, list[Instruction]], str | None]:
    """The computations of a module by name, and the name of the entry computation."""
    found: dict[str, list[Instruction]] = {}
    entry = current = None
    for line in text.splitlines():
        header = COMPUTATION.match(line)
        if header:
            current = header[2]
            found[current] = []
            entry = current if header[1] else entry
        elif current is not None and (parsed := instruction(line)):
            found[current].append(parsed)
    return found, entry


def launched(text: str) -> list[Instruction] | None:
    """The instructions of a compiled program that are kernels, in program order.

    Each is a fusion, or a single operation, copy or library call that was not fused.
    What a loop, a branch or a call runs is counted once. None where the text is not
    HLO.
    """
    found, entry = computations(text)
    if entry is None:
        return None

    def inside(name: str) -> list[Instruction]:
        kernels: list[Instruction] = []
        for item in found.get(name, []):
            if item.opcode in CONTROL:
                for called in item.called:
                    kernels += inside(called)
            elif item.opcode not in FREE and not item.opcode.endswith("-done"):
                kernels.append(item)
        return kernels

    return inside(entry)


def kernels(text: str | None) -> int | None:
    """How many separate kernels a compiled program launches, loops turned once."""
    if text is None:
        return None
    found = launched(text)
    return None if found is None else len(found)
