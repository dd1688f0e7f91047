"""A demo returns ten million numbers.

Status: 0
Says: It holds.
"""


def demo():
    """A demo."""
    numbers = [1.5] * 10_000_000
    return numbers


def check_it():
    """It holds."""
    demo()
