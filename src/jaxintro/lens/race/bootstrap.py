"""How sure is a ratio of timings? A paired bootstrap over rounds."""

import itertools

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.99
RESAMPLES = 2000
# Two copies of one program differ by this much through where their code and
# buffers happen to lie in memory; no number of rounds averages that away.
RESOLUTION = 1.03
# With fewer rounds the spread itself is ill known, so the resolution is coarser.
ENOUGH_ROUNDS = 50


def typical(samples: NDArray[np.float64], axis: int = 0) -> NDArray[np.float64]:
    """Return the median of the fastest fifth of the timings: their lowest decile.

    What else the machine does only ever adds to a timing. On two cores with four
    busy neighbours, the median of all timings told two copies of one function apart
    in 5 of 100 races and missed twice the work in 8; the lowest decile in 0 and 4.
    """
    decile: NDArray[np.float64] = np.quantile(samples, 0.1, axis=axis)
    return decile


def resolution(rounds: int) -> float:
    """Return the smallest ratio that `rounds` rounds can tell from 1."""
    return float(RESOLUTION ** max(1.0, ENOUGH_ROUNDS / rounds))


def pairwise_intervals(
    samples: NDArray[np.float64], confidence: float = CONFIDENCE
) -> NDArray[np.float64]:
    """Return intervals of every ratio of `typical`, [contestant, contestant, 2].

    Whole rounds are drawn again with replacement, so what slows a round down slows
    all of its contestants down and leaves the ratio alone. The intervals hold
    together with the given confidence (Bonferroni over the pairs) and are widened
    by `resolution` on either side.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), ch. 13.

    Args:
        samples: seconds a call, [round, contestant], all above zero.
        confidence: between 0 and 1, of all intervals together.
    """
    rounds, contestants = samples.shape
    drawn = np.random.default_rng(0).integers(rounds, size=(RESAMPLES, rounds))
    again = np.stack([typical(column[drawn], axis=1) for column in samples.T])
    pairs = list(itertools.combinations(range(contestants), 2))
    tail = (1 - confidence) / 2 / max(1, len(pairs))
    margin = resolution(rounds)
    intervals = np.ones((contestants, contestants, 2))
    for a, b in pairs:
        low, high = np.quantile(again[a] / again[b], [tail, 1 - tail])
        intervals[a, b] = low / margin, high * margin
        intervals[b, a] = 1 / (high * margin), margin / low
    return intervals
