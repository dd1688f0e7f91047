"""A demo calls itself without end.

Status: 1
Says: RecursionError
"""


def demo():
    """A demo."""
    return demo()


def check_it():
    """It holds."""
    demo()
