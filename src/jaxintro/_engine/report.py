"""What running gave: values, verdicts and the count, as lines."""

from collections.abc import Sequence

from jaxintro._engine import extras, text
from jaxintro._engine.catalog import Lesson
from jaxintro._engine.lines import BLANK, INDENT, Line, wrapped
from jaxintro._engine.outcome import Outcome, Tally, Verdict
from jaxintro._engine.page import Page
from jaxintro._engine.rules import Complaint
from jaxintro._engine.sketch import sketch

FIGURE = "--figures DIR saves the picture, a notebook shows it"
DRAWING = 72  # columns of a sketch
LEFT_OUT = "Its claims are about the worked example; they were left out."


def answer(outcome: Outcome, width: int, *, colour: bool = False) -> list[Line]:
    """The demo's lines with what they gave here, and the verdict on each claim."""
    lines = text.code(outcome.rows, width)
    prose = min(width, text.PROSE)
    if outcome.error:
        lines += wrapped("fails", f"raised {outcome.error}", prose, f"{INDENT}✗ ")
    for figure in outcome.figures:
        drawn = sketch(figure, min(prose - len(text.CODE), DRAWING), colour=colour)
        words = FIGURE if drawn else f"a figure: {FIGURE}"
        lines += [BLANK, *(Line("drawing", text.CODE + line) for line in drawn)]
        lines += wrapped("dim", words, prose, text.CODE)
    if outcome.section.call and outcome.section.checks:
        lines += [BLANK, *wrapped("dim", LEFT_OUT, prose, INDENT)]
    lines += [BLANK] * bool(outcome.verdicts)
    for verdict in outcome.verdicts:
        lines += _verdict(verdict, prose, INDENT)
    return lines


def claims(page: Page, outcome: Outcome, *, sharpness: bool) -> list[Line]:
    """One line a claim."""
    lines = []
    if outcome.error:
        where = f"{page.lesson.name}.{outcome.section.name}"
        lines.append(Line("fails", f"✗ {where} raised {outcome.error}"))
    for verdict in outcome.verdicts:
        words = f"{page.lesson.name}: {verdict.check.claim}"
        if sharpness and verdict.holds:
            words += f"  [{describe_sharpness(verdict)}]"
        lines.append(_marked(verdict, words))
    return lines


def reviewed(page: Page, found: list[Complaint], width: int) -> list[Line]:
    """What is to be said against a lesson, each with its line and its cure."""
    path = page.lesson.path
    if not found:
        return [Line("holds", f"✓ {path}: nothing to say against it")]
    lines = []
    for line, words, cure in found:
        lines.append(Line("fails", f"{path}:{line}: {words}"))
        lines += wrapped("prose", cure, width, INDENT)
    return lines


def skipped(lessons: Sequence[Lesson]) -> list[Line]:
    """The lessons that cannot run here, each with the reason and the cure."""
    lines = [
        Line("dim", f"- {lesson.name} is skipped: it {extras.reason(lesson)}")
        for lesson in lessons
    ]
    return [BLANK, *lines] if lines else []


def closing(
    tally: Tally, about: dict[str, object], following: str, width: int
) -> list[Line]:
    """The line that counts, folded where the screen is narrow."""
    counted = [_many(tally.demos, "demo")]
    if tally.claims:
        counted.append(_many(tally.claims, "claim"))
    if tally.broken:
        counted.append(f"{tally.broken} DO NOT HOLD here")
    elif tally.claims:
        counted.append("all hold here")
    if tally.skipped:
        counted.append(f"{_many(tally.skipped, 'lesson')} skipped")
    where = f"jax {about['jax']} on {about['platform']}, {tally.seconds:.1f} s"
    style = "fails" if tally.broken else "dim"
    width = min(width, text.PROSE)
    lines = [BLANK, *wrapped(style, f"{', '.join(counted)}: {where}.", width)]
    return lines + (wrapped("dim", f"Next: {following}", width) if following else [])


def aside(settings: dict[str, object], width: int) -> list[Line]:
    """Which settings of the reader's do not apply to the page."""
    if not settings:
        return []
    named = ", ".join(f"{name}={value}" for name, value in settings.items())
    words = f"Set aside while this runs: {named}. --as-is keeps your settings."
    return wrapped("dim", words, min(width, text.PROSE))


def where(words: str, width: int) -> list[Line]:
    """Why a lesson runs in another process than the rest."""
    return wrapped("dim", words, min(width, text.PROSE))


def describe_sharpness(verdict: Verdict) -> str:
    """What the engine measured of a check, in words."""
    sharpness = verdict.sharpness
    if verdict.unmeasured:
        return "not to be measured"
    if sharpness is None:
        return "exact"
    return f"would notice {sharpness:.0e}" if sharpness < 1 else "would notice nothing"


def _verdict(verdict: Verdict, width: int, indent: str) -> list[Line]:
    line = _marked(verdict, verdict.check.claim)
    return wrapped(line.style, line.text[2:], width, indent + line.text[:2])


def _marked(verdict: Verdict, words: str) -> Line:
    if verdict.holds:
        return Line("holds", f"✓ {words}")
    return Line("fails", f"✗ {words} Not here: {verdict.message}")


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
