"""From pages to what the reader sees: each section is run, then shown, one by one."""

import contextlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from jaxintro._engine import catalog, guard, text
from jaxintro._engine.catalog import Lesson
from jaxintro._engine.files import put
from jaxintro._engine.lines import BLANK, Line
from jaxintro._engine.page import Page, Section
from jaxintro._engine.screen import Screen, encodable

if TYPE_CHECKING:
    from jaxintro._engine.outcome import Outcome


@dataclass
class Session:
    """One run of the command: what the reader asked for, and the screen it goes to.

    JAX and all that stands on it is imported once the first words are out.
    """

    step: bool = False
    sharpness: bool = False
    figures: Path | None = None  # the folder that pictures are saved in
    platform: str | None = None
    plain: bool = False
    as_is: bool = False  # leave JAX's settings as they are
    limit: float = guard.LIMIT  # seconds for one demo and its checks
    saved: set[Path] = field(default_factory=set)  # pictures so far
    skipped: Sequence[Lesson] = ()  # of `all`, those whose extra is not installed
    screen: Screen = field(init=False)

    def __post_init__(self) -> None:
        self.screen = Screen(plain=self.plain)
        if self.figures:
            _make_folder(self.figures)

    def read(self, pages: Sequence[Page]) -> int:
        """Show every page as it runs; return the exit status."""
        broken, told = 0, dict[str, object]()
        for page in pages:
            self.screen.write(text.opening(page, _place(page), self.screen.width))
            self._prepare()
            from jaxintro._engine import report, setting
            from jaxintro._engine.outcome import Tally, imported

            tally = Tally()
            with imported(page.lesson) as module:
                told = self._tell_aside(told)
                self._tell_where(module, [BLANK])
                for section in page.sections:
                    tally.add(self._tell(page, module, section))
            self.screen.write(
                report.closing(tally, setting.about(), _next(page), self.screen.width)
            )
            broken += tally.broken
        self._tell_skipped()
        self._say_if_nothing_was_drawn()
        return 1 if broken else 0

    def prove(self, pages: Sequence[Page]) -> int:
        """Show one line a claim; return the exit status."""
        self._prepare()
        from jaxintro._engine import report, setting
        from jaxintro._engine.outcome import Tally, imported

        tally, told = Tally(), dict[str, object]()
        for page in pages:
            with imported(page.lesson) as module:
                told = self._tell_aside(told)
                self._tell_where(module)
                for section in page.sections:
                    outcome = self._run(page, module, section, reading=False)
                    lines = report.claims(page, outcome, sharpness=self.sharpness)
                    self.screen.write(lines, fold=False)  # one line a claim
                    tally.add(outcome)
        self._tell_skipped()
        tally.skipped = len(self.skipped)
        self.screen.write(report.closing(tally, setting.about(), "", self.screen.width))
        self._say_if_nothing_was_drawn()
        return 1 if tally.broken else 0

    def review(self, pages: Sequence[Page]) -> int:
        """Tell an author all that is to be said; return the exit status."""
        self._prepare()
        from jaxintro._engine import report
        from jaxintro._engine.outcome import imported
        from jaxintro._engine.review import review

        status = 0
        for page in pages:
            with imported(page.lesson) as module, self.screen.working(page.lesson.name):
                found = review(page, module, partial(guard.limited, self.limit))
            lines = report.reviewed(page, found, self.screen.width)
            self.screen.write(lines, fold=False)
            status = 1 if found else status
        self._tell_skipped()
        return status

    def answer_json(self, pages: Sequence[Page]) -> int:
        """Print one JSON object; return the exit status."""
        with contextlib.redirect_stdout(sys.stderr):  # a lesson that prints spoils none
            self._prepare()
            from jaxintro._engine import record, setting
            from jaxintro._engine.elsewhere import where
            from jaxintro._engine.outcome import imported

            lessons, holds, aside = [], True, dict[str, str]()
            for page in pages:
                start = time.perf_counter()
                with imported(page.lesson) as module:
                    aside |= {name: str(value) for name, value in self._aside.items()}
                    outcomes = [self._run(page, module, demo) for demo in page.sections]
                seconds = time.perf_counter() - start
                holds &= all(outcome.holds for outcome in outcomes)
                lessons.append(
                    record.lesson_record(
                        page.lesson, outcomes, seconds, sharpness=self.sharpness
                    )
                    | ({"where": apart} if (apart := where(module)) else {})
                )
            skipped = [record.skipped(lesson) for lesson in self.skipped]
            answer = {**setting.about(), "set_aside": aside, "lessons": lessons}
            answer["skipped"] = skipped
        print(json.dumps(answer, indent=1))
        self._say_if_nothing_was_drawn()
        return 0 if holds else 1

    def _tell_skipped(self) -> None:
        """Name the lessons that could not run here, each with its cure."""
        from jaxintro._engine import report

        self.screen.write(report.skipped(self.skipped), fold=False)

    def write_html(self, pages: Sequence[Page], folder: Path, *, force: bool) -> int:
        """Write every lesson with its values as a web page; return the exit status."""
        with self.screen.working("importing JAX"):
            from jaxintro._engine import offline  # what it shows stands on JAX
        paths = offline.places(pages, folder, force=force)
        self._prepare()
        from jaxintro._engine import setting
        from jaxintro._engine.elsewhere import where
        from jaxintro._engine.outcome import imported

        holds, lessons = True, [page.lesson for page in pages]
        for page, path in zip(pages, paths, strict=False):  # the contents come last
            with imported(page.lesson) as module:
                outcomes = [self._run(page, module, demo) for demo in page.sections]
                apart = where(module)
            holds &= all(outcome.holds for outcome in outcomes)
            text = offline.lesson(page, outcomes, setting.about(), lessons, apart)
            self._save_page(path, text)
        if len(paths) > len(pages):
            self._save_page(paths[-1], offline.contents(pages, self.skipped))
        self._tell_skipped()
        return 0 if holds else 1

    def _save_page(self, path: Path, text: str) -> None:
        from jaxintro._engine import offline

        offline.save(path, text)
        print(encodable(f"Wrote {path}"))

    @cached_property
    def _ready(self) -> bool:
        from jaxintro._engine import setting

        setting.choose(self.platform)
        return True

    def _prepare(self) -> None:
        with self.screen.working("importing JAX"):
            assert self._ready

    @property
    def _aside(self) -> dict[str, object]:
        from jaxintro._engine import setting

        return {} if self.as_is else setting.set_aside()

    def _tell_aside(self, told: dict[str, object]) -> dict[str, object]:
        """Say which settings do not apply, where it is news; return those said."""
        from jaxintro._engine import report

        if (aside := self._aside) != told:
            self.screen.write(report.aside(aside, self.screen.width))
        return aside

    def _tell_where(self, module: ModuleType, above: Sequence[Line] = ()) -> None:
        """Say of a lesson that runs in a process of its own that it does, and why."""
        from jaxintro._engine import report
        from jaxintro._engine.elsewhere import where

        if words := where(module):
            self.screen.write([*above, *report.where(words, self.screen.width)])

    def _run(
        self, page: Page, module: ModuleType, section: Section, *, reading: bool = True
    ) -> "Outcome":
        from jaxintro._engine import outcome

        named = f"{page.lesson.name}.{section.name}"
        working = self.screen.working(f"{page.lesson.name}: {section.name}")
        with working, guard.limited(self.limit, named):
            result = outcome.run_section(
                module,
                section,
                reading=reading or self.figures is not None,
                sharpness=self.sharpness,
                as_is=self.as_is,
            )
        return self._with_saved(page, result) if self.figures else result

    def _tell(self, page: Page, module: ModuleType, section: Section) -> "Outcome":
        from jaxintro._engine import report
        from jaxintro._engine.rows import shown_rows

        width = self.screen.width
        number = page.sections.index(section) + 1
        self.screen.write(text.question(section, number, width))
        guess = ""
        if self.step and section.prose.predict:
            self.screen.write([*text.code(shown_rows(section), width), BLANK])
            guess = _ask()
            self.screen.write([BLANK, *(text.guess(guess, width) if guess else [])])
        outcome = self._run(page, module, section)
        self.screen.write(report.answer(outcome, width, colour=self.screen.rich))
        return outcome

    def _with_saved(self, page: Page, outcome: "Outcome") -> "Outcome":
        """The outcome, with what went wrong where one of its figures was drawn."""
        for number, figure in enumerate(outcome.figures, 1):
            parts = [page.lesson.name, outcome.section.name]
            parts += [str(number)] * (len(outcome.figures) > 1)
            path = self._free_place(".".join(parts))
            try:
                put(path, partial(figure.savefig, dpi=150, bbox_inches="tight"))
            except catalog.RefusalError:
                raise
            except Exception as error:  # such as mathematics that is none
                why = f"{type(error).__name__}: {' '.join(str(error).split())}"
                return replace(outcome, figures=(), error=outcome.error or why)
            self.saved.add(path)
            print(f"Saved {path}", file=sys.stderr)
        return outcome

    def _free_place(self, name: str) -> Path:
        """A file that this run has not written: two lessons may have one name."""
        folder, number = self.figures or Path(), 1
        path = folder / f"{name}.png"
        while path in self.saved:
            number += 1
            path = folder / f"{name}.again{number}.png"
        return path

    def _say_if_nothing_was_drawn(self) -> None:
        if self.figures and not self.saved:
            print("No figure was saved: nothing here draws one.", file=sys.stderr)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror
        raise catalog.UsageError(f"'{folder}' is not to be had: {why}.") from error


def _place(page: Page) -> str:
    course = catalog.course()
    if page.lesson not in course:
        return ""
    return f"{course.index(page.lesson) + 1} of {len(course)}"


def _next(page: Page) -> str:
    course, mark = catalog.course(), "." if page.lesson.ours else "::"
    if page.following:
        return f"python -m jaxintro.lesson {page.lesson.argument}{mark}{page.following}"
    if page.lesson not in course[:-1]:
        return ""
    return f"python -m jaxintro.lesson {course[course.index(page.lesson) + 1].name}"


def _ask() -> str:
    """What the reader expects; an empty answer, or the end of input, is no guess."""
    try:
        return input("   What do you expect? ").strip()
    except (EOFError, RuntimeError, UnicodeDecodeError):  # RuntimeError: it is closed
        print()
        return ""
