"""How sure is a ratio of timings? A paired bootstrap over rounds."""

import itertools
import math

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.99
RESAMPLES = 2000
# Two copies of one program differ by this much through where their code and
# buffers happen to lie in memory; no number of rounds averages that away.
RESOLUTION = 1.03
# With fewer rounds the spread itself is ill known, so the resolution is coarser.
ENOUGH_ROUNDS = 50
# A speed shows in at least this share of the rounds, and in so many.
SHARE, FEWEST = 0.15, 8
# An interval so narrow will hardly tell more than that there is no difference.
NARROW = 1.15


def typical(samples: NDArray[np.float64], axis: int = 0) -> NDArray[np.float64]:
    """Return the median of the fastest fifth of the timings: their lowest decile.

    What else the machine does only ever adds to a timing. On two cores with four
    busy neighbours, the median of all timings told two copies of one function apart
    in 5 of 100 races and missed twice the work in 8; the lowest decile in 0 and 4.
    """
    decile: NDArray[np.float64] = np.quantile(samples, 0.1, axis=axis)
    return decile


def slower_speed(samples: NDArray[np.float64]) -> NDArray[np.bool_] | None:
    """Which of the timings of one contestant are at the slower of two speeds.

    None where there is one speed. There are two where the timings fall apart into two
    heaps, each of at least 15 % of the rounds, each narrow against the distance between
    them: a tail, as interruptions make it, is no second speed.
    """
    ordered = np.sort(samples)
    least = max(FEWEST, math.ceil(SHARE * len(samples)))
    cuts = np.arange(least, len(samples) - least + 1)
    if not len(cuts):
        return None
    cut = cuts[np.argmax(ordered[cuts] / ordered[cuts - 1])]
    fast, slow = ordered[:cut], ordered[cut:]
    apart = np.median(slow) / np.median(fast)
    wide = max(np.divide(*np.quantile(heap, [0.9, 0.1])) for heap in (fast, slow))
    if apart < 1.5 or wide > apart**0.5 or slow[0] / fast[-1] < apart**0.3:
        return None
    found: NDArray[np.bool_] = samples >= slow[0]
    return found


def at_each_speed(a: NDArray[np.float64], b: NDArray[np.float64]) -> list[float]:
    """The ratios of two contestants at each combination of their speeds."""
    slow = [slower_speed(samples) for samples in (a, b)]
    if slow[0] is None and slow[1] is None:
        return []
    codes = sum(
        weight * mask
        for weight, mask in zip((1, 2), slow, strict=True)
        if mask is not None
    )
    least = max(FEWEST, SHARE * len(a))
    groups = [codes == code for code in np.unique(codes)]
    return [float(typical(a[g]) / typical(b[g])) for g in groups if g.sum() >= least]


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
    by `resolution` on either side. Where a contestant was seen at two speeds, the
    ratios at both lie within.

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
        speeds = at_each_speed(samples[:, a], samples[:, b])
        low, high = min([low, *speeds]), max([high, *speeds])
        intervals[a, b] = low / margin, high * margin
        intervals[b, a] = 1 / (high * margin), margin / low
    return intervals


def settled(samples: NDArray[np.float64]) -> bool:
    """Whether more rounds would hardly change the verdict.

    That is so where the fastest is told apart from each other one, or where they are
    known to be as fast as each other.
    """
    pairs = pairwise_intervals(samples)
    fastest = int(np.argmin(typical(samples)))
    low, high = np.delete(pairs[:, fastest], fastest, axis=0).T
    narrow = (high / low < NARROW) & (len(samples) >= ENOUGH_ROUNDS)
    return bool(np.all((low > 1) | (high < 1) | narrow))
