"""pytest finds lessons, where it is asked for them: one item a claim.

A pytest plugin, so that `pytest --pyargs jaxintro` and `pytest my_lesson.py` work
wherever jaxintro is installed. It is loaded with every pytest there, as a guest: it
reads no file and imports nothing of ours before a lesson is asked for.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

PACKAGE = Path(__file__).parents[1]
CHECK = re.compile(rb"^def check_", re.MULTILINE)
TEST = re.compile(rb"^(?:async )?def test|^class Test", re.MULTILINE)
COURSE = re.compile(rb"^ORDER = ", re.MULTILINE)
ASIDE = pytest.StashKey[dict[str, str]]()  # settings that did not apply to claims
FOLDERS, LIMIT = "jaxintro_lessons", "jaxintro_limit"  # of the project's settings
COLUMNS = 88


class Claim(pytest.Function):
    """One claim, proved under JAX's default settings whatever those of the run are."""

    def runtest(self) -> None:
        """Run the check."""
        from jaxintro._engine import catalog, elsewhere, setting
        from jaxintro._engine.guard import guarded
        from jaxintro._engine.outcome import prove, prove_by_name

        aside = {name: str(value) for name, value in setting.set_aside().items()}
        self.config.stash[ASIDE].update(aside)
        lesson = catalog.find(str(self.path))
        with _limited(self, self.nodeid), _at_home(self):
            if elsewhere.is_for(lesson):
                prove_by_name(elsewhere.home(lesson), self.name)
                return
            with setting.pinned(), guarded():
                prove(self.obj)


