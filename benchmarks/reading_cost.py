"""What values beside lines cost: each demo of a lesson read, against called plainly.

`python benchmarks/reading_cost.py [rounds] [lesson …]` runs both in turn in one process
and prints the ratio of the summed medians, lesson by lesson. The bar of the design is
1.15.
"""

import contextlib
import io
import statistics
import sys
import time

import jax

from jaxintro._engine import catalog, extras, outcome, page, setting
from jaxintro._engine.figures import drawn


def plainly(module, section):
    """Seconds of a plain call."""
    start = time.perf_counter()
    with setting.pinned(), contextlib.redirect_stdout(io.StringIO()):
        given = jax.tree.leaves(getattr(module, section.name)())
        jax.block_until_ready([part for part in given if isinstance(part, jax.Array)])
    seconds = time.perf_counter() - start
    drawn()
    return seconds


def reading(module, section):
    """Seconds of the same, each line saying what it gave."""
    start = time.perf_counter()
    outcome.run_section(module, section)
    return time.perf_counter() - start


def main():
    numbers = [int(a) for a in sys.argv[1:] if a.isdigit()]
    names = [a for a in sys.argv[1:] if not a.isdigit()]
    rounds = numbers[0] if numbers else 3
    both = [0.0, 0.0]
    for lesson in catalog.course():
        left_out = extras.reason(lesson) or lesson.devices > 1  # a process of its own
        if left_out or (names and lesson.name not in names):
            continue
        found, module = page.read(lesson), outcome.load(lesson)
        total = [0.0, 0.0]
        for section in found.sections:
            bare = type(section)(**{**vars(section), "checks": ()})
            plainly(module, bare)  # what is only done once is done now
            times = [
                (plainly(module, bare), reading(module, bare)) for _ in range(rounds)
            ]
            for way in (0, 1):
                total[way] += statistics.median(pair[way] for pair in times)
        both = [sum(pair) for pair in zip(both, total, strict=True)]
        print(f"{lesson.name:22} {total[0]:6.2f} s plain, {total[1] / total[0]:.2f}")
    print(f"{'all':22} {both[0]:6.2f} s plain, {both[1] / both[0]:.2f} (bar 1.15)")


if __name__ == "__main__":
    main()
