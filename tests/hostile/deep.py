"""A demo returns lists in lists in lists.

Status: 0
Says: It holds.
Options: --sharpness
"""


def demo():
    """A demo."""
    value = []
    for _ in range(10_000):
        value = [value]
    return value


def check_it():
    """It holds."""
    demo()
