"""A lesson that ends, silences or outlasts the program: the verdict is told."""

import os
import shutil
import subprocess
import sys

import lessons
import pytest

NEXT = '\n\n\ndef last():\n    """The page goes on."""\n    return 7\n'


def run(folder, source, *options):
    lessons.write(folder, source + NEXT)
    return command(folder, "my_lesson.py", *options)


def command(folder, *arguments):
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "100"}
    return lessons.called(
        folder, "jaxintro.lesson", *arguments, environment=environment
    )


HOSTILE = [pytest.param(*each, id=each[0].stem) for each in lessons.hostile()]


@pytest.mark.parametrize("way", ["", "--check", "--json"])
@pytest.mark.parametrize(("path", "options", "status", "says"), HOSTILE)
def test_a_hostile_lesson_is_a_verdict(tmp_path, path, options, status, says, way):
    if "--sharpness" in options and not way:
        options = []
    copied = shutil.copy(path, tmp_path)
    shutil.copy(lessons.HOSTILE / "helper.py", tmp_path)
    done = command(tmp_path, *filter(None, [copied, *options, way]))
    words = done.stdout + done.stderr
    assert done.returncode == status, words
    assert "Traceback" not in words
    if way != "--check" or "holds" not in says.lower():
        assert says in " ".join(words.split()) or (way and status == 0)


def test_the_page_goes_on_below_what_a_lesson_breaks(tmp_path):
    for name in ("ends_the_program", "odd_error", "closes_output"):
        source = (lessons.HOSTILE / f"{name}.py").read_text(encoding="utf-8")
        shown = run(tmp_path, source).stdout
        assert "│ 7" in shown or "7\n" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_child_process_may_end_as_it_likes():
    code = """
import os
from jaxintro._engine.guard import guarded

with guarded():
    if (child := os.fork()) == 0:
        os._exit(7)
    _, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "7\n"


def test_what_was_shown_stays_where_a_demo_never_ends(tmp_path):
    source = (lessons.HOSTILE / "endless.py").read_text(encoding="utf-8")
    done = run(tmp_path, source, "--limit", "2")
    assert done.stderr == (
        "\njaxintro: my_lesson.demo has not ended after 2 s (see --limit).\n"
    )
    assert "demo" in done.stdout


@pytest.mark.parametrize("limit", ["0", "-1", "soon", "nan", "inf", "1e99"])
def test_a_limit_is_a_number_of_seconds(tmp_path, limit):
    done = run(tmp_path, lessons.GOOD, "--limit", limit)
    assert done.returncode == 2
    assert f"'{limit}' is no number of seconds" in done.stderr
