"""A demo returns a text of 50 MB.

Status: 0
Says: more lines
"""


def demo():
    """A demo."""
    text = "a line of text\n" * 3_500_000
    return text


def check_it():
    """It holds."""
    demo()
