"""Falling: a stone, a stopwatch, and the depth of a well.

Drop a stone into a well and wait for the splash. The time tells the depth, if you know
one law. Here the law is a function, and JAX reads everything else out of it: the speed
is its slope, the pull of the Earth the slope of that.
This is a lesson of one's own: copy the file, and teach what you like. Read first: grad.
"""

import jax
import jax.numpy as jnp
import numpy as np

EARTH, MOON = 9.81, 1.62  # pull, in metres a second, each second


def fallen(seconds, pull=EARTH):
    """How far a stone has fallen, in metres. No air here to slow it down."""
    return pull * seconds**2 / 2


def speed_of_a_fall(seconds=2.0, pull=EARTH):
    """Distance goes with the square of the time. Its slope along time is the speed.

    The slope of the speed is the pull again: the one number that never changes.

    Predict: after 2 seconds the stone is 19.6 metres down. How fast is it, in metres a
    second?
    """
    speed = jax.grad(fallen)
    gain = jax.grad(speed)
    return {"speed": speed(seconds, pull), "gain a second": gain(seconds, pull)}


def check_speed_is_pull_times_time():
    """After t seconds a stone falls at pull · t, and gains the pull each second."""
    for seconds, pull in ((2.0, EARTH), (0.5, EARTH), (3.0, MOON)):
        speed, gain = speed_of_a_fall(seconds, pull).values()
        np.testing.assert_allclose([speed, gain], [pull * seconds, pull], rtol=1e-6)


def each_second_takes_the_next_odd_number(seconds=5):
    """Galileo, 1638: in equal times, a stone falls by 1, 3, 5, 7, 9, ... parts.

    `vmap` asks the law for every second at once. The differences are the parts.

    Predict: in the first second it falls one part. How many in the tenth?
    """
    times = jnp.arange(seconds + 1, dtype="float32")
    depths = jax.vmap(fallen)(times)  # [n + 1] -> [n + 1]
    return jnp.diff(depths) / depths[1]


def check_parts_are_the_odd_numbers():
    """From one second to the next, a stone falls by the next odd number of parts."""
    for seconds in (5, 10):
        parts = each_second_takes_the_next_odd_number(seconds)
        # float32: the difference of two depths loses a digit
        np.testing.assert_allclose(parts, range(1, 2 * seconds, 2), rtol=2e-6)


def depth_of_a_well(seconds=2.5, sound=343.0):
    """You hear the splash after 2.5 seconds. The stone fell, then the sound came up.

    Which depth gives this sum? Newton's way: guess, and let the slope mend the guess.

    Predict: leave out the sound, and the well is 30.7 metres deep. Is that too much?

    Myth: sound is so fast that it does not matter here.
    """

    def heard(depth):
        return jnp.sqrt(2 * depth / EARTH) + depth / sound

    def mend(_, depth):
        return depth - (heard(depth) - seconds) / jax.grad(heard)(depth)

    guess = jnp.float32(fallen(seconds))
    return {"without sound": guess, "with": jax.lax.fori_loop(0, 5, mend, guess)}


def check_the_splash_comes_when_it_should():
    """From that depth, fall and sound together take the time on the stopwatch."""
    for seconds in (2.5, 1.0, 6.0):
        naive, depth = map(float, depth_of_a_well(seconds).values())
        fall, back = np.sqrt(2 * depth / 9.81), depth / 343
        np.testing.assert_allclose(fall + back, seconds, rtol=1e-6)
        np.testing.assert_allclose(naive, 9.81 * seconds**2 / 2, rtol=1e-6)


def check_sound_matters():
    """The sound is worth two metres of 30: a splash after 2.5 s is 28.6 metres down."""
    naive, depth = map(float, depth_of_a_well().values())
    # the sentence has one digit behind the point
    np.testing.assert_allclose([naive, depth], [30.7, 28.6], rtol=2e-3)
