"""A page and what running it gave, as pieces of HTML; two readers frame them.

`offline` writes them as files that need nothing else, and the site's extension hands
them to Sphinx. What a reader is asked before seeing the values is hidden by the style
sheet alone, and only where its script runs: without it everything is open.
"""

import io
import re
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from jaxintro._engine.catalog import course
from jaxintro._engine.lines import EMPHASIS
from jaxintro._engine.outcome import Outcome, Verdict
from jaxintro._engine.page import Check, Page, Prose, Section, names_in
from jaxintro._engine.rows import shown_rows
from jaxintro.lens.follow.table import Piece, Row

ASSETS = Path(__file__).with_name("assets")  # page.css and page.js
BESIDE = 46  # columns of code that still leave room for a value beside them
TALL = 4  # lines of a value that may stand beside one line of code
HEAVY = 150_000  # signs of a drawing above which it is sent as points

SHOW_ALL = """\
<p class="ji-all">Where a question is asked, the values wait for your answer.\
<button type="button">Show all values at once</button></p>"""


def opening(page: Page, apart: str = "", *, asks: bool = True) -> str:
    """The words before the first demo, and what the file imports.

    Args:
        page: the lesson.
        apart: what is special about how it ran, or why it did not.
        asks: there are values to guess.
    """
    rows = [Row(0, line, 0, ()) for line in page.shown_imports.splitlines()]
    shown = code(rows, "The imports of this lesson") if rows else ""
    asked = asks and any(section.prose.predict for section in page.sections)
    told = f'<p class="ji-apart">{inline(apart)}</p>' if apart else ""
    return told + prose(page.intro) + shown + (SHOW_ALL if asked else "")


def demo(page: Page, outcome: Outcome) -> str:
    """All of a demo below its heading.

    Args:
        page: the whole lesson.
        outcome: what running the demo gave.
    """
    section, rows = outcome.section, outcome.rows
    name = f"{page.lesson.name}.{section.name}"
    question = _question(section, f"guess-{name}")
    return _framed(page, section, question, rows, _answers(outcome))


def unseen(page: Page, section: Section) -> str:
    """A demo that could not run: its words, its code, and what it claims.

    Args:
        page: the whole lesson.
        section: the demo.
    """
    rows, claims = shown_rows(section), (_claim(check) for check in section.checks)
    listed = f'<ul class="ji-claims">{"".join(claims)}</ul>' if section.checks else ""
    return _framed(page, section, _question(section), rows, [listed])


def _framed(
    page: Page,
    section: Section,
    question: str,
    rows: Sequence[Row],
    answers: Iterable[str],
) -> str:
    name = f"{page.lesson.name}.{section.name}"
    asks = " ji-asks" if "<form" in question else ""
    copied = escape(copied_code(page, section), quote=True)
    bar = (
        f'<div class="ji-bar"><span>{escape(name).replace("_", "_<wbr>")}</span>'
        f'<button type="button" class="ji-copy" data-code="{copied}" '
        f'aria-label="Copy the code of {escape(name)}">Copy</button></div>'
    )
    parts = [
        prose(section.prose),
        question,
        f'<div class="ji-frame">{bar}{code(rows, f"Code of {name}")}</div>',
        *(f'<div class="ji-answer">{part}</div>' for part in answers),
    ]
    shown = "".join(filter(None, parts))
    return f'<div class="ji-demo{asks}" data-demo="{escape(name)}">{shown}</div>'


def closing(outcomes: Sequence[Outcome], about: dict[str, object], day: str) -> str:
    """The line that counts: so many demos and claims, on which JAX, where and when."""
    verdicts = [verdict for outcome in outcomes for verdict in outcome.verdicts]
    broken = sum(not v.holds for v in verdicts) + sum(bool(o.error) for o in outcomes)
    holds = f"{broken} DO NOT HOLD" if broken else "all hold"
    devices = about["devices"]
    many = len(devices) if isinstance(devices, list) else 1
    where = (
        f"jax {about['jax']} on {about['platform']}{f' × {many}' * (many > 1)}, "
        f"NumPy {about['numpy']}, Python {about['python']}"
    )
    counted = f"{len(outcomes)} demos, {len(verdicts)} claims, {holds}"
    style = "fails" if broken else "holds"
    return (
        f'<p class="ji-count ji-{style}">{counted}: {escape(where)}, measured on '
        f"{day}, when this page was built.</p>"
    )


