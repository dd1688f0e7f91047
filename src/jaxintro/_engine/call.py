"""Which demo a reader means, and arguments for it: literals, nothing else."""

import ast
from typing import Any

from jaxintro._engine.catalog import UsageError, is_path


def split_name(asked: str) -> tuple[str, str, str]:
    """`grad.demo(x=5.0)` as the lesson, its demo and what stands in the brackets.

    A demo of one's own file stands behind `::`, as in pytest, or behind a point:
    `my_lesson.py::demo` and `my_lesson.py.demo` are the same. What is missing is "".

    Raises:
        UsageError: the brackets hold something that is not a literal, or belong to no
            demo.
    """
    name, call = _split_call(asked)
    for mark in ("::", ".py."):
        head, found, demo = name.rpartition(mark)
        if found and demo.isidentifier():
            return head + mark.rstrip(".:"), demo, call
    lesson, demo = (name, "") if is_path(name) else name.partition(".")[::2]
    if call and not demo:
        raise UsageError(
            f"'{asked}': only a demo takes arguments, as in "
            "grad.slope_of_a_parabola(5.0)."
        )
    return lesson, demo, call


def _split_call(name: str) -> tuple[str, str]:
    head, bracket, rest = name.partition("(")
    if not bracket or name.endswith(".py"):  # a file may have brackets in its name
        return name, ""
    if not rest.endswith(")"):
        raise UsageError(f"'{name}' lacks its closing bracket.")
    call = rest[:-1].strip()
    literals(call, name)
    return head, call


def literals(call: str, name: str = "") -> tuple[list[Any], dict[str, Any]]:
    """The arguments in a call: numbers, texts, tuples, lists and the like.

    Raises:
        UsageError: one of them is something that would have to be worked out.
    """
    try:
        match ast.parse(f"f({call})", mode="eval").body:
            case ast.Call(ast.Name("f"), arguments, keywords):
                args = [ast.literal_eval(argument) for argument in arguments]
                given = [(k.arg, ast.literal_eval(k.value)) for k in keywords]
            case _:
                raise ValueError
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise UsageError(
            f"'{name or call}': arguments are literals, such as x=3.0 or "
            "steps=(0.3, 1.0)."
        ) from None
    kwargs = {key: value for key, value in given if key}
    if len(kwargs) < len(given):
        raise UsageError(f"'{name or call}': an argument is given once, by its name.")
    return args, kwargs


def refuse_misfit(call: str, arguments: tuple[str, ...], demo: str) -> None:
    """Arguments that a demo does not take are refused before anything runs.

    Raises:
        UsageError: the message says which arguments there are.
    """
    args, kwargs = literals(call)
    names = [_name(argument) for argument in arguments]
    free = names[len(args) :]
    wrong = [name for name in kwargs if name not in free]
    if len(args) > len(names) or wrong:
        takes = f"It takes {', '.join(arguments)}." if names else "It takes none."
        what = f"'{wrong[0]}'" if wrong else f"{len(args)} arguments"
        twice = " twice" if wrong and wrong[0] in names else ""
        raise UsageError(f"'{demo}' does not take {what}{twice}. {takes}")


def worked_example(call: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The lines `x = 3.0` of a demo, with what the reader gave in their place."""
    args, kwargs = literals(call)
    given = dict(zip(map(_name, arguments), args, strict=False)) | kwargs
    return tuple(
        f"{_name(argument)} = {given[_name(argument)]!r}"
        if _name(argument) in given
        else argument
        for argument in arguments
    )


def _name(argument: str) -> str:
    return argument.partition(" = ")[0]
