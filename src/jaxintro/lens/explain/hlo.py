"""The kernels of a compiled program, read from its HLO text."""

import re
from dataclasses import dataclass

# What only names, packs or waits for memory, and starts no computation.
FREE = frozenset(
    {
        "add-dependency",
        "after-all",
        "async-update",
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
    r"|branch_computations)=(?:%?([\w.\-]+)|\{([^}]*)\})"
)
OPERATION = re.compile(r'op_name="([^"]*)"')
PYTHON = re.compile(r'custom_call_target="[^"]*callback')


@dataclass(frozen=True)
class Instruction:
    """One line of a computation, and the computations that it calls."""

    name: str
    opcode: str
    called: tuple[str, ...]
    text: str

    @property
    def is_kernel(self) -> bool:
        """Whether it starts a computation; a call back to Python is none."""
        waits = self.opcode in FREE or self.opcode.endswith("-done")
        return not (waits or self.opcode in CONTROL or PYTHON.search(self.text))


@dataclass(frozen=True)
class Kernel:
    """A kernel: a fusion, or one operation, copy or library call left on its own.

    `paths` says of which operations of the program it was made, each as the path of
    names that JAX gave it, such as `jit(f)/jit(_where)/select_n`.
    """

    name: str
    opcode: str
    paths: tuple[str, ...]

    @property
    def operations(self) -> tuple[str, ...]:
        """The last names of the paths; the opcode if there are none."""
        names = [path.rpartition("/")[2] for path in self.paths]
        return tuple(names) or (self.opcode,)


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
    return Instruction(match[1], opcode[1], tuple(called), line)


Computations = dict[str, list[Instruction]]


def computations(text: str) -> tuple[Computations, str | None]:
    """The computations of a module by name, and the name of the entry computation."""
    found: Computations = {}
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


def kernels(text: str | None) -> tuple[Kernel, ...] | None:
    """The kernels of a compiled program, in the order in which it runs them.

    What a loop, a branch or a call runs is listed once. None where there is no text,
    or where it is not HLO.
    """
    found, entry = computations(text or "")
    if entry is None:
        return None

    def launched(name: str) -> list[Kernel]:
        kernels: list[Kernel] = []
        for item in found.get(name, []):
            if item.opcode in CONTROL:
                for called in item.called:
                    kernels += launched(called)
            elif item.is_kernel:
                kernels.append(Kernel(item.name, item.opcode, paths(item, found)))
        return kernels

    return tuple(launched(entry))


def paths(item: Instruction, found: Computations) -> tuple[str, ...]:
    """The operations that an instruction and what it calls were made of, each once."""
    names: list[str] = []
    for called in item.called:
        for part in found.get(called, []):
            names += paths(part, found)
    own = OPERATION.search(item.text)
    # A fusion bears the name of its root, which stands inside it already.
    if own and not names:
        names.append(own[1])
    return tuple(dict.fromkeys(names))
