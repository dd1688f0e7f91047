"""A lesson that takes more devices than there are runs in a process that has them."""

import json
import os
import signal
import subprocess
import sys
import time

import lessons
import psutil
import pytest

from jaxintro._engine import catalog, elsewhere, notebook, outcome, page, teeth

BODY = """\
mesh = jax.sharding.Mesh(jax.devices()[:n], ("data",))
x = jax.device_put(jax.numpy.arange(8.0), jax.NamedSharding(mesh, jax.P("data")))
return float(jax.numpy.sum(x)), len(x.devices()), os.getpid()"""
CHECK = """


def check_it():
    \"\"\"It holds.\"\"\"
    total, many, process = demo(DEVICES)
    assert (total, many) == (28.0, DEVICES)
    assert process
"""
IMPORTS = "import os\nimport subprocess\nimport sys\nimport time\n\nimport jax\n\n"
GOOD = lessons.demo(BODY, "n=8", IMPORTS + "DEVICES = 8\n", CHECK)
FEW = {
    **{k: v for k, v in os.environ.items() if k != "XLA_FLAGS"},
    "JAX_PLATFORMS": "cpu",
    "JAX_NUM_CPU_DEVICES": "1",
}
MANY = {**FEW, "JAX_NUM_CPU_DEVICES": "8"}
SAYS = "it runs in a process of its own"
needs_groups = pytest.mark.skipif(sys.platform == "win32", reason="has no groups")


def lesson_of(folder, source=GOOD):
    return lessons.read(folder, source).lesson


@pytest.fixture
def alone():
    """Leave whatever a test has loaded."""
    yield
    for lesson in list(elsewhere._away):
        elsewhere.leave(lesson)


def command(folder, *arguments, environment=FEW, module="jaxintro.lesson"):
    return lessons.called(folder, module, *arguments, environment=environment)


def runs(process):
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def has_ended(process, seconds=20):
    end = time.monotonic() + seconds
    while runs(process) and time.monotonic() < end:
        time.sleep(0.05)
    return not runs(process)


def test_a_lesson_says_how_many_devices_it_takes(tmp_path):
    assert lesson_of(tmp_path).devices == 8
    assert lesson_of(tmp_path, lessons.GOOD).devices == 1


def test_the_page_and_its_checks_run_there_and_what_they_give_comes_back(tmp_path):
    lessons.write(tmp_path, GOOD)
    here = command(tmp_path, "my_lesson.py", "--json", environment=MANY)
    there = command(tmp_path, "my_lesson.py", "--json", "--sharpness")
    assert here.returncode == there.returncode == 0
    first, second = (json.loads(done.stdout)["lessons"][0] for done in (here, there))
    assert "where" not in first
    assert SAYS in second["where"]
    lines = [each["demos"][0]["lines"][:-1] for each in (first, second)]
    assert lines[0] == lines[1]
    assert second["demos"][0]["checks"][0]["sharpness"] < 1e-3


@pytest.mark.parametrize("environment", [FEW, MANY])
@pytest.mark.parametrize("way", [[], ["--check"]])
def test_the_reader_is_told_where_it_runs(tmp_path, environment, way):
    lessons.write(tmp_path, GOOD)
    done = command(tmp_path, "my_lesson.py", *way, environment=environment)
    words = " ".join(done.stdout.split())
    assert done.returncode == 0
    assert "1 demo, 1 claim, all hold here" in words
    assert (SAYS in words) is (environment is FEW)


def test_a_lesson_with_other_lessons_around_it(tmp_path):
    lessons.write(tmp_path, GOOD)
    lessons.write(tmp_path, lessons.demo("return 1"), "other")
    names = ["other.py", "my_lesson.py", "other.py"]
    done = command(tmp_path, *names, "--check")
    assert "3 demos, 3 claims, all hold here" in done.stdout


@pytest.mark.parametrize("way", ["command", "pytest"])
def test_a_claim_that_fails_there_fails_here(tmp_path, way):
    lessons.write(tmp_path, GOOD.replace("(28.0, DEVICES)", "(29.0, DEVICES)"))
    if way == "command":
        done = command(tmp_path, "my_lesson.py", "--check")
    else:
        options = ["-q", "-p", "no:cacheprovider"]
        done = command(tmp_path, *options, "my_lesson.py", module="pytest")
    assert done.returncode == 1
    assert "assert (total, many) == (29.0, DEVICES)" in done.stdout


