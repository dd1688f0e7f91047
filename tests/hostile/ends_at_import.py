"""The file ends the program when it is imported.

Status: 2
Says: cannot be imported: SystemExit
"""

import os

os._exit(0)


def demo():
    """A demo."""
    return 1


def check_it():
    """It holds."""
    demo()
