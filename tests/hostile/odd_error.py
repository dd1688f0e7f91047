"""An exception cannot say what it is.

Status: 1
Says: its text raises OSError
"""


class OddError(Exception):
    def __str__(self):
        raise OSError


def demo():
    """A demo."""
    raise OddError


def check_it():
    """It holds."""
    demo()
