"""A lesson imports what stands beside it.

Status: 0
Says: It holds.
"""

from helper import SCORES


def demo():
    """A demo."""
    from helper import LATE

    return SCORES, LATE


def check_it():
    """It holds."""
    demo()
