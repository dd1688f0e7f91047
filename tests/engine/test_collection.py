"""The pytest plugin: a guest in other projects, and at home where it is asked."""

import os
import re
import subprocess
import sys
from pathlib import Path

import lessons
import pytest

TEMPLATE = Path(__file__).parents[2] / "examples" / "my_lesson.py"
SPY = """
import sys


def pytest_unconfigure(config):
    found = sorted(m for m in sys.modules if m.split(".")[0] in ("jax", "jaxintro"))
    print("MODULES", *found)
"""
TESTS = "def test_one():\n    pass\n\n\ndef test_two():\n    assert 1 == 2\n"
PROJECTS = {
    "a platform of its own": {
        "conftest.py": SPY
        + "\n\ndef pytest_addoption(parser):\n"
        + '    parser.addoption("--platform", default="linux")\n',
        "test_it.py": TESTS
        + "\n\ndef test_platform(request):\n"
        + '    assert request.config.getoption("platform")\n',
    },
    "an ORDER and checks": {
        "conftest.py": SPY,
        "test_it.py": TESTS,
        "orders.py": lessons.GOOD.replace("LIMIT = 3", "LIMIT = 3\nORDER = 10"),
        "check_it.py": "def check_values(x=1):\n    return x\n\n\n1 / 0\n",
    },
    "not in UTF-8": {
        "conftest.py": SPY,
        "test_it.py": TESTS,
        "latin.py": '"""Gr\xfc\xdfe: an."""\nORDER = 1\n\n\ndef check_it(): pass\n',
    },
}


def run_pytest(folder, *arguments, **environment):
    environment = {**os.environ, "COLUMNS": "200", **environment}
    options = ("-q", "-p", "no:cacheprovider", *arguments)
    return lessons.called(folder, "pytest", *options, environment=environment)


def said(done):
    """What pytest printed, but for the time that it took."""
    return re.sub(r" in [\d.]+s", "", done.stdout + done.stderr).splitlines()


@pytest.mark.parametrize("project", PROJECTS)
def test_a_project_of_somebody_elses_does_not_notice_the_plugin(tmp_path, project):
    for name, source in PROJECTS[project].items():
        (tmp_path / name).write_text(source, encoding="latin-1")
    *alone, _ = said(run_pytest(tmp_path, "-p", "no:jaxintro"))
    *beside, modules = said(run_pytest(tmp_path))
    assert beside == alone
    assert any("1 failed" in line for line in alone)
    ours = ["jaxintro", "jaxintro._engine", "jaxintro._engine.collection"]
    assert modules.split() == ["MODULES", *ours]


@pytest.mark.parametrize(
    "suite",
    [
        "numpy.lib.tests.test_mixins",
        "numpy.linalg.tests.test_deprecations",
        "numpy.random.tests.test_seed_sequence",
    ],
)
def test_the_suite_of_an_installed_package_does_not_notice_the_plugin(tmp_path, suite):
    alone = said(run_pytest(tmp_path, "-p", "no:jaxintro", "--pyargs", suite))
    assert said(run_pytest(tmp_path, "--pyargs", suite)) == alone
    assert any("passed" in line for line in alone)


