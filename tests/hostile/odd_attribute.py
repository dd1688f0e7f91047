"""A value raises when it is asked for anything.

Status: 0
Says: It holds.
"""


class Odd:
    def __getattr__(self, name):
        raise OSError(name)


def demo():
    """A demo."""
    value = Odd()
    return value


def check_it():
    """It holds."""
    demo()
