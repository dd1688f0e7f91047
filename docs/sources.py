"""The text of docs/SOURCES.md: what introductions to JAX say, and what is true today.

`python docs/in_step.py` writes it, after a change of sources.toml or of a claim that it
names. The claims are read from the lessons; nothing is run, JAX is not imported.
"""

import tomllib
from collections import Counter
from itertools import groupby
from pathlib import Path

from jaxintro._engine import catalog, notebook, page

HERE = Path(__file__).parent
VERDICTS = {
    "holds": "true as they say it",
    "depends": "true on a condition, which the row names",
    "dated": "was true when it was written, and no longer is",
    "wrong": "not true, or no good advice; the lesson shows what is",
}
OPENING = """\
<!-- Made by `python docs/in_step.py` from docs/sources.toml and the lessons. -->

# What five introductions to JAX say, and what is true today

The first lessons of jaxintro grew out of five introductions: the slides "JAX: A Brief
Introduction", a blog draft on JAX of May 2023, the blog "Jax 101", the slides "JAX. An
introduction to deep learning programming principles", and the slides "Jax, aka Just
After eXecution". Here is, in our words, each thing that they say and that can be
checked. Where we go further than they do, the row begins "Beyond the sources". The rows
T1 to T27 are what learners of JAX trip over most, counted from its public issues; O1 to
O8 are tips on speed, and X1 to X8 other libraries, that the introductions name.

{verdicts}

The last column holds the claims that settle a row. Each is proved on your own machine:
`python -m jaxintro.lesson all --check`. Where a row gives a time, it is that of one
machine; the claims are about the cause, which is the same on all.
"""


def load() -> dict[str, dict]:
    """The rows by their id: lesson, verdict, says, today, checks."""
    return tomllib.loads((HERE / "sources.toml").read_text(encoding="utf-8"))


def claims_of(lesson: str) -> dict[str, str]:
    """The sentence that each check of a lesson proves."""
    sections = page.read(catalog.find(lesson)).sections
    return {check.name: check.claim for each in sections for check in each.checks}


def render() -> str:
    """The text of SOURCES.md.

    Raises:
        SystemExit: a row names a check that is not in its lesson.
    """
    rows = load()
    parts = [OPENING.format(verdicts=_count(rows))]
    for lesson, group in groupby(rows, key=lambda name: rows[name]["lesson"]):
        parts.append(_section(lesson, {name: rows[name] for name in group}))
    return "\n".join(parts)


def _count(rows: dict[str, dict]) -> str:
    numbers = Counter(row["verdict"] for row in rows.values())
    lines = [[f"**{v}**", means, str(numbers[v])] for v, means in VERDICTS.items()]
    total = ["", "in all", str(len(rows))]
    return _table(["verdict", "meaning", "rows"], [*lines, total])


def _section(lesson: str, rows: dict[str, dict]) -> str:
    topic = catalog.find(lesson).title.partition(":")[0]
    lines = [
        [
            name,
            _escape(row["says"]),
            f"**{row['verdict']}**" if row["verdict"] != "holds" else "holds",
            _escape(row["today"]),
            "<br>".join(f"✓ {_escape(claim)}" for claim in _settle(name, row)),
        ]
        for name, row in rows.items()
    ]
    head = ["", "they say", "verdict", "true today", "settled by"]
    source = f"[{lesson}.py](../src/jaxintro/{lesson}.py)"
    where = f"The lesson: `python -m jaxintro.lesson {lesson}`, {source}."
    return f"## {topic}\n\n{where}\n\n{_table(head, lines)}\n"


def _settle(name: str, row: dict) -> list[str]:
    claims = claims_of(row["lesson"])
    if gone := [check for check in row["checks"] if check not in claims]:
        raise SystemExit(f"{name} names '{gone[0]}', which '{row['lesson']}' lacks.")
    return [claims[check] for check in row["checks"]]


def _table(head: list[str], lines: list[list[str]]) -> str:
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *lines])


def _escape(text: str) -> str:
    return notebook.escape(text).replace("|", "\\|")  # a bar would end the cell