class Review(pytest.Item):
    """All that is to be said against a lesson that a project names."""

    def runtest(self) -> None:
        """Let the author's proofs and the house rules be tried."""
        from jaxintro._engine import catalog, page, report, review

        assert isinstance(self.parent, LessonModule)
        read = page.read(catalog.find(str(self.path)))
        with _at_home(self):
            found = review.review(read, self.parent.obj, partial(_limited, self))
        if found:
            lines = report.reviewed(read, found, COLUMNS)
            pytest.fail("\n".join(line.text for line in lines), pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it stands."""
        return self.path, None, self.name


class UnprovenClaim(pytest.Item):
    """One claim of a lesson whose extra is not installed: it is skipped."""

    def __init__(self, *, why: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_marker(pytest.mark.skip(reason=why))

    def runtest(self) -> None:
        """Do nothing: it is marked to be skipped."""

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say in which file it stands."""
        return self.path, 0, self.name


class LessonModule(pytest.Module):
    """A lesson file: its items are its claims."""

    def _getobj(self) -> Any:
        """Import the lesson as the command does."""
        from jaxintro._engine import setting
        from jaxintro._engine.guard import guarded

        with setting.kept(), _at_home(self), guarded():
            try:
                return super()._getobj()  # type: ignore[no-untyped-call]
            except SystemExit as ended:  # which would end pytest
                raise self.CollectError(f"{self.path} ends with {ended!r}") from None

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Yield one item for each check, in the order of the page."""
        from jaxintro._engine import catalog, extras, page, setting

        try:
            if _is_worker(self.config):  # a usage error there would be a crash
                setting.choose(self.config.getoption("jax_platform"))
            found = page.read(catalog.find(str(self.path)))
        except catalog.RefusalError as error:
            raise self.CollectError(str(error)) from None
        why = extras.reason(found.lesson)
        for section in found.sections:
            for check in section.checks:
                if why:
                    yield UnprovenClaim.from_parent(self, name=check.name, why=why)
                else:
                    yield Claim.from_parent(self, name=check.name)
        if not why and _is_named(self.path, self.config):
            yield Review.from_parent(self, name="review")

    def teardown(self) -> None:
        """The claims are proved: what was started for them ends."""
        from jaxintro._engine import catalog, elsewhere

        elsewhere.leave(catalog.find(str(self.path)))


@contextmanager
def _at_home(node: pytest.Item | pytest.Collector) -> Iterator[None]:
    """Let a lesson find what stands beside it, and draw without a display."""
    from unittest import mock

    from jaxintro._engine.outcome import on_path

    with on_path(node.path), mock.patch.dict(os.environ, MPLBACKEND="Agg"):
        yield


@contextmanager
def _limited(item: pytest.Item, what: str) -> Iterator[None]:
    from jaxintro._engine.guard import limited

    if item.config.getoption("usepdb"):  # who debugs has all the time there is
        yield
        return
    capture = item.config.pluginmanager.getplugin("capturemanager")
    uncover = capture and partial(capture.suspend_global_capture, in_=True)
    seconds = float(item.config.getini(LIMIT))
    with limited(seconds, what, LIMIT, uncover):
        yield


def _is_named(path: Path, config: pytest.Config) -> bool:
    return any(path.is_relative_to(folder) for folder in config.getini(FOLDERS))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --jax-platform, and the folders in which a project keeps lessons."""
    group = parser.getgroup("jaxintro", "jaxintro: lessons whose every claim is a test")
    group.addoption(
        "--jax-platform",
        choices=("cpu", "gpu", "tpu"),
        help="prove the claims of lessons there, instead of on JAX's first choice",
    )
    words = "folders with lessons of this project: each is reviewed, each claim a test"
    parser.addini(FOLDERS, words, type="paths", default=[])
    words = "how many seconds a claim, or the review of a demo, may take"
    parser.addini(LIMIT, words, default="600")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the platform before any lesson runs."""
    config.stash[ASIDE] = {}
    if platform := config.getoption("jax_platform"):
        _choose(platform)


def pytest_collection_finish(session: pytest.Session) -> None:
    """A JAX that cannot start is told once, not by every claim."""
    config, claimed = session.config, any(isinstance(i, Claim) for i in session.items)
    if claimed and not config.option.collectonly and not _is_worker(config):
        _choose(config.getoption("jax_platform"))


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")  # of pytest-xdist


def _choose(platform: str | None) -> None:
    from jaxintro._engine import catalog, setting

    try:
        setting.choose(platform)
    except catalog.LackingError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands over what it knows for the summary."""
    if (handed_over := getattr(session.config, "workeroutput", None)) is not None:
        handed_over["jaxintro_aside"] = session.config.stash[ASIDE]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take it over."""
    handed_over = getattr(node, "workeroutput", {})
    node.config.stash[ASIDE].update(handed_over.get("jaxintro_aside", {}))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which settings of the reader's did not apply to the claims."""
    if aside := config.stash[ASIDE]:
        named = ", ".join(f"{name}={value}" for name, value in aside.items())
        terminalreporter.write_line(f"Set aside while claims were proved: {named}.")


def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> pytest.Collector | None:
    """Collect a lesson on the way through a folder that was asked for as such."""
    if file_path.suffix != ".py" or parent.session.isinitpath(file_path):
        return None  # a file named on the command line is pytest's to make a module of
    of_ours = file_path.parent == PACKAGE and parent.session.isinitpath(PACKAGE)
    named = _is_named(file_path, parent.config)
    if not (of_ours or named) or _is_test(file_path, parent.config):
        return None
    source = file_path.read_bytes()
    if not CHECK.search(source) or (of_ours and not COURSE.search(source)):
        return None
    return LessonModule.from_parent(parent, path=file_path)


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    """Collect a lesson named on the command line, unless it is a file of tests."""
    if not parent.session.isinitpath(module_path):
        return None
    if _is_test(module_path, parent.config):
        return None
    source = module_path.read_bytes()
    if TEST.search(source) or not CHECK.search(source):
        return None
    return LessonModule.from_parent(parent, path=module_path)


def _is_test(path: Path, config: pytest.Config) -> bool:
    patterns = ["conftest.py", *config.getini("python_files")]
    return any(path.match(pattern) for pattern in patterns)
