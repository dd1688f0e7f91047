"""A demo exits.

Status: 1
Says: SystemExit: 0
"""

import sys


def demo():
    """A demo."""
    sys.exit(0)


def check_it():
    """It holds."""
    demo()
