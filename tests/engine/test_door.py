"""Whatever comes, a command ends in a line and a status, never in a traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
needs_full = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="there is no /dev/full"
)
COMMANDS = ["jaxintro", "jaxintro --help", "jaxintro.lesson --help", "jaxintro.lesson"]
STOP = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"


@pytest.fixture
def heard():
    """Ctrl-C reaches a child, also where this suite runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def shell(line, cwd, **environment):
    return subprocess.run(
        ["bash", "-c", line.replace("python", f'"{sys.executable}"', 1)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_that_ends(tmp_path, command):
    piped = shell(f"(python -m {command}; echo $? >&2) | head -c 1", tmp_path)
    assert piped.stderr == "0\n"


@needs_full
@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_that_is_full(tmp_path, command):
    full = shell(f"python -m {command} > /dev/full", tmp_path)
    assert full.returncode == 3
    assert full.stderr.startswith("jaxintro: the output is not to be written: ")
    assert full.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["jaxintro lesson", "jaxintro.lesson"])
@pytest.mark.usefixtures("heard")
def test_ctrl_c_in_the_first_moments(tmp_path, command):
    (tmp_path / "argparse.py").write_text(STOP)  # the first thing that is imported
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = shell(f"python -m {command} grad", tmp_path, PYTHONPATH=path)
    assert (done.returncode, done.stderr) == (130, "\nStopped.\n")


@pytest.mark.usefixtures("heard")
def test_ctrl_c_that_somebody_else_makes_another_exception_of(tmp_path):
    wrapped = f"try:\n    {STOP.splitlines()[0]}\n    {STOP.splitlines()[1]}\n"
    wrapped += "except KeyboardInterrupt:\n    raise ImportError('numpy failed')\n"
    (tmp_path / "jax.py").write_text(wrapped)
    (tmp_path / "mine.py").write_text("def demo():\n    return 1\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = shell("python -m jaxintro.lesson mine.py", tmp_path, PYTHONPATH=path)
    assert (done.returncode, done.stderr) == (130, "\nStopped.\n")


IMPORTS = (
    "try:\n    import slow\nexcept BaseException:\n    raise ImportError('broken')\n"
)
COLLECTS = """
import gc


def _xla_gc_callback(phase, info):
    if phase == "start" and STOPS:
        os.kill(os.getpid(), STOPS.pop())


gc.callbacks.append(_xla_gc_callback)
STOPS = [signal.SIGINT]
gc.collect()
"""
SWALLOWS = (
    "try:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept BaseException:\n    pass"
)
RUNS = "float(jax.lax.while_loop(lambda x: x > 0, lambda x: x + 1, 1.0))"


@pytest.mark.parametrize("moment", ["import", "collection", "swallowed", "compiled"])
@pytest.mark.usefixtures("heard")
def test_ctrl_c_is_heard_where_python_does_not_listen(tmp_path, moment):
    forever = "while True:\n        pass"
    interrupt = "Timer(2, os.kill, (os.getpid(), signal.SIGINT)).start()"
    body = {
        "import": f"import broken\n    {forever}",
        "collection": f"exec(COLLECTS, globals())\n    {forever}",
        "swallowed": f"exec(SWALLOWS)\n    {forever}",
        "compiled": f"{interrupt}\n    {RUNS}",
    }[moment]
    (tmp_path / "slow.py").write_text(STOP)
    (tmp_path / "broken.py").write_text(IMPORTS)
    imports = "import os\nimport signal\nfrom threading import Timer\n\nimport jax\n"
    texts = f"COLLECTS = {COLLECTS!r}\nSWALLOWS = {SWALLOWS!r}\n"
    source = f"{imports}\n{texts}\n\ndef demo():\n    {body}\n"
    (tmp_path / "mine.py").write_text(source)
    done = shell("python -m jaxintro.lesson mine.py --limit 60", tmp_path)
    assert done.returncode in (130, -signal.SIGINT)  # a shell says 130 of both
    assert done.stderr == "\nStopped.\n"


def test_where_ctrl_c_is_ignored_it_stays_so(tmp_path):
    (tmp_path / "argparse.py").write_text(STOP + "print('goes on')\n1 / 0\n")
    line = "trap '' INT; PYTHONPATH=.:$PYTHONPATH exec python -m jaxintro.lesson"
    assert "goes on" in shell(line, tmp_path).stdout


@needs_full
def test_an_error_that_cannot_be_told_keeps_its_status(tmp_path):
    done = shell("python -m jaxintro.lesson grda 2> /dev/full", tmp_path)
    assert done.returncode == 2


@pytest.mark.parametrize("name", ["argparse", "ast", "math", "random", "signal"])
@pytest.mark.parametrize("command", ["jaxintro lesson", "jaxintro.lesson"])
def test_a_lesson_called_like_a_module_of_pythons(tmp_path, name, command):
    (tmp_path / f"{name}.py").write_text("import jax\n\n\ndef demo():\n    return 1\n")
    done = shell(f"python -m {command} {name}.py", tmp_path)
    assert done.returncode == 2
    says = f"jaxintro: '{name}.py' stands in the way of '{name}': rename it.\n"
    assert done.stderr == says
    (tmp_path / "mine.py").write_text("def demo():\n    return 1\n")
    assert shell(f"python -m {command} mine.py", tmp_path).returncode == 0


def test_a_platform_that_jax_knows_and_the_machine_lacks(tmp_path):
    (tmp_path / "mine.py").write_text("def demo():\n    return 1\n")
    done = shell("python -m jaxintro.lesson mine.py", tmp_path, JAX_PLATFORMS="cuda")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "cuda" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there is no watch there")
def test_a_watch_that_begins_when_all_is_over_ends_at_once(monkeypatch):
    from jaxintro._engine import door

    started = []
    monkeypatch.setattr(
        door._thread, "start_new_thread", lambda *call: started.append(call)
    )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # where ignored
    try:
        door._Ears().close()
    finally:
        signal.signal(signal.SIGINT, before)
    ((watch, given),) = started
    watch(*given)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(*given)
