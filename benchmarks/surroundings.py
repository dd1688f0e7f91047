"""The commands as a newcomer, a teacher and a CI would try them, one line each.

`python benchmarks/surroundings.py [words …]` runs every case whose name holds one of
the words, or all (about 10 minutes), and prints: its status, whether there was a
traceback, whether the files are whole, and "as it should be" or what is wrong. Exit
status 1 if anything is wrong. `--course` proves the whole course under each setting of
JAX's, not two lessons of it; `--guests` also runs the suites of three packages.
"""

import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "engine"))

import lessons  # noqa: E402  (it stands beside the tests of the engine)

LESSON, FRONT, PYTEST = "jaxintro.lesson", "jaxintro", "pytest -q -p no:cacheprovider"
LONGEST = 240  # seconds, for all but the whole course
PLUGIN = {"jaxintro", "jaxintro._engine", "jaxintro._engine.collection"}
GUESTS = ("toolz==1.0.0", "pluggy==1.6.0", "humanize==4.12.1")


@dataclass
class Case:
    """One command, and what should come of it."""

    name: str
    command: str  # for a shell; PYTHON stands for this one
    status: int | tuple[int, ...] = 0
    says: str = ""
    env: dict[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    stop: float | None = None  # seconds after which Ctrl-C is typed
    longest: float = LONGEST
    room: int | None = None  # bytes that a file may have: a disk that is full
    files: Callable[[Path], str] = lambda folder: ""  # what is wrong with them
    lines: int | None = None  # of standard error


def python(arguments: str) -> str:
    return f"PYTHON -m {arguments}"


def settings(names: str) -> Iterator[Case]:
    """JAX's settings: every claim holds, and what was set aside is told."""
    for given in (
        "JAX_DISABLE_JIT=1",
        "JAX_DEBUG_NANS=1",
        "JAX_DEBUG_INFS=1",
        "JAX_DEFAULT_PRNG_IMPL=rbg",
        "JAX_TRANSFER_GUARD=disallow",
        "JAX_NO_TRACING=1",
        "JAX_CHECK_TRACER_LEAKS=1",
        "JAX_ENABLE_X64=1",
        "JAX_THREEFRY_PARTITIONABLE=0",
        "JAX_DEBUG_KEY_REUSE=1",
        "JAX_NUMPY_DTYPE_PROMOTION=strict",
        "JAX_NUMPY_RANK_PROMOTION=raise",
        "JAX_LEGACY_PRNG_KEY=error",
        "JAX_DEFAULT_MATMUL_PRECISION=bfloat16",
    ):
        name, _, value = given.partition("=")
        told = f"Set aside while this runs: {name.lower()}="
        command = python(f"{LESSON} {names} --check")
        longest = 4 * LONGEST if names == "all" else LONGEST
        yield Case(given, command, 0, told, env={name: value}, longest=longest)
        if names != "all":
            command = python(f"{PYTEST} mine.py")
            told = f"Set aside while claims were proved: {name.lower()}="
            yield Case(f"{given}, pytest", command, 0, told, env={name: value})


def platforms() -> Iterator[Case]:
    for name in ("cuda", "nonsense", "tpu"):
        env = {"JAX_PLATFORMS": name}
        yield Case(f"JAX_PLATFORMS={name}", python(f"{LESSON} mine.py"), 3, env=env)
        doctor = python(f"{LESSON} --doctor")
        words = "Lessons cannot run here."
        yield Case(f"JAX_PLATFORMS={name}, doctor", doctor, 3, words, env=env, lines=0)
        run = python(f"{PYTEST} mine.py")
        yield Case(f"JAX_PLATFORMS={name}, pytest", run, 4, name, env=env, lines=1)
    yield Case("--platform tpu", python(f"{LESSON} mine.py --platform tpu"), 3, lines=1)
    yield Case("--jax-platform tpu", python(f"{PYTEST} mine.py --jax-platform tpu"), 4)
    draws = python(f"{LESSON} nested_figures.py --figures pictures")
    env = {"MPLBACKEND": "nonsense"}
    yield Case("MPLBACKEND=nonsense", draws, 0, "Saved", env=env)
    run = python(f"{PYTEST} draws.py")
    yield Case("MPLBACKEND=nonsense, pytest", run, 0, "1 passed", env=env)


def outputs() -> Iterator[Case]:
    """Pipes that end, disks that are full, streams that are closed."""
    words = ("", "--help", "--version", "lesson", "lesson --help", "lesson mine.py")
    for command in (
        *(f"{FRONT} {w}".strip() for w in words),
        f"{LESSON} mine.py --json",
    ):
        front = python(command)
        yield Case(f"{command} | head -c 1", f"({front}; echo $? >&2) | head -c 1", 0)
        yield Case(f"{command} > /dev/full", f"{front} > /dev/full", 3, lines=1)
        yield Case(f"{command} >&-", f"{front} >&-", 0)
        yield Case(f"{command} 2>&-", f"{front} 2>&-", 0)
    yield Case(
        "a wrong name 2> /dev/full", python(f"{LESSON} grda 2> /dev/full"), (2, 3)
    )
    yield Case("--step, input closed", python(f"{LESSON} mine.py --step <&-"), 0)


def consoles() -> Iterator[Case]:
    page = python(f"{LESSON} mine.py")
    for given in (
        "NO_COLOR=1",
        "TERM=dumb",
        "COLUMNS=20",
        "COLUMNS=40",
        "COLUMNS=200",
        "COLUMNS=x",
        "COLUMNS=0",
        "PYTHONIOENCODING=ascii",
        "PYTHONIOENCODING=latin-1",
        "PYTHONIOENCODING=cp437",
        "PYTHONUTF8=0",
        "LC_ALL=C",
        "HOME=/nonexistent",
        "XDG_CACHE_HOME=/nonexistent",
        "PYTHONDONTWRITEBYTECODE=1",
        "PYTHONSAFEPATH=1",
        "PYTHONDEVMODE=1",
        "DISPLAY=:9",
    ):
        name, _, value = given.partition("=")
        yield Case(given, page, 0, "all hold here", env={name: value})
    yield Case("-O", "PYTHON -O -m jaxintro.lesson mine.py", 2, "drops every assert")
    yield Case("-P", "PYTHON -P -m jaxintro.lesson mine.py", 0, "all hold here")
    yield Case("-I, the front", "PYTHON -P -m jaxintro lesson mine.py", 0)


def whole(name: str) -> Callable[[Path], str]:
    """The reader's file is what it was, and nothing is left beside it."""

    def judge(folder: Path) -> str:
        path = folder / name
        if path.exists() and path.read_text() != "my work\n":
            return f"{name} is not what it was"
        left = [p.name for p in folder.rglob(".jaxintro-*")]
        return f"left: {left}" if left else ""

    return judge


def absent(name: str) -> Callable[[Path], str]:
    return lambda folder: f"{name} is there" * (folder / name).exists()


def notebook(folder: Path) -> str:
    cells = json.loads((folder / "new.ipynb").read_text(encoding="utf-8"))["cells"]
    return "" if cells else "no cells"


def disks() -> Iterator[Case]:
    """No file is lost or left in halves."""
    book = python(f"{LESSON} mine.py --notebook")
    yield Case("--notebook", f"{book} new.ipynb", files=notebook)
    kept = whole("work.ipynb")
    yield Case("--notebook over work", f"{book} work.ipynb", 2, files=kept, lines=1)
    full = dict(room=4096, lines=1)
    forced = f"{book} work.ipynb --force"
    yield Case("full disk, --force", forced, 2, "cannot be written", files=kept, **full)
    gone = absent("full.ipynb")
    yield Case("full disk, no file", f"{book} full.ipynb", 2, files=gone, **full)
    new = python(f"{LESSON} --new full.py")
    yield Case("full disk, --new", new, 2, files=absent("full.py"), **full)
    draws = python(f"{LESSON} draws.py --figures pictures")
    gone = absent("pictures/draws.demo.png")
    yield Case("full disk, --figures", draws, 2, files=gone, room=4096)
    yield from mounted(book)


def mounted(book: str) -> Iterator[Case]:
    """The same on a real disk of 8 kB, where one can be mounted."""
    mount = "mkdir -p small && mount -t tmpfs -o size=8k none small"
    script = f"{mount} || exit 77; printf 'my work\\n' > small/work.ipynb; "
    script += f"{book} small/work.ipynb --force; s=$?; cp small/work.ipynb work.ipynb; "
    script += "umount small; exit $s"
    kept = whole("work.ipynb")
    yield Case("a disk of 8 kB, --force", script, (2, 77), files=kept)


def interrupts() -> Iterator[Case]:
    """Ctrl-C is "Stopped.", 130, from the first instruction that is ours.

    A shell says 130, too, of a program that SIGINT has ended (-2).
    """
    for command in (f"{FRONT} lesson endless.py", f"{LESSON} endless.py --limit 60"):
        for moment in (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 4.0):
            name = f"Ctrl-C after {moment} s: {command.split()[0]}"
            line = f"exec {python(command)}"
            yield Case(name, line, (130, -2), "Stopped.", stop=moment)
    ask = f"exec {python(f'{LESSON} mine.py --step')} < /dev/zero"
    yield Case("Ctrl-C at a question", ask, (0, 130), stop=4.0)
    never = f"exec {python(f'{LESSON} endless_in_jax.py --limit 99')}"
    name = "Ctrl-C in a compiled program"
    yield Case(name, never, 130, "Stopped.", stop=4.0)


def names() -> Iterator[Case]:
    """What is no lesson, and what is asked for in a wrong way: a line, status 2."""
    for asked, says in {
        "https://example.org/x.py": "'https://example.org/x.py' is an address",
        "file:///x.py": "is an address",
        "./": "is a folder",
        "..": "is a folder",
        "/dev/null": "There is no file",
        "nowhere.py": "There is no file",
        "softmax": "Did you mean the file 'softmax.py'?",
        "latin.py": "cannot be read",
        "binary.py": "",
        "empty.py": "holds no demo",
        "zero.py": "",
        "broken.py": "'broken.py', line 3, is not Python",
        "taken/random.py": "stands in the way of 'random'",
        "grda": "Did you mean 'grad'?",
        "grad.no_such": "There is no demo",
        "mine.py::no_such": "There is no demo",
        "''": "There is no lesson",
        "grad --force": "--force goes with --notebook",
        "grad --notebook ''": "--notebook needs a name",
        "grad --notebook g.ipynb --platform cpu": "runs nothing",
        "grad --sharpness": "goes with --check",
        "grad --limit soon": "is no number of seconds",
        "--new math.py": "cannot be imported",
        "--new work.ipynb": "cannot be imported",
    }.items():
        yield Case(asked, python(f"{LESSON} {asked}"), 2, says)
    one = "speed_is_the_slope_of_distance"
    for asked in (f"mine.py::{one}", f"mine.py.{one}", f"'./mine.py::{one}(5.0)'"):
        yield Case(asked, python(f"{LESSON} {asked}"), 0, "Next: ")
    beside = f"cd taken && {python(LESSON)}"
    yield Case("ast.py, there", f"{beside} ast.py", 2, "stands in the way of 'ast'")
    yield Case("grad, beside ast.py", f"{beside} grad --check", 0, "all hold here")


def answers() -> Iterator[Case]:
    step = python(f"{LESSON} mine.py --step")
    bad = b"\xff\xfe is no text\n" * 9
    yield Case("--step, not UTF-8", step, stdin=bad, env={"PYTHONIOENCODING": "utf-8"})
    accents = "é\n".encode() * 9
    yield Case("--step, ASCII", step, stdin=accents, env={"PYTHONIOENCODING": "ascii"})
    yield Case("--step, nobody there", step, 0)


def hostile() -> Iterator[Case]:
    """Lessons that would end, silence or outlast the program, read and proved."""
    for path, options, status, says in lessons.hostile():
        for way in ("", "--check", "--json"):
            if "--sharpness" in options and not way:
                options_now: list[str] = []
            else:
                options_now = options
            shown = says if status or not way else ""
            given = " ".join(filter(None, [path.name, *options_now, way]))
            command = python(f"{LESSON} {given}")
            yield Case(f"hostile {given}", command, status, shown)
        if "--limit" not in options and options[:1] != ["--figures"]:
            told = {0: 0, 1: 1, 2: 2}[status]
            yield Case(
                f"hostile {path.name}, pytest", python(f"{PYTEST} {path.name}"), told
            )


def authors() -> Iterator[Case]:
    review = python(f"{LESSON} mine.py --review")
    yield Case("--review, the template", review, 0, "nothing to say against it")
    for path, *_ in lessons.hostile():
        if path.stem in (
            "returns_false",
            "skips",
            "counts_calls",
            "exits",
            "odd_error",
        ):
            run = python(f"{LESSON} {path.name} --review")
            yield Case(f"--review, {path.name}", run, 1, f"{path.name}:")
    never = python(f"{LESSON} endless.py --review --limit 3")
    yield Case("--review, endless.py", never, 1, "has not ended after 3 s")
    new = python(f"{LESSON} --new own/lesson.py")
    yield Case("--new", f"{new} && {python(f'{LESSON} own/lesson.py --check')}")
    yield Case("--doctor", python(f"{LESSON} --doctor"), 0, "Lessons can run here.")
    named = python(f"{PYTEST} -o jaxintro_lessons=own own")
    yield Case("pytest, a folder that is named", f"{new}; {named}", 0, "7 passed")
    limited = "-o jaxintro_lessons=. -o jaxintro_limit=2 endless.py"
    told = "has not ended after 2 s"
    yield Case("pytest, endless.py", python(f"{PYTEST} {limited}"), 1, told)


def prepared(folder: Path) -> None:
    """Everything that the commands name."""
    for path in lessons.HOSTILE.glob("*.py"):
        shutil.copy(path, folder)
    mine = (ROOT / "examples" / "my_lesson.py").read_bytes()
    (folder / "taken").mkdir()
    for name in ("mine", "softmax", "taken/random", "taken/ast"):
        (folder / f"{name}.py").write_bytes(mine)
    nested = (lessons.HOSTILE / "nested_figures.py").read_text(encoding="utf-8")
    check = '\n\ndef check_it():\n    """It holds."""\n    demo()\n'
    figure = "from matplotlib import pyplot\n    return pyplot.subplots()[0]"
    body = f'"""T: c."""\n\n\ndef demo():\n    """One."""\n    {figure}\n'
    (folder / "draws.py").write_text(body + check)
    assert "Figure" in nested
    (folder / "work.ipynb").write_text("my work\n")
    (folder / "latin.py").write_bytes('"""Gr\xfc\xdfe."""\n'.encode("latin-1"))
    (folder / "binary.py").write_bytes(bytes(range(256)))
    (folder / "zero.py").write_bytes(b'"""T: c."""\n\0\n')
    (folder / "empty.py").touch()
    (folder / "broken.py").write_text('"""T: c."""\n\ndef half(:\n')


def judged(case: Case) -> tuple[str, list[str]]:
    """Run one case in a folder of its own: its line, and what is wrong."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepared(folder)
        status, words, errors = ran(case, folder)
        wrong = []
        wanted = case.status if isinstance(case.status, tuple) else (case.status,)
        traced, told = "Traceback" in words, " ".join(words.split())
        early = case.stop is not None and "jaxintro" not in told and traced | (not told)
        if not early:  # Python itself was still on its way to our first instruction
            if status not in wanted:
                wrong.append(f"status {' or '.join(map(str, wanted))} was expected")
            if traced:
                wrong.append("a traceback")
            if case.says not in told:
                wrong.append(f"it does not say {case.says!r}")
        if case.lines is not None and len(errors.strip().splitlines()) != case.lines:
            wrong.append(f"{len(errors.strip().splitlines())} lines of standard error")
        files = case.files(folder)
        wrong += [files] if files else []
        if wrong:
            wrong.append(told[-300:])
    said = "traceback" if traced else "no traceback"
    return f"{status:4} {said}, {files or 'files whole'}", wrong


def ran(case: Case, folder: Path) -> tuple[int, str, str]:
    def limits() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if case.room is not None:
            import resource

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (case.room, case.room))

    process = subprocess.Popen(
        ["bash", "-c", case.command.replace("PYTHON", f'"{sys.executable}"')],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **case.env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=limits,
    )
    try:
        if case.stop is not None:
            time.sleep(case.stop)
            process.send_signal(signal.SIGINT)
        out, errors = process.communicate(case.stdin, timeout=case.longest)
    except subprocess.TimeoutExpired:
        process.kill()
        out, errors = process.communicate()
        errors += f"\nkilled after {case.longest} s".encode()
    texts = [stream.decode("utf-8", "replace") for stream in (out, errors)]
    return process.returncode, "\n".join(texts), texts[1]


def guests() -> Iterator[tuple[str, str, list[str]]]:
    """The suites of three packages, without jaxintro and with it installed beside."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        try:
            bin_python = environment(folder)
        except (OSError, subprocess.CalledProcessError) as error:
            said = (getattr(error, "stderr", "") or str(error)).strip()[-200:]
            yield "guests", f"not here: {said}", []
            return
        before = {name: suite(bin_python, folder / name) for name in sources(folder)}
        install = [bin_python, "-m", "pip", "install", "-q", "--no-deps", str(ROOT)]
        subprocess.run(install, check=True, capture_output=True)
        for name, alone in before.items():
            beside = suite(bin_python, folder / name)
            wrong = [] if beside == alone else [f"{alone[-1]!r} became {beside[-1]!r}"]
            wrong += [] if " passed" in alone[-1] else ["nothing passed"]
            yield f"suite of {name}", f"{alone[-1]}", wrong
            others = modules(bin_python, folder / name) - PLUGIN
            wrong = [f"{others} are imported"] if others else []
            yield f"imports of {name}", "none but the plugin", wrong
            pairs = [
                (collecting(bin_python, folder / name, "-p", "no:jaxintro"),
                 collecting(bin_python, folder / name))
                for _ in range(7)
            ]  # fmt: skip
            without, plugin = (list(each) for each in zip(*pairs, strict=True))
            noise = max(without) - min(without)
            more = statistics.median(plugin) - statistics.median(without)
            said = f"{statistics.median(without):.3f} s, {more:+.3f} s with the plugin"
            wrong = [] if more <= noise else [f"more than the noise of {noise:.3f} s"]
            yield f"collection of {name}", said, wrong


def environment(folder: Path) -> str:
    """A virtual environment with the three packages and without jaxintro."""
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    bin_python = str(folder / "env" / "bin" / "python")
    pip = [bin_python, "-m", "pip", "-q"]
    for command in (
        [*pip, "install", "pytest", "freezegun", "coverage", *GUESTS],
        [*pip, "download", "--no-deps", "--no-binary=:all:", "-d", folder, *GUESTS],
    ):
        subprocess.run(command, check=True, capture_output=True, text=True)
    for archive in folder.glob("*.tar.gz"):
        shutil.unpack_archive(archive, folder)
    return bin_python


def sources(folder: Path) -> list[str]:
    return sorted(
        path.name for path in folder.iterdir() if (path / "PKG-INFO").exists()
    )


def pytest_of(
    bin_python: str, folder: Path, *options: str, flags: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    tests = next(path for path in folder.rglob("test*") if path.is_dir())
    command = [bin_python, *flags, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-s", "--color=no"]
    return subprocess.run(
        [*command, *options, str(tests.relative_to(folder))],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )


def suite(bin_python: str, folder: Path) -> list[str]:
    """What pytest says of it, but for the time that it takes."""
    done = pytest_of(bin_python, folder, "-rA")
    said = done.stdout or done.stderr
    told = sorted(re.findall(r"^(?:PASSED|FAILED|ERROR|SKIPPED) .*", said, re.M))
    return [*told, re.sub(r" in [\d.]+s.*", "", said.strip().splitlines()[-1])]


def modules(bin_python: str, folder: Path) -> set[str]:
    """Those of JAX's and of ours that `python -X importtime` tells of."""
    flags = ("-X", "importtime")
    told = pytest_of(bin_python, folder, "--co", flags=flags).stderr
    found = re.findall(r"\|\s+((?:jax|jaxlib|jaxintro)(?:\.[\w.]+)?)$", told, re.M)
    return set(found)


def collecting(bin_python: str, folder: Path, *options: str) -> float:
    """Seconds of processor time: those on the clock are the machine's affair."""
    before = os.times()
    pytest_of(bin_python, folder, "--co", *options)
    after = os.times()
    used = after.children_user - before.children_user
    return used + after.children_system - before.children_system


def main() -> int:
    options = [word for word in sys.argv[1:] if word.startswith("--")]
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    proved = "all" if "--course" in options else "jit prng_keys"
    cases = [
        *settings(proved), *platforms(), *outputs(), *consoles(), *disks(),
        *interrupts(), *names(), *answers(), *hostile(), *authors(),
    ]  # fmt: skip
    broken = 0

    def tell(name: str, said: str, wrong: list[str]) -> None:
        nonlocal broken
        broken += bool(wrong)
        end = "WRONG: " + "; ".join(wrong) if wrong else "as it should be"
        print(f"{name:56} {said}: {end}", flush=True)

    for case in cases:
        if not words or any(word in case.name for word in words):
            tell(case.name, *judged(case))
    if "--guests" in options:
        for name, said, wrong in guests():
            tell(name, said, wrong)
    print(f"{broken} wrong" if broken else "All as they should be.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
