"""A demo replaces standard output and error.

Status: 0
Says: It holds.
"""

import io
import sys


def demo():
    """A demo."""
    sys.stdout = sys.stderr = io.StringIO()
    return 1


def check_it():
    """It holds."""
    demo()