def test_lessons_are_collected_from_the_folders_that_a_project_names(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\njaxintro_lessons = course\n")
    for folder in ("course", "other"):
        (tmp_path / folder).mkdir()
        lessons.write(tmp_path / folder)
    (tmp_path / "course" / "helper.py").write_text("def half():\n    pass\n")
    done = run_pytest(tmp_path)
    assert "3 passed" in done.stdout
    assert "error" not in done.stdout


def test_the_lessons_that_a_project_names_are_reviewed(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\njaxintro_lessons = .\n")
    lessons.write(tmp_path)
    template = TEMPLATE.read_text(encoding="utf-8")
    lessons.write(tmp_path, template, "good")
    lessons.write(tmp_path, template.replace("    for t in", "    for _ in", 1), "bad")
    done = run_pytest(tmp_path)
    assert "FAILED my_lesson.py::review" in done.stdout
    assert "FAILED bad.py::review" in done.stdout
    assert "FAILED good.py" not in done.stdout
    path = tmp_path / "my_lesson.py"
    assert f"{path}:1: the opening words are too few or too many\n" in done.stdout
    assert "\n   below the title, write two to eight lines\n" in done.stdout
    line = template[: template.index("def check_speed")].count("\n") + 1
    assert f"{tmp_path / 'bad.py'}:{line}: check_speed" in done.stdout
    alone = tmp_path / "other" / "my_lesson.py"
    alone.parent.mkdir()
    lessons.write(alone.parent)
    (tmp_path / "pytest.ini").unlink()
    assert "3 passed" in run_pytest(tmp_path, str(alone)).stdout


@pytest.mark.parametrize("item", ["check_it", "review"])
def test_a_demo_that_never_ends_is_told(tmp_path, item):
    ini = "[pytest]\njaxintro_lessons = .\njaxintro_limit = 2\n"
    (tmp_path / "pytest.ini").write_text(ini)
    lessons.write(tmp_path, lessons.demo("while True:\n    pass"))
    done = run_pytest(tmp_path, f"my_lesson.py::{item}")
    assert done.returncode == 1
    assert "has not ended after 2 s (see jaxintro_limit)." in done.stderr
    assert "my_lesson" in done.stderr


@pytest.mark.parametrize("body", ["os._exit(0)", "raise SystemExit(0)"])
@pytest.mark.parametrize("where", ["demo", "import"])
def test_a_lesson_that_ends_the_program_does_not_end_pytest(tmp_path, body, where):
    source = lessons.demo(body if where == "demo" else "return 1", before="import os\n")
    if where == "import":
        source = source.replace("import os\n", f"import os\n\n{body}\n")
    lessons.write(tmp_path, source)
    lessons.write(tmp_path, lessons.GOOD, "other")
    done = run_pytest(tmp_path, "my_lesson.py", "other.py")
    assert done.returncode == (1 if where == "demo" else 2)
    assert "SystemExit" in done.stdout


def test_what_stands_beside_a_lesson_is_found_when_it_runs(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "helper.py").write_text("HALF = 0.5\n")
    lessons.write(tmp_path / "deep", lessons.demo("from helper import HALF\nHALF"))
    done = run_pytest(tmp_path, "--import-mode=importlib", "deep/my_lesson.py")
    assert "1 passed" in done.stdout


def test_a_lesson_called_like_a_module_of_pythons_is_refused(tmp_path):
    (tmp_path / "deep").mkdir()
    lessons.write(tmp_path / "deep", lessons.GOOD, "math")
    done = run_pytest(tmp_path, "deep/math.py")
    assert done.returncode == 2
    assert "math.py' stands in the way of 'math': rename it." in done.stdout
    assert "Traceback" not in done.stdout


def test_a_file_of_tests_named_on_the_command_line_stays_pytests(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("def check_values(x=1):\n    pass\n\n\n" + TESTS)
    assert said(run_pytest(tmp_path, path.name)) == said(
        run_pytest(tmp_path, "-p", "no:jaxintro", path.name)
    )


@pytest.mark.parametrize("distributed", [[], ["-n", "2"]])
@pytest.mark.parametrize("platform", ["nonsense", "cuda"])
def test_a_jax_that_cannot_start_is_told_in_a_line(tmp_path, platform, distributed):
    lessons.write(tmp_path)
    done = run_pytest(tmp_path, *distributed, "my_lesson.py", JAX_PLATFORMS=platform)
    assert done.returncode not in (0, 5)
    assert "Traceback" not in done.stdout
    assert "failed" not in done.stdout
    assert platform in done.stdout + done.stderr
    if not distributed:  # a worker that is ended may say on stderr what it was doing
        assert done.returncode == 4
        assert "Traceback" not in done.stderr
        assert "\n" not in done.stderr.strip()
        assert platform in done.stderr


def test_a_backend_of_figures_that_is_none_fails_no_claim(tmp_path):
    source = lessons.demo(
        "from matplotlib import pyplot\nfigure, axes = pyplot.subplots()\nreturn figure"
    )
    lessons.write(tmp_path, source)
    done = run_pytest(tmp_path, "my_lesson.py", MPLBACKEND="nonsense")
    assert "1 passed" in done.stdout


HELPED = "from helper import HALF\n\nimport jax\n\njax.config.update('{}', {})\n"


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
@pytest.mark.parametrize("way", ["jaxintro.lesson", "jaxintro lesson", "pytest"])
def test_a_lesson_is_imported_the_same_by_every_runner(tmp_path, way, mode):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "helper.py").write_text("HALF = 0.5\n")
    first = lessons.demo("return HALF", before=HELPED.format("jax_enable_x64", True))
    lessons.write(tmp_path / "deep", first, "first")
    lessons.write(tmp_path / "deep", lessons.demo("return 1"), "second")
    names = ["deep/first.py", "deep/second.py"]
    if way == "pytest":
        done = run_pytest(tmp_path, f"--import-mode={mode}", *names)
        assert "2 passed" in done.stdout
        assert "Set aside" not in done.stdout
        return
    done = subprocess.run(
        [sys.executable, "-P", "-m", *way.split(), *names],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    first, _, second = done.stdout.partition("all hold here")
    assert "jax_enable_x64=True" in first
    assert "jax_enable_x64=True" not in second


def test_a_lesson_whose_extra_is_not_installed_is_skipped_with_the_reason(
    tmp_path, extras_of
):
    site = str(extras_of(odd=["no-such"]))
    source = lessons.GOOD.replace("LIMIT = 3", 'LIMIT = 3\nNEEDS = "odd"')
    lessons.write(tmp_path, source.replace("import numpy", "import no_such, numpy"))
    path = os.pathsep.join([site, os.environ.get("PYTHONPATH", "")])
    done = run_pytest(tmp_path, "-rs", "my_lesson.py", PYTHONPATH=path)
    assert done.returncode == 0, done.stdout + done.stderr
    reason = 'needs no-such: python -m pip install "jaxintro[odd]"'
    assert f"SKIPPED [3] my_lesson.py: {reason}" in done.stdout
    assert "3 skipped" in done.stdout
