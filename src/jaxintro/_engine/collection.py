"""pytest finds lessons: one item a claim.

A pytest plugin, so that `pytest --pyargs jaxintro` and `pytest my_lesson.py` work
wherever jaxintro is installed. It is loaded with every pytest there, and so imports
nothing that it may not need.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jaxintro._engine import catalog, page

CHECK = b"\ndef check_"
ASIDE = pytest.StashKey[dict[str, str]]()  # settings that did not apply to claims


class Claim(pytest.Function):
    """One claim, proved under JAX's default settings whatever those of the run are."""

    def runtest(self) -> None:
        """Run the check."""
        from jaxintro._engine import setting
        from jaxintro._engine.outcome import prove

        aside = {name: str(value) for name, value in setting.set_aside().items()}
        self.config.stash[ASIDE].update(aside)
        with setting.pinned():
            prove(self.obj)


class LessonModule(pytest.Module):
    """A lesson file: its items are its claims."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Yield one item for each check, in the order of the page."""
        try:
            sections = page.read(catalog.find(str(self.path))).sections
        except catalog.UsageError as error:
            raise self.CollectError(str(error)) from None
        for section in sections:
            for check in section.checks:
                yield Claim.from_parent(self, name=check.name)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --platform."""
    group = parser.getgroup("jaxintro", "jaxintro: lessons whose every claim is a test")
    with contextlib.suppress(ValueError):  # the project has a --platform of its own
        group.addoption(
            "--platform",
            dest="jaxintro_platform",
            choices=("cpu", "gpu", "tpu"),
            help="prove the claims there, instead of on JAX's first choice",
        )


def pytest_configure(config: pytest.Config) -> None:
    """Choose the platform before any lesson runs."""
    config.stash[ASIDE] = {}
    platform = config.getoption("jaxintro_platform", None)
    if platform is None:
        return
    from jaxintro._engine import setting

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
    """Collect lessons found on the way through a folder."""
    if parent.session.isinitpath(file_path) or not _has(file_path, b"\nORDER = "):
        return None  # a file named on the command line is pytest's to make a module of
    lesson = catalog.read_head(file_path)
    if lesson is None or lesson.order is None or not _has(file_path, CHECK):
        return None  # a file of the project's own that happens to have an ORDER
    return LessonModule.from_parent(parent, path=file_path)


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    """Collect a lesson named on the command line; it need not ask for a place."""
    patterns = parent.config.getini("python_files")
    is_test = any(module_path.match(pattern) for pattern in patterns)
    if is_test or not _has(module_path, CHECK):
        return None
    return LessonModule.from_parent(parent, path=module_path)


def _has(path: Path, mark: bytes) -> bool:
    return path.suffix == ".py" and mark in path.read_bytes()
