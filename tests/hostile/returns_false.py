"""A check returns False.

Status: 1
Says: this one returns False
"""


def demo():
    """A demo."""
    return 1


def check_it():
    """It holds."""
    return demo() == 2
