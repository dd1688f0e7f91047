"""A lesson that ends, silences or outlasts the program: the verdict is told."""

import os
import subprocess
import sys
import time

import lessons
import pytest

NEXT = '\n\n\ndef last():\n    """The page goes on."""\n    return 7\n'
REPR = (
    "\n\nclass Odd:\n    def __repr__(self):\n        import sys\n        sys.exit(0)\n"
)
TEXT = "\n\nclass Odd(Exception):\n    def __str__(self):\n        raise OSError\n"
CHECK = '\n\n\ndef check_it():\n    """It holds."""\n    demo()\n    '
SKIPS = CHECK + "import pytest\n    pytest.skip('no GPU')\n"


def run(folder, source, *options):
    lessons.write(folder, source + NEXT)
    return subprocess.run(
        [sys.executable, "-m", "jaxintro.lesson", "my_lesson.py", *options],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


BREAKS = {
    "os._exit": (lessons.demo("import os\nos._exit(0)"), "SystemExit: os._exit(0)"),
    "sys.exit": (lessons.demo("import sys\nsys.exit(0)"), "SystemExit: 0"),
    "not an Exception": (
        lessons.demo("raise BaseException('odd')"),
        "BaseException: o",
    ),
    "an error that cannot speak": (
        lessons.demo("raise Odd", before=TEXT),
        "its text raises OSError",
    ),
    "pytest.skip": (lessons.demo("return 1", check=SKIPS), "ends with Skipped: no GPU"),
    "a value that is returned": (
        lessons.demo("return 1", before=REPR, check=CHECK + "return Odd()\n"),
        "its repr raises SystemExit",
    ),
}
KEEPS = {
    "closed": "import sys\nsys.stdout.close()\nreturn 1",
    "replaced": "import io, sys\nsys.stdout = sys.stderr = io.StringIO()\nreturn 1",
}


@pytest.mark.parametrize("way", [[], ["--check"], ["--json"]])
@pytest.mark.parametrize("broken", BREAKS)
def test_what_a_lesson_breaks_is_a_verdict_and_the_rest_runs(tmp_path, broken, way):
    source, says = BREAKS[broken]
    done = run(tmp_path, source, *way)
    assert done.returncode == 1
    assert done.stderr == ""
    assert says in " ".join(done.stdout.split())
    if not way:
        assert "│ 7" in done.stdout or "7\n" in done.stdout
        assert "1 DO NOT HOLD here" in done.stdout


@pytest.mark.parametrize("way", [[], ["--check"], ["--json"]])
@pytest.mark.parametrize("kept", KEEPS)
def test_standard_output_stays_ours(tmp_path, kept, way):
    done = run(tmp_path, lessons.demo(KEEPS[kept]), *way)
    assert done.returncode == 0
    assert done.stderr == ""
    assert "It holds." in done.stdout


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


@pytest.mark.parametrize(
    "body",
    [
        "while True:\n    pass",
        "import jax\nfloat(jax.lax.while_loop(lambda x: x > 0, lambda x: x + 1, 1.0))",
    ],
)
def test_a_demo_that_never_ends(tmp_path, body):
    start = time.monotonic()
    done = run(tmp_path, lessons.demo(body), "--limit", "2")
    assert time.monotonic() - start < 60
    assert done.returncode == 1
    assert done.stderr == (
        "\njaxintro: my_lesson.demo has not ended after 2 s (see --limit).\n"
    )
    assert "demo" in done.stdout  # what was shown before


@pytest.mark.parametrize("limit", ["0", "-1", "soon", "nan", "inf", "1e99"])
def test_a_limit_is_a_number_of_seconds(tmp_path, limit):
    done = run(tmp_path, lessons.GOOD, "--limit", limit)
    assert done.returncode == 2
    assert f"'{limit}' is no number of seconds" in done.stderr
