"""A demo ends the program, status 0.

Status: 1
Says: SystemExit: os._exit(0)
"""

import os


def demo():
    """A demo."""
    os._exit(0)


def check_it():
    """It holds."""
    demo()
