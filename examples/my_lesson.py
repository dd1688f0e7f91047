"""Falling: a stone, a stopwatch, and the depth of a well.

Drop a stone into a well and wait for the splash. The time tells you how deep the well
is. You need only one law: how far a stone falls in how many seconds. JAX finds the
rest.

This is a lesson of one's own. Copy the file, and teach what you like. Read first: grad.
"""

import jax
import jax.numpy as jnp
import numpy as np

EARTH = 9.81  # metres a second, gained each second
SOUND = 343.0  # metres a second, in air


def fallen(seconds):
    """The metres that a stone falls in so many seconds, without air."""
    return EARTH * seconds**2 / 2


def speed_is_the_slope_of_distance(seconds=3.0):
    """The speed of a falling stone is the slope of the distance.

    Speed says how fast the distance grows with time, and `jax.grad` finds exactly this.

    Predict: after 3 seconds the stone has fallen 44 metres. How fast is it then: about
    15, 30 or 44 metres a second?
    """
    distance = fallen(seconds)
    speed = jax.grad(fallen)(seconds)
    return distance, speed


def check_speed_is_pull_times_time():
    """After t seconds a stone has fallen 9.81 · t²/2 metres, at a speed of 9.81 · t."""
    for t in (3.0, 0.5, 2.0):
        distance, speed = speed_is_the_slope_of_distance(t)
        np.testing.assert_allclose(distance, 9.81 * t * t / 2, rtol=1e-6)
        np.testing.assert_allclose(speed, 9.81 * t, rtol=1e-6)


def the_stone_gains_the_same_speed_each_second(seconds=2.0):
    """The slope of the speed is the pull of the Earth, and it never changes.

    `jax.grad` returned a function, so we can ask for the slope of that function too.

    Predict: is the slope of the speed larger after 4 seconds than after 2?
    """
    speed = jax.grad(fallen)
    gain = jax.grad(speed)
    early = gain(seconds)
    late = gain(2 * seconds)
    return early, late


def check_gain_is_the_pull():
    """At any time, a stone gains 9.81 metres a second in each second."""
    for t in (2.0, 0.5):
        gains = the_stone_gains_the_same_speed_each_second(t)
        np.testing.assert_allclose(gains, [9.81, 9.81], rtol=1e-6)


def each_second_adds_the_next_odd_number(seconds=5):
    """From second to second, a stone falls by 1, 3, 5, 7, … equal parts.

    Galileo found this rule. `jax.vmap` applies our law to each of the times, and
    `jnp.diff` subtracts each depth from the next. One part is what the stone falls in
    the first second.

    Predict: how many parts does it fall in the fifth second?
    """
    times = jnp.arange(seconds + 1.0)
    depths = jax.vmap(fallen)(times)
    parts = jnp.diff(depths) / depths[1]
    return parts


def check_parts_are_the_odd_numbers():
    """In each second a stone falls by the next odd number of parts."""
    for seconds in (5, 10):
        parts = each_second_adds_the_next_odd_number(seconds)
        # float32: the difference of two depths loses a digit
        np.testing.assert_allclose(parts, range(1, 2 * seconds, 2), rtol=2e-6)


def the_depth_without_the_sound(seconds=2.5):
    """If sound took no time, the depth of a well would be the fallen distance.

    We hear the splash after 2.5 seconds. The stone fell, and then the sound came up.

    Predict: the sound took a part of the 2.5 seconds. Is this depth too small or too
    large?
    """
    depth = fallen(seconds)
    fall = jnp.sqrt(2 * depth / EARTH)
    rise = depth / SOUND
    heard = fall + rise
    return depth, heard


def check_that_depth_is_heard_too_late():
    """At that depth we would hear the splash later than we did: it is too large."""
    for seconds in (2.5, 6.0):
        depth, heard = the_depth_without_the_sound(seconds)
        np.testing.assert_allclose(depth, 9.81 * seconds**2 / 2, rtol=1e-6)
        np.testing.assert_allclose(heard, seconds + depth / 343, rtol=1e-6)
        assert heard > seconds


def the_depth_of_the_well(seconds=2.5):
    """A few steps of Newton's method find the depth of the well.

    `heard(depth)` says when the splash of a well of this depth is heard. We look for
    the depth at which this is the time on our stopwatch. Newton's method begins with a
    guess and repeats one step. How much too late is the splash? Divide that by the
    slope of `heard`, and you know how much less deep the well must be.

    Myth: sound is so fast that it does not matter here.
    """

    def heard(depth):
        return jnp.sqrt(2 * depth / EARTH) + depth / SOUND

    depth = fallen(seconds)
    for _ in range(4):
        too_late = heard(depth) - seconds
        depth = depth - too_late / jax.grad(heard)(depth)
    return depth


def check_the_splash_comes_when_it_should():
    """From that depth, fall and sound together take the time on the stopwatch."""
    for seconds in (2.5, 1.0, 6.0):
        depth = np.float64(the_depth_of_the_well(seconds))
        heard = np.sqrt(2 * depth / 9.81) + depth / 343
        np.testing.assert_allclose(heard, seconds, rtol=1e-6)


def check_sound_matters():
    """A splash after 2.5 seconds means 28.6 metres and not 30.7."""
    depths = [the_depth_of_the_well(2.5), 9.81 * 2.5**2 / 2]
    # the sentence has one digit behind the point
    np.testing.assert_allclose(depths, [28.6, 30.7], rtol=2e-3)
