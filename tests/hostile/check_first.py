"""The check stands above its demo.

Status: 2
Says: 'check_it' stands above the first demo, not below
"""


def check_it():
    """It holds."""
    assert demo() == 2


def demo():
    """A demo."""
    return 2
