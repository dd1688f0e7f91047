"""Sphinx reads the course: each lesson is run once, and its page is made of fragments.

The lessons are run by the engine in Sphinx's own process, not as notebooks in a kernel
each: so the site, the offline pages and the terminal show the same values in the same
words, the questions can stand before the values, each claim has its verdict and JAX is
imported once. Nothing here lists a lesson: the folder is the table of contents.
"""

import ast
import io
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import benchmarks
import glossary
import names
import records
import sources
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.directives.other import TocTree
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from jaxintro._engine import (
    catalog,
    extras,
    fragments,
    index,
    notebook,
    offline,
    page,
    record,
    setting,
)
from jaxintro._engine.call import split_name
from jaxintro._engine.elsewhere import where
from jaxintro._engine.files import put
from jaxintro._engine.outcome import Outcome, imported, run_section

LOG = logging.getLogger(__name__)
LESSONS = "lessons"
LATE = ("record",)  # what is made of all lessons is written after them


class LessonPage(SphinxDirective):
    """A whole lesson, run here and now."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Its title, its opening words, its demos, and the line that counts."""
        lesson = catalog.find(self.arguments[0])
        found = page.read(lesson)
        self.env.note_dependency(str(lesson.path))
        whole = section(lesson.name, lesson.title)
        whole += raw(self._tools(lesson))
        if extras.reason(lesson):
            self._lessons[lesson.name] = {"skipped": record.skipped(lesson)}
            whole += raw(fragments.opening(found, how_to_see(lesson), asks=False))
            shown = [fragments.unseen(found, demo) for demo in found.sections]
            return [self._with_demos(whole, found, shown)]
        outcomes, apart = ran(found)
        about = setting.about()
        told = record.lesson_record(lesson, outcomes, 0.0, sharpness=False)
        self._lessons[lesson.name] = {
            **about,
            "lesson": told | ({"where": apart} if apart else {}),
        }
        whole += raw(fragments.opening(found, apart))
        shown = [fragments.demo(found, outcome) for outcome in outcomes]
        whole = self._with_demos(whole, found, shown)
        whole += raw(fragments.closing(outcomes, about, offline.today()))
        return [whole]

    @property
    def _lessons(self) -> dict[str, Any]:
        """What became of each lesson."""
        found: dict[str, Any] = self.env.jaxintro_lessons  # type: ignore[attr-defined]
        return found

    def _with_demos(
        self, whole: nodes.section, found: page.Page, shown: list[str]
    ) -> nodes.section:
        """A section for each demo, below its heading."""
        for number, (demo, html) in enumerate(
            zip(found.sections, shown, strict=True), 1
        ):
            part = section(demo.name, f"{number}. {demo.heading}")
            part += entries(demo.name, index.names_of(found, demo))
            part += raw(html)
            whole += part
        return whole

    def _tools(self, lesson: catalog.Lesson) -> str:
        """What one can do with the lesson: read it elsewhere, run it, change it."""
        links = [f'<a href="{lesson.name}.ipynb" download>Notebook</a>']
        if base := self.config.jaxintro_notebooks:
            address = f"{base.rstrip('/')}/{lesson.name}.ipynb"
            links.append(f'<a href="{address}">Open it in a notebook server</a>')
        if not extras.reason(lesson):
            address = f"../record.html#{lesson.name}"
            links.append(f'<a href="{address}">What holds on other JAX</a>')
        command = f"<code>python -m jaxintro.lesson {lesson.name}</code>"
        return f'<p class="ji-tools">{command}{"".join(links)}</p>'


class OneDemo(SphinxDirective):
    """One demo, as its lesson shows it."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The demo under its heading, which leads to the lesson."""
        found = asked(self)
        (outcome,), _ = ran(found)
        title = fragments.inline(outcome.section.heading)
        if found.lesson.ours:
            address = f"{LESSONS}/{found.lesson.name}.html#{outcome.section.name}"
            title = f'<a href="{address}">{title}</a>'
        shown = fragments.demo(found, outcome)
        return [raw(f'<p class="ji-title">{title}</p>{shown}')]


class DemoSource(SphinxDirective):
    """One demo and its checks as they stand in the file."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A block of code."""
        found = asked(self)
        source = found.lesson.path.read_text(encoding="utf-8")
        (demo,) = found.sections
        wanted = {demo.name, *(check.name for check in demo.checks)}
        parts = [
            ast.get_source_segment(source, node) or ""
            for node in ast.parse(source).body
            if isinstance(node, ast.FunctionDef) and node.name in wanted
        ]
        text = "\n\n\n".join(parts)
        return [nodes.literal_block(text, text, language="python")]


class CourseTree(TocTree):
    """The table of contents of the lessons, in the order of the course."""

    def run(self) -> list[nodes.Node]:
        """A toctree such as one would write by hand."""
        self.content = StringList(
            [f"{topic(x)} <{LESSONS}/{x.name}>" for x in catalog.course()], "course"
        )
        return super().run()


