"""Functions that other compilers read: a fake `numba` and `torch` stand in for them.

Each keeps the code that it was given, which must be the code as written.
"""

import numba
import torch
from numba import njit


def decorated(x):
    @numba.njit
    def double(y):
        return 2 * y

    z = double(x)
    return z


def with_options(x):
    @njit(parallel=True)
    def double(y):
        return 2 * y

    return double(x)


def by_name(x):
    def inner(y):
        return y + 1

    def double(y):
        return inner(y) - 1 + y

    def apart(y):
        w = 3 * y
        return w

    fast = torch.compile(double)
    a = fast(x)
    b = apart(x)
    return a, b


def same_name_elsewhere(x):
    def double(y):
        w = 2 * y
        return w

    return torch.sin(double(x))


@numba.njit
def at_the_top(y):
    return 2 * y


def calls_the_top(x):
    z = at_the_top(x)
    return z


class Kernels:
    """Methods that are kernels."""

    @staticmethod
    @numba.njit
    def double(y):
        return 2 * y


def calls_a_method(x):
    z = Kernels.double(x)
    return z
