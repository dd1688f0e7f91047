"""The lesson command: what its options ask for."""

import argparse
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from jaxintro._engine import catalog
from jaxintro._engine.call import refuse_misfit, split_name

if TYPE_CHECKING:
    from jaxintro._engine.catalog import Lesson
    from jaxintro._engine.page import Page

LONGEST = 1e6  # which are eleven days


def main(argv: list[str] | None) -> int:
    """Do what was asked; return the exit status.

    Raises:
        RefusalError: it cannot be done; the message says why.
    """
    return _dispatch(_parser().parse_args(argv))


class _Help(argparse.Action):
    """`--help`, but a disk that is full is not passed over in silence."""

    def __call__(self, parser: argparse.ArgumentParser, *given: object) -> None:
        print(parser.format_help(), end="")
        parser.exit()


def _seconds(text: str) -> float:
    """A time.

    Raises:
        ArgumentTypeError: it is none.
    """
    with suppress(ValueError):
        if 0 < float(text) <= LONGEST:
            return float(text)
    raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jaxintro lesson",
        description="Read a JAX lesson; each claim is checked on this machine.",
        epilog="Exit status: 0 every claim holds, 1 one does not, 2 wrong usage, "
        "3 the machine lacks what was asked for.",
        add_help=False,
    )
    words = "show this and end"
    parser.add_argument("-h", "--help", action=_Help, nargs=0, help=words)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="lesson",
        help="a lesson, one demo of it (grad.slope_of_a_parabola), a demo with your "
        "arguments ('grad.slope_of_a_parabola(x=5.0)'), the path of your own lesson "
        "file (my_lesson.py, my_lesson.py::demo), or all; none: list them",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--step", action="store_true", help="ask what you expect first")
    how.add_argument("--check", action="store_true", help="one line a claim")
    how.add_argument(
        "--review", action="store_true", help="for authors: what is wrong with a lesson"
    )
    how.add_argument("--json", action="store_true", help="one JSON object")
    how.add_argument(
        "--notebook", metavar="FILE", help="write the lesson as a notebook"
    )
    how.add_argument(
        "--html", metavar="DIR", help="write the lesson with its values as a web page"
    )
    how.add_argument(
        "--doctor", action="store_true", help="whether lessons can run here, or why not"
    )
    how.add_argument("--new", metavar="FILE", help="write a lesson to begin yours with")
    how.add_argument("--find", metavar="NAME", help="where a name of JAX is taught")
    parser.add_argument(
        "--sharpness",
        action="store_true",
        help="with --check or --json: the smallest error that each check would notice",
    )
    parser.add_argument("--figures", metavar="DIR", help="save the pictures there")
    parser.add_argument("--platform", choices=("cpu", "gpu", "tpu"), help="run there")
    parser.add_argument(
        "--as-is", action="store_true", help="keep your own settings of JAX"
    )
    parser.add_argument(
        "--limit",
        metavar="SECONDS",
        type=_seconds,
        help="how long a demo and its checks may run (600)",
    )
    parser.add_argument("--plain", action="store_true", help="no colours, no boxes")
    parser.add_argument(
        "--force",
        action="store_true",
        help="with --notebook or --html: overwrite what is there",
    )
    return parser


def _dispatch(options: argparse.Namespace) -> int:
    if options.sharpness and not (options.check or options.json):
        raise catalog.UsageError("--sharpness goes with --check or --json.")
    if options.force and options.notebook is None and options.html is None:
        raise catalog.UsageError("--force goes with --notebook or --html.")
    if options.html == "":
        raise catalog.UsageError("--html needs the name of a folder.")
    if options.find is not None:
        return _find(options)
    if options.doctor:
        return _examine(options)
    if options.new is not None:
        return _begin(options)
    if not options.names:
        if any(value for name, value in vars(options).items() if name != "plain"):
            raise catalog.UsageError("Say which lesson: a name, or 'all'.")
        return _list(options)
    if sys.flags.optimize:
        raise catalog.UsageError(
            "Python runs with -O, which drops every assert: no claim would be checked."
        )
    pages = _pages(options.names)
    if options.check and any(s.call for page in pages for s in page.sections):
        raise catalog.UsageError(
            "--check proves claims, and they are about the worked example: "
            "leave out the arguments, or --check."
        )
    if options.review and any(split_name(name)[1] for name in options.names):
        raise catalog.UsageError("--review looks at whole lessons: name no demo.")
    if options.notebook is not None:
        _refuse_beside_notebook(options)
        from jaxintro._engine import notebook
        from jaxintro._engine.screen import encodable

        for path in notebook.write(pages, Path(options.notebook), force=options.force):
            print(encodable(f"Wrote {path}"))
        return 0
    pages, skipped = _without_what_cannot_run(pages, options.names)
    os.environ["MPLBACKEND"] = "Agg"  # figures are saved, never opened: no display
    from jaxintro._engine.guard import LIMIT
    from jaxintro._engine.session import Session

    session = Session(
        step=options.step,
        sharpness=options.sharpness,
        figures=Path(options.figures) if options.figures else None,
        platform=options.platform,
        plain=options.plain,
        as_is=options.as_is,
        limit=options.limit or LIMIT,
        skipped=skipped,
    )
    if options.review:
        return session.review(pages)
    if options.html is not None:
        return session.write_html(pages, Path(options.html), force=options.force)
    if options.json:
        return session.answer_json(pages)
    return session.prove(pages) if options.check else session.read(pages)