class CourseList(Directive):
    """The lessons with what each is about."""

    def run(self) -> list[nodes.Node]:
        """A numbered list of links."""
        rows = "".join(
            f'<li><a href="{LESSONS}/{each.name}.html"><strong>'
            f"{fragments.inline(topic(each))}</strong>"
            f"<span>{fragments.inline(clause(each))}"
            f"{' Needs other libraries.' * bool(each.needs)}</span></a></li>"
            for each in catalog.course()
        )
        return [raw(f'<ol class="ji-lessons">{rows}</ol>')]


class FirstLesson(Directive):
    """The way in."""

    def run(self) -> list[nodes.Node]:
        """A link that looks like a button."""
        first = catalog.course()[0]
        return [
            raw(
                f'<p class="ji-begin"><a href="{LESSONS}/{first.name}.html">Begin with '
                "the first lesson</a></p>"
            )
        ]


class Names(Directive):
    """Where each name of JAX and of the lens is taught."""

    def run(self) -> list[nodes.Node]:
        """A table that can be narrowed."""
        pages = [page.read(lesson) for lesson in catalog.course()]
        return [raw(names.table(index.entries(pages).values(), LESSONS))]


class Glossary(SphinxDirective):
    """Words, each with the sentence that introduces it; one word a line."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """A list of words; a word that no lesson says is a warning."""
        pages = [page.read(lesson) for lesson in catalog.course()]
        found, missing = glossary.entries(list(self.content), pages)
        for word in missing:
            LOG.warning("no lesson says '%s'", word, location=self.get_location())
        return [raw(glossary.html(found, LESSONS))]


class Benchmarks(SphinxDirective):
    """The benchmarks, run here and now."""

    def run(self) -> list[nodes.Node]:
        """A section for each."""
        shown: list[nodes.Node] = []
        for path, words in benchmarks.programs():
            self.env.note_dependency(str(path))
            title, *rest = words.split("\n\n")
            part = section(path.stem, title.rstrip("."))
            told = "".join(
                f"<p>{fragments.inline(' '.join(x.split()))}</p>" for x in rest
            )
            part += raw(told)
            if benchmarks.writes(words):
                picture, tables = benchmarks.summary(path)
                part += raw(picture)
                for name, table in tables:
                    below = section(f"{path.stem}-{nodes.make_id(name)}", name)
                    below += raw(table)
                    part += below
            else:
                part += raw(benchmarks.html(path))
            shown.append(part)
        return shown


class Late(nodes.General, nodes.Element):
    """A place for what is known only when every lesson has run."""


class Record(SphinxDirective):
    """Every claim on every configuration that there is a record of."""

    def run(self) -> list[nodes.Node]:
        """A place for the tables."""
        for path in records.files(self.config.jaxintro_record):
            self.env.note_dependency(str(path))
        return [Late()]


def asked(directive: SphinxDirective) -> page.Page:
    """The page of the one demo that a directive names, as the command line would."""
    name, demo, _ = split_name(directive.arguments[0])
    root = Path(directive.env.srcdir).parents[1]
    lesson = catalog.find(str(root / name) if catalog.is_path(name) else name)
    directive.env.note_dependency(str(lesson.path))
    return page.read(lesson).only(demo)


def how_to_see(lesson: catalog.Lesson) -> str:
    """Why there are no values on a page, and what would bring them."""
    packages = ", ".join(extras.lacks(lesson.needs or ""))
    return (
        "This lesson speaks of libraries that were not there when these pages were "
        f"built ({packages}): here are its words and its code, without values. To see "
        f"it whole, on your machine: `{extras.install(lesson.needs or '')}`, then "
        f"`python -m jaxintro.lesson {lesson.name}`."
    )


def ran(found: page.Page) -> tuple[list[Outcome], str]:
    """What each demo of a page gave, and what is special about where it ran.

    A claim that does not hold is a warning.
    """
    with imported(found.lesson) as module, redirect_stdout(io.StringIO()):
        outcomes = [run_section(module, demo) for demo in found.sections]
        apart = where(module)
    for outcome in outcomes:
        name = f"{found.lesson.name}.{outcome.section.name}"
        if outcome.error:
            LOG.warning("%s raised %s", name, outcome.error)
        for verdict in outcome.verdicts:
            if not verdict.holds:
                LOG.warning("%s: %s", name, verdict.message)
    return outcomes, apart


def topic(lesson: catalog.Lesson) -> str:
    """What stands before the colon of a title."""
    return lesson.title.partition(":")[0]


def clause(lesson: catalog.Lesson) -> str:
    """What stands after it, as a sentence."""
    words = lesson.title.partition(":")[2].strip()
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def raw(html: str) -> nodes.raw:
    """HTML that is ours already."""
    return nodes.raw("", html, format="html")


def section(name: str, heading: str) -> nodes.section:
    """A section that is linked to by a demo's name."""
    title = nodes.title()
    for number, part in enumerate(heading.split("`")):
        title += nodes.literal("", part) if number % 2 else nodes.Text(part)
    return nodes.section(
        "", title, ids=[name], names=[nodes.fully_normalize_name(name)]
    )


