"""Each function needs arguments.

Status: 2
Says: holds no demo, for 'double' needs arguments
"""


def double(x):
    """Twice x."""
    return 2 * x


def check_it():
    """It holds."""
    assert double(1) == 2
