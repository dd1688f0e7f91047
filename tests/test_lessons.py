"""What is proved of every lesson that is found. Adding a lesson never edits this file.

Each claim holds, each check has teeth, each result is guarded, each check is
independent of what it judges; the house rules are in test_house_style.py.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from jaxintro._engine import (
    catalog,
    extras,
    index,
    outcome,
    page,
    report,
    setting,
    teeth,
    text,
)
from jaxintro._engine.figures import drawn
from jaxintro._engine.independence import borrowed
from jaxintro._engine.review import BLUNTEST

PAGES = {lesson.name: page.read(lesson) for lesson in catalog.course()}
DEMOS = [
    pytest.param(found, demo, id=f"{name}.{demo.name}")
    for name, found in PAGES.items()
    for demo in found.sections
]
CHECKS = [
    pytest.param(found, demo, check, id=f"{name}.{check.name}")
    for name, found in PAGES.items()
    for demo in found.sections
    for check in demo.checks
]


@pytest.fixture(autouse=True)
def pinned():
    """Lessons run under JAX's default settings, as for a reader."""
    with setting.pinned():
        yield
    drawn()  # closes what the demos drew


def skip_if_lacking(found):
    """Without its extra a lesson cannot run; what only reads it is tested still."""
    if why := extras.reason(found.lesson):
        pytest.skip(why)


@pytest.mark.parametrize(("found", "demo", "check"), CHECKS)
def test_claim_holds_and_its_check_has_teeth(found, demo, check):
    skip_if_lacking(found)
    bite = teeth.measure(outcome.load(found.lesson), demo, check)  # raises if it fails
    assert bite.bites, f"nothing that {demo.name} could return makes {check.name} fail"
    if bite.sharpness is not None and bite.sharpness > BLUNTEST:
        words = f"{check.name} would not notice an error of {bite.sharpness:.0e}"
        assert "# Blunt:" in check.source, f"{words}; say why after '# Blunt:'"


@pytest.mark.parametrize(("found", "demo"), DEMOS)
def test_demo_runs_and_nothing_it_shows_is_unchecked(found, demo):
    skip_if_lacking(found)
    free = teeth.unguarded(outcome.load(found.lesson), demo)
    assert not free, f"no check of {demo.name} looks at {', '.join(free)}"


@pytest.mark.parametrize(("found", "demo", "check"), CHECKS)
def test_check_is_independent_of_jax(found, demo, check):
    uses = borrowed(found, demo, check)
    says = [f"judges JAX by {name}" for name in uses.judged]
    says += [f"does not call {demo.name}"] * (demo.name not in uses.names)
    assert says == []


@pytest.mark.parametrize(("found", "demo"), DEMOS)
def test_demo_reads_well_on_any_screen(found, demo):
    skip_if_lacking(found)
    alone = replace(demo, checks=())
    result = outcome.run_section(outcome.load(found.lesson), alone)
    assert not result.error
    assert any(row.pieces for row in result.rows), "no line says what it gave"
    wide = []
    for width in (40, 80, 120):
        lines = text.question(demo, 1, width) + report.answer(result, width)
        margin = len(text.CODE)
        # code stands whole; all else keeps to the width
        wide += [x.text for x in lines if x.style != "code" and len(x.text) > width]
        beside = [x for x in lines if x.style == "code" and x.beside]
        split = max((len(x.text) for x in beside), default=0)
        wide += [x for x in beside if margin + split + 3 + len(x.beside) > width]
    assert wide == []


def test_every_name_is_introduced_before_it_is_used():
    assert index.unintroduced(PAGES.values()) == []


@pytest.mark.parametrize("lesson", catalog.course(), ids=lambda lesson: lesson.name)
def test_readme_lists_the_lesson(lesson):
    readme = Path(__file__).parents[1] / "README.md"
    row = f"| `{lesson.name}` | {lesson.title} |"
    stands = row in readme.read_text(encoding="utf-8")
    assert stands, "run `python docs/in_step.py`"
