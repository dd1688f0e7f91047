"""What the benchmarks share: contestants that may be missing, and the bar."""

from collections.abc import Callable
from typing import Any

import jax

from jaxintro.lens import Race

Contestants = dict[str, Callable[[], Any]]


def available(*makers: Callable[[], Contestants]) -> Contestants:
    """Return the contestants of all makers; say which library is not installed."""
    found: Contestants = {}
    for make in makers:
        try:
            found |= make()
        except ImportError as error:
            print(f"missing: {error.name}")
    return found


def report(result: Race) -> None:
    """Print the table of a race, and where it was run."""
    rounds = "1 round" if result.rounds == 1 else f"{result.rounds} rounds"
    print(f"jax {jax.__version__} on {jax.default_backend()}, {rounds}")
    print(result)


def bar(result: Race, name: str, reference: str, limit: float) -> bool:
    """Print how many times the reference's time is needed; return whether it may be."""
    if reference not in result.names:
        print(
            f"\nbar: {name} against {reference} cannot be told: {reference} is missing"
        )
        return True
    ratio = result.ratio(name, reference)
    low, high = result.interval(name, reference)
    verdict = "met" if ratio <= limit else "NOT met"
    print(
        f"\nbar: {name} takes {ratio:.2f} [{low:.2f}, {high:.2f}] times as long "
        f"as {reference}; at most {limit} allowed: {verdict}"
    )
    return ratio <= limit