def entries(target: str, found: Any) -> nodes.Node:
    """Entries by which the search finds a demo for a name of JAX."""
    short = dict.fromkeys(name.rpartition(".")[2] for name in found)
    return addnodes.index(
        entries=[("single", name, target, "", None) for name in short]
    )


def prepare(app: Sphinx) -> None:
    """Write the sources that are made: a stub for each lesson, SOURCES.md."""
    import os

    os.environ["MPLBACKEND"] = "Agg"
    setting.choose(app.config.jaxintro_platform or None)
    folder = Path(app.srcdir, LESSONS)
    wanted = {f"{lesson.name}.md": lesson.name for lesson in catalog.course()}
    for old in folder.glob("*.md"):
        if old.name not in wanted:
            old.unlink()
    for file, name in wanted.items():
        write(folder / file, f"```{{lesson}} {name}\n```\n")
    said = sources.render()
    for lesson in catalog.course():
        path = f"../src/jaxintro/{lesson.name}.py"
        said = said.replace(path, f"{LESSONS}/{lesson.name}.md")
    write(Path(app.srcdir, "sources.md"), said)


def write(path: Path, text: str) -> None:
    """Write a file that is not what it should be; leave it alone otherwise."""
    path.parent.mkdir(exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8", newline="\n")


def begin(app: Sphinx, env: Any, docnames: list[str]) -> None:
    """A place for what the lessons gave."""
    if not hasattr(env, "jaxintro_lessons"):
        env.jaxintro_lessons = {}
    names_now = {lesson.name for lesson in catalog.course()}
    for gone in set(env.jaxintro_lessons) - names_now:
        del env.jaxintro_lessons[gone]


def again(app: Sphinx, env: Any) -> list[str]:
    """The pages that are made of all lessons."""
    return [name for name in LATE if name in env.found_docs]


def fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the record where it belongs."""
    for place in list(doctree.findall(Late)):
        order = [lesson.name for lesson in catalog.course()]
        ours = [app.env.jaxintro_lessons[name] for name in order]  # type: ignore[attr-defined]
        here = {
            **ours[0],
            "lessons": [each["lesson"] for each in ours if "lesson" in each],
            "skipped": [each["skipped"] for each in ours if "skipped" in each],
        }
        found = records.load(app.config.jaxintro_record)
        place.replace_self(raw(records.html(here, found, LESSONS)))


def head(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Say before anything is painted that the script is there: no value flashes up."""
    context["metatags"] = context.get("metatags", "") + (
        '<script>document.documentElement.classList.add("ji-js")</script>'
    )
    tree = context.get("furo_navigation_tree", "")  # whose headings have no level
    level = 'role="heading" aria-level="2"'
    context["furo_navigation_tree"] = tree.replace('role="heading"', level)


def finish(app: Sphinx, error: Exception | None) -> None:
    """Put each lesson's notebook beside its page."""
    if error or app.builder.format != "html":
        return
    for lesson in catalog.course():
        text = notebook.render(page.read(lesson))
        target = Path(app.outdir, LESSONS, f"{lesson.name}.ipynb")
        put(target, lambda path, text=text: path.write_text(text, encoding="utf-8"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Make all of it known to Sphinx."""
    import os

    environment = os.environ.get
    app.add_config_value(
        "jaxintro_notebooks", environment("JAXINTRO_NOTEBOOKS", ""), "env"
    )
    app.add_config_value("jaxintro_record", environment("JAXINTRO_RECORD", ""), "html")
    app.add_config_value(
        "jaxintro_platform", environment("JAXINTRO_PLATFORM", ""), "env"
    )
    app.add_directive("lesson", LessonPage)
    app.add_directive("demo", OneDemo)
    app.add_directive("demo-source", DemoSource)
    app.add_directive("benchmarks", Benchmarks)
    app.add_directive("course-tree", CourseTree)
    app.add_directive("course-list", CourseList)
    app.add_directive("first-lesson", FirstLesson)
    app.add_directive("names", Names)
    app.add_directive("words", Glossary)
    app.add_directive("record", Record)
    app.add_node(Late)
    app.connect("builder-inited", prepare)
    app.connect("env-before-read-docs", begin)
    app.connect("env-updated", again)
    app.connect("doctree-resolved", fill)
    app.connect("html-page-context", head, priority=900)  # after the theme's own
    app.connect("build-finished", finish)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
