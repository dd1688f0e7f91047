"""The intervals hold what they should as often as they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxintro.lens.race.bootstrap import (
    RESOLUTION,
    pairwise_intervals,
    resolution,
    typical,
)


def timings(seed, factors, rounds=60):
    """Timings as a machine gives them: a floor, small noise, and large spikes."""
    random = np.random.default_rng(seed)
    shape = (rounds, len(factors))
    spikes = (random.random(shape) < 0.3) * random.exponential(2, shape)
    return np.array(factors) * (1 + 0.02 * random.exponential(size=shape) + spikes)


def holds(interval, ratio):
    return interval[0] <= ratio <= interval[1]


def test_the_true_ratio_lies_within_at_the_promised_rate():
    found = [pairwise_intervals(timings(seed, [2, 1]))[0, 1] for seed in range(100)]
    assert sum(holds(interval, 2) for interval in found) >= 97


def test_all_pairs_of_four_copies_hold_one_together():
    found = [pairwise_intervals(timings(seed, [1] * 4)) for seed in range(50)]
    ones = [np.all((one[..., 0] <= 1) & (one[..., 1] >= 1)) for one in found]
    assert sum(ones) >= 48


@pytest.mark.parametrize("rounds", [20, 100])
def test_twice_the_work_is_told(rounds):
    found = [pairwise_intervals(timings(s, [1, 2], rounds)) for s in range(20)]
    assert all(one[1, 0, 0] > 1 for one in found)


def test_a_disturbance_shared_by_a_round_leaves_the_ratio_alone():
    samples = timings(0, [3, 1])
    slow = np.where(np.arange(60) % 2, 1, 5)[:, None]
    low, high = pairwise_intervals(samples * slow)[0, 1]
    assert low <= 3 <= high
    assert high / low < 1.2


def test_the_interval_is_never_narrower_than_the_resolution():
    low, high = pairwise_intervals(np.ones((500, 2)))[0, 1]
    assert (low, high) == pytest.approx((1 / RESOLUTION, RESOLUTION))


def test_fewer_rounds_are_coarser():
    coarseness = [resolution(rounds) for rounds in (1, 2, 5, 10, 50, 500)]
    assert coarseness == sorted(coarseness, reverse=True)
    assert coarseness[0] > 4
    assert coarseness[-1] == coarseness[-2] == RESOLUTION


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.floats(1e-9, 1e3))
def test_the_unit_of_time_does_not_matter(seed, scale):
    samples = timings(seed, [1, 2, 3], rounds=10)
    np.testing.assert_allclose(
        pairwise_intervals(samples * scale), pairwise_intervals(samples), rtol=1e-9
    )


def test_the_other_way_round_is_the_inverse():
    found = pairwise_intervals(timings(0, [1, 2]))
    np.testing.assert_allclose(found[0, 1], 1 / found[1, 0][::-1])
    np.testing.assert_array_equal(found[[0, 1], [0, 1]], 1.0)


def test_the_typical_timing_is_the_median_of_the_fastest_fifth():
    assert typical(np.arange(101.0)) == np.median(np.arange(21.0))