def prose(words: Prose) -> str:
    """Paragraphs, and a myth apart; the question has its own place."""
    parts = [f"<p>{_linked(inline(paragraph))}</p>" for paragraph in words.paragraphs]
    if words.myth:
        myth = f"<strong>Myth</strong> {inline(words.myth)}"
        parts.append(f'<p class="ji-myth">{myth}</p>')
    return "".join(parts)


def _linked(paragraph: str) -> str:
    """Where a lesson says what to read first or next, its name leads there."""
    lessons = {lesson.name for lesson in course()}

    def link(match: re.Match[str]) -> str:
        name = match[0]
        return f'<a href="{name}.html">{name}</a>' if name in lessons else name

    head, mark, rest = paragraph.partition("Read first:")
    return head + mark + re.sub(r"\b\w+\b", link, rest) if mark else paragraph


def inline(words: str) -> str:
    """Words with `code` and *emphasis* as HTML."""
    parts = escape(words, quote=False).split("`")
    if len(parts) % 2 == 0:  # a mark that nothing closes is a sign like any other
        parts[-2:] = ["`".join(parts[-2:])]
    for index, part in enumerate(parts):
        if index % 2:
            parts[index] = f"<code>{part}</code>"
        else:
            emphasis = re.compile(EMPHASIS)
            parts[index] = emphasis.sub(lambda m: f"<em>{m[0][1:-1]}</em>", part)
    return "".join(parts)


def code(rows: Sequence[Row], label: str) -> str:
    """Lines of code, and what each gave: beside it, or below where it is long.

    Args:
        rows: the lines.
        label: what a screen reader calls the block.
    """
    painted = paint("\n".join(row.code for row in rows))
    lines = "".join(map(_line, rows, painted))
    return (
        f'<div class="ji-code" role="group" tabindex="0" aria-label="{escape(label)}">'
        f"{lines}</div>"
    )


