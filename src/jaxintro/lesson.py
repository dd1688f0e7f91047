"""The lesson command: list, read, question, prove and export lessons.

`python -m jaxintro.lesson` and `jaxintro lesson` are the same. Exit status: 0 all
holds, 1 a claim does not hold, 2 wrong usage, 3 the machine lacks what was asked for.
"""

import sys

try:
    from jaxintro._engine.door import door
except KeyboardInterrupt:  # which nobody but the door would hear
    print("\nStopped.", file=sys.stderr)
    sys.exit(130)


@door
def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    from jaxintro._engine import command

    return command.main(argv)


if __name__ == "__main__":
    sys.exit(main())
