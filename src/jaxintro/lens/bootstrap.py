"""How sure is a ratio of medians? A paired bootstrap over rounds."""

import itertools

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.99
RESAMPLES = 4000
# Two copies of one program differ by this much through where their code and
# buffers happen to lie in memory; no number of rounds averages that away.
RESOLUTION = 1.03
# With fewer rounds the spread itself is ill known, so the resolution is coarser.
ENOUGH_ROUNDS = 30


def resolution(rounds: int) -> float:
    """Return the smallest ratio that `rounds` rounds can tell from 1, as a factor."""
    return float(RESOLUTION ** max(1.0, ENOUGH_ROUNDS / rounds))


def pairwise_intervals(
    samples: NDArray[np.float64], confidence: float = CONFIDENCE
) -> NDArray[np.float64]:
    """Return intervals of every ratio of medians, [contestant, contestant, 2].

    Whole rounds are drawn again with replacement, so what slows a round down slows
    all of its contestants down and leaves the ratio alone. The intervals hold
    together with the given confidence (Bonferroni over the pairs) and are widened
    by `resolution`.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), ch. 13.

    Args:
        samples: seconds a call, [round, contestant], all above zero.
        confidence: between 0 and 1, of all intervals together.
    """
    rounds, contestants = samples.shape
    generator = np.random.default_rng(0)
    drawn = generator.integers(rounds, size=(RESAMPLES, rounds))
    medians = np.stack([np.median(column[drawn], axis=1) for column in samples.T])
    pairs = list(itertools.combinations(range(contestants), 2))
    tail = (1 - confidence) / 2 / max(1, len(pairs))
    intervals = np.ones((contestants, contestants, 2))
    for a, b in pairs:
        low, high = np.quantile(medians[a] / medians[b], [tail, 1 - tail])
        low, high = low / resolution(rounds), high * resolution(rounds)
        intervals[a, b] = low, high
        intervals[b, a] = 1 / high, 1 / low
    return intervals
