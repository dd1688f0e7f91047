"""A demo never ends.

Status: 1
Says: has not ended after 3 s
Options: --limit 3
"""


def demo():
    """A demo."""
    while True:
        pass


def check_it():
    """It holds."""
    demo()
