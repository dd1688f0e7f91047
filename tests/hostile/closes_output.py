"""A demo closes standard output.

Status: 0
Says: It holds.
"""

import sys


def demo():
    """A demo."""
    sys.stdout.close()
    return 1


def check_it():
    """It holds."""
    demo()
