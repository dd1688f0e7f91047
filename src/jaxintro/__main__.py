"""`jaxintro lesson …` and `python -m jaxintro lesson …`: the commands by one name."""

import sys

try:
    from jaxintro._engine.door import door
except KeyboardInterrupt:  # which nobody but the door would hear
    print("\nStopped.", file=sys.stderr)
    sys.exit(130)

USAGE = """\
jaxintro: a JAX course whose every statement is checked on your own machine.

  jaxintro lesson            the lessons, in order
  jaxintro lesson grad       read one
  jaxintro lesson --help     all that a lesson can do
"""


@door
def main(argv: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    match arguments:
        case ["lesson", *rest]:
            from jaxintro import lesson

            return lesson.main(rest)
        case [] | ["-h" | "--help", *_]:
            print(USAGE, end="")
            return 0
        case ["--version"]:
            from jaxintro import __version__

            print(f"jaxintro {__version__}")
            return 0
    print(
        f"jaxintro: there is no command '{arguments[0]}'. Did you mean 'lesson'?",
        file=sys.stderr,
    )
    return 2


if __name__ == "__main__":
    sys.exit(main())
