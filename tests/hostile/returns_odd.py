"""A check returns what cannot be shown.

Status: 1
Says: its repr raises SystemExit
"""

import sys


class Odd:
    def __repr__(self):
        sys.exit(0)


def demo():
    """A demo."""
    return 1


def check_it():
    """It holds."""
    demo()
    return Odd()
