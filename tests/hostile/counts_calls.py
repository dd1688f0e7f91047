"""A demo counts its calls.

Status: 0
Says: It holds.
Options: --sharpness
"""

CALLS = []


def demo():
    """A demo."""
    CALLS.append(1)
    return float(len(CALLS))


def check_it():
    """It holds."""
    assert demo() >= 1.0
