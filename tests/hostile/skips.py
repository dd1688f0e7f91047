"""A check skips.

Status: 1
Says: ends with Skipped: no GPU
"""

import pytest


def demo():
    """A demo."""
    return 1


def check_it():
    """It holds."""
    demo()
    pytest.skip("no GPU")
