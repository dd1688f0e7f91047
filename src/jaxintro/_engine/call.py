"""Arguments that a reader types after the name of a demo: literals, nothing else."""

import ast
from typing import Any

from jaxintro._engine.catalog import UsageError


def split_call(name: str) -> tuple[str, str]:
    """`grad.demo(x=5.0)` as its name and what stands in the brackets.

    Raises:
        UsageError: the brackets hold something that is not a literal.
    """
    head, bracket, rest = name.partition("(")
    if not bracket:
        return name, ""
    if not rest.endswith(")"):
        raise UsageError(f"'{name}' lacks its closing bracket.")
    literals(rest[:-1], name)
    return head, rest[:-1]


def literals(call: str, name: str = "") -> tuple[list[Any], dict[str, Any]]:
    """The arguments in a call: numbers, texts, tuples, lists and the like.

    Raises:
        UsageError: one of them is something that would have to be worked out.
    """
    try:
        tree = ast.parse(f"f({call})", mode="eval").body
        assert isinstance(tree, ast.Call)
        args = [ast.literal_eval(argument) for argument in tree.args]
        kwargs = {k.arg or "": ast.literal_eval(k.value) for k in tree.keywords}
    except (SyntaxError, ValueError, AssertionError, MemoryError, RecursionError):
        raise UsageError(
            f"'{name or call}': arguments are literals, such as x=3.0 or "
            "steps=(0.3, 1.0)."
        ) from None
    if "" in kwargs:
        raise UsageError(f"'{name or call}': arguments are named, such as x=3.0.")
    return args, kwargs


def refuse_misfit(call: str, arguments: tuple[str, ...], demo: str) -> None:
    """Arguments that a demo does not take are refused before anything runs.

    Raises:
        UsageError: the message says which arguments there are.
    """
    args, kwargs = literals(call)
    names = [argument.partition(" = ")[0] for argument in arguments]
    free = names[len(args) :]
    wrong = [name for name in kwargs if name not in free]
    if len(args) > len(names) or wrong:
        takes = f"It takes {', '.join(arguments)}." if names else "It takes none."
        what = f"'{wrong[0]}'" if wrong else f"{len(args)} arguments"
        raise UsageError(f"'{demo}' does not take {what}. {takes}")


def worked_example(call: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The lines `x = 3.0` of a demo, with what the reader gave in their place."""
    args, kwargs = literals(call)
    given = {}
    for argument, value in zip(arguments, args, strict=False):
        given[argument.partition(" = ")[0]] = value
    given |= kwargs
    return tuple(
        f"{name} = {given[name]!r}" if name in given else argument
        for argument in arguments
        for name in [argument.partition(" = ")[0]]
    )
