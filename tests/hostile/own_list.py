"""A demo returns a list of another making.

Status: 0
Says: It holds.
Options: --sharpness
"""


class Pair(list):
    def __init__(self, a, b):
        super().__init__((a, b))


def demo():
    """A demo."""
    pair = Pair(1.0, 2.0)
    return pair


def check_it():
    """It holds."""
    demo()
