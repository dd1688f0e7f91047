"""What is changed in a function that JAX traces once: the body of a loop, a branch."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jaxintro.lens.audit.kinds import MUTATION, Diagnostic
from jaxintro.lens.audit.source.body import last_name
from jaxintro.lens.audit.source.function import UserFunction
from jaxintro.lens.audit.source.quoting import shown, where
from jaxintro.lens.audit.source.writes import MUTATORS, Write, words

LOOPS = words("fori_loop while_loop scan map associative_scan")
BRANCHES = words("cond switch")
ONCE = LOOPS | BRANCHES | words("checkpoint remat jit")


def rule_bodies(function: UserFunction) -> Iterator[Diagnostic]:
    """`nonlocal n; n += 1` in the body of a loop: it happens once, not each round."""
    bodies = dict(traced_once(function))
    if not bodies:
        return
    page = function.page
    for write in page.writes:
        inside = [each for each in page.ancestors(write.scope) if each in bodies]
        owner = page.owner(write.root, write.scope)
        own = not function.body.inside(owner) or write.root in function.body.parameters
        if not inside or own or any(each in page.ancestors(owner) for each in inside):
            continue
        if counts(write) or (bodies[inside[0]] in BRANCHES and write.how != "store"):
            name = shown(write.root, write.steps)
            yield Diagnostic(
                MUTATION,
                *where(function, write.node),
                f"changes `{name}` in a function that `{bodies[inside[0]]}` traces",
                f"`{name}`",
                "mutation in a body",
                needs="no leak",
            )


def counts(write: Write) -> bool:
    """Whether a change builds on what was there: then its number of times matters."""
    return isinstance(write.node, ast.AugAssign) or write.how in MUTATORS


def traced_once(function: UserFunction) -> Iterator[tuple[ast.AST, str]]:
    """The inner functions that JAX traces once, and what does so."""
    inner = [node for node in function.body.nodes if isinstance(node, ast.FunctionDef)]
    named = {node.name: node for node in inner}
    for node in inner:
        for each in (part for deco in node.decorator_list for part in ast.walk(deco)):
            if last_name(each) in ONCE and is_of_jax(function.evaluate(each)):
                yield node, last_name(each)
    for call, value in function.calls if inner else ():
        name = last_name(call.func)
        if name not in ONCE or not is_of_jax(value):
            continue
        for argument in (*call.args, *(each.value for each in call.keywords)):
            for each in ast.walk(argument):
                if isinstance(each, ast.Name) and each.id in named:
                    yield named[each.id], name


def is_of_jax(value: object) -> bool:
    """Whether a function is one of JAX's, and not for pytrees."""
    module = str(getattr(value, "__module__", None) or "")
    return module.split(".")[0] == "jax" and "tree" not in module
