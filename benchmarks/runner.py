"""What the runner costs: against the bare work, against `import jax`, lesson by lesson.

`python benchmarks/runner.py [rounds]` runs every command in a process of its own, in
interleaved rounds, and prints medians, ratios, and the bars of the design.
"""

import statistics
import subprocess
import sys
import time

from jaxintro._engine import catalog, extras

BARE = """\
import re, sys
from jaxintro import grad
source = open(grad.__file__).read()
for name in re.findall(r"^def (\\w+)\\((?:[^=()]+=.*)?\\):", source, re.M):
    getattr(grad, name)()
"""


def lesson(*arguments):
    return [sys.executable, "-m", "jaxintro.lesson", *arguments]


def contestants():
    python = [sys.executable, "-c"]
    commands = {
        "python, doing nothing": [*python, "pass"],
        "import jax": [*python, "import jax"],
        "list of lessons": lesson(),
        "--help": lesson("--help"),
        "a wrong name": lesson("grda"),
        "bare work of grad": [*python, BARE],
        "lesson grad": lesson("grad"),
    }
    for found in catalog.course():
        if extras.reason(found):  # it cannot run here
            continue
        commands[f"{found.name}, cold"] = lesson(found.name, "--check")
    commands["all --check"] = lesson("all", "--check")
    return commands


def seconds(command):
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - start
    if done.returncode not in (0, 2):
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return taken


def bars(median):
    """What is measured, what it is compared with, and the bar."""
    for name in ("list of lessons", "--help", "a wrong name"):
        yield name, f"{median[name]:.3f} s", "0.1 s", median[name] <= 0.1
        ratio = median[name] / median["import jax"]
        yield f"{name} / import jax", f"{ratio:.3f}", "", True
    ratio = median["lesson grad"] / median["bare work of grad"]
    yield "lesson grad / bare work", f"{ratio:.3f}", "1.15", ratio <= 1.15
    for name, value in median.items():
        if name.endswith(", cold"):
            yield name, f"{value:.2f} s", "4 s", value <= 4
    whole = median["all --check"]
    yield "all --check", f"{whole:.1f} s", "60 s", whole <= 60


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    commands = contestants()
    samples = {name: [] for name in commands}
    for number in range(rounds):
        for name, command in commands.items():
            print(
                f"round {number + 1} of {rounds}: {name:40}", end="\r", file=sys.stderr
            )
            samples[name].append(seconds(command))
    median = {name: statistics.median(values) for name, values in samples.items()}
    print(f"{'command':30}{'median':>10}{'fastest':>10}{'slowest':>10}   (seconds)")
    for name, values in samples.items():
        row = f"{median[name]:10.3f}{min(values):10.3f}{max(values):10.3f}"
        print(f"{name:30}{row}")
    print(f"\n{'measured':34}{'here':>10}{'bar':>8}")
    for name, here, bar, met in bars(median):
        print(f"{name:34}{here:>10}{bar:>8}{'' if met else '   NOT MET'}")


if __name__ == "__main__":
    main()