def test_pytest_proves_its_claims(tmp_path):
    lessons.write(tmp_path, GOOD)
    options = ["-q", "-p", "no:cacheprovider"]
    done = command(tmp_path, *options, "my_lesson.py", module="pytest")
    assert done.returncode == 0
    assert "1 passed" in done.stdout


def test_a_file_that_cannot_be_imported_has_status_2(tmp_path):
    lessons.write(tmp_path, GOOD.replace("DEVICES = 8", "DEVICES = 8\nX = 1 / 0", 1))
    done = command(tmp_path, "my_lesson.py", "--check")
    assert done.returncode == 2
    assert "cannot be imported: ZeroDivisionError" in done.stderr


@needs_groups
def test_a_process_that_dies_is_told_in_a_line(tmp_path):
    lessons.write(
        tmp_path, GOOD.replace("    mesh", "    os.kill(os.getpid(), 9)\n    mesh")
    )
    done = command(tmp_path, "my_lesson.py", "--check")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "The process of 'my_lesson.py' ended with status -9." in done.stderr


def test_what_takes_a_module_runs_where_the_module_lives(tmp_path, alone, monkeypatch):
    monkeypatch.setattr(elsewhere.setting, "devices", lambda: 1)
    found = lessons.read(tmp_path, GOOD)
    module = outcome.load(found.lesson)
    (section,) = found.sections
    assert elsewhere.is_elsewhere(module)
    assert outcome.load(found.lesson) is module
    assert teeth.measure(module, section, section.checks[0]).bites
    assert outcome.run_section(module, section).said.lines[0].startswith("(28.0, 8")
    assert teeth.unguarded(module, section) == ["demo[2]"]  # any process will do


@needs_groups
def test_who_leaves_a_lesson_leaves_nothing_running(tmp_path, alone, monkeypatch):
    monkeypatch.setattr(elsewhere.setting, "devices", lambda: 1)
    found = lessons.read(tmp_path, GOOD)
    with outcome.imported(found.lesson) as module:
        outcome.run_section(module, found.sections[0])
        child = module._child.pid
        assert runs(child)
    assert not runs(child)


SLEEPS = GOOD.replace(
    "    mesh",
    """\
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    started = subprocess.Popen(sleeper)
    with open("started", "w") as file:
        file.write(f"{os.getpid()} {started.pid}")
    time.sleep(600)
    mesh""",
)
CLEARS_UP = SLEEPS.replace(
    "    time.sleep(600)\n    mesh",
    """\
    try:
        time.sleep(600)
    finally:
        open("cleared up", "w").close()
    mesh""",
)


@needs_groups
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_running_when_it_is_stopped(tmp_path, number):
    path = lessons.write(tmp_path, CLEARS_UP)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "jaxintro.lesson", path.name, "--check"],
        cwd=tmp_path,
        env=FEW,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, before)
    started, end = tmp_path / "started", time.monotonic() + 60
    while not (started.exists() and " " in started.read_text()):
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    child, grandchild = map(int, started.read_text().split())
    assert has_ended(child)
    assert has_ended(grandchild)
    assert (tmp_path / "cleared up").exists()
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert errors.strip() == "Stopped."


@needs_groups
def test_a_demo_that_never_ends_is_ended_there_too(tmp_path):
    lessons.write(tmp_path, SLEEPS)
    done = command(tmp_path, "my_lesson.py", "--check", "--limit", "8")
    child, grandchild = map(int, (tmp_path / "started").read_text().split())
    assert done.returncode == 1
    assert "has not ended after 8 s" in done.stderr
    assert has_ended(child)
    assert has_ended(grandchild)


def test_its_notebook_asks_for_the_devices_before_jax_starts(tmp_path):
    asks = 'jax.config.update(\\"jax_num_cpu_devices\\", 8)'
    written = notebook.render(page.read(lesson_of(tmp_path)))
    assert written.index("import jaxintro") < written.index(asks)
    assert asks not in notebook.render(page.read(lesson_of(tmp_path, lessons.GOOD)))


def test_only_the_lesson_on_devices_asks_for_many():
    many = [lesson.name for lesson in catalog.course() if lesson.devices > 1]
    assert many == ["devices"]