def paint(source: str) -> list[str]:
    """Python as lines of HTML; a token that is coloured has Pygments' class for it."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    lexer = PythonLexer(stripnl=False, ensurenl=False)
    html: str = highlight(source, lexer, HtmlFormatter(nowrap=True))
    html = re.sub(r'<span class="(\w+)">([^<]*)</span>', _plain_or_coloured, html)
    return html.removesuffix("\n").split("\n")


def _plain_or_coloured(token: re.Match[str]) -> str:
    return token[0] if token[1] in _coloured() else token[2]


@cache
def _coloured() -> set[str]:
    """The kinds of token that the style sheet has a colour for."""
    style = (ASSETS / "page.css").read_text(encoding="utf-8")
    return set(re.findall(r"\.ji-code \.(\w+)", style))


def copied_code(page: Page, section: Section) -> str:
    """A demo as code to take away: with all that it needs, and without values.

    It is what the page shows, line by line; where that cannot run outside a function
    it is the function and its call.
    """
    (alone,) = page.only(section.name, section.call).sections
    shown = "\n".join(row.code for row in shown_rows(alone))
    if not _runs(shown):
        constants = (passage.text for passage in alone.constants)
        definitions = (definition.source for definition in alone.definitions)
        call = f"print({alone.name}())"
        shown = "\n\n\n".join([*constants, *definitions, alone.source, call])
    imports = _needed_imports(page.imports, names_in(shown))
    return f"{imports}\n\n{shown}\n" if imports else f"{shown}\n"


def _runs(source: str) -> bool:
    try:
        compile(source, "shown", "exec")
    except SyntaxError:  # such as a `return` that no function holds
        return False
    return True


def _needed_imports(imports: str, used: set[str]) -> str:
    import ast

    kept = []
    for node in ast.parse(imports).body:
        bound = {
            (alias.asname or alias.name).partition(".")[0]
            for part in ast.walk(node)
            if isinstance(part, ast.Import | ast.ImportFrom)
            for alias in part.names
        }
        if bound & used or not bound:
            kept.append(ast.get_source_segment(imports, node) or "")
    return "\n".join(kept)


def _question(section: Section, field: str = "") -> str:
    """What the reader is asked, with room for a guess where there is a field for it."""
    asked = section.prose.predict
    if not asked:
        return ""
    words = inline(asked[:1].upper() + asked[1:] if asked[1:2].isalpha() else asked)
    if not field:
        return f'<div class="ji-question"><p>{words}</p></div>'
    return (
        f'<div class="ji-question"><p>{words}</p>'
        f'<form class="ji-guess"><label for="{field}">What do you expect?</label>'
        f'<input id="{field}" name="guess" autocomplete="off">'
        '<button type="submit">Show what it gave</button></form>'
        '<p class="ji-said-before" hidden>You said: <q></q></p></div>'
    )


def _line(row: Row, painted: str) -> str:
    if not row.pieces:
        wide = " ji-wide" * (len(row.code) > BESIDE)
        return f'<div class="ji-line{wide}"><code>{painted or "&#8203;"}</code></div>'
    said = "".join(_said(piece, row.runs) for piece in row.pieces)
    tall = sum(_text(piece, row.runs).count("\n") + 1 for piece in row.pieces) > TALL
    below = " ji-below" * (len(row.code) > BESIDE or tall)
    indent = len(row.code) - len(row.code.lstrip())
    return (
        f'<div class="ji-line{below}"><code>{painted}</code>'
        f'<div class="ji-said" style="--in:{indent}">{said}</div></div>'
    )


def _said(piece: Piece, runs: int) -> str:
    text = escape(_text(piece, runs), quote=False)
    return f'<samp class="ji-{piece.style}">{text}</samp>'


def _text(piece: Piece, runs: int) -> str:
    brief = runs > 1 or len(piece.block) <= 1 or piece.style == "ran"
    if piece.shorts and brief:
        return piece.shorts[0]
    return "\n".join(piece.block or piece.shorts[:1])


def _answers(outcome: Outcome) -> Iterable[str]:
    if outcome.error:
        yield f'<p class="ji-fails">raised {escape(outcome.error)}</p>'
    for number, figure in enumerate(outcome.figures, 1):
        name = f"{outcome.section.name}-{number}"
        words = alternative(figure, outcome.section)
        yield f'<figure class="ji-figure">{picture(figure, words, name)}</figure>'
    if outcome.verdicts:
        claims = "".join(_claim(each.check, each) for each in outcome.verdicts)
        yield f'<ul class="ji-claims">{claims}</ul>'


def _claim(check: Check, verdict: Verdict | None = None) -> str:
    style, mark, words = "unknown", "?", inline(check.claim)
    if verdict:
        style, mark = ("holds", "✓") if verdict.holds else ("fails", "✗")
        if not verdict.holds:
            words += f" <strong>Not here: {escape(verdict.message)}</strong>"
    proof = "\n".join(paint(check.source))
    return (
        f'<li class="ji-{style}"><details><summary><span class="ji-mark">{mark}</span>'
        f'<span>{words} <span class="ji-hint">proof</span></span></summary>'
        f'<pre class="ji-code" tabindex="0" aria-label="The proof"><code>{proof}'
        "</code></pre></details></li>"
    )


def picture(figure: Any, words: str, name: str) -> str:
    """A figure as a drawing in the page's own colours, or as points if it is heavy.

    Args:
        figure: a matplotlib figure.
        words: for those who cannot see it.
        name: sets the names inside the drawing apart from those of other drawings.
    """
    label = escape(words, quote=True)
    svg = _drawing(figure, name)
    if len(svg) <= HEAVY:
        head = f'<svg role="img" aria-label="{label}"'
        return svg.replace("<svg", head, 1)
    import base64

    points = io.BytesIO()
    figure.savefig(points, format="png", dpi=150, bbox_inches="tight")
    data = base64.b64encode(points.getvalue()).decode()
    return f'<img alt="{label}" src="data:image/png;base64,{data}">'


def alternative(figure: Any, section: Section) -> str:
    """A figure in words: what its demo shows, and what stands at its axes."""
    words = [f"Picture: {section.heading.replace('`', '')}"]
    for axes in figure.axes:
        if title := axes.get_title():
            words.append(f"{title}.")
        if (x := axes.get_xlabel()) and (y := axes.get_ylabel()):
            words.append(f"{y} against {x}.")
        _, labels = axes.get_legend_handles_labels()
        if labels:
            words.append(f"Shown: {', '.join(map(str, labels))}.")
    return " ".join(" ".join(words).split())


def _drawing(figure: Any, name: str) -> str:
    import matplotlib

    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        figure.savefig(
            text,
            format="svg",
            transparent=True,
            bbox_inches="tight",
            metadata={"Date": None, "Creator": None},
        )
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r'<g id="[a-z]+[a-z0-9.]*_\d+"', "<g", svg)  # nobody links to them
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = svg.replace("#000000", "currentColor")  # black is the page's ink
    head, rest = svg.split(">", 1)
    view = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', head)
    width = f"{float(view[1]):.0f}" if view else "480"
    box = view[0] if view else ""
    links = (
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    )
    rest = re.sub(r">\s+<", "><", rest)
    return f'<svg {box} style="max-width:{width}pt" {links}>{rest}'.strip()
