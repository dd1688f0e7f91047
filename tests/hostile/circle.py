"""A demo returns a list that holds itself.

Status: 0
Says: It holds.
Options: --sharpness
"""


def demo():
    """A demo."""
    value = [1.0]
    value.append(value)
    return value


def check_it():
    """It holds."""
    demo()