def _without_what_cannot_run(
    pages: "list[Page]", names: list[str]
) -> "tuple[list[Page], list[Lesson]]":
    """The pages that can run here, and the lessons that `all` therefore leaves out.

    Raises:
        LackingError: the reader named a lesson whose extra is not installed.
    """
    from jaxintro._engine import extras

    named = {split_name(name)[0] for name in names}
    for page in pages:
        if not page.lesson.ours or page.lesson.name in named:
            extras.refuse(page.lesson)
    able = [page for page in pages if not extras.reason(page.lesson)]
    return able, [page.lesson for page in pages if page not in able]


def _refuse_beside_notebook(options: argparse.Namespace) -> None:
    if not options.notebook:
        raise catalog.UsageError("--notebook needs a name, such as grad.ipynb.")
    for name in ("platform", "figures", "as_is", "limit"):
        if getattr(options, name):
            raise catalog.UsageError(
                "--notebook writes a lesson and runs nothing: "
                f"leave out --{name.replace('_', '-')}."
            )


def _list(options: argparse.Namespace) -> int:
    from jaxintro._engine import text
    from jaxintro._engine.screen import Screen

    screen = Screen(plain=options.plain)
    screen.write(text.listing(catalog.course(), screen.width))
    return 0


def _find(options: argparse.Namespace) -> int:
    from jaxintro._engine import index, page, text
    from jaxintro._engine.screen import Screen

    if options.names:
        raise catalog.UsageError(
            "--find looks through the whole course: name no lesson."
        )
    screen = Screen(plain=options.plain)
    pages = [page.read(lesson) for lesson in catalog.course()]
    for entry in index.find(pages, options.find):
        screen.write(text.places(entry, min(screen.width, text.PROSE)))
    return 0


def _examine(options: argparse.Namespace) -> int:
    from jaxintro._engine import doctor
    from jaxintro._engine.screen import encodable

    if options.names:
        raise catalog.UsageError("--doctor looks at the machine: name no lesson.")
    said, runs = doctor.examine()
    for name, words in said:
        print(encodable(f"{name:16} {' '.join(words.split())}"))
    print(f"\nLessons {'can' if runs else 'cannot'} run here.")
    return 0 if runs else catalog.LackingError.status


def _begin(options: argparse.Namespace) -> int:
    """Write the lesson that others are copied from."""
    from jaxintro._engine.files import put
    from jaxintro._engine.screen import encodable

    path = Path(options.new)
    if options.names:
        raise catalog.UsageError("--new writes a lesson of your own: name no other.")
    taken = not path.stem.isidentifier() or path.stem in catalog.TAKEN
    if path.suffix != ".py" or taken:
        raise catalog.UsageError(
            f"'{path}' cannot be imported: take a name such as my_lesson.py."
        )
    if path.exists():
        raise catalog.UsageError(f"'{path}' is there already: take another name.")
    template = catalog.template().read_bytes()
    put(path, lambda new: new.write_bytes(template))
    print(encodable(f"Wrote {path}. Read it: python -m jaxintro.lesson {path}"))
    return 0


def _pages(names: list[str]) -> "list[Page]":
    """The pages that the reader asked for.

    Raises:
        UsageError: a name or a path leads nowhere; nothing has run by then.
    """
    from jaxintro._engine import page

    pages = []
    for asked in names:
        name, demo, call = split_name(asked)
        if name == "all" and not demo:
            pages += [page.read(lesson) for lesson in catalog.course()]
            continue
        whole = page.read(catalog.find(name))
        if demo:
            whole = whole.only(demo, call)
            refuse_misfit(call, whole.sections[0].arguments, demo)
        pages.append(whole)
    return pages
