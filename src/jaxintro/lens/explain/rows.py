"""What a picture of a jaxpr shows in which row: equations, folded where they repeat."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

from jaxintro.lens.explain import fusion, jaxprs

LONG = 30  # equations; in a longer list what repeats is folded
MOST = 60  # rows; a picture of more cannot be read
PERIOD = 60  # equations that repeat as one, at most


class Row(NamedTuple):
    """One line of the picture.

    Attributes:
        label: what an equation does, or the names of results.
        arguments: names of the arguments that it reads.
        band: rows with the same number stand in one outline.
        equations: numbers of the equations that it stands for.
        kernels: numbers of the kernels of its band; none where it has no outline.
    """

    label: str
    arguments: tuple[str, ...]
    band: int
    equations: tuple[int, ...]
    kernels: tuple[int, ...]


class Fold(NamedTuple):
    """Rows that stand for several times as many: first, last, and how often."""

    first: int
    last: int
    times: int


@dataclass(frozen=True)
class Table:
    """All rows in the order of the program, and what goes from which to which.

    Attributes:
        rows: as many as can be read.
        folds: which rows repeat.
        edges: pairs of positions in `rows`.
        left_out: how many rows there would be more.
    """

    rows: list[Row]
    folds: list[Fold]
    edges: list[tuple[int, int]]
    left_out: int


class Token(NamedTuple):
    """An equation, or a kernel without one, before folding."""

    number: int | None
    label: str
    kind: str  # of the result: two that look alike and give other shapes do not fold
    band: int
    kernels: tuple[int, ...]


def table(jaxpr: Any) -> Table:
    """The rows of a jaxpr."""
    names = argument_names(jaxpr)
    jaxpr = jaxprs.opened(jaxpr)
    given = {v: names.get(v, "") for v in jaxpr.invars}
    given |= dict.fromkeys(jaxpr.constvars, "a constant")
    tokens = tokens_of(jaxpr)
    rows: list[Row] = []
    folds: list[Fold] = []
    at = 0
    while at < len(tokens):
        period, times = repeats(tokens, at) if len(tokens) > LONG else (1, 1)
        if times > 1:
            folds.append(Fold(len(rows), len(rows) + period - 1, times))
        for place in range(at, at + period):
            copies = tokens[place : place + period * times : period]
            rows.append(row(copies, jaxpr, given))
        at += period * times
    shown = rows[:MOST]
    results = result_rows(jaxpr, given, rows)
    return Table(
        shown + results,
        [fold for fold in folds if fold.last < len(shown)],
        list(edges(jaxpr, shown, results, folds)),
        len(rows) - len(shown),
    )


def argument_names(jaxpr: Any) -> dict[Any, str]:
    """What the arguments are called, by the variables of the opened jaxpr."""
    inner = jaxprs.inner(jaxpr)
    told = getattr(inner.debug_info, "arg_names", None) or ()
    names = [name or f"argument {at}" for at, name in enumerate(told)]
    names += [f"argument {at}" for at in range(len(names), len(inner.invars))]
    known = dict(zip(inner.invars, names, strict=False))
    while (within := jaxprs.opened_once(inner)) is not None:
        outside = inner.eqns[0].invars
        known = {
            v: known[atom]
            for v, atom in zip(within.invars, outside, strict=True)
            if atom in jaxprs.variables([atom]) and atom in known
        }
        inner = within
    return known


def tokens_of(jaxpr: Any) -> list[Token]:
    """The equations kernel by kernel as they run, those of no kernel between them."""
    groups = fusion.groups(jaxpr)
    fused = {number for group in groups for number in group.equations}
    loose = [number for number in range(len(jaxpr.eqns)) if number not in fused]
    waiting = {*fused}
    source = sources(jaxpr)
    needs = [
        {source[v] for v in jaxprs.variables(e.invars) if v in source}
        for e in jaxpr.eqns
    ]
    bands = count()
    tokens: list[Token] = []

    def add(numbers: list[int], kernels: tuple[int, ...]) -> None:
        band = next(bands)
        for number in numbers:
            equation = jaxpr.eqns[number]
            kind = " ".join(str(v.aval) for v in equation.outvars)
            tokens.append(Token(number, name_of(equation), kind, band, kernels))

    for group in groups:
        members = [*group.equations]
        last = max(members, default=-1)
        for number in [n for n in loose if n < last]:
            if needs[number].isdisjoint({*loose, *waiting, *members}):
                loose.remove(number)
                add([number], ())
        if not members:  # a call of a library is known by its name alone
            members = [n for n in loose if name_of(jaxpr.eqns[n]) == group.name][:1]
            loose = [n for n in loose if n not in members]
        if members:
            add(members, group.kernels)
            waiting -= {*members}
        else:
            tokens.append(Token(None, group.name, "", next(bands), group.kernels))
    for number in loose:
        add([number], ())
    return tokens


def repeats(tokens: list[Token], at: int) -> tuple[int, int]:
    """How many tokens from here on repeat as one, and how often: (1, 1) if none do."""
    best = (1, 1)
    for period in range(1, min(PERIOD, (len(tokens) - at) // 2) + 1):
        times = 1
        while alike(tokens, at, at + period * times, period):
            times += 1
        while times > 1 and not whole(tokens, at, period, times):
            times -= 1
        if times > 1 and period * (times - 1) > max(3, best[0] * (best[1] - 1)):
            best = (period, times)
    return best


def alike(tokens: list[Token], first: int, second: int, period: int) -> bool:
    """Whether two stretches hold the same equations in the same kinds of kernels."""
    pair = [tokens[at : at + period] for at in (first, second)]
    seen = [
        [(t.label, t.kind, bool(t.kernels), t.band - part[0].band) for t in part]
        for part in pair
    ]
    within = len({token.band for part in pair for token in part}) == 1
    return (
        len(pair[1]) == period
        and (within or seen[0] == seen[1])
        and ([s[:3] for s in seen[0]] == [s[:3] for s in seen[1]])
    )


def whole(tokens: list[Token], at: int, period: int, times: int) -> bool:
    """Whether the copies lie within one kernel, or cut none in two."""
    end = at + period * times
    if tokens[at].band == tokens[end - 1].band:
        return True
    cuts = [*range(at, end + 1, period)]
    return all(
        cut in (0, len(tokens)) or tokens[cut - 1].band != tokens[cut].band
        for cut in cuts
    )


def row(copies: list[Token], jaxpr: Any, given: dict[Any, str]) -> Row:
    """The row that stands for a token and its copies."""
    numbers = tuple(t.number for t in copies if t.number is not None)
    read = [v for n in numbers for v in jaxprs.variables(jaxpr.eqns[n].invars)]
    arguments = dict.fromkeys(given[v] for v in read if v in given)
    kernels = dict.fromkeys(kernel for token in copies for kernel in token.kernels)
    first = copies[0]
    return Row(first.label, tuple(arguments), first.band, numbers, tuple(kernels))


def result_rows(jaxpr: Any, given: dict[Any, str], rows: list[Row]) -> list[Row]:
    """A row for the results of each row, named as the caller finds them."""
    told = getattr(jaxpr.debug_info, "result_paths", None) or ()
    paths = [str(path) or "result" for path in told]
    paths += ["result"] * (len(jaxpr.outvars) - len(paths))
    home = {number: at for at, each in enumerate(rows) for number in each.equations}
    source = sources(jaxpr)
    named: dict[Any, list[str]] = {}
    variables: dict[Any, Any] = {}
    for variable, path in zip(jaxpr.outvars, paths, strict=False):
        if jaxprs.variables([variable]):
            made = home.get(source.get(variable, -1), given.get(variable))
            named.setdefault(made, []).append(path)
            variables[made] = variable
    return [
        Row(
            listed(each),
            (made,) if isinstance(made, str) else (),
            -1 - at,
            (source[variables[made]],) if isinstance(made, int) else (),
            (),
        )
        for at, (made, each) in enumerate(named.items())
    ]


def listed(names: list[str]) -> str:
    """One or two names, or the first and the last of more."""
    return ", ".join(names if len(names) < 3 else [names[0], f"… {names[-1]}"])


def sources(jaxpr: Any) -> dict[Any, int]:
    """The number of the equation that makes a variable."""
    return {v: n for n, e in enumerate(jaxpr.eqns) for v in e.outvars}


def edges(
    jaxpr: Any, rows: list[Row], results: list[Row], folds: list[Fold]
) -> Iterator[tuple[int, int]]:
    """From which row to which the values go; not from one copy to the next."""
    home = {number: at for at, each in enumerate(rows) for number in each.equations}
    source = sources(jaxpr)
    found: dict[tuple[int, int], None] = {}
    for at, each in enumerate(rows):
        for number in each.equations:
            read = jaxprs.variables(jaxpr.eqns[number].invars)
            starts = {home[source[v]] for v in read if source.get(v) in home}
            found |= dict.fromkeys((start, at) for start in sorted(starts))
    for at, each in enumerate(results, len(rows)):
        starts = {home[number] for number in each.equations if number in home}
        found |= dict.fromkeys((start, at) for start in sorted(starts))
    for start, end in found:
        same = any(f.first <= end <= start <= f.last for f in folds)
        if start != end and not same:
            yield start, end


def name_of(equation: Any) -> str:
    """What to call an equation: its primitive, or the function that it calls."""
    name = str(equation.primitive.name)
    if name == "scan":
        return f"scan, {equation.params['length']} times"
    if not jaxprs.is_call(equation):
        return name
    inside = jaxprs.nested(equation)[0].eqns
    # `custom_jvp_call` around `jit` around what it is all about: jax.nn.relu.
    within = name_of(inside[0]) if len(inside) == 1 else name
    return str(equation.params.get("name", within)).strip("_")
