"""Outcomes as one plain object, for programs: the shape of `--json`."""

from collections.abc import Sequence

from jaxintro._engine import extras
from jaxintro._engine.catalog import Lesson
from jaxintro._engine.outcome import Outcome, Verdict
from jaxintro.lens.follow.table import Row


def lesson_record(
    lesson: Lesson, outcomes: Sequence[Outcome], seconds: float, *, sharpness: bool
) -> dict[str, object]:
    """One lesson: its demos in order, each with its checks. Times in seconds."""
    return {
        "name": lesson.name,
        "title": lesson.title,
        "seconds": round(seconds, 4),
        "demos": [_demo(outcome, sharpness=sharpness) for outcome in outcomes],
    }


def skipped(lesson: Lesson) -> dict[str, object]:
    """One lesson that could not run here: why, and what would cure it."""
    extra = lesson.needs or ""
    return {
        "name": lesson.name,
        "title": lesson.title,
        "needs": extra,
        "lacks": list(extras.lacks(extra)),
        "install": extras.install(extra),
    }


def _demo(outcome: Outcome, *, sharpness: bool) -> dict[str, object]:
    section, prose = outcome.section, outcome.section.prose
    record: dict[str, object] = {
        "name": section.name,
        "heading": section.heading,
        "prose": list(prose.paragraphs),
        "question": prose.predict,
        "myth": prose.myth,
        "seconds": round(outcome.seconds, 4),
        "output": None if outcome.error else "\n".join(outcome.said.lines),
        "lines": [_line(row) for row in outcome.rows if row.number],
        "checks": [_check(v, sharpness=sharpness) for v in outcome.verdicts],
    }
    return record | ({"error": outcome.error} if outcome.error else {})


def _line(row: Row) -> dict[str, object]:
    values = [value for piece in row.pieces for value in piece.values]
    return {"line": row.number, "code": row.code, "runs": row.runs, "values": values}


def _check(verdict: Verdict, *, sharpness: bool) -> dict[str, object]:
    record: dict[str, object] = {
        "name": verdict.check.name,
        "claim": verdict.check.claim,
        "holds": verdict.holds,
        "seconds": round(verdict.seconds, 4),
        "message": verdict.message,
    }
    if sharpness:
        record["sharpness"] = verdict.sharpness
    if verdict.unmeasured:
        record["unmeasured"] = verdict.unmeasured
    return record
