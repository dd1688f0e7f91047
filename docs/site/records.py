"""The record: what became of every claim, on every configuration that was recorded.

A configuration is the output of `python -m jaxintro.lesson all --json`, in a file that
is named after it; `--sharpness` adds the smallest error that each check would notice.
"""

import json
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from jaxintro._engine.fragments import inline

Told = dict[str, Any]  # one object of `--json`
HERE = "this build"
FIELD = """\
<p class="ji-filter"><label for="claim">Look for a claim</label>\
<input id="claim" type="search" data-rows=".ji-record tbody tr" \
placeholder="a word of it" autocomplete="off"></p>"""


class Claim(NamedTuple):
    """One claim of one demo."""

    lesson: str
    demo: str
    check: str


def files(folder: str) -> list[Path]:
    """The recorded configurations, by name."""
    return sorted(Path(folder).glob("*.json")) if folder else []


def load(folder: str) -> dict[str, Told]:
    """Each recorded configuration under the name of its file.

    Raises:
        ValueError: a file is not the output of `--json`.
    """
    found = {}
    for path in files(folder):
        told = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(told, dict) or "lessons" not in told:
            raise ValueError(f"'{path}' is not what --json writes")
        found[path.stem] = told
    return found


def checks(told: Told) -> Iterator[tuple[Claim, Told]]:
    """Every check of a configuration."""
    for lesson in told["lessons"]:
        for demo in lesson["demos"]:
            for check in demo["checks"]:
                yield Claim(lesson["name"], demo["name"], check["name"]), check


def html(here: Told, recorded: dict[str, Told], base: str) -> str:
    """The configurations, then a table of claims for each lesson.

    Args:
        here: what the build itself saw; it says which claims there are, but of lessons
            that could not run in it.
        recorded: the others, by name.
        base: the folder of the lessons' pages.
    """
    every = {HERE: here, **recorded}
    verdicts = {name: dict(checks(told)) for name, told in every.items()}
    lessons = dict[str, Told]()
    for told in every.values():
        for lesson in told["lessons"]:
            lessons.setdefault(lesson["name"], lesson)
    claims = dict(checks({"lessons": lessons.values()}))
    words = _words(len(recorded))
    parts = [words, _configurations(every, verdicts, list(claims)), FIELD]
    heads = _heads(every)
    seen = list(verdicts.values())
    parts += [_lesson(lesson, seen, heads, base) for lesson in lessons.values()]
    return "".join(parts)


def _words(count: int) -> str:
    if not count:
        return (
            "<p><strong>One configuration is present: the one that built these pages. "
            "</strong>Nothing is said here about any other.</p>"
        )
    return (
        f"<p>{count + 1} configurations are present: the one that built these pages, "
        "and those that were recorded. Nothing is said here about any other.</p>"
    )


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else f"A{_letter(number - 26)}"


def _configurations(
    every: dict[str, Told],
    verdicts: dict[str, dict[Claim, Told]],
    claims: Sequence[Claim],
) -> str:
    rows = []
    for number, (name, told) in enumerate(every.items()):
        there = [verdicts[name][claim] for claim in claims if claim in verdicts[name]]
        holds = sum(check["holds"] for check in there)
        style = "holds" if holds == len(there) else "fails"
        many = len(told["devices"])
        device = f"{told['platform']}{f' × {many}' if many > 1 else ''}"
        notes = [f"sets aside {k}={v}" for k, v in told.get("set_aside", {}).items()]
        if without := [each["name"] for each in told.get("skipped", ())]:
            notes.append(f"without {', '.join(without)}")
        small = "".join(f"<br><small>{escape(note)}</small>" for note in notes)
        holding = f"{holds} of {len(there)}"
        cells = {
            "Name": f"{escape(name)}{small}",
            "Python": escape(told["python"]),
            "JAX": escape(told["jax"]),
            "NumPy": escape(told["numpy"]),
            "Device": escape(device),
            "Claims that hold": f'<span class="ji-{style}">{holding}</span>',
        }
        shown = "".join(f'<td data-label="{k}">{v}</td>' for k, v in cells.items())
        rows.append(f'<tr><th scope="row">{_letter(number)}</th>{shown}</tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in cells)
    return (
        '<table class="ji-table" aria-label="The configurations">'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _heads(every: dict[str, Told]) -> str:
    """A column for each configuration; which it is shows under the pointer."""
    heads = ""
    for number, (name, told) in enumerate(every.items()):
        words = f"{name}: JAX {told['jax']}, Python {told['python']}"
        mark = f'<abbr title="{escape(words, quote=True)}">{_letter(number)}</abbr>'
        heads += f'<th scope="col">{mark}</th>'
    return heads


def _lesson(
    lesson: Told, verdicts: Sequence[dict[Claim, Told]], heads: str, base: str
) -> str:
    rows, broken, count = [], 0, 0
    for demo in lesson["demos"]:
        for check in demo["checks"]:
            claim = Claim(lesson["name"], demo["name"], check["name"])
            seen = [there.get(claim) for there in verdicts]
            broken += any(each is not None and not each["holds"] for each in seen)
            count += 1
            rows.append(_row(claim, check, seen, base))
    said = (
        f"{broken} of {count} do not hold everywhere" if broken else f"all {count} hold"
    )
    style = "fails" if broken else "holds"
    told = escape(lesson.get("where", ""))
    where = f"<p><small>{told}</small></p>" if told else ""
    return (
        f'<details class="ji-record" id="{lesson["name"]}"><summary>'
        f'<span>{inline(lesson["title"])}</span> <span class="ji-{style}">{said}</span>'
        f'</summary>{where}<table class="ji-table"><thead><tr>'
        '<th scope="col">Claim</th>'
        f'<th scope="col">Notices</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></details>"
    )


def _row(claim: Claim, check: Told, seen: Sequence[Told | None], base: str) -> str:
    address = f"{base}/{claim.lesson}.html#{claim.demo}"
    words = f'<a href="{address}">{inline(check["claim"])}</a>'
    marks = "".join(
        f'<td data-label="{_letter(number)}">{_mark(each)}</td>'
        for number, each in enumerate(seen)
    )
    return (
        f'<tr><th scope="row">{words}</th><td data-label="Notices">{_sharpness(seen)}'
        f"</td>{marks}</tr>"
    )


def _mark(check: Told | None) -> str:
    if check is None:
        return '<span class="ji-unknown" title="not in this record">–</span>'
    if check["holds"]:
        return '<span class="ji-holds" title="holds">✓</span>'
    message = escape(check["message"], quote=True)
    return f'<span class="ji-fails" title="{message}">✗ does not hold</span>'


def _sharpness(seen: Sequence[Told | None]) -> str:
    """The smallest relative error that the check would notice, at its bluntest."""
    measured = [each for each in seen if each and "sharpness" in each]
    if not measured:
        return '<span class="ji-unknown" title="not measured">–</span>'
    known = [each["sharpness"] for each in measured if each["sharpness"] is not None]
    return f"{max(known):.0e}" if known else "any"
