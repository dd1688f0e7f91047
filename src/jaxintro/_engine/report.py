"""What running gave: results, verdicts and the count, as lines."""

from jaxintro._engine.lines import BLANK, INDENT, Line, wrapped
from jaxintro._engine.outcome import Outcome, Tally, Verdict
from jaxintro._engine.page import Page
from jaxintro._engine.values import show


def answer(outcome: Outcome, width: int) -> list[Line]:
    """What the section gave here, and the verdict on each claim."""
    if not outcome.section.is_demo:
        return []
    lines = _result(outcome, width)
    for verdict in outcome.verdicts:
        lines += _verdict(verdict, width, INDENT)
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
            words += f"  [{describe_sharpness(verdict.sharpness)}]"
        lines.append(_marked(verdict, words))
    return lines


def closing(
    tally: Tally, about: dict[str, object], following: str, width: int
) -> list[Line]:
    """The line that counts, folded where the screen is narrow."""
    if tally.broken:
        held = f"{tally.broken} DO NOT HOLD here"
    else:
        held = "all hold here"
    counted = f"{_many(tally.demos, 'demo')}, {_many(tally.claims, 'claim')}"
    where = f"jax {about['jax']} on {about['platform']}, {tally.seconds:.1f} s"
    style = "fails" if tally.broken else "dim"
    lines = [BLANK, *wrapped(style, f"{counted}, {held}: {where}.", width)]
    return lines + (wrapped("dim", f"Next: {following}", width) if following else [])


def describe_sharpness(sharpness: float | None) -> str:
    """What the engine measured of a check, in words."""
    if sharpness is None:
        return "exact"
    return f"would notice {sharpness:.0e}" if sharpness < 1 else "would notice nothing"


def _result(outcome: Outcome, width: int) -> list[Line]:
    if outcome.error:
        return wrapped("fails", f"raised {outcome.error}", width, f"{INDENT}✗ ")
    shown = show(outcome.value, width - 5)
    marks = [f"{INDENT}→ "] + [f"{INDENT}  "] * len(shown)
    return [
        Line("result", mark + line) for mark, line in zip(marks, shown, strict=False)
    ]


def _verdict(verdict: Verdict, width: int, indent: str) -> list[Line]:
    line = _marked(verdict, verdict.check.claim)
    return wrapped(line.style, line.text[2:], width, indent + line.text[:2])


def _marked(verdict: Verdict, words: str) -> Line:
    if verdict.holds:
        return Line("holds", f"✓ {words}")
    return Line("fails", f"✗ {words} Not here: {verdict.message}")


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
