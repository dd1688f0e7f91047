"""A demo raises what is no Exception.

Status: 1
Says: BaseException: odd
"""


def demo():
    """A demo."""
    raise BaseException("odd")


def check_it():
    """It holds."""
    demo()
