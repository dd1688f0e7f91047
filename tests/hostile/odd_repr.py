"""A value ends the program when it is shown.

Status: 0
Says: its repr raises SystemExit
"""

import sys


class Odd:
    def __repr__(self):
        sys.exit(0)


def demo():
    """A demo."""
    value = Odd()
    return value


def check_it():
    """It holds."""
    demo()
