"""The commands as a reader runs them: in a process of their own."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

LESSON = '''\
"""Halves: a small lesson.

What is left when half is taken of x²?
"""

import jax


def half(x=4.0):
    """Half of x is left. This much → one half.

    Predict: what is half of 4?
    """
    y = jax.numpy.multiply(x, 0.5)
    return float(y)


def check_half():
    """Twice the half is the whole — for either sign."""
    for x in (4.0, -3.0):
        assert 2 * half(x) == x


def picture():
    """A line."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1.0, 2.0], label="rising")
    return figure


def check_picture():
    """It rises."""
    assert list(picture().axes[0].lines[0].get_ydata()) == [1.0, 2.0]
'''


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mine.py").write_text(LESSON, encoding="utf-8")
    return tmp_path


def run(*arguments, cwd=None, module="jaxintro.lesson", **options):
    environment = {
        **os.environ,
        "PYTHONIOENCODING": "utf-8",
        "COLUMNS": "88",
        **options.pop("env", {}),
    }
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=120,
        **options,
    )
    assert "Traceback" not in done.stderr
    return done


README = Path(__file__).parents[1] / "README.md"
HEAVY = ("jax", "numpy", "rich", "matplotlib", "plotext")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 0),
        (["--help"], 0),
        (["--find", "grad"], 0),
        (["--find", "gard"], 2),
        (["no_such_lesson"], 2),
        (["grad.no_such_demo"], 2),
        (["grad(x=1)"], 2),
        (["--no-such-option"], 2),
    ],
)
def test_what_runs_no_lesson_imports_nothing_heavy(arguments, status):
    code = (
        "import sys; from jaxintro import lesson\n"
        f"try: status = lesson.main({arguments})\n"
        "except SystemExit as end: status = end.code\n"
        f"found = [name for name in {HEAVY} if name in sys.modules]\n"
        "print(status, found, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == f"{status} []"


def test_list_names_every_lesson_in_order():
    from jaxintro._engine import catalog

    shown = run().stdout
    marked = [f"{each.name}{'*' * bool(each.needs)}" for each in catalog.course()]
    places = [shown.index(f" {name} ") for name in marked]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["grda"], "Did you mean 'grad'?"),
        (["grad.slope_of_parabola"], "Did you mean 'slope_of_a_parabola'?"),
        (["grad.slope_of_a_parabola(y=1)"], "does not take 'y'. It takes x = 3.0."),
        (["grad.slope_of_a_parabola(x=y)"], "arguments are literals"),
        (["grad.slope_of_a_parabola(1, 2)"], "does not take 2 arguments"),
        (["grad.slope_of_a_parabola(1"], "lacks its closing bracket"),
        (["grad.slope_of_a_parabola(1)", "--check"], "leave out the arguments"),
        (["grad(x=1)"], "only a demo takes arguments"),
        (["all(x=1)"], "only a demo takes arguments"),
        (["--find", "gard"], "Did you mean 'grad'?"),
        (["grad", "--find", "vmap"], "name no lesson"),
        (["https://example.org/x.py"], "'https://example.org/x.py' is an address"),
        (["./"], "is a folder: give the path of a lesson file"),
        ([".."], "'..' is a folder: give the path of a lesson file"),
        (["."], "'.' is a folder: give the path of a lesson file"),
        ([""], "There is no lesson called ''. There are: first_steps"),
        (["--doctor", "grad"], "name no lesson"),
        (["--new", "my-lesson.py"], "'my-lesson.py' cannot be imported"),
        (["--new", "math.py"], "'math.py' cannot be imported"),
        (["--new", "my_lesson"], "take a name such as my_lesson.py"),
        (["--new", "my_lesson.py", "grad"], "name no other"),
        (["nowhere.py"], "There is no file 'nowhere.py'"),
        (["grad", "--platform", "abacus"], "invalid choice"),
        (["grad", "--check", "--json"], "not allowed with"),
        (["grad", "--sharpness"], "goes with --check or --json"),
        (["grad.slope_of_a_parabola", "--review"], "name no demo"),
        (["grad", "--force"], "--force goes with --notebook"),
        (["grad", "--notebook", ""], "--notebook needs a name"),
        (["grad", "--notebook", "g.ipynb", "--platform", "cpu"], "runs nothing"),
        (["grad", "--no-such-option"], "unrecognized arguments"),
    ],
)
def test_wrong_usage_is_told_in_a_line_and_has_status_2(arguments, says):
    done = run(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stdout == ""
    if done.stderr.startswith("jaxintro: "):  # argparse adds its usage
        assert done.stderr.count("\n") == 1


def test_a_file_with_a_syntax_error_is_told_with_its_line(folder):
    (folder / "mine.py").write_text('"""T: c."""\n\ndef half(:\n')
    done = run("mine.py", cwd=folder)
    assert done.returncode == 2
    assert "'mine.py', line 3, is not Python" in done.stderr


def test_reading_shows_prose_code_values_and_verdict(folder):
    done = run("mine.py", cwd=folder)
    assert done.returncode == 0
    assert done.stderr == ""
    shown = [" ".join(line.split()) for line in done.stdout.splitlines()]
    order = [
        "Halves: a small lesson",
        "What is left when half is taken of x²?",
        "import jax",
        "1 Half of x is left. half",
        "This much → one half.",
        "? What is half of 4?",
        "x = 4.0 │",
        "y = jax.numpy.multiply(x, 0.5) │ 2.0 float32[]",
        "float(y) │ 2.0",
        "✓ Twice the half is the whole — for either sign.",
        "2 A line. picture",
        "▞ rising",
        "--figures DIR saves the picture, a notebook shows it",
        "✓ It rises.",
    ]
    places = [shown.index(line) for line in order]
    assert places == sorted(places)
    assert "2 demos, 2 claims, all hold here: jax" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_false_claim_has_status_1_and_the_rest_runs(folder):
    (folder / "mine.py").write_text(LESSON.replace("0.5)", "0.6)"), encoding="utf-8")
    done = run("mine.py", "--check", cwd=folder)
    assert done.returncode == 1
    assert "✗ mine: Twice the half" in done.stdout
    assert "✓ mine: It rises." in done.stdout
    assert "1 DO NOT HOLD here" in done.stdout


def test_json_is_one_object_whatever_a_lesson_prints(folder):
    source = LESSON.replace("import jax\n", "import jax\n\nprint('!')\n")
    source = source.replace("    y = jax", "    print('?')\n    y = jax")
    (folder / "mine.py").write_text(source, encoding="utf-8")
    done = run("mine.py", "--json", "--sharpness", cwd=folder)
    answer = json.loads(done.stdout)  # what was printed is not in it
    half, _ = answer["lessons"][0]["demos"]
    assert (half["name"], half["output"]) == ("half", "2.0")
    assert [line["values"] for line in half["lines"]] == [
        ["?"],
        ["2.0  float32[]"],
        ["2.0"],
    ]
    (check,) = half["checks"]
    assert check["holds"] is True
    assert check["sharpness"] < 1e-6


def test_json_reports_a_demo_that_raises_and_runs_the_others(folder):
    source = LESSON.replace("y = jax.numpy.multiply(x, 0.5)", "raise OSError('no')")
    (folder / "mine.py").write_text(source, encoding="utf-8")
    done = run("mine.py", "--json", cwd=folder)
    first, second = json.loads(done.stdout)["lessons"][0]["demos"]
    assert done.returncode == 1
    assert first["error"].startswith("OSError: no")
    assert first["output"] is None
    assert second["checks"][0]["holds"]


@pytest.mark.parametrize("asked", ["mine.py::half", "mine.py.half", "./mine.py::half"])
def test_one_demo_of_a_lesson_of_ones_own(folder, asked):
    done = run(asked, cwd=folder)
    assert done.returncode == 0
    assert "│ 2.0  float32[]" in done.stdout
    assert "1 demo, 1 claim, all hold here" in done.stdout


def test_one_demo_with_the_readers_arguments(folder):
    done = run("mine.py::half(x=5.0)", cwd=folder)
    assert done.returncode == 0
    assert "x = 5.0  " in done.stdout
    assert "│ 2.5" in done.stdout
    assert "they were left out" in done.stdout


def test_one_demo_of_a_lesson_of_the_course():
    done = run("grad.slope_of_a_parabola(x=5.0)")
    assert done.returncode == 0
    assert "x = 5.0" in done.stdout
    assert "1 demo: jax" in done.stdout


def test_find_says_where_a_name_is_taught():
    done = run("--find", "grad")
    assert done.returncode == 0
    assert done.stdout.startswith("jax.grad\n")
    assert "   python -m jaxintro.lesson " in done.stdout
    assert "   also in " in done.stdout


def test_step_shows_the_guess_before_the_values(folder):
    done = run("mine.py", "--step", cwd=folder, input="two, I think\n")
    assert done.returncode == 0
    assert done.stdout.count("What do you expect?") == 1
    assert done.stdout.index("you said: two, I think") < done.stdout.index("│ 2.0")


def test_step_without_anybody_to_answer(folder):
    done = run("mine.py", "--step", cwd=folder, stdin=subprocess.DEVNULL)
    assert done.returncode == 0
    assert "you said" not in done.stdout


@pytest.mark.parametrize("option", ["--check", "--json", "--step", "--review"])
def test_no_lesson_is_not_every_lesson(option):
    done = run(option)
    assert done.returncode == 2
    assert "Say which lesson" in done.stderr


def test_without_asserts_nothing_would_be_proved(folder):
    done = run("mine.py", "--check", cwd=folder, env={"PYTHONOPTIMIZE": "1"})
    assert done.returncode == 2
    assert "drops every assert" in done.stderr


def test_a_jax_that_is_none_is_named(folder):
    (folder / "jax.py").write_text("")
    (folder / "mine.py").write_text(LESSON.replace("import jax\n", ""))
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    done = run("mine.py", cwd=folder, env={"PYTHONPATH": path})
    assert done.returncode == 3
    assert "stands in the way of JAX" in done.stderr


def test_a_platform_in_the_environment_that_is_not_there_has_status_3(folder):
    done = run("mine.py", cwd=folder, env={"JAX_PLATFORMS": "nonsense"})
    assert done.returncode == 3
    assert "nonsense" in done.stderr


def test_pytest_leaves_the_files_of_other_projects_alone(folder):
    (folder / "foo_test.py").write_text(
        "def check_values(x=1):\n    pass\n\n\ndef test_one():\n    assert False\n"
    )
    (folder / "script.py").write_text('ORDER = "asc"\n\nORDER = [1]\n1 / 0\n')
    (folder / "broken.py").write_text("\nORDER = 1\n(\n")
    done = run("-q", "-p", "no:cacheprovider", cwd=folder, module="pytest")
    assert "1 failed" in done.stdout
    assert "error" not in done.stdout


def test_platform_that_is_not_there_has_status_3(folder):
    done = run("mine.py", "--platform", "tpu", cwd=folder)
    assert done.returncode == 3
    assert "No tpu here" in done.stderr


def test_platform_cpu_wins_over_the_environment(folder):
    done = run("mine.py", "--platform", "cpu", cwd=folder, env={"JAX_PLATFORMS": "tpu"})
    assert done.returncode == 0
    assert " on cpu, " in done.stdout


def test_figures_are_saved_as_pictures(folder):
    done = run("mine.py", "--check", "--figures", "new/pictures", cwd=folder)
    assert done.returncode == 0
    assert f"Saved {os.path.join('new', 'pictures', 'mine.picture.png')}" in done.stderr
    picture = folder / "new" / "pictures" / "mine.picture.png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_figures_of_a_page_without_any(folder):
    done = run("mine.py::half", "--figures", "pictures", cwd=folder)
    assert done.returncode == 0
    assert done.stderr == "No figure was saved: nothing here draws one.\n"


def test_notebook_is_written_once_and_never_over_work(folder):
    assert run("mine.py", "--notebook", "mine.ipynb", cwd=folder).returncode == 0
    (folder / "mine.ipynb").write_text("my work")
    done = run("mine.py", "--notebook", "mine.ipynb", cwd=folder)
    assert done.returncode == 2
    assert (folder / "mine.ipynb").read_text() == "my work"
    forced = run("mine.py", "--notebook", "mine.ipynb", "--force", cwd=folder)
    assert forced.returncode == 0
    assert json.loads((folder / "mine.ipynb").read_text(encoding="utf-8"))["cells"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_closed_pipe_is_no_error(folder):
    lesson = f'"{sys.executable}" -m jaxintro.lesson mine.py; echo $? >&2'
    done = subprocess.run(
        f"({lesson}) | head -n 1",
        shell=True,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.strip() == "0"
    assert done.stdout == "Halves: a small lesson\n"


def test_forty_columns_are_enough(folder):
    done = run("mine.py", cwd=folder, env={"COLUMNS": "40"})
    code = {line.strip() for line in LESSON.split("\n")}
    wide = [x for x in done.stdout.splitlines() if len(x) > 40]
    assert all(line.strip() in code for line in wide)


def test_ascii_console_reads_ascii(folder):
    done = run("mine.py", cwd=folder, env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "of x^2?" in done.stdout
    assert "This much -> one half." in done.stdout
    assert "y = jax.numpy.multiply(x, 0.5) | 2.0  float32[]" in done.stdout
    assert "      / rising" in done.stdout
    assert done.stdout.isascii()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    ("environment", "option", "coloured"),
    [
        ({"TERM": "xterm-256color"}, [], True),
        ({"TERM": "xterm-256color"}, ["--plain"], False),
        ({"TERM": "dumb"}, [], False),
    ],
)
def test_only_a_terminal_gets_colours(folder, environment, option, coloured):
    shown = on_a_terminal(["mine.py", *option], folder, environment)
    assert ("\x1b[" in shown) is coloured
    assert "all hold here" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_program_on_a_terminal_has_no_colours_of_jaxs(folder):
    source = LESSON.replace(
        "return float(y)",
        "jaxpr = jax.make_jaxpr(lambda x: 2 * x)(x)\n    return jaxpr",
    ).replace("assert 2 * half(x) == x", 'assert ":f32[] = mul" in str(half(x))')
    (folder / "mine.py").write_text(source, encoding="utf-8")
    shown = on_a_terminal(["mine.py"], folder, {"TERM": "xterm-256color"})
    assert "�" not in shown
    assert "all hold here" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_no_color_has_no_colour(folder):
    environment = {"TERM": "xterm-256color", "NO_COLOR": "1"}
    shown = on_a_terminal(["mine.py"], folder, environment)
    assert "\x1b" not in shown
    assert "all hold here" in shown


def on_a_terminal(arguments, folder, environment):
    import pty

    lead, follow = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80", **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "jaxintro.lesson", *arguments],
        cwd=folder,
        env={k: v for k, v in environment.items() if k != "NO_COLOR"}
        | ({"NO_COLOR": "1"} if "NO_COLOR" in environment else {}),
        stdin=follow,
        stdout=follow,
        stderr=follow,
    )
    os.close(follow)
    shown = b""
    try:
        while piece := os.read(lead, 65536):
            shown += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    process.wait(timeout=60)
    os.close(lead)
    return shown.decode("utf-8", "replace")


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such modes there")
def test_read_only_home_and_no_display(folder):
    home = folder / "home"
    home.mkdir()
    home.chmod(0o500)
    environment = {"HOME": str(home), "DISPLAY": "", "MPLBACKEND": "TkAgg"}
    done = run("mine.py", "--figures", ".", cwd=folder, env=environment)
    assert done.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
def test_ctrl_c_stops_in_a_line(folder):
    import signal

    source = LESSON.replace(
        "    y = jax", "    import time; time.sleep(60)\n    y = jax"
    )
    (folder / "mine.py").write_text(source, encoding="utf-8")
    # a suite that is started in the background ignores SIGINT, and so would a child
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "jaxintro.lesson", "mine.py"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in process.stdout:
            if "half of 4" in line:  # the last line before the demo runs
                break
        time.sleep(1)  # it runs
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        signal.signal(signal.SIGINT, before)
    assert process.returncode == 130
    assert errors.strip() == "Stopped."


def test_jaxintro_lesson_is_the_same_command():
    assert run("lesson", module="jaxintro").stdout == run().stdout
    assert run("lesson", "grda", module="jaxintro").returncode == 2
    assert "Did you mean 'lesson'" in run("lessen", module="jaxintro").stderr


def test_pytest_collects_a_lesson_of_ones_own(folder):
    done = run("-q", "mine.py", "-p", "no:cacheprovider", cwd=folder, module="pytest")
    assert done.returncode == 0
    assert "2 passed" in done.stdout


@pytest.mark.parametrize("ending", ["return half() == 2", "yield half() == 2"])
def test_pytest_and_the_command_refuse_a_check_that_asserts_nothing(folder, ending):
    (folder / "mine.py").write_text(
        LESSON.replace("assert 2 * half(x) == x", ending), encoding="utf-8"
    )
    done = run("-q", "mine.py", "-p", "no:cacheprovider", cwd=folder, module="pytest")
    assert done.returncode == 1
    assert "a check asserts" in done.stdout


def test_pytest_tells_which_claim_fails(folder):
    (folder / "mine.py").write_text(LESSON.replace("0.5)", "0.6)"), encoding="utf-8")
    done = run("-q", "mine.py", "-p", "no:cacheprovider", cwd=folder, module="pytest")
    assert done.returncode == 1
    assert "FAILED mine.py::check_half" in done.stdout


@pytest.mark.parametrize("target", ["jaxintro", "jaxintro.grad"])
def test_pytest_collects_one_item_a_claim(tmp_path, target):
    from jaxintro._engine import catalog, page

    names = [lesson.name for lesson in catalog.course()]
    wanted = names if target == "jaxintro" else ["grad"]
    claims = sorted(
        check.name
        for name in wanted
        for demo in page.read(catalog.find(name)).sections
        for check in demo.checks
    )
    done = run(
        *("--pyargs", target, "--collect-only", "-q", "-p", "no:cacheprovider"),
        cwd=tmp_path,
        module="pytest",
    )
    items = [line for line in done.stdout.splitlines() if "::" in line]
    assert sorted(item.rpartition("::")[2] for item in items) == claims


def test_pytest_refuses_a_platform_that_is_not_there(folder):
    done = run("mine.py", "--jax-platform", "tpu", cwd=folder, module="pytest")
    assert done.returncode == 4
    assert "No tpu here" in done.stderr


def test_a_lesson_needs_no_package_around_it(folder):
    assert run("./mine.py", "--check", cwd=folder).returncode == 0


def test_a_file_beside_the_reader_is_pointed_out(folder):
    done = run("mine", cwd=folder)
    assert done.returncode == 2
    assert "Did you mean the file 'mine.py'?" in done.stderr


def test_new_writes_the_lesson_to_begin_with_and_never_over_work(tmp_path):
    done = run("--new", "own/lesson.py", cwd=tmp_path)
    path = os.path.join("own", "lesson.py")
    assert done.stdout == f"Wrote {path}. Read it: python -m jaxintro.lesson {path}\n"
    template = Path(__file__).parents[1] / "examples" / "my_lesson.py"
    assert (tmp_path / path).read_bytes() == template.read_bytes()
    (tmp_path / path).write_text("my work")
    assert run("--new", path, cwd=tmp_path).returncode == 2
    assert (tmp_path / path).read_text() == "my work"


def test_the_packages_carry_what_they_promise():
    import tomllib

    root = Path(__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    targets = project["tool"]["hatch"]["build"]["targets"]
    assert {"CONTRIBUTING.md", ".ci", "examples"} <= {*targets["sdist"]["include"]}
    assert all((root / name).exists() for name in targets["sdist"]["include"])
    carried = targets["wheel"]["force-include"]
    assert carried == {
        "examples/my_lesson.py": "jaxintro/_engine/template/my_lesson.py"
    }


def on_a_package_page(readme):
    import tomllib

    text = Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8")
    hooks = tomllib.loads(text)["tool"]["hatch"]["metadata"]["hooks"]
    for each in hooks["fancy-pypi-readme"]["substitutions"]:
        readme = re.sub(each["pattern"], each["replacement"], readme)
    return readme


def test_the_readme_has_no_dead_link_on_a_package_page():
    readme = README.read_text(encoding="utf-8")
    shown = on_a_package_page(readme)
    links = [*re.findall(r"\]\(([^)]*)\)", shown), *re.findall(r"<img|href=", shown)]
    assert [link for link in links if not link.startswith("https://")] == []
    assert "in docs/SOURCES.md.\n" in shown
    beside = [link for link in re.findall(r"\]\(([^)]*)\)", readme) if ":" not in link]
    assert beside
    assert all((README.parent / link).exists() for link in beside)


PASTED = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell()
for block in json.loads(sys.argv[1]):
    shell.run_cell(block).raise_error()
"""


def test_the_blocks_of_the_readme_run_as_pasted(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    *cells, lens = blocks
    assert "from jaxintro.lens import" in lens
    (tmp_path / "block.py").write_text(lens)
    code = ["-c", PASTED, json.dumps(cells)]
    told = [
        subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            encoding="utf-8",
        )
        for arguments in (["block.py"], code)
    ]
    assert [done.returncode for done in told] == [0, 0], told
    for says in ("def f(x):", "kernels", "jit is ", "2 traces", "audit of f: nothing"):
        assert says in told[0].stdout
    assert "Array(10., dtype=float32, weak_type=True)" in told[1].stdout
